//! Invariants of the readers for arbitrary bytes. libFuzzer generates files (`fuzz/`); this test reads those of its corpus and generates
//! others itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use ngomon_feeds::{Context, FileError, Record, RowResult, Table, check_file};
use ngomon_rules::unit::{Unit, UnitCode, UnitKind, UnitTree};
use ngomon_rules::values::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::path::PathBuf;

/// A file of one of the tables: every row is counted once, and every accepted row can be stored.
pub(crate) fn tables(bytes: &[u8]) {
    let (_dir, path) = file(bytes);
    let units = UnitTree::build([unit("P", None), unit("V", Some("P"))]).unwrap();
    let context = Context {
        units: &units,
        as_of: Date::constant(2023, 7, 31),
    };
    for table in Table::ALL {
        let Ok(judged) = check_file(table, &path, &context, &mut |_| {}) else {
            continue;
        };
        let counts = &judged.judgement().counts;
        let added = counts.read + counts.repaired + counts.superseded + counts.quarantined;
        assert_eq!(counts.rows, added, "{table:?}");
        assert_eq!(counts.quarantined, counts.by_reason.values().sum::<u64>());
        assert!(counts.unreadable() <= counts.quarantined);
        let (mut rows, mut waits) = (0, 0);
        for row in judged.rows(&context).unwrap() {
            let row = row.unwrap();
            rows += 1;
            waits += u64::from(matches!(row.result, RowResult::Quarantined(_)));
            let counts = matches!(row.result, RowResult::Read | RowResult::Repaired(_));
            assert_eq!(row.record.is_some(), counts);
            match &row.record {
                Some(Record::Unit(unit)) => stored(unit),
                Some(Record::Registry(record)) => stored(&**record),
                Some(Record::Account(account)) => stored(&**account),
                Some(Record::Profile(profile)) => stored(&**profile),
                Some(Record::Notice(notice)) => stored(notice),
                None => {}
            }
        }
        assert_eq!((rows, waits), (counts.rows, counts.quarantined), "{table:?}");
    }
}

/// A file of forms is either refused, or gives the same forms when written and read again.
pub(crate) fn submissions(bytes: &[u8]) {
    let Ok(forms) = read_forms(bytes) else { return };
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record([
        "seq",
        "account_id",
        "full_name",
        "national_id",
        "issued_on",
        "phone",
        "submitted_at",
    ])
    .unwrap();
    for sent in &forms {
        stored(&sent.form);
        let (form, at) = (&sent.form, sent.submitted_at.map(|at| at.to_string()));
        file.write_record([
            &sent.seq,
            sent.account.as_str(),
            &form.full_name,
            &form.national_id,
            &form.issued_on,
            &form.phone,
            at.as_deref().unwrap_or_default(),
        ])
        .unwrap();
    }
    assert_eq!(read_forms(&file.into_inner().unwrap()).unwrap(), forms);
}

fn read_forms(bytes: &[u8]) -> Result<Vec<ngomon_rules::records::Submission>, FileError> {
    let (_dir, path) = file(bytes);
    ngomon_feeds::submissions(&path)
}

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn unit(code: &str, parent: Option<&str>) -> Unit {
    Unit {
        code: UnitCode(code.into()),
        parent: parent.map(|code| UnitCode(code.into())),
        name: format!("Thôn {code}"),
        kind: UnitKind::Village,
        valid_from: None,
        valid_to: None,
        successor: None,
    }
}

/// A record survives JSON, in which the store keeps it.
fn stored<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
}

#[cfg(test)]
mod tests {
    use super::{submissions, tables};
    use ngomon_feeds::Table;
    use proptest::prelude::*;

    fn corpus(of: &str) -> Vec<Vec<u8>> {
        let path = format!("{}/../fuzz/corpus/{of}", env!("CARGO_MANIFEST_DIR"));
        let files: Vec<_> = std::fs::read_dir(path).unwrap().collect();
        assert!(files.len() > 5, "{of}");
        files
            .into_iter()
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect()
    }

    /// The invariants of the readers hold for each file of the corpus.
    #[test]
    fn corpus_files_keep_reader_invariants() {
        corpus("tables").iter().for_each(|file| tables(file));
        corpus("submissions").iter().for_each(|file| submissions(file));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// Any bytes are either read or refused with an error.
        #[test]
        fn arbitrary_bytes_are_read_or_refused(table in 0..6usize, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            tables(&bytes);
            tables(&[Table::ALL[table].columns().join(",").as_bytes(), b"\n", &bytes].concat());
        }

        /// Any cells are either read or put into quarantine.
        #[test]
        fn arbitrary_cells_are_read_or_quarantined(
            table in 0..6usize,
            rows in prop::collection::vec(prop::collection::vec(
                prop_oneof!["\\PC{0,12}", Just("046095001234".to_owned()), Just("2023-01-01".to_owned()), Just("active".to_owned()), Just("working".to_owned()), Just("Lê An".to_owned())], 17), 0..6),
        ) {
            let table = Table::ALL[table];
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(table.columns()).unwrap();
            for row in rows {
                writer.write_record(&row[..table.columns().len()]).unwrap();
            }
            tables(&writer.into_inner().unwrap());
        }
    }
}
