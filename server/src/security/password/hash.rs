//! The parser of password hashes of all supported schemes.

use super::current::{CURRENT, hashed_bytes};
use super::memory::hash_into;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{constant_time, digest, pbkdf2};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD, STANDARD_NO_PAD};
use base64::{Engine as _, alphabet};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

/// The bound on the work of a hash, in microseconds, roughly. No real system needs more, and a hash in a file must not stall the server.
const MOST_WORK: u64 = 3_000_000;
/// The bound on the memory of a hash, in KiB. No real system needs more.
const MOST_MEMORY: u64 = 256 * 1024;
/// The permitted lengths of a hash, in bytes. A short one would match many passwords, an empty one all.
const LENGTH: RangeInclusive<usize> = 16..=64;

/// A parsed hash, whose work and memory are within bounds.
pub struct Hash {
    scheme: Scheme,
    kept: Vec<u8>,
    work: u64,
}

enum Scheme {
    Argon2(Box<Argon2Hash>),
    Bcrypt {
        cost: u32,
        salt: [u8; 16],
    },
    Pbkdf2 {
        rounds: NonZeroU32,
        salt: Vec<u8>,
    },
    Scrypt {
        params: scrypt::Params,
        salt: Vec<u8>,
    },
    Sha {
        algorithm: &'static digest::Algorithm,
        salt: Vec<u8>,
    },
    /// The output of the first scheme, hashed by the second, which is ours.
    Wrapped(Box<Hash>, Box<Hash>),
}

struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
}

/// Whether no password can ever match it here: its scheme is unknown, or it takes more work or memory than a sign-in may.
pub fn is_useless(text: &str) -> bool {
    Hash::parse(text).is_none()
}

/// The work of a hash in microseconds and its memory in KiB, roughly.
type Cost = (u64, u64);
/// A scheme with its parameters, the hash, and its cost.
type Read = (Scheme, Vec<u8>, Cost);

/// The prefix of another system's hash whose value was hashed by ours: its text with the value set to zeros, and then our hash.
const WRAPPED: &str = "$wrapped$";

impl Hash {
    /// Parses a hash of any supported scheme.
    pub fn parse(text: &str) -> Option<Self> {
        Self::within(text, MOST_WORK)
    }

    /// Parses a hash whose work is within that bound.
    pub fn within(text: &str, most_work: u64) -> Option<Self> {
        if let Some(rest) = text.strip_prefix(WRAPPED) {
            let (inner, outer) = rest.split_at(rest.rfind(CURRENT)?);
            let [inner, outer] = [Self::plain(inner, most_work)?, Self::plain(outer, MOST_WORK)?];
            return Some(Self {
                kept: outer.kept.clone(),
                work: inner.work + outer.work,
                scheme: Scheme::Wrapped(Box::new(inner), Box::new(outer)),
            });
        }
        Self::plain(text, most_work)
    }

    fn plain(text: &str, most_work: u64) -> Option<Self> {
        let (scheme, kept, (work, memory)) = if text.starts_with("$argon2") {
            argon2_hash(text)?
        } else if text.starts_with("$scrypt$") {
            scrypt_hash(text)?
        } else if text.starts_with("$2") {
            bcrypt_hash(text)?
        } else if text.starts_with('{') {
            sha_hash(text)?
        } else {
            pbkdf2_hash(text)?
        };
        (work <= most_work && memory <= MOST_MEMORY).then_some(Self { scheme, kept, work })
    }

    /// Its work in microseconds, roughly.
    pub fn work(&self) -> u64 {
        self.work
    }

    /// Whether the password matches.
    pub fn fits(&self, password: &str) -> bool {
        let made = self.made_of(password.as_bytes());
        made.is_some_and(|made| constant_time::verify_slices_are_equal(&made, &self.kept).is_ok())
    }

