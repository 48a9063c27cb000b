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

/// The hold begins on the day after the due day.
#[test]
fn stale_info_holds_from_day_after_due_day() {
    assert_eq!(held(due("2023-06-30", Some("2023-01-01")), "2023-06-30"), "");
    assert_eq!(held(due("2023-06-30", Some("2023-01-01")), "2023-07-01"), "stale-info");
    assert_eq!(held(due("2023-06-30", None), "2023-07-01"), "stale-info");
}

/// An update on the due day or later lifts the hold, and so does a later due day.
#[test]
fn update_on_or_after_due_day_lifts_stale_info() {
    assert_eq!(held(due("2023-06-30", Some("2023-06-29")), "2023-07-31"), "stale-info");
    assert_eq!(held(due("2023-06-30", Some("2023-06-30")), "2023-07-31"), "");
    assert_eq!(
        held(due("2024-06-30", Some("2023-01-01")), "2023-07-31"),
        "",
        "or the due day is moved on"
    );
}

/// The hold is suspended during leave.
#[test]
fn stale_info_suspended_during_leave() {
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

/// The grace of the setting is counted in days from the due day.
#[test]
fn stale_info_waits_for_grace_days() {
    let mut hr = Hr::with([due("2023-06-30", None)]);
    hr.policy.grace_stale_info = 5;
    assert_eq!(hr.reasons(&official("CV1", "A"), "2023-07-05"), "");
    assert_eq!(hr.reasons(&official("CV1", "A"), "2023-07-06"), "stale-info");
}
