//! Plans: what a run would do, the guard that stops a run that would hold too many, and what makes a plan stale.

use crate::hold::Reason;
use crate::officials::OfficialsPolicy;
use crate::unit::UnitCode;
use std::collections::BTreeMap;

/// A run may always newly hold that many accounts.
pub const FREE_HOLDS: u64 = 20;

/// What the guard reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impact {
    /// Accounts of that kind that are open before the run.
    pub open: u64,
    /// Accounts that are open and would be held. `moved` beside an open account at B does not count.
    pub newly_held: u64,
    /// What runs that nobody approved newly held in the 7 days before.
    pub held_lately: u64,
    /// Newly held by unit.
    pub by_unit: BTreeMap<UnitCode, u64>,
    /// Newly held by reason.
    pub by_reason: BTreeMap<Reason, u64>,
}

/// Why a run needs a person's approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brake {
    /// More than the larger of 20 accounts and 2 % of the open ones.
    MassHold {
        /// How many may be held.
        limit: u64,
    },
    /// A unit's own limit.
    Unit(UnitCode),
    /// A reason's own limit.
    Reason(Reason),
    /// A run was undone: automatic runs wait for a person.
    AfterUndo,
    /// The day of the run has not come: once applied, no run of a day before it is.
    DayToCome,
}

/// The mass-hold guard: the brakes that stop this run, none if it may go.
pub fn guard(impact: &Impact, policy: &OfficialsPolicy) -> Vec<Brake> {
    let mut brakes = Vec::new();
    let limit = FREE_HOLDS.max(impact.open / 50);
    let held = impact.newly_held + impact.held_lately;
    // Not `held > limit`: 2 % of 1,030 accounts is 20.6, and 21 is more than that.
    if impact.newly_held > 0 && held > FREE_HOLDS && held * 50 > impact.open {
        brakes.push(Brake::MassHold { limit });
    }
    if let Some(most) = policy.brake_unit {
        brakes.extend(
            impact
                .by_unit
                .iter()
                .filter(|(_, n)| **n > u64::from(most))
                .map(|(unit, _)| Brake::Unit(unit.clone())),
        );
    }
    for (reason, most) in &policy.brake_reason {
        if impact.by_reason.get(reason).is_some_and(|n| *n > u64::from(*most)) {
            brakes.push(Brake::Reason(*reason));
        }
    }
    brakes
}
