//! Clause 6: "Tài khoản tại đơn vị mới sẽ tự động khởi tạo sau khi hoàn thành công việc trên thay thế cho các hình thức đăng ký như
//! trước nay." (O6)

use super::decision_input::DecisionInput;
use crate::hold::{Hold, Reason, evidence};
use crate::records::Profile;
use crate::unit::UnitCode;

/// The unit of the profile, if it is not the account's unit. Both are followed through mergers as of the day. A seconded person's profile
/// stays with the sending unit, so secondment moves nothing.
pub(super) fn elsewhere<'a>(case: &DecisionInput<'a>, profile: &'a Profile) -> Option<&'a UnitCode> {
    let at = case.units.follow(&profile.unit, case.day);
    (case.units.follow(&case.account.unit, case.day) != at).then_some(at)
}

/// The hold that closes the account at the old unit.
pub(super) fn moved(to: &UnitCode) -> Hold {
    Hold::of_hr(Reason::Moved, evidence([("to_unit", to.to_string())]))
}
