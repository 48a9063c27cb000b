//! Regression tests: the effect on accounts of small files that once went wrong (`fixtures/cases/README.md`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Ngomon, On, after, fixtures, lines};

fn import(n: &Ngomon, status: i32, table: &str, file: &str, options: &str) -> String {
    let path = fixtures("cases").join(file);
    n.ends(status, &format!("import {table} {} {options}", path.display()))
}

/// A unit file that lacks units in use needs approval, and moves no account.
#[test]
fn unit_file_lacking_used_units_asks_and_moves_no_account() {
    for on in [On::Sqlite, On::Postgres] {
        let n = Ngomon::new(on);
        import(&n, 0, "units", "units-before.csv", "--as-of 2023-07-31");
        import(&n, 0, "officials", "units-officials.csv", "--as-of 2023-07-31");
        let day = "--as-of 2025-07-15";
        import(&n, 0, "profiles", "units-profiles.csv", &format!("--full {day}"));
        let asked = import(&n, 3, "units", "units-without-ended.csv", day);
        assert!(asked.contains("thiếu 1 đơn vị"), "{asked}");
        assert!(asked.lines().any(|line| line.trim() == "X1"), "{asked}");
        let simulated = n.path("decisions.csv");
        n.ok(&format!("reconcile {day} --simulate --output {}", simulated.display()));
        let decided = lines(&std::fs::read(&simulated).unwrap());
        assert_eq!(decided.len(), 24);
        assert!(
            decided
                .values()
                .all(|row| !row[0].contains("moved") && row[1].is_empty()),
            "{decided:?}"
        );
        let run = n.ok(&format!("reconcile {day}"));
        assert!(!run.contains("(moved)"), "{run}");
        assert_eq!(
            n.sql("SELECT COUNT(*) FROM account_row WHERE id LIKE 'CV-%'").trim(),
            "0"
        );
        // An operator who confirms that the file is right can import it.
        import(
            &n,
            0,
            "units",
            "units-without-ended.csv",
            &format!("{day} --approve {}", after(&asked, "load")),
        );
        n.ok("verify");
    }
}

/// The hold of a leaver is lifted when the person is hired again.
#[test]
fn rehired_official_hold_is_lifted() {
    for on in [On::Sqlite, On::Postgres] {
        let n = Ngomon::new(on);
        import(&n, 0, "units", "units-before.csv", "--as-of 2023-07-31");
        import(&n, 0, "officials", "officials-rehire.csv", "--as-of 2023-07-31");
        import(
            &n,
            0,
            "profiles",
            "profiles-before-rehire.csv",
            "--full --as-of 2023-07-31",
        );
        n.ok("reconcile --as-of 2023-07-31");
        let held = || lines(&n.run("holds --kind official --as-of 2023-10-01 --format csv").stdout);
        assert_eq!(held()["TK000"][0], "left");
        let day = "--as-of 2023-10-01";
        import(&n, 0, "profiles", "profiles-rehire.csv", &format!("--full {day}"));
        let run = n.ok(&format!("reconcile {day}"));
        assert!(held().is_empty(), "{:?}", held());
        let shown = lines(
            n.ok(&format!("reconcile --show {} --format csv", after(&run, "run")))
                .as_bytes(),
        );
        assert!(shown["TK000"][4].contains("writes_back=employee_code"), "{shown:?}");
        // From now on the account is found by the new code alone.
        assert!(n.ok("explain TK000").contains("NV900"));
        n.ok("verify");
    }
}

/// The summary of an import counts the rows in quarantine and tells where to find them.
#[test]
fn import_summary_tells_where_quarantined_rows_are() {
    let n = Ngomon::new(On::Sqlite);
    import(&n, 0, "units", "units-before.csv", "");
    for (options, hint) in [
        ("--simulate", "--report TỆP.csv"),
        ("", "ngomon quarantine --kind citizens"),
    ] {
        let told = import(&n, 0, "citizens", "citizens-total-line.csv", options);
        assert!(told.contains("Có 2 dòng") && told.contains(hint), "{told}");
    }
    assert_eq!(n.ok("quarantine --kind citizens --format csv").lines().count(), 3);
}

/// The row of an account stays in quarantine until a corrected one arrives.
#[test]
fn quarantined_row_waits_until_corrected_row_arrives() {
    const HEADING: &str =
        "account_id,username,display_name,national_id,phone,email,unit,created_on,last_sign_in_on,password_hash\n";
    for on in [On::Sqlite, On::Postgres] {
        let n = Ngomon::new(on);
        import(&n, 0, "units", "units-before.csv", "");
        let take = |rows: &str| {
            let file = n.file("rows.csv", &format!("{HEADING}{rows}"));
            n.ok(&format!("import citizens {}", file.display()));
            n.ok("quarantine --kind citizens --format csv").lines().count() - 1
        };
        assert_eq!(
            take("DT1,a,Mai Yến,,,,SNV,31/2/2022,,\nDT2,b,Hà Lương,,,,SNV,31/2/2022,,\n"),
            2
        );
        assert_eq!(take("DT3,c,Vũ Quyền,,,,SNV,,,\n"), 2, "another's row mends neither");
        assert_eq!(
            take("DT1,a,Mai Yến,,,,SNV,30/2/2022,,\n"),
            2,
            "the same row again waits once"
        );
        assert_eq!(take("DT1,a,Mai Yến,,,,SNV,28/2/2022,,\n"), 1);
        assert_eq!(take("DT2,b,Hà Lương,,,,SNV,28/2/2022,,\n"), 0);
        n.ok("verify");
    }
}

/// A copy of the database file of a stopped server is complete without its log.
#[test]
fn database_file_complete_after_process_ends() {
    use std::io::{BufRead as _, BufReader};
    let n = Ngomon::new(On::Sqlite);
    import(&n, 0, "units", "units-before.csv", "");
    let whole = |when: &str| {
        let beside = n.path("data/ngomon.db-wal");
        let left = std::fs::metadata(&beside).map_or(0, |about| about.len());
        assert_eq!(left, 0, "{when}");
        let copy = n.path(when);
        std::fs::copy(n.path("data/ngomon.db"), &copy).unwrap();
        let database = rusqlite::Connection::open(&copy).unwrap();
        let loads: i64 = database
            .query_row("SELECT COUNT(*) FROM load WHERE state = 'applied'", [], |row| {
                row.get(0)
            })
            .unwrap();
        loads
    };
    assert_eq!(whole("after a command"), 1);
    let mut serving = n.command("serve --listen 127.0.0.1:0");
    let mut serving = common::Running::start(serving.stdout(std::process::Stdio::piped()));
    let mut told = BufReader::new(serving.stdout.take().unwrap()).lines();
    told.next().unwrap().unwrap();
    // Other processes write meanwhile, and leave the log to the server.
    import(&n, 0, "citizens", "citizens-last-row-short.csv", "");
    serving.tell_to_stop();
    assert!(serving.wait().unwrap().success());
    assert_eq!(whole("after a server"), 2);
}
