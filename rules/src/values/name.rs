//! Full names: repaired, then compared in grades (rules.md, "When two values are the same").

use super::text::strip_invisible;
use super::{Repair, Repairs};
use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// How similar two names are, the best first. Only [`Grade::Exact`] and [`Grade::Folded`] count as the same person's name, and only if a
/// national id already identifies the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Equal after case folding and canonical tone placement: `Hoà` = `Hòa`.
    Exact,
    /// Equal without diacritics, with Đ as D, without spaces and punctuation.
    Folded,
    /// One edit apart when folded, i for y, or a middle name missing. Shown to the counter, never a match.
    Near,
    /// A different name.
    Different,
}

impl Grade {
    /// Returns whether both are one person's name.
    pub fn is_same_person(self) -> bool {
        self <= Self::Folded
    }
}

/// A name in its stored form: NFC, white space collapsed, no invisible characters, `Đ đ` as U+0110 and U+0111. It has at least one letter.
/// One word and one letter are enough: such names exist.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FullName(String);

impl FullName {
    /// Parses a name. `None` if it has no letter.
    pub fn parse(raw: &str) -> Option<(Self, Repairs)> {
        let (name, repairs) = mend(raw);
        name.chars().any(char::is_alphabetic).then_some((Self(name), repairs))
    }

    /// The stored form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A key that is equal for two spellings that are exactly the same name.
    pub fn exact_key(&self) -> String {
        exact_key(&self.0)
    }

    /// A key that is equal for two spellings of one person's name: the folded form, or the exact one if folding leaves nothing.
    pub fn person_key(&self) -> String {
        let folded = folded(&self.0);
        if folded.is_empty() { self.exact_key() } else { folded }
    }

    /// Grades how similar two names are.
    pub fn grade(&self, other: &Self) -> Grade {
        if self.0 == other.0 || self.exact_key() == other.exact_key() {
            return Grade::Exact;
        }
        let (a, b) = (self.person_key(), other.person_key());
        if a == b {
            Grade::Folded
        } else if one_edit(&a, &b) || i_for_y(&a) == i_for_y(&b) || middle_missing(&self.0, &other.0) {
            Grade::Near
        } else {
            Grade::Different
        }
    }
}

impl fmt::Debug for FullName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FullName(…)") // personal: never in a log
    }
}

impl fmt::Display for FullName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for FullName {
    type Error = &'static str;
    fn try_from(raw: String) -> Result<Self, Self::Error> {
        Self::parse(&raw)
            .map(|(name, _)| name)
            .ok_or("a name has at least one letter")
    }
}

impl From<FullName> for String {
    fn from(name: FullName) -> Self {
        name.0
    }
}

/// Repairs a name (of a person or a unit) before anything is compared.
fn mend(raw: &str) -> (String, Repairs) {
    let mut repairs = Repairs::default();
    // Invisible characters come first, because they may stand between a letter and its mark.
    let visible = strip_invisible(raw);
    if visible.len() < raw.len() {
        repairs.add(Repair::ZeroWidth);
    }
    let composed: String = if is_nfc(&visible) {
        visible
    } else {
        repairs.add(Repair::Nfc);
        visible.nfc().collect()
    };
    let mut out = String::with_capacity(composed.len());
    let mut gap = false;
    for c in composed.chars() {
        let c = match c {
            'Ð' | 'Ɖ' => {
                repairs.add(Repair::DStroke);
                'Đ'
            }
            'ð' | 'ɖ' => {
                repairs.add(Repair::DStroke);
                'đ'
            }
            c => c,
        };
        if c.is_whitespace() {
            gap = !out.is_empty();
        } else {
            if gap {
                out.push(' ');
                gap = false;
            }
            out.push(c);
        }
    }
    (out, repairs)
}

/// Folds case and puts the tone mark of an open syllable in `oa`, `oe`, `uy` on its first vowel. Closed syllables and `qu-` are untouched.
/// Unit names are looked up by this key too.
pub fn exact_key(text: &str) -> String {
    let (text, _) = mend(text);
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Lower, upper, lower: full case folding for every character that names contain. It splits ligatures, so marks attach to other letters.
    let text = text.to_lowercase().to_uppercase().to_lowercase();
    let text: String = text.nfc().collect();
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars() {
        // A mark that does not compose with a letter belongs to the letter before it.
        let is_mark = c.general_category_group() == GeneralCategoryGroup::Mark;
        if c.is_alphanumeric() || c == '_' || is_mark {
            word.push(c);
        } else {
            push_syllable(&mut out, &word);
            word.clear();
            out.push(c);
        }
    }
    push_syllable(&mut out, &word);
    out
}

