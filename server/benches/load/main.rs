//! The cost of the pages, `cargo xtask load`. A server in a process of its own gets requests over 8 connections; the output is its
//! processor seconds per 1,000 requests, the response time, and its memory. `cargo test` runs it with a few requests, to check that it
//! works, and asserts no time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops at the first fault"
)]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod client;
mod server;
mod sink;
mod systems;
mod viewers;

use argon2::{Algorithm, Argon2, Params, Version};
use client::Client;
use futures_util::future::BoxFuture;
use server::{Database, Server, processor, sample, serve};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 8;

/// The numbers of requests and users.
#[derive(Clone, Copy)]
struct HowMany {
    /// Requests that take a tenth of a millisecond: enough of them to take some ticks of the processor clock.
    short: usize,
    requests: usize,
    /// Whether to wait until the server is idle.
    rests: bool,
    /// Users who sign in; the first ones of the sample have hashes of every scheme.
    people: usize,
    /// Viewers of the live report.
    viewers: usize,
    /// Forms answered meanwhile.
    changes: usize,
    /// Officials who sign in to a client, and how often each does, before all of them are held at once.
    held: (usize, usize),
}

const MEASURED: HowMany = HowMany {
    short: 40_000,
    requests: 4_000,
    rests: true,
    people: 120,
    viewers: 500,
    changes: 60,
    held: (500, 27),
};
const TRIED: HowMany = HowMany {
    short: 16,
    requests: 16,
    rests: false,
    people: 4,
    viewers: 8,
    changes: 2,
    held: (30, 2),
};

fn main() {
    let measures = std::env::args().any(|arg| arg == "--bench");
    let how_many = if measures { MEASURED } else { TRIED };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        pages("SQLite", None, how_many).await;
        systems::systems("SQLite", None, how_many).await;
        let postgres = std::env::var("NGOMON_TEST_POSTGRES").expect("run by `cargo xtask load` or `cargo xtask test`");
        let database = Database::new(postgres);
        pages("PostgreSQL", Some(database.url()), how_many).await;
        let database = Database::new(database.server.clone());
        systems::systems("PostgreSQL", Some(database.url()), how_many).await;
    });
}

/// `cargo xtask load -- WORDS`: only lines that contain one of the words are measured.
fn is_wanted(what: &str) -> bool {
    let words: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    words.is_empty() || words.iter().any(|word| what.contains(word.as_str()))
}

/// Sends `requests` requests over all connections and prints a line. Returns processor seconds per 1,000 requests.
async fn measure<F>(on: &str, what: &str, server: &Server, requests: usize, ask: F) -> f64
where
    F: for<'c> Fn(&'c mut Client, usize) -> BoxFuture<'c, ()> + Send + Clone + 'static,
{
    if !is_wanted(what) {
        return f64::NAN;
    }
    let next = Arc::new(AtomicUsize::new(0));
    let (before, begun) = (server.processor(), Instant::now());
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
    let used = (server.processor() - before) * 1_000.0 / requests as f64;
    let rate = requests as f64 / begun.elapsed().as_secs_f64();
    println!(
        "{on:<11} {what:<28} {requests:>6}  {used:>8.3} CPU-s/1,000  p50 {:>7.2} ms  p99 {:>7.2} ms  {rate:>7.0} /s",
        at(50),
        at(99)
    );
    used
}

/// Processor seconds of 1,000 password hashes, measured in this process: as many at once as in the server, because they compete for cache
/// and memory.
fn hash_alone(times: usize) -> f64 {
    let at_once = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let before = processor("self");
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                let params = Params::new(19_456, 2, 1, None).unwrap();
                let scheme = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                let (mut out, mut memory) = ([0; 32], vec![argon2::Block::default(); 19_456]);
                for _ in 0..times / at_once {
                    scheme
                        .hash_password_into_with_memory(b"password", b"saltsaltsaltsalt", &mut out, &mut memory)
                        .unwrap();
                }
            });
        }
    });
    (processor("self") - before) * 1_000.0 / (times / at_once * at_once) as f64
}

/// Accounts with a password, and the sign-in forms of their owners.
fn sign_ins(file: &str, people: usize) -> Vec<(String, String)> {
    let mut reader = csv::Reader::from_path(sample(file)).unwrap();
    let rows = reader.deserialize::<HashMap<String, String>>().map(|row| row.unwrap());
    let with_hash = rows.filter(|row| !row["password_hash"].is_empty()).take(people);
    let body = |row: HashMap<String, String>| {
        let password = format!("Hue-{}", row["account_id"]);
        let body = serde_urlencoded::to_string([("username", &row["username"]), ("password", &password)]);
        (row["account_id"].clone(), body.unwrap())
    };
    with_hash.map(body).collect()
}

async fn pages(on: &str, database: Option<String>, how_many: HowMany) {
    let HowMany {
        short,
        requests,
        rests,
        people,
        viewers,
        changes,
        ..
    } = how_many;
    let (server, start) = serve(database).await;
    let server = Arc::new(server);
    let idle = server.memory("VmRSS");
    println!("{on:<11} start to first answer {start:.2} s, memory idle {idle:.0} MiB");
    // The first sign-in also rehashes the password; only later ones have the usual cost.
    let bodies: Arc<[String]> = sign_ins("citizens.csv", people)
        .into_iter()
        .map(|(_, body)| body)
        .collect();
    let mut cookies = Vec::new();
    let mut client = Client::new(server.address, 100).await;
    for body in &*bodies {
        let answer = client.post("/sign-in", "", body).await;
        assert_eq!(answer.status, 303);
        cookies.push(answer.cookie.unwrap());
    }
    let cookies: Arc<[String]> = cookies.into();
    if rests {
        server.rest().await;
    }

    measure(on, "the first page: sign-in", &server, short, |client, _| {
        Box::pin(async move { assert_eq!(client.get("/sign-in", "").await.status, 200) })
    })
    .await;
    measure(on, "style", &server, short, |client, _| {
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
            Box::pin(async move { assert_eq!(client.post("/sign-in", "", &body).await.status, 303) })
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
    let most = server.memory("VmHWM");
    println!("{on:<11} memory under load at most {most:.0} MiB");
    if is_wanted("viewers") {
        viewers::watch(on, &server, viewers, &cookies[..changes]).await;
    }
}
