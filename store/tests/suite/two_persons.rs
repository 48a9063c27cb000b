//! Tests that acts for two persons cannot be done by one, and that owners are notified of changes to their accounts.

use crate::both;
use crate::counter::order;
use crate::fixture::{Fixture, On, citizen, form, phone, record};
use crate::operators::refused;
use ngomon_rules::citizens::{Field, Outcome, Paper, Proof, RegistryAnswer};
use ngomon_rules::client::{Client, Scope};
use ngomon_rules::event::ProposedAct;
use ngomon_rules::hold::Cause;
use ngomon_rules::records::{AccountId, AccountKind, RegistryRecord};
use ngomon_store::{Approved, News, Operator, PapersSeen, Refusal, Store, TakeOverState};
use std::sync::Arc;

both! {
    withdrawn_claim_moves_only_with_second_operator
    withdrawn_claim_not_moved_by_form_with_unknown_phone
    operator_cannot_decline_act_on_own_account
    secret_of_sensitive_client_rotated_by_two_operators
    sessions_of_operator_ended_by_two_operators
    proposal_of_operator_held_since_lapses
    operator_held_and_released_by_two_or_administrator
    client_with_personal_data_needs_second_operator
    replacing_phone_and_password_needs_second_operator
    owners_notified_of_claims_holds_and_answers
    form_with_unregistered_field_waits_for_papers
}

fn id(id: &str) -> AccountId {
    AccountId(id.into())
}

impl Fixture {
    async fn with_papers(&self, operator: &Operator, account: &str, person: u32) -> (Outcome, String) {
        let form = form(account, person);
        let entered = self
            .store
            .enter_form(operator, &form.account, &form.form, &[Paper::IdCard], None)
            .await
            .unwrap();
        (entered.outcome, entered.receipt.unwrap())
    }

    async fn claimed(&self) -> Vec<String> {
        let lines = self
            .store
            .holds(Some(AccountKind::Citizen), self.store.today())
            .await
            .unwrap();
        let claimed = lines.into_iter().filter(|(_, line)| line.claimed);
        claimed.map(|(id, _)| id).collect()
    }
}

/// "A claim that was withdrawn goes to another account at a counter only with a second person."
async fn withdrawn_claim_moves_only_with_second_operator(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    fixture
        .citizens(vec![citizen("HS1", 1), citizen("HS2", 90), citizen("HS3", 91)])
        .await;
    let (an, binh) = (fixture.operator("an").await, fixture.operator("binh").await);
    let store = &fixture.store;
    fixture.submit("HS1", 1).await;
    store.withdraw_claim(&an, &id("HS1"), "nhầm").await.unwrap();

    let (outcome, receipt) = fixture.with_papers(&an, "HS2", 1).await;
    assert_eq!((outcome, fixture.claimed().await.len()), (Outcome::Taken, 0));
    assert!(
        fixture.held(AccountKind::Citizen).await.is_empty(),
        "nobody is held for it"
    );
    let claim = store.entered_form(&an, &receipt).await.unwrap().weaker.unwrap();
    assert_eq!((claim.holder, claim.proof), (id("HS1"), Proof::Form));
    assert!(claim.withdrawn.is_some());
    store.propose_take_over(&an, &receipt, "thẻ của bà").await.unwrap();
    assert_eq!(
        refused(store.approve_take_over(&an, &receipt, "news").await),
        Refusal::SameOperator
    );
    let waiting = store.take_over(&binh, &receipt).await.unwrap().unwrap();
    assert_eq!(waiting.reason.as_deref(), Some("thẻ của bà"));
    store.approve_take_over(&binh, &receipt, "news").await.unwrap();
    assert_eq!(fixture.claimed().await, ["HS2"]);
    assert_eq!(fixture.held(AccountKind::Citizen).await, ["HS1: duplicate"]);
    fixture.sound().await;

    // The same account, and the owner's own form, need only one.
    store.withdraw_claim(&an, &id("HS2"), "nhầm").await.unwrap();
    assert_eq!(fixture.with_papers(&an, "HS2", 1).await.0, Outcome::Standardised);
    store.withdraw_claim(&an, &id("HS2"), "nhầm").await.unwrap();
    assert_eq!(fixture.submit("HS3", 1).await.outcome, Outcome::Standardised);
    // A person who never had a claim gets one from a single operator.
    assert_eq!(fixture.with_papers(&an, "HS2", 2).await.0, Outcome::Standardised);
    fixture.sound().await;
    store.rebuild(&mut |_| {}).await.unwrap();
    fixture.sound().await;
}

