//! The parameters of a request, from its query or its body. None may occur twice (RFC 6749, 3.1 and 3.2).

use crate::openid::error::OAuthError;
use axum::http::{HeaderMap, header};
use std::collections::BTreeMap;

/// The longest value of a parameter, in bytes.
const LONGEST: usize = 8_000;
/// The longest value that is kept, in bytes. A value above [`LONGEST`] is an error, and the error response must return the same `state` as
/// far as a URL can carry it.
const KEPT: usize = 16_000;

/// Parameters by name. An empty value counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    values: BTreeMap<String, String>,
    /// Names that occurred more than once.
    repeated: Vec<String>,
    /// Names whose values are too long.
    too_long: Vec<String>,
}

impl Params {
    /// Parses a query, or a body in the same encoding.
    pub fn read(query: &[u8]) -> Self {
        let mut params = Self::default();
        for (name, value) in url::form_urlencoded::parse(query) {
            if params.values.contains_key(name.as_ref()) {
                params.repeated.push(name.into_owned());
            } else if !value.is_empty() {
                if value.len() > LONGEST {
                    params.too_long.push(name.clone().into_owned());
                }
                if value.len() <= KEPT {
                    params.values.insert(name.into_owned(), value.into_owned());
                }
            }
        }
        params
    }

    /// Parses a body whose content type is a form. Fails on a repeated parameter and on one that is too long.
    pub fn of_body(headers: &HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(OAuthError::request(
                "the body must be application/x-www-form-urlencoded",
            ));
        }
        let params = Self::read(body);
        params.well_formed()?;
        Ok(params)
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value of a required parameter.
    pub fn must(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name)
            .ok_or_else(|| OAuthError::request(&format!("{name} is missing")))
    }

    /// Whether the parameter occurred more than once.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.repeated.iter().any(|one| one == name)
    }

    /// Fails if a parameter occurred more than once or is too long.
    pub fn well_formed(&self) -> Result<(), OAuthError> {
        if let Some(name) = self.too_long.first() {
            let name: String = name.chars().filter(char::is_ascii_graphic).take(40).collect();
            return Err(OAuthError::request(&format!("{name} is longer than {LONGEST} bytes")));
        }
        match self.repeated.first() {
            Some(name) if name == "resource" => Err(OAuthError::target()),
            Some(name) => {
                let name: String = name.chars().filter(char::is_ascii_graphic).take(40).collect();
                Err(OAuthError::request(&format!("{name} came more than once")))
            }
            None => Ok(()),
        }
    }

    /// A copy without these parameters.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let mut rest = self.clone();
        rest.values.retain(|name, _| !names.contains(&name.as_str()));
        rest.repeated.retain(|name| !names.contains(&name.as_str()));
        rest.too_long.retain(|name| !names.contains(&name.as_str()));
        rest
    }

    /// A copy with one more parameter.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut more = self.clone();
        more.values.insert(name.to_owned(), value.to_owned());
        more
    }

    /// The parameters as a query, sorted by name, so that the same parameters give the same text. A repeated parameter is repeated here
    /// too.
    pub fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.values);
        query.extend_pairs(self.repeated.iter().map(|name| (name, "")));
        query.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repeated parameter is an error, and an empty one counts as absent.
    #[test]
    fn repeated_parameter_is_error_and_empty_is_absent() {
        let params = Params::read(b"a=1&b=&c=x%20y&a=2&a=3");
        assert_eq!(params.get("a"), Some("1"));
        assert_eq!(params.get("b"), None);
        assert_eq!(params.get("c"), Some("x y"));
        assert!(params.is_repeated("a") && !params.is_repeated("c"));
        assert_eq!(params.well_formed().unwrap_err().error, "invalid_request");
        assert_eq!(Params::read(params.query().as_bytes()), params);
        assert_eq!(params.without(&["a"]).query(), "c=x+y");
    }

    /// The error names a parameter that is too long.
    #[test]
    fn overlong_parameter_is_named_in_error() {
        let long = format!("a=1&state={}", "x".repeat(8_001));
        let params = Params::read(long.as_bytes());
        let fault = params.well_formed().unwrap_err();
        assert_eq!(
            (fault.error, fault.description.as_str()),
            ("invalid_request", "state is longer than 8000 bytes")
        );
        assert_eq!(params.get("state").map(str::len), Some(8_001), "it is given back");
        assert!(
            Params::read(format!("state={}", "x".repeat(8_000)).as_bytes())
                .well_formed()
                .is_ok()
        );
        assert!(params.without(&["state"]).well_formed().is_ok());
    }

    /// A written query is parsed back to the same parameters.
    #[test]
    fn query_string_round_trips() {
        let params = Params::read("a=%C4%91&b=%26%3D&c=%2B".as_bytes());
        assert_eq!(Params::read(params.query().as_bytes()), params);
    }
}
