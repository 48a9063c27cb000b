//! The owner's own account: what is asked of it, its history, its sessions.

use super::App;
use super::asker::Asker;
use super::form::asked;
use super::may_have_passkeys;
use super::page::{Fault, Line, Shell, go_on, history, html};
use super::report::may_see;
use crate::openid::told;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::citizens::Gate;
use ngomon_rules::client::ClientId;
use ngomon_rules::record::AccountKind;
use ngomon_store::Result;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "home.html")]
#[expect(clippy::struct_excessive_bools, reason = "each shows its own part of the page")]
struct Home {
    shell: Shell,
    state: String,
    asks: bool,
    /// An official's: the way to the own HR profile.
    has_profile: bool,
    has_passkeys: bool,
    sees_report: bool,
    facts: Vec<(String, String)>,
    history: Vec<Line>,
    /// Systems that are not the province's own, and what they may be told.
    allowed: Vec<Allowed>,
    sessions: Vec<(String, String)>,
}

struct Allowed {
    client: String,
    name: String,
    told: Vec<String>,
    since: String,
}

/// The first page after signing in; the gate comes before it (C1: "yêu cầu người dùng thực hiện chuẩn hóa").
pub async fn show(State(app): State<App>, asker: Asker) -> Response {
    let Some(visit) = asker.visit.clone() else {
        return Redirect::to("/sign-in").into_response();
    };
    if visit.held {
        return Redirect::to("/held").into_response();
    }
    let words = asker.words;
    let page = async {
        let story = app.store.story(visit.account.as_str(), app.store.today()).await?;
        let asks = asked(&story);
        let required = story.gate == Some(Gate::Required);
        if asks && (required || !visit.put_off) {
            return Ok(Redirect::to("/form").into_response());
        }
        // Nothing is asked any more: on to where the owner was going.
        if let Some(token) = &asker.token
            && let Some(next) = app.store.take_next(token).await?
        {
            return Ok(go_on(asker.shell(), next));
        }
        let exempt_to = story.exempt_to.filter(|last| story.day <= *last);
        let state = match (
            story.fact("claim"),
            story.fact("last_form"),
            story.fact("last_form_receipt"),
            exempt_to,
        ) {
            (Some(_), ..) => words.say("home-standardised"),
            (None, Some("pending"), Some(receipt), _) => words.say_with("home-pending", &[("receipt", receipt)]),
            _ if asks => words.say("home-put-off"),
            (None, _, _, Some(last)) => words.say_with("home-exempt", &[("day", &words.day(last))]),
            _ => words.say("home-open"),
        };
        let units = app.store.units().await?;
        let shown = [
            "full_name",
            "national_id",
            "phone",
            "employee_code",
            "claim_since",
            "last_form_receipt",
        ];
        let facts = story
            .facts
            .iter()
            .filter(|(name, _)| shown.contains(name))
            .map(|(name, value)| {
                let name_of = words.say(&format!("fact-{}", name.replace('_', "-")));
                (name_of, crate::output::said(name, value, &units, words))
            });
        let sessions = app.store.sessions(&visit.account).await?;
        let allowed = app.store.consents(&visit.account).await?;
        let allowed = allowed.into_iter().map(|one| Allowed {
            told: told(&one.scopes, words),
            since: words.instant(one.at),
            client: one.client.0,
            name: one.name,
        });
        Ok(html(
            StatusCode::OK,
            &Home {
                state,
                asks,
                has_profile: visit.kind == AccountKind::Official,
                has_passkeys: asker.passkeys && may_have_passkeys(&visit),
                sees_report: may_see(&asker),
                facts: facts.collect(),
                history: history(&story.history, words),
                allowed: allowed.collect(),
                sessions: sessions
                    .iter()
                    .map(|s| (words.instant(s.began), words.instant(s.seen)))
                    .collect(),
                shell: asker.shell(),
            },
        ))
    };
    let page: Result<Response> = page.await;
    page.unwrap_or_else(|e| Fault(words, e).into_response())
}

/// Ends the sessions elsewhere.
pub async fn close_others(State(app): State<App>, asker: Asker) -> Response {
    if let (Some(visit), Some(token)) = (&asker.visit, &asker.token)
        && let Err(error) = app.store.close_other_sessions(&visit.account, token).await
    {
        return Fault(asker.words, error).into_response();
    }
    Redirect::to("/").into_response()
}

/// Which.
#[derive(Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    client: String,
}

/// The owner allowed a system to be told, and takes it back.
pub async fn withdraw(
    State(app): State<App>,
    asker: Asker,
    sent: std::result::Result<Form<Which>, FormRejection>,
) -> Response {
    let Which { client } = sent.map(|Form(sent)| sent).unwrap_or_default();
    if let Some(visit) = asker.visit.as_ref().filter(|visit| !visit.held)
        && let Err(error) = app.store.withdraw_consent(&visit.account, &ClientId(client)).await
    {
        return Fault(asker.words, error).into_response();
    }
    Redirect::to("/").into_response()
}
