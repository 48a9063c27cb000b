//! What every page is made of, and the pages of what goes wrong.

use super::asker::Asker;
use crate::output::{Words, happening};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use ngomon_store::{Happened, StoreError};

/// The frame of a page.
#[expect(clippy::struct_excessive_bools, reason = "each shows its own part of the frame")]
pub struct Shell {
    /// In which language.
    pub words: Words,
    /// Its path, for the other language.
    pub here: String,
    /// What follows an address within a sign-in, so that it leads on: `?to=…`, or nothing.
    pub going: String,
    /// Shows the way out.
    pub signed_in: bool,
    /// Shows the way to the counter.
    pub desk: bool,
    /// The title begins with a word for it.
    pub wrong: bool,
    /// Everybody here is made up, and each page says so.
    pub sandbox: bool,
}

/// One field of a form.
pub struct Input {
    /// In the form, and in the page.
    pub name: &'static str,
    /// What stands above it.
    pub label: String,
    /// What helps to fill it in.
    pub hint: String,
    /// What was typed.
    pub value: String,
    /// What is to be mended.
    pub error: Option<String>,
    /// `text`, `password`.
    pub kind: &'static str,
    /// WHATWG autofill.
    pub autocomplete: &'static str,
    /// The keyboard of a phone.
    pub inputmode: &'static str,
    /// The longest text, in characters.
    pub maxlength: u16,
}

impl Input {
    /// A field of text that nobody has filled in.
    pub fn new(name: &'static str, label: String) -> Self {
        Self {
            name,
            label,
            hint: String::new(),
            value: String::new(),
            error: None,
            kind: "text",
            autocomplete: "off",
            inputmode: "text",
            maxlength: 200,
        }
    }

    /// The ids of what a screen reader adds.
    pub fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        let error = self.error.as_ref().map(|_| format!("{}-error", self.name));
        hint.into_iter().chain(error).collect::<Vec<_>>().join(" ")
    }
}

/// A line of the summary on top.
pub struct Mistake {
    /// Where it is.
    pub field: &'static str,
    /// What to do.
    pub text: String,
}

/// The mistakes of these fields.
pub fn mistakes(fields: &[Input]) -> Vec<Mistake> {
    let wrong = fields
        .iter()
        .filter_map(|field| Some((field.name, field.error.clone()?)));
    wrong.map(|(field, text)| Mistake { field, text }).collect()
}

/// A line of a history.
pub struct Line {
    /// When.
    pub at: String,
    /// What.
    pub what: String,
}

/// A history, the newest first.
pub fn history(entries: &[Happened], words: Words) -> Vec<Line> {
    let lines = entries.iter().rev().map(|entry| Line {
        at: words.instant(entry.at),
        what: happening(&entry.change, words),
    });
    lines.collect()
}

/// A message, and perhaps a receipt.
#[derive(Template)]
#[template(path = "answer.html")]
pub struct Answer {
    /// The frame.
    pub shell: Shell,
    /// What happened.
    pub title: String,
    /// What to do now.
    pub text: String,
    /// To ask with later.
    pub receipt: Option<String>,
    /// For the helpdesk.
    pub code: String,
}

/// Leads the browser on. A page does it, not an answer with an address: browsers hold back where a form sent to us would lead elsewhere.
#[derive(Template)]
#[template(path = "go_on.html")]
struct GoOn {
    shell: Shell,
    to: String,
}

/// On to `to`, which is ours or was checked.
pub fn go_on(shell: Shell, to: String) -> Response {
    html(StatusCode::OK, &GoOn { shell, to })
}

/// A page, or the fault that kept it from being one.
pub fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            eprintln!("ngomon: a page: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The store could not: nothing was changed. People read that much; the operator reads why.
pub struct Fault(pub Words, pub StoreError);

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let Self(words, error) = self;
        eprintln!("ngomon: {error}");
        let page = Answer {
            shell: Shell {
                words,
                here: "/".into(),
                going: String::new(),
                signed_in: false,
                desk: false,
                wrong: true,
                sandbox: false,
            },
            title: words.say("fault-title"),
            text: words.say("fault-text"),
            receipt: None,
            code: "S-500".into(),
        };
        html(StatusCode::SERVICE_UNAVAILABLE, &page)
    }
}

/// A page that says one thing.
pub fn message(asker: &Asker, status: StatusCode, title: String, text: String, code: &str) -> Response {
    let mut shell = asker.shell();
    shell.wrong = !status.is_success();
    let page = Answer {
        shell,
        title,
        text,
        receipt: None,
        code: code.to_owned(),
    };
    html(status, &page)
}

/// No such page.
pub async fn not_found(asker: Asker) -> Response {
    let (title, text) = (asker.words.say("missing-title"), asker.words.say("missing-text"));
    message(&asker, StatusCode::NOT_FOUND, title, text, "S-404")
}
