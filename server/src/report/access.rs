//! Who may see the report, and of which unit.

use crate::app::App;
use crate::http::{ErrorPage, RequestContext, not_found};
use crate::report::snapshot::Snapshot;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::records::AccountKind;
use ngomon_rules::unit::UnitCode;
use std::sync::Arc;

/// Whether the visitor may see the report: a full session of an account that is not a citizen's.
pub fn authorize_viewer(ctx: &RequestContext) -> bool {
    let session = ctx.session.as_ref();
    session.is_some_and(|session| !session.held && session.kind != AccountKind::Citizen)
}

/// The current figures and the requested unit; or the answer if the visitor may not see them or the unit does not exist.
pub async fn requested_unit(
    app: &App,
    ctx: RequestContext,
    unit: &str,
) -> Result<(RequestContext, Arc<Snapshot>, UnitCode), Response> {
    if !authorize_viewer(&ctx) {
        return Err(Redirect::to("/").into_response());
    }
    let current = app.report_cache.current().await;
    let current = current.map_err(|error| ErrorPage(ctx.locale, error).into_response())?;
    let figures = &current.figures;
    let asked = UnitCode(unit.to_owned());
    // A unit that has ended is shown as its successor.
    let unit = figures.tree.follow(&asked, figures.day).clone();
    if unit.as_str().is_empty() || figures.of(unit.as_str()).is_none() {
        return Err(not_found(ctx).await);
    }
    Ok((ctx, current, unit))
}
