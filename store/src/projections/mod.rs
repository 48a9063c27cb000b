//! The projection of the journal into the tables: the same code for new entries and for a replay.
//!
//! [`project`] reads only entries and the tables that it writes, never a reference, the clock or random values. Otherwise a replay would
//! give another result.

mod accounts;
mod clients;
pub(crate) mod counter_updates;
pub(crate) mod counters;
mod operators;
mod passkeys;
mod profiles;
mod proposed_acts;
mod take_overs;

pub(crate) use accounts::{account_cells_bound, login_of};
pub(crate) use clients::client_cells;
pub(crate) use profiles::{officials_of, row_digest};
pub(crate) use proposed_acts::{PROPOSED_ACT_CELLS, is_proposed_act};
pub(crate) use take_overs::{TAKE_OVER_CELLS, is_take_over};

use crate::crypto::keyring::{FingerprintKind, Fingerprinter};
use crate::db::bound::{CLAIM, SETTING, SUBMISSION, SUCCESSION};
use crate::db::{SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::journal::entry::{Entry, StoreContext};
use crate::projections::accounts::{
    account_changed, account_created, account_removed, accounts_taken_over, new_account, password_changed, staff_keys,
};
use crate::projections::counter_updates::{claim_on, day_of_claim, hold_reasons, holds_changed, recount, refusal_on};
use crate::projections::counters::CounterDeltas;
use crate::projections::profiles::{numbers_of, numbers_proven, profile_gone, profiles_taken};
use crate::tables::accounts::{day_number, fingerprint};
use ngomon_rules::citizens::{LastFormState, Proof};
use ngomon_rules::event::{Change, Personal, Subject};
use ngomon_rules::hold::{Hold, Reason};
use ngomon_rules::records::AccountId;
use ngomon_rules::values::{Date, FullName, NationalId, Phone, local_day};

/// Applies entries to the tables, in their order.
pub(crate) async fn project(
    tx: &mut Tx,
    env: &StoreContext,
    entries: &[Entry],
    counts: &mut CounterDeltas,
) -> Result<()> {
    let mut rest = entries;
    while let Some(first) = rest.first() {
        let alike = match &first.event.change {
            Change::AccountTakenOver { .. } => run_of(rest, |c| matches!(c, Change::AccountTakenOver { .. })),
            Change::ProfileTaken { .. } | Change::ProfileAmended { .. } => run_of(rest, is_version),
            Change::NumbersProven { .. } => run_of(rest, |c| matches!(c, Change::NumbersProven { .. })),
            _ => 1,
        };
        let (now, later) = rest.split_at(alike);
        match &first.event.change {
            Change::AccountTakenOver { .. } => accounts_taken_over(tx, env, now, counts).await?,
            Change::ProfileTaken { .. } | Change::ProfileAmended { .. } => profiles_taken(tx, env, now, counts).await?,
            Change::NumbersProven { .. } => numbers_proven(tx, env, now, counts).await?,
            _ => one(tx, env, first, counts).await?,
        }
        rest = later;
    }
    Ok(())
}

/// The number of leading entries of that kind.
fn run_of(entries: &[Entry], is: impl Fn(&Change) -> bool) -> usize {
    entries.iter().take_while(|entry| is(&entry.event.change)).count()
}

/// Whether the entry is a version of an HR profile.
fn is_version(change: &Change) -> bool {
    matches!(change, Change::ProfileTaken { .. } | Change::ProfileAmended { .. })
}

async fn one(tx: &mut Tx, env: &StoreContext, entry: &Entry, counts: &mut CounterDeltas) -> Result<()> {
    if crate::projections::proposed_acts::changed(tx, env, entry).await? {
        return Ok(());
    }
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
            Change::ProfileGone { .. } => profile_gone(tx, &id.0, entry.effective, counts).await,
            _ => Err(unexpected(entry)),
        },
        Subject::Load(_) => load_applied(tx, entry).await,
        Subject::Run(_) => Ok(()),
        Subject::Client(id) => crate::projections::clients::changed(tx, env, entry, id).await,
        Subject::Setting(name) => match &entry.event.change {
            Change::SettingChanged { to, .. } => {
                let mac = entry.bind(&env.keys, SETTING, &[name.into(), to.into()]);
                let sql = "INSERT INTO setting (name, value, mac) VALUES ($1,$2,$3) \
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value, mac = excluded.mac";
                tx.execute(sql, [name.into(), to.into(), mac]).await.map(drop)
            }
            Change::CheckpointsAccepted { .. } => Ok(()),
            _ => Err(unexpected(entry)),
        },
        Subject::Operator(name) => match &entry.event.change {
            Change::OperatorAdded => crate::projections::operators::added(tx, name).await,
            Change::OperatorRemoved => crate::projections::operators::removed(tx, name, counts).await,
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

#[allow(clippy::too_many_lines, reason = "a few lines for each change there is")]
async fn account(
    tx: &mut Tx,
    env: &StoreContext,
    entry: &Entry,
    id: &AccountId,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let (account, id) = (id, id.as_str());
    match &entry.event.change {
        Change::OperatorEnrolled { login } => {
            crate::projections::operators::enrolled(tx, env, entry, account, &login.0).await
        }
        Change::SubjectNamed {
            client,
            subject,
            taken_over,
            ..
        } => crate::projections::clients::subject_named(tx, env, entry, id, client, subject, *taken_over).await,
        Change::RecoveryCodeUsed { code } => {
            crate::projections::operators::recovery_used(tx, entry, account, *code).await
        }
        Change::TakeOverProposed { receipt, holder } => {
            crate::projections::take_overs::proposed(tx, env, entry, account, receipt, holder).await
        }
        Change::TakeOverApproved { receipt, .. } => {
            crate::projections::take_overs::decided(tx, env, entry, receipt, "approved").await
        }
        Change::TakeOverDeclined { receipt } => {
            crate::projections::take_overs::decided(tx, env, entry, receipt, "declined").await
        }
        Change::AccountCreated { unit, login, succeeds } => {
            counts.add_staff(unit.as_str(), "", 1);
            account_created(tx, env, entry, id, unit.as_str(), &login.0, succeeds).await
        }
        Change::AccountRemoved => account_removed(tx, id, counts).await,
        Change::AccountChanged { .. } => account_changed(tx, env, entry, id).await,
        Change::SessionsEnded
        | Change::NoticeResent { .. }
        | Change::PasswordCodeIssued { .. }
        | Change::PhoneChanged { .. } => Ok(()),
        change @ (Change::PasswordRehashed | Change::PasswordChanged) => {
            let changed = if *change == Change::PasswordChanged {
                entry.at
            } else {
                0
            };
            password_changed(tx, env, entry, id, changed).await
        }
        Change::PasskeyAdded { passkey } => crate::projections::passkeys::added(tx, env, entry, id, passkey).await,
        Change::PasskeyRemoved { passkey } => crate::projections::passkeys::removed(tx, passkey).await,
        Change::SignedIn { on } => {
            let sql = "UPDATE account_row SET last_sign_in_on = $2 WHERE id = $1 AND (last_sign_in_on IS NULL OR last_sign_in_on < $2)";
            tx.execute(sql, [id.into(), on.to_string().into()]).await.map(drop)
        }
        Change::ClaimMade { person, proof } => claim_made(tx, env, entry, id, &person.0, *proof, counts).await,
        Change::AccountJoined { into } => {
            let row = succession(env, entry, into.as_str(), id);
            tx.insert(SUCCESSION_ROW, vec![row], "ON CONFLICT DO NOTHING")
                .await
                .map(drop)
        }
        Change::AmendmentProposed { profile, receipt } => amendment_proposed(tx, entry, id, &profile.0, receipt).await,
        Change::AmendmentDecided { receipt, accepted } => {
            let sql = "UPDATE amendment SET accepted = $2, answered_at = $3, answer = $4 WHERE receipt = $1";
            let args = [
                receipt.into(),
                (*accepted).into(),
                entry.at.into(),
                entry.value.clone().into(),
            ];
            tx.execute(sql, args).await.map(drop)
        }
        Change::ReviewAnswered { receipt, accepted } => {
            let sql = "UPDATE review_request SET accepted = $2, answered_at = $3, answer = $4 WHERE receipt = $1";
            let args = [
                receipt.into(),
                (*accepted).into(),
                entry.at.into(),
                entry.value.clone().into(),
            ];
            tx.execute(sql, args).await.map(drop)
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
                "UPDATE claim SET until = $2, mac = $3 WHERE account = $1 AND until IS NULL",
                [id.into(), entry.effective.into(), Vec::new().into()],
            )
            .await?;
            counts.extend_horizon(entry.effective);
            let key = recount(tx, id, counts, |key| key.claimed = 0).await?;
            counts.add_day(claim_on(day, key), -1);
            Ok(())
        }
        Change::HoldPlaced { hold } => hold_placed(tx, entry, id, hold, counts).await,
        Change::HoldEvidenceChanged { hold, .. } => {
            let body = serde_json::to_string(hold).map_err(|e| StoreError::corrupt("a hold", e))?;
            let sql = "UPDATE hold SET body = $4 WHERE account = $1 AND reason = $2 AND cause = $3 AND until IS NULL";
            let (reason, cause) = (hold.reason.name(), hold.cause.0.as_str());
            tx.execute(sql, [id.into(), reason.into(), cause.into(), body.into()])
                .await
                .map(drop)
        }
        Change::ClaimDetailsChanged { person, .. } => {
            claim_details_changed(tx, env, entry, id, &person.0, counts).await
        }
        Change::HoldLifted { reason, cause } => hold_lifted(tx, entry, id, *reason, &cause.0, counts).await,
        Change::FormAnswered { .. } => form_answered(tx, env, entry, id, counts).await,
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
            counts.extend_horizon(entry.effective);
            recount(tx, id, counts, |key| key.exempt_to = last_day.to_string()).await?;
            Ok(())
        }
        Change::ExemptionEnded => {
            tx.execute(
                "UPDATE exemption SET until = $2 WHERE account = $1 AND until IS NULL",
                [id.into(), entry.effective.into()],
            )
            .await?;
            counts.extend_horizon(entry.effective);
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
        SqlValue::Int(None),
    ];
    tx.insert(
        "amendment (receipt, account, profile, at, value, accepted)",
        vec![row],
        "",
    )
    .await
    .map(drop)
}

const SUCCESSION_ROW: &str = "succession (account, succeeds, mac)";

/// The row that records which account succeeds which.
fn succession(env: &StoreContext, entry: &Entry, account: &str, succeeds: &str) -> Vec<SqlValue> {
    let mut row: Vec<SqlValue> = vec![account.into(), succeeds.into()];
    row.push(entry.bind(&env.keys, SUCCESSION, &row));
    row
}

/// The cells that bind a form, so that it cannot be moved to another account, a stronger proof or other papers.
pub(crate) fn submission_cells(
    receipt: &str,
    account: &str,
    [proof, papers, value]: [&str; 3],
    phone_proven: bool,
    effective: i64,
) -> [SqlValue; 7] {
    [
        receipt.into(),
        account.into(),
        proof.into(),
        papers.into(),
        value.into(),
        phone_proven.into(),
        effective.into(),
    ]
}

async fn form_answered(
    tx: &mut Tx,
    env: &StoreContext,
    entry: &Entry,
    id: &str,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let Change::FormAnswered {
        receipt,
        proof,
        outcome,
        fields,
        papers,
        phone_proven,
        ..
    } = &entry.event.change
    else {
        return Err(unexpected(entry));
    };
    let fields: Vec<&str> = fields.iter().map(|field| field.name()).collect();
    let papers: Vec<&str> = papers.iter().map(|paper| paper.name()).collect();
    let value = entry.value.clone().ok_or_else(|| unexpected(entry))?;
    let papers = papers.join(" ");
    let words = [proof.name(), papers.as_str(), value.as_str()];
    let cells = submission_cells(receipt, id, words, *phone_proven, entry.effective);
    let mac = entry.bind(&env.keys, SUBMISSION, &cells);
    tx.execute(
        "INSERT INTO submission (receipt, account, effective, at, outcome, fields, value, proof, papers, phone_proven, mac) \
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) \
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
            papers.into(),
            (*phone_proven).into(),
            mac,
        ],
    )
    .await?;
    counts.extend_horizon(entry.effective);
    let last = LastFormState::after(*outcome).name();
    let account = recount(tx, id, counts, |key| key.last = last.to_owned()).await?;
    if outcome.is_refusal() {
        counts.add_day(refusal_on(day_number(entry.effective), account), 1);
    }
    Ok(())
}

