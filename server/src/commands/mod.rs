//! The verbs of the command line, and what they share.

mod campaign;
mod client;
pub mod context;
mod demo;
mod explain;
mod import;
mod lists;
mod maintenance;
mod operator;
mod reconcile;
mod report;
mod sandbox;
mod serve;
mod standardise;

use crate::cli::args::{CheckpointsVerb, Cli, Verb};
use crate::cli::error_text::Result;
use crate::commands::context::{CommandContext, ExitStatus};
use crate::i18n::Locale;

/// Runs the command.
pub async fn run(cli: Cli, words: Locale) -> Result<ExitStatus> {
    let mut desk = CommandContext::new(&cli.places, words);
    desk.settle_keys(&cli.places).await;
    let desk = desk;
    match cli.verb {
        Verb::Demo(args) => Box::pin(demo::run(&desk, &args, run)).await,
        Verb::Import(args) => import::run(&desk, &args).await,
        Verb::Campaign { verb } => campaign::campaign(&desk, verb).await,
        Verb::Policy { verb } => campaign::policy(&desk, verb).await,
        Verb::Reconcile(args) => reconcile::run(&desk, &args).await,
        Verb::Runs(format) => reconcile::runs(&desk, format.format).await,
        Verb::Quarantine(args) => lists::quarantine(&desk, &args).await,
        Verb::Standardise(args) => standardise::run(&desk, &args).await,
        Verb::Holds(args) => lists::holds(&desk, &args).await,
        Verb::Review(format) => lists::review(&desk, format.format).await,
        Verb::Tasks(args) => lists::tasks(&desk, &args).await,
        Verb::Report(args) => report::run(&desk, &args).await,
        Verb::Sandbox => sandbox::run(&desk).await,
        Verb::Serve(args) => serve::run(&desk, &args).await,
        Verb::Verify => maintenance::verify(&desk).await,
        Verb::Explain(args) => explain::run(&desk, &args).await,
        Verb::Rebuild => maintenance::rebuild(&desk).await,
        Verb::Operator { verb } => operator::run(&desk, verb).await,
        Verb::Client { verb } => client::run(&desk, verb).await,
        Verb::Backup { to } => maintenance::backup(&desk, &to).await,
        Verb::Restore { from } => maintenance::restore(&desk, &from).await,
        Verb::Checkpoints {
            verb: CheckpointsVerb::Accept,
        } => maintenance::accept_checkpoints(&desk).await,
        Verb::Keys { verb } => maintenance::keys(&desk, verb).await,
    }
}
