//! Do reminders and locks rest? Each page says so, also those that strangers ask for: it is asked once a second at most, not for each page.

use ngomon_store::{Result, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// So many microseconds what was seen is shown.
const SHOWN: i64 = 1_000_000;

/// What pages show of the freeze.
#[derive(Clone, Default)]
pub struct Freeze(Arc<Seen>);

#[derive(Default)]
struct Seen {
    /// When it was asked, in microseconds UTC.
    at: AtomicI64,
    on: AtomicBool,
}

impl Freeze {
    /// Is it on, or was it within the last second?
    pub async fn is_on(&self, store: &Store) -> Result<bool> {
        let (seen, now) = (&*self.0, store.now().as_microsecond());
        // A clock that was set back does not keep what was seen.
        if (0..SHOWN).contains(&(now - seen.at.load(Ordering::Acquire))) {
            return Ok(seen.on.load(Ordering::Relaxed));
        }
        let on = store.campaign().await?.freeze;
        seen.on.store(on, Ordering::Relaxed);
        seen.at.store(now, Ordering::Release);
        Ok(on)
    }
}
