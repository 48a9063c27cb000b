//! Signing in by user name and password, and out. Whatever is not right gets the same words, and costs about the same time.

use super::App;
use super::asker::{Asker, forgotten, kept};
use super::page::{Fault, Input, Mistake, Shell, html, mistakes};
use super::second_factor;
use super::ticket::{self, Ticket};
use crate::password::{NOBODY, fits, hashed, in_turn, is_current};
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use ngomon_rules::record::AccountId;
use ngomon_store::{Credential, Factor, Kept, Limit, Proven, Refusal, Result, StoreError, Token};
use serde::Deserialize;
use std::time::Duration;

/// For one user name from one address: nobody locks another's name from elsewhere.
const OF_NAME: Limit = Limit {
    what: "sign-in-name",
    times: 10,
    seconds: 900,
};
/// From one address, whatever the name, by a password, a passkey or a code: an office behind one address still gets in.
pub const OF_ADDRESS: Limit = Limit {
    what: "sign-in-address",
    times: 300,
    seconds: 900,
};
/// A wrong answer comes no sooner.
const NO_SOONER: Duration = Duration::from_millis(400);
/// So many accounts of one user name are tried: each costs a hash.
const MOST_ACCOUNTS: usize = 8;

/// Begun with a request, over when it may be answered: hashes taken over from elsewhere cost more or less than ours, nobody's is none of
/// them, and sending a code costs more than sending none. The time must not tell whether there is such an account.
#[expect(
    clippy::disallowed_methods,
    reason = "there is no condition: the time itself must not tell"
)]
pub fn no_sooner() -> tokio::time::Sleep {
    tokio::time::sleep(NO_SOONER)
}

/// The step in which the owner picks an account.
fn choice(factor: Factor) -> &'static str {
    match factor {
        Factor::Password => "sign-in-choice",
        Factor::Code => "sign-in-choice-by-code",
        Factor::Passkey(Kept::InDevice) => "sign-in-choice-by-device",
        Factor::Passkey(Kept::Synced) => "sign-in-choice-by-synced",
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    shell: Shell,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    /// What happened before.
    notice: Option<String>,
    /// What to do after a device's answer that was not right. Without passkeys here there is no button either.
    passkey: Option<Option<String>>,
}

#[derive(Template)]
#[template(path = "choose.html")]
struct Choose {
    shell: Shell,
    lead: String,
    choices: Vec<(String, String, String)>,
}

/// What is typed.
#[derive(Deserialize)]
pub struct Typed {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

/// What the page says.
#[derive(Default)]
pub struct Said {
    /// What was typed.
    pub username: String,
    /// What is to be mended of it.
    pub error: Option<String>,
    /// What to do after a device's answer that was not right.
    pub passkey: Option<String>,
    /// What happened before.
    pub notice: Option<String>,
}

/// The frame, in which the other language leads to what can be asked for again.
fn shell(asker: &Asker) -> Shell {
    let mut shell = asker.shell();
    shell.here = format!("/sign-in{}", shell.going);
    shell
}

/// The page.
pub fn page(asker: &Asker, status: StatusCode, said: Said) -> Response {
    let words = asker.words;
    let fields = vec![
        Input {
            value: said.username,
            error: said.error,
            autocomplete: "username webauthn",
            ..Input::new("username", words.say("sign-in-username"))
        },
        Input {
            kind: "password",
            autocomplete: "current-password",
            ..Input::new("password", words.say("sign-in-password"))
        },
    ];
    let mut shell = shell(asker);
    shell.wrong = status != StatusCode::OK;
    let mut errors = mistakes(&fields);
    errors.extend(said.passkey.clone().map(|text| Mistake { field: "passkey", text }));
    html(
        status,
        &SignIn {
            notice: said.notice,
            errors,
            passkey: asker.passkeys.then_some(said.passkey),
            shell,
            fields,
        },
    )
}

fn wrong(asker: &Asker, status: StatusCode, username: &str, key: &str) -> Response {
    let said = Said {
        username: username.to_owned(),
        error: Some(asker.words.say(key)),
        ..Said::default()
    };
    page(asker, status, said)
}

/// Why somebody is asked to sign in.
#[derive(Deserialize)]
pub struct Why {
    #[serde(default)]
    why: String,
}

/// The form.
pub async fn show(asker: Asker, Query(Why { why }): Query<Why>) -> Response {
    // A connected system may ask for a new sign-in.
    if asker.visit.is_some() && asker.going.is_none() {
        return Redirect::to("/").into_response();
    }
    let notice = ["kept", "reset", "reset-devices"].contains(&why.as_str());
    let said = Said {
        username: asker.going.as_deref().and_then(login_hint).unwrap_or_default(),
        notice: notice.then(|| asker.words.say(&format!("sign-in-why-{why}"))),
        ..Said::default()
    };
    page(&asker, StatusCode::OK, said)
}

/// The user name that a connected system expects.
fn login_hint(going: &str) -> Option<String> {
    let (_, query) = going.split_once('?')?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, hint) = pairs.find(|(name, _)| name == "login_hint")?;
    Some(hint.chars().take(200).collect())
}

