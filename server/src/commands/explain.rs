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
pub async fn run(ctx: &CommandContext, args: &Explain) -> Result<ExitStatus> {
    let store = ctx.open().await?;
    let day = args.as_of.unwrap_or_else(|| store.today());
    let found = store.explain(&args.account, day).await?;
    let locale = ctx.locale;
    let units = store.units().await?;
    head(&found, locale);
    for held in &found.holds {
        hold(held, &found, &units, locale);
    }
    if let Some(outlook) = pending_changes_text(&found, locale) {
        print_line!("\n{outlook}");
    }
    if found.claim_differs
        && let Some(name) = found.fact("claim_name")
    {
        print_line!("\n{}", locale.text_with("claim-differs", &[("name", name)]));
    }
    print_line!("\n{}", locale.text("explain-facts"));
    for (name, value) in &found.facts {
        let shown = value_text(name, value, &units, locale);
        print_line!(
            "  {}: {shown}",
            locale.text(&format!("fact-{}", name.replace('_', "-")))
        );
    }
    print_line!("\n{}", locale.text("explain-history"));
    for entry in &found.history {
        print_line!("  {}", happened(entry, locale));
    }
    Ok(ExitStatus::Yes)
}

fn head(found: &AccountExplanation, locale: Locale) {
    let counting = found.holds.iter().filter(|held| !held.suspended).count() as u64;
    print_line!(
        "{}",
        locale.text_with(
            "explain-head",
            &[
                ("account", &found.account),
                ("kind", &locale.text(&format!("kind-{}", found.kind.name()))),
                (
                    "unit",
                    if found.unit_name.is_empty() {
                        &found.unit
                    } else {
                        &found.unit_name
                    }
                ),
                ("day", &locale.day(found.day)),
            ]
        )
    );
    match counting {
        0 => print_line!("{}", locale.text("explain-open")),
        1 => print_line!("{}", locale.text("explain-held-one")),
        n => print_line!("{}", locale.text_with("explain-held", &[("n", &locale.number(n))])),
    }
}

fn hold(held: &ActiveHold, found: &AccountExplanation, units: &UnitTree, locale: Locale) {
    let hold: &Hold = &held.hold;
    let text = hold_text(held, found, units, locale);
    print_line!("\n■ {}", text.name);
    print_line!("  {}", text.text);
    if held.suspended {
        print_line!("  {}", locale.text("explain-suspended"));
    }
    match held.since {
        Some(since) => {
            let (label, since) = since_row(since, locale);
            print_line!("  {label}: {since}");
        }
        None => print_line!("  {}", locale.text("explain-derived")),
    }
    print_line!("  {}: {}", locale.text("explain-clause"), text.clause);
    if let Some(sentence) = text.sentence {
        print_line!("    “{sentence}”");
    }
    let evidence = evidence_rows(held, found, units, locale, &[]);
    if !evidence.is_empty() {
        print_line!("  {}:", locale.text("explain-evidence"));
        for (label, value) in evidence {
            print_line!("    {label}: {value}");
        }
    }
    if let Some(last) = hold.last_day {
        print_line!("  {}: {}", locale.text("explain-until"), locale.day(last));
    }
    print_line!("  {}: {}", locale.text("explain-mends"), text.mends);
    print_line!("  {}: {}", locale.text("explain-again"), text.again);
}

fn happened(entry: &HistoryEntry, locale: Locale) -> String {
    let what = event_text(&entry.change, locale);
    let mut line = locale.text_with(
        "explain-entry",
        &[
            ("at", &locale.instant(entry.at)),
            ("what", &what),
            ("by", &actor_name(&entry.by, locale)),
        ],
    );
    let from = locale.instant(entry.effective);
    if from != locale.instant(entry.at) {
        line += &format!(" · {}", locale.text_with("explain-effective", &[("from", &from)]));
    }
    if let Some(run) = &entry.run {
        line += &format!(" · {}", locale.text_with("explain-run", &[("run", run)]));
    }
    if let Some(clause) = &entry.clause {
        line += &format!(" · {clause}");
    }
    if let Some(note) = &entry.note {
        line += &format!(" · “{note}”");
    }
    line
}