/// One person alone could otherwise bypass the rule: withdraw the claim, then submit the form as a citizen with another phone.
async fn withdrawn_claim_not_moved_by_form_with_unknown_phone(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 90)]).await;
    let store = &fixture.store;
    let (an, binh) = (fixture.operator("an").await, fixture.operator("binh").await);
    let load = async |phone: Option<ngomon_rules::values::Phone>| {
        let mut load = fixture.open("registry", 1).await;
        load.registry(vec![RegistryRecord { phone, ..record(1) }])
            .await
            .unwrap();
        load.finish().await.unwrap();
    };
    load(None).await;
    let send = async |account: &str, typed: u32| {
        let registry = store.registry(crate::fixture::number(1)).await.unwrap();
        let mut sent = form(account, 1);
        sent.form.phone = phone(typed).as_str().into();
        let done = store.standardise_as_answered(&sent, account, registry, true).await;
        let done = done.unwrap();
        (done.outcome, done.fields)
    };
    assert_eq!(send("HS1", 1).await.0, Outcome::Standardised);
    store.withdraw_claim(&an, &id("HS1"), "nhầm").await.unwrap();
    let waits = (Outcome::Pending, vec![Field::Phone]);
    assert_eq!(send("HS2", 90).await, waits, "for papers, and two persons");
    store.retry_pending("registry").await.unwrap();
    assert!(fixture.claimed().await.is_empty() && fixture.held(AccountKind::Citizen).await.is_empty());
    let (outcome, receipt) = fixture.with_papers(&an, "HS2", 1).await;
    assert_eq!(outcome, Outcome::Taken);
    // The previous account gets its claim back by its own form.
    assert_eq!(send("HS1", 1).await.0, Outcome::Standardised);
    store.withdraw_claim(&an, &id("HS1"), "nhầm").await.unwrap();
    // The registry's own phone proves the person's will, and so do two operators.
    load(Some(phone(1))).await;
    assert_eq!(send("HS2", 90).await.0, Outcome::Mismatch);
    assert_eq!(send("HS2", 1).await.0, Outcome::Standardised);
    store.withdraw_claim(&an, &id("HS2"), "nhầm").await.unwrap();
    assert_eq!(send("HS1", 1).await.0, Outcome::Standardised);
    store.withdraw_claim(&an, &id("HS1"), "nhầm").await.unwrap();
    store.propose_take_over(&an, &receipt, "thẻ của bà").await.unwrap();
    store.approve_take_over(&binh, &receipt, "news").await.unwrap();
    assert_eq!(fixture.claimed().await, ["HS2"]);
    fixture.sound().await;
    store.rebuild(&mut |_| {}).await.unwrap();
    fixture.sound().await;
}

