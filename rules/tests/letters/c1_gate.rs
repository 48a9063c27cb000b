//! C1: "Thông báo kèm biểu mẫu yêu cầu chuẩn hóa tài khoản sẽ hiển thị liên tục cho đến khi người dùng điền đầy đủ, chính xác 04
//! thông tin tài khoản cá nhân"; "hoàn thành trước ngày 20/7/2023".

use crate::people::day;
use ngomon_rules::citizens::{Bucket, Campaign, CampaignFault, CampaignGroup, Exemption, Gate, KEYS, LastFormState};
use ngomon_rules::hold::Reason;
use ngomon_rules::values::Date;

/// "Before 20 July" means until the end of 19 July.
#[test]
fn officials_deadline_ends_on_19_july() {
    let campaign = Campaign::default();
    assert_eq!(campaign.deadline(CampaignGroup::Officials), Some(day("2023-07-19")));
    assert_eq!(campaign.deadline(CampaignGroup::Citizens), None);
    assert_eq!(campaign.start, day("2023-07-15"));
}

/// By default the deadline only repeats the request; it holds no account.
#[test]
fn default_campaign_holds_no_account_after_deadline() {
    let campaign = Campaign::default();
    for on in ["2023-07-19", "2023-07-20", "2030-01-01"] {
        assert_eq!(campaign.late(CampaignGroup::Officials, day(on)), None);
    }
}

/// With `after-deadline` = `hold`, accounts are held from the day after the deadline.
#[test]
fn hold_policy_takes_effect_day_after_deadline() {
    let campaign = Campaign::default().with("after-deadline", "hold").unwrap();
    assert_eq!(campaign.late(CampaignGroup::Officials, day("2023-07-19")), None);
    let hold = campaign.late(CampaignGroup::Officials, day("2023-07-20")).unwrap();
    assert_eq!(
        (hold.reason, hold.evidence["deadline"].as_str()),
        (Reason::NotStandardised, "2023-07-19")
    );
    assert_eq!(
        campaign.late(CampaignGroup::Citizens, day("2030-01-01")),
        None,
        "citizens have no deadline"
    );
    let with = campaign.with("deadline.citizens", "2023-07-25").unwrap();
    assert_eq!(with.late(CampaignGroup::Citizens, day("2023-07-25")), None);
    assert!(with.late(CampaignGroup::Citizens, day("2023-07-26")).is_some());
    assert_eq!(
        with.with("after-deadline", "require")
            .unwrap()
            .late(CampaignGroup::Citizens, day("2023-07-26")),
        None
    );
}

/// The freeze switch suspends the hold after the deadline.
#[test]
fn freeze_suspends_hold_after_deadline() {
    let campaign = Campaign::default()
        .with("after-deadline", "hold")
        .unwrap()
        .with("freeze", "on")
        .unwrap();
    assert_eq!(campaign.late(CampaignGroup::Officials, day("2023-07-20")), None);
}

/// Each campaign setting can be read, and a wrong value or key is refused.
#[test]
fn campaign_keys_readable_and_wrong_values_refused() {
    let campaign = Campaign::default();
    for key in KEYS {
        assert!(campaign.get(key).is_some(), "{key}");
        assert_eq!(campaign.with(key, "no such value"), Err(CampaignFault::Value), "{key}");
    }
    assert_eq!(campaign.with("colour", "red"), Err(CampaignFault::Key));
    assert_eq!(campaign.with("start", ""), Err(CampaignFault::Value));
    let without = campaign.with("deadline.officials", "").unwrap();
    assert_eq!(without.deadline(CampaignGroup::Officials), None);
}

/// "An `exempt` account (child, foreigner, card in the making; with reason and end day ...)".
#[test]
fn exemption_end_day_limited_by_kind() {
    let today = day("2024-02-29");
    for (why, latest) in [
        (Exemption::Child, "2029-02-28"),
        (Exemption::Foreigner, "2029-02-28"),
        (Exemption::CardInTheMaking, "2024-08-29"),
    ] {
        assert_eq!(why.latest(today), day(latest));
        for (last, may) in [
            ("2024-02-28", false),
            ("2024-02-29", true),
            (latest, true),
            ("2029-03-01", false),
        ] {
            assert_eq!(why.may_end_on(day(last), today), may, "{why:?} {last}");
        }
        assert_eq!(Exemption::parse(why.name()), Some(why));
    }
}

/// "From the start day, an account without a claim gets the form first each time", "a `pending` account sees its receipt", "an
/// `exempt` account sees a banner", "a freeze switch suspends gate", "`require`: no putting off".
#[test]
fn gate_requests_form_from_start_until_standardised() {
    let asked = Bucket {
        unit: None,
        official_to: None,
        exempt_to: None,
        held_to: None,
        claimed: false,
        last: LastFormState::NotStarted,
    };
    let letter = Campaign::default();
    let gate = |bucket: &Bucket, campaign: &Campaign, on| bucket.gate(campaign, day(on));
    assert_eq!(gate(&asked, &letter, "2023-07-14"), Gate::Rests);
    for on in ["2023-07-15", "2023-07-20", "2030-01-01"] {
        assert_eq!(
            gate(&asked, &letter, on),
            Gate::Asked,
            "the letter asks and shuts nobody out"
        );
    }
    let (claimed, exempt, last) = (true, Some(day("2023-08-01")), LastFormState::Pending);
    assert_eq!(
        gate(
            &Bucket {
                claimed,
                ..asked.clone()
            },
            &letter,
            "2023-07-20"
        ),
        Gate::Standardised
    );
    let exempt = Bucket {
        exempt_to: exempt,
        ..asked.clone()
    };
    assert_eq!(gate(&exempt, &letter, "2023-08-01"), Gate::Exempt);
    assert_eq!(gate(&exempt, &letter, "2023-08-02"), Gate::Asked);
    assert_eq!(
        gate(&Bucket { last, ..asked.clone() }, &letter, "2023-07-20"),
        Gate::Pending
    );
    let frozen = letter.with("freeze", "on").unwrap();
    assert_eq!(gate(&asked, &frozen, "2023-07-20"), Gate::Rests);

    let require = letter.with("after-deadline", "require").unwrap();
    let official = Bucket {
        official_to: Some(Date::MAX),
        ..asked.clone()
    };
    assert_eq!(gate(&official, &require, "2023-07-19"), Gate::Asked);
    assert_eq!(gate(&official, &require, "2023-07-20"), Gate::Required);
    assert_eq!(
        gate(&asked, &require, "2023-07-20"),
        Gate::Asked,
        "citizens have no deadline"
    );
    assert!(Gate::Required.asks() && Gate::Asked.asks() && !Gate::Pending.asks());
}
