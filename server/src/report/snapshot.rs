//! The figures at one position of the journal.

use crate::report::delta::ReportDelta;
use ngomon_rules::unit::UnitCode;
use ngomon_store::{DayFigures, Figures, HrTask, Result, StaffLine, Store};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The figures at one position of the journal.
pub struct Snapshot {
    pub(super) store: Store,
    /// The figures of all units.
    pub figures: Figures,
    /// When they were read, in microseconds UTC.
    pub at: i64,
    pub(super) days: tokio::sync::Mutex<BTreeMap<UnitCode, Arc<[DayFigures]>>>,
    pub(super) lives: tokio::sync::Mutex<BTreeMap<(UnitCode, &'static str), Arc<ReportDelta>>>,
    pub(super) staff: tokio::sync::OnceCell<Vec<StaffLine>>,
    pub(super) hr_tasks: tokio::sync::OnceCell<Vec<HrTask>>,
}

impl Snapshot {
    /// The days of a unit, read once for all its viewers.
    pub async fn days(&self, unit: &UnitCode) -> Result<Arc<[DayFigures]>> {
        let mut known = self.days.lock().await;
        if let Some(days) = known.get(unit) {
            return Ok(Arc::clone(days));
        }
        let days: Arc<[DayFigures]> = self.store.days(&self.figures, unit).await?.into();
        known.insert(unit.clone(), Arc::clone(&days));
        Ok(days)
    }

    /// The staff of all units, read on the first request.
    pub async fn staff(&self) -> Result<&[StaffLine]> {
        let read = || self.store.staff_report(None, self.figures.day);
        self.staff.get_or_try_init(read).await.map(Vec::as_slice)
    }

    /// The tasks of HR in the whole province, computed on the first request: each decision of a month is taken for each official.
    pub async fn hr_tasks(&self) -> Result<&[HrTask]> {
        let read = || self.store.hr_tasks(None, self.figures.day);
        self.hr_tasks.get_or_try_init(read).await.map(Vec::as_slice)
    }
}
