//! Pools of connections, by `deadpool`. The pool of sqlx pings a connection whenever it is taken and again when it is returned: two more
//! round trips for what is often one query. Here only an idle connection is pinged.

use crate::error::{Result, StoreError};
use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// Longest wait for a connection, or for another process that writes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Time-out of a ping.
const PING: Duration = Duration::from_secs(2);
/// Age at which a connection is replaced.
const LIFE: Duration = Duration::from_mins(30);

/// Idle time after which a connection is pinged before use.
const IDLE: Duration = Duration::from_secs(1);

/// How connections to a database are opened.
pub(crate) trait Connector: Send + Sync {
    /// The type of connection.
    type Connection: Send;
    /// Opens a connection.
    fn open(&self) -> impl Future<Output = Result<Self::Connection>> + Send;
    /// Pings a connection.
    fn is_alive(connection: &mut Self::Connection) -> impl Future<Output = bool> + Send;
}

/// Opens and recycles the connections of a pool.
pub(crate) struct Manager<O> {
    opens: O,
    /// Rises each time a connection was found dead, silent or read-only.
    age: Arc<AtomicU64>,
}

impl<O> Manager<O> {
    pub(crate) fn opens(&self) -> &O {
        &self.opens
    }
}

/// A pooled connection.
pub(crate) struct IdleConnection<C> {
    pub connection: C,
    /// Something was left open on it: it is not used again.
    pub poisoned: bool,
    /// The age of the pool in which it was opened.
    made: u64,
    age: Arc<AtomicU64>,
}

impl<C> IdleConnection<C> {
    /// Discards this connection and all that were opened before: the same probably happened to them.
    pub(crate) fn give_up(&mut self) {
        self.poisoned = true;
        self.age.fetch_max(self.made + 1, Ordering::Relaxed);
    }
}

pub(crate) type Pool<O> = managed::Pool<Manager<O>>;
pub(crate) type PooledConnection<O> = Object<Manager<O>>;

impl<O: Connector> managed::Manager for Manager<O> {
    type Type = IdleConnection<O::Connection>;
    type Error = StoreError;

    async fn create(&self) -> Result<Self::Type> {
        let made = self.age.load(Ordering::Relaxed);
        Ok(IdleConnection {
            connection: self.opens.open().await?,
            poisoned: false,
            made,
            age: Arc::clone(&self.age),
        })
    }

    async fn recycle(&self, kept: &mut Self::Type, metrics: &Metrics) -> RecycleResult<StoreError> {
        if kept.poisoned || kept.made < self.age.load(Ordering::Relaxed) || metrics.age() > LIFE {
            return Err(RecycleError::message("to be made anew"));
        }
        if metrics.last_used() > IDLE && timeout(PING, O::is_alive(&mut kept.connection)).await != Ok(true) {
            kept.give_up();
            return Err(RecycleError::message("it is gone"));
        }
        Ok(())
    }
}

/// A pool of at most `most` connections, opened on demand. `patience` is the longest wait for one.
pub(crate) fn pool<O: Connector>(opens: O, most: usize, patience: Duration) -> Result<Pool<O>> {
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

/// Takes a connection from the pool.
pub(crate) async fn take<O: Connector>(pool: &Pool<O>) -> Result<PooledConnection<O>> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(_) => StoreError::Busy,
        other => StoreError::Unreachable(other.to_string()),
    })
}

/// Opens a connection of the same kind outside the pool, for one user only.
pub(crate) async fn own<O: Connector + Clone>(pool: &Pool<O>) -> Result<PooledConnection<O>> {
    take(&self::pool(pool.manager().opens().clone(), 1, PATIENCE)?).await
}

#[allow(
    clippy::disallowed_methods,
    reason = "another process is waited for, which says nothing"
)]
pub(crate) async fn rest(pause: Duration) {
    tokio::time::sleep(pause).await;
}
