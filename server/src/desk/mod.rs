//! The desk of a counter ("quầy hỗ trợ"): an operator finds a person's account and does what the person asks for, papers in
//! hand. Each verb has its own file. A visitor without an operator's full session gets "not found" for every address and method
//! here.

mod account;
mod act_proposal;
mod confirm;
mod counters;
mod end_sessions;
mod exempt;
mod find;
mod form;
mod hold;
mod hr;
mod operator;
mod passkeys;
mod people;
mod proposals;
mod renewal;
mod reviews;
pub mod systems;
mod take_over;
#[cfg(test)]
mod tests;
mod two_persons;
mod url;
mod withdraw;

use crate::app::App;
use crate::http::not_found;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

/// All pages of the desk.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/desk", get(find::show).post(find::search))
        .route("/desk/account/{id}", get(account::show))
        .route("/desk/account/{id}/form", get(form::show).post(form::send))
        .route("/desk/forms/{receipt}", get(form::answer))
        .route("/desk/people/{unit}/{state}", get(people::show))
        .route("/desk/people/{unit}/{state}/{file}", get(people::file))
        .route("/desk/reviews", get(reviews::list))
        .route("/desk/reviews/{receipt}", post(reviews::answer))
        .route("/desk/proposals", get(proposals::list))
        .route("/desk/proposals/{receipt}", post(proposals::decide))
        .route("/desk/hr", get(hr::list))
        .route("/desk/hr/{id}", post(hr::make))
        .route("/desk/take-overs", get(take_over::list))
        .route(
            "/desk/take-overs/{receipt}",
            get(take_over::show).post(take_over::propose),
        )
        .route("/desk/take-overs/{receipt}/approve", post(take_over::approve))
        .route("/desk/take-overs/{receipt}/decline", post(take_over::decline))
        .route("/desk/acts/{receipt}", get(two_persons::show))
        .route("/desk/acts/{receipt}/approve", post(two_persons::approve))
        .route("/desk/acts/{receipt}/decline", post(two_persons::decline))
        .route("/desk/account/{id}/withdraw", get(withdraw::show).post(withdraw::send))
        .route("/desk/account/{id}/exempt", get(exempt::show).post(exempt::send))
        .route(
            "/desk/account/{id}/end-exemption",
            get(exempt::show_end).post(exempt::end),
        )
        .route(
            "/desk/account/{id}/end-sessions",
            get(end_sessions::show).post(end_sessions::send),
        )
        .route(
            "/desk/account/{id}/password",
            get(renewal::show_password).post(renewal::send_password),
        )
        .route(
            "/desk/account/{id}/phone",
            get(renewal::show_phone).post(renewal::send_phone),
        )
        .route("/desk/account/{id}/passkeys", get(passkeys::show).post(passkeys::send))
        .route("/desk/account/{id}/hold", get(hold::show).post(hold::send))
        .route("/desk/account/{id}/lift", get(hold::show_lift).post(hold::lift))
        .route(
            "/desk/counters",
            get(counters::show)
                .post(counters::send)
                .layer(DefaultBodyLimit::max(counters::LARGEST)),
        )
        .merge(systems::routes())
        .method_not_allowed_fallback(not_found)
}
