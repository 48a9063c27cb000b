//! Signed checkpoints of the journal: how many entries it has, and the root of their Merkle tree.
//!
//! A checkpoint is a signed note in the formats of C2SP, so that tools and witnesses of others read it too
//! (<https://c2sp.org/tlog-checkpoint>, <https://c2sp.org/signed-note>):
//!
//! ```text
//! ngomon/4c1d2e3f
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — ngomon/4c1d2e3f Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhc...
//! ```
//!
//! The file outside the database is a sequence of such notes, each followed by a blank line. Only the end of a note has a signature line
//! and then a blank line, so the end of the file alone shows whether the last write was torn: bytes after the last such end are ignored.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::crypto::keyring::{Age, Keyring, sync_parent};
use crate::crypto::merkle::{Hash, sha256};

/// The start of a signature line: an em dash and a space.
const DASH: &str = "— ";
/// A longer note is not read. The limit leaves room for many witnesses.
const NOTE_LIMIT: usize = 256 * 1024;

/// Why a checkpoint, or the file of them, could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The text is not a checkpoint.
    #[error("this is not a checkpoint: {0}")]
    Malformed(&'static str),
    /// Our key did not sign it: other keys, or a forgery.
    #[error("the checkpoint is not signed by {0}")]
    NotOurs(String),
    /// It has our key's name, but was altered after signing.
    #[error("the signature does not fit the checkpoint: it was altered")]
    Altered,
    /// One note of the file is invalid. A torn last note is not an error.
    #[error("{}: checkpoint {number} is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The number of the note, counted from 1.
        number: usize,
        /// The error in that note.
        source: Box<CheckpointError>,
    },
    /// The operating system reported an error.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// The state of a log at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name: one line, not empty.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The root of their Merkle tree (RFC 6962).
    pub root: Hash,
}

impl Checkpoint {
    /// The note text: three lines, each with its newline.
    fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root))
    }

    /// The checkpoint as a signed note.
    pub fn sign(&self, keys: &Keyring) -> String {
        let (body, name) = (self.body(), keys.checkpoint_name());
        let mut signature = key_id(name, &keys.verifying_key()).to_vec();
        signature.extend_from_slice(&keys.sign(body.as_bytes()));
        format!("{body}\n{DASH}{name} {}\n", BASE64.encode(signature))
    }

    /// Parses a signed note and verifies our signature; signatures of others may be there too.
    pub fn parse_and_verify(text: &str, keys: &Keyring) -> Result<Self, CheckpointError> {
        Self::signed(text, keys).map(|(checkpoint, _)| checkpoint)
    }

    /// As [`Checkpoint::parse_and_verify`]; also returns the age of the key that signed.
    pub(crate) fn signed(text: &str, keys: &Keyring) -> Result<(Self, Age), CheckpointError> {
        let name = keys.checkpoint_name();
        let mut last = CheckpointError::NotOurs(name.into());
        for age in keys.ages_from(Age::default()) {
            match verified(text, name, &keys.verifying_key_of(age)) {
                Ok(body) => return Ok((Self::of_body(body)?, age)),
                Err(error @ CheckpointError::NotOurs(_)) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    fn of_body(body: &str) -> Result<Self, CheckpointError> {
        let malformed = CheckpointError::Malformed;
        let mut lines = body.split('\n').map(str::to_owned);
        let mut line = || lines.next().filter(|line| !line.is_empty());
        let origin = line().ok_or(malformed("no origin"))?;
        let size = line().and_then(|line| line.parse().ok()).ok_or(malformed("no size"))?;
        let root = line().and_then(|line| BASE64.decode(line).ok()?.try_into().ok());
        let checkpoint = Checkpoint {
            origin,
            size,
            root: root.ok_or(malformed("no root"))?,
        };
        // We sign no leading zeros, no plus sign and no extension lines.
        if checkpoint.body() == body {
            Ok(checkpoint)
        } else {
            Err(malformed("not in our form"))
        }
    }
}

/// signed-note, "Ed25519 signatures": the first 4 bytes of `SHA-256(name || 0x0A || 0x01 || key)`.
fn key_id(name: &str, key: &[u8; 32]) -> [u8; 4] {
    let [a, b, c, d, ..] = sha256(&[name.as_bytes(), &[0x0A, 0x01], key]);
    [a, b, c, d]
}

/// The text of a note, if the key of this name signed it.
fn verified<'a>(note: &'a str, name: &str, key: &[u8; 32]) -> Result<&'a str, CheckpointError> {
    let malformed = CheckpointError::Malformed;
    if note.len() > NOTE_LIMIT {
        return Err(malformed("too long"));
    }
    // "the text is separated from the signatures by the last empty line in the note"
    let (text, signatures) = note.rsplit_once("\n\n").ok_or(malformed("no signatures"))?;
    let body = &note[..=text.len()];
    let lines = signatures
        .strip_suffix('\n')
        .ok_or(malformed("no newline at its end"))?;
    let mut ours = false;
    for line in lines.split('\n') {
        let line = line.strip_prefix(DASH).and_then(|line| line.split_once(' '));
        let (signer, signature) = line.ok_or(malformed("bad signature line"))?;
        let signature = BASE64.decode(signature).map_err(|_| malformed("bad base64"))?;
        let (id, signature) = signature.split_at_checked(4).ok_or(malformed("no key id"))?;
        // "Verifiers MUST ignore signatures from unknown keys"
        if signer != name || id != key_id(name, key) {
            continue;
        }
        // "If a signature from a known key fails to verify, clients SHOULD reject the whole note."
        let key = UnparsedPublicKey::new(&ED25519, key);
        key.verify(body.as_bytes(), signature)
            .map_err(|_| CheckpointError::Altered)?;
        ours = true;
    }
    if ours {
        Ok(body)
    } else {
        Err(CheckpointError::NotOurs(name.into()))
    }
}

