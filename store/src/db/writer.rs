//! The one writer of an embedded database: it commits queued transactions in groups at full durability.

use crate::db::changed;
use crate::db::connections::PooledConnection;
use crate::db::embedded::SqliteConfig;
use crate::db::tx::{Connection, Tx};
use crate::error::{Result, StoreError};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

/// Most transactions in a group, so that the first one does not wait long.
const GROUP: usize = 256;

type Job = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, bool> + Send>;

struct QueuedTransaction {
    job: Job,
    /// Receives the result of the group's commit.
    committed: oneshot::Sender<Result<(), Arc<StoreError>>>,
}

/// The queue to the writer.
pub(crate) struct Writer {
    queue: mpsc::Sender<QueuedTransaction>,
}

impl Writer {
    /// Starts the writer on a thread of its own, which may block on the disk. It ends with its queue.
    pub(crate) fn start(connection: PooledConnection<SqliteConfig>) -> Result<Self> {
        let (queue, waiting) = mpsc::channel(GROUP);
        let serve = serve(Tx::new(Connection::Sqlite(connection), Duration::MAX), waiting);
        let runtime = Handle::current();
        std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || runtime.block_on(serve))
            .map_err(|error| StoreError::Unreachable(error.to_string()))?;
        Ok(Self { queue })
    }

    /// Runs a job in the next group; returns once the group is on disk.
    pub(crate) async fn run<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
    {
        let slot = Arc::new(Mutex::new(None));
        let result = Arc::clone(&slot);
        let job: Job = Box::new(move |tx: &mut Tx| {
            Box::pin(async move {
                // A panic ends this job, not the writer.
                tx.take_journalled();
                let done = AssertUnwindSafe(async { job(tx).await }).catch_unwind().await;
                let done = done.unwrap_or_else(|_| Err(StoreError::NotCommitted("a fault of the program".into())));
                let keep = done.is_ok();
                if let Ok(mut slot) = result.lock() {
                    *slot = Some((done, tx.take_journalled()));
                }
                keep
            })
        });
        let gone = || StoreError::NotCommitted("the writer has stopped".into());
        let (committed, answer) = oneshot::channel();
        self.queue
            .send(QueuedTransaction { job, committed })
            .await
            .map_err(|_| gone())?;
        let answer = answer.await.map_err(|_| gone())?;
        let done = slot.lock().ok().and_then(|mut slot| slot.take());
        match (answer, done) {
            // The job's own error is more precise than the group's.
            (_, Some((Err(error), _))) => Err(error),
            (Ok(()), Some((Ok(done), journalled))) => {
                if journalled {
                    changed::note();
                }
                Ok(done)
            }
            (Err(why), _) => Err(of_group(&why)),
            (Ok(()), None) => Err(gone()),
        }
    }
}

/// The error of a group for each job in it. Errors that an operator can mend keep their kind.
fn of_group(why: &StoreError) -> StoreError {
    match why {
        StoreError::Full => StoreError::Full,
        StoreError::Busy => StoreError::Busy,
        StoreError::Damaged(why) => StoreError::Damaged(why.clone()),
        other => StoreError::NotCommitted(other.to_string()),
    }
}

async fn serve(mut tx: Tx, mut queue: mpsc::Receiver<QueuedTransaction>) {
    while let Some(first) = queue.recv().await {
        let mut group = Vec::new();
        let outcome = run_group(&mut tx, first, &mut queue, &mut group).await;
        if outcome.is_err() {
            // This fails if SQLite has already rolled back by itself, as it does on a full disk.
            tx.command("ROLLBACK").await.ok();
        }
        let outcome = outcome.map_err(Arc::new);
        for committed in group {
            // The caller may have gone away.
            committed.send(outcome.clone()).ok();
        }
    }
}

async fn run_group(
    tx: &mut Tx,
    first: QueuedTransaction,
    queue: &mut mpsc::Receiver<QueuedTransaction>,
    group: &mut Vec<oneshot::Sender<Result<(), Arc<StoreError>>>>,
) -> Result<()> {
    let QueuedTransaction { mut job, committed } = first;
    group.push(committed);
    tx.begin("BEGIN IMMEDIATE; SAVEPOINT job").await?;
    loop {
        let is_kept = job(tx).await;
        let next = (group.len() < GROUP).then(|| queue.try_recv().ok()).flatten();
        let Some(next) = next else {
            let end = if is_kept {
                "RELEASE job; COMMIT"
            } else {
                "ROLLBACK TO job; RELEASE job; COMMIT"
            };
            return tx.command(end).await;
        };
        job = next.job;
        group.push(next.committed);
        let step = if is_kept {
            "RELEASE job; SAVEPOINT job"
        } else {
            "ROLLBACK TO job"
        };
        tx.command(step).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full disk is reported as that to each writer of the group.
    #[test]
    fn full_disk_error_reported_to_whole_group() {
        assert!(matches!(of_group(&StoreError::Full), StoreError::Full));
        assert!(matches!(of_group(&StoreError::Busy), StoreError::Busy));
        let damaged = of_group(&StoreError::Damaged("page 7".into()));
        assert!(matches!(damaged, StoreError::Damaged(why) if why == "page 7"));
        let other = of_group(&StoreError::Unreachable("gone".into()));
        assert!(matches!(other, StoreError::NotCommitted(_)));
    }
}
