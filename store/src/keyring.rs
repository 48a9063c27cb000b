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

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, iter};

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize as _, Zeroizing};

use crate::ambient::{Ambient, give_up};
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

/// The first byte of an envelope.
const ENVELOPE: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;

struct Cipher {
    id: u8,
    key: LessSafeKey,
}

impl Cipher {
    fn new(id: u8, key: &[u8; 32]) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, key).ok()?;
        Some(Cipher {
            id,
            key: LessSafeKey::new(key),
        })
    }

    fn aad(&self, place: Place<'_>) -> Aad<Vec<u8>> {
        Aad::from(framed(
            place.table.as_bytes(),
            &[place.column.as_bytes(), place.row, &[self.id]],
        ))
    }

    fn seal(&self, place: Place<'_>, plain: &[u8], ambient: &Ambient) -> Vec<u8> {
        let nonce = ambient.bytes::<NONCE>();
        let mut sealed = Vec::with_capacity(2 + NONCE + plain.len() + TAG);
        sealed.extend_from_slice(&[ENVELOPE, self.id]);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let aad = self.aad(place);
        match self
            .key
            .seal_in_place_separate_tag(nonce, aad, &mut sealed[2 + NONCE..])
        {
            Ok(tag) => sealed.extend_from_slice(tag.as_ref()),
            Err(_) => give_up("AES-256-GCM-SIV refused to encrypt"),
        }
        sealed
    }

    fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (head, rest) = sealed.split_first_chunk::<2>().ok_or(OpenError::NotSealed)?;
        let (nonce, rest) = rest.split_first_chunk().ok_or(OpenError::NotSealed)?;
        if *head != [ENVELOPE, self.id] || rest.len() < TAG {
            return Err(OpenError::NotSealed);
        }
        let mut plain = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, self.aad(place), &mut plain);
        let length = opened.map_err(|_| OpenError::Refused)?.len();
        plain.truncate(length);
        Ok(plain)
    }
}

struct Marker {
    version: u8,
    key: hmac::Key,
}

impl Marker {
    fn new(version: u8, key: &Secret) -> Self {
        Marker {
            version,
            key: hmac::Key::new(hmac::HMAC_SHA256, &*key.0),
        }
    }

    fn mark(&self, kind: FingerprintKind, value: &str) -> Fingerprint {
        let mac = hmac::sign(&self.key, &framed(kind.label(), &[value.as_bytes()]));
        let mut bytes = [self.version; 17];
        bytes[1..].copy_from_slice(&mac.as_ref()[..16]);
        Fingerprint(bytes)
    }
}

/// 32 secret bytes, base64 in the file. In a box, so that a move leaves no copy behind.
#[derive(Clone, PartialEq)]
struct Secret(Box<[u8; 32]>);

impl Secret {
    fn random(ambient: &Ambient) -> Self {
        let mut secret = Secret(Box::new([0; 32]));
        ambient.chance.fill(&mut *secret.0);
        secret
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(BASE64.encode(*self.0)))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut secret = Secret(Box::new([0; 32]));
        match BASE64.decode_slice(text.as_bytes(), &mut *secret.0) {
            Ok(32) => Ok(secret),
            _ => Err(serde::de::Error::custom("a key is 32 bytes in base64")),
        }
    }
}

/// The file: the keys and what tells a whole file from a damaged or hand-edited one.
#[derive(Serialize, Deserialize)]
struct Sheet<K> {
    format: u32,
    /// Base64 of SHA-256 over the keys, as [`json`] writes them.
    sum: String,
    keys: K,
}

#[derive(Clone, Serialize, Deserialize)]
struct Contents {
    id: String,
    encryption_current: u8,
    encryption: BTreeMap<u8, Secret>,
    fingerprint_current: u8,
    fingerprint_beside: Option<u8>,
    fingerprint_latest: u8,
    fingerprint: BTreeMap<u8, Secret>,
    mac: Secret,
    checkpoint_name: String,
    checkpoint_seed: Secret,
}

impl Contents {
    fn sum(&self) -> Result<String, KeyError> {
        Ok(BASE64.encode(sha256(&[&json(self)?])))
    }

