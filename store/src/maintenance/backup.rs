//! The backup: a consistent copy while the system stays in use, and its restore. It holds the tables that cannot be rebuilt
//! (`db/schema/steps`) as one file of JSON lines per table, so it can be restored into either database; the projections follow from the
//! journal. It never contains keys.
//!
//! The manifest is written last. It has the row count and the digest of each file, which are compared before a restore changes anything.
//! While a restore runs, a row of `restoring` warns everyone who opens the database. The row is deleted when the restore ends, or stays
//! until the restore is started again.

use crate::boxed;
use crate::context::StorePaths;
use crate::crypto::keyring::{Fingerprint, Keyring, sync_parent};
use crate::db::schema::{Kind, Table};
use crate::db::{Db, Dialect, Row, SqlValue, Tx, schema};
use crate::environment::{Environment, hex};
use crate::error::{Refusal, Result, StoreError};
use crate::journal::checkpoint_file::LastCheckpoint;
use crate::private;
use crate::store::{OpenMode, Store};
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

const MANIFEST: &str = "backup.json";
/// Format 3 has the rows and the digest of each file; format 2 has only the total number of rows; format 1 does not name the key of its
/// fingerprints, which was always the first.
const FORMAT: u64 = 3;
/// Rows in one transaction of a restore.
const BATCH: usize = 2_000;

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| match source.kind() {
        std::io::ErrorKind::StorageFull => StoreError::Full,
        _ => StoreError::Io { path, source },
    }
}

fn file_of(dir: &Path, table: &str) -> PathBuf {
    dir.join(format!("{table}.jsonl"))
}

/// The contents of a backup.
#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u64,
    keyring: String,
    fingerprints: Option<String>,
    rows: u64,
    tables: Option<BTreeMap<String, Contents>>,
}

/// The contents of one file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Contents {
    rows: u64,
    /// SHA-256 of the file, in hexadecimal.
    sha256: String,
}

/// A writer that computes the digest of what it writes.
struct DigestingWriter<W> {
    to: W,
    digest: Context,
}

impl<W: Write> Write for DigestingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

/// The result of a restore.
pub struct Restored {
    /// The restored store.
    pub store: Store,
    /// The number of rows copied.
    pub rows: u64,
    /// Whether the file of checkpoints beside the keys has commits that came after the backup. They are lost, unless a newer backup has
    /// them. The database is refused until an operator accepts that.
    pub behind: bool,
}

impl Store {
    /// Copies everything, as of one moment, into an empty directory. Returns the number of rows.
    #[boxed]
    pub async fn backup(&self, dir: &Path) -> Result<u64> {
        if std::fs::read_dir(dir).is_ok_and(|mut there| there.next().is_some()) {
            return Err(Refusal::NotEmpty(dir.display().to_string()).into());
        }
        private::directory(dir)?;
        let (tables, mark) = self
            .db
            .read_long(async |tx| {
                let mut tables = BTreeMap::new();
                for table in schema::kept_tables() {
                    tables.insert(table.name.to_owned(), copy(tx, dir, &table).await?);
                }
                Ok((tables, tx.fingerprint_key().await?))
            })
            .await?;
        let rows = tables.values().map(|table| table.rows).sum();
        let manifest = Manifest {
            format: FORMAT,
            keyring: self.keys().id().to_owned(),
            fingerprints: Some(BASE64.encode(mark.as_bytes())),
            rows,
            tables: Some(tables),
        };
        manifest.write(dir)?;
        Ok(rows)
    }

