//! The delivery of security events, received as a client receives them.

use crate::app::App;
use crate::openid::tests::{claims, hues, site};
use crate::tests::Site;
use crate::workers::notice_delivery::{Deliveries, PATIENCE, Speed, deliver, sender};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ngomon_rules::client::{ClientFault, ClientId};
use serde_json::Value;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// A client's endpoint: the events it received, and how it responds.
#[derive(Clone, Default)]
pub struct Receiver {
    got: Arc<Mutex<Vec<(String, String)>>>,
    /// The status of the response. With 0 it never responds.
    status: Arc<AtomicU16>,
    more: Arc<Notify>,
    /// The number of deliveries in progress, and the maximum of it.
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    /// It responds once this many deliveries are in progress at once.
    together: Arc<AtomicUsize>,
}

impl Receiver {
    /// Waits until `n` events were received.
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
    /// Waits until `n` deliveries are in progress at once, or were.
    async fn are_together(&self, n: usize) {
        loop {
            let more = self.more.notified();
            if self.most.load(Ordering::SeqCst) >= n {
                return;
            }
            more.await;
        }
    }

    /// Content types and tokens, in order.
    pub fn got(&self) -> Vec<(String, String)> {
        self.got.lock().unwrap().clone()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let kind = headers["content-type"].to_str().unwrap().to_owned();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let token = text.strip_prefix("logout_token=").unwrap_or(&text).to_owned();
    let now = receiver.now.fetch_add(1, Ordering::SeqCst) + 1;
    receiver.most.fetch_max(now, Ordering::SeqCst);
    receiver.more.notify_waiters();
    let taken = receiver.got.lock().unwrap().len();
    receiver
        .are_together(receiver.together.load(Ordering::SeqCst).min(taken))
        .await;
    receiver.now.fetch_sub(1, Ordering::SeqCst);
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

/// A client's server, and its address.
pub async fn receiver() -> (Receiver, String) {
    let receiver = Receiver::default();
    receiver.status.store(200, Ordering::SeqCst);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/{*any}", post(take)).with_state(receiver.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (receiver, address)
}

/// A hold and its end are delivered as soon as the client accepts events again.
#[tokio::test(flavor = "multi_thread")]
async fn hold_and_lift_delivered_once_client_recovers() {
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
        sender(false, PATIENCE).unwrap(),
        ClientId(rp.id.clone()),
    );

    receiver.status.store(503, Ordering::SeqCst);
    site.hold("CV001").await;
    assert_eq!(deliver(&app, &sender, &client, &mut Speed::initial()).await.unwrap(), 4);
    assert_eq!(
        deliver(&app, &sender, &client, &mut Speed::initial()).await.unwrap(),
        0,
        "not before its time"
    );
    let line = &site.store.notices(10).await.unwrap();
    assert!(line.iter().all(|one| one.waits && one.taken.is_none()));
    assert_eq!(line.last().unwrap().fault, "answered 503");
    receiver.status.store(200, Ordering::SeqCst);
    site.move_on(1);
    site.lift("CV001").await;
    // A new event makes waiting ones due, and is delivered after them.
    while deliver(&app, &sender, &client, &mut Speed::initial()).await.unwrap() > 0 {}
    let got = receiver.got();
    let events: Vec<(String, Value)> = got
        .iter()
        .map(|(_, token)| {
            let body = claims(token);
            let event = body["events"].as_object().unwrap().keys().next().unwrap().clone();
            (event.rsplit('/').next().unwrap().to_owned(), body)
        })
        .collect();
    let mut names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.pop(), Some("account-enabled"), "after what it ends");
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "account-disabled",
            "backchannel-logout",
            "backchannel-logout",
            "session-revoked"
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
    deliver(&app, &sender, &client, &mut Speed::initial()).await.unwrap();
    assert_eq!(receiver.got().len(), 6, "told again");
}

/// A client that does not respond delays no other client.
#[tokio::test(flavor = "multi_thread")]
async fn silent_client_does_not_delay_other_clients() {
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
    Deliveries::new(false).unwrap().begin(&app).await.unwrap();
    // Two for each account, in order: one for the account and one for its session.
    healthy.0.has_taken(2 * accounts.len()).await;
    let lines = site.store.notices(99).await.unwrap();
    let to_silent = lines.iter().filter(|line| line.client == "silent");
    let to_silent: Vec<_> = to_silent.map(|line| (line.waits, line.tries)).collect();
    assert_eq!(to_silent, [(true, 0); 6], "still in the middle of its first try");
}

