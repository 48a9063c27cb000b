//! Clause 4: "Định kỳ 1 năm không rà soát, cập nhật thông tin quản lý nhân sự".

use crate::people::{Hr, day, official, son};
use ngomon_rules::records::{Profile, ServiceStatus};

fn reviewed(on: Option<&str>, created: Option<&str>) -> Profile {
    Profile {
        reviewed_on: on.map(day),
        created_on: created.map(day),
        ..son("A")
    }
}

fn held(profile: Profile, on: &str) -> bool {
    Hr::with([profile]).reasons(&official("CV1", "A"), on) == "review-overdue"
}

/// A review is still in time on its anniversary.
#[test]
fn review_on_anniversary_is_in_time() {
    assert!(!held(reviewed(Some("2022-04-25"), None), "2023-04-25"));
    assert!(held(reviewed(Some("2022-04-25"), None), "2023-04-26"));
}

/// In a year without 29 February the anniversary is 28 February.
#[test]
fn review_of_29_february_due_on_28_february() {
    assert!(!held(reviewed(Some("2024-02-29"), None), "2025-02-28"));
    assert!(held(reviewed(Some("2024-02-29"), None), "2025-03-01"));
    assert!(!held(reviewed(Some("2023-02-28"), None), "2024-02-28"));
    assert!(held(reviewed(Some("2023-02-28"), None), "2024-02-29"));
}

/// A profile without a review is counted from its creation date, or from the day it was first loaded.
#[test]
fn unreviewed_profile_due_from_creation_or_first_load() {
    assert!(!held(reviewed(None, Some("2022-05-01")), "2023-05-01"));
    assert!(held(reviewed(None, Some("2022-05-01")), "2023-05-02"));
    // The profile was first loaded on 2023-07-01.
    assert!(!held(reviewed(None, None), "2024-07-01"));
    assert!(held(reviewed(None, None), "2024-07-02"));
}

/// The period never starts before the letter was in force.
#[test]
fn review_period_starts_no_earlier_than_letter() {
    assert!(!held(reviewed(None, Some("2001-01-01")), "2022-03-01"));
    assert!(held(reviewed(None, Some("2001-01-01")), "2022-03-02"));
}

/// The review is suspended during leave, and the setting can make it due every 6 months.
#[test]
fn review_suspended_during_leave_and_period_is_setting() {
    let away = Profile {
        status: ServiceStatus::UnpaidLeave,
        ..reviewed(Some("2020-01-01"), None)
    };
    assert!(!held(away, "2023-07-31"));
    let mut hr = Hr::with([reviewed(Some("2023-01-31"), None)]);
    hr.policy.review_months = 6;
    assert_eq!(hr.reasons(&official("CV1", "A"), "2023-07-31"), "");
    assert_eq!(hr.reasons(&official("CV1", "A"), "2023-08-01"), "review-overdue");
}
