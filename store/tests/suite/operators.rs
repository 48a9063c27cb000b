//! Tests of operators: "at least two exist, each has a second factor and no HR rule; every act of theirs names them".

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen};
use ngomon_rules::event::{Change, ProposedAct};
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_store::{Order, Refusal, StoreError};
use std::sync::Arc;

both! {
    an_operator_enrols_once_and_signs_in_by_two_factors
    enrolment_link_expires_after_three_days
    link_and_codes_work_once_in_simultaneous_requests
    removed_operator_has_no_access_for_good
    operator_name_is_never_reused
    simultaneous_removals_leave_two_operators
    removal_leaves_two_operators_who_can_act
    hold_of_operator_needs_two_others_to_lift_it
    idle_or_held_operator_cannot_act
    operator_name_allows_plain_characters_only
}

pub fn refused<T: std::fmt::Debug>(done: ngomon_store::Result<T>) -> Refusal {
    match done {
        Err(StoreError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn an_operator_enrols_once_and_signs_in_by_two_factors(on: On) {
    let fixture = Fixture::new(on).await;
    let store = &fixture.store;
    let link = store.add_operator("lan", "test").await.unwrap();
    let account = AccountId::of_operator("lan");
    assert!(store.credentials("lan").await.unwrap().is_empty(), "not enrolled yet");
    assert!(store.enrolment("no such link").await.unwrap().is_none());
    let enrolment = store.enrolment(&link).await.unwrap().unwrap();
    assert_eq!(enrolment.operator, "lan");
    let codes = store.enrol(&link, "{SSHA}one", 100).await.unwrap();
    assert_eq!(codes.len(), 10);
    assert!(store.enrolment(&link).await.unwrap().is_none());
    assert_eq!(
        refused(store.enrol(&link, "{SSHA}two", 101).await),
        Refusal::EnrolmentOver
    );

    let known = store.credentials("lan").await.unwrap();
    assert_eq!(
        (known[0].kind, known[0].password_hash.as_deref()),
        (AccountKind::Operator, Some("{SSHA}one"))
    );
    assert_eq!(
        refused(store.begin_session(&account).await.map(drop)),
        Refusal::NeedsSecondFactor
    );
    // A rehash of the password does not change the second factor.
    store.rehash(&known[0], "{SSHA}anew").await.unwrap();
    assert_eq!(store.totp_secret(&account).await.unwrap(), Some(enrolment.totp_secret));
    for used in [100, 99, 0] {
        assert!(fixture.sign_in("lan", used).await.is_none(), "step {used}");
    }
    let token = fixture.sign_in("lan", 101).await.unwrap();
    let visit = store.session(token.as_str()).await.unwrap().unwrap();
    assert_eq!(visit.operator().unwrap().by(), "operator:lan");

    let typed = codes[3].to_lowercase().replace('-', " ");
    assert!(store.use_recovery_code(&account, "").await.unwrap().is_none());
    let proven = store.use_recovery_code(&account, &typed).await.unwrap().unwrap();
    store.begin_proven_session(proven).await.unwrap();
    assert!(store.use_recovery_code(&account, &codes[3]).await.unwrap().is_none());
    assert!(store.use_recovery_code(&account, &codes[4]).await.unwrap().is_some());

    let minh = fixture.store.add_operator("minh", "test").await.unwrap();
    store.enrol(&minh, "{SSHA}x", 1).await.unwrap();
    let other = AccountId::of_operator("minh");
    assert!(store.use_recovery_code(&other, &codes[5]).await.unwrap().is_none());

    let explanation = store.account_explanation(account.as_str(), DAY).await.unwrap();
    let history: Vec<_> = explanation
        .history
        .iter()
        .map(|entry| (&entry.change, entry.by.as_str()))
        .collect();
    assert!(matches!(history[0], (Change::OperatorEnrolled { .. }, "operator:lan")));
    assert!(matches!(
        history[2],
        (Change::RecoveryCodeUsed { code: 3 }, "operator:lan")
    ));
    fixture.sound().await;
    fixture.store.rebuild(&mut |_| {}).await.unwrap();
    assert!(fixture.sign_in("lan", 102).await.is_some());
    assert!(store.use_recovery_code(&account, &codes[4]).await.unwrap().is_none());
}

/// An enrolment link is valid for three days.
async fn enrolment_link_expires_after_three_days(on: On) {
    let fixture = Fixture::new(on).await;
    let link = fixture.store.add_operator("lan", "test").await.unwrap();
    fixture.clock.move_on(72 * 3600 - 1);
    assert!(fixture.store.enrolment(&link).await.unwrap().is_some());
    fixture.clock.move_on(2);
    assert!(fixture.store.enrolment(&link).await.unwrap().is_none());
    assert_eq!(
        refused(fixture.store.enrol(&link, "{SSHA}x", 1).await),
        Refusal::EnrolmentOver
    );
    fixture.sound().await;
}

/// Eight requests at once with the same link, the same code, or the same recovery code: one succeeds.
async fn link_and_codes_work_once_in_simultaneous_requests(on: On) {
    let fixture = Arc::new(Fixture::new(on).await);
    let link = fixture.store.add_operator("lan", "test").await.unwrap();
    let mut codes = Vec::new();
    for task in at_once(&fixture, move |fixture| {
        let link = link.clone();
        async move { fixture.store.enrol(&link, "{SSHA}x", 1).await }
    }) {
        match task.await.unwrap() {
            Ok(found) => codes.push(found),
            Err(StoreError::Refused(refusal)) => assert_eq!(refusal, Refusal::EnrolmentOver),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(codes.len(), 1);
    let account = AccountId::of_operator("lan");
    let mut proven = [0, 0];
    let of = account.clone();
    for task in at_once(&fixture, move |fixture| {
        let of = of.clone();
        async move { fixture.store.use_code(&of, 2).await.unwrap().is_some() }
    }) {
        proven[0] += u32::from(task.await.unwrap());
    }
    let code = codes[0][0].clone();
    for task in at_once(&fixture, move |fixture| {
        let (account, code) = (account.clone(), code.clone());
        async move {
            fixture
                .store
                .use_recovery_code(&account, &code)
                .await
                .unwrap()
                .is_some()
        }
    }) {
        proven[1] += u32::from(task.await.unwrap());
    }
    assert_eq!(proven, [1, 1]);
    fixture.sound().await;
}

pub fn at_once<T, F>(fixture: &Arc<Fixture>, what: impl Fn(Arc<Fixture>) -> F) -> Vec<tokio::task::JoinHandle<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    (0..8).map(|_| tokio::spawn(what(Arc::clone(fixture)))).collect()
}

/// Two more operators, so that one may be removed.
async fn two_more(fixture: &Fixture) {
    for name in ["binh", "chi"] {
        fixture.operator(name).await;
    }
}

/// A removed operator has no access, and nothing restores it.
async fn removed_operator_has_no_access_for_good(on: On) {
    let fixture = Fixture::new(on).await;
    let store = &fixture.store;
    two_more(&fixture).await;
    let link = store.add_operator("lan", "test").await.unwrap();
    let codes = store.enrol(&link, "{SSHA}x", 1).await.unwrap();
    let token = fixture.sign_in("lan", 2).await.unwrap();
    store.remove_operator("lan", "test").await.unwrap();
    assert!(store.session(token.as_str()).await.unwrap().is_none());
    assert!(store.credentials("lan").await.unwrap().is_empty());
    let account = AccountId::of_operator("lan");
    assert!(store.totp_secret(&account).await.unwrap().is_none());
    assert!(store.use_recovery_code(&account, &codes[0]).await.unwrap().is_none());
    let late = store.use_code(&account, 100).await.unwrap();
    assert!(store.begin_proven_session(late.unwrap()).await.is_err());
    fixture.sound().await;
}

/// "A name that was removed is not given again": the journal and connected systems identify people by it.
async fn operator_name_is_never_reused(on: On) {
    let fixture = Fixture::new(on).await;
    let store = &fixture.store;
    two_more(&fixture).await;
    fixture.operator("Lan").await;
    for there in ["Lan", "lan"] {
        let refusal = refused(store.add_operator(there, "test").await);
        assert_eq!(refusal, Refusal::OperatorExists(there.into()));
    }
    store.remove_operator("Lan", "test").await.unwrap();
    fixture.sound().await;
    for round in 0..2 {
        for gone in ["Lan", "LAN"] {
            let refusal = refused(store.add_operator(gone, "test").await);
            assert_eq!(refusal, Refusal::OperatorRemoved(gone.into()), "round {round}");
        }
        // The journal records removed names, so they survive a rebuild.
        store.rebuild(&mut |_| {}).await.unwrap();
    }
    store.add_operator("lan2", "test").await.unwrap();
    fixture.sound().await;
}

/// "At least two exist": also if two are removed at the same time.
async fn simultaneous_removals_leave_two_operators(on: On) {
    let fixture = Fixture::new(on).await;
    let store = &fixture.store;
    store.add_operator("lan", "test").await.unwrap();
    assert_eq!(
        refused(store.remove_operator("lan", "test").await),
        Refusal::TwoOperators
    );
    two_more(&fixture).await;
    let mut removing = Vec::new();
    for name in ["lan", "binh", "chi"] {
        let store = store.clone();
        removing.push(tokio::spawn(async move { store.remove_operator(name, "test").await }));
    }
    let mut removed = 0;
    for task in removing {
        match task.await.unwrap() {
            Ok(()) => removed += 1,
            Err(StoreError::Refused(refusal)) => assert_eq!(refusal, Refusal::TwoOperators),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((removed, store.operators().await.unwrap().len()), (1, 2));
    fixture.sound().await;
}

/// Names without an enrolment, and held operators, do not count towards the two.
async fn removal_leaves_two_operators_who_can_act(on: On) {
    let fixture = Fixture::new(on).await;
    let store = &fixture.store;
    let (an, binh) = (fixture.operator("an").await, fixture.operator("binh").await);
    for name in ["x", "y", "z"] {
        store.add_operator(name, "test").await.unwrap();
    }
    assert_eq!(
        refused(store.remove_operator("binh", "test").await),
        Refusal::TwoOperators
    );
    store.remove_operator("x", "test").await.unwrap();
    let (chi, order) = (fixture.operator("chi").await, crate::counter::order("1"));
    let hold = |name: &str| ProposedAct::HoldByOrder {
        account: AccountId::of_operator(name),
        hold: store.hold_of(&order).unwrap(),
    };
    let of_binh = store.propose_act(&an, hold("binh"), "x").await.unwrap();
    let of_chi = store.propose_act(&an, hold("chi"), "x").await.unwrap();
    store.approve_act(&binh, &of_chi, "news").await.unwrap();
    // The proposal was valid when chi opened it: now only one of the remaining operators could act.
    let late = store.approve_act(&chi, &of_binh, "news").await;
    assert_eq!(refused(late.map(drop)), Refusal::NoOtherOperator);
    for name in ["an", "binh"] {
        assert_eq!(
            refused(store.remove_operator(name, "test").await),
            Refusal::TwoOperators
        );
    }
    store.remove_operator("chi", "test").await.unwrap();
    fixture.sound().await;
}

/// An operator is held only while two others remain who could lift it.
async fn hold_of_operator_needs_two_others_to_lift_it(on: On) {
    let fixture = Fixture::new(on).await;
    let store = &fixture.store;
    let (lan, minh) = (fixture.operator("lan").await, fixture.operator("minh").await);
    fixture.operator("chi").await;
    let order = Order {
        ordered_by: "UBND thành phố".into(),
        document: "1".into(),
        text: "đang xem xét".into(),
        last_day: None,
    };
    let hold = |name: &str| ProposedAct::HoldByOrder {
        account: AccountId::of_operator(name),
        hold: store.hold_of(&order).unwrap(),
    };
    let own = store.propose_act(&minh, hold("minh"), "x").await;
    assert_eq!(refused(own.map(drop)), Refusal::OwnAccount);
    let receipt = store.propose_act(&lan, hold("chi"), "x").await.unwrap();
    store.approve_act(&minh, &receipt, "news").await.unwrap();
    // Neither of the remaining two can be held any longer: one operator would decide alone, or about their own account.
    let receipt = store.propose_act(&lan, hold("minh"), "x").await.unwrap();
    assert!(store.approve_act(&lan, &receipt, "news").await.is_err());
    assert!(store.approve_act(&minh, &receipt, "news").await.is_err());
    fixture.sound().await;
    let held = "chi";
    // The administrator of the machine lifts it.
    for name in ["minh", "nobody"] {
        assert!(store.lift_orders_of_operator(name, "nhầm", "cli:root").await.is_err());
    }
    assert_eq!(
        store.lift_orders_of_operator(held, "nhầm", "cli:root").await.unwrap(),
        1
    );
    let explanation = store
        .account_explanation(AccountId::of_operator(held).as_str(), DAY)
        .await
        .unwrap();
    let last = explanation.history.last().unwrap();
    assert_eq!((last.by.as_str(), last.note.as_deref()), ("cli:root", Some("nhầm")));
    assert!(explanation.holds.is_empty());
    fixture.sound().await;
}

/// TCVN 14423: 15 minutes. A hold by order ends open sessions and leaves a held visit, in which nobody can act.
async fn idle_or_held_operator_cannot_act(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("C1", 1)]).await;
    let lan = fixture.operator("lan").await;
    let owner = fixture.store.begin_session(&AccountId("C1".into())).await.unwrap();
    let owner = fixture.store.session(owner.as_str()).await.unwrap().unwrap();
    assert!(owner.operator().is_none());

    let idle = fixture.sign_in("lan", 3).await.unwrap();
    fixture.clock.move_on(14 * 60);
    assert!(fixture.store.session(idle.as_str()).await.unwrap().is_some());
    fixture.clock.move_on(16 * 60);
    assert!(fixture.store.session(idle.as_str()).await.unwrap().is_none());

    two_more(&fixture).await;
    fixture.operator("dung").await;
    let open = fixture.operator("minh").await;
    let token = fixture.sign_in("minh", 3).await.unwrap();
    let account = AccountId::of_operator("minh");
    let order = Order {
        ordered_by: "UBND thành phố".into(),
        document: "12/QĐ-UBND".into(),
        text: "đang xem xét".into(),
        last_day: None,
    };
    fixture.two_hold(&lan, &account, &order).await;
    assert_eq!(open.by(), account.as_str());
    assert!(fixture.store.session(token.as_str()).await.unwrap().is_none());
    let held = fixture.sign_in("minh", 4).await.unwrap();
    let held = fixture.store.session(held.as_str()).await.unwrap().unwrap();
    assert!(held.held && held.operator().is_none());
    fixture.sound().await;
    fixture.store.remove_operator("minh", "test").await.unwrap();
    fixture.sound().await;
}

/// The name of an operator consists of plain characters.
async fn operator_name_allows_plain_characters_only(on: On) {
    let fixture = Fixture::new(on).await;
    for bad in ["", "lan:minh", "le lan", "lê", "a/b", &"x".repeat(41)] {
        let refusal = refused(fixture.store.add_operator(bad, "test").await);
        assert_eq!(refusal, Refusal::OperatorName(bad.to_owned()));
    }
    fixture.store.add_operator("Le.Lan-2_x", "test").await.unwrap();
    fixture.sound().await;
}
