//! C5: a stronger proof takes over a claim; C3: a claim made on the wrong account is withdrawn.

use crate::people::{citizen, claim_of_nga, number};
use ngomon_rules::citizens::{CitizenAccount, Proof, on_join, on_take_over, on_taken, on_withdrawal};
use ngomon_rules::event::{Change, ClaimEnd, Event};
use ngomon_rules::hold::{Cause, Reason};
use ngomon_rules::records::{AccountAttributes, AccountId};

fn told(events: &[Event]) -> Vec<String> {
    let told = |event: &Event| {
        let account = event.account()?;
        Some(match &event.change {
            Change::ClaimMade { .. } => format!("{account} claims"),
            Change::ClaimEnded {
                how: ClaimEnd::TakenOver,
                ..
            } => format!("{account} loses"),
            Change::ClaimEnded {
                how: ClaimEnd::Withdrawn,
                ..
            } => format!("{account} withdraws"),
            Change::ClaimEnded {
                how: ClaimEnd::Joined, ..
            } => format!("{account} gives"),
            Change::AccountJoined { into } => format!("{account} joined {into}"),
            Change::HoldPlaced { hold } => format!("{account} held {} {}", hold.reason, hold.cause.0),
            Change::HoldLifted { reason, cause } => format!("{account} lifted {reason} {}", cause.0),
            _ => return None,
        })
    };
    events.iter().filter_map(told).collect()
}

/// A proof takes over only from a weaker one: form, counter, VNeID.
#[test]
fn proof_takes_over_only_from_weaker_proof() {
    assert!(Proof::Counter.takes_over(Proof::Form) && Proof::Vneid.takes_over(Proof::Counter));
    assert!(!Proof::Form.takes_over(Proof::Form) && !Proof::Counter.takes_over(Proof::Vneid));
}

/// Withdrawing a claim lifts all holds that it caused and places none.
#[test]
fn withdrawal_lifts_holds_of_claim_and_places_none() {
    let caused = [
        (AccountId("HS2".into()), Reason::Duplicate),
        (AccountId("HS3".into()), Reason::ClaimLost),
    ];
    let events = on_withdrawal(&claim_of_nga("HS1"), &caused);
    assert_eq!(
        told(&events),
        [
            "HS1 withdraws",
            "HS2 lifted duplicate claim:HS1",
            "HS3 lifted claim-lost claim:HS1"
        ]
    );
}

/// A stronger proof takes the claim over, and the other accounts are compared with it again.
#[test]
fn stronger_proof_takes_over_and_others_are_reassessed() {
    let states_her = |id: &str| {
        citizen(
            id,
            AccountAttributes {
                national_id: Some(number(1)),
                ..AccountAttributes::default()
            },
        )
    };
    let held = |id: &str| {
        let mut account = states_her(id);
        account.holds.push(ngomon_rules::hold::Hold {
            reason: Reason::Duplicate,
            cause: Cause::claim(&AccountId("HS1".into())),
            evidence: [].into(),
            last_day: None,
        });
        account
    };
    let caused = [
        (AccountId("HS2".into()), Reason::Duplicate),
        (AccountId("HS3".into()), Reason::Duplicate),
    ];
    let others = [states_her("HS1"), held("HS2"), held("HS3")];
    let events = on_take_over(
        &held("HS2"),
        &claim_of_nga("HS1"),
        Proof::Form,
        Proof::Counter,
        &caused,
        &others,
    )
    .unwrap();
    assert_eq!(
        told(&events),
        [
            "HS1 loses",
            "HS1 held claim-lost claim:HS2",
            "HS2 lifted duplicate claim:HS1",
            "HS3 lifted duplicate claim:HS1",
            "HS2 claims",
            "HS3 held duplicate claim:HS2",
        ]
    );
}

#[test]
fn a_proof_that_is_not_stronger_takes_nothing_over() {
    let account = citizen("HS2", AccountAttributes::default());
    for (held_by, proof) in [(Proof::Form, Proof::Form), (Proof::Vneid, Proof::Counter)] {
        assert!(on_take_over(&account, &claim_of_nga("HS1"), held_by, proof, &[], &[]).is_none());
    }
    let own = citizen("HS1", AccountAttributes::default());
    assert!(on_take_over(&own, &claim_of_nga("HS1"), Proof::Form, Proof::Vneid, &[], &[]).is_none());
}

/// "[The owner] can join it to the standardised account by proving both, choosing which of the two stays."
#[test]
fn join_keeps_account_chosen_by_owner() {
    let claim = claim_of_nga("HS1");
    let holder = CitizenAccount {
        claim: Some(claim.person.clone()),
        ..citizen("HS1", AccountAttributes::default())
    };
    let hers = AccountAttributes {
        national_id: Some(number(1)),
        ..AccountAttributes::default()
    };
    let stranger = citizen("HS2", hers.clone());
    let hold = |account: &CitizenAccount| {
        let placed = on_taken(account, &holder.id).remove(0);
        let Change::HoldPlaced { hold } = placed.change else {
            panic!("a hold")
        };
        CitizenAccount {
            holds: vec![hold],
            ..account.clone()
        }
    };
    let (held, third) = (hold(&stranger), hold(&citizen("HS3", hers)));
    let caused = [&held, &third].map(|account| (account.id.clone(), Reason::Duplicate));
    let others = [held.clone(), holder.clone(), third];
    let join = |held: &CitizenAccount, stays| {
        on_join(held, &holder, &claim, Proof::Form, stays, &caused, &others).map(|events| told(&events))
    };
    assert_eq!(join(&held, false).unwrap(), ["HS2 joined HS1"]);
    assert_eq!(
        join(&held, true).unwrap(),
        [
            "HS1 joined HS2",
            "HS1 gives",
            "HS2 lifted duplicate claim:HS1",
            "HS3 lifted duplicate claim:HS1",
            "HS2 claims",
            "HS3 held duplicate claim:HS2",
            "HS1 held duplicate claim:HS2"
        ]
    );
    assert_eq!(join(&stranger, true), None, "not a duplicate of that claim");
}

/// The account that lost first is compared again with the rest when the second claim is taken over too, even if it takes the claim back
/// itself.
#[test]
fn first_claim_loser_reassessed_on_second_take_over() {
    let states_her = |id: &str| {
        let stated = AccountAttributes {
            national_id: Some(number(1)),
            ..AccountAttributes::default()
        };
        citizen(id, stated)
    };
    let mut lost = states_her("HS1");
    lost.holds.push(ngomon_rules::hold::Hold {
        reason: Reason::ClaimLost,
        cause: Cause::claim(&AccountId("HS2".into())),
        evidence: [].into(),
        last_day: None,
    });
    let caused = [(AccountId("HS1".into()), Reason::ClaimLost)];
    let others = [lost.clone(), states_her("HS2"), states_her("HS3")];
    let taken = |by: &CitizenAccount| {
        let events = on_take_over(by, &claim_of_nga("HS2"), Proof::Counter, Proof::Vneid, &caused, &others);
        told(&events.unwrap())
    };
    assert_eq!(
        taken(&states_her("HS3")),
        [
            "HS2 loses",
            "HS2 held claim-lost claim:HS3",
            "HS1 lifted claim-lost claim:HS2",
            "HS3 claims",
            "HS1 held duplicate claim:HS3",
        ]
    );
    assert_eq!(
        taken(&lost),
        [
            "HS2 loses",
            "HS2 held claim-lost claim:HS1",
            "HS1 lifted claim-lost claim:HS2",
            "HS1 claims",
            "HS3 held duplicate claim:HS1",
        ]
    );
}
