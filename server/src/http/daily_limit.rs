//! The daily limit for acts of an account.

use crate::app::App;
use crate::http::{RequestContext, message};
use axum::http::StatusCode;
use axum::response::Response;
use ngomon_store::{RateLimit, Result, Session};

/// The daily limit for each kind of act by one account: more than anybody needs.
const A_DAY: i64 = 20;

/// Counts one more use of an account's daily limit. Returns the page to show if it was one too many.
pub async fn once_more(
    app: &App,
    ctx: &RequestContext,
    session: &Session,
    what: &'static str,
) -> Result<Option<Response>> {
    let limit = RateLimit {
        what,
        times: A_DAY,
        seconds: 86_400,
    };
    if app.store.attempt(limit, &[session.account.as_str()]).await?.is_some() {
        return Ok(None);
    }
    let (title, text) = (ctx.locale.text("too-often-title"), ctx.locale.text("too-often-text"));
    Ok(Some(message(ctx, StatusCode::TOO_MANY_REQUESTS, title, text, "S-429")))
}
