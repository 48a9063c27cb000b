//! The application of a plan: its events, written as one act.

use crate::authentication::own_login;
use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::db::columns::start_of;
use crate::error::Result;
use crate::officials::plan::Plan;
use crate::tables::accounts::username_fp;
use crate::tables::row_digests::RowDigests;
use crate::unit_of_work::append;
use ngomon_rules::event::{Change, Event, LoginId, Personal, Subject};
use ngomon_rules::hold::{Hold, Reason};
use ngomon_rules::records::{AccountAttributes, AccountId};
use ngomon_rules::values::{Date, username_key};
use std::collections::BTreeSet;

/// Writes the events of the plan. Returns the accounts that it created.
pub(crate) async fn apply(
    tx: &mut Tx,
    ctx: &StoreContext,
    plan: &Plan,
    run: &str,
    day: Date,
    by: &str,
    approved: bool,
) -> Result<Vec<AccountId>> {
    let (mut events, mut created) = (Vec::new(), Vec::new());
    let mut taken = BTreeSet::new();
    for line in plan.lines.iter().filter(|line| line.changes()) {
        let account = &line.account;
        let has = |holds: &[Hold], key: &(Reason, _)| holds.iter().any(|hold| hold.key() == *key);
        for hold in line.before.iter().filter(|hold| !has(&line.after, &hold.key())) {
            let (reason, cause) = hold.key();
            events.push(Event::of_account(account, Change::HoldLifted { reason, cause }));
        }
        for hold in &line.after {
            let change = match line.before.iter().find(|had| had.key() == hold.key()) {
                Some(had) if had == hold => continue,
                Some(had) => Change::HoldEvidenceChanged {
                    hold: hold.clone(),
                    before: had.evidence.clone(),
                },
                None => Change::HoldPlaced { hold: hold.clone() },
            };
            events.push(Event::of_account(account, change));
        }
        if let Some(stated) = plan.stated.get(account) {
            let change = Change::AccountChanged {
                fields: line.writes_back.clone(),
            };
            events.push(Event::of_account(account, change).with(Personal::Account {
                stated: stated.clone(),
                password_hash: None,
            }));
        }
        if let Some(new) = &line.creates {
            let id = AccountId(format!("CV-{}", ctx.id()));
            let old = plan.of_new.get(account).cloned().unwrap_or_default();
            let stated = AccountAttributes {
                username: new_username(tx, ctx, old.username.as_deref(), &taken, 2).await?,
                ..old
            };
            taken.extend(stated.username.as_deref().map(username_key));
            let change = Change::AccountCreated {
                unit: new.unit.clone(),
                login: LoginId(own_login(tx, ctx, account).await?),
                succeeds: new.succeeds.clone(),
            };
            events.push(Event::of_account(&id, change).with(Personal::Account {
                stated,
                password_hash: None,
            }));
            let holds = new.holds.iter().cloned();
            events.extend(holds.map(|hold| Event::of_account(&id, Change::HoldPlaced { hold })));
            created.push(id);
        }
    }
    for newcomer in plan.made_for() {
        let id = AccountId(format!("CV-{}", ctx.id()));
        let wished = plan
            .of_newcomers
            .get(&newcomer.profile)
            .map(|(stated, _)| stated.clone());
        let wished = wished.unwrap_or_default();
        let stated = AccountAttributes {
            username: new_username(tx, ctx, wished.username.as_deref(), &taken, 1).await?,
            ..wished
        };
        taken.extend(stated.username.as_deref().map(username_key));
        let change = Change::AccountCreated {
            unit: newcomer.unit.clone(),
            login: LoginId(ctx.id()),
            succeeds: Vec::new(),
        };
        let personal = Personal::Account {
            stated,
            password_hash: None,
        };
        events.push(Event::of_account(&id, change).with(personal));
        let holds = newcomer.holds.iter().cloned();
        events.extend(holds.map(|hold| Event::of_account(&id, Change::HoldPlaced { hold })));
        created.push(id);
    }
    events.push(Event {
        subject: Subject::Run(run.to_owned()),
        change: Change::RunApplied {
            as_of: day,
            newly_held: plan.impact.newly_held,
            approved,
            lines: Some(lines_of(tx, ctx, run).await?),
        },
        personal: None,
    });
    let act = Attribution {
        by: by.to_owned(),
        effective: start_of(day),
        run: Some(run.to_owned()),
    };
    append(tx, ctx, &act, events).await?;
    Ok(created)
}

/// The digest of a run: of its lines, its guard, its time and its position in the journal.
pub(crate) async fn lines_of(tx: &mut Tx, ctx: &StoreContext, run: &str) -> Result<String> {
    let mut digests = RowDigests::default();
    let sql = "SELECT account, body, digest FROM run_line WHERE run = $1";
    tx.for_each_row(sql, [run.into()], |row| {
        let [account, body]: [String; 2] = [row.get(0)?, row.get(1)?];
        let digest: Vec<u8> = row.get(2)?;
        digests.add(&ctx.keys, "run-line", &[account.as_bytes(), body.as_bytes(), &digest]);
        Ok(())
    })
    .await?;
    let sql = "SELECT at, guard, seen FROM run WHERE id = $1";
    if let Some(row) = tx.row(sql, [run.into()]).await? {
        let (at, guard, seen): (i64, String, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // A missing position counts as -2.
        let numbers = [at, seen.unwrap_or(-2)].map(i64::to_be_bytes);
        digests.add(&ctx.keys, "run", &[&numbers[0], guard.as_bytes(), &numbers[1]]);
    }
    Ok(digests.digest())
}

/// A user name that no other account has: the wished one, or else `wished.2` and so on. With `first` 2, never the wished one itself.
async fn new_username(
    tx: &mut Tx,
    ctx: &StoreContext,
    wished: Option<&str>,
    taken: &BTreeSet<String>,
    first: u32,
) -> Result<Option<String>> {
    let Some(wished) = wished else { return Ok(None) };
    let marker = ctx.marker(tx).await?;
    let mut n = first;
    loop {
        let candidate = if n == 1 {
            wished.to_owned()
        } else {
            format!("{wished}.{n}")
        };
        let fp = username_fp(&marker, &candidate);
        let there = tx
            .row("SELECT 1 FROM account_row WHERE username_fp = $1 LIMIT 1", [fp.into()])
            .await?;
        if there.is_none() && !taken.contains(&username_key(&candidate)) {
            return Ok(Some(candidate));
        }
        n += 1;
    }
}
