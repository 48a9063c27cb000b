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
    shell: Layout,
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
    let words = operator.ctx.words;
    operator
        .answer(async {
            let known = app.store.clients().await?;
            let cards = known.into_iter().map(|one| {
                let state = if one.enabled {
                    "systems-enabled"
                } else {
                    "systems-disabled"
                };
                let never = || words.text("systems-never");
                Card {
                    href: system_address(one.id.as_str()),
                    rows: vec![
                        (words.text("column-client_id"), one.id.to_string()),
                        (words.text("desk-state"), words.text(state)),
                        (
                            words.text("column-last_use"),
                            one.last_use.map_or_else(never, |at| words.instant(at)),
                        ),
                    ],
                    title: one.client.name,
                }
            });
            let list = List {
                shell: operator.shell("/desk/systems"),
                done: (done == "removed").then(|| words.text("systems-done-remove")),
                systems: cards.collect(),
            };
            Ok(html(StatusCode::OK, &list))
        })
        .await
}
