//! The changes that officials propose to their own HR profiles: an operator compares the present and the proposed values, and
//! accepts or declines.

use crate::app::App;
use crate::desk::confirm::whom;
use crate::desk::operator::{CheckedForm, Operator};
use crate::desk::reviews::reason;
use crate::desk::url::address;
use crate::http::{Input, Layout, Mistake, html, mistakes};
use crate::i18n::{Locale, to_owners, value_text};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::unit::UnitTree;
use ngomon_rules::values::{Date, Phone};
use ngomon_store::{Proposal, Result};
use serde::Deserialize;

/// The acts whose success this page can report.
const DONE: [&str; 2] = ["accepted", "declined"];

#[derive(Template)]
#[template(path = "desk/proposals.html")]
struct List {
    layout: Layout,
    done: Option<String>,
    errors: Vec<Mistake>,
    waiting: Vec<PendingProposal>,
}

struct PendingProposal {
    receipt: String,
    why: Input,
    /// A warning to read before accepting.
    remark: Option<String>,
    title: String,
    href: String,
    about: Vec<(String, String)>,
    /// Field, present value, proposed value.
    changes: Vec<[String; 3]>,
    account_follows: bool,
}

/// What was just done.
#[derive(Deserialize)]
pub struct NoticeQuery {
    #[serde(default)]
    done: String,
}

/// Lists the pending proposals.
pub async fn list(State(app): State<App>, operator: Operator, Query(just): Query<NoticeQuery>) -> Response {
    operator.answer(page(&app, &operator, &just.done, None)).await
}

/// Renders the list. `wrong`: the proposal whose reason must be corrected, with the field as it was sent.
async fn page(app: &App, operator: &Operator, done: &str, wrong: Option<(&str, Input)>) -> Result<Response> {
    let locale = operator.ctx.locale;
    let units = app.store.units().await?;
    let errors: Vec<Mistake> = wrong
        .iter()
        .flat_map(|(_, why)| mistakes(std::slice::from_ref(why)))
        .collect();
    let mut wrong = wrong;
    let mut waiting = Vec::new();
    for one in app.store.proposals(&operator.permit).await? {
        let (explanation, _) = whom(&app.store, locale, &one.account).await?;
        let past = one.amendment.next_due_on.is_some_and(|due| due < app.store.today());
        waiting.push(PendingProposal {
            title: explanation.fact("full_name").unwrap_or(&explanation.account).to_owned(),
            href: address(&one.account),
            about: about(&one, locale),
            changes: changes(&one, &units, locale),
            account_follows: one.amendment.account_follows,
            remark: past.then(|| locale.text("desk-proposal-past")),
            why: match wrong.take_if(|(receipt, _)| *receipt == one.receipt) {
                Some((_, why)) => why,
                None => reason(locale, None),
            },
            receipt: one.receipt,
        });
    }
    let done = DONE
        .contains(&done)
        .then(|| locale.text(&format!("desk-proposal-{done}")));
    let mut layout = operator.layout("/desk/proposals");
    layout.wrong = !errors.is_empty();
    let status = if layout.wrong {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let list = List {
        layout,
        done,
        errors,
        waiting,
    };
    Ok(html(status, &list))
}

fn about(one: &Proposal, locale: Locale) -> Vec<(String, String)> {
    let mut rows = vec![
        (locale.text("answer-receipt"), one.receipt.clone()),
        (locale.text("column-account_id"), one.account.to_string()),
        (locale.text("desk-asked-at"), locale.instant(one.at)),
    ];
    if let Some(document) = &one.amendment.document {
        rows.push((locale.text("propose-document"), document.clone()));
    }
    rows
}

/// The fields that the proposal changes.
fn changes(one: &Proposal, units: &UnitTree, locale: Locale) -> Vec<[String; 3]> {
    let (is, to) = (&one.profile, &one.amendment);
    let day = |day: Option<Date>| day.map(|day| locale.day(day));
    let partial = |day: Option<ngomon_rules::values::PartialDate>| {
        day.map(|day| value_text("day", &day.to_string(), units, locale))
    };
    let unit = |code: &ngomon_rules::unit::UnitCode| value_text("unit", code.as_str(), units, locale);
    let all = [
        (
            "full-name",
            Some(is.full_name.as_str().to_owned()),
            to.full_name.as_ref().map(|name| name.as_str().to_owned()),
        ),
        ("birth-date", partial(is.birth_date), partial(to.birth_date)),
        ("unit", Some(unit(&is.unit)), to.unit.as_ref().map(unit)),
        ("position", is.position.clone(), to.position.clone()),
        (
            "phone",
            is.phone.as_ref().map(Phone::masked),
            to.phone.as_ref().map(Phone::masked),
        ),
        ("email", is.email.clone(), to.email.clone()),
        ("next-due-on", day(is.next_due_on), day(to.next_due_on)),
    ];
    let changed = all.into_iter().filter_map(|(field, is, to)| {
        let label = locale.text(&format!("propose-{field}"));
        Some([label, is.unwrap_or_default(), to?])
    });
    changed.collect()
}

/// Accepts or declines a proposal.
pub async fn decide(
    State(app): State<App>,
    operator: Operator,
    Path(receipt): Path<String>,
    sent: CheckedForm,
) -> Response {
    let accepted = sent.field("decide") == "accept";
    let why = reason(operator.ctx.locale, Some(sent.field("reason")));
    operator
        .answer(async {
            // Accepting needs no reason.
            if why.error.is_some() && !(accepted && why.value.is_empty()) {
                return page(&app, &operator, "", Some((&receipt, why))).await;
            }
            let key = if accepted { "sms-accepted" } else { "sms-declined" };
            let news = to_owners().text_with(key, &[("receipt", &receipt)]);
            app.store
                .decide_proposal(&operator.permit, &receipt, accepted, &why.value, &news)
                .await?;
            let done = if accepted { "accepted" } else { "declined" };
            Ok(Redirect::to(&format!("/desk/proposals?done={done}")).into_response())
        })
        .await
}
