//! "Báo cáo số" (letter 125, C7): progress by unit down to the village, live, for everybody who signs in at an office. It shows
//! no names.

pub mod access;
mod alerts;
pub mod cache;
mod delta;
pub mod download;
mod figures_text;
mod notice;
mod pace;
mod page;
mod paper;
mod snapshot;
mod stream;
#[cfg(test)]
mod tests;
mod view;

use crate::app::App;
use axum::Router;
use axum::routing::get;

/// The report's pages, downloads and streams.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/report", get(page::first))
        .route("/report/{unit}", get(page::show))
        .route("/report/{unit}/notice", get(notice::show))
        .route("/report/{unit}/{file}", get(download::file))
        .route("/report/live/{unit}", get(stream::stream))
}
