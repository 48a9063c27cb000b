//! Published vulnerabilities of other providers, each as a test with its identifier, and further attacks on the token endpoint.

use crate::openid::tests::{CALLBACK, CHALLENGE, Rp, VERIFIER, claims, hues, site};
use crate::tests::TestResponse;
use axum::body::Body;
use axum::http::{Request, header};
use futures_util::future::join_all;
use ngomon_rules::client::Client;
use serde_json::json;

/// CVE-2026-1609, GHSA-wv3h-x6c4-r867, CVE-2026-16103, CVE-2023-22492: every grant, at its last step, against a held account.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2026_1609_held_account_gets_no_token_by_any_grant() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let code = rp.code(&site, &cookie, &[]).await;
    let tokens = rp.tokens(&site, &cookie, &[("scope", "openid offline_access")]).await;
    site.hold("CV001").await;
    assert_eq!(rp.redeem(&site, &code).await.error(), "invalid_grant");
    assert_eq!(
        rp.refresh(&site, tokens["refresh_token"].as_str().unwrap())
            .await
            .error(),
        "invalid_grant"
    );
    assert_eq!(
        site.userinfo(tokens["access_token"].as_str().unwrap()).await.status,
        401
    );
    assert!(
        site.get(&rp.request(&[]), &cookie)
            .await
            .goes_to()
            .starts_with("/sign-in")
    );
}

/// Kanidm and Rauthy issued tokens six times for one code. Here one code is redeemed once, however many requests arrive at the same moment,
/// and the other requests revoke the tokens of the first.
#[tokio::test(flavor = "multi_thread")]
async fn code_redeemed_once_and_replay_revokes_its_tokens() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let code = rp.code(&site, &cookie, &[]).await;
    let answers = join_all((0..12).map(|_| rp.redeem(&site, &code))).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(won.len(), 1);
    let tokens = won[0].json();
    assert!(!site.is_active(&rp, tokens["access_token"].as_str().unwrap()).await);
    assert_eq!(
        rp.refresh(&site, tokens["refresh_token"].as_str().unwrap())
            .await
            .error(),
        "invalid_grant"
    );

    let code = rp.code(&site, &cookie, &[]).await;
    let tokens = rp.redeem(&site, &code).await.json();
    let access = tokens["access_token"].as_str().unwrap();
    assert!(site.is_active(&rp, access).await);
    site.move_on(30);
    assert_eq!(rp.redeem(&site, &code).await.error(), "invalid_grant");
    assert!(!site.is_active(&rp, access).await);
}

/// CVE-2026-1035: a refresh token is used once, also in a race, and reuse revokes its family (RFC 9700, 4.14).
#[tokio::test(flavor = "multi_thread")]
async fn cve_2026_1035_refresh_token_reuse_revokes_its_family() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let first = rp.tokens(&site, &cookie, &[]).await;
    let other = rp.tokens(&site, &cookie, &[]).await;
    let old = first["refresh_token"].as_str().unwrap();
    let answers = join_all((0..12).map(|_| rp.refresh(&site, old))).await;
    let next: Vec<_> = answers.iter().map(TestResponse::json).collect();
    assert!(
        next.iter().all(|one| one["refresh_token"] == next[0]["refresh_token"]),
        "one line, whoever is first"
    );
    let last = rp
        .refresh(&site, next[0]["refresh_token"].as_str().unwrap())
        .await
        .json();
    // Presented again after its successor was used, it is in the hands of two parties.
    assert_eq!(rp.refresh(&site, old).await.error(), "invalid_grant");
    for ended in next.iter().chain([&last]) {
        assert!(!site.is_active(&rp, ended["access_token"].as_str().unwrap()).await);
    }
    assert_eq!(
        rp.refresh(&site, last["refresh_token"].as_str().unwrap()).await.error(),
        "invalid_grant"
    );
    assert!(
        site.is_active(&rp, other["access_token"].as_str().unwrap()).await,
        "another sign-in's family"
    );
}

