//! A run of reconciliation: simulated, applied, stopped by the guard, approved.
//!
//! ```text
//!   plan ──── within the guard ────▶ applied ──── undo ────▶ undone
//!     └── over it ──▶ waiting ── approve ──▲
//! ```

use super::facts::Facts;
use super::plan::{Plan, plan};
use crate::db::{Arg, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::journal::{Act, Env, append};
use crate::keyring::FingerprintKind;
use crate::loads::number;
use crate::store::Store;
use crate::tables::{day_of, fingerprint, start_of};
use jiff::ToSpan as _;
use ngomon_rules::event::{Change, Event, LoginId, Personal, Subject};
use ngomon_rules::hold::Reason;
use ngomon_rules::plan::{Brake, guard};
use ngomon_rules::record::{AccountId, Stated};
use ngomon_rules::values::Date;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What came of a request to reconcile.
#[derive(Clone, Debug)]
pub struct Reconciled {
    /// The run; `None` for a simulation.
    pub run: Option<String>,
    /// Its day.
    pub as_of: Date,
    /// What it does.
    pub plan: Plan,
    /// What stopped it: it waits for approval.
    pub stopped_by: Vec<Brake>,
    /// The accounts that it made.
    pub created: Vec<AccountId>,
}

/// A run as it is listed.
#[derive(Clone, Debug)]
pub struct RunView {
    /// Its id.
    pub id: String,
    /// Its day.
    pub as_of: String,
    /// `waiting`, `applied`, `undone`.
    pub state: String,
}

impl Store {
    /// What a run as of that day would do. Changes nothing.
    pub async fn simulate(&self, day: Date) -> Result<Reconciled> {
        let plan = self
            .db
            .read(async |tx| {
                let facts = Facts::read(tx, &self.env, day).await?;
                let mut plan = plan(&facts, &self.env)?;
                plan.impact.held_lately = held_lately(tx, day).await?;
                Ok((guard(&plan.impact, &facts.policy), plan))
            })
            .await?;
        Ok(Reconciled {
            run: None,
            as_of: day,
            stopped_by: plan.0,
            plan: plan.1,
            created: Vec::new(),
        })
    }

    /// Brings every official account in line with HR as of that day, unless the guard stops it.
    pub async fn reconcile(&self, day: Date, by: &str) -> Result<Reconciled> {
        let (env, by) = (self.env.clone(), by.to_owned());
        let done = self
            .db
            .write(move |tx| {
                let (env, by) = (env.clone(), by.clone());
                Box::pin(async move { reconcile(tx, &env, day, &by).await })
            })
            .await?;
        self.seal().await?;
        Ok(done)
    }

    /// A person approves a run that waits: each line is worked out anew, and any that would come out otherwise stops the whole.
    pub async fn approve_run(&self, run: &str, by: &str) -> Result<Reconciled> {
        let (env, run, by) = (self.env.clone(), run.to_owned(), by.to_owned());
        let done = self
            .db
            .write(move |tx| {
                let (env, run, by) = (env.clone(), run.clone(), by.clone());
                Box::pin(async move { approve(tx, &env, run, &by).await })
            })
            .await?;
        self.seal().await?;
        Ok(done)
    }

    /// All runs, the newest first.
    pub async fn runs(&self) -> Result<Vec<RunView>> {
        self.db
            .read(async |tx| {
                let rows = tx.rows("SELECT id, as_of, state FROM run ORDER BY at DESC", []).await?;
                rows.iter()
                    .map(|row| {
                        Ok(RunView {
                            id: row.get(0)?,
                            as_of: row.get(1)?,
                            state: row.get(2)?,
                        })
                    })
                    .collect()
            })
            .await
    }
}

async fn reconcile(tx: &mut Tx, env: &Env, day: Date, by: &str) -> Result<Reconciled> {
    // One run at a time.
    tx.rows_locked("SELECT id FROM installation", []).await?;
    not_before_the_last(tx, day).await?;
    let facts = Facts::read(tx, env, day).await?;
    let mut plan = plan(&facts, env)?;
    plan.impact.held_lately = held_lately(tx, day).await?;
    let mut stopped_by = guard(&plan.impact, &facts.policy);
    if plan.changes() && after_undo(tx).await? {
        stopped_by.push(Brake::AfterUndo);
    }
    let run = env.id();
    let state = if stopped_by.is_empty() { "applied" } else { "waiting" };
    tx.execute(
        "INSERT INTO run (id, at, as_of, by_whom, state, approved, applied_at, newly_held, guard) VALUES ($1,$2,$3,$4,$5,0,$6,$7,$8)",
        [
            (&run).into(),
            env.now().into(),
            day.to_string().into(),
            by.into(),
            state.into(),
            Arg::Int(stopped_by.is_empty().then(|| env.now())),
            number(plan.impact.newly_held).into(),
            format!("{stopped_by:?}").into(),
        ],
    )
    .await?;
    keep_lines(tx, &run, &plan).await?;
    let created = if stopped_by.is_empty() {
        apply(tx, env, &plan, &run, day, by, false).await?
    } else {
        Vec::new()
    };
    Ok(Reconciled {
        run: Some(run),
        as_of: day,
        plan,
        stopped_by,
        created,
    })
}

async fn approve(tx: &mut Tx, env: &Env, run: String, by: &str) -> Result<Reconciled> {
    let day = run_in_state(tx, &run, "waiting").await?;
    not_before_the_last(tx, day).await?;
    let facts = Facts::read(tx, env, day).await?;
    let plan = plan(&facts, env)?;
    let mut kept: BTreeMap<String, (String, Vec<u8>)> = BTreeMap::new();
    for row in tx
        .rows(
            "SELECT account, body, digest FROM run_line WHERE run = $1",
            [(&run).into()],
        )
        .await?
    {
        kept.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
    }
    let mut stale = Vec::new();
    for (name, body, digest) in kept_lines(&plan)? {
        if kept.remove(&name) != Some((body, digest.to_vec())) {
            stale.push(name);
        }
    }
    stale.extend(kept.into_keys());
    if !stale.is_empty() {
        stale.sort();
        return Err(Refusal::Stale(stale).into());
    }
    tx.execute(
        "UPDATE run SET state = 'applied', approved = 1, applied_at = $2, by_whom = $3 WHERE id = $1",
        [(&run).into(), env.now().into(), by.into()],
    )
    .await?;
    let created = apply(tx, env, &plan, &run, day, by, true).await?;
    Ok(Reconciled {
        run: Some(run),
        as_of: day,
        plan,
        stopped_by: Vec::new(),
        created,
    })
}

fn json(line: &impl Serialize) -> Result<String> {
    serde_json::to_string(line).map_err(|e| StoreError::corrupt("a line", e))
}

/// What of a plan is kept until it is approved: name, body and digest of each line that changes something; a newcomer's line is named
/// after the profile.
fn kept_lines(plan: &Plan) -> Result<Vec<(String, String, [u8; 32])>> {
    let mut lines = Vec::new();
    for line in plan.lines.iter().filter(|line| line.changes()) {
        let digest = plan.digests.get(&line.account).copied().unwrap_or_default();
        lines.push((line.account.to_string(), json(line)?, digest));
    }
    for newcomer in plan.made_for() {
        let digest = plan.of_newcomers.get(&newcomer.profile).map(|(_, digest)| *digest);
        let name = format!("profile:{}", newcomer.profile);
        lines.push((name, json(newcomer)?, digest.unwrap_or_default()));
    }
    Ok(lines)
}

async fn keep_lines(tx: &mut Tx, run: &str, plan: &Plan) -> Result<()> {
    let rows = kept_lines(plan)?
        .into_iter()
        .map(|(name, body, digest)| vec![run.into(), name.into(), body.into(), digest.into()])
        .collect();
    tx.insert("run_line (run, account, body, digest)", rows, "").await?;
    Ok(())
}

/// The day of a run that must be in that state.
pub(super) async fn run_in_state(tx: &mut Tx, run: &str, wanted: &str) -> Result<Date> {
    let rows = tx
        .rows_locked("SELECT state, as_of FROM run WHERE id = $1", [run.into()])
        .await?;
    let row = rows.first().ok_or_else(|| Refusal::UnknownRun(run.to_owned()))?;
    let state: String = row.get(0)?;
    if state != wanted {
        return Err(Refusal::RunState {
            run: run.to_owned(),
            state,
        }
        .into());
    }
    day_of(&row.get::<String>(1)?)?.ok_or_else(|| StoreError::corrupt(format!("run {run}"), "no day"))
}

async fn not_before_the_last(tx: &mut Tx, day: Date) -> Result<()> {
    let row = tx.row("SELECT MAX(as_of) FROM run WHERE state = 'applied'", []).await?;
    let last: Option<String> = row.map(|row| row.get(0)).transpose()?.flatten();
    match last {
        Some(last) if day.to_string() < last => Err(Refusal::BeforeLastRun { last }.into()),
        _ => Ok(()),
    }
}

/// What runs that nobody approved newly held in the 7 days before.
async fn held_lately(tx: &mut Tx, day: Date) -> Result<u64> {
    let from = day.checked_sub(7.days()).unwrap_or(Date::MIN);
    let row = tx
        .row(
            "SELECT CAST(COALESCE(SUM(newly_held), 0) AS BIGINT) FROM run WHERE state = 'applied' AND approved = 0 \
             AND as_of >= $1 AND as_of <= $2",
            [from.to_string().into(), day.to_string().into()],
        )
        .await?;
    Ok(row
        .map(|row| row.get::<i64>(0))
        .transpose()?
        .unwrap_or_default()
        .unsigned_abs())
}

/// Was a run undone, and none approved since? Then a person looks at the next.
async fn after_undo(tx: &mut Tx) -> Result<bool> {
    let row = tx
        .row(
            "SELECT state, approved FROM run WHERE state = 'undone' OR (state = 'applied' AND approved = 1) \
             ORDER BY applied_at DESC LIMIT 1",
            [],
        )
        .await?;
    Ok(match row {
        Some(row) => row.get::<String>(0)? == "undone",
        None => false,
    })
}

async fn apply(
    tx: &mut Tx,
    env: &Env,
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
        let has = |holds: &[ngomon_rules::hold::Hold], key: &(Reason, _)| holds.iter().any(|hold| hold.key() == *key);
        for hold in line.before.iter().filter(|hold| !has(&line.after, &hold.key())) {
            let (reason, cause) = hold.key();
            events.push(Event::of_account(account, Change::HoldLifted { reason, cause }));
        }
        for hold in line.after.iter().filter(|hold| !has(&line.before, &hold.key())) {
            events.push(Event::of_account(account, Change::HoldPlaced { hold: hold.clone() }));
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
            let id = AccountId(format!("CV-{}", env.id()));
            let old = plan.of_new.get(account).cloned().unwrap_or_default();
            let stated = Stated {
                username: new_username(tx, env, old.username.as_deref(), &taken, 2).await?,
                ..old
            };
            taken.extend(stated.username.clone());
            let change = Change::AccountCreated {
                unit: new.unit.clone(),
                login: LoginId(plan.logins.get(account).cloned().unwrap_or_default()),
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
        let id = AccountId(format!("CV-{}", env.id()));
        let wished = plan
            .of_newcomers
            .get(&newcomer.profile)
            .map(|(stated, _)| stated.clone());
        let wished = wished.unwrap_or_default();
        let stated = Stated {
            username: new_username(tx, env, wished.username.as_deref(), &taken, 1).await?,
            ..wished
        };
        taken.extend(stated.username.clone());
        let change = Change::AccountCreated {
            unit: newcomer.unit.clone(),
            login: LoginId(env.id()),
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
        },
        personal: None,
    });
    let act = Act {
        by: by.to_owned(),
        effective: start_of(day),
        run: Some(run.to_owned()),
    };
    append(tx, env, &act, events).await?;
    Ok(created)
}

/// A user name that no other account has: the wished one, or else `wished.2` and so on. `first` 2: never the wished one itself.
async fn new_username(
    tx: &mut Tx,
    env: &Env,
    wished: Option<&str>,
    taken: &BTreeSet<String>,
    first: u32,
) -> Result<Option<String>> {
    let Some(wished) = wished else { return Ok(None) };
    let marker = env.marker(tx).await?;
    let mut n = first;
    loop {
        let candidate = if n == 1 {
            wished.to_owned()
        } else {
            format!("{wished}.{n}")
        };
        let fp = fingerprint(&marker, FingerprintKind::Username, &candidate);
        let there = tx
            .row("SELECT 1 FROM account_row WHERE username_fp = $1 LIMIT 1", [fp.into()])
            .await?;
        if there.is_none() && !taken.contains(&candidate) {
            return Ok(Some(candidate));
        }
        n += 1;
    }
}
