//! "Đề nghị xem xét lại": the request for a review, whose receipt the owner brings to a counter.

use crate::app::App;
use crate::http::{ErrorPage, MessagePage, html};
use crate::pages::ways::{ByReview, WayOutOwner};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_store::Result;

/// Requests a review. There is at most one at a time.
pub(crate) async fn ask(State(app): State<App>, through: WayOutOwner<ByReview>) -> Response {
    let answer = async {
        if let Some(page) = through.once_more(&app, "review").await? {
            return Ok(page);
        }
        app.store.request_review(&through.session.account).await?;
        Ok(Redirect::to("/held/review").into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(through.ctx.locale, e).into_response())
}

/// Shows the receipt.
pub(crate) async fn show(State(app): State<App>, WayOutOwner { ctx, session, .. }: WayOutOwner<ByReview>) -> Response {
    match app.store.open_review(&session.account).await {
        Ok(Some(receipt)) => {
            let (title, text) = (ctx.locale.text("review-title"), ctx.locale.text("review-text"));
            let page = MessagePage {
                receipt: Some(receipt),
                ..MessagePage::new(ctx.layout(), title, text)
            };
            html(StatusCode::OK, &page)
        }
        Ok(None) => Redirect::to("/held").into_response(),
        Err(error) => ErrorPage(ctx.locale, error).into_response(),
    }
}
