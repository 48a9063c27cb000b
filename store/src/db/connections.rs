//! Connections that are kept open, in a pool of `deadpool`. sqlx's own asks each one whether it lives when it is taken and once more when
//! it is given back: two more ways to the database for what is often one question. Here only one is asked that stood idle.

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};
use sqlx::{ConnectOptions, Connection as _};
use std::time::Duration;

/// How long somebody waits for a connection, or for another process that writes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// After so long a connection is made anew.
const LIFE: Duration = Duration::from_mins(30);

/// One that stood idle for so long is asked whether it lives.
const IDLE: Duration = Duration::from_secs(1);

/// Makes connections.
pub(super) struct Opens<O>(O);

/// One that is kept.
pub(super) struct Kept<C> {
    pub connection: C,
    /// Something was left open on it: nobody gets it again.
    pub spoilt: bool,
}

pub(super) type Pool<O> = managed::Pool<Opens<O>>;
pub(super) type Taken<O> = Object<Opens<O>>;

impl<O: ConnectOptions> managed::Manager for Opens<O>
where
    O::Connection: Sized + Send,
{
    type Type = Kept<O::Connection>;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Self::Type, sqlx::Error> {
        // Seldom done, and large: not within the future of everybody who asks.
        let connection = Box::pin(self.0.connect()).await?;
        Ok(Kept {
            connection,
            spoilt: false,
        })
    }

    async fn recycle(&self, kept: &mut Self::Type, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if kept.spoilt || metrics.age() > LIFE {
            return Err(RecycleError::message("to be made anew"));
        }
        if metrics.last_used() > IDLE {
            kept.connection.ping().await?;
        }
        Ok(())
    }
}

/// At most so many connections, made when they are needed.
pub(super) fn pool<O: ConnectOptions>(options: O, most: usize) -> Result<Pool<O>, sqlx::Error>
where
    O::Connection: Sized + Send,
{
    Pool::builder(Opens(options))
        .max_size(most)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(PATIENCE))
        .recycle_timeout(Some(PATIENCE))
        .build()
        .map_err(|error| sqlx::Error::Configuration(error.into()))
}

/// One of them.
pub(super) async fn take<O: ConnectOptions>(pool: &Pool<O>) -> Result<Taken<O>, sqlx::Error>
where
    O::Connection: Sized + Send,
{
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(_) => sqlx::Error::PoolTimedOut,
        _ => sqlx::Error::PoolClosed,
    })
}
