//! The command `ngomon reconcile`: brings every official's account in line with HR.

use crate::cli::args::Reconcile;
use crate::cli::error_text::{CommandError, Result, writing};
use crate::cli::stdout::print_line;
use crate::commands::context::{CommandContext, ExitStatus};
use crate::export::{Format, Table, try_file, write_file};
use jiff::Timestamp;
use ngomon_rules::hold::{Hold, Reason};
use ngomon_rules::plan::Brake;
use ngomon_rules::unit::{UnitCode, UnitTree};
use ngomon_store::{FullRunReason, PlanLine, RunLine, RunOutcome};
use std::collections::{BTreeMap, BTreeSet};

/// Simulates, applies, approves or undoes a run.
pub async fn run(ctx: &CommandContext, args: &Reconcile) -> Result<ExitStatus> {
    let store = if args.simulate || args.show.is_some() {
        ctx.open().await?
    } else {
        ctx.open_to_change().await?
    };
    if let Some(run) = &args.show {
        ctx.print(&lines(&store.run_lines(run).await?), args.format);
        return Ok(ExitStatus::Yes);
    }
    if let Some(run) = &args.undo {
        let undone = store.undo_run(run, &ctx.by).await?;
        ctx.seal(&store).await;
        ctx.print_text("run-undone-done", &[("n", &ctx.locale.number(undone.reversed as u64))]);
        for account in &undone.changed_since {
            ctx.print_text("run-changed-since", &[("account", account)]);
        }
        print_line!("run: {run}");
        return Ok(ExitStatus::Yes);
    }
    // An output file that cannot be written fails before anything is changed, and a run to print is read before, too.
    if let Some(path) = &args.output {
        try_file(path).map_err(writing(path))?;
    }
    let units = store.units().await?;
    let done = match (&args.approve, args.as_of) {
        (Some(run), _) => store.approve_run(run, &ctx.by).await?,
        (None, Some(day)) => match (args.changed, args.simulate) {
            (false, false) => store.reconcile(day, &ctx.by).await?,
            (false, true) => store.simulate(day).await?,
            (true, false) => store.reconcile_changed(day, &ctx.by).await?,
            (true, true) => store.simulate_changed(day).await?,
        },
        (None, None) => return Err(CommandError::error_text("usage-day", &[])),
    };
    if let Some(why) = &done.widened {
        tell_widened(ctx, why);
    }
    if let Some(path) = &args.output {
        match done.run {
            Some(_) => drop(ctx.write_result(path, |to| decisions(&done).csv(to))),
            None => write_file(path, |to| decisions(&done).csv(to)).map_err(writing(path))?,
        }
    }
    print_plan(ctx, &done, &units);
    if let Some(run) = &done.run {
        print_line!("run: {run}");
        ctx.seal(&store).await;
    }
    if done.run.is_some() && !done.stopped_by.is_empty() {
        Ok(ExitStatus::NeedsApproval)
    } else {
        Ok(ExitStatus::Yes)
    }
}

/// Lists all runs, the newest first.
pub async fn runs(ctx: &CommandContext, format: Format) -> Result<ExitStatus> {
    let mut table = Table::new(&["run", "as_of", "state", "newly_held", "at", "by"]);
    for run in ctx.open().await?.runs().await? {
        let at = Timestamp::from_microsecond(run.at)
            .map(|at| at.to_string())
            .unwrap_or_default();
        table.push([run.id, run.as_of, run.state, run.newly_held.to_string(), at, run.by]);
    }
    ctx.print(&table, format);
    Ok(ExitStatus::Yes)
}

