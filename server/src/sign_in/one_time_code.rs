//! The page on which a one-time code is typed.

use crate::http::{Input, Layout, Mistake, RequestContext, html, mistakes};
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::Response;
use ngomon_store::CodeCheck;
use serde::Deserialize;

/// The texts and addresses of the page.
pub struct Question {
    /// The heading.
    pub title: String,
    /// The sentence that says where the code was sent.
    pub lead: String,
    /// The address to which the form posts.
    pub action: &'static str,
    /// The address that requests a new code.
    pub again: &'static str,
    /// The address and the text of the link back.
    pub back: (&'static str, String),
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage {
    layout: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    question: Question,
}

/// Renders the page; with an error, if the typed code was not accepted.
pub fn page(ctx: &RequestContext, question: Question, error: Option<String>) -> Response {
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let fields = vec![Input {
        error,
        autocomplete: "one-time-code",
        inputmode: "numeric",
        hint: ctx.locale.text("code-hint"),
        ..Input::new("code", ctx.locale.text("code-label"))
    }];
    let mut layout = ctx.layout();
    layout.wrong = status != StatusCode::OK;
    let errors = mistakes(&fields);
    html(
        status,
        &CodePage {
            layout,
            errors,
            fields,
            question,
        },
    )
}

/// The submitted code.
#[derive(Default, Deserialize)]
pub struct Digits {
    #[serde(default)]
    code: String,
}

/// The typed digits; empty if the form cannot be read.
pub fn digits(typed: Result<Form<Digits>, FormRejection>) -> String {
    typed.map(|Form(typed)| typed.code).unwrap_or_default()
}

/// The message that says why the code was not accepted.
pub fn not_right(ctx: &RequestContext, typed: &CodeCheck) -> String {
    match typed {
        CodeCheck::Wrong(left) => {
            let left = ctx.locale.number(left.unsigned_abs());
            ctx.locale.text_with("code-wrong", &[("left", &left)])
        }
        CodeCheck::Over | CodeCheck::Right(_) => ctx.locale.text("code-over"),
    }
}
