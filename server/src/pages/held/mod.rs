//! The page of the held visit: each hold with its clause, its evidence, who can resolve it, and the way out.

mod idle;
mod join;
mod move_on;
mod review;

use crate::app::App;
use crate::http::{ErrorPage, History, Layout, RequestContext, history, html, message, redirect_page, session_cookie};
use crate::i18n::{Locale, evidence_rows, hold_text, since_row};
use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ngomon_rules::hold::WayOut;
use ngomon_rules::records::AccountId;
use ngomon_rules::unit::UnitTree;
use ngomon_store::{AccountExplanation, ActiveHold, HistoryCursor, Result};
use serde::Deserialize;

/// The page of the held visit and its ways out.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/held", get(show))
        .route("/held/join", get(join::show).post(join::prove))
        .route("/held/join/code", get(join::ask_code).post(join::check_code))
        .route("/held/join/choose", post(join::join))
        .route("/held/code", get(idle::ask).post(idle::check))
        .route("/held/code/send", post(idle::send))
        .route("/held/move-on", post(move_on::enter))
        .route("/held/review", get(review::show).post(review::ask))
}

#[derive(Template)]
#[template(path = "held.html")]
struct HeldPage {
    layout: Layout,
    /// The confirmation of what was just done, and what is left.
    done: Option<String>,
    /// The account, by user name and unit.
    account: String,
    several: String,
    /// The time at which the visit ends.
    until: String,
    holds: Vec<HoldView>,
    /// Whether the account at the new unit has the same password.
    same_login: bool,
    history: History,
    /// The answers to the owner's requests.
    answers: Vec<String>,
    /// The receipt of the requested review.
    review: Option<String>,
}

/// A hold as people read it.
pub struct HoldView {
    /// The name of the hold.
    pub name: String,
    /// What happened, and what to do now.
    pub text: String,
    /// Who resolves it, when it is checked again, evidence, days, clause.
    pub rows: Vec<(String, String)>,
    /// The letter's own sentence.
    pub sentence: Option<&'static str>,
    /// The ways out that are open to the owner here.
    pub ways: Vec<WayOut>,
}

/// What was just done, and the start of the requested part of the history.
#[derive(Default, Deserialize)]
struct HeldQuery {
    #[serde(default)]
    done: String,
    #[serde(default)]
    before: String,
}

/// Shows the holds and their ways out.
async fn show(State(app): State<App>, ctx: RequestContext, Query(query): Query<HeldQuery>) -> Response {
    let locale = ctx.locale;
    let Some(session) = ctx.session.as_ref().filter(|session| session.held) else {
        return Redirect::to("/").into_response();
    };
    let page = async {
        let before = HistoryCursor::parse(&query.before);
        let account = session.account.as_str();
        let explanation = app
            .store
            .explain_page(account, app.store.today(), before.as_ref())
            .await?;
        let units = app.store.units().await?;
        let counting: Vec<&ActiveHold> = explanation.holds.iter().filter(|held| !held.suspended).collect();
        if counting.is_empty() {
            return opened(&app, &ctx).await;
        }
        let n = locale.number(counting.len() as u64);
        let username = explanation.username.as_deref().unwrap_or(account);
        Ok(html(
            StatusCode::OK,
            &HeldPage {
                account: locale.text_with(
                    "held-account",
                    &[("username", username), ("unit", &explanation.unit_name)],
                ),
                until: locale.text_with("held-until", &[("at", &locale.instant(session.held_until()))]),
                several: locale.text_with("held-several", &[("n", &n)]),
                same_login: explanation.moved_to.as_ref().is_some_and(|to| to.same_login),
                done: (query.done == "recorded").then(|| locale.text_with("held-recorded", &[("n", &n)])),
                // The other account may be a stranger's, so this owner must not learn whose it is.
                holds: counting
                    .into_iter()
                    .map(|held| shown(held, &explanation, &units, locale, &["claim_of"]))
                    .collect(),
                answers: answers(&app, &session.account, locale).await?,
                review: app.store.open_review(&session.account).await?,
                history: history(&explanation, &query.before, "/held", locale),
                layout: ctx.layout(),
            },
        ))
    };
    let page: Result<Response> = page.await;
    page.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}

/// The answers to an owner's requests, with the reasons.
pub async fn answers(app: &App, account: &AccountId, locale: Locale) -> Result<Vec<String>> {
    let given = app.store.given_answers(account).await?;
    let said = given.into_iter().map(|answer| {
        let key = if answer.accepted {
            "answer-accepted"
        } else {
            "answer-declined"
        };
        let at = locale.instant(answer.at);
        let said = locale.text_with(key, &[("receipt", &answer.receipt), ("at", &at)]);
        match answer.reason {
            Some(reason) => format!("{said} {}", locale.text_with("answer-reason", &[("reason", &reason)])),
            None => said,
        }
    });
    Ok(said.collect())
}

/// Replaces the held visit by a full session, because no hold is left, and returns to where the owner was going.
async fn opened(app: &App, ctx: &RequestContext) -> Result<Response> {
    let locale = ctx.locale;
    let held = ctx.token.as_deref().unwrap_or_default();
    let Some(token) = app.store.resume_after_hold(held).await? else {
        let (title, text) = (locale.text("held-opened"), locale.text("held-opened-sign-in"));
        return Ok(message(ctx, StatusCode::OK, title, text, ""));
    };
    let page = match app.store.take_next(token.as_str()).await? {
        Some(next) => redirect_page(ctx.layout(), next),
        None => {
            let (title, text) = (locale.text("held-opened"), locale.text("held-opened-text"));
            message(ctx, StatusCode::OK, title, text, "")
        }
    };
    Ok((session_cookie(&token), page).into_response())
}

/// A hold in words, without the evidence fields in `without`, which the reader must not see.
pub fn shown(
    held: &ActiveHold,
    explanation: &AccountExplanation,
    units: &UnitTree,
    locale: Locale,
    without: &[&str],
) -> HoldView {
    let hold = &held.hold;
    let text = hold_text(held, explanation, units, locale);
    let mut rows = vec![
        (locale.text("explain-mends"), text.mends),
        (locale.text("explain-again"), text.again),
    ];
    rows.extend(evidence_rows(held, explanation, units, locale, without));
    rows.extend(held.since.map(|since| since_row(since, locale)));
    if let Some(last) = hold.last_day {
        rows.push((locale.text("explain-until"), locale.day(last)));
    }
    rows.push((locale.text("explain-clause"), text.clause));
    HoldView {
        name: text.name,
        text: text.text,
        rows,
        sentence: text.sentence,
        ways: held.ways_out().collect(),
    }
}
