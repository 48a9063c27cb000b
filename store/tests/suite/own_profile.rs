//! Tests of the way out of clauses 1 to 4: owners review their own HR profile, or propose changes that HR accepts.

use crate::both;
use crate::fixture::{DAY, House, On, name, official, profile};
use ngomon_rules::officials::Amendment;
use ngomon_rules::records::{AccountId, AccountKind, ServiceStatus};
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::Date;
use ngomon_store::{Refusal, SessionEnd, SessionToken, StoreError};

both! {
    a_review_lifts_its_hold_at_once
    extract_without_own_review_keeps_it
    proposal_takes_effect_when_accepted
    accepted_proposal_corrects_account_from_profile
    leaver_cannot_review_own_profile
    accepted_proposal_renews_valid_held_visits
}

fn id(id: &str) -> AccountId {
    AccountId(id.into())
}

/// CV001 to CV003 at one unit, reviewed in May; the clock is set a year and a day later.
async fn a_year_later(on: On) -> House {
    let house = House::new(on).await;
    house.units().await;
    house.officials((1..=3).map(|n| official(n, "X1")).collect()).await;
    house.profiles((1..=3).map(|n| profile(n, "X1")).collect()).await;
    house.store.reconcile(DAY, "op").await.unwrap();
    house.clock.move_on(366 * 86_400);
    let done = house.store.reconcile(house.store.today(), "op").await.unwrap();
    assert!(done.stopped_by.is_empty(), "{:?}", done.stopped_by);
    house
}

async fn held(house: &House) -> Vec<String> {
    let lines = house
        .store
        .holds(Some(AccountKind::Official), house.store.today())
        .await
        .unwrap();
    let held = lines.into_iter().filter(|(_, line)| !line.reasons.is_empty());
    held.map(|(id, line)| format!("{id} {:?}", line.reasons)).collect()
}

async fn a_review_lifts_its_hold_at_once(on: On) {
    let house = a_year_later(on).await;
    assert_eq!(
        held(&house).await,
        [
            "CV001 {ReviewOverdue}",
            "CV002 {ReviewOverdue}",
            "CV003 {ReviewOverdue}"
        ]
    );
    let visit = house.store.begin_session(&id("CV002")).await.unwrap();
    assert!(house.store.visit(visit.as_str()).await.unwrap().unwrap().held);
    house.store.review_profile(&id("CV002")).await.unwrap();
    assert_eq!(held(&house).await, ["CV001 {ReviewOverdue}", "CV003 {ReviewOverdue}"]);
    let again = house.store.begin_session(&id("CV002")).await.unwrap();
    assert!(!house.store.visit(again.as_str()).await.unwrap().unwrap().held);
    house.sound().await;
}

/// An extract that lacks the owner's review does not undo it.
async fn extract_without_own_review_keeps_it(on: On) {
    let house = a_year_later(on).await;
    house.store.review_profile(&id("CV002")).await.unwrap();
    let newer = |n| {
        let mut row = profile(n, "X1");
        row.updated_on = Some(Date::constant(2024, 7, 1));
        row.position = Some("Chuyên viên".into());
        row
    };
    house.profiles((1..=3).map(newer).collect()).await;
    house.store.reconcile(house.store.today(), "op").await.unwrap();
    assert_eq!(held(&house).await, ["CV001 {ReviewOverdue}", "CV003 {ReviewOverdue}"]);
    house.sound().await;
    house.store.rebuild(&mut |_| {}).await.unwrap();
    assert_eq!(held(&house).await, ["CV001 {ReviewOverdue}", "CV003 {ReviewOverdue}"]);
}

/// A proposed change takes effect when HR accepts it.
async fn proposal_takes_effect_when_accepted(on: On) {
    let house = a_year_later(on).await;
    let an = house.operator("an").await;
    house.store.review_profile(&id("CV001")).await.unwrap();
    let moves = Amendment {
        unit: Some(UnitCode("X2".into())),
        document: Some("12/QĐ-UBND".into()),
        ..Amendment::default()
    };
    let receipt = house.store.propose(&id("CV001"), &moves).await.unwrap();
    let waiting = house.store.proposals(&an).await.unwrap();
    assert_eq!((waiting.len(), &waiting[0].receipt), (1, &receipt));
    assert_eq!(waiting[0].amendment, moves);
    assert_eq!(held(&house).await.len(), 2, "nothing counts yet");

    let other = house.store.propose(&id("CV002"), &moves).await.unwrap();
    house
        .store
        .decide_proposal(&an, &other, false, "đã xem", "news")
        .await
        .unwrap();
    assert_eq!(held(&house).await.len(), 2);

    house
        .store
        .decide_proposal(&an, &receipt, true, "đã xem", "news")
        .await
        .unwrap();
    assert_eq!(
        held(&house).await[0],
        "CV001 {Moved}",
        "the account at the new unit is made by itself"
    );
    assert_eq!(
        house
            .sql("SELECT COUNT(*) FROM account WHERE unit = 'X2' AND kind = 'official'")
            .await,
        [1]
    );
    assert!(house.store.proposals(&an).await.unwrap().is_empty());
    for again in [&receipt, &other, &"no".to_owned()] {
        let refused = house.store.decide_proposal(&an, again, true, "đã xem", "news").await;
        assert!(matches!(refused, Err(StoreError::Refused(Refusal::UnknownProposal(_)))));
    }
    house.sound().await;
}

