//! The list of leaked passwords: a file of sorted SHA-1 hashes in hexadecimal, one a line, as such lists are published (anything after `:`
//! is ignored). It is searched on disk, so that its size costs no memory, and no password leaves this machine.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::fs::File;
use std::io;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Hexadecimal digits of a hash.
const DIGITS: usize = 40;
/// The longest line, in bytes.
const LONGEST: u64 = 100;

/// The open file.
pub struct LeakedPasswords {
    file: Mutex<File>,
    length: u64,
}

impl LeakedPasswords {
    /// Opens the file; its first line must be a hash.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let leaked = Self {
            file: Mutex::new(file),
            length,
        };
        let first = leaked.line_from(0)?;
        if first.is_none_or(|(_, line)| !is_hash(&line)) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its lines are no SHA-1 hashes",
            ));
        }
        Ok(leaked)
    }

    /// Whether the password is in the list. If the file can no longer be read, the answer is no, and the error is logged.
    pub fn has(&self, password: &str) -> bool {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let wanted: String = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        self.find(&wanted).unwrap_or_else(|error| {
            tracing::error!("the list of leaked passwords: {error}");
            false
        })
    }

    /// Binary search in the file.
    fn find(&self, wanted: &str) -> io::Result<bool> {
        let (mut from, mut to) = (0, self.length);
        while from < to {
            let middle = from + (to - from) / 2;
            let Some((next, line)) = self.line_from(middle)? else {
                to = middle;
                continue;
            };
            let hash = line.get(..DIGITS).unwrap_or_default().to_ascii_uppercase();
            match hash.as_str().cmp(wanted) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => from = next,
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        Ok(false)
    }

    /// The first whole line that starts at `at` or later, and where the next line starts.
    fn line_from(&self, at: u64) -> io::Result<Option<(u64, String)>> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut begins = at;
        // Start one byte earlier: if a line ends there, one starts at `at`.
        file.seek(SeekFrom::Start(at.saturating_sub(1)))?;
        let mut reader = BufReader::with_capacity(256, &mut *file);
        let mut line = String::new();
        if at > 0 {
            let passed = reader.by_ref().take(LONGEST).read_line(&mut line)?;
            begins = at - 1 + passed as u64;
            line.clear();
        }
        let read = reader.take(LONGEST).read_line(&mut line)?;
        Ok((read > 0).then(|| (begins + read as u64, line.trim_end().to_owned())))
    }
}

fn is_hash(line: &str) -> bool {
    line.get(..DIGITS)
        .is_some_and(|hash| hash.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(lines: &[String]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), lines.concat()).unwrap();
        file
    }

    /// Each password of the list is found, and no other.
    #[test]
    fn leaked_password_list_finds_exactly_its_entries() {
        for (count, end) in [(1, "\n"), (2, "\n"), (1_000, ":17\r\n"), (999, "\n")] {
            let hash = |n: usize| {
                let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("password {n}").as_bytes());
                hash.as_ref()
                    .iter()
                    .map(|byte| format!("{byte:02X}"))
                    .collect::<String>()
                    + end
            };
            let mut lines: Vec<String> = (0..count).map(hash).collect();
            lines.sort();
            let file = written(&lines);
            let leaked = LeakedPasswords::open(file.path()).unwrap();
            assert!((0..count).all(|n| leaked.has(&format!("password {n}"))), "{count}");
            assert!((count..count + 50).all(|n| !leaked.has(&format!("password {n}"))));
        }
    }

    /// A file of another format is refused.
    #[test]
    fn leaked_password_list_of_other_format_is_refused() {
        for text in ["", "password\n", "\n"] {
            let file = written(&[text.to_owned()]);
            assert!(LeakedPasswords::open(file.path()).is_err(), "{text:?}");
        }
        assert!(LeakedPasswords::open(Path::new("/no/such/file")).is_err());
    }
}