async fn claim_made(
    tx: &mut Tx,
    env: &StoreContext,
    entry: &Entry,
    id: &str,
    person: &str,
    proof: Proof,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let (Some(Personal::Claim { numbers, .. }), Some(value)) = (&entry.event.personal, &entry.value) else {
        return Err(unexpected(entry));
    };
    numbers_of(tx, env, person, numbers, counts).await?;
    let details = ClaimDetails::of(&*env.marker(tx).await?, entry)?;
    let [number_fp, phone_fp, name_fp] = details.into_args();
    tx.execute(
        "INSERT INTO claim (account, since, until, person, proof, value, number_fp, phone_fp, ord, name_fp, mac) \
         VALUES ($1,$2,NULL,$3,$4,$5,$6,$7,$8,$9,$10)",
        [
            id.into(),
            entry.effective.into(),
            person.into(),
            proof.name().into(),
            value.into(),
            number_fp,
            phone_fp,
            entry.at.into(),
            name_fp,
            entry.bind(
                &env.keys,
                CLAIM,
                &[id.into(), person.into(), value.into(), entry.commitment.clone().into()],
            ),
        ],
    )
    .await?;
    counts.extend_horizon(entry.effective);
    let key = recount(tx, id, counts, |key| key.claimed = 1).await?;
    counts.add_day(claim_on(day_number(entry.effective), key), 1);
    Ok(())
}