    /// Restores a backup into an empty database, under the keys with which it was made, and rebuilds the projections. First deletes what
    /// an aborted restore left there.
    #[boxed(?Send)]
    pub async fn restore(places: &StorePaths, dir: &Path, environment: Environment) -> Result<Restored> {
        let manifest = Manifest::read(dir)?;
        let keys = Keyring::open(&places.keys)?;
        if manifest.keyring != keys.id() {
            return Err(StoreError::WrongKeys);
        }
        let mark = manifest.fingerprints(dir, &keys)?;
        keys.successor_key(mark)?;
        // Check all files before anything is changed.
        let tables = manifest.tables(dir)?;
        let db = Db::open(&places.data, true).await?;
        let begun = db
            .read_long(async |tx| {
                let begun =
                    tx.has_table("installation").await? && tx.row("SELECT 1 FROM installation", []).await?.is_some();
                let restoring =
                    tx.has_table("restoring").await? && tx.row("SELECT 1 FROM restoring", []).await?.is_some();
                Ok(begun && !restoring)
            })
            .await?;
        if begun {
            return Err(Refusal::NotEmpty(places.data.to_string()).into());
        }
        db.migrate().await?;
        let claim = environment.uuid().to_string();
        begin(&db, &claim, mark).await?;
        for (table, contents) in &tables {
            fill(&db, &claim, table, contents, &file_of(dir, table.name)).await?;
        }
        // Imports that were running at the time of the backup have no process here: clear their heartbeat.
        db.transaction(|tx| Box::pin(tx.execute("UPDATE load SET beat = 0 WHERE state = 'open'", [])))
            .await?;
        let store = Self::open_as(places, OpenMode::Restored, environment).await?;
        store.rebuild(&mut |_| {}).await?;
        let last = LastCheckpoint::read(places, store.keys());
        let behind = match store
            .db
            .read_long(async |tx| crate::journal::checkpoint_file::must_have(tx, &last).await)
            .await
        {
            Ok(()) => false,
            Err(StoreError::Behind { .. }) => true,
            Err(error) => return Err(error),
        };
        // Last of all: until then, everyone who opens the database is warned.
        store
            .db
            .transaction(move |tx| {
                let claim = claim.clone();
                Box::pin(async move {
                    mine(tx, &claim).await?;
                    tx.execute("DELETE FROM restoring", []).await
                })
            })
            .await?;
        Ok(Restored {
            store,
            rows: manifest.rows,
            behind,
        })
    }
}

impl Manifest {
    fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(MANIFEST);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::NoBackup(dir.to_owned()));
            }
            text => text.map_err(io(&path))?,
        };
        let differs = |why: String| StoreError::BackupDiffers {
            path: path.clone(),
            why,
        };
        let value: Value = serde_json::from_str(&text).map_err(|error| differs(error.to_string()))?;
        // The rest of a later format is unknown.
        if value["format"].as_u64().is_some_and(|format| format > FORMAT) {
            return Err(StoreError::Newer);
        }
        serde_json::from_value(value).map_err(|error| differs(error.to_string()))
    }

    /// Writes the manifest last and atomically: a directory without it is no backup.
    fn write(&self, dir: &Path) -> Result<()> {
        let (path, beside) = (dir.join(MANIFEST), dir.join("backup.json.new"));
        let text = serde_json::to_string_pretty(self).map_err(|e| StoreError::corrupt("backup.json", e))?;
        let write = || {
            let mut file = private::create(&beside)?;
            writeln!(file, "{text}")?;
            file.sync_all()?;
            std::fs::rename(&beside, &path)?;
            sync_parent(&path)
        };
        write().map_err(io(&path))
    }

    fn fingerprints(&self, dir: &Path, keys: &Keyring) -> Result<Fingerprint> {
        let Some(text) = &self.fingerprints else {
            return Ok(keys.mark_of(1));
        };
        let mark = BASE64
            .decode(text)
            .ok()
            .and_then(|bytes| Fingerprint::from_bytes(&bytes));
        mark.ok_or_else(|| StoreError::BackupDiffers {
            path: dir.join(MANIFEST),
            why: "no mark of a key".into(),
        })
    }

    /// The tables of the backup in the order in which they are filled, each with the contents of its file, checked against the manifest.
    fn tables(&self, dir: &Path) -> Result<Vec<(Table, Contents)>> {
        let mut found = Vec::new();
        let mut promised = self.tables.clone();
        for table in schema::kept_tables() {
            let path = file_of(dir, table.name);
            let differs = |why: &str| StoreError::BackupDiffers {
                path: path.clone(),
                why: why.to_owned(),
            };
            let promise = promised.as_mut().map(|tables| tables.remove(table.name));
            // This table was added after the backup.
            if promise == Some(None) {
                continue;
            }
            let contents = match contents_of(&table, &path) {
                Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => match promise {
                    None => continue,
                    _ => return Err(differs("it is not there")),
                },
                contents => contents?,
            };
            match promise.flatten() {
                Some(promise) if promise.rows != contents.rows => {
                    let why = format!("{} rows, not {}", contents.rows, promise.rows);
                    return Err(differs(&why));
                }
                Some(promise) if promise.sha256 != contents.sha256 => return Err(differs("another digest")),
                _ => found.push((table, contents)),
            }
        }
        if promised.is_some_and(|tables| !tables.is_empty()) {
            return Err(StoreError::Newer);
        }
        let rows: u64 = found.iter().map(|(_, contents)| contents.rows).sum();
        if rows != self.rows {
            return Err(StoreError::BackupDiffers {
                path: dir.join(MANIFEST),
                why: format!("the files have {rows} rows together, not {}", self.rows),
            });
        }
        Ok(found)
    }
}

