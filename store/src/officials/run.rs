//! A run of the reconciliation with HR: simulated, applied, stopped by the guard, approved.
//!
//! ```text
//!   plan ──── within the guard ────▶ applied ──── undo ────▶ undone
//!     └── over it ──▶ waiting ── approve ──▲
//! ```

use crate::boxed;
use crate::context::StoreContext;
use crate::db::columns::{day_of, number};
use crate::db::{SqlValue, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::officials::affected::{AffectedKeys, AffectedSet};
use crate::officials::apply::apply;
use crate::officials::facts::Facts;
use crate::officials::incremental::{ChangeScope, FullRunReason, since_last_run};
use crate::officials::plan::{Newcomer, Plan, PlanLine, plan};
use crate::rights::Operator;
use crate::store::Store;
use crate::tables::accounts::{STATED, stated_of};
use jiff::ToSpan as _;
use ngomon_rules::event::ProfileId;
use ngomon_rules::plan::{Brake, guard};
use ngomon_rules::records::AccountId;
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::{Date, local_day};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The result of a request to reconcile.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// The run; `None` for a simulation.
    pub run: Option<String>,
    /// Its day.
    pub as_of: Date,
    /// Why the run was widened from the changes to everybody, if it was.
    pub widened: Option<FullRunReason>,
    /// The plan of the run.
    pub plan: Plan,
    /// The limits of the guard that stopped it: it waits for approval.
    pub stopped_by: Vec<Brake>,
    /// The accounts that it created.
    pub created: Vec<AccountId>,
}

/// A row of the list of runs.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// Its id.
    pub id: String,
    /// Its day.
    pub as_of: String,
    /// `waiting`, `applied`, `undone`.
    pub state: String,
    /// The actor who requested or approved it.
    pub by: String,
    /// When, in microseconds UTC.
    pub at: i64,
    /// The number of accounts that it newly holds.
    pub newly_held: u64,
}

/// A line of a run: an account that it changes, or one that it creates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunLine {
    /// An account that existed before.
    Account(PlanLine),
    /// An account that the run created or would create for a profile without one.
    Newcomer(Newcomer),
    /// An account that the run created.
    Made {
        /// Its id.
        account: AccountId,
        /// The name that its owner signs in with.
        username: Option<String>,
        /// Its unit.
        unit: UnitCode,
        /// The accounts that it succeeds.
        succeeds: Vec<AccountId>,
    },
}

/// The scope of a run.
#[derive(Clone)]
enum Scope {
    Everybody,
    /// The people affected by a change since the last run over everybody.
    Changed,
    /// The people affected by these changes.
    People(AffectedKeys),
    /// This profile, whose account is created whatever the policy is.
    Newcomer(ProfileId),
}

impl Store {
    /// The result that a run as of that day would have. Changes nothing.
    #[boxed]
    pub async fn simulate(&self, day: Date) -> Result<RunOutcome> {
        self.simulate_scope(Scope::Everybody, day).await
    }

    /// The result that [`Store::reconcile_changed`] would have. Changes nothing.
    #[boxed]
    pub async fn simulate_changed(&self, day: Date) -> Result<RunOutcome> {
        self.simulate_scope(Scope::Changed, day).await
    }

    async fn simulate_scope(&self, scope: Scope, day: Date) -> Result<RunOutcome> {
        self.db
            .read_long(async |tx| compute_plan(tx, &self.ctx, &scope, day).await)
            .await
    }

    /// Brings the holds of every official account in line with HR as of that day, unless the guard stops the run.
    #[boxed]
    pub async fn reconcile(&self, day: Date, by: &str) -> Result<RunOutcome> {
        self.reconcile_scope(Scope::Everybody, day, by).await
    }

    /// As [`Store::reconcile`], but only for the people affected by a change since the last run over everybody. If they cannot be
    /// determined, the run covers everybody, and the result says why.
    #[boxed]
    pub async fn reconcile_changed(&self, day: Date, by: &str) -> Result<RunOutcome> {
        self.reconcile_scope(Scope::Changed, day, by).await
    }

    /// Brings these accounts and those of these profiles in line at once, after somebody changed them: a hold that no longer applies is
    /// lifted without waiting for the next run over everybody. Includes everyone who shares a code or a number with them.
    #[boxed]
    pub async fn reconcile_people(
        &self,
        accounts: &[AccountId],
        profiles: &[ProfileId],
        day: Date,
        by: &str,
    ) -> Result<RunOutcome> {
        let concerned = AffectedKeys {
            accounts: accounts.iter().cloned().collect(),
            profiles: profiles.iter().cloned().collect(),
            keys: BTreeSet::new(),
        };
        self.reconcile_scope(Scope::People(concerned), day, by).await
    }

