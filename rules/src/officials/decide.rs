//! The decision: a pure function of an account, its profile or none, its movement notices, the unit tree, the day and the policy.

use super::directory::{Directory, Found, KeptProfile, OfficialAccount, Undecided};
use super::policy::OfficialsPolicy;
use super::{IN_FORCE, idle, left, mismatch, moved, review, stale, transfer};
use crate::hold::{Hold, Reason, evidence};
use crate::record::{AccountId, AccountKind, Notice};
use crate::unit::{UnitCode, UnitTree};
use crate::values::Date;

/// All that a decision reads.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The account.
    pub account: &'a OfficialAccount,
    /// Profiles and unread rows.
    pub directory: &'a Directory,
    /// The person's latest notice that has begun, by [`super::latest_begun`].
    pub notice: Option<&'a Notice>,
    /// Units of all times.
    pub units: &'a UnitTree,
    /// As of which day.
    pub day: Date,
    /// What the operator set.
    pub policy: &'a OfficialsPolicy,
    /// The freeze switch suspends clauses 1 to 4.
    pub freeze: bool,
}

/// What is decided of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The full set of HR holds that the account must have, sorted.
    Holds(Vec<Hold>),
    /// Nothing: the account keeps the holds it has.
    Undecided(Undecided),
}

impl Decision {
    /// The account is closed because the person is at another unit.
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

/// The clauses in order. `no-profile`, `left`, `retired` and `moved` stand alone, the first that applies.
pub fn decide(case: &Case<'_>) -> Decision {
    if case.account.kind != AccountKind::Official {
        return Decision::Holds(Vec::new());
    }
    let found = case.directory.find(case.account, case.units, case.day);
    if let Found::Undecided(why) = found {
        return Decision::Undecided(why);
    }
    if case.day < IN_FORCE {
        return Decision::Holds(Vec::new());
    }
    let Found::Profile(kept) = found else {
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

/// Clauses 1 to 4 and want of sign-ins: what the person can mend. The freeze switch suspends them.
fn mending_clauses(case: &Case<'_>, kept: &KeptProfile) -> Vec<Hold> {
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

/// What is decided of all accounts of one profile together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonPlan {
    /// Of each account, in the order of their ids.
    pub decisions: Vec<(AccountId, Decision)>,
    /// The unit where an account must be made, on the line of the smallest account id that moved.
    pub creates: Option<(AccountId, UnitCode)>,
}

/// O6: where the profile's unit has no account of that person, one is made; several old accounts give one new one. An account of which
/// nothing is decided is there too. `cases` are all accounts of one profile.
pub fn decide_person(cases: &[Case<'_>]) -> PersonPlan {
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
