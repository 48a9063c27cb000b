//! Token introspection (RFC 7662).

use crate::app::App;
use crate::openid::client_authentication::client_beside;
use crate::openid::error::OAuthError;
use crate::openid::params::Params;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use ngomon_rules::client::Authentication;
use ngomon_store::{ActiveToken, TokenKind};
use serde_json::{Value, json};

/// Answers the client that the token was issued to and the resource server it is meant for. For any other client the token is not active.
pub async fn introspect(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Json<Value>, OAuthError> {
    let params = Params::of_body(&headers, &body)?;
    let live = match params.get("token") {
        Some(token) => app.store.token(token).await?,
        None => None,
    };
    let known = client_beside(&app, &headers, &params, live.as_ref().map(|live| &live.client)).await?;
    if known.client.authentication == Authentication::None {
        return Err(OAuthError::client());
    }
    params.must("token")?;
    let is_for = |live: &ActiveToken| {
        live.audience
            .as_ref()
            .is_some_and(|audience| audience.client == known.id)
    };
    let Some(live) = live.filter(|live| live.client.id == known.id || is_for(live)) else {
        return Ok(Json(json!({"active": false})));
    };
    let client = live.client.id.as_str();
    let mut told = json!({
        "active": true,
        "iss": app.issuer(),
        "client_id": client,
        "aud": live.audience.as_ref().map_or(client, |audience| &audience.resource),
        "scope": live.scope,
        "iat": live.began / 1_000_000,
        "exp": live.good_until / 1_000_000,
        "sub": client,
    });
    if live.kind == TokenKind::Access {
        told["token_type"] = json!("Bearer");
    }
    if let Some(grant) = &live.grant {
        told["sub"] = json!(grant.subject);
        told["auth_time"] = json!(grant.auth_time / 1_000_000);
        // The session id that the grant's own client knows.
        if live.client.id == known.id {
            told["sid"] = json!(grant.sid);
        }
    }
    Ok(Json(told))
}
