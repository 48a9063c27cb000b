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
    layout: Layout,
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
    let Some(session) = ctx.session.clone() else {
        return Redirect::to("/sign-in").into_response();
    };
    if session.held {
        return Redirect::to("/held").into_response();
    }
    let locale = ctx.locale;
    let page = async {
        let before = HistoryCursor::parse(&query.before);
        let account = session.account.as_str();
        let (store, today) = (&app.store, app.store.today());
        // Only officials see what HR's facts will cause.
        let explanation = match session.kind {
            AccountKind::Official => store.explain_page(account, today, before.as_ref()).await?,
            _ => store.story_before(account, today, before.as_ref()).await?,
        };
        let asks = asked(&explanation);
        let required = explanation.gate == Some(Gate::Required);
        if asks && (required || !session.put_off) {
            return Ok(Redirect::to("/form").into_response());
        }
        // The gate has nothing left to ask: continue to where the owner was going.
        if let Some(token) = &ctx.token
            && let Some(next) = app.store.take_next(token).await?
        {
            return Ok(redirect_page(ctx.layout(), next));
        }
        let exempt_to = explanation.exempt_to.filter(|last| explanation.day <= *last);
        let state = match (
            explanation.fact("claim"),
            explanation.fact("last_form"),
            explanation.fact("last_form_receipt"),
            exempt_to,
        ) {
            (Some(_), ..) => locale.text("home-standardised"),
            (None, Some("pending"), Some(receipt), _) if explanation.fact("last_form_fields").is_some() => {
                locale.text_with("home-papers", &[("receipt", receipt)])
            }
            (None, Some("pending"), Some(receipt), _) => locale.text_with("home-pending", &[("receipt", receipt)]),
            _ if asks => locale.text("home-put-off"),
            (None, _, _, Some(last)) => locale.text_with("home-exempt", &[("day", &locale.day(last))]),
            _ => locale.text("home-open"),
        };
        let units = app.store.units().await?;
        let facts = facts(&explanation, &units, locale);
        let token = ctx.token.as_deref().unwrap_or_default();
        let sessions = app.store.sessions(&session.account, token).await?;
        let allowed = app.store.consents(&session.account).await?;
        let allowed = allowed.into_iter().map(|one| ConsentRow {
            told: scope_labels(&one.scopes, locale),
            since: locale.instant(one.at),
            client: one.client.0,
            name: one.name,
        });
        Ok(html(
            StatusCode::OK,
            &Home {
                state,
                may_form: session.kind == AccountKind::Citizen
                    && explanation.fact("claim").is_none()
                    && explanation.fact("last_form") != Some("pending"),
                has_profile: session.kind == AccountKind::Official,
                has_passkeys: ctx.passkeys && passkeys_allowed(&session),
                sees_report: authorize_viewer(&ctx),
                notices: notices(&explanation, &units, locale),
                facts,
                history: history(&explanation, &query.before, "/", locale),
                allowed: allowed.collect(),
                sessions: sessions.iter().map(|one| session_row(one, locale)).collect(),
                layout: ctx.layout(),
            },
        ))
    };
    let page: Result<Response> = page.await;
    page.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}

/// What the account states about its owner, and the person it is standardised for.
fn facts(explanation: &AccountExplanation, units: &UnitTree, locale: Locale) -> Vec<(String, String)> {
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
            facts.extend(whose_claim(explanation, locale, false).map(|whose| (locale.text("fact-claim-name"), whose)));
        }
        let value = explanation
            .fact(name)
            .map(|value| value_text(name, value, units, locale));
        facts.extend(value.map(|value| (locale.text(label), value)));
    }
    if !explanation.unit_name.is_empty() && explanation.kind == AccountKind::Official {
        facts.push((locale.text("desk-unit"), explanation.unit_name.clone()));
    }
    facts
}

fn session_row(one: &SessionSummary, locale: Locale) -> SessionRow {
    let device = capital(&device::named(one.device.as_deref(), locale));
    SessionRow {
        device: if one.is_this {
            locale.text_with("sessions-here", &[("device", &device)])
        } else {
            device
        },
        began: locale.instant(one.began),
        seen: locale.instant(one.seen),
    }
}

/// Warnings: a claim of somebody else's details, what the next run will do, and holds that come within the warning period.
fn notices(explanation: &AccountExplanation, units: &UnitTree, locale: Locale) -> Vec<String> {
    let whose = whose_claim(explanation, locale, false).filter(|_| explanation.claim_differs);
    let mut notices: Vec<String> = whose
        .map(|whose| locale.text_with("home-claim-differs", &[("name", &whose)]))
        .into_iter()
        .collect();
    notices.extend(pending_changes_text(explanation, locale));
    for (day, hold) in &explanation.coming {
        let fact = |name: &str| hold.evidence.get(name).filter(|value| !value.is_empty());
        let due = fact("due_on")
            .map(|due| value_text("due_on", due, units, locale))
            .unwrap_or_default();
        notices.push(match hold.reason {
            Reason::ReviewOverdue => locale.text_with("home-coming-review", &[("day", &due)]),
            Reason::StaleInfo => {
                let item = fact("item").map(|item| capital(&value_text("item", item, units, locale)));
                let item = item.unwrap_or_else(|| locale.text("home-coming-item-unnamed"));
                locale.text_with("home-coming-item", &[("item", &item), ("day", &due)])
            }
            reason => {
                let hold = locale.text(&format!("hold-{reason}"));
                locale.text_with("home-coming", &[("day", &locale.day(*day)), ("hold", &hold)])
            }
        });
    }
    notices
}

/// Ends all other sessions of the account.
pub async fn close_others(State(app): State<App>, ctx: RequestContext) -> Response {
    if let (Some(session), Some(token)) = (&ctx.session, &ctx.token)
        && !session.held
        && let Err(error) = app.store.close_other_sessions(&session.account, token).await
    {
        return ErrorPage(ctx.locale, error).into_response();
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
    let Some(session) = ctx.session.as_ref().filter(|session| !session.held) else {
        return Redirect::to("/").into_response();
    };
    let answer = async {
        if let Some(page) = once_more(&app, &ctx, session, "consent-withdrawn").await? {
            return Ok(page);
        }
        app.store.withdraw_consent(&session.account, &ClientId(client)).await?;
        Ok(Redirect::to("/").into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}
