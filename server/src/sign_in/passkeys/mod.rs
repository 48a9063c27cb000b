//! "Đăng nhập bằng vân tay, khuôn mặt của máy": the passkeys of officials and operators. A script requests a challenge, the
//! device answers, and the answer is posted as a form like any other. Without scripts the pages show nothing of it.

pub mod ceremony;
mod manage;
mod sign_in;
pub mod step_up;
#[cfg(test)]
pub mod tests;

use crate::app::App;
use axum::Router;
use axum::routing::{get, post};

/// The routes: the owner's passkeys, signing in with one, and the step-up of a session.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/passkeys", get(manage::show))
        .route("/passkeys/challenge", post(manage::challenge))
        .route("/passkeys/add", post(manage::add))
        .route("/passkeys/remove", post(manage::remove))
        .route("/sign-in/passkey", post(sign_in::enter))
        .route("/sign-in/passkey/challenge", post(sign_in::challenge))
        .route("/sign-in/step-up", get(step_up::show).post(step_up::enter))
        .route("/sign-in/step-up/challenge", post(step_up::challenge))
}
