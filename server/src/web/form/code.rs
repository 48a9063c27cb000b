//! The last step of a form: a one-time code to the phone that was typed.

use super::super::App;
use super::super::asker::Asker;
use super::super::code::{Digits, FOR_ONE, Question, TO_ONE, digits, not_right, page};
use super::super::page::Fault;
use super::send::{submit, told};
use super::{Filled, Typed, owner};
use crate::registry::{PATIENCE, ask};
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_rules::citizens::{Field, ParsedForm, parse};
use ngomon_rules::record;
use ngomon_store::{Channel, CodeFor, Purpose, Reach, Result, Visit};

/// A code is good for this very form: another one, sent meanwhile in another window, needs its own.
pub(super) fn digest(app: &App, form: &record::Form) -> String {
    let parts = [&form.full_name, &form.national_id, &form.issued_on, &form.phone];
    let lengths: Vec<[u8; 8]> = parts.iter().map(|part| part.len().to_be_bytes()).collect();
    let mut all: Vec<&[u8]> = vec![b"form code"];
    for (part, length) in parts.iter().zip(&lengths) {
        all.extend([&length[..], part.as_bytes()]);
    }
    URL_SAFE_NO_PAD.encode(app.store.keys().mac(&all))
}

/// Sends the code and keeps the form until it is typed.
pub(super) async fn begin(
    app: &App,
    asker: &Asker,
    visit: &Visit,
    form: &record::Form,
    parsed: &ParsedForm,
) -> Result<Response> {
    app.store.keep_draft(&visit.account, form).await?;
    let for_one = app.store.attempt(FOR_ONE, &["form", visit.account.as_str()]).await?;
    let to_one = app.store.attempt(TO_ONE, &[parsed.phone.as_str()]).await?;
    if for_one.is_none() || to_one.is_none() {
        let filled = Filled {
            typed: Typed::from(form.clone()),
            errors: vec![(Field::Phone, asker.words.say("code-too-often"))],
            ..Filled::default()
        };
        return super::page(app, asker, visit, filled).await;
    }
    let to = [CodeFor {
        subject: digest(app, form),
        reach: Some(Reach {
            channel: Channel::Sms,
            to: parsed.phone.as_str().to_owned(),
        }),
    }];
    let text = |code: &str| asker.words.say_with("sms-code", &[("code", code)]);
    let holder = asker.token.as_deref().unwrap_or_default();
    app.store.send_codes(holder, Purpose::Form, &to, text).await?;
    Ok(Redirect::to("/form/code").into_response())
}

/// The form that waits for its code.
async fn waiting(app: &App, asker: &Asker) -> Result<Option<(Visit, record::Form, ParsedForm)>> {
    let Some(visit) = owner(asker) else { return Ok(None) };
    let Some(form) = app.store.draft(&visit.account).await? else {
        return Ok(None);
    };
    Ok(parse(&form, app.store.today()).ok().map(|parsed| (visit, form, parsed)))
}

fn question(asker: &Asker, parsed: &ParsedForm) -> Question {
    let words = asker.words;
    Question {
        title: words.say("form-code-title"),
        lead: words.say_with("form-code-lead", &[("phone", &parsed.phone.masked())]),
        action: "/form/code",
        again: "/form/code/again",
        back: ("/form", words.say("form-code-back")),
    }
}

/// Asks for the code.
pub(super) async fn show(State(app): State<App>, asker: Asker) -> Response {
    match waiting(&app, &asker).await {
        Ok(Some((_, _, parsed))) => page(&asker, question(&asker, &parsed), None),
        Ok(None) => Redirect::to("/form").into_response(),
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
        let Some((visit, form, parsed)) = waiting(&app, &asker).await? else {
            return Ok(Redirect::to("/form").into_response());
        };
        let holder = asker.token.as_deref().unwrap_or_default();
        let tried = app.store.try_code(holder, Purpose::Form, &digits(typed)).await?;
        if tried != ngomon_store::Typed::Right(vec![digest(&app, &form)]) {
            return Ok(page(&asker, question(&asker, &parsed), Some(not_right(&asker, &tried))));
        }
        let registry = ask(&app, parsed.national_id, PATIENCE).await?;
        let done = submit(&app, &visit, &form, registry).await?;
        Ok(told(&app, &asker, &visit, done, parsed.full_name.as_str()))
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}

/// Another code.
pub(super) async fn again(State(app): State<App>, asker: Asker) -> Response {
    let answer = async {
        match waiting(&app, &asker).await? {
            Some((visit, form, parsed)) => begin(&app, &asker, &visit, &form, &parsed).await,
            None => Ok(Redirect::to("/form").into_response()),
        }
    };
    answer.await.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}
