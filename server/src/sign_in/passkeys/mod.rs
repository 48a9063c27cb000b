//! "Đăng nhập bằng vân tay, khuôn mặt của máy": the passkeys of officials and operators. A script requests a challenge, the
//! device answers, and the answer is posted as a form like any other. Without scripts the pages show nothing of it.

mod manage;
mod sign_in;
mod step_up;
#[cfg(test)]
pub mod tests;

use crate::app::App;
use crate::sign_in::limits;
use crate::http::RequestContext;
use crate::security::webauthn::{CeremonyResponse, Challenge, Passkeys};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use ngomon_rules::records::AccountKind;
use ngomon_store::{Ceremony, PasskeyStorage, Result, Session, TwoFactorProof};
use serde::Deserialize;
use serde_json::json;

pub use step_up::STEP_UP_SKIPPED;

/// The routes: the owner's passkeys, signing in with one, and the step-up of a session.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/passkeys", get(crate::sign_in::passkeys::manage::show))
        .route("/passkeys/challenge", post(crate::sign_in::passkeys::manage::challenge))
        .route("/passkeys/add", post(crate::sign_in::passkeys::manage::add))
        .route("/passkeys/remove", post(crate::sign_in::passkeys::manage::remove))
        .route("/sign-in/passkey", post(crate::sign_in::passkeys::sign_in::enter))
        .route("/sign-in/passkey/challenge", post(crate::sign_in::passkeys::sign_in::challenge))
        .route("/sign-in/step-up", get(crate::sign_in::passkeys::step_up::show).post(crate::sign_in::passkeys::step_up::enter))
        .route("/sign-in/step-up/challenge", post(crate::sign_in::passkeys::step_up::challenge))
}

/// Whether this session's account may have passkeys: officials and operators may.
pub fn passkeys_allowed(visit: &Session) -> bool {
    !visit.held && matches!(visit.kind, AccountKind::Official | AccountKind::Operator)
}

/// A device's answer, as the script posts it.
#[derive(Default, Deserialize)]
struct AssertionForm {
    #[serde(default)]
    ceremony: String,
    #[serde(default)]
    credential: String,
}

/// The challenge for a script. Refused if passkeys are off here or the address has requested too many.
async fn challenged(
    app: &App,
    ctx: &RequestContext,
    what: Ceremony<'_>,
    ask: impl AsyncFnOnce(&Passkeys) -> Result<Challenge>,
) -> Result<Response> {
    let Some(passkeys) = &app.passkeys else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    if app.store.take(&[limits::challenge(ctx)]).await?.is_none() {
        return Ok(StatusCode::TOO_MANY_REQUESTS.into_response());
    }
    let Challenge { options, state } = ask(passkeys).await?;
    let ceremony = app.store.begin_ceremony(what, &state).await?;
    Ok(Json(json!({ "ceremony": ceremony, "options": options })).into_response())
}

/// Verifies a device's answer. Returns the kind of storage of the key, and the accounts that it opens: one or more. The
/// ceremony ends, whatever the result.
async fn proven(
    app: &App,
    what: Ceremony<'_>,
    ceremony: &str,
    answer: &CeremonyResponse,
) -> Result<Option<(PasskeyStorage, Vec<TwoFactorProof>)>> {
    let (Some(passkeys), Some(state)) = (&app.passkeys, app.store.end_ceremony(what, ceremony).await?) else {
        return Ok(None);
    };
    let Some(known) = app.store.known_passkey(answer.credential()).await? else {
        return Ok(None);
    };
    // A sign-in has no account yet: the device names the owner, or leaves the owner out.
    let is_owners = answer.is_of(known.owner).unwrap_or(!matches!(what, Ceremony::SignIn));
    let Some((counter, kept)) = passkeys.judged(&state, answer, &known).filter(|_| is_owners) else {
        return Ok(None);
    };
    let opens = app.store.use_passkey(&known.id, counter, kept).await?;
    Ok((!opens.is_empty()).then_some((kept, opens)))
}
