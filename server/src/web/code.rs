//! The page on which a one-time code is typed.

use super::asker::Asker;
use super::page::{Input, Mistake, Shell, html, mistakes};
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::Response;
use ngomon_store::Typed;
use serde::Deserialize;

/// What is asked, and where it goes.
pub struct Question {
    /// The heading.
    pub title: String,
    /// Where the code went.
    pub lead: String,
    /// Where it is sent to.
    pub action: &'static str,
    /// Where a new code is asked for.
    pub again: &'static str,
    /// The way back, and its words.
    pub back: (&'static str, String),
}

#[derive(Template)]
#[template(path = "code.html")]
struct Page {
    shell: Shell,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    question: Question,
}

/// The page; with an error, if what was typed was not right.
pub fn page(asker: &Asker, question: Question, error: Option<String>) -> Response {
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let fields = vec![Input {
        error,
        autocomplete: "one-time-code",
        inputmode: "numeric",
        hint: asker.words.say("code-hint"),
        ..Input::new("code", asker.words.say("code-label"))
    }];
    let mut shell = asker.shell();
    shell.wrong = status != StatusCode::OK;
    let errors = mistakes(&fields);
    html(
        status,
        &Page {
            shell,
            errors,
            fields,
            question,
        },
    )
}

/// What is typed.
#[derive(Default, Deserialize)]
pub struct Digits {
    #[serde(default)]
    code: String,
}

/// The digits that were sent; none, if the form cannot be read.
pub fn digits(typed: Result<Form<Digits>, FormRejection>) -> String {
    typed.map(|Form(typed)| typed.code).unwrap_or_default()
}

/// Why the code was not right, in words.
pub fn not_right(asker: &Asker, typed: &Typed) -> String {
    match typed {
        Typed::Wrong(left) => {
            let left = asker.words.number(left.unsigned_abs());
            asker.words.say_with("code-wrong", &[("left", &left)])
        }
        Typed::Over | Typed::Right(_) => asker.words.say("code-over"),
    }
}
