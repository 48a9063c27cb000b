//! The command line that others script against (docs/FILES.md). Its help comes from the message files.

use crate::output::{Format, Words};
use crate::usage::in_words;
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

#[derive(Debug, Parser)]
#[command(name = "ngomon", version)]
pub struct Cli {
    #[command(flatten)]
    pub places: PlaceArgs,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Where the data are and who acts.
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
    Standardise(Standardise),
    Holds(Holds),
    Review(FormatArg),
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
pub struct Reconcile {
    #[arg(long, value_name = "DAY", value_parser = day, required_unless_present_any = ["approve", "undo"])]
    pub as_of: Option<Date>,
    #[arg(long)]
    pub changed: bool,
    #[arg(long)]
    pub simulate: bool,
    #[arg(long, value_name = "decisions.csv")]
    pub output: Option<PathBuf>,
    #[arg(long, value_name = "RUN", conflicts_with_all = ["as_of", "changed", "simulate", "undo"])]
    pub approve: Option<String>,
    #[arg(long, value_name = "RUN", conflicts_with_all = ["as_of", "changed", "simulate", "output"])]
    pub undo: Option<String>,
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
    #[arg(long, value_name = "FILE", env = "NGOMON_LEAKED_PASSWORDS")]
    pub leaked_passwords: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum OperatorVerb {
    Add {
        name: String,
        #[arg(long, value_name = "URL", env = "NGOMON_PUBLIC_URL")]
        public_url: Option<String>,
    },
    List(FormatArg),
    Remove {
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum ClientVerb {
    Add(Box<AddClient>),
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
        #[command(flatten)]
        format: FormatArg,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GrantArg {
    #[value(name = "client_credentials", alias = "client-credentials")]
    ClientCredentials,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[derive(Clone, Debug, Args)]
pub struct AddClient {
    pub name: String,
    #[arg(long, value_name = "URI", num_args = 1..)]
    pub redirect_uri: Vec<String>,
    #[arg(long, value_name = "URI", num_args = 1..)]
    pub post_logout_redirect_uri: Vec<String>,
    #[arg(long, value_name = "URI")]
    pub backchannel_logout_uri: Option<String>,
    #[arg(long, value_name = "URI")]
    pub events_uri: Option<String>,
    #[arg(long, value_name = "URI", num_args = 1..)]
    pub resource: Vec<String>,
    #[arg(long, conflicts_with = "jwks")]
    pub public: bool,
    #[arg(long, value_name = "FILE")]
    pub jwks: Option<PathBuf>,
    #[arg(long, value_enum)]
    pub grant: Vec<GrantArg>,
    #[arg(long, num_args = 1.., value_parser = word_of(Scope::ALL, Scope::name))]
    pub scope: Vec<String>,
    #[arg(long, default_value = "public", value_parser = word_of(SubjectKind::ALL, SubjectKind::name))]
    pub subject: String,
    #[arg(long, default_value = "RS256", value_parser = word_of(Algorithm::ALL, Algorithm::name))]
    pub algorithm: String,
    #[arg(long, num_args = 1.., value_parser = ["citizen", "official", "unit", "operator"])]
    pub kind: Vec<String>,
    #[arg(long, value_name = "CODE", num_args = 1..)]
    pub unit: Vec<String>,
    #[arg(long)]
    pub third_party: bool,
    #[arg(long)]
    pub without_pkce: bool,
    #[arg(long)]
    pub hr: bool,
}

/// One of these words.
fn word_of<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> PossibleValuesParser {
    PossibleValuesParser::new(all.iter().map(|one| name(*one)))
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
}

fn day(text: &str) -> Result<Date, String> {
    parse_day(text).map_err(|_| Words::of_this_process().say("usage-day"))
}

/// An instant with its offset, a local time, or the beginning of a day; without an offset it is Vietnam's time.
fn instant(text: &str) -> Result<Timestamp, String> {
    let local = |at: DateTime| Offset::constant(7).to_timestamp(at).ok();
    let found = text.parse::<Timestamp>().ok();
    let found = found.or_else(|| local(text.parse().ok()?));
    let found = found.or_else(|| local(parse_day(text).ok()?.at(0, 0, 0, 0)));
    found.ok_or_else(|| Words::of_this_process().say("usage-time"))
}

/// Where to serve.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| Words::of_this_process().say("usage-address"))
}

/// Reads the command line, with help in the language of whoever asks.
pub fn parse(words: Words, args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let command = in_words(Cli::command(), words);
    Cli::from_arg_matches(&command.try_get_matches_from(args)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound_and_all_of_it_has_words() {
        Cli::command().debug_assert();
        for locale in ["vi", "en"] {
            let words = Words::of_locale(|_| Some(locale.to_owned()));
            check(&in_words(Cli::command(), words));
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

    #[test]
    fn times_without_an_offset_are_vietnams() {
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
