//! C7: "Kết quả chuẩn hóa tài khoản sẽ được hệ thống tự động kiểm tra, giám sát báo cáo số liệu trực tuyến": each account is counted
//! once, by the first that fits of standardised, held, exempt, pending, refused, not started.

use crate::people::day;
use ngomon_rules::citizens::{Bucket, Campaign, LastFormState, Outcome, ReportStatus};
use ngomon_rules::values::Date;

fn plain() -> Bucket {
    Bucket {
        unit: None,
        official_to: None,
        exempt_to: None,
        held_to: None,
        claimed: false,
        last: LastFormState::NotStarted,
    }
}

fn standing(bucket: &Bucket, campaign: &Campaign) -> ReportStatus {
    bucket.standing(campaign, day("2023-07-31"))
}

/// Each account is counted once, in the first category that fits.
#[test]
fn report_status_is_first_matching_category() {
    let campaign = Campaign::default();
    let all = Bucket {
        claimed: true,
        held_to: Some(Date::MAX),
        exempt_to: Some(Date::MAX),
        last: LastFormState::Pending,
        ..plain()
    };
    assert_eq!(standing(&all, &campaign), ReportStatus::Standardised);
    let held = Bucket { claimed: false, ..all };
    assert_eq!(standing(&held, &campaign), ReportStatus::Held);
    let exempt = Bucket { held_to: None, ..held };
    assert_eq!(standing(&exempt, &campaign), ReportStatus::Exempt);
    let pending = Bucket {
        exempt_to: None,
        ..exempt
    };
    assert_eq!(standing(&pending, &campaign), ReportStatus::Pending);
    assert_eq!(
        standing(
            &Bucket {
                last: LastFormState::Refused(Outcome::Mismatch),
                ..plain()
            },
            &campaign
        ),
        ReportStatus::Refused
    );
    assert_eq!(standing(&plain(), &campaign), ReportStatus::NotStarted);
}

/// The end of an exemption, an order or a deadline changes the status without a journal entry.
#[test]
fn report_status_changes_when_day_passes() {
    let campaign = Campaign::default().with("after-deadline", "hold").unwrap();
    let exempt = Bucket {
        exempt_to: Some(day("2023-07-30")),
        ..plain()
    };
    assert_eq!(
        standing(&exempt, &campaign),
        ReportStatus::NotStarted,
        "the exemption ended yesterday"
    );
    let order = Bucket {
        held_to: Some(day("2023-07-31")),
        ..plain()
    };
    assert_eq!(standing(&order, &campaign), ReportStatus::Held, "the last day counts");
    let official = Bucket {
        official_to: Some(Date::MAX),
        ..plain()
    };
    assert_eq!(
        standing(&official, &campaign),
        ReportStatus::Held,
        "the officials' deadline has passed"
    );
    let left = Bucket {
        official_to: Some(day("2023-07-30")),
        ..plain()
    };
    assert_eq!(
        standing(&left, &campaign),
        ReportStatus::NotStarted,
        "no official any more, and citizens have no deadline"
    );
    let excused = Bucket {
        exempt_to: Some(Date::MAX),
        ..official
    };
    assert_eq!(standing(&excused, &campaign), ReportStatus::Exempt, "never held for it");
}

/// Each outcome of a form sets the last form state, which is parsed back from its name.
#[test]
fn form_outcome_sets_last_form_state() {
    assert_eq!(LastFormState::after(Outcome::Pending), LastFormState::Pending);
    for refusal in [
        Outcome::Malformed,
        Outcome::NotFound,
        Outcome::Mismatch,
        Outcome::Deceased,
        Outcome::Revoked,
        Outcome::Taken,
    ] {
        let progress = LastFormState::after(refusal);
        assert_eq!(progress, LastFormState::Refused(refusal), "refused by reason");
        assert_eq!(LastFormState::parse(progress.name()), Some(progress));
    }
    for progress in [LastFormState::NotStarted, LastFormState::Pending] {
        assert_eq!(LastFormState::parse(progress.name()), Some(progress));
    }
    for no_progress in ["standardised", "already-done", "unknown-account", ""] {
        assert_eq!(LastFormState::parse(no_progress), None, "{no_progress}");
    }
    // A success counts by its claim. If the claim ends, no refusal is left.
    assert_eq!(LastFormState::after(Outcome::Standardised), LastFormState::NotStarted);
}

/// Owners cannot standardise exempt accounts, or accounts held by somebody else's claim or by an order. Such accounts do not keep a unit
/// from its goal.
#[test]
fn exempt_and_held_accounts_do_not_count_as_due() {
    let today = day("2023-07-31");
    let hold = Campaign::default().with("after-deadline", "hold").unwrap();
    let late = Bucket {
        official_to: Some(Date::MAX),
        ..plain()
    };
    assert!(plain().is_due(today) && late.is_due(today), "late, and still to do");
    assert!(late.is_late(&hold, today) && !late.is_late(&Campaign::default(), today));
    let held = Bucket {
        held_to: Some(today),
        ..late.clone()
    };
    assert!(!held.is_due(today) && held.is_due(day("2023-08-01")));
    assert!(held.is_late(&hold, today), "for two reasons");
    let exempt = Bucket {
        exempt_to: Some(today),
        ..late
    };
    assert!(!exempt.is_due(today) && !exempt.is_late(&hold, today));
    let done = Bucket { claimed: true, ..held };
    assert!(done.is_due(today) && !done.is_late(&hold, today));
}
