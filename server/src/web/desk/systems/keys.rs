//! The keys that sign tokens for connected systems: all present and past ones, and their replacement by an operator.

use crate::web::App;
use crate::web::desk::{Operator, Sent};
use crate::web::page::{Shell, html};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use ngomon_store::KeyState;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "desk/system_keys.html")]
struct Page {
    shell: Shell,
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
pub struct Done {
    #[serde(default)]
    done: String,
}

/// Lists the keys, the newest first.
pub async fn list(State(app): State<App>, operator: Operator, Query(Done { done }): Query<Done>) -> Response {
    let words = operator.asker.words;
    operator
        .answer(async {
            let keys = app.store.key_lines().await?.into_iter().map(|key| {
                let mut rows = vec![
                    (words.say("desk-state"), words.say(&format!("key-{}", key.state.name()))),
                    (words.say("systems-algorithm"), key.algorithm.name().to_owned()),
                    (words.say("column-signs_from"), words.instant(key.signs_from)),
                ];
                rows.extend(
                    key.good_until
                        .map(|at| (words.say("column-good_until"), words.instant(at))),
                );
                Key {
                    published: !matches!(key.state, KeyState::Gone | KeyState::Revoked),
                    id: key.id,
                    rows,
                }
            });
            let page = Page {
                keys: keys.collect(),
                done: (done == "replaced").then(|| words.say("keys-replaced")),
                shell: operator.shell("/desk/systems/keys"),
            };
            Ok(html(StatusCode::OK, &page))
        })
        .await
}

/// Creates new keys, and revokes an old one if the form names it.
pub async fn replace(State(app): State<App>, operator: Operator, sent: Sent) -> Response {
    operator
        .answer(async {
            let revoked = Some(sent.text("revoke")).filter(|kid| !kid.is_empty());
            app.store.replace_signing_keys(revoked, operator.permit.by()).await?;
            Ok(Redirect::to("/desk/systems/keys?done=replaced").into_response())
        })
        .await
}
