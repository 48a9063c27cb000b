//! The output for people and scripts: texts in two languages, tables in three formats, progress, spreadsheets.

mod report;
mod sheet;
mod table;
mod xlsx;

pub use crate::i18n::event_text::{actor_name, event_text, evidence, pending_changes_text, value_text};
pub use crate::i18n::{capital, masked_name};
pub use crate::i18n::hold_text::{evidence_rows, hold_text, since_row};
pub use crate::i18n::Locale;
pub use crate::i18n::news::{news_words, to_owners};
pub use crate::cli::progress::Progress;
pub use report::{report_table, staff_table};
pub(crate) use crate::cli::stdout::print_line;
pub use crate::cli::stdout::{Stdout, fault as stdout_fault, print};
pub use table::{Format, Table, try_file, write_file};
pub use xlsx::report_xlsx;
