//! Pages with one message.

use crate::http::RequestContext;
use crate::http::layout::{MessagePage, html};
use axum::http::StatusCode;
use axum::response::Response;

/// A page with one message.
pub fn message(ctx: &RequestContext, status: StatusCode, title: String, text: String, code: &str) -> Response {
    let layout = match code {
        "" => ctx.layout(),
        _ => ctx.layout().failing(code),
    };
    html(status, &MessagePage::new(layout, title, text))
}

/// The page for an address that does not exist.
pub async fn not_found(ctx: RequestContext) -> Response {
    let (title, text) = (ctx.locale.text("missing-title"), ctx.locale.text("missing-text"));
    nothing_here(&ctx, title, text)
}

/// A "not found" page with this message. The visitor has nothing to correct, so it only links to the first page.
pub fn nothing_here(ctx: &RequestContext, title: String, text: String) -> Response {
    let mut layout = ctx.layout();
    layout.code = "S-404".into();
    let page = MessagePage {
        on: "page-first",
        ..MessagePage::new(layout, title, text)
    };
    html(StatusCode::NOT_FOUND, &page)
}
