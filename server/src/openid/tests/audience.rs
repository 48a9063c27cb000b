//! Resource servers (RFC 8707): a client calls a service with an access token issued for it. Only that service and the client itself may
//! introspect the token, and no other service accepts it.

use crate::openid::tests::{CALLBACK, CHALLENGE, Rp, VERIFIER, claims, hues, site};
use crate::tests::{Site, TestResponse};
use ngomon_rules::client::{Authentication, Client, SubjectKind};
use serde_json::{Value, json};

const STORE: &str = "https://kho.example/api";
const OTHER: &str = "https://khac.example/";

/// A service through which nobody signs in.
fn service(name: &str, resources: &[&str]) -> Client {
    let mut client = Client::new(name, Vec::new());
    client.resources = resources.iter().map(|&uri| uri.to_owned()).collect();
    client
}

/// A client and two services.
async fn three(site: &Site) -> [Rp; 3] {
    let mut asks = hues();
    (asks.subjects, asks.client_credentials) = (SubjectKind::Pairwise, true);
    [
        site.rp(asks).await,
        site.rp(service("Kho", &["https://kho.example/old", STORE])).await,
        site.rp(service("Khác", &[OTHER])).await,
    ]
}

fn part<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

async fn told(site: &Site, rp: &Rp, token: &str) -> Value {
    site.form_to("/introspect", Some(rp), &[("token", token)]).await.json()
}

/// Redeems a code or a refresh token, once more with the resource parameter.
async fn asked(site: &Site, rp: &Rp, token: &str, resource: &str) -> TestResponse {
    let kind = if token.starts_with("ngc_") {
        "authorization_code"
    } else {
        "refresh_token"
    };
    let fields = [
        ("grant_type", kind),
        ("code", token),
        ("refresh_token", token),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("resource", resource),
    ];
    site.form_to("/token", Some(rp), &fields).await
}

async fn itself(site: &Site, rp: &Rp, resource: &str) -> TestResponse {
    let fields = [("grant_type", "client_credentials"), ("resource", resource)];
    site.form_to("/token", Some(rp), &fields).await
}

/// Only the resource server of a token and the client itself can introspect it.
#[tokio::test(flavor = "multi_thread")]
async fn token_introspected_by_its_resource_server_only() {
    let site = site().await;
    let [rp, store, other] = three(&site).await;
    let cookie = site.signed_in("CV001").await;
    let tokens = rp.tokens(&site, &cookie, &[("resource", STORE)]).await;
    let sub = claims(part(&tokens, "id_token"))["sub"].clone();
    for tokens in [&tokens, &rp.refresh(&site, part(&tokens, "refresh_token")).await.json()] {
        let access = part(tokens, "access_token");
        let by_service = told(&site, &store, access).await;
        let stated = json!({"active": true, "iss": "http://localhost", "client_id": rp.id, "aud": STORE, "sub": sub,
            "scope": "openid profile", "token_type": "Bearer"});
        for (name, value) in stated.as_object().unwrap() {
            assert_eq!(&by_service[name], value, "{name}");
        }
        assert!(by_service.get("sid").is_none(), "a session that it does not know");
        let mut by_own = told(&site, &rp, access).await;
        assert!(by_own.as_object_mut().unwrap().remove("sid").is_some());
        assert_eq!(by_own, by_service);
        assert_eq!(told(&site, &other, access).await, json!({"active": false}));
        let refused = site.userinfo(access).await;
        assert_eq!(
            (refused.status.as_u16(), refused.error().as_str()),
            (401, "invalid_token")
        );
    }
    let refresh = part(&tokens, "refresh_token");
    assert_eq!(told(&site, &store, refresh).await, json!({"active": false}));

    // Without a resource nothing changes.
    let plain = rp.tokens(&site, &cookie, &[]).await;
    let access = part(&plain, "access_token");
    let by_own = told(&site, &rp, access).await;
    assert_eq!((&by_own["aud"], &by_own["client_id"]), (&json!(rp.id), &json!(rp.id)));
    assert_eq!(told(&site, &store, access).await, json!({"active": false}));
    assert_eq!(site.userinfo(access).await.status, 200);
    site.sound().await;
}

