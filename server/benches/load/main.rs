//! `cargo xtask load`: what the pages cost. A server of its own process, asked over 8 connections; printed are its processor seconds
//! per 1,000 requests, the time of an answer, and its memory. `cargo test` runs it with a few requests, to see that it works, and
//! asserts no time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops at the first fault"
)]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

use argon2::{Algorithm, Argon2, Params, Version};
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};

const CONNECTIONS: usize = 8;
/// People who sign in; the first of the sample have hashes of every scheme.
const PEOPLE: usize = 120;

fn main() {
    let measures = std::env::args().any(|arg| arg == "--bench");
    let (requests, people) = if measures { (4_000, PEOPLE) } else { (16, 4) };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        pages("SQLite", None, requests, people).await;
        let postgres = std::env::var("NGOMON_TEST_POSTGRES").expect("run by `cargo xtask load` or `cargo xtask test`");
        let database = Database::new(postgres);
        pages("PostgreSQL", Some(database.url()), requests, people).await;
    });
}

/// A database of its own on the private PostgreSQL.
struct Database {
    server: String,
    name: String,
}

impl Database {
    fn new(server: String) -> Self {
        let name = format!("load{}", std::process::id());
        let made = Self {
            server,
            name: name.clone(),
        };
        made.sql(&format!("CREATE DATABASE {name}"));
        made
    }

    fn url(&self) -> String {
        self.server.replace("/postgres?", &format!("/{}?", self.name))
    }

    fn sql(&self, sql: &str) {
        let done = Command::new("psql")
            .args(["-q", "-d", &self.server, "-c", sql])
            .status();
        assert!(done.unwrap().success(), "{sql}");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.sql(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// A server on the sample's people.
struct Server {
    process: Child,
    address: SocketAddr,
    _data: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn sample(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/sample")
        .join(file)
}

/// Takes the sample in and opens the pages. Also the seconds from the start to the first answer.
async fn serve(database: Option<String>) -> (Server, f64) {
    let data = tempfile::tempdir().unwrap();
    let ngomon = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ngomon"));
        command.args(words).arg("--keys").arg(data.path().join("keys"));
        match &database {
            Some(url) => command.args(["--database", url]),
            None => command.arg("--data").arg(data.path().join("data")),
        };
        command
    };
    for table in ["units", "registry", "citizens", "officials", "profiles", "notices"] {
        let file = sample(&format!("{table}.csv"));
        let mut words = vec!["import", table, file.to_str().unwrap(), "--as-of", "2023-07-31"];
        if table == "profiles" {
            words.push("--full");
        }
        let done = ngomon(&words).stdout(Stdio::null()).status().unwrap();
        assert!(done.success(), "{words:?}");
    }
    let begun = Instant::now();
    let mut process = ngomon(&["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = tokio::process::ChildStdout::from_std(process.stdout.take().unwrap()).unwrap();
    let mut lines = BufReader::new(said).lines();
    let port = loop {
        let line = lines.next_line().await.unwrap().expect("it opens");
        if let Some((_, rest)) = line.split_once("localhost:") {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            break digits.parse::<u16>().unwrap();
        }
    };
    let server = Server {
        process,
        address: SocketAddr::from(([127, 0, 0, 1], port)),
        _data: data,
    };
    let answer = Client::new(server.address, 1).await.get("/sign-in", "").await;
    assert_eq!(answer.status, 200);
    (server, begun.elapsed().as_secs_f64())
}

/// One connection that stays open, from an address of its own: as many offices as there are connections.
struct Client {
    stream: BufReader<TcpStream>,
}

struct Answer {
    status: u16,
    cookie: Option<String>,
}

impl Client {
    async fn new(to: SocketAddr, from: usize) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        let from = u8::try_from(from % 250 + 2).unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, from], 0))).unwrap();
        Self {
            stream: BufReader::new(socket.connect(to).await.unwrap()),
        }
    }

    async fn get(&mut self, path: &str, cookie: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n");
        self.ask(head).await
    }

    async fn post(&mut self, path: &str, body: &str) -> Answer {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.ask(head).await
    }

    async fn ask(&mut self, request: String) -> Answer {
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let (mut status, mut length, mut cookie) = (0, 0, None);
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).await.unwrap();
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            }
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("set-cookie", value)) => cookie = value.split(';').next().map(str::to_owned),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.unwrap();
        Answer { status, cookie }
    }
}

/// What a process has used: processor seconds.
fn processor(pid: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: f64 = after[11].parse::<f64>().unwrap() + after[12].parse::<f64>().unwrap();
    ticks / 100.0
}

