//! The decision about one account: a pure function of the account, its profile if any, the movement notices, the unit tree, the day and the
//! policy.

use super::decision_input::DecisionInput;
use super::directory::{ProfileMatch, StoredProfile, UndecidedReason};
use super::{IN_FORCE, idle, left, mismatch, moved, review, stale, transfer};
use crate::hold::{Hold, Reason, evidence};
use crate::records::{AccountId, AccountKind};
use crate::unit::UnitCode;

/// The decision about one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The full set of HR holds that the account must have, sorted.
    Holds(Vec<Hold>),
    /// No decision: the account keeps the holds it has.
    Undecided(UndecidedReason),
}

impl Decision {
    /// The unit that the person moved to, if the account is closed for that.
    pub fn moves_to(&self) -> Option<&str> {
        match self {
            Self::Holds(holds) => holds
                .iter()
                .find(|h| h.reason == Reason::Moved)
                .and_then(|h| h.evidence.get("to_unit"))
                .map(String::as_str),
            Self::Undecided(_) => None,
        }
    }
}

/// Checks the clauses in the letter's order. `no-profile`, `left`, `retired` and `moved` each exclude all other holds; the first that
/// applies wins.
pub fn decide(case: &DecisionInput<'_>) -> Decision {
    if case.account.kind != AccountKind::Official {
        return Decision::Holds(Vec::new());
    }
    let found = case.directory.find(case.account, case.units, case.day);
    if let ProfileMatch::Undecided(why) = found {
        return Decision::Undecided(why);
    }
    if case.day < IN_FORCE {
        return Decision::Holds(Vec::new());
    }
    let ProfileMatch::Profile(kept) = found else {
        return Decision::Holds(vec![Hold::of_hr(Reason::NoProfile, evidence([]))]);
    };
    let profile = &kept.profile;
    if let Some(hold) = left::left_or_retired(profile, case.day) {
        return Decision::Holds(vec![hold]);
    }
    if let Some(to) = moved::elsewhere(case, profile) {
        return Decision::Holds(vec![moved::moved(to)]);
    }
    let mut holds = mending_clauses(case, kept);
    holds.sort();
    Decision::Holds(holds)
}

/// Clauses 1 to 4 and idleness: the holds that the person can resolve. The freeze switch suspends them.
fn mending_clauses(case: &DecisionInput<'_>, kept: &StoredProfile) -> Vec<Hold> {
    if case.freeze {
        return Vec::new();
    }
    [
        mismatch::mismatch(case, &kept.profile),
        transfer::transfer_pending(case, &kept.profile),
        stale::stale_info(case, &kept.profile),
        review::review_overdue(case, kept),
        idle::idle(case),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The decisions about all accounts of one profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonPlan {
    /// One decision for each account, ordered by account id.
    pub decisions: Vec<(AccountId, Decision)>,
    /// The unit where an account must be created. It belongs to the smallest account id that moved.
    pub creates: Option<(AccountId, UnitCode)>,
}

/// O6: creates an account at the profile's unit if the person has none there. Several old accounts give one new account. An undecided
/// account counts as present too. `cases` are all accounts of one profile.
pub fn decide_person(cases: &[DecisionInput<'_>]) -> PersonPlan {
    let mut decisions: Vec<(AccountId, Decision)> = cases
        .iter()
        .map(|case| (case.account.id.clone(), decide(case)))
        .collect();
    decisions.sort_by(|a, b| a.0.cmp(&b.0));
    let is_there = |unit: &UnitCode| {
        cases
            .iter()
            .any(|case| case.units.follow(&case.account.unit, case.day) == unit)
    };
    let creates = decisions
        .iter()
        .find_map(|(id, decision)| decision.moves_to().map(|to| (id.clone(), UnitCode(to.to_owned()))))
        .filter(|(_, unit)| !is_there(unit));
    PersonPlan { decisions, creates }
}
