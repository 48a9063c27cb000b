//! Invalid requests: without a valid client and redirect URI there is no redirect; all other errors go to the client.

use crate::openid::tests::{CALLBACK, CHALLENGE, hues, site};

/// A wrong or almost right redirect URI never redirects.
#[tokio::test(flavor = "multi_thread")]
async fn unregistered_redirect_uri_never_redirects() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    for uri in [
        "https://hues.example/cb/",
        "https://hues.example/cb?",
        "https://hues.example/cb?x=1",
        "https://hues.example/CB",
        "https://HUES.example/cb",
        "https://hues.example:443/cb",
        "http://hues.example/cb",
        "https://hues.example/cb%2F..",
        "https://hues.example/cb/../cb",
        "https://hues.example.evil.example/cb",
        "https://evil.example/cb",
        "https://hues.example@evil.example/cb",
        "https://hues.example/cb#x",
        "//hues.example/cb",
        "javascript:alert(1)",
        " https://hues.example/cb",
    ] {
        let page = site.get(&rp.request(&[("redirect_uri", uri)]), &cookie).await;
        assert_eq!(page.status, 400, "{uri}");
        assert!(page.says("authorize-wrong-title") && !page.headers.contains_key("location"));
    }
    let twice = format!("{}&redirect_uri=https%3A%2F%2Fevil.example%2F", rp.request(&[]));
    assert_eq!(site.get(&twice, &cookie).await.status, 400);
    let twice = format!("{}&client_id=other", rp.request(&[]));
    assert_eq!(site.get(&twice, &cookie).await.status, 400);
    for id in ["nobody", "", "'; DROP TABLE client; --"] {
        assert_eq!(
            site.get(&rp.request(&[("client_id", id)]), &cookie).await.status,
            400,
            "{id}"
        );
    }
    assert_eq!(site.get("/authorize", "").await.status, 400);
    assert_eq!(site.get("/authorize?%ff%fe=%00", "").await.status, 400);
    // OpenID Connect Core 3.1.2.1: with `openid`, `redirect_uri` is required.
    let unnamed = site.get(&rp.request(&[("redirect_uri", "")]), &cookie).await;
    assert!(unnamed.status == 400 && unnamed.text.contains("redirect_uri is missing"));
    // Without `openid`, and with one registered URI, it is optional; then it is left out when the code is redeemed, too.
    let oauth = [("redirect_uri", ""), ("scope", "profile")];
    assert!(
        site.get(&rp.request(&oauth), &cookie)
            .await
            .goes_to()
            .starts_with(CALLBACK)
    );
}

/// A state or nonce that is too long is an error and is not dropped.
#[tokio::test(flavor = "multi_thread")]
async fn overlong_state_or_nonce_is_error() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let long = "x".repeat(8_001);
    for name in ["state", "nonce"] {
        let answer = site.get(&rp.request(&[(name, &long)]), &cookie).await;
        assert_eq!(answer.sent("error").unwrap(), "invalid_request", "{name}");
        let state = if name == "state" { long.as_str() } else { "st" };
        assert_eq!(answer.sent("state").unwrap(), state, "it is given back");
    }
}

/// A native application may listen on any port of its loopback address.
#[tokio::test(flavor = "multi_thread")]
async fn native_app_redirect_to_any_loopback_port() {
    let site = site().await;
    let mut app = hues();
    app.authentication = ngomon_rules::client::Authentication::None;
    app.redirect_uris = vec!["http://127.0.0.1/cb".into()];
    let rp = site.rp(app).await;
    let cookie = site.signed_in("CV001").await;
    let here = "http://127.0.0.1:49152/cb";
    let answer = site.get(&rp.request(&[("redirect_uri", here)]), &cookie).await;
    assert!(
        answer.goes_to().starts_with("http://127.0.0.1:49152/cb?"),
        "{}",
        answer.goes_to()
    );
    let code = answer.sent("code").unwrap();
    for (uri, status) in [("http://127.0.0.1:49153/cb", 400), (here, 400)] {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", rp.id.as_str()),
            ("code", code.as_str()),
            ("redirect_uri", uri),
            ("code_verifier", super::VERIFIER),
        ];
        assert_eq!(
            site.form_to("/token", None, &fields).await.status,
            status,
            "it is spent"
        );
    }
    let code = site
        .get(&rp.request(&[("redirect_uri", here)]), &cookie)
        .await
        .sent("code")
        .unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", rp.id.as_str()),
        ("code", code.as_str()),
        ("redirect_uri", here),
        ("code_verifier", super::VERIFIER),
    ];
    assert_eq!(site.form_to("/token", None, &fields).await.status, 200);
}

