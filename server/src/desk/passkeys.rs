//! The removal of a lost device, whose owner stands at the counter: it must no longer open anything. All of the owner's
//! passkeys go, because nobody at the counter can tell who holds which device; the owner adds the remaining ones again.

use crate::app::App;
use crate::desk::act_proposal::propose;
use crate::desk::confirm::{ConfirmAction, done, happens, required, text_input, whom};
use crate::desk::operator::{CheckedForm, Operator};
use crate::desk::url::address;
use crate::http::Input;
use crate::i18n::to_owners;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::event::ProposedAct;
use ngomon_rules::records::AccountId;
use ngomon_store::{Refusal, Result, StoreError};

/// The page, with the reason `why` as it was sent. `None` if there are no passkeys.
async fn act(app: &App, operator: &Operator, account: &AccountId, why: Option<Input>) -> Result<Option<ConfirmAction>> {
    let locale = operator.ctx.locale;
    let (_, mut about) = whom(&app.store, locale, account).await?;
    let passkeys = app.store.passkeys(account).await?;
    if passkeys.is_empty() {
        return Ok(None);
    }
    for one in passkeys {
        let (key, at) = match one.used {
            Some(used) => ("desk-passkeys-used", used),
            None => ("desk-passkeys-added", one.added),
        };
        about.push((one.name, locale.text_with(key, &[("at", &locale.instant(at))])));
    }
    Ok(Some(ConfirmAction {
        happens: happens(
            locale,
            account,
            &["desk-passkeys-opens", "desk-passkeys-ends", "desk-passkeys-stays"],
        ),
        fields: vec![why.unwrap_or_else(|| text_input("reason", "", locale))],
        ..ConfirmAction::about(operator, "passkeys", "passkeys", account, about)
    }))
}

/// The page, or a redirect to the account if there is nothing to remove.
fn answered(act: Option<ConfirmAction>, account: &AccountId) -> Response {
    match act {
        Some(act) => act.page(),
        None => Redirect::to(&address(account)).into_response(),
    }
}

/// Shows the confirmation page.
pub async fn show(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let account = AccountId(id);
    operator
        .answer(async { Ok(answered(act(&app, &operator, &account, None).await?, &account)) })
        .await
}

/// Removes the passkeys, or proposes it to a second operator.
pub async fn send(State(app): State<App>, operator: Operator, Path(id): Path<String>, sent: CheckedForm) -> Response {
    let (account, locale) = (AccountId(id), operator.ctx.locale);
    let why = required("reason", sent.field("reason"), locale);
    operator
        .answer(async {
            if why.error.is_some() {
                return Ok(answered(act(&app, &operator, &account, Some(why)).await?, &account));
            }
            let news = to_owners().text("sms-passkeys-removed");
            let removed = app.store.remove_passkeys(&operator.permit, &account, &why.value, &news);
            let removed = match removed.await {
                Err(StoreError::Refused(Refusal::NeedsTwo)) => {
                    return propose(&app, &operator, ProposedAct::RemovePasskeys { account }, &why.value).await;
                }
                removed => removed?,
            };
            if removed == 0 {
                return Ok(answered(None, &account));
            }
            Ok(done(&account, "passkeys-removed"))
        })
        .await
}
