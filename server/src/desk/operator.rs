//! The operator who sends a request, and the form that the operator sends.

use crate::app::App;
use crate::cli::error_text::refused;
use crate::http::{ErrorPage, Layout, RequestContext, html, not_found};
use askama::Template;
use axum::RequestPartsExt as _;
use axum::extract::{Form, FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use ngomon_store::{Refusal, Result, Session, StoreError};

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
        match ctx.session.as_ref().and_then(Session::operator) {
            Some(permit) => Ok(Self { ctx, permit }),
            None => Err(not_found(ctx).await),
        }
    }
}

impl Operator {
    /// The layout of a page under this address, whatever address was requested.
    pub fn layout(&self, here: &str) -> Layout {
        let mut layout = self.ctx.layout();
        here.clone_into(&mut layout.here);
        layout
    }

    /// The page, or the page that explains why there is none.
    pub async fn answer(&self, page: impl Future<Output = Result<Response>>) -> Response {
        let locale = self.ctx.locale;
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
                let mut layout = self.layout("/desk");
                if !unknown {
                    layout = layout.failing("S-409");
                }
                let text = match &refusal {
                    // The refusal's own text points to a command, which is of no use on a page.
                    Refusal::UnknownClient(name) => locale.text_with("systems-unknown", &[("name", name)]),
                    refusal => refused(refusal, locale),
                };
                html(status, &RefusedPage { layout, text })
            }
            Err(error) => ErrorPage(locale, error).into_response(),
        }
    }
}

/// The page that says why an act was refused.
#[derive(Template)]
#[template(path = "desk/refused.html")]
struct RefusedPage {
    layout: Layout,
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
