//! Tests of whole files: the samples with their known results, and faulty files.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use ngomon_feeds::{Context, FileError, Record, Row, RowCounts, RowResult, Table, check_file, submissions};
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::unit::UnitTree;
use ngomon_rules::values::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// Reads a file to its end.
fn read(table: Table, path: &Path, units: &UnitTree, as_of: Date) -> Result<(RowCounts, Vec<Row>), FileError> {
    let context = Context { units, as_of };
    let judged = check_file(table, path, &context, &mut |_| {})?;
    let rows = judged.rows(&context)?.collect::<Result<Vec<Row>, _>>()?;
    Ok((judged.judgement().counts.clone(), rows))
}

fn units(path: &Path, as_of: Date) -> UnitTree {
    let (_, rows) = read(Table::Units, path, &UnitTree::default(), as_of).unwrap();
    let units = rows.into_iter().filter_map(|row| match row.record {
        Some(Record::Unit(unit)) => Some(unit),
        _ => None,
    });
    UnitTree::build(units).unwrap()
}

fn words(cell: &str) -> BTreeSet<&str> {
    cell.split(' ').filter(|word| !word.is_empty()).collect()
}

fn check_sample(set: &str, as_of: Date) {
    let dir = fixtures().join(set);
    let tree = units(&dir.join("units.csv"), as_of);
    for table in Table::ALL {
        let (counts, rows) = read(table, &dir.join(format!("{}.csv", table.name())), &tree, as_of).unwrap();
        assert_eq!(counts.rows, rows.len() as u64);
        assert_eq!(
            counts.rows,
            counts.read + counts.repaired + counts.superseded + counts.quarantined
        );
        let mine: BTreeMap<String, (&str, String)> = rows
            .iter()
            .map(|row| (row.number.to_string(), row.result.words()))
            .collect();
        let mut key = csv::Reader::from_path(dir.join(format!("expected/import/{}.csv", table.name()))).unwrap();
        let mut lines = 0;
        for line in key.records() {
            let line = line.unwrap();
            let (result, detail) = &mine[&line[0]];
            assert!(
                line[1].split('|').any(|r| r == *result || r == "*"),
                "{set} {} {line:?}: {result}",
                table.name()
            );
            if *result == "repaired" {
                assert_eq!(words(detail), words(&line[2]), "{set} {} {line:?}", table.name());
            }
            lines += 1;
        }
        assert_eq!(lines, mine.len(), "{set} {}", table.name());
    }
}

/// The sample is read with the results in its `expected` files.
#[test]
fn sample_files_read_with_expected_results() {
    check_sample("sample", Date::constant(2023, 7, 31));
}

/// The leap-year sample is read with the results in its `expected` files.
#[test]
fn leap_sample_files_read_with_expected_results() {
    check_sample("sample-leap", Date::constant(2025, 2, 28));
}

const NOTICES: &str = "notice_no,national_id,from_unit,to_unit,effective_on,withdrawn_on\n";
const UNITS: &str = "code,parent,name,kind,valid_from,valid_to,successor\n";

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn day() -> Date {
    Date::constant(2023, 7, 31)
}

fn of_bytes(table: Table, bytes: &[u8]) -> Result<(RowCounts, Vec<Row>), FileError> {
    let (_dir, path) = file(bytes);
    read(table, &path, &UnitTree::default(), day())
}

/// A missing file, a directory, a device and an empty file are each refused with their own error.
#[test]
fn missing_directory_device_or_empty_file_refused() {
    let dir = tempfile::tempdir().unwrap();
    let none = UnitTree::default();
    let missing = read(Table::Units, &dir.path().join("no.csv"), &none, day());
    assert!(matches!(missing, Err(FileError::NotFound(_))));
    assert!(matches!(
        read(Table::Units, dir.path(), &none, day()),
        Err(FileError::IsDirectory(_))
    ));
    let device = read(Table::Units, Path::new("/dev/null"), &none, day());
    assert!(matches!(device, Err(FileError::ComesOnce(_))), "{device:?}");
    for empty in ["", "\n\n", "\u{feff}"] {
        let found = of_bytes(Table::Units, empty.as_bytes());
        assert!(matches!(found, Err(FileError::Empty(_))), "{empty:?}: {found:?}");
    }
}

