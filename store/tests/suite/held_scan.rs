//! Tests of holds that begin or end by date or by the campaign, without a journal entry: open sessions and grants end for good, and clients
//! are notified exactly once of the beginning and of the end.

use crate::both;
use crate::fixture::{DAY, House, On, citizen};
use crate::openid::{at_once, hues, id, is_good, known, tokens};
use ngomon_rules::citizens::Exemption;
use ngomon_store::{ExemptionRequester, Refusal, RegisteredClient, SessionEnd, StoreError};

both! {
    deadline_hold_notified_once_on_day_after
    late_standardisation_notified_as_enabled
    campaign_setting_places_and_lifts_holds_and_revives_none
    ended_exemption_or_claim_notified_in_its_own_commit
    lifted_order_does_not_enable_late_account
    expired_order_notified_on_day_after
    freeze_notifies_clients_of_suspended_holds
    held_account_notified_again_after_restore
    require_policy_refuses_refresh_without_claim
}

const A_DAY: i64 = 24 * 3_600;

impl House {
    /// C1 to C3 have no claim yet; C3 is exempt for a long time. Accounts without a claim are held from the first of August on.
    async fn with_a_deadline(on: On) -> (Self, RegisteredClient) {
        let house = Self::new(on).await;
        house.units().await;
        house.registry(&[1, 2, 3]).await;
        house
            .citizens((1..=3).map(|n| citizen(&format!("C{n}"), n)).collect())
            .await;
        let (why, foreigner) = (Exemption::Foreigner, id("C3"));
        let last = why.latest(DAY);
        let an = house.operator("first").await;
        let says = ExemptionRequester::Operator(&an, &foreigner);
        house.store.exempt(says, why, last).await.unwrap();
        for (key, value) in [("deadline.citizens", "2023-07-31"), ("after-deadline", "hold")] {
            house.store.set_campaign(key, value, true, "test").await.unwrap();
        }
        let mut client = hues("Một");
        client.events_uri = Some("https://hues.example/events".into());
        let client = known(&house.store, client).await;
        (house, client)
    }

    /// The events queued for clients after the first `before` ones, the oldest first: `account: kind`.
    async fn told(&self, before: usize) -> Vec<String> {
        let mut told = self.store.notices(100).await.unwrap();
        told.reverse();
        let new = told.iter().skip(before);
        new.map(|one| format!("{}: {}", one.account, one.kind)).collect()
    }

    async fn set(&self, key: &str, value: &str) {
        self.store.set_campaign(key, value, true, "test").await.unwrap();
    }
}

/// The events for the account, and for its session by `sid`.
fn held(account: &str) -> [String; 4] {
    ["logout", "logout", "session-revoked", "account-disabled"].map(|what| format!("{account}: {what}"))
}

/// On the day after the deadline, clients are notified once, also with several servers.
async fn deadline_hold_notified_once_on_day_after(on: On) {
    let (house, client) = House::with_a_deadline(on).await;
    house.submit("C2", 2).await;
    let (late, done, exempt) = (
        tokens(&house.store, &client, "C1").await,
        tokens(&house.store, &client, "C2").await,
        tokens(&house.store, &client, "C3").await,
    );
    assert_eq!(
        house.store.propagate_time_based_holds().await.unwrap(),
        0,
        "the last day is in time"
    );
    house.clock.move_on(A_DAY);
    assert!(!is_good(&house.store, &late.access).await, "before anybody was told");
    let servers = [
        house.store.clone(),
        house.store.clone(),
        house.second().await,
        house.second().await,
    ];
    let asked = servers.map(|store| Box::pin(async move { store.propagate_time_based_holds().await.unwrap() }));
    let told = at_once(asked).await;
    assert_eq!(told.iter().sum::<u64>(), 1, "{told:?}");
    assert_eq!(house.told(0).await, held("C1"));
    for _ in 0..2 {
        assert_eq!(house.store.propagate_time_based_holds().await.unwrap(), 0);
        house.clock.move_on(A_DAY);
    }
    assert_eq!(house.told(0).await.len(), 4, "nor on the days that follow");
    for token in [&done.refresh, &exempt.refresh] {
        let next = house.store.refresh(&client, token, None, None).await.unwrap();
        assert!(next.is_some());
    }
    house.sound().await;
}

/// An owner who standardises after the deadline is reported as enabled.
async fn late_standardisation_notified_as_enabled(on: On) {
    let (house, client) = House::with_a_deadline(on).await;
    let before = house.store.begin_session(&id("C1")).await.unwrap();
    let given = tokens(&house.store, &client, "C1").await;
    house.clock.move_on(A_DAY);
    house.store.propagate_time_based_holds().await.unwrap();
    let visit = house.store.begin_session(&id("C1")).await.unwrap();
    assert!(house.store.visit(visit.as_str()).await.unwrap().unwrap().held);
    house.submit("C1", 1).await;
    assert_eq!(house.told(4).await, ["C1: account-enabled"]);
    assert!(
        house.store.visit(before.as_str()).await.unwrap().is_none(),
        "nothing is revived"
    );
    assert!(!is_good(&house.store, &given.refresh).await);
    assert!(house.store.resume_after_hold(visit.as_str()).await.unwrap().is_some());
    house.clock.move_on(A_DAY);
    assert_eq!(house.store.propagate_time_based_holds().await.unwrap(), 0);
    house.sound().await;
}

