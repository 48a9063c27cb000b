//! The keys, which are outside the database: an attacker who gets the database alone reads no personal value, guesses no national id behind
//! a fingerprint and forges no journal entry.
//!
//! A directory (`--keys DIR`) holds one file, `keyring.json`, which only its owner may read. A change of keys gives a new [`Keyring`],
//! which counts once it is [saved]; nothing may be written under a key before the file has it. A process that meets an unknown key reads
//! the file again, so that it goes on when another process changes the keys.
//!
//! A rotation also replaces the keys of MACs (of the journal, of rows that grant something and of what browsers send back) and of
//! checkpoint signatures: each is in use from one version of fingerprints on. Older ones only verify what was written before: the journal
//! records where each ends, and rows that grant something move to the new key.
//!
//! All older encryption keys stay, for decryption. The database records the one key of all its fingerprints, so that one transaction moves
//! them from one version to the next. Until then the file holds the next key beside the current one; afterwards it drops the old one:
//!
//! ```text
//!            prepare                      the database, then rotate
//!   {1}  ──────────────▶  {1, beside: 2}  ─────────────────────────▶  {2}
//! ```
//!
//! [saved]: Keyring::save

mod cipher;
mod contents;
mod rotation;
#[cfg(test)]
mod tests;
mod vouching;

pub use cipher::Fingerprinter;
pub(crate) use contents::sync_parent;
pub(crate) use vouching::Age;

use crate::crypto::keyring::cipher::{Cipher, ENVELOPE};
use crate::crypto::keyring::contents::{Contents, Export, Secret, Sheet, from_json, io_at, json, read, write_new};
use crate::crypto::keyring::vouching::Voucher;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, RwLock};
use std::{fmt, iter};

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use crate::crypto::merkle::sha256;
use crate::environment::Environment;

const FILE: &str = "keyring.json";
/// The newest format of the keyring file and of its export that this program reads, and the one it writes.
const FORMAT: u32 = 2;

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
    const fn label(self) -> &'static [u8] {
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
pub struct Fingerprint([u8; 17]);

impl Fingerprint {
    /// The 17 bytes to store.
    pub fn as_bytes(&self) -> &[u8; 17] {
        &self.0
    }

    /// A key id of that version that belongs to no key.
    fn of_no_key(version: u8) -> Self {
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

/// All keys of one installation. Cheap to clone; the secrets are wiped from memory with the last clone.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

/// The keys expanded for use. aws-lc wipes its own copies.
struct Inner {
    dir: PathBuf,
    id: String,
    checkpoint_name: String,
    mac: hmac::Key,
    /// The last known version of the database's fingerprints: it only rises.
    in_use: AtomicU8,
    /// The keys as last read from the file.
    latest: RwLock<CurrentKeys>,
}

/// The contents of the file, and the expanded keys that rotate.
struct CurrentKeys {
    contents: Contents,
    cipher: Cipher,
    other_ciphers: Vec<Cipher>,
    /// MAC and signature keys by age, the oldest first; never empty.
    vouchers: Vec<Arc<Voucher>>,
    /// Fingerprint keys by id, including those that the file had earlier: a transaction may still see older tables.
    markers: BTreeMap<Fingerprint, Arc<Fingerprinter>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

/// Creating, storing, exporting.
impl Keyring {
    /// Generates new keys in `dir`, which is created if it is missing.
    pub fn create(dir: &Path, ambient: &Environment) -> Result<Self, KeyError> {
        let random = uuid::Builder::from_random_bytes(ambient.bytes());
        let id = random.into_uuid().simple().to_string();
        let contents = Contents {
            checkpoint_name: format!("ngomon/{id:.8}"),
            id,
            encryption_current: 1,
            encryption: BTreeMap::from([(1, Secret::random(ambient))]),
            fingerprint_current: 1,
            fingerprint_beside: None,
            fingerprint_latest: 1,
            fingerprint: BTreeMap::from([(1, Secret::random(ambient))]),
            mac: Secret::random(ambient),
            checkpoint_seed: Secret::random(ambient),
            vouching: BTreeMap::new(),
        };
        let keyring = Keyring::expand(contents, dir)?;
        keyring.put(false)?;
        Ok(keyring)
    }

    /// Reads the keys in `dir`.
    pub fn open(dir: &Path) -> Result<Self, KeyError> {
        let path = dir.join(FILE);
        Keyring::expand(Contents::parse(&path, &read(&path)?)?, dir)
    }

    /// Writes the keys to their file, durably and atomically. Refuses if that would lose a key: the file holds other keys, or another
    /// process changed it since it was read.
    pub fn save(&self) -> Result<(), KeyError> {
        self.put(true)
    }

    /// Writes the keys to a new `file` under a passphrase, whose bytes are used as they are: the caller normalises its Unicode form. Takes
    /// a good part of a second and 64 MiB of memory.
    pub fn export(&self, passphrase: &str, file: &Path, ambient: &Environment) -> Result<(), KeyError> {
        let mut export = Export {
            format: FORMAT,
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 1,
            salt: BASE64.encode(ambient.bytes::<16>()),
            sealed: String::new(),
        };
        let cipher = export.cipher(passphrase).ok_or(KeyError::WrongPassphrase)?;
        let row = export.row();
        export.sealed = BASE64.encode(cipher.seal(Export::place(&row), &self.text()?, ambient));
        write_new(file, &json(&export)?)?;
        sync_parent(file).map_err(io_at(file))
    }

    /// Imports exported keys into `dir`, which must hold none.
    pub fn import(file: &Path, passphrase: &str, dir: &Path) -> Result<Self, KeyError> {
        let export: Export = from_json(file, &read(file)?)?;
        let unreadable = |why: &str| KeyError::Unreadable {
            path: file.into(),
            why: why.into(),
        };
        let sealed = BASE64.decode(&export.sealed).map_err(|_| unreadable("bad base64"))?;
        let cipher = export.cipher(passphrase).ok_or_else(|| unreadable("bad parameters"))?;
        let text = cipher.open(Export::place(&export.row()), &sealed);
        let text = Zeroizing::new(text.map_err(|_| KeyError::WrongPassphrase)?);
        let keyring = Keyring::expand(Contents::parse(file, &text)?, dir)?;
        keyring.put(false)?;
        Ok(keyring)
    }

    /// The random id of these keys, 32 hexadecimal digits; not secret.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// A value in the database by which it recognises its keys; not secret, and unchanged by rotations.
    pub fn check(&self) -> [u8; 16] {
        let mut check = [0; 16];
        check.copy_from_slice(&self.tag(b"check", &[])[..16]);
        check
    }

    fn expand(contents: Contents, dir: &Path) -> Result<Self, KeyError> {
        Ok(Keyring(Arc::new(Inner {
            dir: dir.into(),
            id: contents.id.clone(),
            checkpoint_name: contents.checkpoint_name.clone(),
            mac: hmac::Key::new(hmac::HMAC_SHA256, &*contents.mac.0),
            in_use: AtomicU8::new(contents.fingerprint_current),
            latest: RwLock::new(CurrentKeys::expand(contents)?),
        })))
    }

    fn text(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let keys = &self.latest().contents;
        json(&Sheet {
            format: keys.format(),
            sum: keys.sum()?,
            keys,
        })
    }

    fn put(&self, replace: bool) -> Result<(), KeyError> {
        let dir = &self.0.dir;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(io_at(dir))?;
        let folder = File::open(dir).map_err(io_at(dir))?;
        // Two commands that change keys at once take turns; the lock ends with `folder`.
        folder.lock().map_err(io_at(dir))?;
        let path = dir.join(FILE);
        match Keyring::open(dir) {
            Err(KeyError::Missing { .. }) => {}
            _ if !replace => return Err(KeyError::AlreadyThere { path }),
            Ok(there) => self.latest().contents.may_replace(&there.latest().contents)?,
            Err(error) => return Err(error),
        }
        let fresh = dir.join("keyring.json.new");
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_at(&fresh)(error)),
            _ => write_new(&fresh, &self.text()?),
        }?;
        fs::rename(&fresh, &path).map_err(io_at(&path))?;
        folder.sync_all().map_err(io_at(dir))
    }
}

/// Encryption, fingerprints, MACs.
impl Keyring {
    /// Encrypts a value for its place: 1 byte of format, 1 of key id, 12 of nonce, then the AES-256-GCM-SIV ciphertext (RFC 8452) with its
    /// tag: 30 bytes more than `plain`.
    pub fn encrypt(&self, place: AssociatedData<'_>, plain: &[u8], ambient: &Environment) -> Vec<u8> {
        self.latest().cipher.seal(place, plain, ambient)
    }

