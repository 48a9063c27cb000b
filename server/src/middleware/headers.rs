//! The headers of each answer, for browsers and caches.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

/// What browsers may do with any answer of this server.
pub const FOR_BROWSERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// For two years, browsers connect to this host over TLS only (RFC 6797). Subdomains are not included, because they belong to
/// others.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Adds the headers that the answer does not set itself: a page that sends a form to a connected system has its own policy.
/// Personal pages are never cached.
pub fn add(mut answer: Response, over_tls: bool) -> Response {
    let headers = answer.headers_mut();
    headers.reserve(FOR_BROWSERS.len() + 2);
    for (name, value) in FOR_BROWSERS {
        headers.entry(name).or_insert(value);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(const { HeaderValue::from_static("no-store") });
    if over_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ONLY_TLS);
    }
    answer
}
