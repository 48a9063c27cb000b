//! Sign-out requested by a client (OpenID Connect RP-Initiated Logout 1.0).

use crate::app::App;
use crate::http::{ErrorPage, Layout, MessagePage, RequestContext, clear_session_cookie, html, redirect_page};
use crate::openid::authorize::RequestProblem;
use crate::openid::error::OAuthError;
use crate::openid::params::Params;
use askama::Template;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_store::RegisteredClient;
use url::Url;

#[derive(Template)]
#[template(path = "sign_out.html")]
struct LogoutPage {
    layout: Layout,
    /// The error in the request. If there is one, the page only offers the sign-out and ignores the rest of the request.
    wrong: Option<String>,
    /// The request, as a query.
    request: String,
}

/// A request by GET.
pub async fn show(State(app): State<App>, ctx: RequestContext, RawQuery(query): RawQuery) -> Response {
    let params = Params::read(query.unwrap_or_default().as_bytes());
    asked(&app, &ctx, &params).await
}

/// A request by POST. It is redirected to the same request by GET, because the browser sends the session cookie only when it navigates
/// itself.
pub async fn posted(headers: HeaderMap, body: Bytes) -> Response {
    match Params::of_body(&headers, &body) {
        Ok(params) => Redirect::to(&format!("/end-session?{}", params.query())).into_response(),
        Err(fault) => fault.into_response(),
    }
}

/// The owner confirmed the sign-out.
pub async fn agreed(State(app): State<App>, ctx: RequestContext, body: Bytes) -> Response {
    let request = Params::read(&body).get("request").unwrap_or_default().to_owned();
    let params = Params::read(request.as_bytes());
    match wish(&app, &params).await {
        Ok(wish) => signed_out(&app, &ctx, wish, true).await,
        Err(problem) => wrong(&ctx, &params, problem),
    }
}

/// The page of an invalid request, which includes a token signed by a deleted key. It shows the error, lets the owner sign out all the
/// same, and redirects nowhere.
fn wrong(ctx: &RequestContext, params: &Params, problem: RequestProblem) -> Response {
    let locale = ctx.locale;
    let fault = match problem {
        RequestProblem::Told(fault) => fault,
        RequestProblem::Store(error) => return ErrorPage(locale, error).into_response(),
    };
    let mut layout = ctx.layout();
    layout.here = here(params);
    let layout = layout.failing("O-400");
    let text = locale.text_with("sign-out-wrong", &[("why", &fault.description)]);
    if ctx.session.is_some() {
        let page = LogoutPage {
            layout,
            wrong: Some(text),
            request: String::new(),
        };
        return html(StatusCode::BAD_REQUEST, &page);
    }
    let (title, text) = (
        locale.text("sign-out-wrong-title"),
        format!("{text} {}", locale.text("sign-out-over")),
    );
    html(StatusCode::BAD_REQUEST, &MessagePage::new(layout, title, text))
}

/// A valid logout request.
struct LogoutRequest {
    /// The post-logout redirect URI.
    to: Option<String>,
    /// The subject of the ID token hint, with its client.
    subject: Option<(RegisteredClient, String)>,
}

/// Reads the client and its registered post-logout redirect URI from the request.
async fn wish(app: &App, params: &Params) -> Result<LogoutRequest, RequestProblem> {
    params.well_formed()?;
    let hint = match params.get("id_token_hint") {
        Some(hint) => {
            let claims = app.signer.verify(&app.store, hint, "JWT").await?;
            Some(claims.ok_or_else(|| OAuthError::request("id_token_hint is not ours"))?)
        }
        None => None,
    };
    let hinted = hint.as_ref().and_then(|claims| claims["aud"].as_str());
    if let (Some(hinted), Some(named)) = (hinted, params.get("client_id"))
        && hinted != named
    {
        return Err(OAuthError::request("client_id and id_token_hint name two clients").into());
    }
    let known = match hinted.or(params.get("client_id")) {
        Some(id) => {
            let known = app.store.client(id).await?;
            Some(known.ok_or_else(|| OAuthError::request("the client is unknown"))?)
        }
        None => None,
    };
    let to = match (params.get("post_logout_redirect_uri"), &known) {
        (None, _) => None,
        (Some(uri), Some(known))
            if known.enabled && known.client.post_logout_redirect_uris.iter().any(|one| one == uri) =>
        {
            Some(with_state(uri, params.get("state"))?)
        }
        (Some(_), _) => return Err(OAuthError::request("post_logout_redirect_uri is not one of the client's").into()),
    };
    let subject = hint
        .as_ref()
        .and_then(|claims| claims["sub"].as_str())
        .map(str::to_owned);
    Ok(LogoutRequest {
        to,
        subject: known.zip(subject),
    })
}

fn with_state(uri: &str, state: Option<&str>) -> Result<String, OAuthError> {
    let mut url = Url::parse(uri).map_err(|_| OAuthError::request("post_logout_redirect_uri"))?;
    if let Some(state) = state {
        url.query_pairs_mut().append_pair("state", state);
    }
    Ok(url.into())
}

async fn asked(app: &App, ctx: &RequestContext, params: &Params) -> Response {
    let wish = match wish(app, params).await {
        Ok(wish) => wish,
        Err(problem) => return wrong(ctx, params, problem),
    };
    let Some(session) = &ctx.session else {
        return signed_out(app, ctx, wish, false).await;
    };
    let meant = match &wish.subject {
        Some((known, subject)) => match app.store.subject_of(&known.id, &session.account).await {
            Ok(here) => here.as_ref() == Some(subject),
            Err(error) => return ErrorPage(ctx.locale, error).into_response(),
        },
        None => false,
    };
    if meant {
        return signed_out(app, ctx, wish, false).await;
    }
    // Anybody can make a link, so without a token of ours the owner must confirm.
    let mut layout = ctx.layout();
    layout.here = here(params);
    let request = params.query();
    let page = LogoutPage {
        layout,
        wrong: None,
        request,
    };
    html(StatusCode::OK, &page)
}

/// The request, for the link to the other language.
fn here(params: &Params) -> String {
    format!("/end-session?{}", params.query())
}

async fn signed_out(app: &App, ctx: &RequestContext, wish: LogoutRequest, by_form: bool) -> Response {
    if let Some(token) = &ctx.token
        && let Err(error) = app.store.close_session(token).await
    {
        return ErrorPage(ctx.locale, error).into_response();
    }
    let mut layout = ctx.layout();
    (layout.signed_in, layout.desk, layout.here) = (false, false, "/sign-in".into());
    let page = match wish.to {
        Some(to) if by_form => redirect_page(layout, to),
        Some(to) => Redirect::to(&to).into_response(),
        None => {
            let (title, text) = (ctx.locale.text("signed-out-title"), ctx.locale.text("signed-out-text"));
            html(StatusCode::OK, &MessagePage::new(layout, title, text))
        }
    };
    (clear_session_cookie(), page).into_response()
}