/// Writes the file of a table.
async fn copy(tx: &mut Tx, dir: &Path, table: &Table) -> Result<Contents> {
    let path = file_of(dir, table.name);
    let mut file = DigestingWriter {
        to: BufWriter::new(private::create(&path).map_err(io(&path))?),
        digest: Context::new(&SHA256),
    };
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let sql = format!("SELECT {} FROM {}", columns.join(", "), table.name);
    let mut rows = 0;
    tx.for_each_row(&sql, [], |row| {
        let line = Value::Array(cells(table, &row)?);
        rows += 1;
        writeln!(file, "{line}").map_err(io(&path))
    })
    .await?;
    file.flush().map_err(io(&path))?;
    file.to.get_ref().sync_all().map_err(io(&path))?;
    Ok(Contents {
        rows,
        sha256: hex(file.digest.finish().as_ref()),
    })
}

/// Reads a whole file: every line must be a row.
fn contents_of(table: &Table, path: &Path) -> Result<Contents> {
    let mut file = BufReader::new(File::open(path).map_err(io(path))?);
    let (mut digest, mut rows, mut line) = (Context::new(&SHA256), 0, Vec::new());
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line).map_err(io(path))? == 0 {
            break;
        }
        digest.update(&line);
        let row = std::str::from_utf8(&line).ok().and_then(|line| args(table, line));
        rows += 1;
        if row.is_none() {
            return Err(StoreError::BackupDiffers {
                path: path.to_owned(),
                why: format!("line {rows} is no row of this table"),
            });
        }
    }
    Ok(Contents {
        rows,
        sha256: hex(digest.finish().as_ref()),
    })
}

/// Marks the database as being restored, under this claim; a previous restore that is still running stops.
async fn begin(db: &Db, claim: &str, mark: Fingerprint) -> Result<()> {
    let claim = claim.to_owned();
    db.transaction(move |tx| {
        let claim = claim.clone();
        Box::pin(async move {
            let sql =
                "INSERT INTO restoring (id, claim) VALUES (1,$1) ON CONFLICT (id) DO UPDATE SET claim = excluded.claim";
            tx.execute(sql, [claim.into()]).await?;
            for table in schema::kept_tables() {
                tx.execute(&format!("DELETE FROM {}", table.name), []).await?;
            }
            tx.set_fingerprint_key(mark).await
        })
    })
    .await
}

