//! What every page is made of, and the pages of what goes wrong.

use super::asker::Asker;
use crate::output::{Words, happening};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use ngomon_rules::event::Change;
use ngomon_store::{Explained, Refusal, StoreError, has_changed};

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
    /// Reminders and locks rest, and each page says so.
    pub frozen: bool,
    /// What a helpdesk asks for where something went wrong; empty: nothing did.
    pub code: String,
}

impl Shell {
    /// Of a page that knows nobody.
    pub fn bare(words: Words) -> Self {
        Self {
            words,
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

    /// What the page says at its end: its own code, or that something is to be mended.
    pub fn shown_code(&self) -> &str {
        if self.code.is_empty() && self.wrong {
            "S-422"
        } else {
            &self.code
        }
    }

    /// The same, saying that something is to be looked at, with a code for the helpdesk.
    #[must_use]
    pub fn failing(self, code: &str) -> Self {
        Self {
            wrong: true,
            code: code.to_owned(),
            ..self
        }
    }
}

/// One field of a form.
#[derive(Clone)]
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
    /// A password: in which language the button is that shows it.
    pub reveal: Option<Words>,
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
            reveal: None,
        }
    }

    /// A field for a password, which a button shows to whoever types it.
    pub fn password(name: &'static str, label: String, words: Words) -> Self {
        Self {
            kind: "password",
            autocomplete: "current-password",
            reveal: Some(words),
            ..Self::new(name, label)
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

/// A page of a history, the newest first.
pub struct History {
    /// What happened.
    pub lines: Vec<Line>,
    /// The pages beside it.
    pub turn: Turn,
}

/// Where the pages beside one of a history are.
pub struct Turn {
    /// What happened before.
    pub earlier: Option<String>,
    /// What happened last, where this is not it.
    pub newest: Option<String>,
}

impl Turn {
    /// Of the page `here` that was asked for with that place.
    pub fn of(story: &Explained, before: &str, here: &str) -> Self {
        let earlier = story.earlier.as_ref();
        Self {
            earlier: earlier.map(|place| format!("{here}?before={place}#history")),
            newest: (!before.is_empty()).then(|| format!("{here}#history")),
        }
    }
}

/// The page of a history that was asked for with that place, on the page `here`.
pub fn history(story: &Explained, before: &str, here: &str, words: Words) -> History {
    // How the password is kept is nothing that happened to its owner.
    let told = story.history.iter().rev();
    let told = told.filter(|entry| entry.change != Change::PasswordRehashed);
    let lines = told.map(|entry| Line {
        at: words.instant(entry.at),
        what: happening(&entry.change, words),
    });
    History {
        lines: lines.collect(),
        turn: Turn::of(story, before, here),
    }
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
    /// When.
    pub at: Option<String>,
    /// Tells how to get VNeID, the next step.
    pub vneid: bool,
    /// To ask with later.
    pub receipt: Option<String>,
    /// What the way on is called.
    pub on: &'static str,
}

impl Answer {
    /// That, and nothing else.
    pub fn new(shell: Shell, title: String, text: String) -> Self {
        Self {
            shell,
            title,
            text,
            at: None,
            vneid: false,
            receipt: None,
            on: "answer-on",
        }
    }
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
            tracing::error!("a page: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The store could not. People read whether anything was changed; the operator reads why.
pub struct Fault(pub Words, pub StoreError);

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let Self(words, error) = self;
        let in_doubt = matches!(error, StoreError::InDoubt(_));
        let (status, name, code) = match error {
            StoreError::Refused(Refusal::Nul) => (StatusCode::BAD_REQUEST, "nul", "S-400"),
            _ => {
                tracing::error!("{error}");
                (StatusCode::SERVICE_UNAVAILABLE, "fault", "S-500")
            }
        };
        let text = match name {
            "fault" if in_doubt => "fault-unknown-text".to_owned(),
            "fault" if has_changed() => "fault-text-changed".to_owned(),
            _ => format!("{name}-text"),
        };
        let shell = Shell::bare(words).failing(code);
        let title = words.say(&format!("{name}-title"));
        html(status, &Answer::new(shell, title, words.say(&text)))
    }
}

/// A page that says one thing.
pub fn message(asker: &Asker, status: StatusCode, title: String, text: String, code: &str) -> Response {
    let shell = match code {
        "" => asker.shell(),
        _ => asker.shell().failing(code),
    };
    html(status, &Answer::new(shell, title, text))
}

/// No such page.
pub async fn not_found(asker: Asker) -> Response {
    let (title, text) = (asker.words.say("missing-title"), asker.words.say("missing-text"));
    nothing_here(&asker, title, text)
}

/// There is nothing at that address: its reader has nothing to mend, and goes to the first page.
pub fn nothing_here(asker: &Asker, title: String, text: String) -> Response {
    let mut shell = asker.shell();
    shell.code = "S-404".into();
    let page = Answer {
        on: "page-first",
        ..Answer::new(shell, title, text)
    };
    html(StatusCode::NOT_FOUND, &page)
}

#[cfg(test)]
mod tests {
    use super::Fault;
    use crate::web::tests::{Site, fixtures, vietnamese};
    use axum::body::to_bytes;
    use axum::response::IntoResponse;
    use ngomon_store::{StoreError, watched};

    /// A POST that changes something, or not, and then fails.
    async fn failing(site: &Site, name: Option<&str>) -> String {
        let (page, _) = watched(async {
            if let Some(name) = name {
                site.store.add_operator(name, "test").await.unwrap();
            }
            Fault(vietnamese(), StoreError::Busy).into_response()
        })
        .await;
        assert_eq!(page.status(), 503);
        String::from_utf8(to_bytes(page.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_was_changed_is_said_only_where_it_is_so() {
        let site = Site::of([("units", fixtures("demo").join("units.csv"))]).await;
        let (before, after) = (failing(&site, None).await, failing(&site, Some("lan")).await);
        let [nothing, perhaps] = ["fault-text", "fault-text-changed"].map(|key| vietnamese().say(key));
        assert!(before.contains(&nothing) && !before.contains(&perhaps));
        assert!(after.contains(&perhaps) && !after.contains(&nothing));
    }

    #[tokio::test]
    async fn what_nobody_knows_is_said_to_be_so() {
        let page = Fault(vietnamese(), StoreError::InDoubt("lost".into())).into_response();
        let text = to_bytes(page.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        let [nothing, unknown] = ["fault-text", "fault-unknown-text"].map(|key| vietnamese().say(key));
        assert!(text.contains(&unknown) && !text.contains(&nothing));
    }
}
