//! The connected systems at the desk: listed, added with a secret that is shown once, edited, rotated, disabled, removed; their
//! deliveries, their subject identifiers for accounts, and the keys that sign their tokens.

mod acts;
mod add;
mod deliveries;
mod keys;
mod list;
mod show;
mod subjects;

use crate::app::App;
pub use show::with_secret;

use axum::Router;
use axum::routing::{get, post};

/// All pages of connected systems.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/desk/systems", get(crate::desk::systems::list::list))
        .route("/desk/systems/new", get(crate::desk::systems::add::show).post(crate::desk::systems::add::add))
        .route("/desk/systems/told", get(crate::desk::systems::deliveries::list))
        .route("/desk/systems/told/{notice}", post(crate::desk::systems::deliveries::again))
        .route("/desk/systems/keys", get(crate::desk::systems::keys::list).post(crate::desk::systems::keys::replace))
        .route("/desk/systems/{id}", get(crate::desk::systems::show::show))
        .route("/desk/systems/{id}/edit", get(crate::desk::systems::add::show_edit).post(crate::desk::systems::add::edit))
        .route("/desk/systems/{id}/subjects", get(crate::desk::systems::subjects::show).post(crate::desk::systems::subjects::send))
        .route("/desk/systems/{id}/{verb}", get(crate::desk::systems::acts::show).post(crate::desk::systems::acts::send))
}

/// The address of a system's page.
fn address(id: &str) -> String {
    format!("/desk/systems/{}", crate::http::path_encode(id))
}
