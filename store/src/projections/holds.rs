//! Holds.

use crate::db::Tx;
use crate::error::{Result, StoreError};
use crate::journal::entry::Entry;
use crate::projections::counter_updates::{hold_reasons, holds_changed};
use crate::projections::counters::CounterDeltas;
use ngomon_rules::hold::{Hold, Reason};

pub(crate) async fn hold_lifted(
    tx: &mut Tx,
    entry: &Entry,
    id: &str,
    reason: Reason,
    cause: &str,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let before = hold_reasons(tx, id).await?;
    tx.execute(
        "UPDATE hold SET until = $4 WHERE account = $1 AND reason = $2 AND cause = $3 AND until IS NULL",
        [id.into(), reason.name().into(), cause.into(), entry.effective.into()],
    )
    .await?;
    counts.extend_horizon(entry.effective);
    holds_changed(tx, id, before, counts).await
}

pub(crate) async fn hold_placed(
    tx: &mut Tx,
    entry: &Entry,
    id: &str,
    hold: &Hold,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let before = hold_reasons(tx, id).await?;
    tx.execute(
        "UPDATE account_row SET generation = generation + 1 WHERE id = $1",
        [id.into()],
    )
    .await?;
    let body = serde_json::to_string(hold).map_err(|e| StoreError::corrupt("a hold", e))?;
    tx.execute(
        "INSERT INTO hold (account, reason, cause, body, last_day, since, until, run, generation) \
         SELECT id, $2, $3, $4, $5, $6, NULL, $7, generation FROM account_row WHERE id = $1",
        [
            id.into(),
            hold.reason.name().into(),
            (&hold.cause.0).into(),
            body.into(),
            hold.last_day.map(|d| d.to_string()).into(),
            entry.effective.into(),
            entry.run.clone().into(),
        ],
    )
    .await?;
    counts.extend_horizon(entry.effective);
    holds_changed(tx, id, before, counts).await
}
