//! Which accounts were last reported as held.

use crate::context::StoreContext;
use crate::db::columns::for_each_in;
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::tables::holds::held_of;
use ngomon_rules::values::local_day;
use std::collections::BTreeSet;

/// The generation of a session that a hold without an entry ended. No account has it, so the session stays ended when the hold is over.
pub(crate) const ENDED: i64 = -1;

/// Those of the accounts that were last reported as held.
pub(crate) async fn accounts_reported_held(tx: &mut Tx, accounts: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let (mut told, wanted): (_, Vec<SqlValue>) = (BTreeSet::new(), accounts.iter().map(Into::into).collect());
    let sql = "SELECT account FROM told_held WHERE account IN ({})";
    for_each_in(tx, sql, &wanted, |row| {
        told.insert(row.get::<String>(0)?);
        Ok(())
    })
    .await?;
    Ok(told)
}

/// Accounts whose held state differs from what was last reported to clients.
pub(crate) struct HeldStateChanges {
    /// Held now, but not reported as held.
    pub begun: BTreeSet<String>,
    /// Reported as held, but not held now.
    pub over: BTreeSet<String>,
}

impl HeldStateChanges {
    pub(crate) async fn since_last_report(
        tx: &mut Tx,
        ctx: &StoreContext,
        accounts: &BTreeSet<String>,
    ) -> Result<Self> {
        let today = local_day(ctx.environment.now());
        let (held, told) = (
            held_of(tx, accounts, today).await?,
            accounts_reported_held(tx, accounts).await?,
        );
        Ok(Self {
            begun: held.difference(&told).cloned().collect(),
            over: told.difference(&held).cloned().collect(),
        })
    }

    /// Number of accounts.
    pub(crate) fn len(&self) -> u64 {
        (self.begun.len() + self.over.len()) as u64
    }

    /// Ends the sessions of newly held accounts for good, and records the reported state of the accounts that a client knows.
    pub(crate) async fn record(&self, tx: &mut Tx, ctx: &StoreContext, known: &BTreeSet<String>) -> Result<()> {
        let args = |accounts: &BTreeSet<String>| accounts.iter().map(Into::into).collect::<Vec<SqlValue>>();
        let sql =
            format!("UPDATE session SET generation = {ENDED} WHERE held = 0 AND account IN ({{}}) RETURNING account");
        for_each_in(tx, &sql, &args(&self.begun), |_| Ok(())).await?;
        let now = ctx.now();
        let rows = self
            .begun
            .intersection(known)
            .map(|account| vec![account.into(), now.into()]);
        tx.insert(
            "told_held (account, at)",
            rows.collect(),
            "ON CONFLICT (account) DO NOTHING",
        )
        .await?;
        let sql = "DELETE FROM told_held WHERE account IN ({}) RETURNING account";
        for_each_in(tx, sql, &args(&self.over), |_| Ok(())).await
    }
}
