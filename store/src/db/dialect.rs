//! Which of the two databases a statement runs on.

/// Number of statements that a connection keeps prepared.
pub(crate) const PREPARED: usize = 400;

/// The two SQL dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite, embedded, the default.
    Sqlite,
    /// PostgreSQL, for more than one machine.
    Postgres,
}
