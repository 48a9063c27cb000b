//! The form that proposes changes of the profile to HR. An empty field proposes no change.

use crate::app::App;
use crate::http::{ErrorPage, Input, Layout, Mistake, RequestContext, html, message, mistakes};
use crate::i18n::{Locale, value_text};
use crate::pages::ways::{ByProfile, WayOutOwner};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::hold::Reason;
use ngomon_rules::officials::Amendment;
use ngomon_rules::records::Profile;
use ngomon_rules::unit::{UnitCode, UnitTree};
use ngomon_rules::values::{Date, FullName, PartialDate, Phone, parse_day};
use ngomon_store::{RateLimit, Refusal, Result, StoreError};
use serde::Deserialize;

/// Proposals of one account per day.
const OF_ACCOUNT: RateLimit = RateLimit {
    what: "propose",
    times: 10,
    seconds: 86_400,
};
/// The longest text, in characters.
const LONGEST: usize = 200;

#[derive(Template)]
#[template(path = "propose.html")]
struct ProposalPage {
    layout: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    account_follows: bool,
}

/// The submitted form. A missing field is empty.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProposalForm {
    full_name: String,
    birth_date: String,
    unit: String,
    position: String,
    phone: String,
    email: String,
    next_due_on: String,
    document: String,
    account_follows: String,
}

/// The fields in their order, each with its autofill token and its keyboard.
const FIELDS: [(&str, &str, &str); 8] = [
    ("full_name", "name", "text"),
    ("birth_date", "bday", "text"),
    ("unit", "off", "text"),
    ("position", "organization-title", "text"),
    ("phone", "tel", "tel"),
    ("email", "email", "email"),
    ("next_due_on", "off", "text"),
    ("document", "off", "text"),
];

impl ProposalForm {
    fn get(&self, field: &str) -> &str {
        match field {
            "full_name" => &self.full_name,
            "birth_date" => &self.birth_date,
            "unit" => &self.unit,
            "position" => &self.position,
            "phone" => &self.phone,
            "email" => &self.email,
            "next_due_on" => &self.next_due_on,
            _ => &self.document,
        }
        .trim()
    }

    /// The proposed changes, or the fields that cannot be parsed.
    fn read(
        &self,
        profile: &Profile,
        units: &UnitTree,
        day: Date,
    ) -> std::result::Result<Amendment, Vec<&'static str>> {
        let mut wrong = Vec::new();
        let amendment = Amendment {
            full_name: self.one("full_name", &mut wrong, |text| {
                FullName::parse(text).map(|(name, _)| name)
            }),
            birth_date: self.one("birth_date", &mut wrong, |text| PartialDate::parse(text).ok()),
            unit: self.one("unit", &mut wrong, |text| units.by_typed_name(text, day).cloned()),
            position: self.one("position", &mut wrong, short),
            phone: self.one("phone", &mut wrong, |text| {
                Phone::parse(text).ok().map(|(phone, _)| phone)
            }),
            email: self.one("email", &mut wrong, |text| short(text).filter(|mail| is_mail(mail))),
            next_due_on: self.one("next_due_on", &mut wrong, |text| parse_day(text).ok()),
            document: self.one("document", &mut wrong, short),
            account_follows: self.account_follows == "yes",
        };
        if !wrong.is_empty() {
            return Err(wrong);
        }
        // An unchanged value is no proposal.
        Ok(Amendment {
            full_name: amendment.full_name.filter(|name| *name != profile.full_name),
            birth_date: amendment.birth_date.filter(|day| Some(*day) != profile.birth_date),
            unit: amendment.unit.filter(|unit| *unit != profile.unit),
            position: amendment
                .position
                .filter(|text| Some(text) != profile.position.as_ref()),
            phone: amendment.phone.filter(|phone| Some(phone) != profile.phone.as_ref()),
            email: amendment.email.filter(|mail| Some(mail) != profile.email.as_ref()),
            next_due_on: amendment.next_due_on.filter(|day| Some(*day) != profile.next_due_on),
            ..amendment
        })
    }

    fn one<T>(
        &self,
        field: &'static str,
        wrong: &mut Vec<&'static str>,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.get(field);
        if text.is_empty() {
            return None;
        }
        let read = read(text);
        if read.is_none() {
            wrong.push(field);
        }
        read
    }
}

fn short(text: &str) -> Option<String> {
    let fits = text.chars().count() <= LONGEST && !text.contains(char::is_control);
    fits.then(|| text.to_owned())
}

/// Whether the text looks like a mail address: one `@`, something on both sides, a dot in the host.
fn is_mail(text: &str) -> bool {
    let parts: Vec<&str> = text.split('@').collect();
    matches!(parts.as_slice(), [name, host] if !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace))
}

/// Renders the form. `present`: the current profile, whose values stand next to the fields.
fn page(
    ctx: &RequestContext,
    typed: &ProposalForm,
    wrong: &[&str],
    error: Option<String>,
    present: Option<(&Profile, &UnitTree)>,
) -> Response {
    let locale = ctx.locale;
    let fields: Vec<Input> = FIELDS
        .iter()
        .map(|(field, autocomplete, inputmode)| {
            let mut input = field_of(locale, typed, wrong, field, autocomplete, inputmode);
            if let Some(now) = present.and_then(|(profile, units)| now(field, profile, units, locale)) {
                input.hint = format!(
                    "{}. {}",
                    input.hint,
                    locale.text_with("propose-now", &[("value", &now)])
                );
            }
            input
        })
        .collect();
    let status = if wrong.is_empty() && error.is_none() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let whole = error.map(|text| Mistake {
        field: "full_name",
        text,
    });
    let mut layout = ctx.layout();
    layout.here = "/profile/propose".into();
    layout.wrong = status != StatusCode::OK;
    html(
        status,
        &ProposalPage {
            layout,
            errors: whole.into_iter().chain(mistakes(&fields)).collect(),
            fields,
            account_follows: typed.account_follows == "yes",
        },
    )
}

