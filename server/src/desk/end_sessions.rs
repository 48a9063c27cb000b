//! "All sessions ended by owner or hotline": the owner lost a telephone and asks for it. For an operator's account, two
//! operators must agree.

use crate::app::App;
use crate::desk::act_proposal::propose;
use crate::desk::confirm::{ConfirmAction, done, happens, required, text_input, whom};
use crate::desk::operator::{CheckedForm, Operator};
use crate::http::Input;
use axum::extract::{Path, State};
use axum::response::Response;
use ngomon_rules::event::ProposedAct;
use ngomon_rules::records::AccountId;
use ngomon_store::{Refusal, Result, StoreError};

/// Renders the page, with the reason `why` as it was sent.
async fn act(app: &App, operator: &Operator, account: &AccountId, why: Option<Input>) -> Result<Response> {
    let locale = operator.ctx.locale;
    let (_, about) = whom(&app.store, locale, account).await?;
    let why = account
        .operator()
        .map(|_| why.unwrap_or_else(|| text_input("reason", "", locale)));
    let act = ConfirmAction {
        happens: happens(locale, account, &["desk-end-sessions-ends", "desk-end-sessions-stays"]),
        fields: why.into_iter().collect(),
        ..ConfirmAction::about(operator, "end-sessions", "end-sessions", account, about)
    };
    Ok(act.page())
}

/// Shows the confirmation page.
pub async fn show(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let account = AccountId(id);
    operator.answer(act(&app, &operator, &account, None)).await
}

/// Ends the sessions, or proposes it to a second operator.
pub async fn send(State(app): State<App>, operator: Operator, Path(id): Path<String>, sent: CheckedForm) -> Response {
    let account = AccountId(id);
    operator
        .answer(async {
            match app.store.end_sessions(&operator.permit, &account).await {
                Err(StoreError::Refused(Refusal::NeedsTwo)) => {
                    let why = required("reason", sent.field("reason"), operator.ctx.locale);
                    if why.error.is_some() {
                        return act(&app, &operator, &account, Some(why)).await;
                    }
                    propose(&app, &operator, ProposedAct::EndSessions { account }, &why.value).await
                }
                ended => {
                    ended?;
                    Ok(done(&account, "sessions-ended"))
                }
            }
        })
        .await
}
