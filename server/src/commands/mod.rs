//! What each verb of the command line does.

mod campaign;
mod client;
mod demo;
mod explain;
mod import;
mod keeping;
mod lists;
mod operator;
mod reconcile;
mod report;
mod sandbox;
mod serve;
mod standardise;

use crate::cli::{Cli, PlaceArgs, Verb};
use crate::failure::{Failure, Result};
use crate::output::{Format, Table, Words};
use ngomon_store::ambient::Ambient;
use ngomon_store::{Location, Places, Store};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Done.
    Yes,
    /// Looked, and found faults.
    Faults,
    /// It waits for a person's approval.
    NeedsApproval,
}

impl From<Done> for ExitCode {
    fn from(done: Done) -> Self {
        Self::from(match done {
            Done::Yes => 0,
            Done::Faults => 1,
            Done::NeedsApproval => 3,
        })
    }
}

/// What a command works with.
pub struct Desk {
    /// Where everything is.
    pub places: Places,
    /// Who acts.
    pub by: String,
    /// In which language.
    pub words: Words,
}

impl Desk {
    fn new(args: &PlaceArgs, words: Words) -> Self {
        let dir = args.data.clone().unwrap_or_else(|| PathBuf::from("data"));
        let keys = args.keys.clone().unwrap_or_else(|| dir.join("keys"));
        let data = match &args.database {
            Some(url) => Location::Url(url.clone()),
            None => Location::Directory(dir),
        };
        Self {
            places: Places { data, keys },
            by: args.by.clone().unwrap_or_else(|| format!("cli:{}", system_user())),
            words,
        }
    }

    /// Opens what is there.
    pub async fn open(&self) -> Result<Store> {
        Ok(Store::open(&self.places, false, Ambient::system()).await?)
    }

    /// Opens what is there, and makes what is not.
    pub async fn open_or_create(&self) -> Result<Store> {
        Ok(Store::open(&self.places, true, Ambient::system()).await?)
    }

    /// Says something to whoever reads along.
    pub fn tell(&self, key: &str, gaps: &[(&'static str, &str)]) {
        println!("{}", self.words.say_with(key, gaps));
    }

    /// Prints a table.
    pub fn print(&self, table: &Table, format: Format) -> Result<()> {
        let stdout = std::io::stdout();
        let mut stdout = std::io::BufWriter::new(stdout.lock());
        let written = table
            .write(format, self.words, &mut stdout)
            .and_then(|()| stdout.flush());
        match written {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|error| Failure::Write(PathBuf::from("-"), error)),
        }
    }
}

/// The name of whoever runs this process, or else the number.
fn system_user() -> String {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(about) = std::fs::metadata("/proc/self") else {
        return "unknown".into();
    };
    let number = about.uid().to_string();
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = known.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let name = line
        .filter(|cells| cells.get(2) == Some(&number.as_str()))
        .find_map(|cells| cells.first().map(ToString::to_string));
    name.unwrap_or(number)
}

/// Does what the command line asks.
pub async fn run(cli: Cli, words: Words) -> Result<Done> {
    let desk = Desk::new(&cli.places, words);
    match cli.verb {
        Verb::Demo(args) => Box::pin(demo::run(&desk, &args)).await,
        Verb::Import(args) => import::run(&desk, &args).await,
        Verb::Campaign { verb } => campaign::campaign(&desk, verb).await,
        Verb::Policy { verb } => campaign::policy(&desk, verb).await,
        Verb::Reconcile(args) => reconcile::run(&desk, &args).await,
        Verb::Standardise(args) => standardise::run(&desk, &args).await,
        Verb::Holds(args) => lists::holds(&desk, &args).await,
        Verb::Review(format) => lists::review(&desk, format.format).await,
        Verb::Report(args) => report::run(&desk, &args).await,
        Verb::Sandbox => sandbox::run(&desk).await,
        Verb::Serve(args) => serve::run(&desk, &args).await,
        Verb::Verify => keeping::verify(&desk).await,
        Verb::Explain(args) => explain::run(&desk, &args).await,
        Verb::Rebuild => keeping::rebuild(&desk).await,
        Verb::Operator { verb } => operator::run(&desk, verb).await,
        Verb::Client { verb } => client::run(&desk, verb).await,
        Verb::Backup { to } => keeping::backup(&desk, &to).await,
        Verb::Restore { from } => keeping::restore(&desk, &from).await,
        Verb::Keys { verb } => keeping::keys(&desk, verb).await,
    }
}
