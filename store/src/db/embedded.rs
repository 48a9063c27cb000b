//! The embedded database by `rusqlite`, which asks on the spot. sqlx asks SQLite on a thread beside, and the way there and back takes
//! longer than most questions.

use super::connections::{Opens, PATIENCE};
use super::rest;
use super::tx::Arg;
use crate::error::Result;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement, StatementStatus, ToSql};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Statements that a connection keeps prepared.
pub(super) const PREPARED: usize = 400;

/// After so long a file that others are turning to its log is tried again.
const AGAIN: Duration = Duration::from_millis(10);

/// How connections to a file are made.
#[derive(Clone)]
pub(super) struct File {
    path: PathBuf,
    create: bool,
    pragmas: &'static str,
}

impl File {
    pub(super) fn reader(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            create: false,
            pragmas: "",
        }
    }

    /// Fingerprints fall anywhere in their indexes: with more memory, fewer pages are read and written again and again.
    pub(super) fn writer(path: &Path, create: bool) -> Self {
        Self {
            path: path.to_owned(),
            create,
            pragmas: "PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 8000;",
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Opens for File {
    type Connection = Embedded;

    async fn open(&self) -> Result<Embedded> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags.set(OpenFlags::SQLITE_OPEN_CREATE, self.create);
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        let connection = write_ahead(connection).await?;
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = FILE;")?;
        connection.execute_batch(self.pragmas)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Ok(Embedded(connection))
    }

    /// A file goes nowhere.
    async fn is_alive(_: &mut Embedded) -> bool {
        true
    }
}

/// Turns the log of a new file on. SQLite waits for nobody there, whatever the time-out: several first starts at once would fail. The pool
/// ends the wait after [`PATIENCE`].
async fn write_ahead(connection: Connection) -> Result<Connection> {
    loop {
        match connection.execute_batch("PRAGMA journal_mode = WAL;") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => rest(AGAIN).await,
            done => return Ok(done.map(|()| connection)?),
        }
    }
}

/// Brings what stands in the log beside a file into the file. Whoever else is at work on it is waited for a moment only.
pub(super) fn take_in_log(path: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_millis(500))?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(())
}

/// A connection.
pub(super) struct Embedded(Connection);

impl Embedded {
    pub(super) fn command(&self, sql: &str) -> Result<()> {
        self.0.execute_batch(sql)?;
        tracing::debug!(summary = sql, rows_returned = 0_u64);
        Ok(())
    }

    /// Returns how many rows it touched.
    pub(super) fn execute(&self, sql: &str, args: impl IntoIterator<Item = Arg>) -> Result<u64> {
        let mut statement = self.0.prepare_cached(sql)?;
        bind(&mut statement, args)?;
        let touched = statement.raw_execute()?;
        heard(sql, 0, &statement);
        Ok(touched as u64)
    }

    /// Row after row, until `take` has enough.
    pub(super) fn each(
        &self,
        sql: &str,
        args: impl IntoIterator<Item = Arg>,
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
        heard(sql, given, &statement);
        Ok(())
    }
}

/// As sqlx tells of what PostgreSQL was asked, and how much work it was: the steps of SQLite's virtual machine.
fn heard(sql: &str, rows: u64, statement: &Statement<'_>) {
    tracing::trace!(
        summary = sql,
        rows_returned = rows,
        steps = statement.reset_status(StatementStatus::VmStep)
    );
}

/// `$2` takes the second argument wherever it stands; a `?` takes the next one.
fn bind(statement: &mut Statement<'_>, args: impl IntoIterator<Item = Arg>) -> rusqlite::Result<()> {
    let args: Vec<Arg> = args.into_iter().collect();
    for place in 1..=statement.parameter_count() {
        let name = statement.parameter_name(place).and_then(|name| name.get(1..));
        let number = name.and_then(|digits| digits.parse().ok()).unwrap_or(place);
        let arg = args.get(number - 1);
        let arg = arg.ok_or(rusqlite::Error::InvalidParameterCount(args.len(), number))?;
        statement.raw_bind_parameter(place, arg)?;
    }
    Ok(())
}

impl ToSql for Arg {
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

    #[tokio::test(flavor = "multi_thread")]
    async fn a_new_file_that_another_writes_to_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new.db");
        let other = Connection::open(&path).unwrap();
        other
            .execute_batch("BEGIN IMMEDIATE; CREATE TABLE a (b INTEGER)")
            .unwrap();
        let opening = tokio::spawn(async move { File::writer(&path, true).open().await.map(drop) });
        rest(AGAIN * 5).await;
        assert!(!opening.is_finished());
        other.execute_batch("COMMIT").unwrap();
        opening.await.unwrap().unwrap();
    }
}
