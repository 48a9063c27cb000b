//! What the checks find.

use std::collections::BTreeMap;

/// The checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The MAC of each entry and the commitment of its value.
    Entries,
    /// The entries, digest and MAC of each commit.
    Commits,
    /// The Merkle tree against every checkpoint in the database.
    Tree,
    /// The journal against the file of checkpoints outside the database.
    RollBack,
    /// Every projection against a replay of the journal.
    Projections,
    /// The report's counters against a recount of the accounts.
    Counters,
    /// Each load and each run against its journal entry.
    Loads,
    /// Each working row that grants something against its MAC.
    Grants,
    /// Whether every reference has a target.
    References,
    /// The invariants.
    Invariants,
    /// The database itself: its pages, and its indexes against their tables.
    Integrity,
}

impl Check {
    /// All checks, in the order in which they run.
    pub const ALL: [Self; 11] = [
        Self::Entries,
        Self::Commits,
        Self::Tree,
        Self::RollBack,
        Self::Projections,
        Self::Counters,
        Self::Loads,
        Self::Grants,
        Self::References,
        Self::Invariants,
        Self::Integrity,
    ];
}

/// The result of a verification.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Number of items that each check examined.
    pub looked_at: BTreeMap<Check, u64>,
    /// The faults: check and location. Ids only, never a personal value.
    pub faults: Vec<(Check, String)>,
    /// Imports whose process died. Nothing of them counts, so they are not a fault.
    pub unfinished: Vec<UnfinishedLoad>,
}

/// An import whose process died. The next import deletes what it left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedLoad {
    /// `units`, `registry`, `citizens`, `officials`, `profiles`, `notices`.
    pub table: String,
    /// When it began: microseconds UTC.
    pub at: i64,
}

impl Verified {
    pub(crate) fn saw(&mut self, check: Check, n: u64) {
        *self.looked_at.entry(check).or_default() += n;
    }

    pub(crate) fn fault(&mut self, check: Check, at: impl Into<String>) {
        self.faults.push((check, at.into()));
    }
}
