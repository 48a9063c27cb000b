//! What can go wrong in the store. Words for people are found in `server`; the texts here are for whoever runs the system.

use crate::checkpoint::CheckpointError;
use crate::keyring::{KeyError, OpenError};
use ngomon_rules::client::ClientFault;
use rusqlite::ErrorCode;
use std::path::PathBuf;

/// Why the store did not do it. Nothing is half-applied.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database here.
    #[error("there is no data at {}", .0.display())]
    NoData(PathBuf),
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// A later version of the program wrote the data.
    #[error("the data were written by a later version of this program")]
    Newer,
    /// The keys are not those of this database.
    #[error("these keys are not those of this database")]
    WrongKeys,
    /// Somebody else wrote for 30 seconds.
    #[error("the database is busy")]
    Busy,
    /// No room left on the disk.
    #[error("the disk is full")]
    Full,
    /// PostgreSQL said no.
    #[error("{0}")]
    Database(sqlx::Error),
    /// The embedded database said no.
    #[error("{0}")]
    Embedded(rusqlite::Error),
    /// The group of transactions that this one was in could not be committed.
    #[error("not committed: {0}")]
    NotCommitted(String),
    /// The keys cannot be read or written.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A sealed value does not open.
    #[error("a sealed value does not open: {0}")]
    Sealed(#[from] OpenError),
    /// The file of checkpoints.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// What is stored cannot be read: it was changed by hand, or a program had a fault.
    #[error("what is stored in {place} cannot be read: {why}")]
    Corrupt {
        /// Table and row.
        place: String,
        /// What is wrong; never quotes a value.
        why: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// What was asked for cannot be done as things stand.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// What was asked for cannot be done as things stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The account has no HR profile in service that could be looked over or changed.
    #[error("{0} has no HR profile in service")]
    NoProfileInService(String),
    /// No such proposal waits.
    #[error("no proposal {0} waits")]
    UnknownProposal(String),
    /// The one account is no duplicate of the other's claim, or one of them is held by order.
    #[error("{0} cannot be joined to {1}")]
    CannotJoin(String, String),
    /// A sandbox begins before any account is there.
    #[error("there are accounts here already")]
    PeopleHere,
    /// No such account.
    #[error("no account {0}")]
    UnknownAccount(String),
    /// No such unit.
    #[error("no unit {0}")]
    UnknownUnit(String),
    /// No such run.
    #[error("no run {0}")]
    UnknownRun(String),
    /// The run is not in the state that this needs.
    #[error("run {run} is {state}")]
    RunState {
        /// Which.
        run: String,
        /// What it is: `waiting`, `applied`, `undone`.
        state: String,
    },
    /// Some lines would come out otherwise now.
    #[error("the plan is stale: {0:?}")]
    Stale(Vec<String>),
    /// A run as of a day before the last applied one can only be simulated.
    #[error("a run as of {last} was applied")]
    BeforeLastRun {
        /// The day of the last applied run.
        last: String,
    },
    /// No such load waits for approval, or it was of another file.
    #[error("load {0} does not wait for approval with this file")]
    UnknownLoad(String),
    /// Another process takes a file in.
    #[error("another import is at work")]
    ImportAtWork,
    /// Units come first.
    #[error("no units were taken in yet")]
    NoUnits,
    /// No such setting, or not a value of it.
    #[error("setting {key} cannot be {value}")]
    Setting {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// The days of the campaign would stand in the wrong order.
    #[error("the days are in the wrong order")]
    DayOrder,
    /// Not a name for an operator.
    #[error("{0:?} is no name for an operator")]
    OperatorName(String),
    /// The enrolment link was used, is too old, or never was.
    #[error("the enrolment link is not good any more")]
    EnrolmentOver,
    /// An operator's account opens by its second factor only.
    #[error("an operator needs a second factor")]
    NeedsSecondFactor,
    /// Its owner set another password after who is signing in was proven.
    #[error("{0} has a new password")]
    NewPassword(String),
    /// Passkeys are for officials and operators.
    #[error("{0} is of no kind that has passkeys")]
    NoPasskeysFor(String),
    /// That device is known already.
    #[error("the passkey exists")]
    PasskeyExists,
    /// More passkeys than anybody needs.
    #[error("{0} has passkeys enough")]
    PasskeysEnough(String),
    /// That operator is there already.
    #[error("operator {0} exists")]
    OperatorExists(String),
    /// No such operator.
    #[error("no operator {0}")]
    UnknownOperator(String),
    /// Not a client that may be let in.
    #[error(transparent)]
    Client(#[from] ClientFault),
    /// A client of that name is there already.
    #[error("client {0} exists")]
    ClientExists(String),
    /// Another client bears that resource.
    #[error("resource {0} exists")]
    ResourceExists(String),
    /// No client that is let in bears that resource, or it is another than was granted.
    #[error("no resource {0}")]
    UnknownResource(String),
    /// Connected systems get no token for an account that is to be standardised first.
    #[error("{0} is to be standardised first")]
    MustStandardise(String),
    /// No such client.
    #[error("no client {0}")]
    UnknownClient(String),
    /// No such form.
    #[error("no form {0}")]
    UnknownForm(String),
    /// Only citizens' accounts are standardised, or exempt from it.
    #[error("{0} is no citizen's account")]
    NotCitizens(String),
    /// The account has no claim.
    #[error("{0} has no claim")]
    NoClaim(String),
    /// The account has a claim.
    #[error("{0} has a claim")]
    HasClaim(String),
    /// The account is not exempt.
    #[error("{0} is not exempt")]
    NotExempt(String),
    /// The last day has passed, or is too far away.
    #[error("not a last day")]
    EndDay,
    /// One document holds an account once.
    #[error("{0} is held by that order already")]
    HeldAlready(String),
    /// The account has no such hold by order; other holds go their own ways.
    #[error("{0} has no such hold by order")]
    NotByOrder(String),
    /// The form takes over no claim: it shows no weaker one, or not by papers.
    #[error("form {0} takes over no claim")]
    NoTakeOver(String),
    /// A take-over needs two people.
    #[error("a take-over needs another operator")]
    SameOperator,
    /// The take-over is not in the state that this needs.
    #[error("take-over {receipt} is {state}")]
    TakeOverState {
        /// Of its form.
        receipt: String,
        /// What it is: `waiting`, `approved`, `declined`, `lapsed`.
        state: &'static str,
    },
    /// The place is not empty.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|e| e.code().map(|c| c.into_owned()));
        match (&error, code.as_deref()) {
            // PostgreSQL: disk_full; SQLite, which is brought up by sqlx: SQLITE_FULL, SQLITE_BUSY.
            (_, Some("13" | "53100")) => Self::Full,
            (_, Some("5")) => Self::Busy,
            (sqlx::Error::Io(io), _) if io.kind() == std::io::ErrorKind::StorageFull => Self::Full,
            _ => Self::Database(error),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy) => Self::Busy,
            _ => Self::Embedded(error),
        }
    }
}

impl StoreError {
    /// Is it worth trying the same transaction again? PostgreSQL's serialization failures and deadlocks.
    pub(crate) fn is_passing(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let code = error.as_database_error().and_then(|e| e.code().map(|c| c.into_owned()));
        matches!(code.as_deref(), Some("40001" | "40P01"))
    }

    /// Stored text or bytes that cannot be read back.
    pub fn corrupt(place: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::Corrupt {
            place: place.into(),
            why: why.to_string(),
        }
    }
}

/// What the store's methods give.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
