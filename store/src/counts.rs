//! The report's counters, and how many officials are held: what is to be added, gathered in a transaction and written in one order.

use crate::db::{Dialect, Tx};
use crate::error::Result;
use std::collections::BTreeMap;

/// What the report counts by, as its table has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CountKey {
    pub unit: String,
    pub official_to: String,
    pub exempt_to: String,
    pub held_to: String,
    pub claimed: i64,
    pub last: String,
}

/// Counters of one key stand in that many rows, so that writers do not queue.
const SLOTS: u8 = 16;

/// Changes of counters that are not written yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    moves: BTreeMap<CountKey, i64>,
    staff: BTreeMap<String, i64>,
    horizon: Option<i64>,
}

impl Counts {
    pub fn add(&mut self, key: CountKey, n: i64) {
        *self.moves.entry(key).or_default() += n;
    }

    /// Officials' accounts by the last day of their longest hold; empty: not held.
    pub fn add_staff(&mut self, held_to: &str, n: i64) {
        *self.staff.entry(held_to.to_owned()).or_default() += n;
    }

    /// Something about a citizen counts from that instant.
    pub fn reaches(&mut self, effective: i64) {
        self.horizon = self.horizon.max(Some(effective));
    }

    /// Takes in what others counted.
    pub fn merge(&mut self, other: Counts) {
        for (key, n) in other.moves {
            self.add(key, n);
        }
        for (held_to, n) in other.staff {
            self.add_staff(&held_to, n);
        }
        self.horizon = self.horizon.max(other.horizon);
    }

    /// Writes them, in an order that all writers share. A database with one writer needs one slot only.
    pub async fn flush(self, tx: &mut Tx, slot: u8) -> Result<()> {
        let slot = match tx.dialect() {
            Dialect::Sqlite => 0,
            Dialect::Postgres => i64::from(slot % SLOTS),
        };
        let rows = self.moves.into_iter().filter(|(_, n)| *n != 0).map(|(key, n)| {
            vec![
                key.unit.into(),
                key.official_to.into(),
                key.exempt_to.into(),
                key.held_to.into(),
                key.claimed.into(),
                key.last.into(),
                slot.into(),
                n.into(),
            ]
        });
        tx.insert(
            "report_counter (unit, official_to, exempt_to, held_to, claimed, last, slot, n)",
            rows.collect(),
            "ON CONFLICT (unit, official_to, exempt_to, held_to, claimed, last, slot) DO UPDATE SET n = report_counter.n + excluded.n",
        )
        .await?;
        let staff: Vec<_> = self.staff.into_iter().filter(|(_, n)| *n != 0).collect();
        if !staff.is_empty() {
            tx.insert(
                "staff_counter (held_to, n)",
                staff
                    .into_iter()
                    .map(|(held_to, n)| vec![held_to.into(), n.into()])
                    .collect(),
                "ON CONFLICT (held_to) DO UPDATE SET n = staff_counter.n + excluded.n",
            )
            .await?;
            // As if the days that nobody is held to any more had never been.
            tx.execute("DELETE FROM staff_counter WHERE n = 0", []).await?;
        }
        if let Some(effective) = self.horizon {
            tx.execute(
                "INSERT INTO horizon (slot, effective) VALUES ($1,$2) ON CONFLICT (slot) DO UPDATE SET effective = excluded.effective \
                 WHERE excluded.effective > horizon.effective",
                [slot.into(), effective.into()],
            )
            .await?;
        }
        Ok(())
    }
}
