//! Invariants of the parsers of keys and checkpoints for untrusted input. libFuzzer generates inputs (`fuzz/`); this test runs the corpus.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ngomon_store::checkpoint::{Checkpoint, append_line_file, read_file};
use ngomon_store::environment::Environment;
use ngomon_store::keyring::Keyring;
use serde_json::Value;
use std::fs;
use std::sync::OnceLock;
use tempfile::TempDir;

/// The keys of the corpus.
fn our_keys() -> &'static Keyring {
    static KEYS: OnceLock<Keyring> = OnceLock::new();
    KEYS.get_or_init(|| {
        let dir = TempDir::new().unwrap();
        Keyring::create(dir.path(), &environment()).unwrap()
    })
}

fn environment() -> Environment {
    Environment::fixed(jiff::Timestamp::UNIX_EPOCH, 1)
}

/// A key file is refused, or it survives a round trip. An altered export of keys is refused.
pub(crate) fn keys(bytes: &[u8]) {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("keyring.json"), bytes).unwrap();
    if let Ok(keys) = Keyring::open(dir.path()) {
        same_keys(&keys, dir);
    }
    let dir = TempDir::new().unwrap();
    let (file, into) = (dir.path().join("export"), dir.path().join("keys"));
    fs::write(&file, cheap(bytes)).unwrap();
    // An export that opens is encrypted under other parameters than these.
    assert!(Keyring::import(&file, "mười hai ký tự", &into).is_err());
    assert!(!into.exists());
}

fn same_keys(keys: &Keyring, dir: TempDir) {
    keys.save().unwrap();
    let again = Keyring::open(dir.path()).unwrap();
    assert_eq!((again.id(), again.check()), (keys.id(), keys.check()));
    assert_eq!(again.fingerprint_versions(), keys.fingerprint_versions());
    // The prepared keys are saved and read back, unless all version numbers are used up.
    if let Ok(prepared) = again.prepared(&environment()) {
        prepared.save().unwrap();
        prepared.rotated().unwrap().save().unwrap();
        keys.read_again().unwrap();
    }
}

/// Lowers the work factor of an export, which would only slow the test down.
fn cheap(bytes: &[u8]) -> Vec<u8> {
    let Ok(Value::Object(mut export)) = serde_json::from_slice(bytes) else {
        return bytes.to_vec();
    };
    for (name, most) in [("memory_kib", 256), ("passes", 1), ("lanes", 4)] {
        if let Some(asked) = export.get(name).and_then(Value::as_u64) {
            export.insert(name.into(), asked.min(most).into());
        }
    }
    serde_json::to_vec(&export).unwrap()
}

/// A checkpoint, as given and signed by us, and a checkpoint file: each is refused or survives a round trip.
pub(crate) fn checkpoints(bytes: &[u8]) {
    let keys = our_keys();
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(read) = Checkpoint::parse_and_verify(text, keys) {
            assert_eq!(Checkpoint::parse_and_verify(&read.sign(keys), keys).unwrap(), read);
        }
        let ours = signed(text, keys);
        if let Ok(read) = Checkpoint::parse_and_verify(&ours, keys) {
            assert_eq!(read.sign(keys), ours);
        }
    }
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("checkpoints.txt");
    fs::write(&path, bytes).unwrap();
    let before = read_file(&path, keys);
    let one = Checkpoint {
        origin: "ngomon/journal".into(),
        size: 7,
        root: [7; 32],
    };
    append_line_file(&path, &one.sign(keys)).unwrap();
    let after = read_file(&path, keys);
    assert_eq!(before.is_ok(), after.is_ok());
    if let (Ok(mut before), Ok(after)) = (before, after) {
        before.push(one);
        assert_eq!(after, before);
    }
}

/// The text as a note with our signature.
fn signed(text: &str, keys: &Keyring) -> String {
    let any = Checkpoint {
        origin: "x".into(),
        size: 0,
        root: [0; 32],
    };
    let note = any.sign(keys);
    let (head, signature) = note.trim_end().rsplit_once(' ').unwrap();
    let (_, dash_and_name) = head.rsplit_once('\n').unwrap();
    // The first 4 bytes are the key id; the signature follows.
    let mut signature = BASE64.decode(signature).unwrap();
    signature.truncate(4);
    signature.extend_from_slice(&keys.sign(text.as_bytes()));
    format!("{text}\n{dash_and_name} {}\n", BASE64.encode(signature))
}

/// The invariants of the parsers hold for each file of the corpus.
#[test]
fn corpus_keys_and_checkpoints_keep_invariants() {
    for (of, read) in [("keys", keys as fn(&[u8])), ("checkpoints", checkpoints)] {
        let corpus = format!("{}/../fuzz/corpus/{of}", env!("CARGO_MANIFEST_DIR"));
        let files: Vec<_> = fs::read_dir(corpus).unwrap().collect();
        assert!(files.len() > 3, "{of}");
        for file in files {
            read(&fs::read(file.unwrap().path()).unwrap());
        }
    }
}
