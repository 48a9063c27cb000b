//! What every part of the store gets: the keys and the environment, the actor of a change, the places.

use crate::boxed;
use crate::crypto::keyring::{Fingerprinter, Keyring};
use crate::db::{Location, Tx};
use crate::environment::Environment;
use crate::error::Result;
use crate::notifications::news::NewsWords;
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;

/// The keys and the environment that every part of the store needs. Cheap to clone.
#[derive(Clone)]
pub struct StoreContext {
    /// The keys of this installation.
    pub keys: Keyring,
    /// Clock and randomness.
    pub ambient: Environment,
    /// The texts of the messages to owners about changes of their accounts; `None` if no messages are sent.
    pub news: Option<NewsWords>,
}

impl StoreContext {
    /// The present instant in microseconds UTC.
    pub fn now(&self) -> i64 {
        self.ambient.now().as_microsecond()
    }

    /// A new random id.
    pub fn id(&self) -> String {
        self.ambient.uuid().to_string()
    }

    /// The keyed hash for fingerprints in this transaction, under the key that its tables use.
    #[boxed]
    pub async fn marker(&self, tx: &mut Tx) -> Result<Arc<Fingerprinter>> {
        Ok(self.keys.marker(tx.fingerprint_key().await?)?)
    }
}

/// The actor of a change, and the time from which it counts.
#[derive(Clone, Debug)]
pub struct Attribution {
    /// The actor: an operator, or the system.
    pub by: String,
    /// From when it counts: microseconds UTC.
    pub effective: i64,
    /// The run that it belongs to.
    pub run: Option<String>,
}

impl Attribution {
    /// An act of this actor that counts from this instant.
    pub fn new(by: &str, effective: Timestamp) -> Self {
        Self {
            by: by.to_owned(),
            effective: effective.as_microsecond(),
            run: None,
        }
    }
}

/// The locations of the store's parts.
#[derive(Clone, Debug)]
pub struct StorePaths {
    /// The database.
    pub data: Location,
    /// The keys, outside the database.
    pub keys: PathBuf,
}
