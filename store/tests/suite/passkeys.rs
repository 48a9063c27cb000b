//! Tests of passkeys: stored per login, each response accepted once, and removed with their owner.

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen, official, phone, profile};
use crate::openid::{is_good, known, tokens};
use crate::operators::{at_once, refused};
use ngomon_rules::client::Client;
use ngomon_rules::event::{Change, PasskeyId};
use ngomon_rules::records::AccountId;
use ngomon_store::{Ceremony, Factor, NewPasskey, Order, PasskeyStorage, Refusal, SessionToken};
use std::sync::Arc;

both! {
    a_passkey_is_added_used_and_removed
    passkey_response_and_ceremony_accepted_once
    a_transfer_keeps_passkeys
    passkey_of_held_accounts_opens_held_visits
    passkeys_only_for_officials_and_operators
    operator_passkey_signs_in_and_ends_with_removal
    undo_keeps_new_account_with_passkey
    step_up_keeps_earlier_factor_and_deferral
    ceremony_valid_once_and_for_its_purpose
    removed_passkeys_of_lost_device_open_nothing
}

fn id(account: &str) -> AccountId {
    AccountId(account.into())
}

fn device(name: &str) -> NewPasskey {
    NewPasskey {
        name: name.into(),
        credential: format!("credential of {name}").into_bytes(),
        key: format!("key of {name}"),
    }
}

/// Two officials at A; the first can be reached by phone.
async fn staffed(on: On) -> Fixture {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let mut first = official(1, "A");
    first.stated.phone = Some(phone(1));
    fixture.officials(vec![first, official(2, "A")]).await;
    fixture
}

impl Fixture {
    /// Adds a passkey to the account; returns its id.
    async fn add(&self, account: &str, name: &str) -> PasskeyId {
        self.store
            .add_passkey(&id(account), device(name), "news")
            .await
            .unwrap();
        self.known(name).await.unwrap()
    }

    async fn known(&self, name: &str) -> Option<PasskeyId> {
        let known = self.store.known_passkey(&device(name).credential).await.unwrap();
        known.map(|known| known.id)
    }

    /// The accounts that a response opens.
    async fn opens(&self, passkey: &PasskeyId, counter: u32) -> Vec<String> {
        let opens = self
            .store
            .use_passkey(passkey, counter, PasskeyStorage::InDevice)
            .await
            .unwrap();
        opens.iter().map(|one| one.account().0.clone()).collect()
    }
}

async fn a_passkey_is_added_used_and_removed(on: On) {
    let fixture = staffed(on).await;
    let store = &fixture.store;
    let (own, other) = (id("CV001"), id("CV002"));
    let passkey = fixture.add("CV001", "điện thoại").await;
    assert_eq!(store.messages(1).await.unwrap()[0].text, "news");
    fixture.add("CV001", "máy tính").await;
    let names = async |account| {
        let all = store.passkeys(account).await.unwrap();
        all.into_iter()
            .map(|one| (one.name, one.used.is_some()))
            .collect::<Vec<_>>()
    };
    let both = [("điện thoại".to_owned(), false), ("máy tính".to_owned(), false)];
    assert_eq!(names(&own).await, both);
    assert_eq!(names(&other).await, []);
    let known = store.known_passkey(&device("điện thoại").credential).await.unwrap();
    let known = known.unwrap();
    assert_eq!(known.key, "key of điện thoại");
    assert_eq!(known.owner, store.passkey_owner(&own).await.unwrap());
    assert_ne!(known.owner, store.passkey_owner(&other).await.unwrap());

    assert_eq!(fixture.opens(&passkey, 5).await, ["CV001"]);
    for stale in [5, 4, 0] {
        assert!(fixture.opens(&passkey, stale).await.is_empty(), "{stale}");
    }
    assert_eq!(fixture.opens(&passkey, 6).await, ["CV001"]);
    assert_eq!(names(&own).await[0], ("điện thoại".to_owned(), true));
    let proven = store
        .use_passkey(&passkey, 7, PasskeyStorage::Synced)
        .await
        .unwrap()
        .pop()
        .unwrap();
    let token = store.begin_proven_session(proven).await.unwrap();
    assert_eq!(
        store.session(token.as_str()).await.unwrap().unwrap().amr,
        "mfa swk user"
    );

    // The journal names the passkeys but contains none of their data; a rebuild gives the same projections.
    let told = fixture.sql("SELECT COUNT(*) FROM journal WHERE body LIKE '%passkey-added%' AND body NOT LIKE '%key of%' AND body NOT LIKE '%thoại%'");
    assert_eq!(told.await, [2]);
    fixture.sound().await;
    fixture.store.rebuild(&mut |_| {}).await.unwrap();
    assert!(fixture.opens(&passkey, 7).await.is_empty(), "counts go on");
    assert_eq!(fixture.opens(&passkey, 8).await, ["CV001"]);

    let told = store.messages(10).await.unwrap().len();
    store.remove_passkey(&other, &passkey, "removed").await.unwrap();
    assert!(fixture.known("điện thoại").await.is_some(), "not by another");
    for _ in 0..2 {
        store.remove_passkey(&own, &passkey, "removed").await.unwrap();
    }
    let messages = store.messages(10).await.unwrap();
    assert_eq!((messages.len(), messages[0].text.as_str()), (told + 1, "removed"));
    assert!(fixture.known("điện thoại").await.is_none());
    assert!(fixture.opens(&passkey, 9).await.is_empty());
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM passkey_use").await, [0]);
    let explanation = store.account_explanation("CV001", DAY).await.unwrap();
    let removed = |change: &Change| matches!(change, Change::PasskeyRemoved { .. });
    assert_eq!(
        explanation
            .history
            .iter()
            .filter(|entry| removed(&entry.change))
            .count(),
        1
    );
    fixture.sound().await;
}

