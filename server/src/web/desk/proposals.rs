//! What officials propose to change in their own HR profiles: accepted or not, with what is there beside what would be.

use super::act::whom;
use super::{Operator, Sent, address};
use crate::output::{Words, said};
use crate::web::App;
use crate::web::page::{Shell, html};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::unit::UnitTree;
use ngomon_rules::values::{Date, Phone};
use ngomon_store::Proposal;
use serde::Deserialize;

/// What an act says when it is done.
const DONE: [&str; 2] = ["accepted", "declined"];

#[derive(Template)]
#[template(path = "desk/proposals.html")]
struct List {
    shell: Shell,
    done: Option<String>,
    waiting: Vec<Waiting>,
}

struct Waiting {
    receipt: String,
    title: String,
    href: String,
    about: Vec<(String, String)>,
    /// Field, as it is, as it would be.
    changes: Vec<[String; 3]>,
    account_follows: bool,
}

/// What was done just now.
#[derive(Deserialize)]
pub struct Just {
    #[serde(default)]
    done: String,
}

/// What waits.
pub async fn list(State(app): State<App>, operator: Operator, Query(just): Query<Just>) -> Response {
    let words = operator.asker.words;
    operator
        .answer(async {
            let units = app.store.units().await?;
            let mut waiting = Vec::new();
            for one in app.store.proposals(&operator.permit).await? {
                let (story, _) = whom(&app.store, words, &one.account).await?;
                waiting.push(Waiting {
                    title: story.fact("full_name").unwrap_or(&story.account).to_owned(),
                    href: address(&one.account),
                    about: about(&one, words),
                    changes: changes(&one, &units, words),
                    account_follows: one.amendment.account_follows,
                    receipt: one.receipt,
                });
            }
            let done = DONE.contains(&just.done.as_str());
            Ok(html(
                StatusCode::OK,
                &List {
                    shell: operator.shell("/desk/proposals"),
                    done: done.then(|| words.say(&format!("desk-proposal-{}", just.done))),
                    waiting,
                },
            ))
        })
        .await
}

fn about(one: &Proposal, words: Words) -> Vec<(String, String)> {
    let mut rows = vec![
        (words.say("answer-receipt"), one.receipt.clone()),
        (words.say("column-account_id"), one.account.to_string()),
        (words.say("desk-asked-at"), words.instant(one.at)),
    ];
    if let Some(document) = &one.amendment.document {
        rows.push((words.say("propose-document"), document.clone()));
    }
    rows
}

/// What would be otherwise.
fn changes(one: &Proposal, units: &UnitTree, words: Words) -> Vec<[String; 3]> {
    let (is, to) = (&one.profile, &one.amendment);
    let day = |day: Option<Date>| day.map(|day| words.day(day));
    let partial =
        |day: Option<ngomon_rules::values::PartialDate>| day.map(|day| said("day", &day.to_string(), units, words));
    let unit = |code: &ngomon_rules::unit::UnitCode| said("unit", code.as_str(), units, words);
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
        let label = words.say(&format!("propose-{field}"));
        Some([label, is.unwrap_or_default(), to?])
    });
    changed.collect()
}

/// Accepted, or not.
pub async fn decide(State(app): State<App>, operator: Operator, Path(receipt): Path<String>, sent: Sent) -> Response {
    let accepted = sent.text("decide") == "accept";
    operator
        .answer(async {
            let key = if accepted { "sms-accepted" } else { "sms-declined" };
            let news = operator.asker.words.say_with(key, &[("receipt", &receipt)]);
            app.store
                .decide_proposal(&operator.permit, &receipt, accepted, &news)
                .await?;
            app.store.seal().await?;
            let done = if accepted { "accepted" } else { "declined" };
            Ok(Redirect::to(&format!("/desk/proposals?done={done}")).into_response())
        })
        .await
}
