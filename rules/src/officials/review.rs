//! Clause 4: "Định kỳ 1 năm không rà soát, cập nhật thông tin quản lý nhân sự tại hệ thống thông tin quản lý công chức, viên chức do
//! Sở Nội vụ quản lý."

use super::IN_FORCE;
use super::decision_input::DecisionInput;
use super::directory::StoredProfile;
use super::policy::OfficialsPolicy;
use crate::hold::{Hold, Reason, evidence};
use crate::values::Date;
use jiff::ToSpan;

/// The last day on which the review is in time. The anniversary itself is still in time; 29/2 counts as 28/2. If never reviewed, the period
/// starts when the profile was created, or else first loaded. It never starts before the letter was in force.
pub fn review_due(kept: &StoredProfile, policy: &OfficialsPolicy) -> Date {
    let profile = &kept.profile;
    let from = profile
        .reviewed_on
        .or(profile.created_on)
        .unwrap_or(kept.first_taken_on)
        .max(IN_FORCE);
    from.checked_add(i64::from(policy.review_months).months())
        .unwrap_or(Date::MAX)
}

/// The hold for a missed yearly review. Suspended during leave.
pub(super) fn review_overdue(case: &DecisionInput<'_>, kept: &StoredProfile) -> Option<Hold> {
    let due = review_due(kept, case.policy);
    let holds = case.day > due && !kept.profile.status_on(case.day).rests();
    holds.then(|| {
        let last = kept.profile.reviewed_on.map(|day| day.to_string()).unwrap_or_default();
        Hold::of_hr(
            Reason::ReviewOverdue,
            evidence([("reviewed_on", last), ("due_on", due.to_string())]),
        )
    })
}

/// The days in advance on which a warning of `stale-info` and `review-overdue` is due.
pub fn warn_days() -> [i32; 3] {
    [30, 7, 1]
}
