//! The projection of the journal into the tables: the same code for new entries and for a replay.
//!
//! [`project`] reads only entries and the tables that it writes, never a reference, the clock or random values. Otherwise a replay would
//! give another result.

mod accounts;
pub(crate) mod citizens;
mod clients;
pub(crate) mod compare;
mod counter_updates;
pub(crate) mod counters;
mod holds;
mod loads;
mod operators;
mod passkeys;
mod profiles;
mod proposed_acts;
mod shared;
mod take_overs;

pub(crate) use accounts::{account_cells_bound, login_of};
pub(crate) use clients::client_cells;
pub(crate) use profiles::{officials_of, row_digest};
pub(crate) use proposed_acts::{PROPOSED_ACT_CELLS, is_proposed_act};
pub(crate) use take_overs::{TAKE_OVER_CELLS, is_take_over};

use crate::context::StoreContext;
use crate::db::Tx;
use crate::db::bound::SETTING;
use crate::error::{Result, StoreError};
use crate::journal::entry::Entry;
use crate::projections::accounts::{
    account_changed, account_created, account_removed, accounts_taken_over, new_account, password_changed, staff_keys,
};
use crate::projections::citizens::{amendment_proposed, claim_details_changed, claim_made, form_answered};
use crate::projections::counter_updates::{claim_on, day_of_claim, recount};
use crate::projections::counters::CounterDeltas;
use crate::projections::holds::{hold_lifted, hold_placed};
use crate::projections::loads::load_applied;
use crate::projections::profiles::{numbers_of, numbers_proven, profile_gone, profiles_taken};
use crate::projections::shared::{SUCCESSION_ROW, succession, unexpected};
use ngomon_rules::event::{Change, Personal, Subject};
use ngomon_rules::records::AccountId;

/// Applies entries to the tables, in their order.
pub(crate) async fn project(
    tx: &mut Tx,
    ctx: &StoreContext,
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
            Change::AccountTakenOver { .. } => accounts_taken_over(tx, ctx, now, counts).await?,
            Change::ProfileTaken { .. } | Change::ProfileAmended { .. } => profiles_taken(tx, ctx, now, counts).await?,
            Change::NumbersProven { .. } => numbers_proven(tx, ctx, now, counts).await?,
            _ => one(tx, ctx, first, counts).await?,
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

async fn one(tx: &mut Tx, ctx: &StoreContext, entry: &Entry, counts: &mut CounterDeltas) -> Result<()> {
    if proposed_acts::changed(tx, ctx, entry).await? {
        return Ok(());
    }
    match &entry.event.subject {
        Subject::Account(id) => account(tx, ctx, entry, id, counts).await,
        Subject::Person(person) => {
            if let Some(Personal::Number { number }) = &entry.event.personal {
                numbers_of(tx, ctx, &person.0, &[*number], counts).await?;
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
        Subject::Client(id) => clients::changed(tx, ctx, entry, id).await,
        Subject::Setting(name) => match &entry.event.change {
            Change::SettingChanged { to, .. } => {
                let mac = entry.bind(&ctx.keys, SETTING, &[name.into(), to.into()]);
                let sql = "INSERT INTO setting (name, value, mac) VALUES ($1,$2,$3) \
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value, mac = excluded.mac";
                tx.execute(sql, [name.into(), to.into(), mac]).await.map(drop)
            }
            Change::CheckpointsAccepted { .. } => Ok(()),
            _ => Err(unexpected(entry)),
        },
        Subject::Operator(name) => match &entry.event.change {
            Change::OperatorAdded => operators::added(tx, name).await,
            Change::OperatorRemoved => operators::removed(tx, name, counts).await,
            _ => Err(unexpected(entry)),
        },
    }
}

#[allow(clippy::too_many_lines, reason = "a few lines for each change there is")]
pub(crate) async fn account(
    tx: &mut Tx,
    ctx: &StoreContext,
    entry: &Entry,
    id: &AccountId,
    counts: &mut CounterDeltas,
) -> Result<()> {
    let (account, id) = (id, id.as_str());
    match &entry.event.change {
        Change::OperatorEnrolled { login } => operators::enrolled(tx, ctx, entry, account, &login.0).await,
        Change::SubjectNamed {
            client,
            subject,
            taken_over,
            ..
        } => clients::subject_named(tx, ctx, entry, id, client, subject, *taken_over).await,
        Change::RecoveryCodeUsed { code } => operators::recovery_used(tx, entry, account, *code).await,
        Change::TakeOverProposed { receipt, holder } => {
            take_overs::proposed(tx, ctx, entry, account, receipt, holder).await
        }
        Change::TakeOverApproved { receipt, .. } => take_overs::decided(tx, ctx, entry, receipt, "approved").await,
        Change::TakeOverDeclined { receipt } => take_overs::decided(tx, ctx, entry, receipt, "declined").await,
        Change::AccountCreated { unit, login, succeeds } => {
            counts.add_staff(unit.as_str(), "", 1);
            account_created(tx, ctx, entry, id, unit.as_str(), &login.0, succeeds).await
        }
        Change::AccountRemoved => account_removed(tx, id, counts).await,
        Change::AccountChanged { .. } => account_changed(tx, ctx, entry, id).await,
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
            password_changed(tx, ctx, entry, id, changed).await
        }
        Change::PasskeyAdded { passkey } => passkeys::added(tx, ctx, entry, id, passkey).await,
        Change::PasskeyRemoved { passkey } => passkeys::removed(tx, passkey).await,
        Change::SignedIn { on } => {
            let sql = "UPDATE account_row SET last_sign_in_on = $2 WHERE id = $1 AND (last_sign_in_on IS NULL OR last_sign_in_on < $2)";
            tx.execute(sql, [id.into(), on.to_string().into()]).await.map(drop)
        }
        Change::ClaimMade { person, proof } => claim_made(tx, ctx, entry, id, &person.0, *proof, counts).await,
        Change::AccountJoined { into } => {
            let row = succession(ctx, entry, into.as_str(), id);
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
            claim_details_changed(tx, ctx, entry, id, &person.0, counts).await
        }
        Change::HoldLifted { reason, cause } => hold_lifted(tx, entry, id, *reason, &cause.0, counts).await,
        Change::FormAnswered { .. } => form_answered(tx, ctx, entry, id, counts).await,
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