/// GHSA-7fpj-9hr8-28vh: a token of one type is not accepted as another.
#[tokio::test(flavor = "multi_thread")]
async fn ghsa_7fpj_9hr8_28vh_token_types_not_interchangeable() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let code = rp.code(&site, &cookie, &[]).await;
    let tokens = rp.tokens(&site, &cookie, &[]).await;
    let part = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let logout = site.store.tend_signing_keys().await;
    assert!(logout.is_ok());
    for bad in [
        code.clone(),
        part("refresh_token"),
        part("id_token"),
        "garbage".into(),
        "x".repeat(5000),
    ] {
        assert_eq!(site.userinfo(&bad).await.status, 401, "{bad}");
    }
    for bad in [part("access_token"), code.clone(), part("id_token")] {
        assert_eq!(rp.refresh(&site, &bad).await.error(), "invalid_grant");
    }
    assert_eq!(rp.redeem(&site, &part("refresh_token")).await.error(), "invalid_grant");
    assert!(!site.is_active(&rp, &code).await);
    // A logout token is not accepted as `id_token_hint`.
    let app = crate::app::App::new(site.store.clone(), false);
    let body = claims(&part("id_token"));
    let logout = app
        .signer
        .sign(&site.store, ngomon_rules::client::Algorithm::Rs256, "logout+jwt", &body)
        .await
        .unwrap();
    let page = site.get(&format!("/end-session?id_token_hint={logout}"), &cookie).await;
    assert_eq!(page.status, 400);
    assert!(site.visit(&cookie).await.is_some());
}

/// Algorithm confusion: a hint is verified with the key and the algorithm of its `kid` only.
#[tokio::test(flavor = "multi_thread")]
async fn id_token_hint_with_wrong_algorithm_is_refused() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let tokens = rp.tokens(&site, &cookie, &[]).await;
    let token = tokens["id_token"].as_str().unwrap();
    let body = claims(token);
    let kid = jsonwebtoken::decode_header(token).unwrap().kid;
    let jwks = site.get("/jwks", "").await.text;
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.kid = kid;
    let confused =
        jsonwebtoken::encode(&header, &body, &jsonwebtoken::EncodingKey::from_secret(jwks.as_bytes())).unwrap();
    let (head, rest) = token.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for bad in [
        confused,
        format!("{none}.{payload}."),
        format!("{head}.{payload}."),
        format!("{head}.{signature}.{payload}"),
    ] {
        let page = site.get(&format!("/end-session?id_token_hint={bad}"), &cookie).await;
        assert_eq!(page.status, 400, "{bad}");
    }
    assert!(site.visit(&cookie).await.is_some());
}

/// CVE-2023-49097: a forged Host header changes no URL in our responses.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2023_49097_forged_host_header_changes_no_url() {
    let site = site().await;
    for name in ["host", "x-forwarded-host", "forwarded", "x-original-host"] {
        let request = Request::get("/.well-known/openid-configuration").header(name, "evil.example");
        let told = site.ask(request.body(Body::empty()).unwrap()).await;
        assert!(!told.text.contains("evil"), "{name}");
    }
}

/// The PKCE challenge and the redirect URI of a code are those of its request; a wrong one spends the code.
#[tokio::test(flavor = "multi_thread")]
async fn code_with_wrong_verifier_or_redirect_uri_is_refused() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let other = site
        .rp(Client {
            name: "B".into(),
            ..hues()
        })
        .await;
    let cookie = site.signed_in("CV001").await;
    for (name, value) in [
        ("code_verifier", ""),
        ("code_verifier", CHALLENGE),
        ("code_verifier", "short"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://hues.example/cb2"),
    ] {
        let code = rp.code(&site, &cookie, &[]).await;
        let right = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let wrong: Vec<_> = right
            .iter()
            .copied()
            .filter(|(one, _)| *one != name)
            .chain([(name, value)])
            .collect();
        assert_eq!(
            site.form_to("/token", Some(&rp), &wrong).await.error(),
            "invalid_grant",
            "{name}={value}"
        );
    }
    let code = rp.code(&site, &cookie, &[]).await;
    assert_eq!(
        other.redeem(&site, &code).await.error(),
        "invalid_grant",
        "another client's"
    );
    assert_eq!(
        rp.redeem(&site, &code).await.status,
        200,
        "which does not keep the right one from it"
    );
    let late = rp.code(&site, &cookie, &[]).await;
    site.move_on(61);
    assert_eq!(rp.redeem(&site, &late).await.error(), "invalid_grant");
    // A verifier for a code without a challenge: an attacker injected another request's code (RFC 9700, 2.1.1).
    let mut old = hues();
    (old.name, old.without_pkce) = ("Cũ".into(), true);
    let old = site.rp(old).await;
    let code = old
        .code(&site, &cookie, &[("code_challenge", ""), ("code_challenge_method", "")])
        .await;
    assert_eq!(old.redeem(&site, &code).await.error(), "invalid_grant");
}

