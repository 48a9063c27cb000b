//! The plan of a run: the present and the new holds of each account, the accounts to be created, and the digest of the facts.

use crate::context::StoreContext;
use crate::error::{Result, StoreError};
use crate::officials::facts::{AccountWithHolds, Facts};
use ngomon_rules::hold::{Hold, Reason};
use ngomon_rules::officials::{
    Decision, DecisionInput, OfficialAccount, PersonPlan, ProfileMatch, decide, decide_person, idle, newcomers,
    of_newcomer,
};
use ngomon_rules::plan::Impact;
use ngomon_rules::records::{AccountAttributes, AccountId, AccountKind, Profile};
use ngomon_rules::unit::UnitCode;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The effect of a run on one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanLine {
    /// The account.
    pub account: AccountId,
    /// The unit of the account.
    pub unit: UnitCode,
    /// The present holds, sorted.
    pub before: Vec<Hold>,
    /// The new holds, sorted.
    pub after: Vec<Hold>,
    /// Why there is no decision, if there is none: the account keeps its holds.
    pub undecided: Option<String>,
    /// The account to be created.
    pub creates: Option<NewAccount>,
    /// The names of the details that HR writes differently.
    pub writes_back: Vec<String>,
}

/// An account that a run creates at a person's new unit (O6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccount {
    /// Its unit.
    pub unit: UnitCode,
    /// Its own holds, decided in the same run.
    pub holds: Vec<Hold>,
    /// The accounts that it succeeds.
    pub succeeds: Vec<AccountId>,
}

/// A profile in service without an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newcomer {
    /// The id of the profile.
    pub profile: String,
    /// The unit of the account to be created: the profile's unit, followed as of the day.
    pub unit: UnitCode,
    /// The holds that the account would have from its creation.
    pub holds: Vec<Hold>,
}

impl PlanLine {
    /// Whether the run changes anything.
    pub fn changes(&self) -> bool {
        self.before != self.after || self.creates.is_some() || !self.writes_back.is_empty()
    }

    /// Whether the account is open now and would be held.
    pub fn newly_held(&self) -> bool {
        self.before.is_empty() && !self.after.is_empty()
    }

    /// The reasons of the new holds, each once, sorted.
    pub fn reasons(&self) -> BTreeSet<Reason> {
        self.after.iter().map(|hold| hold.reason).collect()
    }
}

/// A whole plan.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// A line for each account in the scope of the run, by id.
    pub lines: Vec<PlanLine>,
    /// The profiles in its scope that are in service and have no account.
    pub newcomers: Vec<Newcomer>,
    /// The policy is `newcomers=create`: the run creates their accounts.
    pub creates_newcomers: bool,
    /// The figures for the guard.
    pub impact: Impact,
    /// The digest of the facts behind each line that changes something.
    pub(crate) digests: HashMap<AccountId, [u8; 32]>,
    /// The corrected details of the accounts whose details change.
    pub(crate) stated: HashMap<AccountId, AccountAttributes>,
    /// The details of each account to be created, by the account of the line that creates it; the user name is still the old account's.
    pub(crate) of_new: HashMap<AccountId, AccountAttributes>,
    /// The details of each newcomer's account, and the digest of the facts, by profile.
    pub(crate) of_newcomers: HashMap<String, (AccountAttributes, [u8; 32])>,
}

impl Plan {
    /// The newcomers for whom the run creates accounts.
    pub fn made_for(&self) -> &[Newcomer] {
        if self.creates_newcomers { &self.newcomers } else { &[] }
    }

    /// Whether the run changes anything.
    pub fn changes(&self) -> bool {
        self.lines.iter().any(PlanLine::changes) || !self.made_for().is_empty()
    }
}

/// Computes the plan.
pub(crate) fn plan(facts: &Facts, ctx: &StoreContext) -> Result<Plan> {
    let mut plan = Plan::default();
    // All accounts of one profile are decided together, including those for which an unreadable row prevents a decision.
    let mut groups: BTreeMap<&str, Vec<&AccountWithHolds>> = BTreeMap::new();
    let mut alone: Vec<&AccountWithHolds> = Vec::new();
    for held in &facts.accounts {
        match facts.directory.profile_of(&held.account) {
            Some(kept) if held.account.kind == AccountKind::Official => {
                groups.entry(&kept.id.0).or_default().push(held);
            }
            _ => alone.push(held),
        }
    }
    for held in alone {
        let case = facts.case(&held.account);
        let decided = PersonPlan {
            decisions: vec![(held.account.id.clone(), decide(&case))],
            creates: None,
        };
        add_decisions(&mut plan, facts, ctx, &[held], &[case], decided)?;
    }
    for accounts in groups.values() {
        let cases: Vec<DecisionInput<'_>> = accounts.iter().map(|held| facts.case(&held.account)).collect();
        let decided = decide_person(&cases);
        add_decisions(&mut plan, facts, ctx, accounts, &cases, decided)?;
    }
    plan.lines.sort_by(|a, b| a.account.cmp(&b.account));
    take_newcomers(&mut plan, facts, ctx)?;
    plan.impact.open = facts.open;
    Ok(plan)
}