/// The fingerprints that find accounts with the details of a claim's person.
pub(crate) struct ClaimDetails {
    pub number_fp: Vec<u8>,
    pub phone_fp: Option<Vec<u8>>,
    pub name_fp: Vec<u8>,
}

impl ClaimDetails {
    fn of(marker: &Fingerprinter, entry: &Entry) -> Result<Self> {
        let Some(Personal::Claim {
            numbers,
            full_name,
            phone,
        }) = &entry.event.personal
        else {
            return Err(unexpected(entry));
        };
        let number = numbers.first().ok_or_else(|| unexpected(entry))?;
        Ok(Self::from(marker, *number, full_name, phone.as_ref()))
    }

    pub fn from(marker: &Fingerprinter, number: NationalId, full_name: &FullName, phone: Option<&Phone>) -> Self {
        let fp = |kind, text: &str| fingerprint(marker, kind, text);
        Self {
            number_fp: fp(FingerprintKind::NationalId, number.as_str()),
            phone_fp: phone.map(|phone| fp(FingerprintKind::Phone, phone.as_str())),
            name_fp: fp(FingerprintKind::NameExact, &full_name.exact_key()),
        }
    }

    fn into_args(self) -> [SqlValue; 3] {
        [self.number_fp.into(), self.phone_fp.into(), self.name_fp.into()]
    }
}

