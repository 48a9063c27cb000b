//! The fields that differ: shown only to a visitor who holds the phone that the registry has for the typed number (63A: nobody
//! else learns which of four guesses was right). A request looks the same whether or not the number and the phone exist.

use crate::app::App;
use crate::http::{ErrorPage, RequestContext};
use crate::pages::standardise::page::FilledForm;
use crate::pages::standardise::typed_form::StandardiseForm;
use crate::pages::ways::{ByForm, WayOutOwner};
use crate::registry_client::{PATIENCE, ask as ask_registry};
use crate::security::password::with_minimum_delay;
use crate::sign_in::limits;
use crate::sign_in::one_time_code::{Digits, Question, digits, not_right, page};
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_rules::citizens::{Field, Fields, RegistryAnswer, parse_of_file};
use ngomon_rules::records;
use ngomon_rules::values::NationalId;
use ngomon_store::{Channel, CodeRecipient, ContactPoint, Purpose, RateLimit, Requester, Result, SendResult, Session};

/// Codes that one account may request per day.
const OF_ACCOUNT: RateLimit = RateLimit {
    what: "fields-account",
    times: 5,
    seconds: 86_400,
};
/// Codes sent to one person's phone per day, by accounts that may be anybody's.
const OF_PERSON: RateLimit = RateLimit {
    what: "fields-person",
    times: 5,
    seconds: 86_400,
};

/// The form that was answered, as it was typed.
async fn answered(app: &App, session: &Session) -> Result<Option<(records::Form, NationalId)>> {
    let Some(form) = app.store.draft(&session.account).await? else {
        return Ok(None);
    };
    let parsed = parse_of_file(&form, app.store.today()).ok();
    Ok(parsed.map(|parsed| (form, parsed.national_id)))
}

/// A MAC that binds a code to the number, whatever else is typed: the code proves whose number it is.
fn subject(app: &App, number: &NationalId) -> String {
    URL_SAFE_NO_PAD.encode(
        app.store
            .keys()
            .ticket_mac(&[b"fields code", number.as_str().as_bytes()]),
    )
}

fn question(ctx: &RequestContext) -> Question {
    let locale = ctx.locale;
    Question {
        title: locale.text("form-fields-title"),
        lead: locale.text("form-fields-lead"),
        action: "/form/fields/code",
        again: "/form/fields",
        back: ("/form", locale.text("form-code-back")),
    }
}

/// Sends a code to the phone that the registry has, if it has one. Everything but the message happens in either case, in the
/// same time.
pub(crate) async fn ask(State(app): State<App>, WayOutOwner { ctx, session, .. }: WayOutOwner<ByForm>) -> Response {
    let not_before = with_minimum_delay();
    let answer = async {
        let Some((form, number)) = answered(&app, &session).await? else {
            return Ok(Redirect::to("/form").into_response());
        };
        let mut limit = vec![OF_ACCOUNT.of(&[session.account.as_str()])];
        if !limits::is_own_person(&app, &session.account, &number).await? {
            limit.push(OF_PERSON.of(&[number.as_str()]));
        }
        let who = Requester::Session(session.account.clone());
        if !app.store.has_room_for_codes(&who).await? {
            return refused(&app, &ctx, &session, form, "code-many").await;
        }
        let phone = match ask_registry(&app, number, PATIENCE).await? {
            RegistryAnswer::Found(record) => record.phone,
            RegistryAnswer::NotFound | RegistryAnswer::Unavailable => None,
        };
        let to = [CodeRecipient {
            subject: subject(&app, &number),
            reach: phone.map(|phone| ContactPoint {
                channel: Channel::Sms,
                to: phone.as_str().to_owned(),
            }),
        }];
        let text = |code: &str| ctx.locale.text_with("sms-code", &[("code", code)]);
        let holder = ctx.token.as_deref().unwrap_or_default();
        let sent = app.store.send_codes(holder, Purpose::Fields, &who, &limit, &to, text);
        if sent.await? == SendResult::TooOften {
            return refused(&app, &ctx, &session, form, "code-too-often").await;
        }
        Ok(Redirect::to("/form/fields").into_response())
    };
    let answer: Result<Response> = answer.await;
    not_before.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

/// Shows the form again, because no code can be sent now.
async fn refused(
    app: &App,
    ctx: &RequestContext,
    session: &Session,
    form: records::Form,
    why: &str,
) -> Result<Response> {
    let filled = FilledForm {
        typed: StandardiseForm::from(form),
        error: Some(("S-429", ctx.locale.text(why))),
        ..FilledForm::default()
    };
    super::page::page(app, ctx, session, filled).await
}

/// Shows the page on which the code is typed.
pub(crate) async fn show(State(app): State<App>, WayOutOwner { ctx, session, .. }: WayOutOwner<ByForm>) -> Response {
    match answered(&app, &session).await {
        Ok(Some(_)) => page(&ctx, question(&ctx), None),
        Ok(None) => Redirect::to("/form").into_response(),
        Err(error) => ErrorPage(ctx.locale, error).into_response(),
    }
}

/// Checks the typed code, and shows the form with the differing fields named.
pub(crate) async fn check(
    State(app): State<App>,
    WayOutOwner { ctx, session, .. }: WayOutOwner<ByForm>,
    typed: std::result::Result<Form<Digits>, FormRejection>,
) -> Response {
    let answer = async {
        let Some((form, number)) = answered(&app, &session).await? else {
            return Ok(Redirect::to("/form").into_response());
        };
        let holder = ctx.token.as_deref().unwrap_or_default();
        let tried = app.store.try_code(holder, Purpose::Fields, &digits(typed)).await?;
        if tried != ngomon_store::CodeCheck::Right(vec![subject(&app, &number)]) {
            return Ok(page(&ctx, question(&ctx), Some(not_right(&ctx, &tried))));
        }
        limits::proven_phone(&app, &session.account, &number).await?;
        let registry = ask_registry(&app, number, PATIENCE).await?;
        let differs = app.store.preview_form(&session.account, &form, &registry).await?.fields;
        let fine = differs
            .is_empty()
            .then(|| ("C2-M3", ctx.locale.text("form-fields-fine")));
        let filled = FilledForm {
            typed: StandardiseForm::from(form),
            error: fine,
            errors: named(&ctx, &differs),
            ..FilledForm::default()
        };
        super::page::page(&app, &ctx, &session, filled).await
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

/// Each differing field, with the sentence that names them all.
fn named(ctx: &RequestContext, differs: &Fields) -> Vec<(Field, String)> {
    let locale = ctx.locale;
    let name = |field: &Field| locale.text(&format!("word-{}", field.name()));
    let names: Vec<String> = differs.iter().map(name).collect();
    let names = names.join(", ");
    let key = match differs.len() {
        1 => "form-fields-error-one",
        _ => "form-fields-error",
    };
    let text = locale.text_with(key, &[("fields", &names)]);
    differs.iter().map(|field| (*field, text.clone())).collect()
}
