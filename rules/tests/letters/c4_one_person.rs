//! C4: "Nhằm đảm bảo tính duy nhất của tài khoản, sau khi có một tài khoản được chuẩn hóa thành công, các tài khoản khác nếu có
//! thông tin không chính xác hoặc trùng lặp thông tin sẽ bị hệ thống khóa hoạt động."

use crate::people::{citizen, claim_of_nga, name, number, phone};
use ngomon_rules::citizens::{DuplicateMatch, Proof, match_claim, on_arrival, on_success, on_taken};
use ngomon_rules::event::{Change, Event, PersonId};
use ngomon_rules::hold::{Cause, Hold, Reason};
use ngomon_rules::records::AccountAttributes;

fn stated(who: &str, n: Option<u32>, tel: Option<u32>) -> AccountAttributes {
    AccountAttributes {
        full_name: Some(name(who)),
        national_id: n.map(number),
        phone: tel.map(phone),
        ..AccountAttributes::default()
    }
}

fn placed(events: &[Event]) -> Vec<(&str, Reason)> {
    let hold = |event: &Event| match &event.change {
        Change::HoldPlaced { hold } => Some(hold.reason),
        _ => None,
    };
    events
        .iter()
        .filter_map(|e| Some((e.account()?.as_str(), hold(e)?)))
        .collect()
}

/// Another account matches a claim by the national id, or by phone and exact name; less is only suspected.
#[test]
fn duplicate_match_by_number_or_phone_and_exact_name() {
    let claim = claim_of_nga("HS1");
    for (account, expected) in [
        (stated("Ai Đó", Some(1), None), DuplicateMatch::Duplicate("national_id")),
        (
            stated("HỒ THỊ NGA", None, Some(1)),
            DuplicateMatch::Duplicate("phone full_name"),
        ),
        // A folded match is not exact: without a number it does not identify the person.
        (stated("Ho Thi Nga", None, Some(1)), DuplicateMatch::Suspected),
        (stated("Hồ Bé Na", None, Some(1)), DuplicateMatch::Suspected),
        (stated("Hồ Thị Nga", Some(2), Some(1)), DuplicateMatch::Suspected),
        (stated("Hồ Thị Nga", None, Some(2)), DuplicateMatch::None),
        (stated("Hồ Thị Nga", None, None), DuplicateMatch::None),
        (AccountAttributes::default(), DuplicateMatch::None),
    ] {
        assert_eq!(
            match_claim(&citizen("HS2", account.clone()), &claim),
            expected,
            "{account:?}"
        );
    }
}

/// If the registry has no phone, no phone matches.
#[test]
fn registry_without_phone_gives_no_duplicate_match() {
    let claim = ngomon_rules::citizens::ClaimedIdentity {
        phone: None,
        ..claim_of_nga("HS1")
    };
    assert_eq!(
        match_claim(&citizen("HS2", stated("Hồ Thị Nga", None, None)), &claim),
        DuplicateMatch::None
    );
}

/// Each national id that the person ever had counts as a match.
#[test]
fn former_national_id_gives_duplicate_match() {
    let mut claim = claim_of_nga("HS1");
    claim.numbers.push(number(9));
    assert_eq!(
        match_claim(&citizen("HS2", stated("X", Some(9), None)), &claim),
        DuplicateMatch::Duplicate("national_id")
    );
}

#[test]
fn an_account_with_a_claim_of_its_own_never_gets_duplicate() {
    let mut other = citizen("HS2", stated("Hồ Thị Nga", Some(1), Some(1)));
    other.claim = Some(PersonId("somebody".into()));
    assert_eq!(match_claim(&other, &claim_of_nga("HS1")), DuplicateMatch::None);
}

/// A success makes the claim, corrects the spelling of the name and holds the other accounts of the person.
#[test]
fn success_makes_claim_corrects_name_holds_duplicates() {
    let account = citizen("HS1", stated("HO THI NGA", None, None));
    let others = [
        account.clone(),
        citizen("HS2", stated("X", Some(1), None)),
        citizen("HS3", stated("Hồ Bé Na", None, Some(1))),
    ];
    let events = on_success(&account, &claim_of_nga("HS1"), Proof::Form, &others);
    assert!(matches!(events[0].change, Change::ClaimMade { proof: Proof::Form, .. }));
    assert!(matches!(&events[1].change, Change::AccountChanged { fields } if fields == &["full_name"]));
    assert_eq!(placed(&events), [("HS2", Reason::Duplicate)]);
}

/// A success lifts the holds that came from other claims and leaves a hold by order.
#[test]
fn success_lifts_claim_holds_and_keeps_order() {
    let mut account = citizen("HS1", AccountAttributes::default());
    let hold = |reason, cause: &str| Hold {
        reason,
        cause: Cause(cause.into()),
        evidence: [].into(),
        last_day: None,
    };
    account.holds = vec![
        hold(Reason::Duplicate, "claim:HS9"),
        hold(Reason::ClaimLost, "claim:HS8"),
        hold(Reason::ByOrder, "order:1"),
    ];
    let events = on_success(&account, &claim_of_nga("HS1"), Proof::Form, &[]);
    let lifted: Vec<Reason> = events
        .iter()
        .filter_map(|e| match &e.change {
            Change::HoldLifted { reason, .. } => Some(*reason),
            _ => None,
        })
        .collect();
    assert_eq!(lifted, [Reason::Duplicate, Reason::ClaimLost]);
}

/// The outcome `taken` holds the submitting account, once for each claim.
#[test]
fn taken_outcome_holds_submitter_once_per_claim() {
    let mut account = citizen("HS2", AccountAttributes::default());
    let events = on_taken(&account, &claim_of_nga("HS1").holder);
    assert_eq!(placed(&events), [("HS2", Reason::Duplicate)]);
    let Change::HoldPlaced { hold } = &events[0].change else {
        panic!("a hold")
    };
    account.holds.push(hold.clone());
    assert!(on_taken(&account, &claim_of_nga("HS1").holder).is_empty());
    // A different claim is a different cause.
    assert_eq!(on_taken(&account, &claim_of_nga("HS7").holder).len(), 1);
}

/// An account that arrives later is compared with the existing claims.
#[test]
fn arriving_account_compared_with_existing_claims() {
    let account = citizen("HS5", stated("Hồ Thị Nga", None, Some(1)));
    assert_eq!(
        placed(&on_arrival(&account, &[claim_of_nga("HS1")])),
        [("HS5", Reason::Duplicate)]
    );
    assert!(
        on_arrival(
            &citizen("HS1", stated("Hồ Thị Nga", Some(1), None)),
            &[claim_of_nga("HS1")]
        )
        .is_empty()
    );
}
