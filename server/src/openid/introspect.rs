//! What a token is good for in this moment (RFC 7662).

use super::client_auth::client_beside;
use super::fault::Fault;
use super::params::Params;
use crate::web::App;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use ngomon_rules::client::Authentication;
use ngomon_store::TokenKind;
use serde_json::{Value, json};

/// Answered to the client that the token was given to: of anybody else's it says only that it is not active.
pub async fn introspect(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Json<Value>, Fault> {
    let params = Params::of_body(&headers, &body)?;
    let live = match params.get("token") {
        Some(token) => app.store.token(token).await?,
        None => None,
    };
    let known = client_beside(&app, &headers, &params, live.as_ref().map(|live| &live.client)).await?;
    if known.client.authentication == Authentication::None {
        return Err(Fault::client());
    }
    params.must("token")?;
    let Some(live) = live.filter(|live| live.client.id == known.id) else {
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
