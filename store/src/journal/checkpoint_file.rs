//! What the database records of the file of checkpoints, and whether it has what the file has.

use crate::context::StorePaths;
use crate::crypto::checkpoint::{last_note, notes_of};
use crate::crypto::keyring::Keyring;
use crate::crypto::merkle::{Hash, sha256};
use crate::db::{Dialect, Row, Tx};
use crate::error::{Result, StoreError};
use std::path::{Path, PathBuf};

/// The name of the file beside the keys.
pub(crate) const NAME: &str = "checkpoints.txt";

/// What the database records of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordedFile {
    pub notes: i64,
    pub size: i64,
    chain: Hash,
}

impl RecordedFile {
    pub(crate) const NONE: Self = Self {
        notes: 0,
        size: 0,
        chain: [0; 32],
    };

    /// The mark after one more note.
    pub(crate) fn and(&self, size: u64, note: &[u8]) -> Self {
        Self {
            notes: self.notes + 1,
            size: i64::try_from(size).unwrap_or(i64::MAX),
            chain: sha256(&[&self.chain, note]),
        }
    }

    fn read(row: &Row) -> Result<Self> {
        let chain: Vec<u8> = row.get(2)?;
        Ok(Self {
            notes: row.get(0)?,
            size: row.get(1)?,
            chain: chain
                .try_into()
                .map_err(|_| StoreError::corrupt("checkpoint_file", "no digest"))?,
        })
    }

    /// Whether the file starts with what this mark covers; more may follow.
    pub(crate) fn fits(&self, file: &[u8]) -> bool {
        let mut mark = Self::NONE;
        for (size, note) in notes_of(file) {
            if mark.notes == self.notes {
                break;
            }
            mark = mark.and(size, note);
        }
        mark == *self
    }
}

/// The identity of the file among those of all servers of one database: its path and, on PostgreSQL, also the machine.
pub(crate) fn place(dialect: Dialect, file: &Path) -> String {
    let dir = file.parent().unwrap_or(Path::new(""));
    let path = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let path = path.display().to_string();
    match dialect {
        Dialect::Sqlite => path,
        Dialect::Postgres => {
            let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            format!("{}:{path}", machine.trim())
        }
    }
}

pub(crate) async fn mark_of(tx: &mut Tx, place: &str) -> Result<Option<RecordedFile>> {
    let sql = "SELECT notes, size, chain FROM checkpoint_file WHERE place = $1";
    let row = tx.row(sql, [place.into()]).await?;
    row.as_ref().map(RecordedFile::read).transpose()
}

pub(crate) async fn set_mark(tx: &mut Tx, place: &str, mark: &RecordedFile) -> Result<()> {
    // Of two concurrent writers, the one with more notes wins.
    let sql = "INSERT INTO checkpoint_file (place, notes, size, chain) VALUES ($1,$2,$3,$4) ON CONFLICT (place) \
               DO UPDATE SET notes = excluded.notes, size = excluded.size, chain = excluded.chain \
               WHERE checkpoint_file.notes < excluded.notes";
    let row = [place.into(), mark.notes.into(), mark.size.into(), mark.chain.into()];
    tx.execute(sql, row).await.map(drop)
}

/// Checks that the database has the last checkpoint of the file. A standby may lag behind.
pub(crate) async fn must_have(tx: &mut Tx, last: &LastCheckpoint) -> Result<()> {
    let Some((size, root)) = last.checkpoint else {
        return Ok(());
    };
    let sql = "SELECT root FROM checkpoint WHERE size = $1";
    let row = tx.row(sql, [i64::try_from(size).unwrap_or(i64::MAX).into()]).await?;
    let there = row.map(|row| row.get::<Vec<u8>>(0)).transpose()?;
    if there.as_deref() == Some(&root[..]) {
        return Ok(());
    }
    if tx.dialect() == Dialect::Postgres && there.is_none() {
        let row = tx.row("SELECT 1 WHERE pg_is_in_recovery()", []).await?;
        if row.is_some() {
            return Ok(());
        }
    }
    Err(last.behind())
}

/// The last checkpoint of the file.
pub(crate) struct LastCheckpoint {
    path: PathBuf,
    checkpoint: Option<(u64, Hash)>,
}

impl LastCheckpoint {
    /// Reads it. An unreadable file counts here as one without a checkpoint; `verify` reports it.
    pub fn read(places: &StorePaths, keys: &Keyring) -> Self {
        let path = places.keys.join(NAME);
        let last = last_note(&path, keys).ok().flatten();
        Self {
            checkpoint: last.map(|last| (last.size, last.root)),
            path,
        }
    }

    pub fn is_there(&self) -> bool {
        self.checkpoint.is_some()
    }

    pub fn behind(&self) -> StoreError {
        StoreError::Behind {
            path: self.path.clone(),
            size: self.checkpoint.map_or(0, |(size, _)| size),
        }
    }
}
