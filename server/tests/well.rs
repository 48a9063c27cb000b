//! Tests of a server whose log cannot be written and whose database goes away and comes back: it recovers by itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Ngomon, On, fixtures, postgres};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Served {
    process: Child,
    port: u16,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Served {
    fn start(n: &Ngomon, errors: Stdio) -> Self {
        let mut command = n.command("serve --listen 127.0.0.1:0 --log debug");
        let mut process = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        let (_, rest) = said.split_once("localhost:").unwrap_or_else(|| panic!("{said}"));
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let port = digits.parse().unwrap();
        Self { process, port }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\n\r\n",
            self.port
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {text}"));
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    fn ready(&self) -> (u16, Value) {
        let (status, body) = self.get("/health/ready");
        // In chunks, or not.
        let json = &body[body.find('{').unwrap()..=body.rfind('}').unwrap()];
        (status, serde_json::from_str(json).unwrap())
    }

    /// The last round of each worker with short rounds.
    fn rounds(&self) -> Vec<Option<String>> {
        let (_, said) = self.ready();
        let often = said["workers"].as_array().unwrap().iter();
        let often = often.filter(|worker| worker["every_seconds"].as_f64().unwrap() < 10.0);
        often
            .map(|worker| worker["last_round"].as_str().map(str::to_owned))
            .collect()
    }

    /// Waits until each of them has finished another round.
    fn goes_on(&self) {
        let before = self.rounds();
        assert!(before.len() >= 4);
        until("a worker goes on", || {
            let now = self.rounds();
            before
                .iter()
                .zip(&now)
                .all(|(before, now)| now.is_some() && before != now)
        });
    }
}

/// Waits for a condition; fails after a timeout.
fn until(what: &str, done: impl Fn() -> bool) {
    #[allow(
        clippy::disallowed_methods,
        reason = "a limit, so that a test that waits in vain ends"
    )]
    let began = Instant::now();
    while !done() {
        #[allow(clippy::disallowed_methods, reason = "as above")]
        let waited = began.elapsed();
        assert!(waited < Duration::from_mins(2), "{what}: never");
    }
}

fn psql(sql: &str) {
    let out = Command::new("psql")
        .args([&postgres(), "-qAt", "-c", sql])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// "Nothing that writes a log can end a worker or a request": a full disk, and a pipe whose reader is closed.
#[test]
fn server_survives_unwritable_log_and_lost_database() {
    let n = Ngomon::new(On::Postgres);
    n.ok(&format!(
        "import units {}/units.csv --as-of 2023-07-31",
        fixtures("sample").display()
    ));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let servers = [
        Served::start(&n, File::options().write(true).open("/dev/full").unwrap().into()),
        Served::start(&n, writer.into()),
    ];
    for server in &servers {
        for _ in 0..20 {
            assert_eq!(server.get("/sign-in").0, 200);
        }
        server.goes_on();
    }
    // While the database is away, much is logged.
    let url = n.database_url();
    let (head, _) = url.split_once('?').unwrap();
    let (_, name) = head.rsplit_once('/').unwrap();
    psql(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"));
    let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    for server in &servers {
        until("the database is missed", || {
            psql(&cut);
            server.ready().0 == 503
        });
        // The server still responds with a page.
        let (status, page) = server.get("/receipt/NM-0000-0000");
        assert!(status < 600 && !page.is_empty());
        assert_eq!(server.get("/health/live").0, 200);
    }
    psql(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true"));
    for server in &servers {
        until("the database is found again", || server.ready().0 == 200);
        server.goes_on();
    }
}

/// Lines have time, level and request, and identify nobody.
#[test]
fn log_describes_requests_without_personal_values() {
    let n = Ngomon::new(On::Sqlite);
    let sample = fixtures("sample");
    for table in ["units", "registry", "citizens"] {
        n.ok(&format!(
            "import {table} {}/{table}.csv --as-of 2023-07-31",
            sample.display()
        ));
    }
    let path = n.path("log");
    let server = Served::start(&n, File::create(&path).unwrap().into());
    assert_eq!(server.get("/sign-in").0, 200);
    assert_eq!(server.get("/language/hues016?to=/046090000001").0, 303);
    assert_eq!(server.get("/046090000001?phone=0912000001").0, 404);
    let log = || std::fs::read_to_string(&path).unwrap();
    until("the log is written", || log().matches("answered").count() >= 3);
    let log = log();
    let line = log
        .lines()
        .find(|line| line.contains("route=\"/sign-in\""))
        .unwrap_or_else(|| panic!("{log}"));
    for part in ["DEBUG", "request{id=", "method=GET", "status=200", "ms="] {
        assert!(line.contains(part), "{line}");
    }
    assert!(
        line.starts_with("20") && line.contains('T') && line.contains('Z'),
        "{line}"
    );
    for personal in ["046090000001", "0912000001", "hues016"] {
        assert!(!log.contains(personal), "{log}");
    }
}

/// A URL that cannot be parsed is refused with a message, before anything is opened.
#[test]
fn invalid_database_url_is_refused() {
    let n = Ngomon::new(On::Sqlite);
    for (url, word) in [
        ("mysql://localhost/x", "postgres://"),
        ("localhost:5432", "postgres://"),
        ("ngomon", "postgres://"),
        ("postgres://h/db?tcp_user_timeouts=1", "tcp_user_timeouts"),
        (
            "postgres://u:geheim@h/db?target_session_attrs=best",
            "target_session_attrs",
        ),
        ("postgres://u:geheim@h1,h2:1,h3/db?port=1,2", "3"),
    ] {
        let out = Command::new(env!("CARGO_BIN_EXE_ngomon"))
            .args(["report", "--database", url, "--keys"])
            .arg(n.path("keys"))
            .env("LC_ALL", "vi_VN.UTF-8")
            .output()
            .unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(1), "{said}");
        assert!(
            said.contains(word) && said.contains("cơ sở dữ liệu") && !said.contains("geheim"),
            "{url}: {said}"
        );
    }
}
