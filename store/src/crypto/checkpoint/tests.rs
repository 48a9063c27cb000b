use tempfile::TempDir;

use super::*;
use crate::crypto::checkpoint::note::{DASH, key_id, verified};
use crate::crypto::keyring::Keyring;
use crate::crypto::merkle::sha256;
use crate::environment::Environment;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::io;
use std::path::PathBuf;

fn keys(seed: u64) -> Keyring {
    let dir = TempDir::new().unwrap();
    Keyring::create(dir.path(), &Environment::fixed(jiff::Timestamp::UNIX_EPOCH, seed)).unwrap()
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint {
        origin: "ngomon.test/log".into(),
        size,
        root: sha256(&[&size.to_be_bytes()]),
    }
}

/// A log file of three notes, and the notes.
fn file_of_three(keys: &Keyring) -> (TempDir, PathBuf, [String; 3]) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("checkpoints");
    let notes = [1, 2, 3].map(|size| checkpoint(size).sign(keys));
    notes.iter().for_each(|note| append_line_file(&path, note).unwrap());
    (dir, path, notes)
}

/// The example of Go's golang.org/x/mod/sumdb/note, the origin of the format.
#[test]
fn note_signed_by_go_verifies() {
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    let note = format!("{text}\n{DASH}PeterNeumann {signature}\n");
    let key = BASE64.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
    let key: [u8; 32] = key[1..].try_into().unwrap();
    assert_eq!(key_id("PeterNeumann", &key), [0xc7, 0x4f, 0x20, 0xa3]);
    assert_eq!(verified(&note, "PeterNeumann", &key).unwrap(), text);
    assert!(verified(&note.replace("answer", "anwser"), "PeterNeumann", &key).is_err());
}

/// A checkpoint is written in the format of C2SP.
#[test]
fn checkpoint_written_in_c2sp_format() {
    let (keys, name) = (keys(1), keys(1).checkpoint_name().to_owned());
    let note = checkpoint(7).sign(&keys);
    let root = BASE64.encode(checkpoint(7).root);
    assert!(
        note.starts_with(&format!("ngomon.test/log\n7\n{root}\n\n— {name} ")),
        "{note}"
    );
    assert!(note.ends_with("=\n") && note.lines().count() == 5, "{note}");
    assert_eq!(Checkpoint::parse_and_verify(&note, &keys).unwrap(), checkpoint(7));
}

/// Any altered byte or any cut of a checkpoint is refused.
#[test]
fn altered_or_cut_checkpoint_is_refused() {
    let keys = keys(1);
    let note = checkpoint(20).sign(&keys);
    for at in 0..note.len() {
        for byte in [b'0', b'+', b'A', b'\n'] {
            let mut bytes = note.clone().into_bytes();
            if std::mem::replace(&mut bytes[at], byte) == byte {
                continue;
            }
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert!(Checkpoint::parse_and_verify(&text, &keys).is_err(), "{text}");
        }
        if let Some(start) = note.get(..at) {
            assert!(Checkpoint::parse_and_verify(start, &keys).is_err(), "cut at {at}");
        }
    }
}

/// Only our signature counts, and those of witnesses may stand beside it.
#[test]
fn checkpoint_needs_own_signature_and_allows_witnesses() {
    let (ours, other) = (keys(1), keys(2));
    let foreign = checkpoint(1).sign(&other);
    let refused = Checkpoint::parse_and_verify(&foreign, &ours);
    assert!(matches!(refused, Err(CheckpointError::NotOurs(_))), "{refused:?}");

    let (_, witness) = foreign.rsplit_once("\n\n").unwrap();
    let both = checkpoint(1).sign(&ours) + witness;
    assert_eq!(Checkpoint::parse_and_verify(&both, &ours).unwrap(), checkpoint(1));

    let forged = foreign.replace(other.checkpoint_name(), ours.checkpoint_name());
    let refused = Checkpoint::parse_and_verify(&forged, &ours);
    assert!(matches!(refused, Err(CheckpointError::NotOurs(_))), "another key id");
    let stale = both.replacen("\n1\n", "\n2\n", 1);
    let refused = Checkpoint::parse_and_verify(&stale, &ours);
    assert!(matches!(refused, Err(CheckpointError::Altered)), "{refused:?}");
}

