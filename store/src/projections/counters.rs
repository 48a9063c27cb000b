//! The counters of the report and of held officials. A transaction gathers the deltas and writes them in one order.

use crate::boxed;
use crate::db::{Dialect, SqlValue, Tx};
use crate::error::Result;
use std::collections::BTreeMap;

/// A table of counters.
pub(crate) struct CounterTable {
    pub name: &'static str,
    /// The columns of its key.
    pub columns: &'static str,
    /// A query over the accounts themselves that returns these columns once for each thing counted.
    pub there: &'static str,
}

const ACCOUNTS: CounterTable = CounterTable {
    name: "report_counter",
    columns: "unit, official_to, exempt_to, held_to, claimed, last",
    there: "SELECT unit, official_to, exempt_to, held_to, claimed, last FROM account WHERE kind = 'citizen'",
};

const HOLDS: CounterTable = CounterTable {
    name: "hold_counter",
    columns: "unit, reason, held_to",
    there: "SELECT a.unit, h.reason, MAX(COALESCE(h.last_day, '9999-12-31')) AS held_to FROM hold h \
         JOIN account a ON a.id = h.account WHERE h.until IS NULL GROUP BY h.account, a.unit, h.reason",
};

const DAYS: CounterTable = CounterTable {
    name: "day_counter",
    columns: "unit, what, day, official_to",
    // The same day as `day_number` computes.
    there: "WITH happened AS ( \
           SELECT a.unit, 'claim' AS what, (c.since + 25200000000) / 86400000000 AS day, a.official_to \
             FROM claim c JOIN account a ON a.id = c.account WHERE c.until IS NULL \
           UNION ALL SELECT a.unit, 'refusal', (s.effective + 25200000000) / 86400000000, '' \
             FROM submission s JOIN account a ON a.id = s.account \
             WHERE s.outcome NOT IN ('standardised', 'already-done', 'pending')) \
         SELECT unit, what, day, official_to FROM happened \
         UNION ALL SELECT '', what || '-anywhere', day, official_to FROM happened",
};

const STAFF: CounterTable = CounterTable {
    name: "staff_counter",
    columns: "unit, held_to",
    there: "SELECT unit, held_to FROM account WHERE kind = 'official'",
};

/// All counter tables, in the order in which they are written.
pub(crate) const COUNTERS: [CounterTable; 4] = [ACCOUNTS, HOLDS, DAYS, STAFF];

/// The key of the counters of citizen accounts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CountKey {
    pub unit: String,
    pub official_to: String,
    pub exempt_to: String,
    pub held_to: String,
    pub claimed: i64,
    pub last: String,
}

/// The key of the counters of held accounts of every kind. An account counts once for each reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HoldKey {
    pub unit: String,
    pub reason: String,
    pub held_to: String,
}

/// The key of the counters of claims in force and refused forms. A refusal has no audience.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DayKey {
    pub unit: String,
    /// `claim` or `refusal`; with the suffix `-anywhere` and no unit, the sum over all units.
    pub what: String,
    pub day: i64,
    pub official_to: String,
}

/// The key of the counters of officials' accounts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct StaffKey {
    unit: String,
    held_to: String,
}

/// Each counter is spread over this many rows, so that writers do not wait for one another.
const SLOTS: u8 = 16;

/// Counter deltas that are not written yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct CounterDeltas {
    accounts: BTreeMap<CountKey, i64>,
    holds: BTreeMap<HoldKey, i64>,
    days: BTreeMap<DayKey, i64>,
    staff: BTreeMap<StaffKey, i64>,
    horizon: Option<i64>,
}

impl CounterDeltas {
    /// Adds `n` accounts.
    pub fn add(&mut self, key: CountKey, n: i64) {
        *self.accounts.entry(key).or_default() += n;
    }

    /// Adds `n` accounts that have a hold of this reason.
    pub fn add_hold(&mut self, key: HoldKey, n: i64) {
        *self.holds.entry(key).or_default() += n;
    }

    /// Adds `n` claims or refusals of a day, both to their unit and to the sum over all units.
    pub fn add_day(&mut self, key: DayKey, n: i64) {
        let anywhere = DayKey {
            unit: String::new(),
            what: format!("{}-anywhere", key.what),
            ..key.clone()
        };
        for key in [key, anywhere] {
            *self.days.entry(key).or_default() += n;
        }
    }

    /// Adds `n` officials' accounts of this unit, by the last day of their longest hold; `held_to` is empty if nothing holds them.
    pub fn add_staff(&mut self, unit: &str, held_to: &str, n: i64) {
        let key = StaffKey {
            unit: unit.to_owned(),
            held_to: held_to.to_owned(),
        };
        *self.staff.entry(key).or_default() += n;
    }

    /// Extends the horizon: a change of a citizen's account takes effect at this instant.
    pub fn extend_horizon(&mut self, effective: i64) {
        self.horizon = self.horizon.max(Some(effective));
    }

    /// Adds the deltas of `other`.
    pub fn merge(&mut self, other: CounterDeltas) {
        merge(&mut self.accounts, other.accounts);
        merge(&mut self.holds, other.holds);
        merge(&mut self.days, other.days);
        merge(&mut self.staff, other.staff);
        self.horizon = self.horizon.max(other.horizon);
    }

    /// Writes the deltas, in an order that all writers share. A database with one writer needs one slot only.
    #[boxed]
    pub async fn flush(self, tx: &mut Tx, slot: u8) -> Result<()> {
        let slot = match tx.dialect() {
            Dialect::Sqlite => 0,
            Dialect::Postgres => i64::from(slot % SLOTS),
        };
        let accounts = self.accounts.into_iter().map(|(key, n)| {
            let CountKey {
                unit,
                official_to,
                exempt_to,
                held_to,
                claimed,
                last,
            } = key;
            let text = |text: String| SqlValue::from(text);
            let mut row = [unit, official_to, exempt_to, held_to].map(text).to_vec();
            row.extend([claimed.into(), last.into()]);
            (row, n)
        });
        write(tx, &ACCOUNTS, slot, accounts.collect()).await?;
        let holds = self.holds.into_iter().map(|(key, n)| {
            let row = vec![key.unit.into(), key.reason.into(), key.held_to.into()];
            (row, n)
        });
        write(tx, &HOLDS, slot, holds.collect()).await?;
        let days = self.days.into_iter().map(|(key, n)| {
            let row = vec![key.unit.into(), key.what.into(), key.day.into(), key.official_to.into()];
            (row, n)
        });
        write(tx, &DAYS, slot, days.collect()).await?;
        let staff = self.staff.into_iter().map(|(key, n)| {
            let row = vec![key.unit.into(), key.held_to.into()];
            (row, n)
        });
        write(tx, &STAFF, slot, staff.collect()).await?;
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

fn merge<K: Ord>(into: &mut BTreeMap<K, i64>, from: BTreeMap<K, i64>) {
    for (key, n) in from {
        *into.entry(key).or_default() += n;
    }
}

/// Adds the deltas to the rows of a slot.
async fn write(tx: &mut Tx, table: &CounterTable, slot: i64, moves: Vec<(Vec<SqlValue>, i64)>) -> Result<()> {
    let rows = moves.into_iter().filter(|(_, n)| *n != 0).map(|(mut row, n)| {
        row.extend([slot.into(), n.into()]);
        row
    });
    let CounterTable { name, columns, .. } = table;
    tx.insert(
        &format!("{name} ({columns}, slot, n)"),
        rows.collect(),
        &format!("ON CONFLICT ({columns}, slot) DO UPDATE SET n = {name}.n + excluded.n"),
    )
    .await?;
    Ok(())
}
