//! A client requests two factors by `acr_values`, which is voluntary, or by `claims`, which may be essential (OpenID Connect Core 3.1.2.1,
//! 5.5.1.1). An owner whose session has one factor is asked for a passkey, once, and never with `prompt=none`.

use crate::openid::tests::{Rp, claims, hues, site};
use crate::tests::{Device, Site, TestResponse};
use serde_json::Value;

const ONE: &str = "urn:ngomon:acr:1";
const TWO: &str = "urn:ngomon:acr:2";
const HOPED: (&str, &str) = ("acr_values", TWO);
const MUST: (&str, &str) = (
    "claims",
    r#"{"id_token":{"acr":{"essential":true,"value":"urn:ngomon:acr:2"}}}"#,
);
const UNMET: &str = "unmet_authentication_requirements";

impl Site {
    /// The owner shows the passkey on the step-up page, where a request led.
    async fn steps_up(&self, at: &str, device: &mut Device, cookie: &str) -> TestResponse {
        let (ceremony, asked) = self.challenge("/sign-in/step-up/challenge", cookie).await;
        let answer = device.shows(&asked);
        self.post(at, cookie, &[("ceremony", &ceremony), ("credential", &answer)])
            .await
    }
}

/// Where the step-up page leads back to.
fn back(asked: &TestResponse) -> String {
    let to = asked.goes_to();
    let query = to.strip_prefix("/sign-in/step-up?").unwrap_or_else(|| panic!("{to}"));
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.next().unwrap().1.into_owned()
}

/// The link that skips the second factor.
fn skip(page: &TestResponse) -> String {
    let links = page.text.split("href=\"").skip(1);
    let mut links = links.filter_map(|rest| rest.split('"').next());
    let link = links.find(|link| link.contains("ngomon_step_up")).unwrap();
    link.replace("&#38;", "&").replace("&amp;", "&")
}

async fn id_token(rp: &Rp, site: &Site, code: &str) -> Value {
    let answer = rp.redeem(site, code).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    claims(answer.json()["id_token"].as_str().unwrap())
}

/// A step-up adds the second factor to the session and keeps its grants.
#[tokio::test(flavor = "multi_thread")]
async fn step_up_adds_factor_and_keeps_session_grants() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let mut device = site.device("CV001").await;
    for asks in [HOPED, MUST] {
        let cookie = site.signed_in("CV001").await;
        let before = rp.tokens(&site, &cookie, &[]).await;
        let first = claims(before["id_token"].as_str().unwrap());
        assert_eq!(
            (&first["acr"], &first["amr"]),
            (&ONE.into(), &serde_json::json!(["pwd"]))
        );
        site.move_on(60);
        let asked = site.get(&rp.request(&[asks]), &cookie).await;
        let page = site.get(asked.goes_to(), &cookie).await;
        assert!(page.status == 200 && page.says("step-up-lead") && page.text.contains("data-passkey=\"get\""));
        let anew = site.steps_up(asked.goes_to(), &mut device, &cookie).await;
        assert_eq!(anew.goes_to(), "/");
        let anew = anew.cookie();
        assert!(site.get("/", &anew).await.says("go-on-title"), "on to the system");
        let code = site.get(&back(&asked), &anew).await.sent("code").unwrap();
        let told = id_token(&rp, &site, &code).await;
        assert_eq!(told["acr"], TWO);
        assert_eq!(told["amr"], serde_json::json!(["hwk", "mfa", "pwd", "user"]));
        assert!(told["auth_time"].as_i64().unwrap() >= first["auth_time"].as_i64().unwrap() + 60);
        assert_eq!(told["sid"], first["sid"]);
        assert!(site.visit(&cookie).await.is_none(), "the session before is over");
        assert!(
            site.is_active(&rp, before["access_token"].as_str().unwrap()).await,
            "taken over"
        );
        for again in [HOPED, MUST, ("max_age", "30")] {
            let page = site.get(&rp.request(&[again, ("prompt", "none")]), &anew).await;
            assert!(page.sent("code").is_some(), "{again:?}");
        }
    }
    // A user who signed in with the passkey is not asked again.
    let entered = site.shows(&mut device).await.cookie();
    let code = rp.code(&site, &entered, &[MUST]).await;
    assert_eq!(id_token(&rp, &site, &code).await["acr"], TWO);
    site.sound().await;
}

