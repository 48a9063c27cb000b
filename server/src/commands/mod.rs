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
pub async fn run(cli: Cli, locale: Locale) -> Result<ExitStatus> {
    let mut ctx = CommandContext::new(&cli.places, locale);
    ctx.settle_keys(&cli.places).await;
    let ctx = ctx;
    match cli.verb {
        Verb::Demo(args) => Box::pin(demo::run(&ctx, &args, run)).await,
        Verb::Import(args) => import::run(&ctx, &args).await,
        Verb::Campaign { verb } => campaign::campaign(&ctx, verb).await,
        Verb::Policy { verb } => campaign::policy(&ctx, verb).await,
        Verb::Reconcile(args) => reconcile::run(&ctx, &args).await,
        Verb::Runs(format) => reconcile::runs(&ctx, format.format).await,
        Verb::Quarantine(args) => lists::quarantine(&ctx, &args).await,
        Verb::Standardise(args) => standardise::run(&ctx, &args).await,
        Verb::Holds(args) => lists::holds(&ctx, &args).await,
        Verb::Review(format) => lists::review(&ctx, format.format).await,
        Verb::Tasks(args) => lists::tasks(&ctx, &args).await,
        Verb::Report(args) => report::run(&ctx, &args).await,
        Verb::Sandbox => sandbox::run(&ctx).await,
        Verb::Serve(args) => serve::run(&ctx, &args).await,
        Verb::Verify => maintenance::verify(&ctx).await,
        Verb::Explain(args) => explain::run(&ctx, &args).await,
        Verb::Rebuild => maintenance::rebuild(&ctx).await,
        Verb::Operator { verb } => operator::run(&ctx, verb).await,
        Verb::Client { verb } => client::run(&ctx, verb).await,
        Verb::Backup { to } => maintenance::backup(&ctx, &to).await,
        Verb::Restore { from } => maintenance::restore(&ctx, &from).await,
        Verb::Checkpoints {
            verb: CheckpointsVerb::Accept,
        } => maintenance::accept_checkpoints(&ctx).await,
        Verb::Keys { verb } => maintenance::keys(&ctx, verb).await,
    }
}
