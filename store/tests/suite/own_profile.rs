//! Tests of the way out of clauses 1 to 4: owners review their own HR profile, or propose changes that HR accepts.

use crate::both;
use crate::fixture::{DAY, Fixture, On, name, official, profile};
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
async fn a_year_later(on: On) -> Fixture {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials((1..=3).map(|n| official(n, "X1")).collect()).await;
    fixture.profiles((1..=3).map(|n| profile(n, "X1")).collect()).await;
    fixture.store.reconcile(DAY, "op").await.unwrap();
    fixture.clock.move_on(366 * 86_400);
    let done = fixture.store.reconcile(fixture.store.today(), "op").await.unwrap();
    assert!(done.stopped_by.is_empty(), "{:?}", done.stopped_by);
    fixture
}

async fn held(fixture: &Fixture) -> Vec<String> {
    let lines = fixture
        .store
        .holds(Some(AccountKind::Official), fixture.store.today())
        .await
        .unwrap();
    let held = lines.into_iter().filter(|(_, line)| !line.reasons.is_empty());
    held.map(|(id, line)| format!("{id} {:?}", line.reasons)).collect()
}

async fn a_review_lifts_its_hold_at_once(on: On) {
    let fixture = a_year_later(on).await;
    assert_eq!(
        held(&fixture).await,
        [
            "CV001 {ReviewOverdue}",
            "CV002 {ReviewOverdue}",
            "CV003 {ReviewOverdue}"
        ]
    );
    let visit = fixture.store.begin_session(&id("CV002")).await.unwrap();
    assert!(fixture.store.session(visit.as_str()).await.unwrap().unwrap().held);
    fixture.store.review_profile(&id("CV002")).await.unwrap();
    assert_eq!(held(&fixture).await, ["CV001 {ReviewOverdue}", "CV003 {ReviewOverdue}"]);
    let again = fixture.store.begin_session(&id("CV002")).await.unwrap();
    assert!(!fixture.store.session(again.as_str()).await.unwrap().unwrap().held);
    fixture.sound().await;
}

/// An extract that lacks the owner's review does not undo it.
async fn extract_without_own_review_keeps_it(on: On) {
    let fixture = a_year_later(on).await;
    fixture.store.review_profile(&id("CV002")).await.unwrap();
    let newer = |n| {
        let mut row = profile(n, "X1");
        row.updated_on = Some(Date::constant(2024, 7, 1));
        row.position = Some("Chuyên viên".into());
        row
    };
    fixture.profiles((1..=3).map(newer).collect()).await;
    fixture.store.reconcile(fixture.store.today(), "op").await.unwrap();
    assert_eq!(held(&fixture).await, ["CV001 {ReviewOverdue}", "CV003 {ReviewOverdue}"]);
    fixture.sound().await;
    fixture.store.rebuild(&mut |_| {}).await.unwrap();
    assert_eq!(held(&fixture).await, ["CV001 {ReviewOverdue}", "CV003 {ReviewOverdue}"]);
}

/// A proposed change takes effect when HR accepts it.
async fn proposal_takes_effect_when_accepted(on: On) {
    let fixture = a_year_later(on).await;
    let an = fixture.operator("an").await;
    fixture.store.review_profile(&id("CV001")).await.unwrap();
    let moves = Amendment {
        unit: Some(UnitCode("X2".into())),
        document: Some("12/QĐ-UBND".into()),
        ..Amendment::default()
    };
    let receipt = fixture.store.propose(&id("CV001"), &moves).await.unwrap();
    let waiting = fixture.store.proposals(&an).await.unwrap();
    assert_eq!((waiting.len(), &waiting[0].receipt), (1, &receipt));
    assert_eq!(waiting[0].amendment, moves);
    assert_eq!(held(&fixture).await.len(), 2, "nothing counts yet");

    let other = fixture.store.propose(&id("CV002"), &moves).await.unwrap();
    fixture
        .store
        .decide_proposal(&an, &other, false, "đã xem", "news")
        .await
        .unwrap();
    assert_eq!(held(&fixture).await.len(), 2);

    fixture
        .store
        .decide_proposal(&an, &receipt, true, "đã xem", "news")
        .await
        .unwrap();
    assert_eq!(
        held(&fixture).await[0],
        "CV001 {Moved}",
        "the account at the new unit is made by itself"
    );
    assert_eq!(
        fixture
            .sql("SELECT COUNT(*) FROM account WHERE unit = 'X2' AND kind = 'official'")
            .await,
        [1]
    );
    assert!(fixture.store.proposals(&an).await.unwrap().is_empty());
    for again in [&receipt, &other, &"no".to_owned()] {
        let refused = fixture.store.decide_proposal(&an, again, true, "đã xem", "news").await;
        assert!(matches!(refused, Err(StoreError::Refused(Refusal::UnknownProposal(_)))));
    }
    fixture.sound().await;
}

