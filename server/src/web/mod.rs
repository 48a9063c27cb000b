//! The pages. Each works without scripts; each answer is worked out anew from the store.

mod asker;
mod assets;
mod code;
mod counters;
mod desk;
mod enrol;
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
mod parts;
mod passkeys;
mod profile;
mod public_url;
mod receipt;
mod report;
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

pub use asker::{Asker, encoded, forgotten};
pub use origin::{Proxies, masked, network};
pub use page::{Answer as Said, Fault as StoreFault, Shell, go_on, html};
pub use passkeys::{SKIPPED, may_have_passkeys};
pub use public_url::public_url;

use crate::openid::{self, Signer};
use crate::output::news_words;
use crate::passkey::Passkeys;
use crate::password::Leaked;
use crate::workers::Workers;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use ngomon_store::Store;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;

/// The largest form, in bytes.
const LARGEST: usize = 16 * 1024;

/// What every handler works with. Cheap to clone: each layer and each handler of a request has its own.
#[derive(Clone)]
pub struct App(Arc<AppParts>);

/// What an [`App`] is made of.
#[derive(Clone)]
pub struct AppParts {
    /// Everything kept.
    pub store: Store,
    /// What everybody who looks at the report shares.
    pub board: report::Board,
    /// Everybody here is made up: messages are shown on a page, and the registry is played.
    pub sandbox: bool,
    /// Connected systems may stand in private networks.
    pub tells_inner: bool,
    /// Passwords that thieves know, where the operator has such a list.
    pub leaked: Option<Arc<Leaked>>,
    /// Whose word is taken for the address of a client.
    pub proxies: Proxies,
    /// Signs tokens for connected systems.
    pub signer: Signer,
    /// What goes on beside the answers.
    pub workers: Workers,
    /// As browsers and connected systems know us.
    issuer: Arc<str>,
    /// What connected systems are told of us.
    pub metadata: Bytes,
    /// Whether pages say that reminders and locks rest.
    freeze: freeze::Freeze,
    /// For that address; none: it is a number.
    passkeys: Option<Passkeys>,
}

impl Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

/// For settings, before anybody else has it: what was cloned before keeps what it had.
impl DerefMut for App {
    fn deref_mut(&mut self) -> &mut AppParts {
        Arc::make_mut(&mut self.0)
    }
}

impl App {
    /// Over that store.
    pub fn new(store: Store, sandbox: bool) -> Self {
        let store = store.telling(news_words());
        Self(Arc::new(AppParts {
            board: report::Board::new(store.clone()),
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

    /// The same under that address.
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
    /// Can devices have passkeys for our address?
    pub fn has_passkeys(&self) -> bool {
        self.passkeys.is_some()
    }

    /// The address under which we are known, without a stroke at its end (OpenID Connect Core: `iss`).
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

/// All routes. The pages of a person are never kept by a cache.
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
        .route("/sign-out", post(sign_in::leave))
        .route("/sessions/close-others", post(home::close_others))
        .route("/consents/withdraw", post(home::withdraw))
        .route("/language/{tag}", get(asker::language))
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
        .layer(csrf)
        .merge(openid::for_browsers())
        .merge(openid::for_clients())
        .merge(health::routes())
        .with_state(app)
        .route("/assets/{file}", get(assets::asset))
        // All of it is one layer: each would make every request a box of its own.
        .layer(around)
}
