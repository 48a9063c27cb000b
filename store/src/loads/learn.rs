//! The facts about persons that a registry load adds and that are kept for good: which numbers belong to one person, and the present
//! names and phones of the persons of claims.

use crate::context::StoreContext;
use crate::crypto::keyring::Fingerprinter;
use crate::db::columns::for_each_in;
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::journal::entry::write;
use crate::loads::open_load::{OpenLoad, heartbeat};
use crate::projections::citizens::ClaimDetails;
use crate::tables::accounts::claim_of;
use ngomon_rules::event::{Change, Event, PersonId, Personal, Subject};
use ngomon_rules::records::{RegistryRecord, RegistryStatus};
use ngomon_rules::values::NationalId;
use std::collections::{HashMap, HashSet};

/// A record with the fingerprints of its numbers, the one in force first.
struct NumberedRecord<'a> {
    record: &'a RegistryRecord,
    fps: &'a [Vec<u8>],
}

fn numbers(record: &RegistryRecord) -> impl Iterator<Item = NationalId> {
    std::iter::once(record.national_id).chain(record.former_ids.iter().copied())
}

impl OpenLoad {
    /// Stages what these records add: it counts with the load.
    pub(crate) async fn learn(&mut self, records: &[RegistryRecord], numbers: &[Vec<Vec<u8>>]) -> Result<()> {
        let (ctx, load) = (self.store.ctx.clone(), self.id.clone());
        let events = self
            .store
            .db
            .read(async |tx| {
                let with = records.iter().zip(numbers);
                let numbered: Vec<NumberedRecord<'_>> =
                    with.map(|(record, fps)| NumberedRecord { record, fps }).collect();
                let mut events = numbers_proven(tx, &ctx, &load, &numbered).await?;
                events.extend(details_changed(tx, &ctx, &self.marker, &load, &numbered).await?);
                Ok(events)
            })
            .await?;
        if events.is_empty() {
            return Ok(());
        }
        let act = self.act();
        self.store
            .db
            .transaction(move |tx| {
                let (ctx, act, load, events) = (ctx.clone(), act.clone(), load.clone(), events.clone());
                Box::pin(async move {
                    heartbeat(tx, &load, ctx.now()).await?;
                    write(tx, &ctx, &act, events, Some(&load)).await.map(drop)
                })
            })
            .await
    }
}

/// The new links between numbers, from records that name former numbers.
async fn numbers_proven(
    tx: &mut Tx,
    ctx: &StoreContext,
    load: &str,
    records: &[NumberedRecord<'_>],
) -> Result<Vec<Event>> {
    let renewed: Vec<&NumberedRecord<'_>> = records.iter().filter(|r| r.fps.len() > 1).collect();
    if renewed.is_empty() {
        return Ok(Vec::new());
    }
    let mut linked: HashSet<(Vec<u8>, Vec<u8>)> = HashSet::new();
    let now: Vec<SqlValue> = renewed
        .iter()
        .filter_map(|r| r.fps.first())
        .cloned()
        .map(SqlValue::from)
        .collect();
    for_each_in(tx, "SELECT fp, other FROM person_link WHERE fp IN ({})", &now, |row| {
        linked.insert((row.get(0)?, row.get(1)?));
        Ok(())
    })
    .await?;
    let mut persons: HashMap<Vec<u8>, String> = HashMap::new();
    let all: Vec<SqlValue> = renewed
        .iter()
        .flat_map(|r| r.fps.iter().cloned())
        .map(SqlValue::from)
        .collect();
    for_each_in(
        tx,
        "SELECT fp, person FROM person_number WHERE fp IN ({})",
        &all,
        |row| {
            persons.insert(row.get(0)?, row.get(1)?);
            Ok(())
        },
    )
    .await?;
    let mut events = Vec::new();
    for NumberedRecord { record, fps } in renewed {
        let Some((now, former)) = fps.split_first() else {
            continue;
        };
        let is_new = |old: &Vec<u8>| old != now && !linked.contains(&(now.clone(), old.clone()));
        if !former.iter().any(is_new) {
            continue;
        }
        let known = fps.iter().find_map(|fp| persons.get(fp)).cloned();
        let person = known.unwrap_or_else(|| ctx.id());
        events.push(Event {
            subject: Subject::Person(PersonId(person)),
            change: Change::NumbersProven { load: load.to_owned() },
            personal: Some(Personal::Numbers {
                numbers: numbers(record).collect(),
            }),
        });
    }
    Ok(events)
}

/// The claims whose person now has another number, phone or name. What the registry lacks changes nothing.
async fn details_changed(
    tx: &mut Tx,
    ctx: &StoreContext,
    marker: &Fingerprinter,
    load: &str,
    records: &[NumberedRecord<'_>],
) -> Result<Vec<Event>> {
    struct InForce {
        person: String,
        number_fp: Vec<u8>,
        phone_fp: Option<Vec<u8>>,
        name_fp: Vec<u8>,
    }
    if tx.row("SELECT 1 FROM claim LIMIT 1", []).await?.is_none() {
        return Ok(Vec::new());
    }
    let mut claims: HashMap<Vec<u8>, InForce> = HashMap::new();
    let wanted: Vec<SqlValue> = records
        .iter()
        .flat_map(|r| r.fps.iter().cloned())
        .map(SqlValue::from)
        .collect();
    let sql = "SELECT n.fp, c.person, c.number_fp, c.phone_fp, c.name_fp FROM person_number n \
         JOIN claim c ON c.person = n.person AND c.until IS NULL WHERE n.fp IN ({})";
    for_each_in(tx, sql, &wanted, |row| {
        let claim = InForce {
            person: row.get(1)?,
            number_fp: row.get(2)?,
            phone_fp: row.get(3)?,
            name_fp: row.get(4)?,
        };
        claims.insert(row.get(0)?, claim);
        Ok(())
    })
    .await?;
    let mut events = Vec::new();
    for NumberedRecord { record, fps } in records {
        if claims.is_empty() {
            break;
        }
        // A record has the claim's number as its own or as a former one.
        let found = fps
            .iter()
            .filter_map(|fp| claims.get(fp))
            .find(|claim| fps.contains(&claim.number_fp));
        let Some(was) = found.filter(|_| record.status != RegistryStatus::Revoked) else {
            continue;
        };
        let now = ClaimDetails::from(marker, record.national_id, &record.full_name, record.phone.as_ref());
        let phone_differs = now.phone_fp.is_some() && now.phone_fp != was.phone_fp;
        if now.number_fp == was.number_fp && now.name_fp == was.name_fp && !phone_differs {
            continue;
        }
        let Some(claim) = claim_of(tx, ctx, &was.person).await? else {
            continue;
        };
        let mut known: Vec<NationalId> = numbers(record).collect();
        known.extend(
            claim
                .numbers
                .iter()
                .filter(|n| !known.contains(n))
                .copied()
                .collect::<Vec<_>>(),
        );
        let change = Change::ClaimDetailsChanged {
            person: claim.person,
            load: load.to_owned(),
        };
        events.push(Event::of_account(&claim.holder, change).with(Personal::Claim {
            numbers: known,
            full_name: record.full_name.clone(),
            phone: record.phone.clone().or(claim.phone),
        }));
    }
    Ok(events)
}
