//! The consent page: owners decide whether a client that is not the province's own gets claims about them.

use super::answer::After;
use super::authorize::{decided, nowhere, opened};
use super::fault::Fault;
use super::params::Params;
use super::request::{Address, Request, read};
use crate::output::Words;
use crate::web::{App, Asker, Shell, StoreFault, html};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::client::Scope;
use ngomon_store::KnownClient;
use serde::Deserialize;
use url::Url;

#[derive(Template)]
#[template(path = "consent.html")]
struct Page {
    shell: Shell,
    client: String,
    /// The host of the redirect URI.
    host: String,
    told: Vec<String>,
    /// The request, as a query.
    request: String,
}

/// The texts of the requested scopes.
pub fn told(scopes: &[Scope], words: Words) -> Vec<String> {
    let said = |scope: &Scope| words.say(&format!("scope-{}", scope.name().replace('_', "-")));
    scopes
        .iter()
        .filter(|scope| **scope != Scope::Openid)
        .map(said)
        .collect()
}

/// The page with the requested scopes and the question.
pub fn page(asker: &Asker, known: &KnownClient, to: &Address, request: &Request, params: &Params) -> Response {
    let host = Url::parse(&to.uri)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    let told = told(&request.told(&known.client), asker.words);
    let request = params.query();
    let mut shell = asker.shell();
    shell.here = format!("/authorize?{request}");
    html(
        StatusCode::OK,
        &Page {
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
pub struct Sent {
    #[serde(default)]
    request: String,
    #[serde(default)]
    answer: String,
}

/// Handles the decision. The request is checked again.
pub async fn answered(State(app): State<App>, asker: Asker, sent: Result<Form<Sent>, FormRejection>) -> Response {
    let sent = sent.map(|Form(sent)| sent).unwrap_or_default();
    let Some(visit) = asker.visit.as_ref().filter(|visit| !visit.held) else {
        return Redirect::to("/").into_response();
    };
    let params = Params::read(sent.request.as_bytes());
    let here = format!("/authorize?{}", params.query());
    let opened = match opened(&app, params).await {
        Ok(opened) => opened,
        Err(problem) => return nowhere(&asker, here, problem),
    };
    let request = match read(&opened.params, &opened.known) {
        Ok(request) if sent.answer == "allow" => request,
        Ok(_) => {
            let fault = Fault::new("access_denied", "the owner did not allow it");
            return opened.answered(&app, &asker, After::Consent, Err(fault)).await;
        }
        Err(fault) => return opened.answered(&app, &asker, After::Consent, Err(fault)).await,
    };
    if let Err(fault) = request.has_its_target(&app.store).await {
        return opened.answered(&app, &asker, After::Consent, Err(fault)).await;
    }
    let told = request.told(&opened.known.client);
    if let Err(error) = app.store.consent(&visit.account, &opened.known.id, &told).await {
        return StoreFault(asker.words, error).into_response();
    }
    decided(&app, &asker, opened.shown, After::Consent).await
}