/// A file of units that has a heading and no rows is refused.
#[test]
fn unit_file_with_heading_only_is_refused() {
    assert!(matches!(
        of_bytes(Table::Units, UNITS.as_bytes()),
        Err(FileError::Empty(_))
    ));
}

/// The error names the columns that are missing, unknown or there twice.
#[test]
fn missing_unknown_and_repeated_columns_named_in_error() {
    let text = "code,parent,name,name,kind,valid_from,valid_to,colour\nA,,a,a,province,,,red\n";
    let Err(FileError::Columns {
        missing,
        unknown,
        twice,
        ..
    }) = of_bytes(Table::Units, text.as_bytes())
    else {
        panic!("the columns are wrong")
    };
    assert_eq!(
        (missing, unknown, twice),
        (vec!["successor".into()], vec!["colour".into()], vec!["name".into()])
    );
    let registry = of_bytes(Table::Registry, UNITS.as_bytes());
    assert!(matches!(registry, Err(FileError::Columns { .. })));
}

#[test]
fn other_encodings_are_refused() {
    let utf16: Vec<u8> = UNITS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(of_bytes(Table::Units, &utf16).is_err());
    let latin = [UNITS.as_bytes(), b"A,,Hu\xe9,province,,,\n"].concat();
    assert!(matches!(
        of_bytes(Table::Units, &latin),
        Err(FileError::NotUtf8 { row: 2, .. })
    ));
}

/// The order of columns, quotes, line ends, a byte order mark and blank lines do not change what is read.
#[test]
fn column_order_quotes_and_line_ends_do_not_matter() {
    let text = "\u{feff}name,code,parent,kind,valid_from,valid_to,successor\r\n\r\n\"Huế, \"\"kinh đô\"\"\r\ncũ\",A,,province,,,\r\n\r\nB,B,A,commune,,,\r\n";
    let (counts, rows) = of_bytes(Table::Units, text.as_bytes()).unwrap();
    assert_eq!((counts.rows, counts.read), (2, 2));
    let Some(Record::Unit(unit)) = &rows[0].record else {
        panic!("a unit")
    };
    assert_eq!(unit.name, "Huế, \"kinh đô\"\r\ncũ");
    assert_eq!((rows[0].number, rows[1].number), (2, 3));
}

#[test]
fn a_file_that_ends_inside_a_record_is_refused() {
    let whole = format!("{UNITS}A,,\"Tỉnh, \"\"A\"\"\",province,2020-01-01,,\nB,A,\"Xã B\",commune,,,\n");
    for end in 0..whole.len() {
        let cut = &whole.as_bytes()[..end];
        match of_bytes(Table::Units, cut) {
            // The cut is at the end of a record, or within its last cell, which may be any text: all records are whole.
            Ok((counts, _)) => assert_eq!(counts.rows, counts.read, "cut at {end}: {:?}", &whole[..end]),
            Err(
                FileError::EndsInsideRecord { .. }
                | FileError::Empty(_)
                | FileError::Columns { .. }
                | FileError::NotUtf8 { .. },
            ) => {}
            Err(other) => panic!("cut at {end}: {other}"),
        }
    }
    let open = format!("{UNITS}A,,\"Tỉnh A,province,,,\n");
    assert!(matches!(
        of_bytes(Table::Units, open.as_bytes()),
        Err(FileError::EndsInsideRecord { row: 2, .. })
    ));
    let short = format!("{UNITS}A,,Tỉnh A,province");
    assert!(matches!(
        of_bytes(Table::Units, short.as_bytes()),
        Err(FileError::EndsInsideRecord { row: 2, .. })
    ));
}

