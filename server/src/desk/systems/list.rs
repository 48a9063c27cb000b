//! The list of connected systems, by name.

use crate::app::App;
use crate::desk::operator::Operator;
use crate::desk::url::system_address;
use crate::http::{Layout, html};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "desk/systems.html")]
struct List {
    layout: Layout,
    done: Option<String>,
    systems: Vec<Card>,
}

struct Card {
    title: String,
    href: String,
    rows: Vec<(String, String)>,
}

/// What was just done.
#[derive(Deserialize)]
pub struct SystemsQuery {
    #[serde(default)]
    done: String,
}

/// Shows the list.
pub async fn list(
    State(app): State<App>,
    operator: Operator,
    Query(SystemsQuery { done }): Query<SystemsQuery>,
) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let known = app.store.clients().await?;
            let cards = known.into_iter().map(|one| {
                let state = if one.enabled {
                    "systems-enabled"
                } else {
                    "systems-disabled"
                };
                let never = || locale.text("systems-never");
                Card {
                    href: system_address(one.id.as_str()),
                    rows: vec![
                        (locale.text("column-client_id"), one.id.to_string()),
                        (locale.text("desk-state"), locale.text(state)),
                        (
                            locale.text("column-last_use"),
                            one.last_use.map_or_else(never, |at| locale.instant(at)),
                        ),
                    ],
                    title: one.client.name,
                }
            });
            let list = List {
                layout: operator.layout("/desk/systems"),
                done: (done == "removed").then(|| locale.text("systems-done-remove")),
                systems: cards.collect(),
            };
            Ok(html(StatusCode::OK, &list))
        })
        .await
}
