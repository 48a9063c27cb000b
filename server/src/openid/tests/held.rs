//! Users who came from a connected system to a held account: once the account is freed, they go on to the system without signing in again.

use crate::openid::tests::{CALLBACK, Rp, claims, hues, site};
use crate::tests::{Site, TestResponse, fixtures, lent, right_form, two_accounts_of_one_number};
use ngomon_rules::client::{Client, SubjectKind};
use serde_json::{Value, json};

/// The return address in the page that leads the browser on.
fn back(page: &TestResponse) -> String {
    assert!(page.says("go-on-title"), "{}", page.text);
    let link = page.text.split("href=\"").find(|part| part.starts_with("/authorize?"));
    let link = link.and_then(|part| part.split('"').next()).unwrap();
    link.replace("&#38;", "&").replace("&amp;", "&")
}

/// A held visit of a user who signs in at the client's request.
async fn held_on_the_way(site: &Site, rp: &Rp, username: &str, password: &str) -> String {
    let asked = site.get(&rp.request(&[("prompt", "login")]), "").await;
    let typed = [("username", username), ("password", password)];
    let cookie = site.post(asked.goes_to(), "", &typed).await.cookie();
    assert!(site.visit(&cookie).await.unwrap().held);
    assert_eq!(site.get("/", &cookie).await.goes_to(), "/held");
    cookie
}

/// The first click after the account was freed leads to the client. It requested a new sign-in, and this one counts.
async fn goes_on(site: &Site, rp: &Rp, held: &str) {
    let page = site.get("/held", held).await;
    let full = page.cookie();
    assert!(full != held && site.visit(held).await.is_none(), "a token of its own");
    led_on(site, rp, &page, &full).await;
}

/// Follows the page to the client; returns the claims of the ID token.
async fn led_on(site: &Site, rp: &Rp, page: &TestResponse, full: &str) -> Value {
    let answer = site.get(&back(page), full).await;
    assert!(answer.goes_to().starts_with(CALLBACK), "{}", answer.goes_to());
    let tokens = rp.redeem(site, &answer.sent("code").unwrap()).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    assert!(!site.get("/", full).await.says("go-on-title"), "led on once");
    site.sound().await;
    claims(tokens.json()["id_token"].as_str().unwrap())
}

/// After a one-time code lifts `idle`, the owner goes on to the client.
#[tokio::test(flavor = "multi_thread")]
async fn idle_hold_lifted_by_code_leads_to_client() {
    let files = ["units", "registry", "profiles", "notices", "officials"];
    let site = Site::of(files.map(|table| (table, fixtures("demo").join(format!("{table}.csv"))))).await;
    site.store.set_policy("idle-days", "45", "op").await.unwrap();
    let run = site.store.reconcile(site.store.today(), "op").await.unwrap();
    site.store.approve_run(&run.run.unwrap(), "op").await.ok();
    let rp = site.rp(hues()).await;
    let held = held_on_the_way(&site, &rp, "canbo017", "Hue-CV017").await;
    site.post("/held/code/send", &held, &[]).await;
    let code = site.code().await;
    assert_eq!(
        site.post("/held/code", &held, &[("code", &code)]).await.goes_to(),
        "/held"
    );
    goes_on(&site, &rp, &held).await;
}

/// After a join, the owner goes on to the client.
#[tokio::test(flavor = "multi_thread")]
async fn join_from_held_visit_leads_to_client() {
    let (site, _) = two_accounts_of_one_number().await;
    let rp = site.rp(hues()).await;
    let held = held_on_the_way(&site, &rp, "hues005", "Hue-HS005").await;
    let proof = [("username", "hues004"), ("password", "Hue-HS004")];
    let choose = site.post("/held/join", &held, &proof).await;
    let ticket = choose.ticket();
    let chosen = [("ticket", &*ticket), ("stays", "held")];
    assert!(
        site.post("/held/join/choose", &held, &chosen)
            .await
            .says("join-done-title")
    );
    goes_on(&site, &rp, &held).await;
}

