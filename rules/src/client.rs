//! Connected systems (OpenID Connect clients): the settings that an integrator gives, and their validation.

use crate::network::{is_this_machine, may_be_sent_to};
use crate::records::AccountKind;
use crate::unit::UnitCode;
use serde::{Deserialize, Serialize};
use std::fmt;
use url::Url;

/// Limits of a client: its name in characters, an address in bytes.
const LONGEST_NAME: usize = 100;
const LONGEST_URI: usize = 2_000;

/// The id of a client: random, plain, never reused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub String);

impl ClientId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident => $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$of])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word in protocols and on the command line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Parses the word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == word)
            }
        }
    };
}

words! {
    /// What a client may request about a person (OpenID Connect Core 5.4, and scopes of our own).
    Scope {
        /// Marks an OpenID Connect request, which returns an ID token.
        Openid => "openid",
        /// Name and user name.
        Profile => "profile",
        /// The telephone on file.
        Phone => "phone",
        /// The mailbox on file.
        Email => "email",
        /// The national id of twelve digits.
        NationalId => "national_id",
        /// Unit, position, employee code, assignments, and the account that this one succeeds.
        Employment => "employment",
        /// The state of the standardisation of letter 125, and the address of its form.
        Standardisation => "standardisation",
        /// Refresh tokens outlive the session (OpenID Connect Core 11).
        OfflineAccess => "offline_access",
    }
}

impl Scope {
    /// Several scopes as protocols and tables write them: words separated by spaces.
    pub fn words(scopes: &[Self]) -> String {
        let words: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
        words.join(" ")
    }
}

words! {
    /// Which subject identifier a client gets for an account (OpenID Connect Core 8).
    SubjectKind {
        /// The account's id, for systems that already use it.
        Account => "account",
        /// A random id, the same for all clients of this kind.
        Public => "public",
        /// A random id that only this client gets.
        Pairwise => "pairwise",
    }
}

words! {
    /// The algorithm that signs a client's ID tokens (RFC 7518, RFC 8037).
    Algorithm {
        /// RSA with SHA-256, which every library supports.
        Rs256 => "RS256",
        /// ECDSA on P-256.
        Es256 => "ES256",
        /// Ed25519.
        EdDsa => "EdDSA",
    }
}

words! {
    /// How a client authenticates.
    Authentication {
        /// With a secret, as `client_secret_basic` or `client_secret_post`.
        Secret => "secret",
        /// With a token signed by its own key (RFC 7523).
        PrivateKey => "private_key_jwt",
        /// Not at all: an application on the user's own device.
        None => "none",
    }
}

/// A client as its integrator registers it.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The name that people read.
    pub name: String,
    /// Where responses may be sent. Compared character by character.
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after signing out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Gets a logout token when a session ends (OpenID Connect Back-Channel Logout).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Gets security events (Shared Signals, RFC 8935).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_uri: Option<String>,
    /// Its addresses as a resource server, which other clients call with their tokens (RFC 8707). Compared character by character.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// How it authenticates.
    pub authentication: Authentication,
    /// Its public keys (RFC 7517) as JSON, if it signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<String>,
    /// Whether it may act on its own behalf (RFC 6749, 4.4).
    #[serde(default)]
    pub client_credentials: bool,
    /// The scopes that it may request.
    pub scopes: Vec<Scope>,
    /// Which subject identifiers it gets.
    pub subjects: SubjectKind,
    /// The algorithm that signs its ID tokens.
    pub algorithm: Algorithm,
    /// The kinds of account that may sign in.
    pub kinds: Vec<AccountKind>,
    /// The units whose accounts may sign in, each with all units below it. Empty: any unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<UnitCode>,
    /// Whether it belongs to somebody other than the province: then people are asked for consent.
    #[serde(default)]
    pub third_party: bool,
    /// Whether it cannot do PKCE (RFC 7636). Allowed only to a client with a secret or a key.
    #[serde(default)]
    pub without_pkce: bool,
    /// Whether it is the HR system's own page: the way out of a hold that an HR profile causes leads there.
    #[serde(default)]
    pub hr: bool,
}

