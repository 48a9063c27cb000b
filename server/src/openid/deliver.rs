//! Clients are told what happened: by logout tokens (OpenID Connect Back-Channel Logout 1.0) and security events (RFC 8417, pushed by RFC
//! 8935; CAEP and RISC of the Shared Signals working group), until they take it.

use crate::web::App;
use futures_util::future::join_all;
use ngomon_rules::client::ClientId;
use ngomon_store::{DueNotice, NoticeKind, Result};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// So many are sent to one client at once.
const AT_ONCE: u32 = 40;
/// A client has so long to take it.
const PATIENCE: Duration = Duration::from_secs(5);
/// A logout token is good for so many seconds.
const GOOD: i64 = 120;

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";
const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const ACCOUNT_DISABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
const ACCOUNT_ENABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-enabled";

/// Names are resolved as always, but never to the addresses by which a machine in a data centre is asked for its own secrets.
struct Guarded;

fn is_never_a_client(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_unspecified() || v4.is_broadcast() || v4.is_multicast(),
        IpAddr::V6(v6) => {
            let mapped = v6.to_ipv4_mapped().map(IpAddr::V4).is_some_and(is_never_a_client);
            mapped || v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast()
        }
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let good: Vec<_> = found.filter(|at| !is_never_a_client(at.ip())).collect();
            Ok(Box::new(good.into_iter()) as Addrs)
        })
    }
}

/// What sends.
pub(super) fn sender() -> std::result::Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .user_agent("ngomon")
        .dns_resolver(Guarded)
        .build()
}

/// The clients that are being told something: each by a task of its own, so that one that does not answer holds up nobody else.
#[derive(Clone)]
pub struct Deliveries {
    sender: reqwest::Client,
    tasks: Arc<Mutex<HashMap<ClientId, JoinHandle<()>>>>,
}

impl Deliveries {
    /// None yet.
    pub fn new() -> std::result::Result<Self, reqwest::Error> {
        Ok(Self {
            sender: sender()?,
            tasks: Arc::default(),
        })
    }

    /// Begins to tell each client whose turn it is and that is not being told already.
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
                        eprintln!("ngomon: {error}");
                    }
                })
            });
        }
        Ok(())
    }
}

/// As long as there are some, without a pause.
async fn deliver_all(app: &App, sender: &reqwest::Client, client: &ClientId) -> Result<()> {
    while deliver(app, sender, client).await? > 0 {}
    Ok(())
}

/// Sends what is due to a client. Returns how many were taken up.
pub(super) async fn deliver(app: &App, sender: &reqwest::Client, client: &ClientId) -> Result<usize> {
    let due = app.store.due_notices(client, AT_ONCE).await?;
    let sent = join_all(due.iter().map(|notice| one(app, sender, notice))).await;
    sent.into_iter().collect::<Result<Vec<()>>>()?;
    Ok(due.len())
}

async fn one(app: &App, sender: &reqwest::Client, notice: &DueNotice) -> Result<()> {
    match send(app, sender, notice).await? {
        Ok(()) => app.store.notice_taken(&notice.id).await,
        Err(fault) => app.store.notice_failed(&notice.id, &fault).await,
    }
}

async fn send(app: &App, sender: &reqwest::Client, notice: &DueNotice) -> Result<std::result::Result<(), String>> {
    let is_logout = notice.kind == NoticeKind::Logout;
    let to = if is_logout {
        notice.settings.backchannel_logout_uri.as_deref()
    } else {
        notice.settings.events_uri.as_deref()
    };
    let Some(to) = to else {
        return Ok(Err("the client has no address for it".into()));
    };
    let literal = url::Url::parse(to).ok().and_then(|url| match url.host() {
        Some(url::Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
        Some(url::Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
        _ => None,
    });
    if literal.is_some_and(is_never_a_client) {
        return Ok(Err("an address that is never a client's".into()));
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
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("answered {}", answer.status().as_u16())),
        Err(error) => Err(error.without_url().to_string()),
    })
}

/// The token's type and what it says.
fn claims(app: &App, notice: &DueNotice) -> (&'static str, Value) {
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
        NoticeKind::Logout => {
            claims["exp"] = json!(now + GOOD);
            claims["sub"] = json!(notice.subject);
            if let Some(sid) = &notice.sid {
                claims["sid"] = json!(sid);
            }
            claims["events"] = json!({ LOGOUT: {} });
            return ("logout+jwt", claims);
        }
        NoticeKind::SessionRevoked => (SESSION_REVOKED, json!({"event_timestamp": happened})),
        NoticeKind::AccountDisabled => (ACCOUNT_DISABLED, json!({})),
        NoticeKind::AccountEnabled => (ACCOUNT_ENABLED, json!({})),
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
