//! Whether a password matches a hash, and new hashes.

use crate::security::password::current::{CURRENT, hashed_bytes};
use crate::security::password::hash::Hash;
use crate::security::password::work::note_work;
use unicode_normalization::UnicodeNormalization as _;

/// The hash that is verified for an unknown user name: it costs as much as a real one, so that timing does not reveal whether a name
/// exists.
pub const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether the password matches the hash. Supports PHC strings of Argon2, scrypt and PBKDF2, passlib's and Django's PBKDF2, bcrypt, and
/// LDAP's salted SHA (RFC 2307).
pub fn verify(password: &str, hash: &str) -> bool {
    Hash::parse(hash).is_some_and(|hash| fits_written(&writings(password), &hash))
}

fn fits_written(writings: &[String], hash: &Hash) -> bool {
    writings.iter().any(|password| hash.fits(password))
}

/// The Unicode forms of one password, each once, the typed one first: `ế` is one character or up to three, depending on the keyboard, and
/// the password may have been set on another machine. A password of plain letters has one form.
fn writings(password: &str) -> Vec<String> {
    let mut all = vec![password.to_owned()];
    for other in [composed(password), password.nfc().collect(), password.nfd().collect()] {
        if !all.contains(&other) {
            all.push(other);
        }
    }
    all
}

/// The form in which a password is hashed from now on (NIST SP 800-63B-4, 3.1.1.2).
fn composed(password: &str) -> String {
    password.nfkc().collect()
}

/// Whether the password matches, in the same time for every scheme: our own hash is always computed, and the work of another scheme comes
/// on top.
pub fn fits_evenly(password: &str, hash: &str) -> bool {
    let (read, writings) = (Hash::parse(hash), writings(password));
    // Each Unicode form costs as much again.
    note_work(read.as_ref().map_or(0, Hash::work), writings.len());
    let fits = read.is_some_and(|hash| fits_written(&writings, &hash));
    if !hash.contains(CURRENT) {
        verify(password, NOBODY);
    }
    fits
}

/// Whether the hash is of the current scheme.
pub fn is_current(hash: &str) -> bool {
    hash.starts_with(CURRENT)
}

/// Hashes the password with the current scheme, as a PHC string. `salt` must be unpredictable.
pub fn hashed(password: &str, salt: &[u8; 16]) -> Option<String> {
    hashed_bytes(composed(password).as_bytes(), salt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::{Algorithm, Argon2, Params, Version};
    use aws_lc_rs::pbkdf2;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    use std::num::NonZeroU32;

    /// Every scheme of the sample: the password of an account with a hash is `Hue-` and its id.
    #[test]
    fn password_schemes_of_sample_are_verified() {
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
                    assert!(verify(&format!("Hue-{account}"), hash), "{account}: {hash}");
                    assert!(!verify(&format!("Hue-{account} "), hash), "{account}: {hash}");
                }
                *seen += 1;
            }
        }
        assert!(schemes.len() >= 5, "{schemes:?}");
    }

    /// A new hash matches its password and no other.
    #[test]
    fn new_password_hash_verifies() {
        let hash = hashed("Hue-1", &[7; 16]).unwrap();
        assert!(is_current(&hash), "{hash}");
        assert!(verify("Hue-1", &hash) && !verify("Hue-2", &hash));
    }

    /// A password matches in whichever Unicode form it was hashed, here or elsewhere, and in whichever form it is typed now.
    #[test]
    fn password_matches_in_every_unicode_form() {
        let forms: [String; 2] = ["Mật khẩu Huế đẹp".nfc().collect(), "Mật khẩu Huế đẹp".nfd().collect()];
        assert_ne!(forms[0], forms[1]);
        let mut hashes = Vec::new();
        for form in &forms {
            let mut value = [0; 32];
            pbkdf2::derive(
                pbkdf2::PBKDF2_HMAC_SHA256,
                NonZeroU32::MIN,
                &[0; 16],
                form.as_bytes(),
                &mut value,
            );
            let value = STANDARD_NO_PAD.encode(value);
            hashes.push(format!("$pbkdf2-sha256$i=1,l=32$AAAAAAAAAAAAAAAAAAAAAA${value}"));
            // As an earlier version of this program hashed it, without normalisation.
            hashes.push(hashed_bytes(form.as_bytes(), &[7; 16]).unwrap());
            hashes.push(hashed(form, &[7; 16]).unwrap());
        }
        for hash in &hashes {
            assert!(
                forms.iter().all(|form| verify(form, hash) && fits_evenly(form, hash)),
                "{hash}"
            );
            assert!(
                !verify("Mật khẩu Hue đẹp", hash) && !fits_evenly("Mật khẩu Hue đẹp", hash),
                "{hash}"
            );
        }
        // A full-width keyboard gives another form, too.
        assert!(
            verify("Ｈｕế", &hashed("Huế", &[7; 16]).unwrap()) && verify("Huế", &hashed("Ｈｕế", &[7; 16]).unwrap())
        );
        assert_eq!(writings("Hue-1"), ["Hue-1"]);
    }

    /// Memory left over from a hash with other parameters does not matter, and the library agrees with our hashes.
    #[test]
    fn reused_hash_memory_gives_correct_hashes() {
        use argon2::{PasswordHasher as _, PasswordVerifier as _};
        for (n, algorithm) in [
            (1, Algorithm::Argon2i),
            (2, Algorithm::Argon2d),
            (3, Algorithm::Argon2id),
        ] {
            for version in [Version::V0x10, Version::V0x13] {
                let other = Argon2::new(algorithm, version, Params::new(64 * n, n, n, Some(24)).unwrap());
                let other = other.hash_password_with_salt(b"Hue-1", &[7; 16]).unwrap().to_string();
                assert!(verify("Hue-1", &other) && !verify("Hue-2", &other), "{other}");
                let ours = hashed("Hue-1", &[7; 16]).unwrap();
                assert!(Argon2::default().verify_password(b"Hue-1", &*ours).is_ok(), "{ours}");
                assert!(verify("Hue-1", &ours) && !verify("Hue-2", &ours));
            }
        }
    }

    /// A malformed hash matches no password.
    #[test]
    fn malformed_password_hash_matches_nothing() {
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
            assert!(!verify("", hash), "{hash}");
        }
    }
}
