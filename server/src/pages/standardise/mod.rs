//! The gate and the form of four fields (letter 125, C1 to C3).
//!
//! ```text
//!   form ── right in form ──▶ code to the typed phone ── right ──▶ the registry is asked
//!     │                                                  (policy `form-code`; off: at once)
//!     │                                                    ├─ matches ──▶ answered: receipt
//!     │                                                    └─ differs ──▶ form, with the tries left ── code to the registry's phone ──▶ fields named
//!     ├──── malformed ──▶ form, with what to mend
//!     ├──── exempt, said by oneself ──▶ asked again after the end day
//!     └──── put off ──▶ asked again at the next sign-in
//! ```

mod phone_code;
mod exempt;
mod differing_fields;
mod submit;

pub use submit::{another, malformed};

use crate::app::App;
use crate::http::{ErrorPage, Input, Layout, Mistake, html, mistakes};
use crate::http::{RequestContext, system_of};
use crate::pages::ways::{ByForm, WayOutOwner};
use crate::i18n::Locale;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ngomon_rules::citizens::{Field, Gate};
use ngomon_rules::records::Form;
use ngomon_rules::values::{Date, NationalId};
use ngomon_store::{AccountExplanation, Session};
use serde::Deserialize;

/// The version of the privacy notice next to the form. Each form records the version it was sent with.
const NOTICE: u32 = 1;

/// The form, its code, and the page that names the differing fields.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/form", get(show).post(crate::pages::standardise::submit::send))
        .route("/form/put-off", post(put_off))
        .route("/form/exempt", get(crate::pages::standardise::exempt::show).post(crate::pages::standardise::exempt::send))
        .route("/form/code", get(crate::pages::standardise::phone_code::show).post(crate::pages::standardise::phone_code::check))
        .route("/form/code/again", post(crate::pages::standardise::phone_code::again))
        .route("/form/fields", get(crate::pages::standardise::differing_fields::show).post(crate::pages::standardise::differing_fields::ask))
        .route("/form/fields/code", post(crate::pages::standardise::differing_fields::check))
}

#[derive(Template)]
#[template(path = "form.html")]
struct StandardisePage {
    shell: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    /// The name on the account and the name that was typed, if they differ.
    whose: Option<(String, String)>,
    deadline: Option<String>,
    /// The connected system to which the owner returns afterwards.
    system: Option<String>,
    can_put_off: bool,
    /// Whether the page offers to name the differing fields, after a code.
    can_ask_fields: bool,
}

/// The four fields as typed. A missing field is empty.
#[derive(Clone, Default, Deserialize)]
pub struct StandardiseForm {
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
    /// `yes` if the owner confirms that the account is theirs, although it carries another name.
    #[serde(default)]
    pub mine: String,
}

impl StandardiseForm {
    /// The form as the store takes it.
    pub fn form(&self) -> Form {
        Form {
            full_name: self.full_name.clone(),
            national_id: self.national_id.clone(),
            issued_on: typed_day(&self.issued_on),
            phone: self.phone.clone(),
        }
    }

    /// Whether the number has lost digits. Spreadsheets drop leading zeros, and for files they are restored; a person at a
    /// keyboard may drop any digit, so on a page a short number is invalid.
    pub fn is_short(&self) -> bool {
        let digits = self.national_id.chars().filter(|c| c.is_numeric()).count();
        digits < 12 && NationalId::parse(&self.national_id, None, None).is_ok()
    }

    /// The four fields of the page, with their errors.
    pub fn inputs(&self, errors: &[(Field, String)], words: Locale) -> Vec<Input> {
        let of = |field: Field, value: &str, autocomplete, inputmode| {
            let name = field.name();
            let key = name.replace('_', "-");
            let error = errors.iter().find(|(of, _)| *of == field);
            Input {
                value: value.to_owned(),
                hint: words.text(&format!("form-hint-{key}")),
                error: error.map(|(_, text)| text.clone()),
                autocomplete,
                inputmode,
                ..Input::new(name, words.text(&format!("form-{key}")))
            }
        };
        vec![
            of(Field::FullName, &self.full_name, "name", "text"),
            of(Field::NationalId, &self.national_id, "off", "numeric"),
            of(Field::IssuedOn, &self.issued_on, "off", "numeric"),
            of(Field::Phone, &self.phone, "tel", "tel"),
        ]
    }
}

