//! The OpenID provider: connected systems sign people in through it, and learn at once when an account is held.

mod answer;
mod authorize;
mod claims;
mod client_auth;
mod consent;
mod deliver;
mod fault;
mod introspect;
mod logout;
mod metadata;
mod params;
mod push;
mod request;
mod revoke;
mod signer;
#[cfg(test)]
mod tests;
mod token;
mod userinfo;

pub use consent::told;
pub use deliver::{Deliveries, notice_fault};
pub use fault::Fault;
pub use metadata::metadata;
pub use signer::Signer;

use crate::web::App;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::routing::{get, post};
use tower_http::cors::CorsLayer;
use tower_http::set_header::SetResponseHeaderLayer;

/// What browsers are sent to. A form of another site may come here too; it sees nobody's session.
pub fn for_browsers() -> Router<App> {
    Router::new()
        .route("/authorize", get(authorize::show).post(authorize::posted))
        .route("/end-session", get(logout::show).post(logout::posted))
}

/// Forms of ours.
pub fn pages() -> Router<App> {
    Router::new()
        .route("/consent", post(consent::answered))
        .route("/end-session/agreed", post(logout::agreed))
}

/// Is it an address that programs ask, not people?
pub fn is_for_programs(path: &str) -> bool {
    let paths = ["/token", "/userinfo", "/revoke", "/introspect", "/par", "/jwks"];
    paths.contains(&path) || path.starts_with("/.well-known/")
}

/// What clients ask. An application in a browser may, from wherever it is: no cookie counts here.
pub fn for_clients() -> Router<App> {
    // Beside what all answers say, for caches of old (RFC 6749, 5.1).
    let never_cached = SetResponseHeaderLayer::overriding(header::PRAGMA, HeaderValue::from_static("no-cache"));
    Router::new()
        .route("/.well-known/openid-configuration", get(metadata::show))
        .route("/.well-known/oauth-authorization-server", get(metadata::show))
        .route("/.well-known/ssf-configuration", get(metadata::events))
        .route("/jwks", get(metadata::jwks))
        .route("/token", post(token::tokens).layer(never_cached))
        .route("/userinfo", get(userinfo::tell).post(userinfo::tell))
        .route("/revoke", post(revoke::revoke))
        .layer(CorsLayer::very_permissive().allow_credentials(false))
        .route("/introspect", post(introspect::introspect))
        .route("/par", post(push::push))
}
