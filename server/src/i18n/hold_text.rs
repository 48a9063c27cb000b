//! The texts of holds, the same on the terminal and on the pages.

use crate::i18n::values::capital;
use crate::i18n::{Locale, evidence, value_text};
use ngomon_rules::hold::{Hold, Reason};
use ngomon_rules::law::law;
use ngomon_rules::unit::UnitTree;
use ngomon_store::{AccountExplanation, ActiveHold};

/// The text of a hold for the account's owner, beside its evidence.
pub struct HoldText {
    /// The name of the hold.
    pub name: String,
    /// What happened and what to do now.
    pub text: String,
    /// Who has to act.
    pub mends: String,
    /// When the hold is checked again.
    pub again: String,
    /// The clause that the hold is based on.
    pub clause: String,
    /// The letter's own sentence, always in Vietnamese.
    pub sentence: Option<&'static str>,
}

/// The text of one hold of that account.
pub fn hold_text(held: &ActiveHold, explanation: &AccountExplanation, units: &UnitTree, locale: Locale) -> HoldText {
    let hold = &held.hold;
    let args = args(held, explanation, units, locale);
    let args: Vec<(&'static str, &str)> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let of_reason = |what: &str| locale.text_with(&format!("{what}-{}", hold.reason), &args);
    let clause = hold.reason.clause();
    let law = law(clause);
    let joined = held.joined_into.is_some();
    HoldText {
        name: if joined {
            locale.text("hold-joined")
        } else {
            locale.text(&format!("hold-{}", hold.reason))
        },
        text: locale.text_with(
            &format!("hold-text-{}{}", hold.reason, variant(held, explanation)),
            &args,
        ),
        mends: of_reason("mends"),
        again: of_reason("again"),
        clause: match law {
            Some(law) => format!("{}, {}", law.place, law.letter),
            None => locale.text(&format!("clause-{clause}")),
        },
        sentence: law.map(|law| law.sentence),
    }
}

/// The suffix of the message that fits the facts of this hold.
fn variant(held: &ActiveHold, explanation: &AccountExplanation) -> &'static str {
    let hold = &held.hold;
    let fact = |name: &str| hold.evidence.get(name).map_or("", String::as_str);
    match hold.reason {
        Reason::Duplicate if held.joined_into.is_some() => "-joined",
        Reason::Duplicate if fact("same").contains("phone") => "-phone",
        Reason::Duplicate if fact("same") == "form" || explanation.fact("national_id").is_none() => "-form",
        Reason::Moved => match &explanation.moved_to {
            Some(to) if to.username.is_some() && to.same_login => "",
            Some(to) if to.username.is_some() => "-other-password",
            _ => "-unnamed",
        },
        Reason::Left | Reason::Retired if fact("status_from").is_empty() => "-no-day",
        Reason::ReviewOverdue if fact("reviewed_on").is_empty() => "-never",
        Reason::StaleInfo if fact("item").is_empty() => "-unnamed",
        Reason::ByOrder if hold.last_day.is_some() => "-until",
        _ => "",
    }
}

/// The arguments of the messages.
fn args(
    held: &ActiveHold,
    explanation: &AccountExplanation,
    units: &UnitTree,
    locale: Locale,
) -> Vec<(&'static str, String)> {
    let hold = &held.hold;
    let unit = match explanation.unit_name.as_str() {
        "" => locale.text("hold-own-unit"),
        name => name.to_owned(),
    };
    let mut args: Vec<(&'static str, String)> = vec![
        ("office", locale.text_with("hold-office", &[("unit", &unit)])),
        ("unit", unit),
        ("fields", fields(hold, locale).join(", ")),
        ("until", hold.last_day.map(|day| locale.day(day)).unwrap_or_default()),
        ("number", explanation.fact("national_id").unwrap_or_default().to_owned()),
        ("into", held.joined_into.clone().unwrap_or_default()),
    ];
    let new = explanation.moved_to.as_ref().and_then(|to| to.username.clone());
    args.push(("username", new.unwrap_or_default()));
    for (name, gap) in [
        ("to_unit", "new_unit"),
        ("profile_unit", "profile_unit"),
        ("notice", "notice"),
        ("effective_on", "effective"),
        ("item", "item"),
        ("due_on", "due"),
        ("reviewed_on", "reviewed"),
        ("status_from", "from"),
        ("proof", "proof"),
        ("deadline", "deadline"),
        ("ordered_by", "by"),
        ("document", "document"),
    ] {
        let value = hold
            .evidence
            .get(name)
            .map(|value| evidence(name, value, units, locale));
        let value = value.unwrap_or_default();
        args.push((gap, if gap == "item" { capital(&value) } else { value }));
    }
    args
}

/// The fields that differ from the profile, in reading order.
fn fields(hold: &Hold, locale: Locale) -> Vec<String> {
    let differs = MISMATCHED.into_iter().filter(|name| hold.evidence.contains_key(*name));
    let named = differs.map(|name| locale.text(&format!("evidence-{}", name.replace('_', "-"))));
    named.collect()
}

/// The fields that clause 1 compares.
const MISMATCHED: [&str; 3] = ["full_name", "birth_date", "national_id"];

/// The evidence of a hold, as rows. A mismatch shows both sides. Facts named in `without` are hidden from the reader.
pub fn evidence_rows(
    held: &ActiveHold,
    explanation: &AccountExplanation,
    units: &UnitTree,
    locale: Locale,
    without: &[&str],
) -> Vec<(String, String)> {
    let hold = &held.hold;
    let known = hold
        .evidence
        .iter()
        .filter(|(name, value)| !value.is_empty() && !without.contains(&name.as_str()));
    let rows = known.map(|(name, value)| {
        let label = locale.text(&format!("evidence-{}", name.replace('_', "-")));
        if hold.reason == Reason::Mismatch && MISMATCHED.contains(&name.as_str()) {
            let side = |of: &str| {
                let value = explanation.fact(of).map(|value| value_text(of, value, units, locale));
                value.unwrap_or_else(|| locale.text("word-none"))
            };
            let (here, there) = (side(name), side(&format!("profile_{name}")));
            return (
                locale.text_with("mismatch-label", &[("field", &capital(&label))]),
                locale.text_with("mismatch-sides", &[("account", &here), ("profile", &there)]),
            );
        }
        if name == "same" && value == "form" {
            let at = held.since.map(|since| locale.instant(since)).unwrap_or_default();
            let found = locale.text_with("evidence-found-form", &[("at", &at)]);
            return (locale.text("evidence-found-when"), found);
        }
        (capital(&label), evidence(name, value, units, locale))
    });
    rows.collect()
}

/// The start of a hold: a day, or the instant if it began within a day.
pub fn since_row(since: i64, locale: Locale) -> (String, String) {
    match locale.whole_day(since) {
        Some(day) => (locale.text("explain-since-day"), day),
        None => (locale.text("explain-since"), locale.instant(since)),
    }
}