    /// Refuses if a value sealed or a fingerprint taken with `there` would be lost.
    fn may_replace(&self, there: &Contents) -> Result<(), KeyError> {
        let keeps_ciphers = || {
            there
                .encryption
                .iter()
                .all(|(id, key)| self.encryption.get(id) == Some(key))
        };
        let same = |(version, key)| self.fingerprint.get(version).is_none_or(|own| own == key);
        let why = if self.id != there.id {
            "the file holds other keys"
        } else if !keeps_ciphers() || !there.fingerprint.iter().all(same) {
            "the file was changed in the meantime"
        } else {
            return Ok(());
        };
        Err(KeyError::Refused { why })
    }
}

/// The export: a keyring file sealed under a key made from a passphrase by Argon2id (RFC 9106).
#[derive(Serialize, Deserialize)]
struct Export {
    format: u32,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    sealed: String,
}

impl Export {
    /// Nothing if the parameters are impossible, or so large that trying them would harm.
    fn cipher(&self, passphrase: &str) -> Option<Cipher> {
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

    fn row(&self) -> String {
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

    fn place(row: &str) -> Place<'_> {
        Place {
            table: "keyring",
            column: "export",
            row: row.as_bytes(),
        }
    }
}

fn json(value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // Room for any keyring, so that growing leaves no copies of secrets behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
    match serde_json::to_writer_pretty(&mut *bytes, value) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(KeyError::Refused {
            why: "they cannot be written as JSON",
        }),
    }
}

fn from_json<T: for<'de> Deserialize<'de>>(path: &Path, text: &[u8]) -> Result<T, KeyError> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    // The words of serde_json may quote the text, which is secret: only the place is kept.
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

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(KeyError::Missing { path: path.into() }),
        Err(error) => Err(io_at(path)(error)),
    }
}