    /// Creates the account of a profile in service that has none, as the policy `newcomers=create` would; one click at HR's desk. `None`
    /// if no account was created: the profile has one meanwhile, its facts allow no decision, or the run waits for approval.
    #[boxed]
    pub async fn make_newcomer(&self, operator: &Operator, profile: &ProfileId) -> Result<Option<AccountId>> {
        let scope = Scope::Newcomer(profile.clone());
        let done = self.reconcile_scope(scope, self.today(), operator.by()).await?;
        Ok(done.created.into_iter().next())
    }

    async fn reconcile_scope(&self, scope: Scope, day: Date, by: &str) -> Result<RunOutcome> {
        // Seal now, so that the commit gets its position: the next incremental run starts after it.
        self.seal().await?;
        let (ctx, by) = (self.ctx.clone(), by.to_owned());
        let done = self
            .db
            .transaction(move |tx| {
                let (ctx, scope, by) = (ctx.clone(), scope.clone(), by.clone());
                Box::pin(async move { reconcile(tx, &ctx, &scope, day, &by).await })
            })
            .await?;
        Ok(done)
    }

    /// Approves a waiting run: each line is computed again, and if any of them would come out differently, the whole run is refused.
    #[boxed]
    pub async fn approve_run(&self, run: &str, by: &str) -> Result<RunOutcome> {
        let (ctx, run, by) = (self.ctx.clone(), run.to_owned(), by.to_owned());
        let done = self
            .db
            .transaction(move |tx| {
                let (ctx, run, by) = (ctx.clone(), run.clone(), by.clone());
                Box::pin(async move { approve(tx, &ctx, run, &by).await })
            })
            .await?;
        Ok(done)
    }

    /// All runs, newest first.
    #[boxed]
    pub async fn runs(&self) -> Result<Vec<RunSummary>> {
        self.db
            .read(async |tx| {
                let sql = "SELECT id, as_of, state, by_whom, at, newly_held FROM run ORDER BY at DESC";
                let rows = tx.rows(sql, []).await?;
                rows.iter()
                    .map(|row| {
                        Ok(RunSummary {
                            id: row.get(0)?,
                            as_of: row.get(1)?,
                            state: row.get(2)?,
                            by: row.get(3)?,
                            at: row.get(4)?,
                            newly_held: row.get::<i64>(5)?.unsigned_abs(),
                        })
                    })
                    .collect()
            })
            .await
    }

    /// The lines of a run, applied or waiting.
    #[boxed]
    pub async fn run_lines(&self, run: &str) -> Result<Vec<RunLine>> {
        self.db.read(async |tx| run_lines(tx, &self.ctx, run).await).await
    }
}

async fn run_lines(tx: &mut Tx, ctx: &StoreContext, run: &str) -> Result<Vec<RunLine>> {
    if tx.row("SELECT 1 FROM run WHERE id = $1", [run.into()]).await?.is_none() {
        return Err(Refusal::UnknownRun(run.to_owned()).into());
    }
    let mut lines = Vec::new();
    let of_json = |e: serde_json::Error| StoreError::corrupt("a line", e);
    tx.for_each_row(
        "SELECT account, body FROM run_line WHERE run = $1 ORDER BY account",
        [run.into()],
        |row| {
            let (account, body): (String, String) = (row.get(0)?, row.get(1)?);
            lines.push(if account.starts_with(OF_PROFILE) {
                RunLine::Newcomer(serde_json::from_str(&body).map_err(of_json)?)
            } else {
                RunLine::Account(serde_json::from_str(&body).map_err(of_json)?)
            });
            Ok(())
        },
    )
    .await?;
    let mut made: BTreeMap<String, (Option<String>, String, Vec<AccountId>)> = BTreeMap::new();
    let sql = format!(
        "SELECT a.id, a.unit, s.succeeds, {STATED} FROM account_row a JOIN personal_value v ON v.id = a.value \
         LEFT JOIN succession s ON s.account = a.id WHERE a.run = $1 ORDER BY a.id, s.succeeds"
    );
    tx.for_each_row(&sql, [run.into()], |row| {
        let (unit, succeeds): (String, Option<String>) = (row.get(1)?, row.get(2)?);
        let username = stated_of(&ctx.keys, &row, 3)?.username;
        let line = made.entry(row.get(0)?).or_insert_with(|| (username, unit, Vec::new()));
        line.2.extend(succeeds.map(AccountId));
        Ok(())
    })
    .await?;
    lines.extend(
        made.into_iter()
            .map(|(account, (username, unit, succeeds))| RunLine::Made {
                account: AccountId(account),
                username,
                unit: UnitCode(unit),
                succeeds,
            }),
    );
    Ok(lines)
}

