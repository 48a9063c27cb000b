//! The HTTP listener: it accepts connections as long as there is room, and closes those that send nothing. An attacker who keeps many
//! connections open, or sends half a request, locks nobody out.

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
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::Sleep;
use tower::ServiceExt as _;

/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;

/// Timeouts, and limits on connections.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Timeout for the head of a request, also for the next one on the same connection.
    pub head: Duration,
    /// The same for a trusted proxy, which keeps connections open for its next client.
    pub head_of_proxy: Duration,
    /// Timeout for the body of a request.
    pub body: Duration,
    /// Timeout for a client that reads nothing of its response.
    pub write: Duration,
    /// Time for requests in progress after a stop signal.
    pub stop: Duration,
    /// The most connections in all; half of them from one address (for IPv6, a /64).
    pub connections: usize,
    /// The most connections from one address once half of all are taken.
    pub when_crowded: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            head_of_proxy: Duration::from_secs(90),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
            stop: Duration::from_secs(10),
            connections: descriptors().saturating_sub(OWN_DESCRIPTORS).clamp(64, 10_000),
            when_crowded: 16,
        }
    }
}

/// File descriptors reserved for the program itself: the database, deliveries to clients.
const OWN_DESCRIPTORS: usize = 256;

/// The limit of open files and connections of this process.
fn descriptors() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit
        .current
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(usize::MAX)
}

/// Requests since this process started.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// The number of requests since this process started.
pub fn requests() -> u64 {
    REQUESTS.load(Ordering::Relaxed)
}

/// The open connections, and the counts of refused and closed ones.
#[derive(Debug, Default)]
struct Connections {
    inside: Mutex<HashMap<IpAddr, BTreeMap<u64, Arc<ConnectionState>>>>,
    seats: AtomicU64,
    refused: AtomicU64,
    silent: AtomicU64,
}

/// An open connection.
#[derive(Debug, Default)]
struct ConnectionState {
    /// Requests in progress.
    answers: AtomicUsize,
    /// Notified when its place is needed for another connection.
    leave: Notify,
}

/// The place of a connection, freed on drop.
struct ConnectionPermit {
    room: Arc<Connections>,
    address: IpAddr,
    number: u64,
    seat: Arc<ConnectionState>,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut inside = self.room.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seats) = inside.get_mut(&self.address) {
            seats.remove(&self.number);
            if seats.is_empty() {
                inside.remove(&self.address);
            }
        }
    }
}

/// Closes the oldest connection without a request in progress. Returns whether there was one.
fn make_room(seats: &mut BTreeMap<u64, Arc<ConnectionState>>) -> bool {
    let mut silent = seats
        .iter()
        .filter(|(_, seat)| seat.answers.load(Ordering::Relaxed) == 0);
    let Some(number) = silent.next().map(|(number, _)| *number) else {
        return false;
    };
    if let Some(seat) = seats.remove(&number) {
        seat.leave.notify_one();
    }
    true
}

impl Connections {
    /// Admits a connection. At the limit of its address, it replaces an idle connection of the same address; at the total limit, an idle
    /// one of the address with the most connections.
    fn enter(self: &Arc<Self>, address: IpAddr, is_proxy: bool, bounds: &Bounds) -> Option<ConnectionPermit> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let half = bounds.connections / 2;
        let all: usize = inside.values().map(BTreeMap::len).sum();
        let most = if all >= half { bounds.when_crowded } else { half };
        let own = inside.entry(address).or_default();
        // A proxy's connections belong to its clients, whose addresses are counted at the sign-in.
        let mut has_room = is_proxy || own.len() < most;
        let mut gone = false;
        if !has_room {
            gone = make_room(own);
            has_room = gone;
        }
        if has_room && !gone && all >= bounds.connections {
            let crowd = inside.values_mut().max_by_key(|seats| seats.len());
            gone = crowd.is_some_and(make_room);
            has_room = gone;
        }
        self.silent.fetch_add(u64::from(gone), Ordering::Relaxed);
        if !has_room {
            self.refused.fetch_add(1, Ordering::Relaxed);
            if inside.get(&address).is_some_and(BTreeMap::is_empty) {
                inside.remove(&address);
            }
            return None;
        }
        let number = self.seats.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(ConnectionState::default());
        inside.entry(address).or_default().insert(number, seat.clone());
        Some(ConnectionPermit {
            room: self.clone(),
            address,
            number,
            seat,
        })
    }

    /// The text for the log about connections refused or closed since the last call, if there were any.
    fn told(&self) -> Option<String> {
        let [refused, silent] = [&self.refused, &self.silent].map(|n| n.swap(0, Ordering::Relaxed));
        (refused + silent > 0)
            .then(|| format!("connections: {refused} were one too many, {silent} were closed since nothing came"))
    }
}