fn field_of(
    locale: Locale,
    typed: &ProposalForm,
    wrong: &[&str],
    field: &'static str,
    autocomplete: &'static str,
    inputmode: &'static str,
) -> Input {
    let key = field.replace('_', "-");
    Input {
        value: typed.get(field).to_owned(),
        hint: locale.text(&format!("propose-hint-{key}")),
        error: wrong
            .contains(&field)
            .then(|| locale.text(&format!("propose-bad-{key}"))),
        autocomplete,
        inputmode,
        ..Input::new(field, locale.text(&format!("propose-{key}")))
    }
}

/// The current value of a field.
fn now(field: &str, profile: &Profile, units: &UnitTree, locale: Locale) -> Option<String> {
    match field {
        "full_name" => Some(profile.full_name.as_str().to_owned()),
        "birth_date" => profile
            .birth_date
            .map(|day| value_text("day", &day.to_string(), units, locale)),
        "unit" => units.get(&profile.unit).map(|unit| unit.name.clone()),
        "position" => profile.position.clone(),
        "phone" => profile.phone.as_ref().map(Phone::masked),
        "email" => profile.email.clone(),
        "next_due_on" => profile.next_due_on.map(|day| locale.day(day)),
        _ => None,
    }
}

/// The text by which a unit is found again: its name, or, if others have the same name, the name with its parent's.
fn typed_unit(units: &UnitTree, code: &UnitCode, day: Date) -> Option<String> {
    let unit = units.get(units.follow(code, day))?;
    let above = unit.parent.as_ref().and_then(|above| units.get(above));
    let with_above = above.map(|above| format!("{}, {}", unit.name, above.name));
    let names = [Some(unit.name.clone()), with_above];
    let found = |name: &String| units.by_name(name, day) == Some(&unit.code);
    names.into_iter().flatten().find(found)
}

/// Shows the form. The unit is filled in from a movement notice.
pub(crate) async fn show(State(app): State<App>, WayOutOwner { ctx, session, .. }: WayOutOwner<ByProfile>) -> Response {
    let answer = async {
        let Some(own) = app.store.own_profile(&session.account).await? else {
            return Ok(nothing(&ctx));
        };
        let (units, today) = (app.store.units().await?, app.store.today());
        let explanation = app.store.account_explanation(session.account.as_str(), today).await?;
        let pending = explanation
            .holds
            .iter()
            .find(|held| held.hold.reason == Reason::TransferPending);
        let to = pending.and_then(|held| held.hold.evidence.get("to_unit"));
        let unit = to.and_then(|to| typed_unit(&units, &UnitCode(to.clone()), today));
        let typed = ProposalForm {
            unit: unit.unwrap_or_default(),
            ..ProposalForm::default()
        };
        Ok(page(&ctx, &typed, &[], None, Some((&own.profile, &units))))
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}

/// Submits the proposal.
pub(crate) async fn send(
    State(app): State<App>,
    WayOutOwner { ctx, session, .. }: WayOutOwner<ByProfile>,
    typed: std::result::Result<Form<ProposalForm>, FormRejection>,
) -> Response {
    let (locale, account) = (ctx.locale, session.account);
    let Ok(Form(typed)) = typed else {
        return page(
            &ctx,
            &ProposalForm::default(),
            &[],
            Some(locale.text("form-unreadable")),
            None,
        );
    };
    let answer = async {
        let Some(own) = app.store.own_profile(&account).await? else {
            return Ok(nothing(&ctx));
        };
        let units = app.store.units().await?;
        let present = Some((&own.profile, &units));
        let amendment = match typed.read(&own.profile, &units, app.store.today()) {
            Ok(amendment) if amendment.is_empty() => {
                return Ok(page(&ctx, &typed, &[], Some(locale.text("propose-nothing")), present));
            }
            Ok(amendment) => amendment,
            Err(wrong) => return Ok(page(&ctx, &typed, &wrong, None, present)),
        };
        if app.store.attempt(OF_ACCOUNT, &[account.as_str()]).await?.is_none() {
            return Ok(page(&ctx, &typed, &[], Some(locale.text("propose-too-often")), present));
        }
        match app.store.propose(&account, &amendment).await {
            Err(StoreError::Refused(Refusal::NoProfileInService(_))) => {
                return Ok(Redirect::to("/profile").into_response());
            }
            done => done?,
        };
        Ok(Redirect::to("/profile?done=proposed").into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}

/// The page for an owner without a profile, or without a certain one: nothing can be corrected here.
pub fn nothing(ctx: &RequestContext) -> Response {
    let (title, text) = (ctx.locale.text("profile-title"), ctx.locale.text("profile-none"));
    message(ctx, StatusCode::OK, title, text, "")
}

#[cfg(test)]
mod tests {
    use crate::pages::profile::propose::is_mail;

    /// An e-mail address has a local part and a domain.
    #[test]
    fn email_needs_local_part_and_domain() {
        assert!(is_mail("an.nv@hue.gov.vn"));
        for bad in ["", "an", "@hue.vn", "an@hue", "a b@hue.vn", "a@b@hue.vn"] {
            assert!(!is_mail(bad), "{bad}");
        }
    }
}
