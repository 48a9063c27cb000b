//! Whether reminders and locks are frozen. Every page shows it, also pages that need no session, so the setting is read once a
//! second at most, not for each page.

use ngomon_store::{Result, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// How long a value is reused, in microseconds.
const SHOWN: i64 = 1_000_000;

/// The freeze setting, cached for pages.
#[derive(Clone, Default)]
pub struct Freeze(Arc<CachedFreeze>);

#[derive(Default)]
struct CachedFreeze {
    /// When it was read, in microseconds UTC.
    at: AtomicI64,
    on: AtomicBool,
}

impl Freeze {
    /// Whether the freeze is on, or was on within the last second.
    pub async fn is_on(&self, store: &Store) -> Result<bool> {
        let (seen, now) = (&*self.0, store.now().as_microsecond());
        // A clock that was set back does not prolong the cached value.
        if (0..SHOWN).contains(&(now - seen.at.load(Ordering::Acquire))) {
            return Ok(seen.on.load(Ordering::Relaxed));
        }
        let on = store.campaign().await?.freeze;
        seen.on.store(on, Ordering::Relaxed);
        seen.at.store(now, Ordering::Release);
        Ok(on)
    }
}