/// A delivery is given up after twelve tries, and URIs of the internal network are refused.
#[tokio::test(flavor = "multi_thread")]
async fn delivery_given_up_after_12_tries_and_internal_uris_refused() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let site = site().await;
    let mut client = hues();
    for secrets in [
        "https://169.254.169.254/latest",
        "https://[fd00:ec2::254]/latest",
        "https://[::ffff:169.254.169.254]/latest",
        "https://2852039166/latest",
        "https://10.0.0.1/",
    ] {
        for told in [false, true] {
            let mut client = hues();
            let uri = if told {
                &mut client.backchannel_logout_uri
            } else {
                &mut client.events_uri
            };
            *uri = Some(secrets.into());
            assert_eq!(client.check(), Err(ClientFault::Uri(secrets.into())));
            assert!(site.store.add_client(client, "test").await.is_err());
        }
    }
    // Nothing listens on this port.
    client.backchannel_logout_uri = Some("http://127.0.0.1:9/latest".into());
    let rp = site.rp(client).await;
    let cookie = site.signed_in("CV001").await;
    rp.tokens(&site, &cookie, &[]).await;
    site.post("/sign-out", &cookie, &[]).await;
    let (app, sender, client) = (
        App::new(site.store.clone(), false),
        sender(false, PATIENCE).unwrap(),
        ClientId(rp.id.clone()),
    );
    for _ in 0..12 {
        assert_eq!(deliver(&app, &sender, &client, &mut Speed::initial()).await.unwrap(), 1);
        site.move_on(5000);
    }
    assert_eq!(deliver(&app, &sender, &client, &mut Speed::initial()).await.unwrap(), 0);
    let line = site.store.notices(1).await.unwrap().pop().unwrap();
    assert!(!line.waits && line.taken.is_none() && line.tries == 12);
    assert!(!line.fault.is_empty(), "why it was not told");
}

/// A site whose official has many sessions at a client, all of which were ended.
async fn many_to_tell(address: &str, n: usize) -> (Site, App, ClientId) {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let site = site().await;
    let mut client = hues();
    client.backchannel_logout_uri = Some(format!("{address}/logout"));
    let rp = site.rp(client).await;
    for _ in 0..n {
        let cookie = site.signed_in("CV001").await;
        rp.tokens(&site, &cookie, &[]).await;
        site.post("/sign-out", &cookie, &[]).await;
    }
    let app = App::new(site.store.clone(), false);
    (site, app, ClientId(rp.id))
}

/// A responsive client gets several deliveries at once, an unresponsive one a single one.
#[tokio::test(flavor = "multi_thread")]
async fn deliveries_run_in_parallel_only_to_responsive_client() {
    let (receiver, address) = receiver().await;
    let (site, app, client) = many_to_tell(&address, 12).await;
    receiver.together.store(4, Ordering::SeqCst);
    let quick = sender(false, PATIENCE).unwrap();
    let mut speed = Speed {
        max_width: 4,
        slow: PATIENCE,
        ..Speed::initial()
    };
    assert_eq!(deliver(&app, &quick, &client, &mut speed).await.unwrap(), 12);
    assert_eq!(receiver.got().len(), 12);
    assert_eq!(receiver.most.load(Ordering::SeqCst), 4, "and never more");

    // The client no longer responds: however many deliveries ran at once before, now there is one.
    for notice in site.store.notices(99).await.unwrap() {
        site.store.resend_notice(&notice.id, "op").await.unwrap();
    }
    receiver.status.store(0, Ordering::SeqCst);
    let hasty = sender(false, std::time::Duration::from_millis(50)).unwrap();
    deliver(&app, &hasty, &client, &mut Speed::initial()).await.unwrap();
    receiver.most.store(0, Ordering::SeqCst);
    let lines = site.store.notices(99).await.unwrap();
    assert!(
        lines.iter().all(|line| line.waits && line.fault == "timeout"),
        "{lines:?}"
    );
    site.move_on(3);
    let mut speed = Speed {
        width: 9,
        ..Speed::initial()
    };
    deliver(&app, &hasty, &client, &mut speed).await.unwrap();
    assert_eq!(speed.width, 1);
}

