//! The keys of one age that authenticate.

use crate::crypto::keyring::contents::Contents;
use crate::crypto::keyring::secret::Secret;
use crate::crypto::keyring::types::KeyError;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use std::sync::Arc;

/// The age of an authentication key, counted from the oldest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Age(pub(crate) usize);

/// The authentication keys of one age. aws-lc wipes its own copies.
pub(crate) struct Voucher {
    /// The version of fingerprints from which they are in use.
    pub(crate) from: u8,
    pub(crate) key: hmac::Key,
    pub(crate) signer: Ed25519KeyPair,
}

/// A MAC over the bytes that `framed` gives, without building them.
pub(crate) fn tag(key: &hmac::Key, purpose: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in std::iter::once(&purpose).chain(parts) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut tag = [0; 32];
    tag.copy_from_slice(context.sign().as_ref());
    tag
}

impl Voucher {
    /// The keys of all ages, the oldest first.
    pub(crate) fn all(contents: &Contents) -> Result<Vec<Arc<Self>>, KeyError> {
        let signer = |seed: &[u8; 32]| {
            Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Refused {
                why: "the checkpoint key is none",
            })
        };
        let key = |secret: &Secret| hmac::Key::new(hmac::HMAC_SHA256, &*secret.0);
        let mut all = vec![Arc::new(Self {
            from: 0,
            key: key(&contents.mac),
            signer: signer(&contents.checkpoint_seed.0)?,
        })];
        for (from, secret) in &contents.vouching {
            let key = key(secret);
            let signer = signer(&tag(&key, b"checkpoint seed", &[]))?;
            all.push(Arc::new(Self {
                from: *from,
                key,
                signer,
            }));
        }
        Ok(all)
    }
}
