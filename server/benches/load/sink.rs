//! A connected system that accepts all events and records when they arrived.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The received events.
#[derive(Clone)]
pub struct Sink {
    address: SocketAddr,
    posts: Arc<Mutex<Posts>>,
    count: watch::Sender<usize>,
}

#[derive(Default)]
struct Posts {
    at: Vec<Instant>,
    body: String,
}

impl Sink {
    /// Listens on a local port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sink = Self {
            address: listener.local_addr().unwrap(),
            posts: Arc::default(),
            count: watch::Sender::new(0),
        };
        let router = Router::new().route("/", post(take)).with_state(sink.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        sink
    }

    /// The URL for events.
    pub fn address(&self) -> String {
        format!("http://localhost:{}/", self.address.port())
    }

    /// Waits for that many events; returns the last body and the rate per second from the first to the last.
    pub async fn wait_for(&self, posts: usize) -> (String, f64) {
        self.count.subscribe().wait_for(|count| *count >= posts).await.unwrap();
        let taken = self.posts.lock().unwrap();
        let time = taken.at[taken.at.len() - 1] - taken.at[0];
        (taken.body.clone(), (taken.at.len() - 1) as f64 / time.as_secs_f64())
    }

    /// The baseline: the rate per second of the same body from a client that only posts, `at_once` in parallel.
    pub async fn baseline(body: &str, posts: usize, at_once: usize) -> f64 {
        // Another provider may be installed already.
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let sink = Self::start().await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        for first in 0..at_once {
            let (client, to, body) = (client.clone(), sink.address(), body.to_owned());
            tokio::spawn(async move {
                for _ in (first..posts).step_by(at_once) {
                    assert!(
                        client
                            .post(&to)
                            .body(body.clone())
                            .send()
                            .await
                            .unwrap()
                            .status()
                            .is_success()
                    );
                }
            });
        }
        sink.wait_for(posts).await.1
    }
}

async fn take(State(sink): State<Sink>, body: String) {
    let mut posts = sink.posts.lock().unwrap();
    posts.at.push(Instant::now());
    posts.body = body;
    drop(posts);
    sink.count.send_modify(|count| *count += 1);
}
