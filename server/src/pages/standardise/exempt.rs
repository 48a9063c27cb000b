//! C1: a child, a foreigner or a card in the making: the owner declares an exemption with an end day, and is not asked for the
//! form until then.

use crate::app::App;
use crate::http::{ErrorPage, Input, Layout, Mistake, RequestContext, html, mistakes};
use crate::pages::standardise::typed_form;
use crate::pages::ways::{ByExemption, WayOutOwner};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::citizens::Exemption;
use ngomon_rules::values::{DateFault, parse_day};
use ngomon_store::{ExemptionRequester, Refusal, Result, StoreError};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "exempt.html")]
struct ExemptionPage {
    layout: Layout,
    errors: Vec<Mistake>,
    /// Value, text, whether it is selected.
    reasons: Vec<(&'static str, String, bool)>,
    why_error: Option<String>,
    fields: Vec<Input>,
}

/// The submitted form.
#[derive(Default, Deserialize)]
pub(crate) struct ExemptionForm {
    #[serde(default)]
    why: String,
    #[serde(default)]
    last_day: String,
}

fn page(ctx: &RequestContext, typed: &ExemptionForm, why_error: Option<String>, day_error: Option<String>) -> Response {
    let locale = ctx.locale;
    let reasons = Exemption::ALL.map(|why| {
        let name = why.name();
        (name, locale.text(&format!("exemption-{name}")), typed.why == name)
    });
    let fields = vec![Input {
        value: typed.last_day.clone(),
        hint: locale.text("exempt-hint-last-day"),
        error: day_error,
        ..Input::new("last_day", locale.text("exempt-last-day"))
    }];
    let of_why = why_error.clone().map(|text| Mistake {
        field: "why-child",
        text,
    });
    let errors: Vec<Mistake> = of_why.into_iter().chain(mistakes(&fields)).collect();
    let mut layout = ctx.layout();
    layout.here = "/form/exempt".into();
    layout.wrong = !errors.is_empty();
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    html(
        status,
        &ExemptionPage {
            layout,
            errors,
            reasons: reasons.into(),
            why_error,
            fields,
        },
    )
}

/// Shows the form: a reason and a last day.
pub(crate) async fn show(WayOutOwner { ctx, .. }: WayOutOwner<ByExemption>) -> Response {
    page(&ctx, &ExemptionForm::default(), None, None)
}

/// Records the exemption.
pub(crate) async fn send(
    State(app): State<App>,
    through: WayOutOwner<ByExemption>,
    typed: std::result::Result<Form<ExemptionForm>, FormRejection>,
) -> Response {
    let (ctx, locale) = (&through.ctx, through.ctx.locale);
    let typed = typed.map(|Form(typed)| typed).unwrap_or_default();
    let today = app.store.today();
    let why = Exemption::parse(&typed.why);
    let day = parse_day(&typed_form::typed_day(&typed.last_day));
    let is_far = day == Err(DateFault::ImpossibleYear);
    let day = day.ok();
    let why_error = why.is_none().then(|| locale.text("exempt-no-why"));
    let day_error = match (why, day) {
        (Some(why), None) if is_far => {
            Some(locale.text_with("exempt-bad-day", &[("day", &locale.day(why.latest(today)))]))
        }
        (_, None) => Some(locale.text("exempt-no-day")),
        (Some(why), Some(day)) if !why.may_end_on(day, today) => {
            Some(locale.text_with("exempt-bad-day", &[("day", &locale.day(why.latest(today)))]))
        }
        _ => None,
    };
    let (Some(why), Some(day), None) = (why, day, &day_error) else {
        return page(ctx, &typed, why_error, day_error);
    };
    let answer = async {
        if let Some(page) = through.once_more(&app, "exempt").await? {
            return Ok(page);
        }
        match app
            .store
            .exempt(ExemptionRequester::Owner(&through.session), why, day)
            .await
        {
            Err(StoreError::Refused(Refusal::HasClaim(_))) => {}
            done => done?,
        }
        Ok(Redirect::to("/").into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}
