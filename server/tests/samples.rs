//! The samples with their known answers, through the real commands, on both databases.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Ngomon, On, after, fixtures, same};

fn check(set: &str, day: &str, on: On) {
    let n = Ngomon::new(on);
    let files = fixtures(set);
    let at = files.display();
    let expected = files.join("expected");
    let out = n.path("out.csv");
    let written = out.display();
    let compare = |name: &str, mine: &[u8]| {
        same(
            &std::fs::read(expected.join(name)).unwrap(),
            mine,
            &format!("{set} {on:?} {name}"),
        );
    };

    for table in ["units", "registry", "citizens", "officials", "profiles", "notices"] {
        let full = if table == "profiles" { "--full" } else { "" };
        let said = n.ok(&format!(
            "import {table} {at}/{table}.csv {full} --as-of {day} --report {written}"
        ));
        after(&said, "load");
        imports_equal(
            &expected.join(format!("import/{table}.csv")),
            &std::fs::read(&out).unwrap(),
        );
    }

    for answer in std::fs::read_dir(&expected).unwrap() {
        let name = answer.unwrap().file_name().into_string().unwrap();
        let as_of = name
            .strip_prefix("decisions")
            .and_then(|rest| rest.strip_suffix(".csv"));
        if let Some(as_of) = as_of {
            let as_of = as_of.strip_prefix('-').unwrap_or(day);
            n.ok(&format!("reconcile --as-of {as_of} --simulate --output {written}"));
            compare(&name, &std::fs::read(&out).unwrap());
        }
    }
    // The first run of an office holds more accounts than the guard lets pass.
    let stopped = n.ends(3, &format!("reconcile --as-of {day} --output {written}"));
    compare("decisions.csv", &std::fs::read(&out).unwrap());
    let run = after(&stopped, "run").to_owned();
    assert!(
        n.run(&format!("holds --kind official --as-of {day} --format csv"))
            .stdout
            .ends_with(b"claimed\n")
    );
    n.ok(&format!("reconcile --approve {run}"));
    compare(
        "holds-official.csv",
        &n.run(&format!("holds --kind official --as-of {day} --format csv"))
            .stdout,
    );

    n.ok(&format!("standardise {at}/submissions.csv --output {written}"));
    compare("outcomes.csv", &std::fs::read(&out).unwrap());
    let holds = format!("holds --kind citizen --as-of {day} --format csv");
    compare("holds.csv", &n.run(&holds).stdout);
    compare("review.csv", &n.run("review --format csv").stdout);
    compare(
        "report.csv",
        &n.run(&format!("report --as-of {day} --format csv")).stdout,
    );
    compare(
        "report-staff.csv",
        &n.run(&format!("report --staff --as-of {day} --format csv")).stdout,
    );

    n.ends(3, "campaign set after-deadline hold");
    compare("holds.csv", &n.run(&holds).stdout);
    n.ok("campaign set after-deadline hold --approve");
    compare("holds-officials-deadline.csv", &n.run(&holds).stdout);
    n.ok("campaign set deadline.citizens 2023-07-25 --approve");
    compare("holds-deadline.csv", &n.run(&holds).stdout);

    n.ok("verify");
    // A report of a day before the newest change is a recount; that of the day itself uses the counters. Both must agree where they meet.
    n.ok("campaign set after-deadline nag");
    let counted = n.run(&format!("report --as-of {day} --format csv")).stdout;
    n.ok("rebuild");
    assert_eq!(counted, n.run(&format!("report --as-of {day} --format csv")).stdout);
    n.ok("verify");
}

/// Only repaired rows have a `detail`.
fn imports_equal(answer: &std::path::Path, mine: &[u8]) {
    let plain = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let line = |line: &str| match line.splitn(3, ',').collect::<Vec<_>>()[..] {
            [row, result, _] if result != "repaired" && result != "result" => format!("{row},{result},"),
            _ => line.to_owned(),
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    let key = plain(&std::fs::read(answer).unwrap());
    same(key.as_bytes(), plain(mine).as_bytes(), &answer.display().to_string());
}

/// The sample gives its expected results.
#[test]
fn sample_gives_expected_results_on_sqlite() {
    check("sample", "2023-07-31", On::Sqlite);
}

/// The sample gives its expected results.
#[test]
fn sample_gives_expected_results_on_postgresql() {
    check("sample", "2023-07-31", On::Postgres);
}

/// The leap-year sample gives its expected results.
#[test]
fn leap_sample_gives_expected_results_on_sqlite() {
    check("sample-leap", "2025-02-28", On::Sqlite);
}

/// The leap-year sample gives its expected results.
#[test]
fn leap_sample_gives_expected_results_on_postgresql() {
    check("sample-leap", "2025-02-28", On::Postgres);
}
