//! TCVN 14423 wants accounts shut that nobody used for 45 days; rules.md has it as a policy, off by default: "`idle` after 45 days
//! without a sign-in".

use super::decide::Case;
use super::policy::OfficialsPolicy;
use crate::event::Change;
use crate::hold::{Hold, Reason, evidence};
use crate::values::Date;
use jiff::ToSpan;

/// While the policy is off a sign-in is written down when the last one is so many days old: whoever switches it on later finds days
/// that are right to within a week, and the journal stays small.
const COARSE: i64 = 7;

/// No sign-in for more days than the policy allows. An account that was never used counts from the day it was made.
pub fn idle(case: &Case<'_>) -> Option<Hold> {
    let days = case.policy.idle_days?;
    let last = case.account.last_sign_in_on.or(case.account.created_on)?;
    let until = last.checked_add(i64::from(days).days()).ok()?;
    (until < case.day).then(|| Hold::of_hr(Reason::Idle, evidence([("last_sign_in_on", last.to_string())])))
}

/// Is a sign-in of that day written down, when `last` is the latest that is? The rule counts days, so one a day is enough.
pub fn is_written_down(last: Option<Date>, day: Date, policy: &OfficialsPolicy) -> bool {
    let apart = if policy.idle_days.is_some() { 1 } else { COARSE };
    let next = last.and_then(|last| last.checked_add(apart.days()).ok());
    next.is_none_or(|next| next <= day)
}

/// What a sign-in of that day changes: it is the last one, and no hold for want of one stays.
pub fn on_sign_in(holds: &[Hold], on: Date) -> Vec<Change> {
    let idle = holds.iter().filter(|hold| hold.reason == Reason::Idle);
    let lifted = idle.map(|hold| Change::HoldLifted {
        reason: hold.reason,
        cause: hold.cause.clone(),
    });
    lifted.chain([Change::SignedIn { on }]).collect()
}