/// A client authenticates by exactly one method, the one that is registered.
#[tokio::test(flavor = "multi_thread")]
async fn client_authentication_by_one_registered_method_only() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let (id, secret) = (rp.id.as_str(), rp.secret.as_str());
    let ask = |fields: Vec<(&'static str, String)>, basic: bool| {
        let (site, rp) = (&site, &rp);
        async move {
            let mut all = vec![("grant_type", "refresh_token"), ("refresh_token", "x")];
            all.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
            site.form_to("/token", basic.then_some(rp), &all).await
        }
    };
    let named = |id: &str| ("client_id", id.to_owned());
    let with = |secret: &str| ("client_secret", secret.to_owned());
    assert_eq!(ask(vec![], true).await.error(), "invalid_grant", "known");
    assert_eq!(
        ask(vec![named(id), with(secret)], false).await.error(),
        "invalid_grant",
        "known"
    );
    for (fields, basic, error) in [
        (vec![with(secret)], true, "invalid_request"),
        (vec![named("other")], true, "invalid_request"),
        (vec![named(id)], false, "invalid_client"),
        (vec![named(id), with("wrong")], false, "invalid_client"),
        (vec![named("nobody"), with(secret)], false, "invalid_client"),
        (vec![], false, "invalid_client"),
    ] {
        let answer = ask(fields.clone(), basic).await;
        assert_eq!(answer.error(), error, "{fields:?}");
        if error == "invalid_client" {
            assert_eq!(answer.status, 401);
            assert!(
                answer.headers[header::WWW_AUTHENTICATE]
                    .to_str()
                    .unwrap()
                    .starts_with("Basic")
            );
        }
    }
    for garbage in ["Basic", "Basic !!!", "Bearer x", "Basic bm9jb2xvbg==", "Basic /////w=="] {
        let request = Request::post("/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, garbage)
            .body(Body::from("grant_type=client_credentials"));
        assert_eq!(site.ask(request.unwrap()).await.error(), "invalid_client", "{garbage}");
    }
}

/// While a secret is rotated, the old one stays valid until the overlap ends.
#[tokio::test(flavor = "multi_thread")]
async fn old_client_secret_valid_until_overlap_ends() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let new = site.store.rotate_client("Hue-S", 3600, "test").await.unwrap();
    let new = Rp {
        id: new.id.0,
        secret: new.secret.unwrap(),
    };
    assert_eq!(rp.refresh(&site, "x").await.error(), "invalid_grant");
    assert_eq!(new.refresh(&site, "x").await.error(), "invalid_grant");
    site.move_on(3601);
    assert_eq!(rp.refresh(&site, "x").await.error(), "invalid_client");
    assert_eq!(new.refresh(&site, "x").await.error(), "invalid_grant");
}