    /// The scheme's output for the password, as long as the stored value.
    fn made_of(&self, password: &[u8]) -> Option<Vec<u8>> {
        let mut made = vec![0; self.kept.len()];
        match &self.scheme {
            Scheme::Argon2(of) => {
                let scheme = Argon2::new(of.algorithm, of.version, of.params.clone());
                hash_into(&scheme, password, &of.salt, &mut made)?;
            }
            Scheme::Bcrypt { cost, salt } => {
                let parts = bcrypt::hash_with_salt(password, *cost, *salt).ok()?;
                made = bcrypt_value(&parts.format_for_version(bcrypt::Version::TwoB))?;
            }
            Scheme::Pbkdf2 { rounds, salt } => {
                pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, *rounds, salt, password, &mut made);
            }
            Scheme::Scrypt { params, salt } => scrypt::scrypt(password, salt, params, &mut made).ok()?,
            Scheme::Sha { algorithm, salt } => {
                let mut context = digest::Context::new(algorithm);
                context.update(password);
                context.update(salt);
                made = context.finish().as_ref().to_vec();
            }
            Scheme::Wrapped(inner, outer) => made = outer.made_of(&inner.made_of(password)?)?,
        }
        Some(made)
    }
}

/// Wraps a hash of another system: its text without the value, and our hash of the value. `None` if it is ours already or cannot be parsed.
pub fn wrapped(text: &str, salt: &[u8; 16]) -> Option<String> {
    if text.starts_with(CURRENT) || text.starts_with(WRAPPED) {
        return None;
    }
    let hash = Hash::parse(text)?;
    let zeros = vec![0; hash.kept.len()];
    let emptied = match &hash.scheme {
        Scheme::Sha { salt, .. } => {
            let (scheme, _) = text.split_once('}')?;
            format!("{scheme}}}{}", STANDARD.encode([&zeros[..], salt].concat()))
        }
        Scheme::Bcrypt { .. } => format!("{}{}", text.get(..BCRYPT_VALUE)?, BCRYPT.encode(zeros)),
        _ => {
            let (before, _) = text.rsplit_once('$')?;
            format!("{before}${}", STANDARD_NO_PAD.encode(zeros))
        }
    };
    Some(format!("{WRAPPED}{emptied}{}", hashed_bytes(&hash.kept, salt)?))
}

/// Decodes the base64 of hashes: with or without padding, and with passlib's `.` for `+`.
fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD
        .decode(text.trim_end_matches('=').replace('.', "+"))
        .ok()
}

/// The value of a hash, which comes last.
fn kept(text: &str) -> Option<Vec<u8>> {
    bytes(text).filter(|kept| LENGTH.contains(&kept.len()))
}

/// A parameter of a list such as `ln=15,r=8,p=1`.
fn parameter(list: &str, name: &str) -> Option<u32> {
    let mut all = list.split(',').filter_map(|one| one.split_once('='));
    all.find(|(key, _)| *key == name)?.1.parse().ok()
}

fn argon2_hash(text: &str) -> Option<Read> {
    let hash = PasswordHash::new(text).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let memory = u64::from(params.m_cost());
    let work = memory.saturating_mul(params.t_cost().into());
    let version = hash.version.map(Version::try_from).transpose().ok()?;
    let read = Argon2Hash {
        algorithm: Algorithm::try_from(hash.algorithm.as_str()).ok()?,
        version: version.unwrap_or_default(),
        params,
        salt: hash.salt.as_ref()?.to_vec(),
    };
    let kept = hash.hash.as_ref()?.as_bytes().to_vec();
    Some((Scheme::Argon2(Box::new(read)), kept, (work, memory)))
}

/// Bcrypt's base64; some implementations set other bits beyond the last byte.
const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));
/// Where the value begins in a bcrypt hash.
const BCRYPT_VALUE: usize = 29;

fn bcrypt_value(text: &str) -> Option<Vec<u8>> {
    BCRYPT.decode(text.get(BCRYPT_VALUE..)?).ok()
}

fn bcrypt_hash(text: &str) -> Option<Read> {
    let parts: bcrypt::HashParts = text.parse().ok()?;
    let (cost, salt) = (parts.get_cost(), parts.get_salt_raw());
    let kept = bcrypt_value(text).filter(|kept| LENGTH.contains(&kept.len()))?;
    let work = (cost < 32).then(|| 50 << cost)?;
    Some((Scheme::Bcrypt { cost, salt }, kept, (work, 4)))
}

