//! The requirements of modules of the OpenID Foundation's conformance suite that no other test covers. Each test is named after its
//! modules; docs/STANDARDS.md lists them all. The suite itself was not run.

use crate::app::App;
use crate::openid::tests::told::receiver;
use crate::openid::tests::{CALLBACK, Rp, claims, hues, site};
use crate::tests::{Site, TestResponse};
use crate::workers::notice_delivery::{PATIENCE, Speed, deliver, sender};
use axum::body::Body;
use axum::http::{Method, Request, header};
use ngomon_rules::client::{Client, ClientId};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The suite uses no PKCE, except in one module.
const NO_PKCE: [(&str, &str); 2] = [("code_challenge", ""), ("code_challenge_method", "")];
const OUT: &str = "https://hues.example/out";

/// The client as the suite configures it.
fn suites() -> Client {
    let mut client = hues();
    client.without_pkce = true;
    client
}

impl Rp {
    /// An authorization request as the suite sends it.
    fn asks(&self, otherwise: &[(&str, &str)]) -> String {
        self.request(&[otherwise, NO_PKCE.as_slice()].concat())
    }

    /// The tokens for the response to such a request.
    async fn tokens_of(&self, site: &Site, answer: &TestResponse) -> Value {
        let code = answer.sent("code").unwrap_or_else(|| panic!("{}", answer.goes_to()));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
        ];
        let tokens = site.form_to("/token", Some(self), &fields).await;
        assert_eq!(tokens.status, 200, "{}", tokens.text);
        tokens.json()
    }
}

/// The user types the password on the sign-in page and is redirected back.
async fn typed(site: &Site, asked: &TestResponse, cookie: &str) -> (String, TestResponse) {
    let to = asked.goes_to();
    assert!(to.starts_with("/sign-in?to="), "{to}");
    assert!(site.get(to, cookie).await.says("sign-in-title"));
    let fields = [("username", "canbo001"), ("password", "Hue-CV001")];
    let anew = site.post(to, cookie, &fields).await.cookie();
    let (_, query) = to.split_once('?').unwrap();
    let back = url::form_urlencoded::parse(query.as_bytes()).next().unwrap().1;
    let answer = site.get(&back, &anew).await;
    (anew, answer)
}