/// An unknown resource, a disabled one or a second one is `invalid_target`.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_disabled_or_second_resource_is_invalid_target() {
    let site = site().await;
    let [rp, _, _] = three(&site).await;
    let cookie = site.signed_in("CV001").await;
    site.store.disable_client("Khác", "test").await.unwrap();
    let pushed = |resource: &'static str| {
        let (site, rp) = (&site, &rp);
        async move {
            let fields = [
                ("response_type", "code"),
                ("scope", "openid"),
                ("redirect_uri", CALLBACK),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
                ("resource", resource),
            ];
            site.form_to("/par", Some(rp), &fields).await
        }
    };
    for wrong in [
        OTHER,
        "https://kho.example/api/",
        "https://kho.example/API",
        "kho",
        "Kho",
    ] {
        for ctx in [cookie.as_str(), ""] {
            let page = site.get(&rp.request(&[("resource", wrong)]), ctx).await;
            assert_eq!(page.sent("error").as_deref(), Some("invalid_target"), "{wrong}");
            assert_eq!(page.sent("state").as_deref(), Some("st"));
        }
        assert_eq!(pushed(wrong).await.error(), "invalid_target", "{wrong}");
        assert_eq!(itself(&site, &rp, wrong).await.error(), "invalid_target", "{wrong}");
    }
    let twice = format!("{}&resource={STORE}&resource={STORE}", rp.request(&[]));
    let page = site.get(&twice, &cookie).await;
    assert_eq!(page.sent("error").as_deref(), Some("invalid_target"));
    let fields = [
        ("grant_type", "client_credentials"),
        ("resource", STORE),
        ("resource", OTHER),
    ];
    assert_eq!(
        site.form_to("/token", Some(&rp), &fields).await.error(),
        "invalid_target"
    );

    // The right one, pushed.
    let handle = pushed(STORE).await.json();
    let by_handle = format!(
        "/authorize?client_id={}&request_uri={}",
        rp.id,
        part(&handle, "request_uri")
    );
    let code = site.get(&by_handle, &cookie).await.sent("code").unwrap();
    let tokens = asked(&site, &rp, &code, STORE).await.json();
    assert_eq!(told(&site, &rp, part(&tokens, "access_token")).await["aud"], STORE);
}

/// A code and a refresh token are valid for the granted resource only.
#[tokio::test(flavor = "multi_thread")]
async fn code_and_refresh_token_limited_to_granted_resource() {
    let site = site().await;
    let [rp, store, _] = three(&site).await;
    let cookie = site.signed_in("CV001").await;
    let code = rp.code(&site, &cookie, &[("resource", STORE)]).await;
    for wrong in [OTHER, "https://kho.example/old", "https://nowhere.example/"] {
        assert_eq!(
            asked(&site, &rp, &code, wrong).await.error(),
            "invalid_target",
            "{wrong}"
        );
    }
    // The errors spent nothing.
    let mut tokens = asked(&site, &rp, &code, "").await.json();
    for resource in [STORE, ""] {
        let refresh = part(&tokens, "refresh_token").to_owned();
        assert_eq!(asked(&site, &rp, &refresh, OTHER).await.error(), "invalid_target");
        tokens = asked(&site, &rp, &refresh, resource).await.json();
        assert_eq!(told(&site, &store, part(&tokens, "access_token")).await["aud"], STORE);
    }
    // A grant without a resource gets none later.
    let plain = rp.code(&site, &cookie, &[]).await;
    assert_eq!(asked(&site, &rp, &plain, STORE).await.error(), "invalid_target");
    let plain = asked(&site, &rp, &plain, "").await.json();
    let refresh = part(&plain, "refresh_token");
    assert_eq!(asked(&site, &rp, refresh, STORE).await.error(), "invalid_target");
    assert_eq!(rp.refresh(&site, refresh).await.status, 200);
    // A replayed code revokes the tokens issued for it, whatever resource the replay names.
    assert_eq!(asked(&site, &rp, &code, OTHER).await.error(), "invalid_grant");
    assert!(!site.is_active(&store, part(&tokens, "access_token")).await);
}