/// Otherwise the subject of a hold could delay it; and the proposer sees who declined.
async fn operator_cannot_decline_act_on_own_account(on: On) {
    let fixture = Fixture::new(on).await;
    let (an, binh, chi) = (
        fixture.operator("an").await,
        fixture.operator("binh").await,
        fixture.operator("chi").await,
    );
    let store = &fixture.store;
    let hold = ProposedAct::HoldByOrder {
        account: AccountId::of_operator("chi"),
        hold: store.hold_of(&order("15/CQĐT")).unwrap(),
    };
    let mut declined = Vec::new();
    for operator in [&binh, &an] {
        let receipt = store.propose_act(&an, hold.clone(), "theo văn bản").await.unwrap();
        let own = store.decline_act(&chi, &receipt, "không").await;
        assert_eq!(refused(own), Refusal::OwnAccount);
        let waiting = store.act_proposal(&an, &receipt).await.unwrap();
        assert_eq!(waiting.state, TakeOverState::Waiting);
        assert_eq!(store.declined_by(&an, &waiting).await.unwrap(), None);
        store.decline_act(operator, &receipt, "không").await.unwrap();
        let over = store.act_proposal(&an, &receipt).await.unwrap();
        declined.push(store.declined_by(&an, &over).await.unwrap());
    }
    assert_eq!(declined, [Some("operator:binh".into()), Some("operator:an".into())]);
    fixture.sound().await;
}

/// The holder of a client's secret gets everything that the client gets.
async fn secret_of_sensitive_client_rotated_by_two_operators(on: On) {
    let fixture = Fixture::new(on).await;
    let (an, binh) = (fixture.operator("an").await, fixture.operator("binh").await);
    let store = &fixture.store;
    let of = |name: &str, scopes: &[Scope]| Client {
        scopes: scopes.to_vec(),
        ..Client::new(name, vec!["https://rp.example/back".into()])
    };
    let plain = store.add_client(of("Một", &[Scope::Openid]), "cli:root").await.unwrap();
    assert!(store.rotate_client_alone(&an, plain.id.as_str()).await.is_ok());
    let telling = store
        .add_client(of("Hai", &[Scope::Profile]), "cli:root")
        .await
        .unwrap();
    let alone = store.rotate_client_alone(&an, telling.id.as_str()).await;
    assert_eq!(refused(alone.map(drop)), Refusal::NeedsTwo);
    let act = ProposedAct::RotateClient { id: telling.id.clone() };
    let receipt = store.propose_act(&an, act, "lộ khóa").await.unwrap();
    let own = store.approve_act(&an, &receipt, "news").await;
    assert_eq!(refused(own.map(drop)), Refusal::SameOperator);
    let ngomon_store::Approved::Client(new) = store.approve_act(&binh, &receipt, "news").await.unwrap() else {
        panic!("no secret");
    };
    let known = store.client(telling.id.as_str()).await.unwrap().unwrap();
    let before = telling.secret.unwrap();
    assert!(known.secret_fits(&new.secret.unwrap(), store.now()));
    assert!(known.secret_fits(&before, store.now()), "for a day");
    fixture.clock.move_on(86_401);
    assert!(!known.secret_fits(&before, store.now()));
    fixture.sound().await;
}

/// Otherwise one operator could keep another from work indefinitely.
async fn sessions_of_operator_ended_by_two_operators(on: On) {
    let fixture = Fixture::new(on).await;
    let (an, binh) = (fixture.operator("an").await, fixture.operator("binh").await);
    fixture.operator("chi").await;
    let (store, account) = (&fixture.store, AccountId::of_operator("chi"));
    let open = fixture.sign_in("chi", 9).await.unwrap();
    assert_eq!(refused(store.end_sessions(&an, &account).await), Refusal::NeedsTwo);
    let act = ProposedAct::EndSessions {
        account: account.clone(),
    };
    let receipt = store.propose_act(&an, act, "mất máy").await.unwrap();
    assert!(store.session(open.as_str()).await.unwrap().is_some());
    store.approve_act(&binh, &receipt, "news").await.unwrap();
    assert!(store.session(open.as_str()).await.unwrap().is_none());
    fixture.sound().await;
}

