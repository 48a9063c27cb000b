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

#[test]
fn on_the_anniversary_it_is_still_in_time() {
    assert!(!held(reviewed(Some("2022-04-25"), None), "2023-04-25"));
    assert!(held(reviewed(Some("2022-04-25"), None), "2023-04-26"));
}

#[test]
fn the_29th_of_february_counts_as_the_28th() {
    assert!(!held(reviewed(Some("2024-02-29"), None), "2025-02-28"));
    assert!(held(reviewed(Some("2024-02-29"), None), "2025-03-01"));
    assert!(!held(reviewed(Some("2023-02-28"), None), "2024-02-28"));
    assert!(held(reviewed(Some("2023-02-28"), None), "2024-02-29"));
}

#[test]
fn never_reviewed_counts_from_the_day_it_was_made_or_first_taken_in() {
    assert!(!held(reviewed(None, Some("2022-05-01")), "2023-05-01"));
    assert!(held(reviewed(None, Some("2022-05-01")), "2023-05-02"));
    // The profile was first loaded on 2023-07-01.
    assert!(!held(reviewed(None, None), "2024-07-01"));
    assert!(held(reviewed(None, None), "2024-07-02"));
}

#[test]
fn the_clock_never_starts_before_the_letter_was_in_force() {
    assert!(!held(reviewed(None, Some("2001-01-01")), "2022-03-01"));
    assert!(held(reviewed(None, Some("2001-01-01")), "2022-03-02"));
}

#[test]
fn it_rests_during_leave_and_may_be_asked_for_twice_a_year() {
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
