//! User names, as they are compared.

use super::Phone;
use super::text::strip_invisible;
use unicode_normalization::UnicodeNormalization as _;

/// The key under which two writings are one user name: in any case, composed, without what cannot be seen; one that is a phone is that number,
/// however it is written.
pub fn username_key(text: &str) -> String {
    let visible = strip_invisible(text);
    match Phone::parse(&visible) {
        Ok((phone, _)) => phone.as_str().to_owned(),
        Err(_) => visible.trim().to_lowercase().nfkc().collect(),
    }
}
