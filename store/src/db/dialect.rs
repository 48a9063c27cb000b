//! Which of the two databases a statement runs on.

use sqlx::{ConnectOptions as _, Connection as _};

/// The two SQL dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite, embedded, the default.
    Sqlite,
    /// PostgreSQL, for more than one machine.
    Postgres,
}