/// A record that is far too long is refused before it is read to its end.
#[test]
fn overlong_record_refused_before_its_end() {
    let row = "A,,Tỉnh A,province,,,\n";
    for (long, quoted) in [(5 << 20, false), (5 << 20, true), (64 << 10, true)] {
        let name = "â".repeat(long / 2);
        let quote = if quoted { "\"" } else { "" };
        let text = format!("{UNITS}{row}B,A,{quote}{name}{quote},commune,,,\n{row}");
        assert!(matches!(
            of_bytes(Table::Units, text.as_bytes()),
            Err(FileError::LongRecord { row: 3, .. })
        ));
    }
    // A quote that does not close makes one record of all that follows.
    let open = format!("{UNITS}A,,\"Tỉnh A,province,,,\n{}", row.repeat(5_000));
    assert!(matches!(
        of_bytes(Table::Units, open.as_bytes()),
        Err(FileError::LongRecord { row: 2, .. })
    ));
    let many = format!("{UNITS}{row}{}", "B,A,\"Xã\nB\",commune,,,\n".repeat(5_000));
    assert_eq!(of_bytes(Table::Units, many.as_bytes()).unwrap().0.rows, 5_001);
}

/// A row with an impossible year goes into quarantine, and the column is recorded.
#[test]
fn impossible_year_quarantines_row_and_names_column() {
    let text = format!("{UNITS}A,,Tỉnh A,province,2565-01-01,,\nB,,Tỉnh B,province,,31/12/9999,\n");
    let (counts, rows) = of_bytes(Table::Units, text.as_bytes()).unwrap();
    assert_eq!((counts.quarantined, counts.read), (1, 1));
    assert_eq!(rows[0].result, RowResult::Quarantined(QuarantineReason::BadDate));
    assert_eq!(
        (rows[0].impossible_year, rows[1].impossible_year),
        (Some("valid_from"), None)
    );
}

/// Cells missing at the end of a row count as empty; more cells than the heading has make a bad value.
#[test]
fn short_row_padded_and_extra_cell_is_bad_value() {
    let text =
        format!("{UNITS}A,,Tỉnh A,province,,,\nB,A,Xã B,commune\nC,A,Xã C,commune,,,,\nD,A,Xã D\nE,A,Xã E,commune\n");
    let (_, rows) = of_bytes(Table::Units, text.as_bytes()).unwrap();
    assert_eq!(results(&rows), ["read", "read", "bad-value", "missing-field", "read"]);
}

fn results(rows: &[Row]) -> Vec<String> {
    let word = |row: &Row| {
        let (result, detail) = row.result.words();
        format!("{result} {detail}").trim_end().to_owned()
    };
    rows.iter().map(word).collect()
}

fn citizens(rows: &str) -> Vec<Row> {
    let heading = Table::Citizens.columns().join(",");
    of_bytes(Table::Citizens, format!("{heading}\n{rows}").as_bytes())
        .unwrap()
        .1
}

/// A row of empty or invisible cells is skipped like a blank line.
#[test]
fn row_of_empty_cells_skipped_as_blank_line() {
    let rows = citizens("H0,c0,An,,,,,,,\n,,,,,,,,,\n \u{200b},,\u{a0},,\n\nH1,c1,An,,,,,,,\n,,,,,,,,,\n,,,\n");
    assert_eq!(results(&rows), ["read", "read"]);
    assert_eq!(rows[1].number, 3);
}

/// Lines with a total or a signature are not read as accounts.
#[test]
fn total_and_signature_lines_not_read_as_accounts() {
    let rows =
        citizens("H0,c0,An,,,,,,,\nTổng cộng: 3 tài khoản,,,,,,,,,\n,,Người lập biểu,,,,,,,\nH\u{a0}1,c1,An,,,,,,,\n");
    assert_eq!(results(&rows), ["read", "bad-value", "missing-field", "bad-value"]);
}

