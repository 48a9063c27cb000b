//! Connected systems: what an integrator states of one (an OpenID Connect client), checked at the door.

use crate::network::{is_this_machine, may_be_sent_to};
use crate::record::AccountKind;
use crate::unit::UnitCode;
use serde::{Deserialize, Serialize};
use std::fmt;
use url::Url;

/// The longest name of a client, in characters, and the longest address, in bytes.
const LONGEST_NAME: usize = 100;
const LONGEST_URI: usize = 2_000;

/// The id of a client: random, plain, never reused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub String);

impl ClientId {
    /// As written.
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
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word in protocols and on the command line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Reads the word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == word)
            }
        }
    };
}

words! {
    /// What a client may ask to be told (OpenID Connect Core 5.4, and our own).
    Scope {
        /// It is OpenID Connect: an ID token is asked for.
        Openid => "openid",
        /// Name and user name.
        Profile => "profile",
        /// The telephone on file.
        Phone => "phone",
        /// The mailbox on file.
        Email => "email",
        /// The twelve digits.
        NationalId => "national_id",
        /// Unit, position, employee code, assignments, and whom the account succeeds.
        Employment => "employment",
        /// How far letter 125 is done for the account, and where its form is.
        Standardisation => "standardisation",
        /// Refresh tokens outlive the session (OpenID Connect Core 11).
        OfflineAccess => "offline_access",
    }
}

impl Scope {
    /// Several, as protocols and tables have them: words with spaces.
    pub fn words(scopes: &[Self]) -> String {
        let words: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
        words.join(" ")
    }
}

words! {
    /// How accounts are called towards a client (OpenID Connect Core 8).
    SubjectKind {
        /// By the account's id, for systems that know it.
        Account => "account",
        /// By a random id, the same for all clients of this sort.
        Public => "public",
        /// By a random id of this client's own.
        Pairwise => "pairwise",
    }
}

words! {
    /// By which algorithm its ID tokens are signed (RFC 7518, RFC 8037).
    Algorithm {
        /// RSA with SHA-256: what every library reads.
        Rs256 => "RS256",
        /// P-256.
        Es256 => "ES256",
        /// Ed25519.
        EdDsa => "EdDSA",
    }
}

words! {
    /// How a client proves who it is.
    Authentication {
        /// By a secret, as `client_secret_basic` or `client_secret_post`.
        Secret => "secret",
        /// By a token signed with a key of its own (RFC 7523).
        PrivateKey => "private_key_jwt",
        /// Not at all: an application on the user's own device.
        None => "none",
    }
}

/// A client as its integrator states it.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// As people read it.
    pub name: String,
    /// Where answers may go; compared as they stand, character by character.
    pub redirect_uris: Vec<String>,
    /// Where a browser may go after signing out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Told that a session is over (OpenID Connect Back-Channel Logout).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Told by security events (Shared Signals, RFC 8935).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_uri: Option<String>,
    /// Its addresses as a service that is asked with tokens of other clients (RFC 8707); compared as they stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// How it proves who it is.
    pub authentication: Authentication,
    /// Its public keys (RFC 7517), as JSON, where it signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<String>,
    /// It may act for itself (RFC 6749, 4.4).
    #[serde(default)]
    pub client_credentials: bool,
    /// What it may ask to be told.
    pub scopes: Vec<Scope>,
    /// How accounts are called towards it.
    pub subjects: SubjectKind,
    /// By which algorithm its ID tokens are signed.
    pub algorithm: Algorithm,
    /// Accounts of which kinds may sign in.
    pub kinds: Vec<AccountKind>,
    /// Accounts of which units, each with all below it; none: of any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<UnitCode>,
    /// It is not the province's own: people are asked whether it may be told about them.
    #[serde(default)]
    pub third_party: bool,
    /// It cannot do PKCE (RFC 7636). Only a client with a secret or a key is let off.
    #[serde(default)]
    pub without_pkce: bool,
    /// It is the HR system's own page: the way out of what an HR profile causes leads there.
    #[serde(default)]
    pub hr: bool,
}

impl Client {
    /// Does it lose something that it may have been given before?
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

