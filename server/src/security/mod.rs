//! What proves who somebody is, and signs tokens: passwords, one-time codes, passkeys, keys.

pub(crate) mod password;
pub(crate) mod token_signer;
pub(crate) mod totp;
pub(crate) mod webauthn;