/// Invisible characters in codes and user names are removed, and the repair is recorded.
#[test]
fn invisible_characters_in_codes_and_user_names_repaired() {
    let rows = citizens("H\u{200b}S1,a\u{feff}n,An,,,,,,,\nHS2,binh,Bình,,,,,,,\n");
    assert_eq!(results(&rows), ["repaired zero-width", "read"]);
    let Some(Record::Account(account)) = &rows[0].record else {
        panic!("an account")
    };
    assert_eq!(
        (account.account.as_str(), account.stated.username.as_deref()),
        ("HS1", Some("an"))
    );
    let notice = format!("{NOTICES}1\u{200c}/TB,046095001234,,A\u{200b},2023-07-01,\n");
    let (_dir, path) = file(format!("{UNITS}A,,a,department,,,\n").as_bytes());
    let tree = units(&path, day());
    let (_dir, path) = file(notice.as_bytes());
    let (_, rows) = read(Table::Notices, &path, &tree, day()).unwrap();
    assert_eq!(results(&rows), ["repaired zero-width"]);
}

/// A name garbled by transcoding is emptied in a citizen's row, because the login must survive, and is a bad value elsewhere.
#[test]
fn garbled_name_emptied_for_citizen_bad_value_in_registry() {
    let rows = citizens("H1,a,Nguy?n V?n An,,,,,,,\nH2,b,Nguy\u{fffd}n An,,,,,,,\nH3,c,Nguyễn Văn An ?,,,,,,,\n");
    assert_eq!(
        results(&rows),
        ["repaired emptied-name", "repaired emptied-name", "read"]
    );
    let Some(Record::Account(account)) = &rows[0].record else {
        panic!("an account")
    };
    assert_eq!(account.stated.full_name, None);
    let heading = Table::Registry.columns().join(",");
    let text = format!("{heading}\n046095001234,Nguy?n An,,,,,,active\n046095001235,Nguy\u{93}n An,,,,,,active\n");
    let (_, rows) = of_bytes(Table::Registry, text.as_bytes()).unwrap();
    assert_eq!(results(&rows), ["bad-value", "bad-value"]);
}

/// One decision may move several people, but one person only once.
#[test]
fn one_notice_may_move_several_people() {
    let (_dir, path) = file(format!("{UNITS}A,,a,department,,,\n").as_bytes());
    let tree = units(&path, day());
    let text = format!(
        "{NOTICES}1/TB,046095001234,,A,2023-07-01\n1/TB,046095001235,,A,2023-07-01\n2/TB,046095001234,,A,2023-07-01\n\
         2/TB,046095001234,,A,2023-07-02\n"
    );
    let (_dir, path) = file(text.as_bytes());
    let (_, rows) = read(Table::Notices, &path, &tree, day()).unwrap();
    assert_eq!(results(&rows), ["read", "read", "conflicting-row", "conflicting-row"]);
}

/// The results for rows of HR's extract. Each row has code, number, status, the status' day, and the day the profile was created.
fn profiles(rows: &[(&str, &str, &str, &str, &str)]) -> Vec<String> {
    let (_dir, path) = file(format!("{UNITS}A,,a,department,,,\n").as_bytes());
    let tree = units(&path, day());
    let mut text = Table::Profiles.columns().join(",");
    for (code, number, status, from, created) in rows {
        text += &format!("\n{code},Lê An,,,{number},A,,,{status},{from},,,{created}");
    }
    let (_dir, path) = file((text + "\n").as_bytes());
    let (_, rows) = read(Table::Profiles, &path, &tree, day()).unwrap();
    results(&rows)
}

