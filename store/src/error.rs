//! The errors of the store. The `server` crate has the texts for users; the texts here are for the system's administrators.

use crate::crypto::checkpoint::CheckpointError;
use crate::crypto::keyring::{KeyError, OpenError};
use ngomon_rules::client::ClientFault;
use rusqlite::ErrorCode;
use std::path::PathBuf;

/// Why an operation of the store failed. Nothing is half-applied.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database here.
    #[error("there is no data at {0}")]
    NoData(String),
    /// The file of checkpoints has one that the database lacks: the database is empty, an older copy, or another one.
    #[error("{} has a checkpoint of {size} changes, which the database does not have", path.display())]
    Behind {
        /// The file.
        path: PathBuf,
        /// How many changes its last checkpoint covers.
        size: u64,
    },
    /// A restore of a backup was started here and did not finish.
    #[error("a restore was not ended")]
    Restoring,
    /// SQLite finds the file of the embedded database damaged.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A directory without the manifest, which is written last: no backup, or an unfinished one.
    #[error("{} is no whole backup", .0.display())]
    NoBackup(PathBuf),
    /// A file of a backup differs from what the manifest states.
    #[error("{} is not as the backup's manifest says: {why}", path.display())]
    BackupDiffers {
        /// The file.
        path: PathBuf,
        /// The difference.
        why: String,
    },
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The address of the database is not valid.
    #[error(transparent)]
    Address(#[from] AddressFault),
    /// The database did not answer in time: it hangs, or the network is interrupted.
    #[error("the database is silent")]
    Silent,
    /// The connection was lost during the commit: the transaction may be committed or not.
    #[error("whether it was committed is not known: {0}")]
    InDoubt(String),
    /// This database server accepts no changes: a standby, or a read-only session.
    #[error("this database server only reads")]
    ReadOnly,
    /// A later version of the program wrote the data.
    #[error("the data were written by a later version of this program")]
    Newer,
    /// The keys are not those of this database.
    #[error("these keys are not those of this database")]
    WrongKeys,
    /// Another process kept the lock for 30 seconds.
    #[error("the database is busy")]
    Busy,
    /// There is no room left on the disk.
    #[error("the disk is full")]
    Full,
    /// PostgreSQL returned an error.
    #[error("{0}")]
    Database(sqlx::Error),
    /// The embedded database returned an error.
    #[error("{0}")]
    Embedded(rusqlite::Error),
    /// The transaction group of this transaction could not be committed.
    #[error("not committed: {0}")]
    NotCommitted(String),
    /// The keys cannot be read or written.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A sealed value cannot be decrypted.
    #[error("a sealed value does not open: {0}")]
    Sealed(#[from] OpenError),
    /// The file of checkpoints could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A stored value cannot be read: somebody changed it by hand, or a program had a fault.
    #[error("what is stored in {place} cannot be read: {why}")]
    Corrupt {
        /// Table and row.
        place: String,
        /// The fault; never quotes a value.
        why: String,
    },
    /// The operating system reported an error.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The request is not possible in the current state.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Why a request is not possible in the current state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The account has no HR profile in service that could be reviewed or changed.
    #[error("{0} has no HR profile in service")]
    NoProfileInService(String),
    /// No such proposal is pending.
    #[error("no proposal {0} waits")]
    UnknownProposal(String),
    /// The first account is no duplicate of the second one's claim, or one of them is held by order.
    #[error("{0} cannot be joined to {1}")]
    CannotJoin(String, String),
    /// A sandbox can only be set up while there are no accounts.
    #[error("there are accounts here already")]
    PeopleHere,
    /// There is no such account.
    #[error("no account {0}")]
    UnknownAccount(String),
    /// There is no such unit.
    #[error("no unit {0}")]
    UnknownUnit(String),
    /// There is no such run.
    #[error("no run {0}")]
    UnknownRun(String),
    /// The run is not in the required state.
    #[error("run {run} is {state}")]
    RunState {
        /// The run.
        run: String,
        /// Its state: `waiting`, `applied`, `undone`.
        state: String,
    },
    /// Some lines of the plan would come out differently now.
    #[error("the plan is stale: {0:?}")]
    Stale(Vec<String>),
    /// A run as of a day before the last applied one can only be simulated.
    #[error("a run as of {last} was applied")]
    BeforeLastRun {
        /// The day of the last applied run.
        last: String,
    },
    /// No such load waits for approval, or it was for another file.
    #[error("load {0} does not wait for approval with this file")]
    UnknownLoad(String),
    /// Another process is importing a file.
    #[error("another import is at work")]
    ImportAtWork,
    /// No units are loaded; they come first.
    #[error("no units were taken in yet")]
    NoUnits,
    /// There is no such setting, or the value is not allowed.
    #[error("setting {key} cannot be {value}")]
    Setting {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// The days of the campaign would be in the wrong order.
    #[error("the days are in the wrong order")]
    DayOrder,
    /// The name does not fit an operator.
    #[error("{0:?} is no name for an operator")]
    OperatorName(String),
    /// The enrolment link was used, has expired, or never existed.
    #[error("the enrolment link is not good any more")]
    EnrolmentOver,
    /// An operator signs in only with a second factor.
    #[error("an operator needs a second factor")]
    NeedsSecondFactor,
    /// The owner set another password between the check of the password and the start of the session.
    #[error("{0} has a new password")]
    NewPassword(String),
    /// Passkeys are for officials and operators.
    #[error("{0} is of no kind that has passkeys")]
    NoPasskeysFor(String),
    /// The device is already registered.
    #[error("the passkey exists")]
    PasskeyExists,
    /// The login has the maximum number of passkeys.
    #[error("{0} has passkeys enough")]
    PasskeysEnough(String),
    /// The operator already exists.
    #[error("operator {0} exists")]
    OperatorExists(String),
    /// An operator of that name was removed: the name is never given again.
    #[error("operator {0} was removed; the name is not given again")]
    OperatorRemoved(String),
    /// There is no such operator.
    #[error("no operator {0}")]
    UnknownOperator(String),
    /// At least two operators must remain.
    #[error("two operators stay at least")]
    TwoOperators,
    /// No operator acts on their own account.
    #[error("nobody acts on the own account")]
    OwnAccount,
    /// No other operator would be left who could lift the hold.
    #[error("no other operator is left who could lift it")]
    NoOtherOperator,
    /// The client's registration is not valid.
    #[error(transparent)]
    Client(#[from] ClientFault),
    /// A client of that name already exists.
    #[error("client {0} exists")]
    ClientExists(String),
    /// Somebody else changed the client meanwhile.
    #[error("client {0} was changed meanwhile")]
    ClientChanged(String),
    /// The value is no valid subject, or the client uses it for another account.
    #[error("{subject:?} cannot be what the client calls {account}")]
    Subject {
        /// The account.
        account: String,
        /// The subject.
        subject: String,
    },
    /// The client knows the account by another subject.
    #[error("the client knows {0} already")]
    SubjectKnown(String),
    /// No such key signs tokens or is published.
    #[error("no signing key {0}")]
    UnknownKey(String),
    /// Another client has that resource.
    #[error("resource {0} exists")]
    ResourceExists(String),
    /// No enabled client has that resource, or another resource was granted.
    #[error("no resource {0}")]
    UnknownResource(String),
    /// Clients get no token for an account that must be standardised first.
    #[error("{0} is to be standardised first")]
    MustStandardise(String),
    /// There is no such client.
    #[error("no client {0}")]
    UnknownClient(String),
    /// There is no such form.
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
    /// The last day is past, or too far ahead.
    #[error("not a last day")]
    EndDay,
    /// A document holds an account only once.
    #[error("{0} is held by that order already")]
    HeldAlready(String),
    /// The account has no such hold by order; other holds have their own ways out.
    #[error("{0} has no such hold by order")]
    NotByOrder(String),
    /// The form cannot take a claim over: it does not contest a weaker one, or its proof is not papers.
    #[error("form {0} takes over no claim")]
    NoTakeOver(String),
    /// The act needs a second operator.
    #[error("that needs a second operator")]
    NeedsTwo,
    /// A take-over needs two different people.
    #[error("a take-over needs another operator")]
    SameOperator,
    /// The take-over is not in the required state.
    #[error("take-over {receipt} is {state}")]
    TakeOverState {
        /// The receipt of its form.
        receipt: String,
        /// Its state: `waiting`, `approved`, `declined`, `lapsed`.
        state: &'static str,
    },
    /// Other users can read the directory, and it holds other files.
    #[error("{} is open to others and holds other things", .0.display())]
    WideDirectory(PathBuf),
    /// The text contains a NUL, which PostgreSQL cannot store; SQLite refuses it in the same way.
    #[error("text with a NUL")]
    Nul,
    /// The place is not empty.
    #[error("{0} is not empty")]
    NotEmpty(String),
    /// Another restore of the same database started later.
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
            // PostgreSQL: disk_full; SQLite, which sqlx opens for migrations: SQLITE_FULL, SQLITE_BUSY.
            (_, Some("13" | "53100")) => Self::Full,
            // PostgreSQL: lock_not_available, query_canceled (by its timeout).
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
    /// Whether a retry of the same transaction may succeed: after PostgreSQL's serialization failures and deadlocks.
    pub(crate) fn is_passing(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let code = error.as_database_error().and_then(|e| e.code().map(|c| c.into_owned()));
        matches!(code.as_deref(), Some("40001" | "40P01"))
    }

    /// Whether a commit that failed with this error may have succeeded all the same. A session cut off while idle in its transaction
    /// (25P03) has not committed.
    pub(crate) fn leaves_doubt(&self) -> bool {
        let code = match self {
            Self::Database(error) => error.as_database_error().and_then(|e| e.code()),
            _ => None,
        };
        matches!(self, Self::Silent) || self.is_lost() && code.as_deref() != Some("25P03")
    }

    /// Whether the connection failed, not the statement: PostgreSQL closed it, cannot be reached over it, or allows no writes on it.
    /// Another connection may work.
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

    /// A [`StoreError::Corrupt`]: stored text or bytes cannot be read.
    pub fn corrupt(place: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::Corrupt {
            place: place.into(),
            why: why.to_string(),
        }
    }
}

/// The result of the store's methods.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why an address of PostgreSQL is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Neither `postgres://` nor `postgresql://` nor `sqlite:`.
    #[error("not an address of PostgreSQL")]
    Scheme,
    /// It cannot be parsed.
    #[error("not written as an address is")]
    Form,
    /// An unknown option.
    #[error("unknown option {0}")]
    Option(String),
    /// An invalid value of an option. The value itself may be secret.
    #[error("option {0} cannot have that value")]
    Value(String),
    /// Neither one port for all hosts nor one for each.
    #[error("{ports} ports for {hosts} hosts")]
    Ports {
        /// Number of hosts.
        hosts: usize,
        /// Number of ports.
        ports: usize,
    },
}
