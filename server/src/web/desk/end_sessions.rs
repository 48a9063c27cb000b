//! "All sessions ended by owner or hotline": a telephone was lost, and its owner asks for it.

use super::Operator;
use super::act::{Act, done, whom};
use crate::web::App;
use axum::extract::{Path, State};
use axum::response::Response;
use ngomon_rules::record::AccountId;

/// What will happen.
pub async fn show(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let (account, words) = (AccountId(id), operator.asker.words);
    operator
        .answer(async {
            let (_, about) = whom(&app.store, words, &account).await?;
            let act = Act {
                happens: ["ends", "stays"]
                    .map(|what| words.say(&format!("desk-end-sessions-{what}")))
                    .into(),
                ..Act::about(&operator, "end-sessions", "end-sessions", &account, about)
            };
            Ok(act.page())
        })
        .await
}

/// It happens.
pub async fn send(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let account = AccountId(id);
    operator
        .answer(async {
            app.store.end_sessions(&operator.permit, &account).await?;
            app.store.seal().await?;
            Ok(done(&account, "sessions-ended"))
        })
        .await
}