/// When a person was hired again, the new row counts and the ended ones are superseded; anything else is a conflict.
#[test]
fn rehired_person_newest_profile_row_supersedes() {
    const N: &str = "046095001234";
    let resigned = ("E1", N, "resigned", "2023-03-01", "2020-01-01");
    let again = ("E9", N, "working", "", "2023-03-01");
    assert_eq!(profiles(&[resigned, again]), ["superseded", "read"]);
    assert_eq!(profiles(&[again, resigned]), ["read", "superseded"]);
    // Hired again under the same code, then hired a second time.
    let same_code = ("E1", N, "working", "", "2023-05-01");
    assert_eq!(profiles(&[resigned, same_code]), ["superseded", "read"]);
    let retired = ("E2", N, "dismissed", "2022-01-01", "");
    assert_eq!(
        profiles(&[retired, resigned, again]),
        ["superseded", "superseded", "read"]
    );
    let conflicts = ["conflicting-row", "conflicting-row"];
    for other in [
        ("E9", N, "working", "", "2023-02-28"),
        ("E9", N, "working", "", ""),
        ("E9", N, "resigned", "2023-06-01", "2023-03-01"),
        // Still in service on the day of the file.
        ("E9", N, "resigned", "2023-12-01", ""),
    ] {
        assert_eq!(profiles(&[resigned, other]), conflicts, "{other:?}");
    }
    assert_eq!(
        profiles(&[("E1", N, "resigned", "", ""), again]),
        conflicts,
        "no day of the end"
    );
    assert_eq!(
        profiles(&[("E1", N, "resigned", "2023-12-01", ""), again]),
        conflicts,
        "not ended yet"
    );
    let other_person = ("E1", "046095001235", "resigned", "2023-03-01", "");
    assert_eq!(profiles(&[other_person, same_code]), conflicts, "another person's code");
}

/// Units that form a loop are refused; units without a known parent go into quarantine.
#[test]
fn unit_loops_refused_and_orphans_quarantined() {
    let looped = format!("{UNITS}A,B,a,province,,,\nB,A,b,commune,,,\n");
    assert!(matches!(
        of_bytes(Table::Units, looped.as_bytes()),
        Err(FileError::UnitLoop { .. })
    ));
    let successor = format!("{UNITS}A,,a,commune,,2020-01-01,B\nB,,b,commune,,2021-01-01,A\n");
    assert!(matches!(
        of_bytes(Table::Units, successor.as_bytes()),
        Err(FileError::UnitLoop { .. })
    ));
    let orphans = format!("{UNITS}A,,a,province,,,\nB,X,b,commune,,,\nC,B,c,village,,,\n");
    let (_, rows) = of_bytes(Table::Units, orphans.as_bytes()).unwrap();
    let results: Vec<_> = rows.iter().map(|row| row.result.words().0).collect();
    assert_eq!(results, ["read", "unknown-unit", "unknown-unit"]);
}

/// A file that changes between the check and the second pass is refused.
#[test]
fn file_changed_between_two_passes_is_refused() {
    let (_dir, path) = file(format!("{UNITS}A,,Tỉnh A,province,,,\n").as_bytes());
    let none = UnitTree::default();
    let context = Context {
        units: &none,
        as_of: day(),
    };
    let judged = check_file(Table::Units, &path, &context, &mut |_| {}).unwrap();
    fs::write(&path, format!("{UNITS}A,,Tỉnh B,province,,,\n")).unwrap();
    let last = judged.rows(&context).unwrap().last().unwrap();
    assert!(matches!(last, Err(FileError::Changed(_))));
}

/// The result of a row names its first bad value in the order of the columns; a missing field comes after all bad values.
#[test]
fn row_result_names_first_bad_value_in_column_order() {
    let row = |cells: &str| {
        let (_, rows) = of_bytes(Table::Notices, format!("{NOTICES}{cells}\n").as_bytes()).unwrap();
        rows[0].result.words().0
    };
    assert_eq!(row("1,046,A,A,2023-02-30,"), "bad-national-id");
    assert_eq!(row("1,046095001234,A,A,2023-02-30,"), "unknown-unit");
    assert_eq!(row("1,046095001234,,,2023-02-30,"), "bad-date");
    assert_eq!(row("1,046095001234,,,1/2/23,"), "ambiguous-date");
    assert_eq!(row("1,046095001234,,,1/2/2023,"), "missing-field");
    assert_eq!(row("1,046\u{0}95001234,,,,"), "bad-value");
    assert_eq!(row("1,123456789,,,,"), "old-cmnd");
    assert_eq!(row("1,4.6095E+10,,,,"), "lost-digits");
}

