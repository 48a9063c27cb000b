//! The pages. Each works without scripts; each answer is worked out anew from the store.

mod asker;
mod assets;
mod code;
mod desk;
mod enrol;
mod form;
mod held;
mod home;
mod new_password;
mod page;
mod parts;
mod passkeys;
mod profile;
mod report;
mod reset;
mod sandbox;
mod second_factor;
mod sign_in;
mod sign_in_by_code;
#[cfg(test)]
pub mod tests;
mod ticket;

pub use asker::{Asker, encoded, forgotten};
pub use page::{Answer as Said, Fault as StoreFault, Shell, go_on, html};
pub use passkeys::{SKIPPED, may_have_passkeys};

use crate::openid::{self, Signer};
use crate::passkey::Passkeys;
use crate::password::Leaked;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, header};
use axum::routing::{get, post};
use ngomon_store::Store;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::set_header::SetResponseHeaderLayer;

/// The largest form, in bytes.
const LARGEST: usize = 16 * 1024;

const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// What every handler works with.
#[derive(Clone)]
pub struct App {
    /// Everything kept.
    pub store: Store,
    /// What everybody who looks at the report shares.
    pub board: report::Board,
    /// Everybody here is made up: messages are shown on a page, and the registry is played.
    pub sandbox: bool,
    /// Passwords that thieves know, where the operator has such a list.
    pub leaked: Option<Arc<Leaked>>,
    /// Signs tokens for connected systems.
    pub signer: Signer,
    /// As browsers and connected systems know us.
    issuer: Arc<str>,
    /// What connected systems are told of us.
    pub metadata: Bytes,
    /// For that address; none: it is a number.
    passkeys: Option<Passkeys>,
}

impl App {
    /// Over that store.
    pub fn new(store: Store, sandbox: bool) -> Self {
        Self {
            board: report::Board::new(store.clone()),
            store,
            sandbox,
            leaked: None,
            signer: Signer::default(),
            issuer: "".into(),
            metadata: Bytes::new(),
            passkeys: None,
        }
        .at("http://localhost")
    }

    /// The same under that address.
    #[must_use]
    pub fn at(self, address: &str) -> Self {
        let issuer = address.trim_end_matches('/');
        Self {
            issuer: issuer.into(),
            metadata: openid::metadata(issuer),
            passkeys: Passkeys::at(address),
            ..self
        }
    }

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
    let mut router = Router::new()
        .route("/", get(home::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-in/account", post(sign_in::choose))
        .route("/sign-in/second-factor", post(second_factor::enter))
        .route("/sign-in/reset/password", post(reset::set))
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
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .with_state(app)
        .route("/assets/{file}", get(assets::asset));
    for (name, value) in HEADERS {
        // A page that sends a form to a connected system has its own policy.
        router = router.layer(SetResponseHeaderLayer::if_not_present(
            name,
            HeaderValue::from_static(value),
        ));
    }
    router.layer(CompressionLayer::new())
}
