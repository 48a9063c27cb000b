//! The gate and the form of four fields (letter 125, C1 to C3).
//!
//! ```text
//!   form ── all but right ──▶ code to the typed phone ── right ──▶ answered: receipt
//!     │                                                  (policy `form-code`; off: answered at once)
//!     ├──── differs ──▶ form, with the tries left ── code to the registry's phone ──▶ form, with the fields named
//!     ├──── malformed ──▶ form, with what to mend
//!     ├──── exempt, said by oneself ──▶ asked again after the end day
//!     └──── put off ──▶ asked again at the next sign-in
//! ```

mod code;
mod exempt;
mod fields;
mod send;

pub use send::{another, malformed};

use super::App;
use super::asker::Asker;
use super::page::{Fault, Input, Mistake, Shell, html, mistakes};
use crate::output::Words;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ngomon_rules::citizens::{Field, Gate};
use ngomon_rules::record::{AccountKind, Form};
use ngomon_rules::values::Date;
use ngomon_store::{Explained, Visit};
use serde::Deserialize;

/// The version of the privacy notice that stands beside the form; each form says which it was sent with.
const NOTICE: u32 = 1;

/// The form, its last step, and what is told of a form that differs.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/form", get(show).post(send::send))
        .route("/form/put-off", post(put_off))
        .route("/form/exempt", get(exempt::show).post(exempt::send))
        .route("/form/code", get(code::show).post(code::check))
        .route("/form/code/again", post(code::again))
        .route("/form/fields", get(fields::show).post(fields::ask))
        .route("/form/fields/code", post(fields::check))
}

#[derive(Template)]
#[template(path = "form.html")]
struct Page {
    shell: Shell,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    /// The name that the account carries, and the one that was typed.
    whose: Option<(String, String)>,
    deadline: Option<String>,
    can_put_off: bool,
    /// Offers to tell, after a code, which fields differ.
    can_ask_fields: bool,
}

/// The four fields as typed. A field that is not sent is empty.
#[derive(Clone, Default, Deserialize)]
pub struct Typed {
    /// Họ và tên.
    #[serde(default)]
    pub full_name: String,
    /// Số căn cước công dân.
    #[serde(default)]
    pub national_id: String,
    /// Ngày cấp.
    #[serde(default)]
    pub issued_on: String,
    /// Số điện thoại.
    #[serde(default)]
    pub phone: String,
    /// `yes`: the account is theirs, although it carries another name.
    #[serde(default)]
    pub mine: String,
}

impl Typed {
    /// For the store.
    pub fn form(&self) -> Form {
        Form {
            full_name: self.full_name.clone(),
            national_id: self.national_id.clone(),
            issued_on: self.issued_on.clone(),
            phone: self.phone.clone(),
        }
    }

    /// The four fields as they stand on a page, with what is to be mended.
    pub fn inputs(&self, errors: &[(Field, String)], words: Words) -> Vec<Input> {
        let of = |field: Field, value: &str, autocomplete, inputmode| {
            let name = field.name();
            let key = name.replace('_', "-");
            let error = errors.iter().find(|(of, _)| *of == field);
            Input {
                value: value.to_owned(),
                hint: words.say(&format!("form-hint-{key}")),
                error: error.map(|(_, text)| text.clone()),
                autocomplete,
                inputmode,
                ..Input::new(name, words.say(&format!("form-{key}")))
            }
        };
        vec![
            of(Field::FullName, &self.full_name, "name", "text"),
            of(Field::NationalId, &self.national_id, "off", "numeric"),
            of(Field::IssuedOn, &self.issued_on, "off", "text"),
            of(Field::Phone, &self.phone, "tel", "tel"),
        ]
    }
}

impl From<Form> for Typed {
    fn from(form: Form) -> Self {
        Self {
            full_name: form.full_name,
            national_id: form.national_id,
            issued_on: form.issued_on,
            phone: form.phone,
            mine: String::new(),
        }
    }
}

/// Is the owner asked for the form?
pub fn asked(story: &Explained) -> bool {
    story.gate.is_some_and(Gate::asks)
}

/// What a page of the form shows.
#[derive(Default)]
struct Filled {
    typed: Typed,
    /// What is to be mended in no field alone.
    error: Option<String>,
    errors: Vec<(Field, String)>,
    whose: Option<(String, String)>,
    deadline: Option<String>,
    can_ask_fields: bool,
}

/// The form. With something to mend it is the answer to a form that could not be taken.
async fn page(app: &App, asker: &Asker, visit: &Visit, filled: Filled) -> ngomon_store::Result<Response> {
    let status = if filled.errors.is_empty() && filled.error.is_none() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let fields = filled.typed.inputs(&filled.errors, asker.words);
    let whole = filled.error.map(|text| Mistake {
        field: Field::FullName.name(),
        text,
    });
    let mut shell = asker.shell();
    shell.here = "/form".into();
    shell.wrong = status != StatusCode::OK;
    let is_required = app.store.gate(&visit.account).await? == Some(Gate::Required);
    Ok(html(
        status,
        &Page {
            errors: whole.into_iter().chain(mistakes(&fields)).collect(),
            fields,
            whose: filled.whose,
            deadline: filled.deadline,
            can_put_off: !visit.held && !is_required,
            can_ask_fields: filled.can_ask_fields,
            shell,
        },
    ))
}

fn deadline(story: &Explained, words: Words) -> Option<String> {
    let last: Date = story.fact("deadline")?.parse().ok()?;
    Some(words.say_with("form-deadline", &[("day", &words.day(last))]))
}

/// The owner of a Hue-S account who signed in; whoever else asks is sent to the first page.
fn owner(asker: &Asker) -> Option<Visit> {
    asker.visit.clone().filter(|visit| visit.kind == AccountKind::Citizen)
}

/// The form, with what was typed and not answered yet.
async fn show(State(app): State<App>, asker: Asker) -> Response {
    let Some(visit) = owner(&asker) else {
        return Redirect::to("/").into_response();
    };
    let page = async {
        let story = app.store.story(visit.account.as_str(), app.store.today()).await?;
        let draft = app.store.draft(&visit.account).await?;
        let filled = Filled {
            typed: draft.map(Typed::from).unwrap_or_default(),
            deadline: deadline(&story, asker.words),
            ..Filled::default()
        };
        page(&app, &asker, &visit, filled).await
    };
    let page: ngomon_store::Result<Response> = page.await;
    page.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}

/// "Để sau".
async fn put_off(State(app): State<App>, asker: Asker) -> Response {
    if let Some(token) = asker.token.as_ref().filter(|_| asker.visit.is_some())
        && let Err(error) = app.store.put_off(token).await
    {
        return Fault(asker.words, error).into_response();
    }
    Redirect::to("/").into_response()
}
