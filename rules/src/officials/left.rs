//! Clause 5: "Những trường hợp thôi không làm việc tại cơ quan nhà nước, đến tuổi về hưu thì hệ thống sẽ tự động khóa sau khi Sở Nội
//! vụ cập nhật".

use crate::hold::{Hold, Reason, evidence};
use crate::records::{Profile, ServiceStatus};
use crate::values::Date;

/// `left` or `retired`, from the first day out of service. If HR gives no day, it has already come.
pub(super) fn left_or_retired(profile: &Profile, day: Date) -> Option<Hold> {
    let status = profile.status_on(day);
    if !status.ends_service() {
        return None;
    }
    let reason = if status == ServiceStatus::Retired {
        Reason::Retired
    } else {
        Reason::Left
    };
    let from = profile.status_from.map(|day| day.to_string()).unwrap_or_default();
    Some(Hold::of_hr(
        reason,
        evidence([("status", status.name().to_owned()), ("status_from", from)]),
    ))
}
