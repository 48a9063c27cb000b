//! The two databases behind one interface: [`Db`] runs transactions, [`Tx`] runs SQL that both understand.
//!
//! SQLite has one writer in a process. It runs queued transactions one after the other, each under a savepoint, and commits them as a
//! group: one flush to disk serves all. PostgreSQL runs each by itself, and retries it after a lost race.

pub(crate) mod address;
pub(crate) mod bound;
pub(crate) mod changed;
mod cluster;
pub(crate) mod columns;
mod connections;
mod dialect;
mod embedded;
mod location;
pub(crate) mod schema;
mod tx;
mod value;
mod writer;

pub use dialect::Dialect;
pub use location::{FILE, Location};
pub(crate) use tx::TransactionEnd;
pub use tx::Tx;
pub use value::{Row, SqlValue};

use crate::boxed;
use crate::db::cluster::{COMMANDS, Cluster, Limits, REQUESTS, WORKERS};
use crate::db::connections::{PATIENCE, own, pool, rest, take};
use crate::db::embedded::SqliteConfig;
use crate::db::location::{about, sqlite_file};
use crate::db::tx::Connection;
use crate::db::writer::Writer;
use crate::error::{Result, StoreError};
use crate::private;
use futures_util::future::BoxFuture;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// Number of retries of a transaction that lost a race.
const TRIES: u32 = 20;
/// Number of read connections to an embedded database.
const READERS: usize = 8;
/// Number of connections tried for a transaction whose connection was lost before the commit.
const CONNECTIONS_TRIED: u32 = 3;
/// Time in which to find out from PostgreSQL what became of an unanswered commit.
const DOUBT: Duration = Duration::from_secs(10);
/// Number of retries of a migration while another process is migrating, too.
const STARTS: u32 = 100;

/// A database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
}

#[derive(Clone)]
enum Pool {
    Sqlite {
        readers: connections::Pool<SqliteConfig>,
        writer: Arc<Writer>,
    },
    Postgres(connections::Pool<Cluster>),
}

impl Db {
    /// Opens the database; creates the embedded one if it is missing and `create` is set.
    #[boxed]
    pub async fn open(location: &Location, create: bool) -> Result<Self> {
        match location {
            Location::Directory(dir) => {
                if create || dir.join(FILE).is_file() {
                    private::directory(dir)?;
                }
                Self::sqlite(&dir.join(FILE), create).await
            }
            Location::Url(url) => {
                if let Some(file) = sqlite_file(url) {
                    return Self::sqlite(file, create).await;
                }
                Self::postgres(url).await
            }
        }
    }

    async fn sqlite(file: &Path, create: bool) -> Result<Self> {
        if !create && !about(file)?.is_some_and(|about| about.is_file()) {
            return Err(StoreError::NoData(file.display().to_string()));
        }
        let writing = take(&pool(SqliteConfig::writer(file, create), 1, PATIENCE)?).await;
        let writing = writing.map_err(|error| match error {
            StoreError::Embedded(error) => StoreError::Io {
                path: file.to_owned(),
                source: std::io::Error::other(error),
            },
            error => error,
        })?;
        // Files that SQLite creates beside the database inherit its mode.
        for beside in ["", "-wal", "-shm"] {
            let mut path = file.as_os_str().to_owned();
            path.push(beside);
            let path = PathBuf::from(path);
            private::file(&path).map_err(|source| StoreError::Io { path, source })?;
        }
        Ok(Self {
            pool: Pool::Sqlite {
                readers: pool(SqliteConfig::reader(file), READERS, PATIENCE)?,
                writer: Arc::new(Writer::start(writing)?),
            },
        })
    }

    async fn postgres(url: &str) -> Result<Self> {
        let pool = clients(Cluster::parse(url, COMMANDS)?)?;
        let taken = take(&pool).await;
        drop(taken.map_err(|error| StoreError::Unreachable(error.to_string()))?);
        Ok(Self {
            pool: Pool::Postgres(pool),
        })
    }