/// The vote of an operator who is held does not count, and neither does it after the hold.
async fn proposal_of_operator_held_since_lapses(on: On) {
    let fixture = Fixture::new(on).await;
    let (an, binh, chi) = (
        fixture.operator("an").await,
        fixture.operator("binh").await,
        fixture.operator("chi").await,
    );
    let store = &fixture.store;
    let hold = |name: &str, document: &str| ProposedAct::HoldByOrder {
        account: AccountId::of_operator(name),
        hold: store.hold_of(&order(document)).unwrap(),
    };
    let asked = store.propose_act(&an, hold("binh", "1"), "x").await.unwrap();
    let of_an = store.propose_act(&chi, hold("an", "2"), "x").await.unwrap();
    store.approve_act(&binh, &of_an, "news").await.unwrap();
    let state = async || store.act_proposal(&chi, &asked).await.unwrap().state;
    assert_eq!(state().await, TakeOverState::Lapsed);
    let done = store.approve_act(&chi, &asked, "news").await;
    assert!(matches!(
        refused(done.map(drop)),
        Refusal::TakeOverState { state: "lapsed", .. }
    ));
    store.lift_orders_of_operator("an", "nhầm", "cli:root").await.unwrap();
    assert_eq!(state().await, TakeOverState::Lapsed, "nor afterwards");
    let again = store.propose_act(&an, hold("binh", "1"), "x").await.unwrap();
    assert_ne!(again, asked);
    fixture.sound().await;
}

/// An operator is held and released by two operators, or released by the administrator of the machine.
async fn operator_held_and_released_by_two_or_administrator(on: On) {
    let fixture = Fixture::new(on).await;
    let (an, binh, chi) = (
        fixture.operator("an").await,
        fixture.operator("binh").await,
        fixture.operator("chi").await,
    );
    let (store, account, order) = (&fixture.store, AccountId::of_operator("chi"), order("15/CQĐT"));
    let cause = Cause::order("15/CQĐT");
    assert_eq!(
        refused(store.hold_by_order(&an, &account, &order).await),
        Refusal::NeedsTwo
    );
    assert_eq!(
        refused(store.remove_passkeys(&an, &account, "mất", "news").await.map(drop)),
        Refusal::NeedsTwo
    );
    let hold = || ProposedAct::HoldByOrder {
        account: account.clone(),
        hold: store.hold_of(&order).unwrap(),
    };
    assert_eq!(
        refused(store.propose_act(&chi, hold(), "x").await.map(drop)),
        Refusal::OwnAccount
    );
    let receipt = store.propose_act(&an, hold(), "theo văn bản").await.unwrap();
    assert_eq!(
        store.propose_act(&an, hold(), "lần nữa").await.unwrap(),
        receipt,
        "said again"
    );
    for (operator, refusal) in [(&an, Refusal::SameOperator), (&chi, Refusal::OwnAccount)] {
        let done = store.approve_act(operator, &receipt, "news").await;
        assert_eq!(refused(done.map(drop)), refusal);
    }
    let seen = store.act_proposal(&binh, &receipt).await.unwrap();
    assert_eq!(
        (seen.reason.as_str(), seen.proposed_by.as_str()),
        ("theo văn bản", "operator:an")
    );
    store.approve_act(&binh, &receipt, "news").await.unwrap();
    assert!(fixture.sign_in("chi", 9).await.is_some());
    let held = async || {
        store
            .account_explanation(account.as_str(), store.today())
            .await
            .unwrap()
            .holds
            .len()
    };
    assert_eq!(held().await, 1);
    let again = store.approve_act(&binh, &receipt, "news").await;
    assert!(matches!(
        refused(again.map(drop)),
        Refusal::TakeOverState { state: "approved", .. }
    ));

    assert_eq!(
        refused(store.lift_order(&an, &account, &cause, "x").await),
        Refusal::NeedsTwo
    );
    let lift = || ProposedAct::LiftOrder {
        account: account.clone(),
        cause: cause.clone(),
    };
    let receipt = store.propose_act(&an, lift(), "nhầm").await.unwrap();
    store.decline_act(&binh, &receipt, "chưa đủ").await.unwrap();
    assert_eq!(held().await, 1);
    let receipt = store.propose_act(&binh, lift(), "hết lý do").await.unwrap();
    store.approve_act(&an, &receipt, "news").await.unwrap();
    assert_eq!(held().await, 0);

    // The administrator of the machine lifts it alone, so nobody waits forever.
    let receipt = store.propose_act(&an, hold(), "lần hai").await.unwrap();
    store.approve_act(&binh, &receipt, "news").await.unwrap();
    let lift = async |name: &str| store.lift_orders_of_operator(name, "nhầm người", "cli:root").await;
    assert_eq!(lift("chi").await.unwrap(), 1);
    assert!(matches!(refused(lift("chi").await.map(drop)), Refusal::NotByOrder(_)));
    assert_eq!(
        refused(lift("khong-co").await.map(drop)),
        Refusal::UnknownOperator("khong-co".into())
    );
    let receipt = store.propose_act(&an, hold(), "lần ba").await.unwrap();
    fixture.clock.move_on(15 * 86_400);
    assert_eq!(
        store.act_proposal(&binh, &receipt).await.unwrap().state,
        TakeOverState::Lapsed
    );
    assert!(store.act_proposals(&binh).await.unwrap().is_empty());
    assert_eq!(held().await, 0);
    fixture.sound().await;
    store.rebuild(&mut |_| {}).await.unwrap();
    fixture.sound().await;
}

