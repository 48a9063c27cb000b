//! Deletes expired rows in small batches, so that no transaction waits long.

use crate::boxed;
use crate::error::Result;
use crate::sessions::rows::LONGEST;
use crate::store::Store;

/// Retention of events for clients: 30 days in microseconds.
const NOTICES: i64 = 30 * 24 * 3_600 * 1_000_000;
/// Retention of messages to people, sent or not: 30 days in microseconds.
const MESSAGES: i64 = 30 * 24 * 3_600 * 1_000_000;
/// Rows in one transaction.
const BATCH: u64 = 500;

impl Store {
    /// Deletes expired sessions, rate-limit counters, enrolment links, one-time codes, messages, drafts, ceremonies, and tokens, grants and
    /// events of clients. Returns the number of rows. Several servers may do it at once.
    #[boxed]
    pub async fn sweep(&self) -> Result<u64> {
        // Clients with a grant in a session that timed out are notified first.
        self.end_over_sessions().await?;
        let now = self.ctx.now();
        let mut swept = 0;
        for (table, key, end, before) in [
            // An idle session is over long before, and so is a draft from it.
            ("session", "id", "seen", now - LONGEST),
            ("attempt", "bucket, span", "good_until", now),
            ("enrolment", "secret", "good_until", now),
            ("one_time_code", "holder, purpose, subject", "good_until", now),
            ("live_code", "id", "good_until", now),
            ("draft", "account", "good_until", now),
            ("ceremony", "id", "good_until", now),
            ("issued", "id", "good_until", now),
            ("client_grant", "id", "good_until", now),
            ("pushed_request", "id", "good_until", now),
            // Delivered or given up: kept for a month, for operators to see.
            ("client_notice", "id", "at", now - NOTICES),
            ("message", "id", "at", now - MESSAGES),
        ] {
            // The condition is repeated: a row that was renewed meanwhile stays.
            let sql = format!(
                "DELETE FROM {table} WHERE {end} < $1 AND ({key}) IN (SELECT {key} FROM {table} WHERE {end} < $1 LIMIT {BATCH})"
            );
            loop {
                let sql = sql.clone();
                let n = self
                    .db
                    .transaction(move |tx| {
                        let sql = sql.clone();
                        Box::pin(async move { tx.execute(&sql, [before.into()]).await })
                    })
                    .await?;
                swept += n;
                if n < BATCH {
                    break;
                }
            }
        }
        Ok(swept)
    }
}
