//! `cargo xtask test`: everything that must hold before a change goes in, in one command on a fresh machine.
//!
//! One feature set and one profile are compiled, while PostgreSQL is installed and started beside it.

use crate::postgres::{Cluster, Fsync};
use crate::{Fault, Outcome, cargo, status};
use std::ffi::OsString;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

const COMPILE: [&str; 4] = ["test", "--workspace", "--all-features", "--no-run"];
const TESTS: [&str; 4] = ["test", "--workspace", "--all-features", "--no-fail-fast"];
const LINTS: [&str; 7] = [
    "clippy",
    "--workspace",
    "--all-targets",
    "--all-features",
    "--",
    "-D",
    "warnings",
];

/// Runs every step that can run, prints a table of them, and fails if one did.
pub fn run(args: &[OsString]) -> Outcome {
    let filter = match args {
        [] => args,
        [dashes, rest @ ..] if dashes == "--" => rest,
        [other, ..] => {
            let other = other.display();
            return Err(Fault::Usage(format!(
                "test: a filter stands after `--`: cargo xtask test -- {other}"
            )));
        }
    };
    let mut report = Report::default();
    report.run("format", &mut cargo(&["fmt", "--all", "--check"]));

    let (cluster, time) = thread::scope(|scope| {
        let starting = scope.spawn(|| timed(|| Cluster::start(Fsync::Off)));
        report.run("compile", &mut cargo(&COMPILE));
        starting
            .join()
            .unwrap_or_else(|_| (Err("starting PostgreSQL panicked".to_owned()), Duration::ZERO))
    });
    let compiled = report.is_done("compile");
    report.note("PostgreSQL", &cluster, time);

    match cluster {
        Ok(cluster) if compiled => {
            let mut tests = cargo(&TESTS);
            if !filter.is_empty() {
                tests.arg("--").args(filter);
            }
            report.run("tests", cluster.lend(&mut tests));
        }
        _ => report.skip("tests"),
    }
    if compiled && filter.is_empty() {
        eprintln!("== pages: Chromium on the demo");
        let (walked, time) = timed(crate::pages::walk);
        report.note("pages", &walked, time);
        eprintln!("== systems: foreign libraries on the demo");
        let (signed_in, time) = timed(crate::systems::interop);
        report.note("systems", &signed_in, time);
    } else if !compiled {
        report.skip("pages");
        report.skip("systems");
    }
    if compiled {
        report.run("lints", &mut cargo(&LINTS));
    } else {
        report.skip("lints");
    }
    Ok(report.print())
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Failed,
    Skipped,
}

/// What ran, how it ended and how long it took.
#[derive(Default)]
struct Report {
    steps: Vec<(&'static str, End, Duration)>,
}

impl Report {
    /// Runs a command as a step.
    fn run(&mut self, step: &'static str, command: &mut Command) {
        let words: Vec<_> = command.get_args().map(|word| word.display().to_string()).collect();
        eprintln!("== {step}: cargo {}", words.join(" "));
        let (ended, time) = timed(|| status(command));
        let ended = ended.and_then(|status| {
            if status.success() {
                Ok(())
            } else {
                Err(status.to_string())
            }
        });
        self.note(step, &ended, time);
    }

    /// Takes down a step that ran elsewhere.
    fn note<T>(&mut self, step: &'static str, ended: &Result<T, String>, time: Duration) {
        if let Err(message) = ended {
            eprintln!("== {step} failed: {message}");
        }
        self.steps
            .push((step, if ended.is_ok() { End::Done } else { End::Failed }, time));
    }

    /// Takes down a step that cannot run after what failed before it.
    fn skip(&mut self, step: &'static str) {
        self.steps.push((step, End::Skipped, Duration::ZERO));
    }

    fn is_done(&self, step: &str) -> bool {
        self.steps
            .iter()
            .any(|(name, end, _)| *name == step && *end == End::Done)
    }

    /// Prints the table; the exit status says whether everything was done.
    fn print(&self) -> ExitCode {
        println!("\n{:<12} {:<8} {:>9}", "step", "result", "time");
        for (step, end, time) in &self.steps {
            let (result, time) = match end {
                End::Done => ("ok", format!("{:.1} s", time.as_secs_f64())),
                End::Failed => ("FAILED", format!("{:.1} s", time.as_secs_f64())),
                End::Skipped => ("skipped", String::new()),
            };
            println!("{}", format!("{step:<12} {result:<8} {time:>9}").trim_end());
        }
        let done = self.steps.iter().all(|(_, end, _)| *end == End::Done);
        if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Does something and says how long it took.
#[allow(clippy::disallowed_methods, reason = "xtask tells people how long its steps took")]
fn timed<T>(action: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = action();
    (result, start.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_step_is_no_success() {
        let mut report = Report::default();
        report.note("compile", &Ok(()), Duration::ZERO);
        assert_eq!(report.print(), ExitCode::SUCCESS);
        report.skip("tests");
        assert_eq!(report.print(), ExitCode::FAILURE);
    }
}
