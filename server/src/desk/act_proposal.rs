//! Proposing an act that a second operator must approve.

use crate::app::App;
use crate::desk::operator::Operator;
use crate::http::path_encode;
use crate::i18n::Locale;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::event::ProposedAct;
use ngomon_store::Result;

/// The address of a proposal.
pub fn place(receipt: &str) -> String {
    format!("/desk/acts/{}", path_encode(receipt))
}

/// Proposes the act, as the first operator.
pub async fn propose(app: &App, operator: &Operator, act: ProposedAct, why: &str) -> Result<Response> {
    let receipt = app.store.propose_act(&operator.permit, act, why).await?;
    Ok(Redirect::to(&format!("{}?done=proposed", place(&receipt))).into_response())
}

/// The name of the act, in one line.
pub fn title(act: &ProposedAct, locale: Locale) -> String {
    locale.text(&format!("desk-act-{}", act.name()))
}