/// Name and password.
pub async fn enter(
    State(app): State<App>,
    asker: Asker,
    typed: std::result::Result<Form<Typed>, FormRejection>,
) -> Response {
    let words = asker.words;
    let Ok(Form(Typed { username, password })) = typed else {
        return wrong(&asker, StatusCode::UNPROCESSABLE_ENTITY, "", "sign-in-unreadable");
    };
    let username = username.trim().to_owned();
    if username.is_empty() || password.is_empty() {
        return wrong(&asker, StatusCode::UNPROCESSABLE_ENTITY, &username, "sign-in-empty");
    }
    let who = [username.as_str(), asker.address.as_str()];
    let not_before = no_sooner();
    // What is kept is read after this: another password that is set meanwhile counts.
    let at = app.store.now();
    let answer = async {
        let counts: [(Limit, &[&str]); 2] = [(OF_ADDRESS, &[&asker.address]), (OF_NAME, &who)];
        if app.store.attempts(&counts).await?.contains(&None) {
            let status = StatusCode::TOO_MANY_REQUESTS;
            return Ok(wrong(&asker, status, &username, "sign-in-too-often"));
        }
        let fitting = fitting(app.store.credentials(&username).await?, password.clone()).await;
        if fitting.is_empty() {
            not_before.await;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(wrong(&asker, status, &username, "sign-in-wrong"));
        }
        app.store.forget_attempts(OF_NAME, &who).await?;
        rehash(&app, &fitting, password).await?;
        let accounts: Vec<AccountId> = fitting.into_iter().map(|one| one.account).collect();
        enter_one_of(&app, &asker, &accounts, Factor::Password, at).await
    };
    answer.await.unwrap_or_else(|e| Fault(words, e).into_response())
}

/// The accounts that the password fits. Hashing takes a processor for a while, so it is done beside the other requests.
pub async fn fitting(found: Vec<Credential>, password: String) -> Vec<Credential> {
    let work = in_turn(move || {
        let mut tried = 0;
        let fitting: Vec<Credential> = found
            .into_iter()
            .filter(|one| one.password_hash.is_some())
            .take(MOST_ACCOUNTS)
            .filter(|one| {
                tried += 1;
                one.password_hash.as_deref().is_some_and(|hash| fits(&password, hash))
            })
            .collect();
        if tried == 0 {
            fits(&password, NOBODY);
        }
        fitting
    });
    // A hash that makes its reader panic fits nothing.
    work.await.unwrap_or_default()
}

/// Whatever scheme it came in, from now on the password is kept by ours.
async fn rehash(app: &App, fitting: &[Credential], password: String) -> Result<()> {
    for one in fitting {
        if one.password_hash.as_deref().is_some_and(is_current) {
            continue;
        }
        let (password, salt) = (password.clone(), app.store.salt());
        let work = in_turn(move || hashed(&password, &salt));
        if let Some(Some(hash)) = work.await {
            app.store.rehash(one, &hash).await?;
        }
    }
    Ok(())
}

