//! From the journal into the tables: the same code for what happens now and for a replay.
//!
//! [`project`] reads only entries and the tables it writes, never a reference, the clock or chance: otherwise a replay would not give
//! the same.

mod clients;
mod operators;
mod take_overs;

use crate::counting::{claim_on, count_holds, day_of_claim, held_by, holds_changed, recount, refusal_on};
use crate::counts::{CountKey, Counts};
use crate::db::{Arg, Tx};
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Env};
use crate::keyring::{FingerprintKind, Marker};
use crate::tables::{AccountCells, account_cells, day_number, day_text, fingerprint, folded_fp, official_to};
use ngomon_rules::citizens::{Progress, Proof};
use ngomon_rules::event::{Change, Personal, Subject};
use ngomon_rules::hold::{Hold, Reason};
use ngomon_rules::record::{AccountId, AccountKind, Profile, Stated};
use ngomon_rules::values::{Date, FullName, NationalId, local_day};
use std::collections::HashSet;

/// Puts entries into the tables, in their order.
pub(crate) async fn project(tx: &mut Tx, env: &Env, entries: &[Entry], counts: &mut Counts) -> Result<()> {
    let mut rest = entries;
    while let Some(first) = rest.first() {
        let alike = match &first.event.change {
            Change::AccountTakenOver { .. } => run_of(rest, |c| matches!(c, Change::AccountTakenOver { .. })),
            Change::ProfileTaken { .. } | Change::ProfileAmended { .. } => run_of(rest, is_version),
            _ => 1,
        };
        let (now, later) = rest.split_at(alike);
        match &first.event.change {
            Change::AccountTakenOver { .. } => accounts_taken_over(tx, env, now, counts).await?,
            Change::ProfileTaken { .. } | Change::ProfileAmended { .. } => profiles_taken(tx, env, now, counts).await?,
            _ => one(tx, env, first, counts).await?,
        }
        rest = later;
    }
    Ok(())
}

/// How many of the first entries are of that sort.
fn run_of(entries: &[Entry], is: impl Fn(&Change) -> bool) -> usize {
    entries.iter().take_while(|entry| is(&entry.event.change)).count()
}

/// A version of an HR profile.
fn is_version(change: &Change) -> bool {
    matches!(change, Change::ProfileTaken { .. } | Change::ProfileAmended { .. })
}

async fn one(tx: &mut Tx, env: &Env, entry: &Entry, counts: &mut Counts) -> Result<()> {
    match &entry.event.subject {
        Subject::Account(id) => account(tx, env, entry, id, counts).await,
        Subject::Person(person) => {
            if let Some(Personal::Number { number }) = &entry.event.personal {
                numbers_of(tx, env, &person.0, &[*number], counts).await?;
            }
            Ok(())
        }
        Subject::Profile(id) => match &entry.event.change {
            Change::ProfileReviewed { on } => {
                let sql = "UPDATE profile SET reviewed_on = $2 WHERE id = $1 AND reviewed_on < $2";
                tx.execute(sql, [(&id.0).into(), on.to_string().into()]).await.map(drop)
            }
            Change::ProfileGone { .. } => profile_gone(tx, &id.0, counts).await,
            _ => Err(unexpected(entry)),
        },
        Subject::Load(_) => load_applied(tx, entry).await,
        Subject::Run(_) => Ok(()),
        Subject::Client(id) => clients::changed(tx, entry, id).await,
        Subject::Setting(name) => match &entry.event.change {
            Change::SettingChanged { to, .. } => {
                tx.execute(
                    "INSERT INTO setting (name, value) VALUES ($1,$2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    [name.into(), to.into()],
                )
                .await?;
                Ok(())
            }
            _ => Err(unexpected(entry)),
        },
        Subject::Operator(name) => match &entry.event.change {
            Change::OperatorAdded => operators::added(tx, name).await,
            Change::OperatorRemoved => operators::removed(tx, name, counts).await,
            _ => Err(unexpected(entry)),
        },
    }
}

fn unexpected(entry: &Entry) -> StoreError {
    StoreError::corrupt(
        format!("journal {}/{}", entry.commit, entry.ord),
        "this change does not belong to this subject, or its value is missing",
    )
}

