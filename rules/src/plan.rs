//! Plans: what a run would do, and the guard that stops a run that would hold too many accounts.

use crate::hold::Reason;
use crate::officials::OfficialsPolicy;
use crate::unit::UnitCode;
use std::collections::BTreeMap;

/// The number of accounts that a run may always newly hold.
pub const FREE_HOLDS: u64 = 20;

/// The figures that the guard reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impact {
    /// Official accounts that are open before the run.
    pub open: u64,
    /// Accounts that are open and would be held. `moved` does not count if the person has an open account at the new unit.
    pub newly_held: u64,
    /// Accounts newly held in the last 7 days by runs that nobody approved.
    pub held_lately: u64,
    /// Newly held accounts by unit.
    pub by_unit: BTreeMap<UnitCode, u64>,
    /// Newly held accounts by reason.
    pub by_reason: BTreeMap<Reason, u64>,
}

/// Why a run needs a person's approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brake {
    /// More than the larger of 20 accounts and 2 % of the open accounts.
    MassHold {
        /// How many accounts may be held.
        limit: u64,
    },
    /// Over the limit of a unit.
    Unit(UnitCode),
    /// Over the limit of a reason.
    Reason(Reason),
    /// A run was undone, so automatic runs wait for a person.
    AfterUndo,
    /// The day of the run is in the future. Once such a run is applied, no run for an earlier day can be.
    DayToCome,
}

/// The mass-hold guard. Returns the brakes that stop this run; empty if it may go.
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