    /// Is it told who people are without asking them? Then one operator does not let it in alone.
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

/// What is wrong with a client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientFault {
    /// No name, or a very long one.
    #[error("not a name for a client")]
    Name,
    /// Nobody could sign in through it, it may not act for itself, and nobody asks it.
    #[error("no address to return to")]
    NoRedirect,
    /// Not an address that answers may go to.
    #[error("{0} is not an address that may be used here")]
    Uri(String),
    /// It bears a resource twice.
    #[error("{0} is named twice")]
    Twice(String),
    /// An application on the user's own device proves nothing, so it must do PKCE, cannot act for itself and is told of no tokens.
    #[error("a public client cannot do that")]
    Public,
    /// It signs, and its keys are missing; or it does not, and has some.
    #[error("keys and the way to prove itself do not fit")]
    Keys,
    /// It proves itself otherwise, or not at all.
    #[error("it has no secret")]
    NoSecret,
    /// Nobody may sign in.
    #[error("no kind of account may sign in")]
    NoKind,
    /// What accounts are called stays as it is.
    #[error("how accounts are called cannot change")]
    Subjects,
}

impl Client {
    /// A client of the province's own with the usual settings.
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

    /// Everything that must be right before a client is let in.
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

    /// The address by which the server is sent to this very machine, if it has one.
    pub fn told_on_this_machine(&self) -> Option<&str> {
        let mut told = self.backchannel_logout_uri.iter().chain(&self.events_uri);
        let found = told.find(|uri| Url::parse(uri).is_ok_and(|url| is_this_machine(&url)));
        found.map(String::as_str)
    }

    /// May answers go there? Compared as it stands (RFC 9700, 2.1), but for an application on the user's own device, which does not choose
    /// its port (RFC 8252, 7.3).
    pub fn redirects_to(&self, uri: &str) -> bool {
        let any_port = self.authentication == Authentication::None;
        let mut known = self.redirect_uris.iter();
        known.any(|known| known == uri || (any_port && is_same_but_for_the_port(known, uri)))
    }

    /// Of what is asked for, what it may be told.
    pub fn allowed(&self, asked: &str) -> Vec<Scope> {
        let asked: Vec<Scope> = asked.split(' ').filter_map(Scope::parse).collect();
        Scope::ALL
            .iter()
            .copied()
            .filter(|scope| asked.contains(scope) && (*scope == Scope::Openid || self.scopes.contains(scope)))
            .collect()
    }
}

/// The same address of this very machine, over plain HTTP, at any port.
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

/// Over TLS, or to the very machine (RFC 8252, 7.3); an application on a device may have a scheme of its own, by its reversed domain
/// (7.1). Never with a fragment, a user, a wildcard or characters that readers of addresses disagree about.
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

    #[test]
    fn an_address_is_over_tls_or_to_this_machine() {
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

    #[test]
    fn a_public_client_may_have_a_scheme_of_its_own_and_must_do_pkce() {
        let mut app = Client::new("App", vec!["vn.gov.hue.app:/cb".to_owned()]);
        app.authentication = Authentication::None;
        assert_eq!(app.check(), Ok(()));
        app.without_pkce = true;
        assert_eq!(app.check(), Err(ClientFault::Public));
        app.without_pkce = false;
        app.backchannel_logout_uri = Some("vn.gov.hue.app:/out".to_owned());
        assert!(app.check().is_err());
    }

    #[test]
    fn an_application_on_a_device_comes_back_at_any_port_of_it_and_no_other_address() {
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

    #[test]
    fn a_service_has_addresses_over_tls_each_once_and_can_prove_itself() {
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

    #[test]
    fn settings_of_before_are_read_and_written_as_they_were() {
        let client = Client::new("Hue-S", vec!["https://hues.example/cb".to_owned()]);
        let text = serde_json::to_string(&client).unwrap();
        assert!(!text.contains("resources"));
        assert_eq!(serde_json::from_str::<Client>(&text).unwrap(), client);
    }

    #[test]
    fn what_is_asked_for_is_cut_to_what_is_allowed() {
        let client = Client::new("Hue-S", vec!["https://hues.example/cb".to_owned()]);
        assert_eq!(
            client.allowed("national_id profile openid openid nonsense"),
            [Scope::Openid, Scope::Profile]
        );
    }
}
