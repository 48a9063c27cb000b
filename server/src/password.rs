//! Password hashes as other systems wrote them. A hash of no known scheme fits nothing.

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version, password_hash::phc::PasswordHash,
};
use aws_lc_rs::{constant_time, digest, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::thread::available_parallelism;
use tokio::sync::Semaphore;

/// More rounds than any system asks for: a hash in a file must not stop the server.
const MOST_ROUNDS: u32 = 2_000_000;

/// What an unknown user name costs: as much as most right ones, so that the time tells nothing.
pub const NOBODY: &str = "$pbkdf2-sha256$29000$bm9ib2R5LW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// As many passwords are hashed at once as there are processors: each takes 19 MiB and more.
static AT_ONCE: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, usize::from)));

/// Does such work beside the other requests, in its turn. `None`: it panicked.
pub async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let turn = AT_ONCE.acquire().await.ok()?;
    let done = tokio::task::spawn_blocking(work).await.ok();
    drop(turn);
    done
}

/// Does the password fit the hash? Knows PHC strings of Argon2, scrypt and PBKDF2, passlib's and Django's PBKDF2, bcrypt, and
/// LDAP's salted SHA (RFC 2307).
pub fn fits(password: &str, hash: &str) -> bool {
    if hash.starts_with("$argon2") {
        let parsed = PasswordHash::new(hash);
        return parsed.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    }
    if hash.starts_with("$scrypt$") {
        return scrypt_fits(password, hash).unwrap_or(false);
    }
    if hash.starts_with("$2") {
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    if hash.starts_with('{') {
        return salted_sha(password, hash).unwrap_or(false);
    }
    pbkdf2_fits(password, hash).unwrap_or(false)
}

/// Kilobytes, rounds and lanes of the scheme in use: OWASP's smallest for Argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// Is it a hash of the scheme in use?
pub fn is_current(hash: &str) -> bool {
    hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
}

/// The password's hash by the scheme in use, a PHC string. `salt`: bytes that nobody can foretell.
pub fn hashed(password: &str, salt: &[u8; 16]) -> Option<String> {
    let (memory, rounds, lanes) = COST;
    let params = Params::new(memory, rounds, lanes, None).ok()?;
    let scheme = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = scheme.hash_password_with_salt(password.as_bytes(), salt).ok()?;
    Some(hash.to_string())
}

/// Base64 as hashes have it: with or without padding, passlib's `.` for `+`.
fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD
        .decode(text.trim_end_matches('=').replace('.', "+"))
        .ok()
}

/// A parameter of `ln=15,r=8,p=1`.
fn parameter(list: &str, name: &str) -> Option<u32> {
    let mut all = list.split(',').filter_map(|one| one.split_once('='));
    all.find(|(key, _)| *key == name)?.1.parse().ok()
}

fn scrypt_fits(password: &str, hash: &str) -> Option<bool> {
    let [_, _, list, salt, kept] = hash.split('$').collect::<Vec<_>>().try_into().ok()?;
    let log_n = u8::try_from(parameter(list, "ln")?).ok().filter(|ln| *ln <= 20)?;
    let (r, p) = (parameter(list, "r")?, parameter(list, "p")?);
    if r > 32 || p > 16 {
        return None;
    }
    let params = scrypt::Params::new(log_n, r, p).ok()?;
    let kept = bytes(kept)?;
    let mut made = vec![0; kept.len()];
    scrypt::scrypt(password.as_bytes(), &bytes(salt)?, &params, &mut made).ok()?;
    Some(constant_time::verify_slices_are_equal(&made, &kept).is_ok())
}

/// `$pbkdf2-sha256$29000$salt$hash` (passlib), `$pbkdf2-sha256$i=29000,l=32$salt$hash` (PHC), `pbkdf2_sha256$29000$salt$hash`
/// (Django, whose salt is text).
fn pbkdf2_fits(password: &str, hash: &str) -> Option<bool> {
    let (list, salt, kept) = if let Some(rest) = hash.strip_prefix("pbkdf2_sha256$") {
        let [rounds, salt, kept] = rest.split('$').collect::<Vec<_>>().try_into().ok()?;
        (rounds, salt.as_bytes().to_vec(), kept)
    } else {
        let rest = hash.strip_prefix("$pbkdf2-sha256$")?;
        let [list, salt, kept] = rest.split('$').collect::<Vec<_>>().try_into().ok()?;
        (list, bytes(salt)?, kept)
    };
    let rounds = list.parse().ok().or_else(|| parameter(list, "i"))?;
    let rounds = NonZeroU32::new(rounds).filter(|rounds| rounds.get() <= MOST_ROUNDS)?;
    let kept = bytes(kept)?;
    Some(pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &kept).is_ok())
}

/// `{SSHA}`, `{SSHA256}`, `{SSHA512}`: base64 of the digest of password and salt, then the salt.
fn salted_sha(password: &str, hash: &str) -> Option<bool> {
    let (scheme, rest) = hash.strip_prefix('{')?.split_once('}')?;
    let algorithm = match scheme.to_ascii_uppercase().as_str() {
        "SSHA" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "SSHA256" => &digest::SHA256,
        "SSHA512" => &digest::SHA512,
        _ => return None,
    };
    let kept = STANDARD.decode(rest).ok().or_else(|| bytes(rest))?;
    let (sum, salt) = kept.split_at_checked(algorithm.output_len())?;
    let mut context = digest::Context::new(algorithm);
    context.update(password.as_bytes());
    context.update(salt);
    Some(constant_time::verify_slices_are_equal(context.finish().as_ref(), sum).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each scheme of the sample: the password of an account with a hash is `Hue-` and its id.
    #[test]
    fn every_scheme_of_the_sample_is_read() {
        let mut schemes = std::collections::BTreeMap::<String, u32>::new();
        for file in ["citizens.csv", "officials.csv"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../fixtures/sample")
                .join(file);
            let mut reader = csv::Reader::from_path(path).unwrap();
            let head = reader.headers().unwrap().clone();
            let at = head.iter().position(|name| name == "password_hash").unwrap();
            for row in reader.records() {
                let row = row.unwrap();
                let (Some(account), Some(hash)) = (row.get(0), row.get(at).filter(|hash| !hash.is_empty())) else {
                    continue;
                };
                let scheme = hash.split(['$', '}']).find(|part| !part.is_empty()).unwrap().to_owned();
                let seen = schemes.entry(scheme).or_default();
                if *seen < 2 {
                    assert!(fits(&format!("Hue-{account}"), hash), "{account}: {hash}");
                    assert!(!fits(&format!("Hue-{account} "), hash), "{account}: {hash}");
                }
                *seen += 1;
            }
        }
        assert!(schemes.len() >= 5, "{schemes:?}");
    }

    #[test]
    fn what_is_hashed_anew_fits() {
        let hash = hashed("Hue-1", &[7; 16]).unwrap();
        assert!(is_current(&hash), "{hash}");
        assert!(fits("Hue-1", &hash) && !fits("Hue-2", &hash));
    }

    #[test]
    fn garbage_fits_nothing() {
        let endless = "$pbkdf2-sha256$4000000000$c2FsdA$AAAA";
        for hash in [
            "",
            "x",
            "$",
            "$2b$",
            "$argon2id$v=19$",
            "{SSHA}",
            "{SSHA}!",
            "{MD5}AAAA",
            "$scrypt$ln=63,r=8,p=1$AA$AA",
            endless,
            NOBODY,
        ] {
            assert!(!fits("", hash), "{hash}");
        }
    }
}