/// At the end of a round, other deliveries may be due that come before the rest.
#[tokio::test(flavor = "multi_thread")]
async fn round_over_its_time_starts_only_first_delivery() {
    let (receiver, address) = receiver().await;
    let (site, app, client) = many_to_tell(&address, 3).await;
    let sender = sender(false, PATIENCE).unwrap();
    let mut speed = Speed {
        width: 9,
        round: std::time::Duration::ZERO,
        ..Speed::initial()
    };
    for (due, taken) in [(3, 1), (2, 2), (1, 3), (0, 3)] {
        assert_eq!(deliver(&app, &sender, &client, &mut speed).await.unwrap(), due);
        assert_eq!(receiver.got().len(), taken);
        let lines = site.store.notices(9).await.unwrap();
        let tries: Vec<i64> = lines.iter().map(|line| line.tries).collect();
        assert_eq!(tries.iter().sum::<i64>(), i64::try_from(taken).unwrap(), "{tries:?}");
    }
}

/// A delivery is tried again if the client could not accept it, and not if the client refused it.
#[tokio::test(flavor = "multi_thread")]
async fn delivery_retried_after_503_and_not_after_400() {
    let (receiver, address) = receiver().await;
    let (site, app, client) = many_to_tell(&address, 2).await;
    let sender = sender(false, PATIENCE).unwrap();
    for (status, waits) in [(503, true), (400, false)] {
        receiver.status.store(status, Ordering::SeqCst);
        site.move_on(10);
        assert_eq!(deliver(&app, &sender, &client, &mut Speed::initial()).await.unwrap(), 2);
        let lines = site.store.notices(9).await.unwrap();
        assert!(lines.iter().all(|line| line.waits == waits), "{status}");
        assert_eq!(lines[0].fault, format!("answered {status}"));
    }
    site.move_on(9999);
    assert_eq!(deliver(&app, &sender, &client, &mut Speed::initial()).await.unwrap(), 0);
}

/// A TLS server with a certificate that no authority signed.
fn behind_its_own_certificate() -> std::net::SocketAddr {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let pem = |name: &str| {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/tls")
            .join(name)
    };
    let chain = vec![CertificateDer::from_pem_file(pem("cert.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(pem("key.pem")).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(chain, key).unwrap());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, config) = (stream.unwrap(), config.clone());
            let mut connection = rustls::ServerConnection::new(config).unwrap();
            // The client closes the connection in the middle.
            drop(connection.complete_io(&mut stream));
        }
    });
    at
}

/// The reason of a failed delivery is shown in both languages.
#[tokio::test(flavor = "multi_thread")]
async fn delivery_failure_reason_shown_in_both_languages() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let (silent, plain) = receiver().await;
    silent.status.store(0, Ordering::SeqCst);
    // A port where nothing listens any longer.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let tls = behind_its_own_certificate().port();
    let hasty = sender(false, std::time::Duration::from_millis(500)).unwrap();
    for (address, fault, said) in [
        (format!("http://{closed}"), "refused", "notice-fault-refused"),
        (plain, "timeout", "notice-fault-timeout"),
        (
            format!("https://localhost:{tls}"),
            "certificate: ",
            "notice-fault-certificate",
        ),
        ("https://nowhere.invalid".to_owned(), "name", "notice-fault-name"),
    ] {
        let (site, app, client) = many_to_tell(&address, 1).await;
        deliver(&app, &hasty, &client, &mut Speed::initial()).await.unwrap();
        let line = site.store.notices(1).await.unwrap().remove(0);
        assert!(line.fault.starts_with(fault), "{address}: {}", line.fault);
        for tag in ["vi", "en"] {
            let locale = crate::i18n::Locale::of_tag(tag).unwrap();
            let text = crate::i18n::notice_fault(locale, &line.fault);
            let why = line.fault.split_once(": ").map_or("", |(_, why)| why);
            assert_eq!(text, locale.text_with(said, &[("why", why)]));
        }
    }
}
