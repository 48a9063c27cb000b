//! What is over is taken away, a little at a time, so that nobody waits long for it.

use super::sessions::LONGEST;
use crate::error::Result;
use crate::store::Store;

/// How long notices to clients are kept: microseconds.
const NOTICES: i64 = 30 * 24 * 3_600 * 1_000_000;
/// How long messages to people are kept, sent or not: microseconds.
const MESSAGES: i64 = 30 * 24 * 3_600 * 1_000_000;
/// Rows in one transaction.
const BATCH: u64 = 500;

impl Store {
    /// Takes away sessions, counts of tries, enrolment links, one-time codes, messages, drafts, ceremonies and what clients were given, when it is over. Returns how many rows. Several
    /// servers may do it at once.
    pub async fn sweep(&self) -> Result<u64> {
        // Whoever had part in a session that time has ended is told first.
        self.end_over_sessions().await?;
        let now = self.env.now();
        let mut swept = 0;
        for (table, key, end, before) in [
            // Whoever was not seen for so long has no session any more, and no draft from it.
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
            // Told or given up: kept for a month, to be looked at.
            ("client_notice", "id", "at", now - NOTICES),
            ("message", "id", "at", now - MESSAGES),
        ] {
            // Asked twice: a row that was renewed meanwhile stays.
            let sql = format!(
                "DELETE FROM {table} WHERE {end} < $1 AND ({key}) IN (SELECT {key} FROM {table} WHERE {end} < $1 LIMIT {BATCH})"
            );
            loop {
                let sql = sql.clone();
                let n = self
                    .db
                    .write(move |tx| {
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
