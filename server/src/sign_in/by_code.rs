//! One-time codes to the phone or mailbox on file: to sign in to an account without a password, or to reset a password. A
//! request looks the same and takes the same time whether or not the account exists.

use crate::app::App;
use crate::http::{ErrorPage, Input, Layout, Mistake, RequestContext, html, mistakes, ticket_cookie};
use crate::i18n::Locale;
use crate::security::password::{Lane, with_minimum_delay};
use crate::sign_in::choose_account::enter_one_of;
use crate::sign_in::one_time_code::{Digits, Question, digits, not_right, page};
use crate::sign_in::{limits, password_reset};
use askama::Template;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_rules::values::username_key;
use ngomon_store::{CODE_LIVES, CodeCheck, CodeRecipient, Credential, Factor, Purpose, Result, TryResult};
use serde::Deserialize;

/// The use of a code. Its message keys are `sign-in-KEY-…`.
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
    fn say(&self, locale: Locale, what: &str) -> String {
        locale.text(&format!("sign-in-{}-{what}", self.key))
    }

    /// Whether this use is open to the account.
    fn is_for(&self, one: &Credential) -> bool {
        one.kind != AccountKind::Operator && one.is_without_password() == (self.purpose == Purpose::SignIn)
    }
}

/// The routes: the form for the user name, then the one for the code.
pub fn routes() -> Router<App> {
    let way = |way: &'static Way| {
        let send = move |app, ctx, typed| send(way, app, ctx, typed);
        let check = move |app, ctx, typed| check(way, app, ctx, typed);
        Router::new()
            .route(
                way.path,
                get(move |ctx: RequestContext| async move { ask(way, &ctx, String::new(), None) }).post(send),
            )
            .route(
                way.sent,
                get(move |ctx: RequestContext| async move { sent(way, &ctx) }).post(check),
            )
    };
    way(&CODE).merge(way(&RESET))
}

/// The most accounts of one user name that are sent a code.
const MOST_ACCOUNTS: usize = 8;

#[derive(Template)]
#[template(path = "sign_in_by_code.html")]
struct SignInByCodePage {
    layout: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    path: &'static str,
    title: String,
    lead: String,
}

/// The submitted form.
#[derive(Default, Deserialize)]
struct Name {
    #[serde(default)]
    username: String,
    /// `yes` for the user name that this browser sent before.
    #[serde(default)]
    again: String,
}

fn ask(way: &Way, ctx: &RequestContext, username: String, error: Option<String>) -> Response {
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let fields = vec![Input {
        value: username,
        error,
        autocomplete: "username",
        ..Input::new("username", ctx.locale.text("sign-in-username"))
    }];
    let mut layout = ctx.layout();
    layout.wrong = status != StatusCode::OK;
    let errors = mistakes(&fields);
    html(
        status,
        &SignInByCodePage {
            layout,
            errors,
            fields,
            path: way.path,
            title: way.say(ctx.locale, "title"),
            lead: way.say(ctx.locale, "lead"),
        },
    )
}