/// A signed text that is not in our form is refused.
#[test]
fn signed_note_of_other_form_is_refused() {
    let keys = keys(1);
    let root = BASE64.encode([0; 32]);
    for (form, good) in [
        (format!("log\n7\n{root}\n"), true),
        (format!("log\n07\n{root}\n"), false),
        (format!("log\n+7\n{root}\n"), false),
        (format!("log\n18446744073709551616\n{root}\n"), false),
        (format!("\n7\n{root}\n"), false),
        (format!("log\n7\n{root}\nextension\n"), false),
        ("log\n7\nAAAA\n".to_owned(), false),
        ("log\n".to_owned(), false),
    ] {
        let signature = [
            &key_id(keys.checkpoint_name(), &keys.verifying_key())[..],
            &keys.sign(form.as_bytes()),
        ]
        .concat();
        let note = format!(
            "{form}\n{DASH}{} {}\n",
            keys.checkpoint_name(),
            BASE64.encode(signature)
        );
        assert_eq!(Checkpoint::parse_and_verify(&note, &keys).is_ok(), good, "{note}");
    }
}

/// A file cut anywhere is read up to its last whole note, and the next note is appended after it.
#[test]
fn torn_checkpoint_file_read_up_to_last_whole_note() {
    let keys = keys(1);
    let (_dir, path, notes) = file_of_three(&keys);
    let all = std::fs::read(&path).unwrap();
    assert_eq!(String::from_utf8_lossy(&all), notes.map(|note| note + "\n").concat());
    let note = checkpoint(9).sign(&keys);
    let ends = [1, 2, 3].map(|notes| notes * all.len() / 3);
    for length in 0..=all.len() {
        let whole = ends.iter().filter(|end| **end <= length).count();
        std::fs::write(&path, &all[..length]).unwrap();
        let mut expected: Vec<_> = [1, 2, 3][..whole].iter().map(|size| checkpoint(*size)).collect();
        assert_eq!(read_file(&path, &keys).unwrap(), expected, "cut at {length}");
        append_line_file(&path, &note).unwrap();
        expected.push(checkpoint(9));
        assert_eq!(
            read_file(&path, &keys).unwrap(),
            expected,
            "appended after a cut at {length}"
        );
    }
}

/// Damage before the last note is an error.
#[test]
fn damaged_note_before_the_last_is_error() {
    let keys = keys(1);
    let (_dir, path, notes) = file_of_three(&keys);
    let good = std::fs::read(&path).unwrap();
    for at in 0..good.len() - notes[2].len() - 1 {
        let mut bad = good.clone();
        bad[at] ^= 0x01;
        std::fs::write(&path, bad).unwrap();
        let read = read_file(&path, &keys);
        assert!(
            matches!(read, Err(CheckpointError::Damaged { number: 1 | 2, .. })),
            "at {at}: {read:?}"
        );
    }
}

/// Only one whole note is appended at a time, and a missing file is not read as an empty one.
#[test]
fn append_takes_one_whole_note_and_missing_file_is_error() {
    let keys = keys(1);
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("checkpoints");
    let read = read_file(&path, &keys);
    assert!(matches!(&read, Err(CheckpointError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound));
    let note = checkpoint(1).sign(&keys);
    for bad in [
        "",
        "text\n",
        note.trim_end(),
        &format!("{note}\n{note}"),
        &format!("{note}\n"),
    ] {
        let refused = append_line_file(&path, bad);
        assert!(matches!(refused, Err(CheckpointError::Malformed(_))), "{bad:?}");
    }
    assert!(!path.exists());
}
