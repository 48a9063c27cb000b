//! Tests of `kill -9` at any moment and of a full disk: what was acknowledged is there, nothing is half-applied, and work goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Ngomon, On, Running, after, fixtures, lines};
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Discards the output, because the command is killed anyway.
fn quiet(command: &mut Command) -> &mut Command {
    command.stdout(Stdio::null()).stderr(Stdio::null())
}

/// Starts a command and kills it as soon as the database shows its work. Returns whether it was still running.
fn killed(n: &Ngomon, words: &str, at_work: impl Fn() -> bool) -> bool {
    let mut child = Running::start(quiet(&mut n.command(words)));
    #[allow(
        clippy::disallowed_methods,
        reason = "a limit, so that a test that waits in vain ends"
    )]
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() && !at_work() {
        #[allow(clippy::disallowed_methods, reason = "as above")]
        let waited = began.elapsed();
        assert!(waited < Duration::from_mins(1), "it never got to work: {words}");
    }
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    running
}

/// An installation whose command was killed in the middle of its work. On a busy machine the command may finish before the check; then
/// another installation is prepared.
fn killed_in_the_middle(
    on: On,
    prepare: impl Fn(&Ngomon),
    words: impl Fn(&Ngomon) -> String,
    at_work: impl Fn(&Ngomon) -> bool,
) -> Ngomon {
    for _ in 0..20 {
        let n = Ngomon::new(on);
        prepare(&n);
        if killed(&n, &words(&n), || at_work(&n)) {
            return n;
        }
    }
    panic!("it was always done before it was killed");
}

fn count(n: &Ngomon, sql: &str) -> u64 {
    n.sql(sql).trim().parse().unwrap()
}

fn an_import_is_killed(on: On) {
    let at = fixtures("sample");
    let units = format!("import units {}/units.csv --as-of 2023-07-31", at.display());
    let import = format!("import citizens {}/citizens.csv --as-of 2023-07-31", at.display());
    let staged = |n: &Ngomon| count(n, "SELECT COUNT(*) FROM account_row") > 300;
    let n = killed_in_the_middle(on, |n| drop(n.ok(&units)), |_| import.clone(), staged);
    assert!(staged(&n));
    n.ok("verify");
    assert!(
        lines(&n.run("report --format csv").stdout)
            .values()
            .all(|row| row[0] == "0")
    );
    // The next import removes what is left and imports the whole file.
    after(&n.ok(&import), "load");
    n.ok("verify");
    let all = lines(&n.run("report --as-of 2023-07-31 --format csv").stdout);
    assert_eq!(
        all.values().map(|row| row[0].parse::<u64>().unwrap()).max(),
        Some(count(&n, "SELECT COUNT(*) FROM account_row WHERE unit <> ''"))
    );
}

/// An import killed at any moment leaves nothing half-applied, and is completed by another.
#[test]
fn killed_import_is_recovered_on_sqlite() {
    an_import_is_killed(On::Sqlite);
}

/// An import killed at any moment leaves nothing half-applied, and is completed by another.
#[test]
fn killed_import_is_recovered_on_postgresql() {
    an_import_is_killed(On::Postgres);
}

fn a_standardise_is_killed(on: On) {
    let forms = fixtures("sample").join("submissions.csv");
    let standardise = |n: &Ngomon| {
        let out = n.path("out.csv");
        format!("standardise {} --output {}", forms.display(), out.display())
    };
    let answered = |n: &Ngomon| count(n, "SELECT COUNT(*) FROM submission") > 100;
    let n = killed_in_the_middle(on, |n| n.import_all("sample", "2023-07-31"), standardise, answered);
    n.ok("verify");
    let before = lines(&n.run("holds --kind citizen --as-of 2023-07-31 --format csv").stdout);
    assert!(before.len() > 50);
    // Outcomes stay: entering the file again changes no claim.
    n.ok(&standardise(&n));
    let after = lines(&n.run("holds --kind citizen --as-of 2023-07-31 --format csv").stdout);
    for (account, row) in before.iter().filter(|(_, row)| row[1] == "yes") {
        assert_eq!(&after[account], row);
    }
    n.ok("verify");
}

/// A `standardise` killed at any moment loses no acknowledged form.
#[test]
fn killed_standardise_is_recovered_on_sqlite() {
    a_standardise_is_killed(On::Sqlite);
}

/// A `standardise` killed at any moment loses no acknowledged form.
#[test]
fn killed_standardise_is_recovered_on_postgresql() {
    a_standardise_is_killed(On::Postgres);
}

