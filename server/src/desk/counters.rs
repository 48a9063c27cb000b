//! The editor for the list of counters. Operators change it when addresses or hours change.

use crate::app::App;
use crate::desk::operator::{CheckedForm, Operator};
use crate::http::{Layout, Mistake, html};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::counter::Counter;
use serde::Deserialize;

/// The largest list that can be sent, in bytes: about a hundred counters, where each letter may take `%XX%XX%XX`.
pub const LARGEST: usize = 256 * 1024;

const LIST: &str = "counters";

#[derive(Template)]
#[template(path = "desk/counters.html")]
struct CounterListPage {
    layout: Layout,
    done: Option<String>,
    errors: Vec<Mistake>,
    list: String,
    error: Option<String>,
}

fn page(operator: &Operator, list: String, error: Option<String>, done: Option<String>) -> Response {
    let errors = error.clone().map(|text| Mistake { field: LIST, text });
    let mut layout = operator.layout("/desk/counters");
    layout.wrong = error.is_some();
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let page = CounterListPage {
        layout,
        done,
        errors: errors.into_iter().collect(),
        list,
        error,
    };
    html(status, &page)
}

/// What was just done.
#[derive(Deserialize)]
pub struct CountersQuery {
    #[serde(default)]
    done: String,
}

/// Shows the current list.
pub async fn show(
    State(app): State<App>,
    operator: Operator,
    Query(CountersQuery { done }): Query<CountersQuery>,
) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let counters = app.store.counters().await?;
            let lines: Vec<String> = counters.iter().map(Counter::line).collect();
            let done = (done == "saved").then(|| locale.text("counters-saved"));
            Ok(page(&operator, lines.join("\n"), None, done))
        })
        .await
}

/// Saves another list.
pub async fn send(State(app): State<App>, operator: Operator, sent: CheckedForm) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let list = sent.field(LIST);
            let counters = match Counter::read(list) {
                Ok(counters) => counters,
                Err(at) => {
                    let error = locale.text_with("counters-row", &[("row", &at.to_string())]);
                    return Ok(page(&operator, list.to_owned(), Some(error), None));
                }
            };
            app.store.set_counters(&counters, operator.permit.by()).await?;
            Ok(Redirect::to("/desk/counters?done=saved").into_response())
        })
        .await
}
