//! Text handling that all values share: invisible characters, other forms of digits, white space.

/// Returns whether a character is invisible and has no width, so that it is never part of a value: zero-width spaces, byte order marks,
/// soft hyphens, joiners, directional marks, variation selectors.
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

/// Removes invisible characters.
pub fn strip_invisible(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c)).collect()
}

/// Returns whether a cell has a NUL. Such a cell is never read (files.md).
pub fn has_nul(text: &str) -> bool {
    text.contains('\0')
}

/// Normalises a cell that holds digits: drops invisible characters, converts full-width digits and NBSP, trims. Digits of other scripts
/// stay as they are, and the parser of the value refuses them.
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
