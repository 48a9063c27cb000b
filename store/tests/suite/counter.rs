//! Tests of C1 and C2 at a counter, and of holds by order: each act names its operator.

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen, form, name, number, official, phone, record};
use crate::operators::refused;
use ngomon_rules::citizens::{Exemption, Field, Outcome, Paper, Proof};
use ngomon_rules::hold::Cause;
use ngomon_rules::records::{AccountId, AccountKind, Form};
use ngomon_rules::values::Date;
use ngomon_store::{ExemptionRequester, Order, Refusal};

both! {
    exempt_account_not_held_after_deadline
    an_order_holds_any_kind_of_account
    counter_form_names_differing_fields
    account_search_finds_exact_matches_only
}

fn id(id: &str) -> AccountId {
    AccountId(id.into())
}

pub fn order(document: &str) -> Order {
    Order {
        ordered_by: "Công an thành phố Huế".into(),
        document: document.into(),
        text: "theo đề nghị của cơ quan điều tra".into(),
        last_day: None,
    }
}

/// "An `exempt` account (…; with reason and end day, said by oneself or at a counter) …, is never held for it, and is counted apart."
async fn exempt_account_not_held_after_deadline(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    fixture
        .citizens(vec![citizen("HS1", 1), citizen("HS2", 2), citizen("HS3", 3)])
        .await;
    fixture.submit("HS2", 2).await;
    let an = fixture.operator("an").await;
    let store = &fixture.store;
    for (key, value) in [("deadline.citizens", "2023-07-25"), ("after-deadline", "hold")] {
        store.set_campaign(key, value, true, "test").await.unwrap();
    }
    assert_eq!(fixture.held(AccountKind::Citizen).await.len(), 2);
    let last = Date::constant(2023, 8, 31);
    let (hs1, hs2) = (id("HS1"), id("HS2"));
    for bad in [Date::constant(2023, 7, 30), Date::constant(2028, 8, 1)] {
        let refusal = refused(
            store
                .exempt(ExemptionRequester::Operator(&an, &hs1), Exemption::Child, bad)
                .await,
        );
        assert_eq!(refusal, Refusal::EndDay, "{bad}");
    }
    assert_eq!(
        refused(
            store
                .exempt(ExemptionRequester::Operator(&an, &hs2), Exemption::Child, last)
                .await
        ),
        Refusal::HasClaim("HS2".into())
    );
    store
        .exempt(ExemptionRequester::Operator(&an, &hs1), Exemption::Child, last)
        .await
        .unwrap();
    // The owner declares it in a held visit.
    let visit = store.begin_session(&id("HS3")).await.unwrap();
    let visit = store.session(visit.as_str()).await.unwrap().unwrap();
    assert!(visit.held);
    store
        .exempt(ExemptionRequester::Owner(&visit), Exemption::CardInTheMaking, DAY)
        .await
        .unwrap();
    assert_eq!(fixture.held(AccountKind::Citizen).await, [""; 0]);
    assert_eq!(fixture.province(DAY).await.exempt, 2);
    fixture.sound().await;

    store
        .exempt(ExemptionRequester::Operator(&an, &hs1), Exemption::Foreigner, DAY)
        .await
        .unwrap();
    let tomorrow = fixture.province(DAY.tomorrow().unwrap()).await;
    assert_eq!((tomorrow.exempt, tomorrow.held), (0, 2), "the last one counts");
    store.end_exemption(ExemptionRequester::Owner(&visit)).await.unwrap();
    assert_eq!(
        refused(store.end_exemption(ExemptionRequester::Owner(&visit)).await),
        Refusal::NotExempt("HS3".into())
    );
    assert_eq!(fixture.held(AccountKind::Citizen).await, ["HS3: not-standardised"]);
    let explanation = store.account_explanation("HS1", DAY).await.unwrap();
    assert_eq!(explanation.history.last().unwrap().by, "operator:an");
    fixture.sound().await;
}

async fn an_order_holds_any_kind_of_account(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("HS1", 1)]).await;
    let mailbox = ngomon_rules::records::AccountRow {
        kind: AccountKind::Unit,
        ..official(2, "A")
    };
    fixture.officials(vec![official(1, "A"), mailbox]).await;
    let an = fixture.operator("an").await;
    let store = &fixture.store;
    let accounts = ["HS1", "CV001", "CV002"].map(id);
    let one = order("15/CQĐT");
    let two = Order {
        last_day: Some(DAY),
        ..order("16/CQĐT")
    };
    for account in &accounts {
        let token = store.begin_session(account).await.unwrap();
        for order in [&one, &two] {
            store.hold_by_order(&an, account, order).await.unwrap();
        }
        let again = refused(store.hold_by_order(&an, account, &one).await);
        assert_eq!(again, Refusal::HeldAlready(account.0.clone()));
        assert!(store.session(token.as_str()).await.unwrap().is_none());
        let wrong = refused(store.lift_order(&an, account, &Cause::order("17/CQĐT"), "x").await);
        assert_eq!(wrong, Refusal::NotByOrder(account.0.clone()));
        store
            .lift_order(&an, account, &Cause::order("15/CQĐT"), "hết lý do")
            .await
            .unwrap();
        let explanation = store.account_explanation(account.as_str(), DAY).await.unwrap();
        assert_eq!(explanation.holds.len(), 1, "the other one stays");
        assert_eq!(explanation.holds[0].hold.evidence["document"], "16/CQĐT");
        let tomorrow = store
            .account_explanation(account.as_str(), DAY.tomorrow().unwrap())
            .await
            .unwrap();
        assert!(tomorrow.holds.is_empty(), "its last day has passed");
        assert!(
            store.session(token.as_str()).await.unwrap().is_none(),
            "nothing is revived"
        );
    }
    let past = Order {
        last_day: DAY.yesterday().ok(),
        ..order("18/CQĐT")
    };
    assert_eq!(
        refused(store.hold_by_order(&an, &accounts[0], &past).await),
        Refusal::EndDay
    );
    assert_eq!(
        refused(store.hold_by_order(&an, &id("nobody"), &one).await),
        Refusal::UnknownAccount("nobody".into())
    );
    fixture.sound().await;
}

