//! The file of checkpoints beside the database, and the comparison of both: the file must have the checkpoints of the database, and the
//! database those of the file.
//!
//! The database records the number of checkpoints in the file and a chained digest over all of them, so that a truncated, thinned or
//! emptied file is detected. Each seal brings the file up to the database; only [`Store::accept_checkpoints`] repairs a damaged one.

use crate::boxed;
use crate::context::Attribution;
use crate::crypto::checkpoint::{append_after, last_note, notes_of, set_aside};
use crate::db::Tx;
use crate::error::{Refusal, Result, StoreError};
use crate::journal::checkpoint_file::{RecordedFile, mark_of, place, set_mark};
use crate::store::Store;
use crate::unit_of_work::append;
use ngomon_rules::event::{Change, Event, Subject};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

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
    #[boxed]
    pub async fn accept_checkpoints(&self, by: &str) -> Result<AcceptReport> {
        let found = self.verify_outside().await?;
        if found.is_empty() {
            return Err(Refusal::NothingToAccept.into());
        }
        let (ctx, act) = (self.ctx.clone(), Attribution::new(by, self.now()));
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
                let (ctx, act, place, change) = (ctx.clone(), act.clone(), place.clone(), change.clone());
                Box::pin(async move {
                    let event = Event {
                        subject: Subject::Setting("checkpoints".into()),
                        change,
                        personal: None,
                    };
                    append(tx, &ctx, &act, vec![event]).await?;
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
