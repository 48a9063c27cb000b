//! The sign-in by user name and password, and the sign-out. Every wrong attempt gets the same message, in about the same time.

use crate::app::App;
use crate::http::{ErrorPage, RequestContext};
use crate::security::password::{
    Lane, NOBODY, fits_evenly, hashed, is_current, on_hash_pool, verify, with_minimum_delay,
};
use crate::sign_in::choose_account::enter_one_of;
use crate::sign_in::limits;
use crate::sign_in::page::{SignInNotice, error_page, page};
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::records::AccountId;
use ngomon_store::{Credential, Factor, Requester, Result, SessionEnd, StoreError, TryResult};
use serde::Deserialize;

/// The most accounts of one user name that are checked: each costs a password hash.
const MOST_ACCOUNTS: usize = 8;

/// The submitted form.
#[derive(Deserialize)]
pub struct SignInForm {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

/// The reason why the visitor has to sign in.
#[derive(Deserialize)]
pub struct SignInQuery {
    #[serde(default)]
    why: String,
}

/// Shows the form.
pub async fn show(
    State(app): State<App>,
    ctx: RequestContext,
    Query(SignInQuery { why }): Query<SignInQuery>,
) -> Response {
    // A connected system may require a new sign-in.
    if ctx.session.is_some() && ctx.going.is_none() {
        return Redirect::to("/").into_response();
    }
    let notice = ["kept", "reset", "reset-devices", "out"].contains(&why.as_str());
    let notice = notice.then(|| format!("sign-in-why-{why}"));
    let notice = notice.or_else(|| ctx.insecure.then(|| "sign-in-insecure".to_owned()));
    let notice = match notice {
        None => match over(&app, &ctx).await {
            Ok(over) => over.map(ToOwned::to_owned),
            Err(error) => return ErrorPage(ctx.locale, error).into_response(),
        },
        notice => notice,
    };
    let said = SignInNotice {
        username: ctx.going.as_deref().and_then(login_hint).unwrap_or_default(),
        notice: notice.map(|key| ctx.locale.text(&key)),
        ..SignInNotice::default()
    };
    page(&ctx, StatusCode::OK, said)
}

/// The message key for why the browser's session has ended. The text names no hold: the cookie may be in other hands.
async fn over(app: &App, ctx: &RequestContext) -> Result<Option<&'static str>> {
    let Some(token) = ctx.token.as_deref().filter(|_| ctx.session.is_none()) else {
        return Ok(None);
    };
    Ok(Some(match app.store.session_end(token).await? {
        SessionEnd::Time => "sign-in-over-time",
        SessionEnd::Change => "sign-in-over-change",
        SessionEnd::Gone => "sign-in-over-gone",
    }))
}

/// The user name that a connected system expects.
fn login_hint(going: &str) -> Option<String> {
    let (_, query) = going.split_once('?')?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, hint) = pairs.find(|(name, _)| name == "login_hint")?;
    Some(hint.chars().take(200).collect())
}

/// Checks name and password and begins a session.
pub async fn enter(
    State(app): State<App>,
    ctx: RequestContext,
    typed: std::result::Result<Form<SignInForm>, FormRejection>,
) -> Response {
    let locale = ctx.locale;
    let Ok(Form(SignInForm { username, password })) = typed else {
        return error_page(&ctx, StatusCode::UNPROCESSABLE_ENTITY, "", "sign-in-unreadable");
    };
    let username = username.trim().to_owned();
    if username.is_empty() || password.is_empty() {
        return error_page(&ctx, StatusCode::UNPROCESSABLE_ENTITY, &username, "sign-in-empty");
    }
    let not_before = with_minimum_delay();
    // Taken before the hash is read: a session by a password that is changed meanwhile is then refused.
    let at = app.store.now();
    let answer = async {
        let who = who_tries(&app, &ctx, &username).await?;
        let limits = limits::password(&ctx, &who, &username);
        let again = limits::tries_again(&app, &who, &limits).await?;
        let lane = Lane::enter(&who, &username, again).await;
        let tried = app.store.tried(&limits, async {
            let fitting = fitting(&app, &lane, &username, password.clone()).await?;
            Ok(if fitting.is_empty() { Err(()) } else { Ok(fitting) })
        });
        let fitting = match tried.await? {
            TryResult::Right(fitting) => fitting,
            TryResult::Wrong((), _) => {
                lane.wrong().await;
                not_before.await;
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return Ok(error_page(&ctx, status, &username, "sign-in-wrong"));
            }
            TryResult::TooOften => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                return Ok(error_page(&ctx, status, &username, "sign-in-too-often"));
            }
        };
        rehash(&app, &fitting, password).await?;
        let accounts: Vec<AccountId> = fitting.into_iter().map(|one| one.account).collect();
        enter_one_of(&app, &ctx, &accounts, Factor::Password, at).await
    };
    answer
        .await
        .unwrap_or_else(|e: StoreError| ErrorPage(locale, e).into_response())
}

/// The accounts of this name whose password is right. They are read after the wait in the lane, so a password changed meanwhile
/// counts. Hashing occupies a processor for a while, so it runs on a hashing thread.
pub async fn fitting(app: &App, lane: &Lane, username: &str, password: String) -> Result<Vec<Credential>> {
    let found = app.store.credentials(username).await?;
    let work = lane.hash(move || {
        let mut tried = 0;
        let fitting: Vec<Credential> = found
            .into_iter()
            .filter(|one| one.password_hash.is_some())
            .take(MOST_ACCOUNTS)
            .filter(|one| {
                tried += 1;
                one.password_hash
                    .as_deref()
                    .is_some_and(|hash| fits_evenly(&password, hash))
            })
            .collect();
        if tried == 0 {
            verify(&password, NOBODY);
        }
        fitting
    });
    // A hash that makes its parser panic matches nothing.
    Ok(work.await.unwrap_or_default())
}

/// Who tries this name. Only a browser with a stored mark can be known for it.
pub async fn who_tries(app: &App, ctx: &RequestContext, username: &str) -> Result<Requester> {
    let found = if ctx.browsers.is_empty() {
        Vec::new()
    } else {
        app.store.credentials(username).await?
    };
    Ok(limits::who_of(app, ctx, &found))
}

/// Stores the password under the current hash scheme, whatever scheme it was imported with.
async fn rehash(app: &App, fitting: &[Credential], password: String) -> Result<()> {
    for one in fitting {
        if one.password_hash.as_deref().is_some_and(is_current) {
            continue;
        }
        let (password, salt) = (password.clone(), app.store.salt());
        let work = on_hash_pool(move || hashed(&password, &salt));
        if let Some(Some(hash)) = work.await {
            app.store.rehash(one, &hash).await?;
        }
    }
    Ok(())
}