/// A client that gets personal data without consent needs a second operator.
async fn client_with_personal_data_needs_second_operator(on: On) {
    let fixture = Fixture::new(on).await;
    let (an, binh) = (fixture.operator("an").await, fixture.operator("binh").await);
    let store = &fixture.store;
    let client = |name: &str, scopes: &[Scope], third_party| Client {
        scopes: scopes.to_vec(),
        third_party,
        ..Client::new(name, vec!["https://rp.example/back".into()])
    };
    for (name, scopes, third_party, alone) in [
        ("Một", vec![Scope::Openid, Scope::Standardisation], false, true),
        ("Năm", vec![Scope::Openid, Scope::Profile], false, false),
        ("Sáu", vec![Scope::Openid, Scope::Employment], false, false),
        ("Hai", Scope::ALL.to_vec(), true, true),
        ("Ba", Scope::ALL.to_vec(), false, false),
        ("Bốn", vec![Scope::Openid, Scope::NationalId], false, false),
    ] {
        let added = store.add_client_alone(&an, client(name, &scopes, third_party)).await;
        if alone {
            drop(added.unwrap());
        } else {
            assert_eq!(refused(added.map(drop)), Refusal::NeedsTwo, "{name}");
        }
    }
    let act = ProposedAct::AddClient {
        id: store.new_client_id(),
        client: Box::new(client("Ba", Scope::ALL, false)),
    };
    let receipt = store.propose_act(&an, act, "cổng dịch vụ của tỉnh").await.unwrap();
    assert_eq!(
        refused(store.approve_act(&an, &receipt, "news").await.map(drop)),
        Refusal::SameOperator
    );
    let Approved::Client(new) = store.approve_act(&binh, &receipt, "news").await.unwrap() else {
        panic!("a system was proposed")
    };
    let known = store.client(new.id.as_str()).await.unwrap().unwrap();
    assert!(known.client.name == "Ba" && new.secret.is_some());

    // One operator alone can neither change a client that two admitted, nor turn another into one that would need two.
    let first = store.clients().await.unwrap();
    let first = first.into_iter().find(|one| one.client.name == "Một").unwrap();
    for (of, scopes) in [(&known, [Scope::Openid]), (&first, [Scope::Phone])] {
        let other = client(&of.client.name, &scopes, false);
        let edited = store.edit_client_alone(&an, &of.id, &of.client, other).await;
        assert_eq!(refused(edited.map(drop)), Refusal::NeedsTwo, "{}", of.client.name);
    }
    let ids = || vec![(AccountId::of_operator("an"), "u1".to_owned())];
    let named = store.name_subjects_alone(&an, &known, ids()).await;
    assert_eq!(refused(named.map(drop)), Refusal::NeedsTwo);
    assert_eq!(store.name_subjects_alone(&an, &first, ids()).await.unwrap(), 1);
    fixture.sound().await;
    store.rebuild(&mut |_| {}).await.unwrap();
    fixture.sound().await;
}

