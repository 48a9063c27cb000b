//! Tests of maintenance commands: a restore that is killed, a truncated database, lost checkpoints; and the messages when the output of a
//! completed change cannot be written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Ngomon, On, after, fixtures};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Output, Stdio};

fn keys(n: &Ngomon, on: On) -> PathBuf {
    n.path(if on == On::Sqlite { "data/keys" } else { "keys" })
}

fn units(n: &Ngomon) {
    let at = fixtures("sample");
    n.ok(&format!("import units {}/units.csv --as-of 2023-07-31", at.display()));
}

/// Another installation, empty, with the keys of this one.
fn beside(n: &Ngomon, on: On) -> Ngomon {
    let other = Ngomon::new(on);
    let (from, to) = (keys(n, on), keys(&other, on));
    fs::create_dir_all(&to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap().path();
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
    other
}

fn text(out: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    )
}

/// Runs a command with that standard output.
fn into(n: &Ngomon, words: &str, stdout: Stdio) -> Output {
    let out = n.command(words).stdout(stdout).stderr(Stdio::piped()).output().unwrap();
    assert!(!text(&out).contains("panicked"), "ngomon {words}\n{}", text(&out));
    out
}

/// A pipe whose reader is closed.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

fn a_killed_restore_is_begun_again(on: On) {
    let n = Ngomon::new(on);
    n.import_all("sample", "2023-07-31");
    let copy = n.path("copy");
    n.ok(&format!("backup {}", copy.display()));
    let holds = n.ok("holds --as-of 2023-07-31 --format csv");
    let restore = format!("restore {}", copy.display());
    let grown = |other: &Ngomon| match on {
        On::Sqlite => fs::metadata(other.path("data/ngomon.db-wal")).is_ok_and(|about| about.len() > 500_000),
        On::Postgres => {
            let sql =
                "SELECT COALESCE(MAX(pg_total_relation_size(oid)), 0) > 100000 FROM pg_class WHERE relname = 'journal'";
            other.sql(sql).trim() == "t"
        }
    };
    let mut killed = None;
    for _ in 0..20 {
        let other = beside(&n, on);
        let mut child = other
            .command(&restore)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while child.try_wait().unwrap().is_none() && !grown(&other) {}
        let running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        // It may have finished already, or be about to.
        if running && other.run("report").status.code() == Some(1) {
            killed = Some(other);
            break;
        }
    }
    let other = killed.expect("it was always done before it was killed");
    for words in [
        "report --format csv",
        "verify",
        "rebuild",
        "operator add lan",
        "serve --listen 127.0.0.1:0",
        "checkpoints accept",
    ] {
        assert!(other.ends(1, words).contains("ngomon restore"), "{words}");
    }
    let said = other.ok(&restore);
    assert!(
        said.contains("đăng nhập lại"),
        "what is not brought back is said: {said}"
    );
    other.ok("verify");
    assert_eq!(other.ok("holds --as-of 2023-07-31 --format csv"), holds);
    let again = other.ends(1, &restore);
    let place = match on {
        On::Sqlite => other.path("data").display().to_string(),
        On::Postgres => "postgres://".to_owned(),
    };
    assert!(again.contains(&place) && !again.contains("keys"), "{again}");
}

/// A killed restore is recognised and started again.
#[test]
fn killed_restore_is_repeated_on_sqlite() {
    a_killed_restore_is_begun_again(On::Sqlite);
}

/// A killed restore is recognised and started again.
#[test]
fn killed_restore_is_repeated_on_postgresql() {
    a_killed_restore_is_begun_again(On::Postgres);
}

fn an_older_backup_is_accepted_on_purpose(on: On) {
    let n = Ngomon::new(on);
    units(&n);
    let copy = n.path("copy");
    n.ok(&format!("backup {}", copy.display()));
    n.ok("operator add lan");
    let other = beside(&n, on);
    let said = other.ok(&format!("restore {}", copy.display()));
    assert!(said.contains("ngomon checkpoints accept"), "{said}");
    for words in ["report", "operator add minh", "serve --listen 127.0.0.1:0"] {
        let said = other.ends(1, words);
        assert!(said.contains("ngomon checkpoints accept"), "{words}: {said}");
        assert!(!said.contains("http"), "{said}");
    }
    other.ends(1, "verify");
    other.ok("checkpoints accept");
    other.ok("verify");
    other.ok("operator add minh");
    other.ok("verify");
    other.ends(1, "checkpoints accept");
}

