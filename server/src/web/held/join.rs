//! Joining two accounts of one owner, who proves both: this one by the held visit, the other by its password or a one-time code.
//!
//! ```text
//!   the other account ── password, or code ──▶ which one stays ──▶ joined ──▶ on, as the one that stays
//! ```

use super::super::App;
use super::super::asker::{Asker, kept};
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
use jiff::Timestamp;
use ngomon_rules::hold::{Cause, Reason};
use ngomon_rules::record::{AccountId, AccountKind};
use ngomon_store::{CodeFor, Explained, Factor, Join, Limit, Purpose, Refusal, Result, StoreError, Typed};
use serde::Deserialize;

/// So many tries at the other account.
const TRIES: Limit = Limit {
    what: "join",
    times: 10,
    seconds: 900,
};
/// How long one may think about which one stays: microseconds.
const THINKING: i64 = 900 * 1_000_000;

/// The other account, whose owner this is.
struct Proven {
    holder: AccountId,
    /// By a one-time code, or by its password.
    factor: Factor,
    /// When.
    at: Timestamp,
}

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
            autocomplete: "username",
            ..Input::new("username", words.say("join-username"))
        },
        Input {
            kind: "password",
            autocomplete: "current-password",
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
            Some(one) => {
                choose(
                    &app,
                    &asker,
                    &account,
                    &proven(&app, one.account.clone(), Factor::Password),
                    None,
                )
                .await
            }
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
                choose(&app, &asker, &account, &proven(&app, holder, Factor::Code), None).await
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

/// Just now.
fn proven(app: &App, holder: AccountId, factor: Factor) -> Proven {
    let at = app.store.now();
    Proven { holder, factor, at }
}

/// What the MAC of a choice is over: the session too, so that it is good in this browser only.
fn signed(token: &str, held: &AccountId, other: &Proven) -> Vec<u8> {
    let at = other.at.as_microsecond().to_be_bytes();
    let parts: [&[u8]; 6] = [
        b"join",
        token.as_bytes(),
        held.as_str().as_bytes(),
        other.holder.as_str().as_bytes(),
        other.how().as_bytes(),
        &at,
    ];
    // Each part with its length, so that none runs into the next.
    let with_length = |part: &&[u8]| [&part.len().to_be_bytes()[..], part].concat();
    parts.iter().flat_map(with_length).collect()
}

impl Proven {
    fn how(&self) -> &'static str {
        if self.factor == Factor::Code {
            "code"
        } else {
            "password"
        }
    }

    /// For the page on which the owner thinks.
    fn ticket(&self, app: &App, asker: &Asker, held: &AccountId) -> String {
        let token = asker.token.as_deref().unwrap_or_default();
        let mac = app.store.keys().mac(&[&signed(token, held, self)]);
        let (how, mac) = (self.how(), URL_SAFE_NO_PAD.encode(mac));
        format!("{}.{how}.{}.{mac}", self.holder, self.at.as_microsecond())
    }

    /// From a ticket, if it is ours, of this browser, and in time.
    fn of_ticket(app: &App, asker: &Asker, held: &AccountId, ticket: &str) -> Option<Self> {
        let mut parts = ticket.rsplitn(4, '.');
        let (mac, at, how, holder) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let other = Self {
            holder: AccountId(holder.to_owned()),
            factor: if how == "code" { Factor::Code } else { Factor::Password },
            at: Timestamp::from_microsecond(at.parse().ok()?).ok()?,
        };
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        let token = asker.token.as_deref().unwrap_or_default();
        let is_ours = app.store.keys().mac_matches(&[&signed(token, held, &other)], &mac);
        let in_time = app.store.now().as_microsecond() - other.at.as_microsecond() <= THINKING;
        (is_ours && in_time).then_some(other)
    }
}

async fn choose(app: &App, asker: &Asker, held: &AccountId, other: &Proven, error: Option<String>) -> Result<Response> {
    let words = asker.words;
    let choices = [
        choice(app, words, "holder", &other.holder).await?,
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
            ticket: other.ticket(app, asker, held),
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
    let Some(proven) = Proven::of_ticket(&app, &asker, &account, &ticket) else {
        return other(&asker, String::new(), Some(words.say("join-late")));
    };
    let holder = proven.holder.clone();
    let answer = async {
        let held_stays = match &*stays {
            "held" => true,
            "holder" => false,
            _ => {
                let error = Some(words.say("join-choose-empty"));
                return choose(&app, &asker, &account, &proven, error).await;
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
        let mut shell = asker.shell();
        shell.here = "/".into();
        let page = |key: &str| {
            let page = Answer {
                title: words.say("join-done-title"),
                text: words.say_with(key, &[("account", stays.as_str())]),
                shell,
                receipt: None,
                code: String::new(),
            };
            html(StatusCode::OK, &page)
        };
        if held_stays {
            return Ok(page("join-done-held"));
        }
        let held = asker.token.as_deref().unwrap_or_default();
        let token = app.store.open_after_join(held, stays, proven.factor, proven.at).await?;
        Ok((kept(&token), page("join-done-holder")).into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(words, e).into_response())
}
