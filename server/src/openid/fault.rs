//! What a client is told when something is wrong (RFC 6749, 5.2; RFC 6750, 3.1): a word that programs read, and a sentence for whoever
//! builds the client. People read pages instead.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ngomon_store::{Refusal, StoreError};
use serde_json::json;

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {description}")]
pub struct Fault {
    /// The word of the standard.
    pub error: &'static str,
    /// For whoever builds the client: English, ASCII.
    pub description: String,
    status: StatusCode,
    /// How the caller may prove who it is.
    challenge: Option<&'static str>,
}

impl Fault {
    /// With a word of the standard.
    pub fn new(error: &'static str, description: &str) -> Self {
        Self {
            error,
            description: description.to_owned(),
            status: StatusCode::BAD_REQUEST,
            challenge: None,
        }
    }

    /// The request is not one.
    pub fn request(description: &str) -> Self {
        Self::new("invalid_request", description)
    }

    /// The code or token is not good: whatever the reason, these words.
    pub fn grant() -> Self {
        Self::new(
            "invalid_grant",
            "the code or token is unknown, used, expired or not this client's",
        )
    }

    /// The client is not who it says, or not let in: whatever the reason, these words.
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

    /// The access token is not good.
    pub fn token() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Bearer error=\"invalid_token\""),
            ..Self::new("invalid_token", "the access token is unknown, expired or ended")
        }
    }

    /// There is a NUL in it.
    pub fn nul() -> Self {
        Self::request("a NUL character is never part of a request")
    }

    /// The resource is none, not one, or not the one that was granted (RFC 8707, 2).
    pub fn target() -> Self {
        Self::new(
            "invalid_target",
            "the resource is unknown, not served, more than one or not the one that was granted",
        )
    }

    /// The account is to be standardised first (C1); what was shown stays good until then.
    pub fn gate() -> Self {
        Self::new(
            "invalid_grant",
            "the account is to be standardised first: send its owner to sign in, where the form is asked for",
        )
    }

    /// The store could not, and another time it can.
    pub fn is_passing(&self) -> bool {
        self.status.is_server_error()
    }

    /// No access token came along.
    pub fn no_token() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Bearer"),
            ..Self::new("invalid_token", "an access token is needed")
        }
    }

    /// The access token is for something else.
    pub fn scope() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            challenge: Some("Bearer error=\"insufficient_scope\", scope=\"openid\""),
            ..Self::new("insufficient_scope", "the access token is not for this")
        }
    }
}

impl From<StoreError> for Fault {
    /// The store could not: the operator reads why.
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

impl IntoResponse for Fault {
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

    /// After a commit that may stand, nobody is told to try again.
    #[test]
    fn what_may_have_been_done_is_not_asked_for_again() {
        let doubt = Fault::from(StoreError::InDoubt("lost".into()));
        assert_eq!(doubt.status, StatusCode::GATEWAY_TIMEOUT);
        assert!(!doubt.description.contains("try again"), "{doubt}");
        let fault = Fault::from(StoreError::corrupt("x", "y"));
        assert_eq!(fault.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(doubt.is_passing() && fault.is_passing());
    }
}
