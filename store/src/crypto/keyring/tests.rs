//! Keys are never lost and never displayed, and decrypt what they encrypted only in its own place.

use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use crate::crypto::keyring::*;

const KINDS: [FingerprintKind; 6] = [
    FingerprintKind::NationalId,
    FingerprintKind::Phone,
    FingerprintKind::Username,
    FingerprintKind::EmployeeCode,
    FingerprintKind::NameExact,
    FingerprintKind::NameFolded,
];
const PLACE: AssociatedData<'_> = AssociatedData {
    table: "person",
    column: "name",
    row: b"row 1",
};

fn environment(seed: u64) -> Environment {
    Environment::fixed(jiff::Timestamp::UNIX_EPOCH, seed)
}

fn made(seed: u64) -> (TempDir, Keyring) {
    let dir = TempDir::new().unwrap();
    let keys = Keyring::create(dir.path(), &environment(seed)).unwrap();
    (dir, keys)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Replaces text in the file.
fn edit(dir: &TempDir, from: &str, to: &str) {
    let path = dir.path().join(FILE);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in the file");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

/// A keyring is created once and read again.
#[test]
fn keyring_created_once_and_read_again() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path().join("a/keys");
    assert!(matches!(Keyring::open(&dir), Err(KeyError::Missing { path }) if path == dir.join(FILE)));
    let keys = Keyring::create(&dir, &environment(1)).unwrap();
    assert_eq!((mode(&dir), mode(&dir.join(FILE))), (0o700, 0o600));
    assert_eq!(keys.checkpoint_name(), format!("ngomon/{}", &keys.id()[..8]));

    let again = Keyring::open(&dir).unwrap();
    assert_eq!(
        (again.id(), again.check(), again.mac(&[b"x"])),
        (keys.id(), keys.check(), keys.mac(&[b"x"]))
    );
    let sealed = keys.encrypt(PLACE, b"value", &environment(2));
    assert_eq!(again.decrypt(PLACE, &sealed).unwrap(), b"value");
    assert!(matches!(
        Keyring::create(&dir, &environment(2)),
        Err(KeyError::AlreadyThere { .. })
    ));
    assert_eq!(Keyring::open(&dir).unwrap().id(), keys.id());
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "no temporary file stays");
}

/// A damaged keyring file is refused and never overwritten.
#[test]
fn damaged_keyring_file_refused_and_not_overwritten() {
    let (dir, keys) = made(1);
    let good = fs::read_to_string(dir.path().join(FILE)).unwrap();
    let secret = BASE64.encode(*keys.latest().contents.mac.0);
    let other = BASE64.encode([7; 32]);
    for (from, to) in [
        (secret.as_str(), other.as_str()), // a whole key, but another one
        (&secret, "AAAA"),
        ("\"mac\": ", "\"mac\": 1, \"x\": "),
        (
            "\"encryption_current\": 1",
            &format!("\"encryption_current\": \"{secret}\""),
        ),
        ("\"format\": 1", "\"format\": \"1\""),
        ("}", ""),
    ] {
        edit(&dir, from, to);
        let error = Keyring::open(dir.path()).unwrap_err();
        assert!(matches!(error, KeyError::Unreadable { .. }), "{from}: {error}");
        assert!(!error.to_string().contains(&secret), "{error}");
        assert!(matches!(keys.save(), Err(KeyError::Unreadable { .. })));
        fs::write(dir.path().join(FILE), &good).unwrap();
    }
    edit(&dir, "\"format\": 1", "\"format\": 3, \"new\": 0");
    assert!(matches!(
        Keyring::open(dir.path()),
        Err(KeyError::NewerFormat { format: 3, .. })
    ));
}

#[test]
fn debug_shows_no_secret() {
    let (_dir, keys) = made(1);
    assert_eq!(format!("{keys:?}"), format!("Keyring {{ id: {:?}, .. }}", keys.id()));
}

