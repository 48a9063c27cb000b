//! The owner's own account: its state, its history, its sessions.

use super::App;
use super::asker::Asker;
use super::desk::whose_claim;
use super::device;
use super::form::asked;
use super::may_have_passkeys;
use super::page::{Fault, History, Shell, go_on, history, html};
use super::report::may_see;
use super::ways::once_more;
use crate::openid::told;
use crate::output::{Words, capital, outlook, said};
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::citizens::Gate;
use ngomon_rules::client::ClientId;
use ngomon_rules::hold::Reason;
use ngomon_rules::record::AccountKind;
use ngomon_rules::unit::UnitTree;
use ngomon_store::{Before, Explained, OpenSession, Result};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "home.html")]
#[expect(clippy::struct_excessive_bools, reason = "each shows its own part of the page")]
struct Home {
    shell: Shell,
    state: String,
    /// Whether to show the link to the form, required or not.
    may_form: bool,
    /// Whether to show the link to the HR profile, for officials.
    has_profile: bool,
    has_passkeys: bool,
    sees_report: bool,
    /// Warnings for the owner: a claim of somebody else's details, holds that are coming.
    notices: Vec<String>,
    facts: Vec<(String, String)>,
    history: History,
    /// Consents given to systems that are not the province's own.
    allowed: Vec<Allowed>,
    sessions: Vec<Session>,
}

/// A row of the owner's sessions.
struct Session {
    device: String,
    began: String,
    seen: String,
}

struct Allowed {
    client: String,
    name: String,
    told: Vec<String>,
    since: String,
}

/// The start of the requested part of the history.
#[derive(Default, Deserialize)]
pub struct HistoryQuery {
    #[serde(default)]
    before: String,
}

/// Shows the first page after signing in; the gate comes before it (C1: "yêu cầu người dùng thực hiện chuẩn hóa").
pub async fn show(State(app): State<App>, asker: Asker, Query(query): Query<HistoryQuery>) -> Response {
    let Some(visit) = asker.visit.clone() else {
        return Redirect::to("/sign-in").into_response();
    };
    if visit.held {
        return Redirect::to("/held").into_response();
    }
    let words = asker.words;
    let page = async {
        let before = Before::parse(&query.before);
        let account = visit.account.as_str();
        let (store, today) = (&app.store, app.store.today());
        // Only officials see what HR's facts will cause.
        let story = match visit.kind {
            AccountKind::Official => store.explain_page(account, today, before.as_ref()).await?,
            _ => store.story_before(account, today, before.as_ref()).await?,
        };
        let asks = asked(&story);
        let required = story.gate == Some(Gate::Required);
        if asks && (required || !visit.put_off) {
            return Ok(Redirect::to("/form").into_response());
        }
        // The gate has nothing left to ask: continue to where the owner was going.
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
            (None, Some("pending"), Some(receipt), _) if story.fact("last_form_fields").is_some() => {
                words.say_with("home-papers", &[("receipt", receipt)])
            }
            (None, Some("pending"), Some(receipt), _) => words.say_with("home-pending", &[("receipt", receipt)]),
            _ if asks => words.say("home-put-off"),
            (None, _, _, Some(last)) => words.say_with("home-exempt", &[("day", &words.day(last))]),
            _ => words.say("home-open"),
        };
        let units = app.store.units().await?;
        let facts = facts(&story, &units, words);
        let token = asker.token.as_deref().unwrap_or_default();
        let sessions = app.store.sessions(&visit.account, token).await?;
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
                may_form: visit.kind == AccountKind::Citizen
                    && story.fact("claim").is_none()
                    && story.fact("last_form") != Some("pending"),
                has_profile: visit.kind == AccountKind::Official,
                has_passkeys: asker.passkeys && may_have_passkeys(&visit),
                sees_report: may_see(&asker),
                notices: notices(&story, &units, words),
                facts,
                history: history(&story, &query.before, "/", words),
                allowed: allowed.collect(),
                sessions: sessions.iter().map(|one| session(one, words)).collect(),
                shell: asker.shell(),
            },
        ))
    };
    let page: Result<Response> = page.await;
    page.unwrap_or_else(|e| Fault(words, e).into_response())
}