impl Client {
    /// Returns whether the new settings take away something that the client could have under `before`.
    pub fn narrows(&self, before: &Self) -> bool {
        fn lacks<T: PartialEq>(now: &[T], before: &[T]) -> bool {
            before.iter().any(|one| !now.contains(one))
        }
        lacks(&self.scopes, &before.scopes)
            || lacks(&self.kinds, &before.kinds)
            || lacks(&self.resources, &before.resources)
            || (self.units != before.units && !self.units.is_empty())
            || self.authentication != before.authentication
            || (self.third_party && !before.third_party)
    }

    /// Returns whether the client gets personal data without the person's consent. Such a client needs the approval of two operators.
    pub fn needs_two(&self) -> bool {
        let telling = [
            Scope::Profile,
            Scope::Phone,
            Scope::Email,
            Scope::NationalId,
            Scope::Employment,
        ];
        !self.third_party && self.scopes.iter().any(|scope| telling.contains(scope))
    }
}

/// Why a client is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientFault {
    /// The name is empty, too long, or has control characters.
    #[error("not a name for a client")]
    Name,
    /// It has no redirect URI, does not act on its own behalf, and is no resource server: it could do nothing.
    #[error("no address to return to")]
    NoRedirect,
    /// An address that responses must not be sent to.
    #[error("{0} is not an address that may be used here")]
    Uri(String),
    /// A resource that is listed twice.
    #[error("{0} is named twice")]
    Twice(String),
    /// A public client cannot authenticate. So it must use PKCE, cannot act on its own behalf, and cannot introspect tokens.
    #[error("a public client cannot do that")]
    Public,
    /// It signs, but its keys are missing; or it does not sign, but has keys.
    #[error("keys and the way to prove itself do not fit")]
    Keys,
    /// It authenticates with a key or not at all, so it has no secret.
    #[error("it has no secret")]
    NoSecret,
    /// No kind of account may sign in.
    #[error("no kind of account may sign in")]
    NoKind,
    /// The kind of subject identifier cannot change.
    #[error("how accounts are called cannot change")]
    Subjects,
}

