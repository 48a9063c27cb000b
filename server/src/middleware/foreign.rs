//! The page for a form that another site's page sent, or a page whose origin the browser hides (`Origin: null`). The form is refused, and the
//! visitor reads what happened.

use crate::http::{Layout, MessagePage, html};
use crate::i18n::Locale;
use crate::middleware::guard::language;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use tower_http::csrf::ProtectionError;

/// Replaces the empty refusal of the CSRF layer by a page. The session is not read: such a request says nothing about who sent it.
pub async fn explain_refusal(request: Request, next: Next) -> Response {
    let language = language(request.headers());
    let answer = next.run(request).await;
    let is_refused = answer.extensions().get::<ProtectionError>().is_some();
    match language.or_else(|| Locale::of_tag("vi")) {
        Some(locale) if is_refused => page(locale),
        _ => answer,
    }
}

fn page(locale: Locale) -> Response {
    let layout = Layout::bare(locale).failing("S-403");
    let (title, text) = (locale.text("foreign-title"), locale.text("foreign-text"));
    let page = MessagePage {
        on: "page-first",
        ..MessagePage::new(layout, title, text)
    };
    html(StatusCode::FORBIDDEN, &page)
}
