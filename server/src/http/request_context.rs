//! The context of one request: language, client address and session.

use crate::app::App;
use crate::http::cookies::{BROWSER, LANGUAGE, MOST_OWNERS, SESSION, TICKET};
use crate::http::device::device;
use crate::http::url::query_encode;
use crate::http::{ErrorPage, Layout};
use crate::i18n::Locale;
use crate::net::{counted, is_loopback};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use ngomon_store::{Session, StoreError};
use std::net::SocketAddr;
use url::Url;

/// The context of one request.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the request"
)]
pub struct RequestContext {
    /// The language of the answer.
    pub locale: Locale,
    /// The path of the requested page.
    pub here: String,
    /// Where the sign-in returns to: the authorization request of a connected system, or the page of the visitor's own
    /// passkeys.
    pub going: Option<String>,
    /// The name of the connected system that requested the sign-in.
    pub system: Option<String>,
    /// The client address as rate limits count it.
    pub address: String,
    /// The /48 network of an IPv6 address.
    pub network: Option<String>,
    /// Whether the request came over plain http from another machine. Such a browser stores no session cookie.
    pub insecure: bool,
    /// The browser and its system; `None` if neither is known.
    pub device: Option<String>,
    /// The cookie that links two pages of a sign-in.
    pub ticket: Option<String>,
    /// The marks of the owners who signed in in this browser before.
    pub browsers: Vec<String>,
    /// The session token that the browser sent, valid or not.
    pub token: Option<String>,
    /// The session, if the token is valid.
    pub session: Option<Session>,
    /// Whether this installation is a sandbox, where all persons are made up.
    pub sandbox: bool,
    /// Whether reminders and locks are frozen.
    pub frozen: bool,
    /// Whether passkeys work under the address of this server.
    pub passkeys: bool,
    chose_language: bool,
}

impl RequestContext {
    /// The layout of a page.
    pub fn layout(&self) -> Layout {
        let going = self.going.as_deref().map(|to| format!("?to={}", query_encode(to)));
        let going = going.unwrap_or_default();
        Layout {
            locale: self.locale,
            here: format!("{}{going}", self.here),
            going,
            signed_in: self.session.is_some(),
            desk: self
                .session
                .as_ref()
                .is_some_and(|session| session.operator().is_some()),
            wrong: false,
            sandbox: self.sandbox,
            frozen: self.frozen,
            code: String::new(),
        }
    }
}

impl RequestContext {
    /// Switches the page to the first language that a connected system requests (`ui_locales`) and that exists, unless the
    /// reader chose a language before.
    pub fn in_asked_language(&self, locales: Option<&str>, page: Response) -> Response {
        let asked = locales.unwrap_or_default().split(' ');
        let known = asked.filter_map(|tag| Locale::of_tag(tag.split('-').next().unwrap_or_default()));
        match known.into_iter().next().filter(|_| !self.chose_language) {
            Some(locale) => {
                let cookie = Cookie::build((LANGUAGE, locale.tag()))
                    .path("/")
                    .same_site(SameSite::Lax);
                (CookieJar::new().add(cookie), page).into_response()
            }
            None => page,
        }
    }
}

impl FromRequestParts<App> for RequestContext {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let jar = CookieJar::from_headers(&parts.headers);
        let locale = jar.get(LANGUAGE).and_then(|cookie| Locale::of_tag(cookie.value()));
        let locale = locale
            .or_else(|| Locale::of_tag("vi"))
            .ok_or_else(|| Redirect::to("/").into_response())?;
        let chose_language = jar.get(LANGUAGE).is_some();
        let token = jar.get(SESSION).map(|cookie| cookie.value().to_owned());
        let session = match &token {
            Some(token) => app
                .store
                .session(token)
                .await
                .map_err(|e| ErrorPage(locale, e).into_response())?,
            None => None,
        };
        let frozen = app.freeze.is_on(&app.store).await;
        let frozen = frozen.map_err(|e| ErrorPage(locale, e).into_response())?;
        let here = parts.uri.path().to_owned();
        let leads_on = here.starts_with("/sign-in") || here.starts_with("/passkeys");
        let going = leads_on.then(|| parts.uri.query()).flatten().and_then(return_to);
        let system = match &going {
            Some(to) => system_of(app, to)
                .await
                .map_err(|e| ErrorPage(locale, e).into_response())?,
            None => None,
        };
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let from = from.map(|ConnectInfo(at)| counted(app.proxies.client(at.ip(), &parts.headers)));
        let (address, network) = from.unwrap_or_default();
        let agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let browsers = jar.get(BROWSER).map(|cookie| cookie.value().split('.'));
        let browsers = browsers.into_iter().flatten().take(MOST_OWNERS);
        Ok(Self {
            locale,
            going,
            system,
            here,
            address,
            network,
            insecure: is_insecure(app, &parts.headers),
            device: agent.and_then(device),
            ticket: jar.get(TICKET).map(|cookie| cookie.value().to_owned()),
            browsers: browsers.map(ToOwned::to_owned).collect(),
            token,
            session,
            sandbox: app.sandbox,
            frozen,
            passkeys: app.passkeys.is_some(),
            chose_language,
        })
    }
}

/// Whether the page was requested over plain http under a host name other than this machine's own.
fn is_insecure(app: &App, headers: &HeaderMap) -> bool {
    let told = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let over_tls = app.issuer().starts_with("https:") || told("x-forwarded-proto") == Some("https");
    let host = told("host").and_then(|host| Url::parse(&format!("http://{host}")).ok());
    !over_tls && host.is_some_and(|host| !is_loopback(&host))
}

/// The `to` parameter of a query, if it is the request of a connected system or the page of one's own passkeys. A sign-in leads
/// to no other address.
fn return_to(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, to) = pairs.find(|(name, _)| name == "to")?;
    let ours = to.starts_with("/authorize?") || to == "/passkeys" || to.starts_with("/passkeys?");
    ours.then(|| to.into_owned())
}

/// The name of the connected system that sent this authorization request.
pub async fn system_of(app: &App, to: &str) -> Result<Option<String>, StoreError> {
    let Some(query) = to.strip_prefix("/authorize?") else {
        return Ok(None);
    };
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let Some((_, id)) = pairs.find(|(name, _)| name == "client_id") else {
        return Ok(None);
    };
    Ok(app.store.client(&id).await?.map(|known| known.client.name))
}
