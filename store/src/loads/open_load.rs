//! An open load, which stages rows.

use crate::boxed;
use crate::context::Attribution;
use crate::crypto::keyring::Fingerprinter;
use crate::db::columns::start_of;
use crate::db::{SqlValue, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::loads::evidence;
use crate::loads::incoming::{LoadRequest, QuarantinedRow};
use crate::loads::known_profiles::KnownKeys;
use crate::projections::counters::CounterDeltas;
use crate::store::Store;
use crate::tables::quarantine::QuarantinedCells;
use crate::tables::row_digests::RowDigests;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A load whose rows are being staged.
pub struct OpenLoad {
    pub(crate) store: Store,
    pub(crate) id: String,
    pub(crate) incoming: LoadRequest,
    pub(crate) counts: CounterDeltas,
    pub(crate) ord: i64,
    pub(crate) known: KnownKeys,
    /// The digests of the rows of a reference, and of the rows in quarantine.
    pub(crate) rows: RowDigests,
    pub(crate) waiting: RowDigests,
    /// Rows in quarantine that this file corrects: load and row.
    pub(crate) mended: BTreeSet<(String, String)>,
    /// The key for fingerprints; keys are not rotated while a load is open.
    pub(crate) marker: Arc<Fingerprinter>,
    pub(crate) opened_at: i64,
}

impl OpenLoad {
    /// Its id, for the operator.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn act(&self) -> Attribution {
        Attribution {
            by: self.incoming.by.clone(),
            effective: start_of(self.incoming.as_of),
            run: None,
        }
    }

    /// Stages rows that could not be read.
    #[boxed]
    pub async fn quarantined(&mut self, rows: Vec<QuarantinedRow>) -> Result<()> {
        let mut cells = Vec::with_capacity(rows.len());
        for row in rows {
            self.known
                .see_unread(&self.marker, row.hints.employee_code.as_deref(), row.hints.national_id);
            let inside = QuarantinedCells {
                hints: row.hints,
                cells: row.cells,
            };
            let [code_fp, number_fp, name_fp] = inside.fingerprints(&self.marker);
            let sealed = inside.seal(&self.store.ctx, &self.id, &row.row)?;
            let plain = serde_json::to_vec(&inside).map_err(|e| StoreError::corrupt("a row", e))?;
            let named = [&self.id, row.row.as_str(), self.incoming.table, row.reason.name()];
            evidence::add_waiting(&mut self.waiting, &self.store.ctx.keys, named, &plain);
            cells.push(vec![
                self.id.as_str().into(),
                row.row.into(),
                self.incoming.table.into(),
                row.reason.name().into(),
                code_fp,
                number_fp,
                sealed.into(),
                name_fp,
            ]);
        }
        self.stage(
            "quarantine (load, row_no, name, reason, code_fp, number_fp, sealed, name_fp)",
            cells,
        )
        .await
    }

    /// Inserts rows of a reference.
    pub(crate) async fn stage(&self, into: &'static str, rows: Vec<Vec<SqlValue>>) -> Result<()> {
        let (id, ctx) = (self.id.clone(), self.store.ctx.clone());
        self.store
            .db
            .transaction(move |tx| {
                let (id, rows, now) = (id.clone(), rows.clone(), ctx.now());
                Box::pin(async move {
                    heartbeat(tx, &id, now).await?;
                    tx.insert(into, rows, "").await
                })
            })
            .await?;
        Ok(())
    }
}

/// Sends a heartbeat; fails if somebody has discarded the load meanwhile.
pub(crate) async fn heartbeat(tx: &mut Tx, load: &str, now: i64) -> Result<()> {
    let ours = tx
        .execute(
            "UPDATE load SET beat = $2 WHERE id = $1 AND state = 'open' AND beat > 0",
            [load.into(), now.into()],
        )
        .await?;
    if ours == 1 {
        Ok(())
    } else {
        Err(Refusal::ImportAtWork.into())
    }
}