/// Malformed, oversized and repeated parameters are refused at every endpoint.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_oversized_or_repeated_parameters_are_refused() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let basic = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("{}:{}", rp.id, rp.secret),
    );
    for path in ["/token", "/introspect", "/revoke", "/par"] {
        for (kind, body) in [
            (
                "application/json",
                json!({"grant_type": "client_credentials"}).to_string(),
            ),
            ("", "grant_type=client_credentials".into()),
            (
                "application/x-www-form-urlencoded",
                "token=a&token=b&grant_type=x&grant_type=y".into(),
            ),
            ("application/x-www-form-urlencoded", String::new()),
            ("application/x-www-form-urlencoded", "%%%&&&===%00".into()),
        ] {
            let request = Request::post(path)
                .header(header::CONTENT_TYPE, kind)
                .header(header::AUTHORIZATION, format!("Basic {basic}"))
                .body(Body::from(body.clone()));
            let answer = site.ask(request.unwrap()).await;
            assert_eq!(answer.status, 400, "{path} {kind} {body}: {}", answer.text);
            assert_eq!(answer.error(), "invalid_request", "{path} {kind} {body}");
        }
        let huge = site.form_to(path, Some(&rp), &[("token", &"x".repeat(20_000))]).await;
        assert_eq!(huge.status, 413, "{path}");
        let other = site
            .form_to(path, Some(&rp), &[("token", "x"), ("token_type_hint", "nonsense")])
            .await;
        assert!(other.status == 200 || other.status == 400, "{path}");
    }
    let unknown = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code")];
    assert_eq!(
        site.form_to("/token", Some(&rp), &unknown).await.error(),
        "unsupported_grant_type"
    );
    let password = [
        ("grant_type", "password"),
        ("username", "canbo001"),
        ("password", "Hue-CV001"),
    ];
    assert_eq!(
        site.form_to("/token", Some(&rp), &password).await.error(),
        "unsupported_grant_type"
    );
}

/// A logout leads to registered URIs only, and a link without a valid hint signs nobody out without their consent.
#[tokio::test(flavor = "multi_thread")]
async fn logout_redirects_to_registered_uris_and_needs_consent() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let tokens = rp.tokens(&site, &cookie, &[]).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let out = "https%3A%2F%2Fhues.example%2Fout";
    for bad in [
        format!(
            "client_id={}&post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F",
            rp.id
        ),
        format!("client_id={}&post_logout_redirect_uri={out}%2F", rp.id),
        format!("post_logout_redirect_uri={out}"),
        format!("client_id=other&post_logout_redirect_uri={out}"),
        format!("client_id=other&id_token_hint={hint}"),
    ] {
        let page = site.get(&format!("/end-session?{bad}"), &cookie).await;
        assert!(page.status == 400 && !page.headers.contains_key("location"), "{bad}");
    }
    let asked = site
        .get(
            &format!(
                "/end-session?client_id={}&post_logout_redirect_uri={out}&state=s",
                rp.id
            ),
            &cookie,
        )
        .await;
    assert!(
        asked.says("sign-out-title") && site.visit(&cookie).await.is_some(),
        "the owner is asked"
    );
    let request = format!(
        "client_id={}&post_logout_redirect_uri=https://hues.example/out&state=s",
        rp.id
    );
    let agreed = site
        .post("/end-session/agreed", &cookie, &[("request", &request)])
        .await;
    assert!(agreed.says("go-on-title") && agreed.text.contains("https://hues.example/out?state=s"));
    assert!(site.visit(&cookie).await.is_none());

    let cookie = site.signed_in("CV001").await;
    let hint = rp.tokens(&site, &cookie, &[]).await["id_token"]
        .as_str()
        .unwrap()
        .to_owned();
    site.move_on(1000);
    let page = site
        .get(
            &format!("/end-session?id_token_hint={hint}&post_logout_redirect_uri={out}&state=s"),
            &cookie,
        )
        .await;
    assert_eq!(
        page.goes_to(),
        "https://hues.example/out?state=s",
        "also by a token whose time is over"
    );
    assert!(site.visit(&cookie).await.is_none());
    let nobody = site.get(&format!("/end-session?id_token_hint={hint}"), "").await;
    assert!(nobody.says("signed-out-title"));
    // A hint that names one account does not sign out another.
    let other = site.signed_in("CV004").await;
    let page = site.get(&format!("/end-session?id_token_hint={hint}"), &other).await;
    assert!(page.says("sign-out-title") && site.visit(&other).await.is_some());
    assert!(page.text.contains("/language/en?to=/end-session%3Fid_token_hint%3D"));
    let request = format!("id_token_hint={hint}");
    let agreed = site.post("/end-session/agreed", &other, &[("request", &request)]).await;
    assert!(agreed.says("signed-out-title") && site.visit(&other).await.is_none());
    assert!(
        !agreed.text.contains("action=\"/sign-out\""),
        "nobody is left to sign out"
    );
}
