//! C3: the withdrawal of a claim that was made on the wrong account.

use crate::app::App;
use crate::desk::act_proposal::propose;
use crate::desk::confirm;
use crate::desk::confirm::{ConfirmAction, differs, done, required, whom};
use crate::desk::operator::{CheckedForm, Operator};
use crate::http::Input;
use crate::i18n::value_text;
use axum::extract::{Path, State};
use axum::response::Response;
use ngomon_rules::event::ProposedAct;
use ngomon_rules::records::AccountId;
use ngomon_store::{Refusal, Result, StoreError};

async fn act(app: &App, operator: &Operator, account: &AccountId, why: Option<Input>) -> Result<ConfirmAction> {
    let locale = operator.ctx.locale;
    let units = app.store.units().await?;
    let (explanation, mut about) = whom(&app.store, locale, account).await?;
    if explanation.fact("claim").is_none() {
        return Err(Refusal::NoClaim(explanation.account).into());
    }
    for name in ["claim", "claim_since"] {
        let value = explanation
            .fact(name)
            .map(|value| value_text(name, value, &units, locale));
        about.extend(value.map(|value| (locale.text(&format!("fact-{}", name.replace('_', "-"))), value)));
    }
    let field = |typed: &str| confirm::text_input("reason", typed, locale);
    Ok(ConfirmAction {
        happens: ["claim", "opens", "kept"]
            .map(|what| locale.text(&format!("desk-withdraw-{what}")))
            .into(),
        notice: differs(&explanation, locale, false),
        fields: vec![why.unwrap_or_else(|| field(""))],
        ..ConfirmAction::about(operator, "withdraw", "withdraw", account, about)
    })
}

/// Shows the confirmation page.
pub async fn show(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let account = AccountId(id);
    operator
        .answer(async { Ok(act(&app, &operator, &account, None).await?.page()) })
        .await
}

/// Withdraws the claim.
pub async fn send(State(app): State<App>, operator: Operator, Path(id): Path<String>, sent: CheckedForm) -> Response {
    let account = AccountId(id);
    let why = required("reason", sent.field("reason"), operator.ctx.locale);
    operator
        .answer(async {
            if why.error.is_some() {
                return Ok(act(&app, &operator, &account, Some(why)).await?.page());
            }
            match app.store.withdraw_claim(&operator.permit, &account, &why.value).await {
                Err(StoreError::Refused(Refusal::NeedsTwo)) => {
                    propose(&app, &operator, ProposedAct::WithdrawClaim { account }, &why.value).await
                }
                withdrawn => {
                    withdrawn?;
                    Ok(done(&account, "withdrawn"))
                }
            }
        })
        .await
}
