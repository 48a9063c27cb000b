//! The new session in the browser, and the sign-out.

use crate::app::App;
use crate::http::{BROWSER, ErrorPage, MOST_OWNERS, RequestContext, clear_session_cookie, cookie, session_cookie};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use ngomon_rules::records::AccountId;
use ngomon_store::{BrowserMark, Result, SessionToken, TwoFactorProof};

/// The cookie of a browser in which the owner of this login has signed in. The newest owner comes first.
pub fn browser_cookie(app: &App, ctx: &RequestContext, mark: &BrowserMark) -> CookieJar {
    let is_theirs = |kept: &&String| app.store.known_browser(mark, kept).is_some();
    let theirs = ctx.browsers.iter().find(is_theirs).cloned();
    let theirs = theirs.unwrap_or_else(|| app.store.mark_browser(mark));
    let others = ctx.browsers.iter().filter(|kept| **kept != theirs);
    let all: Vec<&str> = [&theirs]
        .into_iter()
        .chain(others)
        .take(MOST_OWNERS)
        .map(String::as_str)
        .collect();
    let mut cookie = cookie(BROWSER, all.join("."));
    cookie.make_permanent();
    CookieJar::new().add(cookie)
}

/// Begins a session after two factors. Operators go to the desk.
pub async fn enter_proven(app: &App, ctx: &RequestContext, proven: TwoFactorProof) -> Result<Response> {
    let account = proven.account().clone();
    let token = app.store.begin_proven_session(proven).await?;
    let session = app.store.session(token.as_str()).await?;
    let at_work = session.is_some_and(|session| session.operator().is_some());
    let to = if at_work && ctx.going.is_none() { "/desk" } else { "/" };
    enter_with(app, ctx, &account, &token, to).await
}

/// Enters the new session, which replaces the one that the browser had (no session fixation). The browser is known for its
/// owner from now on.
pub async fn enter_with(
    app: &App,
    ctx: &RequestContext,
    account: &AccountId,
    token: &SessionToken,
    to: &str,
) -> Result<Response> {
    if let Some(before) = &ctx.token {
        app.store.replace_session(before, token).await?;
    }
    if let Some(device) = &ctx.device {
        app.store.note_device(token.as_str(), device).await?;
    }
    if let Some(next) = &ctx.going {
        app.store.set_next(token.as_str(), next).await?;
    }
    let mark = app.store.browser_mark(account).await?;
    let known = mark.map(|mark| browser_cookie(app, ctx, &mark));
    Ok((session_cookie(token), known.unwrap_or_default(), Redirect::to(to)).into_response())
}

/// Signs out.
pub async fn sign_out(State(app): State<App>, ctx: RequestContext) -> Response {
    if let Some(token) = &ctx.token
        && let Err(error) = app.store.close_session(token).await
    {
        return ErrorPage(ctx.locale, error).into_response();
    }
    (clear_session_cookie(), Redirect::to("/sign-in?why=out")).into_response()
}