/// A form with papers gets the fields that differ.
async fn counter_form_names_differing_fields(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1]).await;
    fixture.citizens(vec![citizen("HS1", 1)]).await;
    let an = fixture.operator("an").await;
    let store = &fixture.store;
    let right = form("HS1", 1).form;
    let papers = [Paper::IdCard, Paper::Residence];
    let enter = async |form: Form| {
        let entered = store.enter_form(&an, &id("HS1"), &form, &papers, None).await.unwrap();
        store.entered_form(&an, &entered.receipt.unwrap()).await.unwrap()
    };
    let near = enter(Form {
        full_name: format!("{}h", name(1).as_str()),
        issued_on: "2021-05-02".into(),
        ..right.clone()
    })
    .await;
    assert_eq!(
        (near.outcome, near.fields, near.near),
        (Outcome::Mismatch, vec![Field::FullName, Field::IssuedOn], Some(name(1)))
    );
    let far = enter(Form {
        full_name: "Trần Văn Khác".into(),
        ..right.clone()
    })
    .await;
    assert_eq!((far.fields, far.near), (vec![Field::FullName], None));
    let done = enter(right).await;
    assert_eq!(
        (done.outcome, done.papers.as_slice()),
        (Outcome::Standardised, &papers[..])
    );
    let explanation = store.account_explanation("HS1", DAY).await.unwrap();
    assert!(explanation.history.iter().filter(|e| e.by == "operator:an").count() >= 3);
    fixture.sound().await;
}

/// A search finds exact matches only.
async fn account_search_finds_exact_matches_only(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let renewed = ngomon_rules::records::RegistryRecord {
        former_ids: vec![number(7)],
        ..record(1)
    };
    let mut load = fixture.open("registry", 1).await;
    load.registry(vec![renewed]).await.unwrap();
    load.finish().await.unwrap();
    let mut with_phone = citizen("HS3", 3);
    with_phone.stated.phone = Some(phone(1));
    fixture
        .citizens(vec![citizen("HS1", 90), citizen("HS2", 7), with_phone])
        .await;
    let an = fixture.operator("an").await;
    let receipt = fixture.submit("HS1", 1).await.receipt.unwrap();
    let store = &fixture.store;
    let find = async |typed: &str| {
        let found = store.find(&an, typed).await.unwrap();
        found.iter().map(|one| one.account.0.clone()).collect::<Vec<_>>()
    };
    // The number finds the claim, and the accounts that state any number the person held.
    assert_eq!(find(number(1).as_str()).await, ["HS1", "HS2"]);
    assert_eq!(find(number(7).as_str()).await, ["HS1", "HS2"]);
    assert_eq!(find(" 0912 000 001 ").await, ["HS3"]);
    assert_eq!(find("HS2").await, ["HS2"]);
    assert_eq!(find("user-HS3").await, ["HS3"]);
    assert_eq!(find(&receipt.to_lowercase()).await, ["HS1"]);
    assert_eq!(find("an").await, ["operator:an"]);
    for nobody in ["", "HS", "0912", "%", "user-HS3 or 1=1", "DH-0000-0000"] {
        assert_eq!(find(nobody).await, [""; 0], "{nobody}");
    }
    let found = store.find(&an, "HS2").await.unwrap();
    assert_eq!((found[0].held, found[0].claim), (true, None));
    assert_eq!(found[0].national_id.as_deref(), Some(number(7).masked().as_str()));
    assert_eq!(found[0].unit, "Đơn vị V");
    assert_eq!(store.find(&an, "HS1").await.unwrap()[0].claim, Some(Proof::Form));

    let sealed = store.seal_query(&an, number(1).as_str());
    assert!(!sealed.contains(number(1).as_str()));
    assert_eq!(store.unseal_query(&an, &sealed).as_deref(), Some(number(1).as_str()));
    let binh = fixture.operator("binh").await;
    assert_eq!(store.unseal_query(&binh, &sealed), None);
    assert_eq!(store.unseal_query(&an, "x"), None);
    fixture.sound().await;
}
