//! Tests of `kill -9` between a code and its redemption, and between a refresh and its response: what was answered is valid after the
//! restart, what was not is done completely or not at all.
//! The same is tested when PostgreSQL's answer to a commit is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;
#[path = "../../store/tests/suite/wire.rs"]
mod wire;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{Ngomon, On, Running, after, fixtures};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use wire::Wire;

const CALLBACK: &str = "https://hues.example/cb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The challenge of [`VERIFIER`], from RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A server in a process of its own.
struct Served {
    process: Running,
    port: u16,
}

/// An HTTP response.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(one, _)| *one == name);
        found.next().unwrap_or_else(|| panic!("no {name} in {}", self.head)).1
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}: {}", self.status, self.body))
    }

    fn text(&self, name: &str) -> String {
        let json = self.json();
        json[name].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
    }

    /// The code in the redirect.
    fn code(&self) -> String {
        let to = url::Url::parse(self.header("location")).unwrap();
        let found = to.query_pairs().find(|(name, _)| name == "code");
        found.unwrap_or_else(|| panic!("{to}")).1.into_owned()
    }
}

impl Served {
    /// Starts a server on a free port (0) or on a given one.
    fn start(n: &Ngomon, port: u16) -> Self {
        let mut command = n.command(&format!("serve --listen 127.0.0.1:{port}"));
        let mut process = Running::start(command.stdout(Stdio::piped()));
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        let (_, rest) = said.split_once("localhost:").unwrap_or_else(|| panic!("{said}"));
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let port = digits.parse().unwrap();
        Self { process, port }
    }

    /// Kills the server and starts it again on the same port.
    fn killed(mut self, n: &Ngomon) -> Self {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        Self::start(n, self.port)
    }