/// A session of the account whose owner was proven at that time; of several, the owner picks one.
pub async fn enter_one_of(
    app: &App,
    asker: &Asker,
    accounts: &[AccountId],
    factor: Factor,
    at: Timestamp,
) -> Result<Response> {
    if let [only] = accounts {
        return begin(app, asker, only, factor, at).await;
    }
    pick(app, asker, accounts, factor).await
}

/// The owner picks one of several.
pub async fn pick(app: &App, asker: &Asker, accounts: &[AccountId], factor: Factor) -> Result<Response> {
    let mut choices = Vec::with_capacity(accounts.len());
    for account in accounts {
        let ticket = ticket::issue(&app.store, choice(factor), account);
        let kind = app.store.story(account.as_str(), app.store.today()).await?.kind;
        let kind = asker.words.say(&format!("kind-{}", kind.name()));
        choices.push((account.to_string(), kind, ticket));
    }
    let lead = if matches!(factor, Factor::Passkey(_)) {
        "choose-lead-passkey"
    } else {
        "choose-lead"
    };
    let (shell, lead) = (shell(asker), asker.words.say(lead));
    Ok(html(StatusCode::OK, &Choose { shell, lead, choices }))
}

/// A session; an operator is asked for the second factor first.
async fn begin(app: &App, asker: &Asker, account: &AccountId, factor: Factor, at: Timestamp) -> Result<Response> {
    if account.operator().is_some() {
        return Ok(second_factor::ask(app, asker, account));
    }
    match app.store.open_session_by(account, factor, at).await {
        Ok(token) => enter_with(app, asker, &token, "/").await,
        Err(StoreError::Refused(Refusal::NewPassword(_))) => Ok(again(asker)),
        Err(error) => Err(error),
    }
}

/// A session after two factors: an operator goes to work.
pub async fn enter_proven(app: &App, asker: &Asker, proven: Proven) -> Result<Response> {
    let token = app.store.open_proven_session(proven).await?;
    let visit = app.store.visit(token.as_str()).await?;
    let at_work = visit.is_some_and(|visit| visit.operator().is_some());
    let to = if at_work && asker.going.is_none() { "/desk" } else { "/" };
    enter_with(app, asker, &token, to).await
}

/// A session of its own, whatever the browser sent before.
pub async fn enter_with(app: &App, asker: &Asker, token: &Token, to: &str) -> Result<Response> {
    if let Some(before) = &asker.token {
        app.store.replace_session(before, token).await?;
    }
    if let Some(next) = &asker.going {
        app.store.set_next(token.as_str(), next).await?;
    }
    Ok((kept(token), Redirect::to(to)).into_response())
}

/// What was sent is too old, or not ours.
pub fn again(asker: &Asker) -> Response {
    wrong(asker, StatusCode::UNPROCESSABLE_ENTITY, "", "sign-in-again")
}

/// One of the accounts that the password fitted.
pub async fn choose(
    State(app): State<App>,
    asker: Asker,
    typed: std::result::Result<Form<Ticket>, FormRejection>,
) -> Response {
    let ticket = typed.map(|Form(ticket)| ticket).unwrap_or_default();
    let all = [
        Factor::Password,
        Factor::Code,
        Factor::Passkey(Kept::InDevice),
        Factor::Passkey(Kept::Synced),
    ];
    let chosen = all.into_iter().find_map(|factor| {
        let (account, at) = ticket::account(&app.store, choice(factor), &ticket.ticket)?;
        Some((account, factor, at))
    });
    let Some((account, factor, at)) = chosen else {
        return again(&asker);
    };
    let begun = begin(&app, &asker, &account, factor, at).await;
    begun.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}

/// The end of a session.
pub async fn leave(State(app): State<App>, asker: Asker) -> Response {
    if let Some(token) = &asker.token
        && let Err(error) = app.store.close_session(token).await
    {
        return Fault(asker.words, error).into_response();
    }
    (forgotten(), Redirect::to("/sign-in")).into_response()
}
