//! `ngomon standardise`: forms taken at a counter, entered in order by an operator.

use super::{Desk, Done};
use crate::cli::Standardise;
use crate::failure::{Result, writing};
use crate::output::{Format, Progress, Table, write_file};
use ngomon_feeds::submissions;
use ngomon_rules::citizens::{Outcome, Proof};
use std::collections::BTreeMap;

/// Answers every form of the file.
pub async fn run(desk: &Desk, args: &Standardise) -> Result<Done> {
    let forms = submissions(&args.file)?;
    // A result that cannot be written is noticed before the first form is entered.
    write_file(&args.output, |_| Ok(())).map_err(writing(&args.output))?;
    let store = desk.open().await?;
    let at = args.as_of.unwrap_or_else(|| store.now());
    let bar = Progress::rows(forms.len() as u64, desk.words.say("progress-forms"));
    let mut outcomes = Table::new(&["seq", "outcome", "fields"]);
    let mut counts: BTreeMap<Outcome, u64> = BTreeMap::new();
    for (n, form) in (1..).zip(&forms) {
        let answer = store.standardise(form, Proof::Counter, &desk.by, at).await?;
        let fields: Vec<&str> = answer.fields.iter().map(|field| field.name()).collect();
        outcomes.push([form.seq.clone(), answer.outcome.name().to_owned(), fields.join(" ")]);
        *counts.entry(answer.outcome).or_default() += 1;
        bar.set(n);
    }
    drop(bar);
    store.seal().await?;
    write_file(&args.output, |to| outcomes.csv(to)).map_err(writing(&args.output))?;
    let mut table = Table::new(&["outcome", "forms"]);
    for (outcome, n) in counts {
        table.push([desk.words.say(&format!("outcome-{}", outcome.name())), n.to_string()]);
    }
    desk.print(&table, Format::Table)?;
    Ok(Done::Yes)
}
