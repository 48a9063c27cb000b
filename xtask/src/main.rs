//! The command `cargo xtask VERB`: the tasks of developers and of the build machine.
//!
//! It uses the standard library only, so that it compiles in a second on a fresh machine. Each verb has its own file; cargo runs the
//! neighbouring `start` first.

mod bench;
mod demo;
mod docs;
mod licences;
mod machine;
mod node;
mod pages;
mod postgres;
mod reaper;
mod systems;
mod test;

use std::env;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

const USAGE: &str = "\
usage: cargo xtask VERB

  test [-- FILTER…]              format, compile, tests, pages, systems, lints, documentation; FILTER goes to the test binaries
  quick                          format, lints of the program, the rules, the habits of the source: before each commit
  postgres [--fsync] -- COMMAND… run COMMAND beside a private PostgreSQL (its address is in NGOMON_TEST_POSTGRES,
                                 and psql finds it by itself); fsync is off unless asked for
  demo [ARGS…]                   build ngomon (debug) and run `ngomon demo ARGS` on a fresh data directory, with two systems beside it
  systems                        let foreign OpenID libraries sign people in at the built ngomon, and see a hold
  docs                           take the pictures of docs/WALKTHROUGHS.md anew, in a real browser
  licences                       write THIRD-PARTY.txt anew: the notices of all that the program contains
  bench [ARGS…]                  build and run the benchmarks (release) beside a private PostgreSQL with fsync on
  load [ARGS…]                   build ngomon (release) and print what its pages cost, on both databases
";

/// Why a verb failed.
enum Fault {
    /// The command line is wrong: exit status 2, with the usage.
    Usage(String),
    /// Something did not work: exit status 1.
    Failed(String),
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

type Outcome = Result<ExitCode, Fault>;

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let outcome = match args.split_first() {
        None => usage(),
        Some((verb, rest)) => match verb.to_str() {
            Some("test") => test::run(rest),
            Some("quick") => test::quick(rest),
            Some("postgres") => postgres::run(rest),
            Some("demo") => demo::run(rest),
            Some("docs") => docs::run(rest),
            Some("systems") => systems::run(rest),
            Some("licences") => licences::run(rest),
            Some("bench") => bench::run(&bench::FIGURES, rest),
            Some("load") => bench::run(&bench::LOAD, rest),
            Some("help" | "--help" | "-h") => usage(),
            _ => Err(Fault::Usage(format!("no such verb: {}", verb.display()))),
        },
    };
    match outcome {
        Ok(code) => code,
        Err(Fault::Failed(message)) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
        Err(Fault::Usage(message)) => {
            eprint!("xtask: {message}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "stands beside the verbs")]
fn usage() -> Outcome {
    print!("{USAGE}");
    Ok(ExitCode::SUCCESS)
}

/// The top directory of the workspace.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The directory where cargo puts its output when it is started at the top of the workspace.
fn target() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Cargo itself, started at the top of the workspace.
fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// Runs a command to its end. It inherits our input and output.
fn status(command: &mut Command) -> Result<ExitStatus, String> {
    command
        .status()
        .map_err(|error| format!("cannot start {}: {error}", command.get_program().display()))
}

/// The exit status to pass on, as a shell computes it: 128 plus the number of the signal that ended the process.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// The arguments to pass on to another program. A leading `--` only separates them from our own.
fn forwarded(args: &[OsString]) -> &[OsString] {
    match args {
        [dashes, rest @ ..] if dashes == "--" => rest,
        _ => args,
    }
}
