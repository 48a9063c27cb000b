//! The pages for everybody: "Quầy hỗ trợ" (where people get help, when, and by which telephone number), and the privacy notice.

use crate::app::App;
use crate::http::{ErrorPage, Layout, RequestContext, html};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ngomon_rules::counter::Counter;

#[derive(Template)]
#[template(path = "counters.html")]
struct CountersPage {
    layout: Layout,
    counters: Vec<Counter>,
}

#[derive(Template)]
#[template(path = "privacy.html")]
struct Privacy {
    layout: Layout,
}

/// Shows the counters. Nobody needs to sign in.
pub async fn show(State(app): State<App>, ctx: RequestContext) -> Response {
    match app.store.counters().await {
        Ok(counters) => {
            let layout = ctx.layout();
            html(StatusCode::OK, &CountersPage { layout, counters })
        }
        Err(error) => ErrorPage(ctx.locale, error).into_response(),
    }
}

/// The privacy notice: what the entered details are used for.
pub async fn privacy(ctx: RequestContext) -> Response {
    html(StatusCode::OK, &Privacy { layout: ctx.layout() })
}
