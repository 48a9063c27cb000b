//! An installation with data in every table, and the facts that must survive.

use crate::fixture::{DAY, Fixture, citizen, form, name, number, official, phone, profile, record};
use crate::openid::{hues, known, tokens};
use ngomon_rules::citizens::{Exemption, Paper, Proof, RegistryAnswer};
use ngomon_rules::client::{Authentication, Client, Scope, SubjectKind};
use ngomon_rules::hold::Cause;
use ngomon_rules::officials::{Amendment, UnreadableProfile};
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::records::{AccountId, AccountKind, AccountRow, Notice, ServiceStatus};
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::Date;
use ngomon_store::{
    Ceremony, Channel, CodeRecipient, ContactPoint, ExemptionRequester, Join, LoadDecision, LoadRequest, NewPasskey,
    Order, PasskeyStorage, Purpose, QuarantinedRow, RateLimit, Requester, Store,
};
use serde_json::{Value, json};

fn id(id: &str) -> AccountId {
    AccountId(id.into())
}

fn by_phone(n: u32) -> ContactPoint {
    ContactPoint {
        channel: Channel::Sms,
        to: phone(n).as_str().to_owned(),
    }
}

fn order(document: &str, last_day: Option<Date>) -> Order {
    Order {
        ordered_by: "Công an thành phố Huế".into(),
        document: document.into(),
        text: "theo đề nghị của cơ quan điều tra".into(),
        last_day,
    }
}

/// The record of a newly added device.
pub fn device(name: &str) -> NewPasskey {
    NewPasskey {
        name: name.into(),
        credential: format!("credential of {name}").into_bytes(),
        key: format!("key of {name}"),
    }
}

/// Fills an empty store.
pub async fn furnish(fixture: &Fixture) {
    references(fixture).await;
    let [an, _] = citizens(fixture).await;
    let runs = officials(fixture).await;
    connected(fixture).await;
    held_on_purpose(fixture, &an).await;
    // The previous keys are kept for reading.
    fixture.store.rotate_keys(&mut |_| {}).await.unwrap();
    late(fixture, &an, &runs).await;
    fixture.store.propagate_time_based_holds().await.unwrap();
    fixture.store.recount().await.unwrap();
    fixture.store.seal().await.unwrap();
}

async fn references(fixture: &Fixture) {
    fixture.units().await;
    let mut load = fixture.open("registry", 43).await;
    let mut people: Vec<_> = (1..=40).map(record).collect();
    // A number was cancelled and replaced.
    people[3].former_ids = vec![number(104)];
    people[7].phone = None;
    load.registry(people).await.unwrap();
    let row = |row: &str, reason, hints| QuarantinedRow {
        row: row.into(),
        reason,
        hints,
        cells: [("full_name".to_owned(), "Lê".to_owned())].into(),
    };
    load.quarantined(vec![row("42", QuarantineReason::BadDate, UnreadableProfile::default())])
        .await
        .unwrap();
    load.finish().await.unwrap();
    // A shrunken extract waits for an approval.
    let shrank = fixture.begin("registry", 7, None, None).await;
    assert!(matches!(shrank, LoadDecision::NeedsApproval { .. }));
}

