//! The projection of take-overs at a counter: proposed, and decided.

use crate::context::StoreContext;
use crate::crypto::keyring::Keyring;
use crate::db::bound::{TAKE_OVER, binds};
use crate::db::{Row, SqlValue, Tx};
use crate::error::Result;
use crate::journal::entry::Entry;
use ngomon_rules::records::AccountId;

/// The columns that the MAC of a proposal covers, in its order.
pub(crate) const TAKE_OVER_CELLS: &str = "t.receipt, t.account, t.holder, t.proposed_by, t.at, t.state, t.value, t.mac";

/// Verifies the MAC of the row whose [`TAKE_OVER_CELLS`] begin at `at`.
pub(crate) fn is_take_over(keys: &Keyring, row: &Row, at: usize) -> Result<bool> {
    Ok(binds(
        keys,
        TAKE_OVER,
        &cells(row, at)?,
        Some(&row.get::<Vec<u8>>(at + 7)?),
    ))
}

fn cells(row: &Row, at: usize) -> Result<[SqlValue; 7]> {
    let [receipt, account, holder, by]: [String; 4] =
        [row.get(at)?, row.get(at + 1)?, row.get(at + 2)?, row.get(at + 3)?];
    let (since, state): (i64, String) = (row.get(at + 4)?, row.get(at + 5)?);
    let value: Option<String> = row.get(at + 6)?;
    Ok([
        receipt.into(),
        account.into(),
        holder.into(),
        by.into(),
        since.into(),
        state.into(),
        value.into(),
    ])
}

pub(crate) async fn proposed(
    tx: &mut Tx,
    ctx: &StoreContext,
    entry: &Entry,
    account: &AccountId,
    receipt: &str,
    holder: &AccountId,
) -> Result<()> {
    let mut row: Vec<SqlValue> = vec![
        receipt.into(),
        account.as_str().into(),
        holder.as_str().into(),
        entry.by.as_str().into(),
        entry.at.into(),
        "waiting".into(),
        entry.value.clone().into(),
    ];
    row.push(entry.bind(&ctx.keys, TAKE_OVER, &row));
    let into = "take_over (receipt, account, holder, proposed_by, at, state, value, mac)";
    tx.insert(into, vec![row], "").await.map(drop)
}

pub(crate) async fn decided(tx: &mut Tx, ctx: &StoreContext, entry: &Entry, receipt: &str, state: &str) -> Result<()> {
    let sql = format!("SELECT {TAKE_OVER_CELLS} FROM take_over t WHERE t.receipt = $1");
    let Some(row) = tx.row(&sql, [receipt.into()]).await? else {
        return Ok(());
    };
    let mac = if is_take_over(&ctx.keys, &row, 0)? {
        let mut cells = cells(&row, 0)?;
        cells[5] = state.into();
        entry.bind(&ctx.keys, TAKE_OVER, &cells)
    } else {
        Vec::new().into()
    };
    let sql = "UPDATE take_over SET state = $2, mac = $3 WHERE receipt = $1";
    tx.execute(sql, [receipt.into(), state.into(), mac]).await.map(drop)
}
