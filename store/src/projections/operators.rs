//! The projection of operators: named, enrolled with an account of their own, removed with everything that belongs to it.

use crate::context::StoreContext;
use crate::db::Tx;
use crate::db::bound::OPERATOR;
use crate::error::Result;
use crate::journal::entry::Entry;
use crate::projections::counter_updates::{count_holds, hold_reasons};
use crate::projections::counters::CounterDeltas;
use crate::projections::new_account;
use crate::projections::shared::unexpected;
use ngomon_rules::records::{AccountId, AccountKind};

pub(crate) async fn added(tx: &mut Tx, name: &str) -> Result<()> {
    let sql = "INSERT INTO operator (name) VALUES ($1)";
    tx.execute(sql, [name.into()]).await.map(drop)
}

pub(crate) async fn enrolled(
    tx: &mut Tx,
    ctx: &StoreContext,
    entry: &Entry,
    id: &AccountId,
    login: &str,
) -> Result<()> {
    let name = id.operator().ok_or_else(|| unexpected(entry))?;
    let cells = [name.into(), entry.value.clone().into(), entry.commitment.clone().into()];
    let mac = entry.bind(&ctx.keys, OPERATOR, &cells);
    let sql = "UPDATE operator SET value = $2, mac = $3 WHERE name = $1";
    tx.execute(sql, [name.into(), entry.value.clone().into(), mac]).await?;
    new_account(tx, ctx, entry, id.as_str(), AccountKind::Operator, "", login).await
}

pub(crate) async fn recovery_used(tx: &mut Tx, entry: &Entry, id: &AccountId, code: u8) -> Result<()> {
    let name = id.operator().ok_or_else(|| unexpected(entry))?;
    // If an attacker deleted a row, the code may have been used twice. Other checks report that; the journal must stay readable.
    let sql = "INSERT INTO recovery_used (operator, code) VALUES ($1,$2) ON CONFLICT DO NOTHING";
    tx.execute(sql, [name.into(), i64::from(code).into()]).await.map(drop)
}

pub(crate) async fn removed(tx: &mut Tx, name: &str, counts: &mut CounterDeltas) -> Result<()> {
    let account = AccountId::of_operator(name);
    count_holds(counts, "", hold_reasons(tx, account.as_str()).await?, -1);
    for sql in [
        "DELETE FROM passkey WHERE login IN (SELECT login FROM account_row WHERE id = $1)",
        "DELETE FROM login WHERE id IN (SELECT login FROM account_row WHERE id = $1)",
        "DELETE FROM account_row WHERE id = $1",
        "DELETE FROM hold WHERE account = $1",
    ] {
        tx.execute(sql, [account.as_str().into()]).await?;
    }
    for sql in [
        "DELETE FROM recovery_used WHERE operator = $1",
        "DELETE FROM operator WHERE name = $1",
    ] {
        tx.execute(sql, [name.into()]).await?;
    }
    Ok(())
}
