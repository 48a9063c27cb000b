//! Clause 3: "Những thông tin định kỳ biến động nhưng công chức, viên chức không cập nhật tại hệ thống thông tin quản lý công chức,
//! viên chức do Sở Nội vụ quản lý."

use super::decision_input::DecisionInput;
use crate::hold::{Hold, Reason, evidence};
use crate::records::Profile;
use jiff::ToSpan;

/// The hold for a periodic item whose due day, plus the grace days, is past, if the profile was not updated since that due day. Suspended
/// during leave.
pub(super) fn stale_info(case: &DecisionInput<'_>, profile: &Profile) -> Option<Hold> {
    let due = profile.next_due_on?;
    let last = due.checked_add(i64::from(case.policy.grace_stale_info).days()).ok()?;
    let updated = profile.updated_on.is_some_and(|updated| updated >= due);
    let holds = last < case.day && !updated && !profile.status_on(case.day).rests();
    holds.then(|| {
        let day = |d: Option<crate::values::Date>| d.map(|d| d.to_string()).unwrap_or_default();
        let item = profile
            .next_due_item
            .map(|item| item.name().to_owned())
            .unwrap_or_default();
        let facts = [
            ("due_on", due.to_string()),
            ("item", item),
            ("updated_on", day(profile.updated_on)),
        ];
        Hold::of_hr(Reason::StaleInfo, evidence(facts))
    })
}