async fn citizens(fixture: &Fixture) -> [ngomon_store::Operator; 2] {
    let store = &fixture.store;
    for (key, value) in [
        ("start", "2023-07-15"),
        ("deadline.officials", "2023-07-19"),
        ("vneid-activation", "2023-10-01"),
    ] {
        store.set_campaign(key, value, true, "operator:an").await.unwrap();
    }
    let mut rows: Vec<AccountRow> = (1..=14).map(|n| citizen(&format!("HS{n:02}"), n)).collect();
    for (at, person) in [(1, 1), (2, 90), (4, 4), (12, 13)] {
        rows[at].stated.national_id = Some(number(person));
    }
    rows[5].stated.phone = Some(phone(1));
    rows[5].stated.full_name = Some(name(6));
    rows[8].held_reason = Some("Theo văn bản số 1".into());
    rows[10].password_hash = Some("{SSHA}owner".into());
    rows[10].stated.phone = Some(phone(11));
    fixture.citizens(rows).await;
    // An unreadable row waits.
    let LoadDecision::Open(mut load) = fixture.begin("citizens", 1, None, None).await else {
        panic!("one row")
    };
    load.quarantined(vec![QuarantinedRow {
        row: "2".into(),
        reason: QuarantineReason::BadValue,
        hints: UnreadableProfile::default(),
        cells: [("account_id".to_owned(), "Tổng cộng: 3".to_owned())].into(),
    }])
    .await
    .unwrap();
    load.finish().await.unwrap();

    // A claim by the form, with a duplicate; at a counter; under a former number; with a mistake; for an unknown person.
    fixture.submit("HS01", 1).await;
    fixture.submit("HS05", 4).await;
    fixture.submit("HS06", 60).await;
    let mut wrong = form("HS07", 7);
    wrong.form.issued_on = "2020-01-01".into();
    store
        .standardise(&wrong, Proof::Form, "owner", store.now())
        .await
        .unwrap();
    store
        .standardise_as_answered(&form("HS08", 8), "owner", RegistryAnswer::Unavailable, true)
        .await
        .unwrap();
    store.registry_heard(false).await.unwrap();
    let (an, binh) = (fixture.operator("an").await, fixture.operator("binh").await);
    store.add_operator("chi", "operator:an").await.unwrap();
    let gone = fixture.operator("dung").await;
    assert_eq!(gone.by(), "operator:dung");
    store.remove_operator("dung", "operator:an").await.unwrap();
    let counter = async |account: &str, person| {
        let form = form(account, person);
        let entered = store
            .enter_form(&an, &form.account, &form.form, &[Paper::IdCard], None)
            .await;
        entered.unwrap().receipt.unwrap()
    };
    counter("HS10", 10).await;
    // A person took over the claim of another account, with two operators.
    fixture.submit("HS02", 2).await;
    let receipt = counter("HS03", 2).await;
    store
        .propose_take_over(&an, &receipt, "chủ tài khoản có thẻ")
        .await
        .unwrap();
    store
        .approve_take_over(&binh, &receipt, "Tài khoản khác đã nhận")
        .await
        .unwrap();
    // A withdrawal, a join, a review, exemptions.
    fixture.submit("HS11", 11).await;
    fixture.submit("HS12", 12).await;
    store
        .withdraw_claim(&binh, &id("HS12"), "khai nhầm tài khoản của con")
        .await
        .unwrap();
    fixture.submit("HS14", 13).await;
    let join = Join {
        held: id("HS13"),
        holder: id("HS14"),
        held_stays: true,
    };
    store.join(&join, "Hai tài khoản đã nhập làm một").await.unwrap();
    store.request_review(&id("HS14")).await.unwrap();
    let last = Date::constant(2024, 7, 31);
    store
        .exempt(
            ExemptionRequester::Operator(&an, &id("HS09")),
            Exemption::Foreigner,
            last,
        )
        .await
        .unwrap();
    [an, binh]
}

