//! A transaction, its arguments and its rows. One SQL text serves both databases; what differs is in this file.

use super::connections::Taken;
use super::embedded::File;
use super::{Dialect, Ends};
use crate::error::{Result, StoreError};
use crate::keyring::Fingerprint;
use futures_util::TryStreamExt as _;
use rusqlite::types::{FromSql, Value, ValueRef};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Decode, Postgres, Row as _, Type};
use std::fmt::Write as _;

/// A value for a statement. Instants are microseconds UTC, days ISO text.
#[derive(Clone, Debug)]
pub enum Arg {
    /// `BIGINT`.
    Int(Option<i64>),
    /// `TEXT`.
    Text(Option<String>),
    /// `BLOB`, `BYTEA`.
    Bytes(Option<Vec<u8>>),
}

macro_rules! arg_from {
    ($($from:ty => $variant:ident, |$x:ident| $to:expr;)*) => {$(
        impl From<$from> for Arg {
            fn from($x: $from) -> Self {
                Self::$variant($to)
            }
        }
    )*};
}

arg_from! {
    i64 => Int, |x| Some(x);
    u32 => Int, |x| Some(i64::from(x));
    Option<i64> => Int, |x| x;
    bool => Int, |x| Some(i64::from(x));
    &str => Text, |x| Some(x.to_owned());
    &String => Text, |x| Some(x.clone());
    String => Text, |x| Some(x);
    Option<String> => Text, |x| x;
    Option<&str> => Text, |x| x.map(str::to_owned);
    Vec<u8> => Bytes, |x| Some(x);
    &[u8] => Bytes, |x| Some(x.to_vec());
    Option<Vec<u8>> => Bytes, |x| x;
}

impl<const N: usize> From<[u8; N]> for Arg {
    fn from(x: [u8; N]) -> Self {
        Self::Bytes(Some(x.to_vec()))
    }
}

/// A row that a query found.
pub enum Row {
    /// From the embedded database.
    Sqlite(Vec<Value>),
    /// From PostgreSQL.
    Postgres(PgRow),
}

/// What a column can be read as: `i64`, `String`, `Vec<u8>`, or an option of one.
pub trait Column: FromSql + Type<Postgres> + for<'r> Decode<'r, Postgres> {}

impl<T: FromSql + Type<Postgres> + for<'r> Decode<'r, Postgres>> Column for T {}

impl Row {
    /// The value of column `at`, counted from 0.
    pub fn get<T: Column>(&self, at: usize) -> Result<T> {
        let unreadable = |why: &dyn std::fmt::Display| StoreError::corrupt("a column", why);
        match self {
            Self::Sqlite(values) => {
                let value = values.get(at).map_or(ValueRef::Null, ValueRef::from);
                T::column_result(value).map_err(|error| unreadable(&error))
            }
            Self::Postgres(row) => row.try_get(at).map_err(|error| unreadable(&error)),
        }
    }
}

pub(super) enum Connection {
    Sqlite(Taken<File>),
    Postgres(Taken<PgConnectOptions>),
}

/// An open transaction.
pub struct Tx {
    connection: Connection,
    /// The mark of the key under which the fingerprints that it sees are, once that was asked.
    fingerprints: Option<Fingerprint>,
    /// It has begun, and did not end yet.
    open: bool,
}

/// Whoever asked went away in the middle, or it does not even roll back: what is left on the connection is nobody's, and it is not used
/// again.
impl Drop for Tx {
    fn drop(&mut self) {
        if self.open {
            match &mut self.connection {
                Connection::Sqlite(kept) => kept.spoilt = true,
                Connection::Postgres(kept) => kept.spoilt = true,
            }
        }
    }
}

fn bound(sql: &str, args: impl IntoIterator<Item = Arg>) -> Query<'static, Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    args.into_iter().fold(query, |query, arg| match arg {
        Arg::Int(x) => query.bind(x),
        Arg::Text(x) => query.bind(x),
        Arg::Bytes(x) => query.bind(x),
    })
}

