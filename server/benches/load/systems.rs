//! The cost of the requests of connected systems, and the time until all their tokens are invalid after a hold.

use super::client::Client;
use super::server::{Server, sample, serve};
use super::sink::Sink;
use super::{HowMany, hash_alone, is_wanted, measure, sign_ins};
use base64::Engine as _;
use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const CALLBACK: &str = "https://hues.example/cb";
/// From RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A connected system.
#[derive(Clone)]
struct System {
    id: String,
    basic: String,
}

fn added(server: &Server, name: &str, more: &[&str]) -> System {
    let mut words = vec!["client", "add", name, "--redirect-uri", CALLBACK];
    words.extend(more);
    let done = server.beside(&words).output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let of = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    let (id, secret) = (of("client_id: "), of("client_secret: "));
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
    System {
        id,
        basic: format!("Basic {pair}"),
    }
}

impl System {
    /// Obtains and redeems a code for the owner of the cookie: access and refresh token.
    async fn tokens(&self, client: &mut Client, cookie: &str) -> (String, String) {
        let request = [
            ("client_id", self.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid profile offline_access"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let request = serde_urlencoded::to_string(request).unwrap();
        let answer = client.get(&format!("/authorize?{request}"), cookie).await;
        let code = answer
            .location
            .split("code=")
            .nth(1)
            .unwrap_or_else(|| panic!("{}", answer.location));
        let code = code.split('&').next().unwrap();
        let body = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let body = serde_urlencoded::to_string(body).unwrap();
        let answer = client.call("/token", &self.basic, Some(&body)).await;
        (answer.text("access_token"), answer.text("refresh_token"))
    }

    async fn refresh(&self, client: &mut Client, token: &str) -> String {
        let body = format!("grant_type=refresh_token&refresh_token={token}");
        client
            .call("/token", &self.basic, Some(&body))
            .await
            .text("refresh_token")
    }

    async fn is_active(&self, client: &mut Client, token: &str) -> bool {
        let answer = client
            .call("/introspect", &self.basic, Some(&format!("token={token}")))
            .await;
        assert_eq!(answer.status, 200);
        answer.body != br#"{"active":false}"#
    }
}

/// Officials without holds, each with a session cookie and a form for another sign-in.
async fn signed_in(server: &Server, client: &mut Client, people: usize) -> Vec<(String, String, String)> {
    let mut open = Vec::new();
    for (n, (account, body)) in sign_ins("officials.csv", people).into_iter().enumerate() {
        // The limit of sign-ins from one address in a quarter of an hour.
        if n % 200 == 199 {
            *client = Client::new(server.address, 100 + n / 199).await;
        }
        let answer = client.post("/sign-in", "", &body).await;
        assert_eq!(answer.status, 303);
        let cookie = answer.cookie.unwrap();
        // Accounts that are held already cannot sign in to a system.
        if client.get("/", &cookie).await.location != "/held" {
            open.push((account, cookie, body));
        }
    }
    open
}

/// Measures the cost of each request, then holds everybody.
pub async fn systems(on: &str, database: Option<String>, how_many: HowMany) {
    let (server, _) = serve(database).await;
    let server = Arc::new(server);
    let requests = how_many.requests;
    let hues = added(&server, "Hue-S", &["--grant", "client_credentials"]);
    let es256 = added(&server, "Hue-S ES256", &["--algorithm", "ES256"]);
    let mut client = Client::new(server.address, 100).await;
    let open = signed_in(&server, &mut client, how_many.held.0).await;
    let cookies: Vec<String> = open.iter().map(|(_, cookie, _)| cookie.clone()).collect();
    let bodies: Arc<[String]> = open.iter().take(8).map(|(.., body)| body.clone()).collect();
    if how_many.rests {
        server.rest().await;
    }
    let hash = hash_alone(requests.min(200));
    let (of, system) = (bodies.clone(), hues.clone());
    let flow = measure(
        on,
        "sign-in with the code flow",
        &server,
        requests.min(1_000),
        move |client, n| {
            let (body, system) = (of[n % of.len()].clone(), system.clone());
            Box::pin(async move {
                let cookie = client.post("/sign-in", "", &body).await.cookie.unwrap();
                system.tokens(client, &cookie).await;
            })
        },
    )
    .await;
    println!(
        "{on:<11} the password's hash alone           {hash:>8.3} CPU-s/1,000: that is {:.0} % beyond it",
        (flow / hash - 1.0) * 100.0
    );
    let (of, system): (Arc<[String]>, _) = (cookies.clone().into(), hues.clone());
    measure(
        on,
        "a code, given and redeemed",
        &server,
        requests.min(1_000),
        move |client, n| {
            let (cookie, system) = (of[n % of.len()].clone(), system.clone());
            Box::pin(async move { drop(system.tokens(client, &cookie).await) })
        },
    )
    .await;
    for (what, system) in [("refresh, RS256", &hues), ("refresh, ES256", &es256)] {
        // One token family per connection, because a refresh token is used once.
        let mut families = Vec::new();
        for n in 0..super::CONNECTIONS {
            let (_, refresh) = system.tokens(&mut client, &cookies[n % cookies.len()]).await;
            families.push(tokio::sync::Mutex::new(refresh));
        }
        let (families, system) = (Arc::new(families), system.clone());
        measure(on, what, &server, requests, move |client, n| {
            let (families, system) = (families.clone(), system.clone());
            Box::pin(async move {
                let mut token = families[n % families.len()].lock().await;
                *token = system.refresh(client, &token).await;
            })
        })
        .await;
    }
    let system = hues.clone();
    measure(on, "client credentials", &server, how_many.short, move |client, _| {
        let system = system.clone();
        Box::pin(async move {
            let answer = client
                .call("/token", &system.basic, Some("grant_type=client_credentials"))
                .await;
            assert_eq!(answer.status, 200);
        })
    })
    .await;
    let (access, _) = hues.tokens(&mut client, &cookies[0]).await;
    let (system, token) = (hues.clone(), access.clone());
    measure(on, "introspection", &server, how_many.short, move |client, _| {
        let (system, token) = (system.clone(), token.clone());
        Box::pin(async move { assert!(system.is_active(client, &token).await) })
    })
    .await;
    let bearer = format!("Bearer {access}");
    measure(on, "userinfo", &server, how_many.short, move |client, _| {
        let bearer = bearer.clone();
        Box::pin(async move { assert_eq!(client.call("/userinfo", &bearer, None).await.status, 200) })
    })
    .await;
    for path in ["/.well-known/openid-configuration", "/jwks"] {
        measure(on, path, &server, how_many.short, move |client, _| {
            Box::pin(async move { assert_eq!(client.get(path, "").await.status, 200) })
        })
        .await;
    }
    if is_wanted("held in one commit") {
        hold_all(on, &server, &open, how_many.held.1).await;
    }
    println!("{on:<11} memory under load at most {:.0} MiB", server.memory("VmHWM"));
}

/// HR reports that everybody left the service; returns the reconciliation run that waits for approval.
fn everybody_leaves(server: &Server) -> String {
    let file = server.data.path().join("left.csv");
    let mut reader = csv::Reader::from_path(sample("profiles.csv")).unwrap();
    let head = reader.headers().unwrap().clone();
    let at = |name: &str| head.iter().position(|one| one == name).unwrap();
    let mut writer = csv::Writer::from_path(&file).unwrap();
    writer.write_record(&head).unwrap();
    for row in reader.records() {
        let mut row: Vec<String> = row.unwrap().iter().map(str::to_owned).collect();
        row[at("status")] = "resigned".into();
        row[at("status_from")] = "2023-07-01".into();
        row[at("updated_on")] = "2023-07-31".into();
        writer.write_record(&row).unwrap();
    }
    writer.flush().unwrap();
    let file = file.to_str().unwrap();
    said(server, &["import", "profiles", file, "--full", "--as-of", "2023-07-31"]);
    let told = said(server, &["reconcile", "--as-of", "2023-07-31"]);
    let run = told.lines().find_map(|line| line.strip_prefix("run: "));
    run.unwrap_or_else(|| panic!("{told}")).to_owned()
}

fn said(server: &Server, words: &[&str]) -> String {
    let done = server.beside(words).stderr(Stdio::null()).output().unwrap();
    String::from_utf8(done.stdout).unwrap()
}

/// Each of them signs in `times` times: an access token of each session.
async fn sessions(
    server: &Arc<Server>,
    system: &System,
    open: &[(String, String, String)],
    times: usize,
) -> Vec<(String, String)> {
    let mut offices = Vec::new();
    // An office changes its address after as many sign-ins as one address may make in a quarter of an hour.
    let share = open.len().div_ceil(super::CONNECTIONS);
    for (office, people) in open.chunks(share.max(1)).enumerate() {
        let (people, system, server) = (people.to_vec(), system.clone(), server.clone());
        offices.push(tokio::spawn(async move {
            let mut tokens = Vec::new();
            for time in 0..times {
                for (n, (account, _, body)) in people.iter().enumerate() {
                    let nth = time * people.len() + n;
                    let address = 120 + office * 16 + nth / 199;
                    let mut client = Client::new(server.address, address).await;
                    let answer = client.post("/sign-in", "", body).await;
                    let cookie = answer.cookie.unwrap_or_else(|| panic!("{account}: {}", answer.status));
                    tokens.push((account.clone(), system.tokens(&mut client, &cookie).await.0));
                }
            }
            tokens
        }));
    }
    let mut tokens = Vec::new();
    for office in offices {
        tokens.extend(office.await.unwrap());
    }
    tokens
}

/// Holds everybody in one commit. Two clients query without a pause, to measure from when to when a token was still valid; meanwhile the
/// system is notified of each session.
async fn hold_all(on: &str, server: &Arc<Server>, open: &[(String, String, String)], times: usize) {
    let sink = Sink::start().await;
    let system = &added(server, "Hue-S sign-out", &["--backchannel-logout-uri", &sink.address()]);
    let tokens = sessions(server, system, open, times).await;
    let mut client = Client::new(server.address, 101).await;
    let run = everybody_leaves(server);
    let tokens: Arc<[(String, String)]> = tokens.into();
    let done = Arc::new(AtomicBool::new(false));
    let mut watching = Vec::new();
    for watcher in 0..2 {
        let (tokens, done, system, address) = (tokens.clone(), done.clone(), system.clone(), server.address);
        watching.push(tokio::spawn(async move {
            let mut client = Client::new(address, 110 + watcher).await;
            let mut seen = Vec::new();
            let mut n = watcher;
            while !done.load(Ordering::Relaxed) {
                let at = n % tokens.len();
                let asked = Instant::now();
                seen.push((at, asked, system.is_active(&mut client, &tokens[at].1).await));
                n += 7;
            }
            seen
        }));
    }
    let mut approve = server.beside(&["reconcile", "--approve", &run]);
    let approved = tokio::task::spawn_blocking(move || approve.stdout(Stdio::null()).status().unwrap()).await;
    let committed = Instant::now();
    assert!(approved.unwrap().success(), "{run}");
    let mut good = Vec::new();
    for (account, token) in &*tokens {
        if system.is_active(&mut client, token).await {
            good.push(account.as_str());
        }
    }
    let asked = committed.elapsed();
    done.store(true, Ordering::Relaxed);
    // An account whose HR row is unreadable is not held.
    let held = said(
        server,
        &[
            "holds",
            "--kind",
            "official",
            "--as-of",
            "2023-07-31",
            "--format",
            "csv",
        ],
    );
    let is_held = |account: &str| held.lines().any(|line| line.split(',').next() == Some(account));
    assert_eq!(good.iter().filter(|account| is_held(account)).count(), 0);
    assert!(
        good.len() * 10 < tokens.len(),
        "{} of {} tokens are good",
        good.len(),
        tokens.len()
    );
    let (mut last_good, mut first_dead) = (None, None);
    for task in watching {
        for (at, asked, is_good) in task.await.unwrap() {
            if is_good && is_held(&tokens[at].0) {
                last_good = last_good.max(Some(asked));
            } else if !is_good {
                first_dead = Some(first_dead.map_or(asked, |first: Instant| first.min(asked)));
            }
        }
    }
    let overlap = last_good
        .zip(first_dead)
        .map(|(last, first)| last.saturating_duration_since(first));
    println!(
        "{on:<11} {} sessions of {} accounts held in one commit: the last one good {:.1} ms after the first one dead; all asked and dead {:.1} s \
         after it",
        tokens.len() - good.len(),
        open.len(),
        overlap.unwrap_or_default().as_secs_f64() * 1_000.0,
        asked.as_secs_f64()
    );
    // One logout token for each session, one for each account.
    let dead: Vec<_> = tokens
        .iter()
        .map(|(account, _)| account)
        .filter(|account| is_held(account))
        .collect();
    let expected = dead.len() + dead.iter().collect::<BTreeSet<_>>().len();
    let (body, rate) = sink.wait_for(expected).await;
    let plain = Sink::baseline(&body, expected, 32).await;
    println!(
        "{on:<11} {expected} logout tokens taken: {rate:.0} /s, {:.0} % of the rate of plain posts",
        rate / plain * 100.0
    );
}
