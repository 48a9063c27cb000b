//! The gate and the form of four fields (letter 125, C1 to C3).

use super::App;
use super::asker::Asker;
use super::page::{Answer, Fault, Input, Mistake, Shell, html, mistakes};
use crate::output::Words;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::citizens::{Field, Fields, Outcome, Proof, parse};
use ngomon_rules::record::{self, AccountKind, Submission};
use ngomon_rules::values::{Date, FullName};
use ngomon_store::{Explained, Limit, Result, Submitted, Visit};
use serde::Deserialize;

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

#[derive(Template)]
#[template(path = "form.html")]
struct Page {
    shell: Shell,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    /// The name that the account carries, and the one that was typed.
    whose: Option<(String, String)>,
    deadline: Option<String>,
    can_put_off: bool,
}

/// The four fields as typed. A field that is not sent is empty.
#[derive(Clone, Default, Deserialize)]
pub struct Typed {
    /// Họ và tên.
    #[serde(default)]
    pub full_name: String,
    /// Số căn cước công dân.
    #[serde(default)]
    pub national_id: String,
    /// Ngày cấp.
    #[serde(default)]
    pub issued_on: String,
    /// Số điện thoại.
    #[serde(default)]
    pub phone: String,
    /// `yes`: the account is theirs, although it carries another name.
    #[serde(default)]
    pub mine: String,
}

impl Typed {
    /// For the store.
    pub fn form(&self) -> record::Form {
        record::Form {
            full_name: self.full_name.clone(),
            national_id: self.national_id.clone(),
            issued_on: self.issued_on.clone(),
            phone: self.phone.clone(),
        }
    }

    /// The four fields as they stand on a page, with what is to be mended.
    pub fn inputs(&self, errors: &[(Field, String)], words: Words) -> Vec<Input> {
        let of = |field: Field, value: &str, autocomplete, inputmode| {
            let name = field.name();
            let key = name.replace('_', "-");
            let error = errors.iter().find(|(of, _)| *of == field);
            Input {
                value: value.to_owned(),
                hint: words.say(&format!("form-hint-{key}")),
                error: error.map(|(_, text)| text.clone()),
                autocomplete,
                inputmode,
                ..Input::new(name, words.say(&format!("form-{key}")))
            }
        };
        vec![
            of(Field::FullName, &self.full_name, "name", "text"),
            of(Field::NationalId, &self.national_id, "off", "numeric"),
            of(Field::IssuedOn, &self.issued_on, "off", "text"),
            of(Field::Phone, &self.phone, "tel", "tel"),
        ]
    }
}

/// Is the owner asked for the form? Not when it is done or waits for the registry, and not when exempt.
pub fn asked(story: &Explained) -> bool {
    let exempt = story.exempt_to.is_some_and(|last| story.day <= last);
    story.kind == AccountKind::Citizen
        && story.fact("claim").is_none()
        && story.fact("last_form") != Some("pending")
        && !exempt
}

struct Filled<'a> {
    typed: &'a Typed,
    errors: Vec<(Field, String)>,
    whose: Option<(String, String)>,
    deadline: Option<String>,
}

fn page(asker: &Asker, visit: &Visit, status: StatusCode, filled: Filled<'_>) -> Response {
    let fields = filled.typed.inputs(&filled.errors, asker.words);
    let mut shell = asker.shell();
    shell.here = "/form".into();
    shell.wrong = status != StatusCode::OK;
    html(
        status,
        &Page {
            errors: mistakes(&fields),
            fields,
            whose: filled.whose,
            deadline: filled.deadline,
            can_put_off: !visit.held,
            shell,
        },
    )
}

fn deadline(story: &Explained, words: Words) -> Option<String> {
    let last: Date = story.fact("deadline")?.parse().ok()?;
    Some(words.say_with("form-deadline", &[("day", &words.day(last))]))
}

/// The owner of a Hue-S account who signed in; whoever else asks is sent to the first page.
fn owner(asker: &Asker) -> Option<Visit> {
    asker.visit.clone().filter(|visit| visit.kind == AccountKind::Citizen)
}

/// The empty form.
pub async fn show(State(app): State<App>, asker: Asker) -> Response {
    let Some(visit) = owner(&asker) else {
        return Redirect::to("/").into_response();
    };
    match app.store.story(visit.account.as_str(), app.store.today()).await {
        Ok(story) => {
            let filled = Filled {
                typed: &Typed::default(),
                errors: Vec::new(),
                whose: None,
                deadline: deadline(&story, asker.words),
            };
            page(&asker, &visit, StatusCode::OK, filled)
        }
        Err(error) => Fault(asker.words, error).into_response(),
    }
}

