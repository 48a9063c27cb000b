//! The pages for everybody: "Quầy hỗ trợ" (where people get help, when, and by which telephone number), and the privacy notice.

use super::App;
use super::asker::Asker;
use super::page::{Fault, Shell, html};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ngomon_rules::counter::Counter;

#[derive(Template)]
#[template(path = "counters.html")]
struct Page {
    shell: Shell,
    counters: Vec<Counter>,
}

#[derive(Template)]
#[template(path = "privacy.html")]
struct Privacy {
    shell: Shell,
}

/// Shows the counters. Nobody needs to sign in.
pub async fn show(State(app): State<App>, asker: Asker) -> Response {
    match app.store.counters().await {
        Ok(counters) => {
            let shell = asker.shell();
            html(StatusCode::OK, &Page { shell, counters })
        }
        Err(error) => Fault(asker.words, error).into_response(),
    }
}

/// The privacy notice: what the entered details are used for.
pub async fn privacy(asker: Asker) -> Response {
    html(StatusCode::OK, &Privacy { shell: asker.shell() })
}
