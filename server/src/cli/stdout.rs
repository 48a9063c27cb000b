//! The standard output of all commands. A closed pipe (a reader that has read enough) ends the output and is no error. Another write error
//! is remembered and reported at the end ([`fault`]), while the command goes on.

use std::io;
use std::io::{ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

/// How standard output ended.
enum StdoutEnd {
    /// The reader closed the pipe.
    Closed,
    /// Writing failed.
    Failed(String),
}

static ENDED: Mutex<Option<StdoutEnd>> = Mutex::new(None);

/// Standard output, until it ends.
pub struct Stdout;

impl Stdout {
    fn attempt(write: impl FnOnce(&mut io::StdoutLock<'_>) -> io::Result<()>) -> io::Result<()> {
        let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.is_some() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let mut stdout = io::stdout().lock();
        let written = write(&mut stdout).and_then(|()| stdout.flush());
        if let Err(error) = &written {
            *ended = Some(match error.kind() {
                ErrorKind::BrokenPipe => StdoutEnd::Closed,
                _ => StdoutEnd::Failed(error.to_string()),
            });
        }
        written
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The test harness hides what `print!` prints in a test that passes.
        if cfg!(test) {
            print!("{}", String::from_utf8_lossy(bytes));
            return Ok(bytes.len());
        }
        Self::attempt(|stdout| stdout.write_all(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::attempt(|_| Ok(()))
    }
}

/// Prints a line. Returns whether it was written.
pub fn print(line: &str) -> bool {
    Stdout.write_all(format!("{line}\n").as_bytes()).is_ok()
}

/// The error of standard output, if there was one.
pub fn fault() -> Option<String> {
    match &*ENDED.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(StdoutEnd::Failed(why)) => Some(why.clone()),
        Some(StdoutEnd::Closed) | None => None,
    }
}

/// Prints a line as `println!` does.
macro_rules! print_line {
    ($($arg:tt)*) => {{ $crate::cli::stdout::print(&format!($($arg)*)); }};
}
pub(crate) use print_line;
