//! A transaction. One SQL text serves both databases; this file holds the differences.

use crate::boxed;
use crate::crypto::keyring::Fingerprint;
use crate::db::cluster::Cluster;
use crate::db::connections::{IdleConnection, PooledConnection};
use crate::db::dialect::Dialect;
use crate::db::embedded::SqliteConfig;
use crate::db::value::{Row, SqlValue};
use crate::error::{Refusal, Result, StoreError};
use futures_util::TryStreamExt as _;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row as _};
use std::fmt::Write as _;
use std::time::Duration;
use tokio::time::timeout;

pub(crate) enum Connection {
    Sqlite(PooledConnection<SqliteConfig>),
    Postgres(PooledConnection<Cluster>),
}

/// An open transaction.
pub struct Tx {
    connection: Connection,
    /// The id of the fingerprint key in this transaction's view, once it was read.
    fingerprints: Option<Fingerprint>,
    /// The transaction has begun and has not ended.
    open: bool,
    /// Time-out for an answer of PostgreSQL.
    silence: Duration,
    /// It has written journal entries that count once it is committed.
    journalled: bool,
}

/// Waits for an answer of PostgreSQL until the time-out.
async fn limited<T>(silence: Duration, answer: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
    match timeout(silence, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(StoreError::Silent),
    }
}

impl IdleConnection<PgConnection> {
    /// Discards the connection after an error of the connection itself.
    fn judged<T>(&mut self, answer: Result<T>) -> Result<T> {
        if let Err(error) = &answer
            && (error.is_lost() || matches!(error, StoreError::Silent))
        {
            self.give_up();
        }
        answer
    }
}

/// If the future is dropped in mid-transaction, or the rollback fails, the connection is discarded instead of being returned to the pool.
impl Drop for Tx {
    fn drop(&mut self) {
        if self.open {
            match &mut self.connection {
                Connection::Sqlite(kept) => kept.poisoned = true,
                Connection::Postgres(kept) => kept.poisoned = true,
            }
        }
    }
}

fn bound(sql: &str, args: impl IntoIterator<Item = SqlValue>) -> Query<'static, Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    args.into_iter().fold(query, |query, arg| match arg {
        SqlValue::Int(x) => query.bind(x),
        SqlValue::Text(x) => query.bind(x),
        SqlValue::Bytes(x) => query.bind(x),
    })
}

impl Tx {
    pub(crate) fn new(connection: Connection, silence: Duration) -> Self {
        Self {
            connection,
            fingerprints: None,
            open: false,
            silence,
            journalled: false,
        }
    }

    /// Replaces the time-out for answers of PostgreSQL; `None` leaves it.
    pub(crate) fn set_silence(&mut self, silence: Option<Duration>) {
        self.silence = silence.unwrap_or(self.silence);
    }

    /// Begins a transaction. What the previous one read may have changed, so nothing cached is kept.
    pub(crate) async fn begin(&mut self, sql: &str) -> Result<()> {
        self.fingerprints = None;
        self.journalled = false;
        self.open = true;
        self.command(sql).await
    }

    /// The same on PostgreSQL; returns the transaction id, by which the outcome can be queried later.
    pub(crate) async fn begin_numbered(&mut self, sql: &str) -> Result<i64> {
        self.fingerprints = None;
        self.journalled = false;
        self.open = true;
        let Connection::Postgres(c) = &mut self.connection else {
            return Err(StoreError::Unreachable("not PostgreSQL".into()));
        };
        let sql = AssertSqlSafe(format!("{sql}; SELECT txid_current()::text"));
        let rows = limited(self.silence, sqlx::raw_sql(sql).fetch_all(&mut c.connection)).await;
        let number: String = match c.judged(rows)?.first() {
            Some(row) => row.try_get(0)?,
            None => String::new(),
        };
        number
            .parse()
            .map_err(|e| StoreError::corrupt("the number of a transaction", e))
    }

    /// Ends the transaction: `COMMIT`, `ROLLBACK`.
    pub(crate) async fn end(&mut self, sql: &str) -> Result<()> {
        self.command(sql).await?;
        self.open = false;
        Ok(())
    }

    /// Notes that journal entries were written that count once this is committed.
    pub(crate) fn has_journalled(&mut self) {
        self.journalled = true;
    }

