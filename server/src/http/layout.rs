//! The parts of every page, and the error pages.

use crate::http::RequestContext;
use crate::i18n::{Locale, event_text};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use ngomon_rules::event::Change;
use ngomon_store::{AccountExplanation, Refusal, StoreError, has_changed};

/// The layout of a page.
#[expect(clippy::struct_excessive_bools, reason = "each shows its own part of the frame")]
pub struct Layout {
    /// The language.
    pub words: Locale,
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
    pub fn bare(words: Locale) -> Self {
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

/// One field of a form.
#[derive(Clone)]
pub struct Input {
    /// The name in the form and the id in the page.
    pub name: &'static str,
    /// The label above it.
    pub label: String,
    /// The hint on how to fill it in.
    pub hint: String,
    /// The typed value.
    pub value: String,
    /// The error to correct.
    pub error: Option<String>,
    /// `text` or `password`.
    pub kind: &'static str,
    /// The WHATWG autofill token.
    pub autocomplete: &'static str,
    /// The keyboard of a phone (`inputmode`).
    pub inputmode: &'static str,
    /// The longest text, in characters.
    pub maxlength: u16,
    /// For a password: the language of the button that reveals it.
    pub reveal: Option<Locale>,
}

impl Input {
    /// An empty text field.
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

    /// A password field, with a button that reveals the password.
    pub fn password(name: &'static str, label: String, words: Locale) -> Self {
        Self {
            kind: "password",
            autocomplete: "current-password",
            reveal: Some(words),
            ..Self::new(name, label)
        }
    }

    /// The ids for `aria-describedby`: hint and error.
    pub fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        let error = self.error.as_ref().map(|_| format!("{}-error", self.name));
        hint.into_iter().chain(error).collect::<Vec<_>>().join(" ")
    }
}

/// A row of the error summary at the top.
pub struct Mistake {
    /// The name of the field.
    pub field: &'static str,
    /// What to correct.
    pub text: String,
}

/// The errors of these fields.
pub fn mistakes(fields: &[Input]) -> Vec<Mistake> {
    let wrong = fields
        .iter()
        .filter_map(|field| Some((field.name, field.error.clone()?)));
    wrong.map(|(field, text)| Mistake { field, text }).collect()
}

/// A row of a history.
pub struct HistoryRow {
    /// The time.
    pub at: String,
    /// The event.
    pub what: String,
}

/// A page of a history, the newest event first.
pub struct History {
    /// The events.
    pub lines: Vec<HistoryRow>,
    /// Links to the adjacent pages.
    pub turn: HistoryLinks,
}

/// Links to the adjacent pages of a history.
pub struct HistoryLinks {
    /// The page of earlier events, if there are any.
    pub earlier: Option<String>,
    /// The first page, if this is not it.
    pub newest: Option<String>,
}

impl HistoryLinks {
    /// The links on the page `here`, which was requested with the cursor `before`.
    pub fn of(story: &AccountExplanation, before: &str, here: &str) -> Self {
        let earlier = story.earlier.as_ref();
        Self {
            earlier: earlier.map(|place| format!("{here}?before={place}#history")),
            newest: (!before.is_empty()).then(|| format!("{here}#history")),
        }
    }
}

/// The part of a history that was requested with the cursor `before`, on the page `here`.
pub fn history(story: &AccountExplanation, before: &str, here: &str, words: Locale) -> History {
    // A new hash scheme for the password is no event for its owner.
    let told = story.history.iter().rev();
    let told = told.filter(|entry| entry.change != Change::PasswordRehashed);
    let lines = told.map(|entry| HistoryRow {
        at: words.instant(entry.at),
        what: event_text(&entry.change, words),
    });
    History {
        lines: lines.collect(),
        turn: HistoryLinks::of(story, before, here),
    }
}

/// A page with one message, and perhaps a receipt.
#[derive(Template)]
#[template(path = "answer.html")]
pub struct MessagePage {
    /// The layout.
    pub shell: Layout,
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
    pub fn new(shell: Layout, title: String, text: String) -> Self {
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

/// Redirects the browser by a page instead of a `Location` header: browsers block a form's redirect to an address outside
/// `form-action`.
#[derive(Template)]
#[template(path = "go_on.html")]
struct RedirectPage {
    shell: Layout,
    to: String,
}

/// Redirects to `to`, which is an address of this server or was checked.
pub fn redirect_page(shell: Layout, to: String) -> Response {
    html(StatusCode::OK, &RedirectPage { shell, to })
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

/// The error page of a failed store. The visitor reads whether anything was changed; the log has the cause.
pub struct ErrorPage(pub Locale, pub StoreError);

impl IntoResponse for ErrorPage {
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
        let shell = Layout::bare(words).failing(code);
        let title = words.text(&format!("{name}-title"));
        html(status, &MessagePage::new(shell, title, words.text(&text)))
    }
}

/// A page with one message.
pub fn message(ctx: &RequestContext, status: StatusCode, title: String, text: String, code: &str) -> Response {
    let shell = match code {
        "" => ctx.shell(),
        _ => ctx.shell().failing(code),
    };
    html(status, &MessagePage::new(shell, title, text))
}

/// The page for an address that does not exist.
pub async fn not_found(ctx: RequestContext) -> Response {
    let (title, text) = (ctx.words.text("missing-title"), ctx.words.text("missing-text"));
    nothing_here(&ctx, title, text)
}

/// A "not found" page with this message. The visitor has nothing to correct, so it only links to the first page.
pub fn nothing_here(ctx: &RequestContext, title: String, text: String) -> Response {
    let mut shell = ctx.shell();
    shell.code = "S-404".into();
    let page = MessagePage {
        on: "page-first",
        ..MessagePage::new(shell, title, text)
    };
    html(StatusCode::NOT_FOUND, &page)
}

#[cfg(test)]
mod tests {
    use crate::http::ErrorPage;
    use crate::tests::{Site, fixtures, vietnamese};
    use axum::body::to_bytes;
    use axum::response::IntoResponse;
    use ngomon_store::{StoreError, watched};

    /// The page of a POST that changes something, or nothing, and then fails.
    async fn failing(site: &Site, name: Option<&str>) -> String {
        let (page, _) = watched(async {
            if let Some(name) = name {
                site.store.add_operator(name, "test").await.unwrap();
            }
            ErrorPage(vietnamese(), StoreError::Busy).into_response()
        })
        .await;
        assert_eq!(page.status(), 503);
        String::from_utf8(to_bytes(page.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_was_changed_is_said_only_where_it_is_so() {
        let site = Site::of([("units", fixtures("demo").join("units.csv"))]).await;
        let (before, after) = (failing(&site, None).await, failing(&site, Some("lan")).await);
        let [nothing, perhaps] = ["fault-text", "fault-text-changed"].map(|key| vietnamese().text(key));
        assert!(before.contains(&nothing) && !before.contains(&perhaps));
        assert!(after.contains(&perhaps) && !after.contains(&nothing));
    }

    #[tokio::test]
    async fn what_nobody_knows_is_said_to_be_so() {
        let page = ErrorPage(vietnamese(), StoreError::InDoubt("lost".into())).into_response();
        let text = to_bytes(page.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        let [nothing, unknown] = ["fault-text", "fault-unknown-text"].map(|key| vietnamese().text(key));
        assert!(text.contains(&unknown) && !text.contains(&nothing));
    }
}