/// The lines of a run, applied or waiting: for each account its holds before and after, the reasons that differ, and the evidence for them.
fn lines(of: &[RunLine]) -> Table {
    let mut table = Table::new(&["account_id", "unit", "before", "after", "reason", "evidence"]);
    for line in of {
        match line {
            RunLine::Account(line) => {
                let differs = |hold: &&Hold| !line.before.contains(*hold) || !line.after.contains(*hold);
                let placed: Vec<&Hold> = line.after.iter().filter(differs).collect();
                let lifted = |hold: &&Hold| !line.after.iter().any(|has| has.key() == hold.key());
                let lifted: Vec<&Hold> = line.before.iter().filter(lifted).collect();
                let shown = placed.iter().chain(&lifted);
                let mut evidence: Vec<String> = placed.iter().map(|hold| facts(hold)).collect();
                evidence.extend(line.undecided.clone());
                evidence.extend(line.creates.iter().map(|new| format!("creates={}", new.unit)));
                evidence.extend(
                    (!line.writes_back.is_empty()).then(|| format!("writes_back={}", line.writes_back.join("+"))),
                );
                table.push([
                    line.account.to_string(),
                    line.unit.to_string(),
                    reasons(&line.before),
                    reasons(&line.after),
                    reasons(shown.copied()),
                    evidence.join("; "),
                ]);
            }
            RunLine::Newcomer(new) => table.push([
                String::new(),
                new.unit.to_string(),
                String::new(),
                reasons(&new.holds),
                "newcomer".to_owned(),
                format!("profile={}", new.profile),
            ]),
            RunLine::Made {
                account,
                username,
                unit,
                succeeds,
            } => {
                let username = username.iter().map(|name| format!("username={name}"));
                let succeeds: Vec<String> = username
                    .chain(succeeds.iter().map(|old| format!("succeeds={old}")))
                    .collect();
                table.push([
                    account.to_string(),
                    unit.to_string(),
                    String::new(),
                    String::new(),
                    "made".to_owned(),
                    succeeds.join(" "),
                ]);
            }
        }
    }
    table
}

/// Each reason once, sorted.
fn reasons<'a>(holds: impl IntoIterator<Item = &'a Hold>) -> String {
    let reasons: BTreeSet<Reason> = holds.into_iter().map(|hold| hold.reason).collect();
    reasons.into_iter().map(Reason::name).collect::<Vec<_>>().join(" ")
}

fn facts(hold: &Hold) -> String {
    let facts = hold.evidence.iter().map(|(name, value)| format!("{name}={value}"));
    facts.fold(hold.reason.name().to_owned(), |line, fact| format!("{line} {fact}"))
}

/// The decisions as `account_id,holds,creates`.
fn decisions(done: &RunOutcome) -> Table {
    let mut table = Table::new(&["account_id", "holds", "creates"]);
    for line in &done.plan.lines {
        let holds = match line.undecided {
            Some(_) => "undecided".to_owned(),
            None => names(line),
        };
        let creates = line
            .creates
            .as_ref()
            .map(|new| new.unit.to_string())
            .unwrap_or_default();
        table.push([line.account.to_string(), holds, creates]);
    }
    table
}

fn names(line: &PlanLine) -> String {
    let names: Vec<&str> = line.reasons().into_iter().map(Reason::name).collect();
    names.join(" ")
}

