//! The consent page: owners decide whether a client that is not the province's own gets claims about them.

use crate::openid::authorization_response::After;
use crate::openid::authorize::{authorize, error_without_redirect, resolve_client};
use crate::openid::error::OAuthError;
use crate::openid::params::Params;
use crate::openid::authorization_request::{Address, Request, read};
use crate::i18n::Locale;
use crate::app::App;
use crate::http::{ErrorPage, Layout, RequestContext, html};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::client::Scope;
use ngomon_store::RegisteredClient;
use serde::Deserialize;
use url::Url;

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage {
    shell: Layout,
    client: String,
    /// The host of the redirect URI.
    host: String,
    told: Vec<String>,
    /// The request, as a query.
    request: String,
}

/// The texts of the requested scopes.
pub fn scope_labels(scopes: &[Scope], words: Locale) -> Vec<String> {
    let said = |scope: &Scope| words.text(&format!("scope-{}", scope.name().replace('_', "-")));
    scopes
        .iter()
        .filter(|scope| **scope != Scope::Openid)
        .map(said)
        .collect()
}

/// The page with the requested scopes and the question.
pub fn page(
    ctx: &RequestContext,
    known: &RegisteredClient,
    to: &Address,
    request: &Request,
    params: &Params,
) -> Response {
    let host = Url::parse(&to.uri)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    let told = scope_labels(&request.requested_scopes(&known.client), ctx.words);
    let request = params.query();
    let mut shell = ctx.shell();
    shell.here = format!("/authorize?{request}");
    html(
        StatusCode::OK,
        &ConsentPage {
            shell,
            client: known.client.name.clone(),
            host: host.unwrap_or_default(),
            told,
            request,
        },
    )
}

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
    let Some(visit) = ctx.visit.as_ref().filter(|visit| !visit.held) else {
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
    if let Err(error) = app.store.consent(&visit.account, &opened.known.id, &scopes).await {
        return ErrorPage(ctx.words, error).into_response();
    }
    authorize(&app, &ctx, opened.shown, After::Consent).await
}
