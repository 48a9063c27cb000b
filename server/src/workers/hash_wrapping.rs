//! The background job that hashes the hashes of other systems again with ours: a thief of the database gets nothing cheap to guess, and
//! every name costs the same. From an owner's next sign-in on, the password itself is hashed by ours alone.

use crate::app::App;
use crate::net::requests;
use crate::security::password::{CURRENT, Hash, at_rest, note_work, on_hash_pool, wrapped};
use jiff::{SignedDuration, Timestamp};
use ngomon_store::Result;
use std::sync::{Mutex, PoisonError};

/// Accounts examined in one step.
const LOOKED_AT: u32 = 200;
/// Hashes wrapped in one step, which takes a second, while the server is idle.
const WHILE_IDLE: u32 = 10;
/// The server is idle with at most this many requests in a step.
const NOT_MUCH: u64 = 20;
/// While it is busy, one hash in this many steps.
const NOW_AND_THEN: u64 = 10;
/// The pause after a complete pass, before the job looks for new accounts.
const PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// The progress of the job.
#[derive(Default)]
pub struct Wrapping(Mutex<WrappingState>);

#[derive(Clone, Default)]
struct WrappingState {
    account: String,
    rests_until: Option<Timestamp>,
    requests: u64,
    steps: u64,
}

impl Wrapping {
    /// Wraps the next few hashes, if there are any and the processors are idle.
    pub async fn step(&self, app: &App) -> Result<()> {
        let mut at = self.at().clone();
        let asked = requests();
        let idle = asked - at.requests <= NOT_MUCH && at_rest();
        (at.requests, at.steps) = (asked, at.steps + 1);
        let mut left = if idle {
            WHILE_IDLE
        } else {
            u32::from(at.steps.is_multiple_of(NOW_AND_THEN))
        };
        if at.rests_until.is_none_or(|until| until <= app.store.now()) {
            let next = app.store.credentials_after(&at.account, LOOKED_AT).await?;
            at.rests_until = None;
            if next.is_empty() {
                at.account.clear();
                at.rests_until = app.store.now().checked_add(PAUSE).ok();
            }
            for one in next {
                let hash = one.password_hash.clone().unwrap_or_default();
                note_work(Hash::parse(&hash).map_or(0, |hash| hash.work()), 1);
                let salt = app.store.salt();
                let is_old = !hash.is_empty() && needs_wrapping(&hash);
                if is_old && left == 0 {
                    break;
                }
                if is_old {
                    left -= 1;
                    if let Some(Some(hash)) = on_hash_pool(move || wrapped(&hash, &salt)).await {
                        app.store.rehash(&one, &hash).await?;
                    }
                }
                at.account = one.account.0.clone();
            }
        }
        *self.at() = at;
        Ok(())
    }

    fn at(&self) -> std::sync::MutexGuard<'_, WrappingState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn needs_wrapping(hash: &str) -> bool {
    !hash.contains(CURRENT)
}
