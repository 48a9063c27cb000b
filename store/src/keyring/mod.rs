//! The keys, which live outside the database: whoever takes the database alone reads no personal value, guesses no
//! national id behind a fingerprint and forges no journal entry.
//!
//! A directory (`--keys DIR`) holds one file, `keyring.json`, which only its owner may read. A [`Keyring`] never
//! changes: each change gives a new one, which counts once it is [saved]. Nothing may be written under a key before the
//! keyring that has it is saved.
//!
//! Encryption keys: a new one becomes current, all older ones stay for reading.
//!
//! Fingerprint keys: a version is current (looked up and written), one more may stand beside it (written only). So the
//! servers that still run with the file of a step ago find what is written now, and are found:
//!
//! ```text
//!            add                        switch                        drop
//!   {1}  ──────────▶  {1, beside: 2}  ◀────────▶  {2, beside: 1}  ──────────▶  {2}
//!    ▲                      │
//!    └──────── drop ────────┘
//! ```
//!
//! [saved]: Keyring::save

mod cipher;
mod contents;
#[cfg(test)]
mod tests;

pub(crate) use contents::sync_parent;

use cipher::{Cipher, ENVELOPE, Marker};
use contents::{Contents, Export, Secret, Sheet, from_json, io_at, json, read, write_new};

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, iter};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use crate::ambient::Ambient;
use crate::merkle::sha256;

const FILE: &str = "keyring.json";
/// The newest form of the keyring file and of its export that this program reads, and the one it writes.
const FORMAT: u32 = 1;

/// Why keys could not be read, written or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No file is there.
    #[error("there are no keys at {}", path.display())]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// A file is there, and it is not to be overwritten.
    #[error("{} is already there and is never overwritten", path.display())]
    AlreadyThere {
        /// The file in the way.
        path: PathBuf,
    },
    /// The file is not a whole keyring.
    #[error("{} cannot be read as keys: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong; never quotes the file.
        why: String,
    },
    /// A later version of the program wrote the file.
    #[error("{} has format {format}, this program reads up to {FORMAT}", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// The format that the file states.
        format: u32,
    },
    /// The passphrase does not open the export, or the export was damaged: the two look the same.
    #[error("the passphrase does not open this file, or the file was damaged")]
    WrongPassphrase,
    /// The change asked for is not possible with these keys.
    #[error("the keys stay as they are: {why}")]
    Refused {
        /// What stands against it.
        why: &'static str,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// Why a sealed value could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The bytes are not an envelope of a known form.
    #[error("this is not a sealed value")]
    NotSealed,
    /// The keyring lacks the key: it is another one, or older than the value.
    #[error("sealed under key {0}, which this keyring does not have")]
    UnknownKey(u8),
    /// The value was altered, comes from another place, or the key is another one of that number.
    #[error("the sealed value was altered or does not belong in this place")]
    Refused,
}

/// Where a sealed value stands. It opens nowhere else, so that values cannot be swapped.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The key of the row.
    pub row: &'a [u8],
}

/// What a fingerprint is taken of. The same text gives another fingerprint under each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FingerprintKind {
    /// A national identity number.
    NationalId,
    /// A telephone number.
    Phone,
    /// A user name.
    Username,
    /// An employer's own number for an official.
    EmployeeCode,
    /// A name, letter for letter.
    NameExact,
    /// A name without case and diacritics.
    NameFolded,
}

impl FingerprintKind {
    /// Stored fingerprints rest on these words: never change one.
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

/// Stands for a value in look-ups: 1 byte of key version, then HMAC-SHA256 cut to 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 17]);

impl Fingerprint {
    /// The 17 bytes to store.
    pub fn as_bytes(&self) -> &[u8; 17] {
        &self.0
    }

    /// Stored bytes, if they are 17.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Fingerprint)
    }

    /// The version of the key under which it was taken.
    pub fn version(&self) -> u8 {
        self.0[0]
    }
}

/// All keys of one installation. Cheap to clone; the secrets are wiped from memory with the last clone.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

/// The contents of the file, and from each key what is expanded once for use. aws-lc wipes what it holds.
struct Inner {
    contents: Contents,
    cipher: Cipher,
    older_ciphers: Vec<Cipher>,
    marker: Marker,
    marker_beside: Option<Marker>,
    mac: hmac::Key,
    signer: Ed25519KeyPair,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

/// Keys: made, kept, carried elsewhere.
impl Keyring {
    /// Makes new keys in `dir`, which is made too if need be.
    pub fn create(dir: &Path, ambient: &Ambient) -> Result<Self, KeyError> {
        let random = uuid::Builder::from_random_bytes(ambient.bytes());
        let id = random.into_uuid().simple().to_string();
        let keyring = Keyring::expand(Contents {
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
        })?;
        keyring.put(dir, false)?;
        Ok(keyring)
    }