impl Tx {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            fingerprints: None,
            open: false,
        }
    }

    /// Begins anew: what the transaction before saw may have changed.
    pub(super) async fn begin(&mut self, sql: &str) -> Result<()> {
        self.fingerprints = None;
        self.open = true;
        self.command(sql).await
    }

    /// Ends it: `COMMIT`, `ROLLBACK`.
    pub(super) async fn end(&mut self, sql: &str) -> Result<()> {
        self.command(sql).await?;
        self.open = false;
        Ok(())
    }

    /// Runs a job outside of any transaction. What fails or is cut short leaves a connection that is not used again.
    pub(super) async fn alone<T>(mut self, job: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        self.open = true;
        let done = job(&mut self).await?;
        self.open = false;
        Ok(done)
    }

    /// Runs a job in a transaction.
    pub(super) async fn within<T>(
        mut self,
        begin: &str,
        ends: Ends,
        job: impl AsyncFnOnce(&mut Tx) -> Result<T>,
    ) -> Result<T> {
        self.begin(begin).await?;
        let done = job(&mut self).await;
        if done.is_ok() && ends == Ends::Commit {
            self.end("COMMIT").await?;
        } else {
            self.end("ROLLBACK").await.ok();
        }
        done
    }

    /// The mark of the key under which all fingerprints are that this transaction sees.
    pub(crate) async fn fingerprint_key(&mut self) -> Result<Fingerprint> {
        if let Some(mark) = self.fingerprints {
            return Ok(mark);
        }
        let row = self.row("SELECT mark FROM fingerprint_key", []).await?;
        let mark: Option<Vec<u8>> = row.map(|row| row.get(0)).transpose()?;
        self.fingerprints = mark.and_then(|mark| Fingerprint::from_bytes(&mark));
        self.fingerprints
            .ok_or_else(|| StoreError::corrupt("fingerprint_key", "no mark of a key"))
    }

    /// From now on all fingerprints are under that key.
    pub(crate) async fn set_fingerprint_key(&mut self, mark: Fingerprint) -> Result<()> {
        self.execute(
            "INSERT INTO fingerprint_key (id, mark) VALUES (1,$1) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark",
            [(*mark.as_bytes()).into()],
        )
        .await?;
        self.fingerprints = Some(mark);
        Ok(())
    }

    /// Which dialect.
    pub fn dialect(&self) -> Dialect {
        match self.connection {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Statements without arguments: `BEGIN`, `COMMIT`, table definitions.
    pub(crate) async fn command(&mut self, sql: &str) -> Result<()> {
        match &mut self.connection {
            Connection::Sqlite(c) => c.connection.command(sql),
            Connection::Postgres(c) => {
                let sql = AssertSqlSafe(sql.to_owned());
                Ok(sqlx::raw_sql(sql).execute(&mut c.connection).await.map(drop)?)
            }
        }
    }

    /// Runs a statement; returns how many rows it touched.
    pub async fn execute(&mut self, sql: &str, args: impl IntoIterator<Item = Arg>) -> Result<u64> {
        match &mut self.connection {
            Connection::Sqlite(c) => c.connection.execute(sql, args),
            Connection::Postgres(c) => Ok(bound(sql, args).execute(&mut c.connection).await?.rows_affected()),
        }
    }

    /// All rows.
    pub async fn rows(&mut self, sql: &str, args: impl IntoIterator<Item = Arg>) -> Result<Vec<Row>> {
        let mut found = Vec::new();
        self.each(sql, args, |row| {
            found.push(row);
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// The first row.
    pub async fn row(&mut self, sql: &str, args: impl IntoIterator<Item = Arg>) -> Result<Option<Row>> {
        match &mut self.connection {
            Connection::Sqlite(c) => {
                let mut found = None;
                c.connection.each(sql, args, |row| {
                    found = Some(Row::Sqlite(row));
                    Ok(false)
                })?;
                Ok(found)
            }
            Connection::Postgres(c) => Ok(bound(sql, args)
                .fetch_optional(&mut c.connection)
                .await?
                .map(Row::Postgres)),
        }
    }

    /// Row after row, without keeping them.
    pub async fn each(
        &mut self,
        sql: &str,
        args: impl IntoIterator<Item = Arg>,
        mut take: impl FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        match &mut self.connection {
            Connection::Sqlite(c) => c
                .connection
                .each(sql, args, |row| take(Row::Sqlite(row)).map(|()| true)),
            Connection::Postgres(c) => {
                let mut rows = bound(sql, args).fetch(&mut c.connection);
                while let Some(row) = rows.try_next().await? {
                    take(Row::Postgres(row))?;
                }
                Ok(())
            }
        }
    }

    /// Like [`Tx::rows`], and nobody else changes these rows until the transaction ends. On SQLite a writer is alone anyway. The rows
    /// are as of after the wait, but PostgreSQL answers a question within the statement as of before: such a one is put on its own.
    pub async fn rows_locked(&mut self, sql: &str, args: impl IntoIterator<Item = Arg>) -> Result<Vec<Row>> {
        let columns = sql.split(" FROM ").next().unwrap_or_default();
        debug_assert!(!columns.contains("(SELECT"), "as of before the wait: {sql}");
        match self.dialect() {
            Dialect::Sqlite => self.rows(sql, args).await,
            Dialect::Postgres => self.rows(&format!("{sql} FOR UPDATE"), args).await,
        }
    }

    /// Like [`Tx::rows_locked`], beside others that do the same.
    pub async fn rows_shared(&mut self, sql: &str, args: impl IntoIterator<Item = Arg>) -> Result<Vec<Row>> {
        match self.dialect() {
            Dialect::Sqlite => self.rows(sql, args).await,
            Dialect::Postgres => self.rows(&format!("{sql} FOR SHARE"), args).await,
        }
    }

    /// Tells the planner of tables that have just grown. SQLite's takes an index wherever one fits.
    pub(crate) async fn analyze(&mut self, tables: &str) -> Result<()> {
        match self.dialect() {
            Dialect::Sqlite => Ok(()),
            Dialect::Postgres => self.command(&format!("ANALYZE {tables}")).await,
        }
    }

    /// Inserts many rows, as many in a statement as fit. `into` is `table (a, b, c)`, `tail` may say what a conflict does. Returns
    /// how many were inserted.
    pub async fn insert(&mut self, into: &str, rows: Vec<Vec<Arg>>, tail: &str) -> Result<u64> {
        const MOST_ARGS: usize = 4_000;
        let Some(width) = rows.first().map(Vec::len) else {
            return Ok(0);
        };
        let most = (MOST_ARGS / width.max(1)).max(1);
        let mut inserted = 0;
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let mut chunk: Vec<Vec<Arg>> = rows.by_ref().take(most).collect();
            // Few sizes of statement, so that they stay prepared.
            while !chunk.is_empty() {
                let size = if chunk.len() == most {
                    most
                } else {
                    1 << chunk.len().ilog2()
                };
                let rest = chunk.split_off(size);
                let sql = values(self.dialect(), into, width, size, tail);
                inserted += self.execute(&sql, chunk.into_iter().flatten()).await?;
                chunk = rest;
            }
        }
        Ok(inserted)
    }
}

/// `INSERT INTO into VALUES ($1,$2),($3,$4) tail`. SQLite looks a numbered place up among all others, so thousands of them take
/// their time squared: there they are `?`.
fn values(dialect: Dialect, into: &str, width: usize, rows: usize, tail: &str) -> String {
    let mut sql = format!("INSERT INTO {into} VALUES ");
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        for column in 1..=width {
            let comma = if column == 1 { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = match dialect {
                Dialect::Sqlite => write!(sql, "{comma}?"),
                Dialect::Postgres => write!(sql, "{comma}${}", row * width + column),
            };
        }
        sql.push(')');
    }
    sql.push(' ');
    sql.push_str(tail);
    sql
}
