//! The messages to account owners. An owner's language is unknown, so they are in the default language.

use crate::i18n::Locale;
use ngomon_rules::hold::Reason;
use ngomon_store::{News, NewsWords};
use std::sync::Arc;

/// The language of messages to owners, whatever the language of the actor.
pub fn to_owners() -> Locale {
    Locale::first()
}

/// The texts of all messages to owners.
pub fn news_words() -> NewsWords {
    Arc::new(|news| news_text(news, to_owners()))
}

fn news_text(news: &News, locale: Locale) -> String {
    match news {
        News::Standardised(Some(receipt)) => locale.text_with("sms-standardised", &[("receipt", receipt)]),
        News::Standardised(None) => locale.text("sms-standardised-at-counter"),
        News::ClaimWithdrawn => locale.text("sms-claim-withdrawn"),
        News::ClaimLost => locale.text("sms-taken-over"),
        News::ReviewAnswered(receipt) => locale.text_with("sms-review-answered", &[("receipt", receipt)]),
        News::PasswordCodeIssued => locale.text("sms-password-code"),
        News::PhoneChanged => locale.text("sms-phone-changed"),
        News::OpenAgain => locale.text("sms-open-again"),
        News::Held(Reason::Moved) => locale.text("sms-held-moved"),
        News::Held(reason) if reason.is_hr() => locale.text("sms-held-hr"),
        News::Held(reason) => locale.text(&format!("sms-held-{reason}")),
        News::Answered(receipt) => locale.text_with("sms-answered", &[("receipt", receipt)]),
    }
}

#[cfg(test)]
mod tests {
    use crate::i18n::news::{Locale, News, Reason, news_text};

    /// Each text fits one SMS and contains no diacritics, no link and no request for a code.
    #[test]
    fn owner_notification_fits_one_sms() {
        let receipt = || "DH-7K3M-42QX".to_owned();
        let mut all = vec![
            News::Standardised(Some(receipt())),
            News::Standardised(None),
            News::ClaimWithdrawn,
            News::ClaimLost,
            News::ReviewAnswered(receipt()),
            News::PasswordCodeIssued,
            News::PhoneChanged,
            News::Answered(receipt()),
        ];
        all.push(News::OpenAgain);
        // The hold that follows from the policy has no journal entry, so there is no message about it.
        let written = Reason::ALL
            .into_iter()
            .filter(|reason| *reason != Reason::NotStandardised);
        all.extend(written.map(News::Held));
        for locale in ["vi", "en"].map(|tag| Locale::of_tag(tag).unwrap()) {
            for news in &all {
                let text = news_text(news, locale);
                assert!(text.is_ascii() && text.len() <= 160 && !text.contains("http"), "{text}");
                assert!(text.starts_with("Hue-S: "), "{text}");
            }
        }
    }
}