    /// Reads the keys of `dir`.
    pub fn open(dir: &Path) -> Result<Self, KeyError> {
        let path = dir.join(FILE);
        Keyring::from_text(&path, &read(&path)?)
    }

    /// Writes the keys to `dir`, durably and all or nothing. Refuses if that would lose a key: the file there is of
    /// other keys, or was changed by someone else since it was opened.
    pub fn save(&self, dir: &Path) -> Result<(), KeyError> {
        self.put(dir, true)
    }

    /// Writes the keys to a new `file` under a passphrase, taken byte for byte: whoever asks for it settles its Unicode
    /// form. Takes a good part of a second and 64 MiB of memory.
    pub fn export(&self, passphrase: &str, file: &Path, ambient: &Ambient) -> Result<(), KeyError> {
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

    /// Puts exported keys into `dir`, where none may be.
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
        let keyring = Keyring::from_text(file, &text)?;
        keyring.put(dir, false)?;
        Ok(keyring)
    }

    /// The random name of these keys, 32 hexadecimal digits; not secret.
    pub fn id(&self) -> &str {
        &self.0.contents.id
    }

    /// A value to keep in the database, by which other keys are recognised; not secret, and the same through every
    /// change of these keys.
    pub fn check(&self) -> [u8; 16] {
        let mut check = [0; 16];
        check.copy_from_slice(&self.tag(b"check", &[])[..16]);
        check
    }

    fn expand(contents: Contents) -> Result<Self, KeyError> {
        let refused = |why| KeyError::Refused { why };
        let cipher = |id: u8| contents.encryption.get(&id).and_then(|key| Cipher::new(id, &key.0));
        let marker = |version| {
            let key = contents.fingerprint.get(&version);
            key.map(|key| Marker::new(version, key))
                .ok_or(refused("a fingerprint key in use is not among them"))
        };
        let older = contents
            .encryption
            .keys()
            .filter(|id| **id != contents.encryption_current);
        let no_current = "the current encryption key is not among them";
        Ok(Keyring(Arc::new(Inner {
            cipher: cipher(contents.encryption_current).ok_or(refused(no_current))?,
            older_ciphers: older.filter_map(|id| cipher(*id)).collect(),
            marker: marker(contents.fingerprint_current)?,
            marker_beside: contents.fingerprint_beside.map(marker).transpose()?,
            mac: hmac::Key::new(hmac::HMAC_SHA256, &*contents.mac.0),
            signer: Ed25519KeyPair::from_seed_unchecked(&*contents.checkpoint_seed.0)
                .map_err(|_| refused("the checkpoint key is none"))?,
            contents,
        })))
    }

    fn from_text(path: &Path, text: &[u8]) -> Result<Self, KeyError> {
        let sheet: Sheet<Contents> = from_json(path, text)?;
        let unreadable = |why: String| KeyError::Unreadable { path: path.into(), why };
        if sheet.sum != sheet.keys.sum()? {
            return Err(unreadable("its checksum is not that of its keys".into()));
        }
        Keyring::expand(sheet.keys).map_err(|error| unreadable(error.to_string()))
    }

    fn text(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let keys = &self.0.contents;
        json(&Sheet {
            format: FORMAT,
            sum: keys.sum()?,
            keys,
        })
    }