/// Allows only one run or undo at a time and no import meanwhile: a run sees a load completely or not at all.
pub(crate) async fn lock_runs(tx: &mut Tx) -> Result<()> {
    tx.rows_for_update("SELECT id FROM installation", []).await?;
    tx.rows_for_share("SELECT id FROM arrival", []).await?;
    Ok(())
}

/// Computes a run before any of it is written.
async fn compute_plan(tx: &mut Tx, ctx: &StoreContext, scope: &Scope, day: Date) -> Result<RunOutcome> {
    let (concerned, widened) = match scope {
        Scope::Everybody => (None, None),
        Scope::Changed => match since_last_run(tx, day).await? {
            ChangeScope::Only(concerned) => (Some(concerned), None),
            ChangeScope::Everybody(why) => (None, Some(why)),
        },
        Scope::People(concerned) => (Some(concerned.clone()), None),
        Scope::Newcomer(profile) => {
            let concerned = AffectedKeys {
                profiles: [profile.clone()].into(),
                ..AffectedKeys::default()
            };
            (Some(concerned), None)
        }
    };
    let people = match concerned {
        Some(concerned) => Some(AffectedSet::closure_of(tx, &concerned).await?),
        None => None,
    };
    let facts = Facts::read(tx, ctx, day, people.as_ref()).await?;
    let mut plan = plan(&facts, ctx)?;
    if let Scope::Newcomer(profile) = scope {
        plan.creates_newcomers = true;
        plan.newcomers.retain(|new| new.profile == profile.0);
    }
    plan.impact.held_lately = recently_held(tx, day).await?;
    Ok(RunOutcome {
        run: None,
        as_of: day,
        widened,
        stopped_by: guard(&plan.impact, &facts.policy),
        plan,
        created: Vec::new(),
    })
}

async fn reconcile(tx: &mut Tx, ctx: &StoreContext, scope: &Scope, day: Date, by: &str) -> Result<RunOutcome> {
    lock_runs(tx).await?;
    require_latest_day(tx, day).await?;
    let seen = match scope {
        Scope::People(_) | Scope::Newcomer(_) => None,
        Scope::Everybody | Scope::Changed => Some(last_position(tx).await?),
    };
    let mut done = compute_plan(tx, ctx, scope, day).await?;
    if done.plan.changes() && after_undo(tx).await? {
        done.stopped_by.push(Brake::AfterUndo);
    }
    if day > local_day(ctx.environment.now()) {
        done.stopped_by.push(Brake::DayToCome);
    }
    let run = ctx.id();
    let applies = done.stopped_by.is_empty();
    let state = if applies { "applied" } else { "waiting" };
    tx.execute(
        "INSERT INTO run (id, at, as_of, by_whom, state, approved, applied_at, newly_held, guard, seen) \
         VALUES ($1,$2,$3,$4,$5,0,$6,$7,$8,$9)",
        [
            (&run).into(),
            ctx.now().into(),
            day.to_string().into(),
            by.into(),
            state.into(),
            SqlValue::Int(applies.then(|| ctx.now())),
            number(done.plan.impact.newly_held).into(),
            format!("{:?}", done.stopped_by).into(),
            seen.into(),
        ],
    )
    .await?;
    keep_lines(tx, &run, &done.plan).await?;
    if applies {
        done.created = apply(tx, ctx, &done.plan, &run, day, by, false).await?;
        if seen.is_some() {
            tx.execute("DELETE FROM quarantine WHERE ended_by IS NOT NULL", [])
                .await?;
        }
    }
    done.run = Some(run);
    Ok(done)
}

async fn last_position(tx: &mut Tx) -> Result<i64> {
    let row = tx
        .row("SELECT COALESCE(MAX(position), -1) FROM journal_commit", [])
        .await?;
    row.map_or(Ok(-1), |row| row.get(0))
}

