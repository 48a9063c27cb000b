//! What another site's page sent, or a page of which the browser does not say whose it is: nothing of it is done, and whoever sits there reads
//! what happened.

use super::guard::language;
use super::page::{Answer, Shell, html};
use crate::output::Words;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use tower_http::csrf::ProtectionError;

/// Around what refuses it. No session is looked at: such a request says nothing about who is there.
pub async fn explain(request: Request, next: Next) -> Response {
    let language = language(request.headers());
    let answer = next.run(request).await;
    let is_refused = answer.extensions().get::<ProtectionError>().is_some();
    match language.or_else(|| Words::of_tag("vi")) {
        Some(words) if is_refused => page(words),
        _ => answer,
    }
}

fn page(words: Words) -> Response {
    let shell = Shell::bare(words).failing("S-403");
    let (title, text) = (words.say("foreign-title"), words.say("foreign-text"));
    let page = Answer {
        on: "page-first",
        ..Answer::new(shell, title, text)
    };
    html(StatusCode::FORBIDDEN, &page)
}