/// A line of `/proc/PID/status`, in MiB.
fn memory(server: &Server, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Asks `requests` times over all connections, and prints a line. Returns processor seconds per 1,000.
async fn measure<F>(on: &str, what: &str, server: &Server, requests: usize, ask: F) -> f64
where
    F: for<'c> Fn(&'c mut Client, usize) -> BoxFuture<'c, ()> + Send + Clone + 'static,
{
    let (next, pid) = (Arc::new(AtomicUsize::new(0)), server.process.id().to_string());
    let (before, begun) = (processor(&pid), Instant::now());
    let mut tasks = Vec::new();
    for connection in 0..CONNECTIONS.min(requests) {
        let (next, ask, to) = (next.clone(), ask.clone(), server.address);
        tasks.push(tokio::spawn(async move {
            let mut client = Client::new(to, connection).await;
            let mut took = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= requests {
                    return took;
                }
                let begun = Instant::now();
                ask(&mut client, n).await;
                took.push(begun.elapsed());
            }
        }));
    }
    let mut took: Vec<Duration> = Vec::new();
    for task in tasks {
        took.extend(task.await.unwrap());
    }
    took.sort_unstable();
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)].as_secs_f64() * 1_000.0;
    let used = (processor(&pid) - before) * 1_000.0 / requests as f64;
    let rate = requests as f64 / begun.elapsed().as_secs_f64();
    println!(
        "{on:<11} {what:<28} {requests:>6}  {used:>8.3} CPU-s/1,000  p50 {:>7.2} ms  p99 {:>7.2} ms  {rate:>7.0} /s",
        at(50),
        at(99)
    );
    used
}

/// Processor seconds of 1,000 password hashes, measured in this process.
fn hash_alone(times: usize) -> f64 {
    let params = Params::new(19_456, 2, 1, None).unwrap();
    let scheme = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (before, mut out) = (processor("self"), [0; 32]);
    for _ in 0..times {
        scheme
            .hash_password_into(b"password", b"saltsaltsaltsalt", &mut out)
            .unwrap();
    }
    (processor("self") - before) * 1_000.0 / times as f64
}

/// What somebody with a password sends to sign in.
fn sign_in_bodies(people: usize) -> Arc<[String]> {
    let mut reader = csv::Reader::from_path(sample("citizens.csv")).unwrap();
    let rows = reader.deserialize::<HashMap<String, String>>().map(|row| row.unwrap());
    let with_hash = rows.filter(|row| !row["password_hash"].is_empty()).take(people);
    let body = |row: HashMap<String, String>| {
        let password = format!("Hue-{}", row["account_id"]);
        serde_urlencoded::to_string([("username", &row["username"]), ("password", &password)]).unwrap()
    };
    with_hash.map(body).collect()
}

async fn pages(on: &str, database: Option<String>, requests: usize, people: usize) {
    let (server, start) = serve(database).await;
    let idle = memory(&server, "VmRSS");
    println!("{on:<11} start to first answer {start:.2} s, memory idle {idle:.0} MiB");
    // The first sign-in hashes the password anew; only the later ones cost what a sign-in costs.
    let bodies = sign_in_bodies(people);
    let mut cookies = Vec::new();
    let mut client = Client::new(server.address, 100).await;
    for body in &*bodies {
        let answer = client.post("/sign-in", body).await;
        assert_eq!(answer.status, 303);
        cookies.push(answer.cookie.unwrap());
    }
    let cookies: Arc<[String]> = cookies.into();

    measure(on, "the first page: sign-in", &server, requests, |client, _| {
        Box::pin(async move { assert_eq!(client.get("/sign-in", "").await.status, 200) })
    })
    .await;
    measure(on, "style", &server, requests, |client, _| {
        Box::pin(async move { assert_eq!(client.get("/assets/style.css", "").await.status, 200) })
    })
    .await;
    let hash = hash_alone(requests.min(200));
    let of = bodies.clone();
    let sign_in = measure(
        on,
        "sign-in by password",
        &server,
        requests.min(1_000),
        move |client, n| {
            let body = of[n % of.len()].clone();
            Box::pin(async move { assert_eq!(client.post("/sign-in", &body).await.status, 303) })
        },
    )
    .await;
    let beyond = (sign_in / hash - 1.0) * 100.0;
    println!(
        "{on:<11} the password's hash alone           {hash:>8.3} CPU-s/1,000: sign-in is {beyond:.0} % beyond it"
    );
    let of = cookies.clone();
    measure(on, "the form, signed in", &server, requests, move |client, n| {
        let cookie = of[n % of.len()].clone();
        Box::pin(async move { assert_eq!(client.get("/form", &cookie).await.status, 200) })
    })
    .await;
    let most = memory(&server, "VmHWM");
    println!("{on:<11} memory under load at most {most:.0} MiB");
}
