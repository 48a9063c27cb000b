//! The opened store: a database and its keys.

use crate::boxed;
use crate::context::{StoreContext, StorePaths};
use crate::crypto::checkpoint::try_append;
use crate::crypto::keyring::{KeyError, Keyring};
use crate::db::{Db, Dialect, Location, Tx};
use crate::environment::Environment;
use crate::error::{Result, StoreError};
use crate::journal::checkpoint_file::{LastCheckpoint, NAME, must_have};
use crate::private;
use crate::tables::attempts::Window;
use crate::tables::units::tree;
use jiff::Timestamp;
use ngomon_rules::unit::UnitTree;
use ngomon_rules::values::{Date, local_day};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Time within which a reused refresh token gets the same successor.
pub(crate) const AGAIN: Duration = Duration::from_secs(30);

/// All stored data behind one API. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: Db,
    pub(crate) ctx: StoreContext,
    /// The file of signed checkpoints, outside the database.
    pub(crate) checkpoints: Arc<Path>,
    /// Whether this process has brought that file up to the database.
    pub(crate) written: Arc<AtomicBool>,
    /// Rate-limit attempts that could not be given back while the database was unreachable.
    pub(crate) owed: Arc<Mutex<Vec<Window>>>,
    /// How long a refresh token that is used again gets the same successor.
    pub(crate) refresh_again: Duration,
}

/// The state that a database must have to be opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenMode {
    /// It exists, is complete, and has the checkpoints beside the keys.
    Whole,
    /// As [`OpenMode::Whole`]; a missing database is created.
    New,
    /// It exists and is complete, but may be older than the checkpoints: the caller checks that.
    Older,
    /// A restore has filled it, and ends with this.
    Restored,
}

impl Store {
    /// Opens the store; with `create`, creates what is missing. Refuses a database that is empty, half restored, or older than the file
    /// of checkpoints.
    #[boxed(?Send)]
    pub async fn open(places: &StorePaths, create: bool, environment: Environment) -> Result<Self> {
        let opening = if create { OpenMode::New } else { OpenMode::Whole };
        Self::open_as(places, opening, environment).await
    }

    /// Opens a database that may be older than the file of checkpoints, to report that or to accept it.
    #[boxed(?Send)]
    pub async fn open_older(places: &StorePaths, environment: Environment) -> Result<Self> {
        Self::open_as(places, OpenMode::Older, environment).await
    }

    pub(crate) async fn open_as(places: &StorePaths, opening: OpenMode, environment: Environment) -> Result<Self> {
        let create = opening == OpenMode::New;
        let found = Keyring::open(&places.keys);
        let last = found.as_ref().ok().map(|keys| LastCheckpoint::read(places, keys));
        let last = last.filter(LastCheckpoint::is_there);
        if places.data.is_void()? {
            match last {
                Some(last) => return Err(last.behind()),
                None if !create => return Err(StoreError::NoData(places.data.to_string())),
                None => {}
            }
        }
        let db = Db::open(&places.data, create).await?;
        db.read_long(async |tx| as_it_must_be(tx, places, opening, last.as_ref()).await)
            .await?;
        let keys = match found {
            Err(KeyError::Missing { .. }) if create && !db_has_keys(&db).await => {
                private::directory(&places.keys)?;
                // If several processes start at once on the same keys, all use those of the first.
                match Keyring::create(&places.keys, &environment) {
                    Err(KeyError::AlreadyThere { .. }) => Keyring::open(&places.keys)?,
                    keys => keys?,
                }
            }
            keys => keys?,
        };
        private::directory(&places.keys)?;
        for path in [places.keys.join("keyring.json"), places.keys.join("checkpoints.txt")] {
            private::file(&path).map_err(|source| StoreError::Io { path, source })?;
        }
        db.migrate().await?;
        let store = Self {
            db,
            ctx: StoreContext {
                keys,
                environment,
                news: None,
            },
            checkpoints: places.keys.join(NAME).into(),
            written: Arc::default(),
            owed: Arc::default(),
            refresh_again: AGAIN,
        };
        store.check_keys().await?;
        store.upgrade_projections().await?;
        Ok(store)
    }

    /// The store with short timeouts, for requests of browsers: they do not wait long for PostgreSQL, or for other users of it.
    pub fn for_requests(&self) -> Result<Self> {
        Ok(Self {
            db: self.db.for_requests()?,
            ..self.clone()
        })
    }

    /// Checks that the file of checkpoints can be written, before anything is changed.
    pub fn try_checkpoints(&self) -> Result<()> {
        Ok(try_append(&self.checkpoints)?)
    }

    /// The store for background tasks of a server.
    pub fn for_workers(&self) -> Result<Self> {
        Ok(Self {
            db: self.db.for_workers()?,
            ..self.clone()
        })
    }

