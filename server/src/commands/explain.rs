//! `ngomon explain`: each fact, decision and hold of an account with its clause.

use super::{Desk, Done};
use crate::cli::Explain;
use crate::failure::Result;
use crate::output::{Words, evidence, happening, outlook, said};
use ngomon_rules::hold::Hold;
use ngomon_rules::law::law;
use ngomon_rules::unit::UnitTree;
use ngomon_store::{Explained, Happened, HeldSince};

/// Prints all that is known about why an account is open or held.
pub async fn run(desk: &Desk, args: &Explain) -> Result<Done> {
    let store = desk.open().await?;
    let day = args.as_of.unwrap_or_else(|| store.today());
    let found = store.explain(&args.account, day).await?;
    let words = desk.words;
    let units = store.units().await?;
    head(&found, words);
    for held in &found.holds {
        hold(held, &units, words);
    }
    if let Some(outlook) = outlook(&found, words) {
        println!("\n{outlook}");
    }
    println!("\n{}", words.say("explain-facts"));
    for (name, value) in &found.facts {
        let shown = said(name, value, &units, words);
        println!("  {}: {shown}", words.say(&format!("fact-{}", name.replace('_', "-"))));
    }
    println!("\n{}", words.say("explain-history"));
    for entry in &found.history {
        println!("  {}", happened(entry, words));
    }
    Ok(Done::Yes)
}

fn head(found: &Explained, words: Words) {
    let counting = found.holds.iter().filter(|held| !held.suspended).count() as u64;
    println!(
        "{}",
        words.say_with(
            "explain-head",
            &[
                ("account", &found.account),
                ("kind", &words.say(&format!("kind-{}", found.kind.name()))),
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
        0 => println!("{}", words.say("explain-open")),
        n => println!("{}", words.say_with("explain-held", &[("n", &words.number(n))])),
    }
}

fn hold(held: &HeldSince, units: &UnitTree, words: Words) {
    let hold: &Hold = &held.hold;
    println!("\n■ {}", words.say(&format!("hold-{}", hold.reason)));
    println!("  {}", words.say(&format!("hold-text-{}", hold.reason)));
    if held.suspended {
        println!("  {}", words.say("explain-suspended"));
    }
    match held.since {
        Some(since) => println!("  {}: {}", words.say("explain-since"), words.instant(since)),
        None => println!("  {}", words.say("explain-derived")),
    }
    let clause = hold.reason.clause();
    match law(clause) {
        Some(law) => {
            println!("  {}: {}, {}", words.say("explain-clause"), law.place, law.letter);
            println!("    “{}”", law.sentence);
        }
        None => println!(
            "  {}: {}",
            words.say("explain-clause"),
            words.say(&format!("clause-{clause}"))
        ),
    }
    if !hold.evidence.is_empty() {
        println!("  {}:", words.say("explain-evidence"));
        for (name, value) in &hold.evidence {
            let label = words.say(&format!("evidence-{}", name.replace('_', "-")));
            println!("    {label}: {}", evidence(name, value, units, words));
        }
    }
    if let Some(last) = hold.last_day {
        println!("  {}: {}", words.say("explain-until"), words.day(last));
    }
    println!(
        "  {}: {}",
        words.say("explain-way-out"),
        words.say(&format!("way-out-{}", hold.reason))
    );
    println!(
        "  {}: {}",
        words.say("explain-mends"),
        words.say(&format!("mends-{}", hold.reason))
    );
}

fn happened(entry: &Happened, words: Words) -> String {
    let what = happening(&entry.change, words);
    let mut line = words.say_with(
        "explain-entry",
        &[("at", &words.instant(entry.at)), ("what", &what), ("by", &entry.by)],
    );
    let from = words.instant(entry.effective);
    if from != words.instant(entry.at) {
        line += &format!(" · {}", words.say_with("explain-effective", &[("from", &from)]));
    }
    if let Some(run) = &entry.run {
        line += &format!(" · {}", words.say_with("explain-run", &[("run", run)]));
    }
    if let Some(clause) = &entry.clause {
        line += &format!(" · {clause}");
    }
    if let Some(note) = &entry.note {
        line += &format!(" · “{note}”");
    }
    line
}
