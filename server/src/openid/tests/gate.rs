//! C1 at the authorization endpoint: "yêu cầu người dùng thực hiện chuẩn hóa tài khoản", also for users who come from a connected system.

use crate::openid::tests::{claims, hues, site};
use axum::http::StatusCode;
use ngomon_rules::client::{Client, Scope};
use ngomon_rules::records::AccountKind;

/// The form comes first, and the client after it.
#[tokio::test(flavor = "multi_thread")]
async fn gate_shows_form_first_and_then_leads_to_client() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("HS016").await;
    let silent = site.get(&rp.request(&[("prompt", "none")]), &cookie).await;
    assert_eq!(silent.sent("error").unwrap(), "interaction_required");
    assert_eq!(site.get(&rp.request(&[]), &cookie).await.goes_to(), "/form");
    let form = site.get("/form", &cookie).await;
    assert!(
        form.text.contains("Xong bước này sẽ tiếp tục vào Hue-S."),
        "{}",
        form.text
    );
    site.post("/form/put-off", &cookie, &[]).await;
    assert!(site.get("/", &cookie).await.says("go-on-title"), "on to the system");
    // The sign-in page and the code page name the system that the user signs in to.
    let asked = site.get(&rp.request(&[]), "").await;
    let page = site.get(asked.goes_to(), "").await;
    assert!(page.text.contains("Đăng nhập để vào Hue-S."), "{}", page.text);
    assert!(!site.get("/sign-in", "").await.text.contains("Đăng nhập để vào"));
    let scope = [("scope", "openid standardisation employment")];
    let tokens = rp.tokens(&site, &cookie, &scope).await;
    let info = site.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert!(info.get("groups").is_none(), "a citizen is in none");
    assert_eq!(info["standardisation"]["state"], "asked");
    assert_eq!(info["standardisation"]["form"], "http://localhost/form");
    for tag in ["vi", "en"] {
        let locale = crate::i18n::Locale::of_tag(tag).unwrap();
        let said = &info["standardisation"]["announcement"][tag];
        assert_eq!(said["title"], locale.text("form-title"));
        assert!(
            said["text"].as_str().unwrap().starts_with(&locale.text("form-lead")),
            "{said}"
        );
    }
    let next = site.signed_in("HS016").await;
    assert_eq!(
        site.get(&rp.request(&[]), &next).await.goes_to(),
        "/form",
        "asked again at each opening"
    );
}

/// A form that is sent after the session has expired still leads to the client, after a new sign-in.
#[tokio::test(flavor = "multi_thread")]
async fn form_sent_after_session_expiry_leads_to_client() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("HS016").await;
    assert_eq!(site.get(&rp.request(&[]), &cookie).await.goes_to(), "/form");
    site.move_on(31 * 60);
    let late = site.post("/form", &cookie, &[("full_name", "Nguyễn Văn A")]).await;
    let again = late.goes_to();
    assert!(again.starts_with("/sign-in?why=kept&to=%2Fauthorize%3F"), "{again}");
    assert!(site.get(again, &cookie).await.says("sign-in-why-kept"));
    let typed = [("username", "hues016"), ("password", "Hue-HS016")];
    let anew = site.post(again, &cookie, &typed).await.cookie();
    site.post("/form/put-off", &anew, &[]).await;
    assert!(site.get("/", &anew).await.says("go-on-title"));
}

/// Under the policy `require`, the form cannot be deferred and no token is issued.
#[tokio::test(flavor = "multi_thread")]
async fn require_policy_refuses_deferral_and_tokens() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    for (key, value) in [("deadline.citizens", "2023-07-15"), ("after-deadline", "require")] {
        site.store.set_campaign(key, value, true, "test").await.unwrap();
    }
    let cookie = site.signed_in("HS016").await;
    site.post("/form/put-off", &cookie, &[]).await;
    assert!(
        site.get(&rp.request(&[]), &cookie).await.status.is_redirection(),
        "the last day is still in time"
    );
    let offline = [("scope", "openid offline_access")];
    let given = rp.tokens(&site, &cookie, &offline).await;
    site.move_on(24 * 3600);
    let refresh = given["refresh_token"].as_str().unwrap();
    let refused = rp.refresh(&site, refresh).await;
    assert_eq!(refused.json()["error"], "invalid_grant", "{}", refused.text);
    assert!(refused.text.contains("standardised first"), "{}", refused.text);
    let cookie = site.signed_in("HS016").await;
    for _ in 0..2 {
        assert_eq!(site.get(&rp.request(&[]), &cookie).await.goes_to(), "/form");
        assert!(!site.get("/form", &cookie).await.says("form-put-off"));
        site.post("/form/put-off", &cookie, &[]).await;
        assert_eq!(site.get("/", &cookie).await.goes_to(), "/form");
    }
    site.store.set_campaign("freeze", "on", true, "test").await.unwrap();
    assert!(
        !rp.code(&site, &cookie, &[]).await.is_empty(),
        "a freeze suspends the gate"
    );
    assert_eq!(
        rp.refresh(&site, refresh).await.status,
        StatusCode::OK,
        "what was refused was not spent"
    );
}

