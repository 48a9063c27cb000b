//! The two databases behind one door: [`Db`] runs transactions, [`Tx`] speaks SQL that both understand.
//!
//! SQLite has one writer in a process. It runs the transactions that wait one after the other, each under a savepoint, and commits
//! them as a group: one flush to the disk serves all of them. PostgreSQL runs each by itself, and again when it lost a race.

mod tx;
mod writer;

pub use tx::{Arg, Row, Tx};

use crate::error::{Result, StoreError};
use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tx::Connection;
use writer::Writer;

/// How long a transaction waits for another process that writes.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a transaction that lost a race is tried again.
const TRIES: u32 = 20;

/// Which dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Embedded, the default.
    Sqlite,
    /// The way out of one machine.
    Postgres,
}

/// Where the data are.
#[derive(Clone, Debug)]
pub enum Location {
    /// A directory with the embedded database.
    Directory(PathBuf),
    /// `postgres://…`, or `sqlite:FILE`.
    Url(String),
}

/// A database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
}

#[derive(Clone)]
enum Pool {
    Sqlite { readers: SqlitePool, writer: Arc<Writer> },
    Postgres(PgPool),
}

/// The embedded database within its directory.
pub const FILE: &str = "ngomon.db";

impl Db {
    /// Opens the database; makes the embedded one where there is none if `create` says so.
    pub async fn open(location: &Location, create: bool) -> Result<Self> {
        match location {
            Location::Directory(dir) => {
                if create {
                    make_private(dir)?;
                }
                Self::sqlite(&dir.join(FILE), create).await
            }
            Location::Url(url) => {
                if let Some(file) = url.strip_prefix("sqlite:") {
                    let file = file.strip_prefix("//").unwrap_or(file);
                    return Self::sqlite(Path::new(file), create).await;
                }
                Self::postgres(url).await
            }
        }
    }

    async fn sqlite(file: &Path, create: bool) -> Result<Self> {
        if !create && !file.is_file() {
            return Err(StoreError::NoData(file.to_owned()));
        }
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE)
            .pragma("temp_store", "file")
            .statement_cache_capacity(400);
        let unreachable = |e: sqlx::Error| StoreError::Unreachable(e.to_string());
        let writing = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(
                // Fingerprints fall anywhere in their indexes: fewer pages are read and written again and again.
                options
                    .clone()
                    .pragma("cache_size", "-32768")
                    .pragma("wal_autocheckpoint", "8000"),
            )
            .await
            .map_err(unreachable)?;
        let writer = Writer::start(writing.acquire().await?);
        let readers = SqlitePoolOptions::new()
            .max_connections(8)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options);
        Ok(Self {
            pool: Pool::Sqlite {
                readers,
                writer: Arc::new(writer),
            },
        })
    }

    async fn postgres(url: &str) -> Result<Self> {
        let unreachable = |e: sqlx::Error| StoreError::Unreachable(e.to_string());
        let options = PgConnectOptions::from_str(url)
            .map_err(unreachable)?
            .application_name("ngomon")
            .statement_cache_capacity(400);
        let pool = PgPoolOptions::new()
            .max_connections(20)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await
            .map_err(unreachable)?;
        Ok(Self {
            pool: Pool::Postgres(pool),
        })
    }

    /// Which dialect.
    pub fn dialect(&self) -> Dialect {
        match self.pool {
            Pool::Sqlite { .. } => Dialect::Sqlite,
            Pool::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Brings the tables to this version of the program.
    pub(crate) async fn migrate(&self) -> Result<()> {
        let migrator = crate::schema::migrator(self.dialect());
        let done = match &self.pool {
            Pool::Sqlite { readers, .. } => migrator.run(readers).await,
            Pool::Postgres(pool) => migrator.run(pool).await,
        };
        done.map_err(|error| match error {
            sqlx::migrate::MigrateError::VersionMissing(_) => StoreError::Newer,
            sqlx::migrate::MigrateError::Execute(error) => error.into(),
            other => StoreError::corrupt("the schema", other),
        })
    }

    /// Runs a job in a transaction of its own and returns once it is on the disk. A job that fails changes nothing. A job may run
    /// more than once (PostgreSQL, after a lost race), so whatever it draws or computes must be the same or start afresh.
    pub async fn write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        match &self.pool {
            Pool::Sqlite { writer, .. } => writer.run(job).await,
            Pool::Postgres(pool) => {
                let mut tries = 0;
                loop {
                    tries += 1;
                    let mut tx = Tx::new(Connection::Postgres(pool.acquire().await?));
                    tx.begin("BEGIN; LOCK TABLE fingerprint_key IN ROW SHARE MODE").await?;
                    let done = match job(&mut tx).await {
                        Ok(done) => tx.end("COMMIT").await.map(|()| done),
                        Err(error) => {
                            // The connection may be gone, in which case the server has rolled back by itself.
                            tx.end("ROLLBACK").await.ok();
                            Err(error)
                        }
                    };
                    match done {
                        Err(error) if error.is_passing() && tries < TRIES => {}
                        done => return done,
                    }
                }
            }
        }
    }

    /// Reads in one snapshot.
    pub async fn read<T>(&self, job: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        let connection = match &self.pool {
            Pool::Sqlite { readers, .. } => Connection::Sqlite(readers.acquire().await?),
            Pool::Postgres(pool) => Connection::Postgres(pool.acquire().await?),
        };
        alone(connection, Ends::Rollback, job).await
    }

    /// One transaction on a connection of its own, where temporary tables may stand before the real ones: no statement was prepared
    /// there before.
    pub(crate) async fn scratch<T>(&self, ends: Ends, job: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        match &self.pool {
            Pool::Sqlite { readers, .. } => {
                let options = readers.connect_options().as_ref().clone();
                let own = SqlitePoolOptions::new()
                    .max_connections(1)
                    .connect_with(options)
                    .await?;
                let done = alone(Connection::Sqlite(own.acquire().await?), ends, job).await;
                own.close().await;
                done
            }
            Pool::Postgres(pool) => {
                let options = pool.connect_options().as_ref().clone();
                let own = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
                let done = alone(Connection::Postgres(own.acquire().await?), ends, job).await;
                own.close().await;
                done
            }
        }
    }
}

/// How a transaction ends when its job succeeds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// It only read.
    Rollback,
    /// It wrote, and nobody else did: readers go on, writers waited.
    Commit,
}

async fn alone<T>(connection: Connection, ends: Ends, job: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
    let mut tx = Tx::new(connection);
    let begin = match (tx.dialect(), ends) {
        (Dialect::Sqlite, Ends::Rollback) => "BEGIN",
        (Dialect::Sqlite, Ends::Commit) => "BEGIN IMMEDIATE",
        (Dialect::Postgres, Ends::Rollback) => "BEGIN ISOLATION LEVEL REPEATABLE READ",
        // Nobody else writes, and the first look comes after the last commit: what `write` locks is locked here in its own way.
        (Dialect::Postgres, Ends::Commit) => {
            "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE fingerprint_key IN EXCLUSIVE MODE"
        }
    };
    tx.begin(begin).await?;
    let done = job(&mut tx).await;
    if done.is_ok() && ends == Ends::Commit {
        tx.end("COMMIT").await?;
    } else {
        tx.end("ROLLBACK").await.ok();
    }
    done
}

/// Makes a directory that only its owner may enter.
pub(crate) fn make_private(dir: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| StoreError::Io {
            path: dir.to_owned(),
            source,
        })
}
