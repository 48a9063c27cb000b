//! All routes, and the layers around them. Each page works without scripts; each answer is computed from the store.

use crate::app::App;
use crate::http::{assets, health, language, not_found};
use crate::middleware::guard::Guard;
use crate::middleware::nul::LARGEST;
use crate::middleware::{foreign, guard, headers, nul};
use crate::pages::{counters, held, home, profile, receipt, sandbox, standardise};
use crate::sign_in::{
    by_code, choose_account, enrolment, passkeys, password, password_reset, second_factor, session, set_password,
    user_name,
};
use crate::{desk, openid, report};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;

/// All routes. Personal pages are never cached.
pub fn router(app: App, csrf: CsrfLayer) -> Router {
    let guard = Guard::new(&app.store);
    let over_tls = app.issuer().starts_with("https:");
    let around = ServiceBuilder::new()
        .map_response(move |answer| headers::add(answer, over_tls))
        .layer(from_fn_with_state(guard, guard::watch))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), nul::refuse))
        .layer(DefaultBodyLimit::max(LARGEST));
    Router::new()
        .route("/", get(home::show))
        .route("/sign-in", get(password::show).post(password::enter))
        .route("/sign-in/account", post(choose_account::choose))
        .route("/sign-in/second-factor", post(second_factor::enter))
        .route("/sign-in/user-name", get(user_name::show).post(user_name::send))
        .route("/counters", get(counters::show))
        .route("/privacy", get(counters::privacy))
        .route("/receipt", get(receipt::show).post(receipt::ask))
        .route("/sign-in/reset/password", post(password_reset::set))
        .route("/sign-in/new-password", get(set_password::show).post(set_password::set))
        .route("/enrol/{link}", get(enrolment::show).post(enrolment::enrol))
        .route("/sign-out", post(session::sign_out))
        .route("/sessions/close-others", post(home::close_others))
        .route("/consents/withdraw", post(home::withdraw))
        .route("/language/{tag}", get(language::language))
        .merge(standardise::routes())
        .merge(held::routes())
        .merge(passkeys::routes())
        .merge(profile::routes())
        .merge(by_code::routes())
        .merge(sandbox::routes())
        .merge(desk::routes())
        .merge(report::routes())
        .merge(openid::pages())
        .fallback(not_found)
        .layer(
            ServiceBuilder::new()
                .layer(from_fn(foreign::explain_refusal))
                .layer(csrf),
        )
        .merge(openid::for_browsers())
        .merge(openid::for_clients())
        .merge(health::routes())
        .with_state(app)
        .route("/assets/{file}", get(assets::asset))
        // One layer for all of it: each separate layer would box every request.
        .layer(around)
}
