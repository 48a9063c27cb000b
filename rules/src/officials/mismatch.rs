//! Clause 1: "Thông tin không trùng khớp với hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ quản lý."

use super::decision_input::DecisionInput;
use crate::hold::{Hold, Reason};
use crate::records::Profile;

/// Compares name, birth date and national id with HR. What is unknown on either side is never a mismatch. Phone, mail and position are
/// copied from HR instead.
pub(super) fn mismatch(case: &DecisionInput<'_>, profile: &Profile) -> Option<Hold> {
    let stated = &case.account.stated;
    let grade = stated
        .full_name
        .as_ref()
        .map(|name| name.grade(&profile.full_name))
        .filter(|grade| !grade.is_same_person());
    let birth = stated
        .birth_date
        .zip(profile.birth_date)
        .is_some_and(|(a, b)| !a.agrees(b));
    let number = stated
        .national_id
        .zip(profile.national_id)
        .is_some_and(|(a, b)| !case.directory.same_person(a, b));
    let name = grade.map(|grade| {
        (
            "full_name",
            if grade == crate::values::Grade::Near {
                "near"
            } else {
                "differs"
            },
        )
    });
    let found = name
        .into_iter()
        .chain(birth.then_some(("birth_date", "differs")))
        .chain(number.then_some(("national_id", "differs")));
    let evidence: crate::hold::Evidence = found.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    (!evidence.is_empty()).then(|| Hold::of_hr(Reason::Mismatch, evidence))
}