/// An encrypted value is decrypted only in its own table, column and row.
#[test]
fn encrypted_value_decrypts_only_in_its_own_place() {
    let (_dir, keys) = made(1);
    let environment = environment(2);
    let sealed = keys.encrypt(PLACE, "Nguyễn Văn A".as_bytes(), &environment);
    assert_eq!(sealed.len(), "Nguyễn Văn A".len() + 30);
    assert_eq!(sealed[..2], [1, 1]);
    assert_eq!(keys.decrypt(PLACE, &sealed).unwrap(), "Nguyễn Văn A".as_bytes());
    assert_ne!(
        sealed,
        keys.encrypt(PLACE, "Nguyễn Văn A".as_bytes(), &environment),
        "a new nonce"
    );
    assert_eq!(
        keys.decrypt(PLACE, &keys.encrypt(PLACE, b"", &environment)).unwrap(),
        b""
    );
    for place in [
        AssociatedData {
            table: "persons",
            ..PLACE
        },
        AssociatedData {
            column: "phone",
            ..PLACE
        },
        AssociatedData { row: b"row 2", ..PLACE },
        AssociatedData {
            table: "personn",
            column: "ame",
            ..PLACE
        },
    ] {
        assert_eq!(keys.decrypt(place, &sealed), Err(OpenError::Refused), "{place:?}");
    }
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        assert!(keys.decrypt(PLACE, &altered).is_err(), "byte {at}");
        assert!(keys.decrypt(PLACE, &sealed[..at]).is_err(), "cut at {at}");
    }
    let (_dir, others) = made(3);
    assert_eq!(others.decrypt(PLACE, &sealed), Err(OpenError::Refused));
}

/// After a rotation, values under the old key can still be decrypted.
#[test]
fn key_rotation_keeps_old_values_readable() {
    let (dir, old) = made(1);
    let sealed = old.encrypt(PLACE, b"before", &environment(2));
    let new = old.prepared(&environment(3)).unwrap();
    assert_eq!(
        new.encrypt(PLACE, b"before", &environment(2)),
        sealed,
        "nobody uses it yet"
    );
    let new = new.rotated().unwrap();
    let resealed = new.encrypt(PLACE, b"after", &environment(4));
    assert_eq!(resealed[1], 2);
    assert_eq!(new.decrypt(PLACE, &sealed).unwrap(), b"before");
    assert_eq!(new.decrypt(PLACE, &resealed).unwrap(), b"after");
    let mut renumbered = resealed.clone();
    renumbered[1] = 1;
    assert_eq!(new.decrypt(PLACE, &renumbered), Err(OpenError::Refused));
    assert_eq!(new.check(), old.check());
    // A process with the previous file reads it again.
    assert_eq!(old.decrypt(PLACE, &resealed), Err(OpenError::UnknownKey(2)));
    new.save().unwrap();
    assert_eq!(
        Keyring::open(dir.path()).unwrap().decrypt(PLACE, &resealed).unwrap(),
        b"after"
    );
    assert_eq!(old.decrypt(PLACE, &resealed).unwrap(), b"after");
    assert_eq!(old.encrypt(PLACE, b"after", &environment(4)), resealed);
}

/// After 255 keys, a rotation is refused.
#[test]
fn rotation_refused_after_255_keys() {
    let (_dir, mut keys) = made(1);
    for _ in 2..=255 {
        keys = keys.prepared(&environment(5)).unwrap().rotated().unwrap();
    }
    assert!(matches!(keys.prepared(&environment(5)), Err(KeyError::Refused { .. })));
}

/// Saving a keyring never loses a key of the file.
#[test]
fn saving_keyring_never_loses_a_key() {
    let (dir, keys) = made(1);
    let mine = keys.prepared(&environment(2)).unwrap();
    let theirs = keys.prepared(&environment(3)).unwrap();
    let refused = |keys: &Keyring| matches!(keys.save(), Err(KeyError::Refused { .. }));
    mine.save().unwrap();
    mine.save().unwrap();
    assert!(refused(&theirs), "same number, other key");
    assert!(refused(&keys), "a key fewer");
    fs::copy(dir.path().join(FILE), dir.path().join("aside")).unwrap();
    let (elsewhere, _) = made(6);
    fs::copy(elsewhere.path().join(FILE), dir.path().join(FILE)).unwrap();
    assert!(refused(&mine), "other keys altogether");
    assert!(matches!(mine.read_again(), Err(KeyError::Refused { .. })));
    fs::copy(dir.path().join("aside"), dir.path().join(FILE)).unwrap();
    let sealed = mine.encrypt(PLACE, b"value", &environment(7));
    let rotated = mine.rotated().unwrap();
    rotated.save().unwrap();
    let there = Keyring::open(dir.path()).unwrap();
    assert_eq!(there.decrypt(PLACE, &sealed).unwrap(), b"value");
}

