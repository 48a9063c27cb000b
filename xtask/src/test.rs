//! The verb `cargo xtask test`: every check that must pass before a change is merged, in one command on a fresh machine.
//!
//! Only one feature set and one profile are compiled. Meanwhile packages are installed and PostgreSQL is started.

use crate::machine::{self, POSTGRESQL};
use crate::postgres::{Cluster, Fsync};
use crate::reaper::Reaper;
use crate::{Fault, Outcome, cargo, pages, status, systems};
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
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

/// Documents private items too: the documentation is for those who work here. A link that leads nowhere fails.
const DOCUMENTATION: [&str; 5] = [
    "doc",
    "--workspace",
    "--all-features",
    "--no-deps",
    "--document-private-items",
];

/// The action of a browser step.
type Act = fn(&Reaper) -> Result<(), String>;

/// The steps in a browser.
const BROWSER: [(&str, &str, Act); 2] = [
    ("pages", "Chromium on the demo", pages::walk),
    ("systems", "foreign libraries on the demo", systems::interop),
];

/// Runs every step that can run, prints a table of them, and fails if any step failed.
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
    let mut packages = vec![POSTGRESQL];
    if filter.is_empty() {
        machine::have_components()?;
        packages.extend(pages::PACKAGES.into_iter().chain(systems::PACKAGES));
    }
    let lacking = machine::lacking(&packages)?;
    let mut reaper = Reaper::start()?;
    let mut report = Report::default();
    report.run("format", &reaper, &mut cargo(&["fmt", "--all", "--check"]));

    let ended = thread::scope(|scope| {
        let beside = scope.spawn(|| {
            let installed = timed(|| machine::install(&lacking));
            (installed, timed(|| Cluster::start(Fsync::Off)))
        });
        report.run("compile", &reaper, &mut cargo(&COMPILE));
        beside.join()
    });
    let (installed, cluster) = ended.map_err(|_| "installing packages or starting PostgreSQL panicked".to_owned())?;
    let compiled = report.is_done("compile");
    report.note("packages", &installed.0, installed.1);
    report.note("PostgreSQL", &cluster.0, cluster.1);

    match cluster.0 {
        Ok(cluster) if compiled => {
            let mut tests = cargo(&TESTS);
            if !filter.is_empty() {
                tests.arg("--").args(filter);
            }
            report.tests(&mut reaper, cluster.lend(&mut tests));
        }
        _ => report.skip("tests"),
    }
    if compiled && filter.is_empty() {
        for (step, told, act) in BROWSER {
            eprintln!("== {step}: {told}");
            let (ended, time) = timed(|| act(&reaper));
            report.note(step, &ended, time);
            reaper.sweep()?;
        }
    } else if !compiled {
        report.skip("pages");
        report.skip("systems");
    }
    if compiled {
        report.run("lints", &reaper, &mut cargo(&LINTS));
        report.run(
            "documentation",
            &reaper,
            cargo(&DOCUMENTATION).env("RUSTDOCFLAGS", "-D warnings"),
        );
    } else {
        report.skip("lints");
        report.skip("documentation");
    }
    Ok(report.print())
}

/// The checks before a commit: format, lints of the program, the rules against the letters, the
/// habits of the source. The whole command is for the merge.
pub fn quick(args: &[OsString]) -> Outcome {
    if let Some(other) = args.first() {
        return Err(Fault::Usage(format!(
            "quick: no argument is known: {}",
            other.display()
        )));
    }
    let mut reaper = Reaper::start()?;
    let mut report = Report::default();
    report.run("format", &reaper, &mut cargo(&["fmt", "--all", "--check"]));
    report.run(
        "lints",
        &reaper,
        &mut cargo(&["clippy", "--workspace", "--all-features", "--", "-D", "warnings"]),
    );
    for step in ["ngomon-rules", "xtask"] {
        report.run(step, &reaper, &mut cargo(&["test", "--quiet", "--package", step]));
    }
    reaper.sweep()?;
    Ok(report.print())
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Failed,
    Skipped,
}

/// The result and the duration of each step, and the names of the failed tests.
#[derive(Default)]
struct Report {
    steps: Vec<(&'static str, End, Duration)>,
    failed: Vec<String>,
}

impl Report {
    /// Runs a command as a step.
    fn run(&mut self, step: &'static str, reaper: &Reaper, command: &mut Command) {
        let words: Vec<_> = command.get_args().map(|word| word.display().to_string()).collect();
        eprintln!("== {step}: cargo {}", words.join(" "));
        let (ended, time) = timed(|| status(reaper.lend(command)));
        let ended = ended.and_then(|status| {
            if status.success() {
                Ok(())
            } else {
                Err(status.to_string())
            }
        });
        self.note(step, &ended, time);
    }

    /// Runs the tests as a step. Prints their output except for tests that pass. Fails if they leave anything behind.
    fn tests(&mut self, reaper: &mut Reaper, command: &mut Command) {
        eprintln!("== tests: cargo {}", TESTS.join(" "));
        let (ended, time) = timed(|| self.listen(reaper, command));
        self.note("tests", &ended, time);
    }

