//! What keys work on: places of encrypted values, fingerprints, commitments, and the errors.

use crate::crypto::merkle::sha256;
use std::path::PathBuf;
use std::{io, iter};

/// The newest format of the keyring file and of its export that this program reads, and the one it writes.
pub(crate) const FORMAT: u32 = 2;

/// Why keys could not be read, written or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is missing.
    #[error("there are no keys at {}", path.display())]
    Missing {
        /// The missing file.
        path: PathBuf,
    },
    /// A file exists that must not be overwritten.
    #[error("{} is already there and is never overwritten", path.display())]
    AlreadyThere {
        /// The existing file.
        path: PathBuf,
    },
    /// The file is not a complete keyring.
    #[error("{} cannot be read as keys: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The fault; never quotes the file.
        why: String,
    },
    /// The file was written by a later version of the program.
    #[error("{} has format {format}, this program reads up to {FORMAT}", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// The format that the file declares.
        format: u32,
    },
    /// The passphrase is wrong or the export was damaged: the two cannot be distinguished.
    #[error("the passphrase does not open this file, or the file was damaged")]
    WrongPassphrase,
    /// The data were written with newer keys than these.
    #[error("the keys in {} are older than the data: they were rotated since", dir.display())]
    Behind {
        /// The directory of the keys.
        dir: PathBuf,
    },
    /// The requested change is impossible with these keys.
    #[error("the keys stay as they are: {why}")]
    Refused {
        /// The reason.
        why: &'static str,
    },
    /// The operating system reported an error.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Its error.
        source: io::Error,
    },
}

/// Why an encrypted value could not be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The bytes are not an envelope of a known format.
    #[error("this is not a sealed value")]
    NotSealed,
    /// The keyring lacks the key: it is another keyring, or older than the value.
    #[error("sealed under key {0}, which this keyring does not have")]
    UnknownKey(u8),
    /// The value was altered, comes from another place, or another key has that id.
    #[error("the sealed value was altered or does not belong in this place")]
    Refused,
}

/// The associated data of an encrypted value: where it is stored. It decrypts nowhere else, so that values cannot be swapped.
#[derive(Debug, Clone, Copy)]
pub struct AssociatedData<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The key of the row.
    pub row: &'a [u8],
}

/// The kinds of fingerprint. The same text has a different fingerprint under each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FingerprintKind {
    /// A national identity number.
    NationalId,
    /// A telephone number.
    Phone,
    /// A user name.
    Username,
    /// An employer's own id of an official.
    EmployeeCode,
    /// A name, letter for letter.
    NameExact,
    /// A name without case and diacritics.
    NameFolded,
}

impl FingerprintKind {
    /// Stored fingerprints depend on these words: never change one.
    pub(crate) const fn label(self) -> &'static [u8] {
        match self {
            FingerprintKind::NationalId => b"national-id",
            FingerprintKind::Phone => b"phone",
            FingerprintKind::Username => b"username",
            FingerprintKind::EmployeeCode => b"employee-code",
            FingerprintKind::NameExact => b"name-exact",
            FingerprintKind::NameFolded => b"name-folded",
        }
    }
}

/// A keyed digest that stands for a value in look-ups: 1 byte of key version, then HMAC-SHA256 truncated to 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub(crate) [u8; 17]);

impl Fingerprint {
    /// The 17 bytes to store.
    pub fn as_bytes(&self) -> &[u8; 17] {
        &self.0
    }

    /// A key id of that version that belongs to no key.
    pub(crate) fn of_no_key(version: u8) -> Self {
        let mut bytes = [0; 17];
        bytes[0] = version;
        Fingerprint(bytes)
    }

    /// A fingerprint from stored bytes; `None` if they are not 17.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Fingerprint)
    }

    /// The version of its key.
    pub fn version(&self) -> u8 {
        self.0[0]
    }
}

/// The journal's stand-in for a personal value: SHA-256 over a domain tag, a random salt and the value, each preceded by its length.
/// Without the salt it reveals nothing about the value.
pub fn commitment(salt: &[u8; 16], value: &[u8]) -> [u8; 32] {
    sha256(&[&framed(b"ngomon commitment 1", &[salt, value])])
}

/// An unambiguous encoding of the parts: each after its length (8 bytes, big-endian).
pub(crate) fn framed(first: &[u8], rest: &[&[u8]]) -> Vec<u8> {
    let parts = || iter::once(first).chain(rest.iter().copied());
    let mut bytes = Vec::with_capacity(parts().map(|part| part.len() + 8).sum());
    for part in parts() {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
