//! Changes of keys: by a command in this process, or by another process that has saved them.

use crate::crypto::keyring::cipher::{Cipher, Fingerprinter};
use crate::crypto::keyring::contents::{Contents, read};
use crate::crypto::keyring::secret::Secret;
use crate::crypto::keyring::types::{Fingerprint, KeyError};
use crate::crypto::keyring::voucher::Voucher;
use crate::crypto::keyring::{CurrentKeys, FILE, Keyring};
use crate::environment::Environment;
use std::sync::{Arc, PoisonError, RwLockReadGuard};

impl CurrentKeys {
    pub(crate) fn expand(contents: Contents) -> Result<Self, KeyError> {
        let refused = |why| KeyError::Refused { why };
        let current = contents.encryption_current;
        let cipher = |(id, key): (&u8, &Secret)| Cipher::new(*id, &key.0);
        let no_current = refused("the current encryption key is not among them");
        let in_use = [Some(contents.fingerprint_current), contents.fingerprint_beside];
        if in_use.iter().flatten().any(|v| !contents.fingerprint.contains_key(v)) {
            return Err(refused("a fingerprint key in use is not among them"));
        }
        let markers = contents
            .fingerprint
            .iter()
            .map(|(version, key)| Fingerprinter::new(*version, key));
        Ok(CurrentKeys {
            cipher: contents
                .encryption
                .get_key_value(&current)
                .and_then(cipher)
                .ok_or(no_current)?,
            other_ciphers: contents
                .encryption
                .iter()
                .filter(|(id, _)| **id != current)
                .filter_map(cipher)
                .collect(),
            vouchers: Voucher::all(&contents)?,
            markers: markers.map(|marker| (marker.key_id(), Arc::new(marker))).collect(),
            contents,
        })
    }

    pub(crate) fn cipher(&self, id: u8) -> Option<&Cipher> {
        std::iter::once(&self.cipher)
            .chain(&self.other_ciphers)
            .find(|cipher| cipher.id == id)
    }

    pub(crate) fn marker(&self, mark: Fingerprint) -> Option<Arc<Fingerprinter>> {
        self.markers.get(&mark).cloned()
    }
}

impl Keyring {
    /// A keyring with the keys of the next rotation, which are not in use yet: a further version of fingerprints, the authentication keys
    /// from then on, and a further encryption key. Unchanged if it already has them.
    pub fn prepared(&self, environment: &Environment) -> Result<Self, KeyError> {
        self.changed(|keys| {
            if let Some(version) = keys.fingerprint_beside {
                // An earlier version of the program prepared no authentication key. If its rotation is almost complete, nothing changes.
                if self.version_in_use() >= version {
                    return Ok(());
                }
                keys.vouching
                    .entry(version)
                    .or_insert_with(|| Secret::random(environment));
                return Ok(());
            }
            let last = keys.encryption.last_key_value().map_or(0, |(id, _)| *id);
            let id = last.checked_add(1).ok_or("all 255 encryption keys are used up")?;
            // A version is never reused.
            let version = keys.fingerprint_latest.checked_add(1);
            let version = version.ok_or("all 255 versions of fingerprints are used up")?;
            keys.encryption.insert(id, Secret::random(environment));
            keys.fingerprint.insert(version, Secret::random(environment));
            keys.vouching.insert(version, Secret::random(environment));
            keys.fingerprint_beside = Some(version);
            keys.fingerprint_latest = version;
            Ok(())
        })
    }

    /// Makes the prepared keys the current ones and drops the old fingerprint key. Save the result only when every fingerprint of the
    /// database uses the new key.
    pub fn rotated(&self) -> Result<Self, KeyError> {
        self.changed(|keys| {
            let next = keys.fingerprint_beside.take().ok_or("no rotation was prepared")?;
            keys.fingerprint.retain(|version, _| *version == next);
            keys.fingerprint_current = next;
            keys.encryption_current = keys.encryption.last_key_value().map_or(0, |(id, _)| *id);
            Ok(())
        })
    }

    /// The id of the fingerprint key of that version; if the key is unknown, an id that belongs to no key.
    pub fn mark_of(&self, version: u8) -> Fingerprint {
        let latest = self.latest();
        let mut marks = latest.markers.keys();
        let found = marks.find(|mark| mark.version() == version).copied();
        found.unwrap_or(Fingerprint::of_no_key(version))
    }

    /// The current version of fingerprints, and the prepared one.
    pub fn fingerprint_versions(&self) -> (u8, Option<u8>) {
        let keys = &self.latest().contents;
        (keys.fingerprint_current, keys.fingerprint_beside)
    }

    /// The fingerprint key that a database must use next: its present key if the keyring still has it, otherwise the current one.
    pub fn successor_key(&self, mark: Fingerprint) -> Result<Arc<Fingerprinter>, KeyError> {
        let (current, _) = self.fingerprint_versions();
        match self.marker(mark) {
            Err(KeyError::Behind { .. }) if mark.version() < current => self.marker(self.mark_of(current)),
            found => found,
        }
    }

    /// Reads the file again, since another process may have changed it.
    pub fn read_again(&self) -> Result<(), KeyError> {
        let path = self.0.dir.join(FILE);
        let contents = Contents::parse(&path, &read(&path)?)?;
        contents.may_replace(&self.latest().contents)?;
        let mut fresh = CurrentKeys::expand(contents)?;
        let mut latest = self.0.latest.write().unwrap_or_else(PoisonError::into_inner);
        fresh.markers.append(&mut latest.markers);
        *latest = fresh;
        Ok(())
    }

    pub(super) fn latest(&self) -> RwLockReadGuard<'_, CurrentKeys> {
        self.0.latest.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, change: impl FnOnce(&mut Contents) -> Result<(), &'static str>) -> Result<Self, KeyError> {
        let mut contents = self.latest().contents.clone();
        change(&mut contents).map_err(|why| KeyError::Refused { why })?;
        Keyring::expand(contents, &self.0.dir)
    }
}
