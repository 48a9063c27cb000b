//! The store, opened: a database and the keys that belong to it.

use crate::ambient::Ambient;
use crate::db::{Db, Dialect, Location, make_private};
use crate::error::{Result, StoreError};
use crate::journal::Env;
use crate::keyring::{KeyError, Keyring};
use jiff::Timestamp;
use ngomon_rules::values::{Date, local_day};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything kept, behind one API. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: Db,
    pub(crate) env: Env,
    /// The file of signed checkpoints, outside the database.
    pub(crate) checkpoints: Arc<Path>,
}

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Places {
    /// The database.
    pub data: Location,
    /// The keys, outside the database.
    pub keys: PathBuf,
}

impl Store {
    /// Opens what is there; with `create`, makes what is not.
    pub async fn open(places: &Places, create: bool, ambient: Ambient) -> Result<Self> {
        let db = Db::open(&places.data, create).await?;
        let keys = match Keyring::open(&places.keys) {
            Err(KeyError::Missing { .. }) if create && !db_has_keys(&db).await => {
                make_private(&places.keys)?;
                Keyring::create(&places.keys, &ambient)?
            }
            keys => keys?,
        };
        db.migrate().await?;
        let store = Self {
            db,
            env: Env { keys, ambient },
            checkpoints: places.keys.join("checkpoints.txt").into(),
        };
        store.check_keys().await?;
        store.renew().await?;
        Ok(store)
    }

    /// The keys must be those with which the database was begun.
    async fn check_keys(&self) -> Result<()> {
        let (id, check) = (self.env.keys.id().to_owned(), self.env.keys.check());
        let sql = "SELECT i.key_check, f.mark FROM installation i LEFT JOIN fingerprint_key f ON f.id = i.id";
        let kept = self.db.read(async |tx| tx.row(sql, []).await).await?;
        let version = match kept {
            Some(row) if row.get::<Vec<u8>>(0)? != check => return Err(StoreError::WrongKeys),
            Some(row) if row.get::<Option<Vec<u8>>>(1)?.is_some() => return Ok(()),
            // Begun before that was noted.
            Some(_) => 1,
            None => self.env.keys.fingerprint_versions().0,
        };
        let mark = *self.env.keys.mark_of(version).as_bytes();
        self.db
            .write(move |tx| {
                let id = id.clone();
                Box::pin(async move {
                    let sql =
                        "INSERT INTO installation (id, keyring, key_check) VALUES (1,$1,$2) ON CONFLICT (id) DO NOTHING";
                    tx.execute(sql, [id.into(), check.into()]).await?;
                    let sql = "INSERT INTO fingerprint_key (id, mark) VALUES (1,$1) ON CONFLICT (id) DO NOTHING";
                    tx.execute(sql, [mark.into()]).await.map(drop)
                })
            })
            .await
    }

    /// What each connection says of its durability, as it names it: the writer's and a reader's.
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
        let mut said = self.db.write(|tx| Box::pin(ask(tx))).await?;
        said.extend(self.db.read(async |tx| ask(tx).await).await?);
        Ok(said)
    }

    /// Which database.
    pub fn dialect(&self) -> Dialect {
        self.db.dialect()
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.env.ambient.now()
    }

    /// Bytes that nobody can foretell, for a password hash.
    pub fn salt(&self) -> [u8; 16] {
        self.env.ambient.bytes()
    }

    /// The present day in Huế.
    pub fn today(&self) -> Date {
        local_day(self.now())
    }

    /// The keys.
    pub fn keys(&self) -> &Keyring {
        &self.env.keys
    }

    /// The file of checkpoints.
    pub fn checkpoint_file(&self) -> &Path {
        &self.checkpoints
    }
}

/// Was the database begun with keys? Then new ones are not made: they could not read it.
async fn db_has_keys(db: &Db) -> bool {
    db.read(async |tx| tx.row("SELECT 1 FROM installation", []).await)
        .await
        .is_ok_and(|row| row.is_some())
}
