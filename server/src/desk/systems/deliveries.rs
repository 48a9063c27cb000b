//! The deliveries of security events to connected systems. A delivery that a system has not accepted yet can be sent again.

use crate::app::App;
use crate::desk::operator::Operator;
use crate::http::{Layout, html};
use crate::i18n::notice_fault;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

/// Deliveries on the page.
const MOST: u32 = 100;

#[derive(Template)]
#[template(path = "desk/told.html")]
struct DeliveriesPage {
    layout: Layout,
    lines: Vec<DeliveryRow>,
}

struct DeliveryRow {
    id: String,
    what: String,
    client: String,
    account: String,
    at: String,
    came_of_it: String,
    again: bool,
}

/// Lists the deliveries, the newest first.
pub async fn list(State(app): State<App>, operator: Operator) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let lines = app.store.notices(MOST).await?.into_iter().map(|one| {
                let why = notice_fault(locale, &one.fault);
                let came_of_it = match (one.taken, one.waits) {
                    (Some(at), _) => locale.text_with("told-taken", &[("at", &locale.instant(at))]),
                    (None, true) if one.tries == 0 => locale.text("notice-waits"),
                    (None, true) => locale.text_with("told-tried", &[("n", &one.tries.to_string()), ("why", &why)]),
                    (None, false) => locale.text_with("told-given-up", &[("n", &one.tries.to_string()), ("why", &why)]),
                };
                DeliveryRow {
                    what: locale.text(&format!("told-{}", one.kind)),
                    client: one.client,
                    account: one.account.0,
                    at: locale.instant(one.at),
                    came_of_it,
                    again: one.taken.is_none() && !one.waits,
                    id: one.id,
                }
            });
            let layout = operator.layout("/desk/systems/told");
            let lines = lines.collect();
            Ok(html(StatusCode::OK, &DeliveriesPage { layout, lines }))
        })
        .await
}

/// Queues a delivery again.
pub async fn again(State(app): State<App>, operator: Operator, Path(notice): Path<String>) -> Response {
    operator
        .answer(async {
            app.store.resend_notice(&notice, operator.permit.by()).await?;
            Ok(Redirect::to("/desk/systems/told").into_response())
        })
        .await
}
