//! Clause 3: "Những thông tin định kỳ biến động nhưng công chức, viên chức không cập nhật tại hệ thống thông tin quản lý công chức,
//! viên chức do Sở Nội vụ quản lý."

use crate::people::{Hr, day, official, son};
use ngomon_rules::records::{DueItem, Profile, ServiceStatus};

fn due(on: &str, updated: Option<&str>) -> Profile {
    Profile {
        next_due_on: Some(day(on)),
        next_due_item: Some(DueItem::PayStep),
        updated_on: updated.map(day),
        ..son("A")
    }
}

fn held(profile: Profile, on: &str) -> String {
    Hr::with([profile]).reasons(&official("CV1", "A"), on)
}

#[test]
fn it_must_have_fallen_due_before_today() {
    assert_eq!(held(due("2023-06-30", Some("2023-01-01")), "2023-06-30"), "");
    assert_eq!(held(due("2023-06-30", Some("2023-01-01")), "2023-07-01"), "stale-info");
    assert_eq!(held(due("2023-06-30", None), "2023-07-01"), "stale-info");
}

#[test]
fn an_update_on_the_due_day_or_after_lifts_it() {
    assert_eq!(held(due("2023-06-30", Some("2023-06-29")), "2023-07-31"), "stale-info");
    assert_eq!(held(due("2023-06-30", Some("2023-06-30")), "2023-07-31"), "");
    assert_eq!(
        held(due("2024-06-30", Some("2023-01-01")), "2023-07-31"),
        "",
        "or the due day is moved on"
    );
}

#[test]
fn it_rests_during_leave() {
    for (status, holds) in [
        (ServiceStatus::OnLeave, ""),
        (ServiceStatus::UnpaidLeave, ""),
        (ServiceStatus::Seconded, "stale-info"),
        (ServiceStatus::Suspended, "stale-info"),
    ] {
        let profile = Profile {
            status,
            ..due("2023-06-30", None)
        };
        assert_eq!(held(profile, "2023-07-31"), holds, "{status:?}");
    }
}

#[test]
fn grace_is_counted_in_days() {
    let mut hr = Hr::with([due("2023-06-30", None)]);
    hr.policy.grace_stale_info = 5;
    assert_eq!(hr.reasons(&official("CV1", "A"), "2023-07-05"), "");
    assert_eq!(hr.reasons(&official("CV1", "A"), "2023-07-06"), "stale-info");
}
