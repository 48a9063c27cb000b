//! The page before an act: whom it is about, what will happen, what is asked for.

use super::{Operator, address};
use crate::output::{Words, masked_name, said};
use crate::web::form::typed_day;
use crate::web::page::{Input, Mistake, Shell, html, mistakes};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::record::{AccountId, AccountKind};
use ngomon_rules::unit::UnitTree;
use ngomon_rules::values::{Date, parse_day};
use ngomon_store::{Explained, Refusal, Result, Store};

/// The longest reason, in characters.
const LONGEST: usize = 200;

/// One of several answers.
pub struct Choice {
    /// As it is sent.
    pub value: &'static str,
    /// As it is read.
    pub label: String,
    /// Was it ticked?
    pub ticked: bool,
}

/// A question with answers to tick.
pub struct Choices {
    /// In the form.
    pub name: &'static str,
    /// The question.
    pub legend: String,
    /// What is to be mended.
    pub error: Option<String>,
    /// `radios`: one; `checkboxes`: several.
    pub kind: &'static str,
    /// The answers.
    pub options: Vec<Choice>,
}

/// The page.
#[derive(Template)]
#[template(path = "desk/act.html")]
pub struct Act {
    /// The frame.
    pub shell: Shell,
    /// What it is.
    pub title: String,
    /// Whom it is about.
    pub about: Vec<(String, String)>,
    /// What will happen.
    pub happens: Vec<String>,
    /// What is to be looked at first.
    pub notice: Option<String>,
    /// A question with answers to tick.
    pub choices: Option<Choices>,
    /// What is to be typed.
    pub fields: Vec<Input>,
    /// What goes along.
    pub hidden: Vec<(&'static str, String)>,
    /// What does it.
    pub button: String,
    /// Where to go without doing it.
    pub back: String,
    /// What is to be mended; the page gathers it.
    pub errors: Vec<Mistake>,
}

impl Act {
    /// About an account, with nothing to fill in yet. `key`: its words are `desk-KEY-title` and `desk-KEY-button`.
    pub fn about(
        operator: &Operator,
        verb: &str,
        key: &str,
        account: &AccountId,
        about: Vec<(String, String)>,
    ) -> Self {
        let words = operator.asker.words;
        let back = address(account);
        Self {
            shell: operator.shell(&format!("{back}/{verb}")),
            title: words.say(&format!("desk-{key}-title")),
            about,
            happens: Vec::new(),
            notice: None,
            choices: None,
            fields: Vec::new(),
            hidden: Vec::new(),
            button: words.say(&format!("desk-{key}-button")),
            back,
            errors: Vec::new(),
        }
    }

    /// As a page: with something to mend, it says so.
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
            self.shell.wrong = true;
            StatusCode::UNPROCESSABLE_ENTITY
        };
        html(status, &self)
    }

    /// Is everything filled in?
    pub fn is_right(&self) -> bool {
        let choices = self.choices.as_ref().and_then(|choices| choices.error.as_ref());
        choices.is_none() && self.fields.iter().all(|field| field.error.is_none())
    }
}

/// What will happen to an account: to an operator's once a second operator has agreed.
pub fn happens(words: Words, account: &AccountId, keys: &[&str]) -> Vec<String> {
    let two = account.operator().map(|_| words.say("desk-needs-two"));
    keys.iter().map(|key| words.say(key)).chain(two).collect()
}

/// It is done: the account's page says so.
pub fn done(account: &AccountId, what: &str) -> Response {
    Redirect::to(&format!("{}?done={what}", address(account))).into_response()
}

/// Whom an act is about: enough to see that it is the right one.
pub async fn whom(store: &Store, words: Words, account: &AccountId) -> Result<(Explained, Vec<(String, String)>)> {
    let story = store.story(account.as_str(), store.today()).await?;
    let units = store.units().await?;
    let rows = summary(&story, &units, words, false);
    Ok((story, rows))
}

/// The same as a second operator reads it: names and numbers masked.
pub async fn whom_masked(
    store: &Store,
    words: Words,
    account: &AccountId,
) -> Result<(Explained, Vec<(String, String)>)> {
    let story = store.story(account.as_str(), store.today()).await?;
    let rows = summary(&story, &store.units().await?, words, true);
    Ok((story, rows))
}

/// The same of a citizen's account: no other is standardised.
pub async fn citizen(store: &Store, words: Words, account: &AccountId) -> Result<(Explained, Vec<(String, String)>)> {
    let (story, about) = whom(store, words, account).await?;
    if story.kind != AccountKind::Citizen {
        return Err(Refusal::NotCitizens(story.account).into());
    }
    Ok((story, about))
}

/// Account, owner, whose claim it has, and unit. Masked, it does not say who the owner is.
pub fn summary(story: &Explained, units: &UnitTree, words: Words, masked: bool) -> Vec<(String, String)> {
    let kind = words.say(&format!("kind-{}", story.kind.name()));
    let mut rows = vec![(kind, story.account.clone())];
    for name in ["username", "full_name", "national_id", "phone", "employee_code"] {
        if let Some(value) = story.fact(name) {
            let label = words.say(&format!("fact-{}", name.replace('_', "-")));
            let value = said(name, value, units, words);
            let value = match name {
                "full_name" if masked => masked_name(&value),
                _ => value,
            };
            rows.push((label, value));
        }
    }
    rows.extend(whose_claim(story, words, masked).map(|whose| (words.say("fact-claim-name"), whose)));
    if !story.unit_name.is_empty() {
        rows.push((words.say("desk-unit"), story.unit_name.clone()));
    }
    rows
}

/// Whose claim an account has.
pub fn whose_claim(story: &Explained, words: Words, masked: bool) -> Option<String> {
    let name = story.fact("claim_name")?;
    let name = if masked { masked_name(name) } else { name.to_owned() };
    let number = story.fact("claim_number").unwrap_or_default();
    Some(words.say_with("claim-of", &[("name", &name), ("number", number)]))
}

/// That the claim of an account is not of whom the account states.
pub fn differs(story: &Explained, words: Words, masked: bool) -> Option<String> {
    let whose = whose_claim(story, words, masked).filter(|_| story.claim_differs)?;
    Some(words.say_with("claim-differs", &[("name", &whose)]))
}

/// A text that must be filled in, as typed.
pub fn required(name: &'static str, typed: &str, words: Words) -> Input {
    let key = name.replace('_', "-");
    let error = if typed.is_empty() {
        Some(words.say(&format!("desk-no-{key}")))
    } else if typed.chars().count() > LONGEST {
        Some(words.say_with("desk-too-long", &[("n", &LONGEST.to_string())]))
    } else {
        None
    };
    Input {
        error,
        ..text(name, typed, words)
    }
}

/// A text as typed.
pub fn text(name: &'static str, typed: &str, words: Words) -> Input {
    let key = name.replace('_', "-");
    Input {
        value: typed.to_owned(),
        hint: words.find(&format!("desk-hint-{key}"), &[]).unwrap_or_default(),
        ..Input::new(name, words.say(&format!("desk-{key}")))
    }
}

/// A last day as typed: the day, if it is one, and the field. Whether it may be left out is the act's to say.
pub fn last_day(typed: &str, words: Words) -> (Option<Date>, Input) {
    let day = parse_day(&typed_day(typed)).ok();
    let error = (day.is_none() && !typed.is_empty()).then(|| words.say("desk-bad-last-day"));
    let field = Input {
        error,
        ..text("last_day", typed, words)
    };
    (day, field)
}
