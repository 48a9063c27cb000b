//! The step-up of a session: a connected system requires two factors, and the session began with one. The owner uses a passkey,
//! adds one, or skips it.

use crate::app::App;
use crate::http::{ErrorPage, Layout, Mistake, RequestContext, html};
use crate::security::webauthn::CeremonyResponse;
use crate::sign_in::limits;
use crate::sign_in::passkeys::ceremony::{AssertionForm, challenged, passkeys_allowed, proven};
use crate::sign_in::session::enter_with;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_store::{Ceremony, Result, Session, TryResult};

/// The parameter that marks a request whose owner skipped the second factor, so that nobody is asked twice.
pub const STEP_UP_SKIPPED: &str = "ngomon_step_up";

#[derive(Template)]
#[template(path = "step_up.html")]
struct StepUpPage {
    layout: Layout,
    errors: Vec<Mistake>,
    has_passkey: bool,
    /// The address that continues without the second factor.
    skip: String,
}

/// The session to step up and the request that requires it; or the address to go to instead.
fn asked(ctx: &RequestContext) -> std::result::Result<(&Session, &str), &str> {
    let going = ctx.going.as_deref().filter(|to| to.starts_with("/authorize?"));
    match (&ctx.session, going) {
        (_, None) => Err("/"),
        (Some(session), Some(to)) if passkeys_allowed(session) => Ok((session, to)),
        // The request decides by itself what the present visitor has to do.
        (_, Some(to)) => Err(to),
    }
}

async fn page(app: &App, ctx: &RequestContext, status: StatusCode, error: Option<&str>) -> Result<Response> {
    let (session, to) = match asked(ctx) {
        Ok(asked) => asked,
        Err(elsewhere) => return Ok(Redirect::to(elsewhere).into_response()),
    };
    let has_passkey = ctx.passkeys && !app.store.passkeys(&session.account).await?.is_empty();
    let mut layout = ctx.layout();
    layout.here = format!("/sign-in/step-up{}", layout.going);
    layout.wrong = error.is_some();
    let text = error.map(|key| ctx.locale.text(key));
    let page = StepUpPage {
        errors: text
            .map(|text| Mistake { field: "passkey", text })
            .into_iter()
            .collect(),
        has_passkey,
        skip: format!("{to}&{STEP_UP_SKIPPED}=skipped"),
        layout,
    };
    Ok(html(status, &page))
}

/// Shows the page.
pub async fn show(State(app): State<App>, ctx: RequestContext) -> Response {
    let page = page(&app, &ctx, StatusCode::OK, None).await;
    page.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

/// The challenge for the owner's devices.
pub async fn challenge(State(app): State<App>, ctx: RequestContext) -> Response {
    let session = ctx.session.as_ref().filter(|session| passkeys_allowed(session));
    let (Some(session), Some(token)) = (session, &ctx.token) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let asked = challenged(&app, &ctx, Ceremony::StepUp(token), async |passkeys| {
        passkeys.ask(&app.store.passkeys(&session.account).await?)
    });
    asked.await.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

/// Verifies the device's answer and replaces the session.
pub async fn enter(
    State(app): State<App>,
    ctx: RequestContext,
    shown: std::result::Result<Form<AssertionForm>, FormRejection>,
) -> Response {
    let AssertionForm { ceremony, credential } = shown.map(|Form(shown)| shown).unwrap_or_default();
    let session = match asked(&ctx) {
        Ok((session, _)) => session,
        Err(elsewhere) => return Redirect::to(elsewhere).into_response(),
    };
    let Some(token) = &ctx.token else {
        return Redirect::to("/").into_response();
    };
    let answer = async {
        let limits = [limits::own("step-up", session.account.as_str())];
        let tried = app.store.tried(&limits, async {
            let opens = match CeremonyResponse::read(&credential) {
                Some(answer) => proven(&app, Ceremony::StepUp(token), &ceremony, &answer).await?,
                None => None,
            };
            let all = opens.map(|(_, opens)| opens).unwrap_or_default();
            let own = all.into_iter().find(|one| *one.account() == session.account);
            Ok(own.ok_or(()))
        });
        let (status, error) = match tried.await? {
            TryResult::Right(own) => {
                let token = app.store.step_up(own, session).await?;
                return enter_with(&app, &ctx, &session.account, &token, "/").await;
            }
            TryResult::Wrong((), _) => (StatusCode::UNPROCESSABLE_ENTITY, "step-up-wrong"),
            TryResult::TooOften => (StatusCode::TOO_MANY_REQUESTS, "second-factor-too-often"),
        };
        page(&app, &ctx, status, Some(error)).await
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}
