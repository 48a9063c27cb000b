//! The counter updates that follow from a change of an account: part of [`project`](crate::projections::project), with the same rules.

use crate::db::Tx;
use crate::db::columns::day_number;
use crate::error::{Result, StoreError};
use crate::projections::counters::{CountKey, CounterDeltas, DayKey, HoldKey};
use ngomon_rules::records::AccountKind;
use std::collections::BTreeMap;

/// The reasons that hold an account, each with the last day of the longest of its holds in force.
pub(crate) async fn hold_reasons(tx: &mut Tx, account: &str) -> Result<BTreeMap<String, String>> {
    let rows = tx
        .rows(
            "SELECT reason, MAX(COALESCE(last_day, '9999-12-31')) FROM hold WHERE account = $1 AND until IS NULL GROUP BY reason",
            [account.into()],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Updates the counters of an account whose holds were `before`.
pub(crate) async fn holds_changed(
    tx: &mut Tx,
    id: &str,
    before: BTreeMap<String, String>,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let after = hold_reasons(tx, id).await?;
    let to = after.values().max().cloned().unwrap_or_default();
    let unit = recount(tx, id, counts, |key| key.held_to = to).await?.unit;
    count_holds(counts, &unit, before, -1);
    count_holds(counts, &unit, after, 1);
    Ok(())
}

/// Adds `n` accounts (or subtracts, if negative) to the counters of these reasons.
pub(crate) fn count_holds(counts: &mut CounterDeltas, unit: &str, held: BTreeMap<String, String>, n: i64) {
    for (reason, held_to) in held {
        let unit = unit.to_owned();
        counts.add_hold(HoldKey { unit, reason, held_to }, n);
    }
}

/// The counter of claims made on this day.
pub(crate) fn claim_on(day: i64, account: CountKey) -> DayKey {
    DayKey {
        unit: account.unit,
        what: "claim".to_owned(),
        day,
        official_to: account.official_to,
    }
}

/// The counter of forms refused on this day.
pub(crate) fn refusal_on(day: i64, account: CountKey) -> DayKey {
    DayKey {
        unit: account.unit,
        what: "refusal".to_owned(),
        day,
        official_to: String::new(),
    }
}

/// The day on which the account's claim in force was made.
pub(crate) async fn day_of_claim(tx: &mut Tx, id: &str) -> Result<i64> {
    let sql = "SELECT since FROM claim WHERE account = $1 AND until IS NULL";
    let row = tx.row(sql, [id.into()]).await?;
    let row = row.ok_or_else(|| StoreError::corrupt(format!("account {id}"), "it has no claim"))?;
    row.get(0).map(day_number)
}

/// Moves an account from one counter to another; returns the new one.
pub(crate) async fn recount(
    tx: &mut Tx,
    id: &str,
    counts: &mut CounterDeltas,
    change: impl FnOnce(&mut CountKey),
) -> Result<CountKey> {
    let found = tx
        .row(
            "SELECT unit, official_to, exempt_to, held_to, claimed, last, kind FROM account_row WHERE id = $1",
            [id.into()],
        )
        .await?;
    let row = found
        .ok_or_else(|| StoreError::corrupt(format!("account {id}"), "the journal changes it, and it is not there"))?;
    let before = CountKey {
        unit: row.get(0)?,
        official_to: row.get(1)?,
        exempt_to: row.get(2)?,
        held_to: row.get(3)?,
        claimed: row.get(4)?,
        last: row.get(5)?,
    };
    let mut after = before.clone();
    change(&mut after);
    if after == before {
        return Ok(after);
    }
    tx.execute(
        "UPDATE account_row SET official_to = $2, exempt_to = $3, held_to = $4, claimed = $5, last = $6 WHERE id = $1",
        [
            id.into(),
            (&after.official_to).into(),
            (&after.exempt_to).into(),
            (&after.held_to).into(),
            after.claimed.into(),
            (&after.last).into(),
        ],
    )
    .await?;
    let kind: String = row.get(6)?;
    if kind == AccountKind::Official.name() {
        counts.add_staff(&before.unit, &before.held_to, -1);
        counts.add_staff(&after.unit, &after.held_to, 1);
    }
    if kind == AccountKind::Citizen.name() {
        if after.claimed == 1 && before.claimed == 1 && after.official_to != before.official_to {
            let day = day_of_claim(tx, id).await?;
            counts.add_day(claim_on(day, before.clone()), -1);
            counts.add_day(claim_on(day, after.clone()), 1);
        }
        counts.add(before, -1);
        counts.add(after.clone(), 1);
    }
    Ok(after)
}
