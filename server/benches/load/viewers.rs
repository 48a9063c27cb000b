//! Many viewers of the live report while forms are answered: the time until each sees the change.

use super::client::Client;
use super::server::Server;
use super::sign_ins;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;

/// Streams of one session: the server allows no more.
const OF_SESSION: usize = 4;
/// The interval between two forms.
const PAUSE: Duration = Duration::from_secs(1);

/// What a viewer saw: the number of refused accounts, and when it appeared.
type Seen = Vec<(u64, Instant)>;

/// Reads a stream until `until` accounts are refused. `ready` gets a permit at the first figures.
async fn look(server: Arc<Server>, from: usize, cookie: String, until: u64, ready: Arc<Semaphore>) -> Seen {
    let mut client = Client::new(server.address, from).await;
    let head = format!("GET /report/live/46 HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n");
    client.stream.write_all(head.as_bytes()).await.unwrap();
    let (mut seen, mut line) = (Seen::new(), String::new());
    while seen.last().is_none_or(|(n, _)| *n < until) {
        line.clear();
        assert_ne!(client.stream.read_line(&mut line).await.unwrap(), 0, "it goes on");
        let Some((_, rest)) = line.split_once("\"refused\":\"").filter(|_| line.starts_with("data: ")) else {
            assert!(
                !line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.1 200"),
                "{line}"
            );
            continue;
        };
        let digits: String = rest
            .chars()
            .take_while(|c| *c != '"')
            .filter(char::is_ascii_digit)
            .collect();
        seen.push((digits.parse().unwrap(), Instant::now()));
        if seen.len() == 1 {
            ready.add_permits(1);
        }
    }
    seen
}

/// Runs `viewers` viewers while a form is refused for each citizen's session, one a second. Prints the time until all of them saw it.
pub async fn watch(on: &str, server: &Arc<Server>, viewers: usize, citizens: &[String]) {
    let mut cookies = Vec::new();
    for (n, (_, body)) in sign_ins("officials.csv", viewers.div_ceil(OF_SESSION))
        .iter()
        .enumerate()
    {
        let mut client = Client::new(server.address, n).await;
        cookies.extend(client.post("/sign-in", "", body).await.cookie);
    }
    assert_eq!(
        cookies.len(),
        viewers.div_ceil(OF_SESSION),
        "the sample has so many officials with a password"
    );
    let (ready, changes) = (Arc::new(Semaphore::new(0)), citizens.len() as u64);
    let streams: Vec<_> = (0..viewers)
        .map(|n| {
            tokio::spawn(look(
                server.clone(),
                n,
                cookies[n / OF_SESSION].clone(),
                changes,
                ready.clone(),
            ))
        })
        .collect();
    ready
        .acquire_many(u32::try_from(viewers).unwrap())
        .await
        .unwrap()
        .forget();

    // A form is answered at once, and so refused.
    let set = server
        .beside(&["campaign", "set", "form-code", "off"])
        .output()
        .unwrap();
    assert!(set.status.success(), "{set:?}");
    let (before, begun) = (server.processor(), Instant::now());
    let mut sent = Vec::new();
    let mut client = Client::new(server.address, 200).await;
    for (n, cookie) in citizens.iter().enumerate() {
        tokio::time::sleep_until((begun + PAUSE * u32::try_from(n).unwrap()).into()).await;
        let (number, phone) = (format!("0460900{n:05}"), format!("0912{n:06}"));
        let form = [
            ("full_name", "Lê An"),
            ("national_id", &number),
            ("issued_on", "1/5/2021"),
            ("phone", &phone),
            ("mine", "yes"),
        ];
        let body = serde_urlencoded::to_string(form).unwrap();
        sent.push(Instant::now());
        assert_eq!(client.post("/form", cookie, &body).await.status, 422, "refused");
    }
    let mut took: Vec<Duration> = Vec::new();
    for stream in streams {
        let seen = stream.await.unwrap();
        for (n, sent) in (1..).zip(&sent) {
            let (_, at) = seen.iter().find(|(refused, _)| *refused >= n).unwrap();
            took.push(at.duration_since(*sent));
        }
    }
    let used = (server.processor() - before) / begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)].as_secs_f64();
    println!(
        "{on:<11} {viewers} viewers, {changes} changes: shown after p50 {:.2} s, p99 {:.2} s, at most {:.2} s; {used:.2} of a processor, memory {:.0} MiB",
        at(50),
        at(99),
        at(100),
        server.memory("VmRSS")
    );
}
