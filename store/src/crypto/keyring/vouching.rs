//! Keys that authenticate, by age: MACs and signatures.

use crate::crypto::keyring::Keyring;
use crate::crypto::keyring::voucher::{Age, Voucher, tag};
use aws_lc_rs::constant_time;
use aws_lc_rs::signature::KeyPair as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Keyring {
    /// The age of the authentication keys for that version of fingerprints.
    pub(crate) fn age_of(&self, version: u8) -> Age {
        let latest = self.latest();
        Age(latest
            .vouchers
            .iter()
            .rposition(|voucher| voucher.from <= version)
            .unwrap_or_default())
    }

    /// That age and all later ones.
    pub(crate) fn ages_from(&self, age: Age) -> impl Iterator<Item = Age> + use<> {
        (age.0..self.latest().vouchers.len()).map(Age)
    }

    fn voucher(&self, age: Age) -> Option<Arc<Voucher>> {
        self.latest().vouchers.get(age.0).cloned()
    }

    /// The MAC of an entry or a commit of the journal.
    pub(crate) fn journal_mac(&self, age: Age, parts: &[&[u8]]) -> [u8; 32] {
        self.vouch(age, b"mac", parts)
    }

    /// Compares `mac` with that of the parts in constant time.
    pub(crate) fn is_journal_mac(&self, age: Age, parts: &[&[u8]], mac: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.journal_mac(age, parts), mac).is_ok()
    }

    fn vouch(&self, age: Age, purpose: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        self.voucher(age)
            .map_or([0; 32], |voucher| tag(&voucher.key, purpose, parts))
    }

    /// The version of fingerprints in use.
    pub(crate) fn version_in_use(&self) -> u8 {
        self.0.in_use.load(Ordering::Relaxed)
    }

    /// Binds a row to what it grants: the version in use, then the MAC.
    pub(crate) fn bind(&self, covered: &[u8]) -> Vec<u8> {
        self.bind_under(self.version_in_use(), covered)
    }

    fn bind_under(&self, version: u8, covered: &[u8]) -> Vec<u8> {
        let mac = self.vouch(self.age_of(version), b"grant", &[covered]);
        [&[version][..], &mac].concat()
    }

    /// Verifies the result of [`Keyring::bind`] for these bytes, under the version in use or a later one that another process has brought
    /// into use.
    pub(crate) fn binds(&self, covered: &[u8], bound: &[u8]) -> bool {
        let (Some(version), in_use) = (bound.first().copied(), self.version_in_use()) else {
            return false;
        };
        if version < in_use || (version > in_use && !self.knows(version)) || !self.binds_under(version, covered, bound)
        {
            return false;
        }
        self.0.in_use.fetch_max(version, Ordering::Relaxed);
        true
    }

    /// Verifies it under exactly that version.
    pub(crate) fn binds_under(&self, version: u8, covered: &[u8], bound: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.bind_under(version, covered), bound).is_ok()
    }

    /// Whether the keyring has keys of that version, if need be after reading the file again.
    fn knows(&self, version: u8) -> bool {
        let knows = || self.latest().contents.fingerprint_latest >= version;
        knows() || (self.read_again().is_ok() && knows())
    }

    /// The MAC of what a browser sends back: HMAC-SHA256 over the parts with their lengths, under the key in use.
    pub fn ticket_mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.vouch(self.age_of(self.version_in_use()), b"ticket", parts)
    }

    /// Compares `mac` with that of the parts in constant time.
    pub fn ticket_mac_matches(&self, parts: &[&[u8]], mac: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.ticket_mac(parts), mac).is_ok()
    }

    /// The Ed25519 signature (RFC 8032) of `bytes`, under the key in use.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        if let Some(voucher) = self.voucher(self.age_of(self.version_in_use())) {
            signature.copy_from_slice(voucher.signer.sign(bytes).as_ref());
        }
        signature
    }

    /// The public half of the Ed25519 key in use.
    pub fn verifying_key(&self) -> [u8; 32] {
        self.verifying_key_of(self.age_of(self.version_in_use()))
    }

    pub(crate) fn verifying_key_of(&self, age: Age) -> [u8; 32] {
        let mut key = [0; 32];
        if let Some(voucher) = self.voucher(age) {
            key.copy_from_slice(voucher.signer.public_key().as_ref());
        }
        key
    }
}