/// The link to the other language repeats the same request, and redirects to no other site.
#[tokio::test(flavor = "multi_thread")]
async fn language_switch_repeats_invalid_request_without_redirect() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let evil = [
        ("redirect_uri", "https://evil.example/"),
        ("state", "\"><script>x</script>"),
    ];
    let twice = format!("{}&redirect_uri=https%3A%2F%2Fevil.example%2F", rp.request(&[]));
    let out = "/end-session?post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F&state=%22%3E";
    for request in [rp.request(&evil), twice, out.to_owned()] {
        let page = site.get(&request, &cookie).await;
        assert!(page.status == 400 && !page.text.contains("<script>x") && !page.text.contains("evil.example/\""));
        let (path, _) = request.split_once('?').unwrap();
        let link = page
            .text
            .split("href=\"")
            .find(|part| part.starts_with("/language/en?"))
            .unwrap();
        let switched = site.get(link.split('"').next().unwrap(), &cookie).await;
        assert!(
            switched.goes_to().starts_with(&format!("{path}?")),
            "{}",
            switched.goes_to()
        );
        let english = format!("{cookie}; {}", switched.cookie());
        let again = site.get(switched.goes_to(), &english).await;
        assert!(
            again.status == 400 && !again.headers.contains_key("location"),
            "{request}"
        );
        assert!(again.text.contains("lang=\"en\" class"), "{}", again.text);
    }
}

/// All other errors of a request go to the client, with its state.
#[tokio::test(flavor = "multi_thread")]
async fn other_request_errors_go_to_client_with_state() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    for (otherwise, error) in [
        (("response_type", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", "code id_token"), "unsupported_response_type"),
        (("scope", ""), "invalid_scope"),
        (("scope", "nonsense"), "invalid_scope"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw=cM"),
            "invalid_request",
        ),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("response_mode", "fragment"), "invalid_request"),
        (("prompt", "none login"), "invalid_request"),
        (("prompt", "create"), "invalid_request"),
        (("max_age", "-1"), "invalid_request"),
        (("max_age", "soon"), "invalid_request"),
        (("claims", "{"), "invalid_request"),
        (("claims", "[]"), "invalid_request"),
        (("claims", "{\"userinfo\":1}"), "invalid_request"),
        (("request", "e30."), "request_not_supported"),
        (("request_uri", "https://hues.example/r"), "request_uri_not_supported"),
        (("id_token_hint", "a.b.c"), "invalid_request"),
    ] {
        let page = site.get(&rp.request(&[otherwise]), &cookie).await;
        assert!(page.status.is_redirection(), "{otherwise:?}: {}", page.text);
        assert!(page.goes_to().starts_with("https://hues.example/cb?"));
        assert_eq!(page.sent("error").as_deref(), Some(error), "{otherwise:?}");
        assert_eq!(page.sent("state").as_deref(), Some("st"));
        assert_eq!(page.sent("iss").as_deref(), Some("http://localhost"));
        assert!(page.sent("code").is_none());
    }
    let twice = format!("{}&nonce=other", rp.request(&[]));
    assert_eq!(
        site.get(&twice, &cookie).await.sent("error").unwrap(),
        "invalid_request"
    );
    let acr = r#"{"id_token":{"acr":{"essential":true,"value":"urn:ngomon:acr:2"}}}"#;
    let page = site
        .get(&rp.request(&[("claims", acr), ("prompt", "none")]), &cookie)
        .await;
    assert_eq!(page.sent("error").unwrap(), "unmet_authentication_requirements");
    let wanted = r#"{"id_token":{"sub":{"value":"somebody else"}}}"#;
    let page = site
        .get(&rp.request(&[("claims", wanted), ("prompt", "none")]), &cookie)
        .await;
    assert_eq!(page.sent("error").unwrap(), "login_required");
    let odd = "a&b=c\r\nLocation: https://evil.example \"<script>";
    let page = site.get(&rp.request(&[("state", odd)]), &cookie).await;
    assert_eq!(
        page.sent("state").unwrap(),
        odd,
        "given back as it came, and as one value"
    );
}

/// A request may come by POST, and its response may go by `form_post`.
#[tokio::test(flavor = "multi_thread")]
async fn request_by_post_and_response_by_form_post() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let request = rp.request(&[]);
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(request.split_once('?').unwrap().1.as_bytes())
        .into_owned()
        .collect();
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let posted = site.form_to("/authorize", None, &fields).await;
    assert!(site.get(posted.goes_to(), &cookie).await.sent("code").is_some());
    let page = site.get(&rp.request(&[("response_mode", "form_post")]), &cookie).await;
    assert!(
        page.text.contains("action=\"https://hues.example/cb\"") && page.text.contains("name=\"code\" value=\"ngc_")
    );
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"));
    assert!(
        !policy.contains("form-action"),
        "the system may lead on to another: {policy}"
    );
    let usual = site.get("/sign-in", "").await;
    assert!(
        usual.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("form-action 'self';")
    );
}

