//! The held visit: each hold with its clause, its evidence, who can mend it and the way out.

mod idle;
mod join;
mod review;

use super::App;
use super::asker::{Asker, kept};
use super::page::{Fault, Line, Shell, go_on, history, html, message};
use crate::output::{Words, evidence};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ngomon_rules::event::Change;
use ngomon_rules::hold::{Cause, Reason};
use ngomon_rules::law::law;
use ngomon_rules::record::AccountId;
use ngomon_rules::unit::UnitTree;
use ngomon_store::{Explained, HeldSince, Result};

/// Why, and the ways out.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/held", get(show))
        .route("/held/join", get(join::show).post(join::prove))
        .route("/held/join/code", get(join::ask_code).post(join::check_code))
        .route("/held/join/choose", post(join::join))
        .route("/held/code", get(idle::ask).post(idle::check))
        .route("/held/code/send", post(idle::send))
        .route("/held/review", get(review::show).post(review::ask))
}

#[derive(Template)]
#[template(path = "held.html")]
struct Held {
    shell: Shell,
    several: String,
    holds: Vec<Shown>,
    history: Vec<Line>,
    /// The receipt of the review that was asked for.
    review: Option<String>,
}

/// A hold as people read it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a way out that stands or does not, beside the others"
)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// What happened.
    pub text: String,
    /// Way out, who mends it, evidence, days, clause.
    pub rows: Vec<(String, String)>,
    /// Does the form mend it?
    pub by_form: bool,
    /// Does joining it to another account?
    pub by_join: bool,
    /// Can a review at a counter be asked for?
    pub by_review: bool,
    /// Does the own HR profile?
    pub by_profile: bool,
    /// Does a one-time code?
    pub by_code: bool,
}

/// Why, and the way out.
async fn show(State(app): State<App>, asker: Asker) -> Response {
    let words = asker.words;
    let Some(visit) = asker.visit.as_ref().filter(|visit| visit.held) else {
        return Redirect::to("/").into_response();
    };
    let page = async {
        let story = app.store.story(visit.account.as_str(), app.store.today()).await?;
        let units = app.store.units().await?;
        let counting: Vec<&HeldSince> = story.holds.iter().filter(|held| !held.suspended).collect();
        if counting.is_empty() {
            return opened(&app, &asker).await;
        }
        let n = words.number(counting.len() as u64);
        Ok(html(
            StatusCode::OK,
            &Held {
                several: words.say_with("held-several", &[("n", &n)]),
                // Whose the other account is, is not this owner's to know: it may be a stranger's.
                holds: counting
                    .into_iter()
                    .map(|held| shown(held, joined_into(&story), &units, words, &["claim_of"]))
                    .collect(),
                review: app.store.open_review(&visit.account).await?,
                history: history(&story.history, words),
                shell: asker.shell(),
            },
        ))
    };
    let page: Result<Response> = page.await;
    page.unwrap_or_else(|e| Fault(words, e).into_response())
}

/// Nothing holds it any more: the visit is a full one, and leads on to where its owner was going.
async fn opened(app: &App, asker: &Asker) -> Result<Response> {
    let words = asker.words;
    let held = asker.token.as_deref().unwrap_or_default();
    let Some(token) = app.store.open_after_hold(held).await? else {
        let (title, text) = (words.say("held-opened"), words.say("held-opened-sign-in"));
        return Ok(message(asker, StatusCode::OK, title, text, ""));
    };
    let page = match app.store.take_next(token.as_str()).await? {
        Some(next) => go_on(asker.shell(), next),
        None => {
            let (title, text) = (words.say("held-opened"), words.say("held-opened-text"));
            message(asker, StatusCode::OK, title, text, "")
        }
    };
    Ok((kept(&token), page).into_response())
}

/// The account that this one was joined to last.
pub fn joined_into(story: &Explained) -> Option<&AccountId> {
    let mut latest = story.history.iter().rev();
    latest.find_map(|entry| match &entry.change {
        Change::AccountJoined { into } => Some(into),
        _ => None,
    })
}

/// A hold in words, without the evidence that is not the reader's to know. `joined`: the account that this one was joined to last.
pub fn shown(held: &HeldSince, joined: Option<&AccountId>, units: &UnitTree, words: Words, without: &[&str]) -> Shown {
    let hold = &held.hold;
    let mut rows = vec![
        (
            words.say("explain-way-out"),
            words.say(&format!("way-out-{}", hold.reason)),
        ),
        (words.say("explain-mends"), words.say(&format!("mends-{}", hold.reason))),
    ];
    for (name, value) in hold
        .evidence
        .iter()
        .filter(|(name, _)| !without.contains(&name.as_str()))
    {
        let label = words.say(&format!("evidence-{}", name.replace('_', "-")));
        rows.push((capital(&label), evidence(name, value, units, words)));
    }
    // A join that a later claim has overtaken says nothing any more.
    let joined = joined.filter(|into| hold.cause == Cause::claim(into));
    if let Some(into) = joined {
        rows.push((words.say("held-joined-into"), into.to_string()));
    }
    if let Some(since) = held.since {
        rows.push((words.say("explain-since"), words.instant(since)));
    }
    if let Some(last) = hold.last_day {
        rows.push((words.say("explain-until"), words.day(last)));
    }
    let clause = hold.reason.clause();
    let place = match law(clause) {
        Some(law) => format!("{}, {}", law.place, law.letter),
        None => words.say(&format!("clause-{clause}")),
    };
    rows.push((words.say("explain-clause"), place));
    Shown {
        name: words.say(&format!("hold-{}", hold.reason)),
        text: words.say(&format!("hold-text-{}", hold.reason)),
        rows,
        by_form: matches!(
            hold.reason,
            Reason::Duplicate | Reason::ClaimLost | Reason::NotStandardised
        ),
        by_join: hold.reason == Reason::Duplicate && joined.is_none(),
        by_review: matches!(hold.reason, Reason::Duplicate | Reason::ClaimLost),
        by_profile: matches!(
            hold.reason,
            Reason::Mismatch | Reason::TransferPending | Reason::StaleInfo | Reason::ReviewOverdue
        ),
        by_code: hold.reason == Reason::Idle,
    }
}

/// As a heading begins.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}
