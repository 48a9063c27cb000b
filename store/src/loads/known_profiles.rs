//! The profiles of HR that are known by their keys.

use crate::boxed;
use crate::crypto::keyring::{FingerprintKind, Fingerprinter};
use crate::db::columns::for_each_in;
use crate::db::{Row, SqlValue};
use crate::error::Result;
use crate::store::Store;
use crate::tables::accounts::fingerprint;
use crate::tables::numbers::PersonNumbers;
use ngomon_rules::records::Profile;
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::NationalId;
use std::collections::{HashMap, HashSet};

/// The stored profiles: all of them for a full extract, otherwise those of which the rows may be versions.
#[derive(Default)]
pub(crate) struct KnownKeys {
    pub(crate) profiles: Vec<KnownProfile>,
    by_code: HashMap<Vec<u8>, usize>,
    by_number: HashMap<Vec<u8>, usize>,
    /// For a full extract, the numbers joined into persons, and the profiles of each person.
    persons: PersonNumbers,
    by_person: HashMap<usize, Vec<usize>>,
    pub(crate) seen: HashSet<usize>,
}

pub(crate) struct KnownProfile {
    pub(crate) id: String,
    pub(crate) unit: UnitCode,
    pub(crate) row_digest: Vec<u8>,
    pub(crate) gone: bool,
}

impl KnownKeys {
    /// Reads all profiles, or only those of which `rows` may be versions.
    #[boxed]
    pub async fn read(store: &Store, rows: Option<&[Profile]>) -> Result<Self> {
        const COLUMNS: &str = "p.id, p.unit, p.row_digest, p.gone, p.code_fp, p.number_fp";
        let mut found = Vec::new();
        let persons = store
            .db
            .read_long(async |tx| {
                let mut take = |row: Row| {
                    let profile = KnownProfile {
                        id: row.get(0)?,
                        unit: UnitCode(row.get(1)?),
                        row_digest: row.get(2)?,
                        gone: row.get::<i64>(3)? != 0,
                    };
                    let (code_fp, number_fp): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(4)?, row.get(5)?);
                    found.push((profile, code_fp, number_fp));
                    Ok(())
                };
                let Some(rows) = rows else {
                    tx.for_each_row(&format!("SELECT {COLUMNS} FROM profile p"), [], take).await?;
                    return PersonNumbers::read(tx).await;
                };
                let sql = format!(
                    "SELECT {COLUMNS} FROM staff_key k JOIN profile p ON p.id = k.holder WHERE k.kind = 'profile' AND k.fp IN ({{}})"
                );
                let marker = store.ctx.marker(tx).await?;
                let keys: Vec<SqlValue> = rows.iter().flat_map(|row| keys_of(&marker, row)).map(SqlValue::from).collect();
                for_each_in(tx, &sql, &keys, &mut take).await?;
                Ok(PersonNumbers::default())
            })
            .await?;
        found.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        found.dedup_by(|a, b| a.0.id == b.0.id);
        let mut known = Self {
            persons,
            ..Self::default()
        };
        for (at, (profile, code_fp, number_fp)) in found.into_iter().enumerate() {
            known.profiles.push(profile);
            known.by_code.extend(code_fp.map(|fp| (fp, at)));
            let person = number_fp.as_ref().and_then(|fp| known.persons.of(fp));
            if let Some(person) = person {
                known.by_person.entry(person).or_default().push(at);
            }
            known.by_number.extend(number_fp.map(|fp| (fp, at)));
        }
        Ok(known)
    }

    /// Finds the profile with this code, or else with this number, because HR file codes change, and marks it as present in the extract.
    pub fn see(&mut self, marker: &Fingerprinter, code: Option<&str>, number: Option<NationalId>) -> Option<usize> {
        let by_code = code.and_then(|c| self.by_code.get(&fingerprint(marker, FingerprintKind::EmployeeCode, c)));
        let at = by_code.copied().or_else(|| {
            let fp = fingerprint(marker, FingerprintKind::NationalId, number?.as_str());
            self.by_number.get(&fp).copied()
        })?;
        self.seen.insert(at);
        Some(at)
    }

    /// Marks every profile to which an unreadable row may belong as present in the extract, by code or by any number that its person ever
    /// held: such a row decides nothing.
    pub fn see_unread(&mut self, marker: &Fingerprinter, code: Option<&str>, number: Option<NationalId>) {
        let code = code.map(|code| fingerprint(marker, FingerprintKind::EmployeeCode, code));
        let number = number.map(|number| fingerprint(marker, FingerprintKind::NationalId, number.as_str()));
        let by_code = code.and_then(|fp| self.by_code.get(&fp));
        let by_number = number.as_ref().and_then(|fp| self.by_number.get(fp));
        let person = number.and_then(|fp| self.persons.of(&fp));
        let by_person = person.and_then(|person| self.by_person.get(&person));
        self.seen.extend(
            by_code
                .into_iter()
                .chain(by_number)
                .chain(by_person.into_iter().flatten()),
        );
    }
}

/// The fingerprints by which a row finds the profile of which it is a version.
pub(crate) fn keys_of(marker: &Fingerprinter, row: &Profile) -> Vec<Vec<u8>> {
    let code = row.employee_code.as_ref();
    let code = code.map(|code| fingerprint(marker, FingerprintKind::EmployeeCode, code));
    let number = row.national_id.as_ref();
    let number = number.map(|number| fingerprint(marker, FingerprintKind::NationalId, number.as_str()));
    code.into_iter().chain(number).collect()
}
