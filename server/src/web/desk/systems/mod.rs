//! Connected systems at the desk: listed, added with a secret that is shown once, rotated, disabled, removed; and what they were told.

mod acts;
mod add;
mod list;
mod show;
mod told;

use crate::web::App;
use axum::Router;
use axum::routing::{get, post};

/// All pages of connected systems.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/desk/systems", get(list::list))
        .route("/desk/systems/new", get(add::show).post(add::add))
        .route("/desk/systems/told", get(told::list))
        .route("/desk/systems/told/{notice}", post(told::again))
        .route("/desk/systems/{id}", get(show::show))
        .route("/desk/systems/{id}/{verb}", get(acts::show).post(acts::send))
}

/// The address of a system's page.
fn address(id: &str) -> String {
    format!("/desk/systems/{}", super::encoded(id))
}