/// A backup older than the checkpoints is restored only after it is accepted explicitly.
#[test]
fn older_backup_needs_explicit_acceptance_on_sqlite() {
    an_older_backup_is_accepted_on_purpose(On::Sqlite);
}

/// A backup older than the checkpoints is restored only after it is accepted explicitly.
#[test]
fn older_backup_needs_explicit_acceptance_on_postgresql() {
    an_older_backup_is_accepted_on_purpose(On::Postgres);
}

/// A truncated database is refused, and the message names `restore`.
#[test]
fn truncated_database_refused_with_hint_to_restore() {
    let n = Ngomon::new(On::Sqlite);
    units(&n);
    n.ok("operator add lan");
    let file = n.path("data/ngomon.db");
    n.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let whole = fs::read(&file).unwrap();
    for part in [0, whole.len() / 100, whole.len() / 2, whole.len() - 4096] {
        fs::write(&file, &whole[..part]).unwrap();
        for words in ["report", "operator add minh", "serve --listen 127.0.0.1:0", "verify"] {
            let said = n.ends(1, words);
            assert!(said.contains("ngomon restore"), "{part} {words}: {said}");
        }
        assert_eq!(fs::read(&file).unwrap(), whole[..part], "nothing was changed");
    }
    fs::write(&file, whole).unwrap();
    n.ok("verify");
}

/// If standard output fails, links and secrets are printed elsewhere and are not lost.
#[test]
fn secrets_printed_elsewhere_if_stdout_fails() {
    let n = Ngomon::new(On::Sqlite);
    let at = fixtures("sample");
    let import = format!("import units {}/units.csv --as-of 2023-07-31", at.display());
    for (stdout, status) in [(closed as fn() -> Stdio, 0), (full, 1)] {
        assert_eq!(into(&n, &import, stdout()).status.code(), Some(0), "it was done");
        for words in ["report", "report --format xlsx", "operator list", "verify"] {
            let out = into(&n, words, stdout());
            assert_eq!(out.status.code(), Some(status), "{words}: {}", text(&out));
        }
        let name = format!("name{status}");
        let out = into(&n, &format!("operator add {name}"), stdout());
        assert_eq!(out.status.code(), Some(0));
        assert!(text(&out).contains("/enrol/"), "{}", text(&out));
        assert!(n.ok("operator list").contains(&name));
        let add = format!("client add {name} --redirect-uri https://{name}.example/cb");
        let out = into(&n, &add, stdout());
        assert_eq!(out.status.code(), Some(0));
        let said = text(&out);
        let (id, secret) = (after(&said, "client_id"), after(&said, "client_secret"));
        assert!(!id.is_empty() && secret.len() > 20);
        let out = into(&n, &format!("client rotate {name}"), stdout());
        assert!(!after(&text(&out), "client_secret").is_empty());
    }
}

/// A run stays as it was if its result cannot be written; what was applied is reported as applied.
#[test]
fn unwritable_output_detected_before_any_change() {
    let n = Ngomon::new(On::Sqlite);
    n.import_all("sample", "2023-07-31");
    let run = after(&n.ends(3, "reconcile --as-of 2023-07-31"), "run").to_owned();
    for bad in ["/no/such/directory/decisions.csv", "/"] {
        n.ends(1, &format!("reconcile --approve {run} --output {bad}"));
        n.ends(1, &format!("reconcile --as-of 2023-07-31 --output {bad}"));
        let units = fixtures("sample").join("units.csv");
        n.ends(
            1,
            &format!("import units {} --as-of 2023-07-31 --report {bad}", units.display()),
        );
    }
    assert_eq!(n.sql("SELECT COUNT(*) FROM run").trim(), "1");
    assert_eq!(n.sql("SELECT COUNT(*) FROM load").trim(), "6");
    let out = into(&n, &format!("reconcile --approve {run}"), full());
    assert_eq!(out.status.code(), Some(0), "it was done: {}", text(&out));
    assert_eq!(n.sql("SELECT state FROM run").trim(), "applied");
    n.ok("verify");
}

