//! The import of HR profiles: the versions of each, and the profiles that a full extract no longer has.

use crate::crypto::keyring::{FingerprintKind, Fingerprinter};
use crate::db::{Row, SqlValue, Tx};
use crate::error::Result;
use crate::journal::entry::{StoreContext, write};
use crate::loads::{OpenLoad, heartbeat};
use crate::projections::row_digest;
use crate::store::Store;
use crate::tables::accounts::{fingerprint, for_each_in, placeholders};
use crate::tables::numbers::PersonNumbers;
use crate::tables::units;
use ngomon_rules::event::{Change, Event, PersonId, Personal, ProfileId, Subject};
use ngomon_rules::records::Profile;
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::NationalId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The stored profiles: all of them for a full extract, otherwise those of which the rows may be versions.
#[derive(Default)]
pub(crate) struct KnownKeys {
    profiles: Vec<KnownProfile>,
    by_code: HashMap<Vec<u8>, usize>,
    by_number: HashMap<Vec<u8>, usize>,
    /// For a full extract, the numbers joined into persons, and the profiles of each person.
    persons: PersonNumbers,
    by_person: HashMap<usize, Vec<usize>>,
    seen: HashSet<usize>,
}

struct KnownProfile {
    id: String,
    unit: UnitCode,
    row_digest: Vec<u8>,
    gone: bool,
}

impl KnownKeys {
    /// Reads all profiles, or only those of which `rows` may be versions.
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
                let marker = store.env.marker(tx).await?;
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
fn keys_of(marker: &Fingerprinter, row: &Profile) -> Vec<Vec<u8>> {
    let code = row.employee_code.as_ref();
    let code = code.map(|code| fingerprint(marker, FingerprintKind::EmployeeCode, code));
    let number = row.national_id.as_ref();
    let number = number.map(|number| fingerprint(marker, FingerprintKind::NationalId, number.as_str()));
    code.into_iter().chain(number).collect()
}

impl OpenLoad {
    /// Stages profiles: a version that is already stored changes nothing.
    pub async fn profiles(&mut self, rows: Vec<Profile>) -> Result<()> {
        if self.incoming.full.is_none() {
            self.known = KnownKeys::read(&self.store, Some(&rows)).await?;
        }
        if self.incoming.scope().is_none_or(|unit| !unit.is_empty()) {
            let keys = rows
                .iter()
                .flat_map(|row| keys_of(&self.marker, row))
                .map(SqlValue::from);
            let waiting = waiting_rows(&self.store, (self.incoming.table, &self.id), keys.collect()).await?;
            self.mended.extend(waiting);
        }
        let mut changed = Vec::new();
        for row in rows {
            let env = &self.store.env;
            let at = self
                .known
                .see(&self.marker, row.employee_code.as_deref(), row.national_id);
            let known = at.and_then(|at| self.known.profiles.get(at));
            let same = match known {
                Some(known) => !known.gone && known.row_digest == row_digest(env, &row)?,
                None => false,
            };
            if !same {
                changed.push((known.map(|known| known.id.clone()), row));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let (env, act, load, changed) = (self.store.env.clone(), self.act(), self.id.clone(), Arc::new(changed));
        self.store
            .db
            .transaction(move |tx| {
                let (env, act, load, changed) = (env.clone(), act.clone(), load.clone(), Arc::clone(&changed));
                Box::pin(async move {
                    heartbeat(tx, &load, env.now()).await?;
                    let events = versions(tx, &env, &load, &changed).await?;
                    write(tx, &env, &act, events, Some(&load)).await.map(drop)
                })
            })
            .await
    }

    /// The profiles that a full extract no longer has.
    pub(crate) async fn gone(&self) -> Result<Vec<Event>> {
        let Some(scope) = self
            .incoming
            .full
            .as_ref()
            .filter(|_| self.incoming.table == "profiles")
        else {
            return Ok(Vec::new());
        };
        let tree = self.store.db.read(async |tx| units::tree(tx).await).await?;
        let covered = |unit: &UnitCode| {
            scope
                .as_ref()
                .is_none_or(|top| tree.is_within(unit, top, self.incoming.as_of))
        };
        let gone = self
            .known
            .profiles
            .iter()
            .enumerate()
            .filter(|(at, profile)| !profile.gone && !self.known.seen.contains(at) && covered(&profile.unit));
        Ok(gone
            .map(|(_, profile)| Event {
                subject: Subject::Profile(ProfileId(profile.id.clone())),
                change: Change::ProfileGone { load: self.id.clone() },
                personal: None,
            })
            .collect())
    }
}

/// The rows of that table in quarantine from other loads that have one of these codes or numbers.
pub(crate) async fn waiting_rows(
    store: &Store,
    (table, load): (&str, &str),
    keys: Vec<SqlValue>,
) -> Result<Vec<(String, String)>> {
    let mut waiting = Vec::new();
    store
        .db
        .read(async |tx| {
            for column in ["code_fp", "number_fp"] {
                let sql = format!(
                    "SELECT load, row_no FROM quarantine WHERE name = '{table}' AND ended_by IS NULL AND {column} IN ({{}})"
                );
                for_each_in(tx, &sql, &keys, |row| {
                    waiting.push((row.get(0)?, row.get(1)?));
                    Ok(())
                })
                .await?;
            }
            Ok(())
        })
        .await?;
    waiting.retain(|(of, _): &(String, String)| of != load);
    Ok(waiting)
}

async fn versions(
    tx: &mut Tx,
    env: &StoreContext,
    load: &str,
    rows: &[(Option<String>, Profile)],
) -> Result<Vec<Event>> {
    let marker = env.marker(tx).await?;
    let numbers = |row: &Profile| -> Vec<Vec<u8>> {
        let all = row.national_id.iter().chain(&row.former_ids);
        all.map(|n| fingerprint(&marker, FingerprintKind::NationalId, n.as_str()))
            .collect()
    };
    let wanted: Vec<Vec<u8>> = rows.iter().flat_map(|(_, row)| numbers(row)).collect();
    let mut persons: HashMap<Vec<u8>, String> = HashMap::new();
    for wanted in wanted.chunks(400) {
        let sql = format!(
            "SELECT fp, person FROM person_number WHERE fp IN ({})",
            placeholders(wanted.len())
        );
        for row in tx.rows(&sql, wanted.iter().cloned().map(SqlValue::from)).await? {
            persons.insert(row.get(0)?, row.get(1)?);
        }
    }
    let mut events = Vec::with_capacity(rows.len());
    for (id, row) in rows {
        let numbers = numbers(row);
        let person = if numbers.is_empty() {
            None
        } else {
            let known = numbers.iter().find_map(|fp| persons.get(fp)).cloned();
            let person = known.unwrap_or_else(|| env.id());
            persons.extend(numbers.into_iter().map(|fp| (fp, person.clone())));
            Some(PersonId(person))
        };
        events.push(Event {
            subject: Subject::Profile(ProfileId(id.clone().unwrap_or_else(|| env.id()))),
            change: Change::ProfileTaken {
                person,
                load: load.to_owned(),
            },
            personal: Some(Personal::Profile(Box::new(row.clone()))),
        });
    }
    Ok(events)
}
