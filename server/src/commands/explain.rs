//! The command `ngomon explain`: each fact, decision and hold of an account with its clause.

use crate::cli::args::Explain;
use crate::cli::error_text::Result;
use crate::cli::stdout::print_line;
use crate::commands::context::{CommandContext, ExitStatus};
use crate::i18n::{
    Locale, actor_name, event_text, evidence_rows, hold_text, pending_changes_text, since_row, value_text,
};
use ngomon_rules::hold::Hold;
use ngomon_rules::unit::UnitTree;
use ngomon_store::{AccountExplanation, ActiveHold, HistoryEntry};

/// Prints everything about why an account is open or held.
pub async fn run(desk: &CommandContext, args: &Explain) -> Result<ExitStatus> {
    let store = desk.open().await?;
    let day = args.as_of.unwrap_or_else(|| store.today());
    let found = store.explain(&args.account, day).await?;
    let words = desk.words;
    let units = store.units().await?;
    head(&found, words);
    for held in &found.holds {
        hold(held, &found, &units, words);
    }
    if let Some(outlook) = pending_changes_text(&found, words) {
        print_line!("\n{outlook}");
    }
    if found.claim_differs
        && let Some(name) = found.fact("claim_name")
    {
        print_line!("\n{}", words.text_with("claim-differs", &[("name", name)]));
    }
    print_line!("\n{}", words.text("explain-facts"));
    for (name, value) in &found.facts {
        let shown = value_text(name, value, &units, words);
        print_line!("  {}: {shown}", words.text(&format!("fact-{}", name.replace('_', "-"))));
    }
    print_line!("\n{}", words.text("explain-history"));
    for entry in &found.history {
        print_line!("  {}", happened(entry, words));
    }
    Ok(ExitStatus::Yes)
}

fn head(found: &AccountExplanation, words: Locale) {
    let counting = found.holds.iter().filter(|held| !held.suspended).count() as u64;
    print_line!(
        "{}",
        words.text_with(
            "explain-head",
            &[
                ("account", &found.account),
                ("kind", &words.text(&format!("kind-{}", found.kind.name()))),
                (
                    "unit",
                    if found.unit_name.is_empty() {
                        &found.unit
                    } else {
                        &found.unit_name
                    }
                ),
                ("day", &words.day(found.day)),
            ]
        )
    );
    match counting {
        0 => print_line!("{}", words.text("explain-open")),
        1 => print_line!("{}", words.text("explain-held-one")),
        n => print_line!("{}", words.text_with("explain-held", &[("n", &words.number(n))])),
    }
}

fn hold(held: &ActiveHold, found: &AccountExplanation, units: &UnitTree, words: Locale) {
    let hold: &Hold = &held.hold;
    let text = hold_text(held, found, units, words);
    print_line!("\n■ {}", text.name);
    print_line!("  {}", text.text);
    if held.suspended {
        print_line!("  {}", words.text("explain-suspended"));
    }
    match held.since {
        Some(since) => {
            let (label, since) = since_row(since, words);
            print_line!("  {label}: {since}");
        }
        None => print_line!("  {}", words.text("explain-derived")),
    }
    print_line!("  {}: {}", words.text("explain-clause"), text.clause);
    if let Some(sentence) = text.sentence {
        print_line!("    “{sentence}”");
    }
    let evidence = evidence_rows(held, found, units, words, &[]);
    if !evidence.is_empty() {
        print_line!("  {}:", words.text("explain-evidence"));
        for (label, value) in evidence {
            print_line!("    {label}: {value}");
        }
    }
    if let Some(last) = hold.last_day {
        print_line!("  {}: {}", words.text("explain-until"), words.day(last));
    }
    print_line!("  {}: {}", words.text("explain-mends"), text.mends);
    print_line!("  {}: {}", words.text("explain-again"), text.again);
}

fn happened(entry: &HistoryEntry, words: Locale) -> String {
    let what = event_text(&entry.change, words);
    let mut line = words.text_with(
        "explain-entry",
        &[
            ("at", &words.instant(entry.at)),
            ("what", &what),
            ("by", &actor_name(&entry.by, words)),
        ],
    );
    let from = words.instant(entry.effective);
    if from != words.instant(entry.at) {
        line += &format!(" · {}", words.text_with("explain-effective", &[("from", &from)]));
    }
    if let Some(run) = &entry.run {
        line += &format!(" · {}", words.text_with("explain-run", &[("run", run)]));
    }
    if let Some(clause) = &entry.clause {
        line += &format!(" · {clause}");
    }
    if let Some(note) = &entry.note {
        line += &format!(" · “{note}”");
    }
    line
}
