//! The owner's passkeys: list, add and remove. Adding and removing need a recent authentication, because an unlocked screen is
//! not enough.

use crate::app::App;
use crate::cli::error_text::refused;
use crate::http::{ErrorPage, Layout, Mistake, RequestContext, html, once_more, query_encode, redirect_page};
use crate::security::webauthn::Owner;
use crate::sign_in::passkeys::ceremony::{AssertionForm, challenged, passkeys_allowed};
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::event::PasskeyId;
use ngomon_store::{Ceremony, NewPasskey, Result, Session, StoreError};
use serde::Deserialize;

/// The longest time since the authentication, in microseconds.
const FRESH: i64 = 10 * 60 * 1_000_000;
/// The longest name, in characters.
const LONGEST: usize = 60;

/// A row of the list.
struct PasskeyRow {
    id: String,
    name: String,
    rows: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "passkeys.html")]
struct PasskeysPage {
    layout: Layout,
    errors: Vec<Mistake>,
    /// The confirmation of what was just done.
    done: Option<String>,
    passkeys: Vec<PasskeyRow>,
    /// The address at which the owner authenticates again before changing anything. `None` if the authentication is recent.
    anew: Option<String>,
}

/// What was just done.
#[derive(Default, Deserialize)]
pub struct PasskeysQuery {
    #[serde(default)]
    done: String,
}

/// The owner's session, if the account may have passkeys here.
fn owner(ctx: &RequestContext) -> Option<&Session> {
    ctx.session
        .as_ref()
        .filter(|session| ctx.passkeys && passkeys_allowed(session))
}

/// Whether the owner authenticated recently by a password or a passkey. A code to a phone is not enough.
fn is_fresh(app: &App, session: &Session) -> bool {
    let shown = session.amr.split(' ').any(|word| ["pwd", "hwk", "swk"].contains(&word));
    shown && app.store.now().as_microsecond() - session.began < FRESH
}

async fn page(
    app: &App,
    ctx: &RequestContext,
    session: &Session,
    done: &str,
    error: Option<String>,
) -> Result<Response> {
    let locale = ctx.locale;
    let passkeys = app.store.passkeys(&session.account).await?;
    let line = |one: ngomon_store::Passkey| {
        let used = one.used.map(|at| locale.instant(at));
        PasskeyRow {
            rows: vec![
                (locale.text("passkeys-added"), locale.instant(one.added)),
                (
                    locale.text("passkeys-used"),
                    used.unwrap_or_else(|| locale.text("passkeys-never")),
                ),
            ],
            id: one.id.0,
            name: one.name,
        }
    };
    let mut layout = ctx.layout();
    let here = format!("/passkeys{}", layout.going);
    let status = if error.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    layout.wrong = error.is_some();
    let anew = (!is_fresh(app, session)).then(|| format!("/sign-in?to={}", query_encode(&here)));
    layout.here = here;
    let page = PasskeysPage {
        errors: error.map(|text| Mistake { field: "name", text }).into_iter().collect(),
        done: ["added", "removed"]
            .contains(&done)
            .then(|| locale.text(&format!("passkeys-done-{done}"))),
        passkeys: passkeys.into_iter().map(line).collect(),
        anew,
        layout,
    };
    Ok(html(status, &page))
}

