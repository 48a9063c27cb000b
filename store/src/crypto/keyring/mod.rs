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
mod secret;
#[cfg(test)]
mod tests;
mod types;
mod voucher;
mod vouching;

pub use cipher::Fingerprinter;
pub(crate) use contents::sync_parent;
pub use types::{AssociatedData, Fingerprint, FingerprintKind, KeyError, OpenError, commitment};
pub(crate) use voucher::Age;

use crate::crypto::keyring::cipher::{Cipher, ENVELOPE};
use crate::crypto::keyring::contents::{Contents, Export, Sheet, from_json, io_at, json, read, write_new};
use crate::crypto::keyring::secret::Secret;
use crate::crypto::keyring::types::{FORMAT, framed};
use crate::crypto::keyring::voucher::Voucher;
use crate::environment::Environment;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, RwLock};

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

const FILE: &str = "keyring.json";
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
    pub fn create(dir: &Path, environment: &Environment) -> Result<Self, KeyError> {
        let random = uuid::Builder::from_random_bytes(environment.bytes());
        let id = random.into_uuid().simple().to_string();
        let contents = Contents {
            checkpoint_name: format!("ngomon/{id:.8}"),
            id,
            encryption_current: 1,
            encryption: BTreeMap::from([(1, Secret::random(environment))]),
            fingerprint_current: 1,
            fingerprint_beside: None,
            fingerprint_latest: 1,
            fingerprint: BTreeMap::from([(1, Secret::random(environment))]),
            mac: Secret::random(environment),
            checkpoint_seed: Secret::random(environment),
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
    pub fn export(&self, passphrase: &str, file: &Path, environment: &Environment) -> Result<(), KeyError> {
        let mut export = Export {
            format: FORMAT,
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 1,
            salt: BASE64.encode(environment.bytes::<16>()),
            sealed: String::new(),
        };
        let cipher = export.cipher(passphrase).ok_or(KeyError::WrongPassphrase)?;
        let row = export.row();
        export.sealed = BASE64.encode(cipher.seal(Export::place(&row), &self.text()?, environment));
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
    pub fn encrypt(&self, place: AssociatedData<'_>, plain: &[u8], environment: &Environment) -> Vec<u8> {
        self.latest().cipher.seal(place, plain, environment)
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
