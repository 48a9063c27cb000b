//! The provider's metadata (OpenID Connect Discovery 1.0, RFC 8414): exactly what is supported.

use crate::app::App;
use crate::openid::error::OAuthError;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::json;

/// How long the response may be cached.
const KEEP: (axum::http::HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=3600");

const JSON: (axum::http::HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

/// The provider's metadata.
pub async fn show(State(app): State<App>) -> impl IntoResponse {
    ([KEEP, JSON], app.metadata.clone())
}

/// The public keys that verify tokens (JWKS).
pub async fn jwks(State(app): State<App>) -> Result<impl IntoResponse, OAuthError> {
    Ok(([KEEP, JSON], app.signer.jwks(&app.store).await?))
}

/// The metadata for receivers of security events (OpenID Shared Signals Framework 1.0, 7.1).
pub async fn events(State(app): State<App>) -> impl IntoResponse {
    let issuer = app.issuer();
    let told = json!({
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/jwks"),
        "delivery_methods_supported": ["urn:ietf:rfc:8935"],
        "default_subjects": "ALL",
    });
    ([KEEP], Json(told))
}
