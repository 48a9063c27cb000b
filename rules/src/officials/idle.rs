//! Idle accounts. TCVN 14423 demands that accounts unused for 45 days are closed; rules.md makes it a policy, off by default: "`idle` after
//! 45 days without a sign-in".

use super::decision_input::DecisionInput;
use super::policy::OfficialsPolicy;
use crate::event::Change;
use crate::hold::{Hold, Reason, evidence};
use crate::values::Date;
use jiff::ToSpan;

/// While the policy is off, a sign-in is recorded only if the last recorded one is at least 7 days old. If the policy is switched on later,
/// the days are right to within a week, and the journal stays small.
const COARSE: i64 = 7;

/// Holds an account without a sign-in for more days than the policy allows. An account that was never used counts from the day it was
/// created.
pub fn idle(case: &DecisionInput<'_>) -> Option<Hold> {
    let days = case.policy.idle_days?;
    let last = case.account.last_sign_in_on.or(case.account.created_on)?;
    let until = last.checked_add(i64::from(days).days()).ok()?;
    (until < case.day).then(|| Hold::of_hr(Reason::Idle, evidence([("last_sign_in_on", last.to_string())])))
}

/// Returns whether a sign-in on that day is recorded, if `last` is the latest recorded one. The rule counts days, so one a day is enough.
pub fn is_written_down(last: Option<Date>, day: Date, policy: &OfficialsPolicy) -> bool {
    let apart = if policy.idle_days.is_some() { 1 } else { COARSE };
    let next = last.and_then(|last| last.checked_add(apart.days()).ok());
    next.is_none_or(|next| next <= day)
}

/// The changes that a sign-in on that day makes: it becomes the last one, and every `idle` hold is lifted.
pub fn on_sign_in(holds: &[Hold], on: Date) -> Vec<Change> {
    let idle = holds.iter().filter(|hold| hold.reason == Reason::Idle);
    let lifted = idle.map(|hold| Change::HoldLifted {
        reason: hold.reason,
        cause: hold.cause.clone(),
    });
    lifted.chain([Change::SignedIn { on }]).collect()
}