/// Updates an account's claim with the registry's present details of its person.
async fn claim_details_changed(
    tx: &mut Tx,
    env: &StoreContext,
    entry: &Entry,
    id: &str,
    person: &str,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let (Some(Personal::Claim { numbers, .. }), Some(value)) = (&entry.event.personal, &entry.value) else {
        return Err(unexpected(entry));
    };
    let details = ClaimDetails::of(&*env.marker(tx).await?, entry)?;
    let [number_fp, phone_fp, name_fp] = details.into_args();
    let sql = "UPDATE claim SET value = $3, number_fp = $4, phone_fp = $5, name_fp = $6, mac = $7 \
         WHERE account = $1 AND person = $2 AND until IS NULL";
    let cells = [id.into(), person.into(), value.into(), entry.commitment.clone().into()];
    let mac = entry.bind(&env.keys, CLAIM, &cells);
    let args = [
        id.into(),
        person.into(),
        value.into(),
        number_fp,
        phone_fp,
        name_fp,
        mac,
    ];
    if tx.execute(sql, args).await? > 0 {
        numbers_of(tx, env, person, numbers, counts).await?;
    }
    Ok(())
}

async fn hold_lifted(
    tx: &mut Tx,
    entry: &Entry,
    id: &str,
    reason: Reason,
    cause: &str,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let before = hold_reasons(tx, id).await?;
    tx.execute(
        "UPDATE hold SET until = $4 WHERE account = $1 AND reason = $2 AND cause = $3 AND until IS NULL",
        [id.into(), reason.name().into(), cause.into(), entry.effective.into()],
    )
    .await?;
    counts.extend_horizon(entry.effective);
    holds_changed(tx, id, before, counts).await
}

async fn hold_placed(tx: &mut Tx, entry: &Entry, id: &str, hold: &Hold, counts: &mut CounterDeltas) -> Result<()> {
    let before = hold_reasons(tx, id).await?;
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
    counts.extend_horizon(entry.effective);
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
        (_, Change::LoadApplied { .. } | Change::FormsEntered { .. }) => Ok(()),
        _ => Err(unexpected(entry)),
    }
}

/// The day from which an account or a profile counts: its source's day of creation, but at the latest the day of its arrival.
fn there_from(made: Option<Date>, came: i64) -> Result<Date> {
    let came = instant_day(came)?;
    Ok(made.map_or(came, |made| made.min(came)))
}

/// The day in Huế of an instant in microseconds.
pub(crate) fn instant_day(micros: i64) -> Result<Date> {
    let at = jiff::Timestamp::from_microsecond(micros).map_err(|e| StoreError::corrupt("an instant", e))?;
    Ok(local_day(at))
}
