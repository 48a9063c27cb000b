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
    pub fn error_text(key: &'static str, args: &[(&'static str, &str)]) -> Self {
        Self::Said(
            key,
            args.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
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
    fn cause(&self, locale: Locale) -> String {
        match self {
            Self::Store(StoreError::Refused(_)) | Self::File(_) | Self::Write(..) | Self::Said(..) => {
                self.for_people(locale)
            }
            Self::Store(error) => error.to_string(),
        }
    }

    /// The text of a failure after a change that stays committed.
    pub fn after_change(&self, locale: Locale) -> String {
        locale.text_with("error-partly", &[("why", &self.cause(locale))])
    }

    /// What happened and what to do.
    pub fn for_people(&self, locale: Locale) -> String {
        match self {
            Self::Store(error) => store(error, locale),
            Self::File(error) => file(error, locale),
            Self::Write(path, error) => {
                locale.text_with("error-write", &[("path", &shown(path)), ("why", &error.to_string())])
            }
            Self::Said(key, args) => {
                let args: Vec<(&'static str, &str)> =
                    args.iter().map(|(name, value)| (*name, value.as_str())).collect();
                locale.text_with(key, &args)
            }
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn store(error: &StoreError, locale: Locale) -> String {
    match error {
        StoreError::NoData(path) => locale.text_with("error-no-data", &[("path", path)]),
        StoreError::Behind { path, size } => {
            let n = locale.number(*size);
            locale.text_with("error-behind", &[("path", &shown(path)), ("n", &n)])
        }
        StoreError::Restoring => locale.text("error-restoring"),
        StoreError::Damaged(why) => locale.text_with("error-damaged", &[("why", why)]),
        StoreError::NoBackup(path) => locale.text_with("error-no-backup", &[("path", &shown(path))]),
        StoreError::BackupDiffers { path, why } => {
            locale.text_with("error-backup-differs", &[("path", &shown(path)), ("why", why)])
        }
        StoreError::Checkpoint(CheckpointError::Io { path, source }) => {
            let why = source.to_string();
            locale.text_with("error-checkpoint-file", &[("path", &shown(path)), ("why", &why)])
        }
        StoreError::Unreachable(why) => locale.text_with("error-unreachable", &[("why", why)]),
        StoreError::Address(fault) => address(fault, locale),
        StoreError::Silent => locale.text("error-silent"),
        StoreError::InDoubt(why) => locale.text_with("error-in-doubt", &[("why", why)]),
        StoreError::ReadOnly => locale.text("error-read-only"),
        StoreError::Newer => locale.text("error-newer"),
        StoreError::WrongKeys => locale.text("error-wrong-keys"),
        StoreError::Busy => locale.text("error-busy"),
        StoreError::Full => locale.text("error-full"),
        StoreError::Keys(KeyError::Missing { path }) => locale.text_with("error-no-keys", &[("path", &shown(path))]),
        StoreError::Keys(KeyError::Behind { .. }) | StoreError::Sealed(OpenError::UnknownKey(_)) => {
            locale.text("error-keys-behind")
        }
        StoreError::Keys(KeyError::WrongPassphrase) => locale.text("error-passphrase"),
        StoreError::Keys(KeyError::NewerFormat { .. }) => locale.text("error-newer"),
        StoreError::Keys(error) => locale.text_with("error-keys", &[("why", &error.to_string())]),
        StoreError::Refused(refusal) => refused(refusal, locale),
        StoreError::Io { path, source } => {
            locale.text_with("error-io", &[("path", &shown(path)), ("why", &source.to_string())])
        }
        StoreError::Corrupt { place, why } => locale.text_with("error-corrupt", &[("place", place), ("why", why)]),
        StoreError::Sealed(_) | StoreError::Checkpoint(_) => {
            locale.text_with("error-corrupt", &[("place", "-"), ("why", &error.to_string())])
        }
        StoreError::Database(_) | StoreError::Embedded(_) | StoreError::NotCommitted(_) => {
            locale.text_with("error-database", &[("why", &error.to_string())])
        }
    }
}

fn address(fault: &AddressFault, locale: Locale) -> String {
    match fault {
        AddressFault::Scheme => locale.text("error-address-scheme"),
        AddressFault::Form => locale.text("error-address-form"),
        AddressFault::Option(option) => locale.text_with("error-address-option", &[("option", option)]),
        AddressFault::Value(option) => locale.text_with("error-address-value", &[("option", option)]),
        AddressFault::Ports { hosts, ports } => {
            let (hosts, ports) = (hosts.to_string(), ports.to_string());
            locale.text_with("error-address-ports", &[("hosts", &hosts), ("ports", &ports)])
        }
    }
}

/// The text of a refusal: what happened and what to do.
pub fn refused(refusal: &Refusal, locale: Locale) -> String {
    match refusal {
        Refusal::UnknownAccount(id) => locale.text_with("error-unknown-account", &[("account", id)]),
        Refusal::UnknownUnit(unit) => locale.text_with("error-unknown-unit", &[("unit", unit)]),
        Refusal::UnknownRun(run) => locale.text_with("error-unknown-run", &[("run", run)]),
        Refusal::RunState { run, state } => {
            let state = locale.text(&format!("run-{state}"));
            locale.text_with("error-run-state", &[("run", run), ("state", &state)])
        }
        Refusal::Stale(lines) => locale.text_with("error-stale", &[("accounts", &lines.join(", "))]),
        Refusal::BeforeLastRun { last } => locale.text_with("error-before-last-run", &[("last", last)]),
        Refusal::UnknownLoad(load) => locale.text_with("error-unknown-load", &[("load", load)]),
        Refusal::NoProfileInService(account) => locale.text_with("error-no-profile", &[("account", account)]),
        Refusal::UnknownProposal(receipt) => locale.text_with("error-unknown-proposal", &[("receipt", receipt)]),
        Refusal::CannotJoin(..) => locale.text("error-cannot-join"),
        Refusal::PeopleHere => locale.text("error-people-here"),
        Refusal::ImportAtWork => locale.text("error-import-at-work"),
        Refusal::NoUnits => locale.text("error-no-units"),
        Refusal::Setting { key, value } => locale.text_with("error-setting", &[("key", key), ("value", value)]),
        Refusal::DayOrder => locale.text("error-day-order"),
        Refusal::OperatorExists(name) => locale.text_with("error-operator-exists", &[("name", name)]),
        Refusal::OperatorRemoved(name) => locale.text_with("error-operator-removed", &[("name", name)]),
        Refusal::TwoOperators => locale.text("error-two-operators"),
        Refusal::NoOtherOperator => locale.text("error-no-other-operator"),
        Refusal::UnknownOperator(name) => locale.text_with("error-unknown-operator", &[("name", name)]),
        Refusal::OperatorName(name) => locale.text_with("error-operator-name", &[("name", name)]),
        Refusal::EnrolmentOver => locale.text("error-enrolment-over"),
        Refusal::NeedsSecondFactor => locale.text("error-needs-second-factor"),
        Refusal::NewPassword(_) => locale.text("sign-in-again"),
        Refusal::NoPasskeysFor(id) => locale.text_with("error-no-passkeys", &[("account", id)]),
        Refusal::PasskeyExists => locale.text("error-passkey-exists"),
        Refusal::PasskeysEnough(_) => locale.text("error-passkeys-enough"),
        Refusal::UnknownForm(receipt) => locale.text_with("error-unknown-form", &[("receipt", receipt)]),
        Refusal::NotCitizens(id) => locale.text_with("error-not-citizens", &[("account", id)]),
        Refusal::NoClaim(id) => locale.text_with("error-no-claim", &[("account", id)]),
        Refusal::HasClaim(id) => locale.text_with("error-has-claim", &[("account", id)]),
        Refusal::NotExempt(id) => locale.text_with("error-not-exempt", &[("account", id)]),
        Refusal::EndDay => locale.text("error-end-day"),
        Refusal::HeldAlready(id) => locale.text_with("error-held-already", &[("account", id)]),
        Refusal::NotByOrder(id) => locale.text_with("error-not-by-order", &[("account", id)]),
        Refusal::NoTakeOver(receipt) => locale.text_with("error-no-take-over", &[("receipt", receipt)]),
        Refusal::NeedsTwo => locale.text("error-needs-two"),
        Refusal::OwnAccount => locale.text("error-own-account"),
        Refusal::SameOperator => locale.text("error-same-operator"),
        Refusal::TakeOverState { receipt, state } => {
            let state = locale.text(&format!("take-over-{state}"));
            locale.text_with("error-take-over-state", &[("receipt", receipt), ("state", &state)])
        }
        Refusal::Client(fault) => client(fault, locale),
        Refusal::ClientExists(name) => locale.text_with("error-client-exists", &[("name", name)]),
        Refusal::ClientChanged(name) => locale.text_with("error-client-changed", &[("name", name)]),
        Refusal::Subject { account, subject } => {
            locale.text_with("error-subject", &[("account", account), ("subject", subject)])
        }
        Refusal::SubjectKnown(account) => locale.text_with("error-subject-known", &[("account", account)]),
        Refusal::UnknownKey(kid) => locale.text_with("error-unknown-key", &[("kid", kid)]),
        Refusal::ResourceExists(uri) => locale.text_with("error-resource-exists", &[("uri", uri)]),
        Refusal::UnknownResource(uri) => locale.text_with("error-unknown-resource", &[("uri", uri)]),
        Refusal::MustStandardise(id) => locale.text_with("error-must-standardise", &[("account", id)]),
        Refusal::UnknownClient(name) => locale.text_with("error-unknown-client", &[("name", name)]),
        Refusal::NotEmpty(path) => locale.text_with("error-not-empty", &[("path", path)]),
        Refusal::AnotherRestore => locale.text("error-another-restore"),
        Refusal::NothingToAccept => locale.text("error-nothing-to-accept"),
        Refusal::WideDirectory(path) => locale.text_with("error-wide-directory", &[("path", &shown(path))]),
        Refusal::Nul => locale.text("error-nul"),
    }
}

fn client(fault: &ClientFault, locale: Locale) -> String {
    match fault {
        ClientFault::Name => locale.text("client-fault-name"),
        ClientFault::NoRedirect => locale.text("client-fault-no-redirect"),
        ClientFault::Uri(uri) => locale.text_with("client-fault-uri", &[("uri", uri)]),
        ClientFault::Twice(uri) => locale.text_with("client-fault-twice", &[("uri", uri)]),
        ClientFault::Public => locale.text("client-fault-public"),
        ClientFault::Keys => locale.text("client-fault-keys"),
        ClientFault::NoSecret => locale.text("client-fault-no-secret"),
        ClientFault::Subjects => locale.text("client-fault-subjects"),
        ClientFault::NoKind => locale.text("client-fault-no-kind"),
    }
}

/// What kind of file it is, and how to convert it to CSV.
fn not_csv(path: &str, format: FileFormat, locale: Locale) -> String {
    let say = |key| locale.text_with(key, &[("path", path)]);
    match format {
        FileFormat::Spreadsheet => say("file-spreadsheet"),
        FileFormat::WebPage => say("file-web-page"),
        FileFormat::Utf16 => say("file-utf16"),
        FileFormat::SeparatorLine => say("file-separator-line"),
        FileFormat::Separated(separator) => {
            let name = locale.text(match separator {
                ';' => "separator-semicolon",
                '\t' => "separator-tab",
                _ => "separator-bar",
            });
            locale.text_with("file-separated", &[("path", path), ("separator", &name)])
        }
    }
}

fn file(error: &FileError, locale: Locale) -> String {
    let at = |path: &Path, row: &u64| (shown(path), row.to_string());
    match error {
        FileError::NotFound(path) => locale.text_with("file-not-found", &[("path", &shown(path))]),
        FileError::IsDirectory(path) => locale.text_with("file-is-directory", &[("path", &shown(path))]),
        FileError::ComesOnce(path) => locale.text_with("file-comes-once", &[("path", &shown(path))]),
        FileError::Empty(path) => locale.text_with("file-empty", &[("path", &shown(path))]),
        FileError::NotCsv { path, format } => not_csv(&shown(path), *format, locale),
        FileError::NotUtf8 { path, row } => {
            let (path, row) = at(path, row);
            locale.text_with("file-not-utf8", &[("path", &path), ("row", &row)])
        }
        FileError::Columns {
            path,
            table,
            missing,
            unknown,
            twice,
        } => {
            let mut text = locale.text_with("file-columns", &[("path", &shown(path)), ("table", table)]);
            for (key, columns) in [
                ("file-missing", missing),
                ("file-unknown", unknown),
                ("file-twice", twice),
            ] {
                if !columns.is_empty() {
                    text += &format!(" {}", locale.text_with(key, &[("columns", &columns.join(", "))]));
                }
            }
            text
        }
        FileError::EndsInsideRecord { path, row } => {
            let (path, row) = at(path, row);
            locale.text_with("file-cut", &[("path", &path), ("row", &row)])
        }
        FileError::LongRecord { path, row } => {
            let (path, row) = (shown(path), row.to_string());
            locale.text_with("file-long-record", &[("path", &path), ("row", &row)])
        }
        FileError::UnitLoop { path, unit } => {
            locale.text_with("file-unit-loop", &[("path", &shown(path)), ("unit", unit)])
        }
        FileError::Changed(path) => locale.text_with("file-changed", &[("path", &shown(path))]),
        FileError::BadSubmission { path, row, column } => {
            let (path, row) = at(path, row);
            locale.text_with(
                "file-bad-submission",
                &[("path", &path), ("row", &row), ("column", column)],
            )
        }
        FileError::Io { path, source } => {
            locale.text_with("error-io", &[("path", &shown(path)), ("why", &source.to_string())])
        }
    }
}
