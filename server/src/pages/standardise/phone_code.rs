//! The last step of a form: a one-time code to the phone that was entered.

use crate::app::App;
use crate::http::{ErrorPage, RequestContext};
use crate::pages::standardise::answer::judged;
use crate::pages::standardise::page::FilledForm;
use crate::pages::standardise::typed_form::StandardiseForm;
use crate::pages::ways::{ByForm, WayOutOwner};
use crate::sign_in::limits;
use crate::sign_in::one_time_code::{Digits, Question, digits, not_right, page};
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_rules::citizens::{Field, ParsedForm, parse};
use ngomon_rules::records;
use ngomon_store::{Channel, CodeRecipient, ContactPoint, Purpose, Requester, Result, SendResult, Session};

/// A digest that binds a code to this very form. Another form, sent meanwhile in another window, needs its own code.
fn digest(app: &App, form: &records::Form) -> String {
    let parts = [&form.full_name, &form.national_id, &form.issued_on, &form.phone];
    let lengths: Vec<[u8; 8]> = parts.iter().map(|part| part.len().to_be_bytes()).collect();
    let mut all: Vec<&[u8]> = vec![b"form code"];
    for (part, length) in parts.iter().zip(&lengths) {
        all.extend([&length[..], part.as_bytes()]);
    }
    URL_SAFE_NO_PAD.encode(app.store.keys().ticket_mac(&all))
}

/// Sends the code and stores the form as a draft until the code is typed.
pub(crate) async fn begin(
    app: &App,
    ctx: &RequestContext,
    session: &Session,
    form: &records::Form,
    parsed: &ParsedForm,
) -> Result<Response> {
    app.store.keep_draft(&session.account, form).await?;
    let to = [CodeRecipient {
        subject: digest(app, form),
        reach: Some(ContactPoint {
            channel: Channel::Sms,
            to: parsed.phone.as_str().to_owned(),
        }),
    }];
    let text = |code: &str| ctx.locale.text_with("sms-code", &[("code", code)]);
    let holder = ctx.token.as_deref().unwrap_or_default();
    let who = Requester::Session(session.account.clone());
    let limit = [limits::own_code("form", session.account.as_str())];
    let sent = app.store.send_codes(holder, Purpose::Form, &who, &limit, &to, text);
    if sent.await? == SendResult::TooOften {
        let filled = FilledForm {
            typed: StandardiseForm::from(form.clone()),
            errors: vec![(Field::Phone, ctx.locale.text("code-too-often"))],
            ..FilledForm::default()
        };
        return super::page::page(app, ctx, session, filled).await;
    }
    Ok(Redirect::to("/form/code").into_response())
}

/// The form that waits for its code.
async fn waiting(app: &App, session: &Session) -> Result<Option<(records::Form, ParsedForm)>> {
    let Some(form) = app.store.draft(&session.account).await? else {
        return Ok(None);
    };
    Ok(parse(&form, app.store.today()).ok().map(|parsed| (form, parsed)))
}

fn question(ctx: &RequestContext, parsed: &ParsedForm) -> Question {
    let locale = ctx.locale;
    Question {
        title: locale.text("form-code-title"),
        lead: locale.text_with("form-code-lead", &[("phone", &parsed.phone.masked())]),
        action: "/form/code",
        again: "/form/code/again",
        back: ("/form", locale.text("form-code-back")),
    }
}

/// Shows the page on which the code is typed.
pub(crate) async fn show(State(app): State<App>, WayOutOwner { ctx, session, .. }: WayOutOwner<ByForm>) -> Response {
    match waiting(&app, &session).await {
        Ok(Some((_, parsed))) => page(&ctx, question(&ctx, &parsed), None),
        Ok(None) => Redirect::to("/form").into_response(),
        Err(error) => ErrorPage(ctx.locale, error).into_response(),
    }
}

/// Checks the typed code, and submits the form if it is right.
pub(crate) async fn check(
    State(app): State<App>,
    WayOutOwner { ctx, session, .. }: WayOutOwner<ByForm>,
    typed: std::result::Result<Form<Digits>, FormRejection>,
) -> Response {
    let answer = async {
        let Some((form, parsed)) = waiting(&app, &session).await? else {
            return Ok(Redirect::to("/form").into_response());
        };
        let holder = ctx.token.as_deref().unwrap_or_default();
        let tried = app.store.try_code(holder, Purpose::Form, &digits(typed)).await?;
        if tried != ngomon_store::CodeCheck::Right(vec![digest(&app, &form)]) {
            return Ok(page(&ctx, question(&ctx, &parsed), Some(not_right(&ctx, &tried))));
        }
        let own_code = limits::own_code("form", session.account.as_str());
        app.store.give_back(&[own_code]).await?;
        judged(&app, &ctx, &session, StandardiseForm::from(form), &parsed, true).await
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

/// Sends another code.
pub(crate) async fn again(State(app): State<App>, WayOutOwner { ctx, session, .. }: WayOutOwner<ByForm>) -> Response {
    let answer = async {
        match waiting(&app, &session).await? {
            Some((form, parsed)) => begin(&app, &ctx, &session, &form, &parsed).await,
            None => Ok(Redirect::to("/form").into_response()),
        }
    };
    answer
        .await
        .unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}