    /// Sends a request without reading the response.
    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\n{headers}\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{body}",
            self.port
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut text = String::new();
        self.send(method, path, headers, body)
            .read_to_string(&mut text)
            .unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Answer {
            status: head[9..12].parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    fn jwks(&self) -> String {
        self.ask("GET", "/jwks", "", "").body
    }

    /// Signs in; returns the session cookie.
    fn signed_in(&self) -> String {
        let typed = form(&[("username", "canbo001"), ("password", "Hue-CV001")]);
        let answer = self.ask("POST", "/sign-in", "", &typed);
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    /// A code for a signed-in user, without another sign-in.
    fn code(&self, rp: &Rp, cookie: &str) -> String {
        let query = form(&[
            ("client_id", &rp.id),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid offline_access"),
            ("prompt", "none"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        let path = format!("/authorize?{query}");
        self.ask("GET", &path, &format!("cookie: {cookie}\r\n"), "").code()
    }

    fn token(&self, rp: &Rp, body: &str) -> Answer {
        self.ask("POST", "/token", &rp.header, body)
    }

    fn is_active(&self, rp: &Rp, token: &str) -> bool {
        let told = self.ask("POST", "/introspect", &rp.header, &form(&[("token", token)]));
        told.json()["active"] == true
    }
}

/// A connected system.
struct Rp {
    id: String,
    header: String,
}

impl Rp {
    fn new(n: &Ngomon) -> Self {
        let added = n.ok(&format!(
            "client add Hue-S --redirect-uri {CALLBACK} --scope openid offline_access"
        ));
        let (id, secret) = (after(&added, "client_id"), after(&added, "client_secret"));
        let pair = STANDARD.encode(format!("{id}:{secret}"));
        Self {
            id: id.to_owned(),
            header: format!("authorization: Basic {pair}\r\n"),
        }
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(fields).unwrap()
}

fn redeeming(code: &str) -> String {
    form(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ])
}

fn refreshing(token: &str) -> String {
    form(&[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// Verifies the token's signature and audience; returns its subject.
fn subject(token: &str, jwks: &str, rp: &Rp) -> String {
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_str(jwks).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = keys.find(&header.kid.unwrap()).expect("the key was published before");
    let mut validation = jsonwebtoken::Validation::new(header.alg);
    validation.set_audience(&[&rp.id]);
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims;
    claims["sub"].as_str().unwrap().to_owned()
}

fn opened(on: On) -> (Ngomon, Rp, Served) {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let n = Ngomon::new(on);
    for table in ["units", "officials"] {
        let file = fixtures("demo").join(format!("{table}.csv"));
        n.ok(&format!("import {table} {} --as-of 2023-07-31", file.display()));
    }
    let rp = Rp::new(&n);
    let served = Served::start(&n, 0);
    (n, rp, served)
}

fn a_code_outlives_the_server_and_is_redeemed_once(on: On) {
    let (n, rp, served) = opened(on);
    let cookie = served.signed_in();
    let keys = served.jwks();
    let code = served.code(&rp, &cookie);

    let served = served.killed(&n);
    assert_eq!(served.jwks(), keys);
    let first = served.token(&rp, &redeeming(&code));
    assert_eq!(first.status, 200, "{}", first.body);
    let named = subject(&first.text("id_token"), &keys, &rp);

    // Killed after the response: the code is used, and the tokens are valid.
    let served = served.killed(&n);
    assert!(served.is_active(&rp, &first.text("access_token")));
    let next = served.token(&rp, &refreshing(&first.text("refresh_token")));
    assert_eq!(next.status, 200, "{}", next.body);
    assert_eq!(subject(&next.text("id_token"), &keys, &rp), named);

    let served = served.killed(&n);
    assert!(served.is_active(&rp, &next.text("access_token")));
    let last = served.token(&rp, &refreshing(&next.text("refresh_token")));
    assert_eq!(last.status, 200, "{}", last.body);
    assert_eq!(served.token(&rp, &redeeming(&code)).text("error"), "invalid_grant");
    assert!(
        !served.is_active(&rp, &last.text("access_token")),
        "shown twice, it ends what came of it"
    );

    // Nobody needs to sign in again.
    let again = served.token(&rp, &redeeming(&served.code(&rp, &cookie)));
    assert_eq!(subject(&again.text("id_token"), &keys, &rp), named);
    drop(served);
    n.ok("verify");
}

/// A code survives a killed server and is redeemed once.
#[test]
fn code_survives_kill_and_is_redeemed_once_on_sqlite() {
    a_code_outlives_the_server_and_is_redeemed_once(On::Sqlite);
}

/// A code survives a killed server and is redeemed once.
#[test]
fn code_survives_kill_and_is_redeemed_once_on_postgresql() {
    a_code_outlives_the_server_and_is_redeemed_once(On::Postgres);
}

/// Killed before the client has its response: the refresh was done or not, and there is one winner either way.
fn a_refresh_without_its_answer_is_done_or_not_done(on: On) {
    let (n, rp, mut served) = opened(on);
    let cookie = served.signed_in();
    for looks in 0..6 {
        let code = served.code(&rp, &cookie);
        let given = served.token(&rp, &redeeming(&code));
        let (access, refresh) = (given.text("access_token"), given.text("refresh_token"));
        let answer = served.send("POST", "/token", &rp.header, &refreshing(&refresh));
        // Later rounds give it more time; the last one until the response is complete.
        for _ in 0..looks {
            served.jwks();
        }
        if looks == 5 {
            answer.peek(&mut [0]).unwrap();
        }
        served = served.killed(&n);
        drop(answer);
        // Done or not, the client repeats the request and goes on: a lost response signs nobody out.
        let again = served.token(&rp, &refreshing(&refresh));
        assert_eq!(again.status, 200);
        assert!(served.is_active(&rp, &access) && served.is_active(&rp, &again.text("access_token")));
        let twice = served.token(&rp, &refreshing(&refresh));
        assert_eq!(twice.text("refresh_token"), again.text("refresh_token"), "one line");
        let next = served.token(&rp, &refreshing(&again.text("refresh_token")));
        assert_eq!(next.status, 200);
        // Its successor was used: the token presented now is in the hands of two parties.
        let late = served.token(&rp, &refreshing(&refresh));
        assert_eq!(late.text("error"), "invalid_grant");
        assert!(!served.is_active(&rp, &next.text("access_token")));
    }
    drop(served);
    n.ok("verify");
}

/// A refresh whose response was lost is done whole or not at all.
#[test]
fn killed_refresh_is_done_whole_or_not_at_all_on_sqlite() {
    a_refresh_without_its_answer_is_done_or_not_done(On::Sqlite);
}

/// A refresh whose response was lost is done whole or not at all.
#[test]
fn killed_refresh_is_done_whole_or_not_at_all_on_postgresql() {
    a_refresh_without_its_answer_is_done_or_not_done(On::Postgres);
}

/// The statements of a refresh; the first one on a connection is sent in full.
const REFRESH: &[&str] = &["UPDATE issued SET used", "COMMIT"];

/// A commit whose answer is lost: where PostgreSQL can be asked what became of it, the client has its tokens; where it cannot, nobody says that
/// nothing was changed. Either way the client asks again with the same token, and nobody is signed out.
#[test]
fn refresh_with_lost_commit_answer_keeps_sign_in() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let wire = runtime.block_on(Wire::new());
    let (mut n, rp, mut served) = opened(On::Postgres);
    n.through = Some(wire.port);
    let cookie = served.signed_in();
    for away in [false, true] {
        served = served.killed(&n);
        let given = served.token(&rp, &redeeming(&served.code(&rp, &cookie)));
        let refresh = refreshing(&given.text("refresh_token"));
        wire.then_away.send_replace(away);
        wire.lose_answer(REFRESH);
        let answer = served.token(&rp, &refresh);
        assert!(wire.unanswered.borrow().is_none(), "the answer was lost");
        if away {
            assert_eq!(
                (answer.status, answer.text("error").as_str()),
                (504, "temporarily_unavailable")
            );
            assert_eq!(
                answer.text("error_description"),
                "it is not known whether this was done"
            );
        } else {
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        wire.away.send_replace(false);
        let again = served.token(&rp, &refresh);
        assert_eq!(again.status, 200, "{}", again.body);
        if !away {
            assert_eq!(again.text("refresh_token"), answer.text("refresh_token"), "one line");
        }
        let next = served.token(&rp, &refreshing(&again.text("refresh_token")));
        assert_eq!(next.status, 200, "{}", next.body);
        assert!(served.is_active(&rp, &next.text("access_token")));
    }
    drop(served);
    n.through = None;
    n.ok("verify");
}