async fn account(tx: &mut Tx, env: &Env, entry: &Entry, id: &AccountId, counts: &mut Counts) -> Result<()> {
    let (account, id) = (id, id.as_str());
    match &entry.event.change {
        Change::OperatorEnrolled { login } => operators::enrolled(tx, env, entry, account, &login.0).await,
        Change::SubjectNamed { client, subject, .. } => clients::subject_named(tx, id, client, subject).await,
        Change::RecoveryCodeUsed { code } => operators::recovery_used(tx, entry, account, *code).await,
        Change::TakeOverProposed { receipt, holder } => take_overs::proposed(tx, entry, account, receipt, holder).await,
        Change::TakeOverApproved { receipt, .. } => take_overs::decided(tx, receipt, "approved").await,
        Change::TakeOverDeclined { receipt } => take_overs::decided(tx, receipt, "declined").await,
        Change::AccountCreated { unit, login, succeeds } => {
            counts.add_staff(unit.as_str(), "", 1);
            account_created(tx, env, entry, id, unit.as_str(), &login.0, succeeds).await
        }
        Change::AccountRemoved => account_removed(tx, id, counts).await,
        Change::AccountChanged { .. } => account_changed(tx, env, entry, id).await,
        Change::PasswordRehashed => {
            let value = entry.value.clone().ok_or_else(|| unexpected(entry))?;
            let sql = "UPDATE login SET value = $2 WHERE id = (SELECT login FROM account_row WHERE id = $1)";
            tx.execute(sql, [id.into(), value.into()]).await.map(drop)
        }
        Change::SignedIn { on } => {
            let sql = "UPDATE account_row SET last_sign_in_on = $2 WHERE id = $1 AND (last_sign_in_on IS NULL OR last_sign_in_on < $2)";
            tx.execute(sql, [id.into(), on.to_string().into()]).await.map(drop)
        }
        Change::ClaimMade { person, proof } => claim_made(tx, env, entry, id, &person.0, *proof, counts).await,
        Change::AccountJoined { into } => {
            let row = vec![into.as_str().into(), id.into()];
            tx.insert("succession (account, succeeds)", vec![row], "ON CONFLICT DO NOTHING")
                .await
                .map(drop)
        }
        Change::AmendmentProposed { profile, receipt } => amendment_proposed(tx, entry, id, &profile.0, receipt).await,
        Change::AmendmentDecided { receipt, accepted } => {
            let sql = "UPDATE amendment SET accepted = $2 WHERE receipt = $1";
            tx.execute(sql, [receipt.into(), (*accepted).into()]).await.map(drop)
        }
        Change::ReviewRequested { receipt } => {
            let row = vec![receipt.into(), id.into(), entry.at.into()];
            tx.insert("review_request (receipt, account, at)", vec![row], "")
                .await
                .map(drop)
        }
        Change::ClaimEnded { .. } => {
            let day = day_of_claim(tx, id).await?;
            tx.execute(
                "UPDATE claim SET until = $2 WHERE account = $1 AND until IS NULL",
                [id.into(), entry.effective.into()],
            )
            .await?;
            counts.reaches(entry.effective);
            let key = recount(tx, id, counts, |key| key.claimed = 0).await?;
            counts.add_day(claim_on(day, key), -1);
            Ok(())
        }
        Change::HoldPlaced { hold } => hold_placed(tx, entry, id, hold, counts).await,
        Change::HoldLifted { reason, cause } => hold_lifted(tx, entry, id, *reason, &cause.0, counts).await,
        Change::FormAnswered { .. } => form_answered(tx, entry, id, counts).await,
        Change::ExemptionGranted { why, last_day } => {
            tx.execute(
                "INSERT INTO exemption (account, since, until, why, last_day) VALUES ($1,$2,NULL,$3,$4)",
                [
                    id.into(),
                    entry.at.into(),
                    why.name().into(),
                    last_day.to_string().into(),
                ],
            )
            .await?;
            counts.reaches(entry.effective);
            recount(tx, id, counts, |key| key.exempt_to = last_day.to_string()).await?;
            Ok(())
        }
        Change::ExemptionEnded => {
            tx.execute(
                "UPDATE exemption SET until = $2 WHERE account = $1 AND until IS NULL",
                [id.into(), entry.effective.into()],
            )
            .await?;
            counts.reaches(entry.effective);
            recount(tx, id, counts, |key| key.exempt_to = String::new()).await?;
            Ok(())
        }
        _ => Err(unexpected(entry)),
    }
}

