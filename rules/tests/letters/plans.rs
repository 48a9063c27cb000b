//! The mass-hold guard: "more than the larger of 20 accounts and 2 % of the accounts that are open".

use ngomon_rules::hold::Reason;
use ngomon_rules::officials::{OfficialsPolicy, POLICY_KEYS};
use ngomon_rules::plan::{Brake, Impact, guard};
use ngomon_rules::unit::UnitCode;

fn impact(open: u64, newly_held: u64, held_lately: u64) -> Impact {
    Impact {
        open,
        newly_held,
        held_lately,
        ..Impact::default()
    }
}

/// A run may hold the larger of 20 accounts and 2 % of those that are open.
#[test]
fn guard_allows_20_accounts_or_2_percent() {
    let policy = OfficialsPolicy::default();
    for (open, now, lately, stops) in [
        (100, 20, 0, false),
        (100, 21, 0, true),
        (1000, 20, 0, false),
        (1030, 20, 0, false),
        (1030, 21, 0, true),
        (1050, 21, 0, false),
        (60_000, 1_200, 0, false),
        (60_000, 1_201, 0, true),
        // Accounts newly held by unapproved runs in the last 7 days count too.
        (100, 1, 20, true),
        (100, 1, 19, false),
        // A run that holds nobody is never stopped.
        (100, 0, 500, false),
    ] {
        assert_eq!(
            !guard(&impact(open, now, lately), &policy).is_empty(),
            stops,
            "{now} + {lately} of {open}"
        );
    }
}

/// The limits for each unit and each reason come from the settings.
#[test]
fn guard_limits_by_unit_and_reason_from_settings() {
    let policy = OfficialsPolicy::default()
        .with("brake.unit", "3")
        .unwrap()
        .with("brake.left", "1")
        .unwrap();
    let unit = UnitCode("A".into());
    let mut hit = impact(10_000, 5, 0);
    hit.by_unit = [(unit.clone(), 3)].into();
    hit.by_reason = [(Reason::Left, 1), (Reason::Mismatch, 5)].into();
    assert_eq!(guard(&hit, &policy), []);
    hit.by_unit = [(unit.clone(), 4)].into();
    hit.by_reason = [(Reason::Left, 2)].into();
    assert_eq!(guard(&hit, &policy), [Brake::Unit(unit), Brake::Reason(Reason::Left)]);
}

/// Each setting of the policy can be read and set, and a wrong value is refused.
#[test]
fn policy_keys_readable_and_wrong_values_refused() {
    let policy = OfficialsPolicy::default();
    for (key, value) in [
        ("grace.transfer", "5"),
        ("grace.stale-info", "7"),
        ("review-months", "6"),
        ("idle-days", "45"),
        ("newcomers", "create"),
        ("brake.unit", "9"),
        ("brake.no-profile", "4"),
    ] {
        assert_eq!(policy.with(key, value).unwrap().get(key).unwrap(), value);
        assert_eq!(policy.with(key, "-1"), None, "{key}");
    }
    assert_eq!(POLICY_KEYS.len(), 7);
    assert_eq!(policy.with("review-months", "7"), None);
    assert_eq!(policy.with("brake.duplicate", "4"), None, "no reason of HR's");
}