    fn put(&self, dir: &Path, replace: bool) -> Result<(), KeyError> {
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
            Ok(there) => self.0.contents.may_replace(&there.0.contents)?,
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

/// Keys: changed. Each gives a keyring that is still to be [saved](Keyring::save).
impl Keyring {
    /// A new encryption key, current from now on.
    pub fn add_encryption_key(&self, ambient: &Ambient) -> Result<Self, KeyError> {
        self.changed(|keys| {
            let last = keys.encryption.last_key_value().map_or(0, |(id, _)| *id);
            let id = last.checked_add(1).ok_or("all 255 encryption keys are in use")?;
            keys.encryption.insert(id, Secret::random(ambient));
            keys.encryption_current = id;
            Ok(())
        })
    }

    /// A new fingerprint key, to be written beside the current one.
    pub fn add_fingerprint_version(&self, ambient: &Ambient) -> Result<Self, KeyError> {
        self.changed(|keys| {
            if keys.fingerprint_beside.is_some() {
                return Err("two versions of fingerprints are in use; drop one first");
            }
            // A number is never used again, not even that of a version dropped before its day.
            let version = keys.fingerprint_latest.checked_add(1);
            let version = version.ok_or("all 255 versions of fingerprints are used up")?;
            keys.fingerprint.insert(version, Secret::random(ambient));
            keys.fingerprint_beside = Some(version);
            keys.fingerprint_latest = version;
            Ok(())
        })
    }

    /// The version beside becomes current, and the current one is written beside it until dropped. To be done only when
    /// every fingerprint is stored under both.
    pub fn switch_fingerprint_version(&self) -> Result<Self, KeyError> {
        self.changed(|keys| {
            let beside = keys.fingerprint_beside.ok_or("there is no second version")?;
            keys.fingerprint_beside = Some(keys.fingerprint_current);
            keys.fingerprint_current = beside;
            Ok(())
        })
    }

    /// Forgets the version beside: after a switch the old one, before it the new one.
    pub fn drop_fingerprint_version(&self) -> Result<Self, KeyError> {
        self.changed(|keys| {
            let beside = keys.fingerprint_beside.take().ok_or("there is no second version")?;
            keys.fingerprint.remove(&beside);
            Ok(())
        })
    }

    fn changed(&self, change: impl FnOnce(&mut Contents) -> Result<(), &'static str>) -> Result<Self, KeyError> {
        let mut contents = self.0.contents.clone();
        change(&mut contents).map_err(|why| KeyError::Refused { why })?;
        Keyring::expand(contents)
    }
}

/// Keys: used.
impl Keyring {
    /// Encrypts a value for its place: 1 byte of format, 1 of key id, 12 of nonce, then the AES-256-GCM-SIV ciphertext
    /// (RFC 8452) with its tag: 30 bytes more than `plain`.
    pub fn seal(&self, place: Place<'_>, plain: &[u8], ambient: &Ambient) -> Vec<u8> {
        self.0.cipher.seal(place, plain, ambient)
    }

    /// Decrypts what [`Keyring::seal`] made for this very place.
    pub fn unseal(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let &[ENVELOPE, id, ..] = sealed else {
            return Err(OpenError::NotSealed);
        };
        let mut ciphers = iter::once(&self.0.cipher).chain(&self.0.older_ciphers);
        let cipher = ciphers
            .find(|cipher| cipher.id == id)
            .ok_or(OpenError::UnknownKey(id))?;
        cipher.open(place, sealed)
    }

    /// The fingerprint to look up: under the current version.
    pub fn fingerprint(&self, kind: FingerprintKind, value: &str) -> Fingerprint {
        self.0.marker.mark(kind, value)
    }

    /// The fingerprints to write: under the current version and, if there is one, that beside it.
    pub fn fingerprints(&self, kind: FingerprintKind, value: &str) -> impl Iterator<Item = Fingerprint> {
        let markers = iter::once(&self.0.marker).chain(&self.0.marker_beside);
        markers.map(move |marker| marker.mark(kind, value))
    }

    /// The versions of fingerprints in use: the current one, and that beside it.
    pub fn fingerprint_versions(&self) -> (u8, Option<u8>) {
        (self.0.contents.fingerprint_current, self.0.contents.fingerprint_beside)
    }

    /// HMAC-SHA256 over the parts, which are told apart: `["ab", "c"]` is not `["a", "bc"]`.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.tag(b"mac", parts)
    }

    /// Whether `mac` is that of the parts; takes the same time wherever they differ.
    pub fn mac_matches(&self, parts: &[&[u8]], mac: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.mac(parts), mac).is_ok()
    }

    /// The Ed25519 signature (RFC 8032) over `bytes`.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.signer.sign(bytes).as_ref());
        signature
    }

    /// The public half of the Ed25519 key.
    pub fn verifying_key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.signer.public_key().as_ref());
        key
    }

    /// The name under which checkpoints are signed: `ngomon/` and the first 8 digits of the id.
    pub fn checkpoint_name(&self) -> &str {
        &self.0.contents.checkpoint_name
    }

    fn tag(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut tag = [0; 32];
        tag.copy_from_slice(hmac::sign(&self.0.mac, &framed(purpose, parts)).as_ref());
        tag
    }
}

/// What the journal holds instead of a personal value: SHA-256 over a domain tag, a random salt and the value, each
/// preceded by its length. Without the salt it tells nothing about the value.
pub fn commitment(salt: &[u8; 16], value: &[u8]) -> [u8; 32] {
    sha256(&[&framed(b"ngomon commitment 1", &[salt, value])])
}

/// All the parts in one run of bytes that no other parts give: each after its length (8 bytes, big-endian).
fn framed(first: &[u8], rest: &[&[u8]]) -> Vec<u8> {
    let parts = || iter::once(first).chain(rest.iter().copied());
    let mut bytes = Vec::with_capacity(parts().map(|part| part.len() + 8).sum());
    for part in parts() {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