async fn account_removed(tx: &mut Tx, id: &str, counts: &mut Counts) -> Result<()> {
    let unit = recount(tx, id, counts, |_| ()).await?.unit;
    count_holds(counts, &unit, held_by(tx, id).await?, -1);
    let sql = "DELETE FROM account_row WHERE id = $1 RETURNING held_to";
    for row in tx.rows(sql, [id.into()]).await? {
        counts.add_staff(&unit, &row.get::<String>(0)?, -1);
    }
    tx.execute("DELETE FROM succession WHERE account = $1", [id.into()])
        .await?;
    tx.execute("DELETE FROM hold WHERE account = $1", [id.into()]).await?;
    Ok(())
}

async fn amendment_proposed(tx: &mut Tx, entry: &Entry, id: &str, profile: &str, receipt: &str) -> Result<()> {
    let value = entry.value.clone().ok_or_else(|| unexpected(entry))?;
    let row = vec![
        receipt.into(),
        id.into(),
        profile.into(),
        entry.at.into(),
        value.into(),
        Arg::Int(None),
    ];
    tx.insert(
        "amendment (receipt, account, profile, at, value, accepted)",
        vec![row],
        "",
    )
    .await
    .map(drop)
}

async fn form_answered(tx: &mut Tx, entry: &Entry, id: &str, counts: &mut Counts) -> Result<()> {
    let Change::FormAnswered {
        receipt,
        proof,
        outcome,
        fields,
        papers,
        ..
    } = &entry.event.change
    else {
        return Err(unexpected(entry));
    };
    let fields: Vec<&str> = fields.iter().map(|field| field.name()).collect();
    let papers: Vec<&str> = papers.iter().map(|paper| paper.name()).collect();
    let value = entry.value.clone().ok_or_else(|| unexpected(entry))?;
    tx.execute(
        "INSERT INTO submission (receipt, account, effective, at, outcome, fields, value, proof, papers) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) \
         ON CONFLICT (receipt) DO UPDATE SET outcome = excluded.outcome, fields = excluded.fields, at = excluded.at",
        [
            receipt.into(),
            id.into(),
            entry.effective.into(),
            entry.at.into(),
            outcome.name().into(),
            fields.join(" ").into(),
            value.into(),
            proof.name().into(),
            papers.join(" ").into(),
        ],
    )
    .await?;
    counts.reaches(entry.effective);
    let last = Progress::after(*outcome).name();
    let account = recount(tx, id, counts, |key| key.last = last.to_owned()).await?;
    if outcome.is_refusal() {
        counts.add_day(refusal_on(day_number(entry.effective), account), 1);
    }
    Ok(())
}

/// Accounts that came in from the system before. They are there once their load is applied.
async fn accounts_taken_over(tx: &mut Tx, env: &Env, entries: &[Entry], counts: &mut Counts) -> Result<()> {
    let mut rows = Vec::with_capacity(entries.len());
    let mut logins = Vec::with_capacity(entries.len());
    let mut cells = Vec::with_capacity(entries.len());
    let marker = env.marker(tx).await?;
    for entry in entries {
        let Some(Personal::Account { stated, .. }) = &entry.event.personal else {
            return Err(unexpected(entry));
        };
        cells.push((stated, account_cells(&marker, stated)));
    }
    let numbers: Vec<Vec<u8>> = cells.iter().filter_map(|(_, c)| c.number_fp.clone()).collect();
    let officials = official_to(tx, numbers).await?;
    let mut keys = Vec::new();
    for (entry, (stated, cells)) in entries.iter().zip(cells) {
        let (
            Subject::Account(id),
            Change::AccountTakenOver {
                account_kind,
                unit,
                created_on,
                last_sign_in_on,
                login,
            },
            Some(value),
        ) = (&entry.event.subject, &entry.event.change, &entry.value)
        else {
            return Err(unexpected(entry));
        };
        let is_citizen = *account_kind == AccountKind::Citizen;
        if !is_citizen {
            keys.extend(account_keys(&marker, id.as_str(), stated, &cells));
        }
        let service = cells.number_fp.as_ref().and_then(|fp| officials.get(fp));
        let key = CountKey {
            unit: unit.as_ref().map(ToString::to_string).unwrap_or_default(),
            official_to: service.filter(|_| is_citizen).cloned().unwrap_or_default(),
            exempt_to: String::new(),
            held_to: String::new(),
            claimed: 0,
            last: Progress::NotStarted.name().to_owned(),
        };
        logins.push(vec![(&login.0).into(), value.into()]);
        let mut row: Vec<Arg> = vec![
            id.as_str().into(),
            account_kind.name().into(),
            (&login.0).into(),
            (&key.unit).into(),
            created_on.map(|d| d.to_string()).into(),
            last_sign_in_on.map(|d| d.to_string()).into(),
            value.into(),
        ];
        row.extend(cells.into_args());
        row.extend([
            0_i64.into(),
            (&key.official_to).into(),
            "".into(),
            "".into(),
            0_i64.into(),
            (&key.last).into(),
            Arg::Text(None),
            entry.load.clone().into(),
        ]);
        rows.push(row);
        match account_kind {
            AccountKind::Citizen => counts.add(key, 1),
            AccountKind::Official => counts.add_staff(&key.unit, "", 1),
            AccountKind::Unit | AccountKind::Operator => {}
        }
    }
    tx.insert("login (id, value)", logins, "").await?;
    tx.insert(ACCOUNT_ROW, rows, "").await?;
    staff_keys(tx, keys).await
}

