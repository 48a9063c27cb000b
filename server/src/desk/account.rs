//! One account at the desk: what `ngomon explain` shows, the history with the actors, and the possible acts.

use crate::app::App;
use crate::desk::confirm::{differs, summary};
use crate::desk::operator::Operator;
use crate::desk::url::address;
use crate::http::{HistoryLinks, Layout, html, path_encode};
use crate::i18n::{Locale, actor_name, event_text, pending_changes_text, value_text};
use crate::pages::held;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use ngomon_rules::event::Change;
use ngomon_rules::hold::Reason;
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_store::{AccountExplanation, ActiveHold, HistoryCursor, HistoryEntry};
use serde::Deserialize;

/// The acts whose success this page can report.
const DONE: [&str; 8] = [
    "phone",
    "withdrawn",
    "exempt",
    "exempt-ended",
    "held",
    "lifted",
    "sessions-ended",
    "passkeys-removed",
];

#[derive(Template)]
#[template(path = "desk/account.html")]
struct AccountPage {
    layout: Layout,
    done: Option<String>,
    title: String,
    state: String,
    about: Vec<(String, String)>,
    acts: Vec<(String, String)>,
    holds: Vec<Hold>,
    /// The warning that the claim's details are not those that the account states.
    differs: Option<String>,
    outlook: Option<String>,
    facts: Vec<(String, String)>,
    history: Vec<HoldRow>,
    turn: HistoryLinks,
}

struct Hold {
    shown: held::HoldView,
    suspended: bool,
    /// The address that lifts the hold, if an operator may lift it.
    lift: Option<String>,
}

/// A row of the history.
struct HoldRow {
    head: String,
    what: String,
    note: Option<String>,
}

/// The act that was just done.
#[derive(Deserialize)]
pub struct NoticeQuery {
    #[serde(default)]
    done: String,
    /// The start of the requested part of the history.
    #[serde(default)]
    before: String,
}

/// Shows the account.
pub async fn show(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Query(just): Query<NoticeQuery>,
) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let before = HistoryCursor::parse(&just.before);
            let explanation = app.store.explain_page(&id, app.store.today(), before.as_ref()).await?;
            let units = app.store.units().await?;
            let account = AccountId(id.clone());
            let has_passkeys = !app.store.passkeys(&account).await?.is_empty();
            let counting = explanation.holds.iter().filter(|held| !held.suspended).count() as u64;
            let mut about = summary(&explanation, &units, locale, false);
            if let Some(last) = explanation.exempt_to.filter(|last| explanation.day <= *last) {
                about.push((locale.text("desk-exempt-to"), locale.day(last)));
            }
            // The name and number of the claim already stand in the summary.
            let facts = explanation
                .facts
                .iter()
                .filter(|(name, _)| !name.starts_with("claim_n"));
            let facts = facts.map(|(name, value)| {
                let label = locale.text(&format!("fact-{}", name.replace('_', "-")));
                (label, value_text(name, value, &units, locale))
            });
            let page = AccountPage {
                done: DONE
                    .contains(&just.done.as_str())
                    .then(|| locale.text(&format!("desk-done-{}", just.done))),
                title: explanation.fact("full_name").unwrap_or(&explanation.account).to_owned(),
                state: match counting {
                    0 => locale.text("explain-open"),
                    1 => locale.text("held-title"),
                    n => locale.text_with("explain-held", &[("n", &locale.number(n))]),
                },
                acts: acts(&explanation, &account, has_passkeys, locale),
                holds: explanation
                    .holds
                    .iter()
                    .map(|held| Hold {
                        shown: held::shown(held, &explanation, &units, locale, &[]),
                        suspended: held.suspended,
                        lift: lift(held, &account),
                    })
                    .collect(),
                differs: differs(&explanation, locale, false),
                outlook: pending_changes_text(&explanation, locale),
                facts: facts.filter(|row| !about.contains(row)).collect(),
                about,
                history: explanation
                    .history
                    .iter()
                    .rev()
                    .map(|entry| line(entry, locale))
                    .collect(),
                turn: HistoryLinks::of(&explanation, &just.before, &address(&account)),
                layout: operator.layout(&address(&account)),
            };
            Ok(html(StatusCode::OK, &page))
        })
        .await
}

/// The acts that are possible in the account's present state.
fn acts(
    explanation: &AccountExplanation,
    account: &AccountId,
    has_passkeys: bool,
    locale: Locale,
) -> Vec<(String, String)> {
    let mut verbs = Vec::new();
    if explanation.kind == AccountKind::Citizen {
        let exempt = explanation.exempt_to.is_some_and(|last| explanation.day <= last);
        if explanation.fact("claim").is_some() {
            verbs.push(("withdraw", locale.text("desk-withdraw-title")));
        } else {
            verbs.push(("form", locale.text("desk-form-title")));
            verbs.push(("exempt", locale.text("desk-exempt-title")));
            if exempt {
                verbs.push(("end-exemption", locale.text("desk-end-exemption-title")));
            }
        }
    }
    if account.operator().is_none() {
        verbs.push(("password", locale.text("desk-password-title")));
        verbs.push(("phone", locale.text("desk-phone-title")));
    }
    verbs.push(("end-sessions", locale.text("desk-end-sessions-title")));
    if has_passkeys {
        verbs.push(("passkeys", locale.text("desk-passkeys-title")));
    }
    verbs.push(("hold", locale.text("desk-hold-title")));
    let href = address(account);
    let acts = verbs.into_iter().map(|(verb, label)| (format!("{href}/{verb}"), label));
    acts.collect()
}

/// Only a hold by order is lifted here; every other hold has its own way out.
fn lift(held: &ActiveHold, account: &AccountId) -> Option<String> {
    let by_order = held.hold.reason == Reason::ByOrder;
    by_order.then(|| format!("{}/lift?cause={}", address(account), path_encode(&held.hold.cause.0)))
}

fn line(entry: &HistoryEntry, locale: Locale) -> HoldRow {
    let mut head = vec![locale.instant(entry.at), actor_name(&entry.by, locale)];
    let from = locale.instant(entry.effective);
    if from != head[0] {
        head.push(locale.text_with("explain-effective", &[("from", &from)]));
    }
    if let Some(run) = &entry.run {
        head.push(locale.text_with("explain-run", &[("run", run)]));
    }
    if let Change::TakeOverApproved { proposed_by, .. } | Change::ActApproved { proposed_by, .. } = &entry.change {
        head.push(locale.text_with("desk-proposed-by", &[("by", &actor_name(proposed_by, locale))]));
    }
    if let Some(clause) = &entry.clause {
        let text = locale.find(&format!("clause-{clause}"), &[]);
        head.push(text.unwrap_or_else(|| clause.clone()));
    }
    HoldRow {
        head: head.join(" · "),
        what: event_text(&entry.change, locale),
        note: entry.note.clone(),
    }
}