    /// Checks that the keys are those with which the database was created.
    async fn check_keys(&self) -> Result<()> {
        let (id, check) = (self.ctx.keys.id().to_owned(), self.ctx.keys.check());
        let sql = "SELECT i.key_check, f.mark FROM installation i LEFT JOIN fingerprint_key f ON f.id = i.id";
        let kept = self.db.read(async |tx| tx.row(sql, []).await).await?;
        let version = match kept {
            Some(row) if row.get::<Vec<u8>>(0)? != check => return Err(StoreError::WrongKeys),
            Some(row) if row.get::<Option<Vec<u8>>>(1)?.is_some() => return Ok(()),
            // The database was created before the version was recorded.
            Some(_) => 1,
            None => self.ctx.keys.fingerprint_versions().0,
        };
        let mark = *self.ctx.keys.mark_of(version).as_bytes();
        let kept = self
            .db
            .transaction(move |tx| {
                let id = id.clone();
                Box::pin(async move {
                    let sql =
                        "INSERT INTO installation (id, keyring, key_check) VALUES (1,$1,$2) ON CONFLICT (id) DO NOTHING";
                    tx.execute(sql, [id.into(), check.into()]).await?;
                    let sql = "INSERT INTO fingerprint_key (id, mark) VALUES (1,$1) ON CONFLICT (id) DO NOTHING";
                    tx.execute(sql, [mark.into()]).await?;
                    // Another process, with other keys, may have been first.
                    let row = tx.row("SELECT key_check FROM installation", []).await?;
                    row.map(|row| row.get::<Vec<u8>>(0)).transpose()
                })
            })
            .await?;
        match kept {
            Some(kept) if kept == self.ctx.keys.check() => Ok(()),
            _ => Err(StoreError::WrongKeys),
        }
    }

    /// Whether the database was created with the keys of that directory. Changes nothing.
    #[boxed]
    pub async fn is_of_keys(data: &Location, keys: &Path) -> bool {
        let Ok(keys) = Keyring::open(keys) else { return false };
        let Ok(db) = Db::open(data, false).await else {
            return false;
        };
        let asked = db
            .read(async |tx| tx.row("SELECT keyring FROM installation", []).await)
            .await;
        asked.is_ok_and(|row| row.is_some_and(|row| row.get::<String>(0).is_ok_and(|id| id == keys.id())))
    }

    /// The durability settings of the writer's connection and of a reader's, under the database's own names.
    #[boxed]
    pub async fn durability(&self) -> Result<Vec<(&'static str, String)>> {
        async fn ask(tx: &mut crate::db::Tx) -> Result<Vec<(&'static str, String)>> {
            let asked: &[(&'static str, &str)] = match tx.dialect() {
                Dialect::Sqlite => &[
                    ("journal_mode", "SELECT journal_mode FROM pragma_journal_mode"),
                    (
                        "synchronous",
                        "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous",
                    ),
                ],
                Dialect::Postgres => &[("synchronous_commit", "SELECT current_setting('synchronous_commit')")],
            };
            let mut said = Vec::new();
            for (setting, sql) in asked {
                if let Some(row) = tx.row(sql, []).await? {
                    said.push((*setting, row.get(0)?));
                }
            }
            Ok(said)
        }
        let mut said = self.db.transaction(|tx| Box::pin(ask(tx))).await?;
        said.extend(self.db.read(async |tx| ask(tx).await).await?);
        Ok(said)
    }

    /// The kind of database.
    pub fn dialect(&self) -> Dialect {
        self.db.dialect()
    }

    /// Checks that the database answers.
    #[boxed]
    pub async fn answers(&self) -> Result<()> {
        self.db.query(async |tx| tx.row("SELECT 1", []).await.map(drop)).await
    }

    /// The tree of the last load of units; empty before the first.
    #[boxed]
    pub async fn units(&self) -> Result<UnitTree> {
        self.db.query(async |tx| tree(tx).await).await
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.ctx.environment.now()
    }

    /// Unpredictable bytes, as salt of a password hash.
    pub fn salt(&self) -> [u8; 16] {
        self.ctx.environment.bytes()
    }

    /// The present day in Huế.
    pub fn today(&self) -> Date {
        local_day(self.now())
    }

    /// The keys.
    pub fn keys(&self) -> &Keyring {
        &self.ctx.keys
    }

    /// The file of checkpoints.
    pub fn checkpoint_file(&self) -> &Path {
        &self.checkpoints
    }
}

/// Checks the database before anything is changed: its tables may be another version's, or missing.
async fn as_it_must_be(
    tx: &mut Tx,
    places: &StorePaths,
    opening: OpenMode,
    last: Option<&LastCheckpoint>,
) -> Result<()> {
    let restoring = tx.has_table("restoring").await? && tx.row("SELECT 1 FROM restoring", []).await?.is_some();
    if restoring && opening != OpenMode::Restored {
        return Err(StoreError::Restoring);
    }
    let begun = tx.has_table("installation").await? && tx.row("SELECT 1 FROM installation", []).await?.is_some();
    match last {
        Some(last) if !begun => Err(last.behind()),
        None if !begun && opening != OpenMode::New => Err(StoreError::NoData(places.data.to_string())),
        Some(last) if matches!(opening, OpenMode::New | OpenMode::Whole) => must_have(tx, last).await,
        _ => Ok(()),
    }
}

/// Whether the database was created with keys. Then no new keys are created: they could not read it.
async fn db_has_keys(db: &Db) -> bool {
    db.read(async |tx| tx.row("SELECT 1 FROM installation", []).await)
        .await
        .is_ok_and(|row| row.is_some())
}