/// Appends a signed note to the file, which is created if needed; returns once it is on the disk. First cuts off what a torn write left
/// at the end. A file lock orders the writers.
pub fn append_line_file(path: &Path, note: &str) -> Result<(), CheckpointError> {
    let record = format!("{note}\n");
    if whole_notes(record.as_bytes()) != [note.as_bytes()] {
        return Err(CheckpointError::Malformed("not one signed note"));
    }
    let append = || {
        let mut file = open_to_append(path)?;
        file.lock()?;
        let end = end_of_whole(&mut file)?;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        file.write_all(record.as_bytes())?;
        file.sync_all()?;
        if end == 0 { sync_parent(path) } else { Ok(()) }
    };
    append().map_err(|source| CheckpointError::Io {
        path: path.into(),
        source,
    })
}

/// Appends the notes that the file does not have yet, in one write; returns once they are on the disk. Returns the part of the file after
/// the note of size `after`, which includes notes that others wrote meanwhile.
pub(crate) fn append_after(
    path: &Path,
    after: u64,
    pending: &[(u64, String)],
) -> Result<Vec<(u64, String)>, CheckpointError> {
    let append = || {
        if pending.is_empty() && !path.exists() {
            return Ok(Vec::new());
        }
        let mut file = open_to_append(path)?;
        file.lock()?;
        let end = end_of_whole(&mut file)?;
        file.set_len(end)?;
        let last = last_bytes(&mut file, end)?.map_or(0, |note| size_of(&note));
        let mut there = Vec::new();
        if last > after {
            let mut all = Vec::new();
            file.rewind()?;
            file.read_to_end(&mut all)?;
            let later = notes_of(&all).into_iter().rev().take_while(|(size, _)| *size > after);
            there = later
                .map(|(size, note)| (size, String::from_utf8_lossy(note).into_owned()))
                .collect();
            there.reverse();
        }
        let missing = pending.iter().filter(|(size, _)| *size > last.max(after));
        let mut records = String::new();
        for (size, note) in missing {
            records.push_str(note);
            records.push('\n');
            there.push((*size, note.clone()));
        }
        if !records.is_empty() {
            file.seek(SeekFrom::Start(end))?;
            file.write_all(records.as_bytes())?;
            file.sync_all()?;
            if end == 0 {
                sync_parent(path)?;
            }
        }
        Ok(there)
    };
    append().map_err(|source| CheckpointError::Io {
        path: path.into(),
        source,
    })
}

/// Checks that the file can be opened for appending, or created.
pub(crate) fn try_append(path: &Path) -> Result<(), CheckpointError> {
    open_to_append(path).map(drop).map_err(|source| CheckpointError::Io {
        path: path.into(),
        source,
    })
}

fn open_to_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path)
}

/// Renames the file, if there is one, so that a new one starts; returns its new name.
pub(crate) fn set_aside(path: &Path, when: &str) -> Result<Option<PathBuf>, CheckpointError> {
    let names =
        std::iter::once(format!("checkpoints-{when}.txt")).chain((2..).map(|n| format!("checkpoints-{when}-{n}.txt")));
    let aside = names
        .map(|name| path.with_file_name(name))
        .find(|aside| !aside.exists());
    let aside = aside.unwrap_or_else(|| path.with_extension("before"));
    match std::fs::rename(path, &aside).and_then(|()| sync_parent(path)) {
        Ok(()) => Ok(Some(aside)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CheckpointError::Io {
            path: path.into(),
            source,
        }),
    }
}

