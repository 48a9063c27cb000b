//! Which fields differ: told only to whoever holds the phone that the registry has for the typed number (63A: nobody else learns which
//! of four guesses was right). Asking looks the same whether there is such a number and such a phone.

use super::super::App;
use super::super::asker::Asker;
use super::super::code::{Digits, Question, digits, not_right, page};
use super::super::page::Fault;
use super::code::digest;
use super::{Filled, Typed, owner};
use crate::registry::{PATIENCE, ask as ask_registry};
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::citizens::{Field, Fields, RegistryAnswer, parse};
use ngomon_rules::record;
use ngomon_rules::values::NationalId;
use ngomon_store::{Channel, CodeFor, Limit, Purpose, Reach, Result, Visit};

/// How often an account may ask, a day.
const OF_ACCOUNT: Limit = Limit {
    what: "fields-account",
    times: 5,
    seconds: 86_400,
};
/// How often a person's phone is sent such a code, a day, whoever asks.
const OF_PERSON: Limit = Limit {
    what: "fields-person",
    times: 5,
    seconds: 86_400,
};

/// The form that was answered, as it was typed.
async fn answered(app: &App, asker: &Asker) -> Result<Option<(Visit, record::Form, NationalId)>> {
    let Some(visit) = owner(asker) else { return Ok(None) };
    let Some(form) = app.store.draft(&visit.account).await? else {
        return Ok(None);
    };
    let parsed = parse(&form, app.store.today()).ok();
    Ok(parsed.map(|parsed| (visit, form, parsed.national_id)))
}

fn question(asker: &Asker) -> Question {
    let words = asker.words;
    Question {
        title: words.say("form-fields-title"),
        lead: words.say("form-fields-lead"),
        action: "/form/fields/code",
        again: "/form/fields",
        back: ("/form", words.say("form-code-back")),
    }
}

/// Sends a code to the phone that the registry has, if it has one.
pub(super) async fn ask(State(app): State<App>, asker: Asker) -> Response {
    let answer = async {
        let Some((visit, form, number)) = answered(&app, &asker).await? else {
            return Ok(Redirect::to("/form").into_response());
        };
        let of_account = app.store.attempt(OF_ACCOUNT, &[visit.account.as_str()]).await?;
        let of_person = app.store.attempt(OF_PERSON, &[number.as_str()]).await?;
        if of_account.is_none() || of_person.is_none() {
            let filled = Filled {
                typed: Typed::from(form),
                error: Some(asker.words.say("code-too-often")),
                ..Filled::default()
            };
            return super::page(&app, &asker, &visit, filled).await;
        }
        let phone = match ask_registry(&app, number, PATIENCE).await? {
            RegistryAnswer::Found(record) => record.phone,
            RegistryAnswer::NotFound | RegistryAnswer::Unavailable => None,
        };
        let to = [CodeFor {
            subject: digest(&app, &form),
            reach: phone.map(|phone| Reach {
                channel: Channel::Sms,
                to: phone.as_str().to_owned(),
            }),
        }];
        let text = |code: &str| asker.words.say_with("sms-code", &[("code", code)]);
        let holder = asker.token.as_deref().unwrap_or_default();
        app.store.send_codes(holder, Purpose::Fields, &to, text).await?;
        Ok(Redirect::to("/form/fields").into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}

/// Asks for the code.
pub(super) async fn show(State(app): State<App>, asker: Asker) -> Response {
    match answered(&app, &asker).await {
        Ok(Some(_)) => page(&asker, question(&asker), None),
        Ok(None) => Redirect::to("/form").into_response(),
        Err(error) => Fault(asker.words, error).into_response(),
    }
}

/// The code, typed: the form again, with the fields named.
pub(super) async fn check(
    State(app): State<App>,
    asker: Asker,
    typed: std::result::Result<Form<Digits>, FormRejection>,
) -> Response {
    let answer = async {
        let Some((visit, form, number)) = answered(&app, &asker).await? else {
            return Ok(Redirect::to("/form").into_response());
        };
        let holder = asker.token.as_deref().unwrap_or_default();
        let tried = app.store.try_code(holder, Purpose::Fields, &digits(typed)).await?;
        if tried != ngomon_store::Typed::Right(vec![digest(&app, &form)]) {
            return Ok(page(&asker, question(&asker), Some(not_right(&asker, &tried))));
        }
        let registry = ask_registry(&app, number, PATIENCE).await?;
        let differs = app.store.foretell(&visit.account, &form, &registry).await?.fields;
        let fine = differs.is_empty().then(|| asker.words.say("form-fields-fine"));
        let filled = Filled {
            typed: Typed::from(form),
            error: fine,
            errors: named(&asker, &differs),
            ..Filled::default()
        };
        super::page(&app, &asker, &visit, filled).await
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| Fault(asker.words, e).into_response())
}

/// Each differing field with the sentence that names them all.
fn named(asker: &Asker, differs: &Fields) -> Vec<(Field, String)> {
    let words = asker.words;
    let name = |field: &Field| words.say(&format!("word-{}", field.name()));
    let names: Vec<String> = differs.iter().map(name).collect();
    let names = names.join(", ");
    let key = match differs.len() {
        1 => "form-fields-error-one",
        _ => "form-fields-error",
    };
    let text = words.say_with(key, &[("fields", &names)]);
    differs.iter().map(|field| (*field, text.clone())).collect()
}
