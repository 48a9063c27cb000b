//! The error of a command. It has two texts: one for people, in their language, and the cause for the operator.

use crate::i18n::Locale;
use ngomon_feeds::{FileError, FileFormat};
use ngomon_rules::client::ClientFault;
use ngomon_store::checkpoint::CheckpointError;
use ngomon_store::keyring::{KeyError, OpenError};
use ngomon_store::{AddressFault, Refusal, StoreError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why a command failed. Nothing is half-applied.
#[derive(Debug)]
pub enum CommandError {
    /// The store refused or failed.
    Store(StoreError),
    /// The file was refused.
    File(FileError),
    /// A result could not be written.
    Write(PathBuf, std::io::Error),
    /// The key of a message, with its arguments.
    Said(&'static str, Vec<(&'static str, String)>),
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<FileError> for CommandError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// The result of a command.
pub type Result<T> = std::result::Result<T, CommandError>;

/// Maps an error of writing to that path.
pub fn writing(path: &Path) -> impl FnOnce(std::io::Error) -> CommandError {
    let path = path.to_owned();
    move |error| CommandError::Write(path, error)
}

/// Maps an error of listening on that address.
pub fn listening(at: SocketAddr) -> impl FnOnce(std::io::Error) -> CommandError {
    move |error| {
        let address = at.to_string();
        if error.kind() == std::io::ErrorKind::AddrInUse {
            return CommandError::error_text("error-listen-taken", &[("address", &address)]);
        }
        CommandError::error_text("error-listen", &[("address", &address), ("why", &error.to_string())])
    }
}

impl CommandError {
    /// A failure with that message.
    pub fn error_text(key: &'static str, gaps: &[(&'static str, &str)]) -> Self {
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
    fn cause(&self, words: Locale) -> String {
        match self {
            Self::Store(StoreError::Refused(_)) | Self::File(_) | Self::Write(..) | Self::Said(..) => {
                self.for_people(words)
            }
            Self::Store(error) => error.to_string(),
        }
    }

    /// The text of a failure after a change that stays committed.
    pub fn after_change(&self, words: Locale) -> String {
        words.text_with("error-partly", &[("why", &self.cause(words))])
    }

    /// What happened and what to do.
    pub fn for_people(&self, words: Locale) -> String {
        match self {
            Self::Store(error) => store(error, words),
            Self::File(error) => file(error, words),
            Self::Write(path, error) => {
                words.text_with("error-write", &[("path", &shown(path)), ("why", &error.to_string())])
            }
            Self::Said(key, gaps) => {
                let gaps: Vec<(&'static str, &str)> =
                    gaps.iter().map(|(name, value)| (*name, value.as_str())).collect();
                words.text_with(key, &gaps)
            }
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn store(error: &StoreError, words: Locale) -> String {
    match error {
        StoreError::NoData(path) => words.text_with("error-no-data", &[("path", path)]),
        StoreError::Behind { path, size } => {
            let n = words.number(*size);
            words.text_with("error-behind", &[("path", &shown(path)), ("n", &n)])
        }
        StoreError::Restoring => words.text("error-restoring"),
        StoreError::Damaged(why) => words.text_with("error-damaged", &[("why", why)]),
        StoreError::NoBackup(path) => words.text_with("error-no-backup", &[("path", &shown(path))]),
        StoreError::BackupDiffers { path, why } => {
            words.text_with("error-backup-differs", &[("path", &shown(path)), ("why", why)])
        }
        StoreError::Checkpoint(CheckpointError::Io { path, source }) => {
            let why = source.to_string();
            words.text_with("error-checkpoint-file", &[("path", &shown(path)), ("why", &why)])
        }
        StoreError::Unreachable(why) => words.text_with("error-unreachable", &[("why", why)]),
        StoreError::Address(fault) => address(fault, words),
        StoreError::Silent => words.text("error-silent"),
        StoreError::InDoubt(why) => words.text_with("error-in-doubt", &[("why", why)]),
        StoreError::ReadOnly => words.text("error-read-only"),
        StoreError::Newer => words.text("error-newer"),
        StoreError::WrongKeys => words.text("error-wrong-keys"),
        StoreError::Busy => words.text("error-busy"),
        StoreError::Full => words.text("error-full"),
        StoreError::Keys(KeyError::Missing { path }) => words.text_with("error-no-keys", &[("path", &shown(path))]),
        StoreError::Keys(KeyError::Behind { .. }) | StoreError::Sealed(OpenError::UnknownKey(_)) => {
            words.text("error-keys-behind")
        }
        StoreError::Keys(KeyError::WrongPassphrase) => words.text("error-passphrase"),
        StoreError::Keys(KeyError::NewerFormat { .. }) => words.text("error-newer"),
        StoreError::Keys(error) => words.text_with("error-keys", &[("why", &error.to_string())]),
        StoreError::Refused(refusal) => refused(refusal, words),
        StoreError::Io { path, source } => {
            words.text_with("error-io", &[("path", &shown(path)), ("why", &source.to_string())])
        }
        StoreError::Corrupt { place, why } => words.text_with("error-corrupt", &[("place", place), ("why", why)]),
        StoreError::Sealed(_) | StoreError::Checkpoint(_) => {
            words.text_with("error-corrupt", &[("place", "-"), ("why", &error.to_string())])
        }
        StoreError::Database(_) | StoreError::Embedded(_) | StoreError::NotCommitted(_) => {
            words.text_with("error-database", &[("why", &error.to_string())])
        }
    }
}

fn address(fault: &AddressFault, words: Locale) -> String {
    match fault {
        AddressFault::Scheme => words.text("error-address-scheme"),
        AddressFault::Form => words.text("error-address-form"),
        AddressFault::Option(option) => words.text_with("error-address-option", &[("option", option)]),
        AddressFault::Value(option) => words.text_with("error-address-value", &[("option", option)]),
        AddressFault::Ports { hosts, ports } => {
            let (hosts, ports) = (hosts.to_string(), ports.to_string());
            words.text_with("error-address-ports", &[("hosts", &hosts), ("ports", &ports)])
        }
    }
}

/// The text of a refusal: what happened and what to do.
pub fn refused(refusal: &Refusal, words: Locale) -> String {
    match refusal {
        Refusal::UnknownAccount(id) => words.text_with("error-unknown-account", &[("account", id)]),
        Refusal::UnknownUnit(unit) => words.text_with("error-unknown-unit", &[("unit", unit)]),
        Refusal::UnknownRun(run) => words.text_with("error-unknown-run", &[("run", run)]),
        Refusal::RunState { run, state } => {
            let state = words.text(&format!("run-{state}"));
            words.text_with("error-run-state", &[("run", run), ("state", &state)])
        }
        Refusal::Stale(lines) => words.text_with("error-stale", &[("accounts", &lines.join(", "))]),
        Refusal::BeforeLastRun { last } => words.text_with("error-before-last-run", &[("last", last)]),
        Refusal::UnknownLoad(load) => words.text_with("error-unknown-load", &[("load", load)]),
        Refusal::NoProfileInService(account) => words.text_with("error-no-profile", &[("account", account)]),
        Refusal::UnknownProposal(receipt) => words.text_with("error-unknown-proposal", &[("receipt", receipt)]),
        Refusal::CannotJoin(..) => words.text("error-cannot-join"),
        Refusal::PeopleHere => words.text("error-people-here"),
        Refusal::ImportAtWork => words.text("error-import-at-work"),
        Refusal::NoUnits => words.text("error-no-units"),
        Refusal::Setting { key, value } => words.text_with("error-setting", &[("key", key), ("value", value)]),
        Refusal::DayOrder => words.text("error-day-order"),
        Refusal::OperatorExists(name) => words.text_with("error-operator-exists", &[("name", name)]),
        Refusal::OperatorRemoved(name) => words.text_with("error-operator-removed", &[("name", name)]),
        Refusal::TwoOperators => words.text("error-two-operators"),
        Refusal::NoOtherOperator => words.text("error-no-other-operator"),
        Refusal::UnknownOperator(name) => words.text_with("error-unknown-operator", &[("name", name)]),
        Refusal::OperatorName(name) => words.text_with("error-operator-name", &[("name", name)]),
        Refusal::EnrolmentOver => words.text("error-enrolment-over"),
        Refusal::NeedsSecondFactor => words.text("error-needs-second-factor"),
        Refusal::NewPassword(_) => words.text("sign-in-again"),
        Refusal::NoPasskeysFor(id) => words.text_with("error-no-passkeys", &[("account", id)]),
        Refusal::PasskeyExists => words.text("error-passkey-exists"),
        Refusal::PasskeysEnough(_) => words.text("error-passkeys-enough"),
        Refusal::UnknownForm(receipt) => words.text_with("error-unknown-form", &[("receipt", receipt)]),
        Refusal::NotCitizens(id) => words.text_with("error-not-citizens", &[("account", id)]),
        Refusal::NoClaim(id) => words.text_with("error-no-claim", &[("account", id)]),
        Refusal::HasClaim(id) => words.text_with("error-has-claim", &[("account", id)]),
        Refusal::NotExempt(id) => words.text_with("error-not-exempt", &[("account", id)]),
        Refusal::EndDay => words.text("error-end-day"),
        Refusal::HeldAlready(id) => words.text_with("error-held-already", &[("account", id)]),
        Refusal::NotByOrder(id) => words.text_with("error-not-by-order", &[("account", id)]),
        Refusal::NoTakeOver(receipt) => words.text_with("error-no-take-over", &[("receipt", receipt)]),
        Refusal::NeedsTwo => words.text("error-needs-two"),
        Refusal::OwnAccount => words.text("error-own-account"),
        Refusal::SameOperator => words.text("error-same-operator"),
        Refusal::TakeOverState { receipt, state } => {
            let state = words.text(&format!("take-over-{state}"));
            words.text_with("error-take-over-state", &[("receipt", receipt), ("state", &state)])
        }
        Refusal::Client(fault) => client(fault, words),
        Refusal::ClientExists(name) => words.text_with("error-client-exists", &[("name", name)]),
        Refusal::ClientChanged(name) => words.text_with("error-client-changed", &[("name", name)]),
        Refusal::Subject { account, subject } => {
            words.text_with("error-subject", &[("account", account), ("subject", subject)])
        }
        Refusal::SubjectKnown(account) => words.text_with("error-subject-known", &[("account", account)]),
        Refusal::UnknownKey(kid) => words.text_with("error-unknown-key", &[("kid", kid)]),
        Refusal::ResourceExists(uri) => words.text_with("error-resource-exists", &[("uri", uri)]),
        Refusal::UnknownResource(uri) => words.text_with("error-unknown-resource", &[("uri", uri)]),
        Refusal::MustStandardise(id) => words.text_with("error-must-standardise", &[("account", id)]),
        Refusal::UnknownClient(name) => words.text_with("error-unknown-client", &[("name", name)]),
        Refusal::NotEmpty(path) => words.text_with("error-not-empty", &[("path", path)]),
        Refusal::AnotherRestore => words.text("error-another-restore"),
        Refusal::NothingToAccept => words.text("error-nothing-to-accept"),
        Refusal::WideDirectory(path) => words.text_with("error-wide-directory", &[("path", &shown(path))]),
        Refusal::Nul => words.text("error-nul"),
    }
}

fn client(fault: &ClientFault, words: Locale) -> String {
    match fault {
        ClientFault::Name => words.text("client-fault-name"),
        ClientFault::NoRedirect => words.text("client-fault-no-redirect"),
        ClientFault::Uri(uri) => words.text_with("client-fault-uri", &[("uri", uri)]),
        ClientFault::Twice(uri) => words.text_with("client-fault-twice", &[("uri", uri)]),
        ClientFault::Public => words.text("client-fault-public"),
        ClientFault::Keys => words.text("client-fault-keys"),
        ClientFault::NoSecret => words.text("client-fault-no-secret"),
        ClientFault::Subjects => words.text("client-fault-subjects"),
        ClientFault::NoKind => words.text("client-fault-no-kind"),
    }
}

/// What kind of file it is, and how to convert it to CSV.
fn not_csv(path: &str, format: FileFormat, words: Locale) -> String {
    let say = |key| words.text_with(key, &[("path", path)]);
    match format {
        FileFormat::Spreadsheet => say("file-spreadsheet"),
        FileFormat::WebPage => say("file-web-page"),
        FileFormat::Utf16 => say("file-utf16"),
        FileFormat::SeparatorLine => say("file-separator-line"),
        FileFormat::Separated(separator) => {
            let name = words.text(match separator {
                ';' => "separator-semicolon",
                '\t' => "separator-tab",
                _ => "separator-bar",
            });
            words.text_with("file-separated", &[("path", path), ("separator", &name)])
        }
    }
}

fn file(error: &FileError, words: Locale) -> String {
    let at = |path: &Path, row: &u64| (shown(path), row.to_string());
    match error {
        FileError::NotFound(path) => words.text_with("file-not-found", &[("path", &shown(path))]),
        FileError::IsDirectory(path) => words.text_with("file-is-directory", &[("path", &shown(path))]),
        FileError::ComesOnce(path) => words.text_with("file-comes-once", &[("path", &shown(path))]),
        FileError::Empty(path) => words.text_with("file-empty", &[("path", &shown(path))]),
        FileError::NotCsv { path, format } => not_csv(&shown(path), *format, words),
        FileError::NotUtf8 { path, row } => {
            let (path, row) = at(path, row);
            words.text_with("file-not-utf8", &[("path", &path), ("row", &row)])
        }
        FileError::Columns {
            path,
            table,
            missing,
            unknown,
            twice,
        } => {
            let mut text = words.text_with("file-columns", &[("path", &shown(path)), ("table", table)]);
            for (key, columns) in [
                ("file-missing", missing),
                ("file-unknown", unknown),
                ("file-twice", twice),
            ] {
                if !columns.is_empty() {
                    text += &format!(" {}", words.text_with(key, &[("columns", &columns.join(", "))]));
                }
            }
            text
        }
        FileError::EndsInsideRecord { path, row } => {
            let (path, row) = at(path, row);
            words.text_with("file-cut", &[("path", &path), ("row", &row)])
        }
        FileError::LongRecord { path, row } => {
            let (path, row) = (shown(path), row.to_string());
            words.text_with("file-long-record", &[("path", &path), ("row", &row)])
        }
        FileError::UnitLoop { path, unit } => {
            words.text_with("file-unit-loop", &[("path", &shown(path)), ("unit", unit)])
        }
        FileError::Changed(path) => words.text_with("file-changed", &[("path", &shown(path))]),
        FileError::BadSubmission { path, row, column } => {
            let (path, row) = at(path, row);
            words.text_with(
                "file-bad-submission",
                &[("path", &path), ("row", &row), ("column", column)],
            )
        }
        FileError::Io { path, source } => {
            words.text_with("error-io", &[("path", &shown(path)), ("why", &source.to_string())])
        }
    }
}