fn scrypt_hash(text: &str) -> Option<Read> {
    let [_, _, list, salt, hash] = text.split('$').collect::<Vec<_>>().try_into().ok()?;
    let log_n = u8::try_from(parameter(list, "ln")?).ok().filter(|ln| *ln <= 20)?;
    let (r, p) = (parameter(list, "r")?, parameter(list, "p")?);
    if r > 32 || p > 16 {
        return None;
    }
    let (salt, kept) = (bytes(salt)?, kept(hash)?);
    let params = scrypt::Params::new(log_n, r, p).ok()?;
    let blocks = u64::from(r) << log_n;
    let cost = (blocks * u64::from(p) / 2, blocks / 8);
    Some((Scheme::Scrypt { params, salt }, kept, cost))
}

/// `$pbkdf2-sha256$29000$salt$hash` (passlib), `$pbkdf2-sha256$i=29000,l=32$salt$hash` (PHC), `pbkdf2_sha256$29000$salt$hash` (Django,
/// whose salt is text).
fn pbkdf2_hash(text: &str) -> Option<Read> {
    let (list, salt, hash) = if let Some(rest) = text.strip_prefix("pbkdf2_sha256$") {
        let [rounds, salt, hash] = rest.split('$').collect::<Vec<_>>().try_into().ok()?;
        (rounds, salt.as_bytes().to_vec(), hash)
    } else {
        let rest = text.strip_prefix("$pbkdf2-sha256$")?;
        let [list, salt, hash] = rest.split('$').collect::<Vec<_>>().try_into().ok()?;
        (list, bytes(salt)?, hash)
    };
    let rounds: NonZeroU32 = list.parse().ok().or_else(|| NonZeroU32::new(parameter(list, "i")?))?;
    let work = u64::from(rounds.get()) * 2 / 5;
    let kept = kept(hash)?;
    Some((Scheme::Pbkdf2 { rounds, salt }, kept, (work, 1)))
}

/// `{SSHA}`, `{SSHA256}`, `{SSHA512}`: base64 of the digest of password and salt, then the salt.
fn sha_hash(text: &str) -> Option<Read> {
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
    Some((Scheme::Sha { algorithm, salt }, kept, (1, 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each scheme of the corpus of `fuzz/`, with little work.
    #[test]
    fn corpus_password_hashes_are_parsed() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/passwords");
        let (mut files, mut fit) = (0, 0);
        for file in std::fs::read_dir(corpus).unwrap() {
            let text = String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()).into_owned();
            files += 1;
            fit += u32::from(Hash::within(&text, 100_000).is_some_and(|hash| hash.fits("Hue-1")));
        }
        assert!(files > 10 && fit >= 6, "{fit} of {files}");
    }

    /// For every scheme, a wrapped hash matches the same password and no other, and the stored value is gone.
    #[test]
    fn wrapped_hash_matches_same_password_only() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/passwords");
        let mut schemes = std::collections::BTreeSet::new();
        for file in std::fs::read_dir(corpus).unwrap() {
            let text = String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()).into_owned();
            let text = text.trim_end();
            let Some(hash) = Hash::within(text, 100_000).filter(|hash| hash.fits("Hue-1")) else {
                continue;
            };
            let Some(wrapped) = wrapped(text, &[7; 16]) else {
                assert!(text.starts_with(CURRENT), "{text}");
                continue;
            };
            let read = Hash::parse(&wrapped).unwrap();
            assert!(read.fits("Hue-1") && !read.fits("Hue-2") && !read.fits(""), "{wrapped}");
            assert!(read.work() > hash.work());
            let Hash { scheme, .. } = &read;
            let Scheme::Wrapped(inner, _) = scheme else { panic!() };
            assert!(inner.kept.iter().all(|byte| *byte == 0) && !inner.fits("Hue-1"));
            assert!(crate::security::password::wrapped(&wrapped, &[7; 16]).is_none());
            schemes.insert(text.split(['$', '}']).find(|part| !part.is_empty()).unwrap().to_owned());
        }
        assert!(schemes.len() >= 5, "{schemes:?}");
    }

    /// A hash whose parameters would exhaust the server matches no password.
    #[test]
    fn excessively_expensive_hash_matches_nothing() {
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
