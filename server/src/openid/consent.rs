//! The consent page: owners decide whether a client that is not the province's own gets claims about them.

use crate::app::App;
use crate::http::{ErrorPage, RequestContext};
use crate::openid::authorization_request::read;
use crate::openid::authorization_response::After;
use crate::openid::authorize::{authorize, error_without_redirect, resolve_client};
use crate::openid::error::OAuthError;
use crate::openid::params::Params;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// The submitted consent form.
#[derive(Default, Deserialize)]
pub struct ConsentForm {
    #[serde(default)]
    request: String,
    #[serde(default)]
    answer: String,
}

/// Handles the decision. The request is checked again.
pub async fn answered(
    State(app): State<App>,
    ctx: RequestContext,
    sent: Result<Form<ConsentForm>, FormRejection>,
) -> Response {
    let sent = sent.map(|Form(sent)| sent).unwrap_or_default();
    let Some(session) = ctx.session.as_ref().filter(|session| !session.held) else {
        return Redirect::to("/").into_response();
    };
    let params = Params::read(sent.request.as_bytes());
    let here = format!("/authorize?{}", params.query());
    let opened = match resolve_client(&app, params).await {
        Ok(opened) => opened,
        Err(problem) => return error_without_redirect(&ctx, here, problem),
    };
    let request = match read(&opened.params, &opened.known) {
        Ok(request) if sent.answer == "allow" => request,
        Ok(_) => {
            let fault = OAuthError::new("access_denied", "the owner did not allow it");
            return opened.answered(&app, &ctx, After::Consent, Err(fault)).await;
        }
        Err(fault) => return opened.answered(&app, &ctx, After::Consent, Err(fault)).await,
    };
    if let Err(fault) = request.validate_resource(&app.store).await {
        return opened.answered(&app, &ctx, After::Consent, Err(fault)).await;
    }
    let scopes = request.requested_scopes(&opened.known.client);
    if let Err(error) = app.store.consent(&session.account, &opened.known.id, &scopes).await {
        return ErrorPage(ctx.locale, error).into_response();
    }
    authorize(&app, &ctx, opened.shown, After::Consent).await
}
