//! Encryption of values and computation of fingerprints.

use crate::crypto::keyring::secret::Secret;
use crate::crypto::keyring::types::{AssociatedData, Fingerprint, FingerprintKind, OpenError, framed};
use crate::environment::{Environment, abort_process};
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;

/// The first byte of an envelope.
pub(crate) const ENVELOPE: u8 = 1;
pub(crate) const NONCE: usize = 12;
pub(crate) const TAG: usize = 16;

pub(crate) struct Cipher {
    pub(crate) id: u8,
    pub(crate) key: LessSafeKey,
}

impl Cipher {
    pub(crate) fn new(id: u8, key: &[u8; 32]) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, key).ok()?;
        Some(Cipher {
            id,
            key: LessSafeKey::new(key),
        })
    }

    pub(crate) fn aad(&self, place: AssociatedData<'_>) -> Aad<Vec<u8>> {
        Aad::from(framed(
            place.table.as_bytes(),
            &[place.column.as_bytes(), place.row, &[self.id]],
        ))
    }

    pub(crate) fn seal(&self, place: AssociatedData<'_>, plain: &[u8], environment: &Environment) -> Vec<u8> {
        let nonce = environment.bytes::<NONCE>();
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
            Err(_) => abort_process("AES-256-GCM-SIV refused to encrypt"),
        }
        sealed
    }

    pub(crate) fn open(&self, place: AssociatedData<'_>, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
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

/// Computes fingerprints under one key.
pub struct Fingerprinter {
    version: u8,
    key: hmac::Key,
}

impl Fingerprinter {
    pub(crate) fn new(version: u8, key: &Secret) -> Self {
        Fingerprinter {
            version,
            key: hmac::Key::new(hmac::HMAC_SHA256, &*key.0),
        }
    }

    /// The fingerprint of a value, to store and to look up.
    pub fn fingerprint(&self, kind: FingerprintKind, value: &str) -> Fingerprint {
        self.truncated_mac(kind.label(), value)
    }

    /// The key's id; not secret.
    pub fn key_id(&self) -> Fingerprint {
        self.truncated_mac(b"check", "")
    }

    fn truncated_mac(&self, label: &[u8], value: &str) -> Fingerprint {
        let mac = hmac::sign(&self.key, &framed(label, &[value.as_bytes()]));
        let mut bytes = [self.version; 17];
        bytes[1..].copy_from_slice(&mac.as_ref()[..16]);
        Fingerprint(bytes)
    }
}