/// Fails if another restore has started meanwhile.
async fn mine(tx: &mut Tx, claim: &str) -> Result<()> {
    match tx
        .rows_for_share("SELECT id FROM restoring WHERE claim = $1", [claim.into()])
        .await?
        .len()
    {
        1 => Ok(()),
        _ => Err(Refusal::AnotherRestore.into()),
    }
}

fn cells(table: &Table, row: &Row) -> Result<Vec<Value>> {
    let cell = |(at, (_, kind)): (usize, &(&str, Kind))| {
        Ok(match kind {
            Kind::Int => row.get::<Option<i64>>(at)?.map_or(Value::Null, Value::from),
            Kind::Text => row.get::<Option<String>>(at)?.map_or(Value::Null, Value::from),
            Kind::Bytes => row
                .get::<Option<Vec<u8>>>(at)?
                .map_or(Value::Null, |b| BASE64.encode(b).into()),
        })
    };
    table.columns.iter().enumerate().map(cell).collect()
}

fn args(table: &Table, line: &str) -> Option<Vec<SqlValue>> {
    let Value::Array(mut cells) = serde_json::from_str(line).ok()? else {
        return None;
    };
    if cells.len() > table.columns.len() {
        return None;
    }
    // A backup of an earlier version lacks the columns that were added later.
    cells.resize(table.columns.len(), Value::Null);
    let arg = |(cell, (_, kind)): (Value, &(&str, Kind))| {
        Some(match (kind, cell) {
            (Kind::Int, cell) if cell.is_null() => SqlValue::Int(None),
            (Kind::Int, cell) => SqlValue::Int(Some(cell.as_i64()?)),
            (Kind::Text, cell) if cell.is_null() => SqlValue::Text(None),
            (Kind::Text, cell) => SqlValue::Text(Some(cell.as_str()?.to_owned())),
            (Kind::Bytes, cell) if cell.is_null() => SqlValue::Bytes(None),
            (Kind::Bytes, cell) => SqlValue::Bytes(Some(BASE64.decode(cell.as_str()?).ok()?)),
        })
    };
    cells.into_iter().zip(&table.columns).map(arg).collect()
}

/// Fills a table and checks the number of its rows.
async fn fill(db: &Db, claim: &str, table: &Table, contents: &Contents, path: &Path) -> Result<()> {
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let into = format!("{} ({})", table.name, columns.join(", "));
    let mut lines = BufReader::new(File::open(path).map_err(io(path))?).lines();
    loop {
        let mut rows = Vec::new();
        for line in lines.by_ref().take(BATCH) {
            let line = line.map_err(io(path))?;
            rows.push(
                args(table, &line)
                    .ok_or_else(|| StoreError::corrupt(path.display().to_string(), "not a row of this table"))?,
            );
        }
        if rows.is_empty() {
            break;
        }
        let (into, claim) = (into.clone(), claim.to_owned());
        db.transaction(move |tx| {
            let (into, rows, claim) = (into.clone(), rows.clone(), claim.clone());
            Box::pin(async move {
                mine(tx, &claim).await?;
                tx.insert(&into, rows, "ON CONFLICT DO NOTHING").await
            })
        })
        .await?;
    }
    let sql = format!("SELECT COUNT(*) FROM {}", table.name);
    let there: i64 = db
        .read_long(async |tx| tx.row(&sql, []).await?.map_or(Ok(0), |row| row.get(0)))
        .await?;
    if u64::try_from(there).ok() != Some(contents.rows) {
        return Err(StoreError::BackupDiffers {
            path: path.to_owned(),
            why: format!("of {} rows {there} are different ones", contents.rows),
        });
    }
    if table.name == "journal_commit" && db.dialect() == Dialect::Postgres {
        let sql = "SELECT setval(pg_get_serial_sequence('journal_commit', 'seq'), COALESCE((SELECT MAX(seq) FROM journal_commit), 1))";
        db.transaction(move |tx| Box::pin(async move { tx.row(sql, []).await.map(drop) }))
            .await?;
    }
    Ok(())
}
