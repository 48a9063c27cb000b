//! The projection of HR profiles, and of the numbers that they and claims prove to be one person's.

use crate::context::StoreContext;
use crate::crypto::keyring::FingerprintKind;
use crate::db::columns::{day_text, for_each_in, instant_day, placeholders};
use crate::db::{SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::journal::entry::Entry;
use crate::projections::counter_updates::recount;
use crate::projections::counters::CounterDeltas;
use crate::projections::shared::{there_from, unexpected};
use crate::projections::staff_keys;
use crate::tables::accounts::{fingerprint, official_to};
use ngomon_rules::event::{Change, Personal, Subject};
use ngomon_rules::records::Profile;
use ngomon_rules::values::{Date, NationalId};
use std::collections::HashSet;

/// Records numbers that are proven to be a person's. None is ever given to another person.
pub(crate) async fn numbers_of(
    tx: &mut Tx,
    ctx: &StoreContext,
    person: &str,
    numbers: &[NationalId],
    counts: &mut CounterDeltas,
) -> Result<()> {
    let marker = ctx.marker(tx).await?;
    let fps: Vec<Vec<u8>> = numbers
        .iter()
        .map(|n| fingerprint(&marker, FingerprintKind::NationalId, n.as_str()))
        .collect();
    let rows = fps.iter().map(|fp| vec![fp.clone().into(), person.into()]).collect();
    proven(tx, rows, vec![fps], counts).await
}

/// Records the registry's statements about persons' numbers.
pub(crate) async fn numbers_proven(
    tx: &mut Tx,
    ctx: &StoreContext,
    entries: &[Entry],
    counts: &mut CounterDeltas,
) -> Result<()> {
    let marker = ctx.marker(tx).await?;
    let (mut rows, mut statements) = (Vec::new(), Vec::new());
    for entry in entries {
        let (Subject::Person(person), Some(Personal::Numbers { numbers })) =
            (&entry.event.subject, &entry.event.personal)
        else {
            return Err(unexpected(entry));
        };
        let fps = numbers
            .iter()
            .map(|n| fingerprint(&marker, FingerprintKind::NationalId, n.as_str()));
        let fps: Vec<Vec<u8>> = fps.collect();
        rows.extend(fps.iter().map(|fp| vec![fp.clone().into(), person.0.as_str().into()]));
        statements.push(fps);
    }
    proven(tx, rows, statements, counts).await
}

async fn proven(
    tx: &mut Tx,
    persons: Vec<Vec<SqlValue>>,
    statements: Vec<Vec<Vec<u8>>>,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let mut new = tx
        .insert("person_number (fp, person)", persons, "ON CONFLICT (fp) DO NOTHING")
        .await?;
    new += link(tx, statements.iter().map(Vec::as_slice)).await?;
    if new > 0 {
        officials_of(tx, statements.concat(), counts).await?;
    }
    Ok(())
}

/// Links the numbers of each statement as one person's. Returns the number of new links.
async fn link<'a>(tx: &mut Tx, statements: impl IntoIterator<Item = &'a [Vec<u8>]>) -> Result<u64> {
    let mut rows: Vec<Vec<SqlValue>> = Vec::new();
    for numbers in statements {
        let Some((first, others)) = numbers.split_first() else {
            continue;
        };
        for other in others.iter().filter(|other| *other != first) {
            rows.push(vec![first.clone().into(), other.clone().into()]);
            rows.push(vec![other.clone().into(), first.clone().into()]);
        }
    }
    if rows.is_empty() {
        return Ok(0);
    }
    tx.insert("person_link (fp, other)", rows, "ON CONFLICT DO NOTHING")
        .await
}

/// Recomputes `official_to` of the citizen accounts that state one of these numbers: officials have deadlines of their own.
pub(crate) async fn officials_of(tx: &mut Tx, mut fps: Vec<Vec<u8>>, counts: &mut CounterDeltas) -> Result<()> {
    if tx.row("SELECT 1 FROM person_link LIMIT 1", []).await?.is_some() {
        let wanted: Vec<SqlValue> = fps.iter().cloned().map(SqlValue::from).collect();
        for_each_in(tx, "SELECT other FROM person_link WHERE fp IN ({})", &wanted, |row| {
            fps.push(row.get(0)?);
            Ok(())
        })
        .await?;
    }
    let services = official_to(tx, fps.clone()).await?;
    for fps in fps.chunks(400) {
        let sql = format!(
            "SELECT id, number_fp, official_to FROM account_row WHERE kind = 'citizen' AND number_fp IN ({}) \
             AND NOT EXISTS (SELECT 1 FROM load l WHERE l.id = account_row.load AND l.state = 'open')",
            placeholders(fps.len())
        );
        for row in tx.rows(&sql, fps.iter().cloned().map(SqlValue::from)).await? {
            let [id, was]: [String; 2] = [row.get(0)?, row.get(2)?];
            let now = services.get(&row.get::<Vec<u8>>(1)?).cloned().unwrap_or_default();
            if was != now {
                recount(tx, &id, counts, |key| key.official_to = now).await?;
            }
        }
    }
    Ok(())
}

