//! The sign-in with a passkey, without a user name. Every wrong answer gets the same message, after the same time.

use crate::app::App;
use crate::http::{ErrorPage, RequestContext};
use crate::security::password::with_minimum_delay;
use crate::security::webauthn::CeremonyResponse;
use crate::sign_in::choose_account::choose_account_page;
use crate::sign_in::limits;
use crate::sign_in::page::{SignInNotice, expired_page, page};
use crate::sign_in::passkeys::ceremony::{AssertionForm, challenged, proven};
use crate::sign_in::session::enter_proven;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_rules::records::AccountId;
use ngomon_store::{Ceremony, Factor, Result, TryResult};

/// The challenge of a sign-in, for a visitor who is not known yet.
pub async fn challenge(State(app): State<App>, ctx: RequestContext) -> Response {
    let asked = challenged(&app, &ctx, Ceremony::SignIn, async |passkeys| passkeys.ask(&[]));
    asked.await.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

/// Verifies the device's answer and begins a session.
pub async fn enter(
    State(app): State<App>,
    ctx: RequestContext,
    shown: std::result::Result<Form<AssertionForm>, FormRejection>,
) -> Response {
    let AssertionForm { ceremony, credential } = shown.map(|Form(shown)| shown).unwrap_or_default();
    let not_before = with_minimum_delay();
    let refused = |status, key| {
        let passkey = Some(ctx.locale.text(key));
        page(
            &ctx,
            status,
            SignInNotice {
                passkey,
                ..SignInNotice::default()
            },
        )
    };
    let answer = async {
        let answer = CeremonyResponse::read(&credential);
        let passkey = answer
            .as_ref()
            .map(|answer| URL_SAFE_NO_PAD.encode(answer.credential()));
        let mark = match &answer {
            Some(answer) if !ctx.browsers.is_empty() => app.store.browser_mark_of_passkey(answer.credential()).await?,
            _ => None,
        };
        let who = limits::who(&app, &ctx, mark);
        let limits = limits::passkey(&ctx, &who, passkey.as_deref().unwrap_or_default());
        let at = app.store.now();
        let tried = app.store.tried(&limits, async {
            let opens = match &answer {
                Some(answer) => proven(&app, Ceremony::SignIn, &ceremony, answer).await?,
                None => None,
            };
            Ok(opens.ok_or(()))
        });
        let (kept, mut opens) = match tried.await? {
            TryResult::Right(opens) => opens,
            TryResult::Wrong((), _) => {
                not_before.await;
                return Ok(refused(StatusCode::UNPROCESSABLE_ENTITY, "passkey-wrong"));
            }
            TryResult::TooOften => return Ok(refused(StatusCode::TOO_MANY_REQUESTS, "sign-in-too-often")),
        };
        app.store.give_back(&[limits::challenge(&ctx)]).await?;
        if opens.len() > 1 {
            let accounts: Vec<AccountId> = opens.iter().map(|one| one.account().clone()).collect();
            return choose_account_page(&app, &ctx, &accounts, Factor::Passkey(kept), at).await;
        }
        match opens.pop() {
            Some(only) => enter_proven(&app, &ctx, only).await,
            None => Ok(expired_page(&ctx)),
        }
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}
