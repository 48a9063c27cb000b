//! Pushed authorization requests (RFC 9126).

use crate::app::App;
use crate::openid::authorization_request::{address, read};
use crate::openid::authorize::PUSHED;
use crate::openid::client_authentication::client;
use crate::openid::error::OAuthError;
use crate::openid::params::Params;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use ngomon_store::Store;
use serde_json::json;

/// Checks a request as if a browser had brought it, and stores it.
pub async fn push(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    let params = Params::of_body(&headers, &body)?;
    let known = client(&app, &headers, &params).await?;
    if params.get("request_uri").is_some() {
        return Err(OAuthError::request("request_uri cannot be pushed"));
    }
    let secrets = ["client_secret", "client_assertion", "client_assertion_type"];
    let params = params.without(&secrets).with("client_id", known.id.as_str());
    address(&params, &known)?;
    read(&params, &known)?.validate_resource(&app.store).await?;
    let handle = app.store.push_request(&known.id, &params.query()).await?;
    let told = json!({"request_uri": format!("{PUSHED}{handle}"), "expires_in": Store::PUSHED_GOOD});
    Ok((StatusCode::CREATED, Json(told)).into_response())
}
