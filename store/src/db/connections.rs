//! Connections that are kept open, in a pool of `deadpool`. sqlx's own asks each one whether it lives when it is taken and once more when
//! it is given back: two more ways to the database for what is often one question. Here only one is asked that stood idle.

use crate::error::{Result, StoreError};
use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// How long somebody waits for a connection, or for another process that writes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How long one that stood idle may take to say that it lives.
const PING: Duration = Duration::from_secs(2);
/// After so long a connection is made anew.
const LIFE: Duration = Duration::from_mins(30);

/// One that stood idle for so long is asked whether it lives.
const IDLE: Duration = Duration::from_secs(1);

/// How connections to a database are made.
pub(super) trait Opens: Send + Sync {
    /// One of them.
    type Connection: Send;
    /// Makes one.
    fn open(&self) -> impl Future<Output = Result<Self::Connection>> + Send;
    /// Asks one whether it lives.
    fn is_alive(connection: &mut Self::Connection) -> impl Future<Output = bool> + Send;
}

/// Makes those of a pool.
pub(super) struct Manager<O> {
    opens: O,
    /// Rises each time when one was found dead, silent or fit for reading only.
    age: Arc<AtomicU64>,
}

impl<O> Manager<O> {
    pub(super) fn opens(&self) -> &O {
        &self.opens
    }
}

/// One that is kept.
pub(super) struct Kept<C> {
    pub connection: C,
    /// Something was left open on it: nobody gets it again.
    pub spoilt: bool,
    /// In which age of the pool it was made.
    made: u64,
    age: Arc<AtomicU64>,
}

impl<C> Kept<C> {
    /// Nobody gets it again, nor those that were made before: what befell it befell them, and they are made anew sooner than asked.
    pub(super) fn give_up(&mut self) {
        self.spoilt = true;
        self.age.fetch_max(self.made + 1, Ordering::Relaxed);
    }
}

pub(super) type Pool<O> = managed::Pool<Manager<O>>;
pub(super) type Taken<O> = Object<Manager<O>>;

impl<O: Opens> managed::Manager for Manager<O> {
    type Type = Kept<O::Connection>;
    type Error = StoreError;

    async fn create(&self) -> Result<Self::Type> {
        let made = self.age.load(Ordering::Relaxed);
        Ok(Kept {
            connection: self.opens.open().await?,
            spoilt: false,
            made,
            age: Arc::clone(&self.age),
        })
    }

    async fn recycle(&self, kept: &mut Self::Type, metrics: &Metrics) -> RecycleResult<StoreError> {
        if kept.spoilt || kept.made < self.age.load(Ordering::Relaxed) || metrics.age() > LIFE {
            return Err(RecycleError::message("to be made anew"));
        }
        if metrics.last_used() > IDLE && timeout(PING, O::is_alive(&mut kept.connection)).await != Ok(true) {
            kept.give_up();
            return Err(RecycleError::message("it is gone"));
        }
        Ok(())
    }
}

/// At most so many connections, made when they are needed; whoever needs one waits so long.
pub(super) fn pool<O: Opens>(opens: O, most: usize, patience: Duration) -> Result<Pool<O>> {
    let age = Arc::default();
    Pool::builder(Manager { opens, age })
        .max_size(most)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(patience))
        .create_timeout(Some(PATIENCE))
        .recycle_timeout(Some(PATIENCE))
        .build()
        .map_err(|error| StoreError::Unreachable(error.to_string()))
}

/// One of them.
pub(super) async fn take<O: Opens>(pool: &Pool<O>) -> Result<Taken<O>> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(_) => StoreError::Busy,
        other => StoreError::Unreachable(other.to_string()),
    })
}

/// One like them, which nobody had before and nobody gets after.
pub(super) async fn own<O: Opens + Clone>(pool: &Pool<O>) -> Result<Taken<O>> {
    take(&self::pool(pool.manager().opens().clone(), 1, PATIENCE)?).await
}
