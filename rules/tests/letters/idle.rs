//! "optional clocks, off by default: a review every 6 months, `idle` after 45 days without a sign-in (TCVN 14423)."

use crate::people::{Hr, day, official, son};
use ngomon_rules::event::Change;
use ngomon_rules::hold::{Cause, Hold, Reason, evidence};
use ngomon_rules::officials::{OfficialsPolicy, is_written_down, on_sign_in};

fn after_45_days() -> OfficialsPolicy {
    OfficialsPolicy::default().with("idle-days", "45").unwrap()
}

/// `idle` is off until the setting turns it on.
#[test]
fn idle_hold_off_until_configured() {
    let mut account = official("CV1", "A");
    account.last_sign_in_on = Some(day("2023-06-01"));
    let mut hr = Hr::with([son("A")]);
    assert_eq!(hr.reasons(&account, "2023-12-31"), "");
    hr.policy = after_45_days();
    assert_eq!(hr.reasons(&account, "2023-07-16"), "");
    assert_eq!(hr.reasons(&account, "2023-07-17"), "idle");
}

/// An account that was never used is idle counted from its creation date.
#[test]
fn unused_account_idle_from_creation_date() {
    let mut account = official("CV1", "A");
    account.created_on = Some(day("2023-06-01"));
    let mut hr = Hr::with([son("A")]);
    hr.policy = after_45_days();
    assert_eq!(hr.reasons(&account, "2023-07-16"), "");
    assert_eq!(hr.reasons(&account, "2023-07-17"), "idle");
    account.created_on = None;
    assert_eq!(hr.reasons(&account, "2023-12-31"), "", "nobody knows since when");
}

/// A sign-in is recorded once a day, or once a week while `idle` is off.
#[test]
fn sign_in_recorded_daily_if_idle_on_else_weekly() {
    let (off, on) = (OfficialsPolicy::default(), after_45_days());
    for (last, today, without, with) in [
        (None, "2023-07-17", true, true),
        (Some("2023-07-17"), "2023-07-17", false, false),
        (Some("2023-07-16"), "2023-07-17", false, true),
        (Some("2023-07-10"), "2023-07-17", true, true),
        (Some("2023-07-18"), "2023-07-17", false, false),
    ] {
        let (last, today) = (last.map(day), day(today));
        assert_eq!(is_written_down(last, today, &off), without, "{last:?}");
        assert_eq!(is_written_down(last, today, &on), with, "{last:?}");
    }
}

#[test]
fn a_sign_in_lifts_idle_and_nothing_else() {
    let on = day("2023-07-17");
    let held = [Reason::Idle, Reason::ReviewOverdue].map(|reason| Hold::of_hr(reason, evidence([])));
    let lifted = Change::HoldLifted {
        reason: Reason::Idle,
        cause: Cause::hr(),
    };
    assert_eq!(on_sign_in(&held, on), [lifted, Change::SignedIn { on }]);
    assert_eq!(on_sign_in(&held[1..], on), [Change::SignedIn { on }]);
}