/// Shows the passkeys.
pub async fn show(
    State(app): State<App>,
    ctx: RequestContext,
    Query(PasskeysQuery { done }): Query<PasskeysQuery>,
) -> Response {
    let Some(session) = owner(&ctx) else {
        return Redirect::to("/").into_response();
    };
    let page = page(&app, &ctx, session, &done, None).await;
    page.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

/// The challenge that registers a new device of the owner.
pub async fn challenge(State(app): State<App>, ctx: RequestContext) -> Response {
    let (Some(session), Some(token)) = (owner(&ctx).filter(|session| is_fresh(&app, session)), &ctx.token) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let asked = challenged(&app, &ctx, Ceremony::Add(token), async |passkeys| {
        let about = app.store.about(&session.account).await?;
        let stated = about.map(|about| about.stated).unwrap_or_default();
        let username = stated.username.unwrap_or_else(|| session.account.to_string());
        let name = stated.full_name.as_ref().map(|name| name.as_str());
        let owner = Owner {
            id: app.store.passkey_owner(&session.account).await?,
            username: &username,
            name: name.unwrap_or(&username),
        };
        passkeys.ask_for_new(&owner, &app.store.passkeys(&session.account).await?)
    });
    asked.await.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

/// The submitted form.
#[derive(Default, Deserialize)]
pub struct NewPasskeyForm {
    #[serde(flatten)]
    shown: AssertionForm,
    #[serde(default)]
    name: String,
}

/// The name without control characters, cut to the longest length.
fn plain(typed: &str) -> String {
    let kept = typed.chars().filter(|c| !c.is_control()).take(LONGEST);
    kept.collect::<String>().trim().to_owned()
}

/// Registers the new device.
pub async fn add(
    State(app): State<App>,
    ctx: RequestContext,
    sent: std::result::Result<Form<NewPasskeyForm>, FormRejection>,
) -> Response {
    let NewPasskeyForm { shown, name } = sent.map(|Form(sent)| sent).unwrap_or_default();
    let (Some(session), Some(token), Some(passkeys)) = (owner(&ctx), &ctx.token, &app.passkeys) else {
        return Redirect::to("/").into_response();
    };
    let locale = ctx.locale;
    let answer = async {
        if let Some(page) = once_more(&app, &ctx, session, "passkey-added").await? {
            return Ok(page);
        }
        let state = app.store.end_ceremony(Ceremony::Add(token), &shown.ceremony).await?;
        let made = state.and_then(|state| passkeys.new_one(&state, &shown.credential));
        let Some((credential, key)) = made else {
            return page(&app, &ctx, session, "", Some(locale.text("passkeys-add-wrong"))).await;
        };
        let mut name = plain(&name);
        if name.is_empty() {
            name = locale.text_with("passkeys-unnamed", &[("day", &locale.day(app.store.today()))]);
        }
        let new = NewPasskey { name, credential, key };
        let news = locale.text("sms-passkey-added");
        match app.store.add_passkey(&session.account, new, &news).await {
            Ok(()) => {}
            Err(StoreError::Refused(refusal)) => {
                return page(&app, &ctx, session, "", Some(refused(&refusal, locale))).await;
            }
            Err(error) => return Err(error),
        }
        Ok(match ctx.going.clone() {
            Some(to) => {
                let mut layout = ctx.layout();
                layout.here = "/passkeys".into();
                redirect_page(layout, to)
            }
            None => Redirect::to("/passkeys?done=added").into_response(),
        })
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}

/// The passkey to remove.
#[derive(Default, Deserialize)]
pub struct PasskeyForm {
    #[serde(default)]
    passkey: String,
}

/// Removes a passkey.
pub async fn remove(
    State(app): State<App>,
    ctx: RequestContext,
    sent: std::result::Result<Form<PasskeyForm>, FormRejection>,
) -> Response {
    let PasskeyForm { passkey } = sent.map(|Form(sent)| sent).unwrap_or_default();
    let Some(session) = owner(&ctx) else {
        return Redirect::to("/").into_response();
    };
    if !is_fresh(&app, session) {
        return Redirect::to("/passkeys").into_response();
    }
    let answer = async {
        if let Some(page) = once_more(&app, &ctx, session, "passkey-removed").await? {
            return Ok(page);
        }
        let news = ctx.locale.text("sms-passkey-removed");
        app.store
            .remove_passkey(&session.account, &PasskeyId(passkey), &news)
            .await?;
        Ok(Redirect::to("/passkeys?done=removed").into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}