fn push_syllable(out: &mut String, word: &str) {
    const MOVES: [(&str, [(&str, &str); 5]); 3] = [
        (
            "oa",
            [("oà", "òa"), ("oá", "óa"), ("oã", "õa"), ("oả", "ỏa"), ("oạ", "ọa")],
        ),
        (
            "oe",
            [("oè", "òe"), ("oé", "óe"), ("oẽ", "õe"), ("oẻ", "ỏe"), ("oẹ", "ọe")],
        ),
        (
            "uy",
            [("uỳ", "ùy"), ("uý", "úy"), ("uỹ", "ũy"), ("uỷ", "ủy"), ("uỵ", "ụy")],
        ),
    ];
    for (_, pairs) in &MOVES {
        for (second, first) in pairs {
            if let Some(head) = word.strip_suffix(second)
                && !head.ends_with('q')
            {
                out.push_str(head);
                out.push_str(first);
                return;
            }
        }
    }
    out.push_str(word);
}

/// Folds to upper case without marks (category M), spaces (Z), punctuation (P), control characters (C) and the substitutes for an
/// apostrophe or a dash. A struck letter or a ligature becomes plain letters.
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.to_uppercase().nfd() {
        match plain(c) {
            Some(letters) => out.push_str(letters),
            None if c.is_ascii_alphanumeric() || !passed_over(c) => out.push(c),
            None => {}
        }
    }
    out
}

/// The plain letters of a struck capital or a ligature, which Unicode does not decompose.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'Ⱥ' => "A",
        'Ƀ' => "B",
        'Ȼ' | 'Ƈ' => "C",
        'Đ' | 'Ɖ' | 'Ð' => "D",
        'Ɇ' => "E",
        'Ǥ' => "G",
        'Ħ' | 'Ⱨ' => "H",
        'Ɨ' => "I",
        'Ɉ' => "J",
        'Ꝁ' | 'Ⱪ' => "K",
        'Ł' | 'Ƚ' | 'Ⱡ' => "L",
        'Ø' | 'Ɵ' => "O",
        'Ᵽ' => "P",
        'Ɍ' => "R",
        'Ŧ' | 'Ⱦ' => "T",
        'Ʉ' => "U",
        'Ɏ' => "Y",
        'Ƶ' | 'Ⱬ' => "Z",
        'Æ' => "AE",
        'Œ' => "OE",
        'ẞ' | 'ß' => "SS",
        'Ĳ' => "IJ",
        'Ǳ' => "DZ",
        'Ǉ' => "LJ",
        'Ǌ' => "NJ",
        _ => return None,
    })
}

/// Returns whether a folded name omits the character.
fn passed_over(c: char) -> bool {
    matches!(c, '`' | '´' | 'ʼ' | 'ʹ' | 'ˈ' | '−')
        || matches!(
            c.general_category_group(),
            GeneralCategoryGroup::Mark
                | GeneralCategoryGroup::Separator
                | GeneralCategoryGroup::Punctuation
                | GeneralCategoryGroup::Other
        )
}

/// Returns whether letters of the name were lost in a conversion between character sets: it has a replacement character, a C1 control
/// character, or a question mark between letters.
pub fn lost_in_transcoding(text: &str) -> bool {
    let (mut before, mut asked) = (false, false);
    for c in text.chars() {
        if matches!(c, '\u{fffd}' | '\u{80}'..='\u{9f}') || (asked && c.is_alphabetic()) {
            return true;
        }
        // Several question marks in a row stand for the bytes of one letter.
        asked = c == '?' && (before || asked);
        before = c.is_alphabetic();
    }
    false
}

fn i_for_y(folded: &str) -> String {
    folded.replace('Y', "I")
}

/// Returns whether at most one letter is added, dropped or changed.
fn one_edit(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (long, short) = if a.len() >= b.len() { (&a, &b) } else { (&b, &a) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let head = long.iter().zip(short).take_while(|(x, y)| x == y).count();
    let rest = usize::from(long.len() == short.len());
    long.get(head + 1..) == short.get(head + rest..)
}

/// Returns whether first and last word agree and the middle words of the shorter name appear in order in the longer one.
fn middle_missing(a: &str, b: &str) -> bool {
    let words = |s: &str| s.split_whitespace().map(folded).collect::<Vec<_>>();
    let (a, b) = (words(a), words(b));
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    if short.len() < 2 || long.len() == short.len() || long.first() != short.first() || long.last() != short.last() {
        return false;
    }
    let mut rest = long.iter();
    short.iter().all(|word| rest.any(|x| x == word))
}