#[test]
fn fingerprints_differ_by_kind_value_and_keys() {
    let (_dir, keys) = made(1);
    let marker = keys.marker(keys.mark_of(1)).unwrap();
    let values = ["001099012345", "001099012346", ""];
    let mut all: Vec<_> = KINDS
        .iter()
        .flat_map(|kind| values.map(|value| marker.fingerprint(*kind, value)))
        .collect();
    let (_dir, others) = made(2);
    let other = others.marker(others.mark_of(1)).unwrap();
    all.extend(KINDS.map(|kind| other.fingerprint(kind, values[0])));
    all.extend([marker.key_id(), other.key_id()]);
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);

    let one = marker.fingerprint(FingerprintKind::Phone, "0912345678");
    assert_eq!(one, marker.fingerprint(FingerprintKind::Phone, "0912345678"));
    assert_eq!((one.version(), Fingerprint::from_bytes(one.as_bytes())), (1, Some(one)));
    assert_eq!(Fingerprint::from_bytes(&one.as_bytes()[1..]), None);
}

/// Each arrow of the module's diagram, and each missing one.
#[test]
fn fingerprint_keys_rotate_through_prepared_version() {
    let take = |keys: &Keyring, mark| keys.marker(mark).map(|m| m.fingerprint(FingerprintKind::Phone, "x"));
    let (_dir, one) = made(1);
    let first = one.mark_of(1);
    let v1 = take(&one, first).unwrap();
    assert_eq!((one.fingerprint_versions(), v1.version()), ((1, None), 1));
    assert!(one.rotated().is_err());

    let prepared = one.prepared(&environment(2)).unwrap();
    let again = prepared.prepared(&environment(3)).unwrap();
    assert_eq!(again.fingerprint_versions(), (1, Some(2)));
    assert_eq!(take(&again, first).unwrap(), v1);
    let second = prepared.mark_of(2);
    let v2 = take(&prepared, second).unwrap();
    assert_eq!(take(&again, second).unwrap(), v2, "the same keys");
    assert_ne!(v1.as_bytes()[1..], v2.as_bytes()[1..]);
    assert!(matches!(take(&one, second), Err(KeyError::Behind { .. })));
    prepared.save().unwrap();
    assert_eq!(take(&one, second).unwrap(), v2, "it reads the file again");

    let rotated = prepared.rotated().unwrap();
    assert_eq!(rotated.fingerprint_versions(), (2, None));
    assert_eq!(take(&rotated, second).unwrap(), v2);
    assert!(rotated.rotated().is_err());
    rotated.save().unwrap();
    assert!(
        matches!(take(&rotated, first), Err(KeyError::Behind { .. })),
        "forgotten"
    );
    one.read_again().unwrap();
    assert_eq!(one.fingerprint_versions(), (2, None));
    assert_eq!(take(&one, first).unwrap(), v1, "for a transaction that began before");
    let third = rotated.prepared(&environment(4)).unwrap();
    assert_eq!(third.fingerprint_versions(), (2, Some(3)));

    // An older key has a successor; a newer one is refused, and so is a key of the same version from another rotation.
    let heir = |keys: &Keyring, mark| keys.successor_key(mark).map(|marker| marker.key_id());
    assert_eq!(heir(&rotated, first).unwrap(), second);
    assert_eq!(heir(&rotated, rotated.mark_of(1)).unwrap(), second);
    assert_eq!(heir(&third, third.mark_of(3)).unwrap(), third.mark_of(3));
    assert!(matches!(heir(&rotated, third.mark_of(3)), Err(KeyError::Behind { .. })));
    let aside = made(1).1.prepared(&environment(5)).unwrap().mark_of(2);
    assert!(matches!(heir(&rotated, aside), Err(KeyError::Behind { .. })));
}

