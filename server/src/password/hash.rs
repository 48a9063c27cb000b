//! A password hash read, by whatever system wrote it.

use super::memory::hash_into;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{constant_time, digest, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

/// More work than any system asks for, in microseconds, roughly: a hash in a file must not stop the server.
const MOST_WORK: u64 = 3_000_000;
/// More memory than any system asks for, in KiB.
const MOST_MEMORY: u64 = 256 * 1024;
/// How long a hash is, in bytes. A short one would fit many passwords, an empty one all.
const LENGTH: RangeInclusive<usize> = 16..=64;

/// A hash that was read: its work and memory are within bounds.
pub enum Hash<'h> {
    Argon2(Box<PasswordHash>),
    Bcrypt(&'h str),
    Pbkdf2 {
        rounds: NonZeroU32,
        salt: Vec<u8>,
        kept: Vec<u8>,
    },
    Scrypt {
        params: scrypt::Params,
        salt: Vec<u8>,
        kept: Vec<u8>,
    },
    Sha {
        algorithm: &'static digest::Algorithm,
        salt: Vec<u8>,
        kept: Vec<u8>,
    },
}

/// Work of a hash in microseconds and its memory in KiB, roughly.
type Cost = (u64, u64);

impl<'h> Hash<'h> {
    /// Reads a hash of any known scheme.
    pub fn parse(text: &'h str) -> Option<Self> {
        Self::within(text, MOST_WORK)
    }

    /// Reads one whose work is within that bound.
    pub fn within(text: &'h str, most_work: u64) -> Option<Self> {
        let (hash, (work, memory)) = if text.starts_with("$argon2") {
            argon2_hash(text)?
        } else if text.starts_with("$scrypt$") {
            scrypt_hash(text)?
        } else if text.starts_with("$2") {
            bcrypt_hash(text)?
        } else if text.starts_with('{') {
            (sha_hash(text)?, (1, 1))
        } else {
            pbkdf2_hash(text)?
        };
        (work <= most_work && memory <= MOST_MEMORY).then_some(hash)
    }

    /// Does the password fit?
    pub fn fits(&self, password: &str) -> bool {
        let password = password.as_bytes();
        match self {
            Self::Argon2(hash) => argon2_fits(hash, password).unwrap_or(false),
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Pbkdf2 { rounds, salt, kept } => {
                pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, *rounds, salt, password, kept).is_ok()
            }
            Self::Scrypt { params, salt, kept } => {
                let mut made = vec![0; kept.len()];
                let done = scrypt::scrypt(password, salt, params, &mut made);
                done.is_ok() && constant_time::verify_slices_are_equal(&made, kept).is_ok()
            }
            Self::Sha { algorithm, salt, kept } => {
                let mut context = digest::Context::new(algorithm);
                context.update(password);
                context.update(salt);
                constant_time::verify_slices_are_equal(context.finish().as_ref(), kept).is_ok()
            }
        }
    }
}

/// Base64 as hashes have it: with or without padding, passlib's `.` for `+`.
fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD
        .decode(text.trim_end_matches('=').replace('.', "+"))
        .ok()
}

/// The hash itself, which stands last.
fn kept(text: &str) -> Option<Vec<u8>> {
    bytes(text).filter(|kept| LENGTH.contains(&kept.len()))
}

/// A parameter of `ln=15,r=8,p=1`.
fn parameter(list: &str, name: &str) -> Option<u32> {
    let mut all = list.split(',').filter_map(|one| one.split_once('='));
    all.find(|(key, _)| *key == name)?.1.parse().ok()
}

fn argon2_hash(text: &str) -> Option<(Hash<'_>, Cost)> {
    let hash = PasswordHash::new(text).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let memory = u64::from(params.m_cost());
    let work = memory.saturating_mul(params.t_cost().into());
    Some((Hash::Argon2(Box::new(hash)), (work, memory)))
}

fn argon2_fits(hash: &PasswordHash, password: &[u8]) -> Option<bool> {
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash.version.map(Version::try_from).transpose().ok()?;
    let params = Params::try_from(hash).ok()?;
    let scheme = Argon2::new(algorithm, version.unwrap_or_default(), params);
    let (salt, kept) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
    let mut made = vec![0; kept.len()];
    hash_into(&scheme, password, salt, &mut made)?;
    Some(constant_time::verify_slices_are_equal(&made, kept.as_bytes()).is_ok())
}