/// A hardened installation: the directory of the keys is read-only.
#[test]
fn unwritable_checkpoint_file_prevents_changes() {
    let n = Ngomon::new(On::Sqlite);
    units(&n);
    let file = n.path("data/keys/checkpoints.txt");
    let kept = n.path("kept");
    fs::rename(&file, &kept).unwrap();
    fs::create_dir(&file).unwrap();
    for words in [
        "operator add lan",
        "client add X --redirect-uri https://x.example/cb",
        "serve --listen 127.0.0.1:0",
    ] {
        let said = n.ends(1, words);
        assert!(
            said.contains("checkpoints.txt") && !said.contains("http:"),
            "{words}: {said}"
        );
    }
    assert!(!n.ok("operator list").contains("lan"), "it is still looked at");
    assert!(!n.ok("client list").contains('X'));
    fs::remove_dir(&file).unwrap();
    fs::rename(&kept, &file).unwrap();
    n.ok("operator add lan");
    n.ok("verify");
}

/// Lost checkpoints are reported until they are accepted.
#[test]
fn lost_checkpoints_reported_until_accepted() {
    let n = Ngomon::new(On::Sqlite);
    units(&n);
    n.ok("operator add lan");
    fs::write(n.path("data/keys/checkpoints.txt"), "").unwrap();
    n.ends(1, "verify");
    n.ok("operator add minh");
    n.ends(1, "verify");
    n.ok("checkpoints accept");
    n.ok("verify");
}

/// An incomplete backup is refused as that.
#[test]
fn incomplete_backup_is_refused_as_such() {
    let n = Ngomon::new(On::Sqlite);
    units(&n);
    let copy = n.path("copy");
    n.ok(&format!("backup {}", copy.display()));
    fs::remove_file(copy.join("backup.json")).unwrap();
    let other = beside(&n, On::Sqlite);
    let said = other.ends(1, &format!("restore {}", copy.display()));
    assert!(said.contains("sao lưu dở dang"), "{said}");
    assert!(!other.path("data/ngomon.db").exists());
}

/// A command that fails after a change reports that, and the next one continues from there.
#[test]
fn failure_after_partial_change_is_reported() {
    let n = Ngomon::new(On::Sqlite);
    let units = "code,parent,name,kind,valid_from,valid_to,successor\nP,,Tỉnh P,province,,,\n";
    let units = n.file("units.csv", units);
    n.ok(&format!("import units {}", units.display()));
    let row = |seq: u32| format!("{seq},HS{seq},Lê An,046095001234,2021-05-01,0912345678,\n");
    let heading = "seq,account_id,full_name,national_id,issued_on,phone,submitted_at\n";
    let forms = n.file("forms.csv", &format!("{heading}{}{}", row(1), row(2)));
    let heading =
        "account_id,username,display_name,national_id,phone,email,unit,created_on,last_sign_in_on,password_hash\n";
    let citizens = n.file(
        "citizens.csv",
        &format!("{heading}HS1,a,An,,,,P,,,\nHS2,b,An,,,,P,,,\n"),
    );
    n.ok(&format!("import citizens {}", citizens.display()));
    let standardise = format!(
        "standardise {} --output {}",
        forms.display(),
        n.path("out.csv").display()
    );
    let stop = |when: &str| {
        let sql = format!(
            "CREATE TRIGGER stop BEFORE INSERT ON submission WHEN {when} BEGIN SELECT RAISE(ABORT, 'stopped'); END"
        );
        n.sql(&sql);
    };
    stop("1 = 1");
    let said = n.ends(1, &standardise);
    assert!(said.contains("stopped") && said.contains("Chưa thay đổi gì"), "{said}");
    n.sql("DROP TRIGGER stop");
    stop("(SELECT COUNT(*) FROM submission) = 1");
    let said = n.ends(1, &standardise);
    assert!(
        said.contains("stopped") && said.contains("Một phần đã làm xong"),
        "{said}"
    );
    assert!(!said.contains("Chưa thay đổi gì"), "{said}");
    n.sql("DROP TRIGGER stop");
    n.ok(&standardise);
    assert_eq!(fs::read_to_string(n.path("out.csv")).unwrap().lines().count(), 3);
    n.ok("verify");
}