    /// The same database for HTTP requests: short time-outs, and a pool apart from all others.
    pub(crate) fn for_requests(&self) -> Result<Self> {
        self.apart(REQUESTS)
    }

    /// The same database for the server's background jobs.
    pub(crate) fn for_workers(&self) -> Result<Self> {
        self.apart(WORKERS)
    }

    fn apart(&self, limits: Limits) -> Result<Self> {
        Ok(match &self.pool {
            Pool::Sqlite { .. } => self.clone(),
            Pool::Postgres(pool) => Self {
                pool: Pool::Postgres(clients(pool.manager().opens().within(limits)?)?),
            },
        })
    }

    /// The SQL dialect.
    pub fn dialect(&self) -> Dialect {
        match self.pool {
            Pool::Sqlite { .. } => Dialect::Sqlite,
            Pool::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Migrates the tables to this version of the program. Several processes may do so at once. Not every PostgreSQL has advisory locks, so
    /// the loser of a race tries again. If there is nothing to do, nothing is tried: a standby would refuse it.
    pub(crate) async fn migrate(&self) -> Result<()> {
        let migrator = schema::migrator(self.dialect());
        let mut starts = 0;
        while !self.is_of_today(&migrator).await? {
            starts += 1;
            let done = match &self.pool {
                // The one place where sqlx uses SQLite: its migrator serves both databases alike.
                Pool::Sqlite { readers, .. } => {
                    let options = SqliteConnectOptions::new()
                        .filename(readers.manager().opens().path())
                        .journal_mode(SqliteJournalMode::Wal)
                        .synchronous(SqliteSynchronous::Full)
                        .busy_timeout(PATIENCE);
                    let mut connection = options.connect().await?;
                    let done = migrator.run(&mut connection).await;
                    connection.close().await?;
                    done
                }
                Pool::Postgres(pool) => {
                    let mut taken = take(pool).await?;
                    // A failed migration leaves the connection in an unknown state: it is not used again.
                    taken.poisoned = true;
                    migrator.run(&mut taken.connection).await
                }
            };
            match done {
                Ok(()) => break,
                Err(error) if is_lost_race(&error) && starts < STARTS => {}
                Err(error) => return Err(of_migration(error)),
            }
        }
        Ok(())
    }

    async fn is_of_today(&self, migrator: &Migrator) -> Result<bool> {
        let applied = self
            .query(async |tx| {
                let there = match tx.dialect() {
                    Dialect::Sqlite => "SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations'",
                    Dialect::Postgres => "SELECT 1 WHERE to_regclass('_sqlx_migrations') IS NOT NULL",
                };
                match tx.row(there, []).await? {
                    Some(_) => {
                        tx.rows("SELECT checksum FROM _sqlx_migrations ORDER BY version", [])
                            .await
                    }
                    None => Ok(Vec::new()),
                }
            })
            .await?;
        let applied: Vec<Vec<u8>> = applied.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
        Ok(migrator
            .iter()
            .map(|step| &*step.checksum)
            .eq(applied.iter().map(Vec::as_slice)))
    }

    /// Runs a job in a transaction of its own and returns once it is on disk. A job that fails changes nothing. A job may run more than
    /// once (PostgreSQL, after a lost race), so that random values and results must be the same or start afresh.
    pub async fn transaction<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        match &self.pool {
            Pool::Sqlite { writer, .. } => writer.run(job).await,
            Pool::Postgres(_) => {
                let (mut tries, mut lost) = (0, 0);
                loop {
                    tries += 1;
                    let done = self.attempt(&job).await;
                    match done {
                        Err(error) if error.is_passing() && tries < TRIES => {}
                        // It failed before the commit, so nothing was done: another connection may work.
                        Err(error) if error.is_lost() && lost + 1 < CONNECTIONS_TRIED => lost += 1,
                        done => return done,
                    }
                }
            }
        }
    }

    async fn attempt<T, F>(&self, job: &F) -> Result<T>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T>>,
    {
        let mut tx = self.taken().await?;
        let number = tx
            .begin_numbered("BEGIN; LOCK TABLE fingerprint_key IN ROW SHARE MODE")
            .await?;
        match job(&mut tx).await {
            Ok(done) => {
                let ended = match tx.end("COMMIT").await {
                    Err(error) if error.leaves_doubt() => self.settled(number, error).await,
                    ended => ended,
                };
                // If the answer to the commit was lost, the commit may have succeeded.
                if tx.take_journalled() && matches!(ended, Ok(()) | Err(StoreError::InDoubt(_))) {
                    changed::note();
                }
                ended.map(|()| done)
            }
            Err(error) => {
                // The connection may be lost; then the server rolls back by itself.
                tx.end("ROLLBACK").await.ok();
                Err(error)
            }
        }
    }

    /// Queries PostgreSQL on another connection for the outcome of a commit that it did not answer, for as long as a client can be left
    /// waiting.
    async fn settled(&self, number: i64, lost: StoreError) -> Result<()> {
        let asked = async {
            loop {
                let asked = self
                    .query(async |tx| tx.row("SELECT txid_status($1)", [number.into()]).await)
                    .await;
                let status: Option<String> = match asked {
                    Ok(Some(row)) => row.get(0)?,
                    _ => None,
                };
                match status.as_deref() {
                    Some("committed") => return Ok(true),
                    Some("aborted") => return Ok(false),
                    // It is not back yet, or has not noticed that the connection was lost.
                    _ => rest(Duration::from_millis(100)).await,
                }
            }
        };
        match timeout(DOUBT, asked).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(lost),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StoreError::InDoubt(lost.to_string())),
        }
    }

    /// Reads in one snapshot, e.g. for a page. SQLite runs on the calling thread, so the job must be short.
    pub async fn read<T>(&self, job: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        let begin = match self.dialect() {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ",
        };
        self.begun(begin, None)
            .await?
            .within(TransactionEnd::Rollback, job)
            .await
    }

    /// Reads many rows in one snapshot. It may take its time, since nobody waits for it.
    pub async fn read_long<T>(&self, job: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        match self.dialect() {
            Dialect::Sqlite => at_length(async {
                self.begun("BEGIN", None)
                    .await?
                    .within(TransactionEnd::Rollback, job)
                    .await
            }),
            Dialect::Postgres => {
                let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {AT_LENGTH}");
                let tx = self.begun(&begin, Some(LENGTH)).await?;
                tx.within(TransactionEnd::Rollback, job).await
            }
        }
    }

    /// Runs single statements without a transaction; each sees the latest committed data. Use [`Db::read`] when several statements must
    /// agree.
    pub async fn query<T>(&self, job: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        self.taken().await?.without_transaction(job).await
    }

    /// Begins a transaction. A lost connection shows here, before any work, and is replaced.
    async fn begun(&self, begin: &str, silence: Option<Duration>) -> Result<Tx> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut tx = self.taken().await?;
            match tx.begin(begin).await {
                Err(error) if error.is_lost() && tries < CONNECTIONS_TRIED => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    tx.set_silence(silence);
                    return Ok(tx);
                }
            }
        }
    }

    async fn taken(&self) -> Result<Tx> {
        Ok(match &self.pool {
            Pool::Sqlite { readers, .. } => Tx::new(Connection::Sqlite(take(readers).await?), Duration::MAX),
            Pool::Postgres(pool) => {
                let silence = pool.manager().opens().limits().silence;
                Tx::new(Connection::Postgres(take(pool).await?), silence)
            }
        })
    }

    /// Runs one transaction on a connection of its own, where temporary tables may shadow the real ones: no earlier statement was prepared
    /// on it.
    pub(crate) async fn isolated<T>(
        &self,
        ends: TransactionEnd,
        job: impl AsyncFnOnce(&mut Tx) -> Result<T>,
    ) -> Result<T> {
        let own = match &self.pool {
            Pool::Sqlite { readers, .. } => Connection::Sqlite(own(readers).await?),
            Pool::Postgres(pool) => Connection::Postgres(own(pool).await?),
        };
        let begin = match (self.dialect(), ends) {
            (Dialect::Sqlite, TransactionEnd::Rollback) => "BEGIN".to_owned(),
            (Dialect::Sqlite, TransactionEnd::Commit) => "BEGIN IMMEDIATE".to_owned(),
            (Dialect::Postgres, TransactionEnd::Rollback) => {
                format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {AT_LENGTH}")
            }
            // The lock keeps other writers out, and the snapshot begins after the last commit, so `rows_for_update` needs no more. Another
            // upgrade at the same moment is waited for to its end.
            (Dialect::Postgres, TransactionEnd::Commit) => "BEGIN ISOLATION LEVEL REPEATABLE READ; \
                 SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10min'; \
                 LOCK TABLE fingerprint_key IN EXCLUSIVE MODE"
                .to_owned(),
        };
        let mut tx = Tx::new(own, COMMANDS.silence);
        let work = async {
            tx.begin(&begin).await?;
            tx.within(ends, job).await
        };
        match self.dialect() {
            Dialect::Sqlite => at_length(work),
            Dialect::Postgres => work.await,
        }
    }
}

