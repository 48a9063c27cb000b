//! Commits: what their MAC covers, and which of them count.

use crate::crypto::keyring::{Age, Keyring};
use crate::crypto::merkle::{Hash, sha256};
use crate::db::Row;
use crate::error::Result;

/// The columns of [`head_of`].
pub(crate) const HEAD: &str = "c.id, c.at, c.entries, c.digest, c.mac, c.load";

/// The condition that a load `l` is applied according to the journal.
pub(crate) const APPLIED: &str =
    "EXISTS (SELECT 1 FROM journal j WHERE j.subject_kind = 'load' AND j.subject = l.id AND j.kind = 'load-applied')";

/// The commits `c` of `journal_commit` that count: sealed ones, and those not staged for a load that is still open.
pub(crate) const COUNTS: &str =
    "(c.position IS NOT NULL OR NOT EXISTS (SELECT 1 FROM load l WHERE l.id = c.load AND l.state = 'open'))";

/// What a commit's MAC covers. Its leaf in the tree consists of all fields except the load.
pub(crate) struct CommitHead {
    pub id: String,
    pub at: i64,
    pub entries: i64,
    pub digest: Vec<u8>,
    /// The load that must be applied before it counts. A sealed commit counts in any case.
    pub load: Option<String>,
}

impl CommitHead {
    pub(crate) fn mac(&self, keys: &Keyring, age: Age) -> [u8; 32] {
        self.parts(|parts| keys.journal_mac(age, parts))
    }

    /// Whether this is the commit's MAC under any keys that this installation ever had.
    pub fn is_ours(&self, keys: &Keyring, mac: &[u8]) -> bool {
        keys.ages_from(Age::default())
            .any(|age| self.is_genuine(keys, age, mac))
    }

    /// Whether this is the commit's MAC under the keys of that age. MACs of the first version did not cover the load.
    fn is_genuine(&self, keys: &Keyring, age: Age, mac: &[u8]) -> bool {
        self.parts(|parts| keys.is_journal_mac(age, parts, mac))
            || (age == Age::default() && keys.is_journal_mac(age, &[b"commit", &self.leaf()], mac))
    }

    fn parts<T>(&self, take: impl FnOnce(&[&[u8]]) -> T) -> T {
        // An absent load differs from an empty one.
        let mark = [u8::from(self.load.is_some())];
        let load = self.load.as_deref().unwrap_or_default();
        take(&[b"commit 2", &self.leaf(), &mark, load.as_bytes()])
    }

    /// The bytes of its leaf.
    pub fn leaf(&self) -> Vec<u8> {
        let mut leaf = self.id.clone().into_bytes();
        leaf.extend(self.at.to_be_bytes());
        leaf.extend(self.entries.to_be_bytes());
        leaf.extend(&self.digest);
        leaf
    }
}

/// A walk over the commits of the journal in their order, with the keys that may sign each. Once a newer key has signed, an older one is
/// no longer valid. Each rotation ends with an entry under the new key, sealed in the same transaction.
#[derive(Default)]
pub(crate) struct Walk(Age);

impl Walk {
    /// The keys under which the next commit is valid; `None` if there are none.
    pub fn age_of(&mut self, keys: &Keyring, head: &CommitHead, mac: &[u8]) -> Option<Age> {
        let age = keys.ages_from(self.0).find(|age| head.is_genuine(keys, *age, mac))?;
        self.0 = age;
        Some(age)
    }

    /// The keys under which the last commit is valid.
    pub fn age(&self) -> Age {
        self.0
    }
}

/// SHA-256 over the MACs of a commit's entries, in their order.
pub(crate) fn digest_of(macs: &[impl AsRef<[u8]>]) -> Hash {
    let parts: Vec<&[u8]> = macs.iter().map(AsRef::as_ref).collect();
    sha256(&parts)
}

/// A commit from the columns of [`HEAD`], and its MAC.
pub(crate) fn head_of(row: &Row) -> Result<(CommitHead, Vec<u8>)> {
    let head = CommitHead {
        id: row.get(0)?,
        at: row.get(1)?,
        entries: row.get(2)?,
        digest: row.get(3)?,
        load: row.get(5)?,
    };
    Ok((head, row.get(4)?))
}
