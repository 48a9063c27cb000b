//! Joining two accounts of one owner, who proves both: this one by the held visit, the other by its password or a one-time code.
//!
//! ```text
//!   the other account ── password, or code ──▶ which one stays ──▶ joined
//! ```

use super::super::App;
use super::super::asker::Asker;
use super::super::code::{self, Digits, Question, TO_ONE, digits, not_right};
use super::super::page::{Answer, Fault, Input, Mistake, Shell, html, mistakes};
use super::super::sign_in::fitting;
use crate::output::Words;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_rules::hold::{Cause, Reason};
use ngomon_rules::record::{AccountId, AccountKind};
use ngomon_store::{CodeFor, Explained, Join, Limit, Purpose, Refusal, Result, StoreError, Typed};
use serde::Deserialize;

/// So many tries at the other account.
const TRIES: Limit = Limit {
    what: "join",
    times: 10,
    seconds: 900,
};
/// How long one may think about which one stays, in seconds.
const THINKING: i64 = 900;

#[derive(Template)]
#[template(path = "join.html")]
struct Other {
    shell: Shell,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
}

#[derive(Template)]
#[template(path = "join_choose.html")]
struct Choose {
    shell: Shell,
    errors: Vec<Mistake>,
    choices: [Choice; 2],
    ticket: String,
}

struct Choice {
    value: &'static str,
    name: String,
    hint: String,
}

/// The account of the held visit, if it is a citizen's.
fn held(asker: &Asker) -> Option<AccountId> {
    let visit = asker.visit.as_ref()?;
    (visit.held && visit.kind == AccountKind::Citizen).then(|| visit.account.clone())
}

/// Is the one held as a duplicate of the other's claim?
fn is_duplicate_of(story: &Explained, holder: &AccountId) -> bool {
    let cause = Cause::claim(holder);
    let mut holds = story.holds.iter().map(|held| &held.hold);
    holds.any(|hold| hold.reason == Reason::Duplicate && hold.cause == cause)
}

fn other(asker: &Asker, username: String, error: Option<String>) -> Response {
    let words = asker.words;
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let fields = vec![
        Input {
            value: username,
            error,
            ..Input::new("username", words.say("join-username"))
        },
        Input {
            kind: "password",
            hint: words.say("join-password-hint"),
            ..Input::new("password", words.say("join-password"))
        },
    ];
    let mut shell = asker.shell();
    shell.here = "/held/join".into();
    shell.wrong = status != StatusCode::OK;
    let errors = mistakes(&fields);
    html(status, &Other { shell, errors, fields })
}

/// Which account is the other one.
pub(super) async fn show(asker: Asker) -> Response {
    match held(&asker) {
        Some(_) => other(&asker, String::new(), None),
        None => Redirect::to("/").into_response(),
    }
}

/// What is typed.
#[derive(Default, Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

/// The other account's user name and password; without a password, a code is sent.
pub(super) async fn prove(
    State(app): State<App>,
    asker: Asker,
    typed: std::result::Result<Form<Named>, FormRejection>,
) -> Response {
    let words = asker.words;
    let Some(account) = held(&asker) else {
        return Redirect::to("/").into_response();
    };
    let Named { username, password } = typed.map(|Form(typed)| typed).unwrap_or_default();
    let username = username.trim().to_owned();
    if username.is_empty() {
        return other(&asker, username, Some(words.say("sign-in-no-username")));
    }
    let answer = async {
        if app.store.attempt(TRIES, &[account.as_str()]).await?.is_none() {
            return Ok(other(&asker, username, Some(words.say("sign-in-too-often"))));
        }
        let story = app.store.story(account.as_str(), app.store.today()).await?;
        let mut found = app.store.credentials(&username).await?;
        if password.is_empty() {
            found.retain(|one| one.is_without_password() && is_duplicate_of(&story, &one.account));
            let holder = found.first().map(|one| one.account.clone());
            return send(&app, &asker, holder).await;
        }
        let fitting = fitting(found, password).await;
        if fitting.is_empty() {
            return Ok(other(&asker, username, Some(words.say("sign-in-wrong"))));
        }
        match fitting.iter().find(|one| is_duplicate_of(&story, &one.account)) {
            Some(one) => choose(&app, &asker, &account, &one.account, None).await,
            None => Ok(other(&asker, username, Some(words.say("join-another")))),
        }
    };
    answer.await.unwrap_or_else(|e| Fault(words, e).into_response())
}

/// Sends a code to the other account's owner. Without one, the same is written and nothing is sent.
async fn send(app: &App, asker: &Asker, holder: Option<AccountId>) -> Result<Response> {
    let mut to = CodeFor {
        subject: String::new(),
        reach: None,
    };
    if let Some(holder) = holder
        && let Some(reach) = app.store.reach(&holder).await?
        && app.store.attempt(TO_ONE, &[&reach.to]).await?.is_some()
    {
        to = CodeFor {
            subject: holder.to_string(),
            reach: Some(reach),
        };
    }
    let text = |code: &str| asker.words.say_with("sms-code", &[("code", code)]);
    let token = asker.token.as_deref().unwrap_or_default();
    app.store.send_codes(token, Purpose::Join, &[to], text).await?;
    Ok(Redirect::to("/held/join/code").into_response())
}

fn question(words: Words) -> Question {
    Question {
        title: words.say("form-code-title"),
        lead: words.say("join-code-lead"),
        action: "/held/join/code",
        again: "",
        back: ("/held/join", words.say("join-back")),
    }
}

/// Asks for the code.
pub(super) async fn ask_code(asker: Asker) -> Response {
    match held(&asker) {
        Some(_) => code::page(&asker, question(asker.words), None),
        None => Redirect::to("/").into_response(),
    }
}