/// A request in progress, until the response is sent completely.
struct Answering(Arc<ConnectionState>);

impl Answering {
    fn new(seat: &Arc<ConnectionState>) -> Self {
        seat.answers.fetch_add(1, Ordering::Relaxed);
        Self(seat.clone())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answers.fetch_sub(1, Ordering::Relaxed);
    }
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

/// A timeout: there is no event to wait for.
#[expect(clippy::disallowed_methods, reason = "there is no condition: nothing comes")]
fn after(time: Duration) -> Sleep {
    tokio::time::sleep(time)
}

/// A request body with a deadline.
struct BodyWithDeadline {
    body: Incoming,
    time: Pin<Box<Sleep>>,
}

impl HttpBody for BodyWithDeadline {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        self.time
            .as_mut()
            .poll(cx)
            .map(|()| Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream with a write timeout, for a client that reads nothing.
struct StreamWithTimeout {
    stream: TcpStream,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl StreamWithTimeout {
    fn in_time<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.waiting = None;
            return done;
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(after(self.patience)));
        waiting
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::Error::from(io::ErrorKind::TimedOut)))
    }
}

impl AsyncRead for StreamWithTimeout {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for StreamWithTimeout {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.in_time(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
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

    #[tokio::test]
    async fn who_sends_nothing_or_half_of_a_head_or_body_is_closed() {
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

    #[tokio::test]
    async fn who_takes_nothing_of_an_answer_is_closed() {
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
    async fn who_says_nothing_makes_room_for_who_comes() {
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

    #[test]
    fn each_address_has_half_and_little_once_it_is_crowded() {
        let bounds = Bounds {
            connections: 20,
            when_crowded: 2,
            ..LONG
        };
        let room = Arc::new(Connections::default());
        let enter = |last: u8, is_proxy| room.enter(IpAddr::from([192, 0, 2, last]), is_proxy, &bounds);
        let busy = |place: Option<ConnectionPermit>| place.map(|place| (Answering::new(&place.seat), place));
        let one: Vec<_> = (0..30).map_while(|_| busy(enter(1, false))).collect();
        assert_eq!(one.len(), 10, "all of them are being answered");
        let others: Vec<_> = (2..9)
            .flat_map(|last| (0..3).filter_map(move |_| busy(enter(last, false))))
            .collect();
        assert_eq!(others.len(), 10, "until it is full");
        assert!(enter(9, false).is_none() && enter(9, true).is_none());
        let told = room.told().unwrap();
        assert!(
            told.contains(" were one too many") && told.contains(" 0 were closed"),
            "{told}"
        );
        assert!(room.told().is_none());
        // As soon as one is idle, another is admitted; a trusted proxy has no limit.
        let mut one = one;
        let (answering, _silent) = one.remove(0);
        drop(answering);
        let proxy = enter(10, true).unwrap();
        assert!(room.told().is_some());
        drop((proxy, others));
        let many: Vec<_> = (0..9).map_while(|_| enter(10, true)).collect();
        assert_eq!(many.len(), 9);
    }

    #[tokio::test]
    async fn a_head_names_one_host_and_is_not_endless() {
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

    #[tokio::test]
    async fn told_to_stop_it_waits_for_answers_and_not_for_who_is_silent() {
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
