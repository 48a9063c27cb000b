//! The text of a failed delivery to a connected system.

use crate::i18n::Locale;

/// The text of a failed delivery.
pub fn notice_fault(locale: Locale, fault: &str) -> String {
    let (word, why) = fault.split_once(": ").unwrap_or((fault, ""));
    match word.strip_prefix("answered ") {
        Some(status) => locale.text_with("notice-fault-answered", &[("status", status)]),
        None => locale
            .find(&format!("notice-fault-{word}"), &[("why", why)])
            .unwrap_or_else(|| fault.to_owned()),
    }
}
