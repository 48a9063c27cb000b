//! The provider's metadata (OpenID Connect Discovery 1.0, RFC 8414): exactly what is supported.

use crate::openid::acr::{ONE_FACTOR, TWO_FACTORS};
use crate::openid::requested_claims::CLAIMS;
use axum::body::Bytes;
use ngomon_rules::client::{Algorithm, Scope};
use serde_json::{Value, json};

/// The metadata of that issuer, as JSON.
pub fn metadata(issuer: &str) -> Bytes {
    described(issuer).to_string().into()
}

fn described(issuer: &str) -> Value {
    let at = |path: &str| format!("{issuer}/{path}");
    let claims = [
        "sub",
        "iss",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "sid",
        "at_hash",
    ];
    let claims: Vec<&str> = claims.into_iter().chain(CLAIMS.iter().map(|(name, _)| *name)).collect();
    let proofs = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
    let with_none: Vec<&str> = proofs.into_iter().chain(["none"]).collect();
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "userinfo_endpoint": at("userinfo"),
        "jwks_uri": at("jwks"),
        "introspection_endpoint": at("introspect"),
        "revocation_endpoint": at("revoke"),
        "pushed_authorization_request_endpoint": at("par"),
        "end_session_endpoint": at("end-session"),
        "scopes_supported": Scope::ALL.iter().map(|scope| scope.name()).collect::<Vec<_>>(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": Algorithm::ALL.iter().map(|one| one.name()).collect::<Vec<_>>(),
        "token_endpoint_auth_methods_supported": with_none,
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
        "introspection_endpoint_auth_methods_supported": proofs,
        "introspection_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
        "revocation_endpoint_auth_methods_supported": with_none,
        "revocation_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": claims,
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "require_request_uri_registration": false,
        "authorization_response_iss_parameter_supported": true,
        "acr_values_supported": [ONE_FACTOR, TWO_FACTORS],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "display_values_supported": ["page"],
        "ui_locales_supported": ["vi", "en"],
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": false,
    })
}
