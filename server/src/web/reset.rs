//! Another password, after a one-time code to the phone or mailbox on file. All that was open under the one before ends, and the owner is
//! told.

use super::App;
use super::asker::Asker;
use super::new_password::{NewPassword, Typed, hash_of};
use super::page::{Fault, Input, Mistake, Shell, html, mistakes};
use super::sign_in::again;
use super::ticket;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::record::AccountId;
use ngomon_store::{Limit, Result};
use serde::Deserialize;

/// The step after the code.
const STEP: &str = "reset";
/// Tries after one code: each costs a hash.
const OF_ACCOUNT: Limit = Limit {
    what: "reset",
    times: 10,
    seconds: 900,
};

#[derive(Template)]
#[template(path = "reset.html")]
struct Page {
    shell: Shell,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    ticket: String,
}

/// What is sent.
#[derive(Default, Deserialize)]
pub struct Sent {
    #[serde(default)]
    ticket: String,
    #[serde(flatten)]
    typed: Typed,
}

fn page(asker: &Asker, ticket: String, wrong: NewPassword) -> Response {
    let fields = wrong.fields(asker.words);
    let errors = mistakes(&fields);
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let mut shell = asker.shell();
    shell.here = format!("/sign-in{}", shell.going);
    shell.wrong = !errors.is_empty();
    let page = Page {
        shell,
        errors,
        fields,
        ticket,
    };
    html(status, &page)
}

/// The code was right.
pub fn ask(app: &App, asker: &Asker, account: &AccountId) -> Response {
    page(asker, ticket::issue(&app.store, STEP, account), NewPassword::default())
}

/// The new password, sent.
pub async fn set(
    State(app): State<App>,
    asker: Asker,
    sent: std::result::Result<Form<Sent>, FormRejection>,
) -> Response {
    let Sent { ticket, typed } = sent.map(|Form(sent)| sent).unwrap_or_default();
    let Some((account, _)) = ticket::account(&app.store, STEP, &ticket) else {
        return again(&asker);
    };
    let answer = async {
        let wrong = typed.wrong(&app, asker.words).await;
        if wrong.is_something() {
            return Ok(page(&asker, ticket, wrong));
        }
        // A ticket is good once: whoever sees the page later does not set another password by it.
        let until = app.store.now().as_microsecond() + 600 * 1_000_000;
        let tries = app.store.attempt(OF_ACCOUNT, &[account.as_str()]).await?;
        if tries.is_none() || !app.store.once("reset-ticket", &[&ticket], until).await? {
            return Ok(again(&asker));
        }
        let Some(hash) = hash_of(&app, typed.password).await else {
            return Ok(page(&asker, ticket, NewPassword::unreadable(asker.words)));
        };
        let news = asker.words.say("sms-password-changed");
        app.store.set_password(&account, &hash, &news).await?;
        app.store.seal().await?;
        let going = asker.shell().going.replacen('?', "&", 1);
        Ok(Redirect::to(&format!("/sign-in?why=reset{going}")).into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}
