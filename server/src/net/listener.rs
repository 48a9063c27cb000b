//! The HTTP listener: it accepts connections as long as there is room, and closes those that send nothing. An attacker who keeps many
//! connections open, or sends half a request, locks nobody out.

use crate::net::connections::{Answering, Bounds, ConnectionPermit, Connections};
use crate::net::timeouts::{BodyWithDeadline, StreamWithTimeout, after};
use crate::net::{Proxies, masked};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, Response, StatusCode, Version, header};
use axum::response::IntoResponse as _;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;

/// Requests since this process started.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// The number of requests since this process started.
pub fn requests() -> u64 {
    REQUESTS.load(Ordering::Relaxed)
}

/// A response being sent.
struct SentBody {
    body: Body,
    _answering: Answering,
}

impl HttpBody for SentBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Serves until `stop`; requests in progress are completed then.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    proxies: Proxies,
    bounds: Bounds,
    stop: impl Future<Output = ()>,
) {
    let room = Arc::new(Connections::default());
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    let mut minutes = tokio::time::interval(Duration::from_mins(1));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
            _ = minutes.tick() => {
                if let Some(told) = room.told() {
                    tracing::warn!("{told}");
                }
                continue;
            }
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_the_peers(&error) => continue,
            Err(error) => {
                tracing::error!("a connection: {error}");
                after(Duration::from_millis(100)).await;
                continue;
            }
        };
        let is_proxy = proxies.trusts(peer.ip());
        // A connection that is not admitted is closed at once.
        if let Some(place) = room.enter(masked(peer.ip()), is_proxy, &bounds) {
            let head = if is_proxy { bounds.head_of_proxy } else { bounds.head };
            connected(stream, peer, router.clone(), place, head, bounds, &graceful);
        }
    }
    drop(listener);
    let patience = after(bounds.stop);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = patience => {}
    }
}

fn connected(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    place: ConnectionPermit,
    head: Duration,
    bounds: Bounds,
    graceful: &GracefulShutdown,
) {
    // Disable Nagle's algorithm, so that a small response does not wait for an acknowledgement.
    stream.set_nodelay(true).ok();
    let seat = place.seat.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        let answering = Answering::new(&seat);
        REQUESTS.fetch_add(1, Ordering::Relaxed);
        async move {
            if !is_for_one_host(request.version(), request.headers()) {
                let refusal = (StatusCode::BAD_REQUEST, "one Host header\n");
                return Ok::<Response<Body>, Infallible>(refusal.into_response());
            }
            let mut request = request.map(|body| {
                let time = Box::pin(after(bounds.body));
                Body::new(BodyWithDeadline { body, time })
            });
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = router.oneshot(request).await?;
            Ok(answer.map(|body| {
                Body::new(SentBody {
                    body,
                    _answering: answering,
                })
            }))
        }
    });
    let io = TokioIo::new(StreamWithTimeout {
        stream,
        patience: bounds.write,
        waiting: None,
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_header_size(LARGEST_HEAD)
        .serve_connection(io, service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        tokio::select! {
            // An error ends its own connection only.
            done = connection => if done.is_err_and(|error| error.is_timeout()) {
                place.room.silent.fetch_add(1, Ordering::Relaxed);
            },
            () = place.seat.leave.notified() => {}
        }
        drop(place);
    });
}

fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// RFC 9112, 3.2: a request of HTTP/1.1 has exactly one Host header.
fn is_for_one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => {
            let host = host.to_str().unwrap_or_default();
            host.parse::<axum::http::uri::Authority>().is_ok() && !host.contains('@')
        }
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    struct Door {
        at: SocketAddr,
        stop: oneshot::Sender<()>,
        served: JoinHandle<()>,
    }

    /// Timeouts of hours, for tests that do not wait for them.
    const LONG: Bounds = Bounds {
        head: Duration::from_hours(1),
        head_of_proxy: Duration::from_hours(1),
        body: Duration::from_hours(1),
        write: Duration::from_hours(1),
        stop: Duration::from_hours(1),
        connections: 100,
        when_crowded: 100,
    };
    const SHORT: Duration = Duration::from_millis(100);

    async fn door(bounds: Bounds, proxies: Proxies) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/echo", post(|body: String| async { body }))
            .route("/much", get(|| async { "x".repeat(64 << 20) }));
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            stopped.await.ok();
        };
        let served = tokio::spawn(serve(listener, router, proxies, bounds, stopped));
        Door { at, stop, served }
    }

    impl Door {
        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.at).await.unwrap()
        }

        /// Everything received until the server closes the connection.
        async fn answered(&self, sent: &str) -> String {
            let mut stream = self.connect().await;
            stream.write_all(sent.as_bytes()).await.unwrap();
            rest(&mut stream).await
        }
    }

    async fn rest(stream: &mut TcpStream) -> String {
        let mut all = Vec::new();
        // A reset ends the connection as well.
        stream.read_to_end(&mut all).await.ok();
        String::from_utf8_lossy(&all).into_owned()
    }

    const ASK: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    /// A connection that sends nothing, half a head or half a body is closed after its time limit.
    #[tokio::test]
    async fn connection_with_incomplete_request_is_closed() {
        let half_head = "GET / HTTP/1.1\r\nHost: a\r\nX-A";
        let after_one = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let bounds = Bounds { head: SHORT, ..LONG };
        for (sent, ends) in [("", ""), (half_head, ""), (after_one, "here")] {
            let answer = door(bounds, Proxies::default()).await.answered(sent).await;
            assert!(
                answer.ends_with(ends) && answer.is_empty() == ends.is_empty(),
                "{sent:?}: {answer}"
            );
        }
        let half_body = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345";
        let bounds = Bounds { body: SHORT, ..LONG };
        let answer = door(bounds, Proxies::default()).await.answered(half_body).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }

    /// A connection whose client does not read the response is closed after its time limit.
    #[tokio::test]
    async fn connection_that_reads_no_response_is_closed() {
        let door = door(Bounds { write: SHORT, ..LONG }, Proxies::default()).await;
        let mut stream = door.connect().await;
        let ask = "GET /much HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(ask.as_bytes()).await.unwrap();
        // The response is in progress; the rest of it is not read.
        stream.read_exact(&mut [0]).await.unwrap();
        // After the stop, the server waits only for requests in progress.
        door.stop.send(()).unwrap();
        door.served.await.unwrap();
    }

    /// Many idle connections of one address lock nobody out, not even others from that address.
    #[tokio::test]
    async fn idle_connections_closed_for_new_ones() {
        let bounds = Bounds {
            connections: 8,
            when_crowded: 2,
            ..LONG
        };
        let here = door(bounds, Proxies::default()).await;
        let mut silent = Vec::new();
        for _ in 0..20 {
            let mut stream = here.connect().await;
            stream.write_all(b"GET ").await.ok();
            silent.push(stream);
            assert!(here.answered(ASK).await.ends_with("here"));
        }
        assert_eq!(rest(&mut silent[0]).await, "", "the first went first");
    }

    /// The head of a request names exactly one host and has a limited size.
    #[tokio::test]
    async fn request_head_needs_one_host_and_limited_size() {
        let door = door(LONG, Proxies::default()).await;
        let close = "Connection: close\r\n\r\n";
        for (head, status) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n".to_owned(), 200),
            ("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n".to_owned(), 200),
            ("GET / HTTP/1.0\r\n".to_owned(), 200),
            ("GET / HTTP/1.1\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n".to_owned(), 400),
            ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost: a b\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost:\r\n".to_owned(), 400),
            (
                format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n", "x".repeat(50_000)),
                200,
            ),
            (
                format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n", "x".repeat(70_000)),
                431,
            ),
        ] {
            let answer = door.answered(&format!("{head}{close}")).await;
            let line = answer.lines().next().unwrap_or_default();
            assert!(
                line.contains(&format!(" {status} ")),
                "{line} for {}",
                &head[..head.len().min(60)]
            );
        }
    }

    /// At a shutdown the server finishes its responses and closes idle connections at once.
    #[tokio::test]
    async fn shutdown_waits_for_responses_not_for_idle_connections() {
        let door = door(LONG, Proxies::default()).await;
        let mut idle = door.connect().await;
        let mut kept = door.connect().await;
        kept.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut some = [0; 8];
        kept.read_exact(&mut some).await.unwrap();
        door.stop.send(()).unwrap();
        door.served.await.unwrap();
        assert!(rest(&mut kept).await.ends_with("here"));
        assert_eq!(rest(&mut idle).await, "");
    }
}
