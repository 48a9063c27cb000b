//! What the pages of passkeys share: the challenge for a device, and its answer.

use crate::app::App;
use crate::http::RequestContext;
use crate::security::webauthn::{CeremonyResponse, Challenge, Passkeys};
use crate::sign_in::limits;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ngomon_rules::records::AccountKind;
use ngomon_store::{Ceremony, PasskeyStorage, Result, Session, TwoFactorProof};
use serde::Deserialize;
use serde_json::json;

/// Whether this session's account may have passkeys: officials and operators may.
pub fn passkeys_allowed(session: &Session) -> bool {
    !session.held && matches!(session.kind, AccountKind::Official | AccountKind::Operator)
}

/// A device's answer, as the script posts it.
#[derive(Default, Deserialize)]
pub struct AssertionForm {
    #[serde(default)]
    /// The ceremony that it answers.
    pub ceremony: String,
    #[serde(default)]
    /// The answer, as JSON.
    pub credential: String,
}

/// The challenge for a script. Refused if passkeys are off here or the address has requested too many.
pub async fn challenged(
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
pub async fn proven(
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
