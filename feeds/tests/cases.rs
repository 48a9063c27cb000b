//! Small files that once caused a fault (`fixtures/cases/README.md`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use ngomon_feeds::{Context, FileError, Record, Row, Table, check_file};
use ngomon_rules::unit::UnitTree;
use ngomon_rules::values::{Date, FullName, Grade, Phone, PhoneFault};
use std::fs;
use std::path::{Path, PathBuf};

const DAY: Date = Date::constant(2023, 7, 31);

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/cases")
        .join(name)
}

fn read(table: Table, name: &str, units: &UnitTree, as_of: Date) -> Result<Vec<Row>, FileError> {
    let context = Context { units, as_of };
    let judged = check_file(table, &case(name), &context, &mut |_| {})?;
    let rows = judged.rows(&context)?.collect::<Result<Vec<Row>, _>>()?;
    assert_eq!(judged.judgement().counts.rows, rows.len() as u64, "{name}");
    Ok(rows)
}

fn units() -> UnitTree {
    let rows = read(Table::Units, "units-before.csv", &UnitTree::default(), DAY).unwrap();
    let units = rows.into_iter().map(|row| match row.record {
        Some(Record::Unit(unit)) => unit,
        _ => panic!("row {} is no unit", row.number),
    });
    UnitTree::build(units).unwrap()
}

/// The `row result detail` line of each row.
fn results(table: Table, name: &str, as_of: Date) -> Vec<String> {
    let line = |row: &Row| {
        let (result, detail) = row.result.words();
        format!("{} {result} {detail}", row.number).trim_end().to_owned()
    };
    read(table, name, &units(), as_of).unwrap().iter().map(line).collect()
}

/// Each row of the faulty files gets the result that the case states.
#[test]
fn rows_of_faulty_files_have_expected_results() {
    for (table, name, right) in [
        (
            Table::Citizens,
            "citizens-total-line.csv",
            &["2 read", "3 read", "4 bad-value", "5 missing-field", "6 read"][..],
        ),
        (
            Table::Citizens,
            "citizens-last-row-short.csv",
            &["2 read", "3 repaired unit-by-name"],
        ),
        (
            Table::Citizens,
            "citizens-lost-in-transcoding.csv",
            &[
                "2 repaired emptied-name",
                "3 repaired emptied-name",
                "4 repaired emptied-name",
                "5 read",
            ],
        ),
        (
            Table::Citizens,
            "citizens-invisible-account-id.csv",
            &["2 repaired zero-width", "3 repaired zero-width", "4 read"],
        ),
        (
            Table::Notices,
            "notices-excel-trailing.csv",
            &["2 read", "3 read", "4 read", "5 read", "6 read", "7 read"],
        ),
        (
            Table::Profiles,
            "profiles-rows-of-commas.csv",
            &["2 read", "3 read", "4 read", "5 read", "6 read", "7 read"],
        ),
        (
            Table::Profiles,
            "profiles-rehire.csv",
            &["2 superseded", "3 read", "4 read"],
        ),
    ] {
        assert_eq!(results(table, name, Date::constant(2023, 10, 1)), right, "{name}");
    }
}

/// Invisible characters are removed from account ids, user names and unit codes.
#[test]
fn invisible_characters_removed_from_account_id() {
    let rows = read(Table::Citizens, "citizens-invisible-account-id.csv", &units(), DAY).unwrap();
    let Some(Record::Account(first)) = &rows[0].record else {
        panic!("an account")
    };
    assert_eq!(first.account.as_str(), "DT1");
    assert_eq!(first.stated.username.as_deref(), Some("an1"));
    assert_eq!(first.unit.as_ref().unwrap().as_str(), "SNV");
}

#[test]
fn a_file_that_ends_inside_a_record_is_refused() {
    let found = read(Table::Citizens, "citizens-cut-off.csv", &units(), DAY);
    assert!(
        matches!(found, Err(FileError::EndsInsideRecord { row: 3, .. })),
        "{found:?}"
    );
}

/// The names of the cases get their grade, and the phones their canonical form or their fault.
#[test]
fn names_and_phones_of_cases_read_as_expected() {
    for line in fs::read_to_string(case("names.tsv")).unwrap().lines().skip(1) {
        let [one, other, right] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let name = |text| FullName::parse(text).unwrap().0;
        let grade = match name(one).grade(&name(other)) {
            Grade::Exact => "exact",
            Grade::Folded => "folded",
            Grade::Near => "near",
            Grade::Different => "different",
        };
        assert_eq!(grade, right, "{line}");
    }
    for line in fs::read_to_string(case("phones.tsv")).unwrap().lines().skip(1) {
        let (written, right) = line.split_once('\t').unwrap();
        let read = match Phone::parse(written) {
            Ok((phone, _)) => phone.as_str().to_owned(),
            Err(PhoneFault::Bad) => "bad-phone".to_owned(),
            Err(PhoneFault::Ambiguous) => "ambiguous-phone".to_owned(),
        };
        assert_eq!(read, right, "{line}");
    }
}

/// A former unit name, written with the units above it, resolves to today's unit.
#[test]
fn former_unit_name_with_path_resolves_to_successor() {
    let tree = units();
    let after = Date::constant(2025, 7, 15);
    for (text, right) in [
        ("Xã Thanh Thuỷ, huyện Đông Bàn", Some("X9")),
        ("Thôn Nhất, Xã Thanh Thủy, Huyện Đông Bàn, Tỉnh Sông Lam", Some("T9")),
        ("Xã Vân Sơn, Huyện Đông Bàn", None),
        ("Xã Thanh Thủy", None),
        ("Phường Thanh Hòa", Some("X9")),
    ] {
        assert_eq!(tree.by_name(text, after).map(|code| code.as_str()), right, "{text}");
    }
}
