//! The parts of every page, and the error pages.

use crate::i18n::Locale;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

/// The layout of a page.
#[expect(clippy::struct_excessive_bools, reason = "each shows its own part of the frame")]
pub struct Layout {
    /// The language.
    pub locale: Locale,
    /// The path of the page, for the link to the other language.
    pub here: String,
    /// The query that keeps the return address within a sign-in: `?to=…`, or empty.
    pub going: String,
    /// Whether to show the sign-out button.
    pub signed_in: bool,
    /// Whether to show the link to the desk.
    pub desk: bool,
    /// Whether the title begins with the word for an error.
    pub wrong: bool,
    /// Whether to show that all persons are made up.
    pub sandbox: bool,
    /// Whether to show that reminders and locks are frozen.
    pub frozen: bool,
    /// The error code for the helpdesk; empty if nothing went wrong.
    pub code: String,
}

impl Layout {
    /// The layout of a page without a session.
    pub fn bare(locale: Locale) -> Self {
        Self {
            locale,
            here: "/".into(),
            going: String::new(),
            signed_in: false,
            desk: false,
            wrong: false,
            sandbox: false,
            frozen: false,
            code: String::new(),
        }
    }

    /// The code at the end of the page: its own, or the one for a form with errors.
    pub fn shown_code(&self) -> &str {
        if self.code.is_empty() && self.wrong {
            "S-422"
        } else {
            &self.code
        }
    }

    /// The same as an error page, with a code for the helpdesk.
    #[must_use]
    pub fn failing(self, code: &str) -> Self {
        Self {
            wrong: true,
            code: code.to_owned(),
            ..self
        }
    }
}

/// A page with one message, and perhaps a receipt.
#[derive(Template)]
#[template(path = "answer.html")]
pub struct MessagePage {
    /// The layout.
    pub layout: Layout,
    /// What happened.
    pub title: String,
    /// What to do now.
    pub text: String,
    /// The time of the event.
    pub at: Option<String>,
    /// Whether to explain how to get VNeID, the next step.
    pub vneid: bool,
    /// The receipt number, for later queries.
    pub receipt: Option<String>,
    /// The message key of the link to continue.
    pub on: &'static str,
}

impl MessagePage {
    /// A page with this message and nothing else.
    pub fn new(layout: Layout, title: String, text: String) -> Self {
        Self {
            layout,
            title,
            text,
            at: None,
            vneid: false,
            receipt: None,
            on: "answer-on",
        }
    }
}

/// Redirects the browser by a page instead of a `Location` header: browsers block a form's redirect to an address outside
/// `form-action`.
#[derive(Template)]
#[template(path = "go_on.html")]
struct RedirectPage {
    layout: Layout,
    to: String,
}

/// Redirects to `to`, which is an address of this server or was checked.
pub fn redirect_page(layout: Layout, to: String) -> Response {
    html(StatusCode::OK, &RedirectPage { layout, to })
}

/// Renders a page; if the template fails, answers with status 500.
pub fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!("a page: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