/// By what an official's account is found: code, number, folded name.
fn account_keys(marker: &Marker, id: &str, stated: &Stated, cells: &AccountCells) -> Vec<Vec<Arg>> {
    let name = stated.full_name.as_ref().map(FullName::person_key);
    let keys = [
        ("account", cells.code_fp.clone()),
        ("account", cells.number_fp.clone()),
        ("name", name.map(|name| folded_fp(marker, &name))),
    ];
    keys.into_iter()
        .filter_map(|(kind, fp)| Some(vec![fp?.into(), kind.into(), id.into()]))
        .collect()
}

async fn staff_keys(tx: &mut Tx, keys: Vec<Vec<Arg>>) -> Result<()> {
    tx.insert("staff_key (fp, kind, holder)", keys, "ON CONFLICT DO NOTHING")
        .await
        .map(drop)
}

const ACCOUNT_ROW: &str = "account_row (id, kind, login, unit, created_on, last_sign_in_on, value, number_fp, phone_fp, name_fp, code_fp, \
     username_fp, generation, official_to, exempt_to, held_to, claimed, last, run, load)";

async fn account_created(
    tx: &mut Tx,
    env: &Env,
    entry: &Entry,
    id: &str,
    unit: &str,
    login: &str,
    succeeds: &[AccountId],
) -> Result<()> {
    new_account(tx, env, entry, id, AccountKind::Official, unit, login).await?;
    let before = succeeds.iter().map(|old| vec![id.into(), old.as_str().into()]);
    tx.insert("succession (account, succeeds)", before.collect(), "")
        .await?;
    Ok(())
}

/// An account that did not come in from elsewhere, with its login. A transfer keeps the login that there is.
async fn new_account(
    tx: &mut Tx,
    env: &Env,
    entry: &Entry,
    id: &str,
    kind: AccountKind,
    unit: &str,
    login: &str,
) -> Result<()> {
    let (Some(Personal::Account { stated, .. } | Personal::Operator { stated, .. }), Some(value)) =
        (&entry.event.personal, &entry.value)
    else {
        return Err(unexpected(entry));
    };
    let created_on = instant_day(entry.effective)?.to_string();
    let mut row: Vec<Arg> = vec![
        id.into(),
        kind.name().into(),
        login.into(),
        unit.into(),
        created_on.into(),
        Arg::Text(None),
        value.into(),
    ];
    let marker = env.marker(tx).await?;
    let cells = account_cells(&marker, stated);
    let keys = account_keys(&marker, id, stated, &cells);
    row.extend(cells.into_args());
    row.extend([
        0_i64.into(),
        "".into(),
        "".into(),
        "".into(),
        0_i64.into(),
        Progress::NotStarted.name().into(),
        entry.run.clone().into(),
        Arg::Text(None),
    ]);
    tx.insert(ACCOUNT_ROW, vec![row], "").await?;
    let login = vec![vec![login.into(), value.into()]];
    tx.insert("login (id, value)", login, "ON CONFLICT (id) DO NOTHING")
        .await?;
    if kind == AccountKind::Official {
        staff_keys(tx, keys).await?;
    }
    Ok(())
}