/// "After a counter changed a phone, a reset, a removal of passkeys or a move of the claim needs a second person for 30 days; the old
/// number is told and can object."
#[allow(clippy::too_many_lines, reason = "one story")]
async fn replacing_phone_and_password_needs_second_operator(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2, 3]).await;
    let with = |account: &str, n: u32, password: bool| {
        let mut row = citizen(account, n);
        row.stated.phone = Some(phone(70 + n));
        row.password_hash = password.then(|| "{SSHA}x".to_owned());
        row
    };
    fixture
        .citizens(vec![with("HS1", 1, true), with("HS2", 2, true), with("HS3", 3, false)])
        .await;
    let (an, binh) = (fixture.operator("an").await, fixture.operator("binh").await);
    let store: Store = fixture
        .store
        .clone()
        .telling(Arc::new(|news: &News| format!("{news:?}")));
    let seen = PapersSeen {
        papers: vec![Paper::IdCard],
        why: "mất máy".into(),
    };
    let (hs1, hs2, hs3) = (id("HS1"), id("HS2"), id("HS3"));
    let session = store.begin_session(&hs1).await.unwrap();
    store
        .standardise(&form("HS1", 1), Proof::Form, "HS1", store.now())
        .await
        .unwrap();
    assert_eq!(
        store.reach(&hs1).await.unwrap().unwrap().to,
        phone(1).as_str(),
        "the claim's"
    );
    let to_clients = async || {
        let about = store.about(&hs1).await.unwrap().unwrap();
        (about.stated.phone.unwrap(), about.phone_verified)
    };
    assert_eq!(to_clients().await, (phone(1), true), "and clients are told of it");

    // The phone alone needs one person. The previous number and the new one get a message.
    let before = store.messages(99).await.unwrap().len();
    store.change_phone(&an, &hs1, &phone(90), &seen).await.unwrap();
    let mut told: Vec<_> = store
        .messages(99)
        .await
        .unwrap()
        .into_iter()
        .map(|one| (one.to, one.text))
        .collect();
    told.truncate(told.len() - before);
    told.sort();
    let both = [1, 90].map(|n| (phone(n).as_str().to_owned(), "PhoneChanged".to_owned()));
    assert_eq!(told, both);
    assert_eq!(
        store.reach(&hs1).await.unwrap().unwrap().to,
        phone(90).as_str(),
        "the counter's"
    );
    assert_eq!(
        to_clients().await,
        (phone(90), false),
        "nobody vouches for it, and the lost one is nobody's"
    );
    assert!(store.phone_changed_lately(&hs1).await.unwrap());

    // Everything else needs two, for every account with the same login.
    assert!(refused(store.issue_password_code(&an, &hs1, &seen).await.map(drop)) == Refusal::NeedsTwo);
    assert!(refused(store.change_phone(&an, &hs1, &phone(91), &seen).await) == Refusal::NeedsTwo);
    assert!(refused(store.remove_passkeys(&an, &hs1, "mất", "news").await.map(drop)) == Refusal::NeedsTwo);
    assert!(refused(store.withdraw_claim(&an, &hs1, "nhầm").await) == Refusal::NeedsTwo);
    let papers = vec![Paper::IdCard];
    let act = ProposedAct::NewPassword {
        account: hs1.clone(),
        papers: papers.clone(),
    };
    let receipt = store.propose_act(&an, act, "quên").await.unwrap();
    assert!(refused(store.approve_act(&an, &receipt, "news").await.map(drop)) == Refusal::SameOperator);
    let Approved::PasswordCode(code) = store.approve_act(&binh, &receipt, "news").await.unwrap() else {
        panic!("a code")
    };
    assert_eq!(store.messages(1).await.unwrap()[0].text, "PasswordCodeIssued");
    let typed = code.replace('-', " ").to_lowercase();
    assert_eq!(store.password_code(&typed).await.unwrap(), Some(hs1.clone()));
    assert_eq!(store.password_code("AAAA-AAAA-AAAA").await.unwrap(), None);
    assert!(store.session(session.as_str()).await.unwrap().is_some());
    assert!(store.set_password_by_code(&typed, "{SSHA}y", "changed").await.unwrap());
    assert!(
        !store.set_password_by_code(&code, "{SSHA}z", "changed").await.unwrap(),
        "good once"
    );
    assert!(
        store.session(session.as_str()).await.unwrap().is_none(),
        "all that was open ends"
    );
    let act = ProposedAct::WithdrawClaim { account: hs1.clone() };
    let receipt = store.propose_act(&an, act, "nhầm").await.unwrap();
    store.approve_act(&binh, &receipt, "news").await.unwrap();
    assert!(fixture.claimed().await.is_empty());

    // The other way round, and an account whose only credential is the phone.
    let code = store.issue_password_code(&an, &hs2, &seen).await.unwrap();
    for account in [&hs2, &hs3] {
        assert!(refused(store.change_phone(&an, account, &phone(92), &seen).await) == Refusal::NeedsTwo);
        let act = ProposedAct::ChangePhone {
            account: account.clone(),
            papers: papers.clone(),
        };
        let other = store.propose_phone(&an, act.clone(), &phone(93), "mất").await.unwrap();
        let receipt = store.propose_phone(&an, act, &phone(92), "mất").await.unwrap();
        assert_ne!(receipt, other, "another phone is another proposal");
        store.approve_act(&binh, &receipt, "news").await.unwrap();
        assert_eq!(store.reach(account).await.unwrap().unwrap().to, phone(92).as_str());
    }
    fixture.clock.move_on(86_401);
    assert_eq!(store.password_code(&code).await.unwrap(), None, "good for a day");
    fixture.clock.move_on(30 * 86_400);
    assert!(!store.phone_changed_lately(&hs1).await.unwrap());
    store.issue_password_code(&an, &hs1, &seen).await.unwrap();
    // A later claim brings the registry's phone.
    store
        .standardise(&form("HS1", 1), Proof::Form, "HS1", store.now())
        .await
        .unwrap();
    assert_eq!(store.reach(&hs1).await.unwrap().unwrap().to, phone(1).as_str());
    store.rebuild(&mut |_| {}).await.unwrap();
    assert_eq!(store.reach(&hs3).await.unwrap().unwrap().to, phone(92).as_str());
    fixture.sound().await;
}

