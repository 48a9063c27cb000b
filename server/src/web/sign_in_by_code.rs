//! Signing in to an account without a password: a one-time code to the phone or mailbox on file. Asking looks and costs the same
//! whether there is such an account.

use super::App;
use super::asker::{Asker, ticket, ticket_cookie};
use super::code::{Digits, FOR_ONE, Question, TO_ONE, digits, not_right, page};
use super::page::{Fault, Input, Mistake, Shell, html, mistakes};
use super::sign_in::{By, enter_one_of};
use askama::Template;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use ngomon_rules::record::AccountId;
use ngomon_store::{CodeFor, Purpose, Result, Typed};
use serde::Deserialize;

/// A user name, then the code.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in/code", get(show).post(send))
        .route("/sign-in/code/sent", get(sent).post(check))
}

/// So many accounts of one user name are sent a code.
const MOST_ACCOUNTS: usize = 8;

#[derive(Template)]
#[template(path = "sign_in_by_code.html")]
struct Page {
    shell: Shell,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
}

/// What is typed.
#[derive(Default, Deserialize)]
struct Name {
    #[serde(default)]
    username: String,
}

fn ask(asker: &Asker, username: String, error: Option<String>) -> Response {
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let fields = vec![Input {
        value: username,
        error,
        autocomplete: "username",
        ..Input::new("username", asker.words.say("sign-in-username"))
    }];
    let mut shell = asker.shell();
    shell.wrong = status != StatusCode::OK;
    let errors = mistakes(&fields);
    html(status, &Page { shell, errors, fields })
}

async fn show(asker: Asker) -> Response {
    ask(&asker, String::new(), None)
}

/// Sends a code to each account of that name that has no password.
async fn send(State(app): State<App>, asker: Asker, typed: std::result::Result<Form<Name>, FormRejection>) -> Response {
    let words = asker.words;
    let username = typed.map(|Form(typed)| typed.username).unwrap_or_default();
    let username = username.trim().to_owned();
    if username.is_empty() {
        return ask(&asker, username, Some(words.say("sign-in-no-username")));
    }
    let answer = async {
        if app
            .store
            .attempt(FOR_ONE, &["sign-in", &username, &asker.address])
            .await?
            .is_none()
        {
            return Ok(ask(&asker, username, Some(words.say("code-too-often"))));
        }
        let mut to = Vec::new();
        for one in app.store.credentials(&username).await? {
            if !one.is_without_password() || to.len() >= MOST_ACCOUNTS {
                continue;
            }
            let Some(reach) = app.store.reach(&one.account).await? else {
                continue;
            };
            // Too many codes to one phone: nothing more is sent, and nobody is told.
            if app.store.attempt(TO_ONE, &[&reach.to]).await?.is_some() {
                to.push(CodeFor {
                    subject: one.account.to_string(),
                    reach: Some(reach),
                });
            }
        }
        if to.is_empty() {
            to.push(CodeFor {
                subject: String::new(),
                reach: None,
            });
        }
        let kept = app.store.new_token();
        let text = |code: &str| words.say_with("sms-code", &[("code", code)]);
        app.store.send_codes(kept.as_str(), Purpose::SignIn, &to, text).await?;
        let sent = format!("/sign-in/code/sent{}", asker.shell().going);
        Ok((ticket_cookie(&kept), Redirect::to(&sent)).into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(words, e).into_response())
}

fn question(asker: &Asker) -> Question {
    let words = asker.words;
    Question {
        title: words.say("sign-in-code-sent-title"),
        lead: words.say("sign-in-code-sent-lead"),
        action: "/sign-in/code/sent",
        again: "",
        back: ("/sign-in/code", words.say("sign-in-code-back")),
    }
}

async fn sent(asker: Asker, headers: HeaderMap) -> Response {
    match ticket(&headers) {
        Some(_) => page(&asker, question(&asker), None),
        None => Redirect::to("/sign-in/code").into_response(),
    }
}

/// The code, typed: a session, or the choice among the accounts that it was right for.
async fn check(
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    typed: std::result::Result<Form<Digits>, FormRejection>,
) -> Response {
    let answer = async {
        let Some(kept) = ticket(&headers) else {
            return Ok(Redirect::to("/sign-in/code").into_response());
        };
        match app.store.try_code(&kept, Purpose::SignIn, &digits(typed)).await? {
            Typed::Right(accounts) => {
                let accounts: Vec<AccountId> = accounts.into_iter().map(AccountId).collect();
                enter_one_of(&app, &asker, &accounts, By::Code).await
            }
            tried => Ok(page(&asker, question(&asker), Some(not_right(&asker, &tried)))),
        }
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}
