//! The choice of the language.

use crate::http::cookies::LANGUAGE;
use crate::i18n::Locale;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use serde::Deserialize;

/// The page to continue with.
#[derive(Deserialize)]
pub struct ReturnQuery {
    #[serde(default)]
    to: String,
}

/// Switches the language and remembers it. Redirects to a page of this server only.
pub async fn language(Path(tag): Path<String>, Query(ReturnQuery { to }): Query<ReturnQuery>) -> Response {
    // Only what a `Location` header can carry: no spaces, nothing beyond ASCII.
    let plain = to.bytes().all(|byte| byte.is_ascii_graphic());
    let ours = plain && to.starts_with('/') && !to[1..].starts_with(['/', '\\']);
    let to = if ours { to } else { "/".to_owned() };
    let Some(locale) = Locale::of_tag(&tag) else {
        return Redirect::to(&to).into_response();
    };
    let cookie = Cookie::build((LANGUAGE, locale.tag()))
        .path("/")
        .same_site(SameSite::Lax);
    (CookieJar::new().add(cookie.permanent()), Redirect::to(&to)).into_response()
}