    /// Whether journal entries were written since the last call.
    pub(crate) fn take_journalled(&mut self) -> bool {
        std::mem::take(&mut self.journalled)
    }

    /// Commits. Returns [`StoreError::InDoubt`] if nobody can know whether the commit took place.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        match self.end("COMMIT").await {
            Err(error) if error.leaves_doubt() => Err(StoreError::InDoubt(error.to_string())),
            ended => ended,
        }
    }

    /// Runs a job outside of any transaction. If it fails or is dropped, the connection is discarded.
    pub(crate) async fn without_transaction<T>(mut self, job: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        self.open = true;
        let done = job(&mut self).await?;
        self.open = false;
        Ok(done)
    }

    /// Runs a job in a transaction that has begun.
    pub(crate) async fn within<T>(
        mut self,
        ends: TransactionEnd,
        job: impl AsyncFnOnce(&mut Tx) -> Result<T>,
    ) -> Result<T> {
        let done = job(&mut self).await;
        if done.is_ok() && ends == TransactionEnd::Commit {
            self.commit().await?;
        } else {
            self.end("ROLLBACK").await.ok();
        }
        done
    }

    /// The id of the key of all fingerprints that this transaction sees.
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

    /// Changes the key of all fingerprints from now on.
    pub(crate) async fn set_fingerprint_key(&mut self, mark: Fingerprint) -> Result<()> {
        self.execute(
            "INSERT INTO fingerprint_key (id, mark) VALUES (1,$1) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark",
            [(*mark.as_bytes()).into()],
        )
        .await?;
        self.fingerprints = Some(mark);
        Ok(())
    }

    /// The SQL dialect.
    pub fn dialect(&self) -> Dialect {
        match self.connection {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs statements without arguments: `BEGIN`, `COMMIT`, table definitions.
    pub(crate) async fn command(&mut self, sql: &str) -> Result<()> {
        match &mut self.connection {
            Connection::Sqlite(c) => c.connection.command(sql),
            Connection::Postgres(c) => {
                let sql = AssertSqlSafe(sql.to_owned());
                let done = limited(self.silence, sqlx::raw_sql(sql).execute(&mut c.connection)).await;
                c.judged(done.map(drop))
            }
        }
    }

    /// Runs a statement; returns the number of rows it touched.
    pub async fn execute(&mut self, sql: &str, args: impl IntoIterator<Item = SqlValue>) -> Result<u64> {
        let args = without_nul(args)?;
        match &mut self.connection {
            Connection::Sqlite(c) => c.connection.execute(sql, args),
            Connection::Postgres(c) => {
                let done = limited(self.silence, bound(sql, args).execute(&mut c.connection)).await;
                c.judged(done.map(|done| done.rows_affected()))
            }
        }
    }

    /// All rows of a query.
    pub async fn rows(&mut self, sql: &str, args: impl IntoIterator<Item = SqlValue>) -> Result<Vec<Row>> {
        let mut found = Vec::new();
        self.for_each_row(sql, args, |row| {
            found.push(row);
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// The first row of a query.
    pub async fn row(&mut self, sql: &str, args: impl IntoIterator<Item = SqlValue>) -> Result<Option<Row>> {
        let args = without_nul(args)?;
        match &mut self.connection {
            Connection::Sqlite(c) => {
                let mut found = None;
                c.connection.each(sql, args, |row| {
                    found = Some(Row::Sqlite(row));
                    Ok(false)
                })?;
                Ok(found)
            }
            Connection::Postgres(c) => {
                let found = limited(self.silence, bound(sql, args).fetch_optional(&mut c.connection)).await;
                c.judged(found.map(|row| row.map(Row::Postgres)))
            }
        }
    }

    /// Passes each row to `take` without keeping them.
    pub async fn for_each_row(
        &mut self,
        sql: &str,
        args: impl IntoIterator<Item = SqlValue>,
        mut take: impl FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        let args = without_nul(args)?;
        match &mut self.connection {
            Connection::Sqlite(c) => c
                .connection
                .each(sql, args, |row| take(Row::Sqlite(row)).map(|()| true)),
            Connection::Postgres(c) => {
                let mut rows = bound(sql, args).fetch(&mut c.connection);
                let end = loop {
                    match limited(self.silence, rows.try_next()).await {
                        Ok(Some(row)) => take(Row::Postgres(row))?,
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                };
                drop(rows);
                c.judged(end)
            }
        }
    }

    /// Like [`Tx::rows`], and locks the rows until the transaction ends. SQLite needs no lock: its writer is alone. The rows are as of
    /// after the wait, but PostgreSQL evaluates a subquery as it stood before the wait: run such a query on its own.
    pub async fn rows_for_update(&mut self, sql: &str, args: impl IntoIterator<Item = SqlValue>) -> Result<Vec<Row>> {
        let columns = sql.split(" FROM ").next().unwrap_or_default();
        debug_assert!(!columns.contains("(SELECT"), "as of before the wait: {sql}");
        match self.dialect() {
            Dialect::Sqlite => self.rows(sql, args).await,
            Dialect::Postgres => self.rows(&format!("{sql} FOR UPDATE"), args).await,
        }
    }

    /// Like [`Tx::rows_for_update`] with a shared lock: other transactions may hold one too.
    pub async fn rows_for_share(&mut self, sql: &str, args: impl IntoIterator<Item = SqlValue>) -> Result<Vec<Row>> {
        match self.dialect() {
            Dialect::Sqlite => self.rows(sql, args).await,
            Dialect::Postgres => self.rows(&format!("{sql} FOR SHARE"), args).await,
        }
    }

    /// Like [`Tx::rows_for_update`], but skips rows that another transaction has locked, and never waits.
    #[boxed]
    pub async fn rows_free(&mut self, sql: &str) -> Result<Vec<Row>> {
        match self.dialect() {
            Dialect::Sqlite => self.rows(sql, []).await,
            Dialect::Postgres => self.rows(&format!("{sql} FOR UPDATE SKIP LOCKED"), []).await,
        }
    }

    /// Whether there is a table of that name.
    pub(crate) async fn has_table(&mut self, name: &str) -> Result<bool> {
        let sql = match self.dialect() {
            Dialect::Sqlite => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
            Dialect::Postgres => "SELECT 1 FROM pg_class WHERE oid = to_regclass($1) AND relkind = 'r'",
        };
        Ok(self.row(sql, [name.into()]).await?.is_some())
    }

    /// Updates the planner's statistics of tables that have just grown. SQLite needs none: its planner takes any index that fits.
    pub(crate) async fn analyze(&mut self, tables: &str) -> Result<()> {
        match self.dialect() {
            Dialect::Sqlite => Ok(()),
            Dialect::Postgres => self.command(&format!("ANALYZE {tables}")).await,
        }
    }

    /// Inserts many rows, as many in a statement as fit. `into` is `table (a, b, c)`; `tail` may be an `ON CONFLICT` clause. Returns the
    /// number of inserted rows.
    #[boxed]
    pub async fn insert(&mut self, into: &str, rows: Vec<Vec<SqlValue>>, tail: &str) -> Result<u64> {
        const MOST_ARGS: usize = 4_000;
        let Some(width) = rows.first().map(Vec::len) else {
            return Ok(0);
        };
        let most = (MOST_ARGS / width.max(1)).max(1);
        let mut inserted = 0;
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let mut chunk: Vec<Vec<SqlValue>> = rows.by_ref().take(most).collect();
            // Uses few sizes of statement, so that they stay prepared.
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

/// PostgreSQL stores no text with a NUL. Such a parameter is refused here, so that both databases behave alike.
fn without_nul(args: impl IntoIterator<Item = SqlValue>) -> Result<Vec<SqlValue>> {
    let args: Vec<SqlValue> = args.into_iter().collect();
    let has_nul = |arg: &SqlValue| matches!(arg, SqlValue::Text(Some(text)) if text.contains('\0'));
    if args.iter().any(has_nul) {
        return Err(Refusal::Nul.into());
    }
    Ok(args)
}

/// `INSERT INTO into VALUES ($1,$2),($3,$4) tail`. On SQLite the placeholders are `?`: it searches a numbered one among all others, so that
/// thousands of them take quadratic time.
pub(crate) fn values(dialect: Dialect, into: &str, width: usize, rows: usize, tail: &str) -> String {
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

/// How a transaction ends when its job succeeds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransactionEnd {
    /// Roll back: it only read.
    Rollback,
    /// Commit: it wrote, and no other writer did meanwhile; readers went on.
    Commit,
}
