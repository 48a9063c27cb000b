//! The file of checkpoints beside the database, and the comparison of both: the file must have the checkpoints of the database, and the
//! database those of the file.
//!
//! The database records the number of checkpoints in the file and a chained digest over all of them, so that a truncated, thinned or
//! emptied file is detected. Each seal brings the file up to the database; only [`Store::accept_checkpoints`] repairs a damaged one.

use crate::crypto::checkpoint::{append_after, last_note, notes_of, set_aside};
use crate::crypto::keyring::Keyring;
use crate::crypto::merkle::{Hash, sha256};
use crate::db::{Dialect, Row, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::journal::entry::{Attribution, append};
use crate::store::{Store, StorePaths};
use ngomon_rules::event::{Change, Event, Subject};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

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
    const NONE: Self = Self {
        notes: 0,
        size: 0,
        chain: [0; 32],
    };

    /// The mark after one more note.
    fn and(&self, size: u64, note: &[u8]) -> Self {
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
    fn fits(&self, file: &[u8]) -> bool {
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
fn place(dialect: Dialect, file: &Path) -> String {
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

async fn mark_of(tx: &mut Tx, place: &str) -> Result<Option<RecordedFile>> {
    let sql = "SELECT notes, size, chain FROM checkpoint_file WHERE place = $1";
    let row = tx.row(sql, [place.into()]).await?;
    row.as_ref().map(RecordedFile::read).transpose()
}

async fn set_mark(tx: &mut Tx, place: &str, mark: &RecordedFile) -> Result<()> {
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

/// The result of accepting the database as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptReport {
    /// The new path of the previous file, if there was one.
    pub aside: Option<PathBuf>,
    /// The number of checkpoints in the new file.
    pub notes: u64,
}

impl Store {
    pub(crate) fn place(&self) -> String {
        place(self.dialect(), &self.checkpoints)
    }

    /// Brings the file up to the database. Runs after the commit, because a file that is ahead of the database looks like a roll-back.
    /// Notes that the file lost are not restored.
    pub(crate) async fn write_checkpoints(&self) -> Result<()> {
        self.written.store(false, Ordering::Relaxed);
        let place = self.place();
        let (known, pending) = self.pending(&place).await?;
        let mut mark = match known {
            Some(mark) => mark,
            // The database has no mark of this file yet: accept the file as it is.
            None => self.as_it_is()?,
        };
        let after = u64::try_from(mark.size).unwrap_or_default();
        let pending: Vec<(u64, String)> = pending.into_iter().filter(|(size, _)| *size > after).collect();
        let written = append_after(&self.checkpoints, after, &pending)?;
        for (size, note) in &written {
            let ours = pending.iter().any(|(known, text)| known == size && text == note);
            if !ours && !self.has_checkpoint(*size, note).await? {
                return Err(StoreError::Behind {
                    path: self.checkpoints.to_path_buf(),
                    size: *size,
                });
            }
            mark = mark.and(*size, note.as_bytes());
        }
        if !written.is_empty() || mark.notes > 0 {
            self.db
                .transaction(move |tx| {
                    let (place, mark) = (place.clone(), mark.clone());
                    Box::pin(async move { set_mark(tx, &place, &mark).await })
                })
                .await?;
        }
        self.written.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn as_it_is(&self) -> Result<RecordedFile> {
        match std::fs::read(&self.checkpoints) {
            Ok(file) => Ok(notes_of(&file)
                .into_iter()
                .fold(RecordedFile::NONE, |mark, (size, note)| mark.and(size, note))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(RecordedFile::NONE),
            Err(source) => Err(StoreError::Io {
                path: self.checkpoints.to_path_buf(),
                source,
            }),
        }
    }

    async fn pending(&self, place: &str) -> Result<(Option<RecordedFile>, Vec<(u64, String)>)> {
        self.db
            .read(async |tx| {
                let mark = mark_of(tx, place).await?;
                let after = mark.as_ref().map_or(0, |mark| mark.size);
                let sql = "SELECT size, note FROM checkpoint WHERE size > $1 ORDER BY size";
                let mut pending = Vec::new();
                tx.for_each_row(sql, [after.into()], |row| {
                    pending.push((u64::try_from(row.get::<i64>(0)?).unwrap_or_default(), row.get(1)?));
                    Ok(())
                })
                .await?;
                Ok((mark, pending))
            })
            .await
    }

    async fn has_checkpoint(&self, size: u64, note: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM checkpoint WHERE size = $1 AND note = $2";
        let args = || [i64::try_from(size).unwrap_or(i64::MAX).into(), note.into()];
        Ok(self.db.query(async |tx| tx.row(sql, args()).await).await?.is_some())
    }

    /// Accepts the database as it is, and starts a new file of checkpoints from it: after a deliberate restore of an older backup, or
    /// after the file was lost or damaged. The previous file is renamed, and the journal records the actor.
    pub async fn accept_checkpoints(&self, by: &str) -> Result<AcceptReport> {
        let found = self.verify_outside().await?;
        if found.is_empty() {
            return Err(Refusal::NothingToAccept.into());
        }
        let (env, act) = (self.env.clone(), Attribution::new(by, self.now()));
        let before = last_note(&self.checkpoints, self.keys()).ok().flatten();
        let change = Change::CheckpointsAccepted {
            before: before.map_or(0, |last| last.size),
        };
        let place = self.place();
        // Rename first: if the process is killed here, the file is missing and the next attempt starts over.
        let day = self.now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let aside = set_aside(&self.checkpoints, &day)?;
        self.db
            .transaction(move |tx| {
                let (env, act, place, change) = (env.clone(), act.clone(), place.clone(), change.clone());
                Box::pin(async move {
                    let event = Event {
                        subject: Subject::Setting("checkpoints".into()),
                        change,
                        personal: None,
                    };
                    append(tx, &env, &act, vec![event]).await?;
                    tx.execute("DELETE FROM checkpoint_file WHERE place = $1", [place.into()])
                        .await
                })
            })
            .await?;
        self.written.store(false, Ordering::Relaxed);
        self.seal().await?;
        let file = std::fs::read(&self.checkpoints).unwrap_or_default();
        Ok(AcceptReport {
            aside,
            notes: notes_of(&file).len() as u64,
        })
    }

    /// What the file lacks. It must be read after the database, so that a concurrent seal of another server raises no alarm.
    pub(crate) async fn file_lacks(&self, tx: &mut Tx) -> Result<Option<String>> {
        let Some(mark) = mark_of(tx, &self.place()).await? else {
            return Ok(None);
        };
        let file = std::fs::read(&self.checkpoints).unwrap_or_default();
        if mark.fits(&file) {
            return Ok(None);
        }
        let has = notes_of(&file);
        let last = has.last().map_or(0, |(size, _)| *size);
        Ok(Some(format!(
            "the file of checkpoints was changed: it had {} up to {}, and has {} up to {last}",
            mark.notes,
            mark.size,
            has.len()
        )))
    }
}
