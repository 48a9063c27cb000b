//! C3: a claim made on the wrong account is withdrawn.

use super::act::{Act, done, required, whom};
use super::{Operator, Sent};
use crate::web::App;
use crate::web::page::Input;
use axum::extract::{Path, State};
use axum::response::Response;
use ngomon_rules::record::AccountId;
use ngomon_store::{Refusal, Result};

async fn act(app: &App, operator: &Operator, account: &AccountId, why: Option<Input>) -> Result<Act> {
    let words = operator.asker.words;
    let (story, about) = whom(&app.store, words, account).await?;
    if story.fact("claim").is_none() {
        return Err(Refusal::NoClaim(story.account).into());
    }
    let field = |typed: &str| super::act::text("reason", typed, words);
    Ok(Act {
        happens: ["claim", "opens", "kept"]
            .map(|what| words.say(&format!("desk-withdraw-{what}")))
            .into(),
        fields: vec![why.unwrap_or_else(|| field(""))],
        ..Act::about(operator, "withdraw", "withdraw", account, about)
    })
}

/// What will happen.
pub async fn show(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let account = AccountId(id);
    operator
        .answer(async { Ok(act(&app, &operator, &account, None).await?.page()) })
        .await
}

/// It happens.
pub async fn send(State(app): State<App>, operator: Operator, Path(id): Path<String>, sent: Sent) -> Response {
    let account = AccountId(id);
    let why = required("reason", sent.text("reason"), operator.asker.words);
    operator
        .answer(async {
            if why.error.is_some() {
                return Ok(act(&app, &operator, &account, Some(why)).await?.page());
            }
            app.store.withdraw_claim(&operator.permit, &account, &why.value).await?;
            app.store.seal().await?;
            Ok(done(&account, "withdrawn"))
        })
        .await
}
