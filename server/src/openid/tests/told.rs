//! What clients are told, received as a client receives it.

use super::{claims, hues, site};
use crate::openid::deliver::{Deliveries, deliver, sender};
use crate::web::App;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ngomon_rules::client::ClientId;
use serde_json::Value;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// What a client got, and what it answers.
#[derive(Clone, Default)]
pub struct Receiver {
    got: Arc<Mutex<Vec<(String, String)>>>,
    /// 0: it never answers.
    status: Arc<AtomicU16>,
    more: Arc<Notify>,
}

impl Receiver {
    /// Waits until so many were taken.
    async fn has_taken(&self, n: usize) {
        loop {
            let more = self.more.notified();
            if self.got.lock().unwrap().len() >= n {
                return;
            }
            more.await;
        }
    }
}

impl Receiver {
    /// Content types and tokens, in order.
    pub fn got(&self) -> Vec<(String, String)> {
        self.got.lock().unwrap().clone()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let kind = headers["content-type"].to_str().unwrap().to_owned();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let token = text.strip_prefix("logout_token=").unwrap_or(&text).to_owned();
    let status = receiver.status.load(Ordering::SeqCst);
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let status = StatusCode::from_u16(status).unwrap();
    if status.is_success() {
        receiver.got.lock().unwrap().push((kind, token));
        receiver.more.notify_waiters();
    }
    status
}

/// A client's own server, and its address.
pub async fn receiver() -> (Receiver, String) {
    let receiver = Receiver::default();
    receiver.status.store(200, Ordering::SeqCst);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/{*any}", post(take)).with_state(receiver.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (receiver, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_and_its_end_reach_the_client_once_it_listens_again() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let site = site().await;
    let (receiver, address) = receiver().await;
    let mut client = hues();
    client.backchannel_logout_uri = Some(format!("{address}/logout"));
    client.events_uri = Some(format!("{address}/events"));
    let rp = site.rp(client).await;
    let cookie = site.signed_in("CV001").await;
    let tokens = rp.tokens(&site, &cookie, &[]).await;
    let sub = claims(tokens["id_token"].as_str().unwrap())["sub"].clone();
    let (app, sender, client) = (
        App::new(site.store.clone(), false),
        sender().unwrap(),
        ClientId(rp.id.clone()),
    );

    receiver.status.store(503, Ordering::SeqCst);
    site.hold("CV001").await;
    assert_eq!(
        deliver(&app, &sender, &client).await.unwrap(),
        1,
        "in order: one at a time of an account"
    );
    assert_eq!(deliver(&app, &sender, &client).await.unwrap(), 0, "not before its time");
    let line = &site.store.notices(10).await.unwrap();
    assert!(line.iter().all(|one| one.waits && one.taken.is_none()));
    assert_eq!(line.last().unwrap().fault, "answered 503");
    receiver.status.store(200, Ordering::SeqCst);
    site.lift("CV001").await;
    site.move_on(10);
    while deliver(&app, &sender, &client).await.unwrap() > 0 {}
    let got = receiver.got();
    let events: Vec<(String, Value)> = got
        .iter()
        .map(|(_, token)| {
            let body = claims(token);
            let event = body["events"].as_object().unwrap().keys().next().unwrap().clone();
            (event.rsplit('/').next().unwrap().to_owned(), body)
        })
        .collect();
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "backchannel-logout",
            "backchannel-logout",
            "session-revoked",
            "account-disabled",
            "account-enabled"
        ]
    );
    for ((kind, token), (name, body)) in got.iter().zip(&events) {
        let header = jsonwebtoken::decode_header(token).unwrap();
        let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&site.get("/jwks", "").await.text).unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&header.kid.clone().unwrap()).unwrap()).unwrap();
        let mut validation = jsonwebtoken::Validation::new(header.alg);
        validation.set_audience(&[&rp.id]);
        validation.set_issuer(&["http://localhost"]);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap();
        assert!(body.get("nonce").is_none() && body["jti"].is_string());
        if name == "backchannel-logout" {
            assert_eq!(
                (header.typ.as_deref(), kind.as_str()),
                (Some("logout+jwt"), "application/x-www-form-urlencoded")
            );
            assert_eq!(body["sub"], sub);
        } else {
            assert_eq!(
                (header.typ.as_deref(), kind.as_str()),
                (Some("secevent+jwt"), "application/secevent+jwt")
            );
            assert_eq!(body["sub_id"]["sub"], sub);
            assert!(
                body.get("sub").is_none() && body.get("exp").is_none(),
                "RFC 8417, 2.2 and 3"
            );
        }
    }
    assert!(
        site.store
            .notices(10)
            .await
            .unwrap()
            .iter()
            .all(|one| one.taken.is_some())
    );
    let first = site.store.notices(10).await.unwrap().pop().unwrap().id;
    for (notice, there) in [(first.as_str(), true), ("none", false)] {
        assert_eq!(site.store.resend_notice(notice, "op").await.unwrap(), there);
    }
    deliver(&app, &sender, &client).await.unwrap();
    assert_eq!(receiver.got().len(), 6, "told again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_answer_holds_up_nobody_else() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let site = site().await;
    let (silent, healthy) = (receiver().await, receiver().await);
    silent.0.status.store(0, Ordering::SeqCst);
    let mut rps = Vec::new();
    for (name, (_, address)) in [("silent", &silent), ("healthy", &healthy)] {
        let mut client = hues();
        (client.name, client.backchannel_logout_uri) = (name.into(), Some(format!("{address}/logout")));
        rps.push(site.rp(client).await);
    }
    let accounts = ["CV001", "CV002", "CV003"];
    for account in accounts {
        let cookie = site.signed_in(account).await;
        for rp in &rps {
            rp.tokens(&site, &cookie, &[]).await;
        }
        site.hold(account).await;
    }
    let app = App::new(site.store.clone(), false);
    Deliveries::new().unwrap().begin(&app).await.unwrap();
    // Of each account two, one after the other: of the account, and of its session.
    healthy.0.has_taken(2 * accounts.len()).await;
    let lines = site.store.notices(99).await.unwrap();
    let to_silent = lines.iter().filter(|line| line.client == "silent");
    let to_silent: Vec<_> = to_silent.map(|line| (line.waits, line.tries)).collect();
    assert_eq!(to_silent, [(true, 0); 6], "still in the middle of its first try");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_given_up_after_twelve_tries_and_a_machines_own_secrets_are_never_asked() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let site = site().await;
    let mut client = hues();
    client.backchannel_logout_uri = Some("https://169.254.169.254/latest".into());
    let rp = site.rp(client).await;
    let cookie = site.signed_in("CV001").await;
    rp.tokens(&site, &cookie, &[]).await;
    site.post("/sign-out", &cookie, &[]).await;
    let (app, sender, client) = (
        App::new(site.store.clone(), false),
        sender().unwrap(),
        ClientId(rp.id.clone()),
    );
    for _ in 0..12 {
        assert_eq!(deliver(&app, &sender, &client).await.unwrap(), 1);
        site.move_on(5000);
    }
    assert_eq!(deliver(&app, &sender, &client).await.unwrap(), 0);
    let line = site.store.notices(1).await.unwrap().pop().unwrap();
    assert!(!line.waits && line.taken.is_none() && line.tries == 12);
    assert_eq!(line.fault, "an address that is never a client's");
}
