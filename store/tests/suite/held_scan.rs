//! Tests of holds that begin or end by date or by the campaign, without a journal entry: open sessions and grants end for good, and clients
//! are notified exactly once of the beginning and of the end.

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen};
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

impl Fixture {
    /// C1 to C3 have no claim yet; C3 is exempt for a long time. Accounts without a claim are held from the first of August on.
    async fn with_a_deadline(on: On) -> (Self, RegisteredClient) {
        let fixture = Self::new(on).await;
        fixture.units().await;
        fixture.registry(&[1, 2, 3]).await;
        fixture
            .citizens((1..=3).map(|n| citizen(&format!("C{n}"), n)).collect())
            .await;
        let (why, foreigner) = (Exemption::Foreigner, id("C3"));
        let last = why.latest(DAY);
        let an = fixture.operator("first").await;
        let says = ExemptionRequester::Operator(&an, &foreigner);
        fixture.store.exempt(says, why, last).await.unwrap();
        for (key, value) in [("deadline.citizens", "2023-07-31"), ("after-deadline", "hold")] {
            fixture.store.set_campaign(key, value, true, "test").await.unwrap();
        }
        let mut client = hues("Một");
        client.events_uri = Some("https://hues.example/events".into());
        let client = known(&fixture.store, client).await;
        (fixture, client)
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
    let (fixture, client) = Fixture::with_a_deadline(on).await;
    fixture.submit("C2", 2).await;
    let (late, done, exempt) = (
        tokens(&fixture.store, &client, "C1").await,
        tokens(&fixture.store, &client, "C2").await,
        tokens(&fixture.store, &client, "C3").await,
    );
    assert_eq!(
        fixture.store.propagate_time_based_holds().await.unwrap(),
        0,
        "the last day is in time"
    );
    fixture.clock.move_on(A_DAY);
    assert!(!is_good(&fixture.store, &late.access).await, "before anybody was told");
    let servers = [
        fixture.store.clone(),
        fixture.store.clone(),
        fixture.second().await,
        fixture.second().await,
    ];
    let asked = servers.map(|store| Box::pin(async move { store.propagate_time_based_holds().await.unwrap() }));
    let told = at_once(asked).await;
    assert_eq!(told.iter().sum::<u64>(), 1, "{told:?}");
    assert_eq!(fixture.told(0).await, held("C1"));
    for _ in 0..2 {
        assert_eq!(fixture.store.propagate_time_based_holds().await.unwrap(), 0);
        fixture.clock.move_on(A_DAY);
    }
    assert_eq!(fixture.told(0).await.len(), 4, "nor on the days that follow");
    for token in [&done.refresh, &exempt.refresh] {
        let next = fixture.store.refresh(&client, token, None, None).await.unwrap();
        assert!(next.is_some());
    }
    fixture.sound().await;
}

/// An owner who standardises after the deadline is reported as enabled.
async fn late_standardisation_notified_as_enabled(on: On) {
    let (fixture, client) = Fixture::with_a_deadline(on).await;
    let before = fixture.store.begin_session(&id("C1")).await.unwrap();
    let given = tokens(&fixture.store, &client, "C1").await;
    fixture.clock.move_on(A_DAY);
    fixture.store.propagate_time_based_holds().await.unwrap();
    let visit = fixture.store.begin_session(&id("C1")).await.unwrap();
    assert!(fixture.store.session(visit.as_str()).await.unwrap().unwrap().held);
    fixture.submit("C1", 1).await;
    assert_eq!(fixture.told(4).await, ["C1: account-enabled"]);
    assert!(
        fixture.store.session(before.as_str()).await.unwrap().is_none(),
        "nothing is revived"
    );
    assert!(!is_good(&fixture.store, &given.refresh).await);
    assert!(fixture.store.resume_after_hold(visit.as_str()).await.unwrap().is_some());
    fixture.clock.move_on(A_DAY);
    assert_eq!(fixture.store.propagate_time_based_holds().await.unwrap(), 0);
    fixture.sound().await;
}

/// A campaign setting begins and ends holds; clients are notified, and nothing is revived.
async fn campaign_setting_places_and_lifts_holds_and_revives_none(on: On) {
    let (fixture, client) = Fixture::with_a_deadline(on).await;
    fixture.set("after-deadline", "nag").await;
    fixture.clock.move_on(A_DAY);
    assert_eq!(fixture.store.propagate_time_based_holds().await.unwrap(), 0);
    let session = fixture.store.begin_session(&id("C1")).await.unwrap();
    let given = tokens(&fixture.store, &client, "C1").await;
    for (key, on, off) in [("after-deadline", "hold", "nag"), ("freeze", "off", "on")] {
        let (fresh, before) = (tokens(&fixture.store, &client, "C2").await, fixture.told(0).await.len());
        fixture.set("after-deadline", "hold").await;
        fixture.set(key, on).await;
        let ended = || fixture.store.session_end(session.as_str());
        assert_eq!(ended().await.unwrap(), SessionEnd::Change, "before the scan");
        fixture.store.propagate_time_based_holds().await.unwrap();
        assert_eq!(ended().await.unwrap(), SessionEnd::Change, "after it");
        assert!(
            fixture.told(before).await.contains(&"C2: account-disabled".to_owned()),
            "{key}"
        );
        fixture.set(key, off).await;
        assert_eq!(fixture.store.propagate_time_based_holds().await.unwrap(), 2, "{key}");
        let told = fixture.told(0).await;
        assert_eq!(told[told.len() - 2..], ["C1: account-enabled", "C2: account-enabled"]);
        assert!(!is_good(&fixture.store, &given.access).await && !is_good(&fixture.store, &fresh.access).await);
        assert!(fixture.store.session(session.as_str()).await.unwrap().is_none());
    }
    fixture.sound().await;
}

/// A hold that begins because an exemption or a claim ends is notified in that commit.
async fn ended_exemption_or_claim_notified_in_its_own_commit(on: On) {
    let (fixture, client) = Fixture::with_a_deadline(on).await;
    fixture.submit("C1", 1).await;
    fixture.clock.move_on(A_DAY);
    for account in ["C1", "C3"] {
        tokens(&fixture.store, &client, account).await;
    }
    let an = fixture.operator("an").await;
    fixture.store.withdraw_claim(&an, &id("C1"), "nhầm").await.unwrap();
    assert_eq!(fixture.told(0).await, held("C1"));
    let foreigner = id("C3");
    let says = ExemptionRequester::Operator(&an, &foreigner);
    fixture.store.end_exemption(says).await.unwrap();
    assert_eq!(fixture.told(4).await, held("C3"));
    fixture
        .store
        .exempt(says, Exemption::Child, Exemption::Child.latest(DAY))
        .await
        .unwrap();
    assert_eq!(fixture.told(8).await, ["C3: account-enabled"]);
    assert_eq!(fixture.store.propagate_time_based_holds().await.unwrap(), 0);
    fixture.sound().await;
}

/// Lifting another hold does not enable an account that is late.
async fn lifted_order_does_not_enable_late_account(on: On) {
    let (fixture, client) = Fixture::with_a_deadline(on).await;
    tokens(&fixture.store, &client, "C1").await;
    let an = fixture.operator("an").await;
    fixture
        .store
        .hold_by_order(&an, &id("C1"), &crate::counter::order("9"))
        .await
        .unwrap();
    fixture.clock.move_on(A_DAY);
    let an = fixture.operator("second").await;
    let cause = ngomon_rules::hold::Cause::order("9");
    fixture.store.lift_order(&an, &id("C1"), &cause, "hết").await.unwrap();
    assert_eq!(fixture.told(4).await, Vec::<String>::new());
    fixture.submit("C1", 1).await;
    assert_eq!(fixture.told(4).await, ["C1: account-enabled"]);
    fixture.sound().await;
}

/// On the day after an order's last day, clients are notified.
async fn expired_order_notified_on_day_after(on: On) {
    let (fixture, client) = Fixture::with_a_deadline(on).await;
    fixture.submit("C1", 1).await;
    tokens(&fixture.store, &client, "C1").await;
    let mut order = crate::counter::order("9");
    order.last_day = Some(DAY);
    let an = fixture.operator("an").await;
    fixture.store.hold_by_order(&an, &id("C1"), &order).await.unwrap();
    assert_eq!(fixture.told(0).await, held("C1"));
    assert_eq!(
        fixture.store.propagate_time_based_holds().await.unwrap(),
        0,
        "its last day counts"
    );
    fixture.clock.move_on(A_DAY);
    assert_eq!(fixture.store.propagate_time_based_holds().await.unwrap(), 1);
    assert_eq!(fixture.told(4).await, ["C1: account-enabled"]);
    // After its last day the order blocks nobody, although nobody lifted it.
    tokens(&fixture.store, &client, "C1").await;
    let an = fixture.operator("second").await;
    let another = crate::counter::order("10");
    fixture.store.hold_by_order(&an, &id("C1"), &another).await.unwrap();
    assert_eq!(fixture.told(5).await, held("C1"));
    let cause = ngomon_rules::hold::Cause::order("10");
    fixture.store.lift_order(&an, &id("C1"), &cause, "hết").await.unwrap();
    assert_eq!(fixture.told(9).await, ["C1: account-enabled"]);
    fixture.sound().await;
}

/// C4 belongs to the same person as C1, who has the claim: `duplicate`, which a freeze suspends.
async fn freeze_notifies_clients_of_suspended_holds(on: On) {
    let (fixture, client) = Fixture::with_a_deadline(on).await;
    fixture.set("after-deadline", "nag").await;
    fixture.citizens(vec![citizen("C4", 1)]).await;
    let before = tokens(&fixture.store, &client, "C4").await;
    fixture.submit("C1", 1).await;
    assert_eq!(fixture.told(0).await, held("C4"));
    fixture.set("freeze", "on").await;
    assert_eq!(fixture.store.propagate_time_based_holds().await.unwrap(), 1);
    assert_eq!(fixture.told(4).await, ["C4: account-enabled"]);
    let session = fixture.store.begin_session(&id("C4")).await.unwrap();
    assert!(!fixture.store.session(session.as_str()).await.unwrap().unwrap().held);
    let given = tokens(&fixture.store, &client, "C4").await;
    fixture.set("freeze", "off").await;
    assert!(!is_good(&fixture.store, &given.access).await, "before anybody was told");
    assert_eq!(fixture.store.propagate_time_based_holds().await.unwrap(), 1);
    let mut told = fixture.told(5).await;
    told.sort();
    let mut wanted = held("C4");
    wanted.sort();
    assert_eq!(told, wanted);
    // No earlier token becomes valid again when the hold ends.
    let an = fixture.operator("an").await;
    fixture.store.withdraw_claim(&an, &id("C1"), "nhầm").await.unwrap();
    assert_eq!(fixture.told(9).await, ["C4: account-enabled"]);
    for token in [&before.access, &given.access, &given.refresh] {
        assert!(!is_good(&fixture.store, token).await);
    }
    assert!(
        fixture
            .store
            .refresh(&client, &given.refresh, None, None)
            .await
            .unwrap()
            .is_none()
    );
    assert!(fixture.store.session(session.as_str()).await.unwrap().is_none());
    // A hold suspended by a freeze is not reported to clients.
    fixture.set("freeze", "on").await;
    fixture.store.propagate_time_based_holds().await.unwrap();
    tokens(&fixture.store, &client, "C4").await;
    let so_far = fixture.told(0).await.len();
    fixture.submit("C1", 1).await;
    assert!(!fixture.told(so_far).await.contains(&"C4: account-disabled".to_owned()));
    fixture.sound().await;
}

/// What was reported to clients is no evidence, and is lost with the rest of the working data.
async fn held_account_notified_again_after_restore(on: On) {
    let (fixture, client) = Fixture::with_a_deadline(on).await;
    fixture.submit("C1", 1).await;
    tokens(&fixture.store, &client, "C1").await;
    let an = fixture.operator("an").await;
    fixture
        .store
        .hold_by_order(&an, &id("C1"), &crate::counter::order("9"))
        .await
        .unwrap();
    let told = fixture.told(0).await.len();
    fixture.sql("DELETE FROM told_held").await;
    fixture.sql("DELETE FROM held_look").await;
    assert_eq!(fixture.store.propagate_time_based_holds().await.unwrap(), 1);
    assert!(fixture.told(told).await.contains(&"C1: account-disabled".to_owned()));
    assert_eq!(fixture.store.propagate_time_based_holds().await.unwrap(), 0);
    fixture.sound().await;
}

/// C1: an owner who did not standardise by the deadline may sign in, but connected systems get no token.
async fn require_policy_refuses_refresh_without_claim(on: On) {
    let (fixture, client) = Fixture::with_a_deadline(on).await;
    fixture.set("after-deadline", "require").await;
    let (late, done) = (
        tokens(&fixture.store, &client, "C1").await,
        tokens(&fixture.store, &client, "C2").await,
    );
    fixture.submit("C2", 2).await;
    let refreshed = async |token: &str| match fixture.store.refresh(&client, token, None, None).await {
        Err(StoreError::Refused(Refusal::MustStandardise(_))) => None,
        other => other.unwrap(),
    };
    let (late, done) = (
        refreshed(&late.refresh).await.expect("it is the last day"),
        refreshed(&done.refresh).await.unwrap(),
    );
    fixture.clock.move_on(A_DAY);
    assert!(refreshed(&late.refresh).await.is_none());
    assert!(refreshed(&done.refresh).await.is_some());
    fixture.submit("C1", 1).await;
    assert!(
        refreshed(&late.refresh).await.is_some(),
        "what was refused was not spent"
    );
    fixture.sound().await;
}
