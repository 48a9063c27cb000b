//! "Báo cáo số" (letter 125, C7): progress by unit down to the village, live, for everybody who signs in at an office. It shows
//! no names.

pub(crate) mod tests;
mod alerts;
mod cache;
mod download;
mod notice;
mod pace;
mod page;
mod paper;
mod stream;
mod view;

pub use cache::ReportCache;
pub use download::{CSV, XLSX, attachment, failed, named};

use crate::app::App;
use crate::http::{ErrorPage, not_found};
use crate::http::RequestContext;
use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use crate::report::snapshot::Snapshot;
use ngomon_rules::records::AccountKind;
use ngomon_rules::unit::UnitCode;
use std::sync::Arc;

/// The report's pages, downloads and streams.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/report", get(crate::report::page::first))
        .route("/report/{unit}", get(crate::report::page::show))
        .route("/report/{unit}/notice", get(crate::report::notice::show))
        .route("/report/{unit}/{file}", get(crate::report::download::file))
        .route("/report/live/{unit}", get(crate::report::stream::stream))
}

/// Whether the visitor may see the report: a full session of an account that is not a citizen's.
pub fn authorize_viewer(ctx: &RequestContext) -> bool {
    let visit = ctx.visit.as_ref();
    visit.is_some_and(|visit| !visit.held && visit.kind != AccountKind::Citizen)
}

/// The current figures and the requested unit; or the answer if the visitor may not see them or the unit does not exist.
async fn requested_unit(
    app: &App,
    ctx: RequestContext,
    unit: &str,
) -> Result<(RequestContext, Arc<Snapshot>, UnitCode), Response> {
    if !authorize_viewer(&ctx) {
        return Err(Redirect::to("/").into_response());
    }
    let current = app.board.current().await;
    let current = current.map_err(|error| ErrorPage(ctx.words, error).into_response())?;
    let figures = &current.figures;
    let asked = UnitCode(unit.to_owned());
    // A unit that has ended is shown as its successor.
    let unit = figures.tree.follow(&asked, figures.day).clone();
    if unit.as_str().is_empty() || figures.of(unit.as_str()).is_none() {
        return Err(not_found(ctx).await);
    }
    Ok((ctx, current, unit))
}
