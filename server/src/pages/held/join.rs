//! The join of two accounts of one owner, who proves both: this one by the held visit, the other by its password or a one-time
//! code.
//!
//! ```text
//!   the other account ── password, or code ──▶ which one stays ──▶ joined ──▶ on, as the one that stays
//! ```

use crate::app::App;
use crate::http::{ErrorPage, Input, Layout, MessagePage, Mistake, RequestContext, html, mistakes, session_cookie};
use crate::i18n::Locale;
use crate::pages::ways::{ByJoin, WayOutOwner};
use crate::security::password::{Lane, with_minimum_delay};
use crate::sign_in::one_time_code::{Digits, Question, digits, not_right};
use crate::sign_in::password::fitting;
use crate::sign_in::step_ticket::Step;
use crate::sign_in::{limits, one_time_code};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::hold::{Cause, Reason};
use ngomon_rules::records::AccountId;
use ngomon_rules::values::username_key;
use ngomon_store::{
    AccountExplanation, CodeCheck, CodeRecipient, Factor, Join, Purpose, Refusal, Requester, Result, StoreError,
    TryResult,
};
use serde::Deserialize;

/// The step in which the owner chooses which account stays.
const CHOICE: &str = "join-choice";

#[derive(Template)]
#[template(path = "join.html")]
struct Other {
    layout: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
}

#[derive(Template)]
#[template(path = "join_choose.html")]
struct ChooseAccountPage {
    layout: Layout,
    errors: Vec<Mistake>,
    choices: [Choice; 2],
    ticket: String,
}

struct Choice {
    value: &'static str,
    name: String,
    hint: String,
}

/// Whether the account is held as a duplicate of the holder's claim.
fn is_duplicate_of(explanation: &AccountExplanation, holder: &AccountId) -> bool {
    let cause = Cause::claim(holder);
    let mut holds = explanation.holds.iter().map(|held| &held.hold);
    holds.any(|hold| hold.reason == Reason::Duplicate && hold.cause == cause)
}

fn other(ctx: &RequestContext, username: String, error: Option<String>) -> Response {
    let locale = ctx.locale;
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let fields = vec![
        Input {
            value: username,
            error,
            autocomplete: "username",
            ..Input::new("username", locale.text("join-username"))
        },
        Input {
            hint: locale.text("join-password-hint"),
            ..Input::password("password", locale.text("join-password"), locale)
        },
    ];
    let mut layout = ctx.layout();
    layout.here = "/held/join".into();
    layout.wrong = status != StatusCode::OK;
    let errors = mistakes(&fields);
    html(status, &Other { layout, errors, fields })
}

/// Shows the form that asks for the other account.
pub(crate) async fn show(through: WayOutOwner<ByJoin>) -> Response {
    other(&through.ctx, String::new(), None)
}

