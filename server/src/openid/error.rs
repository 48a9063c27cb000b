//! The error responses to clients (RFC 6749, 5.2; RFC 6750, 3.1): a code for programs, and a description for the client's developers. Users
//! get pages instead.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ngomon_store::{Refusal, StoreError};
use serde_json::json;

/// An OAuth error response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {description}")]
pub struct OAuthError {
    /// The error code of the standard.
    pub error: &'static str,
    /// The description for the client's developers: English, ASCII.
    pub description: String,
    status: StatusCode,
    /// The `WWW-Authenticate` challenge, which names how the caller may authenticate.
    challenge: Option<&'static str>,
}

impl OAuthError {
    /// An error with a code of the standard, status 400.
    pub fn new(error: &'static str, description: &str) -> Self {
        Self {
            error,
            description: description.to_owned(),
            status: StatusCode::BAD_REQUEST,
            challenge: None,
        }
    }

    /// The request is malformed.
    pub fn request(description: &str) -> Self {
        Self::new("invalid_request", description)
    }

    /// The code or token is not valid. The text is the same whatever the reason.
    pub fn grant() -> Self {
        Self::new(
            "invalid_grant",
            "the code or token is unknown, used, expired or not this client's",
        )
    }

    /// The client is not authenticated, or disabled. The text is the same whatever the reason.
    pub fn client() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Basic realm=\"clients\", charset=\"UTF-8\""),
            ..Self::new(
                "invalid_client",
                "the client is unknown, disabled or did not prove itself",
            )
        }
    }

    /// The access token is not valid.
    pub fn token() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Bearer error=\"invalid_token\""),
            ..Self::new("invalid_token", "the access token is unknown, expired or ended")
        }
    }

    /// A parameter contains a NUL character.
    pub fn nul() -> Self {
        Self::request("a NUL character is never part of a request")
    }

    /// The resource is unknown, given more than once, or not the granted one (RFC 8707, 2).
    pub fn target() -> Self {
        Self::new(
            "invalid_target",
            "the resource is unknown, not served, more than one or not the one that was granted",
        )
    }

    /// The account must be standardised first (C1). The code or token presented stays valid until then.
    pub fn gate() -> Self {
        Self::new(
            "invalid_grant",
            "the account is to be standardised first: send its owner to sign in, where the form is asked for",
        )
    }

    /// Whether the cause is a temporary failure of the store, so that a retry may succeed.
    pub fn is_passing(&self) -> bool {
        self.status.is_server_error()
    }

    /// The request has no access token.
    pub fn no_token() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Bearer"),
            ..Self::new("invalid_token", "an access token is needed")
        }
    }

    /// The access token is meant for something else.
    pub fn scope() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            challenge: Some("Bearer error=\"insufficient_scope\", scope=\"openid\""),
            ..Self::new("insufficient_scope", "the access token is not for this")
        }
    }
}

impl From<StoreError> for OAuthError {
    /// A failure of the store. The reason is logged for the operator.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(Refusal::UnknownResource(_)) => return Self::target(),
            StoreError::Refused(Refusal::MustStandardise(_)) => return Self::gate(),
            StoreError::Refused(Refusal::Nul) => return Self::nul(),
            _ => {}
        }
        tracing::error!("{error}");
        if matches!(error, StoreError::InDoubt(_)) {
            return Self {
                status: StatusCode::GATEWAY_TIMEOUT,
                ..Self::new("temporarily_unavailable", "it is not known whether this was done")
            };
        }
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            ..Self::new("temporarily_unavailable", "try again in a moment")
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = Json(json!({"error": self.error, "error_description": self.description}));
        let mut response = (self.status, body).into_response();
        if let Some(challenge) = self.challenge {
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After a commit of unknown outcome, the client must not be asked to retry.
    #[test]
    fn unknown_commit_outcome_does_not_suggest_retry() {
        let doubt = OAuthError::from(StoreError::InDoubt("lost".into()));
        assert_eq!(doubt.status, StatusCode::GATEWAY_TIMEOUT);
        assert!(!doubt.description.contains("try again"), "{doubt}");
        let fault = OAuthError::from(StoreError::corrupt("x", "y"));
        assert_eq!(fault.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(doubt.is_passing() && fault.is_passing());
    }
}
