//! The layer around each answer: the log span of the request, a time limit, and an error page if the program panics.

use crate::http::{LANGUAGE, Layout, MessagePage, html};
use crate::i18n::Locale;
use crate::openid::paths::is_for_programs;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::CookieJar;
use futures_util::FutureExt as _;
use ngomon_store::{Store, watched};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;
use tracing::Instrument as _;

/// The longest time until the head of an answer. Streams continue after it.
const LIMIT: Duration = Duration::from_secs(20);

/// The guard of all requests of a process.
#[derive(Clone)]
pub struct Guard {
    limit: Duration,
    /// Distinguishes requests of this process from those of others in the log.
    process: Arc<str>,
    count: Arc<AtomicU64>,
}

impl Guard {
    /// Creates the guard when the process starts.
    pub fn new(store: &Store) -> Self {
        let drawn = store.salt();
        let process: String = drawn.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Self {
            limit: LIMIT,
            process: process.into(),
            count: Arc::default(),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy)]
enum Fault {
    Late,
    Panic,
}

/// The middleware around each answer.
pub async fn watch(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let n = guard.count.fetch_add(1, Ordering::Relaxed);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let span =
        tracing::info_span!("request", id = %format_args!("{}-{n}", guard.process), method = %request.method(), route);
    let language = language(request.headers());
    let for_programs = reads_words(route);
    let answer = answer(guard, language, for_programs, request, next).instrument(span);
    // `watched` records whether the request has changed anything: an error page then does not claim that nothing was changed.
    watched(answer).await.0
}

async fn answer(guard: Guard, language: Option<Locale>, for_programs: bool, request: Request, next: Next) -> Response {
    let began = tracing::enabled!(tracing::Level::DEBUG).then(began);
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    let response = match timeout(guard.limit, work).await {
        Ok(Ok(response)) => response,
        // The panic hook has already logged the place.
        Ok(Err(_)) => failed(Fault::Panic, language, for_programs),
        Err(_) => {
            tracing::error!("not answered within {} s", guard.limit.as_secs());
            failed(Fault::Late, language, for_programs)
        }
    };
    let status = response.status().as_u16();
    if let Some(began) = began {
        tracing::debug!(
            status,
            ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
    } else if response.status().is_server_error() {
        tracing::warn!(status, "answered");
    }
    response
}

#[allow(clippy::disallowed_methods, reason = "how long an answer took decides nothing")]
fn began() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Whether the client is a program, which reads JSON, not a page.
fn reads_words(route: &str) -> bool {
    is_for_programs(route) || route.starts_with("/health/")
}

/// The language that the reader chose, from the cookie.
pub(crate) fn language(headers: &HeaderMap) -> Option<Locale> {
    headers.get(header::COOKIE)?;
    let chosen = CookieJar::from_headers(headers);
    chosen.get(LANGUAGE).and_then(|cookie| Locale::of_tag(cookie.value()))
}

/// The error answer. The request may have taken effect before the fault, so the text promises nothing.
fn failed(fault: Fault, language: Option<Locale>, for_programs: bool) -> Response {
    let status = match fault {
        Fault::Late => StatusCode::SERVICE_UNAVAILABLE,
        Fault::Panic => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let locale = language.or_else(|| Locale::of_tag("vi"));
    let Some(locale) = locale.filter(|_| !for_programs) else {
        let error = match fault {
            Fault::Late => "temporarily_unavailable",
            Fault::Panic => "server_error",
        };
        let body = serde_json::json!({"error": error, "error_description": "no answer could be made; ask for the state before asking again"});
        return (status, axum::Json(body)).into_response();
    };
    let layout = Layout::bare(locale).failing("S-500");
    let (title, text) = (locale.text("fault-title"), locale.text("fault-unknown-text"));
    html(status, &MessagePage::new(layout, title, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower::ServiceExt as _;

    async fn fails() -> &'static str {
        panic!("a fault of the program: 046090000001")
    }

    async fn asked(path: &str, language: Option<&str>) -> (StatusCode, String) {
        let guard = Guard {
            limit: Duration::from_millis(50),
            process: "test".into(),
            count: Arc::default(),
        };
        let site = Router::new()
            .route("/", get(|| async { "well" }))
            .route("/fails", get(fails))
            .route("/token", get(fails))
            .route("/hangs", get(std::future::pending::<&'static str>))
            .layer(axum::middleware::from_fn_with_state(guard, watch));
        let mut request = Request::builder().uri(path);
        if let Some(language) = language {
            request = request.header(header::COOKIE, format!("language={language}"));
        }
        let response = site.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// A panic is answered by an error page, or by JSON at the protocol endpoints.
    #[tokio::test]
    async fn panicking_handler_answers_500() {
        let (status, page) = asked("/fails", None).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(page.contains("S-500") && page.contains("Hệ thống"), "{page}");
        assert!(!page.contains("046090000001"));
        let (_, page) = asked("/fails", Some("en")).await;
        assert!(page.contains("The system"), "{page}");
        let (status, answer) = asked("/token", None).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.contains("\"server_error\""), "{answer}");
        assert_eq!(asked("/", None).await.0, StatusCode::OK);
    }

    /// A handler that takes too long is answered by an error page.
    #[tokio::test]
    async fn slow_handler_answers_503_after_time_limit() {
        let (status, page) = asked("/hangs", None).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(page.contains("S-500"), "{page}");
    }
}
