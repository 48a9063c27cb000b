//! The file of notes, which only grows.

use crate::crypto::checkpoint::note::{Checkpoint, CheckpointError, DASH};
use crate::crypto::keyring::{Keyring, sync_parent};
use std::fs::{File, OpenOptions};
use std::io;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

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

pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
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
pub(crate) fn size_of(note: &[u8]) -> u64 {
    let line = note.split(|byte| *byte == b'\n').nth(1);
    let digits = line.and_then(|line| std::str::from_utf8(line).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

/// The last of the complete notes, which end at `end`.
pub(crate) fn last_bytes(file: &mut File, end: u64) -> io::Result<Option<Vec<u8>>> {
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
pub(crate) fn whole_notes(bytes: &[u8]) -> Vec<&[u8]> {
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
pub(crate) fn end_of_whole(file: &mut File) -> io::Result<u64> {
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
