//! The scheme in which passwords are hashed from now on.

use super::memory::hash_into;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Memory in KiB, rounds and lanes of the current scheme: OWASP's minimum for Argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// The prefix of its PHC strings.
pub const CURRENT: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// Hashes these bytes, as a PHC string.
pub fn hashed_bytes(password: &[u8], salt: &[u8; 16]) -> Option<String> {
    let (memory, rounds, lanes) = COST;
    let params = Params::new(memory, rounds, lanes, None).ok()?;
    let scheme = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut made = [0; Params::DEFAULT_OUTPUT_LEN];
    hash_into(&scheme, password, salt, &mut made)?;
    let [salt, made] = [&salt[..], &made].map(|bytes| STANDARD_NO_PAD.encode(bytes));
    Some(format!("{CURRENT}{salt}${made}"))
}
