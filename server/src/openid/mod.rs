//! The OpenID provider: connected systems sign users in through it, and are notified at once when an account is held.

mod acr;
mod authorization_request;
mod authorization_response;
mod authorize;
mod claims;
mod client_authentication;
mod consent;
mod consent_page;
pub mod discovery;
pub mod error;
mod introspect;
mod logout;
mod metadata;
mod params;
pub mod paths;
mod pushed_request;
mod requested_claims;
mod revoke;
#[cfg(test)]
mod tests;
mod token;
mod userinfo;

use crate::app::App;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::routing::{get, post};
use tower_http::cors::CorsLayer;
use tower_http::set_header::SetResponseHeaderLayer;

/// The endpoints that browsers visit. Another site may post a form to them; such a form carries no session.
pub fn for_browsers() -> Router<App> {
    Router::new()
        .route("/authorize", get(authorize::show).post(authorize::posted))
        .route("/end-session", get(logout::show).post(logout::posted))
}

/// Forms of our own pages.
pub fn pages() -> Router<App> {
    Router::new()
        .route("/consent", post(consent::answered))
        .route("/end-session/agreed", post(logout::agreed))
}

/// The endpoints for clients. An application in a browser may call them from any origin: cookies are ignored here.
pub fn for_clients() -> Router<App> {
    // In addition to the headers of all responses, for HTTP/1.0 caches (RFC 6749, 5.1).
    let never_cached = SetResponseHeaderLayer::overriding(header::PRAGMA, HeaderValue::from_static("no-cache"));
    Router::new()
        .route("/.well-known/openid-configuration", get(metadata::show))
        .route("/.well-known/oauth-authorization-server", get(metadata::show))
        .route("/.well-known/ssf-configuration", get(metadata::events))
        .route("/jwks", get(metadata::jwks))
        .route("/token", post(token::tokens).layer(never_cached))
        .route("/userinfo", get(userinfo::show).post(userinfo::show))
        .route("/revoke", post(revoke::revoke))
        .layer(CorsLayer::very_permissive().allow_credentials(false))
        .route("/introspect", post(introspect::introspect))
        .route("/par", post(pushed_request::push))
}