/// "Owners are told of every claim made, withdrawn, taken over, and of every hold and answer."
async fn owners_notified_of_claims_holds_and_answers(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    let mut old = citizen("HS1", 1);
    old.stated.phone = Some(phone(77));
    let mut other = citizen("HS2", 1);
    other.stated.phone = Some(phone(88));
    fixture.citizens(vec![old, other]).await;
    let store: Store = fixture
        .store
        .clone()
        .telling(Arc::new(|news: &News| format!("{news:?}")));
    let an = fixture.operator("an").await;
    let told = async || {
        let mut all = store.messages(99).await.unwrap();
        all.reverse();
        all.into_iter().map(|one| (one.to, one.text)).collect::<Vec<_>>()
    };
    let to = |n: u32| phone(n).as_str().to_owned();
    let form = form("HS1", 1);
    let done = store.standardise(&form, Proof::Form, "HS1", store.now()).await.unwrap();
    let claimed = format!("{:?}", News::Standardised(done.receipt));
    let mut expected = vec![(to(1), claimed.clone()), (to(77), claimed)];
    expected.push((to(88), "Held(Duplicate)".into()));
    let mut first = told().await;
    first.sort();
    expected.sort();
    assert_eq!(first, expected, "the number of before is told too, and can object");

    store.withdraw_claim(&an, &id("HS1"), "nhầm").await.unwrap();
    let mut withdrawn: Vec<_> = told().await.split_off(3);
    withdrawn.sort();
    let mut both = [to(1), to(77)].map(|to| (to, "ClaimWithdrawn".to_owned())).to_vec();
    both.push((to(88), "OpenAgain".to_owned()));
    assert_eq!(withdrawn, both, "and so is whom it held");

    store.hold_by_order(&an, &id("HS2"), &order("1/CA")).await.unwrap();
    assert_eq!(told().await.last().unwrap(), &(to(88), "Held(ByOrder)".to_owned()));
    // Only an answer that came while the owner was away: the answer to a form just submitted is on the page.
    let before = told().await.len();
    let mut wrong = form.clone();
    wrong.form.issued_on = "2020-01-01".into();
    let waits = store.standardise_as_answered(&wrong, "HS1", RegistryAnswer::Unavailable, true);
    let receipt = waits.await.unwrap().receipt.unwrap();
    assert_eq!(told().await.len(), before);
    store.retry_pending("registry").await.unwrap();
    assert_eq!(
        told().await.last().unwrap(),
        &(to(77), format!("{:?}", News::Answered(receipt)))
    );
    let before = told().await.len();
    store
        .standardise(&wrong, Proof::Form, "HS1", store.now())
        .await
        .unwrap();
    assert_eq!(told().await.len(), before);
    fixture.sound().await;
}

