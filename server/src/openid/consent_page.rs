//! The consent page.

use crate::http::{Layout, RequestContext, html};
use crate::i18n::scope_labels;
use crate::openid::authorization_request::{Address, Request};
use crate::openid::params::Params;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use ngomon_store::RegisteredClient;
use url::Url;

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage {
    layout: Layout,
    client: String,
    /// The host of the redirect URI.
    host: String,
    told: Vec<String>,
    /// The request, as a query.
    request: String,
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
    let told = scope_labels(&request.requested_scopes(&known.client), ctx.locale);
    let request = params.query();
    let mut layout = ctx.layout();
    layout.here = format!("/authorize?{request}");
    html(
        StatusCode::OK,
        &ConsentPage {
            layout,
            client: known.client.name.clone(),
            host: host.unwrap_or_default(),
            told,
            request,
        },
    )
}