/// If the proposal says so, the account is corrected from the profile.
async fn accepted_proposal_corrects_account_from_profile(on: On) {
    let fixture = a_year_later(on).await;
    let an = fixture.operator("an").await;
    let mut differs = profile(3, "X1");
    differs.full_name = name(9);
    differs.updated_on = Some(Date::constant(2024, 7, 1));
    differs.reviewed_on = Some(Date::constant(2024, 7, 1));
    fixture
        .profiles(vec![profile(1, "X1"), profile(2, "X1"), differs])
        .await;
    fixture.store.reconcile(fixture.store.today(), "op").await.unwrap();
    assert_eq!(held(&fixture).await[2], "CV003 {Mismatch}");
    let follows = Amendment {
        account_follows: true,
        ..Amendment::default()
    };
    let receipt = fixture.store.propose(&id("CV003"), &follows).await.unwrap();
    fixture
        .store
        .decide_proposal(&an, &receipt, true, "đã xem", "news")
        .await
        .unwrap();
    assert_eq!(held(&fixture).await, ["CV001 {ReviewOverdue}", "CV002 {ReviewOverdue}"]);
    fixture.sound().await;
}

/// A person who left the service cannot review the profile.
async fn leaver_cannot_review_own_profile(on: On) {
    let fixture = a_year_later(on).await;
    let mut left = profile(3, "X1");
    left.status = ServiceStatus::Resigned;
    left.updated_on = Some(Date::constant(2024, 7, 1));
    fixture.profiles(vec![profile(1, "X1"), profile(2, "X1"), left]).await;
    fixture.store.reconcile(fixture.store.today(), "op").await.unwrap();
    let refused = |done| matches!(done, Err(StoreError::Refused(Refusal::NoProfileInService(_))));
    assert!(refused(fixture.store.review_profile(&id("CV003")).await));
    assert!(refused(fixture.store.review_profile(&id("no such")).await));
    assert_eq!(held(&fixture).await[2], "CV003 {Left}");
    fixture.sound().await;
}

/// A held visit whose owner waits for the answer goes on. One that another hold had ended before stays ended.
async fn accepted_proposal_renews_valid_held_visits(on: On) {
    let fixture = a_year_later(on).await;
    let an = fixture.operator("an").await;
    let moves = Amendment {
        unit: Some(UnitCode("X2".into())),
        document: Some("12/QĐ-UBND".into()),
        ..Amendment::default()
    };
    let is_valid = async |token: &SessionToken| fixture.store.session(token.as_str()).await.unwrap().is_some();
    let ended = fixture.store.begin_session(&id("CV001")).await.unwrap();
    assert!(is_valid(&ended).await);
    for named in [name(9), name(1)] {
        let mut row = profile(1, "X1");
        row.full_name = named;
        row.updated_on = Some(Date::constant(2024, 7, 1));
        fixture.profiles(vec![row, profile(2, "X1"), profile(3, "X1")]).await;
        fixture.store.reconcile(fixture.store.today(), "op").await.unwrap();
    }
    assert!(
        !is_valid(&ended).await,
        "a new hold ends what is open, also after it is lifted"
    );
    let receipt = fixture.store.propose(&id("CV001"), &moves).await.unwrap();
    let waits = [
        fixture.store.begin_session(&id("CV001")).await.unwrap(),
        fixture.store.begin_session(&id("CV001")).await.unwrap(),
    ];
    fixture
        .store
        .decide_proposal(&an, &receipt, true, "đã xem", "news")
        .await
        .unwrap();
    assert!(held(&fixture).await.contains(&"CV001 {Moved}".to_owned()));
    for token in &waits {
        assert!(is_valid(token).await, "its owner waits for the answer");
    }
    assert!(!is_valid(&ended).await, "it stays ended");
    assert_eq!(
        fixture.store.session_end(ended.as_str()).await.unwrap(),
        SessionEnd::Change
    );
    fixture.clock.move_on(16 * 60);
    assert_eq!(
        fixture.store.session_end(waits[0].as_str()).await.unwrap(),
        SessionEnd::Time
    );
    assert_eq!(fixture.store.session_end("none").await.unwrap(), SessionEnd::Gone);
    fixture.sound().await;
}
