//! The format of the keyring's file and of its export.

use crate::crypto::keyring::cipher::Cipher;
use crate::crypto::keyring::secret::Secret;
use crate::crypto::keyring::types::{AssociatedData, FORMAT, KeyError};
use crate::crypto::merkle::sha256;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// The file: the keys, with a checksum that exposes damage and edits by hand.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sheet<K> {
    pub(crate) format: u32,
    /// Base64 of SHA-256 over the keys, as [`json`] writes them.
    pub(crate) sum: String,
    pub(crate) keys: K,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Contents {
    pub(crate) id: String,
    pub(crate) encryption_current: u8,
    pub(crate) encryption: BTreeMap<u8, Secret>,
    pub(crate) fingerprint_current: u8,
    pub(crate) fingerprint_beside: Option<u8>,
    pub(crate) fingerprint_latest: u8,
    pub(crate) fingerprint: BTreeMap<u8, Secret>,
    pub(crate) mac: Secret,
    pub(crate) checkpoint_name: String,
    pub(crate) checkpoint_seed: Secret,
    /// Authentication keys by the version of fingerprints from which they replace `mac` and `checkpoint_seed`. Older ones stay, to verify.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) vouching: BTreeMap<u8, Secret>,
}

impl Contents {
    /// Parses the text of a file and verifies its checksum.
    pub(crate) fn parse(path: &Path, text: &[u8]) -> Result<Self, KeyError> {
        let sheet: Sheet<Contents> = from_json(path, text)?;
        if sheet.sum != sheet.keys.sum()? {
            return Err(KeyError::Unreadable {
                path: path.into(),
                why: "its checksum is not that of its keys".into(),
            });
        }
        Ok(sheet.keys)
    }

    /// The format to write: the first one if it can hold these keys.
    pub(crate) fn format(&self) -> u32 {
        if self.vouching.is_empty() { 1 } else { FORMAT }
    }

    pub(crate) fn sum(&self) -> Result<String, KeyError> {
        Ok(BASE64.encode(sha256(&[&json(self)?])))
    }

    /// Refuses if a value encrypted or a fingerprint computed with `there` would be lost.
    pub(crate) fn may_replace(&self, there: &Contents) -> Result<(), KeyError> {
        let keeps_ciphers = || {
            there
                .encryption
                .iter()
                .all(|(id, key)| self.encryption.get(id) == Some(key))
        };
        let keeps_vouching = || {
            there
                .vouching
                .iter()
                .all(|(from, key)| self.vouching.get(from) == Some(key))
        };
        let same = |(version, key)| self.fingerprint.get(version).is_none_or(|own| own == key);
        let why = if self.id != there.id {
            "the file holds other keys"
        } else if !keeps_ciphers() || !keeps_vouching() || !there.fingerprint.iter().all(same) {
            "the file was changed in the meantime"
        } else {
            return Ok(());
        };
        Err(KeyError::Refused { why })
    }
}

/// The export: a keyring file encrypted under a key that Argon2id (RFC 9106) derives from a passphrase.
#[derive(Serialize, Deserialize)]
pub(crate) struct Export {
    pub(crate) format: u32,
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
    pub(crate) salt: String,
    pub(crate) sealed: String,
}

impl Export {
    /// `None` if the parameters are impossible, or so large that trying them would harm.
    pub(crate) fn cipher(&self, passphrase: &str) -> Option<Cipher> {
        if self.memory_kib > 1024 * 1024 || self.passes > 32 || self.lanes > 16 {
            return None;
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok()?;
        let salt = BASE64.decode(&self.salt).ok()?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, &mut *key)
            .ok()?;
        Cipher::new(0, &key)
    }

    pub(crate) fn row(&self) -> String {
        let Export {
            format,
            memory_kib,
            passes,
            lanes,
            salt,
            ..
        } = self;
        format!("{format} argon2id m={memory_kib},t={passes},p={lanes} {salt}")
    }

    pub(crate) fn place(row: &str) -> AssociatedData<'_> {
        AssociatedData {
            table: "keyring",
            column: "export",
            row: row.as_bytes(),
        }
    }
}

pub(crate) fn json(value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // Capacity for any keyring, so that growing leaves no copies of secrets in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
    match serde_json::to_writer_pretty(&mut *bytes, value) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(KeyError::Refused {
            why: "they cannot be written as JSON",
        }),
    }
}

pub(crate) fn from_json<T: for<'de> Deserialize<'de>>(path: &Path, text: &[u8]) -> Result<T, KeyError> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    // Messages of serde_json may quote the text, which is secret: only the position is kept.
    let unreadable = |error: serde_json::Error| KeyError::Unreadable {
        path: path.into(),
        why: format!("not as expected at line {}, column {}", error.line(), error.column()),
    };
    match serde_json::from_slice::<Head>(text).map_err(unreadable)? {
        Head { format } if format > FORMAT => Err(KeyError::NewerFormat {
            path: path.into(),
            format,
        }),
        _ => serde_json::from_slice(text).map_err(unreadable),
    }
}

pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(KeyError::Missing { path: path.into() }),
        Err(error) => Err(io_at(path)(error)),
    }
}

/// Writes a file that only its owner may read. Its contents are durable, its name in the directory not yet.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeyError::AlreadyThere { path: path.into() },
        _ => io_at(path)(error),
    })?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(io_at(path))
}

/// Makes the name of a new file durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

pub(crate) fn io_at(path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    move |source| KeyError::Io {
        path: path.into(),
        source,
    }
}
