//! The history of an account, page by page.

use crate::i18n::{Locale, event_text};
use ngomon_rules::event::Change;
use ngomon_store::AccountExplanation;

/// A row of a history.
pub struct HistoryRow {
    /// The time.
    pub at: String,
    /// The event.
    pub what: String,
}

/// A page of a history, the newest event first.
pub struct History {
    /// The events.
    pub lines: Vec<HistoryRow>,
    /// Links to the adjacent pages.
    pub turn: HistoryLinks,
}

/// Links to the adjacent pages of a history.
pub struct HistoryLinks {
    /// The page of earlier events, if there are any.
    pub earlier: Option<String>,
    /// The first page, if this is not it.
    pub newest: Option<String>,
}

impl HistoryLinks {
    /// The links on the page `here`, which was requested with the cursor `before`.
    pub fn of(explanation: &AccountExplanation, before: &str, here: &str) -> Self {
        let earlier = explanation.earlier.as_ref();
        Self {
            earlier: earlier.map(|place| format!("{here}?before={place}#history")),
            newest: (!before.is_empty()).then(|| format!("{here}#history")),
        }
    }
}

/// The part of a history that was requested with the cursor `before`, on the page `here`.
pub fn history(explanation: &AccountExplanation, before: &str, here: &str, locale: Locale) -> History {
    // A new hash scheme for the password is no event for its owner.
    let told = explanation.history.iter().rev();
    let told = told.filter(|entry| entry.change != Change::PasswordRehashed);
    let lines = told.map(|entry| HistoryRow {
        at: locale.instant(entry.at),
        what: event_text(&entry.change, locale),
    });
    History {
        lines: lines.collect(),
        turn: HistoryLinks::of(explanation, before, here),
    }
}