/// A MAC distinguishes the boundaries of its parts.
#[test]
fn mac_distinguishes_its_parts() {
    let (_dir, keys) = made(1);
    let mac = keys.mac(&[b"ab", b"c"]);
    assert!(keys.mac_matches(&[b"ab", b"c"], &mac));
    for parts in [&[&b"a"[..], b"bc"][..], &[b"abc"], &[b"ab", b"c", b""], &[]] {
        assert!(!keys.mac_matches(parts, &mac), "{parts:?}");
    }
    assert!(!keys.mac_matches(&[b"ab", b"c"], &mac[..31]));
    assert!(!made(2).1.mac_matches(&[b"ab", b"c"], &mac));
    assert_ne!(keys.check(), made(2).1.check());
}

/// Stored values depend on these bytes, which Python's hmac and cryptography give, too: if this fails, old databases no longer match.
#[test]
fn cryptographic_outputs_match_stored_values() {
    use sha2::{Digest as _, Sha256};
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let framed = [
        &[0, 0, 0, 0, 0, 0, 0, 19][..],
        b"ngomon commitment 1",
        &[0, 0, 0, 0, 0, 0, 0, 16],
        &[5; 16],
        &[0, 0, 0, 0, 0, 0, 0, 1],
        b"v",
    ]
    .concat();
    assert_eq!(commitment(&[5; 16], b"v"), *Sha256::digest(framed));
    let (_dir, keys) = made(1);
    assert_eq!(hex(&keys.check()), "e84fa4bc0dd2b5e0fe4596ddeac3f38c");
    assert_eq!(
        hex(keys
            .marker(keys.mark_of(1))
            .unwrap()
            .fingerprint(FingerprintKind::NationalId, "001099012345")
            .as_bytes()),
        "01c59fe17a6a641bd348136c40dabb52a1"
    );
    assert_eq!(
        hex(&keys.encrypt(PLACE, b"v", &environment(2))),
        "0101d63f0d21dab3df7c1d7e65d94055ebe28a21a049f20876f2ec9d7dc836"
    );
}

/// A signature verifies with the public key.
#[test]
fn signature_verifies_with_public_key() {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    let (_dir, keys) = made(1);
    let verifier = UnparsedPublicKey::new(&ED25519, keys.verifying_key());
    assert!(verifier.verify(b"text", &keys.sign(b"text")).is_ok());
    assert!(verifier.verify(b"texts", &keys.sign(b"text")).is_err());
}

/// A keyring is exported and imported under a passphrase.
#[test]
fn keyring_exported_and_imported_with_passphrase() {
    let (dir, keys) = made(1);
    let keys = keys.prepared(&environment(2)).unwrap().rotated().unwrap();
    let file = dir.path().join("export");
    keys.export("mật khẩu", &file, &environment(3)).unwrap();
    assert_eq!(mode(&file), 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains(keys.id()), "{text}");
    assert!(matches!(
        keys.export("x", &file, &environment(3)),
        Err(KeyError::AlreadyThere { .. })
    ));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);

    let there = dir.path().join("there");
    let import = |passphrase: &str| Keyring::import(&file, passphrase, &there);
    assert!(matches!(import("mat khau"), Err(KeyError::WrongPassphrase)));
    assert!(!there.exists());
    let sealed = keys.encrypt(PLACE, b"value", &environment(4));
    assert_eq!(import("mật khẩu").unwrap().decrypt(PLACE, &sealed).unwrap(), b"value");
    assert_eq!(Keyring::open(&there).unwrap().id(), keys.id());
    assert!(matches!(import("mật khẩu"), Err(KeyError::AlreadyThere { .. })));

    let there = dir.path().join("elsewhere");
    let import = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        Keyring::import(&file, "mật khẩu", &there).unwrap_err()
    };
    let altered = import("\"passes\": 3", "\"passes\": 1");
    assert!(matches!(altered, KeyError::WrongPassphrase), "{altered}");
    let greedy = import("\"memory_kib\": 65536", "\"memory_kib\": 4294967295");
    assert!(matches!(greedy, KeyError::Unreadable { .. }), "{greedy}");
    let newer = import("\"format\": 2", "\"format\": 3");
    assert!(matches!(newer, KeyError::NewerFormat { format: 3, .. }), "{newer}");
}
