//! The owner's own account: its state, its history, its sessions.

use crate::app::App;
use crate::http::{ErrorPage, History, Layout, RequestContext, device, history, html, once_more, redirect_page};
use crate::i18n::{Locale, capital, pending_changes_text, scope_labels, value_text, whose_claim};
use crate::pages::standardise::asked;
use crate::report::access::authorize_viewer;
use crate::sign_in::passkeys::ceremony::passkeys_allowed;
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::citizens::Gate;
use ngomon_rules::client::ClientId;
use ngomon_rules::hold::Reason;
use ngomon_rules::records::AccountKind;
use ngomon_rules::unit::UnitTree;
use ngomon_store::{AccountExplanation, HistoryCursor, Result, SessionSummary};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "home.html")]
#[expect(clippy::struct_excessive_bools, reason = "each shows its own part of the page")]
struct Home {
    shell: Layout,
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
    allowed: Vec<ConsentRow>,
    sessions: Vec<SessionRow>,
}

/// A row of the owner's sessions.
struct SessionRow {
    device: String,
    began: String,
    seen: String,
}

struct ConsentRow {
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
pub async fn show(State(app): State<App>, ctx: RequestContext, Query(query): Query<HistoryQuery>) -> Response {
    let Some(visit) = ctx.visit.clone() else {
        return Redirect::to("/sign-in").into_response();
    };
    if visit.held {
        return Redirect::to("/held").into_response();
    }
    let words = ctx.words;
    let page = async {
        let before = HistoryCursor::parse(&query.before);
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
        if let Some(token) = &ctx.token
            && let Some(next) = app.store.take_next(token).await?
        {
            return Ok(redirect_page(ctx.shell(), next));
        }
        let exempt_to = story.exempt_to.filter(|last| story.day <= *last);
        let state = match (
            story.fact("claim"),
            story.fact("last_form"),
            story.fact("last_form_receipt"),
            exempt_to,
        ) {
            (Some(_), ..) => words.text("home-standardised"),
            (None, Some("pending"), Some(receipt), _) if story.fact("last_form_fields").is_some() => {
                words.text_with("home-papers", &[("receipt", receipt)])
            }
            (None, Some("pending"), Some(receipt), _) => words.text_with("home-pending", &[("receipt", receipt)]),
            _ if asks => words.text("home-put-off"),
            (None, _, _, Some(last)) => words.text_with("home-exempt", &[("day", &words.day(last))]),
            _ => words.text("home-open"),
        };
        let units = app.store.units().await?;
        let facts = facts(&story, &units, words);
        let token = ctx.token.as_deref().unwrap_or_default();
        let sessions = app.store.sessions(&visit.account, token).await?;
        let allowed = app.store.consents(&visit.account).await?;
        let allowed = allowed.into_iter().map(|one| ConsentRow {
            told: scope_labels(&one.scopes, words),
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
                has_passkeys: ctx.passkeys && passkeys_allowed(&visit),
                sees_report: authorize_viewer(&ctx),
                notices: notices(&story, &units, words),
                facts,
                history: history(&story, &query.before, "/", words),
                allowed: allowed.collect(),
                sessions: sessions.iter().map(|one| session(one, words)).collect(),
                shell: ctx.shell(),
            },
        ))
    };
    let page: Result<Response> = page.await;
    page.unwrap_or_else(|e| ErrorPage(words, e).into_response())
}

/// What the account states about its owner, and the person it is standardised for.
fn facts(story: &AccountExplanation, units: &UnitTree, words: Locale) -> Vec<(String, String)> {
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
            facts.extend(whose_claim(story, words, false).map(|whose| (words.text("fact-claim-name"), whose)));
        }
        let value = story.fact(name).map(|value| value_text(name, value, units, words));
        facts.extend(value.map(|value| (words.text(label), value)));
    }
    if !story.unit_name.is_empty() && story.kind == AccountKind::Official {
        facts.push((words.text("desk-unit"), story.unit_name.clone()));
    }
    facts
}

fn session(one: &SessionSummary, words: Locale) -> SessionRow {
    let device = capital(&device::named(one.device.as_deref(), words));
    SessionRow {
        device: if one.is_this {
            words.text_with("sessions-here", &[("device", &device)])
        } else {
            device
        },
        began: words.instant(one.began),
        seen: words.instant(one.seen),
    }
}

/// Warnings: a claim of somebody else's details, what the next run will do, and holds that come within the warning period.
fn notices(story: &AccountExplanation, units: &UnitTree, words: Locale) -> Vec<String> {
    let whose = whose_claim(story, words, false).filter(|_| story.claim_differs);
    let mut notices: Vec<String> = whose
        .map(|whose| words.text_with("home-claim-differs", &[("name", &whose)]))
        .into_iter()
        .collect();
    notices.extend(pending_changes_text(story, words));
    for (day, hold) in &story.coming {
        let fact = |name: &str| hold.evidence.get(name).filter(|value| !value.is_empty());
        let due = fact("due_on")
            .map(|due| value_text("due_on", due, units, words))
            .unwrap_or_default();
        notices.push(match hold.reason {
            Reason::ReviewOverdue => words.text_with("home-coming-review", &[("day", &due)]),
            Reason::StaleInfo => {
                let item = fact("item").map(|item| capital(&value_text("item", item, units, words)));
                let item = item.unwrap_or_else(|| words.text("home-coming-item-unnamed"));
                words.text_with("home-coming-item", &[("item", &item), ("day", &due)])
            }
            reason => {
                let hold = words.text(&format!("hold-{reason}"));
                words.text_with("home-coming", &[("day", &words.day(*day)), ("hold", &hold)])
            }
        });
    }
    notices
}

/// Ends all other sessions of the account.
pub async fn close_others(State(app): State<App>, ctx: RequestContext) -> Response {
    if let (Some(visit), Some(token)) = (&ctx.visit, &ctx.token)
        && !visit.held
        && let Err(error) = app.store.close_other_sessions(&visit.account, token).await
    {
        return ErrorPage(ctx.words, error).into_response();
    }
    Redirect::to("/").into_response()
}

/// The consent to withdraw, by its client.
#[derive(Default, Deserialize)]
pub struct ConsentId {
    #[serde(default)]
    client: String,
}

/// Withdraws the owner's consent for a system.
pub async fn withdraw(
    State(app): State<App>,
    ctx: RequestContext,
    sent: std::result::Result<Form<ConsentId>, FormRejection>,
) -> Response {
    let ConsentId { client } = sent.map(|Form(sent)| sent).unwrap_or_default();
    let Some(visit) = ctx.visit.as_ref().filter(|visit| !visit.held) else {
        return Redirect::to("/").into_response();
    };
    let answer = async {
        if let Some(page) = once_more(&app, &ctx, visit, "consent-withdrawn").await? {
            return Ok(page);
        }
        app.store.withdraw_consent(&visit.account, &ClientId(client)).await?;
        Ok(Redirect::to("/").into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.words, e).into_response())
}