/// The runs: one of them was undone. The one that waits is made later.
async fn officials(fixture: &Fixture) -> Vec<String> {
    let store = &fixture.store;
    let mut rows: Vec<AccountRow> = (1..=30).map(|n| official(n, "A")).collect();
    rows[0].stated.phone = Some(phone(1));
    fixture.officials(rows).await;
    let mut people: Vec<_> = (1..=30).map(|n| profile(n, "A")).collect();
    people[1].unit = UnitCode("B".into());
    people[2].status = ServiceStatus::Resigned;
    people[3].status = ServiceStatus::Retired;
    people[4].full_name = name(77);
    people[5].reviewed_on = Some(Date::constant(2022, 7, 1));
    people[6].next_due_on = Some(Date::constant(2023, 7, 1));
    people[6].updated_on = Some(Date::constant(2023, 5, 1));
    people[8].former_ids = vec![number(109)];
    let LoadDecision::Open(mut load) = fixture.begin("profiles", 31, Some(None), None).await else {
        panic!("the extract is healthy")
    };
    load.profiles(people).await.unwrap();
    load.quarantined(vec![QuarantinedRow {
        row: "32".into(),
        reason: QuarantineReason::BadDate,
        hints: UnreadableProfile {
            national_id: Some(number(31)),
            ..UnreadableProfile::default()
        },
        cells: [("full_name".to_owned(), "Lê".to_owned())].into(),
    }])
    .await
    .unwrap();
    load.finish().await.unwrap();
    let mut load = fixture.open("notices", 1).await;
    load.notices(vec![Notice {
        notice_no: "12/QĐ".into(),
        national_id: number(8),
        from_unit: None,
        to_unit: UnitCode("B".into()),
        effective_on: DAY,
        withdrawn_on: None,
    }])
    .await
    .unwrap();
    load.finish().await.unwrap();
    store.set_policy("idle-days", "400", "operator:an").await.unwrap();
    let undone = store.reconcile(DAY, "operator:an").await.unwrap().run.unwrap();
    store.undo_run(&undone, "operator:an").await.unwrap();
    fixture.clock.move_on(86_400);
    let applied = store.reconcile(store.today(), "operator:an").await.unwrap();
    let applied = match &applied.stopped_by[..] {
        [] => applied.run.unwrap(),
        // After an undone run a person must approve.
        _ => {
            let run = applied.run.unwrap();
            store.approve_run(&run, "operator:an").await.unwrap();
            run
        }
    };
    store.review_profile(&id("CV006")).await.unwrap();
    let moves = Amendment {
        unit: Some(UnitCode("B".into())),
        document: Some("12/QĐ-UBND".into()),
        ..Amendment::default()
    };
    store.propose(&id("CV010"), &moves).await.unwrap();
    vec![undone, applied]
}

async fn connected(fixture: &Fixture) {
    let store = &fixture.store;
    let hue_s = known(store, hues("Hue-S")).await;
    let mut pairwise = hues("Văn bản");
    pairwise.subjects = SubjectKind::Pairwise;
    pairwise.third_party = true;
    pairwise.scopes = vec![Scope::Openid, Scope::Profile, Scope::NationalId, Scope::OfflineAccess];
    let pairwise = known(store, pairwise).await;
    let mut public = Client::new("Ứng dụng", vec!["vn.hue.app:/cb".to_owned()]);
    public.authentication = Authentication::None;
    known(store, public).await;
    let mut off = hues("Cũ");
    off.client_credentials = true;
    known(store, off).await;
    store.disable_client("Cũ", "operator:an").await.unwrap();
    known(store, hues("Bỏ")).await;
    for (client, accounts) in [
        (&hue_s, ["HS01", "HS11", "CV001"]),
        (&pairwise, ["HS01", "HS10", "CV011"]),
    ] {
        for account in accounts {
            let given = tokens(store, client, account).await;
            store
                .refresh(client, &given.refresh, None, None)
                .await
                .unwrap()
                .unwrap();
        }
    }
    store.remove_client("Bỏ", "operator:an").await.unwrap();
    store.rotate_client("Hue-S", 86_400, "operator:an").await.unwrap();
    let scopes = [Scope::Openid, Scope::Profile];
    store.consent(&id("HS01"), &pairwise.id, &scopes).await.unwrap();
    store.tend_signing_keys().await.unwrap();
    for (account, name) in [("CV001", "điện thoại"), ("CV001", "máy tính"), ("CV002", "khóa USB")] {
        store
            .add_passkey(&id(account), device(name), "Đã thêm thiết bị")
            .await
            .unwrap();
    }
    store
        .add_passkey(&id("operator:an"), device("của An"), "Đã thêm thiết bị")
        .await
        .unwrap();
    let used = store
        .known_passkey(&device("điện thoại").credential)
        .await
        .unwrap()
        .unwrap();
    store.use_passkey(&used.id, 5, PasskeyStorage::InDevice).await.unwrap();
    let lost = store
        .known_passkey(&device("máy tính").credential)
        .await
        .unwrap()
        .unwrap();
    store
        .remove_passkey(&id("CV001"), &lost.id, "Đã gỡ thiết bị")
        .await
        .unwrap();
}

