//! What can go wrong in the store. Words for people are found in `server`; the texts here are for whoever runs the system.

use crate::checkpoint::CheckpointError;
use crate::db::AddressFault;
use crate::keyring::{KeyError, OpenError};
use ngomon_rules::client::ClientFault;
use rusqlite::ErrorCode;
use std::path::PathBuf;

/// Why the store did not do it. Nothing is half-applied.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database here.
    #[error("there is no data at {0}")]
    NoData(String),
    /// The file of checkpoints has one that the database does not have: the database is empty, an older copy, or another one.
    #[error("{} has a checkpoint of {size} changes, which the database does not have", path.display())]
    Behind {
        /// The file.
        path: PathBuf,
        /// How many changes its last checkpoint covers.
        size: u64,
    },
    /// A backup was being restored here, and nobody ended it.
    #[error("a restore was not ended")]
    Restoring,
    /// The file of the embedded database is not what SQLite wrote.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A directory without the manifest, which comes last: no backup, or one that was not ended.
    #[error("{} is no whole backup", .0.display())]
    NoBackup(PathBuf),
    /// A file of a backup is not as it was written.
    #[error("{} is not as the backup's manifest says: {why}", path.display())]
    BackupDiffers {
        /// The file.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The address of the database is none.
    #[error(transparent)]
    Address(#[from] AddressFault),
    /// The database did not answer in time: it hangs, or the way to it is cut.
    #[error("the database is silent")]
    Silent,
    /// The connection was lost while the transaction was being committed: it may be done, or not.
    #[error("whether it was committed is not known: {0}")]
    InDoubt(String),
    /// This server of the database takes no changes: a standby, or a session that only reads.
    #[error("this database server only reads")]
    ReadOnly,
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
    /// An operator of that name was removed: nobody else gets it.
    #[error("operator {0} was removed; the name is not given again")]
    OperatorRemoved(String),
    /// No such operator.
    #[error("no operator {0}")]
    UnknownOperator(String),
    /// Two operators stay at least.
    #[error("two operators stay at least")]
    TwoOperators,
    /// Nobody acts on the own account.
    #[error("nobody acts on the own account")]
    OwnAccount,
    /// Nobody would be left who could lift the hold.
    #[error("no other operator is left who could lift it")]
    NoOtherOperator,
    /// Not a client that may be let in.
    #[error(transparent)]
    Client(#[from] ClientFault),
    /// A client of that name is there already.
    #[error("client {0} exists")]
    ClientExists(String),
    /// Somebody else changed it meanwhile.
    #[error("client {0} was changed meanwhile")]
    ClientChanged(String),
    /// Not a name by which a system can know an account, or it is another account's there.
    #[error("{subject:?} cannot be what the client calls {account}")]
    Subject {
        /// Which account.
        account: String,
        /// The name.
        subject: String,
    },
    /// The client knows the account by another name.
    #[error("the client knows {0} already")]
    SubjectKnown(String),
    /// No such key signs tokens or is published.
    #[error("no signing key {0}")]
    UnknownKey(String),
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
    /// One operator does not do that alone.
    #[error("that needs a second operator")]
    NeedsTwo,
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
    /// Others can read the directory, and it holds other things.
    #[error("{} is open to others and holds other things", .0.display())]
    WideDirectory(PathBuf),
    /// Text with a NUL in it, which no database can keep.
    #[error("text with a NUL")]
    Nul,
    /// The place is not empty.
    #[error("{0} is not empty")]
    NotEmpty(String),
    /// Somebody else restores the same, and began later.
    #[error("another restore has begun here")]
    AnotherRestore,
    /// The file of checkpoints and the database agree.
    #[error("there is nothing to accept")]
    NothingToAccept,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|e| e.code().map(|c| c.into_owned()));
        match (&error, code.as_deref()) {
            // PostgreSQL: disk_full; SQLite, which is brought up by sqlx: SQLITE_FULL, SQLITE_BUSY.
            (_, Some("13" | "53100")) => Self::Full,
            // PostgreSQL: lock_not_available, query_canceled (by its limit).
            (_, Some("5" | "55P03" | "57014")) => Self::Busy,
            (_, Some("25006")) => Self::ReadOnly,
            // SQLITE_CORRUPT, SQLITE_NOTADB.
            (_, Some("11" | "26")) => Self::Damaged(error.to_string()),
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
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
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

    /// Said of a commit: may it have come to be all the same? Who was cut off while nothing was asked has not committed.
    pub(crate) fn leaves_doubt(&self) -> bool {
        let code = match self {
            Self::Database(error) => error.as_database_error().and_then(|e| e.code()),
            _ => None,
        };
        matches!(self, Self::Silent) || self.is_lost() && code.as_deref() != Some("25P03")
    }

    /// Is it the connection that failed, not what was asked on it? PostgreSQL closed it, or cannot be reached by it, or lets nobody write
    /// there: then another one may do.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::ReadOnly => true,
            Self::Database(error) => match error.as_database_error().and_then(|e| e.code()) {
                // connection_exception, idle_in_transaction_session_timeout, admin_shutdown, crash_shutdown, cannot_connect_now,
                // database_dropped, idle_session_timeout.
                Some(code) => {
                    code.starts_with("08") || ["25P03", "57P01", "57P02", "57P03", "57P04", "57P05"].contains(&&*code)
                }
                None => matches!(
                    error,
                    sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)
                ),
            },
            _ => false,
        }
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
