//! Which accounts connected systems currently believe to be held. Most holds start and end with a journal entry, and the events are queued
//! in that commit. Others depend on the date or on the campaign and have no entry: `not-standardised`, the last day of an order, a freeze.
//! So a scan over the accounts that a client knows or that have a session runs when the date or the campaign has changed. A mark for each
//! account limits it to one event per change.
//!
//! ```text
//!   open ── a hold, the day after the deadline, a freeze that ends ──▶ held: sessions and grants end, clients are notified
//!     ◀── the last hold is lifted, a claim, the day after an order's last, a freeze ── clients are notified
//! ```

use crate::accounts::explain::held_of;
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::journal::entry::StoreContext;
use crate::openid::notices::enqueue_held_events;
use crate::settings::campaign;
use crate::store::Store;
use crate::tables::accounts::for_each_in;
use ngomon_rules::values::local_day;
use std::collections::BTreeSet;

/// Accounts in one transaction of the scan.
const BATCH: u32 = 400;

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
        env: &StoreContext,
        accounts: &BTreeSet<String>,
    ) -> Result<Self> {
        let today = local_day(env.ambient.now());
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
    pub(crate) async fn record(&self, tx: &mut Tx, env: &StoreContext, known: &BTreeSet<String>) -> Result<()> {
        let args = |accounts: &BTreeSet<String>| accounts.iter().map(Into::into).collect::<Vec<SqlValue>>();
        let sql =
            format!("UPDATE session SET generation = {ENDED} WHERE held = 0 AND account IN ({{}}) RETURNING account");
        for_each_in(tx, &sql, &args(&self.begun), |_| Ok(())).await?;
        let now = env.now();
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

impl Store {
    /// Scans for accounts whose held state changed with the date or the campaign: ends the sessions and grants of the held ones and queues
    /// events for clients. Returns the number of accounts. It is a single query while neither the date nor the campaign has changed.
    pub async fn propagate_time_based_holds(&self) -> Result<u64> {
        let today = self.today();
        let looked = self
            .db
            .read(async |tx| {
                let row = tx.row("SELECT as_of FROM held_look", []).await?;
                let before: Option<String> = row.map(|row| row.get(0)).transpose()?;
                let as_of = format!("{today} {:?}", campaign(tx).await?);
                Ok((before.as_ref() != Some(&as_of)).then_some(as_of))
            })
            .await?;
        let Some(as_of) = looked else { return Ok(0) };
        let mut told = 0;
        for some in [
            "SELECT DISTINCT account FROM client_subject WHERE account > $1 ORDER BY account LIMIT $2",
            "SELECT s.account FROM session s JOIN account_row a ON a.id = s.account AND a.generation = s.generation \
             WHERE s.held = 0 AND s.account > $1 ORDER BY s.account LIMIT $2",
        ] {
            told += self.scan_accounts(some).await?;
        }
        self.db
            .transaction(move |tx| {
                let as_of = as_of.clone();
                Box::pin(async move {
                    let sql = "INSERT INTO held_look (id, as_of) VALUES (1,$1) ON CONFLICT (id) DO UPDATE SET as_of = excluded.as_of";
                    tx.execute(sql, [as_of.into()]).await
                })
            })
            .await?;
        Ok(told)
    }

    /// Scans the accounts in batches, and queues events for each whose held state changed.
    async fn scan_accounts(&self, some: &'static str) -> Result<u64> {
        let (mut last, mut told) = (String::new(), 0);
        loop {
            let (page, turns) = self
                .db
                .read_long(async |tx| {
                    let mut page = BTreeSet::new();
                    for row in tx.rows(some, [(&last).into(), BATCH.into()]).await? {
                        page.insert(row.get::<String>(0)?);
                    }
                    let turn = HeldStateChanges::since_last_report(tx, &self.env, &page).await?;
                    Ok((page, turn.len() > 0))
                })
                .await?;
            let Some(end) = page.last() else { return Ok(told) };
            last.clone_from(end);
            if turns {
                let env = self.env.clone();
                told += self
                    .db
                    .transaction(move |tx| {
                        let (env, page) = (env.clone(), page.clone());
                        Box::pin(async move {
                            // Computed again under the locks of the accounts.
                            for account in &page {
                                let sql = "SELECT id FROM account_row WHERE id = $1";
                                tx.rows_for_update(sql, [account.into()]).await?;
                            }
                            let turn = HeldStateChanges::since_last_report(tx, &env, &page).await?;
                            let told = turn.len();
                            enqueue_held_events(tx, &env, &BTreeSet::new(), turn).await?;
                            Ok(told)
                        })
                    })
                    .await?;
            }
        }
    }
}