/// "Until then `pending`", and a counter resolves it, not a query to the registry every five seconds.
async fn form_with_unregistered_field_waits_for_papers(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 2)]).await;
    let store = &fixture.store;
    let load = async |without_day: bool| {
        let bare = |n| RegistryRecord {
            issued_on: record(n).issued_on.filter(|_| !without_day),
            phone: None,
            ..record(n)
        };
        let mut load = fixture.open("registry", 2).await;
        load.registry(vec![bare(1), bare(2)]).await.unwrap();
        load.finish().await.unwrap();
    };
    load(true).await;
    let send = async |account: &str, n: u32| {
        let registry = store.registry(crate::fixture::number(n)).await.unwrap();
        store
            .standardise_as_answered(&form(account, n), account, registry, true)
            .await
            .unwrap()
    };
    let done = send("HS1", 1).await;
    let names: Vec<_> = done.fields.iter().map(|field| field.name()).collect();
    assert_eq!((done.outcome, names), (Outcome::Pending, vec!["issued_on"]));
    let waiting = store.pending_forms().await.unwrap();
    assert!(waiting.len() == 1 && waiting[0].waits_for_papers);
    let entries = store.explain("HS1", store.today()).await.unwrap().history.len();
    store.retry_pending("registry").await.unwrap();
    assert_eq!(
        store.explain("HS1", store.today()).await.unwrap().history.len(),
        entries
    );
    // Papers seen by an operator are enough, and so is an extract with the issue date: the code was typed.
    let an = fixture.operator("an").await;
    assert_eq!(fixture.with_papers(&an, "HS1", 1).await.0, Outcome::Standardised);
    assert_eq!(send("HS2", 2).await.outcome, Outcome::Pending);
    load(false).await;
    store.retry_pending("registry").await.unwrap();
    assert_eq!(fixture.claimed().await, ["HS1", "HS2"]);
    // One of the two may be missing if the policy allows it; without a code, neither.
    fixture.citizens(vec![citizen("HS3", 3)]).await;
    let bare = RegistryRecord {
        issued_on: None,
        ..record(3)
    };
    let answers = RegistryAnswer::Found(Box::new(bare));
    let third = form("HS3", 3);
    let sent = store.standardise_as_answered(&third, "HS3", answers.clone(), true);
    assert_eq!(sent.await.unwrap().outcome, Outcome::Pending);
    store
        .set_campaign("issue-date-required", "off", false, "op")
        .await
        .unwrap();
    let sent = store.standardise_as_answered(&third, "HS3", answers, false);
    assert_eq!(sent.await.unwrap().outcome, Outcome::Standardised);
    fixture.sound().await;
    store.rebuild(&mut |_| {}).await.unwrap();
    fixture.sound().await;
}
