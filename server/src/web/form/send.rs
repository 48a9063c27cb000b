//! The four fields, sent.

use super::super::App;
use super::super::asker::{Asker, encoded};
use super::super::page::{Answer, Fault, html};
use super::{Filled, NOTICE, Typed, code, owner, page};
use crate::output::Words;
use crate::registry::{PATIENCE, ask};
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::citizens::{Field, Fields, Outcome, Proof, RegistryAnswer, parse};
use ngomon_rules::record::{self, Submission};
use ngomon_rules::values::FullName;
use ngomon_store::{Explained, Limit, Result, Submitted, Visit};

/// Guesses of one account a day.
const OF_ACCOUNT: Limit = Limit {
    what: "form-account",
    times: 5,
    seconds: 86_400,
};
/// Guesses at one person from all accounts, a day.
const OF_PERSON: Limit = Limit {
    what: "form-person",
    times: 20,
    seconds: 86_400,
};

/// Forms that are not even right in form, of one account a day: more are answered, and not written down.
const MALFORMED: Limit = Limit {
    what: "form-malformed",
    times: 50,
    seconds: 86_400,
};

/// What is sent. A session that ended meanwhile loses nothing: it is kept until its owner has signed in again.
pub(super) async fn send(
    State(app): State<App>,
    asker: Asker,
    typed: std::result::Result<Form<Typed>, FormRejection>,
) -> Response {
    let words = asker.words;
    let answer = async {
        let Some(visit) = owner(&asker) else {
            return keep(&app, &asker, typed.ok()).await;
        };
        let Ok(Form(typed)) = typed else {
            let filled = Filled {
                error: Some(words.say("form-unreadable")),
                ..Filled::default()
            };
            return page(&app, &asker, &visit, filled).await;
        };
        answered(&app, &asker, &visit, typed).await
    };
    answer.await.unwrap_or_else(|e| Fault(words, e).into_response())
}

async fn keep(app: &App, asker: &Asker, typed: Option<Form<Typed>>) -> Result<Response> {
    if let (None, Some(token), Some(Form(typed))) = (&asker.visit, &asker.token, typed)
        && let Some(account) = app.store.was_session_of(token).await?
    {
        app.store.keep_draft(&account, &typed.form()).await?;
        let next = app.store.take_next(token).await?;
        let to = next.map(|next| format!("&to={}", encoded(&next))).unwrap_or_default();
        return Ok(Redirect::to(&format!("/sign-in?why=kept{to}")).into_response());
    }
    Ok(Redirect::to("/").into_response())
}

async fn answered(app: &App, asker: &Asker, visit: &Visit, typed: Typed) -> Result<Response> {
    let words = asker.words;
    let form = typed.form();
    let account = [visit.account.as_str()];
    let parsed = match parse(&form, app.store.today()) {
        Ok(parsed) => parsed,
        Err(fields) => {
            if app.store.attempt(MALFORMED, &account).await?.is_some() {
                let done = submit(app, visit, &form, RegistryAnswer::Unavailable).await?;
                if done.outcome == Outcome::AlreadyDone {
                    return Ok(told(app, asker, visit, done, ""));
                }
            }
            let filled = Filled {
                errors: malformed(&typed, &fields, words),
                typed,
                ..Filled::default()
            };
            return page(app, asker, visit, filled).await;
        }
    };
    let story = app.store.story(visit.account.as_str(), app.store.today()).await?;
    if let Some(whose) = another(&story, &parsed.full_name).filter(|_| typed.mine != "yes") {
        let filled = Filled {
            typed,
            whose: Some(whose),
            ..Filled::default()
        };
        return page(app, asker, visit, filled).await;
    }
    let of_account = app.store.attempt(OF_ACCOUNT, &account).await?;
    let of_person = app.store.attempt(OF_PERSON, &[parsed.national_id.as_str()]).await?;
    let (Some(left), Some(_)) = (of_account, of_person) else {
        let filled = Filled {
            typed,
            error: Some(words.say(&of_held(visit, "form-too-often"))),
            ..Filled::default()
        };
        return page(app, asker, visit, filled).await;
    };
    let registry = ask(app, parsed.national_id, PATIENCE).await?;
    let foretold = app.store.foretell(&visit.account, &form, &registry).await?;
    if needs_code(app, foretold.outcome).await? {
        return code::begin(app, asker, visit, &form, &parsed).await;
    }
    let done = submit(app, visit, &form, registry).await?;
    if matches!(done.outcome, Outcome::NotFound | Outcome::Mismatch) {
        app.store.keep_draft(&visit.account, &form).await?;
        let left = words.number(left.unsigned_abs());
        let text = words.say_with(&of_held(visit, "form-differs"), &[("left", &left)]);
        let filled = Filled {
            typed,
            error: Some(text),
            can_ask_fields: true,
            ..Filled::default()
        };
        return page(app, asker, visit, filled).await;
    }
    Ok(told(app, asker, visit, done, parsed.full_name.as_str()))
}