/// Eight requests at once with the same response, and with the same ceremony: one is accepted.
async fn passkey_response_and_ceremony_accepted_once(on: On) {
    let fixture = Arc::new(staffed(on).await);
    let passkey = fixture.add("CV001", "máy").await;
    let ceremony = fixture.store.begin_ceremony(Ceremony::SignIn, "state").await.unwrap();
    let mut won = [0, 0];
    for task in at_once(&fixture, move |fixture| {
        let passkey = passkey.clone();
        async move { !fixture.opens(&passkey, 1).await.is_empty() }
    }) {
        won[0] += u32::from(task.await.unwrap());
    }
    for task in at_once(&fixture, move |fixture| {
        let ceremony = ceremony.clone();
        async move {
            fixture
                .store
                .end_ceremony(Ceremony::SignIn, &ceremony)
                .await
                .unwrap()
                .is_some()
        }
    }) {
        won[1] += u32::from(task.await.unwrap());
    }
    assert_eq!(won, [1, 1]);
    fixture.sound().await;
}

/// A device without a counter sends 0 each time.
async fn a_transfer_keeps_passkeys(on: On) {
    let fixture = staffed(on).await;
    let passkey = fixture.add("CV001", "máy").await;
    fixture.profiles(vec![profile(1, "B"), profile(2, "A")]).await;
    let run = fixture.store.reconcile(DAY, "hr").await.unwrap();
    let [new] = &run.created[..] else {
        panic!("one account is made")
    };
    assert_eq!(
        fixture.opens(&passkey, 0).await,
        [new.as_str()],
        "what is held is not offered"
    );
    assert_eq!(fixture.opens(&passkey, 0).await, [new.as_str()]);
    assert_eq!(fixture.store.passkeys(new).await.unwrap().len(), 1);
    fixture.store.undo_run(&run.run.unwrap(), "head").await.unwrap();
    assert_eq!(fixture.opens(&passkey, 0).await, ["CV001"]);
    fixture.sound().await;
}

/// If all accounts of a login are held, a passkey opens their held visits.
async fn passkey_of_held_accounts_opens_held_visits(on: On) {
    let fixture = staffed(on).await;
    let store = &fixture.store;
    let passkey = fixture.add("CV001", "máy").await;
    let lan = fixture.operator("lan").await;
    fixture.profiles(vec![profile(1, "B"), profile(2, "A")]).await;
    let run = store.reconcile(DAY, "hr").await.unwrap();
    let order = Order {
        ordered_by: "UBND thành phố".into(),
        document: "12/QĐ-UBND".into(),
        text: "đang xem xét".into(),
        last_day: None,
    };
    let new = run.created[0].clone();
    store.hold_by_order(&lan, &new, &order).await.unwrap();
    let opens = fixture.opens(&passkey, 1).await;
    assert_eq!(opens.len(), 2, "nothing is open, so both: {opens:?}");
    let proven = store
        .use_passkey(&passkey, 2, PasskeyStorage::InDevice)
        .await
        .unwrap()
        .pop()
        .unwrap();
    let picked = store
        .begin_session_by(&new, Factor::Passkey(PasskeyStorage::InDevice), store.now())
        .await
        .unwrap();
    for token in [store.begin_proven_session(proven).await.unwrap(), picked] {
        let visit = store.session(token.as_str()).await.unwrap().unwrap();
        assert!(visit.held && visit.amr == "hwk mfa user");
    }
    fixture.sound().await;
}