/// Versions of HR profiles. A version older than the current one of its profile changes nothing.
pub(crate) async fn profiles_taken(
    tx: &mut Tx,
    ctx: &StoreContext,
    entries: &[Entry],
    counts: &mut CounterDeltas,
) -> Result<()> {
    let (mut fps, mut persons, mut rows, mut keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut statements = Vec::new();
    let mut ids = HashSet::new();
    let marker = ctx.marker(tx).await?;
    for entry in entries {
        let (Subject::Profile(id), Some(Personal::Profile(profile)), Some(value)) =
            (&entry.event.subject, &entry.event.personal, &entry.value)
        else {
            return Err(unexpected(entry));
        };
        let (Change::ProfileTaken { person, .. } | Change::ProfileAmended { person, .. }) = &entry.event.change else {
            return Err(unexpected(entry));
        };
        let fp = |kind, text: &str| fingerprint(&marker, kind, text);
        let numbers: Vec<Vec<u8>> = profile
            .national_id
            .iter()
            .chain(&profile.former_ids)
            .map(|n| fp(FingerprintKind::NationalId, n.as_str()))
            .collect();
        if let Some(person) = person {
            persons.extend(numbers.iter().map(|fp| vec![fp.clone().into(), (&person.0).into()]));
        }
        let code_fp = profile
            .employee_code
            .as_ref()
            .map(|code| fp(FingerprintKind::EmployeeCode, code));
        let found_by = numbers.iter().chain(&code_fp);
        keys.extend(found_by.map(|fp| vec![fp.clone().into(), "profile".into(), (&id.0).into()]));
        if !ids.insert(&id.0) {
            // One statement must not change a row twice.
            upsert_profiles(tx, std::mem::take(&mut rows)).await?;
        }
        rows.push(vec![
            (&id.0).into(),
            person.as_ref().map(|p| p.0.as_str()).into(),
            code_fp.into(),
            numbers
                .first()
                .filter(|_| profile.national_id.is_some())
                .cloned()
                .into(),
            profile.unit.as_str().into(),
            value.into(),
            row_digest(ctx, profile)?.into(),
            day_text(profile.updated_on).into(),
            there_from(profile.created_on, entry.effective)?.to_string().into(),
            service_to(profile).into(),
            instant_day(entry.effective)?.to_string().into(),
            "".into(),
            0_i64.into(),
            "".into(),
        ]);
        if numbers.len() > 1 {
            statements.push(numbers.clone());
        }
        fps.extend(numbers);
    }
    upsert_profiles(tx, rows).await?;
    staff_keys(tx, keys).await?;
    link(tx, statements.iter().map(Vec::as_slice)).await?;
    tx.insert("person_number (fp, person)", persons, "ON CONFLICT (fp) DO NOTHING")
        .await?;
    officials_of(tx, fps, counts).await
}

pub(crate) async fn upsert_profiles(tx: &mut Tx, rows: Vec<Vec<SqlValue>>) -> Result<()> {
    tx.insert(
        "profile (id, person, code_fp, number_fp, unit, value, row_digest, updated_on, there_from, service_to, first_taken_on, reviewed_on, \
         gone, gone_on)",
        rows,
        "ON CONFLICT (id) DO UPDATE SET person = excluded.person, code_fp = excluded.code_fp, number_fp = excluded.number_fp, \
         unit = excluded.unit, value = excluded.value, row_digest = excluded.row_digest, updated_on = excluded.updated_on, \
         there_from = CASE WHEN excluded.there_from < profile.there_from THEN excluded.there_from ELSE profile.there_from END, \
         service_to = excluded.service_to, gone = 0, gone_on = '' \
         WHERE profile.gone = 1 OR excluded.updated_on = '' OR excluded.updated_on >= profile.updated_on",
    )
    .await?;
    Ok(())
}

/// A keyed digest, so that it reveals nothing about the row.
pub(crate) fn row_digest(ctx: &StoreContext, profile: &Profile) -> Result<[u8; 32]> {
    let row = serde_json::to_vec(profile).map_err(|e| StoreError::corrupt("a profile", e))?;
    Ok(ctx.keys.mac(&[b"profile row", &row]))
}

/// The last day in service.
fn service_to(profile: &Profile) -> String {
    day_text(match profile.ends_on() {
        None => Some(Date::MAX),
        Some(first_day_out) => first_day_out.yesterday().ok(),
    })
}

pub(crate) async fn profile_gone(tx: &mut Tx, id: &str, effective: i64, counts: &mut CounterDeltas) -> Result<()> {
    let day = instant_day(effective)?.to_string();
    tx.execute(
        "UPDATE profile SET gone = 1, gone_on = $2 WHERE id = $1",
        [id.into(), day.into()],
    )
    .await?;
    let numbers = tx
        .rows(
            "SELECT n.fp FROM person_number n JOIN profile p ON p.person = n.person WHERE p.id = $1",
            [id.into()],
        )
        .await?;
    let fps = numbers.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    officials_of(tx, fps, counts).await
}
