//! The way out of `idle`: the owner, whose password was right, types a one-time code that went to the phone or mail on file.
//!
//! ```text
//!   held for idle ── a code is sent ── typed right ──▶ the hold is lifted, today is the last sign-in
//! ```

use crate::app::App;
use crate::http::{ErrorPage, RequestContext, message};
use crate::pages::ways::{ByCode, WayOutOwner};
use crate::sign_in::one_time_code::{Digits, Question, digits, not_right};
use crate::sign_in::{limits, one_time_code};
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_store::{CodeCheck, CodeRecipient, Purpose, Requester, Result, SendResult};

async fn question(app: &App, through: &WayOutOwner<ByCode>) -> Result<Question> {
    let (locale, account) = (through.ctx.locale, through.session.account.as_str());
    let explanation = app.store.account_explanation(account, app.store.today()).await?;
    Ok(Question {
        title: locale.text("form-code-title"),
        lead: match explanation.fact("phone") {
            Some(phone) => locale.text_with("held-code-lead", &[("phone", phone)]),
            None => locale.text("held-code-lead-mail"),
        },
        action: "/held/code",
        again: "/held/code/send",
        back: ("/held", locale.text("held-code-back")),
    })
}

fn nowhere(ctx: &RequestContext) -> Response {
    let (title, text) = (
        ctx.locale.text("held-code-nowhere-title"),
        ctx.locale.text("held-code-nowhere"),
    );
    message(ctx, StatusCode::OK, title, text, "")
}

/// Sends a code.
pub(crate) async fn send(State(app): State<App>, through: WayOutOwner<ByCode>) -> Response {
    let (ctx, account) = (&through.ctx, &through.session.account);
    let answer = async {
        let Some(reach) = app.store.reach(account).await? else {
            return Ok(nowhere(ctx));
        };
        let to = [CodeRecipient {
            subject: account.to_string(),
            reach: Some(reach),
        }];
        let text = |code: &str| ctx.locale.text_with("sms-code", &[("code", code)]);
        let holder = ctx.token.as_deref().unwrap_or_default();
        let who = Requester::Session(account.clone());
        let limit = [limits::own_code("idle", account.as_str())];
        let sent = app.store.send_codes(holder, Purpose::Idle, &who, &limit, &to, text);
        if sent.await? == SendResult::TooOften {
            let error = ctx.locale.text("code-too-often");
            return Ok(one_time_code::page(ctx, question(&app, &through).await?, Some(error)));
        }
        Ok(Redirect::to("/held/code").into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

/// Shows the page on which the code is typed.
pub(crate) async fn ask(State(app): State<App>, through: WayOutOwner<ByCode>) -> Response {
    match question(&app, &through).await {
        Ok(question) => one_time_code::page(&through.ctx, question, None),
        Err(error) => ErrorPage(through.ctx.locale, error).into_response(),
    }
}

/// Checks the typed code, and lifts the hold if it is right.
pub(crate) async fn check(
    State(app): State<App>,
    through: WayOutOwner<ByCode>,
    typed: std::result::Result<Form<Digits>, FormRejection>,
) -> Response {
    let ctx = &through.ctx;
    let answer = async {
        let holder = ctx.token.as_deref().unwrap_or_default();
        match app.store.try_code(holder, Purpose::Idle, &digits(typed)).await? {
            CodeCheck::Right(_) => {
                app.store.end_idle(&through.session.account).await?;
                through.recorded(&app).await
            }
            tried => {
                let error = not_right(ctx, &tried);
                Ok(one_time_code::page(ctx, question(&app, &through).await?, Some(error)))
            }
        }
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}
