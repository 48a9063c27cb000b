//! Digests of the rows of a load.

use crate::crypto::keyring::Keyring;
use crate::crypto::merkle::sha256;
use crate::environment::hex;

/// The digests of rows of one kind, in any order.
#[derive(Clone, Default)]
pub(crate) struct RowDigests(Vec<[u8; 16]>);

impl RowDigests {
    /// Adds a row with all its contents.
    pub fn add(&mut self, keys: &Keyring, sort: &str, parts: &[&[u8]]) {
        let mut all: Vec<&[u8]> = vec![b"evidence", sort.as_bytes()];
        all.extend(parts);
        let mut digest = [0; 16];
        digest.copy_from_slice(&keys.mac(&all)[..16]);
        self.0.push(digest);
    }

    pub fn merge(&mut self, mut more: Self) {
        self.0.append(&mut more.0);
    }

    /// The number of rows.
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// The digest over all rows, in hexadecimal.
    pub fn digest(mut self) -> String {
        self.0.sort_unstable();
        hex(&sha256(&[self.0.as_flattened()]))
    }
}
