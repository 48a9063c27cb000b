//! The delivery of security events to clients, as logout tokens (OpenID Connect Back-Channel Logout 1.0) and security event tokens (RFC
//! 8417, pushed by RFC 8935; CAEP and RISC of the Shared Signals working group), until the client accepts them.

use crate::app::App;
use axum::http::StatusCode;
use ngomon_rules::client::ClientId;
use ngomon_rules::network::{Network, may_be_sent_to};
use ngomon_store::{Delivery, PendingDelivery, Result, SecurityEventKind};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::error::Error;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, JoinSet};

/// How many pending deliveries of one client a round takes up.
const BATCH: u32 = 500;
/// The timeout of one delivery.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Lifetime of a logout token in seconds.
const GOOD: i64 = 120;

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";
const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const ACCOUNT_DISABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
const ACCOUNT_ENABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-enabled";

/// The speed of deliveries to one client, which follows from the speed of its answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speed {
    /// The number of deliveries that run at once.
    pub(crate) width: usize,
    /// The upper bound of `width`.
    pub(crate) max_width: usize,
    /// A client that takes longer to answer than this is slow.
    pub(crate) slow: Duration,
    /// No delivery of a round but its first starts after this time: by then others may be due that come before them.
    pub(crate) round: Duration,
}

impl Speed {
    /// The speed at the start: one delivery at a time.
    pub(crate) fn initial() -> Self {
        Self {
            width: 1,
            max_width: 32,
            slow: Duration::from_millis(500),
            round: Duration::from_secs(10),
        }
    }

    /// Adapts to the result of a delivery and the time that it took.
    fn adapt(&mut self, delivery: &Delivery, took: Duration) {
        self.width = match delivery {
            Delivery::Failed(_) => 1,
            _ if took > self.slow => (self.width / 2).max(1),
            _ => (self.width + 1).min(self.max_width),
        };
    }
}

/// The error for a host name with no permitted address.
#[derive(Debug, thiserror::Error)]
#[error("no address that may be asked")]
struct ForbiddenAddress;

/// A DNS resolver against server-side request forgery. It drops private addresses, unless the operator's settings say that connected
/// systems are in private networks. It always drops link-local and other special addresses, where a data centre's metadata service hands
/// out a machine's secrets.
struct GuardedResolver {
    inner: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        // `localhost` is allowed: it is this machine by name, configured by the operator and not by somebody's DNS.
        let inner = self.inner || name.as_str() == "localhost";
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(permitted(found, inner)?.into_iter()) as Addrs)
        })
    }
}

/// The permitted addresses among those of a host name.
fn permitted(
    found: impl Iterator<Item = SocketAddr>,
    inner: bool,
) -> std::result::Result<Vec<SocketAddr>, ForbiddenAddress> {
    let good: Vec<_> = found.filter(|at| is_permitted(at.ip(), inner)).collect();
    if good.is_empty() {
        Err(ForbiddenAddress)
    } else {
        Ok(good)
    }
}

fn is_permitted(address: IpAddr, inner: bool) -> bool {
    match Network::of(address) {
        Network::Public => true,
        Network::Inner => inner,
        Network::Forbidden => false,
    }
}

/// The HTTP client of deliveries. `inner` allows private networks.
pub(crate) fn sender(inner: bool, patience: Duration) -> std::result::Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(patience)
        .user_agent("ngomon")
        .dns_resolver(GuardedResolver { inner })
        .build()
}

/// The clients with a delivery under way. Each has its own task, so that one that does not answer delays no other.
#[derive(Clone)]
pub struct Deliveries {
    sender: reqwest::Client,
    tasks: Arc<Mutex<HashMap<ClientId, JoinHandle<()>>>>,
}

impl Deliveries {
    /// No deliveries yet. `inner` allows private networks.
    pub fn new(inner: bool) -> std::result::Result<Self, reqwest::Error> {
        Ok(Self {
            sender: sender(inner, PATIENCE)?,
            tasks: Arc::default(),
        })
    }

    /// Starts a task for each client that has a due delivery and no running task.
    pub async fn begin(&self, app: &App) -> Result<()> {
        let clients = app.store.clients_to_tell().await?;
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|_, task| !task.is_finished());
        for client in clients {
            let (app, sender) = (app.clone(), self.sender.clone());
            tasks.entry(client).or_insert_with_key(|client| {
                let client = client.clone();
                tokio::spawn(async move {
                    if let Err(error) = deliver_all(&app, &sender, &client).await {
                        tracing::error!("systems are not told: {error}");
                    }
                })
            });
        }
        Ok(())
    }
}

