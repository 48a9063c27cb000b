//! Token revocation (RFC 7009).

use crate::app::App;
use crate::openid::client_authentication::client;
use crate::openid::error::OAuthError;
use crate::openid::params::Params;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// The response is the same whether or not the token existed.
pub async fn revoke(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    let params = Params::of_body(&headers, &body)?;
    let known = client(&app, &headers, &params).await?;
    app.store.revoke(&known, params.must("token")?).await?;
    Ok(StatusCode::OK.into_response())
}