/// Passkeys are for officials and operators only, up to ten for each.
async fn passkeys_only_for_officials_and_operators(on: On) {
    let fixture = staffed(on).await;
    fixture.citizens(vec![citizen("C1", 9)]).await;
    let add = async |account: &str, name: &str| {
        let new = device(name);
        refused(fixture.store.add_passkey(&id(account), new, "news").await)
    };
    assert_eq!(add("C1", "máy").await, Refusal::NoPasskeysFor("C1".into()));
    assert_eq!(add("none", "máy").await, Refusal::UnknownAccount("none".into()));
    for n in 0..10 {
        fixture.add("CV001", &format!("máy {n}")).await;
    }
    assert_eq!(add("CV001", "máy 10").await, Refusal::PasskeysEnough("CV001".into()));
    assert_eq!(add("CV002", "máy 1").await, Refusal::PasskeyExists);
    fixture.sound().await;
}

/// An operator signs in with a passkey, which is removed with the operator.
async fn operator_passkey_signs_in_and_ends_with_removal(on: On) {
    let fixture = Fixture::new(on).await;
    let store = &fixture.store;
    for name in ["lan", "binh", "chi"] {
        fixture.operator(name).await;
    }
    let account = AccountId::of_operator("lan");
    let passkey = fixture.add(account.as_str(), "máy").await;
    let proven = store
        .use_passkey(&passkey, 1, PasskeyStorage::InDevice)
        .await
        .unwrap()
        .pop()
        .unwrap();
    let token = store.begin_proven_session(proven).await.unwrap();
    let visit = store.session(token.as_str()).await.unwrap().unwrap();
    assert_eq!(visit.operator().unwrap().by(), "operator:lan");
    assert_eq!(
        refused(
            store
                .begin_session_by(&account, Factor::Passkey(PasskeyStorage::InDevice), store.now())
                .await
                .map(drop)
        ),
        Refusal::NeedsSecondFactor
    );
    store.remove_operator("lan", "test").await.unwrap();
    assert!(fixture.known("máy").await.is_none() && fixture.opens(&passkey, 2).await.is_empty());
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM passkey_use").await, [0]);
    fixture.sound().await;
}

/// The account changed since the run, so the undo keeps it, and no passkey is left without an account.
async fn undo_keeps_new_account_with_passkey(on: On) {
    let fixture = staffed(on).await;
    fixture.store.set_policy("newcomers", "create", "hr").await.unwrap();
    fixture
        .profiles(vec![profile(1, "A"), profile(2, "A"), profile(3, "A")])
        .await;
    let run = fixture.store.reconcile(DAY, "hr").await.unwrap();
    let new = run.created[0].clone();
    let passkey = fixture.add(new.as_str(), "máy").await;
    let undone = fixture.store.undo_run(&run.run.unwrap(), "head").await.unwrap();
    assert!(undone.changed_since.contains(new.as_str()));
    assert_eq!(fixture.opens(&passkey, 0).await, [new.as_str()]);
    fixture.sound().await;
}

/// A step-up keeps the factor that was shown before, and the deferral of the form.
async fn step_up_keeps_earlier_factor_and_deferral(on: On) {
    let fixture = staffed(on).await;
    let store = &fixture.store;
    let passkey = fixture.add("CV001", "máy").await;
    let first = store.begin_session(&id("CV001")).await.unwrap();
    store.put_off(first.as_str()).await.unwrap();
    let before = store.session(first.as_str()).await.unwrap().unwrap();
    assert_eq!(before.amr, "pwd");
    fixture.clock.move_on(60);
    let proven = store
        .use_passkey(&passkey, 1, PasskeyStorage::InDevice)
        .await
        .unwrap()
        .pop()
        .unwrap();
    let token = store.step_up(proven, &before).await.unwrap();
    let after = store.session(token.as_str()).await.unwrap().unwrap();
    assert_eq!(after.amr, "hwk mfa pwd user");
    assert!(after.put_off && after.began > before.began);
}