async fn account_changed(tx: &mut Tx, env: &Env, entry: &Entry, id: &str) -> Result<()> {
    let (Some(Personal::Account { stated, .. }), Some(value)) = (&entry.event.personal, &entry.value) else {
        return Err(unexpected(entry));
    };
    let marker = env.marker(tx).await?;
    let cells = account_cells(&marker, stated);
    let keys = account_keys(&marker, id, stated, &cells);
    let mut args: Vec<Arg> = vec![id.into(), value.into()];
    args.extend(cells.into_args());
    let changed = tx
        .rows(
            "UPDATE account_row SET value = $2, number_fp = $3, phone_fp = $4, name_fp = $5, code_fp = $6, username_fp = $7 \
             WHERE id = $1 RETURNING kind",
            args,
        )
        .await?;
    for row in changed {
        if row.get::<String>(0)? != AccountKind::Citizen.name() {
            staff_keys(tx, keys.clone()).await?;
        }
    }
    Ok(())
}

async fn claim_made(
    tx: &mut Tx,
    env: &Env,
    entry: &Entry,
    id: &str,
    person: &str,
    proof: Proof,
    counts: &mut Counts,
) -> Result<()> {
    let (Some(Personal::Claim { numbers, phone, .. }), Some(value)) = (&entry.event.personal, &entry.value) else {
        return Err(unexpected(entry));
    };
    numbers_of(tx, env, person, numbers, counts).await?;
    let number = numbers.first().ok_or_else(|| unexpected(entry))?;
    let marker = env.marker(tx).await?;
    let number_fp = fingerprint(&marker, FingerprintKind::NationalId, number.as_str());
    let phone_fp = phone
        .as_ref()
        .map(|phone| fingerprint(&marker, FingerprintKind::Phone, phone.as_str()));
    tx.execute(
        "INSERT INTO claim (account, since, until, person, proof, value, number_fp, phone_fp, ord) VALUES ($1,$2,NULL,$3,$4,$5,$6,$7,$8)",
        [
            id.into(),
            entry.effective.into(),
            person.into(),
            proof.name().into(),
            value.into(),
            number_fp.into(),
            phone_fp.into(),
            entry.at.into(),
        ],
    )
    .await?;
    counts.reaches(entry.effective);
    let key = recount(tx, id, counts, |key| key.claimed = 1).await?;
    counts.add_day(claim_on(day_number(entry.effective), key), 1);
    Ok(())
}

async fn hold_lifted(
    tx: &mut Tx,
    entry: &Entry,
    id: &str,
    reason: Reason,
    cause: &str,
    counts: &mut Counts,
) -> Result<()> {
    let before = held_by(tx, id).await?;
    tx.execute(
        "UPDATE hold SET until = $4 WHERE account = $1 AND reason = $2 AND cause = $3 AND until IS NULL",
        [id.into(), reason.name().into(), cause.into(), entry.effective.into()],
    )
    .await?;
    counts.reaches(entry.effective);
    holds_changed(tx, id, before, counts).await
}

async fn hold_placed(tx: &mut Tx, entry: &Entry, id: &str, hold: &Hold, counts: &mut Counts) -> Result<()> {
    let before = held_by(tx, id).await?;
    tx.execute(
        "UPDATE account_row SET generation = generation + 1 WHERE id = $1",
        [id.into()],
    )
    .await?;
    let body = serde_json::to_string(hold).map_err(|e| StoreError::corrupt("a hold", e))?;
    tx.execute(
        "INSERT INTO hold (account, reason, cause, body, last_day, since, until, run, generation) \
         SELECT id, $2, $3, $4, $5, $6, NULL, $7, generation FROM account_row WHERE id = $1",
        [
            id.into(),
            hold.reason.name().into(),
            (&hold.cause.0).into(),
            body.into(),
            hold.last_day.map(|d| d.to_string()).into(),
            entry.effective.into(),
            entry.run.clone().into(),
        ],
    )
    .await?;
    counts.reaches(entry.effective);
    holds_changed(tx, id, before, counts).await
}

/// Numbers that are proven to be a person's. None is ever given to another person.
async fn numbers_of(tx: &mut Tx, env: &Env, person: &str, numbers: &[NationalId], counts: &mut Counts) -> Result<()> {
    let marker = env.marker(tx).await?;
    let fps: Vec<Vec<u8>> = numbers
        .iter()
        .map(|n| fingerprint(&marker, FingerprintKind::NationalId, n.as_str()))
        .collect();
    let rows = fps.iter().map(|fp| vec![fp.clone().into(), person.into()]).collect();
    let new = tx
        .insert("person_number (fp, person)", rows, "ON CONFLICT (fp) DO NOTHING")
        .await?;
    if new > 0 {
        officials_of(tx, fps, counts).await?;
    }
    Ok(())
}

