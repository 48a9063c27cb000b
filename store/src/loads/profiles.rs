//! The import of HR profiles: the versions of each, and the profiles that a full extract no longer has.

use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::keyring::FingerprintKind;
use crate::db::columns::{for_each_in, placeholders};
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::journal::entry::write;
use crate::loads::known_profiles::{KnownKeys, keys_of};
use crate::loads::open_load::{OpenLoad, heartbeat};
use crate::projections::row_digest;
use crate::store::Store;
use crate::tables::accounts::fingerprint;
use crate::tables::units;
use ngomon_rules::event::{Change, Event, PersonId, Personal, ProfileId, Subject};
use ngomon_rules::records::Profile;
use ngomon_rules::unit::UnitCode;
use std::collections::HashMap;
use std::sync::Arc;

impl OpenLoad {
    /// Stages profiles: a version that is already stored changes nothing.
    #[boxed]
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
            let ctx = &self.store.ctx;
            let at = self
                .known
                .see(&self.marker, row.employee_code.as_deref(), row.national_id);
            let known = at.and_then(|at| self.known.profiles.get(at));
            let same = match known {
                Some(known) => !known.gone && known.row_digest == row_digest(ctx, &row)?,
                None => false,
            };
            if !same {
                changed.push((known.map(|known| known.id.clone()), row));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let (ctx, act, load, changed) = (self.store.ctx.clone(), self.act(), self.id.clone(), Arc::new(changed));
        self.store
            .db
            .transaction(move |tx| {
                let (ctx, act, load, changed) = (ctx.clone(), act.clone(), load.clone(), Arc::clone(&changed));
                Box::pin(async move {
                    heartbeat(tx, &load, ctx.now()).await?;
                    let events = versions(tx, &ctx, &load, &changed).await?;
                    write(tx, &ctx, &act, events, Some(&load)).await.map(drop)
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
    ctx: &StoreContext,
    load: &str,
    rows: &[(Option<String>, Profile)],
) -> Result<Vec<Event>> {
    let marker = ctx.marker(tx).await?;
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
            let person = known.unwrap_or_else(|| ctx.id());
            persons.extend(numbers.into_iter().map(|fp| (fp, person.clone())));
            Some(PersonId(person))
        };
        events.push(Event {
            subject: Subject::Profile(ProfileId(id.clone().unwrap_or_else(|| ctx.id()))),
            change: Change::ProfileTaken {
                person,
                load: load.to_owned(),
            },
            personal: Some(Personal::Profile(Box::new(row.clone()))),
        });
    }
    Ok(events)
}
