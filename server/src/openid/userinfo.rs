//! The userinfo endpoint (OpenID Connect Core 5.3).

use crate::app::App;
use crate::openid::claims::{ClaimsDestination, claims_for};
use crate::openid::error::OAuthError;
use crate::openid::params::Params;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, header};
use ngomon_store::TokenKind;
use serde_json::Value;

/// Accepts the token in the header or in the body of a POST (RFC 6750, 2.1 and 2.2); not in both, and never in the URL.
pub async fn show(
    State(app): State<App>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, OAuthError> {
    let in_header = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().unwrap_or_default());
    let in_header = match in_header.map(|value| value.split_once(' ')) {
        Some(Some((scheme, token))) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim().to_owned()),
        Some(_) => return Err(OAuthError::no_token()),
        None => None,
    };
    let in_body = match method {
        Method::POST if headers.contains_key(header::CONTENT_TYPE) => {
            Params::of_body(&headers, &body)?.get("access_token").map(str::to_owned)
        }
        _ => None,
    };
    let token = match (in_header, in_body) {
        (Some(_), Some(_)) => return Err(OAuthError::request("the token came in two ways")),
        (Some(token), None) | (None, Some(token)) => token,
        (None, None) => return Err(OAuthError::no_token()),
    };
    let live = app.store.token(&token).await?;
    let live = live
        // A token for another resource server is not valid here.
        .filter(|live| live.kind == TokenKind::Access && live.audience.is_none())
        .ok_or_else(OAuthError::token)?;
    let grant = live.grant.ok_or_else(OAuthError::scope)?;
    if !live.scope.split(' ').any(|word| word == "openid") {
        return Err(OAuthError::scope());
    }
    let claims = claims_for(&app, &live.client, &grant, &live.scope, ClaimsDestination::Userinfo).await?;
    claims.map(Json).ok_or_else(OAuthError::token)
}
