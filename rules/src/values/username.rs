//! The comparison of user names.

use super::Phone;
use super::text::strip_invisible;
use unicode_normalization::UnicodeNormalization as _;

/// A key that is equal for two spellings of one user name: case folded, composed, without invisible characters. A user name that is a phone
/// becomes the E.164 number, however it is written.
pub fn username_key(text: &str) -> String {
    let visible = strip_invisible(text);
    match Phone::parse(&visible) {
        Ok((phone, _)) => phone.as_str().to_owned(),
        Err(_) => visible.trim().to_lowercase().nfkc().collect(),
    }
}
