//! The response to an authorization request. It goes to a registered redirect URI only, with `state` unchanged and `iss` (RFC 9207).

use crate::http::{Layout, html, redirect_page};
use crate::openid::authorization_request::{Address, Mode};
use crate::openid::error::OAuthError;
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use url::Url;

/// What the browser did just before the response.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It requested the authorization endpoint: the response is an HTTP redirect.
    Request,
    /// It posted our own consent form: the response is a page that leads on.
    Consent,
}

#[derive(Template)]
#[template(path = "form_post.html")]
struct FormPost {
    layout: Layout,
    to: String,
    fields: Vec<(&'static str, String)>,
}

/// Returns the code or the error to the client.
pub fn answer(
    mut layout: Layout,
    issuer: &str,
    to: &Address,
    after: After,
    said: Result<String, OAuthError>,
) -> Response {
    let mut fields = match said {
        Ok(code) => vec![("code", code)],
        Err(fault) => vec![
            ("error", fault.error.to_owned()),
            ("error_description", fault.description),
        ],
    };
    fields.extend(to.state.clone().map(|state| ("state", state)));
    fields.push(("iss", issuer.to_owned()));
    if after == After::Consent {
        // This page cannot be repeated in the other language, so the language link leads to the home page.
        layout.here = "/".into();
    }
    match (to.mode, Url::parse(&to.uri)) {
        (Mode::Query, Ok(mut url)) => {
            url.query_pairs_mut().extend_pairs(&fields);
            match after {
                After::Request => Redirect::to(url.as_str()).into_response(),
                After::Consent => redirect_page(layout, url.into()),
            }
        }
        (Mode::FormPost, Ok(_)) => form_post(layout, to.uri.clone(), fields),
        (_, Err(_)) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// The content security policy of the page that posts a form to a client, and of no other page. `form-action` is not limited: some browsers
/// apply it to the redirect that answers the form too, and the client may redirect its user anywhere.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
);

/// A form that the script submits at once; without scripts the user submits it.
fn form_post(layout: Layout, to: String, fields: Vec<(&'static str, String)>) -> Response {
    let mut response = html(StatusCode::OK, &FormPost { layout, to, fields });
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}