/// Of a held account nobody says that it works as before: such a message has a twin.
fn of_held(visit: &Visit, key: &str) -> String {
    if visit.held {
        format!("{key}-held")
    } else {
        key.to_owned()
    }
}

/// Does the typed phone have to be proven first? Where the answer would be no in any case, it need not.
async fn needs_code(app: &App, foretold: Outcome) -> Result<bool> {
    let asked = matches!(foretold, Outcome::Standardised | Outcome::Taken | Outcome::Pending);
    Ok(asked && app.store.campaign().await?.form_code)
}

/// Answers the form for good.
pub(super) async fn submit(
    app: &App,
    visit: &Visit,
    form: &record::Form,
    registry: RegistryAnswer,
) -> Result<Submitted> {
    let submission = Submission {
        seq: String::new(),
        account: visit.account.clone(),
        form: form.clone(),
        submitted_at: None,
        notice: Some(NOTICE),
    };
    let (by, now) = (visit.account.as_str(), app.store.now());
    let done = app
        .store
        .standardise_as_answered(&submission, Proof::Form, by, now, registry)
        .await?;
    app.store.drop_draft(&visit.account).await?;
    app.store.seal().await?;
    Ok(done)
}

/// The page of an answer that asks for nothing to be mended in the form. `name`: as it was typed.
pub(super) fn told(app: &App, asker: &Asker, visit: &Visit, done: Submitted, name: &str) -> Response {
    let words = asker.words;
    let (key, code) = match done.outcome {
        Outcome::Standardised => ("answer-standardised", ""),
        Outcome::AlreadyDone => ("answer-done", ""),
        Outcome::Pending => ("answer-pending", ""),
        Outcome::Taken => ("answer-taken", "C2-M7"),
        Outcome::Revoked => ("answer-revoked", "C2-M5"),
        Outcome::Deceased => ("answer-deceased", "C2-M6"),
        Outcome::NotFound | Outcome::Mismatch | Outcome::Malformed | Outcome::UnknownAccount => ("missing", "S-404"),
    };
    let mut shell = asker.shell();
    shell.here = "/".into();
    let text = match done.outcome {
        Outcome::Pending if visit.held => "answer-pending-text-held".to_owned(),
        _ => format!("{key}-text"),
    };
    let well = matches!(done.outcome, Outcome::Standardised | Outcome::Pending);
    let at = app.store.now().as_microsecond();
    let page = Answer {
        shell,
        title: words.say(&format!("{key}-title")),
        text: words.say_with(&text, &[("name", name), ("at", &words.instant(at))]),
        receipt: done.receipt.filter(|_| well),
        code: code.to_owned(),
    };
    html(StatusCode::OK, &page)
}

/// The name that the account carries, if it is not that of the form, and that of the form.
pub fn another(story: &Explained, typed: &FullName) -> Option<(String, String)> {
    let (carried, _) = FullName::parse(story.fact("full_name")?)?;
    let same = carried.grade(typed).is_same_person();
    (!same).then(|| (carried.as_str().to_owned(), typed.as_str().to_owned()))
}

/// What to mend, field by field.
pub fn malformed(typed: &Typed, fields: &Fields, words: Words) -> Vec<(Field, String)> {
    let empty = |field: Field| {
        let value = match field {
            Field::FullName => &typed.full_name,
            Field::IssuedOn => &typed.issued_on,
            Field::NationalId => &typed.national_id,
            Field::Phone => &typed.phone,
        };
        value.trim().is_empty()
    };
    let said = |field: &Field| match field {
        field if empty(*field) => words.say(&format!("form-no-{}", field.name().replace('_', "-"))),
        Field::FullName => words.say("form-bad-full-name"),
        Field::IssuedOn => words.say_with("form-bad-issued-on", &[("typed", typed.issued_on.trim())]),
        Field::NationalId => {
            let digits = typed.national_id.chars().filter(char::is_ascii_digit).count();
            if digits == 9 {
                words.say("form-bad-national-id-9")
            } else {
                let n = digits.to_string();
                words.say_with("form-bad-national-id", &[("n", &n)])
            }
        }
        Field::Phone => words.say("form-bad-phone"),
    };
    fields.iter().map(|field| (*field, said(field))).collect()
}
