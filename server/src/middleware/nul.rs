//! The check that no request contains a NUL: nobody types one, and not every database can store it. Address and form body are
//! checked once, before any handler; both may carry it as `%00` or as a raw byte. A NUL that arrives another way (within a
//! token, a file) is refused by the store.

use crate::app::App;
use crate::http::{RequestContext, message};
use crate::openid::error::OAuthError;
use crate::openid::paths::is_for_programs;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

fn has_nul(text: &[u8]) -> bool {
    text.contains(&0) || text.windows(3).any(|three| three == b"%00")
}

/// The middleware before each handler.
pub async fn refuse(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let address = parts.uri.path_and_query();
    if address.is_some_and(|address| has_nul(address.as_str().as_bytes())) {
        return refused(&app, &mut parts).await;
    }
    // A larger body is refused by the handler that would read it.
    if body.is_end_stream() || body.size_hint().lower() > LARGEST as u64 {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let Ok(sent) = to_bytes(body, LARGEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    if has_nul(&sent) {
        return refused(&app, &mut parts).await;
    }
    next.run(Request::from_parts(parts, Body::from(sent))).await
}

async fn refused(app: &App, parts: &mut Parts) -> Response {
    if is_for_programs(parts.uri.path()) {
        return OAuthError::nul().into_response();
    }
    match RequestContext::from_request_parts(parts, app).await {
        Ok(mut ctx) => {
            // The link to the other language must not contain the NUL.
            ctx.here = "/".into();
            ctx.going = None;
            let (title, text) = (ctx.locale.text("nul-title"), ctx.locale.text("nul-text"));
            message(&ctx, StatusCode::BAD_REQUEST, title, text, "S-400")
        }
        Err(answer) => answer,
    }
}

/// The largest request body of a form, in bytes.
pub const LARGEST: usize = 16 * 1024;