/// A ceremony is valid once, for its own purpose and session.
async fn ceremony_valid_once_and_for_its_purpose(on: On) {
    let fixture = staffed(on).await;
    let store = &fixture.store;
    let begin = async |what| store.begin_ceremony(what, "state").await.unwrap();
    let end = async |what, name: &str| store.end_ceremony(what, name).await.unwrap();
    let name = begin(Ceremony::StepUp("session")).await;
    for other in [
        Ceremony::SignIn,
        Ceremony::Add("session"),
        Ceremony::StepUp("another session"),
    ] {
        assert_eq!(end(other, &name).await, None, "{other:?}");
    }
    assert_eq!(end(Ceremony::StepUp("session"), "").await, None);
    assert_eq!(end(Ceremony::StepUp("session"), &name).await.as_deref(), Some("state"));
    assert_eq!(end(Ceremony::StepUp("session"), &name).await, None, "once");
    let late = begin(Ceremony::SignIn).await;
    fixture.clock.move_on(5 * 60 + 1);
    assert_eq!(end(Ceremony::SignIn, &late).await, None);
    assert_eq!(store.sweep().await.unwrap(), 1);
    fixture.sound().await;
}

/// An operator removes all passkeys of the owner by naming any of the owner's accounts; nobody else is affected.
async fn removed_passkeys_of_lost_device_open_nothing(on: On) {
    let fixture = staffed(on).await;
    let store = &fixture.store;
    let lan = fixture.operator("lan").await;
    let passkey = fixture.add("CV001", "điện thoại").await;
    fixture.add("CV001", "máy tính").await;
    fixture.add("CV002", "máy khác").await;
    fixture.profiles(vec![profile(1, "B"), profile(2, "A")]).await;
    let new = store.reconcile(DAY, "hr").await.unwrap().created[0].clone();
    assert_eq!(fixture.opens(&passkey, 1).await, [new.as_str()]);
    let open = store.begin_session(&new).await.unwrap();
    let held = store.begin_session(&id("CV001")).await.unwrap();
    let elsewhere = store.begin_session(&id("CV002")).await.unwrap();
    let is_open = async |token: &SessionToken| store.session(token.as_str()).await.unwrap().is_some();
    let rp = known(store, Client::new("Hue-S", vec!["https://hues.example/cb".into()])).await;
    let granted = tokens(store, &rp, new.as_str()).await;

    let remove = async |account: &str| {
        let why = "mất máy ở chợ";
        store.remove_passkeys(&lan, &id(account), why, "gone").await
    };
    assert_eq!(
        refused(remove("none").await.map(drop)),
        Refusal::UnknownAccount("none".into())
    );
    assert!(is_open(&open).await && is_open(&held).await && is_good(store, &granted.access).await);
    assert_eq!(remove("CV001").await.unwrap(), 2);
    assert!(!is_open(&open).await && !is_open(&held).await && is_open(&elsewhere).await);
    assert!(!is_good(store, &granted.access).await);
    assert!(fixture.opens(&passkey, 2).await.is_empty() && fixture.known("máy tính").await.is_none());
    assert!(fixture.known("máy khác").await.is_some());
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM passkey_use").await, [0]);
    let told = store.messages(10).await.unwrap();
    assert_eq!(told.iter().filter(|one| one.text == "gone").count(), 1);

    let explanation = store.account_explanation("CV001", DAY).await.unwrap();
    let removed = |change: &Change| matches!(change, Change::PasskeyRemoved { .. });
    let entries = explanation.history.iter().filter(|entry| removed(&entry.change));
    let entries: Vec<_> = entries
        .map(|entry| (entry.by.as_str(), entry.note.as_deref()))
        .collect();
    assert_eq!(
        entries,
        [("operator:lan", Some("mất máy ở chợ")), ("operator:lan", None)]
    );
    let open_text = "SELECT COUNT(*) FROM journal WHERE body LIKE '%mất máy%'";
    assert_eq!(fixture.sql(open_text).await, [0]);
    assert_eq!(remove("CV001").await.unwrap(), 0, "nothing is left to remove");
    assert_eq!(store.messages(10).await.unwrap().len(), told.len());
    fixture.sound().await;
    store.rebuild(&mut |_| {}).await.unwrap();
    assert!(store.passkeys(&new).await.unwrap().is_empty());
}
