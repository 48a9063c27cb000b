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
    shell: Layout,
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
    let words = operator.ctx.words;
    operator
        .answer(async {
            let before = HistoryCursor::parse(&just.before);
            let story = app.store.explain_page(&id, app.store.today(), before.as_ref()).await?;
            let units = app.store.units().await?;
            let account = AccountId(id.clone());
            let has_passkeys = !app.store.passkeys(&account).await?.is_empty();
            let counting = story.holds.iter().filter(|held| !held.suspended).count() as u64;
            let mut about = summary(&story, &units, words, false);
            if let Some(last) = story.exempt_to.filter(|last| story.day <= *last) {
                about.push((words.text("desk-exempt-to"), words.day(last)));
            }
            // The name and number of the claim already stand in the summary.
            let facts = story.facts.iter().filter(|(name, _)| !name.starts_with("claim_n"));
            let facts = facts.map(|(name, value)| {
                let label = words.text(&format!("fact-{}", name.replace('_', "-")));
                (label, value_text(name, value, &units, words))
            });
            let page = AccountPage {
                done: DONE
                    .contains(&just.done.as_str())
                    .then(|| words.text(&format!("desk-done-{}", just.done))),
                title: story.fact("full_name").unwrap_or(&story.account).to_owned(),
                state: match counting {
                    0 => words.text("explain-open"),
                    1 => words.text("held-title"),
                    n => words.text_with("explain-held", &[("n", &words.number(n))]),
                },
                acts: acts(&story, &account, has_passkeys, words),
                holds: story
                    .holds
                    .iter()
                    .map(|held| Hold {
                        shown: held::shown(held, &story, &units, words, &[]),
                        suspended: held.suspended,
                        lift: lift(held, &account),
                    })
                    .collect(),
                differs: differs(&story, words, false),
                outlook: pending_changes_text(&story, words),
                facts: facts.filter(|row| !about.contains(row)).collect(),
                about,
                history: story.history.iter().rev().map(|entry| line(entry, words)).collect(),
                turn: HistoryLinks::of(&story, &just.before, &address(&account)),
                shell: operator.shell(&address(&account)),
            };
            Ok(html(StatusCode::OK, &page))
        })
        .await
}

/// The acts that are possible in the account's present state.
fn acts(story: &AccountExplanation, account: &AccountId, has_passkeys: bool, words: Locale) -> Vec<(String, String)> {
    let mut verbs = Vec::new();
    if story.kind == AccountKind::Citizen {
        let exempt = story.exempt_to.is_some_and(|last| story.day <= last);
        if story.fact("claim").is_some() {
            verbs.push(("withdraw", words.text("desk-withdraw-title")));
        } else {
            verbs.push(("form", words.text("desk-form-title")));
            verbs.push(("exempt", words.text("desk-exempt-title")));
            if exempt {
                verbs.push(("end-exemption", words.text("desk-end-exemption-title")));
            }
        }
    }
    if account.operator().is_none() {
        verbs.push(("password", words.text("desk-password-title")));
        verbs.push(("phone", words.text("desk-phone-title")));
    }
    verbs.push(("end-sessions", words.text("desk-end-sessions-title")));
    if has_passkeys {
        verbs.push(("passkeys", words.text("desk-passkeys-title")));
    }
    verbs.push(("hold", words.text("desk-hold-title")));
    let href = address(account);
    let acts = verbs.into_iter().map(|(verb, label)| (format!("{href}/{verb}"), label));
    acts.collect()
}

/// Only a hold by order is lifted here; every other hold has its own way out.
fn lift(held: &ActiveHold, account: &AccountId) -> Option<String> {
    let by_order = held.hold.reason == Reason::ByOrder;
    by_order.then(|| format!("{}/lift?cause={}", address(account), path_encode(&held.hold.cause.0)))
}

fn line(entry: &HistoryEntry, words: Locale) -> HoldRow {
    let mut head = vec![words.instant(entry.at), actor_name(&entry.by, words)];
    let from = words.instant(entry.effective);
    if from != head[0] {
        head.push(words.text_with("explain-effective", &[("from", &from)]));
    }
    if let Some(run) = &entry.run {
        head.push(words.text_with("explain-run", &[("run", run)]));
    }
    if let Change::TakeOverApproved { proposed_by, .. } | Change::ActApproved { proposed_by, .. } = &entry.change {
        head.push(words.text_with("desk-proposed-by", &[("by", &actor_name(proposed_by, words))]));
    }
    if let Some(clause) = &entry.clause {
        let text = words.find(&format!("clause-{clause}"), &[]);
        head.push(text.unwrap_or_else(|| clause.clone()));
    }
    HoldRow {
        head: head.join(" · "),
        what: event_text(&entry.change, words),
        note: entry.note.clone(),
    }
}