/// A token by client credentials is introspected by the service it was issued for.
#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_token_for_resource_is_introspected() {
    let site = site().await;
    let [rp, store, other] = three(&site).await;
    let tokens = itself(&site, &rp, STORE).await.json();
    let access = part(&tokens, "access_token");
    let by_service = told(&site, &store, access).await;
    assert_eq!(
        [&by_service["aud"], &by_service["client_id"], &by_service["sub"]],
        [&json!(STORE), &json!(rp.id), &json!(rp.id)]
    );
    assert!(site.is_active(&rp, access).await && !site.is_active(&other, access).await);
    assert_eq!(site.userinfo(access).await.status, 401);
    // The service cannot revoke a token of another client.
    assert_eq!(
        site.form_to("/revoke", Some(&store), &[("token", access)]).await.status,
        200
    );
    assert!(site.is_active(&store, access).await);
    site.form_to("/revoke", Some(&rp), &[("token", access)]).await;
    assert!(!site.is_active(&store, access).await);
    let late = itself(&site, &rp, STORE).await.json();
    site.move_on(601);
    assert!(!site.is_active(&store, part(&late, "access_token")).await);
}

/// A hold, or disabling the client or the service, ends the token at once, and nothing revives it.
#[tokio::test(flavor = "multi_thread")]
async fn hold_or_disabled_client_ends_resource_token_for_good() {
    let site = site().await;
    let [rp, store, _] = three(&site).await;
    let first = site.signed_in("CV001").await;
    let held = rp.tokens(&site, &first, &[("resource", STORE)]).await;
    assert!(site.is_active(&store, part(&held, "access_token")).await);
    site.hold("CV001").await;
    assert!(!site.is_active(&store, part(&held, "access_token")).await);
    site.lift("CV001").await;
    assert!(!site.is_active(&store, part(&held, "access_token")).await);

    // The service is disabled: the token is no longer active, and no further token is issued.
    let cookie = site.signed_in("CV002").await;
    let tokens = rp.tokens(&site, &cookie, &[("resource", STORE)]).await;
    let (access, refresh) = (part(&tokens, "access_token"), part(&tokens, "refresh_token"));
    let own = itself(&site, &rp, STORE).await.json();
    let code = rp.code(&site, &cookie, &[("resource", STORE)]).await;
    site.store.disable_client("Kho", "test").await.unwrap();
    let asking = site.form_to("/introspect", Some(&store), &[("token", access)]).await;
    assert_eq!(asking.error(), "invalid_client");
    for token in [access, part(&own, "access_token")] {
        assert!(!site.is_active(&rp, token).await);
    }
    for token in [&code, refresh] {
        assert_eq!(asked(&site, &rp, token, "").await.error(), "invalid_target");
    }
    assert!(site.is_active(&rp, refresh).await, "it is the asking system's own");
    site.store.enable_client("Kho", "test").await.unwrap();
    for token in [access, part(&own, "access_token")] {
        assert!(!site.is_active(&store, token).await && !site.is_active(&rp, token).await);
    }
    let next = asked(&site, &rp, refresh, "").await.json();
    let access = part(&next, "access_token");
    assert!(site.is_active(&store, access).await);

    // The client is disabled.
    site.store.disable_client("Hue-S", "test").await.unwrap();
    assert!(!site.is_active(&store, access).await);
    site.store.enable_client("Hue-S", "test").await.unwrap();
    assert!(!site.is_active(&store, access).await);

    // The service is removed and another client gets its URI: tokens for the first service are not valid at the second.
    let cookie = site.signed_in("CV002").await;
    let tokens = rp.tokens(&site, &cookie, &[("resource", STORE)]).await;
    site.store.remove_client("Kho", "test").await.unwrap();
    let heir = site.rp(service("Kho mới", &[STORE])).await;
    assert!(!site.is_active(&heir, part(&tokens, "access_token")).await);
    let next = rp.refresh(&site, part(&tokens, "refresh_token")).await.json();
    assert!(site.is_active(&heir, part(&next, "access_token")).await);
    site.sound().await;
}

/// A resource belongs to one client, which must be able to authenticate.
#[tokio::test(flavor = "multi_thread")]
async fn resource_belongs_to_one_confidential_client() {
    let site = site().await;
    three(&site).await;
    let before = site.store.clients().await.unwrap().len();
    let mut public = service("Máy", &["https://may.example/"]);
    public.authentication = Authentication::None;
    for bad in [
        service("Hai", &["https://hai.example/", STORE]),
        service("Hai", &["http://hai.example/"]),
        service("Hai", &["https://hai.example/#a"]),
        public,
    ] {
        assert!(site.store.add_client(bad, "test").await.is_err());
    }
    assert_eq!(site.store.clients().await.unwrap().len(), before);
    site.store.remove_client("Kho", "test").await.unwrap();
    site.rp(service("Hai", &[STORE])).await;
    site.sound().await;
}