impl Client {
    /// A client of the province with the usual settings.
    pub fn new(name: &str, redirect_uris: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            redirect_uris,
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            events_uri: None,
            resources: Vec::new(),
            authentication: Authentication::Secret,
            jwks: None,
            client_credentials: false,
            scopes: vec![Scope::Openid, Scope::Profile, Scope::OfflineAccess],
            subjects: SubjectKind::Public,
            algorithm: Algorithm::Rs256,
            kinds: vec![AccountKind::Citizen, AccountKind::Official, AccountKind::Unit],
            units: Vec::new(),
            third_party: false,
            without_pkce: false,
            hr: false,
        }
    }

    /// Validates the settings before a client is registered.
    pub fn check(&self) -> Result<(), ClientFault> {
        let length = self.name.trim().chars().count();
        if length == 0 || length > LONGEST_NAME || self.name.contains(char::is_control) {
            return Err(ClientFault::Name);
        }
        let is_public = self.authentication == Authentication::None;
        if self.redirect_uris.is_empty() && !self.client_credentials && self.resources.is_empty() {
            return Err(ClientFault::NoRedirect);
        }
        if is_public && (self.without_pkce || self.client_credentials || !self.resources.is_empty()) {
            return Err(ClientFault::Public);
        }
        if (self.authentication == Authentication::PrivateKey) != self.jwks.is_some() {
            return Err(ClientFault::Keys);
        }
        if self.kinds.is_empty() {
            return Err(ClientFault::NoKind);
        }
        let to_browsers = self.redirect_uris.iter().chain(&self.post_logout_redirect_uris);
        let to_servers = self.backchannel_logout_uri.iter().chain(&self.events_uri);
        for uri in to_browsers {
            check_uri(uri, is_public)?;
        }
        for uri in to_servers {
            if !may_be_sent_to(&check_uri(uri, false)?) {
                return Err(ClientFault::Uri(uri.clone()));
            }
        }
        for uri in &self.resources {
            check_uri(uri, false)?;
        }
        let mut resources = self.resources.iter().enumerate();
        if let Some((_, twice)) = resources.find(|(n, one)| self.resources[..*n].contains(one)) {
            return Err(ClientFault::Twice(twice.clone()));
        }
        Ok(())
    }

    /// The address on this very machine to which the server sends notifications, if there is one.
    pub fn told_on_this_machine(&self) -> Option<&str> {
        let mut told = self.backchannel_logout_uri.iter().chain(&self.events_uri);
        let found = told.find(|uri| Url::parse(uri).is_ok_and(|url| is_this_machine(&url)));
        found.map(String::as_str)
    }

    /// Returns whether a response may be sent to `uri`. The addresses must be equal (RFC 9700, 2.1). Only an application on the user's own
    /// device may use any port, because it cannot choose one (RFC 8252, 7.3).
    pub fn redirects_to(&self, uri: &str) -> bool {
        let any_port = self.authentication == Authentication::None;
        let mut known = self.redirect_uris.iter();
        known.any(|known| known == uri || (any_port && is_same_but_for_the_port(known, uri)))
    }

    /// The requested scopes that the client may have.
    pub fn allowed(&self, asked: &str) -> Vec<Scope> {
        let asked: Vec<Scope> = asked.split(' ').filter_map(Scope::parse).collect();
        Scope::ALL
            .iter()
            .copied()
            .filter(|scope| asked.contains(scope) && (*scope == Scope::Openid || self.scopes.contains(scope)))
            .collect()
    }
}

/// Compares two addresses of this very machine over plain HTTP, regardless of the port.
fn is_same_but_for_the_port(known: &str, asked: &str) -> bool {
    let read = |uri: &str| {
        let mut url = check_uri(uri, false).ok().filter(|url| url.scheme() == "http")?;
        url.set_port(None).ok()?;
        Some(url)
    };
    match (read(known), read(asked)) {
        (Some(known), Some(asked)) => known == asked && is_this_machine(&asked),
        _ => false,
    }
}

