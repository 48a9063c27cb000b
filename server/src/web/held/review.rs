//! "Đề nghị xem xét lại": a receipt to bring to a counter.

use super::super::App;
use super::super::asker::Asker;
use super::super::page::{Answer, Fault, html};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_store::Result;

/// Asks, once.
pub(super) async fn ask(State(app): State<App>, asker: Asker) -> Response {
    let Some(visit) = asker.visit.as_ref().filter(|visit| visit.held) else {
        return Redirect::to("/").into_response();
    };
    let answer = async {
        app.store.request_review(&visit.account).await?;
        app.store.seal().await?;
        Ok(Redirect::to("/held/review").into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}

/// The receipt.
pub(super) async fn show(State(app): State<App>, asker: Asker) -> Response {
    let Some(visit) = asker.visit.as_ref().filter(|visit| visit.held) else {
        return Redirect::to("/").into_response();
    };
    match app.store.open_review(&visit.account).await {
        Ok(Some(receipt)) => {
            let page = Answer {
                title: asker.words.say("review-title"),
                text: asker.words.say("review-text"),
                shell: asker.shell(),
                receipt: Some(receipt),
                code: String::new(),
            };
            html(StatusCode::OK, &page)
        }
        Ok(None) => Redirect::to("/held").into_response(),
        Err(error) => Fault(asker.words, error).into_response(),
    }
}