/// Judges anew for whom deadlines of officials are meant, among the citizen accounts that state one of these numbers.
pub(crate) async fn officials_of(tx: &mut Tx, fps: Vec<Vec<u8>>, counts: &mut Counts) -> Result<()> {
    let services = official_to(tx, fps.clone()).await?;
    for fps in fps.chunks(400) {
        let sql = format!(
            "SELECT id, number_fp, official_to FROM account_row WHERE kind = 'citizen' AND number_fp IN ({}) \
             AND NOT EXISTS (SELECT 1 FROM load l WHERE l.id = account_row.load AND l.state = 'open')",
            crate::tables::places(fps.len())
        );
        for row in tx.rows(&sql, fps.iter().cloned().map(Arg::from)).await? {
            let [id, was]: [String; 2] = [row.get(0)?, row.get(2)?];
            let now = services.get(&row.get::<Vec<u8>>(1)?).cloned().unwrap_or_default();
            if was != now {
                recount(tx, &id, counts, |key| key.official_to = now).await?;
            }
        }
    }
    Ok(())
}

/// Versions of HR profiles. Of one profile, a version that is older than the one that counts changes nothing.
async fn profiles_taken(tx: &mut Tx, env: &Env, entries: &[Entry], counts: &mut Counts) -> Result<()> {
    let (mut fps, mut persons, mut rows, mut keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut ids = HashSet::new();
    let marker = env.marker(tx).await?;
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
            // One statement changes a row once only.
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
            row_digest(env, profile)?.into(),
            day_text(profile.updated_on).into(),
            service_to(profile).into(),
            instant_day(entry.effective)?.to_string().into(),
            "".into(),
            0_i64.into(),
        ]);
        fps.extend(numbers);
    }
    upsert_profiles(tx, rows).await?;
    staff_keys(tx, keys).await?;
    tx.insert("person_number (fp, person)", persons, "ON CONFLICT (fp) DO NOTHING")
        .await?;
    officials_of(tx, fps, counts).await
}

async fn upsert_profiles(tx: &mut Tx, rows: Vec<Vec<Arg>>) -> Result<()> {
    tx.insert(
        "profile (id, person, code_fp, number_fp, unit, value, row_digest, updated_on, service_to, first_taken_on, reviewed_on, gone)",
        rows,
        "ON CONFLICT (id) DO UPDATE SET person = excluded.person, code_fp = excluded.code_fp, number_fp = excluded.number_fp, \
         unit = excluded.unit, value = excluded.value, row_digest = excluded.row_digest, updated_on = excluded.updated_on, \
         service_to = excluded.service_to, gone = 0 \
         WHERE profile.gone = 1 OR excluded.updated_on = '' OR excluded.updated_on >= profile.updated_on",
    )
    .await?;
    Ok(())
}

/// Keyed, so that it tells nothing about the row.
pub(crate) fn row_digest(env: &Env, profile: &Profile) -> Result<[u8; 32]> {
    let row = serde_json::to_vec(profile).map_err(|e| StoreError::corrupt("a profile", e))?;
    Ok(env.keys.mac(&[b"profile row", &row]))
}

/// The last day in service.
fn service_to(profile: &Profile) -> String {
    day_text(match profile.ends_on() {
        None => Some(Date::MAX),
        Some(first_day_out) => first_day_out.yesterday().ok(),
    })
}

async fn profile_gone(tx: &mut Tx, id: &str, counts: &mut Counts) -> Result<()> {
    tx.execute("UPDATE profile SET gone = 1 WHERE id = $1", [id.into()])
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

async fn load_applied(tx: &mut Tx, entry: &Entry) -> Result<()> {
    match (&entry.event.subject, &entry.event.change) {
        (
            Subject::Load(load),
            Change::LoadApplied {
                table,
                full: Some(unit),
                ..
            },
        ) if table == "profiles" => {
            tx.execute(
                "INSERT INTO coverage (unit, load) VALUES ($1,$2) ON CONFLICT (unit) DO NOTHING",
                [unit.into(), load.into()],
            )
            .await?;
            Ok(())
        }
        (_, Change::LoadApplied { .. }) => Ok(()),
        _ => Err(unexpected(entry)),
    }
}

/// The day in Huế of an instant in microseconds.
pub(crate) fn instant_day(micros: i64) -> Result<Date> {
    let at = jiff::Timestamp::from_microsecond(micros).map_err(|e| StoreError::corrupt("an instant", e))?;
    Ok(local_day(at))
}
