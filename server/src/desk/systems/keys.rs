//! The keys that sign tokens for connected systems: all present and past ones, and their replacement by an operator.

use crate::app::App;
use crate::desk::operator::{CheckedForm, Operator};
use crate::http::{Layout, html};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use ngomon_store::KeyState;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "desk/system_keys.html")]
struct KeysPage {
    layout: Layout,
    done: Option<String>,
    keys: Vec<Key>,
}

struct Key {
    id: String,
    rows: Vec<(String, String)>,
    /// Whether it can be revoked.
    published: bool,
}

/// What was just done.
#[derive(Deserialize)]
pub struct KeysQuery {
    #[serde(default)]
    done: String,
}

/// Lists the keys, the newest first.
pub async fn list(State(app): State<App>, operator: Operator, Query(KeysQuery { done }): Query<KeysQuery>) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let keys = app.store.key_lines().await?.into_iter().map(|key| {
                let mut rows = vec![
                    (
                        locale.text("desk-state"),
                        locale.text(&format!("key-{}", key.state.name())),
                    ),
                    (locale.text("systems-algorithm"), key.algorithm.name().to_owned()),
                    (locale.text("column-signs_from"), locale.instant(key.signs_from)),
                ];
                rows.extend(
                    key.good_until
                        .map(|at| (locale.text("column-good_until"), locale.instant(at))),
                );
                Key {
                    published: !matches!(key.state, KeyState::Gone | KeyState::Revoked),
                    id: key.id,
                    rows,
                }
            });
            let page = KeysPage {
                keys: keys.collect(),
                done: (done == "replaced").then(|| locale.text("keys-replaced")),
                layout: operator.layout("/desk/systems/keys"),
            };
            Ok(html(StatusCode::OK, &page))
        })
        .await
}

/// Creates new keys, and revokes an old one if the form names it.
pub async fn replace(State(app): State<App>, operator: Operator, sent: CheckedForm) -> Response {
    operator
        .answer(async {
            let revoked = Some(sent.field("revoke")).filter(|kid| !kid.is_empty());
            app.store.replace_signing_keys(revoked, operator.permit.by()).await?;
            Ok(Redirect::to("/desk/systems/keys?done=replaced").into_response())
        })
        .await
}
