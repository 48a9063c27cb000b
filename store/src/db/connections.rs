//! Connections that are kept open, in a pool of `deadpool`. sqlx's own asks each one whether it lives when it is taken and once more when
//! it is given back: two more ways to the database for what is often one question. Here only one is asked that stood idle.

use crate::error::{Result, StoreError};
use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use std::time::Duration;

/// How long somebody waits for a connection, or for another process that writes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
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

impl Opens for PgConnectOptions {
    type Connection = PgConnection;

    async fn open(&self) -> Result<PgConnection> {
        // Seldom done, and large: not within the future of everybody who asks.
        Ok(Box::pin(self.connect()).await?)
    }

    async fn is_alive(connection: &mut PgConnection) -> bool {
        connection.ping().await.is_ok()
    }
}

/// Makes those of a pool.
pub(super) struct Manager<O>(O);

impl<O> Manager<O> {
    pub(super) fn opens(&self) -> &O {
        &self.0
    }
}

/// One that is kept.
pub(super) struct Kept<C> {
    pub connection: C,
    /// Something was left open on it: nobody gets it again.
    pub spoilt: bool,
}

pub(super) type Pool<O> = managed::Pool<Manager<O>>;
pub(super) type Taken<O> = Object<Manager<O>>;

impl<O: Opens> managed::Manager for Manager<O> {
    type Type = Kept<O::Connection>;
    type Error = StoreError;

    async fn create(&self) -> Result<Self::Type> {
        Ok(Kept {
            connection: self.0.open().await?,
            spoilt: false,
        })
    }

    async fn recycle(&self, kept: &mut Self::Type, metrics: &Metrics) -> RecycleResult<StoreError> {
        if kept.spoilt || metrics.age() > LIFE {
            return Err(RecycleError::message("to be made anew"));
        }
        if metrics.last_used() > IDLE && !O::is_alive(&mut kept.connection).await {
            return Err(RecycleError::message("it is gone"));
        }
        Ok(())
    }
}

/// At most so many connections, made when they are needed.
pub(super) fn pool<O: Opens>(opens: O, most: usize) -> Result<Pool<O>> {
    Pool::builder(Manager(opens))
        .max_size(most)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(PATIENCE))
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
    take(&self::pool(pool.manager().opens().clone(), 1)?).await
}
