//! Tests of "`idle` after 45 days without a sign-in": the rule reads the recorded sign-ins, and the owner has a way out.

use crate::both;
use crate::fixture::{DAY, Fixture, On, official, profile};
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_rules::values::Date;
use ngomon_store::SessionToken;

both! {
    sign_in_prevents_idle_hold
    a_code_lifts_idle_and_leaves_the_rest
    sign_in_does_not_make_waiting_run_stale
}

fn id(id: &str) -> AccountId {
    AccountId(id.into())
}

/// CV001 to CV003, last used on that day of July; accounts are idle after 45 days.
async fn office(on: On) -> Fixture {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let row = |n| {
        let mut row = official(n, "A");
        row.last_sign_in_on = Some(Date::constant(2023, 7, 20));
        row
    };
    fixture.officials((1..=3).map(row).collect()).await;
    fixture.profiles((1..=3).map(|n| profile(n, "A")).collect()).await;
    fixture.store.set_policy("idle-days", "45", "op").await.unwrap();
    fixture.store.reconcile(DAY, "op").await.unwrap();
    fixture
}

async fn reconciled(fixture: &Fixture) -> Vec<String> {
    let today = fixture.store.today();
    fixture.store.reconcile(today, "op").await.unwrap();
    held(fixture).await
}

async fn held(fixture: &Fixture) -> Vec<String> {
    let kind = Some(AccountKind::Official);
    let lines = fixture.store.holds(kind, fixture.store.today()).await.unwrap();
    let held = lines.into_iter().filter(|(_, line)| !line.reasons.is_empty());
    held.map(|(id, line)| format!("{id} {:?}", line.reasons)).collect()
}

async fn is_held(fixture: &Fixture, token: &SessionToken) -> bool {
    fixture.store.session(token.as_str()).await.unwrap().unwrap().held
}

async fn entries(fixture: &Fixture) -> i64 {
    let sql = "SELECT COUNT(*) FROM journal WHERE kind = 'signed-in'";
    fixture.sql(sql).await[0]
}

/// An account with a sign-in is not idle.
async fn sign_in_prevents_idle_hold(on: On) {
    let fixture = office(on).await;
    for _ in 0..3 {
        fixture.store.begin_session(&id("CV002")).await.unwrap();
    }
    assert_eq!(entries(&fixture).await, 1, "once a day");
    fixture.clock.move_on(40 * 86_400);
    fixture.store.begin_session(&id("CV003")).await.unwrap();
    assert_eq!(entries(&fixture).await, 2);
    assert_eq!(reconciled(&fixture).await, ["CV001 {Idle}"]);
    // A held visit by the password alone is no sign-in.
    let visit = fixture.store.begin_session(&id("CV001")).await.unwrap();
    assert!(is_held(&fixture, &visit).await);
    assert_eq!(entries(&fixture).await, 2);
    assert_eq!(reconciled(&fixture).await, ["CV001 {Idle}"]);
    fixture.sound().await;
    fixture.store.rebuild(&mut |_| {}).await.unwrap();
    assert_eq!(reconciled(&fixture).await, ["CV001 {Idle}"]);

    // While the policy is off, one sign-in a week is recorded.
    fixture.store.set_policy("idle-days", "", "op").await.unwrap();
    assert_eq!(reconciled(&fixture).await.len(), 0);
    for _ in 0..14 {
        fixture.clock.move_on(86_400);
        fixture.store.begin_session(&id("CV003")).await.unwrap();
    }
    assert_eq!(entries(&fixture).await, 4);
    let last = fixture
        .store
        .account_explanation("CV003", fixture.store.today())
        .await
        .unwrap();
    assert_eq!(last.fact("last_sign_in_on"), Some(&*fixture.store.today().to_string()));
    fixture.sound().await;
}

async fn a_code_lifts_idle_and_leaves_the_rest(on: On) {
    let fixture = office(on).await;
    fixture.clock.move_on(366 * 86_400);
    // They were not reviewed for a year either.
    let both = |n| format!("CV00{n} {{Idle, ReviewOverdue}}");
    assert_eq!(reconciled(&fixture).await, [both(1), both(2), both(3)]);
    let visit = fixture.store.begin_session(&id("CV002")).await.unwrap();
    fixture.store.end_idle(&id("CV002")).await.unwrap();
    let now = [both(1), "CV002 {ReviewOverdue}".into(), both(3)];
    assert_eq!(held(&fixture).await, now);
    assert!(is_held(&fixture, &visit).await, "the visit goes on to the other hold");
    fixture.store.review_profile(&id("CV002")).await.unwrap();
    assert_eq!(held(&fixture).await, [both(1), both(3)]);
    assert!(!is_held(&fixture, &fixture.store.begin_session(&id("CV002")).await.unwrap()).await);
    assert_eq!(reconciled(&fixture).await, [both(1), both(3)], "nothing puts it back");

    let before = entries(&fixture).await;
    fixture.store.end_idle(&id("CV002")).await.unwrap();
    fixture.store.end_idle(&id("no such")).await.unwrap();
    assert_eq!(
        entries(&fixture).await,
        before,
        "where nothing is idle, nothing is written"
    );
    let explanation = fixture
        .store
        .account_explanation("CV002", fixture.store.today())
        .await
        .unwrap();
    let lifted = explanation.history.iter().find(|entry| entry.by == "CV002");
    assert_eq!(lifted.unwrap().clause.as_deref(), Some("policy"), "it names its owner");
    fixture.sound().await;
    // Sign-ins alone affect no account in the next incremental run.
    fixture.store.set_policy("idle-days", "30", "op").await.unwrap();
    let whole = reconciled(&fixture).await;
    fixture
        .store
        .reconcile_changed(fixture.store.today(), "op")
        .await
        .unwrap();
    assert_eq!(held(&fixture).await, whole);
}

/// A sign-in does not make a waiting run stale.
async fn sign_in_does_not_make_waiting_run_stale(on: On) {
    let fixture = office(on).await;
    fixture
        .store
        .set_policy("brake.review-overdue", "0", "op")
        .await
        .unwrap();
    fixture.store.begin_session(&id("CV001")).await.unwrap();
    fixture.clock.move_on(366 * 86_400 - 86_400);
    fixture.store.set_policy("idle-days", "", "op").await.unwrap();
    fixture.clock.move_on(86_400);
    let waits = fixture.store.reconcile(fixture.store.today(), "op").await.unwrap();
    assert!(!waits.stopped_by.is_empty());
    fixture.store.begin_session(&id("CV001")).await.unwrap();
    fixture.store.approve_run(&waits.run.unwrap(), "op").await.unwrap();
    assert_eq!(held(&fixture).await.len(), 3);
    fixture.sound().await;
}