/// Normalises a day as people type it on a phone, `15082021` or `15 8 2021`, to the usual separators.
pub fn typed_day(typed: &str) -> String {
    let text = typed.trim();
    let bare = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    if let (true, Some((day, rest))) = (bare, text.split_at_checked(2)) {
        let (month, year) = rest.split_at(2);
        return format!("{day}/{month}/{year}");
    }
    let parts: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || "/-.,".contains(c))
        .filter(|part| !part.is_empty())
        .collect();
    match parts[..] {
        [day, month, year] if day.len() <= 2 => format!("{day}/{month}/{year}"),
        _ => text.to_owned(),
    }
}

impl From<Form> for StandardiseForm {
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

/// Whether the gate asks the owner for the form.
pub fn asked(story: &AccountExplanation) -> bool {
    story.gate.is_some_and(Gate::asks)
}

/// The contents of the form's page.
#[derive(Default)]
struct FilledForm {
    typed: StandardiseForm,
    /// An error that belongs to no single field, with its helpdesk code.
    error: Option<(&'static str, String)>,
    errors: Vec<(Field, String)>,
    whose: Option<(String, String)>,
    deadline: Option<String>,
    can_ask_fields: bool,
}

/// Renders the form. With errors, it is the answer to a form that was not accepted.
async fn page(app: &App, ctx: &RequestContext, visit: &Session, filled: FilledForm) -> ngomon_store::Result<Response> {
    let status = match filled.error {
        None if filled.errors.is_empty() => StatusCode::OK,
        Some(("S-429", _)) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let fields = filled.typed.inputs(&filled.errors, ctx.words);
    let (code, whole) = filled.error.unzip();
    let whole = whole.map(|text| Mistake {
        field: Field::FullName.name(),
        text,
    });
    let wrong = mistakes(&fields);
    let of_field = wrong.first().map(|first| match first.field {
        "issued_on" => "C2-M2",
        _ => "C2-M1",
    });
    let mut shell = ctx.shell();
    shell.here = "/form".into();
    if let Some(code) = code.or(of_field) {
        shell = shell.failing(code);
    }
    let next = match &ctx.token {
        Some(token) => app.store.next(token).await?,
        None => None,
    };
    let system = match next {
        Some(next) => system_of(app, &next).await?,
        None => None,
    };
    let is_required = app.store.gate(&visit.account).await? == Some(Gate::Required);
    Ok(html(
        status,
        &StandardisePage {
            errors: whole.into_iter().chain(wrong).collect(),
            fields,
            whose: filled.whose,
            deadline: filled.deadline,
            system,
            can_put_off: !visit.held && !is_required,
            can_ask_fields: filled.can_ask_fields,
            shell,
        },
    ))
}

/// The deadline, or, after it has passed, its consequence.
fn deadline(story: &AccountExplanation, words: Locale) -> Option<String> {
    let last: Date = story.fact("deadline")?.parse().ok()?;
    let key = match story.gate {
        _ if story.day <= last => "form-deadline",
        Some(Gate::Required) => "form-deadline-over",
        _ => "form-deadline-past",
    };
    Some(words.text_with(key, &[("day", &words.day(last))]))
}

/// Shows the form, filled with the draft that has no answer yet.
async fn show(State(app): State<App>, WayOutOwner { ctx, visit, .. }: WayOutOwner<ByForm>) -> Response {
    let page = async {
        let story = app
            .store
            .account_explanation(visit.account.as_str(), app.store.today())
            .await?;
        if let Some(page) = crate::pages::standardise::answer::waiting(&ctx, &story) {
            return Ok(page);
        }
        let draft = app.store.draft(&visit.account).await?;
        let filled = FilledForm {
            typed: draft.map(StandardiseForm::from).unwrap_or_default(),
            error: crate::pages::standardise::answer::used_up(&app, &ctx, &visit).await?,
            deadline: deadline(&story, ctx.words),
            ..FilledForm::default()
        };
        page(&app, &ctx, &visit, filled).await
    };
    let page: ngomon_store::Result<Response> = page.await;
    page.unwrap_or_else(|e| ErrorPage(ctx.words, e).into_response())
}

/// "Để sau": defers the form until the next sign-in.
async fn put_off(State(app): State<App>, ctx: RequestContext) -> Response {
    if let Some(token) = ctx
        .token
        .as_ref()
        .filter(|_| ctx.visit.as_ref().is_some_and(|visit| !visit.held))
        && let Err(error) = app.store.put_off(token).await
    {
        return ErrorPage(ctx.words, error).into_response();
    }
    Redirect::to("/").into_response()
}
