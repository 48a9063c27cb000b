//! Which accounts connected systems currently believe to be held. Most holds start and end with a journal entry, and the events are queued
//! in that commit. Others depend on the date or on the campaign and have no entry: `not-standardised`, the last day of an order, a freeze.
//! So a scan over the accounts that a client knows or that have a session runs when the date or the campaign has changed. A mark for each
//! account limits it to one event per change.
//!
//! ```text
//!   open ── a hold, the day after the deadline, a freeze that ends ──▶ held: sessions and grants end, clients are notified
//!     ◀── the last hold is lifted, a claim, the day after an order's last, a freeze ── clients are notified
//! ```

use crate::boxed;
use crate::error::Result;
use crate::notifications::client_outbox::enqueue_held_events;
use crate::notifications::held_state::HeldStateChanges;
use crate::store::Store;
use crate::tables::settings::campaign;
use std::collections::BTreeSet;

/// Accounts in one transaction of the scan.
const BATCH: u32 = 400;

impl Store {
    /// Scans for accounts whose held state changed with the date or the campaign: ends the sessions and grants of the held ones and queues
    /// events for clients. Returns the number of accounts. It is a single query while neither the date nor the campaign has changed.
    #[boxed]
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
                    let turn = HeldStateChanges::since_last_report(tx, &self.ctx, &page).await?;
                    Ok((page, turn.len() > 0))
                })
                .await?;
            let Some(end) = page.last() else { return Ok(told) };
            last.clone_from(end);
            if turns {
                let ctx = self.ctx.clone();
                told += self
                    .db
                    .transaction(move |tx| {
                        let (ctx, page) = (ctx.clone(), page.clone());
                        Box::pin(async move {
                            // Computed again under the locks of the accounts.
                            for account in &page {
                                let sql = "SELECT id FROM account_row WHERE id = $1";
                                tx.rows_for_update(sql, [account.into()]).await?;
                            }
                            let turn = HeldStateChanges::since_last_report(tx, &ctx, &page).await?;
                            let told = turn.len();
                            enqueue_held_events(tx, &ctx, &BTreeSet::new(), turn).await?;
                            Ok(told)
                        })
                    })
                    .await?;
            }
        }
    }
}