fn take_newcomers(plan: &mut Plan, facts: &Facts, ctx: &StoreContext) -> Result<()> {
    plan.creates_newcomers = facts.policy.create_newcomers;
    let officials = facts
        .accounts
        .iter()
        .map(|held| &held.account)
        .filter(|account| account.kind == AccountKind::Official);
    for kept in newcomers(&facts.directory, officials, &facts.units, facts.day) {
        let unit = facts.units.follow(&kept.profile.unit, facts.day).clone();
        let stated = of_newcomer(kept);
        let account = OfficialAccount {
            stated: stated.clone(),
            created_on: Some(facts.day),
            last_sign_in_on: Some(facts.day),
            ..OfficialAccount::at(&unit)
        };
        let case = facts.case(&account);
        let holds = match decide(&case) {
            Decision::Holds(holds) => holds,
            Decision::Undecided(_) => continue,
        };
        let read = serde_json::to_vec(&(&kept.profile, case.notice, case.day, case.policy, case.freeze));
        let read = read.map_err(|e| StoreError::corrupt("facts", e))?;
        let digest = ctx.keys.mac(&[b"newcomer", &read]);
        plan.of_newcomers.insert(kept.id.0.clone(), (stated, digest));
        plan.newcomers.push(Newcomer {
            profile: kept.id.0.clone(),
            unit,
            holds,
        });
    }
    Ok(())
}

fn add_decisions(
    plan: &mut Plan,
    facts: &Facts,
    ctx: &StoreContext,
    accounts: &[&AccountWithHolds],
    cases: &[DecisionInput<'_>],
    decided: PersonPlan,
) -> Result<()> {
    let moved: Vec<AccountId> = decided
        .decisions
        .iter()
        .filter(|(_, decision)| decision.moves_to().is_some())
        .map(|(id, _)| id.clone())
        .collect();
    let mut lines = Vec::new();
    for (held, case) in accounts.iter().zip(cases) {
        let id = &held.account.id;
        let Some((_, decision)) = decided.decisions.iter().find(|(of, _)| of == id) else {
            continue;
        };
        let (after, undecided) = match decision {
            Decision::Undecided(why) => (held.holds.clone(), Some(why.name().to_owned())),
            Decision::Holds(hr) => (beside_orders(&held.holds, hr, case.freeze), None),
        };
        let creates = match &decided.creates {
            Some((on, unit)) if on == id => Some(new_account(facts, held, unit, &moved)),
            _ => None,
        };
        let profile = profile_of(case);
        if creates.is_some() {
            let stated = profile.and_then(|profile| corrected_attributes(&held.account.stated, profile));
            let stated = stated.unwrap_or_else(|| held.account.stated.clone());
            plan.of_new.insert(id.clone(), stated);
        }
        let alone = after.iter().any(|hold| hold.reason.stands_alone());
        let stated = match profile.filter(|_| undecided.is_none()) {
            Some(profile) if alone => code_written_back(&held.account.stated, profile),
            Some(profile) => corrected_attributes(&held.account.stated, profile),
            None => None,
        };
        let writes_back = stated.as_ref().map(|new| changed_fields(&held.account.stated, new));
        if let Some(stated) = stated {
            plan.stated.insert(id.clone(), stated);
        }
        let line = PlanLine {
            account: id.clone(),
            unit: held.account.unit.clone(),
            before: held.holds.clone(),
            after,
            undecided,
            creates,
            writes_back: writes_back.unwrap_or_default(),
        };
        if line.changes() {
            plan.digests.insert(id.clone(), digest(ctx, held, case, profile)?);
        }
        lines.push(line);
    }
    measure_impact(&mut plan.impact, facts, &lines);
    plan.lines.extend(lines);
    Ok(())
}

/// Replaces HR's holds; holds by order stay. Holds that a freeze suspends are neither placed nor lifted meanwhile: after the freeze all
/// accounts are held as before, without another approval.
fn beside_orders(before: &[Hold], hr: &[Hold], freeze: bool) -> Vec<Hold> {
    let moot = hr.iter().any(|hold| hold.reason.stands_alone());
    let rests = |reason: Reason| freeze && !moot && reason.rests_in_a_freeze();
    let stay = before.iter().filter(|hold| !hold.reason.is_hr() || rests(hold.reason));
    let mut after: Vec<Hold> = stay.chain(hr).cloned().collect();
    after.sort();
    after
}

fn profile_of<'a>(case: &DecisionInput<'a>) -> Option<&'a Profile> {
    match case.directory.find(case.account, case.units, case.day) {
        ProfileMatch::Profile(kept) => Some(&kept.profile),
        ProfileMatch::Nothing | ProfileMatch::Undecided(_) => None,
    }
}

