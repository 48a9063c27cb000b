//! "Tiếp tục bằng tài khoản mới": continues with the account at the new unit if it has the same password. If it has a password
//! of its own, its owner must sign in.

use crate::app::App;
use crate::http::{ErrorPage, clear_session_cookie, session_cookie};
use crate::pages::ways::{ByMove, WayOutOwner};
use crate::sign_in::page::{SignInNotice, page};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_store::Result;

/// Begins a session of the new account, or leads to the sign-in page.
pub(crate) async fn enter(
    State(app): State<App>,
    WayOutOwner { mut ctx, session, .. }: WayOutOwner<ByMove>,
) -> Response {
    let locale = ctx.locale;
    let answer = async {
        let explanation = app
            .store
            .explain_page(session.account.as_str(), app.store.today(), None)
            .await?;
        let Some(new) = explanation.moved_to else {
            return Ok(Redirect::to("/held").into_response());
        };
        let held = ctx.token.clone().unwrap_or_default();
        if let Some(token) = app.store.resume_after_move(&held, &new.account).await? {
            return Ok((session_cookie(&token), Redirect::to("/")).into_response());
        }
        app.store.close_session(&held).await?;
        ctx.session = None;
        let said = SignInNotice {
            username: new.username.unwrap_or_default(),
            ..SignInNotice::default()
        };
        Ok((clear_session_cookie(), page(&ctx, StatusCode::OK, said)).into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}
