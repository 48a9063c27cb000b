//! Tests of passkeys, with requests as the script sends them and answers as devices give them.

mod device;

pub use device::Device;

use crate::tests::{Site, TestResponse, rows};
use axum::http::{StatusCode, header};
use ngomon_rules::records::AccountId;
use ngomon_store::{Factor, Order};
use serde_json::Value;

impl Site {
    /// A challenge of this endpoint, and the name of its ceremony.
    pub async fn challenge(&self, at: &str, cookie: &str) -> (String, Value) {
        let mut answer = self.post(at, cookie, &[]).await.json();
        let ceremony = answer["ceremony"].as_str().unwrap().to_owned();
        (ceremony, answer["options"].take())
    }

    /// Adds the device to the account of this session.
    pub async fn adds(&self, device: &mut Device, cookie: &str) -> TestResponse {
        let (ceremony, asked) = self.challenge("/passkeys/challenge", cookie).await;
        let answer = device.makes(&asked);
        let sent = [
            ("ceremony", &*ceremony),
            ("credential", &answer),
            ("name", "Máy ở cơ quan"),
        ];
        self.post("/passkeys/add", cookie, &sent).await
    }

    /// A device that was added to the account.
    pub async fn device(&self, account: &str) -> Device {
        let mut device = Device::new();
        let cookie = self.signed_in(account).await;
        assert_eq!(self.adds(&mut device, &cookie).await.goes_to(), "/passkeys?done=added");
        device
    }

    /// Answers a challenge of the sign-in with the device.
    pub async fn shows(&self, device: &mut Device) -> TestResponse {
        let (ceremony, asked) = self.challenge("/sign-in/passkey/challenge", "").await;
        let answer = device.shows(&asked);
        self.answers(&ceremony, &answer).await
    }

    async fn answers(&self, ceremony: &str, answer: &str) -> TestResponse {
        let sent = [("ceremony", ceremony), ("credential", answer)];
        self.post("/sign-in/passkey", "", &sent).await
    }

    async fn hold_account(&self, account: &AccountId) {
        let cookie = self.operator(&format!("op{}", self.store.now().as_microsecond())).await;
        let permit = self.visit(&cookie).await.unwrap().operator().unwrap();
        let order = Order {
            ordered_by: "Sở".into(),
            document: "1".into(),
            text: "x".into(),
            last_day: None,
        };
        self.store.hold_by_order(&permit, account, &order).await.unwrap();
    }
}

