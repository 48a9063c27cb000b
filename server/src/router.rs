//! The web pages. Each works without scripts; each answer is computed from the store.


pub use crate::net::{Proxies, masked, network};
pub use crate::http::{ErrorPage, Layout, MessagePage, html, redirect_page};
pub use crate::sign_in::passkeys::ceremony::passkeys_allowed;
pub use crate::sign_in::passkeys::step_up::STEP_UP_SKIPPED;
pub use crate::net::public_url;
pub use crate::http::{RequestContext, clear_session_cookie, query_encode};

use crate::openid;
use crate::security::Signer;
use crate::i18n::news_words;
use crate::security::webauthn::Passkeys;
use crate::security::password::LeakedPasswords;
use crate::workers::worker::Workers;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use ngomon_store::Store;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;

/// The largest request body of a form, in bytes.
const LARGEST: usize = 16 * 1024;

/// The state of all handlers. Cheap to clone: each layer and each handler of a request has its own clone.
#[derive(Clone)]
pub struct App(Arc<AppParts>);

/// The parts of an [`App`].
#[derive(Clone)]
pub struct AppParts {
    /// The store.
    pub store: Store,
    /// The figures of the report, shared by all its viewers.
    pub board: crate::report::cache::ReportCache,
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
    freeze: crate::freeze::Freeze,
    /// WebAuthn for this address. `None` if its host is an IP address, for which passkeys cannot exist.
    passkeys: Option<Passkeys>,
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
            board: crate::report::cache::ReportCache::new(store.clone()),
            store,
            sandbox,
            tells_inner: sandbox,
            leaked: None,
            proxies: Proxies::default(),
            signer: Signer::default(),
            workers: Workers::default(),
            issuer: "".into(),
            metadata: Bytes::new(),
            freeze: crate::freeze::Freeze::default(),
            passkeys: None,
        }))
        .at("http://localhost")
    }

    /// The same under another public address.
    #[must_use]
    pub fn at(mut self, address: &str) -> Self {
        let issuer = address.trim_end_matches('/');
        self.issuer = issuer.into();
        self.metadata = openid::metadata(issuer);
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

/// All routes. Personal pages are never cached.
pub fn router(app: App, csrf: CsrfLayer) -> Router {
    let guard = crate::middleware::guard::Guard::new(&app.store);
    let over_tls = app.issuer().starts_with("https:");
    let around = ServiceBuilder::new()
        .map_response(move |answer| crate::middleware::headers::add(answer, over_tls))
        .layer(from_fn_with_state(guard, crate::middleware::guard::watch))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), crate::middleware::nul::refuse))
        .layer(DefaultBodyLimit::max(LARGEST));
    Router::new()
        .route("/", get(crate::pages::home::show))
        .route("/sign-in", get(crate::sign_in::password::show).post(crate::sign_in::password::enter))
        .route("/sign-in/account", post(crate::sign_in::choose_account::choose))
        .route("/sign-in/second-factor", post(crate::sign_in::second_factor::enter))
        .route("/sign-in/user-name", get(crate::sign_in::user_name::show).post(crate::sign_in::user_name::send))
        .route("/counters", get(crate::pages::counters::show))
        .route("/privacy", get(crate::pages::counters::privacy))
        .route("/receipt", get(crate::pages::receipt::show).post(crate::pages::receipt::ask))
        .route("/sign-in/reset/password", post(crate::sign_in::password_reset::set))
        .route("/sign-in/new-password", get(crate::sign_in::set_password::show).post(crate::sign_in::set_password::set))
        .route("/enrol/{link}", get(crate::sign_in::enrolment::show).post(crate::sign_in::enrolment::enrol))
        .route("/sign-out", post(crate::sign_in::session::sign_out))
        .route("/sessions/close-others", post(crate::pages::home::close_others))
        .route("/consents/withdraw", post(crate::pages::home::withdraw))
        .route("/language/{tag}", get(crate::http::language::language))
        .merge(crate::pages::standardise::routes())
        .merge(crate::pages::held::routes())
        .merge(crate::sign_in::passkeys::routes())
        .merge(crate::pages::profile::routes())
        .merge(crate::sign_in::by_code::routes())
        .merge(crate::pages::sandbox::routes())
        .merge(crate::desk::routes())
        .merge(crate::report::routes())
        .merge(openid::pages())
        .fallback(crate::http::not_found)
        .layer(
            ServiceBuilder::new()
                .layer(from_fn(crate::middleware::foreign::explain_refusal))
                .layer(csrf),
        )
        .merge(openid::for_browsers())
        .merge(openid::for_clients())
        .merge(crate::http::health::routes())
        .with_state(app)
        .route("/assets/{file}", get(crate::http::assets::asset))
        // One layer for all of it: each separate layer would box every request.
        .layer(around)
}
