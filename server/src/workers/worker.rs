//! A background worker and its last round.

use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A worker counts as late this long after its round was due.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// A job that is repeated.
pub struct Worker {
    /// Its name in the log and at `/health/ready`.
    pub name: &'static str,
    /// The time from one round to the next.
    pub pause: Duration,
    begun: Timestamp,
    /// When a round last succeeded, in microseconds; 0 if none did.
    pub last: AtomicI64,
}

impl Worker {
    /// When a round last succeeded.
    pub fn last_round(&self) -> Option<Timestamp> {
        let last = self.last.load(Ordering::Relaxed);
        (last != 0).then(|| Timestamp::from_microsecond(last).ok()).flatten()
    }

    /// When its next round is due.
    pub fn due(&self) -> Timestamp {
        match self.last_round() {
            Some(last) => last.saturating_add(self.pause).unwrap_or(Timestamp::MAX),
            None => self.begun,
        }
    }

    /// Whether another round should have succeeded by now.
    pub fn is_late(&self, now: Timestamp) -> bool {
        now.duration_since(self.due()) > GRACE
    }
}

/// The workers of this process.
#[derive(Clone, Default)]
pub struct Workers(Arc<Mutex<Vec<Arc<Worker>>>>);

impl Workers {
    /// All workers.
    pub fn all(&self) -> Vec<Arc<Worker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a worker.
    pub fn add(&self, name: &'static str, pause: Duration, now: Timestamp) -> Arc<Worker> {
        let worker = Arc::new(Worker {
            name,
            pause,
            begun: now,
            last: AtomicI64::new(0),
        });
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::clone(&worker));
        worker
    }
}
