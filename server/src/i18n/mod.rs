//! The texts in two languages, the same on the terminal and on the pages.

pub(crate) mod event_text;
pub(crate) mod hold_text;
pub(crate) mod locale;
pub(crate) mod news;
