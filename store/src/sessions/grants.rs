//! The grants of clients on sessions, which end or move with them.

use crate::context::StoreContext;
use crate::db::bound::{GRANT, GRANT_SESSION};
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::notifications::client_outbox::enqueue_logout;
use std::collections::BTreeSet;

/// The (client, account, session id) triples that must be notified when these grants end.
pub(crate) async fn grants_of_sessions(
    tx: &mut Tx,
    which: &str,
    args: impl IntoIterator<Item = SqlValue>,
) -> Result<BTreeSet<[String; 3]>> {
    let sql = format!("SELECT client, account, sid FROM client_grant WHERE {which}");
    let rows = tx.rows(&sql, args).await?;
    rows.iter()
        .map(|row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
        .collect()
}

/// Revokes the selected grants of an account, whose row must be locked, and notifies their clients.
pub(crate) async fn revoke_grants(tx: &mut Tx, ctx: &StoreContext, which: &str, args: &[SqlValue]) -> Result<()> {
    let had = grants_of_sessions(tx, which, args.to_vec()).await?;
    if !had.is_empty() {
        let sql = format!("DELETE FROM client_grant WHERE {which}");
        tx.execute(&sql, args.to_vec()).await?;
    }
    enqueue_logout(tx, ctx, had).await
}

/// Moves the grants of a session to its successor after the owner authenticated again.
pub(crate) async fn transfer_grants(tx: &mut Tx, ctx: &StoreContext, from: [u8; 32], to: [u8; 32]) -> Result<()> {
    let sql = format!("SELECT {} FROM client_grant WHERE session = $1", GRANT.columns(""));
    for row in tx.rows_for_update(&sql, [from.into()]).await? {
        if GRANT.is_genuine(&ctx.keys, &row, 0)? {
            let mut cells = GRANT.cells(&row, 0)?;
            cells[GRANT_SESSION] = to.into();
            let mac = GRANT.mac(&ctx.keys, &cells);
            let sql = "UPDATE client_grant SET session = $2, mac = $3 WHERE id = $1";
            tx.execute(sql, [row.get::<String>(0)?.into(), to.into(), mac]).await?;
        }
    }
    Ok(())
}