/// Sends a code to each account of this name that the use is open to.
async fn send(
    way: &Way,
    State(app): State<App>,
    ctx: RequestContext,
    typed: std::result::Result<Form<Name>, FormRejection>,
) -> Response {
    let locale = ctx.locale;
    let Name { username, again } = typed.map(|Form(typed)| typed).unwrap_or_default();
    let mut username = username.trim().to_owned();
    if again == "yes" {
        let asked = match &ctx.ticket {
            Some(kept) => app.store.asked(kept).await,
            None => Ok(None),
        };
        username = match asked {
            Ok(Some(asked)) => asked,
            Ok(None) => return Redirect::to(way.path).into_response(),
            Err(error) => return ErrorPage(locale, error).into_response(),
        };
    }
    if username.is_empty() {
        return ask(way, &ctx, username, Some(locale.text("sign-in-no-username")));
    }
    let not_before = with_minimum_delay();
    let answer = async {
        let found = app.store.credentials(&username).await?;
        let who = limits::who_of(&app, &ctx, &found);
        if !app.store.has_room_for_codes(&who).await? {
            return Ok(ask(way, &ctx, username, Some(locale.text("code-many"))));
        }
        let limits = limits::code(&ctx, &who, way.key, &username);
        let again = limits::tries_again(&app, &who, &limits).await?;
        let lane = Lane::enter(&who, &username, again).await;
        // Whether or not the name exists: while a code may be live, another request does not count as an attempt.
        let name = username_key(&username);
        let asked = [way.key, &name, &ctx.address];
        let live = app.store.is_noted("code-asked", &asked).await?;
        if !live && app.store.take(&limits).await?.is_none() {
            return Ok(ask(way, &ctx, username, Some(locale.text("code-too-often"))));
        }
        let mut to = Vec::new();
        for one in found {
            if !way.is_for(&one) || to.len() >= MOST_ACCOUNTS {
                continue;
            }
            let Some(reach) = app.store.reach(&one.account).await? else {
                continue;
            };
            // C5: a counter changed the phone, so for 30 days a code to it cannot reset the password.
            if way.purpose == Purpose::Reset && app.store.phone_changed_lately(&one.account).await? {
                continue;
            }
            to.push(CodeRecipient {
                subject: one.account.to_string(),
                reach: Some(reach),
            });
        }
        if to.is_empty() {
            to.push(CodeRecipient {
                subject: name.clone(),
                reach: None,
            });
        }
        let kept = app.store.new_token();
        let text = |code: &str| locale.text_with(way.sms, &[("code", code)]);
        let sent = app.store.send_codes(kept.as_str(), way.purpose, &who, &[], &to, text);
        if let Err(fault) = sent.await {
            if !live {
                app.store.give_back(&limits).await.ok();
            }
            return Err(fault);
        }
        app.store.remember_asked(kept.as_str(), &username).await?;
        let until = app.store.now().as_microsecond() + CODE_LIVES;
        app.store.consume_nonce("code-asked", &asked, until).await?;
        lane.wrong().await;
        let sent = format!("{}{}", way.sent, ctx.layout().going);
        Ok((ticket_cookie(kept.as_str()), Redirect::to(&sent)).into_response())
    };
    let answer: Result<Response> = answer.await;
    not_before.await;
    answer.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}

fn question(way: &Way, ctx: &RequestContext) -> Question {
    let locale = ctx.locale;
    Question {
        title: way.say(locale, "sent-title"),
        lead: way.say(locale, "sent-lead"),
        action: way.sent,
        again: way.path,
        back: (way.path, locale.text("sign-in-code-back")),
    }
}

fn sent(way: &Way, ctx: &RequestContext) -> Response {
    match &ctx.ticket {
        Some(_) => page(ctx, question(way, ctx), None),
        None => Redirect::to(way.path).into_response(),
    }
}

/// Checks the code. It leads to a session, to the choice among several accounts, or to the form for a new password.
async fn check(
    way: &Way,
    State(app): State<App>,
    ctx: RequestContext,
    typed: std::result::Result<Form<Digits>, FormRejection>,
) -> Response {
    let answer = async {
        let Some(kept) = &ctx.ticket else {
            return Ok(Redirect::to(way.path).into_response());
        };
        let at = app.store.now();
        let limits = limits::typed_code(&ctx);
        let tried = app.store.tried(&limits, async {
            Ok(match app.store.try_code(kept, way.purpose, &digits(typed)).await? {
                CodeCheck::Right(accounts) => Ok(accounts),
                wrong => Err(wrong),
            })
        });
        let accounts = match tried.await? {
            TryResult::Right(accounts) => accounts,
            TryResult::Wrong(wrong, _) => {
                return Ok(page(&ctx, question(way, &ctx), Some(not_right(&ctx, &wrong))));
            }
            TryResult::TooOften => {
                let often = ctx.locale.text("sign-in-too-often");
                return Ok(page(&ctx, question(way, &ctx), Some(often)));
            }
        };
        let accounts: Vec<AccountId> = accounts.into_iter().map(AccountId).collect();
        match (way.purpose, accounts.first()) {
            (Purpose::Reset, Some(account)) => password_reset::ask(&app, &ctx, account).await,
            _ => enter_one_of(&app, &ctx, &accounts, Factor::Code, at).await,
        }
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}