fn bcrypt_hash(text: &str) -> Option<(Hash<'_>, Cost)> {
    let cost: Option<u32> = text.split('$').nth(2)?.parse().ok();
    let cost = cost.filter(|cost| *cost < 32)?;
    Some((Hash::Bcrypt(text), (50 << cost, 4)))
}

fn scrypt_hash(text: &str) -> Option<(Hash<'_>, Cost)> {
    let [_, _, list, salt, hash] = text.split('$').collect::<Vec<_>>().try_into().ok()?;
    let log_n = u8::try_from(parameter(list, "ln")?).ok().filter(|ln| *ln <= 20)?;
    let (r, p) = (parameter(list, "r")?, parameter(list, "p")?);
    if r > 32 || p > 16 {
        return None;
    }
    let (salt, kept) = (bytes(salt)?, kept(hash)?);
    let params = scrypt::Params::new(log_n, r, p).ok()?;
    let blocks = u64::from(r) << log_n;
    Some((
        Hash::Scrypt { params, salt, kept },
        (blocks * u64::from(p) / 2, blocks / 8),
    ))
}

/// `$pbkdf2-sha256$29000$salt$hash` (passlib), `$pbkdf2-sha256$i=29000,l=32$salt$hash` (PHC), `pbkdf2_sha256$29000$salt$hash`
/// (Django, whose salt is text).
fn pbkdf2_hash(text: &str) -> Option<(Hash<'_>, Cost)> {
    let (list, salt, hash) = if let Some(rest) = text.strip_prefix("pbkdf2_sha256$") {
        let [rounds, salt, hash] = rest.split('$').collect::<Vec<_>>().try_into().ok()?;
        (rounds, salt.as_bytes().to_vec(), hash)
    } else {
        let rest = text.strip_prefix("$pbkdf2-sha256$")?;
        let [list, salt, hash] = rest.split('$').collect::<Vec<_>>().try_into().ok()?;
        (list, bytes(salt)?, hash)
    };
    let rounds: NonZeroU32 = list.parse().ok().or_else(|| NonZeroU32::new(parameter(list, "i")?))?;
    let work = u64::from(rounds.get());
    let kept = kept(hash)?;
    Some((Hash::Pbkdf2 { rounds, salt, kept }, (work, 1)))
}

/// `{SSHA}`, `{SSHA256}`, `{SSHA512}`: base64 of the digest of password and salt, then the salt.
fn sha_hash(text: &str) -> Option<Hash<'_>> {
    let (scheme, rest) = text.strip_prefix('{')?.split_once('}')?;
    let algorithm = match scheme.to_ascii_uppercase().as_str() {
        "SSHA" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "SSHA256" => &digest::SHA256,
        "SSHA512" => &digest::SHA512,
        _ => return None,
    };
    let all = STANDARD.decode(rest).ok().or_else(|| bytes(rest))?;
    let (kept, salt) = all.split_at_checked(algorithm.output_len())?;
    let (kept, salt) = (kept.to_vec(), salt.to_vec());
    Some(Hash::Sha { algorithm, salt, kept })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each scheme of the corpus of `fuzz/`, which is of little work.
    #[test]
    fn the_corpus_is_read() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/passwords");
        let (mut files, mut fit) = (0, 0);
        for file in std::fs::read_dir(corpus).unwrap() {
            let text = String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()).into_owned();
            files += 1;
            fit += u32::from(Hash::within(&text, 100_000).is_some_and(|hash| hash.fits("Hue-1")));
        }
        assert!(files > 10 && fit >= 6, "{fit} of {files}");
    }

    #[test]
    fn what_would_stop_the_server_fits_nothing() {
        let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for endless in [
            format!("$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ${hash}"),
            format!("$argon2id$v=19$m=65536,t=4294967295,p=1$c2FsdHNhbHQ${hash}"),
            format!("$scrypt$ln=20,r=32,p=1$c2FsdA${hash}"),
            format!("$scrypt$ln=14,r=8,p=4294967295$c2FsdA${hash}"),
            format!("$pbkdf2-sha256$4000000000$c2FsdA${hash}"),
            format!("$pbkdf2-sha256$29000$c2FsdA${}", hash.repeat(1000)),
            "$2b$31$abcdefghijklmnopqrstuuD4.p3XOPNZfJ4dMrVDFBZkxmrH2qTuS".to_owned(),
        ] {
            assert!(Hash::parse(&endless).is_none(), "{endless}");
        }
    }
}
