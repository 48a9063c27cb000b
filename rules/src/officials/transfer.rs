//! Clause 2: "Khi chuyển công tác nhưng không chuyển hồ sơ tại hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ quản lý."

use super::decision_input::DecisionInput;
use crate::hold::{Cause, Hold, Reason, evidence};
use crate::records::{Notice, Profile};
use crate::values::Date;
use jiff::ToSpan;

/// Among a person's notices only the latest counts that has taken effect and is not withdrawn. Of two notices for one day, the later row
/// counts. `notices` must be in the order of their rows.
pub fn latest_begun<'a>(notices: impl IntoIterator<Item = &'a Notice>, day: Date) -> Option<&'a Notice> {
    let counts =
        |notice: &&Notice| notice.effective_on <= day && notice.withdrawn_on.is_none_or(|withdrawn| withdrawn > day);
    // `max_by_key` returns the last of equal elements.
    notices
        .into_iter()
        .filter(counts)
        .max_by_key(|notice| notice.effective_on)
}

/// The hold for a notice that moves the person to unit B while the profile is not at B, once its day, plus the grace days, has come.
pub(super) fn transfer_pending(case: &DecisionInput<'_>, profile: &Profile) -> Option<Hold> {
    let notice = case.notice?;
    let to = case.units.follow(&notice.to_unit, case.day);
    let at = case.units.follow(&profile.unit, case.day);
    let begins = notice
        .effective_on
        .checked_add(i64::from(case.policy.grace_transfer).days())
        .ok()?;
    (at != to && begins <= case.day).then(|| Hold {
        reason: Reason::TransferPending,
        cause: Cause::notice(&notice.notice_no),
        evidence: evidence([
            ("notice", notice.notice_no.clone()),
            ("effective_on", notice.effective_on.to_string()),
            ("to_unit", to.to_string()),
            ("profile_unit", at.to_string()),
        ]),
        last_day: None,
    })
}
