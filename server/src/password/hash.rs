//! A password hash read, by whatever system wrote it.

use super::memory::hash_into;
use super::{CURRENT, hashed_bytes};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{constant_time, digest, pbkdf2};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD, STANDARD_NO_PAD};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

/// More work than any system asks for, in microseconds, roughly: a hash in a file must not stop the server.
const MOST_WORK: u64 = 3_000_000;
/// More memory than any system asks for, in KiB.
const MOST_MEMORY: u64 = 256 * 1024;
/// How long a hash is, in bytes. A short one would fit many passwords, an empty one all.
const LENGTH: RangeInclusive<usize> = 16..=64;

/// A hash that was read: its work and memory are within bounds.
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
    /// What the first makes of a password, hashed by the second, which is ours.
    Wrapped(Box<Hash>, Box<Hash>),
}

struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
}

/// Can no password ever be compared with it here? It is of no known scheme, or takes more work or memory than a sign-in may.
pub fn is_useless(text: &str) -> bool {
    Hash::parse(text).is_none()
}

/// Work of a hash in microseconds and its memory in KiB, roughly.
type Cost = (u64, u64);
/// A scheme with its parameters, the hash, and what it costs.
type Read = (Scheme, Vec<u8>, Cost);

/// How a hash of another system begins whose value was hashed by ours: its text, the value made zeros, and then ours.
const WRAPPED: &str = "$wrapped$";

impl Hash {
    /// Reads a hash of any known scheme.
    pub fn parse(text: &str) -> Option<Self> {
        Self::within(text, MOST_WORK)
    }

    /// Reads one whose work is within that bound.
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

    /// Does the password fit?
    pub fn fits(&self, password: &str) -> bool {
        let made = self.made_of(password.as_bytes());
        made.is_some_and(|made| constant_time::verify_slices_are_equal(&made, &self.kept).is_ok())
    }

    /// What the scheme makes of it, as long as what is kept.
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

/// The text of a hash of another system, and its value hashed by ours beside it; the value itself is gone. `None`: it is ours already, or is
/// no hash that is read.
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

/// As bcrypt writes bytes; some write other bits beyond the last byte.
const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));
/// Where the value begins in a hash of bcrypt.
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

/// `$pbkdf2-sha256$29000$salt$hash` (passlib), `$pbkdf2-sha256$i=29000,l=32$salt$hash` (PHC), `pbkdf2_sha256$29000$salt$hash`
/// (Django, whose salt is text).
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

    /// Of every scheme, what is wrapped fits the same password and no other, and the value that was kept is gone.
    #[test]
    fn what_is_wrapped_fits() {
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
            assert!(super::wrapped(&wrapped, &[7; 16]).is_none());
            schemes.insert(text.split(['$', '}']).find(|part| !part.is_empty()).unwrap().to_owned());
        }
        assert!(schemes.len() >= 5, "{schemes:?}");
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