/// An owner who skips the step-up continues and is not asked twice.
#[tokio::test(flavor = "multi_thread")]
async fn skipped_step_up_continues_without_second_request() {
    let site = site().await;
    let mut client = hues();
    client.third_party = true;
    let rp = site.rp(client).await;
    site.device("CV001").await;
    let cookie = site.signed_in("CV001").await;
    let asked = site.get(&rp.request(&[HOPED]), &cookie).await;
    let skipped = skip(&site.get(asked.goes_to(), &cookie).await);
    let consent = site.get(&skipped, &cookie).await;
    let request = consent.request();
    let sent = [("request", request.as_str()), ("answer", "allow")];
    let allowed = site.post("/consent", &cookie, &sent).await;
    assert!(allowed.text.contains("code=ngc_"), "{}", allowed.text);
    let code = site.get(&skipped, &cookie).await.sent("code").unwrap();
    assert_eq!(id_token(&rp, &site, &code).await["acr"], ONE);

    let asked = site.get(&rp.request(&[MUST]), &cookie).await;
    let skipped = skip(&site.get(asked.goes_to(), &cookie).await);
    let page = site.get(&skipped, &cookie).await;
    assert_eq!(page.sent("error").as_deref(), Some(UNMET));
    assert_eq!(page.sent("state").as_deref(), Some("st"));
}

/// An owner who skips the step-up right after a forced sign-in does not sign in again.
#[tokio::test(flavor = "multi_thread")]
async fn skipped_step_up_after_forced_sign_in_needs_no_other() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    site.device("CV001").await;
    for anew in [("prompt", "login"), ("max_age", "0")] {
        let before = site.signed_in("CV001").await;
        let asked = site.get(&rp.request(&[HOPED, anew]), &before).await;
        let typed = [("username", "canbo001"), ("password", "Hue-CV001")];
        let cookie = site.post(asked.goes_to(), &before, &typed).await.cookie();
        let query = asked.goes_to().strip_prefix("/sign-in?").unwrap();
        let (_, to) = url::form_urlencoded::parse(query.as_bytes()).next().unwrap();
        let asked = site.get(&to, &cookie).await;
        let skipped = skip(&site.get(asked.goes_to(), &cookie).await);
        assert!(site.get(&skipped, &cookie).await.sent("code").is_some(), "{anew:?}");
    }
}

/// If the client insists, an owner without a passkey is offered to add one.
#[tokio::test(flavor = "multi_thread")]
async fn essential_step_up_offers_to_add_first_passkey() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let code = rp.code(&site, &cookie, &[HOPED]).await;
    assert_eq!(id_token(&rp, &site, &code).await["acr"], ONE, "on, as they are");

    let asked = site.get(&rp.request(&[MUST]), &cookie).await;
    let page = site.get(asked.goes_to(), &cookie).await;
    assert!(page.says("step-up-add-lead") && !page.text.contains("data-passkey"));
    let skipped = site.get(&skip(&page), &cookie).await;
    assert_eq!(skipped.sent("error").as_deref(), Some(UNMET));

    let adding = asked.goes_to().replace("/sign-in/step-up", "/passkeys");
    assert!(
        page.text
            .contains(&format!("href=\"{}\"", adding.replace('&', "&#38;")))
    );
    assert_eq!(site.get(&adding, &cookie).await.status, 200);
    let mut device = Device::new();
    let (ceremony, options) = site.challenge("/passkeys/challenge", &cookie).await;
    let answer = device.makes(&options);
    let at = adding.replace("/passkeys?", "/passkeys/add?");
    let on = site
        .post(&at, &cookie, &[("ceremony", &ceremony), ("credential", &answer)])
        .await;
    assert!(
        on.says("go-on-title") && on.text.contains("0;url=/authorize?"),
        "{}",
        on.text
    );
    let asked = site.get(&back(&asked), &cookie).await;
    let anew = site.steps_up(asked.goes_to(), &mut device, &cookie).await.cookie();
    assert!(site.get(&back(&asked), &anew).await.sent("code").is_some());
    site.sound().await;
}

/// With `prompt=none`, no step-up page is shown.
#[tokio::test(flavor = "multi_thread")]
async fn prompt_none_never_shows_step_up_page() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let silent = async |cookie: &str, asks| site.get(&rp.request(&[asks, ("prompt", "none")]), cookie).await;
    let cookie = site.signed_in("CV001").await;
    assert!(silent(&cookie, HOPED).await.sent("code").is_some());
    assert_eq!(silent(&cookie, MUST).await.sent("error").as_deref(), Some(UNMET));
    site.device("CV001").await;
    assert!(silent(&cookie, HOPED).await.sent("code").is_some());
    let could = silent(&cookie, MUST).await;
    assert_eq!(
        could.sent("error").as_deref(),
        Some("login_required"),
        "a page would help"
    );
}