/// A client for certain kinds and units denies access to all other accounts.
#[tokio::test(flavor = "multi_thread")]
async fn client_restricted_to_kinds_and_units_denies_others() {
    let site = site().await;
    let mut officials = hues();
    officials.kinds = vec![AccountKind::Official];
    let rp = site.rp(officials).await;
    let cookie = site.signed_in("HS016").await;
    let page = site.get(&rp.request(&[]), &cookie).await;
    assert_eq!(page.sent("error").unwrap(), "access_denied");
    let official = site.signed_in("CV001").await;
    let tokens = rp.tokens(&site, &official, &[("scope", "openid employment")]).await;
    let info = site.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    let unit = info["employment"]["unit"].as_str().unwrap().to_owned();
    let units = site.store.units().await.unwrap();
    let elsewhere = units.iter().find(|one| {
        !units.is_within(
            &ngomon_rules::unit::UnitCode(unit.clone()),
            &one.code,
            site.store.today(),
        )
    });
    for (name, unit, lets_in) in [
        ("A", unit.as_str(), true),
        ("B", elsewhere.unwrap().code.as_str(), false),
    ] {
        let mut client = hues();
        (client.name, client.units) = (name.into(), vec![ngomon_rules::unit::UnitCode(unit.into())]);
        let rp = site.rp(client).await;
        let page = site.get(&rp.request(&[]), &official).await;
        assert_eq!(page.sent("code").is_some(), lets_in, "{name}");
    }
}

/// A third-party client gets nothing before the owner consents, and nothing after the consent is revoked.
#[tokio::test(flavor = "multi_thread")]
async fn third_party_client_gets_nothing_without_consent() {
    let site = site().await;
    let mut client = hues();
    client.third_party = true;
    let rp = site.rp(client).await;
    let cookie = site.signed_in("CV001").await;
    let silent = site.get(&rp.request(&[("prompt", "none")]), &cookie).await;
    assert_eq!(silent.sent("error").unwrap(), "consent_required");
    let asked = site.get(&rp.request(&[]), &cookie).await;
    assert!(asked.says("consent-lead") || asked.text.contains("hues.example"));
    let other = format!("/language/en?to=/authorize%3Fclient_id%3D{}%26", rp.id);
    assert!(asked.text.contains(&other), "the other language asks the same");
    let request = asked.request();
    let denied = site
        .post("/consent", &cookie, &[("request", &request), ("answer", "deny")])
        .await;
    assert!(denied.says("go-on-title") && denied.text.contains("error=access_denied"));
    let allowed = site
        .post("/consent", &cookie, &[("request", &request), ("answer", "allow")])
        .await;
    assert!(
        allowed.says("go-on-title") && allowed.text.contains("code=ngc_"),
        "{}",
        allowed.text
    );
    assert!(
        !rp.code(&site, &cookie, &[("prompt", "none")]).await.is_empty(),
        "asked once"
    );
    let more = site
        .get(&rp.request(&[("scope", "openid profile phone")]), &cookie)
        .await;
    assert_eq!(more.status, 200, "more is asked for again");
    let anew = site.get(&rp.request(&[("prompt", "consent")]), &cookie).await;
    assert_eq!(anew.status, 200);
    // The account's page lists the consent, and the owner revokes it: this revokes the system's tokens, and the next request shows the
    // consent page again.
    let tokens = rp.tokens(&site, &cookie, &[]).await;
    let access = tokens["access_token"].as_str().unwrap();
    let home = site.get("/", &cookie).await;
    assert!(home.says("consents-title") && home.says("scope-profile") && home.text.contains("Hue-S"));
    let elsewhere = site.signed_in("CV004").await;
    for (cookie, id, ends) in [
        (&elsewhere, &*rp.id, false),
        (&cookie, "none", false),
        (&cookie, &rp.id, true),
    ] {
        let sent = site.post("/consents/withdraw", cookie, &[("client", id)]).await;
        assert_eq!(sent.goes_to(), "/");
        assert_eq!(site.is_active(&rp, access).await, !ends);
    }
    assert!(!site.get("/", &cookie).await.says("consents-title"));
    let silent = site.get(&rp.request(&[("prompt", "none")]), &cookie).await;
    assert_eq!(silent.sent("error").unwrap(), "consent_required");
    // A form from another site does not count as the owner's decision.
    let forged = axum::http::Request::post("/consent")
        .header("host", "localhost")
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://evil.example")
        .header("cookie", &cookie)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from("answer=allow"))
        .unwrap();
    let page = site.ask(forged).await;
    assert!(page.status == 403 && page.says("foreign-title"), "{}", page.text);
}

