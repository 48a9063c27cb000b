//! Clause 7: "Những tài khoản công vụ không tồn tại hồ sơ nhân sự tại hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ
//! quản lý thì không thể xác thực để đăng nhập vào hệ thống được."

use crate::people::{Hr, day, number, official, son, units};
use ngomon_rules::officials::{Coverage, OfficialAccount, UnreadableProfile, newcomers};
use ngomon_rules::records::{AccountAttributes, Profile, ServiceStatus};
use ngomon_rules::unit::UnitCode;

fn stating(change: impl FnOnce(&mut AccountAttributes)) -> OfficialAccount {
    let mut account = official("CV1", "A");
    change(&mut account.stated);
    account
}

const ON: &str = "2023-07-31";

/// A profile is found by employee code, or else by any national id of the person.
#[test]
fn profile_found_by_code_or_any_national_id() {
    let hr = Hr::with([son("A")]);
    assert_eq!(hr.reasons(&official("CV1", "A"), ON), "");
    assert_eq!(hr.reasons(&stating(|s| s.employee_code = None), ON), "");
    assert_eq!(
        hr.reasons(&stating(|s| s.employee_code = Some("NEW".into())), ON),
        "",
        "file codes change"
    );
    let nobody = stating(|s| {
        s.employee_code = Some("NEW".into());
        s.national_id = Some(number(9));
    });
    assert_eq!(hr.reasons(&nobody, ON), "no-profile");
    let mut known = Hr::with([son("A")]);
    known.same_person = vec![vec![number(9), number(5)]];
    assert_eq!(known.reasons(&nobody, ON), "");
}

/// A row that could not be read leaves the account it may belong to undecided.
#[test]
fn unreadable_row_leaves_its_account_undecided() {
    let unread = |hint: UnreadableProfile| {
        let mut hr = Hr::with([]);
        hr.unread = vec![hint];
        hr.reasons(&official("CV1", "A"), ON)
    };
    assert_eq!(
        unread(UnreadableProfile {
            employee_code: Some("TTH5".into()),
            ..UnreadableProfile::default()
        }),
        "undecided: row-of-its-code"
    );
    assert_eq!(
        unread(UnreadableProfile {
            national_id: Some(number(5)),
            ..UnreadableProfile::default()
        }),
        "undecided: row-of-its-number"
    );
    let by_name = |name: &str| UnreadableProfile {
        person_key: Some(name.into()),
        ..UnreadableProfile::default()
    };
    assert_eq!(unread(by_name("LEVANSON")), "undecided: row-of-its-name");
    assert_eq!(unread(by_name("LEVANNAM")), "no-profile");
    // A row with a readable code belongs to that code, not to everybody with the name.
    let other = UnreadableProfile {
        employee_code: Some("TTH9".into()),
        ..by_name("LEVANSON")
    };
    assert_eq!(unread(other), "no-profile");
}

/// HR gave the person another code in the very row that cannot be read. Its number still identifies the person, although the account has
/// the old code.
#[test]
fn unreadable_row_with_new_code_matched_by_national_id() {
    let mut hr = Hr::with([son("A")]);
    assert_eq!(hr.reasons(&official("CV1", "A"), ON), "");
    hr.unread = vec![UnreadableProfile {
        employee_code: Some("MOI5".into()),
        national_id: Some(number(5)),
        ..UnreadableProfile::default()
    }];
    assert_eq!(hr.reasons(&official("CV1", "A"), ON), "undecided: row-of-its-number");
    // Another person's row does not concern the account.
    hr.unread = vec![UnreadableProfile {
        employee_code: Some("MOI6".into()),
        national_id: Some(number(6)),
        ..UnreadableProfile::default()
    }];
    assert_eq!(hr.reasons(&official("CV1", "A"), ON), "");
}

/// An unreadable row with the name of a person makes the account undecided only if it has no profile.
#[test]
fn name_of_unreadable_row_spares_account_with_profile() {
    let mut hr = Hr::with([son("A")]);
    hr.unread = vec![UnreadableProfile {
        person_key: Some("LEVANSON".into()),
        ..UnreadableProfile::default()
    }];
    assert_eq!(hr.reasons(&official("CV1", "A"), ON), "");
}

/// Two profiles for one person leave the account undecided.
#[test]
fn two_profiles_for_one_person_leave_account_undecided() {
    let second = Profile {
        employee_code: Some("TTH6".into()),
        ..son("B")
    };
    assert_eq!(
        Hr::with([son("A"), second]).reasons(&official("CV1", "A"), ON),
        "undecided: two-profiles"
    );
}

/// A missing profile counts only in the units that a full extract covers.
#[test]
fn missing_profile_counts_only_in_full_extract_of_unit() {
    let mut hr = Hr::with([]);
    hr.coverage = Coverage::default();
    assert_eq!(hr.reasons(&official("CV1", "A"), ON), "undecided: not-covered");
    hr.coverage.units = [UnitCode("B".into())].into();
    assert_eq!(hr.reasons(&official("CV1", "A"), ON), "undecided: not-covered");
    assert_eq!(hr.reasons(&official("CV1", "B"), ON), "no-profile");
    hr.coverage.units = [UnitCode("P".into())].into();
    assert_eq!(
        hr.reasons(&official("CV1", "A"), ON),
        "no-profile",
        "and for all below it"
    );
}

/// An account without a profile is held for that alone, because the other clauses compare with a profile.
#[test]
fn account_without_profile_held_for_that_alone() {
    let account = stating(|s| {
        s.employee_code = Some("NEW".into());
        s.national_id = None;
        s.full_name = Some(crate::people::name("Người Khác"));
    });
    assert_eq!(Hr::with([son("A")]).reasons(&account, ON), "no-profile");
}

/// The reverse: a profile in service without an account.
#[test]
fn newcomer_is_profile_in_service_without_account() {
    let names = |hr: &Hr, accounts: &[OfficialAccount]| -> Vec<String> {
        let directory = hr.directory();
        newcomers(&directory, accounts, &units(), day(ON))
            .iter()
            .map(|kept| kept.id.0.clone())
            .collect()
    };
    let hr = Hr::with([son("A")]);
    assert_eq!(names(&hr, &[]), ["0"]);
    let elsewhere = stating(|s| s.employee_code = None);
    assert_eq!(names(&hr, &[elsewhere]), [""; 0], "found by the number");
    let left = Profile {
        status: ServiceStatus::Resigned,
        ..son("A")
    };
    assert_eq!(names(&Hr::with([left]), &[]), [""; 0]);
    let second = Profile {
        employee_code: Some("TTH6".into()),
        ..son("B")
    };
    assert_eq!(
        names(&Hr::with([son("A"), second]), &[]),
        [""; 0],
        "two profiles for one person"
    );
    let mut unread = Hr::with([son("A")]);
    unread.unread = vec![UnreadableProfile {
        national_id: Some(number(5)),
        employee_code: son("A").employee_code,
        ..UnreadableProfile::default()
    }];
    assert_eq!(names(&unread, &[]), [""; 0], "a row of that code waits");
}
