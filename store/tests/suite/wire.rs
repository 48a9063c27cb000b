//! A proxy between a server and PostgreSQL, which can fall silent, lose an answer, and refuse connections.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// The proxy and its switches.
pub struct Wire {
    pub port: u16,
    /// Connections with a lower number are silent from now on.
    cut: watch::Sender<u64>,
    /// A connection falls silent when the client sends this text: PostgreSQL does not receive it.
    pub swallowed: watch::Sender<Option<&'static str>>,
    /// A connection on which the client sends these texts in this order is closed once PostgreSQL has answered the last one: the client
    /// does not receive that answer.
    pub unanswered: watch::Sender<Option<&'static [&'static str]>>,
    /// PostgreSQL is unreachable once an answer was lost.
    pub then_away: watch::Sender<bool>,
    /// All connections are closed, and new ones are refused.
    pub away: watch::Sender<bool>,
    made: Arc<AtomicU64>,
    /// How many connections fell silent by a text.
    pub stuck: watch::Receiver<u64>,
}

/// The switches as one connection sees them.
struct Watched {
    cut: watch::Receiver<u64>,
    swallowed: watch::Receiver<Option<&'static str>>,
    unanswered: watch::Sender<Option<&'static [&'static str]>>,
    then_away: watch::Receiver<bool>,
    away: watch::Sender<bool>,
    stuck: watch::Sender<u64>,
}

impl Wire {
    /// A proxy in front of the tests' PostgreSQL.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, _) = watch::channel(0);
        let (swallowed, _) = watch::channel(None);
        let (unanswered, _) = watch::channel(None);
        let (then_away, _) = watch::channel(false);
        let (away, _) = watch::channel(false);
        let (stuck_tell, stuck) = watch::channel(0);
        let made = Arc::new(AtomicU64::new(0));
        let wire = Self {
            port,
            cut: cut.clone(),
            swallowed: swallowed.clone(),
            unanswered: unanswered.clone(),
            then_away: then_away.clone(),
            away: away.clone(),
            made: made.clone(),
            stuck,
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *away.borrow() {
                    continue;
                }
                let n = made.fetch_add(1, Ordering::SeqCst);
                let watched = Watched {
                    cut: cut.subscribe(),
                    swallowed: swallowed.subscribe(),
                    unanswered: unanswered.clone(),
                    then_away: then_away.subscribe(),
                    away: away.clone(),
                    stuck: stuck_tell.clone(),
                };
                tokio::spawn(carry(client, n, watched));
            }
        });
        wire
    }

    /// Silences all existing connections; new ones work.
    pub fn cut(&self) {
        self.cut.send_replace(self.made.load(Ordering::SeqCst));
    }

    /// Silences the next connection that sends this text.
    pub fn swallow(&self, said: &'static str) {
        self.swallowed.send_replace(Some(said));
    }

    /// Loses the answer to the last of these texts.
    pub fn lose_answer(&self, said: &'static [&'static str]) {
        self.unanswered.send_replace(Some(said));
    }
}

async fn carry(mut client: TcpStream, n: u64, mut watched: Watched) {
    let mut server = UnixStream::connect(socket()).await.unwrap();
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let (mut away, mut heard) = (watched.away.subscribe(), 0);
    loop {
        tokio::select! {
            biased;
            () = async { drop(away.wait_for(|away| *away).await) } => return,
            () = async { drop(watched.cut.wait_for(|before| n < *before).await) } => std::future::pending().await,
            read = client.read(&mut up) => {
                let Ok(read @ 1..) = read else { return };
                let says = |said: &str| String::from_utf8_lossy(&up[..read]).contains(said);
                let said = *watched.swallowed.borrow();
                if said.is_some_and(says) {
                    watched.stuck.send_modify(|n| *n += 1);
                    // As if the client were frozen: the connection stays open without traffic.
                    let _both_stay = (&client, &server);
                    std::future::pending::<()>().await;
                }
                if server.write_all(&up[..read]).await.is_err() { return }
                let said = *watched.unanswered.borrow();
                if said.and_then(|said| said.get(heard)).is_some_and(|said| says(said)) {
                    heard += 1;
                }
                if said.is_some_and(|said| heard >= said.len()) {
                    watched.unanswered.send_replace(None);
                    // An answer means that the statement was executed.
                    drop(server.read(&mut down).await);
                    if *watched.then_away.borrow() {
                        watched.away.send_replace(true);
                    }
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(read @ 1..) = read else { return };
                if client.write_all(&down[..read]).await.is_err() { return }
            }
        }
    }
}

/// The socket of the tests' PostgreSQL.
fn socket() -> String {
    let url = std::env::var("NGOMON_TEST_POSTGRES").expect("no PostgreSQL: run the tests by `cargo xtask test`");
    let (_, dir) = url.split_once("host=").expect("a socket");
    let dir = dir.split('&').next().unwrap().replace("%2F", "/");
    format!("{dir}/.s.PGSQL.5432")
}
