//! The token endpoint: exchanges a code, a refresh token or the client's own credentials for tokens.

use crate::app::App;
use crate::openid::acr::acr;
use crate::openid::claims::{ClaimsDestination, claims_for};
use crate::openid::client_authentication::client;
use crate::openid::error::OAuthError;
use crate::openid::params::Params;
use crate::security::token_signer::CurrentKey;
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_rules::client::Algorithm;
use ngomon_store::{IssuedTokens, RegisteredClient};
use serde_json::{Value, json};

/// Lifetime of an access token and of an ID token, in seconds.
pub const GOOD: i64 = 600;
/// The permitted lengths of a code verifier (RFC 7636).
const VERIFIER: std::ops::RangeInclusive<usize> = 43..=128;

/// Handles a token request.
pub async fn tokens(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    let params = Params::of_body(&headers, &body)?;
    let known = client(&app, &headers, &params).await?;
    match params.must("grant_type")? {
        "authorization_code" => for_code(&app, &known, &params).await,
        "refresh_token" => for_refresh(&app, &known, &params).await,
        "client_credentials" => for_itself(&app, &known, &params).await,
        _ => Err(OAuthError::new("unsupported_grant_type", "this grant is not offered")),
    }
}

async fn for_code(app: &App, known: &RegisteredClient, params: &Params) -> Result<Response, OAuthError> {
    let verifier = params.get("code_verifier");
    if verifier.is_some_and(|verifier| !VERIFIER.contains(&verifier.len())) {
        return Err(OAuthError::grant());
    }
    let (code, uri) = (params.must("code")?, params.get("redirect_uri"));
    let pen = app.signer.pen(&app.store, known.client.algorithm).await?;
    let redeemed = app
        .store
        .redeem_code(known, code, uri, verifier, params.get("resource"))
        .await?;
    given(app, known, redeemed.ok_or_else(OAuthError::grant)?, &pen, true).await
}

async fn for_refresh(app: &App, known: &RegisteredClient, params: &Params) -> Result<Response, OAuthError> {
    let (token, scope) = (params.must("refresh_token")?, params.get("scope"));
    if let Some(asked) = scope
        && !app.store.refresh_covers(known, token, asked).await?
    {
        return Err(OAuthError::new("invalid_scope", "more than was allowed"));
    }
    let pen = app.signer.pen(&app.store, known.client.algorithm).await?;
    let redeemed = app.store.refresh(known, token, scope, params.get("resource")).await?;
    given(app, known, redeemed.ok_or_else(OAuthError::grant)?, &pen, false).await
}

async fn for_itself(app: &App, known: &RegisteredClient, params: &Params) -> Result<Response, OAuthError> {
    if !known.client.client_credentials {
        return Err(OAuthError::new(
            "unauthorized_client",
            "the client may not act for itself",
        ));
    }
    let scope = params.get("scope").unwrap_or_default();
    let plain = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
    if !scope.split(' ').all(|word| word.chars().all(plain)) {
        return Err(OAuthError::new("invalid_scope", "not words with spaces"));
    }
    // Scopes are about accounts, and a token of the client itself has no account.
    let token = app.store.token_for_client(known, "", params.get("resource")).await?;
    let token = token.ok_or_else(OAuthError::client)?;
    Ok(Json(json!({"access_token": token, "token_type": "Bearer", "expires_in": GOOD})).into_response())
}

/// The response with tokens. The code or refresh token is spent by now, so nothing here may fail for a temporary reason; that is why the
/// signing key was loaded before.
async fn given(
    app: &App,
    known: &RegisteredClient,
    redeemed: IssuedTokens,
    pen: &CurrentKey,
    first: bool,
) -> Result<Response, OAuthError> {
    let mut body = json!({
        "access_token": redeemed.access,
        "token_type": "Bearer",
        "expires_in": GOOD,
        "refresh_token": redeemed.refresh,
        "scope": redeemed.scope,
    });
    if redeemed.scope.split(' ').any(|word| word == "openid") {
        body["id_token"] = json!(id_token(app, known, &redeemed, pen, first).await?);
    }
    Ok(Json(body).into_response())
}

/// The ID token (OpenID Connect Core 2, 3.1.3.6, 12.2).
async fn id_token(
    app: &App,
    known: &RegisteredClient,
    redeemed: &IssuedTokens,
    pen: &CurrentKey,
    first: bool,
) -> Result<String, OAuthError> {
    let grant = &redeemed.grant;
    let claims = match claims_for(app, known, grant, &redeemed.scope, ClaimsDestination::IdToken).await {
        // Claims requested one by one may be left out (OpenID Connect Core, 5.5.1): userinfo still has them.
        Err(fault) if fault.is_passing() => Some(json!({"sub": grant.subject})),
        claims => claims?,
    };
    let mut claims = claims.ok_or_else(OAuthError::grant)?;
    let now = app.store.now().as_second();
    let stated = json!({
        "iss": app.issuer(),
        "aud": known.id.as_str(),
        "iat": now,
        "exp": now + GOOD,
        "auth_time": grant.auth_time / 1_000_000,
        "acr": acr(&grant.amr),
        "amr": grant.amr.split(' ').collect::<Vec<_>>(),
        "sid": grant.sid,
        "at_hash": half_hash(known.client.algorithm, &redeemed.access),
    });
    if let (Value::Object(claims), Value::Object(stated)) = (&mut claims, stated) {
        claims.extend(stated);
        if let Some(nonce) = grant.given.nonce.as_ref().filter(|_| first) {
            claims.insert("nonce".into(), json!(nonce));
        }
    }
    Ok(pen.sign("JWT", &claims)?)
}

/// The left half of the hash that belongs to the algorithm (`at_hash`, OpenID Connect Core 3.1.3.6).
fn half_hash(algorithm: Algorithm, token: &str) -> String {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Es256 => digest(&SHA256, token.as_bytes()),
        Algorithm::EdDsa => digest(&SHA512, token.as_bytes()),
    };
    let hash = hash.as_ref();
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}