/// "Để sau".
pub async fn put_off(State(app): State<App>, asker: Asker) -> Response {
    if let Some(token) = asker.token.as_ref().filter(|_| asker.visit.is_some())
        && let Err(error) = app.store.put_off(token).await
    {
        return Fault(asker.words, error).into_response();
    }
    Redirect::to("/").into_response()
}

/// The four fields, sent.
pub async fn send(
    State(app): State<App>,
    asker: Asker,
    typed: std::result::Result<Form<Typed>, FormRejection>,
) -> Response {
    let Some(visit) = owner(&asker) else {
        return Redirect::to("/").into_response();
    };
    let words = asker.words;
    let Ok(Form(typed)) = typed else {
        let filled = Filled {
            typed: &Typed::default(),
            errors: vec![(Field::FullName, words.say("form-unreadable"))],
            whose: None,
            deadline: None,
        };
        return page(&asker, &visit, StatusCode::UNPROCESSABLE_ENTITY, filled);
    };
    let answered = answered(&app, &asker, &visit, &typed).await;
    answered.unwrap_or_else(|e| Fault(words, e).into_response())
}

async fn answered(app: &App, asker: &Asker, visit: &Visit, typed: &Typed) -> Result<Response> {
    let words = asker.words;
    let again = |errors: Vec<(Field, String)>, whose| {
        let status = if errors.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        let filled = Filled {
            typed,
            errors,
            whose,
            deadline: None,
        };
        page(asker, visit, status, filled)
    };
    let form = typed.form();
    let story = app.store.story(visit.account.as_str(), app.store.today()).await?;
    let account = [visit.account.as_str()];
    let parsed = parse(&form, app.store.today());
    let mut left = 0;
    match &parsed {
        Err(fields) => {
            if app.store.attempt(MALFORMED, &account).await?.is_none() {
                return Ok(again(malformed(typed, fields, words), None));
            }
        }
        Ok(parsed) => {
            if let Some(whose) = another(&story, &parsed.full_name).filter(|_| typed.mine != "yes") {
                return Ok(again(Vec::new(), Some(whose)));
            }
            let of_account = app.store.attempt(OF_ACCOUNT, &account).await?;
            let of_person = app.store.attempt(OF_PERSON, &[parsed.national_id.as_str()]).await?;
            let (Some(of_account), Some(_)) = (of_account, of_person) else {
                return Ok(again(
                    vec![(
                        Field::NationalId,
                        words.say(if visit.held {
                            "form-too-often-held"
                        } else {
                            "form-too-often"
                        }),
                    )],
                    None,
                ));
            };
            left = of_account.unsigned_abs();
        }
    }
    let submission = Submission {
        seq: String::new(),
        account: visit.account.clone(),
        form,
        submitted_at: None,
    };
    let by = visit.account.as_str();
    let done = app
        .store
        .standardise(&submission, Proof::Form, by, app.store.now())
        .await?;
    app.store.seal().await?;
    let mend = match done.outcome {
        Outcome::NotFound | Outcome::Mismatch => {
            // Of a held account nobody says that it works as before.
            let key = if visit.held {
                "form-differs-held"
            } else {
                "form-differs"
            };
            let text = words.say_with(key, &[("left", &words.number(left))]);
            Some(vec![(Field::FullName, text)])
        }
        Outcome::Malformed => Some(malformed(typed, &done.fields.iter().copied().collect(), words)),
        _ => None,
    };
    if let Some(mend) = mend {
        return Ok(again(mend, None));
    }
    let name = parsed.map(|parsed| parsed.full_name.as_str().to_owned());
    let at = app.store.now().as_microsecond();
    Ok(html(
        StatusCode::OK,
        &told(asker, visit, done, &name.unwrap_or_default(), at),
    ))
}

/// The page of an answer that asks for nothing to be mended in the form. `at`: when it came, in microseconds UTC.
fn told(asker: &Asker, visit: &Visit, done: Submitted, name: &str, at: i64) -> Answer {
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
    Answer {
        shell,
        title: words.say(&format!("{key}-title")),
        text: words.say_with(&text, &[("name", name), ("at", &words.instant(at))]),
        receipt: done.receipt.filter(|_| well),
        code: code.to_owned(),
    }
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
