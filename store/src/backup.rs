//! A consistent copy while everybody goes on, and back. It holds what cannot be made anew (`schema/steps`), a file of JSON lines a
//! table, so that it can be restored into either database; the projections follow from the journal. Keys are never in it.

use crate::ambient::Ambient;
use crate::db::{Arg, Db, Dialect, Row, make_private};
use crate::error::{Refusal, Result, StoreError};
use crate::keyring::{Fingerprint, Keyring};
use crate::schema::{self, Kind, Table};
use crate::store::{Places, Store};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

const MANIFEST: &str = "backup.json";
/// 2: names the key of its fingerprints; in 1, it was always the first.
const FORMAT: u64 = 2;
/// Rows in one transaction of a restore.
const BATCH: usize = 2_000;

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| match source.kind() {
        std::io::ErrorKind::StorageFull => StoreError::Full,
        _ => StoreError::Io { path, source },
    }
}

fn file_of(dir: &Path, table: &Table) -> PathBuf {
    dir.join(format!("{}.jsonl", table.name))
}

impl Store {
    /// Copies everything, as it is at one moment, into an empty directory. Returns how many rows.
    pub async fn backup(&self, dir: &Path) -> Result<u64> {
        make_private(dir)?;
        if std::fs::read_dir(dir).map_err(io(dir))?.next().is_some() {
            return Err(Refusal::NotEmpty(dir.to_owned()).into());
        }
        let (rows, mark) = self
            .db
            .scan(async |tx| {
                let mut rows = 0;
                for table in schema::kept_tables() {
                    let path = file_of(dir, &table);
                    let mut file = BufWriter::new(File::create(&path).map_err(io(&path))?);
                    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
                    let sql = format!("SELECT {} FROM {}", columns.join(", "), table.name);
                    tx.each(&sql, [], |row| {
                        let line = Value::Array(cells(&table, &row)?);
                        rows += 1;
                        writeln!(file, "{line}").map_err(io(&path))
                    })
                    .await?;
                    file.flush().map_err(io(&path))?;
                    file.get_ref().sync_all().map_err(io(&path))?;
                }
                Ok((rows, tx.fingerprint_key().await?))
            })
            .await?;
        // Last: a directory without it is no backup.
        let manifest = serde_json::json!({ "format": FORMAT, "keyring": self.keys().id(), "fingerprints": BASE64.encode(mark.as_bytes()), "rows": rows });
        let path = dir.join(MANIFEST);
        std::fs::write(&path, format!("{manifest}\n")).map_err(io(&path))?;
        Ok(rows)
    }

    /// Brings a backup back into an empty database, under the keys with which it was made, and makes the projections anew.
    pub async fn restore(places: &Places, dir: &Path, ambient: Ambient) -> Result<(Self, u64)> {
        let path = dir.join(MANIFEST);
        let manifest = std::fs::read_to_string(&path).map_err(io(&path))?;
        let manifest: Value =
            serde_json::from_str(&manifest).map_err(|e| StoreError::corrupt(path.display().to_string(), e))?;
        if manifest["format"].as_u64().is_none_or(|format| format > FORMAT) {
            return Err(StoreError::Newer);
        }
        let keys = Keyring::open(&places.keys)?;
        if manifest["keyring"].as_str() != Some(keys.id()) {
            return Err(StoreError::WrongKeys);
        }
        let mark = match manifest["fingerprints"].as_str() {
            None => keys.mark_of(1),
            Some(text) => BASE64
                .decode(text)
                .ok()
                .and_then(|bytes| Fingerprint::from_bytes(&bytes))
                .ok_or_else(|| StoreError::corrupt(path.display().to_string(), "no mark of a key"))?,
        };
        keys.heir_of(mark)?;
        let db = Db::open(&places.data, true).await?;
        db.migrate().await?;
        let begun = db
            .read(async |tx| tx.row("SELECT 1 FROM installation", []).await)
            .await?;
        if begun.is_some() {
            return Err(Refusal::NotEmpty(places.keys.clone()).into());
        }
        db.write(move |tx| Box::pin(tx.set_fingerprint_key(mark))).await?;
        let mut rows = 0;
        // The installation comes last: what was restored by half is not taken for whole.
        let mut tables = schema::kept_tables();
        tables.sort_by_key(|table| table.name == "installation");
        for table in &tables {
            rows += fill(&db, table, &file_of(dir, table)).await?;
        }
        let store = Self::open(places, false, ambient).await?;
        store.rebuild(&mut |_| {}).await?;
        Ok((store, rows))
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

fn args(table: &Table, line: &str) -> Option<Vec<Arg>> {
    let Value::Array(mut cells) = serde_json::from_str(line).ok()? else {
        return None;
    };
    if cells.len() > table.columns.len() {
        return None;
    }
    // A backup of an earlier version lacks the columns that came later.
    cells.resize(table.columns.len(), Value::Null);
    let arg = |(cell, (_, kind)): (Value, &(&str, Kind))| {
        Some(match (kind, cell) {
            (Kind::Int, cell) if cell.is_null() => Arg::Int(None),
            (Kind::Int, cell) => Arg::Int(Some(cell.as_i64()?)),
            (Kind::Text, cell) if cell.is_null() => Arg::Text(None),
            (Kind::Text, cell) => Arg::Text(Some(cell.as_str()?.to_owned())),
            (Kind::Bytes, cell) if cell.is_null() => Arg::Bytes(None),
            (Kind::Bytes, cell) => Arg::Bytes(Some(BASE64.decode(cell.as_str()?).ok()?)),
        })
    };
    cells.into_iter().zip(&table.columns).map(arg).collect()
}

async fn fill(db: &Db, table: &Table, path: &Path) -> Result<u64> {
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let into = format!("{} ({})", table.name, columns.join(", "));
    let mut lines = BufReader::new(File::open(path).map_err(io(path))?).lines();
    let mut done = 0;
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
        done += rows.len() as u64;
        let into = into.clone();
        db.write(move |tx| {
            let (into, rows) = (into.clone(), rows.clone());
            // What the schema itself put there is there already.
            Box::pin(async move { tx.insert(&into, rows, "ON CONFLICT DO NOTHING").await })
        })
        .await?;
    }
    if table.name == "journal_commit" && db.dialect() == Dialect::Postgres {
        let sql = "SELECT setval(pg_get_serial_sequence('journal_commit', 'seq'), COALESCE((SELECT MAX(seq) FROM journal_commit), 1))";
        db.read(async |tx| tx.row(sql, []).await).await?;
    }
    Ok(done)
}
