//! From the journal into the tables: the same code for what happens now and for a replay.
//!
//! [`project`] reads only entries and the tables it writes, never a reference, the clock or chance: otherwise a replay would not give
//! the same.

mod accounts;
mod clients;
mod operators;
mod passkeys;
mod profiles;
mod take_overs;

pub(crate) use profiles::{officials_of, row_digest};

use crate::counting::{claim_on, day_of_claim, held_by, holds_changed, recount, refusal_on};
use crate::counts::Counts;
use crate::db::{Arg, Tx};
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Env};
use crate::keyring::FingerprintKind;
use crate::tables::{day_number, fingerprint};
use accounts::{account_changed, account_created, account_removed, accounts_taken_over, new_account, staff_keys};
use ngomon_rules::citizens::{Progress, Proof};
use ngomon_rules::event::{Change, Personal, Subject};
use ngomon_rules::hold::{Hold, Reason};
use ngomon_rules::record::AccountId;
use ngomon_rules::values::{Date, local_day};
use profiles::{numbers_of, profile_gone, profiles_taken};

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
        Change::SessionsEnded | Change::NoticeResent { .. } => Ok(()),
        change @ (Change::PasswordRehashed | Change::PasswordChanged) => {
            let value = entry.value.clone().ok_or_else(|| unexpected(entry))?;
            let changed = if *change == Change::PasswordChanged {
                entry.at
            } else {
                0
            };
            let sql = "UPDATE login SET value = $2, changed = CASE WHEN changed > $3 THEN changed ELSE $3 END \
                 WHERE id = (SELECT login FROM account_row WHERE id = $1)";
            tx.execute(sql, [id.into(), value.into(), changed.into()])
                .await
                .map(drop)
        }
        Change::PasskeyAdded { passkey } => passkeys::added(tx, entry, id, passkey).await,
        Change::PasskeyRemoved { passkey } => passkeys::removed(tx, passkey).await,
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
