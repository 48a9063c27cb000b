//! A checkpoint as a signed note.

use crate::crypto::keyring::{Age, Keyring};
use crate::crypto::merkle::{Hash, sha256};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::io;
use std::path::PathBuf;

/// The start of a signature line: an em dash and a space.
pub(crate) const DASH: &str = "— ";

/// A longer note is not read. The limit leaves room for many witnesses.
pub(crate) const NOTE_LIMIT: usize = 256 * 1024;

/// Why a checkpoint, or the file of them, could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The text is not a checkpoint.
    #[error("this is not a checkpoint: {0}")]
    Malformed(&'static str),
    /// Our key did not sign it: other keys, or a forgery.
    #[error("the checkpoint is not signed by {0}")]
    NotOurs(String),
    /// It has our key's name, but was altered after signing.
    #[error("the signature does not fit the checkpoint: it was altered")]
    Altered,
    /// One note of the file is invalid. A torn last note is not an error.
    #[error("{}: checkpoint {number} is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The number of the note, counted from 1.
        number: usize,
        /// The error in that note.
        source: Box<CheckpointError>,
    },
    /// The operating system reported an error.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// The state of a log at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name: one line, not empty.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The root of their Merkle tree (RFC 6962).
    pub root: Hash,
}

impl Checkpoint {
    /// The note text: three lines, each with its newline.
    fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root))
    }

    /// The checkpoint as a signed note.
    pub fn sign(&self, keys: &Keyring) -> String {
        let (body, name) = (self.body(), keys.checkpoint_name());
        let mut signature = key_id(name, &keys.verifying_key()).to_vec();
        signature.extend_from_slice(&keys.sign(body.as_bytes()));
        format!("{body}\n{DASH}{name} {}\n", BASE64.encode(signature))
    }

    /// Parses a signed note and verifies our signature; signatures of others may be there too.
    pub fn parse_and_verify(text: &str, keys: &Keyring) -> Result<Self, CheckpointError> {
        Self::signed(text, keys).map(|(checkpoint, _)| checkpoint)
    }

    /// As [`Checkpoint::parse_and_verify`]; also returns the age of the key that signed.
    pub(crate) fn signed(text: &str, keys: &Keyring) -> Result<(Self, Age), CheckpointError> {
        let name = keys.checkpoint_name();
        let mut last = CheckpointError::NotOurs(name.into());
        for age in keys.ages_from(Age::default()) {
            match verified(text, name, &keys.verifying_key_of(age)) {
                Ok(body) => return Ok((Self::of_body(body)?, age)),
                Err(error @ CheckpointError::NotOurs(_)) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    fn of_body(body: &str) -> Result<Self, CheckpointError> {
        let malformed = CheckpointError::Malformed;
        let mut lines = body.split('\n').map(str::to_owned);
        let mut line = || lines.next().filter(|line| !line.is_empty());
        let origin = line().ok_or(malformed("no origin"))?;
        let size = line().and_then(|line| line.parse().ok()).ok_or(malformed("no size"))?;
        let root = line().and_then(|line| BASE64.decode(line).ok()?.try_into().ok());
        let checkpoint = Checkpoint {
            origin,
            size,
            root: root.ok_or(malformed("no root"))?,
        };
        // We sign no leading zeros, no plus sign and no extension lines.
        if checkpoint.body() == body {
            Ok(checkpoint)
        } else {
            Err(malformed("not in our form"))
        }
    }
}

/// signed-note, "Ed25519 signatures": the first 4 bytes of `SHA-256(name || 0x0A || 0x01 || key)`.
pub(crate) fn key_id(name: &str, key: &[u8; 32]) -> [u8; 4] {
    let [a, b, c, d, ..] = sha256(&[name.as_bytes(), &[0x0A, 0x01], key]);
    [a, b, c, d]
}

/// The text of a note, if the key of this name signed it.
pub(crate) fn verified<'a>(note: &'a str, name: &str, key: &[u8; 32]) -> Result<&'a str, CheckpointError> {
    let malformed = CheckpointError::Malformed;
    if note.len() > NOTE_LIMIT {
        return Err(malformed("too long"));
    }
    // "the text is separated from the signatures by the last empty line in the note"
    let (text, signatures) = note.rsplit_once("\n\n").ok_or(malformed("no signatures"))?;
    let body = &note[..=text.len()];
    let lines = signatures
        .strip_suffix('\n')
        .ok_or(malformed("no newline at its end"))?;
    let mut ours = false;
    for line in lines.split('\n') {
        let line = line.strip_prefix(DASH).and_then(|line| line.split_once(' '));
        let (signer, signature) = line.ok_or(malformed("bad signature line"))?;
        let signature = BASE64.decode(signature).map_err(|_| malformed("bad base64"))?;
        let (id, signature) = signature.split_at_checked(4).ok_or(malformed("no key id"))?;
        // "Verifiers MUST ignore signatures from unknown keys"
        if signer != name || id != key_id(name, key) {
            continue;
        }
        // "If a signature from a known key fails to verify, clients SHOULD reject the whole note."
        let key = UnparsedPublicKey::new(&ED25519, key);
        key.verify(body.as_bytes(), signature)
            .map_err(|_| CheckpointError::Altered)?;
        ours = true;
    }
    if ours {
        Ok(body)
    } else {
        Err(CheckpointError::NotOurs(name.into()))
    }
}
