//! The two databases behind one door: [`Db`] runs transactions, [`Tx`] speaks SQL that both understand.
//!
//! SQLite has one writer in a process. It runs the transactions that wait one after the other, each under a savepoint, and commits
//! them as a group: one flush to the disk serves all of them. PostgreSQL runs each by itself, and again when it lost a race.

mod connections;
mod embedded;
mod tx;
mod writer;

pub use tx::{Arg, Row, Tx};

use crate::error::{Result, StoreError};
use connections::{PATIENCE, own, pool, take};
use embedded::{File, PREPARED};
use futures_util::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use tokio::runtime::Handle;
use tx::Connection;
use writer::Writer;

/// How often a transaction that lost a race is tried again.
const TRIES: u32 = 20;
/// Readers of an embedded database.
const READERS: usize = 8;
/// Connections to a PostgreSQL.
const CONNECTIONS: usize = 20;

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
    Sqlite {
        readers: connections::Pool<File>,
        writer: Arc<Writer>,
    },
    Postgres(connections::Pool<PgConnectOptions>),
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
        let writing = take(&pool(File::writer(file, create), 1)?).await;
        let writing = writing.map_err(|error| StoreError::Unreachable(error.to_string()))?;
        Ok(Self {
            pool: Pool::Sqlite {
                readers: pool(File::reader(file), READERS)?,
                writer: Arc::new(Writer::start(writing)?),
            },
        })
    }

    async fn postgres(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| StoreError::Unreachable(error.to_string()))?
            .application_name("ngomon")
            .statement_cache_capacity(PREPARED);
        let pool = pool(options, CONNECTIONS)?;
        let taken = take(&pool).await;
        drop(taken.map_err(|error| StoreError::Unreachable(error.to_string()))?);
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
            // The one place where sqlx speaks to SQLite: it brings both databases up in the same way.
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
            Pool::Postgres(pool) => migrator.run(&mut take(pool).await?.connection).await,
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
            Pool::Postgres(_) => {
                let mut tries = 0;
                loop {
                    tries += 1;
                    let mut tx = self.taken().await?;
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

    /// Reads in one snapshot: what a page shows. The embedded database is asked on the spot, so it is short.
    pub async fn read<T>(&self, job: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        self.taken().await?.within(self.snapshot(), Ends::Rollback, job).await
    }

    /// The same where it may go through many rows.
    pub async fn scan<T>(&self, job: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        let work = self.taken().await?.within(self.snapshot(), Ends::Rollback, job);
        match self.dialect() {
            Dialect::Sqlite => at_length(work),
            Dialect::Postgres => work.await,
        }
    }

    fn snapshot(&self) -> &'static str {
        match self.dialect() {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ",
        }
    }

    /// Reads, each statement as of its own moment: for one short question, or where the later answer is the better one.
    pub async fn ask<T>(&self, job: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        self.taken().await?.alone(job).await
    }

    async fn taken(&self) -> Result<Tx> {
        Ok(Tx::new(match &self.pool {
            Pool::Sqlite { readers, .. } => Connection::Sqlite(take(readers).await?),
            Pool::Postgres(pool) => Connection::Postgres(take(pool).await?),
        }))
    }

    /// One transaction on a connection of its own, where temporary tables may stand before the real ones: no statement was prepared
    /// there before.
    pub(crate) async fn scratch<T>(&self, ends: Ends, job: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        let own = match &self.pool {
            Pool::Sqlite { readers, .. } => Connection::Sqlite(own(readers).await?),
            Pool::Postgres(pool) => Connection::Postgres(own(pool).await?),
        };
        let begin = match (self.dialect(), ends) {
            (Dialect::Sqlite, Ends::Rollback) => "BEGIN",
            (Dialect::Sqlite, Ends::Commit) => "BEGIN IMMEDIATE",
            (Dialect::Postgres, Ends::Rollback) => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            // Nobody else writes, and the first look comes after the last commit: what `write` locks is locked here in its own way.
            (Dialect::Postgres, Ends::Commit) => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE fingerprint_key IN EXCLUSIVE MODE"
            }
        };
        let work = Tx::new(own).within(begin, ends, job);
        match self.dialect() {
            Dialect::Sqlite => at_length(work),
            Dialect::Postgres => work.await,
        }
    }
}

/// Work of the embedded database keeps its thread to the end: what else waits for this thread goes on elsewhere.
fn at_length<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| Handle::current().block_on(work))
}

/// How a transaction ends when its job succeeds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// It only read.
    Rollback,
    /// It wrote, and nobody else did: readers go on, writers waited.
    Commit,
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