/// Writes a file that only its owner may read, durably but for its name in the directory.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
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

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    move |source| KeyError::Io {
        path: path.into(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;

    const KINDS: [FingerprintKind; 6] = [
        FingerprintKind::NationalId,
        FingerprintKind::Phone,
        FingerprintKind::Username,
        FingerprintKind::EmployeeCode,
        FingerprintKind::NameExact,
        FingerprintKind::NameFolded,
    ];
    const PLACE: Place<'_> = Place {
        table: "person",
        column: "name",
        row: b"row 1",
    };

    fn ambient(seed: u64) -> Ambient {
        Ambient::fixed(jiff::Timestamp::UNIX_EPOCH, seed)
    }

    fn made(seed: u64) -> (TempDir, Keyring) {
        let dir = TempDir::new().unwrap();
        let keys = Keyring::create(dir.path(), &ambient(seed)).unwrap();
        (dir, keys)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// Changes the text of the file.
    fn edit(dir: &TempDir, from: &str, to: &str) {
        let path = dir.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in the file");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }

    #[test]
    fn keys_are_made_once_and_read_again() {
        let dir = TempDir::new().unwrap();
        let dir = dir.path().join("a/keys");
        assert!(matches!(Keyring::open(&dir), Err(KeyError::Missing { path }) if path == dir.join(FILE)));
        let keys = Keyring::create(&dir, &ambient(1)).unwrap();
        assert_eq!((mode(&dir), mode(&dir.join(FILE))), (0o700, 0o600));
        assert_eq!(keys.checkpoint_name(), format!("ngomon/{}", &keys.id()[..8]));

        let again = Keyring::open(&dir).unwrap();
        assert_eq!(
            (again.id(), again.check(), again.mac(&[b"x"])),
            (keys.id(), keys.check(), keys.mac(&[b"x"]))
        );
        let sealed = keys.seal(PLACE, b"value", &ambient(2));
        assert_eq!(again.unseal(PLACE, &sealed).unwrap(), b"value");
        assert!(matches!(
            Keyring::create(&dir, &ambient(2)),
            Err(KeyError::AlreadyThere { .. })
        ));
        assert_eq!(Keyring::open(&dir).unwrap().id(), keys.id());
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_file_that_is_not_whole_is_not_taken_for_keys_and_not_overwritten() {
        let (dir, keys) = made(1);
        let good = fs::read_to_string(dir.path().join(FILE)).unwrap();
        let secret = BASE64.encode(*keys.0.contents.mac.0);
        let other = BASE64.encode([7; 32]);
        for (from, to) in [
            (secret.as_str(), other.as_str()), // a whole key, but another one
            (&secret, "AAAA"),
            ("\"mac\": ", "\"mac\": 1, \"x\": "),
            (
                "\"encryption_current\": 1",
                &format!("\"encryption_current\": \"{secret}\""),
            ),
            ("\"format\": 1", "\"format\": \"1\""),
            ("}", ""),
        ] {
            edit(&dir, from, to);
            let error = Keyring::open(dir.path()).unwrap_err();
            assert!(matches!(error, KeyError::Unreadable { .. }), "{from}: {error}");
            assert!(!error.to_string().contains(&secret), "{error}");
            assert!(matches!(keys.save(dir.path()), Err(KeyError::Unreadable { .. })));
            fs::write(dir.path().join(FILE), &good).unwrap();
        }
        edit(&dir, "\"format\": 1", "\"format\": 2, \"new\": 0");
        assert!(matches!(
            Keyring::open(dir.path()),
            Err(KeyError::NewerFormat { format: 2, .. })
        ));
    }

    #[test]
    fn debug_shows_no_secret() {
        let (_dir, keys) = made(1);
        assert_eq!(format!("{keys:?}"), format!("Keyring {{ id: {:?}, .. }}", keys.id()));
    }

    #[test]
    fn a_sealed_value_opens_in_its_place_only() {
        let (_dir, keys) = made(1);
        let ambient = ambient(2);
        let sealed = keys.seal(PLACE, "Nguyễn Văn A".as_bytes(), &ambient);
        assert_eq!(sealed.len(), "Nguyễn Văn A".len() + 30);
        assert_eq!(sealed[..2], [1, 1]);
        assert_eq!(keys.unseal(PLACE, &sealed).unwrap(), "Nguyễn Văn A".as_bytes());
        assert_ne!(
            sealed,
            keys.seal(PLACE, "Nguyễn Văn A".as_bytes(), &ambient),
            "a new nonce"
        );
        assert_eq!(keys.unseal(PLACE, &keys.seal(PLACE, b"", &ambient)).unwrap(), b"");
        for place in [
            Place {
                table: "persons",
                ..PLACE
            },
            Place {
                column: "phone",
                ..PLACE
            },
            Place { row: b"row 2", ..PLACE },
            Place {
                table: "personn",
                column: "ame",
                ..PLACE
            },
        ] {
            assert_eq!(keys.unseal(place, &sealed), Err(OpenError::Refused), "{place:?}");
        }
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(keys.unseal(PLACE, &altered).is_err(), "byte {at}");
            assert!(keys.unseal(PLACE, &sealed[..at]).is_err(), "cut at {at}");
        }
        let (_dir, others) = made(3);
        assert_eq!(others.unseal(PLACE, &sealed), Err(OpenError::Refused));
    }

    #[test]
    fn a_new_encryption_key_leaves_the_old_ones_readable() {
        let (dir, old) = made(1);
        let sealed = old.seal(PLACE, b"before", &ambient(2));
        let new = old.add_encryption_key(&ambient(3)).unwrap();
        new.save(dir.path()).unwrap();
        let new = Keyring::open(dir.path()).unwrap();
        let resealed = new.seal(PLACE, b"after", &ambient(4));
        assert_eq!(resealed[1], 2);
        assert_eq!(new.unseal(PLACE, &sealed).unwrap(), b"before");
        assert_eq!(new.unseal(PLACE, &resealed).unwrap(), b"after");
        assert_eq!(old.unseal(PLACE, &resealed), Err(OpenError::UnknownKey(2)));
        let mut renumbered = resealed;
        renumbered[1] = 1;
        assert_eq!(new.unseal(PLACE, &renumbered), Err(OpenError::Refused));
        assert_eq!(new.check(), old.check());

        let mut full = new;
        for _ in 3..=255 {
            full = full.add_encryption_key(&ambient(5)).unwrap();
        }
        assert!(matches!(
            full.add_encryption_key(&ambient(5)),
            Err(KeyError::Refused { .. })
        ));
    }

    #[test]
    fn saving_never_loses_a_key() {
        let (dir, keys) = made(1);
        let mine = keys.add_encryption_key(&ambient(2)).unwrap();
        let theirs = keys.add_encryption_key(&ambient(3)).unwrap();
        let marked = keys.add_fingerprint_version(&ambient(4)).unwrap();
        let refused = |keys: &Keyring| matches!(keys.save(dir.path()), Err(KeyError::Refused { .. }));
        marked.save(dir.path()).unwrap();
        assert!(
            refused(&keys.add_fingerprint_version(&ambient(5)).unwrap()),
            "same version, other key"
        );
        marked.drop_fingerprint_version().unwrap().save(dir.path()).unwrap();
        mine.save(dir.path()).unwrap();
        mine.save(dir.path()).unwrap();
        assert!(refused(&theirs), "same number, other key");
        assert!(refused(&keys), "a key fewer");
        assert!(refused(&made(6).1), "other keys altogether");
        let sealed = mine.seal(PLACE, b"value", &ambient(7));
        assert_eq!(
            Keyring::open(dir.path()).unwrap().unseal(PLACE, &sealed).unwrap(),
            b"value"
        );
    }

    #[test]
    fn fingerprints_differ_by_kind_value_and_keys() {
        let (_dir, keys) = made(1);
        let values = ["001099012345", "001099012346", ""];
        let mut all: Vec<_> = KINDS
            .iter()
            .flat_map(|kind| values.map(|value| keys.fingerprint(*kind, value)))
            .collect();
        all.extend(KINDS.map(|kind| made(2).1.fingerprint(kind, values[0])));
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);

        let one = keys.fingerprint(FingerprintKind::Phone, "0912345678");
        assert_eq!(one, keys.fingerprint(FingerprintKind::Phone, "0912345678"));
        assert_eq!((one.version(), Fingerprint::from_bytes(one.as_bytes())), (1, Some(one)));
        assert_eq!(Fingerprint::from_bytes(&one.as_bytes()[1..]), None);
    }

    /// Each arrow of the drawing at the head of the module, and each one that is not there.
    #[test]
    fn fingerprint_versions_rotate() {
        let kind = FingerprintKind::NationalId;
        let both = |keys: &Keyring| keys.fingerprints(kind, "x").collect::<Vec<_>>();
        let (_dir, one) = made(1);
        let v1 = one.fingerprint(kind, "x");
        assert_eq!((both(&one), one.fingerprint_versions()), (vec![v1], (1, None)));
        assert!(one.switch_fingerprint_version().is_err());
        assert!(one.drop_fingerprint_version().is_err());

        let added = one.add_fingerprint_version(&ambient(2)).unwrap();
        let [_, v2] = both(&added)[..] else {
            panic!("two versions")
        };
        assert_ne!(v1.as_bytes()[1..], v2.as_bytes()[1..]);
        assert_eq!((added.fingerprint(kind, "x"), v2.version()), (v1, 2));
        assert_eq!(
            (both(&added), added.fingerprint_versions()),
            (vec![v1, v2], (1, Some(2)))
        );
        assert!(added.add_fingerprint_version(&ambient(3)).is_err());

        let switched = added.switch_fingerprint_version().unwrap();
        assert_eq!((both(&switched), switched.fingerprint(kind, "x")), (vec![v2, v1], v2));
        assert_eq!(both(&switched.switch_fingerprint_version().unwrap()), [v1, v2]);
        assert_eq!(both(&switched.drop_fingerprint_version().unwrap()), [v2]);

        let abandoned = added.drop_fingerprint_version().unwrap();
        assert_eq!(both(&abandoned), [v1]);
        let third = abandoned.add_fingerprint_version(&ambient(4)).unwrap();
        assert_eq!(third.fingerprint_versions(), (1, Some(3)), "2 is used up");
    }

    #[test]
    fn a_mac_tells_its_parts_apart() {
        let (_dir, keys) = made(1);
        let mac = keys.mac(&[b"ab", b"c"]);
        assert!(keys.mac_matches(&[b"ab", b"c"], &mac));
        for parts in [&[&b"a"[..], b"bc"][..], &[b"abc"], &[b"ab", b"c", b""], &[]] {
            assert!(!keys.mac_matches(parts, &mac), "{parts:?}");
        }
        assert!(!keys.mac_matches(&[b"ab", b"c"], &mac[..31]));
        assert!(!made(2).1.mac_matches(&[b"ab", b"c"], &mac));
        assert_ne!(keys.check(), made(2).1.check());
    }

    /// Stored values rest on these bytes, which Python's hmac and cryptography give too: should this fail, old databases
    /// no longer match.
    #[test]
    fn stored_forms_stay_as_they_are() {
        use sha2::{Digest as _, Sha256};
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let framed = [
            &[0, 0, 0, 0, 0, 0, 0, 19][..],
            b"ngomon commitment 1",
            &[0, 0, 0, 0, 0, 0, 0, 16],
            &[5; 16],
            &[0, 0, 0, 0, 0, 0, 0, 1],
            b"v",
        ]
        .concat();
        assert_eq!(commitment(&[5; 16], b"v"), *Sha256::digest(framed));
        let (_dir, keys) = made(1);
        assert_eq!(hex(&keys.check()), "e84fa4bc0dd2b5e0fe4596ddeac3f38c");
        assert_eq!(
            hex(keys.fingerprint(FingerprintKind::NationalId, "001099012345").as_bytes()),
            "01c59fe17a6a641bd348136c40dabb52a1"
        );
        assert_eq!(
            hex(&keys.seal(PLACE, b"v", &ambient(2))),
            "0101d63f0d21dab3df7c1d7e65d94055ebe28a21a049f20876f2ec9d7dc836"
        );
    }

    #[test]
    fn a_signature_verifies_under_the_public_half() {
        use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
        let (_dir, keys) = made(1);
        let verifier = UnparsedPublicKey::new(&ED25519, keys.verifying_key());
        assert!(verifier.verify(b"text", &keys.sign(b"text")).is_ok());
        assert!(verifier.verify(b"texts", &keys.sign(b"text")).is_err());
    }

    #[test]
    fn keys_travel_under_a_passphrase() {
        let (dir, keys) = made(1);
        let keys = keys.add_encryption_key(&ambient(2)).unwrap();
        let file = dir.path().join("export");
        keys.export("mật khẩu", &file, &ambient(3)).unwrap();
        assert_eq!(mode(&file), 0o600);
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains(keys.id()), "{text}");
        assert!(matches!(
            keys.export("x", &file, &ambient(3)),
            Err(KeyError::AlreadyThere { .. })
        ));
        assert_eq!(fs::read_to_string(&file).unwrap(), text);

        let there = dir.path().join("there");
        let import = |passphrase: &str| Keyring::import(&file, passphrase, &there);
        assert!(matches!(import("mat khau"), Err(KeyError::WrongPassphrase)));
        assert!(!there.exists());
        let sealed = keys.seal(PLACE, b"value", &ambient(4));
        assert_eq!(import("mật khẩu").unwrap().unseal(PLACE, &sealed).unwrap(), b"value");
        assert_eq!(Keyring::open(&there).unwrap().id(), keys.id());
        assert!(matches!(import("mật khẩu"), Err(KeyError::AlreadyThere { .. })));

        let there = dir.path().join("elsewhere");
        let import = |from: &str, to: &str| {
            assert!(text.contains(from), "{text}");
            fs::write(&file, text.replacen(from, to, 1)).unwrap();
            Keyring::import(&file, "mật khẩu", &there).unwrap_err()
        };
        let altered = import("\"passes\": 3", "\"passes\": 1");
        assert!(matches!(altered, KeyError::WrongPassphrase), "{altered}");
        let greedy = import("\"memory_kib\": 65536", "\"memory_kib\": 4294967295");
        assert!(matches!(greedy, KeyError::Unreadable { .. }), "{greedy}");
        let newer = import("\"format\": 1", "\"format\": 2");
        assert!(matches!(newer, KeyError::NewerFormat { format: 2, .. }), "{newer}");
    }
}