/// The other account stays, so the owner goes on with that one. The authentication time is when its password was typed, not when the choice
/// was made.
#[tokio::test(flavor = "multi_thread")]
async fn join_to_other_account_leads_to_client_with_its_session() {
    let (site, _) = two_accounts_of_one_number().await;
    let by_account = Client {
        subjects: SubjectKind::Account,
        ..hues()
    };
    let rp = site.rp(by_account).await;
    let held = held_on_the_way(&site, &rp, "hues005", "Hue-HS005").await;
    let proof = [("username", "hues004"), ("password", "Hue-HS004")];
    let choose = site.post("/held/join", &held, &proof).await;
    let proven = site.store.now().as_second();
    site.move_on(120);
    // A form without a choice makes the authentication time no later.
    let empty = site
        .post("/held/join/choose", &held, &[("ticket", &choose.ticket())])
        .await;
    assert!(empty.says("join-choose-empty"));
    let ticket = empty.ticket();
    let chosen = [("ticket", &*ticket), ("stays", "holder")];
    let done = site.post("/held/join/choose", &held, &chosen).await;
    assert!(done.says("join-done-title"), "{}", done.text);
    let full = done.cookie();
    assert!(site.visit(&held).await.is_none(), "the held visit is over");
    let visit = site.visit(&full).await.unwrap();
    assert_eq!((visit.account.as_str(), visit.held), ("HS004", false));
    let token = led_on(&site, &rp, &site.get("/", &full).await, &full).await;
    assert_eq!((&token["sub"], &token["amr"]), (&json!("HS004"), &json!(["pwd"])));
    let at = token["auth_time"].as_i64().unwrap();
    assert!(at >= proven - 1 && at <= proven, "{at} {proven}");
}

/// Held by the policy and the day, and not on the way from a sign-in: the client's request comes from a browser that has a held visit.
#[tokio::test(flavor = "multi_thread")]
async fn form_lifting_deadline_hold_leads_to_client() {
    let site = Site::sample().await;
    let (account, fields) = right_form();
    for (key, value) in [("deadline.citizens", "2023-07-10"), ("after-deadline", "hold")] {
        site.store.set_campaign(key, value, true, "test").await.unwrap();
    }
    let rp = site.rp(hues()).await;
    let held = site.signed_in(&account).await;
    assert_eq!(site.get(&rp.request(&[]), &held).await.goes_to(), "/held");
    assert!(site.get("/held", &held).await.says("hold-not-standardised"));
    let done = site.form(&held, &lent(&fields, &[("mine", "yes")])).await;
    assert!(done.says("answer-standardised-title"), "{}", done.text);
    goes_on(&site, &rp, &held).await;
}

/// A held visit becomes a full session once, after its last hold is lifted and before its time is over.
#[tokio::test(flavor = "multi_thread")]
async fn held_visit_resumes_only_after_its_last_hold_is_lifted() {
    let site = site().await;
    let open = async |cookie: &str| {
        let token = cookie.split_once('=').unwrap().1.to_owned();
        site.store.resume_after_hold(&token).await.unwrap()
    };
    site.hold("CV001").await;
    let held = site.signed_in("CV001").await;
    assert!(open(&held).await.is_none(), "it is held");
    site.lift("CV001").await;
    assert!(open(&held).await.is_some());
    assert!(open(&held).await.is_none(), "once");
    let full = site.signed_in("CV001").await;
    assert!(open(&full).await.is_none(), "it is a full one");

    // Another hold also ends a held visit for good.
    site.hold("CV002").await;
    let held = site.signed_in("CV002").await;
    site.lift("CV002").await;
    site.hold("CV002").await;
    site.lift("CV002").await;
    assert!(open(&held).await.is_none());
    site.move_on(16 * 60);
    site.hold("CV003").await;
    let late = site.signed_in("CV003").await;
    site.lift("CV003").await;
    site.move_on(16 * 60);
    assert!(open(&late).await.is_none(), "its quarter of an hour is over");
}
