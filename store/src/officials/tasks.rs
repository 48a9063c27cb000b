//! The tasks of HR's desk: the list of O5, of the whole province or of a unit and all below it.

use crate::boxed;
use crate::db::Tx;
use crate::error::{Refusal, Result};
use crate::officials::facts::{AccountWithHolds, Facts};
use crate::store::Store;
use crate::tables::numbers::links;
use ngomon_rules::event::ProfileId;
use ngomon_rules::hold::{Hold, Reason};
use ngomon_rules::officials::{
    Decision, OfficialAccount, ProfileMatch, StoredProfile, Task, decide, newcomers, retires, unused_since, warn_days,
};
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::{Date, FullName};
use std::collections::{BTreeSet, HashMap};

/// A task for HR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HrTask {
    /// The kind of task.
    pub task: Task,
    /// For a future hold, the first day on which it counts; otherwise the day that passes or has passed. `None` if it is due at once.
    pub on: Option<Date>,
    /// The unit that is valid on the day.
    pub unit: UnitCode,
    /// The account; `None` for a newcomer.
    pub account: Option<AccountId>,
    /// Its user name.
    pub username: Option<String>,
    /// The profile.
    pub profile: Option<ProfileId>,
    /// The employee code.
    pub employee_code: Option<String>,
    /// The name of the person.
    pub full_name: Option<FullName>,
}

impl Store {
    /// The tasks for HR as of a day, in a unit and all below it, or everywhere: by kind, then by day and unit.
    #[boxed]
    pub async fn hr_tasks(&self, unit: Option<&UnitCode>, day: Date) -> Result<Vec<HrTask>> {
        self.db
            .read_long(async |tx| {
                let facts = Facts::read(tx, &self.ctx, day, None).await?;
                if let Some(unknown) = unit.filter(|unit| facts.units.get(unit).is_none()) {
                    return Err(Refusal::UnknownUnit(unknown.to_string()).into());
                }
                let deceased = deceased(tx).await?;
                let mut tasks = of_profiles(&facts, &deceased);
                tasks.extend(of_accounts(&facts));
                tasks.retain(|task| unit.is_none_or(|top| facts.units.is_within(&task.unit, top, day)));
                tasks.sort_by(|a, b| key(a).cmp(&key(b)));
                Ok(tasks)
            })
            .await
    }
}

fn key(task: &HrTask) -> impl Ord + '_ {
    (task.task, task.on, &task.unit, &task.account, &task.employee_code)
}

/// The holds that are not decided today but will be on one of the next days, within the warning period.
pub(crate) fn coming(facts: &Facts, account: &OfficialAccount, today: &Decision) -> Vec<(Date, Hold)> {
    let Decision::Holds(holds) = today else {
        return Vec::new();
    };
    let mut seen: BTreeSet<Reason> = holds.iter().map(|hold| hold.reason).collect();
    let (mut coming, mut day) = (Vec::new(), facts.day);
    for _ in 0..warn_days().into_iter().max().unwrap_or_default() {
        let Ok(next) = day.tomorrow() else { break };
        day = next;
        if let Decision::Holds(holds) = decide(&facts.case_on(account, day)) {
            let new = holds.into_iter().filter(|hold| seen.insert(hold.reason));
            coming.extend(new.map(|hold| (day, hold)));
        }
    }
    coming
}

/// The profiles whose persons are deceased according to the registry, by any number that they ever held.
async fn deceased(tx: &mut Tx) -> Result<BTreeSet<String>> {
    const OF: &str = "JOIN profile p ON p.person = n.person AND p.gone = 0 JOIN reference r ON r.name = 'registry' \
         JOIN registry g ON g.load = r.load AND g.status = 'deceased'";
    let own = format!("SELECT p.id FROM person_number n {OF} AND g.number_fp = n.fp");
    let linked = format!(
        "SELECT p.id FROM ({}) k JOIN person_number n ON n.fp = k.fp {OF} AND g.number_fp = k.other",
        links()
    );
    let mut deceased = BTreeSet::new();
    for sql in [own, linked] {
        tx.for_each_row(&sql, [], |row| {
            deceased.insert(row.get(0)?);
            Ok(())
        })
        .await?;
    }
    Ok(deceased)
}

fn officials(facts: &Facts) -> impl Iterator<Item = &AccountWithHolds> {
    facts
        .accounts
        .iter()
        .filter(|held| held.account.kind == AccountKind::Official)
}

/// Newcomers, retirements and deaths: one row per profile, with the person's account if there is one; an open account comes first.
fn of_profiles(facts: &Facts, deceased: &BTreeSet<String>) -> Vec<HrTask> {
    let mut accounts: HashMap<&str, &AccountWithHolds> = HashMap::new();
    for held in officials(facts) {
        if let ProfileMatch::Profile(kept) = facts.directory.find(&held.account, &facts.units, facts.day) {
            let first = accounts.entry(&kept.id.0).or_insert(held);
            if !first.holds.is_empty() && held.holds.is_empty() {
                *first = held;
            }
        }
    }
    let account_of = |kept: &StoredProfile| accounts.get(kept.id.0.as_str()).map(|held| &held.account);
    let task = |task: Task, on: Option<Date>, kept: &StoredProfile| HrTask {
        task,
        on,
        unit: facts.units.follow(&kept.profile.unit, facts.day).clone(),
        account: account_of(kept).map(|account| account.id.clone()),
        username: account_of(kept).and_then(|account| account.stated.username.clone()),
        profile: Some(kept.id.clone()),
        employee_code: kept.profile.employee_code.clone(),
        full_name: Some(kept.profile.full_name.clone()),
    };
    let all = officials(facts).map(|held| &held.account);
    let new = newcomers(&facts.directory, all, &facts.units, facts.day).into_iter();
    let mut tasks: Vec<HrTask> = new.map(|kept| task(Task::Newcomer, None, kept)).collect();
    for kept in facts.directory.profiles() {
        tasks.extend(retires(kept, facts.day).map(|on| task(Task::Retirement, Some(on), kept)));
        if kept.profile.in_service_on(facts.day) && deceased.contains(&kept.id.0) {
            tasks.push(task(Task::Deceased, None, kept));
        }
    }
    tasks
}

/// Future holds, and open accounts that nobody uses.
fn of_accounts(facts: &Facts) -> Vec<HrTask> {
    let mut tasks = Vec::new();
    for held in officials(facts) {
        let account = &held.account;
        let task = |task: Task, on: Date| HrTask {
            task,
            on: Some(on),
            unit: facts.units.follow(&account.unit, facts.day).clone(),
            account: Some(account.id.clone()),
            username: account.stated.username.clone(),
            profile: facts.directory.profile_of(account).map(|kept| kept.id.clone()),
            employee_code: account.stated.employee_code.clone(),
            full_name: account.stated.full_name.clone(),
        };
        let today = decide(&facts.case(account));
        let coming = coming(facts, account, &today).into_iter();
        tasks.extend(coming.map(|(on, hold)| task(Task::Coming(hold.reason), on)));
        if held.holds.is_empty() {
            tasks.extend(unused_since(account, facts.day).map(|on| task(Task::NoSignIn, on)));
        }
    }
    tasks
}
