//! Clause 2: "Khi chuyển công tác nhưng không chuyển hồ sơ tại hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ quản lý."

use crate::people::{Hr, day, number, official, son};
use ngomon_rules::records::Notice;
use ngomon_rules::unit::UnitCode;

fn notice(no: &str, to: &str, from_day: &str, withdrawn: Option<&str>) -> Notice {
    Notice {
        notice_no: no.into(),
        national_id: number(5),
        from_unit: None,
        to_unit: UnitCode(to.into()),
        effective_on: day(from_day),
        withdrawn_on: withdrawn.map(day),
    }
}

fn held(notices: Vec<Notice>, on: &str) -> String {
    let mut hr = Hr::with([son("A")]);
    hr.notices = notices;
    hr.reasons(&official("CV1", "A"), on)
}

/// A notice places the hold from its day until the profile has moved too.
#[test]
fn notice_holds_from_its_day_until_profile_moves() {
    assert_eq!(held(vec![notice("1", "B", "2023-07-31", None)], "2023-07-30"), "");
    assert_eq!(
        held(vec![notice("1", "B", "2023-07-31", None)], "2023-07-31"),
        "transfer-pending"
    );
    assert_eq!(held(vec![notice("1", "A", "2023-07-01", None)], "2023-07-31"), "");
    let mut hr = Hr::with([son("B")]);
    hr.notices = vec![notice("1", "B", "2023-07-01", None)];
    assert_eq!(hr.reasons(&official("CV1", "B"), "2023-07-31"), "");
}

/// A notice stops counting on the day of its withdrawal.
#[test]
fn withdrawn_notice_stops_counting_on_withdrawal_day() {
    let withdrawn = || vec![notice("1", "B", "2023-07-01", Some("2023-07-20"))];
    assert_eq!(held(withdrawn(), "2023-07-19"), "transfer-pending");
    assert_eq!(held(withdrawn(), "2023-07-20"), "");
}

/// Only the latest effective notice counts, and of two on one day the later row.
#[test]
fn latest_effective_notice_counts_later_row_on_same_day() {
    let back = vec![
        notice("1", "B", "2023-07-01", None),
        notice("2", "A", "2023-07-10", None),
    ];
    assert_eq!(held(back, "2023-07-31"), "");
    let to_come = vec![
        notice("1", "B", "2023-07-01", None),
        notice("2", "A", "2023-08-10", None),
    ];
    assert_eq!(held(to_come, "2023-07-31"), "transfer-pending");
    let same_day = vec![
        notice("1", "B", "2023-07-01", None),
        notice("2", "A", "2023-07-01", None),
    ];
    assert_eq!(held(same_day, "2023-07-31"), "");
    let taken_back = vec![
        notice("1", "B", "2023-07-01", None),
        notice("2", "A", "2023-07-10", Some("2023-07-15")),
    ];
    assert_eq!(held(taken_back, "2023-07-31"), "transfer-pending");
}

/// The units of notice and profile are both followed through mergers.
#[test]
fn notice_unit_followed_through_merger() {
    // OLD became B on 1 July, so a notice to OLD is a notice to B.
    let mut hr = Hr::with([son("B")]);
    hr.notices = vec![notice("1", "OLD", "2023-06-01", None)];
    assert_eq!(hr.reasons(&official("CV1", "B"), "2023-06-30"), "transfer-pending");
    assert_eq!(hr.reasons(&official("CV1", "B"), "2023-07-01"), "");
}

/// The grace of the setting is counted in days from the notice.
#[test]
fn transfer_hold_waits_for_grace_days() {
    let mut hr = Hr::with([son("A")]);
    hr.notices = vec![notice("1", "B", "2023-07-01", None)];
    hr.policy.grace_transfer = 10;
    assert_eq!(hr.reasons(&official("CV1", "A"), "2023-07-10"), "");
    assert_eq!(hr.reasons(&official("CV1", "A"), "2023-07-11"), "transfer-pending");
}