/// The account's details with phone, mail and code taken over from HR, and with HR's spelling of a name that counts as the same person's;
/// `None` if nothing changes.
fn corrected_attributes(stated: &AccountAttributes, profile: &Profile) -> Option<AccountAttributes> {
    let name = stated
        .full_name
        .as_ref()
        .is_none_or(|name| name.grade(&profile.full_name).is_same_person());
    let new = AccountAttributes {
        full_name: if name {
            Some(profile.full_name.clone())
        } else {
            stated.full_name.clone()
        },
        employee_code: profile.employee_code.clone().or_else(|| stated.employee_code.clone()),
        phone: profile
            .phone
            .clone()
            // A phone that a counter recorded after HR's version of the profile prevails.
            .filter(|_| !stated.has_newer_phone_than(profile))
            .or_else(|| stated.phone.clone()),
        email: profile.email.clone().or_else(|| stated.email.clone()),
        ..stated.clone()
    };
    (new != *stated).then_some(new)
}

/// Takes over the code even if the account is held, because the code still finds the profile after the number changes.
fn code_written_back(stated: &AccountAttributes, profile: &Profile) -> Option<AccountAttributes> {
    let new = AccountAttributes {
        employee_code: profile.employee_code.clone().or_else(|| stated.employee_code.clone()),
        ..stated.clone()
    };
    (new != *stated).then_some(new)
}

fn changed_fields(old: &AccountAttributes, new: &AccountAttributes) -> Vec<String> {
    let all = [
        ("email", old.email != new.email),
        ("employee_code", old.employee_code != new.employee_code),
        ("full_name", old.full_name != new.full_name),
        ("phone", old.phone != new.phone),
    ];
    all.into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The account at the new unit, with the holds that it would have from its creation.
fn new_account(facts: &Facts, held: &AccountWithHolds, unit: &UnitCode, succeeds: &[AccountId]) -> NewAccount {
    let there = OfficialAccount {
        unit: unit.clone(),
        created_on: Some(facts.day),
        last_sign_in_on: Some(facts.day),
        ..held.account.clone()
    };
    let case = facts.case(&there);
    let there = match profile_of(&case).and_then(|profile| corrected_attributes(&there.stated, profile)) {
        Some(stated) => OfficialAccount {
            stated,
            ..there.clone()
        },
        None => there.clone(),
    };
    let holds = match decide(&facts.case(&there)) {
        Decision::Holds(holds) => holds,
        Decision::Undecided(_) => Vec::new(),
    };
    NewAccount {
        unit: unit.clone(),
        holds,
        succeeds: succeeds.to_vec(),
    }
}

/// Adds the newly held accounts of a profile to the figures for the guard. `moved` does not count if an account at the new unit is open:
/// the person can sign in.
fn measure_impact(impact: &mut Impact, facts: &Facts, lines: &[PlanLine]) {
    let is_moved = |line: &PlanLine| line.after.iter().any(|hold| hold.reason == Reason::Moved);
    let open_at_b = lines.iter().any(|line| {
        let decided = line.undecided.is_none() && !is_moved(line);
        line.creates.as_ref().is_some_and(|new| new.holds.is_empty()) || (decided && line.after.is_empty())
    });
    for line in lines.iter().filter(|line| line.newly_held()) {
        if is_moved(line) && open_at_b {
            continue;
        }
        impact.newly_held += 1;
        let unit = facts.units.follow(&line.unit, facts.day).clone();
        *impact.by_unit.entry(unit).or_default() += 1;
        for reason in line.reasons() {
            *impact.by_reason.entry(reason).or_default() += 1;
        }
    }
}

/// A keyed digest of all facts that the decision of this account read. Of sign-ins it covers only their effect on the decision, so that
/// another sign-in does not make a waiting run stale.
fn digest(
    ctx: &StoreContext,
    held: &AccountWithHolds,
    case: &DecisionInput<'_>,
    profile: Option<&Profile>,
) -> Result<[u8; 32]> {
    let account = &held.account;
    let facts = serde_json::to_vec(&(
        (&account.id, account.kind, &account.stated, &account.unit),
        (&account.created_on, idle(case), &held.holds),
        (profile, case.notice, case.day, case.policy, case.freeze),
    ))
    .map_err(|e| StoreError::corrupt("facts", e))?;
    Ok(ctx.keys.mac(&[b"facts", &facts]))
}
