//! The work of the hashes that are stored in this installation.

use std::sync::atomic::{AtomicU64, Ordering};

/// The estimated cost of our own hash, in microseconds.
pub const OURS: u64 = 38_912;

/// The most expensive hash of another system seen in this installation, in microseconds of work.
pub static DEAREST: AtomicU64 = AtomicU64::new(0);

/// Records the work of a stored hash, and how often one password is hashed for it. Our own hash is computed each time, too.
pub fn note_work(micros: u64, tries: usize) {
    let tries = u64::try_from(tries).unwrap_or(1).max(1);
    DEAREST.fetch_max(micros * tries + OURS * (tries - 1), Ordering::Relaxed);
}
