//! Tests of C5: two accounts of one owner are joined; a review is requested.

use crate::both;
use crate::fixture::{Fixture, On, citizen, phone};
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_store::{Factor, Join, Refusal, StoreError};

both! {
    join_keeping_claim_holder_holds_the_other
    join_keeping_other_account_moves_claim
    join_refused_without_duplicate_hold
    two_joins_at_once_leave_one_claim
    join_session_continues_as_remaining_account
    review_request_is_recorded_once
}

fn join(held: &str, holder: &str, held_stays: bool) -> Join {
    Join {
        held: AccountId(held.into()),
        holder: AccountId(holder.into()),
        held_stays,
    }
}

/// C1 is standardised, C2 and C3 state the same number, C4 is another person's.
async fn fixture(on: On) -> Fixture {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    let accounts = [("C1", 1), ("C2", 1), ("C3", 1), ("C4", 2)].map(|(id, person)| {
        let mut row = citizen(id, person);
        row.stated.phone = Some(phone(7));
        row
    });
    fixture.citizens(accounts.into()).await;
    fixture.submit("C1", 1).await;
    fixture
}

/// If the account with the claim stays, the other one is held.
async fn join_keeping_claim_holder_holds_the_other(on: On) {
    let fixture = fixture(on).await;
    fixture.store.join(&join("C2", "C1", false), "news").await.unwrap();
    assert_eq!(
        fixture.held(AccountKind::Citizen).await,
        ["C2: duplicate", "C3: duplicate"]
    );
    let told = fixture.store.messages(9).await.unwrap();
    assert_eq!(told.len(), 2, "both owners are told");
    assert!(told.iter().all(|message| message.text == "news"));
    fixture.sound().await;
}

/// If the other account stays, the claim moves to it.
async fn join_keeping_other_account_moves_claim(on: On) {
    let fixture = fixture(on).await;
    let before = fixture.store.begin_session(&AccountId("C1".into())).await.unwrap();
    let held = fixture.store.begin_session(&AccountId("C2".into())).await.unwrap();
    fixture.store.join(&join("C2", "C1", true), "news").await.unwrap();
    assert_eq!(
        fixture.held(AccountKind::Citizen).await,
        ["C1: duplicate", "C3: duplicate"]
    );
    assert!(
        fixture.store.session(before.as_str()).await.unwrap().is_none(),
        "its hold ended it"
    );
    assert!(
        fixture.store.session(held.as_str()).await.unwrap().unwrap().held,
        "lifting revives nothing"
    );
    let again = fixture.store.begin_session(&AccountId("C2".into())).await.unwrap();
    assert!(!fixture.store.session(again.as_str()).await.unwrap().unwrap().held);
    assert_eq!(
        fixture
            .sql("SELECT COUNT(*) FROM succession WHERE account = 'C2' AND succeeds = 'C1'")
            .await,
        [1]
    );
    fixture.sound().await;
    // And back again.
    fixture.store.join(&join("C1", "C2", true), "news").await.unwrap();
    assert_eq!(
        fixture.held(AccountKind::Citizen).await,
        ["C2: duplicate", "C3: duplicate"]
    );
    fixture.sound().await;
}

/// Accounts that are no duplicates are not joined.
async fn join_refused_without_duplicate_hold(on: On) {
    let fixture = fixture(on).await;
    for (held, holder) in [("C4", "C1"), ("C1", "C2"), ("C2", "C4"), ("C1", "C1"), ("no", "C1")] {
        let refused = fixture.store.join(&join(held, holder, true), "news").await;
        assert!(
            matches!(refused, Err(StoreError::Refused(Refusal::CannotJoin(..)))),
            "{held} {holder}"
        );
    }
    assert!(fixture.store.messages(9).await.unwrap().is_empty());
    fixture.sound().await;
}

async fn two_joins_at_once_leave_one_claim(on: On) {
    let fixture = fixture(on).await;
    let (one, two) = (join("C2", "C1", true), join("C3", "C1", true));
    let (one, two) = tokio::join!(fixture.store.join(&one, "news"), fixture.store.join(&two, "news"));
    assert!(one.is_ok() != two.is_ok(), "one of them came first");
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM claim WHERE until IS NULL").await, [1]);
    fixture.sound().await;
}

/// The new session keeps the authentication time and method of the proof, and the owner's return address.
async fn join_session_continues_as_remaining_account(on: On) {
    let fixture = fixture(on).await;
    let store = &fixture.store;
    for (factor, amr) in [(Factor::Password, "pwd"), (Factor::Code, "otp")] {
        let held = store.begin_session(&AccountId("C2".into())).await.unwrap();
        store.set_next(held.as_str(), "/authorize?x").await.unwrap();
        let proven = store.now();
        fixture.clock.move_on(60);
        store.join(&join("C2", "C1", false), "news").await.unwrap();
        let stays = AccountId("C1".into());
        let token = store
            .resume_after_join(held.as_str(), &stays, factor, proven)
            .await
            .unwrap();
        let visit = store.session(token.as_str()).await.unwrap().unwrap();
        assert_eq!((visit.account, visit.held), (stays, false));
        assert_eq!((visit.began, visit.amr.as_str()), (proven.as_microsecond(), amr));
        assert!(store.session(held.as_str()).await.unwrap().is_none());
        let next = store.take_next(token.as_str()).await.unwrap();
        assert_eq!(next.as_deref(), Some("/authorize?x"));
    }
    fixture.sound().await;
}

/// A review is requested once, and is closed when nothing holds the account.
async fn review_request_is_recorded_once(on: On) {
    let fixture = fixture(on).await;
    let an = fixture.operator("an").await;
    let account = AccountId("C2".into());
    let first = fixture.store.request_review(&account).await.unwrap();
    assert_eq!(fixture.store.request_review(&account).await.unwrap(), first);
    assert_eq!(fixture.store.open_review(&account).await.unwrap(), Some(first.clone()));
    let waiting = fixture.store.review_requests(&an).await.unwrap();
    assert_eq!((waiting.len(), &waiting[0].receipt), (1, &first));
    // The account is standardised as another person's: nothing holds it, and the review is no longer needed.
    fixture.submit("C2", 2).await;
    assert!(fixture.store.review_requests(&an).await.unwrap().is_empty());
    fixture.sound().await;
}
