//! The page that confirms an act: whom it concerns, what will happen, and what must be filled in.

use crate::desk::operator::Operator;
use crate::desk::url::address;
use crate::http::{Input, Layout, Mistake, html, mistakes};
use crate::i18n::{Locale, masked_name, value_text, whose_claim};
use crate::pages::standardise::typed_form::typed_day;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_rules::unit::UnitTree;
use ngomon_rules::values::{Date, parse_day};
use ngomon_store::{AccountExplanation, Refusal, Result, Store};

/// The longest reason, in characters.
const LONGEST: usize = 200;

/// One option of a question.
pub struct Choice {
    /// The value that the form sends.
    pub value: &'static str,
    /// The text that the operator reads.
    pub label: String,
    /// Whether it is selected.
    pub ticked: bool,
}

/// A question with options to select.
pub struct Choices {
    /// The name of the form field.
    pub name: &'static str,
    /// The text of the question.
    pub legend: String,
    /// The error to correct.
    pub error: Option<String>,
    /// `radios` for one option, `checkboxes` for several.
    pub kind: &'static str,
    /// The options.
    pub options: Vec<Choice>,
}

/// The page that confirms an act.
#[derive(Template)]
#[template(path = "desk/act.html")]
pub struct ConfirmAction {
    /// The layout.
    pub layout: Layout,
    /// The title.
    pub title: String,
    /// The account or system concerned, as label and value.
    pub about: Vec<(String, String)>,
    /// The consequences of the act.
    pub happens: Vec<String>,
    /// A warning to read first.
    pub notice: Option<String>,
    /// A question with options to select.
    pub choices: Option<Choices>,
    /// The text fields.
    pub fields: Vec<Input>,
    /// Hidden fields, as name and value.
    pub hidden: Vec<(&'static str, String)>,
    /// The text of the submit button.
    pub button: String,
    /// The address that leaves the page without doing it.
    pub back: String,
    /// The errors to correct; [`ConfirmAction::page`] collects them.
    pub errors: Vec<Mistake>,
}

impl ConfirmAction {
    /// An act on an account, with nothing to fill in yet. Its texts are `desk-KEY-title` and `desk-KEY-button`.
    pub fn about(
        operator: &Operator,
        verb: &str,
        key: &str,
        account: &AccountId,
        about: Vec<(String, String)>,
    ) -> Self {
        let locale = operator.ctx.locale;
        let back = address(account);
        Self {
            layout: operator.layout(&format!("{back}/{verb}")),
            title: locale.text(&format!("desk-{key}-title")),
            about,
            happens: Vec::new(),
            notice: None,
            choices: None,
            fields: Vec::new(),
            hidden: Vec::new(),
            button: locale.text(&format!("desk-{key}-button")),
            back,
            errors: Vec::new(),
        }
    }

    /// Renders the page; with errors, if any field has one.
    pub fn page(mut self) -> Response {
        let ticked = self.choices.iter().filter_map(|choices| {
            Some(Mistake {
                field: choices.name,
                text: choices.error.clone()?,
            })
        });
        self.errors = ticked.chain(mistakes(&self.fields)).collect();
        let status = if self.errors.is_empty() {
            StatusCode::OK
        } else {
            self.layout.wrong = true;
            StatusCode::UNPROCESSABLE_ENTITY
        };
        html(status, &self)
    }

