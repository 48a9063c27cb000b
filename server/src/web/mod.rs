//! The web pages. Each works without scripts; each answer is computed from the store.

mod assets;
mod code;
mod component_gallery;
mod counters;
mod desk;
mod device;
mod enrol;
mod foreign;
mod form;
mod freeze;
mod guard;
mod headers;
mod health;
mod held;
mod home;
mod limits;
mod new_password;
mod nul;
mod origin;
mod page;
mod passkeys;
mod profile;
mod public_url;
mod receipt;
mod report;
mod request_context;
mod reset;
mod sandbox;
mod second_factor;
mod set_password;
mod sign_in;
mod sign_in_by_code;
#[cfg(test)]
pub mod tests;
mod ticket;
mod user_name;
mod ways;

pub use origin::{Proxies, masked, network};
pub use page::{ErrorPage, Layout, MessagePage, html, redirect_page};
pub use passkeys::{STEP_UP_SKIPPED, passkeys_allowed};
pub use public_url::public_url;
pub use request_context::{RequestContext, clear_session_cookie, query_encode};

use crate::openid::{self, Signer};
use crate::output::news_words;
use crate::passkey::Passkeys;
use crate::password::LeakedPasswords;
use crate::workers::Workers;
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
    pub board: report::ReportCache,
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
    freeze: freeze::Freeze,
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
            board: report::ReportCache::new(store.clone()),
            store,
            sandbox,
            tells_inner: sandbox,
            leaked: None,
            proxies: Proxies::default(),
            signer: Signer::default(),
            workers: Workers::default(),
            issuer: "".into(),
            metadata: Bytes::new(),
            freeze: freeze::Freeze::default(),
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
    let guard = guard::Guard::new(&app.store);
    let over_tls = app.issuer().starts_with("https:");
    let around = ServiceBuilder::new()
        .map_response(move |answer| headers::add(answer, over_tls))
        .layer(from_fn_with_state(guard, guard::watch))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), nul::refuse))
        .layer(DefaultBodyLimit::max(LARGEST));
    Router::new()
        .route("/", get(home::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-in/account", post(sign_in::choose))
        .route("/sign-in/second-factor", post(second_factor::enter))
        .route("/sign-in/user-name", get(user_name::show).post(user_name::send))
        .route("/counters", get(counters::show))
        .route("/privacy", get(counters::privacy))
        .route("/receipt", get(receipt::show).post(receipt::ask))
        .route("/sign-in/reset/password", post(reset::set))
        .route("/sign-in/new-password", get(set_password::show).post(set_password::set))
        .route("/enrol/{link}", get(enrol::show).post(enrol::enrol))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/sessions/close-others", post(home::close_others))
        .route("/consents/withdraw", post(home::withdraw))
        .route("/language/{tag}", get(request_context::language))
        .merge(form::routes())
        .merge(held::routes())
        .merge(passkeys::routes())
        .merge(profile::routes())
        .merge(sign_in_by_code::routes())
        .merge(sandbox::routes())
        .merge(desk::routes())
        .merge(report::routes())
        .merge(openid::pages())
        .fallback(page::not_found)
        .layer(
            ServiceBuilder::new()
                .layer(from_fn(foreign::explain_refusal))
                .layer(csrf),
        )
        .merge(openid::for_browsers())
        .merge(openid::for_clients())
        .merge(health::routes())
        .with_state(app)
        .route("/assets/{file}", get(assets::asset))
        // One layer for all of it: each separate layer would box every request.
        .layer(around)
}
