//! The command line: its arguments, help, errors, progress and standard output.

pub mod args;
pub mod error_text;
pub mod help;
pub mod progress;
pub mod stdout;