fn id_token(tokens: &Value) -> Value {
    claims(tokens["id_token"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_server_and_client_secret_post() {
    let site = site().await;
    let rp = site.rp(suites()).await;
    let cookie = site.signed_in("CV001").await;
    for by_header in [true, false] {
        let answer = site.get(&rp.asks(&[]), &cookie).await;
        let to = url::Url::parse(answer.goes_to()).unwrap();
        let names: BTreeSet<String> = to.query_pairs().map(|(name, _)| name.into_owned()).collect();
        assert_eq!(names, ["code", "iss", "state"].map(str::to_owned).into());
        let code = answer.sent("code").unwrap();
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
        ];
        if !by_header {
            fields.extend([("client_id", rp.id.as_str()), ("client_secret", &rp.secret)]);
        }
        let tokens = site.form_to("/token", by_header.then_some(&rp), &fields).await;
        assert_eq!(tokens.headers[header::CONTENT_TYPE], "application/json");
        let tokens = tokens.json();
        assert_eq!(
            (&tokens["token_type"], &tokens["expires_in"]),
            (&json!("Bearer"), &json!(600))
        );
        let id = id_token(&tokens);
        let now = site.store.now().as_second();
        let subject = id["sub"].as_str().unwrap();
        assert!(!subject.is_empty() && subject.len() <= 255 && subject.is_ascii());
        assert_eq!(
            (&id["iss"], &id["aud"], &id["nonce"]),
            (&json!("http://localhost"), &json!(rp.id), &json!("no"))
        );
        assert!(id["iat"].as_i64().unwrap() <= now && id["exp"].as_i64().unwrap() > now);
        assert!(id["auth_time"].as_i64().unwrap() <= now);
        assert_eq!(
            site.userinfo(tokens["access_token"].as_str().unwrap()).await.json()["sub"],
            subject
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_userinfo_post_header_and_post_body() {
    let site = site().await;
    let rp = site.rp(suites()).await;
    let cookie = site.signed_in("CV001").await;
    let tokens = rp.tokens_of(&site, &site.get(&rp.asks(&[]), &cookie).await).await;
    let token = tokens["access_token"].as_str().unwrap();
    let form = "application/x-www-form-urlencoded";
    let with = |method: Method, in_header: bool, kind: Option<&str>, body: String| {
        let mut request = Request::builder().method(method).uri("/userinfo");
        if in_header {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        request.body(Body::from(body)).unwrap()
    };
    let in_body = format!("access_token={token}");
    for good in [
        with(Method::POST, true, None, String::new()),
        with(Method::POST, true, Some(form), String::new()),
        with(Method::POST, false, Some(form), in_body.clone()),
    ] {
        let told = site.ask(good).await;
        assert_eq!(told.headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(told.json()["sub"], id_token(&tokens)["sub"]);
    }
    for (bad, status) in [
        (with(Method::POST, true, Some(form), in_body.clone()), 400),
        (with(Method::POST, false, None, in_body.clone()), 401),
        (with(Method::GET, false, Some(form), in_body), 401),
    ] {
        assert_eq!(site.ask(bad).await.status, status);
    }
    assert_eq!(
        site.get(&format!("/userinfo?access_token={token}"), "").await.status,
        401
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
    let site = site().await;
    let rp = site.rp(suites()).await;
    let cookie = site.signed_in("CV001").await;
    let answer = site.get(&rp.asks(&[("nonce", "")]), &cookie).await;
    let tokens = rp.tokens_of(&site, &answer).await;
    assert!(id_token(&tokens).get("nonce").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_scope_profile_email_address_phone_all_and_other_order() {
    let site = site().await;
    let rp = site.rp(suites()).await;
    let cookie = site.signed_in("CV001").await;
    let profile = [
        "account_kind",
        "family_name",
        "given_name",
        "name",
        "preferred_username",
        "sub",
    ]
    .as_slice();
    let email = ["email", "email_verified", "sub"].as_slice();
    let phone = ["phone_number", "phone_number_verified", "sub"].as_slice();
    let all = [profile, email, phone].concat();
    for (scope, told) in [
        ("openid profile", profile),
        ("openid email", email),
        ("email openid", email),
        ("openid phone", phone),
        ("openid profile email phone", &all),
        // Not supported, and ignored (OpenID Connect Core 3.1.2.1).
        ("openid address", &["sub"]),
        ("openid profile email address phone", &all),
    ] {
        let answer = site.get(&rp.asks(&[("scope", scope)]), &cookie).await;
        let tokens = rp.tokens_of(&site, &answer).await;
        let info = site.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
        let names: BTreeSet<&str> = info.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, told.iter().copied().collect(), "{scope}");
    }
    let offered = site.get("/.well-known/openid-configuration", "").await.json();
    assert!(
        !offered["scopes_supported"]
            .as_array()
            .unwrap()
            .contains(&json!("address"))
    );
}

/// display-page, display-popup, ui-locales, claims-locales, login-hint, ensure-request-with-unknown-parameter-succeeds and
/// ensure-request-with-acr-values-succeeds: a user without a session signs in and comes back with a code.
#[tokio::test(flavor = "multi_thread")]
async fn oidcc_optional_parameters_do_not_prevent_sign_in() {
    let site = site().await;
    let rp = site.rp(suites()).await;
    let acr = ["urn:ngomon:acr:1", "urn:ngomon:acr:2"];
    for hoped in [
        ("display", "page"),
        ("display", "popup"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("login_hint", "canbo001@hue.example"),
        ("extra", "foobar"),
        ("acr_values", &acr.join(" ")),
    ] {
        let asked = site.get(&rp.asks(&[hoped]), "").await;
        let (_, answer) = typed(&site, &asked, "").await;
        let tokens = rp.tokens_of(&site, &answer).await;
        let reached = id_token(&tokens)["acr"].clone();
        assert!(acr.iter().any(|one| reached == *one), "{hoped:?}: {reached}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_prompt_login_and_max_age_1() {
    let site = site().await;
    let rp = site.rp(suites()).await;
    for again in [("prompt", "login"), ("max_age", "1")] {
        let asked = site.get(&rp.asks(&[]), "").await;
        let (cookie, answer) = typed(&site, &asked, "").await;
        let first = id_token(&rp.tokens_of(&site, &answer).await);
        site.move_on(2);
        let asked = site.get(&rp.asks(&[again]), &cookie).await;
        let (_, answer) = typed(&site, &asked, &cookie).await;
        let second = id_token(&rp.tokens_of(&site, &answer).await);
        let now = site.store.now().as_second();
        let at = |token: &Value| token["auth_time"].as_i64().unwrap();
        assert!(at(&first) < at(&second) && at(&second) <= now, "{again:?}");
        assert_eq!(first["sub"], second["sub"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_prompt_none_max_age_10000_and_id_token_hint() {
    let site = site().await;
    let rp = site.rp(suites()).await;
    let nobody = site.get(&rp.asks(&[("prompt", "none")]), "").await;
    assert!(nobody.goes_to().starts_with(CALLBACK));
    assert_eq!(
        (
            nobody.sent("error").unwrap().as_str(),
            nobody.sent("state").unwrap().as_str()
        ),
        ("login_required", "st")
    );
    let cookie = site.signed_in("CV001").await;
    let tokens = rp.tokens_of(&site, &site.get(&rp.asks(&[]), &cookie).await).await;
    let (first, hint) = (id_token(&tokens), tokens["id_token"].as_str().unwrap());
    site.move_on(100);
    for otherwise in [
        [("prompt", "none")].as_slice(),
        &[("max_age", "10000")],
        &[("prompt", "none"), ("id_token_hint", hint)],
    ] {
        let answer = site.get(&rp.asks(otherwise), &cookie).await;
        let second = id_token(&rp.tokens_of(&site, &answer).await);
        assert_eq!(
            (&first["sub"], &first["auth_time"]),
            (&second["sub"], &second["auth_time"]),
            "{otherwise:?}"
        );
    }
    let other = site.signed_in("CV004").await;
    let hinted = [("prompt", "none"), ("id_token_hint", hint)];
    let answer = site.get(&rp.asks(&hinted), &other).await;
    assert_eq!(
        answer.sent("error").unwrap(),
        "login_required",
        "somebody else is there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_claims_essential() {
    let site = site().await;
    let rp = site.rp(suites()).await;
    let cookie = site.signed_in("CV001").await;
    let asked = r#"{"userinfo":{"name":{"essential":true}}}"#;
    let request = rp.asks(&[("scope", "openid"), ("claims", asked)]);
    let tokens = rp.tokens_of(&site, &site.get(&request, &cookie).await).await;
    let info = site.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert!(info["name"].is_string(), "{info}");
    assert!(id_token(&tokens).get("name").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_refresh_token() {
    let site = site().await;
    let (rp, other) = (
        site.rp(suites()).await,
        site.rp(Client {
            name: "Hai".into(),
            ..suites()
        })
        .await,
    );
    let cookie = site.signed_in("CV001").await;
    let first = rp.tokens_of(&site, &site.get(&rp.asks(&[]), &cookie).await).await;
    let refresh = first["refresh_token"].as_str().unwrap();
    assert!(refresh.chars().all(|c| c.is_ascii_graphic()), "RFC 6749, A.17");
    site.move_on(1);
    assert_eq!(other.refresh(&site, refresh).await.error(), "invalid_grant");
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh),
        ("scope", "openid profile"),
    ];
    let second = site.form_to("/token", Some(&rp), &fields).await;
    assert_eq!(second.status, 200, "another client's try spends nothing");
    let second = second.json();
    assert_ne!(first["access_token"], second["access_token"]);
    let [old, new] = [&first, &second].map(id_token);
    for same in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(old[same], new[same], "{same}");
    }
    assert!(old["iat"].as_i64() < new["iat"].as_i64());
    assert!(new.get("nonce").is_none_or(|nonce| *nonce == old["nonce"]));
    let access = second["access_token"].as_str().unwrap();
    assert_eq!(site.userinfo(access).await.json()["sub"], new["sub"]);
}

/// The modules of the logout plans, too: oidcc-rp-initiated-logout- and oidcc-backchannel-logout-discovery-endpoint-verification.
#[tokio::test(flavor = "multi_thread")]
async fn oidcc_discovery_endpoint_verification() {
    let site = site().await.at_address("https://id.hue.example");
    site.store.tend_signing_keys().await.unwrap();
    let told = site.get("/.well-known/openid-configuration", "").await;
    assert_eq!(
        (told.status.as_u16(), &told.headers[header::CONTENT_TYPE]),
        (200, &"application/json".parse().unwrap())
    );
    let told = told.json();
    assert_eq!(told["issuer"], "https://id.hue.example");
    let endpoints = told.as_object().unwrap().iter();
    let endpoints: Vec<_> = endpoints
        .filter(|(name, _)| name.ends_with("_endpoint") || name.ends_with("_uri"))
        .collect();
    for must in ["authorization", "token", "userinfo", "end_session"] {
        assert!(
            endpoints.iter().any(|(name, _)| **name == format!("{must}_endpoint")),
            "{must}"
        );
    }
    for (name, address) in endpoints {
        let address = address.as_str().unwrap();
        assert!(address.starts_with("https://id.hue.example/"), "{name}: {address}");
    }
    let has = |name: &str, value: &str| told[name].as_array().unwrap().contains(&json!(value));
    for (name, value) in [
        ("response_types_supported", "code"),
        ("grant_types_supported", "authorization_code"),
        ("subject_types_supported", "public"),
        ("id_token_signing_alg_values_supported", "RS256"),
        ("scopes_supported", "openid"),
        ("claims_supported", "sub"),
        ("code_challenge_methods_supported", "S256"),
    ] {
        assert!(has(name, value), "{name}");
    }
    assert!(
        !has("id_token_signing_alg_values_supported", "none"),
        "oidcc-idtoken-unsigned"
    );
    for (name, value) in [
        ("claims_parameter_supported", true),
        ("request_parameter_supported", false),
        ("request_uri_parameter_supported", false),
        ("backchannel_logout_supported", true),
        ("backchannel_logout_session_supported", true),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
    let keys = site.get("/jwks", "").await.json();
    let keys = keys["keys"].as_array().unwrap();
    let names: BTreeSet<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert!(
        !keys.is_empty() && names.len() == keys.len(),
        "each key has a name of its own"
    );
    for key in keys {
        assert!(
            ["RSA", "EC", "OKP"].iter().any(|kind| key["kty"] == *kind) && key["use"] == "sig",
            "{key}"
        );
        assert!(
            ["d", "p", "q", "dp", "dq", "qi", "k"]
                .iter()
                .all(|part| key.get(part).is_none())
        );
    }
}

/// Whether the session still exists. The suite checks this after each logout.
async fn is_there(site: &Site, rp: &Rp, cookie: &str) -> bool {
    let answer = site.get(&rp.asks(&[("prompt", "none")]), cookie).await;
    match answer.sent("error") {
        Some(error) => {
            assert_eq!(error, "login_required");
            false
        }
        None => answer.sent("code").is_some(),
    }
}

fn end_session(fields: &[(&str, &str)]) -> String {
    format!("/end-session?{}", serde_urlencoded::to_string(fields).unwrap())
}

/// oidcc-rp-initiated-logout, its -no-state and -no-post-logout-redirect-uri.
#[tokio::test(flavor = "multi_thread")]
async fn oidcc_rp_initiated_logout_with_a_hint() {
    let site = site().await;
    let rp = site.rp(suites()).await;
    let state = "x".repeat(128);
    for (fields, to) in [
        (
            [("post_logout_redirect_uri", OUT), ("state", state.as_str())].as_slice(),
            Some(format!("{OUT}?state={state}")),
        ),
        (&[("post_logout_redirect_uri", OUT)], Some(OUT.to_owned())),
        (&[("state", &state)], None),
    ] {
        let cookie = site.signed_in("CV001").await;
        let tokens = rp.tokens_of(&site, &site.get(&rp.asks(&[]), &cookie).await).await;
        assert!(is_there(&site, &rp, &cookie).await);
        let hint = ("id_token_hint", tokens["id_token"].as_str().unwrap());
        let page = site
            .get(&end_session(&[[hint].as_slice(), fields].concat()), &cookie)
            .await;
        match to {
            Some(to) => assert_eq!(page.goes_to(), to),
            None => assert!(page.says("signed-out-title") && !page.headers.contains_key(header::LOCATION)),
        }
        assert!(!is_there(&site, &rp, &cookie).await, "{fields:?}");
    }
}

/// oidcc-rp-initiated-logout-no-id-token-hint, -no-params, -only-state: anybody can make such a link, so the owner must confirm. And
/// -modified-id-token-hint, -bad-id-token-hint, -bad-post-logout-redirect-uri, -query-added-to-post-logout-redirect-uri: an error page.
#[tokio::test(flavor = "multi_thread")]
async fn oidcc_rp_initiated_logout_without_hint_or_with_invalid_one() {
    let site = site().await;
    let rp = site.rp(suites()).await;
    let cookie = site.signed_in("CV001").await;
    let tokens = rp.tokens_of(&site, &site.get(&rp.asks(&[]), &cookie).await).await;
    let good = tokens["id_token"].as_str().unwrap();
    let payload = good.split('.').nth(1).unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.");
    let added = format!("{OUT}?foo=bar");
    let to = ("post_logout_redirect_uri", OUT);
    for (fields, status) in [
        ([("client_id", rp.id.as_str()), to, ("state", "s")].as_slice(), 200),
        (&[], 200),
        (&[("state", "s")], 200),
        (&[("id_token_hint", unsigned.as_str()), to], 400),
        (&[("id_token_hint", "nonsense"), to], 400),
        (
            &[
                ("id_token_hint", good),
                ("post_logout_redirect_uri", "https://hues.example/other"),
            ],
            400,
        ),
        (&[("id_token_hint", good), ("post_logout_redirect_uri", &added)], 400),
    ] {
        let page = site.get(&end_session(fields), &cookie).await;
        assert_eq!(page.status, status, "{fields:?}");
        assert!(!page.headers.contains_key(header::LOCATION));
        // The error stands on the sign-out page, where the owner may still sign out.
        assert!(
            page.says("sign-out-title") && page.says("sign-out-button"),
            "{fields:?}"
        );
        assert_eq!(page.says("sign-out-still"), status == 400, "{fields:?}");
        assert!(is_there(&site, &rp, &cookie).await, "nothing has ended yet");
    }
    let nobody = site.get(&end_session(&[("id_token_hint", "nonsense")]), "").await;
    assert!(nobody.status == 400 && nobody.says("sign-out-wrong-title"));
    assert!(nobody.says("sign-out-over") && !nobody.says("sign-out-button"));
    let agreed = site
        .post("/end-session/agreed", &cookie, &[("request", "state=s")])
        .await;
    assert!(agreed.says("signed-out-title"));
    assert!(!is_there(&site, &rp, &cookie).await);
}

/// When the store cannot be reached, a browser shows neither "the request is wrong" nor JSON.
#[tokio::test(flavor = "multi_thread")]
async fn store_outage_shows_error_page_to_browser() {
    let site = site().await;
    let rp = site.rp(suites()).await;
    let cookie = site.signed_in("CV001").await;
    let (here, request) = (end_session(&[("client_id", &rp.id)]), rp.asks(&[]));
    let agreed = format!("client_id={}", rp.id);
    site.sql("ALTER TABLE client RENAME TO away");
    for page in [
        site.get(&here, &cookie).await,
        site.get(&here, "").await,
        site.post("/end-session/agreed", &cookie, &[("request", &agreed)]).await,
        site.get(&request, &cookie).await,
        site.post("/consent", &cookie, &[("request", &agreed), ("answer", "allow")])
            .await,
    ] {
        assert_eq!(page.status, 503, "{}", page.text);
        assert!(page.says("fault-title") && page.says("fault-text"), "{}", page.text);
    }
    site.sql("ALTER TABLE away RENAME TO client");
    assert!(is_there(&site, &rp, &cookie).await, "nothing has ended");
    assert!(site.get(&here, &cookie).await.says("sign-out-button"));
}

#[tokio::test(flavor = "multi_thread")]
async fn oidcc_backchannel_rp_initiated_logout() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let site = site().await;
    let (receiver, address) = receiver().await;
    let mut client = suites();
    client.backchannel_logout_uri = Some(format!("{address}/backchannel_logout"));
    let rp = site.rp(client).await;
    let cookie = site.signed_in("CV001").await;
    let tokens = rp.tokens_of(&site, &site.get(&rp.asks(&[]), &cookie).await).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let fields = [
        ("id_token_hint", hint),
        ("post_logout_redirect_uri", OUT),
        ("state", "s"),
    ];
    let page = site.get(&end_session(&fields), &cookie).await;
    assert_eq!(page.goes_to(), format!("{OUT}?state=s"));
    assert!(!is_there(&site, &rp, &cookie).await);

    let (app, sender) = (App::new(site.store.clone(), false), sender(false, PATIENCE).unwrap());
    let client = ClientId(rp.id.clone());
    while deliver(&app, &sender, &client, &mut Speed::initial()).await.unwrap() > 0 {}
    let got = receiver.got();
    let [(kind, token)] = got.as_slice() else {
        panic!("{got:?}")
    };
    assert_eq!(kind, "application/x-www-form-urlencoded");
    let (id, logout) = (id_token(&tokens), claims(token));
    for same in ["iss", "aud", "sub", "sid"] {
        assert_eq!(id[same], logout[same], "{same}");
    }
    let now = site.store.now().as_second();
    assert!(logout["iat"].as_i64().unwrap() <= now && logout["exp"].as_i64().unwrap() > now);
    assert!(logout["jti"].is_string() && logout.get("nonce").is_none());
    assert_eq!(
        logout["events"],
        json!({"http://schemas.openid.net/event/backchannel-logout": {}})
    );
}
