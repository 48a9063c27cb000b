//! The connected systems at the desk: listed, added with a secret that is shown once, edited, rotated, disabled, removed; their
//! deliveries, their subject identifiers for accounts, and the keys that sign their tokens.

mod acts;
mod add;
mod deliveries;
mod keys;
mod list;
pub mod show;
mod subjects;
pub mod subjects_file;

use crate::app::App;
use axum::Router;
use axum::routing::{get, post};

/// All pages of connected systems.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/desk/systems", get(list::list))
        .route("/desk/systems/new", get(add::show).post(add::add))
        .route("/desk/systems/told", get(deliveries::list))
        .route("/desk/systems/told/{notice}", post(deliveries::again))
        .route("/desk/systems/keys", get(keys::list).post(keys::replace))
        .route("/desk/systems/{id}", get(show::show))
        .route("/desk/systems/{id}/edit", get(add::show_edit).post(add::edit))
        .route("/desk/systems/{id}/subjects", get(subjects::show).post(subjects::send))
        .route("/desk/systems/{id}/{verb}", get(acts::show).post(acts::send))
}
