//! Who asks: language, address and session, from the request.

use super::App;
use super::page::{Fault, Shell};
use crate::output::Words;
use axum::extract::{ConnectInfo, FromRequestParts, Path, Query};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use ngomon_store::{Token, Visit};
use serde::Deserialize;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The browser sends it back over TLS or to this very machine only, to no other host and to no subdomain.
const SESSION: &str = "__Host-ngomon";
/// Kept from asking for a one-time code until it is typed.
const TICKET: &str = "__Host-ngomon-code";
const LANGUAGE: &str = "language";

/// Who asks.
pub struct Asker {
    /// In which language.
    pub words: Words,
    /// The page that was asked for.
    pub here: String,
    /// Where the sign-in leads on to: the request of a connected system, or the page of the own passkeys.
    pub going: Option<String>,
    /// From where, as tries are counted.
    pub address: String,
    /// The token that the browser sent, good or not.
    pub token: Option<String>,
    /// Who signed in.
    pub visit: Option<Visit>,
    /// Everybody here is made up.
    pub sandbox: bool,
    /// Under our address, devices can have passkeys for us.
    pub passkeys: bool,
    chose_language: bool,
}

impl Asker {
    /// The frame of a page.
    pub fn shell(&self) -> Shell {
        let going = self.going.as_deref().map(|to| format!("?to={}", encoded(to)));
        let going = going.unwrap_or_default();
        Shell {
            words: self.words,
            here: format!("{}{going}", self.here),
            going,
            signed_in: self.visit.is_some(),
            desk: self.visit.as_ref().is_some_and(|visit| visit.operator().is_some()),
            wrong: false,
            sandbox: self.sandbox,
        }
    }
}

impl Asker {
    /// The page in the first language of those that a connected system asks for, unless its reader chose one before.
    pub fn in_asked_language(&self, locales: Option<&str>, page: Response) -> Response {
        let asked = locales.unwrap_or_default().split(' ');
        let known = asked.filter_map(|tag| Words::of_tag(tag.split('-').next().unwrap_or_default()));
        match known.into_iter().next().filter(|_| !self.chose_language) {
            Some(words) => {
                let cookie = Cookie::build((LANGUAGE, words.tag()))
                    .path("/")
                    .same_site(SameSite::Lax);
                (CookieJar::new().add(cookie), page).into_response()
            }
            None => page,
        }
    }
}

impl FromRequestParts<App> for Asker {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let jar = CookieJar::from_headers(&parts.headers);
        let words = jar.get(LANGUAGE).and_then(|cookie| Words::of_tag(cookie.value()));
        let words = words
            .or_else(|| Words::of_tag("vi"))
            .ok_or_else(|| Redirect::to("/").into_response())?;
        let chose_language = jar.get(LANGUAGE).is_some();
        let token = jar.get(SESSION).map(|cookie| cookie.value().to_owned());
        let visit = match &token {
            Some(token) => app
                .store
                .visit(token)
                .await
                .map_err(|e| Fault(words, e).into_response())?,
            None => None,
        };
        let here = parts.uri.path().to_owned();
        let leads_on = here.starts_with("/sign-in") || here.starts_with("/passkeys");
        let going = leads_on.then(|| parts.uri.query()).flatten();
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self {
            words,
            going: going.and_then(going_to),
            here,
            address: from.map(|ConnectInfo(at)| counted(at.ip())).unwrap_or_default(),
            token,
            visit,
            sandbox: app.sandbox,
            passkeys: app.passkeys.is_some(),
            chose_language,
        })
    }
}

/// Who has one address of IPv6 has all that begin with the same 64 bits: together they are one.
fn counted(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
    }
}

/// A value within a query.
pub fn encoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// `to` of a query, where it is the request of a connected system or the page of the own passkeys: to nowhere else does a sign-in lead on.
fn going_to(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, to) = pairs.find(|(name, _)| name == "to")?;
    let ours = to.starts_with("/authorize?") || to == "/passkeys" || to.starts_with("/passkeys?");
    ours.then(|| to.into_owned())
}

/// The session's cookie.
pub fn kept(token: &Token) -> CookieJar {
    secret(SESSION, token)
}

/// The cookie of somebody who asked for a one-time code.
pub fn ticket_cookie(token: &Token) -> CookieJar {
    secret(TICKET, token)
}

/// What the browser of somebody who asked for a one-time code kept.
pub fn ticket(headers: &HeaderMap) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    jar.get(TICKET).map(|cookie| cookie.value().to_owned())
}

fn secret(name: &'static str, token: &Token) -> CookieJar {
    let cookie = Cookie::build((name, token.as_str().to_owned()));
    CookieJar::new().add(cookie.path("/").secure(true).http_only(true).same_site(SameSite::Lax))
}

/// Tells the browser to forget the session.
pub fn forgotten() -> CookieJar {
    let cookie = Cookie::build((SESSION, "")).path("/").secure(true).http_only(true);
    CookieJar::new().add(cookie.removal())
}

/// Where to go on.
#[derive(Deserialize)]
pub struct To {
    #[serde(default)]
    to: String,
}

/// Switches the language and keeps it. Goes on to a page of ours only.
pub async fn language(Path(tag): Path<String>, Query(To { to }): Query<To>) -> Response {
    // As addresses are written in a header: no space, nothing beyond ASCII.
    let plain = to.bytes().all(|byte| byte.is_ascii_graphic());
    let ours = plain && to.starts_with('/') && !to[1..].starts_with(['/', '\\']);
    let to = if ours { to } else { "/".to_owned() };
    let Some(words) = Words::of_tag(&tag) else {
        return Redirect::to(&to).into_response();
    };
    let cookie = Cookie::build((LANGUAGE, words.tag()))
        .path("/")
        .same_site(SameSite::Lax);
    (CookieJar::new().add(cookie.permanent()), Redirect::to(&to)).into_response()
}