/// A run is one transaction: it is applied completely or not at all.
fn a_run_is_killed(on: On) {
    let n = Ngomon::new(on);
    n.import_all("sample", "2023-07-31");
    let run = after(&n.ends(3, "reconcile --as-of 2023-07-31"), "run").to_owned();
    let approve = format!("reconcile --approve {run}");
    // Killed after each fifth of the whole duration, so that some moments lie within the run.
    let mut whole = false;
    for part in 0..5 {
        let mut child = Running::start(quiet(&mut n.command(&approve)));
        for _ in 0..part {
            count(&n, "SELECT COUNT(*) FROM run");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let holds = count(&n, "SELECT COUNT(*) FROM hold");
        let state = n.sql(&format!("SELECT state FROM run WHERE id = '{run}'"));
        whole = state.trim() == "applied";
        assert_eq!(holds > 0, whole, "{holds} holds, the run is {state}");
        n.ok("verify");
        if whole {
            break;
        }
    }
    if !whole {
        n.ok(&approve);
    }
    assert!(count(&n, "SELECT COUNT(*) FROM hold") > 100);
    n.ok("verify");
}

/// A run killed at any moment is applied whole or not at all.
#[test]
fn killed_run_is_recovered_on_sqlite() {
    a_run_is_killed(On::Sqlite);
}

/// A run killed at any moment is applied whole or not at all.
#[test]
fn killed_run_is_recovered_on_postgresql() {
    a_run_is_killed(On::Postgres);
}

/// Sixteen processes enter forms at once, and are killed together.
fn sixteen_writers_are_killed(on: On) {
    let n = Ngomon::new(on);
    n.import_all("sample", "2023-07-31");
    let all = fs::read_to_string(fixtures("sample").join("submissions.csv")).unwrap();
    let (heading, rows) = all.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let mut writers = Vec::new();
    for (i, part) in rows.chunks(rows.len().div_ceil(16)).enumerate() {
        let file = n.file(&format!("part{i}.csv"), &format!("{heading}\n{}\n", part.join("\n")));
        let words = format!(
            "standardise {} --output {}",
            file.display(),
            n.path(&format!("out{i}.csv")).display()
        );
        writers.push(Running::start(quiet(&mut n.command(&words))));
    }
    assert_eq!(writers.len(), 16);
    #[allow(
        clippy::disallowed_methods,
        reason = "a limit, so that a test that waits in vain ends"
    )]
    let began = Instant::now();
    while count(&n, "SELECT COUNT(*) FROM submission") < 300 {
        #[allow(clippy::disallowed_methods, reason = "as above")]
        let waited = began.elapsed();
        assert!(waited < Duration::from_mins(2));
    }
    for writer in &mut writers {
        writer.kill().unwrap();
        writer.wait().unwrap();
    }
    n.ok("verify");
    assert!(count(&n, "SELECT COUNT(*) FROM submission") >= 300);
    let claims =
        "SELECT COUNT(*) FROM (SELECT person FROM claim WHERE until IS NULL GROUP BY person HAVING COUNT(*) > 1) d";
    assert_eq!(count(&n, claims), 0);
    n.ok("verify");
}

/// Sixteen writers killed at any moment lose nothing that was acknowledged.
#[test]
fn sixteen_killed_writers_lose_nothing_on_sqlite() {
    sixteen_writers_are_killed(On::Sqlite);
}

/// Sixteen writers killed at any moment lose nothing that was acknowledged.
#[test]
fn sixteen_killed_writers_lose_nothing_on_postgresql() {
    sixteen_writers_are_killed(On::Postgres);
}

/// Killed when the new keys are in the file, while the database is changed to them.
fn a_rotation_is_killed(on: On) {
    let n = Ngomon::new(on);
    n.import_all("sample-leap", "2025-02-28");
    let keys = if on == On::Sqlite { "data/keys" } else { "keys" };
    let file = || fs::read_to_string(n.path(keys).join("keyring.json")).unwrap();
    let prepared = || !file().contains("\"fingerprint_beside\": null");
    assert!(!prepared());
    assert!(killed(&n, "keys rotate", prepared));
    assert!(prepared(), "it was killed before it was done");
    n.ok("verify");
    let forms = fixtures("sample-leap").join("submissions.csv");
    let answer = |name: &str| {
        n.ok(&format!(
            "standardise {} --output {}",
            forms.display(),
            n.path(name).display()
        ));
        fs::read(n.path(name)).unwrap()
    };
    answer("first.csv");
    let between = answer("between.csv");
    n.ok("keys rotate");
    assert!(!prepared() && file().contains("\"fingerprint_current\": 2"));
    assert_eq!(answer("after.csv"), between);
    n.ok("verify");
}

/// A key rotation killed at any moment is completed by the next command.
#[test]
fn killed_key_rotation_is_recovered_on_sqlite() {
    a_rotation_is_killed(On::Sqlite);
}

/// A key rotation killed at any moment is completed by the next command.
#[test]
fn killed_key_rotation_is_recovered_on_postgresql() {
    a_rotation_is_killed(On::Postgres);
}

/// A limit on the file size simulates a full disk: writing fails in the middle of the import.
#[test]
fn full_disk_fails_import_and_applies_nothing() {
    let n = Ngomon::new(On::Sqlite);
    let at = fixtures("sample");
    n.ok(&format!("import units {}/units.csv --as-of 2023-07-31", at.display()));
    let size = fs::metadata(n.path("data/ngomon.db")).unwrap().len() / 512;
    let import = format!("import citizens {}/citizens.csv --as-of 2023-07-31", at.display());
    let typed = n.command(&import);
    let words: Vec<String> = typed
        .get_args()
        .map(|arg| format!("'{}'", arg.to_string_lossy()))
        .collect();
    // Files may grow by 256 kB only (in blocks of 512 bytes); SIGXFSZ is ignored, so that the write fails instead.
    let script = format!(
        "trap '' XFSZ; ulimit -f {}; exec '{}' {}",
        size + 512,
        env!("CARGO_BIN_EXE_ngomon"),
        words.join(" ")
    );
    let out = Command::new("sh")
        .args(["-c", &script])
        .env("LC_ALL", "vi")
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(1), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(!String::from_utf8_lossy(&out.stderr).is_empty());
    // What could not be removed on a full disk is reported, but not as a fault.
    n.ok("verify");
    assert!(
        lines(&n.run("report --format csv").stdout)
            .values()
            .all(|row| row[0] == "0")
    );
    n.ok(&import);
    n.ok("verify");
}
