//! The undo of a whole run. It reverses the run's changes that are still in effect, and lists the accounts that changed since. Sessions
//! are never revived.

use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::db::columns::start_of;
use crate::error::Result;
use crate::journal::entry::{ENTRY, Entry, read_entry};
use crate::officials::run::{lock_runs, run_in_state};
use crate::store::Store;
use crate::tables::holds::{hold_of, recorded_holds};
use crate::unit_of_work::append;
use ngomon_rules::event::{Change, Event, Personal, Subject};
use ngomon_rules::hold::Hold;
use ngomon_rules::records::AccountId;
use std::collections::BTreeSet;

/// The result of an undo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoReport {
    /// The number of changes that were reversed.
    pub reversed: usize,
    /// The accounts where something changed since, which stays as it is.
    pub changed_since: BTreeSet<String>,
}

impl Store {
    /// Reverses an applied run. The next automatic run waits for a person.
    #[boxed]
    pub async fn undo_run(&self, run: &str, by: &str) -> Result<UndoReport> {
        let (ctx, run) = (self.ctx.clone(), run.to_owned());
        let act = Attribution::new(by, self.now());
        let done = self
            .db
            .transaction(move |tx| {
                let (ctx, run, act) = (ctx.clone(), run.clone(), act.clone());
                Box::pin(async move { undo(tx, &ctx, &run, act).await })
            })
            .await?;
        Ok(done)
    }
}

async fn undo(tx: &mut Tx, ctx: &StoreContext, run: &str, act: Attribution) -> Result<UndoReport> {
    lock_runs(tx).await?;
    let day = run_in_state(tx, run, "applied").await?;
    let mut done = UndoReport::default();
    let mut entries: Vec<Entry> = Vec::new();
    let sql = format!("{ENTRY} WHERE j.run = $1 ORDER BY c.seq, j.ord");
    tx.for_each_row(&sql, [run.into()], |row| {
        entries.push(read_entry(&ctx.keys, None, &row)?.entry);
        Ok(())
    })
    .await?;
    let created: BTreeSet<&AccountId> = entries
        .iter()
        .filter(|entry| matches!(entry.event.change, Change::AccountCreated { .. }))
        .filter_map(|entry| entry.event.account())
        .collect();
    let mut events = Vec::new();
    for entry in &entries {
        let Some(account) = entry.event.account() else { continue };
        if created.contains(account) && !matches!(entry.event.change, Change::AccountCreated { .. }) {
            continue;
        }
        match reverse(tx, ctx, run, entry, account).await? {
            Some(event) => events.push(event),
            None => {
                done.changed_since.insert(account.to_string());
            }
        }
    }
    done.reversed = events.len();
    events.push(Event {
        subject: Subject::Run(run.to_owned()),
        change: Change::RunUndone,
        personal: None,
    });
    // Effective from the day of the run, as if the run had not happened.
    let effective = act.effective.min(start_of(day));
    append(tx, ctx, &Attribution { effective, ..act }, events).await?;
    tx.execute(
        "UPDATE run SET state = 'undone', applied_at = $2 WHERE id = $1",
        [run.into(), ctx.now().into()],
    )
    .await?;
    Ok(done)
}

/// The reverse of one entry; `None` if its change is no longer in effect.
async fn reverse(
    tx: &mut Tx,
    ctx: &StoreContext,
    run: &str,
    entry: &Entry,
    account: &AccountId,
) -> Result<Option<Event>> {
    let change = match &entry.event.change {
        Change::HoldPlaced { hold } => {
            let there = recorded_holds(tx, account.as_str())
                .await?
                .iter()
                .any(|held| held.key() == hold.key());
            let (reason, cause) = hold.key();
            there.then_some(Change::HoldLifted { reason, cause })
        }
        Change::HoldEvidenceChanged { hold, before } => {
            let as_it_was = Hold {
                evidence: before.clone(),
                ..hold.clone()
            };
            let there = recorded_holds(tx, account.as_str()).await?.contains(hold);
            there.then_some(Change::HoldEvidenceChanged {
                hold: as_it_was,
                before: hold.evidence.clone(),
            })
        }
        Change::HoldLifted { reason, cause } => {
            let held = recorded_holds(tx, account.as_str()).await?;
            if held.iter().any(|hold| hold.reason == *reason && hold.cause == *cause) {
                None
            } else {
                lifted_hold(tx, account, reason.name(), &cause.0)
                    .await?
                    .map(|hold| Change::HoldPlaced { hold })
            }
        }
        Change::AccountCreated { .. } => {
            let sql = "SELECT 1 FROM journal WHERE subject_kind = 'account' AND subject = $1 AND (run IS NULL OR run <> $2) LIMIT 1";
            let used = tx.row(sql, [account.as_str().into(), run.into()]).await?;
            used.is_none().then_some(Change::AccountRemoved)
        }
        Change::AccountChanged { fields } => {
            return Ok(before_change(tx, ctx, entry, account).await?.map(|personal| {
                let change = Change::AccountChanged { fields: fields.clone() };
                Event::of_account(account, change).with(personal)
            }));
        }
        _ => None,
    };
    Ok(change.map(|change| Event::of_account(account, change)))
}

/// The hold as it was when the run lifted it.
async fn lifted_hold(tx: &mut Tx, account: &AccountId, reason: &str, cause: &str) -> Result<Option<Hold>> {
    let row = tx
        .row(
            "SELECT body FROM hold WHERE account = $1 AND reason = $2 AND cause = $3 ORDER BY generation DESC LIMIT 1",
            [account.as_str().into(), reason.into(), cause.into()],
        )
        .await?;
    row.map(|row| hold_of(&row.get::<String>(0)?)).transpose()
}

/// What the account stated before this entry, if no later entry replaced it.
async fn before_change(
    tx: &mut Tx,
    ctx: &StoreContext,
    entry: &Entry,
    account: &AccountId,
) -> Result<Option<Personal>> {
    let row = tx
        .row("SELECT value FROM account_row WHERE id = $1", [account.as_str().into()])
        .await?;
    let now: Option<String> = row.map(|row| row.get(0)).transpose()?;
    if now != entry.value {
        return Ok(None);
    }
    let sql = format!(
        "{ENTRY} WHERE j.subject_kind = 'account' AND j.subject = $1 AND j.commit_id <> $2 \
         AND j.kind IN ('account-taken-over', 'account-created', 'account-changed') ORDER BY c.seq DESC, j.ord DESC LIMIT 1"
    );
    let row = tx
        .row(&sql, [account.as_str().into(), entry.commit.as_str().into()])
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(match read_entry(&ctx.keys, None, &row)?.entry.event.personal {
        Some(Personal::Account { stated, .. }) => Some(Personal::Account {
            stated,
            password_hash: None,
        }),
        _ => None,
    })
}