/// The last complete checkpoint of the file; `None` if it has none or there is no file.
pub(crate) fn last_note(path: &Path, keys: &Keyring) -> Result<Option<Checkpoint>, CheckpointError> {
    let read = || {
        let mut file = File::open(path)?;
        let end = end_of_whole(&mut file)?;
        last_bytes(&mut file, end)
    };
    let note = match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        read => read.map_err(|source| CheckpointError::Io {
            path: path.into(),
            source,
        })?,
    };
    note.map(|note| {
        let text = std::str::from_utf8(&note).map_err(|_| CheckpointError::Malformed("not UTF-8"))?;
        Checkpoint::parse_and_verify(text, keys)
    })
    .transpose()
}

/// The notes of a file, each with the size that it states.
pub(crate) fn notes_of(file: &[u8]) -> Vec<(u64, &[u8])> {
    let notes = whole_notes(file).into_iter();
    notes.map(|note| (size_of(note), note)).collect()
}

/// The number in the second line of a note; 0 if it is no checkpoint.
fn size_of(note: &[u8]) -> u64 {
    let line = note.split(|byte| *byte == b'\n').nth(1);
    let digits = line.and_then(|line| std::str::from_utf8(line).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

/// The last of the complete notes, which end at `end`.
fn last_bytes(file: &mut File, end: u64) -> io::Result<Option<Vec<u8>>> {
    for from in [end.saturating_sub(4096), 0] {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        io::Read::by_ref(file).take(end - from).read_to_end(&mut bytes)?;
        let notes = whole_notes(&bytes);
        // The first note of a partial read may have lost its start.
        if from == 0 || notes.len() > 1 {
            return Ok(notes.last().map(|note| note.to_vec()));
        }
    }
    Ok(None)
}

/// All checkpoints of the file, oldest first. A torn last note is left out; any other damage is an error. The caller checks whether they
/// are consistent with one another.
pub fn read_file(path: &Path, keys: &Keyring) -> Result<Vec<Checkpoint>, CheckpointError> {
    let io = |source| CheckpointError::Io {
        path: path.into(),
        source,
    };
    let bytes = std::fs::read(path).map_err(io)?;
    let read = |(number, note)| {
        std::str::from_utf8(note)
            .map_err(|_| CheckpointError::Malformed("not UTF-8"))
            .and_then(|text| Checkpoint::parse_and_verify(text, keys))
            .map_err(|why| CheckpointError::Damaged {
                path: path.into(),
                number,
                source: Box::new(why),
            })
    };
    (1..).zip(whole_notes(&bytes)).map(read).collect()
}

/// The complete notes of the file, without the blank line after each.
fn whole_notes(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut notes, mut start, mut end, mut signed) = (Vec::new(), 0, 0, false);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line == b"\n" && signed {
            notes.push(&bytes[start..end]);
            start = end + 1;
        }
        end += line.len();
        signed = line.starts_with(DASH.as_bytes());
    }
    notes
}

/// The end of the last complete note of the file, with its blank line. Reads only the end of the file unless that is torn: there may be
/// millions of notes.
fn end_of_whole(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(4096)))?;
    file.read_to_end(&mut tail)?;
    let last_line = tail
        .strip_suffix(b"\n\n")
        .and_then(|rest| rest.rsplit(|b| *b == b'\n').next());
    if last_line.is_some_and(|line| line.starts_with(DASH.as_bytes())) {
        return Ok(length);
    }
    let mut all = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut all)?;
    Ok(whole_notes(&all).iter().map(|note| note.len() as u64 + 1).sum())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::environment::Environment;

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
    fn a_note_signed_by_go_is_verified() {
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

    #[test]
    fn a_checkpoint_has_the_c2sp_form() {
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

    #[test]
    fn any_alteration_is_refused() {
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

    #[test]
    fn only_our_signature_counts_and_others_may_stand_beside() {
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

    #[test]
    fn a_signed_text_that_is_not_our_form_is_refused() {
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

    #[test]
    fn a_file_cut_anywhere_reads_as_its_whole_notes_and_goes_on() {
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

    #[test]
    fn damage_before_the_last_note_is_an_error() {
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

    #[test]
    fn only_one_whole_note_is_appended_and_no_file_is_not_an_empty_file() {
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
}
