//! The texts in two languages, the same on the terminal and on the pages.

mod event_text;
mod hold_text;
mod locale;
mod news;
mod notice_fault;
mod scopes;
mod values;

pub use event_text::{actor_name, event_text, pending_changes_text};
pub use hold_text::{evidence_rows, hold_text, since_row};
pub use locale::Locale;
pub use news::{news_words, to_owners};
pub use notice_fault::notice_fault;
pub use scopes::scope_labels;
pub use values::{capital, evidence, masked_name, value_text, whose_claim};
