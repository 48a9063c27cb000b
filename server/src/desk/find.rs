//! The first page of the desk: finds a person's accounts by what that person knows. The query is encrypted in the address.

use crate::app::App;
use crate::desk::operator::{CheckedForm, Operator};
use crate::desk::url::address;
use crate::http::{Input, Layout, Mistake, html, mistakes};
use crate::i18n::Locale;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_store::{AccountSearchResult, MOST_FOUND, Result};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "desk/find.html")]
struct SearchPage {
    layout: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    /// The tasks that wait for an operator, and how many of each.
    tasks: Vec<(&'static str, String, String)>,
    /// Background workers that are late.
    late: Vec<String>,
    found: Option<(String, Vec<SearchRow>)>,
}

/// An account that was found.
struct SearchRow {
    title: String,
    href: String,
    rows: Vec<(String, String)>,
}

/// The encrypted query.
#[derive(Deserialize)]
pub struct SearchQuery {
    #[serde(default)]
    q: String,
}

/// Shows the search field and the results.
pub async fn show(State(app): State<App>, operator: Operator, Query(asked): Query<SearchQuery>) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let typed = app.store.unseal_query(&operator.permit, &asked.q);
            let found = match &typed {
                Some(typed) => Some(app.store.find(&operator.permit, typed).await?),
                None => None,
            };
            let found = found.map(|found| {
                let heading = match found.len() {
                    0 => locale.text("desk-found-none"),
                    MOST_FOUND => locale.text_with("desk-found-most", &[("n", &MOST_FOUND.to_string())]),
                    n => locale.text_with("desk-found", &[("n", &locale.number(n as u64))]),
                };
                (heading, found.iter().map(|one| shown(one, &operator)).collect())
            });
            let page = SearchPage {
                layout: operator.layout("/desk"),
                errors: Vec::new(),
                fields: vec![field(&operator, typed.unwrap_or_default(), None)],
                tasks: tasks(&app, &operator).await?,
                late: late(&app, locale),
                found,
            };
            Ok(html(StatusCode::OK, &page))
        })
        .await
}

/// Encrypts the query into an address that nobody else can read, and redirects there.
pub async fn search(State(app): State<App>, operator: Operator, sent: CheckedForm) -> Response {
    let typed = sent.field("q");
    if !typed.is_empty() {
        let sealed = app.store.seal_query(&operator.permit, typed);
        return Redirect::to(&format!("/desk?q={sealed}")).into_response();
    }
    let nothing_typed = async {
        let fields = vec![field(
            &operator,
            String::new(),
            Some(operator.ctx.locale.text("desk-no-q")),
        )];
        let mut layout = operator.layout("/desk");
        layout.wrong = true;
        let page = SearchPage {
            layout,
            errors: mistakes(&fields),
            fields,
            tasks: tasks(&app, &operator).await?,
            late: late(&app, operator.ctx.locale),
            found: None,
        };
        Ok(html(StatusCode::UNPROCESSABLE_ENTITY, &page))
    };
    operator.answer(nothing_typed).await
}

/// The address of each task, its name, and how many wait.
async fn tasks(app: &App, operator: &Operator) -> Result<Vec<(&'static str, String, String)>> {
    let (locale, permit) = (operator.ctx.locale, &operator.permit);
    let for_second = app.store.take_overs(permit).await?.len() + app.store.act_proposals(permit).await?.len();
    let (reviews, proposals) = (
        app.store.review_requests(permit).await?,
        app.store.proposals(permit).await?,
    );
    let tasks = [
        ("/desk/reviews", "desk-reviews-title", reviews.len()),
        ("/desk/proposals", "desk-proposals-title", proposals.len()),
        ("/desk/take-overs", "desk-take-overs-title", for_second),
    ];
    let tasks = tasks.map(|(href, title, n)| {
        let waits = locale.text_with("desk-task-waits", &[("n", &locale.number(n as u64))]);
        (href, locale.text(title), waits)
    });
    Ok(tasks.into())
}

/// The background work that is overdue, and since when.
fn late(app: &App, locale: Locale) -> Vec<String> {
    let now = app.store.now();
    let workers = app.workers.all();
    let late = workers.iter().filter(|worker| worker.is_late(now)).map(|worker| {
        let work = locale.text(&format!("work-{}", worker.name));
        locale.text_with(
            "desk-late",
            &[("work", &work), ("at", &locale.instant(worker.due().as_microsecond()))],
        )
    });
    late.collect()
}

fn field(operator: &Operator, value: String, error: Option<String>) -> Input {
    let locale = operator.ctx.locale;
    Input {
        value,
        hint: locale.text("desk-hint-q"),
        error,
        ..Input::new("q", locale.text("desk-q"))
    }
}

fn shown(found: &AccountSearchResult, operator: &Operator) -> SearchRow {
    let locale = operator.ctx.locale;
    let kind = locale.text(&format!("kind-{}", found.kind.name()));
    let state = locale.text(if found.held { "desk-held" } else { "desk-open" });
    let claim = found.claim.map(|proof| locale.text(&format!("word-{}", proof.name())));
    let all = [
        (kind, Some(found.account.to_string())),
        (locale.text("fact-national-id"), found.national_id.clone()),
        (locale.text("fact-phone"), found.phone.clone()),
        (
            locale.text("desk-unit"),
            Some(found.unit.clone()).filter(|unit| !unit.is_empty()),
        ),
        (locale.text("desk-state"), Some(state)),
        (locale.text("fact-claim"), claim),
    ];
    let name = found.full_name.as_ref().map(|name| name.as_str().to_owned());
    SearchRow {
        title: name.unwrap_or_else(|| found.account.to_string()),
        href: address(&found.account),
        rows: all
            .into_iter()
            .filter_map(|(label, value)| Some((label, value?)))
            .collect(),
    }
}
