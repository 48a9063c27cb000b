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

mod answer;
mod differing_fields;
mod exempt;
mod page;
mod phone_code;
mod submit;
pub mod typed_form;

use crate::app::App;
use crate::http::{ErrorPage, RequestContext};
use crate::pages::standardise::page::{FilledForm, deadline, page};
use crate::pages::standardise::typed_form::StandardiseForm;
use crate::pages::ways::{ByForm, WayOutOwner};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ngomon_rules::citizens::Gate;
use ngomon_store::AccountExplanation;

/// The form, its code, and the page that names the differing fields.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/form", get(show).post(submit::send))
        .route("/form/put-off", post(put_off))
        .route("/form/exempt", get(exempt::show).post(exempt::send))
        .route("/form/code", get(phone_code::show).post(phone_code::check))
        .route("/form/code/again", post(phone_code::again))
        .route("/form/fields", get(differing_fields::show).post(differing_fields::ask))
        .route("/form/fields/code", post(differing_fields::check))
}

/// Whether the gate asks the owner for the form.
pub fn asked(explanation: &AccountExplanation) -> bool {
    explanation.gate.is_some_and(Gate::asks)
}

/// Shows the form, filled with the draft that has no answer yet.
async fn show(State(app): State<App>, WayOutOwner { ctx, session, .. }: WayOutOwner<ByForm>) -> Response {
    let page = async {
        let explanation = app
            .store
            .account_explanation(session.account.as_str(), app.store.today())
            .await?;
        if let Some(page) = answer::waiting(&ctx, &explanation) {
            return Ok(page);
        }
        let draft = app.store.draft(&session.account).await?;
        let filled = FilledForm {
            typed: draft.map(StandardiseForm::from).unwrap_or_default(),
            error: answer::used_up(&app, &ctx, &session).await?,
            deadline: deadline(&explanation, ctx.locale),
            ..FilledForm::default()
        };
        page(&app, &ctx, &session, filled).await
    };
    let page: ngomon_store::Result<Response> = page.await;
    page.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

/// "Để sau": defers the form until the next sign-in.
async fn put_off(State(app): State<App>, ctx: RequestContext) -> Response {
    if let Some(token) = ctx
        .token
        .as_ref()
        .filter(|_| ctx.session.as_ref().is_some_and(|session| !session.held))
        && let Err(error) = app.store.put_off(token).await
    {
        return ErrorPage(ctx.locale, error).into_response();
    }
    Redirect::to("/").into_response()
}
