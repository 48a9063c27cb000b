//! The page of the form.

use crate::app::App;
use crate::http::{Input, Layout, Mistake, RequestContext, html, mistakes, system_of};
use crate::i18n::Locale;
use crate::pages::standardise::typed_form::StandardiseForm;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use ngomon_rules::citizens::{Field, Gate};
use ngomon_rules::values::Date;
use ngomon_store::{AccountExplanation, Session};

#[derive(Template)]
#[template(path = "form.html")]
struct StandardisePage {
    layout: Layout,
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

/// The contents of the form's page.
#[derive(Default)]
pub struct FilledForm {
    pub typed: StandardiseForm,
    /// An error that belongs to no single field, with its helpdesk code.
    pub error: Option<(&'static str, String)>,
    pub errors: Vec<(Field, String)>,
    pub whose: Option<(String, String)>,
    pub deadline: Option<String>,
    pub can_ask_fields: bool,
}

/// Renders the form. With errors, it is the answer to a form that was not accepted.
pub async fn page(
    app: &App,
    ctx: &RequestContext,
    session: &Session,
    filled: FilledForm,
) -> ngomon_store::Result<Response> {
    let status = match filled.error {
        None if filled.errors.is_empty() => StatusCode::OK,
        Some(("S-429", _)) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let fields = filled.typed.inputs(&filled.errors, ctx.locale);
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
    let mut layout = ctx.layout();
    layout.here = "/form".into();
    if let Some(code) = code.or(of_field) {
        layout = layout.failing(code);
    }
    let next = match &ctx.token {
        Some(token) => app.store.next(token).await?,
        None => None,
    };
    let system = match next {
        Some(next) => system_of(app, &next).await?,
        None => None,
    };
    let is_required = app.store.gate(&session.account).await? == Some(Gate::Required);
    Ok(html(
        status,
        &StandardisePage {
            errors: whole.into_iter().chain(wrong).collect(),
            fields,
            whose: filled.whose,
            deadline: filled.deadline,
            system,
            can_put_off: !session.held && !is_required,
            can_ask_fields: filled.can_ask_fields,
            layout,
        },
    ))
}

/// The deadline, or, after it has passed, its consequence.
pub fn deadline(explanation: &AccountExplanation, locale: Locale) -> Option<String> {
    let last: Date = explanation.fact("deadline")?.parse().ok()?;
    let key = match explanation.gate {
        _ if explanation.day <= last => "form-deadline",
        Some(Gate::Required) => "form-deadline-over",
        _ => "form-deadline-past",
    };
    Some(locale.text_with(key, &[("day", &locale.day(last))]))
}
