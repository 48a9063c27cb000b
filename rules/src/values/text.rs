//! What all values share: invisible characters, other forms of digits, white space.

/// What shows nothing and takes no room, which is never part of a value: spaces without width, byte order marks, soft hyphens, joiners, marks of
/// direction, variants.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
    )
}

/// The text without invisible characters.
pub fn strip_invisible(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c)).collect()
}

/// A cell with a NUL is never read (files.md).
pub fn has_nul(text: &str) -> bool {
    text.contains('\0')
}

/// A cell that holds digits: invisible characters dropped, full-width digits and NBSP read through, trimmed. Digits of other
/// scripts stay what they are, and are refused by whoever reads on.
pub(super) fn digits(text: &str) -> String {
    let mended: String = text
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| match c {
            '\u{ff10}'..='\u{ff19}' => char::from(b'0' + u8::try_from(u32::from(c) - 0xff10).unwrap_or_default()),
            '\u{a0}' => ' ',
            other => other,
        })
        .collect();
    mended.trim().to_owned()
}

pub(super) fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
