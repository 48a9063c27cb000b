//! The projection of acts that need two operators: proposed, and decided.

use crate::context::StoreContext;
use crate::crypto::keyring::Keyring;
use crate::db::bound::{PROPOSED_ACT, binds};
use crate::db::{Row, SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::journal::entry::Entry;
use crate::projections::shared::unexpected;
use ngomon_rules::event::{Change, ProposedAct};

/// The columns that the MAC of a proposal covers, in its order.
pub(crate) const PROPOSED_ACT_CELLS: &str = "p.receipt, p.body, p.value, p.proposed_by, p.at, p.state, p.mac";

/// Verifies the MAC of the row whose [`PROPOSED_ACT_CELLS`] begin at `at`.
pub(crate) fn is_proposed_act(keys: &Keyring, row: &Row, at: usize) -> Result<bool> {
    Ok(binds(
        keys,
        PROPOSED_ACT,
        &cells(row, at)?,
        Some(&row.get::<Vec<u8>>(at + 6)?),
    ))
}

fn cells(row: &Row, at: usize) -> Result<[SqlValue; 6]> {
    let [receipt, body, value, by]: [String; 4] = [row.get(at)?, row.get(at + 1)?, row.get(at + 2)?, row.get(at + 3)?];
    let (since, state): (i64, String) = (row.get(at + 4)?, row.get(at + 5)?);
    Ok([
        receipt.into(),
        body.into(),
        value.into(),
        by.into(),
        since.into(),
        state.into(),
    ])
}

async fn proposed(tx: &mut Tx, ctx: &StoreContext, entry: &Entry, receipt: &str, act: &ProposedAct) -> Result<()> {
    let value = entry.value.clone().ok_or_else(|| unexpected(entry))?;
    let body = serde_json::to_string(act).map_err(|e| StoreError::corrupt("a proposal", e))?;
    let mut row: Vec<SqlValue> = vec![
        receipt.into(),
        body.into(),
        value.into(),
        entry.by.as_str().into(),
        entry.at.into(),
        "waiting".into(),
    ];
    row.push(entry.bind(&ctx.keys, PROPOSED_ACT, &row));
    let into = "proposed_act (receipt, body, value, proposed_by, at, state, mac)";
    tx.insert(into, vec![row], "").await.map(drop)
}

/// Projects an entry about a proposal, whatever its subject. `false` if the entry is about something else.
pub(crate) async fn changed(tx: &mut Tx, ctx: &StoreContext, entry: &Entry) -> Result<bool> {
    let (receipt, state) = match &entry.event.change {
        Change::ActProposed { receipt, act } => {
            proposed(tx, ctx, entry, receipt, act).await?;
            return Ok(true);
        }
        Change::ActApproved { receipt, .. } => (receipt, "approved"),
        Change::ActDeclined { receipt } => (receipt, "declined"),
        _ => return Ok(false),
    };
    let sql = format!("SELECT {PROPOSED_ACT_CELLS} FROM proposed_act p WHERE p.receipt = $1");
    let Some(row) = tx.row(&sql, [receipt.into()]).await? else {
        return Ok(true);
    };
    let mac = if is_proposed_act(&ctx.keys, &row, 0)? {
        let mut cells = cells(&row, 0)?;
        cells[5] = state.into();
        entry.bind(&ctx.keys, PROPOSED_ACT, &cells)
    } else {
        Vec::new().into()
    };
    let sql = "UPDATE proposed_act SET state = $2, mac = $3 WHERE receipt = $1";
    tx.execute(sql, [receipt.into(), state.into(), mac]).await?;
    Ok(true)
}