/// Accepts HTTPS, and plain HTTP to this very machine (RFC 8252, 7.3). An application on a device may also use a scheme of its own, its
/// reversed domain (7.1). Refuses a fragment, a user, a wildcard, and characters that URL parsers disagree about.
fn check_uri(uri: &str, own_scheme: bool) -> Result<Url, ClientFault> {
    let fault = || ClientFault::Uri(uri.chars().take(200).collect());
    let odd = |c: char| c.is_whitespace() || c.is_control() || !c.is_ascii() || "*\\\"<>^`{|}".contains(c);
    if uri.len() > LONGEST_URI || uri.contains(odd) {
        return Err(fault());
    }
    let url = Url::parse(uri).map_err(|_| fault())?;
    let good = match url.scheme() {
        "https" => url.host_str().is_some_and(|host| !host.is_empty()),
        "http" => is_this_machine(&url),
        scheme => own_scheme && scheme.contains('.'),
    };
    let plain = url.fragment().is_none() && !uri.contains('#') && url.username().is_empty() && url.password().is_none();
    if good && plain { Ok(url) } else { Err(fault()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(uri: &str) -> Result<(), ClientFault> {
        Client::new("Hue-S", vec![uri.to_owned()]).check()
    }

    /// A redirect URI uses TLS or leads to the same machine.
    #[test]
    fn redirect_uri_requires_tls_or_loopback() {
        for good in [
            "https://hues.example/cb",
            "https://hues.example:8443/cb?a=b",
            "http://localhost:3000/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:9/cb",
        ] {
            assert_eq!(with(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "cb",
            "/cb",
            "http://hues.example/cb",
            "https://hues.example/cb#x",
            "https://hues.example/cb#",
            "https://a@hues.example/cb",
            "https://*.example/cb",
            "https://hues.example/c b",
            "https://hues.example\\@evil.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://hues.example/",
            "vn.hues:/cb",
            "https://",
        ] {
            assert!(with(bad).is_err(), "{bad}");
        }
    }

    /// A public client may have a URI scheme of its own and must use PKCE.
    #[test]
    fn public_client_may_use_custom_scheme_and_needs_pkce() {
        let mut app = Client::new("App", vec!["vn.gov.hue.app:/cb".to_owned()]);
        app.authentication = Authentication::None;
        assert_eq!(app.check(), Ok(()));
        app.without_pkce = true;
        assert_eq!(app.check(), Err(ClientFault::Public));
        app.without_pkce = false;
        app.backchannel_logout_uri = Some("vn.gov.hue.app:/out".to_owned());
        assert!(app.check().is_err());
    }

    /// A native application may return to any port of its loopback address and to no other address (RFC 8252, 7.3).
    #[test]
    fn native_app_redirect_allows_any_loopback_port_only() {
        let mut app = Client::new(
            "App",
            vec!["http://127.0.0.1/cb".into(), "http://[::1]:80/cb?a=b".into()],
        );
        assert!(
            !app.redirects_to("http://127.0.0.1:4711/cb"),
            "only where it proves nothing"
        );
        app.authentication = Authentication::None;
        app.redirect_uris.push("https://app.example/cb".into());
        for good in [
            "http://127.0.0.1/cb",
            "http://127.0.0.1:4711/cb",
            "http://[::1]:9/cb?a=b",
        ] {
            assert!(app.redirects_to(good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:4711/",
            "http://127.0.0.1:4711/cb?a",
            "http://127.0.0.1:4711/cb#x",
            "http://a@127.0.0.1:4711/cb",
            "http://127.0.0.2:4711/cb",
            "http://localhost:4711/cb",
            "https://127.0.0.1:4711/cb",
            "https://app.example:4711/cb",
            "http://app.example/cb",
            "http://127.0.0.1:4711/cb/../cb2",
        ] {
            assert!(!app.redirects_to(bad), "{bad}");
        }
    }

    /// A resource server has URIs over TLS, each once, and must be able to authenticate.
    #[test]
    fn resource_uris_unique_over_tls_for_confidential_client() {
        let service = |resources: &[&str]| {
            let mut client = Client::new("Kho", Vec::new());
            client.resources = resources.iter().map(|&uri| uri.to_owned()).collect();
            client
        };
        let good = service(&["https://kho.example/", "http://localhost:3000/api"]);
        assert_eq!(good.check(), Ok(()));
        for bad in ["http://kho.example/", "https://kho.example/#a", "/kho", "kho", ""] {
            assert_eq!(service(&[bad]).check(), Err(ClientFault::Uri(bad.to_owned())));
        }
        let twice = service(&["https://kho.example/", "https://kho.example/"]);
        assert_eq!(
            twice.check(),
            Err(ClientFault::Twice("https://kho.example/".to_owned()))
        );
        let mut public = good;
        public.authentication = Authentication::None;
        assert_eq!(public.check(), Err(ClientFault::Public));
    }

    /// Client settings from before resources existed are read, and written without the new field.
    #[test]
    fn client_settings_without_resources_round_trip() {
        let client = Client::new("Hue-S", vec!["https://hues.example/cb".to_owned()]);
        let text = serde_json::to_string(&client).unwrap();
        assert!(!text.contains("resources"));
        assert_eq!(serde_json::from_str::<Client>(&text).unwrap(), client);
    }

    /// Requested scopes are reduced to those the client is allowed, each once.
    #[test]
    fn requested_scopes_reduced_to_allowed_ones() {
        let client = Client::new("Hue-S", vec!["https://hues.example/cb".to_owned()]);
        assert_eq!(
            client.allowed("national_id profile openid openid nonsense"),
            [Scope::Openid, Scope::Profile]
        );
    }
}