/// Delivers rounds without a pause until nothing is due.
async fn deliver_all(app: &App, sender: &reqwest::Client, client: &ClientId) -> Result<()> {
    let mut speed = Speed::initial();
    while deliver(app, sender, client, &mut speed).await? > 0 {}
    Ok(())
}

/// Sends what is due to a client, at its speed. Returns the number of deliveries taken up.
pub(crate) async fn deliver(
    app: &App,
    sender: &reqwest::Client,
    client: &ClientId,
    speed: &mut Speed,
) -> Result<usize> {
    let due = app.store.due_notices(client, BATCH).await?;
    let (n, began) = (due.len(), instant());
    let (mut waiting, mut sending) = (due.into_iter(), JoinSet::new());
    let (mut told, mut fault, mut started) = (Vec::with_capacity(n), None, 0);
    loop {
        let in_time = started == 0 || began.elapsed() < speed.round;
        let begins = fault.is_none() && in_time && sending.len() < speed.width;
        let next = begins.then(|| waiting.next());
        if let Some(notice) = next.flatten() {
            let (app, sender) = (app.clone(), sender.clone());
            started += 1;
            sending.spawn(async move {
                let began = instant();
                (send(&app, &sender, &notice).await, notice, began.elapsed())
            });
            continue;
        }
        let Some(sent) = sending.join_next().await else { break };
        // A delivery whose task failed becomes due again by itself.
        let Ok((delivery, notice, took)) = sent else { continue };
        match delivery {
            Ok(delivery) => {
                speed.adapt(&delivery, took);
                told.push((notice, delivery));
            }
            Err(error) => fault = Some(error),
        }
    }
    told.extend(waiting.map(|notice| (notice, Delivery::Untried)));
    app.store.settle_notices(client, told).await?;
    fault.map_or(Ok(n), Err)
}

#[allow(
    clippy::disallowed_methods,
    reason = "how fast a client answers is no decision of ours"
)]
fn instant() -> Instant {
    Instant::now()
}

async fn send(app: &App, sender: &reqwest::Client, notice: &PendingDelivery) -> Result<Delivery> {
    let is_logout = notice.kind == SecurityEventKind::Logout;
    let to = if is_logout {
        notice.settings.backchannel_logout_uri.as_deref()
    } else {
        notice.settings.events_uri.as_deref()
    };
    let Some(to) = to else {
        return Ok(Delivery::Refused("no-address".into()));
    };
    if !url::Url::parse(to).is_ok_and(|url| may_be_sent_to(&url)) {
        return Ok(Delivery::Refused("no-address".into()));
    }
    let (kind, claims) = claims(app, notice);
    let token = app
        .signer
        .sign(&app.store, notice.settings.algorithm, kind, &claims)
        .await?;
    let request = if is_logout {
        let body: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("logout_token", &token)
            .finish();
        let kind = "application/x-www-form-urlencoded";
        sender.post(to).header("content-type", kind).body(body)
    } else {
        let kind = "application/secevent+jwt";
        sender
            .post(to)
            .header("content-type", kind)
            .header("accept", "application/json")
            .body(token)
    };
    Ok(match request.send().await {
        Ok(answer) if answer.status().is_success() => Delivery::Taken,
        Ok(answer) => {
            let fault = format!("answered {}", answer.status().as_u16());
            match answer.status() {
                // "The request was invalid, or the logout failed": a retry would send the same (Back-Channel Logout, 2.8; RFC 8935, 2.3).
                StatusCode::BAD_REQUEST => Delivery::Refused(fault),
                _ => Delivery::Failed(fault),
            }
        }
        Err(error) => Delivery::Failed(what_happened(&error)),
    })
}

/// Why there was no response: a word of ours (`notice-fault-…` is its text) and the library's message.
fn what_happened(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timeout".into();
    }
    let (mut said, mut is_dns, mut cause) = (String::new(), false, error.source());
    while let Some(outer) = cause {
        // The inner error of an `io::Error` is not its `source`.
        let mut within: &(dyn Error + 'static) = outer;
        let mut kind = None;
        while let Some(io) = within.downcast_ref::<std::io::Error>() {
            kind = Some(io.kind());
            let Some(inner) = io.get_ref() else { break };
            within = inner;
        }
        if let Some(tls) = within.downcast_ref::<rustls::Error>() {
            return match tls {
                rustls::Error::InvalidCertificate(_) => format!("certificate: {tls}"),
                _ => format!("tls: {tls}"),
            };
        }
        match kind {
            Some(ErrorKind::ConnectionRefused) => return "refused".into(),
            Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof) => return "cut".into(),
            Some(ErrorKind::TimedOut) => return "timeout".into(),
            Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => return "unreachable".into(),
            _ => {}
        }
        if within.is::<ForbiddenAddress>() {
            return "inner-address".into();
        }
        said = outer.to_string();
        is_dns |= said.contains("dns error");
        cause = outer.source();
    }
    if is_dns {
        "name".into()
    } else if error.is_connect() {
        format!("unreachable: {said}")
    } else {
        format!("cut: {said}")
    }
}

