//! An authorization request (OpenID Connect Core 3.1.2.1), parsed and validated before the user sees anything.

use crate::openid::acr::WantedAcr;
use crate::openid::error::OAuthError;
use crate::openid::params::Params;
use crate::openid::requested_claims::RequestedClaims;
use ngomon_rules::client::{Client, Scope};
use ngomon_store::{RegisteredClient, Store};

/// The response mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the query of the redirect URI.
    Query,
    /// In a form that the browser posts.
    FormPost,
}

/// The `prompt` parameter: which pages the owner may see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// No page at all.
    pub none: bool,
    /// The sign-in, even if there is a session.
    pub login: bool,
    /// The consent, even if it was given before.
    pub consent: bool,
}

/// The destination of the response, which is resolved before everything else.
#[derive(Clone, Debug)]
pub struct Address {
    /// The registered redirect URI, unchanged.
    pub uri: String,
    /// Whether the request contained `redirect_uri`.
    pub named: bool,
    /// The response mode.
    pub mode: Mode,
    /// The `state` parameter, returned unchanged.
    pub state: Option<String>,
}

/// A valid authorization request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The requested scopes, as far as the client may have them.
    pub scope: Vec<Scope>,
    /// The nonce for the ID token.
    pub nonce: Option<String>,
    /// The code challenge of PKCE, S256.
    pub challenge: Option<String>,
    /// The `prompt` parameter.
    pub prompt: Prompt,
    /// The greatest age of the sign-in, in seconds.
    pub max_age: Option<i64>,
    /// The `id_token_hint`: an ID token of the account that the client expects.
    pub hint: Option<String>,
    /// Claims requested one by one, as JSON.
    pub claims: Option<String>,
    /// The resource server that the access tokens are meant for.
    pub resource: Option<String>,
    /// The requested authentication context.
    pub acr: WantedAcr,
}

/// Resolves the destination of the response. An error here is shown to the user and never redirected.
pub fn address(params: &Params, known: &RegisteredClient) -> Result<Address, OAuthError> {
    let bad = || OAuthError::request("redirect_uri is not one of the client's");
    if params.is_repeated("redirect_uri") || params.is_repeated("client_id") {
        return Err(bad());
    }
    let is_openid = params
        .get("scope")
        .is_some_and(|scope| scope.split(' ').any(|word| word == "openid"));
    let (uri, named) = match (params.get("redirect_uri"), known.client.redirect_uris.as_slice()) {
        (Some(uri), _) if known.client.redirects_to(uri) => (uri.to_owned(), true),
        // It may be left out without OpenID only (OpenID Connect Core 3.1.2.1; RFC 6749, 3.1.2.3).
        (None, [only]) if !is_openid => (only.clone(), false),
        (None, _) => return Err(OAuthError::request("redirect_uri is missing")),
        _ => return Err(bad()),
    };
    let mode = match params.get("response_mode") {
        Some("form_post") => Mode::FormPost,
        _ => Mode::Query,
    };
    let state = params.get("state").map(str::to_owned);
    Ok(Address {
        uri,
        named,
        mode,
        state,
    })
}

/// Parses the request. An error here goes to the client.
pub fn read(params: &Params, known: &RegisteredClient) -> Result<Request, OAuthError> {
    params.well_formed()?;
    if params.get("request").is_some() {
        return Err(OAuthError::new(
            "request_not_supported",
            "request objects are not offered",
        ));
    }
    if params.get("request_uri").is_some() {
        return Err(OAuthError::new("request_uri_not_supported", "only pushed requests are"));
    }
    if params.must("response_type")? != "code" {
        return Err(OAuthError::new("unsupported_response_type", "only code is offered"));
    }
    if !matches!(params.get("response_mode"), None | Some("query" | "form_post")) {
        return Err(OAuthError::request("response_mode can be query or form_post"));
    }
    let scope = known.client.allowed(params.get("scope").unwrap_or_default());
    if scope.is_empty() {
        return Err(OAuthError::new("invalid_scope", "nothing that the client may ask for"));
    }
    let claims = params.get("claims").map(str::to_owned);
    let wanted = RequestedClaims::read(claims.as_deref())
        .ok_or_else(|| OAuthError::request("claims is not JSON of that form"))?;
    let max_age = params.get("max_age").map(|age| age.parse::<u32>().map(i64::from));
    let max_age = max_age
        .transpose()
        .map_err(|_| OAuthError::request("max_age is not a number of seconds"))?;
    // An `acr` in the `claims` parameter takes precedence over `acr_values`.
    let acr = match wanted.acr {
        acr if !acr.values.is_empty() => acr,
        _ => WantedAcr::hoped_for(params.get("acr_values").unwrap_or_default()),
    };
    Ok(Request {
        scope,
        nonce: params.get("nonce").map(str::to_owned),
        challenge: challenge(params, known)?,
        prompt: prompt(params.get("prompt").unwrap_or_default())?,
        max_age,
        hint: params.get("id_token_hint").map(str::to_owned),
        claims,
        resource: params.get("resource").map(str::to_owned),
        acr,
    })
}

impl Request {
    /// All scopes that the client would get claims of: those requested, and those of claims requested one by one. The consent page lists
    /// them.
    pub fn requested_scopes(&self, client: &Client) -> Vec<Scope> {
        let wanted = RequestedClaims::read(self.claims.as_deref()).unwrap_or_default();
        let named = |scope: Scope| wanted.names_one_of(scope) && client.scopes.contains(&scope);
        let all = Scope::ALL.iter().copied();
        all.filter(|scope| self.scope.contains(scope) || named(*scope))
            .collect()
    }

    /// Checks that the requested resource server is registered and enabled.
    pub async fn validate_resource(&self, store: &Store) -> Result<(), OAuthError> {
        match &self.resource {
            Some(resource) if !store.has_resource(resource).await? => Err(OAuthError::target()),
            _ => Ok(()),
        }
    }
}

/// PKCE with S256 (RFC 7636; RFC 9700, 2.1.1: required).
fn challenge(params: &Params, known: &RegisteredClient) -> Result<Option<String>, OAuthError> {
    let Some(challenge) = params.get("code_challenge") else {
        if params.get("code_challenge_method").is_some() || !known.client.without_pkce {
            return Err(OAuthError::request(
                "code_challenge is missing: PKCE with S256 is required",
            ));
        }
        return Ok(None);
    };
    if params.get("code_challenge_method") != Some("S256") {
        return Err(OAuthError::request("code_challenge_method must be S256"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    // SHA-256 in base64url.
    if challenge.len() != 43 || !challenge.chars().all(plain) {
        return Err(OAuthError::request("code_challenge is not one of S256"));
    }
    Ok(Some(challenge.to_owned()))
}

fn prompt(text: &str) -> Result<Prompt, OAuthError> {
    let mut prompt = Prompt::default();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match word {
            "none" => prompt.none = true,
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(OAuthError::request("prompt has a word that is not known")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(OAuthError::request("prompt none stands alone"));
    }
    Ok(prompt)
}
