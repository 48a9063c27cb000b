//! The reset of a password, after a one-time code to the phone or mailbox on file. It ends all sessions and grants under the
//! previous password, and the owner is notified. Passkeys stay: a code to a phone is too little to remove them, and too little
//! to be silent about them, because one may be a stranger's. So the page and the message mention them and say where to remove
//! them.

use crate::app::App;
use crate::http::{ErrorPage, Input, Layout, Mistake, RequestContext, html, mistakes, query_encode};
use crate::sign_in::limits;
use crate::sign_in::new_password::{NewPassword, NewPasswordForm, hash_of};
use crate::sign_in::page::expired_page;
use crate::sign_in::step_ticket::Step;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::records::AccountId;
use ngomon_store::{Factor, Result};
use serde::Deserialize;

/// The step after the code.
const STEP: &str = "reset";
#[derive(Template)]
#[template(path = "reset.html")]
struct ResetPage {
    layout: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    ticket: String,
    /// Whether the account has passkeys.
    devices: bool,
}

/// The submitted form.
#[derive(Default, Deserialize)]
pub struct ResetForm {
    #[serde(default)]
    ticket: String,
    #[serde(flatten)]
    typed: NewPasswordForm,
}

async fn has_devices(app: &App, account: &AccountId) -> Result<bool> {
    Ok(!app.store.passkeys(account).await?.is_empty())
}

fn page(ctx: &RequestContext, ticket: String, devices: bool, wrong: NewPassword) -> Response {
    let fields = wrong.fields(ctx.locale);
    let errors = mistakes(&fields);
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let mut layout = ctx.layout();
    layout.here = format!("/sign-in{}", layout.going);
    layout.wrong = !errors.is_empty();
    let page = ResetPage {
        layout,
        errors,
        fields,
        ticket,
        devices,
    };
    html(status, &page)
}

/// The form for the new password, bound to this browser, for the owner whose code was right.
async fn asked(app: &App, ctx: &RequestContext, step: &Step, wrong: NewPassword) -> Result<Response> {
    let Some(account) = step.accounts.first() else {
        return Ok(expired_page(ctx));
    };
    let devices = has_devices(app, account).await?;
    let (cookie, ticket) = step.issue(&app.store, ctx, STEP).await?;
    Ok((cookie, page(ctx, ticket, devices, wrong)).into_response())
}

/// Continues after the right code.
pub async fn ask(app: &App, ctx: &RequestContext, account: &AccountId) -> Result<Response> {
    let step = Step::new(std::slice::from_ref(account), Factor::Code, app.store.now());
    asked(app, ctx, &step, NewPassword::default()).await
}

/// Sets the new password.
pub async fn set(
    State(app): State<App>,
    ctx: RequestContext,
    sent: std::result::Result<Form<ResetForm>, FormRejection>,
) -> Response {
    let ResetForm { ticket, typed } = sent.map(|Form(sent)| sent).unwrap_or_default();
    let answer = async {
        let step = Step::redeem(&app.store, &ctx, STEP, &ticket).await?;
        let Some((step, account)) = step.and_then(|step| Some((step.clone(), step.accounts.first()?.clone()))) else {
            return Ok(expired_page(&ctx));
        };
        // Counted, because each attempt searches the list of leaked passwords.
        if app
            .store
            .take(&[limits::own("reset", account.as_str())])
            .await?
            .is_none()
        {
            return Ok(expired_page(&ctx));
        }
        let wrong = typed.wrong(&app, ctx.locale).await;
        if wrong.is_something() {
            return asked(&app, &ctx, &step, wrong).await;
        }
        let devices = has_devices(&app, &account).await?;
        let Some(hash) = hash_of(&app, typed.password).await else {
            return asked(&app, &ctx, &step, NewPassword::unreadable(ctx.locale)).await;
        };
        let (news, why) = if devices {
            ("sms-password-changed-devices", "reset-devices")
        } else {
            ("sms-password-changed", "reset")
        };
        let news = ctx.locale.text(news);
        app.store.set_password(&account, &hash, &news).await?;
        let mut going = ctx.layout().going.replacen('?', "&", 1);
        if devices && going.is_empty() {
            going = format!("&to={}", query_encode("/passkeys"));
        }
        Ok(Redirect::to(&format!("/sign-in?why={why}{going}")).into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}