    /// Whether no field has an error.
    pub fn is_right(&self) -> bool {
        let choices = self.choices.as_ref().and_then(|choices| choices.error.as_ref());
        choices.is_none() && self.fields.iter().all(|field| field.error.is_none())
    }
}

/// The consequences of an act. For an operator's account, a second operator must agree first.
pub fn happens(locale: Locale, account: &AccountId, keys: &[&str]) -> Vec<String> {
    let two = account.operator().map(|_| locale.text("desk-needs-two"));
    keys.iter().map(|key| locale.text(key)).chain(two).collect()
}

/// Redirects to the account's page, which reports the act as done.
pub fn done(account: &AccountId, what: &str) -> Response {
    Redirect::to(&format!("{}?done={what}", address(account))).into_response()
}

/// The account and the rows that describe it: enough to recognise the right one.
pub async fn whom(
    store: &Store,
    locale: Locale,
    account: &AccountId,
) -> Result<(AccountExplanation, Vec<(String, String)>)> {
    let explanation = store.account_explanation(account.as_str(), store.today()).await?;
    let units = store.units().await?;
    let rows = summary(&explanation, &units, locale, false);
    Ok((explanation, rows))
}

/// Like [`whom`], as a second operator reads it: names and numbers are masked.
pub async fn whom_masked(
    store: &Store,
    locale: Locale,
    account: &AccountId,
) -> Result<(AccountExplanation, Vec<(String, String)>)> {
    let explanation = store.account_explanation(account.as_str(), store.today()).await?;
    let rows = summary(&explanation, &store.units().await?, locale, true);
    Ok((explanation, rows))
}

/// Like [`whom`], for a citizen's account only: no other account is standardised.
pub async fn citizen(
    store: &Store,
    locale: Locale,
    account: &AccountId,
) -> Result<(AccountExplanation, Vec<(String, String)>)> {
    let (explanation, about) = whom(store, locale, account).await?;
    if explanation.kind != AccountKind::Citizen {
        return Err(Refusal::NotCitizens(explanation.account).into());
    }
    Ok((explanation, about))
}

/// The rows that describe an account: its owner, the person whose claim it has, and its unit. Masked rows do not reveal the
/// owner.
pub fn summary(
    explanation: &AccountExplanation,
    units: &UnitTree,
    locale: Locale,
    masked: bool,
) -> Vec<(String, String)> {
    let kind = locale.text(&format!("kind-{}", explanation.kind.name()));
    let mut rows = vec![(kind, explanation.account.clone())];
    for name in ["username", "full_name", "national_id", "phone", "employee_code"] {
        if let Some(value) = explanation.fact(name) {
            let label = locale.text(&format!("fact-{}", name.replace('_', "-")));
            let value = value_text(name, value, units, locale);
            let value = match name {
                "full_name" if masked => masked_name(&value),
                _ => value,
            };
            rows.push((label, value));
        }
    }
    rows.extend(whose_claim(explanation, locale, masked).map(|whose| (locale.text("fact-claim-name"), whose)));
    if !explanation.unit_name.is_empty() {
        rows.push((locale.text("desk-unit"), explanation.unit_name.clone()));
    }
    rows
}

/// The warning that an account's claim does not match the details that the account states.
pub fn differs(explanation: &AccountExplanation, locale: Locale, masked: bool) -> Option<String> {
    let whose = whose_claim(explanation, locale, masked).filter(|_| explanation.claim_differs)?;
    Some(locale.text_with("claim-differs", &[("name", &whose)]))
}

/// A required text field, as typed.
pub fn required(name: &'static str, typed: &str, locale: Locale) -> Input {
    let key = name.replace('_', "-");
    let error = if typed.is_empty() {
        Some(locale.text(&format!("desk-no-{key}")))
    } else if typed.chars().count() > LONGEST {
        Some(locale.text_with("desk-too-long", &[("n", &LONGEST.to_string())]))
    } else {
        None
    };
    Input {
        error,
        ..text_input(name, typed, locale)
    }
}

/// A text field, as typed.
pub fn text_input(name: &'static str, typed: &str, locale: Locale) -> Input {
    let key = name.replace('_', "-");
    Input {
        value: typed.to_owned(),
        hint: locale.find(&format!("desk-hint-{key}"), &[]).unwrap_or_default(),
        ..Input::new(name, locale.text(&format!("desk-{key}")))
    }
}

/// A last day as typed: the parsed day, and the field with its error. The act decides whether it may be empty.
pub fn last_day(typed: &str, locale: Locale) -> (Option<Date>, Input) {
    let day = parse_day(&typed_day(typed)).ok();
    let error = (day.is_none() && !typed.is_empty()).then(|| locale.text("desk-bad-last-day"));
    let field = Input {
        error,
        ..text_input("last_day", typed, locale)
    };
    (day, field)
}
