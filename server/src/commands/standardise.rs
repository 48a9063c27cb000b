//! The command `ngomon standardise`: an operator enters forms taken at a counter, in order.

use crate::cli::args::Standardise;
use crate::cli::error_text::{Result, writing};
use crate::cli::progress::Progress;
use crate::commands::context::{CommandContext, ExitStatus};
use crate::export::{Format, Table, write_file};
use ngomon_feeds::submissions_of;
use ngomon_rules::citizens::Outcome;
use std::collections::BTreeMap;

/// Enters every form of the file and writes the outcomes.
pub async fn run(ctx: &CommandContext, args: &Standardise) -> Result<ExitStatus> {
    let (forms, digest) = submissions_of(&args.file)?;
    // An output file that cannot be written fails before the first form is entered.
    write_file(&args.output, |_| Ok(())).map_err(writing(&args.output))?;
    let store = ctx.open_to_change().await?;
    let at = args.as_of.unwrap_or_else(|| store.now());
    let bar = Progress::rows(forms.len() as u64, ctx.locale.text("progress-forms"));
    let mut outcomes = Table::new(&["seq", "outcome", "fields"]);
    let mut counts: BTreeMap<Outcome, u64> = BTreeMap::new();
    // If an earlier run with this file was killed, continue there; the outcomes of its first forms are returned again.
    let file = store.begin_forms(&digest).await?;
    for (n, form) in (1_usize..).zip(&forms) {
        let answer = store.enter_form_of(&file, n, form, &ctx.by, at).await?;
        let fields: Vec<&str> = answer.fields.iter().map(|field| field.name()).collect();
        outcomes.push([form.seq.clone(), answer.outcome.name().to_owned(), fields.join(" ")]);
        *counts.entry(answer.outcome).or_default() += 1;
        bar.set(n as u64);
    }
    drop(bar);
    // If the outcomes cannot be written, the same command can be repeated to get them.
    if ctx.write_result(&args.output, |to| outcomes.csv(to)) {
        store.end_forms(&file, forms.len(), &ctx.by).await?;
    }
    ctx.seal(&store).await;
    let mut table = Table::new(&["outcome", "forms"]);
    for (outcome, n) in counts {
        table.push([ctx.locale.text(&format!("outcome-{}", outcome.name())), n.to_string()]);
    }
    ctx.print(&table, Format::Table);
    Ok(ExitStatus::Yes)
}
