//! "Tra cứu phiếu": the public state of a receipt number: received, waiting, or answered, with the same answer for a number
//! that does not exist. It never reveals an outcome, a name or a field.

use crate::app::App;
use crate::http::{ErrorPage, Input, Layout, Mistake, RequestContext, html, mistakes};
use crate::security::password::with_minimum_delay;
use crate::sign_in::limits;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ngomon_store::{ReceiptState, Result};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    layout: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    state: Option<String>,
}

/// The submitted number.
#[derive(Default, Deserialize)]
pub struct ReceiptForm {
    #[serde(default)]
    receipt: String,
}

fn page(ctx: &RequestContext, typed: String, error: Option<String>, state: Option<String>) -> Response {
    let locale = ctx.locale;
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let fields = vec![Input {
        value: typed,
        hint: locale.text("receipt-hint"),
        error,
        maxlength: 30,
        ..Input::new("receipt", locale.text("receipt-number"))
    }];
    let mut layout = ctx.layout();
    layout.here = "/receipt".into();
    layout.wrong = status != StatusCode::OK;
    let errors = mistakes(&fields);
    html(
        status,
        &ReceiptPage {
            layout,
            errors,
            fields,
            state,
        },
    )
}

/// Shows the form.
pub async fn show(ctx: RequestContext) -> Response {
    page(&ctx, String::new(), None, None)
}

/// Shows the state, in the same time whatever it is.
pub async fn ask(
    State(app): State<App>,
    ctx: RequestContext,
    typed: std::result::Result<Form<ReceiptForm>, FormRejection>,
) -> Response {
    let locale = ctx.locale;
    let typed = typed.map(|Form(typed)| typed.receipt).unwrap_or_default();
    let typed = typed.trim().to_uppercase();
    if typed.is_empty() {
        return page(&ctx, typed, Some(locale.text("receipt-empty")), None);
    }
    let not_before = with_minimum_delay();
    let answer = async {
        let limits = limits::looked_up(&ctx);
        if app.store.take(&limits).await?.is_none() {
            return Ok(page(&ctx, typed, Some(locale.text("sign-in-too-often")), None));
        }
        let state = match app.store.receipt_state(&typed).await? {
            ReceiptState::Received => "receipt-received",
            ReceiptState::Waiting => "receipt-waiting",
            ReceiptState::Answered => "receipt-answered",
        };
        Ok(page(&ctx, typed, None, Some(locale.text(state))))
    };
    let answer: Result<Response> = answer.await;
    not_before.await;
    answer.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}
