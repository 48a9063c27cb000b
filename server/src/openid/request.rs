//! An authorization request (OpenID Connect Core 3.1.2.1), read and judged before anybody is asked anything.

use super::claims::{Wanted, WantedAcr};
use super::fault::Fault;
use super::params::Params;
use ngomon_rules::client::{Client, Scope};
use ngomon_store::{KnownClient, Store};

/// How the answer goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the query of the address.
    Query,
    /// In a form that the browser posts.
    FormPost,
}

/// What may be shown to the owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Nothing.
    pub none: bool,
    /// The sign-in, also where there is a session.
    pub login: bool,
    /// The consent, also where it was given.
    pub consent: bool,
}

/// Where the answer goes, known before anything else is.
#[derive(Clone, Debug)]
pub struct Address {
    /// A registered address, as it stands.
    pub uri: String,
    /// The request named it.
    pub named: bool,
    /// How.
    pub mode: Mode,
    /// Given back as it came.
    pub state: Option<String>,
}

/// A request that makes sense.
#[derive(Clone, Debug)]
pub struct Request {
    /// What may be told, of what was asked for.
    pub scope: Vec<Scope>,
    /// Goes into the ID token.
    pub nonce: Option<String>,
    /// Of PKCE, S256.
    pub challenge: Option<String>,
    /// What may be shown.
    pub prompt: Prompt,
    /// The sign-in may be so many seconds old.
    pub max_age: Option<i64>,
    /// A token that we gave for whom the client expects.
    pub hint: Option<String>,
    /// Claims asked for one by one, as JSON.
    pub claims: Option<String>,
    /// Whom the access tokens are to be shown to.
    pub resource: Option<String>,
    /// Which sign-in is asked for.
    pub acr: WantedAcr,
}

/// Where the answer goes. An error here is told to the browser's owner, never sent anywhere.
pub fn address(params: &Params, known: &KnownClient) -> Result<Address, Fault> {
    let bad = || Fault::request("redirect_uri is not one of the client's");
    if params.is_repeated("redirect_uri") || params.is_repeated("client_id") {
        return Err(bad());
    }
    let is_openid = params
        .get("scope")
        .is_some_and(|scope| scope.split(' ').any(|word| word == "openid"));
    let (uri, named) = match (params.get("redirect_uri"), known.client.redirect_uris.as_slice()) {
        (Some(uri), _) if known.client.redirects_to(uri) => (uri.to_owned(), true),
        // Without OpenID only (OpenID Connect Core 3.1.2.1; RFC 6749, 3.1.2.3).
        (None, [only]) if !is_openid => (only.clone(), false),
        (None, _) => return Err(Fault::request("redirect_uri is missing")),
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

/// What is asked for. An error here goes to the client.
pub fn read(params: &Params, known: &KnownClient) -> Result<Request, Fault> {
    params.well_formed()?;
    if params.get("request").is_some() {
        return Err(Fault::new("request_not_supported", "request objects are not offered"));
    }
    if params.get("request_uri").is_some() {
        return Err(Fault::new("request_uri_not_supported", "only pushed requests are"));
    }
    if params.must("response_type")? != "code" {
        return Err(Fault::new("unsupported_response_type", "only code is offered"));
    }
    if !matches!(params.get("response_mode"), None | Some("query" | "form_post")) {
        return Err(Fault::request("response_mode can be query or form_post"));
    }
    let scope = known.client.allowed(params.get("scope").unwrap_or_default());
    if scope.is_empty() {
        return Err(Fault::new("invalid_scope", "nothing that the client may ask for"));
    }
    let claims = params.get("claims").map(str::to_owned);
    let wanted = Wanted::read(claims.as_deref()).ok_or_else(|| Fault::request("claims is not JSON of that form"))?;
    let max_age = params.get("max_age").map(|age| age.parse::<u32>().map(i64::from));
    let max_age = max_age
        .transpose()
        .map_err(|_| Fault::request("max_age is not a number of seconds"))?;
    // What is asked for by name comes before what is asked for by the way.
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
    /// All that the client would be told of: by scopes, and by claims that it names one by one. That is what owners are asked about.
    pub fn told(&self, client: &Client) -> Vec<Scope> {
        let wanted = Wanted::read(self.claims.as_deref()).unwrap_or_default();
        let named = |scope: Scope| wanted.names_one_of(scope) && client.scopes.contains(&scope);
        let all = Scope::ALL.iter().copied();
        all.filter(|scope| self.scope.contains(scope) || named(*scope))
            .collect()
    }

    /// Whom the access tokens are to be shown to is there, and let in.
    pub async fn has_its_target(&self, store: &Store) -> Result<(), Fault> {
        match &self.resource {
            Some(resource) if !store.has_resource(resource).await? => Err(Fault::target()),
            _ => Ok(()),
        }
    }
}

/// PKCE with S256 (RFC 7636; RFC 9700, 2.1.1: required).
fn challenge(params: &Params, known: &KnownClient) -> Result<Option<String>, Fault> {
    let Some(challenge) = params.get("code_challenge") else {
        if params.get("code_challenge_method").is_some() || !known.client.without_pkce {
            return Err(Fault::request("code_challenge is missing: PKCE with S256 is required"));
        }
        return Ok(None);
    };
    if params.get("code_challenge_method") != Some("S256") {
        return Err(Fault::request("code_challenge_method must be S256"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    // SHA-256 in base64url.
    if challenge.len() != 43 || !challenge.chars().all(plain) {
        return Err(Fault::request("code_challenge is not one of S256"));
    }
    Ok(Some(challenge.to_owned()))
}

fn prompt(text: &str) -> Result<Prompt, Fault> {
    let mut prompt = Prompt::default();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match word {
            "none" => prompt.none = true,
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(Fault::request("prompt has a word that is not known")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(Fault::request("prompt none stands alone"));
    }
    Ok(prompt)
}
