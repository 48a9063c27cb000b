//! What owners of accounts are told by message. Nobody knows which language an owner reads, so it is the first.

use super::Words;
use ngomon_rules::hold::Reason;
use ngomon_store::{News, NewsWords};
use std::sync::Arc;

/// The words of messages to owners, whoever acts in whichever language.
pub fn to_owners() -> Words {
    Words::first()
}

/// What each piece of news says.
pub fn news_words() -> NewsWords {
    Arc::new(|news| news_text(news, to_owners()))
}

fn news_text(news: &News, words: Words) -> String {
    match news {
        News::Standardised(Some(receipt)) => words.say_with("sms-standardised", &[("receipt", receipt)]),
        News::Standardised(None) => words.say("sms-standardised-at-counter"),
        News::ClaimWithdrawn => words.say("sms-claim-withdrawn"),
        News::ClaimLost => words.say("sms-taken-over"),
        News::ReviewAnswered(receipt) => words.say_with("sms-review-answered", &[("receipt", receipt)]),
        News::PasswordCodeIssued => words.say("sms-password-code"),
        News::PhoneChanged => words.say("sms-phone-changed"),
        News::OpenAgain => words.say("sms-open-again"),
        News::Held(Reason::Moved) => words.say("sms-held-moved"),
        News::Held(reason) if reason.is_hr() => words.say("sms-held-hr"),
        News::Held(reason) => words.say(&format!("sms-held-{reason}")),
        News::Answered(receipt) => words.say_with("sms-answered", &[("receipt", receipt)]),
    }
}

#[cfg(test)]
mod tests {
    use super::{News, Reason, Words, news_text};

    /// One message, without diacritics, link or question for a code.
    #[test]
    fn news_fits_one_message() {
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
        // The one that follows from the policy is written nowhere, so nothing tells of it.
        let written = Reason::ALL
            .into_iter()
            .filter(|reason| *reason != Reason::NotStandardised);
        all.extend(written.map(News::Held));
        for words in ["vi", "en"].map(|tag| Words::of_tag(tag).unwrap()) {
            for news in &all {
                let text = news_text(news, words);
                assert!(text.is_ascii() && text.len() <= 160 && !text.contains("http"), "{text}");
                assert!(text.starts_with("Hue-S: "), "{text}");
            }
        }
    }
}
