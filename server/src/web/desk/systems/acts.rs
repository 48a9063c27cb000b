//! A new secret, refused from now on, let in again, none any more: each is a page that says what will happen, and then it does.

use super::address;
use super::show::with_secret;
use crate::web::App;
use crate::web::desk::Operator;
use crate::web::desk::act::Act;
use crate::web::page::not_found;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_store::{KnownClient, Refusal, Result};

/// The acts there are.
const ACTS: [&str; 4] = ["rotate", "disable", "enable", "remove"];
/// For so many seconds the secret before stays good.
const OVERLAP: i64 = 24 * 3_600;

async fn known(app: &App, id: &str) -> Result<KnownClient> {
    let known = app.store.client(id).await?;
    known.ok_or_else(|| Refusal::UnknownClient(id.to_owned()).into())
}

/// What will happen.
pub async fn show(State(app): State<App>, operator: Operator, Path((id, verb)): Path<(String, String)>) -> Response {
    if !ACTS.contains(&verb.as_str()) {
        return not_found(operator.asker).await;
    }
    let words = operator.asker.words;
    operator
        .answer(async {
            let known = known(&app, &id).await?;
            let at = address(&id);
            let act = Act {
                shell: operator.shell(&format!("{at}/{verb}")),
                title: words.say(&format!("systems-{verb}-title")),
                about: vec![
                    (words.say("column-client"), known.client.name),
                    (words.say("column-client_id"), known.id.to_string()),
                ],
                happens: vec![words.say(&format!("systems-{verb}-happens"))],
                notice: None,
                choices: None,
                fields: Vec::new(),
                hidden: Vec::new(),
                button: words.say(&format!("systems-{verb}-title")),
                back: at,
                errors: Vec::new(),
            };
            Ok(act.page())
        })
        .await
}

/// It happens.
pub async fn send(State(app): State<App>, operator: Operator, Path((id, verb)): Path<(String, String)>) -> Response {
    if !ACTS.contains(&verb.as_str()) {
        return not_found(operator.asker).await;
    }
    let by = operator.permit.by().to_owned();
    operator
        .answer(async {
            let page = match verb.as_str() {
                "rotate" => {
                    let new = app.store.rotate_client(&id, OVERLAP, &by).await?;
                    with_secret(&operator, known(&app, &id).await?, new, "rotate")
                }
                "disable" => {
                    app.store.disable_client(&id, &by).await?;
                    Redirect::to(&format!("{}?done=disable", address(&id))).into_response()
                }
                "enable" => {
                    app.store.enable_client(&id, &by).await?;
                    Redirect::to(&format!("{}?done=enable", address(&id))).into_response()
                }
                _ => {
                    app.store.remove_client(&id, &by).await?;
                    Redirect::to("/desk/systems?done=removed").into_response()
                }
            };
            app.store.seal().await?;
            Ok(page)
        })
        .await
}