/// What the account states about its owner, and the person it is standardised for.
fn facts(story: &Explained, units: &UnitTree, words: Words) -> Vec<(String, String)> {
    let shown = [
        ("username", "fact-username"),
        ("full_name", "fact-full-name"),
        ("national_id", "fact-national-id"),
        ("phone", "fact-phone"),
        ("employee_code", "fact-employee-code"),
        ("claim_since", "home-claim-since"),
        ("last_form_receipt", "fact-last-form-receipt"),
    ];
    let mut facts = Vec::new();
    for (name, label) in shown {
        if name == "claim_since" {
            facts.extend(whose_claim(story, words, false).map(|whose| (words.say("fact-claim-name"), whose)));
        }
        let value = story.fact(name).map(|value| said(name, value, units, words));
        facts.extend(value.map(|value| (words.say(label), value)));
    }
    if !story.unit_name.is_empty() && story.kind == AccountKind::Official {
        facts.push((words.say("desk-unit"), story.unit_name.clone()));
    }
    facts
}

fn session(one: &OpenSession, words: Words) -> Session {
    let device = capital(&device::named(one.device.as_deref(), words));
    Session {
        device: if one.is_this {
            words.say_with("sessions-here", &[("device", &device)])
        } else {
            device
        },
        began: words.instant(one.began),
        seen: words.instant(one.seen),
    }
}

/// Warnings: a claim of somebody else's details, what the next run will do, and holds that come within the warning period.
fn notices(story: &Explained, units: &UnitTree, words: Words) -> Vec<String> {
    let whose = whose_claim(story, words, false).filter(|_| story.claim_differs);
    let mut notices: Vec<String> = whose
        .map(|whose| words.say_with("home-claim-differs", &[("name", &whose)]))
        .into_iter()
        .collect();
    notices.extend(outlook(story, words));
    for (day, hold) in &story.coming {
        let fact = |name: &str| hold.evidence.get(name).filter(|value| !value.is_empty());
        let due = fact("due_on")
            .map(|due| said("due_on", due, units, words))
            .unwrap_or_default();
        notices.push(match hold.reason {
            Reason::ReviewOverdue => words.say_with("home-coming-review", &[("day", &due)]),
            Reason::StaleInfo => {
                let item = fact("item").map(|item| capital(&said("item", item, units, words)));
                let item = item.unwrap_or_else(|| words.say("home-coming-item-unnamed"));
                words.say_with("home-coming-item", &[("item", &item), ("day", &due)])
            }
            reason => {
                let hold = words.say(&format!("hold-{reason}"));
                words.say_with("home-coming", &[("day", &words.day(*day)), ("hold", &hold)])
            }
        });
    }
    notices
}

/// Ends all other sessions of the account.
pub async fn close_others(State(app): State<App>, asker: Asker) -> Response {
    if let (Some(visit), Some(token)) = (&asker.visit, &asker.token)
        && !visit.held
        && let Err(error) = app.store.close_other_sessions(&visit.account, token).await
    {
        return Fault(asker.words, error).into_response();
    }
    Redirect::to("/").into_response()
}

/// The consent to withdraw, by its client.
#[derive(Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    client: String,
}

/// Withdraws the owner's consent for a system.
pub async fn withdraw(
    State(app): State<App>,
    asker: Asker,
    sent: std::result::Result<Form<Which>, FormRejection>,
) -> Response {
    let Which { client } = sent.map(|Form(sent)| sent).unwrap_or_default();
    let Some(visit) = asker.visit.as_ref().filter(|visit| !visit.held) else {
        return Redirect::to("/").into_response();
    };
    let answer = async {
        if let Some(page) = once_more(&app, &asker, visit, "consent-withdrawn").await? {
            return Ok(page);
        }
        app.store.withdraw_consent(&visit.account, &ClientId(client)).await?;
        Ok(Redirect::to("/").into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}
