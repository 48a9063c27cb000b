//! After an operator's password: a code of the authenticator, or a recovery code. Whatever is not right gets the same words.

use super::App;
use super::asker::Asker;
use super::page::{Fault, Input, Mistake, Shell, html, mistakes};
use super::sign_in::{again, enter_proven};
use super::ticket;
use crate::authenticator::Authenticator;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ngomon_rules::record::AccountId;
use ngomon_store::{Limit, Proven, Result};
use serde::Deserialize;

/// Wrong codes of one operator.
const OF_OPERATOR: Limit = Limit {
    what: "sign-in-code",
    times: 5,
    seconds: 900,
};
/// The step after the password.
const CODE: &str = "sign-in-code";

#[derive(Template)]
#[template(path = "second_factor.html")]
struct Page {
    shell: Shell,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    ticket: String,
}

fn page(asker: &Asker, status: StatusCode, ticket: String, error: Option<String>) -> Response {
    let words = asker.words;
    let mut shell = asker.shell();
    shell.here = format!("/sign-in{}", shell.going);
    shell.wrong = error.is_some();
    let fields = vec![Input {
        hint: words.say("second-factor-hint"),
        error,
        autocomplete: "one-time-code",
        ..Input::new("code", words.say("second-factor-label"))
    }];
    let errors = mistakes(&fields);
    html(
        status,
        &Page {
            shell,
            errors,
            fields,
            ticket,
        },
    )
}

/// The password was right.
pub fn ask(app: &App, asker: &Asker, operator: &AccountId) -> Response {
    let ticket = ticket::issue(&app.store, CODE, operator);
    page(asker, StatusCode::OK, ticket, None)
}

/// What is typed.
#[derive(Default, Deserialize)]
pub struct Typed {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    code: String,
}

/// The code, sent.
pub async fn enter(
    State(app): State<App>,
    asker: Asker,
    typed: std::result::Result<Form<Typed>, FormRejection>,
) -> Response {
    let Typed { ticket, code } = typed.map(|Form(typed)| typed).unwrap_or_default();
    let Some((account, _)) = ticket::account(&app.store, CODE, &ticket) else {
        return again(&asker);
    };
    let answer = async {
        let who = [account.as_str()];
        if app.store.attempt(OF_OPERATOR, &who).await?.is_none() {
            let text = asker.words.say("second-factor-too-often");
            return Ok(page(&asker, StatusCode::TOO_MANY_REQUESTS, ticket.clone(), Some(text)));
        }
        let Some(proven) = proven(&app, &account, &code).await? else {
            let text = asker.words.say("second-factor-wrong");
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(page(&asker, status, ticket.clone(), Some(text)));
        };
        app.store.forget_attempts(OF_OPERATOR, &who).await?;
        enter_proven(&app, &asker, proven).await
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}

async fn proven(app: &App, account: &AccountId, typed: &str) -> Result<Option<Proven>> {
    let (Some(name), Some(secret)) = (account.operator(), app.store.totp_secret(account).await?) else {
        return Ok(None);
    };
    if let Some(step) = Authenticator::new(name, &secret).step(typed, app.store.now()) {
        return app.store.use_code(account, step).await;
    }
    let proven = app.store.use_recovery_code(account, typed).await?;
    app.store.seal().await?;
    Ok(proven)
}
