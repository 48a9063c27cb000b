//! Client authentication: by a secret in the header or in the body (RFC 6749, 2.3.1), by a JWT that the client signed (RFC 7523), or, for a
//! public client, by its `client_id` alone. A request may use one of these methods only.

use crate::app::App;
use crate::openid::error::OAuthError;
use crate::openid::params::Params;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use ngomon_rules::client::Authentication;
use ngomon_store::RegisteredClient;
use serde_json::Value;

/// The only supported type of assertion.
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The longest lifetime of an assertion and the tolerated clock skew, in seconds.
const LONGEST: i64 = 600;
const SKEW: i64 = 60;

/// The credentials that the request presents.
enum PresentedCredentials {
    Secret(String, String),
    /// The assertion, and the `client_id` sent beside it (RFC 7521, 4.2: the same client, or none).
    Assertion(String, Option<String>),
    Name(String),
}

/// Authenticates the client.
pub async fn client(app: &App, headers: &HeaderMap, params: &Params) -> Result<RegisteredClient, OAuthError> {
    client_beside(app, headers, params, None).await
}

/// Authenticates the client, given one that was just loaded with a token: most often it is the caller.
pub async fn client_beside(
    app: &App,
    headers: &HeaderMap,
    params: &Params,
    seen: Option<&RegisteredClient>,
) -> Result<RegisteredClient, OAuthError> {
    let known = match shown(headers, params)? {
        PresentedCredentials::Secret(id, secret) => {
            let known = match seen.filter(|seen| seen.id.as_str() == id) {
                Some(seen) => seen.clone(),
                None => known(app, &id).await?,
            };
            let fits =
                known.client.authentication == Authentication::Secret && known.secret_fits(&secret, app.store.now());
            fits.then_some(known)
        }
        PresentedCredentials::Assertion(assertion, named) => asserted(app, &assertion, named.as_deref()).await?,
        PresentedCredentials::Name(id) => {
            let known = known(app, &id).await?;
            (known.client.authentication == Authentication::None).then_some(known)
        }
    };
    known.ok_or_else(OAuthError::client)
}

async fn known(app: &App, id: &str) -> Result<RegisteredClient, OAuthError> {
    let known = app.store.client(id).await?;
    known.filter(|known| known.enabled).ok_or_else(OAuthError::client)
}

fn shown(headers: &HeaderMap, params: &Params) -> Result<PresentedCredentials, OAuthError> {
    let basic = headers.get(header::AUTHORIZATION);
    let (secret, assertion) = (params.get("client_secret"), params.get("client_assertion"));
    let ways = [basic.is_some(), secret.is_some(), assertion.is_some()];
    if ways.iter().filter(|way| **way).count() > 1 {
        return Err(OAuthError::request("the client proves itself in more than one way"));
    }
    if let Some(basic) = basic {
        let (id, secret) =
            basic_pair(basic.to_str().map_err(|_| OAuthError::client())?).ok_or_else(OAuthError::client)?;
        if params.get("client_id").is_some_and(|named| named != id) {
            return Err(OAuthError::request("two clients are named"));
        }
        return Ok(PresentedCredentials::Secret(id, secret));
    }
    if let Some(assertion) = assertion {
        if params.get("client_assertion_type") != Some(ASSERTION) {
            return Err(OAuthError::request("this sort of assertion is not known"));
        }
        let named = params.get("client_id").map(str::to_owned);
        return Ok(PresentedCredentials::Assertion(assertion.to_owned(), named));
    }
    let id = params.get("client_id").ok_or_else(OAuthError::client)?.to_owned();
    Ok(match secret {
        Some(secret) => PresentedCredentials::Secret(id, secret.to_owned()),
        None => PresentedCredentials::Name(id),
    })
}

/// Client id and secret are form-encoded before they are joined (RFC 6749, 2.3.1).
pub fn basic_pair(header: &str) -> Option<(String, String)> {
    let (scheme, rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |part: &str| {
        let part = part.replace('+', " ");
        percent_encoding::percent_decode_str(&part)
            .decode_utf8()
            .ok()
            .map(std::borrow::Cow::into_owned)
    };
    Some((plain(id)?, plain(secret)?))
}

/// The client that signed the assertion: with one of its own keys, for this issuer, valid for minutes, and used once.
async fn asserted(app: &App, assertion: &str, named: Option<&str>) -> Result<Option<RegisteredClient>, OAuthError> {
    let Ok(header) = jsonwebtoken::decode_header(assertion) else {
        return Ok(None);
    };
    let signs = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];
    if !signs.contains(&header.alg) {
        return Ok(None);
    }
    let Ok(stated) = jsonwebtoken::dangerous::insecure_decode::<Value>(assertion) else {
        return Ok(None);
    };
    let Some(id) = stated.claims["sub"].as_str() else {
        return Ok(None);
    };
    if named.is_some_and(|named| named != id) {
        return Ok(None);
    }
    let known = known(app, id).await?;
    let Some(jwks) = &known.client.jwks else {
        return Ok(None);
    };
    let Ok(keys) = serde_json::from_str::<JwkSet>(jwks) else {
        return Ok(None);
    };
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let claims = keys
        .keys
        .iter()
        .filter(|key| header.kid.is_none() || key.common.key_id == header.kid)
        .filter_map(|key| DecodingKey::from_jwk(key).ok())
        .find_map(|key| jsonwebtoken::decode::<Value>(assertion, &key, &validation).ok())
        .map(|decoded| decoded.claims);
    let Some(claims) = claims else { return Ok(None) };
    let now = app.store.now().as_second();
    let (Some(end), Some(jti)) = (claims["exp"].as_i64(), claims["jti"].as_str()) else {
        return Ok(None);
    };
    let begins = ["nbf", "iat"].iter().filter_map(|name| claims[*name].as_i64());
    let in_time = end > now - SKEW && end <= now + LONGEST && begins.max().is_none_or(|from| from <= now + SKEW);
    let issuer = app.issuer();
    // The audience is our issuer, or an endpoint that authenticates clients (RFC 9126, 2: any of these is accepted at each endpoint).
    let addresses = ["", "/token", "/par"].map(|path| format!("{issuer}{path}"));
    let for_us = |audience: &str| addresses.iter().any(|one| one == audience);
    let is_for_us = match &claims["aud"] {
        Value::String(one) => for_us(one),
        Value::Array(all) => all.iter().filter_map(Value::as_str).any(for_us),
        _ => false,
    };
    if claims["iss"] != claims["sub"] || !in_time || !is_for_us {
        return Ok(None);
    }
    let until = (end + SKEW) * 1_000_000;
    let first = app
        .store
        .consume_nonce("client-assertion", &[known.id.as_str(), jti], until)
        .await?;
    Ok(first.then_some(known))
}