async fn held_on_purpose(fixture: &Fixture, an: &ngomon_store::Operator) {
    let store = &fixture.store;
    for (account, document, last_day) in [
        ("HS10", "15/CQĐT", None),
        ("CV012", "16/CQĐT", Some(Date::constant(2030, 1, 1))),
        ("HS07", "17/CQĐT", None),
    ] {
        store
            .hold_by_order(an, &id(account), &order(document, last_day))
            .await
            .unwrap();
    }
    store
        .lift_order(an, &id("HS07"), &Cause::order("17/CQĐT"), "hết lý do")
        .await
        .unwrap();
}

/// The pages' unfinished work when the machine stopped, and a run that waits.
async fn late(fixture: &Fixture, an: &ngomon_store::Operator, _runs: &[String]) {
    let store = &fixture.store;
    fixture.clock.move_on(86_400);
    let owner = store.begin_session(&id("HS11")).await.unwrap();
    store.set_next(owner.as_str(), "/profile").await.unwrap();
    store
        .begin_ceremony(Ceremony::Add(owner.as_str()), "state")
        .await
        .unwrap();
    store.keep_draft(&id("HS12"), &form("HS12", 12).form).await.unwrap();
    let code = CodeRecipient {
        subject: "HS11".into(),
        reach: Some(by_phone(11)),
    };
    let (who, text) = (Requester::Stranger("192.0.2.1".into()), |digits: &str| {
        format!("Mã {digits}")
    });
    store
        .send_codes("ticket", Purpose::SignIn, &who, &[], &[code], text)
        .await
        .unwrap();
    let limit = RateLimit {
        what: "sign-in",
        times: 9,
        seconds: 900,
    };
    store.attempt(limit, &["HS11"]).await.unwrap();
    store
        .exempt(
            ExemptionRequester::Operator(an, &id("HS04")),
            Exemption::CardInTheMaking,
            Date::constant(2023, 12, 31),
        )
        .await
        .unwrap();
    store
        .end_exemption(ExemptionRequester::Operator(an, &id("HS04")))
        .await
        .unwrap();
    for (key, value) in [("deadline.citizens", "2023-07-25"), ("after-deadline", "hold")] {
        store.set_campaign(key, value, true, "operator:an").await.unwrap();
    }
    // HR's extract of the next day lacks most people, so the run stops.
    let rows: Vec<_> = (1..=5).map(|n| profile(n, "A")).collect();
    let stopped = match fixture.begin("profiles", 5, Some(None), None).await {
        LoadDecision::Open(load) => load,
        LoadDecision::NeedsApproval { load, .. } => match fixture.begin("profiles", 5, Some(None), Some(&load)).await {
            LoadDecision::Open(load) => load,
            LoadDecision::NeedsApproval { faults, .. } => panic!("{faults:?}"),
        },
    };
    let mut load = stopped;
    load.profiles(rows).await.unwrap();
    load.finish().await.unwrap();
    let run = store.reconcile(store.today(), "operator:an").await.unwrap();
    assert!(!run.stopped_by.is_empty(), "it holds too many");
}

/// An import whose process dies before it is finished.
pub async fn unfinished(fixture: &Fixture) {
    let incoming = LoadRequest {
        table: "citizens",
        digest: "unfinished".into(),
        rows: 3,
        unreadable: 0,
        as_of: DAY,
        by: "operator:an".into(),
        full: None,
        units: std::collections::BTreeSet::default(),
    };
    let LoadDecision::Open(mut load) = fixture.store.begin_load(incoming, None).await.unwrap() else {
        panic!("nothing is wrong with it")
    };
    let held = AccountRow {
        held_reason: Some("Theo văn bản số 2".into()),
        ..citizen("HS22", 22)
    };
    load.accounts(vec![citizen("HS21", 21), held]).await.unwrap();
    load.quarantined(vec![QuarantinedRow {
        row: "4".into(),
        reason: QuarantineReason::BadValue,
        hints: UnreadableProfile::default(),
        cells: [("account_id".to_owned(), "?".to_owned())].into(),
    }])
    .await
    .unwrap();
}

