//! The command line, a stable interface for scripts (docs/FILES.md). Its help comes from the message files.

use crate::cli::help::in_words;
use crate::export::Format;
use crate::i18n::Locale;
use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use ngomon_rules::client::{Algorithm, Scope, SubjectKind};
use ngomon_rules::values::{Date, parse_day};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

#[derive(Debug, Parser)]
#[command(name = "ngomon", version)]
pub struct Cli {
    #[command(flatten)]
    pub places: PlaceArgs,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Where the data are, and the actor.
#[derive(Clone, Debug, Args)]
pub struct PlaceArgs {
    #[arg(long, global = true, value_name = "DIR", env = "NGOMON_DATA")]
    pub data: Option<PathBuf>,
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "NGOMON_DATABASE",
        hide_env_values = true,
        conflicts_with = "data"
    )]
    pub database: Option<String>,
    #[arg(long, global = true, value_name = "DIR", env = "NGOMON_KEYS")]
    pub keys: Option<PathBuf>,
    #[arg(long, global = true, value_name = "OPERATOR")]
    pub by: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    Demo(Serve),
    Import(Import),
    Campaign {
        #[command(subcommand)]
        verb: SettingVerb,
    },
    Policy {
        #[command(subcommand)]
        verb: SettingVerb,
    },
    Reconcile(Reconcile),
    Runs(FormatArg),
    Quarantine(Quarantine),
    Standardise(Standardise),
    Holds(Holds),
    Review(FormatArg),
    Tasks(Tasks),
    Report(Report),
    Sandbox,
    Serve(Serve),
    Verify,
    Explain(Explain),
    Rebuild,
    Operator {
        #[command(subcommand)]
        verb: OperatorVerb,
    },
    Client {
        #[command(subcommand)]
        verb: ClientVerb,
    },
    Backup {
        #[arg(value_name = "DIR")]
        to: PathBuf,
    },
    Restore {
        #[arg(value_name = "DIR")]
        from: PathBuf,
    },
    Checkpoints {
        #[command(subcommand)]
        verb: CheckpointsVerb,
    },
    Keys {
        #[command(subcommand)]
        verb: KeysVerb,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableArg {
    Units,
    Registry,
    Citizens,
    Officials,
    Profiles,
    Notices,
}

#[derive(Clone, Debug, Args)]
pub struct Import {
    pub table: TableArg,
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[arg(long, value_name = "UNIT", num_args = 0..=1)]
    pub full: Option<Option<String>>,
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub as_of: Option<Date>,
    #[arg(long, value_name = "OUT.csv")]
    pub report: Option<PathBuf>,
    #[arg(long)]
    pub simulate: bool,
    #[arg(long, value_name = "LOAD", conflicts_with = "simulate")]
    pub approve: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum SettingVerb {
    Show(FormatArg),
    Set {
        key: String,
        value: String,
        #[arg(long)]
        approve: bool,
    },
}

#[derive(Clone, Copy, Debug, Args)]
pub struct FormatArg {
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

#[derive(Clone, Debug, Args)]
pub struct Quarantine {
    #[arg(id = "table-kind", long = "kind", value_enum, value_name = "TABLE")]
    pub table: Option<TableArg>,
    #[command(flatten)]
    pub format: FormatArg,
}

#[derive(Clone, Debug, Args)]
pub struct Reconcile {
    #[arg(id = "run_day", long = "as-of", value_name = "DAY", value_parser = day, required_unless_present_any = ["approve", "undo", "show"])]
    pub as_of: Option<Date>,
    #[arg(long)]
    pub changed: bool,
    #[arg(long)]
    pub simulate: bool,
    #[arg(long, value_name = "decisions.csv")]
    pub output: Option<PathBuf>,
    #[arg(long, value_name = "RUN", conflicts_with_all = ["run_day", "changed", "simulate", "undo"])]
    pub approve: Option<String>,
    #[arg(long, value_name = "RUN", conflicts_with_all = ["run_day", "changed", "simulate", "output"])]
    pub undo: Option<String>,
    #[arg(long, value_name = "RUN", conflicts_with_all = ["run_day", "changed", "simulate", "output", "approve", "undo"])]
    pub show: Option<String>,
    #[arg(long, value_enum, default_value = "table", requires = "show")]
    pub format: Format,
}

#[derive(Clone, Debug, Args)]
pub struct Standardise {
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[arg(long, value_name = "outcomes.csv")]
    pub output: PathBuf,
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub as_of: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    Citizen,
    Official,
}

#[derive(Clone, Debug, Args)]
pub struct Holds {
    #[arg(long, value_enum)]
    pub kind: Option<KindArg>,
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub as_of: Option<Date>,
    #[command(flatten)]
    pub format: FormatArg,
}

#[derive(Clone, Debug, Args)]
pub struct Tasks {
    #[arg(long, value_name = "CODE")]
    pub unit: Option<String>,
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub as_of: Option<Date>,
    #[command(flatten)]
    pub format: FormatArg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Table,
    Csv,
    Json,
    Xlsx,
}

#[derive(Clone, Debug, Args)]
pub struct Report {
    #[arg(long, value_name = "CODE")]
    pub unit: Option<String>,
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub as_of: Option<Date>,
    #[arg(long)]
    pub staff: bool,
    #[arg(long, value_enum, default_value = "table")]
    pub format: ReportFormat,
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct Explain {
    pub account: String,
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub as_of: Option<Date>,
}

#[derive(Clone, Debug, Args)]
pub struct Serve {
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = address)]
    pub listen: SocketAddr,
    #[arg(long, value_name = "URL", env = "NGOMON_PUBLIC_URL")]
    pub public_url: Option<String>,
    #[arg(long, value_name = "CIDR,…", env = "NGOMON_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,
    #[arg(long, value_name = "FILE", env = "NGOMON_LEAKED_PASSWORDS")]
    pub leaked_passwords: Option<PathBuf>,
    #[arg(long, value_name = "LEVEL", env = "NGOMON_LOG", default_value = "info")]
    pub log: LogLevel,
    #[arg(long)]
    pub private_clients: bool,
    #[arg(long, value_name = "SECONDS", env = "NGOMON_REFRESH_AGAIN", default_value = "30", value_parser = clap::value_parser!(u64).range(..=300))]
    pub refresh_again: u64,
}

/// The level of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<LogLevel> for tracing::Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum OperatorVerb {
    Add {
        name: String,
        #[arg(long, value_name = "URL", env = "NGOMON_PUBLIC_URL")]
        public_url: Option<String>,
    },
    List(FormatArg),
    Lift {
        name: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    Remove {
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum ClientVerb {
    Add(Box<AddClient>),
    Edit(Box<EditClient>),
    Subjects {
        #[arg(value_name = "CLIENT")]
        client: String,
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    List(FormatArg),
    Rotate {
        #[arg(value_name = "CLIENT")]
        client: String,
        #[arg(long, value_name = "HOURS", default_value = "24")]
        overlap: u32,
    },
    Disable {
        #[arg(value_name = "CLIENT")]
        client: String,
    },
    Enable {
        #[arg(value_name = "CLIENT")]
        client: String,
    },
    Remove {
        #[arg(value_name = "CLIENT")]
        client: String,
    },
    Notices {
        #[arg(long, value_name = "NOTICE")]
        resend: Option<String>,
        #[arg(long)]
        untaken: bool,
        #[command(flatten)]
        format: FormatArg,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GrantArg {
    #[value(name = "authorization_code", alias = "authorization-code")]
    AuthorizationCode,
    #[value(name = "client_credentials", alias = "client-credentials")]
    ClientCredentials,
}

#[derive(Clone, Debug, Args)]
pub struct AddClient {
    pub name: String,
    #[command(flatten)]
    pub options: ClientOptions,
}

#[derive(Clone, Debug, Args)]
pub struct EditClient {
    #[arg(value_name = "CLIENT")]
    pub client: String,
    #[arg(id = "new_name", long = "name", value_name = "NAME")]
    pub name: Option<String>,
    #[command(flatten)]
    pub options: ClientOptions,
}

/// The options of a client. An option that is absent leaves its value unchanged; an empty value removes it.
#[derive(Clone, Debug, Args)]
pub struct ClientOptions {
    #[arg(long, value_name = "URI", num_args = 1..)]
    pub redirect_uri: Option<Vec<String>>,
    #[arg(long, value_name = "URI", num_args = 1..)]
    pub post_logout_redirect_uri: Option<Vec<String>>,
    #[arg(long, value_name = "URI")]
    pub backchannel_logout_uri: Option<String>,
    #[arg(long, value_name = "URI")]
    pub events_uri: Option<String>,
    #[arg(long, value_name = "URI", num_args = 1..)]
    pub resource: Option<Vec<String>>,
    #[arg(long, conflicts_with = "jwks", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub public: Option<bool>,
    #[arg(long, value_name = "FILE")]
    pub jwks: Option<PathBuf>,
    #[arg(long, value_enum)]
    pub grant: Option<Vec<GrantArg>>,
    #[arg(long, num_args = 1.., value_parser = word_of(Scope::ALL, Scope::name))]
    pub scope: Option<Vec<String>>,
    #[arg(long, value_parser = word_of(SubjectKind::ALL, SubjectKind::name))]
    pub subject: Option<String>,
    #[arg(long, value_parser = word_of(Algorithm::ALL, Algorithm::name))]
    pub algorithm: Option<String>,
    #[arg(long, num_args = 1.., value_parser = ["citizen", "official", "unit", "operator"])]
    pub kind: Option<Vec<String>>,
    #[arg(long, value_name = "CODE", num_args = 1..)]
    pub unit: Option<Vec<String>>,
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub third_party: Option<bool>,
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub without_pkce: Option<bool>,
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub hr: Option<bool>,
}

/// A parser of one of these words.
fn word_of<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> PossibleValuesParser {
    PossibleValuesParser::new(all.iter().map(|one| name(*one)))
}

#[derive(Debug, Subcommand)]
pub enum CheckpointsVerb {
    Accept,
}

#[derive(Debug, Subcommand)]
pub enum KeysVerb {
    Export {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    Import {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    Rotate {
        #[arg(long)]
        prepare: bool,
    },
    ReplaceSigning {
        #[arg(long, value_name = "KID")]
        revoke: Option<String>,
        #[command(flatten)]
        format: FormatArg,
    },
}

fn day(text: &str) -> Result<Date, String> {
    parse_day(text).map_err(|_| Locale::of_this_process().text("usage-day"))
}

/// An instant with its offset, a local time, or the start of a day; without an offset, in Vietnam's time zone.
fn instant(text: &str) -> Result<Timestamp, String> {
    let local = |at: DateTime| Offset::constant(7).to_timestamp(at).ok();
    let found = text.parse::<Timestamp>().ok();
    let found = found.or_else(|| local(text.parse().ok()?));
    let found = found.or_else(|| local(parse_day(text).ok()?.at(0, 0, 0, 0)));
    found.ok_or_else(|| Locale::of_this_process().text("usage-time"))
}

/// The address and port to listen on.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| Locale::of_this_process().text("usage-address"))
}

/// Whether the command line contains the password of a database: every user of the machine can read it there.
pub fn shows_password(args: impl IntoIterator<Item = OsString>) -> bool {
    let args: Vec<String> = args.into_iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let after = args
        .windows(2)
        .filter(|two| two[0] == "--database")
        .map(|two| two[1].as_str());
    let within = args.iter().filter_map(|arg| arg.strip_prefix("--database="));
    after.chain(within).filter_map(|url| Url::parse(url).ok()).any(|url| {
        let given = url
            .query_pairs()
            .any(|(name, value)| name == "password" && !value.is_empty());
        given || url.password().is_some_and(|password| !password.is_empty())
    })
}

/// Parses the command line, with help in the caller's language.
pub fn parse(locale: Locale, args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    // As in other programs: `ngomon help import`, `ngomon version`.
    for (word, flag) in [("help", "--help"), ("version", "--version")] {
        if args.get(1).is_some_and(|first| first == word) {
            args.remove(1);
            args.push(flag.into());
        }
    }
    let command = in_words(Cli::command(), locale);
    Cli::from_arg_matches(&command.try_get_matches_from(args)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of the command line is valid, and each part of it has a text in both languages.
    #[test]
    fn command_line_definition_is_valid_and_translated() {
        Cli::command().debug_assert();
        for locale in ["vi", "en"] {
            let locale = Locale::of_locale(|_| Some(locale.to_owned()));
            check(&in_words(Cli::command(), locale));
        }
    }

    fn check(command: &clap::Command) {
        let about = command.get_about().unwrap().to_string();
        assert!(!about.starts_with("help"), "{}: {about}", command.get_name());
        for arg in command.get_arguments() {
            let help = arg.get_help().unwrap().to_string();
            assert!(!help.starts_with("help-"), "{}: {help}", command.get_name());
        }
        command.get_subcommands().for_each(check);
    }

    /// A database password among the arguments is detected.
    #[test]
    fn database_password_in_arguments_is_detected() {
        let shows = |line: &str| shows_password(line.split(' ').map(OsString::from));
        for shown in [
            "ngomon report --database postgres://ngomon:secret@db/ngomon",
            "ngomon --database=postgres://ngomon:secret@db/ngomon report",
            "ngomon report --database postgres:///ngomon?host=/run&password=secret",
        ] {
            assert!(shows(shown), "{shown}");
        }
        for hidden in [
            "ngomon report --database postgres://ngomon@db/ngomon",
            "ngomon report --database postgres:///ngomon?host=/run/postgresql",
            "ngomon report --data postgres://a:b@c/d",
            "ngomon report --database",
        ] {
            assert!(!shows(hidden), "{hidden}");
        }
    }

    /// `help` and `version` work as commands and print the same as the flags.
    #[test]
    fn help_and_version_subcommands_equal_flags() {
        let locale = Locale::of_locale(|_| Some("en".to_owned()));
        let said = |line: &str| parse(locale, line.split(' ').map(Into::into)).unwrap_err().to_string();
        assert_eq!(said("ngomon help reconcile"), said("ngomon reconcile --help"));
        assert_eq!(said("ngomon help"), said("ngomon --help"));
        assert_eq!(said("ngomon version"), said("ngomon --version"));
        assert!(said("ngomon help").contains("Exit status") && said("ngomon help").contains("docs/FILES.md"));
        let reconcile = said("ngomon help reconcile");
        assert!(
            reconcile.contains("Apply this run") && !reconcile.contains("default: today"),
            "{reconcile}"
        );
    }

    /// A time without an offset is Vietnam's.
    #[test]
    fn time_without_offset_is_vietnam_time() {
        let same = [
            "2023-07-16T00:00:00+07:00",
            "2023-07-16 00:00",
            "2023-07-16",
            "16/7/2023",
        ];
        let found: Vec<_> = same.iter().map(|text| instant(text).unwrap()).collect();
        assert!(found.iter().all(|at| *at == found[0]));
        assert!(instant("hôm qua").is_err() && day("2023-02-30").is_err());
    }
}