    /// Decrypts a value that [`Keyring::encrypt`] encrypted for the same place.
    pub fn decrypt(&self, place: AssociatedData<'_>, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let &[ENVELOPE, id, ..] = sealed else {
            return Err(OpenError::NotSealed);
        };
        if let Some(cipher) = self.latest().cipher(id) {
            return cipher.open(place, sealed);
        }
        self.read_again().map_err(|_| OpenError::UnknownKey(id))?;
        let latest = self.latest();
        latest.cipher(id).ok_or(OpenError::UnknownKey(id))?.open(place, sealed)
    }

    /// Returns the fingerprint key with that id and notes its version as the one in use.
    pub fn marker(&self, mark: Fingerprint) -> Result<Arc<Fingerprinter>, KeyError> {
        let known = self.latest().marker(mark);
        let marker = match known {
            Some(marker) => marker,
            None => {
                self.read_again()?;
                self.latest().marker(mark).ok_or_else(|| self.behind())?
            }
        };
        self.0.in_use.fetch_max(mark.version(), Ordering::Relaxed);
        Ok(marker)
    }

    /// The error that the data were written with newer keys.
    pub(crate) fn behind(&self) -> KeyError {
        KeyError::Behind {
            dir: self.0.dir.clone(),
        }
    }

    /// HMAC-SHA256 over the parts with their lengths: `["ab", "c"]` is not `["a", "bc"]`. For digests that reveal nothing without the key.
    /// Rotations do not change its key, so that stored digests stay comparable.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.tag(b"mac", parts)
    }

    /// Compares `mac` with that of the parts in constant time.
    pub fn mac_matches(&self, parts: &[&[u8]], mac: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.mac(parts), mac).is_ok()
    }

    /// The name in checkpoint signatures: `ngomon/` and the first 8 digits of the id.
    pub fn checkpoint_name(&self) -> &str {
        &self.0.checkpoint_name
    }

    fn tag(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut tag = [0; 32];
        tag.copy_from_slice(hmac::sign(&self.0.mac, &framed(purpose, parts)).as_ref());
        tag
    }
}

/// The journal's stand-in for a personal value: SHA-256 over a domain tag, a random salt and the value, each preceded by its length.
/// Without the salt it reveals nothing about the value.
pub fn commitment(salt: &[u8; 16], value: &[u8]) -> [u8; 32] {
    sha256(&[&framed(b"ngomon commitment 1", &[salt, value])])
}

/// An unambiguous encoding of the parts: each after its length (8 bytes, big-endian).
fn framed(first: &[u8], rest: &[&[u8]]) -> Vec<u8> {
    let parts = || iter::once(first).chain(rest.iter().copied());
    let mut bytes = Vec::with_capacity(parts().map(|part| part.len() + 8).sum());
    for part in parts() {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