/// The submitted user name and password.
#[derive(Default, Deserialize)]
pub(crate) struct NamedAccount {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

/// Checks the other account's user name and password. Without a password, a code is sent.
pub(crate) async fn prove(
    State(app): State<App>,
    WayOutOwner { ctx, session, .. }: WayOutOwner<ByJoin>,
    typed: std::result::Result<Form<NamedAccount>, FormRejection>,
) -> Response {
    let (locale, account) = (ctx.locale, session.account);
    let NamedAccount { username, password } = typed.map(|Form(typed)| typed).unwrap_or_default();
    let username = username.trim().to_owned();
    if username.is_empty() {
        return other(&ctx, username, Some(locale.text("sign-in-no-username")));
    }
    let not_before = with_minimum_delay();
    let answer = async {
        let explanation = app
            .store
            .account_explanation(account.as_str(), app.store.today())
            .await?;
        if password.is_empty() {
            let mut found = app.store.credentials(&username).await?;
            found.retain(|one| one.is_without_password() && is_duplicate_of(&explanation, &one.account));
            let holder = found.first().map(|one| one.account.clone());
            // Counted whether or not there is such an account.
            if app
                .store
                .take(&[limits::own_code("join", account.as_str())])
                .await?
                .is_none()
            {
                return Ok(other(&ctx, username, Some(locale.text("code-too-often"))));
            }
            return send(&app, &ctx, &account, &username, holder).await;
        }
        let at = app.store.now();
        let limits = [limits::own("join", account.as_str())];
        let who = Requester::Session(account.clone());
        let lane = Lane::enter(&who, &username, false).await;
        let tried = app.store.tried(&limits, async {
            let fitting = fitting(&app, &lane, &username, password).await?;
            Ok(if fitting.is_empty() { Err(()) } else { Ok(fitting) })
        });
        let error = match tried.await? {
            TryResult::Right(fitting) => match fitting.iter().find(|one| is_duplicate_of(&explanation, &one.account)) {
                Some(one) => {
                    let holder = std::slice::from_ref(&one.account);
                    let step = Step::new(holder, Factor::Password, at);
                    return choose(&app, &ctx, &account, &step, None).await;
                }
                None => "join-another",
            },
            TryResult::Wrong((), _) => {
                lane.wrong().await;
                "sign-in-wrong"
            }
            TryResult::TooOften => "sign-in-too-often",
        };
        Ok(other(&ctx, username, Some(locale.text(error))))
    };
    let answer: Result<Response> = answer.await;
    not_before.await;
    answer.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}

/// Sends a code to the other account's owner. If there is none, the same row is written and no message is sent.
async fn send(
    app: &App,
    ctx: &RequestContext,
    held: &AccountId,
    username: &str,
    holder: Option<AccountId>,
) -> Result<Response> {
    let mut to = CodeRecipient {
        subject: username_key(username),
        reach: None,
    };
    if let Some(holder) = holder
        && let Some(reach) = app.store.reach(&holder).await?
    {
        to = CodeRecipient {
            subject: holder.to_string(),
            reach: Some(reach),
        };
    }
    let text = |code: &str| ctx.locale.text_with("sms-code", &[("code", code)]);
    let token = ctx.token.as_deref().unwrap_or_default();
    let who = Requester::Session(held.clone());
    app.store
        .send_codes(token, Purpose::Join, &who, &[], &[to], text)
        .await?;
    Ok(Redirect::to("/held/join/code").into_response())
}

fn question(locale: Locale) -> Question {
    Question {
        title: locale.text("form-code-title"),
        lead: locale.text("join-code-lead"),
        action: "/held/join/code",
        again: "",
        back: ("/held/join", locale.text("join-back")),
    }
}

/// Shows the page on which the code is typed.
pub(crate) async fn ask_code(WayOutOwner { ctx, .. }: WayOutOwner<ByJoin>) -> Response {
    one_time_code::page(&ctx, question(ctx.locale), None)
}

/// Checks the typed code.
pub(crate) async fn check_code(
    State(app): State<App>,
    WayOutOwner { ctx, session, .. }: WayOutOwner<ByJoin>,
    typed: std::result::Result<Form<Digits>, FormRejection>,
) -> Response {
    let account = session.account;
    let answer = async {
        let token = ctx.token.as_deref().unwrap_or_default();
        let at = app.store.now();
        match app.store.try_code(token, Purpose::Join, &digits(typed)).await? {
            CodeCheck::Right(holders) => {
                let holders: Vec<AccountId> = holders.into_iter().map(AccountId).collect();
                let step = Step::new(&holders, Factor::Code, at);
                choose(&app, &ctx, &account, &step, None).await
            }
            tried => {
                let error = not_right(&ctx, &tried);
                Ok(one_time_code::page(&ctx, question(ctx.locale), Some(error)))
            }
        }
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

/// Shows the choice of which account stays, after the owner has proven both.
async fn choose(
    app: &App,
    ctx: &RequestContext,
    held: &AccountId,
    step: &Step,
    error: Option<String>,
) -> Result<Response> {
    let locale = ctx.locale;
    let Some(holder) = step.accounts.first() else {
        return Ok(other(ctx, String::new(), Some(locale.text("join-late"))));
    };
    let choices = [
        choice(app, locale, "holder", holder).await?,
        choice(app, locale, "held", held).await?,
    ];
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let mut layout = ctx.layout();
    layout.here = "/held/join".into();
    layout.wrong = error.is_some();
    let errors = error.map(|text| Mistake {
        field: "stays-holder",
        text,
    });
    // The ticket is valid in this session only, which is the held account's.
    let token = ctx.token.as_deref().unwrap_or_default();
    let page = ChooseAccountPage {
        layout,
        errors: errors.into_iter().collect(),
        choices,
        ticket: step.issue_in(&app.store, token, CHOICE).await?,
    };
    Ok(html(status, &page))
}

/// The user name of an account, or its id if it has none.
async fn called(app: &App, account: &AccountId) -> Result<String> {
    let explanation = app
        .store
        .account_explanation(account.as_str(), app.store.today())
        .await?;
    Ok(explanation.username.unwrap_or(explanation.account))
}

async fn choice(app: &App, locale: Locale, value: &'static str, account: &AccountId) -> Result<Choice> {
    let explanation = app
        .store
        .account_explanation(account.as_str(), app.store.today())
        .await?;
    let day = |name: &str| {
        let day = explanation.fact(name).and_then(|day| day.parse().ok());
        day.map_or_else(|| locale.text("join-unknown"), |day| locale.day(day))
    };
    let username = explanation
        .username
        .clone()
        .unwrap_or_else(|| locale.text("join-unknown"));
    let (created, last) = (day("created_on"), day("last_sign_in_on"));
    let (key, called) = (format!("join-choose-{value}"), called(app, account).await?);
    Ok(Choice {
        value,
        name: locale.text_with(&key, &[("account", &called)]),
        hint: locale.text_with(
            "join-hint-account",
            &[("username", &username), ("created", &created), ("last", &last)],
        ),
    })
}

/// The submitted choice.
#[derive(Default, Deserialize)]
pub(crate) struct ChosenAccount {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    stays: String,
}

/// Joins the two accounts.
pub(crate) async fn join(
    State(app): State<App>,
    WayOutOwner { ctx, session, .. }: WayOutOwner<ByJoin>,
    typed: std::result::Result<Form<ChosenAccount>, FormRejection>,
) -> Response {
    let (locale, account) = (ctx.locale, session.account);
    let ChosenAccount { ticket, stays } = typed.map(|Form(typed)| typed).unwrap_or_default();
    let answer = async {
        let token = ctx.token.as_deref().unwrap_or_default();
        let step = Step::redeem_in(&app.store, token, CHOICE, &ticket).await?;
        let Some((step, holder)) = step.and_then(|step| Some((step.clone(), step.accounts.first()?.clone()))) else {
            return Ok(other(&ctx, String::new(), Some(locale.text("join-late"))));
        };
        let held_stays = match &*stays {
            "held" => true,
            "holder" => false,
            _ => {
                let error = Some(locale.text("join-choose-empty"));
                return choose(&app, &ctx, &account, &step, error).await;
            }
        };
        let (goes, stays) = if held_stays {
            (&holder, &account)
        } else {
            (&account, &holder)
        };
        // The message names the accounts as their owner knows them.
        let (gone, kept_as) = (called(&app, goes).await?, called(&app, stays).await?);
        let news = locale.text_with("sms-joined", &[("goes", &gone), ("stays", &kept_as)]);
        let join = Join {
            held: account.clone(),
            holder: holder.clone(),
            held_stays,
        };
        match app.store.join(&join, &news).await {
            Err(StoreError::Refused(Refusal::CannotJoin(..))) => {
                return Ok(other(&ctx, String::new(), Some(locale.text("error-cannot-join"))));
            }
            done => done?,
        }
        let mut layout = ctx.layout();
        layout.here = "/".into();
        let page = |key: &str| {
            let text = locale.text_with(key, &[("account", &kept_as)]);
            html(
                StatusCode::OK,
                &MessagePage::new(layout, locale.text("join-done-title"), text),
            )
        };
        if held_stays {
            return Ok(page("join-done-held"));
        }
        let held = ctx.token.as_deref().unwrap_or_default();
        let token = app
            .store
            .resume_after_join(held, stays, step.factor(), step.at())
            .await?;
        Ok((session_cookie(&token), page("join-done-holder")).into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}
