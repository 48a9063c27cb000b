//! What every part of the store gets: the keys and the environment, the actor of a change, the places.

use crate::boxed;
use crate::crypto::keyring::{Fingerprinter, Keyring};
use crate::db::{Location, Tx};
use crate::environment::Environment;
use crate::error::Result;
use jiff::Timestamp;
use ngomon_rules::hold::Reason;
use std::path::PathBuf;
use std::sync::Arc;

/// The keys and the environment that every part of the store needs. Cheap to clone.
#[derive(Clone)]
pub struct StoreContext {
    /// The keys of this installation.
    pub keys: Keyring,
    /// Clock and randomness.
    pub environment: Environment,
    /// The texts of the messages to owners about changes of their accounts; `None` if no messages are sent.
    pub news: Option<NewsWords>,
}

impl StoreContext {
    /// The present instant in microseconds UTC.
    pub fn now(&self) -> i64 {
        self.environment.now().as_microsecond()
    }

    /// A new random id.
    pub fn id(&self) -> String {
        self.environment.uuid().to_string()
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

/// What a message reports to owners: events of their account at which they may not have been present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The account was standardised, by the form of this receipt.
    Standardised(Option<String>),
    /// A counter withdrew its claim.
    ClaimWithdrawn,
    /// Another account has its claim now.
    ClaimLost,
    /// A counter issued a code that sets another password.
    PasswordCodeIssued,
    /// A counter recorded another phone for it.
    PhoneChanged,
    /// The request for a review with this receipt was answered.
    ReviewAnswered(String),
    /// The last hold ended.
    OpenAgain,
    /// A hold started.
    Held(Reason),
    /// The form of this receipt, which its owner did not just send, was answered.
    Answered(String),
}

/// The texts for each [`News`], given by the caller that opens the store.
pub type NewsWords = Arc<dyn Fn(&News) -> String + Send + Sync>;

impl News {
    /// The priority: an owner gets only the most important message of one commit.
    pub(crate) fn weight(&self) -> u8 {
        match self {
            Self::Answered(_) | Self::ReviewAnswered(_) => 0,
            Self::OpenAgain => 1,
            Self::Held(_) => 2,
            Self::Standardised(_) => 3,
            Self::ClaimLost => 4,
            Self::ClaimWithdrawn => 5,
            Self::PasswordCodeIssued | Self::PhoneChanged => 6,
        }
    }

    /// Whether it changes which phone counts: then the previous contact point is notified too, so that its owner can object.
    pub(crate) fn moves_the_phone(&self) -> bool {
        matches!(self, Self::Standardised(_) | Self::ClaimWithdrawn | Self::ClaimLost)
    }
}