/// The type and the claims of the token.
fn claims(app: &App, notice: &PendingDelivery) -> (&'static str, Value) {
    let now = app.store.now().as_second();
    let mut claims = json!({
        "iss": app.issuer(),
        "aud": notice.client.as_str(),
        "iat": now,
        "jti": notice.id,
    });
    let happened = notice.at / 1_000_000;
    let subject = json!({"format": "iss_sub", "iss": app.issuer(), "sub": notice.subject});
    let (event, body) = match notice.kind {
        SecurityEventKind::Logout => {
            claims["exp"] = json!(now + GOOD);
            claims["sub"] = json!(notice.subject);
            if let Some(sid) = &notice.sid {
                claims["sid"] = json!(sid);
            }
            claims["events"] = json!({ LOGOUT: {} });
            return ("logout+jwt", claims);
        }
        SecurityEventKind::SessionRevoked => (SESSION_REVOKED, json!({"event_timestamp": happened})),
        SecurityEventKind::AccountDisabled => (ACCOUNT_DISABLED, json!({})),
        SecurityEventKind::AccountEnabled => (ACCOUNT_ENABLED, json!({})),
    };
    claims["sub_id"] = match &notice.sid {
        Some(sid) => {
            let session = json!({"format": "opaque", "id": sid});
            json!({"format": "complex", "user": subject, "session": session})
        }
        None => subject,
    };
    claims["toe"] = json!(happened);
    claims["events"] = json!({ event: body });
    ("secevent+jwt", claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::{Locale, notice_fault};

    /// Anybody can point a DNS name at any address.
    #[tokio::test]
    async fn resolved_addresses_filtered_by_permitted_network() {
        for (address, of_public, of_inner) in [
            ("203.162.4.190", true, true),
            ("10.1.2.3", false, true),
            ("127.0.0.1", false, true),
            ("fd12::1", false, true),
            ("::ffff:192.168.1.1", false, true),
            ("169.254.169.254", false, false),
            ("fd00:ec2::254", false, false),
            ("64:ff9b::a9fe:a9fe", false, false),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(is_permitted(address, false), of_public, "{address}");
            assert_eq!(is_permitted(address, true), of_inner, "{address}");
        }
        let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 443);
        let both = || [at("10.1.2.3"), at("203.162.4.190")].into_iter();
        assert_eq!(permitted(both(), false).unwrap(), [at("203.162.4.190")]);
        assert_eq!(permitted(both(), true).unwrap(), both().collect::<Vec<_>>());
        assert!(permitted(both().take(1), false).is_err());
        let plain = GuardedResolver { inner: false }.resolve("localhost".parse().unwrap());
        assert!(plain.await.unwrap().next().is_some());
    }

    /// A resolver for which no host name has a permitted address.
    struct ForbiddenResolver;

    impl Resolve for ForbiddenResolver {
        fn resolve(&self, _: Name) -> Resolving {
            Box::pin(async { Err::<Addrs, Box<dyn Error + Send + Sync>>(ForbiddenAddress.into()) })
        }
    }

    /// A delivery to a private network is reported as that, in both languages.
    #[tokio::test]
    async fn delivery_to_private_address_reported_as_inner_address() {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let sender = reqwest::Client::builder().no_proxy().dns_resolver(ForbiddenResolver);
        let sender = sender.build().unwrap();
        let error = sender.post("https://hues.example").send().await.unwrap_err();
        let fault = what_happened(&error);
        assert_eq!(fault, "inner-address");
        for tag in ["vi", "en"] {
            let locale = Locale::of_tag(tag).unwrap();
            assert_eq!(notice_fault(locale, &fault), locale.text("notice-fault-inner-address"));
        }
    }

    /// More deliveries run at once while the client accepts them quickly, and fewer after a slow or failed one.
    #[test]
    fn delivery_width_adapts_to_responses() {
        let (quick, late) = (Duration::ZERO, Duration::from_secs(1));
        let mut speed = Speed::initial();
        for _ in 0..40 {
            speed.adapt(&Delivery::Taken, quick);
        }
        assert_eq!(speed.width, 32, "and no wider");
        for width in [16, 8, 4, 2, 1, 1] {
            speed.adapt(&Delivery::Refused("answered 400".into()), late);
            assert_eq!(speed.width, width);
        }
        speed.adapt(&Delivery::Taken, quick);
        speed.adapt(&Delivery::Failed("timeout".into()), quick);
        assert_eq!(speed.width, 1);
    }
}