/// Claims that a third party requests one by one need consent like scopes.
#[tokio::test(flavor = "multi_thread")]
async fn individual_claims_of_third_party_need_consent() {
    let site = site().await;
    let named = r#"{"userinfo":{"national_id":null},"id_token":{"phone_number":{"essential":true},"email":null}}"#;
    for pushes in [false, true] {
        let client = Client {
            name: format!("{pushes}"),
            third_party: true,
            scopes: vec![Scope::NationalId, Scope::Phone],
            ..hues()
        };
        let rp = site.rp(client).await;
        let cookie = site.signed_in("CV001").await;
        let asks = async |otherwise: &[(&str, &str)]| {
            let request = rp.request(&[&[("scope", "openid")], otherwise].concat());
            if !pushes {
                return site.get(&request, &cookie).await;
            }
            let (_, query) = request.split_once('?').unwrap();
            let fields: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            let handle = site.form_to("/par", Some(&rp), &fields).await.json()["request_uri"].clone();
            let pushed = [("client_id", rp.id.as_str()), ("request_uri", handle.as_str().unwrap())];
            let query = serde_urlencoded::to_string(pushed).unwrap();
            site.get(&format!("/authorize?{query}"), &cookie).await
        };
        // An earlier consent does not cover the claims requested now.
        let plain = asks(&[]).await.request();
        let allow = async |request: &str| {
            let sent = [("request", request), ("answer", "allow")];
            site.post("/consent", &cookie, &sent).await
        };
        allow(&plain).await;
        assert!(asks(&[]).await.sent("code").is_some());
        let silent = asks(&[("claims", named), ("prompt", "none")]).await;
        assert_eq!(silent.sent("error").as_deref(), Some("consent_required"));
        let asked = asks(&[("claims", named)]).await;
        assert!(asked.says("scope-national-id") && asked.says("scope-phone"));
        assert!(!asked.says("scope-email"), "not one of the client's");
        allow(&asked.request()).await;
        let code = asks(&[("claims", named)]).await.sent("code").unwrap();
        let tokens = rp.redeem(&site, &code).await.json();
        let told = site.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
        assert!(told["national_id"].is_string() && told.get("email").is_none());
        assert!(claims(tokens["id_token"].as_str().unwrap())["phone_number"].is_string());
    }
}

/// A forced sign-in happens once, and keeps the grants of other clients.
#[tokio::test(flavor = "multi_thread")]
async fn forced_sign_in_happens_once_and_keeps_other_grants() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    for otherwise in [("max_age", "50"), ("prompt", "login")] {
        let cookie = site.signed_in("CV001").await;
        let tokens = rp.tokens(&site, &cookie, &[]).await;
        site.move_on(100);
        assert!(!rp.code(&site, &cookie, &[("max_age", "1000")]).await.is_empty());
        let silent = site
            .get(&rp.request(&[("max_age", "50"), ("prompt", "none")]), &cookie)
            .await;
        assert_eq!(silent.sent("error").unwrap(), "login_required");
        let asked = site.get(&rp.request(&[otherwise]), &cookie).await;
        let to = asked.goes_to().to_owned();
        assert!(to.starts_with("/sign-in?to="), "{to}");
        let (_, query) = to.split_once('?').unwrap();
        let back = url::form_urlencoded::parse(query.as_bytes())
            .next()
            .unwrap()
            .1
            .into_owned();
        let old = site.get(&back, &cookie).await;
        assert!(old.goes_to().starts_with("/sign-in"), "the old sign-in is not enough");
        let typed = [("username", "canbo001"), ("password", "Hue-CV001")];
        let anew = site.post(&to, &cookie, &typed).await.cookie();
        assert!(site.get(&back, &anew).await.sent("code").is_some(), "{otherwise:?}");
        if otherwise.0 == "prompt" {
            let forged = back.replace("ngomon_since=", "ngomon_since=1");
            let page = site.get(&forged, &anew).await;
            assert!(page.goes_to().starts_with("/sign-in"), "a made-up stamp counts as none");
        }
        assert!(site.visit(&cookie).await.is_none(), "the session before is over");
        assert!(
            site.is_active(&rp, tokens["access_token"].as_str().unwrap()).await,
            "taken over"
        );
    }
}
