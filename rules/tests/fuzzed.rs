//! Invariants of values for arbitrary text. libFuzzer generates texts (`fuzz/`); this test reads those of its corpus.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use ngomon_rules::values::{FullName, Gender, Grade, NationalId, PartialDate, Phone, exact_key, parse_day};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// A value that is printed and parsed again is the same value, with nothing left to repair.
pub(crate) fn values(text: &str) {
    if let Some((name, _)) = FullName::parse(text) {
        let (again, repairs) = FullName::parse(name.as_str()).unwrap();
        assert!(repairs.is_empty(), "{:?}: {repairs}", name.as_str());
        assert_eq!(again.as_str(), name.as_str());
        assert_eq!(name.grade(&again), Grade::Exact);
        assert_eq!(exact_key(&name.exact_key()), name.exact_key(), "{:?}", name.as_str());
        assert!(!name.person_key().is_empty());
        stored(&name);
    }
    if let Ok(born) = PartialDate::parse(text) {
        assert_eq!(PartialDate::parse(&born.to_string()), Ok(born), "{born}");
        assert!(born.agrees(born));
        stored(&born);
    }
    if let Ok(day) = parse_day(text) {
        assert_eq!(parse_day(&day.to_string()), Ok(day));
        stored(&day);
    }
    for (born, gender) in [(None, None), (PartialDate::parse("1995").ok(), Some(Gender::M))] {
        if let Ok((number, _)) = NationalId::parse(text, born, gender) {
            let (again, repairs) = NationalId::parse(number.as_str(), None, None).unwrap();
            assert!(again == number && repairs.is_empty());
            assert_eq!((number.as_str().len(), number.masked().len()), (12, 12));
            stored(&number);
        }
    }
    if let Ok((phone, _)) = Phone::parse(text) {
        let (again, repairs) = Phone::parse(phone.as_str()).unwrap();
        assert!(again == phone && repairs.is_empty(), "{}", phone.as_str());
        let masked = phone.masked();
        assert!(masked.starts_with(&format!("0{}***", &phone.as_str()[3..6])) && masked.len() == 10);
        stored(&phone);
    }
}

/// A value survives JSON, in which the store keeps it.
fn stored<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
}

/// The invariants of values hold for each text of the corpus.
#[test]
fn corpus_texts_keep_value_invariants() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/values");
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().collect();
    assert!(files.len() > 10);
    for file in files {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        values(&String::from_utf8_lossy(&bytes));
    }
}
