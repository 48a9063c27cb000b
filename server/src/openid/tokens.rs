//! What a token is good for in this moment (RFC 7662), the end of one (RFC 7009), and requests pushed before a browser comes (RFC 9126).

use super::authorize::PUSHED;
use super::client_auth::client;
use super::fault::Fault;
use super::params::Params;
use super::request::{address, read};
use crate::web::App;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use ngomon_rules::client::Authentication;
use ngomon_store::{Store, TokenKind};
use serde_json::{Value, json};

/// Answered to the client that the token was given to: of anybody else's it says only that it is not active.
pub async fn introspect(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Json<Value>, Fault> {
    let params = Params::of_body(&headers, &body)?;
    let known = client(&app, &headers, &params).await?;
    if known.client.authentication == Authentication::None {
        return Err(Fault::client());
    }
    let live = app.store.token(params.must("token")?).await?;
    let Some(live) = live.filter(|live| live.client == known.id) else {
        return Ok(Json(json!({"active": false})));
    };
    let mut told = json!({
        "active": true,
        "iss": app.issuer(),
        "client_id": known.id.as_str(),
        "aud": known.id.as_str(),
        "scope": live.scope,
        "iat": live.began / 1_000_000,
        "exp": live.good_until / 1_000_000,
        "sub": known.id.as_str(),
    });
    if live.kind == TokenKind::Access {
        told["token_type"] = json!("Bearer");
    }
    if let Some(grant) = &live.grant {
        told["sub"] = json!(grant.subject);
        told["auth_time"] = json!(grant.auth_time / 1_000_000);
        told["sid"] = json!(grant.sid);
    }
    Ok(Json(told))
}

/// Answers the same whether there was such a token.
pub async fn revoke(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, Fault> {
    let params = Params::of_body(&headers, &body)?;
    let known = client(&app, &headers, &params).await?;
    app.store.revoke(&known, params.must("token")?).await?;
    Ok(StatusCode::OK.into_response())
}

/// Judges a request as if it came by a browser, and keeps it.
pub async fn push(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, Fault> {
    let params = Params::of_body(&headers, &body)?;
    let known = client(&app, &headers, &params).await?;
    if params.get("request_uri").is_some() {
        return Err(Fault::request("request_uri cannot be pushed"));
    }
    let secrets = ["client_secret", "client_assertion", "client_assertion_type"];
    let params = params.without(&secrets).with("client_id", known.id.as_str());
    address(&params, &known)?;
    read(&params, &known)?;
    let handle = app.store.push_request(&known.id, &params.query()).await?;
    let told = json!({"request_uri": format!("{PUSHED}{handle}"), "expires_in": Store::PUSHED_GOOD});
    Ok((StatusCode::CREATED, Json(told)).into_response())
}
