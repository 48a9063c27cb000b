//! The desk of a counter ("quầy hỗ trợ"): an operator finds a person's account and does what the person asks for, papers in
//! hand. Each verb has its own file. A visitor without an operator's full session gets "not found" for every address and method
//! here.

mod account;
mod confirm;
mod counters;
mod end_sessions;
mod exempt;
mod find;
mod form;
mod hold;
mod hr;
mod passkeys;
mod people;
mod proposals;
mod renewal;
mod reviews;
mod systems;
mod take_over;
#[cfg(test)]
mod tests;
mod two_persons;
mod withdraw;

pub use confirm::whose_claim;

use crate::app::App;
use crate::http::{ErrorPage, Layout, html, not_found};
use crate::http::RequestContext;
use crate::cli::error_text::refused;
use askama::Template;
use axum::extract::{DefaultBodyLimit, Form, FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{RequestPartsExt as _, Router};
use ngomon_rules::records::AccountId;
use ngomon_store::{Refusal, Result, Session, StoreError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All pages of the desk.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/desk", get(crate::desk::find::show).post(crate::desk::find::search))
        .route("/desk/account/{id}", get(crate::desk::account::show))
        .route("/desk/account/{id}/form", get(crate::desk::form::show).post(crate::desk::form::send))
        .route("/desk/forms/{receipt}", get(crate::desk::form::answer))
        .route("/desk/people/{unit}/{state}", get(crate::desk::people::show))
        .route("/desk/people/{unit}/{state}/{file}", get(crate::desk::people::file))
        .route("/desk/reviews", get(crate::desk::reviews::list))
        .route("/desk/reviews/{receipt}", post(crate::desk::reviews::answer))
        .route("/desk/proposals", get(crate::desk::proposals::list))
        .route("/desk/proposals/{receipt}", post(crate::desk::proposals::decide))
        .route("/desk/hr", get(crate::desk::hr::list))
        .route("/desk/hr/{id}", post(crate::desk::hr::make))
        .route("/desk/take-overs", get(crate::desk::take_over::list))
        .route(
            "/desk/take-overs/{receipt}",
            get(crate::desk::take_over::show).post(crate::desk::take_over::propose),
        )
        .route("/desk/take-overs/{receipt}/approve", post(crate::desk::take_over::approve))
        .route("/desk/take-overs/{receipt}/decline", post(crate::desk::take_over::decline))
        .route("/desk/acts/{receipt}", get(crate::desk::two_persons::show))
        .route("/desk/acts/{receipt}/approve", post(crate::desk::two_persons::approve))
        .route("/desk/acts/{receipt}/decline", post(crate::desk::two_persons::decline))
        .route("/desk/account/{id}/withdraw", get(crate::desk::withdraw::show).post(crate::desk::withdraw::send))
        .route("/desk/account/{id}/exempt", get(crate::desk::exempt::show).post(crate::desk::exempt::send))
        .route(
            "/desk/account/{id}/end-exemption",
            get(crate::desk::exempt::show_end).post(crate::desk::exempt::end),
        )
        .route(
            "/desk/account/{id}/end-sessions",
            get(crate::desk::end_sessions::show).post(crate::desk::end_sessions::send),
        )
        .route(
            "/desk/account/{id}/password",
            get(crate::desk::renewal::show_password).post(crate::desk::renewal::send_password),
        )
        .route(
            "/desk/account/{id}/phone",
            get(crate::desk::renewal::show_phone).post(crate::desk::renewal::send_phone),
        )
        .route("/desk/account/{id}/passkeys", get(crate::desk::passkeys::show).post(crate::desk::passkeys::send))
        .route("/desk/account/{id}/hold", get(crate::desk::hold::show).post(crate::desk::hold::send))
        .route("/desk/account/{id}/lift", get(crate::desk::hold::show_lift).post(crate::desk::hold::lift))
        .route(
            "/desk/counters",
            get(crate::desk::counters::show)
                .post(crate::desk::counters::send)
                .layer(DefaultBodyLimit::max(crate::desk::counters::LARGEST)),
        )
        .merge(crate::desk::systems::routes())
        .method_not_allowed_fallback(not_found)
}

/// The operator who sends the request. Every page of the desk extracts one.
pub struct Operator {
    /// The context of the request.
    pub ctx: RequestContext,
    /// The store's permission, which every act requires.
    pub permit: ngomon_store::Operator,
}

impl FromRequestParts<App> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let ctx: RequestContext = parts.extract_with_state(app).await?;
        match ctx.visit.as_ref().and_then(Session::operator) {
            Some(permit) => Ok(Self { ctx, permit }),
            None => Err(not_found(ctx).await),
        }
    }
}

impl Operator {
    /// The layout of a page under this address, whatever address was requested.
    pub fn shell(&self, here: &str) -> Layout {
        let mut shell = self.ctx.shell();
        here.clone_into(&mut shell.here);
        shell
    }

    /// The page, or the page that explains why there is none.
    pub async fn answer(&self, page: impl Future<Output = Result<Response>>) -> Response {
        let words = self.ctx.words;
        match page.await {
            Ok(page) => page,
            Err(StoreError::Refused(refusal)) => {
                let unknown = matches!(
                    refusal,
                    Refusal::UnknownAccount(_)
                        | Refusal::UnknownForm(_)
                        | Refusal::UnknownProposal(_)
                        | Refusal::UnknownClient(_)
                        | Refusal::UnknownUnit(_)
                );
                let status = if unknown {
                    StatusCode::NOT_FOUND
                } else {
                    StatusCode::CONFLICT
                };
                let mut shell = self.shell("/desk");
                if !unknown {
                    shell = shell.failing("S-409");
                }
                let text = match &refusal {
                    // The refusal's own text points to a command, which is of no use on a page.
                    Refusal::UnknownClient(name) => words.text_with("systems-unknown", &[("name", name)]),
                    refusal => refused(refusal, words),
                };
                html(status, &RefusedPage { shell, text })
            }
            Err(error) => ErrorPage(words, error).into_response(),
        }
    }
}

/// The page that says why an act was refused.
#[derive(Template)]
#[template(path = "desk/refused.html")]
struct RefusedPage {
    shell: Layout,
    text: String,
}

/// The submitted fields of a form. A form that cannot be read counts as empty.
pub struct CheckedForm(Vec<(String, String)>);

impl CheckedForm {
    /// A form with these fields.
    pub fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// The text of a field, trimmed.
    pub fn field(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// All selected values of a field.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let of_name = self.0.iter().filter(move |(field, _)| field == name);
        of_name.map(|(_, value)| value.trim())
    }
}

impl FromRequest<App> for CheckedForm {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, app: &App) -> Result<Self, Self::Rejection> {
        let sent = Form::<Vec<(String, String)>>::from_request(request, app).await;
        Ok(Self(sent.map(|Form(fields)| fields).unwrap_or_default()))
    }
}

/// The address of an account's page.
pub fn address(account: &AccountId) -> String {
    format!("/desk/account/{}", path_encode(account.as_str()))
}

/// The characters to escape in a path segment: all that are not unreserved (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Escapes a text for a path segment.
pub fn path_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