/// If the proposal says so, the account is corrected from the profile.
async fn accepted_proposal_corrects_account_from_profile(on: On) {
    let house = a_year_later(on).await;
    let an = house.operator("an").await;
    let mut differs = profile(3, "X1");
    differs.full_name = name(9);
    differs.updated_on = Some(Date::constant(2024, 7, 1));
    differs.reviewed_on = Some(Date::constant(2024, 7, 1));
    house.profiles(vec![profile(1, "X1"), profile(2, "X1"), differs]).await;
    house.store.reconcile(house.store.today(), "op").await.unwrap();
    assert_eq!(held(&house).await[2], "CV003 {Mismatch}");
    let follows = Amendment {
        account_follows: true,
        ..Amendment::default()
    };
    let receipt = house.store.propose(&id("CV003"), &follows).await.unwrap();
    house
        .store
        .decide_proposal(&an, &receipt, true, "đã xem", "news")
        .await
        .unwrap();
    assert_eq!(held(&house).await, ["CV001 {ReviewOverdue}", "CV002 {ReviewOverdue}"]);
    house.sound().await;
}

/// A person who left the service cannot review the profile.
async fn leaver_cannot_review_own_profile(on: On) {
    let house = a_year_later(on).await;
    let mut left = profile(3, "X1");
    left.status = ServiceStatus::Resigned;
    left.updated_on = Some(Date::constant(2024, 7, 1));
    house.profiles(vec![profile(1, "X1"), profile(2, "X1"), left]).await;
    house.store.reconcile(house.store.today(), "op").await.unwrap();
    let refused = |done| matches!(done, Err(StoreError::Refused(Refusal::NoProfileInService(_))));
    assert!(refused(house.store.review_profile(&id("CV003")).await));
    assert!(refused(house.store.review_profile(&id("no such")).await));
    assert_eq!(held(&house).await[2], "CV003 {Left}");
    house.sound().await;
}

/// A held visit whose owner waits for the answer goes on. One that another hold had ended before stays ended.
async fn accepted_proposal_renews_valid_held_visits(on: On) {
    let house = a_year_later(on).await;
    let an = house.operator("an").await;
    let moves = Amendment {
        unit: Some(UnitCode("X2".into())),
        document: Some("12/QĐ-UBND".into()),
        ..Amendment::default()
    };
    let is_valid = async |token: &SessionToken| house.store.visit(token.as_str()).await.unwrap().is_some();
    let ended = house.store.begin_session(&id("CV001")).await.unwrap();
    assert!(is_valid(&ended).await);
    for named in [name(9), name(1)] {
        let mut row = profile(1, "X1");
        row.full_name = named;
        row.updated_on = Some(Date::constant(2024, 7, 1));
        house.profiles(vec![row, profile(2, "X1"), profile(3, "X1")]).await;
        house.store.reconcile(house.store.today(), "op").await.unwrap();
    }
    assert!(
        !is_valid(&ended).await,
        "a new hold ends what is open, also after it is lifted"
    );
    let receipt = house.store.propose(&id("CV001"), &moves).await.unwrap();
    let waits = [
        house.store.begin_session(&id("CV001")).await.unwrap(),
        house.store.begin_session(&id("CV001")).await.unwrap(),
    ];
    house
        .store
        .decide_proposal(&an, &receipt, true, "đã xem", "news")
        .await
        .unwrap();
    assert!(held(&house).await.contains(&"CV001 {Moved}".to_owned()));
    for token in &waits {
        assert!(is_valid(token).await, "its owner waits for the answer");
    }
    assert!(!is_valid(&ended).await, "it stays ended");
    assert_eq!(
        house.store.session_end(ended.as_str()).await.unwrap(),
        SessionEnd::Change
    );
    house.clock.move_on(16 * 60);
    assert_eq!(
        house.store.session_end(waits[0].as_str()).await.unwrap(),
        SessionEnd::Time
    );
    assert_eq!(house.store.session_end("none").await.unwrap(), SessionEnd::Gone);
    house.sound().await;
}
