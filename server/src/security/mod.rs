//! What proves who somebody is, and signs tokens: passwords, one-time codes, passkeys, keys.

pub mod password;
pub mod token_signer;
pub mod totp;
pub mod webauthn;

pub use token_signer::Signer;
