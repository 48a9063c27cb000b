//! Password hashes as other systems wrote them. A hash of no known scheme fits nothing.

mod hash;
mod memory;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hash::Hash;
use std::sync::LazyLock;
use std::thread::available_parallelism;
use tokio::sync::Semaphore;

/// What an unknown user name costs: as much as most right ones, so that the time tells nothing.
pub const NOBODY: &str = "$pbkdf2-sha256$29000$bm9ib2R5LW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// No more passwords than that are hashed at once, however many processors there are: each keeps 19 MiB, and the others answer.
const MOST_AT_ONCE: usize = 4;

/// As many passwords are hashed at once as there are processors.
static AT_ONCE: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = available_parallelism().map_or(1, usize::from);
    Semaphore::new(processors.min(MOST_AT_ONCE))
});

/// Does such work beside the other requests, in its turn. `None`: it panicked.
pub async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let turn = AT_ONCE.acquire().await.ok()?;
    // The turn ends with the work, also when whoever asked has gone away meanwhile.
    let work = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.ok()
}

/// Does the password fit the hash? Knows PHC strings of Argon2, scrypt and PBKDF2, passlib's and Django's PBKDF2, bcrypt, and
/// LDAP's salted SHA (RFC 2307).
pub fn fits(password: &str, hash: &str) -> bool {
    Hash::parse(hash).is_some_and(|hash| hash.fits(password))
}

/// Kilobytes, rounds and lanes of the scheme in use: OWASP's smallest for Argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);
/// How its PHC strings begin.
const CURRENT: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// Is it a hash of the scheme in use?
pub fn is_current(hash: &str) -> bool {
    hash.starts_with(CURRENT)
}

/// The password's hash by the scheme in use, a PHC string. `salt`: bytes that nobody can foretell.
pub fn hashed(password: &str, salt: &[u8; 16]) -> Option<String> {
    let (memory, rounds, lanes) = COST;
    let params = Params::new(memory, rounds, lanes, None).ok()?;
    let scheme = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut made = [0; Params::DEFAULT_OUTPUT_LEN];
    memory::hash_into(&scheme, password.as_bytes(), salt, &mut made)?;
    let [salt, made] = [&salt[..], &made].map(|bytes| STANDARD_NO_PAD.encode(bytes));
    Some(format!("{CURRENT}{salt}${made}"))
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

    /// What was left in the memory by a hash of other parameters does not matter, and the library says the same of our hashes.
    #[test]
    fn memory_is_used_again() {
        use argon2::{PasswordHasher as _, PasswordVerifier as _};
        for (n, algorithm) in [
            (1, Algorithm::Argon2i),
            (2, Algorithm::Argon2d),
            (3, Algorithm::Argon2id),
        ] {
            for version in [Version::V0x10, Version::V0x13] {
                let other = Argon2::new(algorithm, version, Params::new(64 * n, n, n, Some(24)).unwrap());
                let other = other.hash_password_with_salt(b"Hue-1", &[7; 16]).unwrap().to_string();
                assert!(fits("Hue-1", &other) && !fits("Hue-2", &other), "{other}");
                let ours = hashed("Hue-1", &[7; 16]).unwrap();
                assert!(Argon2::default().verify_password(b"Hue-1", &*ours).is_ok(), "{ours}");
                assert!(fits("Hue-1", &ours) && !fits("Hue-2", &ours));
            }
        }
    }

    #[test]
    fn garbage_fits_nothing() {
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
            "$scrypt$ln=4,r=8,p=1$AA$",
            "$pbkdf2-sha256$1$AA$",
            "{SSHA}====",
            NOBODY,
        ] {
            assert!(!fits("", hash), "{hash}");
        }
    }
}