    fn listen(&mut self, reaper: &mut Reaper, command: &mut Command) -> Result<(), String> {
        let unheard = |error: io::Error| format!("cannot hear the tests: {error}");
        let (reader, writer) = io::pipe().map_err(unheard)?;
        command.stdout(writer.try_clone().map_err(unheard)?).stderr(writer);
        let child = reaper.lend(command).spawn();
        let mut child = child.map_err(|error| format!("cannot start cargo: {error}"))?;
        // Drops our own ends of the pipe, so that it ends when those of the tests do.
        command.stdout(io::stdout()).stderr(io::stderr());
        let listening = thread::spawn(move || {
            let mut listener = Listener::default();
            let mut lines = BufReader::new(reader);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line);
                if listener.hear(text.trim_end()) {
                    // A closed standard output must not stop the run: the table is still made.
                    io::stdout().write_all(&line).ok();
                }
                line.clear();
            }
            listener.failed
        });
        let ended = child
            .wait()
            .map_err(|error| format!("cannot wait for cargo: {error}"))?;
        // Before joining the thread, because a leftover process would hold the pipe open.
        let left = reaper.sweep()?;
        self.failed = listening
            .join()
            .map_err(|_| "listening to the tests panicked".to_owned())?;
        self.failed
            .extend(left.into_iter().map(|what| format!("left behind, now gone: {what}")));
        if self.failed.is_empty() && ended.success() {
            return Ok(());
        }
        Err(ended.to_string())
    }

    /// Records a step that ran elsewhere.
    fn note<T>(&mut self, step: &'static str, ended: &Result<T, String>, time: Duration) {
        if let Err(message) = ended {
            eprintln!("== {step} failed: {message}");
        }
        self.steps
            .push((step, if ended.is_ok() { End::Done } else { End::Failed }, time));
    }

    /// Records a step that cannot run because an earlier step failed.
    fn skip(&mut self, step: &'static str) {
        self.steps.push((step, End::Skipped, Duration::ZERO));
    }

    fn is_done(&self, step: &str) -> bool {
        self.steps
            .iter()
            .any(|(name, end, _)| *name == step && *end == End::Done)
    }

    /// Prints the table. The exit status says whether every step succeeded.
    fn print(&self) -> ExitCode {
        println!("\n{:<12} {:<8} {:>9}", "step", "result", "time");
        for (step, end, time) in &self.steps {
            let (result, time) = match end {
                End::Done => ("ok", format!("{:.1} s", time.as_secs_f64())),
                End::Failed => ("FAILED", format!("{:.1} s", time.as_secs_f64())),
                End::Skipped => ("skipped", String::new()),
            };
            println!("{}", format!("{step:<12} {result:<8} {time:>9}").trim_end());
            if *step == "tests" {
                self.failed.iter().for_each(|test| println!("  {test}"));
            }
        }
        let done = self.steps.iter().all(|(_, end, _)| *end == End::Done);
        if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Finds the failed tests in the output of `cargo test`.
#[derive(Default)]
struct Listener {
    /// The running test program, as cargo names it.
    program: String,
    failed: Vec<String>,
}

impl Listener {
    /// Reads a line. Returns whether it should be printed.
    fn hear(&mut self, line: &str) -> bool {
        if let Some((_, path)) = line
            .trim_start()
            .strip_prefix("Running ")
            .and_then(|_| line.rsplit_once("deps/"))
        {
            let name = path.rsplit_once('-').map_or(path, |(name, _)| name);
            name.clone_into(&mut self.program);
        } else if let Some(name) = line.trim_start().strip_prefix("Doc-tests ") {
            name.clone_into(&mut self.program);
        } else if let Some(test) = line.strip_prefix("test ") {
            if let Some(test) = test.strip_suffix(" ... FAILED") {
                self.failed.push(format!("{}: {test}", self.program));
            }
            return !test.ends_with(" ... ok");
        } else if line.starts_with("error: test failed, to rerun") && !self.names_the_program() {
            self.failed
                .push(format!("{}: ended before its tests did", self.program));
        }
        true
    }

    fn names_the_program(&self) -> bool {
        let last = self.failed.last().and_then(|test| test.split_once(": "));
        last.is_some_and(|(program, _)| program == self.program)
    }
}

/// Runs an action and measures its duration.
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

    /// The report names the tests that failed.
    #[test]
    fn failed_tests_named_in_report() {
        const SAID: &str = "\
     Running unittests src/lib.rs (target/debug/deps/ngomon_rules-0123456789abcdef)
test values::one ... ok
     Running tests/commands.rs (target/debug/deps/commands-0123456789abcdef)
test the_demo_plays ... FAILED
test a_wrong_line ... ok
error: test failed, to rerun pass `-p ngomon --test commands`
     Running tests/durability.rs (target/debug/deps/durability-0123456789abcdef)
error: test failed, to rerun pass `-p ngomon --test durability`
   Doc-tests ngomon_rules
test rules/src/lib.rs - (line 3) ... FAILED";
        let mut listener = Listener::default();
        let shown = SAID.lines().filter(|line| listener.hear(line));
        assert_eq!(shown.count(), SAID.lines().count() - 2);
        let failed = [
            "commands: the_demo_plays",
            "durability: ended before its tests did",
            "ngomon_rules: rules/src/lib.rs - (line 3)",
        ];
        assert_eq!(listener.failed, failed);
    }

    /// What tests leave behind is a failure.
    #[test]
    fn leftovers_of_tests_are_failure() {
        let mut reaper = Reaper::start().unwrap();
        let mut tests = |script: &str| {
            let mut report = Report::default();
            report.tests(&mut reaper, Command::new("/bin/sh").args(["-c", script]));
            (report.is_done("tests"), report.failed)
        };
        assert_eq!(tests("echo test a ... ok"), (true, Vec::new()));
        let (done, left) = tests(": >$TMPDIR/left");
        assert!(!done && left.len() == 1 && left[0].ends_with("/left"), "{left:?}");
        // A leftover process holds the output open, and must not block us.
        let (done, left) = tests("setsid sleep 1000 & exit 0");
        assert!(!done && left.len() == 1 && left[0].contains("sleep 1000"), "{left:?}");
    }
}