/// A citizen keeps the login when another cell of the row cannot be read: that cell is emptied.
#[test]
fn citizen_row_with_bad_cell_is_repaired() {
    let text = "account_id,username,display_name,national_id,phone,email,unit,created_on,last_sign_in_on,password_hash,held_reason\n\
        A1,an,=1+2 An,12,0912 345 678 / 0987654321,,Nowhere,2020-01-01,,,\n\
        A2,binh,Bình,,,,,2020-01-01,,plain text,\n\
        A3,chi,Chi,,,,,,,,Theo công văn 12\n";
    let (counts, rows) = of_bytes(Table::Citizens, text.as_bytes()).unwrap();
    assert_eq!((counts.repaired, counts.quarantined, counts.read), (1, 1, 1));
    assert_eq!(
        rows[0].result.words().1,
        "emptied-national-id emptied-phone emptied-unit"
    );
    let Some(Record::Account(account)) = &rows[0].record else {
        panic!("an account")
    };
    assert_eq!(account.stated.full_name.as_ref().unwrap().as_str(), "=1+2 An");
    assert_eq!(rows[1].result.words().0, "bad-value");
    assert!(rows[1].raw.contains(&("password_hash".into(), "plain text".into())));
    let Some(Record::Account(account)) = &rows[2].record else {
        panic!("an account")
    };
    assert_eq!(account.held_reason.as_deref(), Some("Theo công văn 12"));
}

/// No account is imported under an id that is reserved for operators.
#[test]
fn account_id_of_operator_form_is_bad_value() {
    let heading =
        "account_id,username,display_name,national_id,phone,email,unit,created_on,last_sign_in_on,password_hash\n";
    let text = format!("{heading}operator:lan,lan,Lan,,,,,,,\noperators,lan,Lan,,,,,,,\n");
    let (_, rows) = of_bytes(Table::Citizens, text.as_bytes()).unwrap();
    let results: Vec<_> = rows.iter().map(|row| row.result.words().0).collect();
    assert_eq!(results, ["bad-value", "read"]);
}

/// A row in quarantine keeps what identifies its person: code, number or name.
#[test]
fn quarantined_profile_row_keeps_owner_hints() {
    let heading = Table::Profiles.columns().join(",");
    let text = format!(
        "{heading}\nC1,Lê A,,,046095001234,?,,,working,,,,,,,,\n,Lê B,,,046095001235,?,,,working,,,,,,,,\n,Lê C,,,12,?,,,working,,,,,,,,\n"
    );
    let (_, rows) = of_bytes(Table::Profiles, text.as_bytes()).unwrap();
    assert_eq!(rows[0].hints.employee_code.as_deref(), Some("C1"));
    assert!(rows[1].hints.national_id.is_some() && rows[1].hints.person_key.is_none());
    assert_eq!(rows[2].hints.person_key.as_deref(), Some("LEC"));
    assert!(rows.iter().all(|row| matches!(row.result, RowResult::Quarantined(_))));
}

/// Submissions are read in order, and a file with one bad row is refused whole.
#[test]
fn submission_file_with_one_bad_row_refused_whole() {
    let heading = "seq,account_id,full_name,national_id,issued_on,phone,submitted_at\n";
    let (_dir, path) = file(
        format!("{heading}1,A,An,1,2,3,2023-07-16T06:30:00+07:00\n2,B,,,,,2023-07-16 06:30\n3,C,,,,,\n").as_bytes(),
    );
    let forms = submissions(&path).unwrap();
    assert_eq!(forms.len(), 3);
    assert_eq!(forms[0].submitted_at, forms[1].submitted_at);
    assert_eq!(forms[2].submitted_at, None);
    for (row, column) in [
        ("1,,An,,,,", "account_id"),
        (",A,An,,,,", "seq"),
        ("1,A,An,,,,hôm qua", "submitted_at"),
    ] {
        let (_dir, path) = file(format!("{heading}{row}\n").as_bytes());
        match submissions(&path) {
            Err(FileError::BadSubmission {
                column: found, row: 2, ..
            }) => assert_eq!(found, column),
            other => panic!("{other:?}"),
        }
    }
}