/// Time-out for an answer of PostgreSQL during a long read.
const LENGTH: Duration = Duration::from_mins(10);
/// Settings for a long read, which holds nothing that others wait for.
const AT_LENGTH: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '10min'";

fn clients(cluster: Cluster) -> Result<connections::Pool<Cluster>> {
    let limits = cluster.limits();
    pool(cluster, limits.connections, limits.connection)
}

fn of_migration(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(_) => StoreError::Newer,
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => StoreError::corrupt("the schema", other),
    }
}

/// Whether another process was creating the same table at the same moment.
fn is_lost_race(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    let Some(error) = error.as_database_error() else {
        return false;
    };
    match error.code().as_deref() {
        // unique_violation (of a catalogue, too), duplicate_table, _object, _column, _schema, serialization_failure, deadlock,
        // lock_not_available.
        Some("23505" | "42P07" | "42710" | "42701" | "42P06" | "40001" | "40P01" | "55P03") => true,
        // SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE; SQLITE_BUSY, _SNAPSHOT.
        Some("1555" | "2067" | "5" | "517") => true,
        Some("1") => ["already exists", "duplicate column"]
            .iter()
            .any(|fault| error.message().contains(fault)),
        _ => false,
    }
}

/// Blocks this thread with work of the embedded database; the runtime moves other tasks of the thread elsewhere.
fn at_length<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| Handle::current().block_on(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "A panic of any other cause ends a worker as silently": here the writer survives it.
    #[tokio::test(flavor = "multi_thread")]
    async fn panicking_transaction_rolled_back_and_writer_continues() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&Location::Directory(dir.path().join("data")), true)
            .await
            .unwrap();
        db.transaction(|tx| Box::pin(tx.command("CREATE TABLE t (n BIGINT)")))
            .await
            .unwrap();
        let failed = db
            .transaction(|tx| {
                Box::pin(async move {
                    tx.command("INSERT INTO t (n) VALUES (1)").await?;
                    assert_eq!(tx.dialect(), Dialect::Postgres, "a fault of the program");
                    Ok(())
                })
            })
            .await;
        assert!(matches!(failed, Err(StoreError::NotCommitted(_))));
        db.transaction(|tx| Box::pin(async move { tx.execute("INSERT INTO t (n) VALUES (2)", []).await }))
            .await
            .unwrap();
        let rows = db.query(async |tx| tx.rows("SELECT n FROM t", []).await).await.unwrap();
        assert_eq!(
            rows.iter().map(|row| row.get::<i64>(0).unwrap()).collect::<Vec<_>>(),
            [2]
        );
    }
}
