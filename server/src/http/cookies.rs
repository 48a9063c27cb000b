//! The cookies.

use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use ngomon_store::SessionToken;

/// The `__Host-` prefix: the browser sends the cookie back over TLS or to this very machine only, to no other host and to no
/// subdomain.
pub const SESSION: &str = "__Host-ngomon";

/// Lasts from one page of a sign-in to the next, and from asking for a one-time code until it is typed.
pub const TICKET: &str = "__Host-ngomon-code";

/// Lasts as long as browsers keep any cookie. It holds a mark for each owner who signed in in this browser.
pub const BROWSER: &str = "__Host-ngomon-browser";

/// The most owners remembered in one browser.
pub const MOST_OWNERS: usize = 8;

pub const LANGUAGE: &str = "language";

/// The session cookie.
pub fn session_cookie(token: &SessionToken) -> CookieJar {
    cookie_value(SESSION, token)
}

/// The cookie of a visitor who is between two pages of a sign-in, or who asked for a one-time code.
pub fn ticket_cookie(secret: &str) -> CookieJar {
    CookieJar::new().add(cookie(TICKET, secret.to_owned()))
}

fn cookie_value(name: &'static str, token: &SessionToken) -> CookieJar {
    CookieJar::new().add(cookie(name, token.as_str().to_owned()))
}

pub fn cookie(name: &'static str, value: String) -> Cookie<'static> {
    let cookie = Cookie::build((name, value)).path("/");
    cookie.secure(true).http_only(true).same_site(SameSite::Lax).build()
}

/// Deletes the session cookie.
pub fn clear_session_cookie() -> CookieJar {
    let cookie = Cookie::build((SESSION, "")).path("/").secure(true).http_only(true);
    CookieJar::new().add(cookie.removal())
}
