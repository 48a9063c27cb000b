//! The second factor after an operator's password: a code of the authenticator, or a recovery code. Every wrong code gets the
//! same message.

use crate::app::App;
use crate::http::{ErrorPage, Input, Layout, Mistake, RequestContext, html, mistakes};
use crate::security::totp::Authenticator;
use crate::sign_in::limits;
use crate::sign_in::page::expired_page;
use crate::sign_in::session::enter_proven;
use crate::sign_in::step_ticket::Step;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use ngomon_rules::records::AccountId;
use ngomon_store::{Factor, Result, TryResult, TwoFactorProof};
use serde::Deserialize;

/// The step after the password.
const CODE: &str = "sign-in-code";

#[derive(Template)]
#[template(path = "second_factor.html")]
struct SecondFactorPage {
    layout: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    ticket: String,
}

fn page(ctx: &RequestContext, status: StatusCode, ticket: String, error: Option<String>) -> Response {
    let locale = ctx.locale;
    let mut layout = ctx.layout();
    layout.here = format!("/sign-in{}", layout.going);
    layout.wrong = error.is_some();
    let fields = vec![Input {
        hint: locale.text("second-factor-hint"),
        error,
        autocomplete: "one-time-code",
        ..Input::new("code", locale.text("second-factor-label"))
    }];
    let errors = mistakes(&fields);
    html(
        status,
        &SecondFactorPage {
            layout,
            errors,
            fields,
            ticket,
        },
    )
}

/// The form, bound to this browser, for the operator whose password was right.
async fn asked(
    app: &App,
    ctx: &RequestContext,
    step: &Step,
    status: StatusCode,
    error: Option<&str>,
) -> Result<Response> {
    let (cookie, ticket) = step.issue(&app.store, ctx, CODE).await?;
    let error = error.map(|key| ctx.locale.text(key));
    Ok((cookie, page(ctx, status, ticket, error)).into_response())
}

/// Continues after the right password, which was entered at `at`.
pub async fn ask(app: &App, ctx: &RequestContext, operator: &AccountId, at: Timestamp) -> Result<Response> {
    let step = Step::new(std::slice::from_ref(operator), Factor::Password, at);
    asked(app, ctx, &step, StatusCode::OK, None).await
}

/// The submitted form.
#[derive(Default, Deserialize)]
pub struct CodeForm {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    code: String,
}

/// Checks the code and begins a session.
pub async fn enter(
    State(app): State<App>,
    ctx: RequestContext,
    typed: std::result::Result<Form<CodeForm>, FormRejection>,
) -> Response {
    let CodeForm { ticket, code } = typed.map(|Form(typed)| typed).unwrap_or_default();
    let answer = async {
        let step = Step::redeem(&app.store, &ctx, CODE, &ticket).await?;
        let Some((step, account)) = step.and_then(|step| Some((step.clone(), step.accounts.first()?.clone()))) else {
            return Ok(expired_page(&ctx));
        };
        let mark = app.store.browser_mark(&account).await?;
        let who = limits::who(&app, &ctx, mark);
        let limits = [limits::second_factor(&who, account.as_str())];
        let tried = app.store.tried(&limits, async {
            let proven = proven(&app, &account, &code).await?;
            Ok(proven.ok_or(()))
        });
        let (status, error) = match tried.await? {
            TryResult::Right(proven) => return enter_proven(&app, &ctx, proven).await,
            TryResult::Wrong((), _) => (StatusCode::UNPROCESSABLE_ENTITY, "second-factor-wrong"),
            TryResult::TooOften => (StatusCode::TOO_MANY_REQUESTS, "second-factor-too-often"),
        };
        asked(&app, &ctx, &step, status, Some(error)).await
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

async fn proven(app: &App, account: &AccountId, typed: &str) -> Result<Option<TwoFactorProof>> {
    let (Some(name), Some(secret)) = (account.operator(), app.store.totp_secret(account).await?) else {
        return Ok(None);
    };
    if let Some(step) = Authenticator::new(name, &secret).step(typed, app.store.now()) {
        return app.store.use_code(account, step).await;
    }
    let proven = app.store.use_recovery_code(account, typed).await?;
    Ok(proven)
}
