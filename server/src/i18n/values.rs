//! The texts of values: names, units, facts of holds.

use super::Locale;
use ngomon_rules::unit::{UnitCode, UnitTree};
use ngomon_store::AccountExplanation;

/// A value for people: units by name and code, lists of words one by one.
pub fn value_text(name: &str, value: &str, units: &UnitTree, locale: Locale) -> String {
    if name.ends_with("unit")
        && let Some(unit) = units.get(&UnitCode(value.to_owned()))
    {
        return format!("{} ({value})", unit.name);
    }
    word(value, locale)
}

/// A fact of a hold: lists of words one by one; what an office wrote stays as it is.
pub fn evidence(name: &str, value: &str, units: &UnitTree, locale: Locale) -> String {
    if ["text", "document", "ordered_by", "notice"].contains(&name) {
        return value.to_owned();
    }
    if name.ends_with("unit") {
        return unit_name(value, units);
    }
    let values: Vec<String> = value
        .split(' ')
        .map(|part| value_text(name, part, units, locale))
        .collect();
    values.join(", ")
}

/// Replaces a value that is one of our words by its text.
fn word(value: &str, locale: Locale) -> String {
    if let Ok(day) = value.parse::<ngomon_rules::values::Date>() {
        return locale.day(day);
    }
    locale
        .find(&format!("word-{value}"), &[])
        .unwrap_or_else(|| value.to_owned())
}

/// The text with a capital first letter.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// The name of a unit.
pub fn unit_name(code: &str, units: &UnitTree) -> String {
    let unit = units.get(&UnitCode(code.to_owned()));
    unit.map_or_else(|| code.to_owned(), |unit| unit.name.clone())
}

/// A person's name, masked for other readers: enough to tell two people apart, not enough to identify them.
pub fn masked_name(name: &str) -> String {
    let locale: Vec<&str> = name.split_whitespace().collect();
    let hidden = |word: &str| word.chars().take(1).chain("***".chars()).collect::<String>();
    let last = locale.len().saturating_sub(1);
    let masked = locale.iter().enumerate().map(|(at, word)| match at {
        at if at == last && last > 0 => (*word).to_owned(),
        _ => hidden(word),
    });
    masked.collect::<Vec<_>>().join(" ")
}

/// The name and number of the claim that an account has.
pub fn whose_claim(explanation: &AccountExplanation, locale: Locale, masked: bool) -> Option<String> {
    let name = explanation.fact("claim_name")?;
    let name = if masked { masked_name(name) } else { name.to_owned() };
    let number = explanation.fact("claim_number").unwrap_or_default();
    Some(locale.text_with("claim-of", &[("name", &name), ("number", number)]))
}

#[cfg(test)]
mod tests {
    use crate::i18n::masked_name;

    /// A masked name distinguishes people and identifies nobody.
    #[test]
    fn masked_name_shows_given_name_and_initials_only() {
        assert_eq!(masked_name("Ngô Minh Sơn"), "N*** M*** Sơn");
        assert_eq!(masked_name("Đặng  Ái"), "Đ*** Ái");
        assert_eq!(masked_name("Kăn"), "K***", "names of one word are hidden too");
        assert_eq!(masked_name(""), "");
    }
}