/// The facts that must be the same afterwards.
pub async fn facts(store: &Store, day: Date) -> Value {
    let holds = store.holds(None, day).await.unwrap();
    let names = |line: &ngomon_store::HeldLine| {
        let names: Vec<_> = line.reasons.iter().map(|reason| reason.name()).collect();
        names.join(" ")
    };
    let held: serde_json::Map<_, _> = holds
        .iter()
        .filter(|(_, line)| !line.reasons.is_empty())
        .map(|(account, line)| (account.clone(), names(line).into()))
        .collect();
    let claims: Vec<_> = holds
        .iter()
        .filter(|(_, line)| line.claimed)
        .map(|(account, _)| account)
        .collect();
    let mut clients = serde_json::Map::new();
    for known in store.clients().await.unwrap() {
        let mut subjects = serde_json::Map::new();
        for account in ["HS01", "HS10", "HS11", "CV001", "CV011"] {
            let subject = store.subject_of(&known.id, &id(account)).await.unwrap();
            subjects.extend(subject.map(|subject| (account.to_owned(), subject.into())));
        }
        let of = json!({ "enabled": known.enabled, "subjects": subjects });
        clients.insert(known.client.name.clone(), of);
    }
    let mut passkeys = serde_json::Map::new();
    for account in ["CV001", "CV002", "CV011", "operator:an"] {
        let all = store.passkeys(&id(account)).await.unwrap();
        let names: Vec<_> = all.into_iter().map(|one| one.name).collect();
        passkeys.insert(account.to_owned(), names.into());
    }
    let mut passwords = serde_json::Map::new();
    for username in ["user-HS11", "user-HS01", "can-bo-1", "an", "dung"] {
        let all = store.credentials(username).await.unwrap();
        let all: Vec<_> = all
            .into_iter()
            .map(|one| json!([one.account.as_str(), one.password_hash]))
            .collect();
        passwords.insert(username.to_owned(), all.into());
    }
    let mut runs = std::collections::BTreeMap::<String, u64>::new();
    for run in store.runs().await.unwrap() {
        *runs.entry(run.state).or_default() += 1;
    }
    let province = store.report(None, day).await.unwrap();
    let province = province.into_iter().find(|line| line.unit == "P").unwrap();
    let orders: Vec<_> = {
        let explanation = store.account_explanation("HS10", day).await.unwrap();
        explanation
            .holds
            .into_iter()
            .map(|one| json!([one.hold.reason.name(), one.hold.cause.0]))
            .collect()
    };
    let mut registry = serde_json::Map::new();
    for n in [1, 4, 104, 90] {
        let found = match store.registry(number(n)).await.unwrap() {
            RegistryAnswer::Found(record) => json!([record.full_name.as_str(), record.status.name()]),
            _ => Value::Null,
        };
        registry.insert(number(n).as_str().to_owned(), found);
    }
    json!({
        "held": held,
        "claims": claims,
        "operators": store.operators().await.unwrap(),
        "clients": clients,
        "passkeys": passkeys,
        "passwords": passwords,
        "runs": runs,
        "accounts": province.accounts,
        "standardised": province.standardised,
        "pending forms": store.pending_forms().await.unwrap().len(),
        "orders": orders,
        "registry": registry,
        "campaign": store.campaign().await.unwrap().get("after-deadline"),
        "secret of operator:an": store.totp_secret(&id("operator:an")).await.unwrap().is_some(),
        "official kinds": store.holds(Some(AccountKind::Official), day).await.unwrap().len(),
    })
}
