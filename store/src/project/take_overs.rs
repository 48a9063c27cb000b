//! Take-overs at a counter: proposed, and decided.

use crate::db::Tx;
use crate::error::Result;
use crate::journal::Entry;
use ngomon_rules::record::AccountId;

pub(super) async fn proposed(
    tx: &mut Tx,
    entry: &Entry,
    account: &AccountId,
    receipt: &str,
    holder: &AccountId,
) -> Result<()> {
    let sql =
        "INSERT INTO take_over (receipt, account, holder, proposed_by, at, state) VALUES ($1,$2,$3,$4,$5,'waiting')";
    let by = entry.by.as_str().into();
    let args = [
        receipt.into(),
        account.as_str().into(),
        holder.as_str().into(),
        by,
        entry.at.into(),
    ];
    tx.execute(sql, args).await.map(drop)
}

pub(super) async fn decided(tx: &mut Tx, receipt: &str, state: &str) -> Result<()> {
    let sql = "UPDATE take_over SET state = $2 WHERE receipt = $1";
    tx.execute(sql, [receipt.into(), state.into()]).await.map(drop)
}
