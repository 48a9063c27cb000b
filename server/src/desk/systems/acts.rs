//! The acts on a connected system: issue a new secret, disable, enable, remove. Each has a page that says what will happen.

use crate::app::App;
use crate::desk::act_proposal::propose;
use crate::desk::confirm::{ConfirmAction, required, text_input};
use crate::desk::operator::{CheckedForm, Operator};
use crate::desk::systems::show::with_secret;
use crate::desk::url::system_address;
use crate::http::{Input, not_found};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::client::ClientId;
use ngomon_rules::event::ProposedAct;
use ngomon_store::{Refusal, RegisteredClient, Result, StoreError};

/// The verbs, as they stand in the address.
const ACTS: [&str; 4] = ["rotate", "disable", "enable", "remove"];

async fn known(app: &App, id: &str) -> Result<RegisteredClient> {
    let known = app.store.client(id).await?;
    known.ok_or_else(|| Refusal::UnknownClient(id.to_owned()).into())
}

/// The confirmation page, with the reason `why` as it was sent. A system that needs two operators
/// also needs two for a new secret.
fn page(operator: &Operator, known: RegisteredClient, verb: &str, why: Option<Input>) -> Response {
    let locale = operator.ctx.locale;
    let at = system_address(known.id.as_str());
    let two = verb == "rotate" && known.client.needs_two();
    let fields = two.then(|| why.unwrap_or_else(|| text_input("reason", "", locale)));
    let act = ConfirmAction {
        layout: operator.layout(&format!("{at}/{verb}")),
        title: locale.text(&format!("systems-{verb}-title")),
        about: vec![
            (locale.text("column-client"), known.client.name),
            (locale.text("column-client_id"), known.id.to_string()),
        ],
        happens: [locale.text(&format!("systems-{verb}-happens"))]
            .into_iter()
            .chain(two.then(|| locale.text("systems-needs-two")))
            .collect(),
        notice: None,
        choices: None,
        fields: fields.into_iter().collect(),
        hidden: Vec::new(),
        button: locale.text(&format!("systems-{verb}-title")),
        back: at,
        errors: Vec::new(),
    };
    act.page()
}

/// Shows the confirmation page.
pub async fn show(State(app): State<App>, operator: Operator, Path((id, verb)): Path<(String, String)>) -> Response {
    if !ACTS.contains(&verb.as_str()) {
        return not_found(operator.ctx).await;
    }
    operator
        .answer(async { Ok(page(&operator, known(&app, &id).await?, &verb, None)) })
        .await
}

/// Does the act, or proposes it to a second operator.
pub async fn send(
    State(app): State<App>,
    operator: Operator,
    Path((id, verb)): Path<(String, String)>,
    sent: CheckedForm,
) -> Response {
    if !ACTS.contains(&verb.as_str()) {
        return not_found(operator.ctx).await;
    }
    let by = operator.permit.by().to_owned();
    operator
        .answer(async {
            let answer = match verb.as_str() {
                "rotate" => match app.store.rotate_client_alone(&operator.permit, &id).await {
                    Err(StoreError::Refused(Refusal::NeedsTwo)) => {
                        let why = required("reason", sent.field("reason"), operator.ctx.locale);
                        if why.error.is_some() {
                            return Ok(page(&operator, known(&app, &id).await?, &verb, Some(why)));
                        }
                        let act = ProposedAct::RotateClient { id: ClientId(id) };
                        return propose(&app, &operator, act, &why.value).await;
                    }
                    new => with_secret(&app, &operator, known(&app, &id).await?, new?, "rotate"),
                },
                "disable" => {
                    app.store.disable_client(&id, &by).await?;
                    Redirect::to(&format!("{}?done=disable", system_address(&id))).into_response()
                }
                "enable" => {
                    app.store.enable_client(&id, &by).await?;
                    Redirect::to(&format!("{}?done=enable", system_address(&id))).into_response()
                }
                _ => {
                    app.store.remove_client(&id, &by).await?;
                    Redirect::to("/desk/systems?done=removed").into_response()
                }
            };
            Ok(answer)
        })
        .await
}