fn print_plan(ctx: &CommandContext, done: &RunOutcome, units: &UnitTree) {
    let locale = ctx.locale;
    let lines = &done.plan.lines;
    let count = |is: &dyn Fn(&PlanLine) -> bool| lines.iter().filter(|line| is(line)).count() as u64;
    let mut reasons: BTreeMap<Reason, [u64; 3]> = BTreeMap::new();
    for line in lines {
        let had: std::collections::BTreeSet<Reason> = line.before.iter().map(|hold| hold.reason).collect();
        for reason in line.reasons() {
            let row = reasons.entry(reason).or_default();
            row[2] += 1;
            row[0] += u64::from(!had.contains(&reason));
        }
        for reason in had.difference(&line.reasons()) {
            reasons.entry(*reason).or_default()[1] += 1;
        }
    }
    ctx.print_text(
        "run-day",
        &[
            ("day", &locale.day(done.as_of)),
            ("n", &locale.number(lines.len() as u64)),
        ],
    );
    let mut table = Table::new(&["reason", "placed", "lifted", "afterwards"]);
    for (reason, row) in reasons {
        let name = locale.text(&format!("hold-{reason}"));
        table.push(
            [format!("{name} ({reason})")]
                .into_iter()
                .chain(row.map(|n| locale.number(n))),
        );
    }
    ctx.print(&table, Format::Table);
    let newcomers = if done.plan.creates_newcomers {
        "run-newcomers-made"
    } else {
        "run-newcomers"
    };
    for (key, n) in [
        ("run-newly-held", count(&PlanLine::newly_held)),
        (
            "run-opened",
            count(&|line| !line.before.is_empty() && line.after.is_empty()),
        ),
        ("run-creates", count(&|line| line.creates.is_some())),
        ("run-writes-back", count(&|line| !line.writes_back.is_empty())),
        ("run-undecided", count(&|line| line.undecided.is_some())),
        (newcomers, done.plan.newcomers.len() as u64),
    ] {
        if n > 0 {
            ctx.print_text(key, &[("n", &locale.number(n))]);
        }
    }
    for brake in &done.stopped_by {
        tell_brake(ctx, done, units, brake);
    }
    match (&done.run, done.stopped_by.is_empty()) {
        (None, true) => ctx.print_text("run-simulated", &[]),
        (None, false) => ctx.print_text("run-simulated-stopped", &[]),
        (Some(_), true) => ctx.print_text("run-applied-done", &[]),
        (Some(run), false) => ctx.print_text("run-stopped", &[("run", run)]),
    }
}

/// Prints why a run that was asked for changes only compares all accounts.
fn tell_widened(ctx: &CommandContext, why: &FullRunReason) {
    match why {
        FullRunReason::FirstRun => ctx.print_text("run-widened-first", &[]),
        FullRunReason::OtherDay => ctx.print_text("run-widened-day", &[]),
        FullRunReason::Undone => ctx.print_text("run-widened-undone", &[]),
        FullRunReason::Setting(setting) => ctx.print_text("run-widened-setting", &[("setting", setting)]),
        FullRunReason::Load(table) => ctx.print_text("run-widened-load", &[("table", table)]),
        FullRunReason::Coverage => ctx.print_text("run-widened-coverage", &[]),
    }
}

fn tell_brake(ctx: &CommandContext, done: &RunOutcome, units: &UnitTree, brake: &Brake) {
    let locale = ctx.locale;
    let called = |unit: &UnitCode| {
        units
            .get(unit)
            .map_or_else(|| unit.to_string(), |known| known.name.clone())
    };
    let impact = &done.plan.impact;
    match brake {
        Brake::MassHold { limit } => {
            let most = impact.by_unit.iter().max_by_key(|(_, n)| **n);
            let (unit, n) = most.map(|(unit, n)| (called(unit), *n)).unwrap_or_default();
            let share = impact.newly_held * 1000 / impact.open.max(1);
            ctx.print_text(
                "brake-mass-hold",
                &[
                    ("held", &locale.number(impact.newly_held)),
                    ("lately", &locale.number(impact.held_lately)),
                    ("share", &locale.percent(share)),
                    ("limit", &locale.number(*limit)),
                    ("unit", &unit),
                    ("n", &locale.number(n)),
                ],
            );
        }
        Brake::Unit(unit) => ctx.print_text("brake-unit", &[("unit", &called(unit))]),
        Brake::Reason(reason) => {
            let name = locale.text(&format!("hold-{reason}"));
            ctx.print_text("brake-reason", &[("reason", &name)]);
        }
        Brake::AfterUndo => ctx.print_text("brake-after-undo", &[]),
        Brake::DayToCome => ctx.print_text("brake-day-to-come", &[("day", &locale.day(done.as_of))]),
    }
}