async fn approve(tx: &mut Tx, ctx: &StoreContext, run: String, by: &str) -> Result<RunOutcome> {
    lock_runs(tx).await?;
    let day = run_in_state(tx, &run, "waiting").await?;
    require_latest_day(tx, day).await?;
    let mut kept: BTreeMap<String, (String, Vec<u8>)> = BTreeMap::new();
    let sql = "SELECT account, body, digest FROM run_line WHERE run = $1";
    for row in tx.rows(sql, [(&run).into()]).await? {
        kept.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
    }
    let concerned = of_lines(kept.keys());
    let scope = match tx.row("SELECT seen FROM run WHERE id = $1", [(&run).into()]).await? {
        Some(row) if row.get::<Option<i64>>(0)?.is_some() => Scope::Everybody,
        _ => Scope::People(concerned.clone()),
    };
    let mut done = compute_plan(tx, ctx, &scope, day).await?;
    if let Scope::People(_) = scope {
        // The newcomers of the run are those in its lines, whether by the policy or by a click.
        let of_run = |new: &Newcomer| concerned.profiles.contains(&ProfileId(new.profile.clone()));
        done.plan.newcomers.retain(of_run);
        done.plan.creates_newcomers = !done.plan.newcomers.is_empty();
    }
    let mut stale = Vec::new();
    for (name, body, digest) in kept_lines(&done.plan)? {
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
        [(&run).into(), ctx.now().into(), by.into()],
    )
    .await?;
    done.created = apply(tx, ctx, &done.plan, &run, day, by, true).await?;
    done.stopped_by = Vec::new();
    done.run = Some(run);
    Ok(done)
}

fn json(line: &impl Serialize) -> Result<String> {
    serde_json::to_string(line).map_err(|e| StoreError::corrupt("a line", e))
}

/// The lines of a plan that are stored until its approval: name, body and digest of each line that changes something. The line of a
/// newcomer is named after the profile.
fn kept_lines(plan: &Plan) -> Result<Vec<(String, String, [u8; 32])>> {
    let mut lines = Vec::new();
    for line in plan.lines.iter().filter(|line| line.changes()) {
        let digest = plan.digests.get(&line.account).copied().unwrap_or_default();
        lines.push((line.account.to_string(), json(line)?, digest));
    }
    for newcomer in plan.made_for() {
        let digest = plan.of_newcomers.get(&newcomer.profile).map(|(_, digest)| *digest);
        let name = format!("{OF_PROFILE}{}", newcomer.profile);
        lines.push((name, json(newcomer)?, digest.unwrap_or_default()));
    }
    Ok(lines)
}

/// The prefix in the name of a newcomer's line.
const OF_PROFILE: &str = "profile:";

/// The accounts and profiles of stored lines.
fn of_lines<'a>(names: impl Iterator<Item = &'a String>) -> AffectedKeys {
    let mut concerned = AffectedKeys::default();
    for name in names {
        match name.strip_prefix(OF_PROFILE) {
            Some(profile) => concerned.profiles.insert(ProfileId(profile.to_owned())),
            None => concerned.accounts.insert(AccountId(name.clone())),
        };
    }
    concerned
}

async fn keep_lines(tx: &mut Tx, run: &str, plan: &Plan) -> Result<()> {
    let rows = kept_lines(plan)?
        .into_iter()
        .map(|(name, body, digest)| vec![run.into(), name.into(), body.into(), digest.into()])
        .collect();
    tx.insert("run_line (run, account, body, digest)", rows, "").await?;
    Ok(())
}

/// The day of a run; fails unless the run is in the state `wanted`.
pub(crate) async fn run_in_state(tx: &mut Tx, run: &str, wanted: &str) -> Result<Date> {
    let rows = tx
        .rows_for_update("SELECT state, as_of FROM run WHERE id = $1", [run.into()])
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

async fn require_latest_day(tx: &mut Tx, day: Date) -> Result<()> {
    let row = tx.row("SELECT MAX(as_of) FROM run WHERE state = 'applied'", []).await?;
    let last: Option<String> = row.map(|row| row.get(0)).transpose()?.flatten();
    match last {
        Some(last) if day.to_string() < last => Err(Refusal::BeforeLastRun { last }.into()),
        _ => Ok(()),
    }
}

/// The number of accounts newly held by runs without approval in the previous 7 days.
async fn recently_held(tx: &mut Tx, day: Date) -> Result<u64> {
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

/// Whether a run was undone and none approved since. Then a person must check the next one.
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
