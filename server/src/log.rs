//! The log: a line for each event on standard error, with time, level, its request or worker, and the place in the program. It never
//! contains a personal value: routes are logged as patterns, not as requested.
//!
//! Logging never blocks and never fails. A separate thread writes; if the disk is full, the pipe closed or nobody reads it, lines are lost,
//! and nothing else.

use std::io::Write as _;
use std::panic;
use std::panic::PanicHookInfo;
use tracing::Level;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, fmt};

/// The crates of this program, which log at the requested level.
const OURS: [&str; 3] = ["ngomon", "ngomon_store", "ngomon_feeds"];

/// Starts the log of this process. Pending lines are written when the guard is dropped.
pub fn start(level: Level) -> WorkerGuard {
    let (writer, guard) = apart(std::io::stderr());
    // A test in this process may have started the log already.
    tracing_subscriber::registry()
        .with(lines(level, writer))
        .try_init()
        .ok();
    panic::set_hook(Box::new(panicked));
    guard
}

/// A writer with a thread of its own.
fn apart(to: impl std::io::Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .thread_name("log")
        .lossy(true)
        .buffered_lines_limit(10_000)
        .finish(to)
}

fn lines<S, W>(level: Level, writer: W) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // Other crates log warnings and errors only; sqlx logs each statement, so errors only.
    let others = Targets::new()
        .with_default(Level::WARN)
        .with_target("sqlx", Level::ERROR);
    let lines = fmt::layer()
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(writer);
    lines.with_filter(others.with_targets(OURS.map(|target| (target, level))))
}

/// Logs only the place of a panic, because its message may contain a personal value.
fn panicked(info: &PanicHookInfo<'_>) {
    let at = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    tracing::error!(at, thread = thread.name().unwrap_or_default(), "a fault of the program");
}

/// Prints a line on standard error; a failure is ignored.
pub fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::mpsc;

    /// Rejects every write, like a full disk or a closed pipe.
    struct BrokenWriter;

    impl io::Write for BrokenWriter {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    /// Blocks every write forever, like a pipe that nobody reads.
    struct StuckWriter(mpsc::Receiver<()>);

    impl io::Write for StuckWriter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().ok();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn talk(writer: NonBlocking) {
        let log = tracing_subscriber::registry().with(lines(Level::INFO, writer));
        tracing::subscriber::with_default(log, || {
            for n in 0..20_000 {
                tracing::error!(n, "said");
            }
        });
    }

    /// A log that cannot be written neither blocks nor fails the program.
    #[test]
    fn broken_or_stuck_log_writer_does_not_block() {
        let (writer, _guard) = apart(BrokenWriter);
        talk(writer);
        let (reads, waits) = mpsc::channel();
        let (writer, _guard) = apart(StuckWriter(waits));
        talk(writer);
        drop(reads);
    }

    /// Log lines have level, request and place; those of libraries are left out.
    #[test]
    fn log_lines_have_level_and_span_and_exclude_libraries() {
        #[derive(Clone, Default)]
        struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

        impl io::Write for Lines {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let heard = Lines::default();
        let writer = heard.clone();
        let log = tracing_subscriber::registry().with(lines(Level::INFO, move || writer.clone()));
        tracing::subscriber::with_default(log, || {
            tracing::warn!(target: "sqlx::query", "SELECT 1");
            tracing::info!(target: "hyper", "spoken to");
            tracing::debug!("too small");
            let span = tracing::info_span!("request", id = "r-1", route = "/held");
            span.in_scope(|| tracing::warn!("it was said"));
        });
        let said = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        for part in ["WARN", "request", "r-1", "/held", "ngomon::log", "it was said"] {
            assert!(said.contains(part), "{said}");
        }
    }
}
