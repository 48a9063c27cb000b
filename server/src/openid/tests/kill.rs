//! "A new hold ends what is open: sessions, refresh tokens and access tokens of the account stop working": at the next request, without
//! delay. Lifting the hold revives nothing.

use crate::openid::tests::{hues, site};
use ngomon_rules::client::ClientId;
use ngomon_rules::records::AccountId;

/// A hold ends session, code, refresh and access token at once, and lifting it revives none of them.
#[tokio::test(flavor = "multi_thread")]
async fn hold_ends_session_code_and_tokens_and_lift_revives_none() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let tokens = rp.tokens(&site, &cookie, &[]).await;
    let offline = rp.tokens(&site, &cookie, &[("scope", "openid offline_access")]).await;
    let code = rp.code(&site, &cookie, &[]).await;
    let before = site.store.notices(10).await.unwrap().len();
    site.hold("CV001").await;
    for lifted in [false, true] {
        if lifted {
            site.lift("CV001").await;
        }
        for given in [&tokens, &offline] {
            let (access, refresh) = (
                given["access_token"].as_str().unwrap(),
                given["refresh_token"].as_str().unwrap(),
            );
            assert!(
                !site.is_active(&rp, access).await && !site.is_active(&rp, refresh).await,
                "{lifted}"
            );
            assert_eq!(site.userinfo(access).await.status, 401);
            assert_eq!(rp.refresh(&site, refresh).await.error(), "invalid_grant");
        }
        assert_eq!(rp.redeem(&site, &code).await.error(), "invalid_grant");
        let silent = site.get(&rp.request(&[("prompt", "none")]), &cookie).await;
        assert_eq!(silent.sent("error").unwrap(), "login_required");
    }
    let told = site.store.notices(10).await.unwrap();
    let kinds: Vec<&str> = told[..told.len() - before]
        .iter()
        .map(|one| one.kind.as_str())
        .collect();
    // One for the account and one for its session by `sid`.
    assert_eq!(kinds, ["logout"; 2]);
    site.sound().await;
}

/// A held owner gets the held visit, and the client gets no code.
#[tokio::test(flavor = "multi_thread")]
async fn held_account_gets_held_visit_and_client_gets_no_code() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    site.hold("CV001").await;
    let held = site.signed_in("CV001").await;
    assert_eq!(site.get(&rp.request(&[]), &held).await.goes_to(), "/held");
    let silent = site.get(&rp.request(&[("prompt", "none")]), &held).await;
    assert_eq!(silent.sent("error").unwrap(), "login_required");
    assert!(silent.sent("code").is_none());
}

/// A disabled client is refused at every endpoint, and its tokens stay ended after it is enabled again.
#[tokio::test(flavor = "multi_thread")]
async fn disabled_client_refused_everywhere_and_tokens_stay_ended() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let cookie = site.signed_in("CV001").await;
    let tokens = rp.tokens(&site, &cookie, &[("scope", "openid offline_access")]).await;
    let (access, refresh) = (
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
    );
    let code = rp.code(&site, &cookie, &[]).await;
    let pushed = [
        ("response_type", "code"),
        ("scope", "openid"),
        ("redirect_uri", super::CALLBACK),
        ("code_challenge", super::CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let handle = site.form_to("/par", Some(&rp), &pushed).await.json()["request_uri"]
        .as_str()
        .unwrap()
        .to_owned();
    site.store.disable_client("Hue-S", "test").await.unwrap();
    for path in ["/token", "/introspect", "/revoke", "/par"] {
        let fields = [("token", access), ("grant_type", "client_credentials")];
        assert_eq!(
            site.form_to(path, Some(&rp), &fields).await.error(),
            "invalid_client",
            "{path}"
        );
    }
    assert_eq!(site.userinfo(access).await.status, 401);
    let page = site.get(&rp.request(&[]), &cookie).await;
    assert!(page.status == 400 && page.says("authorize-wrong-title"));
    site.store.enable_client("Hue-S", "test").await.unwrap();
    assert_eq!(rp.redeem(&site, &code).await.error(), "invalid_grant");
    assert_eq!(rp.refresh(&site, refresh).await.error(), "invalid_grant");
    assert_eq!(site.userinfo(access).await.status, 401);
    assert!(
        rp.tokens(&site, &cookie, &[]).await["access_token"].is_string(),
        "new ones are given"
    );
    site.store.remove_client("Hue-S", "test").await.unwrap();
    let by_handle = format!("/authorize?client_id={}&request_uri={handle}", rp.id);
    assert_eq!(site.get(&by_handle, &cookie).await.status, 400);
    assert_eq!(rp.refresh(&site, refresh).await.error(), "invalid_client");
    site.sound().await;
}

/// `mod_auth_openidc` finds a session only by the `sid` of its ID token.
#[tokio::test(flavor = "multi_thread")]
async fn hold_notifies_client_of_account_and_each_session() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let mut known = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let cookie = site.signed_in("CV001").await;
        let tokens = rp.tokens(&site, &cookie, &[]).await;
        let sid = super::claims(tokens["id_token"].as_str().unwrap())["sid"].clone();
        known.insert(sid.as_str().map(str::to_owned));
    }
    site.hold("CV001").await;
    let mut told = Vec::new();
    let due = site.store.due_notices(&ClientId(rp.id.clone()), 10).await.unwrap();
    told.extend(due.into_iter().map(|notice| notice.sid));
    assert_eq!(told.remove(0), None, "the account first");
    assert_eq!(told.len(), 2);
    assert_eq!(told.into_iter().collect::<std::collections::BTreeSet<_>>(), known);
    site.sound().await;
}

/// "a hold on 10,000 accounts" is measured elsewhere; this test shows that no grant is forgotten when one commit holds many accounts.
#[tokio::test(flavor = "multi_thread")]
async fn sign_out_ends_one_session_and_notifies_its_client() {
    let site = site().await;
    let rp = site.rp(hues()).await;
    let (one, two) = (site.signed_in("CV001").await, site.signed_in("CV001").await);
    let [first, second] = [rp.tokens(&site, &one, &[]).await, rp.tokens(&site, &two, &[]).await];
    site.post("/sign-out", &one, &[]).await;
    assert!(!site.is_active(&rp, first["access_token"].as_str().unwrap()).await);
    assert!(site.is_active(&rp, second["access_token"].as_str().unwrap()).await);
    let due = site.store.due_notices(&ClientId(rp.id.clone()), 10).await.unwrap();
    let sid = super::claims(first["id_token"].as_str().unwrap())["sid"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].sid.as_deref(), Some(sid.as_str()));
    assert_eq!(
        site.store.sessions(&AccountId("CV001".into()), "").await.unwrap().len(),
        1
    );
}