/// Two officials of the sample who are not held.
fn officials() -> [String; 2] {
    let all = rows("officials.csv");
    [&all[0], &all[1]].map(|row| row["account_id"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_official_adds_a_passkey_signs_in_by_it_and_removes_it() {
    let site = Site::sample().await;
    let [official, _] = officials();
    let cookie = site.signed_in(&official).await;
    assert!(site.get("/", &cookie).await.text.contains("href=\"/passkeys\""));
    assert!(site.get("/passkeys", &cookie).await.says("passkeys-none"));
    let mut device = Device::new();
    assert_eq!(site.adds(&mut device, &cookie).await.goes_to(), "/passkeys?done=added");
    let page = site.get("/passkeys?done=added", &cookie).await;
    assert!(page.says("passkeys-done-added") && page.text.contains("Máy ở cơ quan") && page.says("passkeys-never"));
    assert!(site.get("/", &cookie).await.says("event-passkey-added"));

    assert!(site.get("/sign-in", "").await.text.contains("data-passkey=\"get\""));
    for amr in ["hwk mfa user", "mfa swk user"] {
        if amr.contains("swk") {
            device = Device::new();
            device.synced = true;
            site.adds(&mut device, &cookie).await;
        }
        for _ in 0..2 {
            let entered = site.shows(&mut device).await;
            assert_eq!(entered.goes_to(), "/");
            let visit = site.visit(&entered.cookie()).await.unwrap();
            assert_eq!((visit.account.as_str(), visit.amr.as_str()), (official.as_str(), amr));
        }
        let page = site.get("/passkeys", &cookie).await;
        let id = page.text.split("name=\"passkey\" value=\"").nth(1).unwrap();
        let id = id.split('"').next().unwrap();
        let removed = site.post("/passkeys/remove", &cookie, &[("passkey", id)]).await;
        assert_eq!(removed.goes_to(), "/passkeys?done=removed");
        assert!(site.shows(&mut device).await.says("passkey-wrong"));
    }
    assert!(site.get("/passkeys", &cookie).await.says("passkeys-none"));
    site.sound().await;
}

/// ASVS 6.3.8: nothing reveals what was wrong, or whether the passkey exists.
#[tokio::test(flavor = "multi_thread")]
async fn invalid_passkey_responses_refused_alike() {
    let site = Site::sample().await;
    let [official, other] = officials();
    let (mut own, mut others) = (site.device(&official).await, site.device(&other).await);
    let mut refused = Vec::new();

    refused.push(("unknown", site.shows(&mut Device::new()).await));
    own.origin = "https://localhost.example".into();
    refused.push(("another origin", site.shows(&mut own).await));
    own.origin = "http://localhost".into();
    own.looks = false;
    refused.push(("nobody was looked at", site.shows(&mut own).await));
    own.looks = true;
    own.synced = true;
    refused.push(("kept elsewhere than before", site.shows(&mut own).await));
    own.synced = false;
    let owner = std::mem::replace(&mut own.owner, others.owner.clone());
    refused.push(("another owner", site.shows(&mut own).await));
    own.owner = Value::Null;
    refused.push(("no owner", site.shows(&mut own).await));
    own.owner = owner;

    // An answer to one challenge under the ceremony of another, or under none.
    let (_, asked) = site.challenge("/sign-in/passkey/challenge", "").await;
    let (ceremony, _) = site.challenge("/sign-in/passkey/challenge", "").await;
    let answer = own.shows(&asked);
    refused.push(("another challenge", site.answers(&ceremony, &answer).await));
    refused.push(("no ceremony", site.answers("", &answer).await));
    let cookie = site.signed_in(&official).await;
    let (ceremony, asked) = site.challenge("/sign-in/step-up/challenge", &cookie).await;
    let answer = own.shows(&asked);
    refused.push(("a ceremony for something else", site.answers(&ceremony, &answer).await));
    // Another owner's passkey, claimed as one's own.
    let (ceremony, asked) = site.challenge("/sign-in/passkey/challenge", "").await;
    let credential = std::mem::replace(&mut others.credential, own.credential.clone());
    let answer = others.shows(&asked);
    others.credential = credential;
    refused.push(("signed by another", site.answers(&ceremony, &answer).await));
    let (ceremony, asked) = site.challenge("/sign-in/passkey/challenge", "").await;
    let answer = own.shows(&asked);
    site.move_on(5 * 60 + 1);
    refused.push(("too late", site.answers(&ceremony, &answer).await));
    for (what, garbage) in [("no JSON", "{"), ("another form", "[]"), ("nothing", "")] {
        refused.push((what, site.answers(&ceremony, garbage).await));
    }

    // A right answer works once; then neither the same answer nor an older counter does.
    site.move_on(900);
    let (ceremony, asked) = site.challenge("/sign-in/passkey/challenge", "").await;
    let answer = own.shows(&asked);
    assert_eq!(site.answers(&ceremony, &answer).await.goes_to(), "/");
    refused.push(("the same again", site.answers(&ceremony, &answer).await));
    own.counter -= 1;
    refused.push(("the same count", site.shows(&mut own).await));
    own.counter = 0;
    refused.push(("an older count", site.shows(&mut own).await));

    let text = &refused[0].1.text;
    assert!(
        text.contains("/language/en?to=/sign-in\""),
        "the other language leads to a page"
    );
    for (what, page) in &refused {
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{what}");
        assert!(!page.headers.contains_key(header::SET_COOKIE), "{what}");
        assert_eq!(&page.text, text, "{what}");
    }
    own.counter = 90;
    assert_eq!(site.shows(&mut own).await.goes_to(), "/");
    site.sound().await;
}

/// A passkey is added by its owner only, soon after an authentication.
#[tokio::test(flavor = "multi_thread")]
async fn passkey_added_only_after_recent_authentication() {
    let site = Site::sample().await;
    let [official, other] = officials();
    let cookie = site.signed_in(&official).await;
    let elsewhere = site.signed_in(&other).await;
    let add = async |cookie: &str, ceremony: &str, answer: &str| {
        let sent = [("ceremony", ceremony), ("credential", answer)];
        site.post("/passkeys/add", cookie, &sent).await
    };
    let has = async |account: &str| site.store.passkeys(&AccountId(account.into())).await.unwrap().len();

    let mut bent = Device::new();
    bent.origin = "https://evil.example".into();
    let mut blind = Device::new();
    blind.looks = false;
    for device in [&mut bent, &mut blind] {
        let page = site.adds(device, &cookie).await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.says("passkeys-add-wrong"));
    }
    let mut device = Device::new();
    let (ceremony, asked) = site.challenge("/passkeys/challenge", &cookie).await;
    let answer = device.makes(&asked);
    assert!(
        add(&elsewhere, &ceremony, &answer).await.says("passkeys-add-wrong"),
        "another session"
    );
    let (signing_in, _) = site.challenge("/sign-in/passkey/challenge", "").await;
    assert!(add(&cookie, &signing_in, &answer).await.says("passkeys-add-wrong"));
    assert!(add(&cookie, &ceremony, "{}").await.says("passkeys-add-wrong"));
    assert!(
        add(&cookie, &ceremony, &answer).await.says("passkeys-add-wrong"),
        "it is over"
    );
    assert_eq!(
        (has(&official).await, has(&other).await),
        (0, 0),
        "bad input changes nothing"
    );

    // An unnamed passkey gets a name; the same device is not added twice, nor to another account.
    let (ceremony, asked) = site.challenge("/passkeys/challenge", &cookie).await;
    add(&cookie, &ceremony, &device.makes(&asked)).await;
    assert!(
        site.get("/passkeys", &cookie)
            .await
            .text
            .contains("Máy thêm ngày 15/7/2023")
    );
    let owner = device.owner.clone();
    for cookie in [&cookie, &elsewhere] {
        assert!(site.adds(&mut device, cookie).await.says("error-passkey-exists"));
    }
    device.owner = owner;
    assert_eq!((has(&official).await, has(&other).await), (1, 0));

    // Neither an unlocked screen nor a code to a phone is enough.
    let by_code = site
        .store
        .begin_session_by(&AccountId(official.clone()), Factor::Code, site.store.now())
        .await
        .unwrap();
    let by_code = format!("__Host-ngomon={}", by_code.as_str());
    site.move_on(10 * 60);
    for cookie in [&cookie, &by_code] {
        assert!(site.get("/passkeys", cookie).await.says("passkeys-anew-lead"));
        let asked = site.post("/passkeys/challenge", cookie, &[]).await;
        assert_eq!(asked.status, StatusCode::FORBIDDEN);
        let all = site.store.passkeys(&AccountId(official.clone())).await.unwrap();
        let removed = site
            .post("/passkeys/remove", cookie, &[("passkey", &all[0].id.0)])
            .await;
        assert_eq!((removed.goes_to(), has(&official).await), ("/passkeys", 1));
    }
    // The new sign-in leads back to this page.
    let page = site.get("/passkeys", &cookie).await;
    assert!(page.text.contains("href=\"/sign-in?to=%2Fpasskeys\""), "{}", page.text);
    assert_eq!(
        site.get("/sign-in?to=%2Fpasskeys", &cookie).await.status,
        StatusCode::OK
    );
    let (ceremony, asked) = site.challenge("/sign-in/passkey/challenge", "").await;
    let sent = [("ceremony", ceremony.as_str()), ("credential", &device.shows(&asked))];
    let anew = site
        .post("/sign-in/passkey?to=%2Fpasskeys", &cookie, &sent)
        .await
        .cookie();
    let on = site.get("/", &anew).await;
    assert!(on.says("go-on-title") && on.text.contains("0;url=/passkeys"));
    assert!(!site.get("/passkeys", &anew).await.says("passkeys-anew-lead"));
    site.sound().await;
}

/// "After the right password (or passkey, or VNeID) its owner gets the held visit."
#[tokio::test(flavor = "multi_thread")]
async fn passkey_of_held_account_opens_held_visit() {
    let site = Site::sample().await;
    let [official, _] = officials();
    let account = AccountId(official.clone());
    let mut device = site.device(&official).await;
    let cookie = site.signed_in(&official).await;
    site.hold_account(&account).await;
    assert_eq!(
        site.get("/passkeys", &cookie).await.goes_to(),
        "/",
        "the session is over"
    );
    let held = site.shows(&mut device).await.cookie();
    assert!(site.visit(&held).await.unwrap().held);
    assert_eq!(site.get("/", &held).await.goes_to(), "/held");
    assert_eq!(site.get("/passkeys", &held).await.goes_to(), "/");
    for at in ["/passkeys/challenge", "/sign-in/step-up/challenge"] {
        assert_eq!(site.post(at, &held, &[]).await.status, StatusCode::FORBIDDEN, "{at}");
    }
    site.sound().await;
}

/// For an operator, the device and its user verification are the two factors.
#[tokio::test(flavor = "multi_thread")]
async fn operator_passkey_opens_desk_until_removal() {
    let site = Site::bare().await;
    let cookie = site.operator("an").await;
    let mut device = Device::new();
    assert_eq!(site.adds(&mut device, &cookie).await.goes_to(), "/passkeys?done=added");
    let entered = site.shows(&mut device).await;
    assert_eq!(entered.goes_to(), "/desk");
    let visit = site.visit(&entered.cookie()).await.unwrap();
    assert_eq!(visit.operator().unwrap().by(), "operator:an");
    for other in ["binh", "chi"] {
        site.operator(other).await;
    }
    site.store.remove_operator("an", "test").await.unwrap();
    assert!(site.shows(&mut device).await.says("passkey-wrong"));
    site.sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_citizen_has_no_passkeys() {
    let site = Site::sample().await;
    let citizen = rows("citizens.csv")[0]["account_id"].clone();
    let cookie = site.signed_in(&citizen).await;
    site.post("/form/put-off", &cookie, &[]).await;
    assert!(!site.get("/", &cookie).await.text.contains("/passkeys"));
    assert_eq!(site.get("/passkeys", &cookie).await.goes_to(), "/");
    for at in ["/passkeys/challenge", "/sign-in/step-up/challenge"] {
        assert_eq!(site.post(at, &cookie, &[]).await.status, StatusCode::FORBIDDEN, "{at}");
    }
    for at in ["/passkeys/add", "/passkeys/remove"] {
        assert_eq!(site.post(at, &cookie, &[]).await.goes_to(), "/", "{at}");
    }
}

/// Failed attempts are counted for each passkey, and lock out no other.
#[tokio::test(flavor = "multi_thread")]
async fn passkey_attempts_are_limited_per_passkey() {
    let site = Site::sample().await;
    let [official, other] = officials();
    let (mut own, mut others) = (site.device(&official).await, site.device(&other).await);
    own.looks = false;
    for _ in 0..10 {
        assert!(site.shows(&mut own).await.says("passkey-wrong"));
    }
    own.looks = true;
    let page = site.shows(&mut own).await;
    assert!(page.status == StatusCode::TOO_MANY_REQUESTS && page.says("sign-in-too-often"));
    assert_eq!(
        site.shows(&mut others).await.goes_to(),
        "/",
        "nobody else is locked out"
    );
    site.move_on(900);
    assert_eq!(site.shows(&mut own).await.goes_to(), "/");
    let challenges = crate::sign_in::limits::CHALLENGES;
    while site.store.take(&[challenges.of(&[""])]).await.unwrap().is_some() {}
    let asked = site.post("/sign-in/passkey/challenge", "", &[]).await;
    assert_eq!(asked.status, StatusCode::TOO_MANY_REQUESTS);
}

/// Passkeys need a host name: an IP address has none.
#[tokio::test(flavor = "multi_thread")]
async fn passkeys_disabled_for_ip_address_issuer() {
    let site = Site::sample().await.at_address("http://127.0.0.1:8080");
    let [official, _] = officials();
    let cookie = site.signed_in(&official).await;
    assert!(!site.get("/sign-in", "").await.text.contains("data-passkey"));
    assert!(!site.get("/", &cookie).await.text.contains("/passkeys"));
    assert_eq!(site.get("/passkeys", &cookie).await.goes_to(), "/");
    let asked = site.post("/sign-in/passkey/challenge", "", &[]).await;
    assert_eq!(asked.status, StatusCode::NOT_FOUND);
}

/// The owner of several held accounts with one login picks one.
#[tokio::test(flavor = "multi_thread")]
async fn passkey_owner_of_several_held_accounts_picks_one() {
    let site = Site::sample().await;
    let run = site.store.reconcile(site.store.today(), "hr").await.unwrap();
    let run = if run.stopped_by.is_empty() {
        run
    } else {
        site.store.approve_run(&run.run.unwrap(), "head").await.unwrap()
    };
    let mut open = Vec::new();
    for new in run.created {
        let cookie = site.signed_in(new.as_str()).await;
        open.extend(site.visit(&cookie).await.filter(|visit| !visit.held).map(|_| new));
    }
    let new = open.pop().expect("somebody moved");
    let mut device = site.device(new.as_str()).await;
    assert_eq!(site.shows(&mut device).await.goes_to(), "/", "the one that is open");
    site.hold_account(&new).await;
    let picks = site.shows(&mut device).await;
    assert!(picks.says("choose-lead-passkey") && picks.text.contains(new.as_str()));
    let all = picks.text.matches("name=\"ticket\"").count();
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..all {
        let picks = site.shows(&mut device).await;
        let ticket = picks.text.split("name=\"ticket\" value=\"").nth(n + 1).unwrap();
        let ticket = ticket.split('"').next().unwrap();
        let entered = site
            .post("/sign-in/account", &picks.cookie(), &[("ticket", ticket)])
            .await;
        let visit = site.visit(&entered.cookie()).await.unwrap();
        assert!(visit.held && visit.amr == "hwk mfa user");
        seen.insert(visit.account.0);
    }
    assert_eq!(seen.len(), all, "each opens its own");
    site.sound().await;
}
