//! The command line: its arguments, help, errors, progress and standard output.

pub(crate) mod args;
pub(crate) mod error_text;
pub(crate) mod help;
pub(crate) mod progress;
pub(crate) mod stdout;
