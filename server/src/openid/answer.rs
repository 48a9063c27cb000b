//! The answer to an authorization request: to a registered address only, with `state` as it came and `iss` (RFC 9207).

use super::fault::Fault;
use super::request::{Address, Mode};
use crate::web::{Shell, go_on, html};
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use url::Url;

/// From where the answer is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// A request of the browser: led on by an answer with an address.
    Request,
    /// The owner's consent, a form of ours: led on by a page.
    Consent,
}

#[derive(Template)]
#[template(path = "form_post.html")]
struct FormPost {
    shell: Shell,
    to: String,
    fields: Vec<(&'static str, String)>,
}

/// A code, or what is wrong.
pub fn answer(mut shell: Shell, issuer: &str, to: &Address, after: After, said: Result<String, Fault>) -> Response {
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
        // In the other language, there is nothing to be sent again.
        shell.here = "/".into();
    }
    match (to.mode, Url::parse(&to.uri)) {
        (Mode::Query, Ok(mut url)) => {
            url.query_pairs_mut().extend_pairs(&fields);
            match after {
                After::Request => Redirect::to(url.as_str()).into_response(),
                After::Consent => go_on(shell, url.into()),
            }
        }
        (Mode::FormPost, Ok(_)) => form_post(shell, to.uri.clone(), fields),
        (_, Err(_)) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// Of the page that has a form for a connected system, and no other. Where forms may go is not limited: some browsers hold a redirect that
/// answers the form to that, too, and the system leads its user on to wherever it likes.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
);

/// A form that the script sends at once, and without scripts its owner does.
fn form_post(shell: Shell, to: String, fields: Vec<(&'static str, String)>) -> Response {
    let mut response = html(StatusCode::OK, &FormPost { shell, to, fields });
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}
