//! The way out of `idle`: the owner, whose password was right, types a one-time code that went to the phone or mail on file.
//!
//! ```text
//!   held for idle ── a code is sent ── typed right ──▶ the hold is lifted, today is the last sign-in
//! ```

use super::super::App;
use super::super::asker::Asker;
use super::super::code::{self, Digits, FOR_ONE, Question, TO_ONE, digits, not_right};
use super::super::page::{Fault, message};
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::hold::Reason;
use ngomon_rules::record::AccountId;
use ngomon_store::{CodeFor, Explained, Purpose, Result, Typed};

/// The account of the held visit and what is known of it, if `idle` holds it.
async fn idle(app: &App, asker: &Asker) -> Result<Option<(AccountId, Explained)>> {
    let Some(visit) = asker.visit.as_ref().filter(|visit| visit.held) else {
        return Ok(None);
    };
    let story = app.store.story(visit.account.as_str(), app.store.today()).await?;
    let holds = story.holds.iter().any(|held| held.hold.reason == Reason::Idle);
    Ok(holds.then(|| (visit.account.clone(), story)))
}

fn question(asker: &Asker, story: &Explained) -> Question {
    let words = asker.words;
    Question {
        title: words.say("form-code-title"),
        lead: match story.fact("phone") {
            Some(phone) => words.say_with("held-code-lead", &[("phone", phone)]),
            None => words.say("held-code-lead-mail"),
        },
        action: "/held/code",
        again: "/held/code/send",
        back: ("/held", words.say("held-code-back")),
    }
}

fn nowhere(asker: &Asker) -> Response {
    let (title, text) = (
        asker.words.say("held-code-nowhere-title"),
        asker.words.say("held-code-nowhere"),
    );
    message(asker, StatusCode::OK, title, text, "")
}

/// Sends a code.
pub(super) async fn send(State(app): State<App>, asker: Asker) -> Response {
    let answer = async {
        let Some((account, story)) = idle(&app, &asker).await? else {
            return Ok(Redirect::to("/held").into_response());
        };
        let Some(reach) = app.store.reach(&account).await? else {
            return Ok(nowhere(&asker));
        };
        let for_one = app.store.attempt(FOR_ONE, &["idle", account.as_str()]).await?;
        if for_one.is_none() || app.store.attempt(TO_ONE, &[&reach.to]).await?.is_none() {
            let error = asker.words.say("code-too-often");
            return Ok(code::page(&asker, question(&asker, &story), Some(error)));
        }
        let to = [CodeFor {
            subject: account.to_string(),
            reach: Some(reach),
        }];
        let text = |code: &str| asker.words.say_with("sms-code", &[("code", code)]);
        let holder = asker.token.as_deref().unwrap_or_default();
        app.store.send_codes(holder, Purpose::Idle, &to, text).await?;
        Ok(Redirect::to("/held/code").into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}

/// Asks for the code.
pub(super) async fn ask(State(app): State<App>, asker: Asker) -> Response {
    match idle(&app, &asker).await {
        Ok(Some((_, story))) => code::page(&asker, question(&asker, &story), None),
        Ok(None) => Redirect::to("/held").into_response(),
        Err(error) => Fault(asker.words, error).into_response(),
    }
}

/// The code, typed.
pub(super) async fn check(
    State(app): State<App>,
    asker: Asker,
    typed: std::result::Result<Form<Digits>, FormRejection>,
) -> Response {
    let answer = async {
        let Some((account, story)) = idle(&app, &asker).await? else {
            return Ok(Redirect::to("/held").into_response());
        };
        let holder = asker.token.as_deref().unwrap_or_default();
        match app.store.try_code(holder, Purpose::Idle, &digits(typed)).await? {
            Typed::Right(_) => {
                app.store.end_idle(&account).await?;
                app.store.seal().await?;
                Ok(Redirect::to("/held").into_response())
            }
            tried => {
                let error = not_right(&asker, &tried);
                Ok(code::page(&asker, question(&asker, &story), Some(error)))
            }
        }
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}
