//! The error of a command. It has two texts: one for people, in their language, and the cause for the operator.

use crate::output::Words;
use ngomon_feeds::{FileError, FileFormat};
use ngomon_rules::client::ClientFault;
use ngomon_store::checkpoint::CheckpointError;
use ngomon_store::keyring::{KeyError, OpenError};
use ngomon_store::{AddressFault, Refusal, StoreError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why a command failed. Nothing is half-applied.
#[derive(Debug)]
pub enum Failure {
    /// The store refused or failed.
    Store(StoreError),
    /// The file was refused.
    File(FileError),
    /// A result could not be written.
    Write(PathBuf, std::io::Error),
    /// The key of a message, with its arguments.
    Said(&'static str, Vec<(&'static str, String)>),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// The result of a command.
pub type Result<T> = std::result::Result<T, Failure>;

/// Maps an error of writing to that path.
pub fn writing(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = path.to_owned();
    move |error| Failure::Write(path, error)
}

/// Maps an error of listening on that address.
pub fn listening(at: SocketAddr) -> impl FnOnce(std::io::Error) -> Failure {
    move |error| {
        let address = at.to_string();
        if error.kind() == std::io::ErrorKind::AddrInUse {
            return Failure::said("error-listen-taken", &[("address", &address)]);
        }
        Failure::said("error-listen", &[("address", &address), ("why", &error.to_string())])
    }
}

impl Failure {
    /// A failure with that message.
    pub fn said(key: &'static str, gaps: &[(&'static str, &str)]) -> Self {
        Self::Said(
            key,
            gaps.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        )
    }

    /// The exit status: 2 for a wrong command, 1 otherwise.
    pub fn status(&self) -> u8 {
        match self {
            Self::Store(StoreError::Refused(Refusal::Setting { .. })) | Self::Said("error-no-key", _) => 2,
            _ => 1,
        }
    }

    /// The cause, for the operator. It does not claim that nothing was changed.
    fn cause(&self, words: Words) -> String {
        match self {
            Self::Store(StoreError::Refused(_)) | Self::File(_) | Self::Write(..) | Self::Said(..) => {
                self.for_people(words)
            }
            Self::Store(error) => error.to_string(),
        }
    }

    /// The text of a failure after a change that stays committed.
    pub fn after_change(&self, words: Words) -> String {
        words.say_with("error-partly", &[("why", &self.cause(words))])
    }

    /// What happened and what to do.
    pub fn for_people(&self, words: Words) -> String {
        match self {
            Self::Store(error) => store(error, words),
            Self::File(error) => file(error, words),
            Self::Write(path, error) => {
                words.say_with("error-write", &[("path", &shown(path)), ("why", &error.to_string())])
            }
            Self::Said(key, gaps) => {
                let gaps: Vec<(&'static str, &str)> =
                    gaps.iter().map(|(name, value)| (*name, value.as_str())).collect();
                words.say_with(key, &gaps)
            }
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn store(error: &StoreError, words: Words) -> String {
    match error {
        StoreError::NoData(path) => words.say_with("error-no-data", &[("path", path)]),
        StoreError::Behind { path, size } => {
            let n = words.number(*size);
            words.say_with("error-behind", &[("path", &shown(path)), ("n", &n)])
        }
        StoreError::Restoring => words.say("error-restoring"),
        StoreError::Damaged(why) => words.say_with("error-damaged", &[("why", why)]),
        StoreError::NoBackup(path) => words.say_with("error-no-backup", &[("path", &shown(path))]),
        StoreError::BackupDiffers { path, why } => {
            words.say_with("error-backup-differs", &[("path", &shown(path)), ("why", why)])
        }
        StoreError::Checkpoint(CheckpointError::Io { path, source }) => {
            let why = source.to_string();
            words.say_with("error-checkpoint-file", &[("path", &shown(path)), ("why", &why)])
        }
        StoreError::Unreachable(why) => words.say_with("error-unreachable", &[("why", why)]),
        StoreError::Address(fault) => address(fault, words),
        StoreError::Silent => words.say("error-silent"),
        StoreError::InDoubt(why) => words.say_with("error-in-doubt", &[("why", why)]),
        StoreError::ReadOnly => words.say("error-read-only"),
        StoreError::Newer => words.say("error-newer"),
        StoreError::WrongKeys => words.say("error-wrong-keys"),
        StoreError::Busy => words.say("error-busy"),
        StoreError::Full => words.say("error-full"),
        StoreError::Keys(KeyError::Missing { path }) => words.say_with("error-no-keys", &[("path", &shown(path))]),
        StoreError::Keys(KeyError::Behind { .. }) | StoreError::Sealed(OpenError::UnknownKey(_)) => {
            words.say("error-keys-behind")
        }
        StoreError::Keys(KeyError::WrongPassphrase) => words.say("error-passphrase"),
        StoreError::Keys(KeyError::NewerFormat { .. }) => words.say("error-newer"),
        StoreError::Keys(error) => words.say_with("error-keys", &[("why", &error.to_string())]),
        StoreError::Refused(refusal) => refused(refusal, words),
        StoreError::Io { path, source } => {
            words.say_with("error-io", &[("path", &shown(path)), ("why", &source.to_string())])
        }
        StoreError::Corrupt { place, why } => words.say_with("error-corrupt", &[("place", place), ("why", why)]),
        StoreError::Sealed(_) | StoreError::Checkpoint(_) => {
            words.say_with("error-corrupt", &[("place", "-"), ("why", &error.to_string())])
        }
        StoreError::Database(_) | StoreError::Embedded(_) | StoreError::NotCommitted(_) => {
            words.say_with("error-database", &[("why", &error.to_string())])
        }
    }
}

fn address(fault: &AddressFault, words: Words) -> String {
    match fault {
        AddressFault::Scheme => words.say("error-address-scheme"),
        AddressFault::Form => words.say("error-address-form"),
        AddressFault::Option(option) => words.say_with("error-address-option", &[("option", option)]),
        AddressFault::Value(option) => words.say_with("error-address-value", &[("option", option)]),
        AddressFault::Ports { hosts, ports } => {
            let (hosts, ports) = (hosts.to_string(), ports.to_string());
            words.say_with("error-address-ports", &[("hosts", &hosts), ("ports", &ports)])
        }
    }
}

/// The text of a refusal: what happened and what to do.
pub fn refused(refusal: &Refusal, words: Words) -> String {
    match refusal {
        Refusal::UnknownAccount(id) => words.say_with("error-unknown-account", &[("account", id)]),
        Refusal::UnknownUnit(unit) => words.say_with("error-unknown-unit", &[("unit", unit)]),
        Refusal::UnknownRun(run) => words.say_with("error-unknown-run", &[("run", run)]),
        Refusal::RunState { run, state } => {
            let state = words.say(&format!("run-{state}"));
            words.say_with("error-run-state", &[("run", run), ("state", &state)])
        }
        Refusal::Stale(lines) => words.say_with("error-stale", &[("accounts", &lines.join(", "))]),
        Refusal::BeforeLastRun { last } => words.say_with("error-before-last-run", &[("last", last)]),
        Refusal::UnknownLoad(load) => words.say_with("error-unknown-load", &[("load", load)]),
        Refusal::NoProfileInService(account) => words.say_with("error-no-profile", &[("account", account)]),
        Refusal::UnknownProposal(receipt) => words.say_with("error-unknown-proposal", &[("receipt", receipt)]),
        Refusal::CannotJoin(..) => words.say("error-cannot-join"),
        Refusal::PeopleHere => words.say("error-people-here"),
        Refusal::ImportAtWork => words.say("error-import-at-work"),
        Refusal::NoUnits => words.say("error-no-units"),
        Refusal::Setting { key, value } => words.say_with("error-setting", &[("key", key), ("value", value)]),
        Refusal::DayOrder => words.say("error-day-order"),
        Refusal::OperatorExists(name) => words.say_with("error-operator-exists", &[("name", name)]),
        Refusal::OperatorRemoved(name) => words.say_with("error-operator-removed", &[("name", name)]),
        Refusal::TwoOperators => words.say("error-two-operators"),
        Refusal::NoOtherOperator => words.say("error-no-other-operator"),
        Refusal::UnknownOperator(name) => words.say_with("error-unknown-operator", &[("name", name)]),
        Refusal::OperatorName(name) => words.say_with("error-operator-name", &[("name", name)]),
        Refusal::EnrolmentOver => words.say("error-enrolment-over"),
        Refusal::NeedsSecondFactor => words.say("error-needs-second-factor"),
        Refusal::NewPassword(_) => words.say("sign-in-again"),
        Refusal::NoPasskeysFor(id) => words.say_with("error-no-passkeys", &[("account", id)]),
        Refusal::PasskeyExists => words.say("error-passkey-exists"),
        Refusal::PasskeysEnough(_) => words.say("error-passkeys-enough"),
        Refusal::UnknownForm(receipt) => words.say_with("error-unknown-form", &[("receipt", receipt)]),
        Refusal::NotCitizens(id) => words.say_with("error-not-citizens", &[("account", id)]),
        Refusal::NoClaim(id) => words.say_with("error-no-claim", &[("account", id)]),
        Refusal::HasClaim(id) => words.say_with("error-has-claim", &[("account", id)]),
        Refusal::NotExempt(id) => words.say_with("error-not-exempt", &[("account", id)]),
        Refusal::EndDay => words.say("error-end-day"),
        Refusal::HeldAlready(id) => words.say_with("error-held-already", &[("account", id)]),
        Refusal::NotByOrder(id) => words.say_with("error-not-by-order", &[("account", id)]),
        Refusal::NoTakeOver(receipt) => words.say_with("error-no-take-over", &[("receipt", receipt)]),
        Refusal::NeedsTwo => words.say("error-needs-two"),
        Refusal::OwnAccount => words.say("error-own-account"),
        Refusal::SameOperator => words.say("error-same-operator"),
        Refusal::TakeOverState { receipt, state } => {
            let state = words.say(&format!("take-over-{state}"));
            words.say_with("error-take-over-state", &[("receipt", receipt), ("state", &state)])
        }
        Refusal::Client(fault) => client(fault, words),
        Refusal::ClientExists(name) => words.say_with("error-client-exists", &[("name", name)]),
        Refusal::ClientChanged(name) => words.say_with("error-client-changed", &[("name", name)]),
        Refusal::Subject { account, subject } => {
            words.say_with("error-subject", &[("account", account), ("subject", subject)])
        }
        Refusal::SubjectKnown(account) => words.say_with("error-subject-known", &[("account", account)]),
        Refusal::UnknownKey(kid) => words.say_with("error-unknown-key", &[("kid", kid)]),
        Refusal::ResourceExists(uri) => words.say_with("error-resource-exists", &[("uri", uri)]),
        Refusal::UnknownResource(uri) => words.say_with("error-unknown-resource", &[("uri", uri)]),
        Refusal::MustStandardise(id) => words.say_with("error-must-standardise", &[("account", id)]),
        Refusal::UnknownClient(name) => words.say_with("error-unknown-client", &[("name", name)]),
        Refusal::NotEmpty(path) => words.say_with("error-not-empty", &[("path", path)]),
        Refusal::AnotherRestore => words.say("error-another-restore"),
        Refusal::NothingToAccept => words.say("error-nothing-to-accept"),
        Refusal::WideDirectory(path) => words.say_with("error-wide-directory", &[("path", &shown(path))]),
        Refusal::Nul => words.say("error-nul"),
    }
}

fn client(fault: &ClientFault, words: Words) -> String {
    match fault {
        ClientFault::Name => words.say("client-fault-name"),
        ClientFault::NoRedirect => words.say("client-fault-no-redirect"),
        ClientFault::Uri(uri) => words.say_with("client-fault-uri", &[("uri", uri)]),
        ClientFault::Twice(uri) => words.say_with("client-fault-twice", &[("uri", uri)]),
        ClientFault::Public => words.say("client-fault-public"),
        ClientFault::Keys => words.say("client-fault-keys"),
        ClientFault::NoSecret => words.say("client-fault-no-secret"),
        ClientFault::Subjects => words.say("client-fault-subjects"),
        ClientFault::NoKind => words.say("client-fault-no-kind"),
    }
}

/// What kind of file it is, and how to convert it to CSV.
fn not_csv(path: &str, format: FileFormat, words: Words) -> String {
    let say = |key| words.say_with(key, &[("path", path)]);
    match format {
        FileFormat::Spreadsheet => say("file-spreadsheet"),
        FileFormat::WebPage => say("file-web-page"),
        FileFormat::Utf16 => say("file-utf16"),
        FileFormat::SeparatorLine => say("file-separator-line"),
        FileFormat::Separated(separator) => {
            let name = words.say(match separator {
                ';' => "separator-semicolon",
                '\t' => "separator-tab",
                _ => "separator-bar",
            });
            words.say_with("file-separated", &[("path", path), ("separator", &name)])
        }
    }
}

fn file(error: &FileError, words: Words) -> String {
    let at = |path: &Path, row: &u64| (shown(path), row.to_string());
    match error {
        FileError::NotFound(path) => words.say_with("file-not-found", &[("path", &shown(path))]),
        FileError::IsDirectory(path) => words.say_with("file-is-directory", &[("path", &shown(path))]),
        FileError::ComesOnce(path) => words.say_with("file-comes-once", &[("path", &shown(path))]),
        FileError::Empty(path) => words.say_with("file-empty", &[("path", &shown(path))]),
        FileError::NotCsv { path, format } => not_csv(&shown(path), *format, words),
        FileError::NotUtf8 { path, row } => {
            let (path, row) = at(path, row);
            words.say_with("file-not-utf8", &[("path", &path), ("row", &row)])
        }
        FileError::Columns {
            path,
            table,
            missing,
            unknown,
            twice,
        } => {
            let mut text = words.say_with("file-columns", &[("path", &shown(path)), ("table", table)]);
            for (key, columns) in [
                ("file-missing", missing),
                ("file-unknown", unknown),
                ("file-twice", twice),
            ] {
                if !columns.is_empty() {
                    text += &format!(" {}", words.say_with(key, &[("columns", &columns.join(", "))]));
                }
            }
            text
        }
        FileError::EndsInsideRecord { path, row } => {
            let (path, row) = at(path, row);
            words.say_with("file-cut", &[("path", &path), ("row", &row)])
        }
        FileError::LongRecord { path, row } => {
            let (path, row) = (shown(path), row.to_string());
            words.say_with("file-long-record", &[("path", &path), ("row", &row)])
        }
        FileError::UnitLoop { path, unit } => {
            words.say_with("file-unit-loop", &[("path", &shown(path)), ("unit", unit)])
        }
        FileError::Changed(path) => words.say_with("file-changed", &[("path", &shown(path))]),
        FileError::BadSubmission { path, row, column } => {
            let (path, row) = at(path, row);
            words.say_with(
                "file-bad-submission",
                &[("path", &path), ("row", &row), ("column", column)],
            )
        }
        FileError::Io { path, source } => {
            words.say_with("error-io", &[("path", &shown(path)), ("why", &source.to_string())])
        }
    }
}
