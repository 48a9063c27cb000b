//! The claims that exist, and the `claims` parameter that requests them one by one (OpenID Connect Core 5.5).

use crate::openid::acr::WantedAcr;
use ngomon_rules::client::Scope;
use serde_json::{Map, Value};

/// All claims that a client can request, with the scope that each needs.
pub const CLAIMS: [(&str, Scope); 14] = [
    ("name", Scope::Profile),
    ("family_name", Scope::Profile),
    ("given_name", Scope::Profile),
    ("preferred_username", Scope::Profile),
    ("account_kind", Scope::Profile),
    ("phone_number", Scope::Phone),
    ("phone_number_verified", Scope::Phone),
    ("email", Scope::Email),
    ("email_verified", Scope::Email),
    ("national_id", Scope::NationalId),
    ("national_id_verified", Scope::NationalId),
    ("employment", Scope::Employment),
    ("groups", Scope::Employment),
    ("standardisation", Scope::Standardisation),
];

/// The `claims` parameter, as far as this provider supports it.
#[derive(Default)]
pub struct RequestedClaims {
    /// Claims requested for userinfo.
    pub userinfo: Vec<String>,
    /// Claims requested for the ID token.
    pub id_token: Vec<String>,
    /// The only account that the client accepts, if it names one.
    pub sub: Option<String>,
    /// The authentication context that the client requests.
    pub acr: WantedAcr,
}

impl RequestedClaims {
    /// Whether it requests a claim of that scope by name, for userinfo or for the ID token.
    pub fn names_one_of(&self, scope: Scope) -> bool {
        let mut named = self.userinfo.iter().chain(&self.id_token);
        named.any(|one| CLAIMS.iter().any(|(name, of)| one == name && *of == scope))
    }

    /// Parses the parameter. `None` if it does not have the form of OpenID Connect Core 5.5.
    pub fn read(text: Option<&str>) -> Option<Self> {
        let Some(text) = text else { return Some(Self::default()) };
        let value: Value = serde_json::from_str(text).ok()?;
        let part = |name: &str| match value.as_object()?.get(name) {
            None | Some(Value::Null) => Some(Map::new()),
            Some(part) => part.as_object().cloned(),
        };
        let (userinfo, id_token) = (part("userinfo")?, part("id_token")?);
        let sub = id_token
            .get("sub")
            .and_then(|sub| sub["value"].as_str())
            .map(str::to_owned);
        let acr = id_token.get("acr").map(|acr| {
            let several = acr["values"].as_array().cloned().unwrap_or_default();
            let all = several.into_iter().chain([acr["value"].clone()]);
            let texts = all.filter_map(|one| one.as_str().map(str::to_owned));
            let values: Vec<String> = texts.filter(|one| !one.is_empty()).collect();
            WantedAcr {
                essential: acr["essential"] == true && !values.is_empty(),
                values,
            }
        });
        Some(Self {
            userinfo: userinfo.keys().cloned().collect(),
            id_token: id_token.keys().cloned().collect(),
            sub,
            acr: acr.unwrap_or_default(),
        })
    }
}
