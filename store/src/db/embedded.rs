//! The embedded database, by `rusqlite`, which runs a query on the calling thread. sqlx runs SQLite on a separate thread, and the way there
//! and back takes longer than most queries.

use crate::db::connections::{Connector, PATIENCE, rest};
use crate::db::dialect::PREPARED;
use crate::db::value::SqlValue;
use crate::error::Result;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement, StatementStatus, ToSql};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Pause before the next attempt to switch a file to WAL while others do the same.
const AGAIN: Duration = Duration::from_millis(10);

/// How to open connections to a file.
#[derive(Clone)]
pub(crate) struct SqliteConfig {
    path: PathBuf,
    create: bool,
    pragmas: &'static str,
}

impl SqliteConfig {
    pub(crate) fn reader(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            create: false,
            pragmas: "",
        }
    }

    /// Fingerprints fall anywhere in their indexes: with a larger cache, fewer pages are read and written repeatedly.
    pub(crate) fn writer(path: &Path, create: bool) -> Self {
        Self {
            path: path.to_owned(),
            create,
            pragmas: "PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 8000;",
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Connector for SqliteConfig {
    type Connection = SqliteConnection;

    async fn open(&self) -> Result<SqliteConnection> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags.set(OpenFlags::SQLITE_OPEN_CREATE, self.create);
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        let connection = write_ahead(connection).await?;
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = FILE;")?;
        connection.execute_batch(self.pragmas)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Ok(SqliteConnection(connection))
    }

    /// A file cannot be lost like a server: there is nothing to ping.
    async fn is_alive(_: &mut SqliteConnection) -> bool {
        true
    }
}

/// Switches a new file to WAL. SQLite ignores the busy time-out there, so several first starts at once would fail. The pool ends the wait
/// after [`PATIENCE`].
async fn write_ahead(connection: Connection) -> Result<Connection> {
    loop {
        match connection.execute_batch("PRAGMA journal_mode = WAL;") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => rest(AGAIN).await,
            done => return Ok(done.map(|()| connection)?),
        }
    }
}

/// Moves the WAL beside a file into the file. It waits for other users of the file for half a second only.
pub(crate) fn take_in_log(path: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_millis(500))?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(())
}

/// An SQLite connection.
pub(crate) struct SqliteConnection(Connection);

impl SqliteConnection {
    pub(crate) fn command(&self, sql: &str) -> Result<()> {
        self.0.execute_batch(sql)?;
        tracing::debug!(summary = sql, rows_returned = 0_u64);
        Ok(())
    }

    /// Runs a statement; returns the number of rows it touched.
    pub(crate) fn execute(&self, sql: &str, args: impl IntoIterator<Item = SqlValue>) -> Result<u64> {
        let mut statement = self.0.prepare_cached(sql)?;
        bind(&mut statement, args)?;
        let touched = statement.raw_execute()?;
        trace_statement(sql, 0, &statement);
        Ok(touched as u64)
    }

    /// Passes row after row to `take`, until that returns `false`.
    pub(crate) fn each(
        &self,
        sql: &str,
        args: impl IntoIterator<Item = SqlValue>,
        mut take: impl FnMut(Vec<Value>) -> Result<bool>,
    ) -> Result<()> {
        let mut statement = self.0.prepare_cached(sql)?;
        bind(&mut statement, args)?;
        let (width, mut given) = (statement.column_count(), 0);
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            given += 1;
            let values = (0..width).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
            if !take(values)? {
                break;
            }
        }
        drop(rows);
        trace_statement(sql, given, &statement);
        Ok(())
    }
}

/// Traces a statement as sqlx does for PostgreSQL, with its cost: the steps of SQLite's virtual machine.
fn trace_statement(sql: &str, rows: u64, statement: &Statement<'_>) {
    tracing::trace!(
        summary = sql,
        rows_returned = rows,
        steps = statement.reset_status(StatementStatus::VmStep)
    );
}

/// Binds arguments: `$2` takes the second one wherever it is in the text; a `?` takes the next one.
fn bind(statement: &mut Statement<'_>, args: impl IntoIterator<Item = SqlValue>) -> rusqlite::Result<()> {
    let args: Vec<SqlValue> = args.into_iter().collect();
    for place in 1..=statement.parameter_count() {
        let name = statement.parameter_name(place).and_then(|name| name.get(1..));
        let number = name.and_then(|digits| digits.parse().ok()).unwrap_or(place);
        let arg = args.get(number - 1);
        let arg = arg.ok_or(rusqlite::Error::InvalidParameterCount(args.len(), number))?;
        statement.raw_bind_parameter(place, arg)?;
    }
    Ok(())
}

impl ToSql for SqlValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Int(Some(int)) => ValueRef::Integer(*int),
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            Self::Int(None) | Self::Text(None) | Self::Bytes(None) => ValueRef::Null,
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opening a new database waits for another process that writes to it.
    #[tokio::test(flavor = "multi_thread")]
    async fn opening_new_database_waits_for_other_writer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new.db");
        let other = Connection::open(&path).unwrap();
        other
            .execute_batch("BEGIN IMMEDIATE; CREATE TABLE a (b INTEGER)")
            .unwrap();
        let opening = tokio::spawn(async move { SqliteConfig::writer(&path, true).open().await.map(drop) });
        rest(AGAIN * 5).await;
        assert!(!opening.is_finished());
        other.execute_batch("COMMIT").unwrap();
        opening.await.unwrap().unwrap();
    }
}