/// A pushed request is checked at once and is valid once.
#[tokio::test(flavor = "multi_thread")]
async fn pushed_request_checked_at_once_and_usable_once() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let other = site
        .rp(ngomon_rules::client::Client {
            name: "B".into(),
            ..hues()
        })
        .await;
    let cookie = site.signed_in("CV001").await;
    let pushed = |mode: &'static str, uri: &'static str| {
        [
            ("response_type", "code"),
            ("scope", "openid"),
            ("redirect_uri", uri),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", mode),
            ("state", "st"),
        ]
    };
    assert_eq!(
        site.form_to("/par", Some(&rp), &pushed("plain", CALLBACK))
            .await
            .error(),
        "invalid_request"
    );
    let elsewhere = pushed("S256", "https://evil.example/");
    assert_eq!(
        site.form_to("/par", Some(&rp), &elsewhere).await.error(),
        "invalid_request"
    );
    assert_eq!(
        site.form_to("/par", None, &pushed("S256", CALLBACK)).await.error(),
        "invalid_client"
    );
    let answer = site.form_to("/par", Some(&rp), &pushed("S256", CALLBACK)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["expires_in"]),
        (201, &serde_json::json!(90))
    );
    let handle = answer.json()["request_uri"].as_str().unwrap().to_owned();
    let by = |id: &str| format!("/authorize?client_id={id}&request_uri={handle}");
    assert_eq!(site.get(&by(&other.id), &cookie).await.status, 400, "another client's");
    let page = site.get(&by(&rp.id), &cookie).await;
    assert!(page.sent("code").is_some() && page.sent("state").unwrap() == "st");
    assert_eq!(site.get(&by(&rp.id), &cookie).await.status, 400, "good once");
    let late = site.form_to("/par", Some(&rp), &pushed("S256", CALLBACK)).await.json();
    site.move_on(91);
    let late = format!(
        "/authorize?client_id={}&request_uri={}",
        rp.id,
        late["request_uri"].as_str().unwrap()
    );
    assert_eq!(site.get(&late, &cookie).await.status, 400);
}

/// A pushed request is used up by its response and not by a reload, and its contents appear in no URL.
#[tokio::test(flavor = "multi_thread")]
async fn pushed_request_survives_reload_until_answered() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let request = rp.request(&[]);
    let (_, query) = request.split_once('?').unwrap();
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let handle = site.form_to("/par", Some(&rp), &fields).await.json()["request_uri"].clone();
    let by = format!(
        "/authorize?client_id={}&request_uri={}",
        rp.id,
        handle.as_str().unwrap()
    );
    // A reload, a step back or a mail scanner does not spend the request.
    for _ in 0..2 {
        let page = site.get(&by, "").await;
        let to = page.goes_to();
        assert!(to.starts_with("/sign-in?to=") && to.contains("request_uri"), "{to}");
        assert!(!to.contains("redirect_uri") && !to.contains("code_challenge"), "{to}");
    }
    // A user who began to sign in has time to finish.
    site.move_on(10 * 60);
    let cookie = site.signed_in("CV001").await;
    let page = site.get(&by, &cookie).await;
    assert!(page.sent("code").is_some(), "{}", page.text);
    assert_eq!(site.get(&by, &cookie).await.status, 400, "it was answered");

    let handle = site.form_to("/par", Some(&rp), &fields).await.json()["request_uri"].clone();
    let by = format!(
        "/authorize?client_id={}&request_uri={}",
        rp.id,
        handle.as_str().unwrap()
    );
    site.get(&by, "").await;
    site.move_on(3_601);
    let cookie = site.signed_in("CV001").await;
    assert_eq!(site.get(&by, &cookie).await.status, 400, "an hour is over");

    // An error response spends the request, too.
    let silent = [fields.as_slice(), &[("prompt", "none")]].concat();
    let handle = site.form_to("/par", Some(&rp), &silent).await.json()["request_uri"].clone();
    let by = format!(
        "/authorize?client_id={}&request_uri={}",
        rp.id,
        handle.as_str().unwrap()
    );
    assert_eq!(site.get(&by, "").await.sent("error").unwrap(), "login_required");
    assert_eq!(site.get(&by, &cookie).await.status, 400, "it was answered");
}

/// The discovery document lists what is supported and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn discovery_lists_exactly_what_is_supported() {
    let site = site().await;
    let told = site.get("/.well-known/openid-configuration", "").await;
    assert_eq!(told.headers["cache-control"], "public, max-age=3600");
    let told = told.json();
    assert_eq!(
        site.get("/.well-known/oauth-authorization-server", "").await.json(),
        told
    );
    for absent in [
        "registration_endpoint",
        "check_session_iframe",
        "device_authorization_endpoint",
        "dpop_signing_alg_values_supported",
    ] {
        assert!(told.get(absent).is_none(), "{absent}");
    }
    for (name, value) in told.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            let path = value.as_str().unwrap().strip_prefix("http://localhost").unwrap();
            assert_ne!(site.get(path, "").await.status, 404, "{name}");
        }
    }
    assert_eq!(told["issuer"], "http://localhost");
    let events = site.get("/.well-known/ssf-configuration", "").await.json();
    assert_eq!(events["jwks_uri"], told["jwks_uri"]);
}
