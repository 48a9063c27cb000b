//! A one-time code to the phone or mailbox on file: to sign in to an account without a password, or to set another password. Asking looks
//! the same and takes the same time whether there is such an account.

use super::App;
use super::asker::{Asker, ticket, ticket_cookie};
use super::code::{Digits, FOR_ONE, Question, TO_ONE, digits, not_right, page};
use super::page::{Fault, Input, Mistake, Shell, html, mistakes};
use super::reset;
use super::sign_in::{OF_ADDRESS, enter_one_of, no_sooner};
use crate::output::Words;
use askama::Template;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use ngomon_rules::record::{AccountId, AccountKind};
use ngomon_store::{CodeFor, Credential, Factor, Limit, Purpose, Result, Typed};
use serde::Deserialize;

/// What the code is for. Its words are `sign-in-KEY-…`.
pub struct Way {
    key: &'static str,
    path: &'static str,
    sent: &'static str,
    purpose: Purpose,
    sms: &'static str,
}

const CODE: Way = Way {
    key: "code",
    path: "/sign-in/code",
    sent: "/sign-in/code/sent",
    purpose: Purpose::SignIn,
    sms: "sms-code",
};
const RESET: Way = Way {
    key: "reset",
    path: "/sign-in/reset",
    sent: "/sign-in/reset/sent",
    purpose: Purpose::Reset,
    sms: "sms-reset",
};

impl Way {
    fn say(&self, words: Words, what: &str) -> String {
        words.say(&format!("sign-in-{}-{what}", self.key))
    }

    /// Is it a way for that account?
    fn is_for(&self, one: &Credential) -> bool {
        one.kind != AccountKind::Operator && one.is_without_password() == (self.purpose == Purpose::SignIn)
    }
}

/// A user name, then the code.
pub fn routes() -> Router<App> {
    let way = |way: &'static Way| {
        let send = move |app, asker, typed| send(way, app, asker, typed);
        let check = move |app, asker, headers, typed| check(way, app, asker, headers, typed);
        Router::new()
            .route(
                way.path,
                get(move |asker: Asker| async move { ask(way, &asker, String::new(), None) }).post(send),
            )
            .route(
                way.sent,
                get(move |asker: Asker, headers: HeaderMap| async move { sent(way, &asker, &headers) }).post(check),
            )
    };
    way(&CODE).merge(way(&RESET))
}

/// So many accounts of one user name are sent a code.
const MOST_ACCOUNTS: usize = 8;

#[derive(Template)]
#[template(path = "sign_in_by_code.html")]
struct Page {
    shell: Shell,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    path: &'static str,
    title: String,
    lead: String,
}

/// What is typed.
#[derive(Default, Deserialize)]
struct Name {
    #[serde(default)]
    username: String,
}

fn ask(way: &Way, asker: &Asker, username: String, error: Option<String>) -> Response {
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
    html(
        status,
        &Page {
            shell,
            errors,
            fields,
            path: way.path,
            title: way.say(asker.words, "title"),
            lead: way.say(asker.words, "lead"),
        },
    )
}

/// Sends a code to each account of that name that this is a way for.
async fn send(
    way: &Way,
    State(app): State<App>,
    asker: Asker,
    typed: std::result::Result<Form<Name>, FormRejection>,
) -> Response {
    let words = asker.words;
    let username = typed.map(|Form(typed)| typed.username).unwrap_or_default();
    let username = username.trim().to_owned();
    if username.is_empty() {
        return ask(way, &asker, username, Some(words.say("sign-in-no-username")));
    }
    let not_before = no_sooner();
    let answer = async {
        let who = [way.key, &username, &asker.address];
        let counts: [(Limit, &[&str]); 2] = [(OF_ADDRESS, &[&asker.address]), (FOR_ONE, &who)];
        let often = match app.store.attempts(&counts).await?[..] {
            [None, _] => Some("sign-in-too-often"),
            [_, None] => Some("code-too-often"),
            _ => None,
        };
        if let Some(often) = often {
            return Ok(ask(way, &asker, username, Some(words.say(often))));
        }
        let mut to = Vec::new();
        for one in app.store.credentials(&username).await? {
            if !way.is_for(&one) || to.len() >= MOST_ACCOUNTS {
                continue;
            }
            let Some(reach) = app.store.reach(&one.account).await? else {
                continue;
            };
            // Too many codes to one phone: nothing more is sent, and nobody is told. What one address asks for too much is not the phone's.
            let from_here = ["to", &reach.to, &asker.address];
            if app.store.attempt(FOR_ONE, &from_here).await?.is_some()
                && app.store.attempt(TO_ONE, &[&reach.to]).await?.is_some()
            {
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
        let text = |code: &str| words.say_with(way.sms, &[("code", code)]);
        app.store.send_codes(kept.as_str(), way.purpose, &to, text).await?;
        let sent = format!("{}{}", way.sent, asker.shell().going);
        Ok((ticket_cookie(&kept), Redirect::to(&sent)).into_response())
    };
    let answer: Result<Response> = answer.await;
    not_before.await;
    answer.unwrap_or_else(|e| Fault(words, e).into_response())
}

fn question(way: &Way, asker: &Asker) -> Question {
    let words = asker.words;
    Question {
        title: way.say(words, "sent-title"),
        lead: way.say(words, "sent-lead"),
        action: way.sent,
        again: "",
        back: (way.path, words.say("sign-in-code-back")),
    }
}

fn sent(way: &Way, asker: &Asker, headers: &HeaderMap) -> Response {
    match ticket(headers) {
        Some(_) => page(asker, question(way, asker), None),
        None => Redirect::to(way.path).into_response(),
    }
}

/// The code, typed: a session, or the choice among the accounts that it was right for; or the page for another password.
async fn check(
    way: &Way,
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    typed: std::result::Result<Form<Digits>, FormRejection>,
) -> Response {
    let answer = async {
        let Some(kept) = ticket(&headers) else {
            return Ok(Redirect::to(way.path).into_response());
        };
        if app.store.attempt(OF_ADDRESS, &[&asker.address]).await?.is_none() {
            let often = asker.words.say("sign-in-too-often");
            return Ok(page(&asker, question(way, &asker), Some(often)));
        }
        let at = app.store.now();
        match app.store.try_code(&kept, way.purpose, &digits(typed)).await? {
            Typed::Right(accounts) => {
                let accounts: Vec<AccountId> = accounts.into_iter().map(AccountId).collect();
                match (way.purpose, accounts.first()) {
                    (Purpose::Reset, Some(account)) => reset::ask(&app, &asker, account).await,
                    _ => enter_one_of(&app, &asker, &accounts, Factor::Code, at).await,
                }
            }
            tried => Ok(page(&asker, question(way, &asker), Some(not_right(&asker, &tried)))),
        }
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}
