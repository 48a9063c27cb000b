//! The enrolment of an operator: the link of `ngomon operator add` works once. The secret of the authenticator is derived from
//! the link, so nothing is stored until the operator has entered a code of it.

use crate::app::App;
use crate::http::{ErrorPage, Input, Layout, Mistake, RequestContext, html, mistakes, nothing_here};
use crate::security::totp::Authenticator;
use crate::sign_in::new_password;
use crate::sign_in::new_password::{NewPassword, hash_of};
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ngomon_store::{Enrolment, RateLimit, Refusal, Result, StoreError};
use serde::Deserialize;

/// Attempts with one link: each costs a password hash.
const OF_LINK: RateLimit = RateLimit {
    what: "enrol",
    times: 30,
    seconds: 900,
};

#[derive(Template)]
#[template(path = "enrol.html")]
struct EnrolmentPage {
    layout: Layout,
    errors: Vec<Mistake>,
    lead: String,
    password: Vec<Input>,
    code: Input,
    secret: String,
    picture: Option<String>,
}

#[derive(Template)]
#[template(path = "enrolled.html")]
struct EnrolledPage {
    layout: Layout,
    codes: Vec<String>,
}

/// The submitted form.
#[derive(Default, Deserialize)]
pub struct EnrolmentForm {
    #[serde(flatten)]
    password: new_password::NewPasswordForm,
    #[serde(default)]
    code: String,
}

/// The errors to correct, in the order of the fields.
#[derive(Default)]
struct EnrolmentMistakes {
    password: NewPassword,
    code: Option<String>,
}

impl EnrolmentMistakes {
    fn is_something(&self) -> bool {
        self.password.is_something() || self.code.is_some()
    }
}

fn page(ctx: &RequestContext, enrolment: &Enrolment, wrong: EnrolmentMistakes) -> Response {
    let locale = ctx.locale;
    let mut layout = ctx.layout();
    layout.wrong = wrong.is_something();
    let passwords = wrong.password.fields(locale);
    let code = Input {
        hint: locale.text("enrol-hint-code"),
        error: wrong.code,
        autocomplete: "one-time-code",
        inputmode: "numeric",
        ..Input::new("code", locale.text("enrol-code"))
    };
    let mut errors = mistakes(&passwords);
    errors.extend(mistakes(std::slice::from_ref(&code)));
    let authenticator = Authenticator::new(&enrolment.operator, &enrolment.totp_secret);
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    html(
        status,
        &EnrolmentPage {
            lead: locale.text_with("enrol-lead", &[("name", &enrolment.operator)]),
            errors,
            password: passwords,
            code,
            secret: authenticator.secret(),
            picture: authenticator.picture(),
            layout,
        },
    )
}

/// The page for a link that is unknown, used or expired. It does not reveal which.
fn over(ctx: &RequestContext) -> Response {
    let (title, text) = (
        ctx.locale.text("enrol-over-title"),
        ctx.locale.text("error-enrolment-over"),
    );
    nothing_here(ctx, title, text)
}

/// Shows the form.
pub async fn show(State(app): State<App>, ctx: RequestContext, Path(link): Path<String>) -> Response {
    match app.store.enrolment(&link).await {
        Ok(Some(enrolment)) => page(&ctx, &enrolment, EnrolmentMistakes::default()),
        Ok(None) => over(&ctx),
        Err(error) => ErrorPage(ctx.locale, error).into_response(),
    }
}

/// Submits password and code.
pub async fn enrol(
    State(app): State<App>,
    ctx: RequestContext,
    Path(link): Path<String>,
    typed: std::result::Result<Form<EnrolmentForm>, FormRejection>,
) -> Response {
    let typed = typed.map(|Form(typed)| typed).unwrap_or_default();
    match answered(&app, &ctx, &link, typed).await {
        Ok(page) => page,
        Err(StoreError::Refused(Refusal::EnrolmentOver)) => over(&ctx),
        Err(error) => ErrorPage(ctx.locale, error).into_response(),
    }
}

async fn answered(app: &App, ctx: &RequestContext, link: &str, typed: EnrolmentForm) -> Result<Response> {
    let locale = ctx.locale;
    let Some(enrolment) = app.store.enrolment(link).await? else {
        return Ok(over(ctx));
    };
    let authenticator = Authenticator::new(&enrolment.operator, &enrolment.totp_secret);
    let step = authenticator.step(&typed.code, app.store.now());
    let wrong = EnrolmentMistakes {
        password: typed.password.wrong(app, locale).await,
        code: step.is_none().then(|| locale.text("enrol-code-wrong")),
    };
    let (false, Some(step)) = (wrong.is_something(), step) else {
        return Ok(page(ctx, &enrolment, wrong));
    };
    if app.store.attempt(OF_LINK, &[link]).await?.is_none() {
        let wrong = EnrolmentMistakes {
            code: Some(locale.text("second-factor-too-often")),
            ..EnrolmentMistakes::default()
        };
        return Ok(page(ctx, &enrolment, wrong));
    }
    let Some(hash) = hash_of(app, typed.password.password).await else {
        let wrong = EnrolmentMistakes {
            password: NewPassword::unreadable(locale),
            ..EnrolmentMistakes::default()
        };
        return Ok(page(ctx, &enrolment, wrong));
    };
    let codes = app.store.enrol(link, &hash, step).await?;
    let mut layout = ctx.layout();
    layout.here = "/sign-in".into();
    Ok(html(StatusCode::OK, &EnrolledPage { layout, codes }))
}
