//! Vietnamese mobile numbers, stored as E.164.

use super::text::{all_digits, digits};
use super::{Repair, Repairs};
use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// The 11-digit prefixes retired in 2018 (15/9/2018 to 30/6/2019), without the leading zero, and their replacements.
const RETIRED_2018: [(&str, &str); 21] = [
    ("162", "32"),
    ("163", "33"),
    ("164", "34"),
    ("165", "35"),
    ("166", "36"),
    ("167", "37"),
    ("168", "38"),
    ("169", "39"),
    ("120", "70"),
    ("121", "79"),
    ("122", "77"),
    ("126", "76"),
    ("128", "78"),
    ("123", "83"),
    ("124", "84"),
    ("125", "85"),
    ("127", "81"),
    ("129", "82"),
    ("186", "56"),
    ("188", "58"),
    ("199", "59"),
];

/// Why a cell is not a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneFault {
    /// Not a Vietnamese mobile number; a landline is not one.
    Bad,
    /// Several numbers in one cell.
    Ambiguous,
}

/// A mobile number: `+84` and nine digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

impl Phone {
    /// Parses a cell in any of the forms that people write: `0912 345 678`, `+84 (0)912 345 678`, `912345678.0`.
    pub fn parse(raw: &str) -> Result<(Self, Repairs), PhoneFault> {
        let text = digits(raw);
        let text = one_of(without_label(&text))?;
        // A spreadsheet's decimal part of a number. It is not the last group of `0912.345.670.0`.
        let text = text
            .strip_suffix(".0")
            .filter(|head| ends_in_nine_digits(head))
            .unwrap_or(text);
        let number: String = text.chars().filter(|c| !stands_between(*c)).collect();
        let number = number
            .strip_prefix('+')
            .or_else(|| number.strip_prefix("00").filter(|n| n.starts_with("84")))
            .unwrap_or(&number);
        if !all_digits(number) {
            return Err(PhoneFault::Bad);
        }
        let number = number
            .strip_prefix("84")
            .filter(|n| n.len() == 9 || n.len() == 10)
            .unwrap_or(number);
        let number = number.strip_prefix('0').unwrap_or(number);
        if number.len() == 10
            && let Some((old, new)) = RETIRED_2018.iter().find(|(old, _)| number.starts_with(old))
        {
            return Ok((
                Self(format!("+84{new}{}", &number[old.len()..])),
                Repairs::from_iter([Repair::PhonePrefix2018]),
            ));
        }
        (number.len() == 9 && is_mobile(number))
            .then(|| (Self(format!("+84{number}")), Repairs::default()))
            .ok_or(PhoneFault::Bad)
    }

    /// The number as E.164.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `0912***678`: the usual grouping, without the three digits that make it one person's.
    pub fn masked(&self) -> String {
        let (front, back) = (&self.0[3..6], &self.0[self.0.len() - 3..]);
        format!("0{front}***{back}")
    }
}

fn ends_in_nine_digits(text: &str) -> bool {
    text.bytes().rev().take_while(u8::is_ascii_digit).count() >= 9
}

/// Returns whether people write this character between the groups of a number: spaces, brackets, any dash or dot.
fn stands_between(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')') || is_dash(c) || is_dot(c)
}

fn is_dash(c: char) -> bool {
    c == '−' || c.general_category() == GeneralCategory::DashPunctuation
}

fn is_dot(c: char) -> bool {
    matches!(c, '.' | '·' | '•' | '‧' | '∙' | '⋅' | '․')
}

/// Strips the label that may precede a phone in its own column.
fn without_label(text: &str) -> &str {
    let label = text.split_once(':').filter(|(word, _)| {
        let word = super::folded(word);
        matches!(&*word, "ZALO" | "DT" | "SDT")
    });
    label
        .map_or(text, |(_, number)| number.trim())
        .trim_start_matches('\'')
        .trim_start()
}

/// Returns the single number of a cell. Several numbers are separated by one of the usual separators, and each has enough digits.
fn one_of(text: &str) -> Result<&str, PhoneFault> {
    let mut parts = vec![text];
    for apart in ["/", ";", " - ", " – ", " — ", "hoặc"] {
        parts = parts.into_iter().flat_map(|part| part.split(apart)).collect();
    }
    parts.retain(|part| !part.trim().is_empty());
    if parts.len() > 1 {
        return Err(PhoneFault::Ambiguous);
    }
    let one = parts
        .first()
        .copied()
        .unwrap_or_default()
        .trim()
        .trim_end_matches(',')
        .trim_end();
    let by_comma = one
        .split([',', '\n', '\r', ' ', '\t'])
        .filter(|part| count_digits(part) >= 9)
        .count();
    if by_comma > 1 {
        Err(PhoneFault::Ambiguous)
    } else {
        Ok(one)
    }
}

fn count_digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Checks the shape only: lists of carriers go out of date faster than this program.
fn is_mobile(nine_digits: &str) -> bool {
    let mut two = nine_digits.bytes();
    match (two.next(), two.next()) {
        (Some(b'3'), Some(d)) => d >= b'2',
        (Some(b'5'), Some(d)) => matches!(d, b'2' | b'5' | b'6' | b'8' | b'9'),
        (Some(b'7'), Some(d)) => matches!(d, b'0' | b'6'..=b'9'),
        (Some(b'8'), Some(d)) => d >= b'1',
        (Some(b'9'), Some(_)) => true,
        _ => false,
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)") // personal: never in a log
    }
}

impl TryFrom<String> for Phone {
    type Error = &'static str;
    fn try_from(raw: String) -> Result<Self, Self::Error> {
        let national = raw.strip_prefix("+84").unwrap_or_default();
        if national.len() == 9 && all_digits(national) {
            Ok(Self(raw))
        } else {
            Err("a phone is +84 and nine digits")
        }
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}
