//! The state of all handlers.

use crate::freeze::Freeze;
use crate::i18n::news_words;
use crate::net::Proxies;
use crate::openid::discovery;
use crate::report::cache::ReportCache;
use crate::security::Signer;
use crate::security::password::LeakedPasswords;
use crate::security::webauthn::Passkeys;
use crate::workers::worker::Workers;
use axum::body::Bytes;
use ngomon_store::Store;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// The state of all handlers. Cheap to clone: each layer and each handler of a request has its own clone.
#[derive(Clone)]
pub struct App(Arc<AppParts>);

/// The parts of an [`App`].
#[derive(Clone)]
pub struct AppParts {
    /// The store.
    pub store: Store,
    /// The figures of the report, shared by all its viewers.
    pub report_cache: ReportCache,
    /// Whether this installation is a sandbox: all persons are made up, a page shows the messages, and the registry is
    /// simulated.
    pub sandbox: bool,
    /// Whether connected systems may be in private networks.
    pub tells_inner: bool,
    /// The list of leaked passwords, if the operator has one.
    pub leaked: Option<Arc<LeakedPasswords>>,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub proxies: Proxies,
    /// Signs tokens for connected systems.
    pub signer: Signer,
    /// The background workers.
    pub workers: Workers,
    /// The address under which browsers and connected systems know this server.
    issuer: Arc<str>,
    /// The OpenID provider metadata.
    pub metadata: Bytes,
    /// Whether pages show that reminders and locks are frozen.
    pub freeze: Freeze,
    /// WebAuthn for this address. `None` if its host is an IP address, for which passkeys cannot exist.
    pub passkeys: Option<Passkeys>,
}

impl Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

/// For settings at startup only: clones made before a change keep the old values.
impl DerefMut for App {
    fn deref_mut(&mut self) -> &mut AppParts {
        Arc::make_mut(&mut self.0)
    }
}

impl App {
    /// Creates the state over this store.
    pub fn new(store: Store, sandbox: bool) -> Self {
        let store = store.telling(news_words());
        Self(Arc::new(AppParts {
            report_cache: ReportCache::new(store.clone()),
            store,
            sandbox,
            tells_inner: sandbox,
            leaked: None,
            proxies: Proxies::default(),
            signer: Signer::default(),
            workers: Workers::default(),
            issuer: "".into(),
            metadata: Bytes::new(),
            freeze: Freeze::default(),
            passkeys: None,
        }))
        .at("http://localhost")
    }

    /// The same under another public address.
    #[must_use]
    pub fn at(mut self, address: &str) -> Self {
        let issuer = address.trim_end_matches('/');
        self.issuer = issuer.into();
        self.metadata = discovery::metadata(issuer);
        self.passkeys = Passkeys::at(address);
        self
    }
}

impl AppParts {
    /// Whether passkeys work under the address of this server.
    pub fn has_passkeys(&self) -> bool {
        self.passkeys.is_some()
    }

    /// The issuer: the public address without a trailing slash (OpenID Connect Core: `iss`).
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}