/// A citizen, who cannot have a passkey, is never asked for one, and nobody is if one factor is enough.
#[tokio::test(flavor = "multi_thread")]
async fn step_up_never_requested_from_citizens_or_if_optional() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let citizen = site.signed_in("HS016").await;
    site.post("/form/put-off", &citizen, &[]).await;
    assert!(!rp.code(&site, &citizen, &[HOPED]).await.is_empty());
    let page = site.get(&rp.request(&[MUST]), &citizen).await;
    assert_eq!(page.sent("error").as_deref(), Some(UNMET));
    // Not requested, requested as the second choice, or requested by an `acr` that is unknown here.
    site.device("CV001").await;
    let cookie = site.signed_in("CV001").await;
    let voluntary = r#"{"id_token":{"acr":{"values":["urn:ngomon:acr:1","urn:ngomon:acr:2"]}}}"#;
    for asks in [
        ("acr_values", ""),
        ("acr_values", "urn:ngomon:acr:1 urn:ngomon:acr:2"),
        ("acr_values", "phr urn:x"),
        ("claims", voluntary),
        ("claims", r#"{"id_token":{"acr":{"essential":true}}}"#),
        ("claims", r#"{"id_token":{"acr":null}}"#),
    ] {
        assert!(
            site.get(&rp.request(&[asks]), &cookie).await.sent("code").is_some(),
            "{asks:?}"
        );
    }
    for asks in [
        ("acr_values", "phr urn:ngomon:acr:2"),
        ("claims", r#"{"id_token":{"acr":{"value":"urn:ngomon:acr:2"}}}"#),
    ] {
        back(&site.get(&rp.request(&[asks]), &cookie).await);
    }
    let unknown = r#"{"id_token":{"acr":{"essential":true,"value":"phr"}}}"#;
    let page = site.get(&rp.request(&[("claims", unknown)]), &cookie).await;
    assert_eq!(page.sent("error").as_deref(), Some(UNMET));
}

/// Only the owner's own passkey response to this session counts.
#[tokio::test(flavor = "multi_thread")]
async fn step_up_accepts_only_own_response_of_same_session() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let (mut own, mut others) = (site.device("CV001").await, site.device("CV002").await);
    let cookie = site.signed_in("CV001").await;
    let at = site.get(&rp.request(&[MUST]), &cookie).await.goes_to().to_owned();
    let wrong = |page: TestResponse| {
        assert!(page.status == 422 && page.says("step-up-wrong"), "{}", page.text);
    };
    wrong(site.steps_up(&at, &mut others, &cookie).await);
    own.looks = false;
    wrong(site.steps_up(&at, &mut own, &cookie).await);
    own.looks = true;
    let (ceremony, asked) = site
        .challenge("/sign-in/step-up/challenge", &site.signed_in("CV001").await)
        .await;
    let answer = own.shows(&asked);
    let sent = [("ceremony", ceremony.as_str()), ("credential", answer.as_str())];
    wrong(site.post(&at, &cookie, &sent).await);
    wrong(site.post(&at, &cookie, &[]).await);
    assert_eq!(site.visit(&cookie).await.unwrap().amr, "pwd");
    for _ in 0..6 {
        site.post(&at, &cookie, &[]).await;
    }
    let often = site.steps_up(&at, &mut own, &cookie).await;
    assert!(often.status == 429 && often.says("second-factor-too-often"));
    site.move_on(900);
    let cookie = site.signed_in("CV001").await;
    assert_eq!(site.steps_up(&at, &mut own, &cookie).await.goes_to(), "/");
    // Without a session or without a request there is no step-up.
    assert!(site.get(&at, "").await.goes_to().starts_with("/authorize?"));
    let cookie = site.signed_in("CV001").await;
    for nowhere in [
        "/sign-in/step-up",
        "/sign-in/step-up?to=https%3A%2F%2Fevil.example",
        "/sign-in/step-up?to=%2Fpasskeys",
    ] {
        assert_eq!(site.get(nowhere, &cookie).await.goes_to(), "/", "{nowhere}");
    }
}