/// A campaign setting begins and ends holds; clients are notified, and nothing is revived.
async fn campaign_setting_places_and_lifts_holds_and_revives_none(on: On) {
    let (house, client) = House::with_a_deadline(on).await;
    house.set("after-deadline", "nag").await;
    house.clock.move_on(A_DAY);
    assert_eq!(house.store.propagate_time_based_holds().await.unwrap(), 0);
    let session = house.store.begin_session(&id("C1")).await.unwrap();
    let given = tokens(&house.store, &client, "C1").await;
    for (key, on, off) in [("after-deadline", "hold", "nag"), ("freeze", "off", "on")] {
        let (fresh, before) = (tokens(&house.store, &client, "C2").await, house.told(0).await.len());
        house.set("after-deadline", "hold").await;
        house.set(key, on).await;
        let ended = || house.store.session_end(session.as_str());
        assert_eq!(ended().await.unwrap(), SessionEnd::Change, "before the scan");
        house.store.propagate_time_based_holds().await.unwrap();
        assert_eq!(ended().await.unwrap(), SessionEnd::Change, "after it");
        assert!(
            house.told(before).await.contains(&"C2: account-disabled".to_owned()),
            "{key}"
        );
        house.set(key, off).await;
        assert_eq!(house.store.propagate_time_based_holds().await.unwrap(), 2, "{key}");
        let told = house.told(0).await;
        assert_eq!(told[told.len() - 2..], ["C1: account-enabled", "C2: account-enabled"]);
        assert!(!is_good(&house.store, &given.access).await && !is_good(&house.store, &fresh.access).await);
        assert!(house.store.visit(session.as_str()).await.unwrap().is_none());
    }
    house.sound().await;
}

/// A hold that begins because an exemption or a claim ends is notified in that commit.
async fn ended_exemption_or_claim_notified_in_its_own_commit(on: On) {
    let (house, client) = House::with_a_deadline(on).await;
    house.submit("C1", 1).await;
    house.clock.move_on(A_DAY);
    for account in ["C1", "C3"] {
        tokens(&house.store, &client, account).await;
    }
    let an = house.operator("an").await;
    house.store.withdraw_claim(&an, &id("C1"), "nhầm").await.unwrap();
    assert_eq!(house.told(0).await, held("C1"));
    let foreigner = id("C3");
    let says = ExemptionRequester::Operator(&an, &foreigner);
    house.store.end_exemption(says).await.unwrap();
    assert_eq!(house.told(4).await, held("C3"));
    house
        .store
        .exempt(says, Exemption::Child, Exemption::Child.latest(DAY))
        .await
        .unwrap();
    assert_eq!(house.told(8).await, ["C3: account-enabled"]);
    assert_eq!(house.store.propagate_time_based_holds().await.unwrap(), 0);
    house.sound().await;
}

/// Lifting another hold does not enable an account that is late.
async fn lifted_order_does_not_enable_late_account(on: On) {
    let (house, client) = House::with_a_deadline(on).await;
    tokens(&house.store, &client, "C1").await;
    let an = house.operator("an").await;
    house
        .store
        .hold_by_order(&an, &id("C1"), &crate::counter::order("9"))
        .await
        .unwrap();
    house.clock.move_on(A_DAY);
    let an = house.operator("second").await;
    let cause = ngomon_rules::hold::Cause::order("9");
    house.store.lift_order(&an, &id("C1"), &cause, "hết").await.unwrap();
    assert_eq!(house.told(4).await, Vec::<String>::new());
    house.submit("C1", 1).await;
    assert_eq!(house.told(4).await, ["C1: account-enabled"]);
    house.sound().await;
}

/// On the day after an order's last day, clients are notified.
async fn expired_order_notified_on_day_after(on: On) {
    let (house, client) = House::with_a_deadline(on).await;
    house.submit("C1", 1).await;
    tokens(&house.store, &client, "C1").await;
    let mut order = crate::counter::order("9");
    order.last_day = Some(DAY);
    let an = house.operator("an").await;
    house.store.hold_by_order(&an, &id("C1"), &order).await.unwrap();
    assert_eq!(house.told(0).await, held("C1"));
    assert_eq!(
        house.store.propagate_time_based_holds().await.unwrap(),
        0,
        "its last day counts"
    );
    house.clock.move_on(A_DAY);
    assert_eq!(house.store.propagate_time_based_holds().await.unwrap(), 1);
    assert_eq!(house.told(4).await, ["C1: account-enabled"]);
    // After its last day the order blocks nobody, although nobody lifted it.
    tokens(&house.store, &client, "C1").await;
    let an = house.operator("second").await;
    let another = crate::counter::order("10");
    house.store.hold_by_order(&an, &id("C1"), &another).await.unwrap();
    assert_eq!(house.told(5).await, held("C1"));
    let cause = ngomon_rules::hold::Cause::order("10");
    house.store.lift_order(&an, &id("C1"), &cause, "hết").await.unwrap();
    assert_eq!(house.told(9).await, ["C1: account-enabled"]);
    house.sound().await;
}