/// The code, typed.
pub(super) async fn check_code(
    State(app): State<App>,
    asker: Asker,
    typed: std::result::Result<Form<Digits>, FormRejection>,
) -> Response {
    let Some(account) = held(&asker) else {
        return Redirect::to("/").into_response();
    };
    let answer = async {
        let token = asker.token.as_deref().unwrap_or_default();
        match app.store.try_code(token, Purpose::Join, &digits(typed)).await? {
            Typed::Right(holders) => {
                let holder = AccountId(holders.into_iter().next().unwrap_or_default());
                choose(&app, &asker, &account, &holder, None).await
            }
            tried => {
                let error = not_right(&asker, &tried);
                Ok(code::page(&asker, question(asker.words), Some(error)))
            }
        }
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}

/// What the MAC of a choice is over: the session too, so that it is good in this browser only.
fn signed(token: &str, held: &AccountId, holder: &AccountId, until: i64) -> Vec<u8> {
    let until = until.to_be_bytes();
    let parts: [&[u8]; 5] = [
        b"join",
        token.as_bytes(),
        held.as_str().as_bytes(),
        holder.as_str().as_bytes(),
        &until,
    ];
    // Each part with its length, so that none runs into the next.
    let with_length = |part: &&[u8]| [&part.len().to_be_bytes()[..], part].concat();
    parts.iter().flat_map(with_length).collect()
}

async fn choose(
    app: &App,
    asker: &Asker,
    held: &AccountId,
    holder: &AccountId,
    error: Option<String>,
) -> Result<Response> {
    let words = asker.words;
    let until = app.store.now().as_second() + THINKING;
    let token = asker.token.as_deref().unwrap_or_default();
    let mac = app.store.keys().mac(&[&signed(token, held, holder, until)]);
    let choices = [
        choice(app, words, "holder", holder).await?,
        choice(app, words, "held", held).await?,
    ];
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let mut shell = asker.shell();
    shell.here = "/held/join".into();
    shell.wrong = error.is_some();
    let errors = error.map(|text| Mistake {
        field: "stays-holder",
        text,
    });
    Ok(html(
        status,
        &Choose {
            shell,
            errors: errors.into_iter().collect(),
            choices,
            ticket: format!("{holder}.{until}.{}", URL_SAFE_NO_PAD.encode(mac)),
        },
    ))
}

async fn choice(app: &App, words: Words, value: &'static str, account: &AccountId) -> Result<Choice> {
    let story = app.store.story(account.as_str(), app.store.today()).await?;
    let day = |name: &str| {
        let day = story.fact(name).and_then(|day| day.parse().ok());
        day.map_or_else(|| words.say("join-unknown"), |day| words.day(day))
    };
    let username = story.username.clone().unwrap_or_else(|| words.say("join-unknown"));
    let (created, last) = (day("created_on"), day("last_sign_in_on"));
    Ok(Choice {
        value,
        name: words.say_with(&format!("join-choose-{value}"), &[("account", account.as_str())]),
        hint: words.say_with(
            "join-hint-account",
            &[("username", &username), ("created", &created), ("last", &last)],
        ),
    })
}

/// What is chosen.
#[derive(Default, Deserialize)]
pub(super) struct Chosen {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    stays: String,
}

/// Joins them.
pub(super) async fn join(
    State(app): State<App>,
    asker: Asker,
    typed: std::result::Result<Form<Chosen>, FormRejection>,
) -> Response {
    let words = asker.words;
    let Some(account) = held(&asker) else {
        return Redirect::to("/").into_response();
    };
    let Chosen { ticket, stays } = typed.map(|Form(typed)| typed).unwrap_or_default();
    let Some(holder) = holder_of(&app, &asker, &account, &ticket) else {
        return other(&asker, String::new(), Some(words.say("join-late")));
    };
    let answer = async {
        let held_stays = match &*stays {
            "held" => true,
            "holder" => false,
            _ => {
                let error = Some(words.say("join-choose-empty"));
                return choose(&app, &asker, &account, &holder, error).await;
            }
        };
        let (goes, stays) = if held_stays {
            (&holder, &account)
        } else {
            (&account, &holder)
        };
        let news = words.say_with("sms-joined", &[("goes", goes.as_str()), ("stays", stays.as_str())]);
        let join = Join {
            held: account.clone(),
            holder: holder.clone(),
            held_stays,
        };
        match app.store.join(&join, &news).await {
            Err(StoreError::Refused(Refusal::CannotJoin(..))) => {
                return Ok(other(&asker, String::new(), Some(words.say("error-cannot-join"))));
            }
            done => done?,
        }
        app.store.seal().await?;
        let key = if held_stays {
            "join-done-held"
        } else {
            "join-done-holder"
        };
        let mut shell = asker.shell();
        shell.here = "/held".into();
        let page = Answer {
            title: words.say("join-done-title"),
            text: words.say_with(key, &[("account", stays.as_str())]),
            shell,
            receipt: None,
            code: String::new(),
        };
        Ok(html(StatusCode::OK, &page))
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(words, e).into_response())
}

/// The other account, if the ticket is ours, of this browser, and in time.
fn holder_of(app: &App, asker: &Asker, held: &AccountId, ticket: &str) -> Option<AccountId> {
    let mut parts = ticket.rsplitn(3, '.');
    let (mac, until, holder) = (parts.next()?, parts.next()?, parts.next()?);
    let until: i64 = until.parse().ok()?;
    let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
    let holder = AccountId(holder.to_owned());
    let token = asker.token.as_deref().unwrap_or_default();
    let signed = signed(token, held, &holder, until);
    let good = app.store.keys().mac_matches(&[&signed], &mac) && app.store.now().as_second() <= until;
    good.then_some(holder)
}
