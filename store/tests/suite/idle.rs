//! Tests of "`idle` after 45 days without a sign-in": the rule reads the recorded sign-ins, and the owner has a way out.

use crate::both;
use crate::fixture::{DAY, House, On, official, profile};
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
async fn office(on: On) -> House {
    let house = House::new(on).await;
    house.units().await;
    let row = |n| {
        let mut row = official(n, "A");
        row.last_sign_in_on = Some(Date::constant(2023, 7, 20));
        row
    };
    house.officials((1..=3).map(row).collect()).await;
    house.profiles((1..=3).map(|n| profile(n, "A")).collect()).await;
    house.store.set_policy("idle-days", "45", "op").await.unwrap();
    house.store.reconcile(DAY, "op").await.unwrap();
    house
}

async fn reconciled(house: &House) -> Vec<String> {
    let today = house.store.today();
    house.store.reconcile(today, "op").await.unwrap();
    held(house).await
}

async fn held(house: &House) -> Vec<String> {
    let kind = Some(AccountKind::Official);
    let lines = house.store.holds(kind, house.store.today()).await.unwrap();
    let held = lines.into_iter().filter(|(_, line)| !line.reasons.is_empty());
    held.map(|(id, line)| format!("{id} {:?}", line.reasons)).collect()
}

async fn is_held(house: &House, token: &SessionToken) -> bool {
    house.store.visit(token.as_str()).await.unwrap().unwrap().held
}

async fn entries(house: &House) -> i64 {
    let sql = "SELECT COUNT(*) FROM journal WHERE kind = 'signed-in'";
    house.sql(sql).await[0]
}

/// An account with a sign-in is not idle.
async fn sign_in_prevents_idle_hold(on: On) {
    let house = office(on).await;
    for _ in 0..3 {
        house.store.begin_session(&id("CV002")).await.unwrap();
    }
    assert_eq!(entries(&house).await, 1, "once a day");
    house.clock.move_on(40 * 86_400);
    house.store.begin_session(&id("CV003")).await.unwrap();
    assert_eq!(entries(&house).await, 2);
    assert_eq!(reconciled(&house).await, ["CV001 {Idle}"]);
    // A held visit by the password alone is no sign-in.
    let visit = house.store.begin_session(&id("CV001")).await.unwrap();
    assert!(is_held(&house, &visit).await);
    assert_eq!(entries(&house).await, 2);
    assert_eq!(reconciled(&house).await, ["CV001 {Idle}"]);
    house.sound().await;
    house.store.rebuild(&mut |_| {}).await.unwrap();
    assert_eq!(reconciled(&house).await, ["CV001 {Idle}"]);

    // While the policy is off, one sign-in a week is recorded.
    house.store.set_policy("idle-days", "", "op").await.unwrap();
    assert_eq!(reconciled(&house).await.len(), 0);
    for _ in 0..14 {
        house.clock.move_on(86_400);
        house.store.begin_session(&id("CV003")).await.unwrap();
    }
    assert_eq!(entries(&house).await, 4);
    let last = house
        .store
        .account_explanation("CV003", house.store.today())
        .await
        .unwrap();
    assert_eq!(last.fact("last_sign_in_on"), Some(&*house.store.today().to_string()));
    house.sound().await;
}

async fn a_code_lifts_idle_and_leaves_the_rest(on: On) {
    let house = office(on).await;
    house.clock.move_on(366 * 86_400);
    // They were not reviewed for a year either.
    let both = |n| format!("CV00{n} {{Idle, ReviewOverdue}}");
    assert_eq!(reconciled(&house).await, [both(1), both(2), both(3)]);
    let visit = house.store.begin_session(&id("CV002")).await.unwrap();
    house.store.end_idle(&id("CV002")).await.unwrap();
    let now = [both(1), "CV002 {ReviewOverdue}".into(), both(3)];
    assert_eq!(held(&house).await, now);
    assert!(is_held(&house, &visit).await, "the visit goes on to the other hold");
    house.store.review_profile(&id("CV002")).await.unwrap();
    assert_eq!(held(&house).await, [both(1), both(3)]);
    assert!(!is_held(&house, &house.store.begin_session(&id("CV002")).await.unwrap()).await);
    assert_eq!(reconciled(&house).await, [both(1), both(3)], "nothing puts it back");

    let before = entries(&house).await;
    house.store.end_idle(&id("CV002")).await.unwrap();
    house.store.end_idle(&id("no such")).await.unwrap();
    assert_eq!(
        entries(&house).await,
        before,
        "where nothing is idle, nothing is written"
    );
    let explanation = house
        .store
        .account_explanation("CV002", house.store.today())
        .await
        .unwrap();
    let lifted = explanation.history.iter().find(|entry| entry.by == "CV002");
    assert_eq!(lifted.unwrap().clause.as_deref(), Some("policy"), "it names its owner");
    house.sound().await;
    // Sign-ins alone affect no account in the next incremental run.
    house.store.set_policy("idle-days", "30", "op").await.unwrap();
    let whole = reconciled(&house).await;
    house.store.reconcile_changed(house.store.today(), "op").await.unwrap();
    assert_eq!(held(&house).await, whole);
}

/// A sign-in does not make a waiting run stale.
async fn sign_in_does_not_make_waiting_run_stale(on: On) {
    let house = office(on).await;
    house.store.set_policy("brake.review-overdue", "0", "op").await.unwrap();
    house.store.begin_session(&id("CV001")).await.unwrap();
    house.clock.move_on(366 * 86_400 - 86_400);
    house.store.set_policy("idle-days", "", "op").await.unwrap();
    house.clock.move_on(86_400);
    let waits = house.store.reconcile(house.store.today(), "op").await.unwrap();
    assert!(!waits.stopped_by.is_empty());
    house.store.begin_session(&id("CV001")).await.unwrap();
    house.store.approve_run(&waits.run.unwrap(), "op").await.unwrap();
    assert_eq!(held(&house).await.len(), 3);
    house.sound().await;
}