/// C4 belongs to the same person as C1, who has the claim: `duplicate`, which a freeze suspends.
async fn freeze_notifies_clients_of_suspended_holds(on: On) {
    let (house, client) = House::with_a_deadline(on).await;
    house.set("after-deadline", "nag").await;
    house.citizens(vec![citizen("C4", 1)]).await;
    let before = tokens(&house.store, &client, "C4").await;
    house.submit("C1", 1).await;
    assert_eq!(house.told(0).await, held("C4"));
    house.set("freeze", "on").await;
    assert_eq!(house.store.propagate_time_based_holds().await.unwrap(), 1);
    assert_eq!(house.told(4).await, ["C4: account-enabled"]);
    let session = house.store.begin_session(&id("C4")).await.unwrap();
    assert!(!house.store.visit(session.as_str()).await.unwrap().unwrap().held);
    let given = tokens(&house.store, &client, "C4").await;
    house.set("freeze", "off").await;
    assert!(!is_good(&house.store, &given.access).await, "before anybody was told");
    assert_eq!(house.store.propagate_time_based_holds().await.unwrap(), 1);
    let mut told = house.told(5).await;
    told.sort();
    let mut wanted = held("C4");
    wanted.sort();
    assert_eq!(told, wanted);
    // No earlier token becomes valid again when the hold ends.
    let an = house.operator("an").await;
    house.store.withdraw_claim(&an, &id("C1"), "nhầm").await.unwrap();
    assert_eq!(house.told(9).await, ["C4: account-enabled"]);
    for token in [&before.access, &given.access, &given.refresh] {
        assert!(!is_good(&house.store, token).await);
    }
    assert!(
        house
            .store
            .refresh(&client, &given.refresh, None, None)
            .await
            .unwrap()
            .is_none()
    );
    assert!(house.store.visit(session.as_str()).await.unwrap().is_none());
    // A hold suspended by a freeze is not reported to clients.
    house.set("freeze", "on").await;
    house.store.propagate_time_based_holds().await.unwrap();
    tokens(&house.store, &client, "C4").await;
    let so_far = house.told(0).await.len();
    house.submit("C1", 1).await;
    assert!(!house.told(so_far).await.contains(&"C4: account-disabled".to_owned()));
    house.sound().await;
}

/// What was reported to clients is no evidence, and is lost with the rest of the working data.
async fn held_account_notified_again_after_restore(on: On) {
    let (house, client) = House::with_a_deadline(on).await;
    house.submit("C1", 1).await;
    tokens(&house.store, &client, "C1").await;
    let an = house.operator("an").await;
    house
        .store
        .hold_by_order(&an, &id("C1"), &crate::counter::order("9"))
        .await
        .unwrap();
    let told = house.told(0).await.len();
    house.sql("DELETE FROM told_held").await;
    house.sql("DELETE FROM held_look").await;
    assert_eq!(house.store.propagate_time_based_holds().await.unwrap(), 1);
    assert!(house.told(told).await.contains(&"C1: account-disabled".to_owned()));
    assert_eq!(house.store.propagate_time_based_holds().await.unwrap(), 0);
    house.sound().await;
}

/// C1: an owner who did not standardise by the deadline may sign in, but connected systems get no token.
async fn require_policy_refuses_refresh_without_claim(on: On) {
    let (house, client) = House::with_a_deadline(on).await;
    house.set("after-deadline", "require").await;
    let (late, done) = (
        tokens(&house.store, &client, "C1").await,
        tokens(&house.store, &client, "C2").await,
    );
    house.submit("C2", 2).await;
    let refreshed = async |token: &str| match house.store.refresh(&client, token, None, None).await {
        Err(StoreError::Refused(Refusal::MustStandardise(_))) => None,
        other => other.unwrap(),
    };
    let (late, done) = (
        refreshed(&late.refresh).await.expect("it is the last day"),
        refreshed(&done.refresh).await.unwrap(),
    );
    house.clock.move_on(A_DAY);
    assert!(refreshed(&late.refresh).await.is_none());
    assert!(refreshed(&done.refresh).await.is_some());
    house.submit("C1", 1).await;
    assert!(
        refreshed(&late.refresh).await.is_some(),
        "what was refused was not spent"
    );
    house.sound().await;
}
