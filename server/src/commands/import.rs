//! The command `ngomon import`: a file is checked, its health compared, its rows staged, and the load activated in one transaction.

use crate::cli::args::{Import, TableArg};
use crate::cli::error_text::{Result, writing};
use crate::cli::progress::Progress;
use crate::cli::stdout::print_line;
use crate::commands::context::{CommandContext, ExitStatus};
use crate::export::{Format, Table as Printed, try_file, write_file};
use crate::i18n::Locale;
use crate::security::password::is_useless;
use ngomon_feeds::{CheckedFile, Context, FileError, Record, Row, RowCounts, RowResult, Table, check_file};
use ngomon_rules::officials::UnreadableProfile;
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::records::AccountId;
use ngomon_rules::unit::UnitCode;
use ngomon_store::{HealthFault, LoadDecision, LoadRequest, OpenLoad, QuarantinedRow, Refusal, Store, StoreError};
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

/// Rows staged in one transaction, which takes 50 ms or less.
const BATCH: usize = 500;
/// How many half seconds an import waits for another one.
const PATIENCE: u32 = 60;

pub(crate) fn table_of(arg: TableArg) -> Table {
    match arg {
        TableArg::Units => Table::Units,
        TableArg::Registry => Table::Registry,
        TableArg::Citizens => Table::Citizens,
        TableArg::Officials => Table::Officials,
        TableArg::Profiles => Table::Profiles,
        TableArg::Notices => Table::Notices,
    }
}

/// Imports a file.
#[allow(clippy::too_many_lines, reason = "one step after the other, each with what it says")]
pub async fn run(ctx: &CommandContext, args: &Import) -> Result<ExitStatus> {
    let table = table_of(args.table);
    // A missing file creates no data directory.
    let size = match std::fs::metadata(&args.file) {
        Ok(about) if about.is_dir() => return Err(FileError::IsDirectory(args.file.clone()).into()),
        Ok(about) => about.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(FileError::NotFound(args.file.clone()).into());
        }
        Err(source) => {
            let path = args.file.clone();
            return Err(FileError::Io { path, source }.into());
        }
    };
    if let Some(path) = &args.report {
        try_file(path).map_err(writing(path))?;
    }
    let store = ctx.open_or_create().await?;
    let units = store.units().await?;
    if table != Table::Units && units.is_empty() {
        return Err(StoreError::from(Refusal::NoUnits).into());
    }
    let as_of = args.as_of.unwrap_or_else(|| store.today());
    let full = args
        .full
        .as_ref()
        .map(|unit| unit.as_ref().map(|unit| UnitCode(unit.clone())));
    if let Some(Some(unit)) = &full
        && units.get(unit).is_none()
    {
        return Err(StoreError::from(Refusal::UnknownUnit(unit.to_string())).into());
    }
    let context = Context { units: &units, as_of };
    let bar = Progress::bytes(size, ctx.locale.text("progress-read"));
    let judged = check_file(table, &args.file, &context, &mut |bytes| bar.set(bytes))?;
    drop(bar);
    let here = already_here(&store, &judged, &context).await?;
    let counts = &judged.judgement().counts;
    if args.simulate {
        report(args, &judged, &context, &here)?;
        summary(ctx, counts, &here);
        would_wait(ctx, args, counts);
        let mut remarks = Remarks::default();
        for row in judged.rows(&context)? {
            remarks.add(&row?, ctx.locale);
        }
        remarks.print(ctx);
        ctx.print_text("import-simulated", &[]);
        return Ok(ExitStatus::Yes);
    }
    let rows = match &full {
        Some(Some(unit)) => rows_within(&judged, &context, unit)?,
        _ => counts.rows,
    };
    let incoming = LoadRequest {
        table: table.name(),
        digest: judged.judgement().digest.clone(),
        rows,
        unreadable: counts.unreadable(),
        as_of,
        by: ctx.by.clone(),
        full,
        units: unit_codes(table, &judged, &context)?,
    };
    match begin(ctx, &store, incoming, args.approve.as_deref()).await? {
        LoadDecision::NeedsApproval { load, faults } => {
            // The load waits for approval even if the report fails.
            if let Err(failure) = report(args, &judged, &context, &here) {
                ctx.warn("open-part", &[("why", &failure.for_people(ctx.locale))]);
            }
            summary(ctx, counts, &here);
            would_wait(ctx, args, counts);
            print_line!("load: {load}");
            for fault in &faults {
                ctx.tell_fault(fault);
            }
            let file = args.file.display().to_string();
            ctx.print_text(
                "import-needs-approval",
                &[("table", table.name()), ("file", &file), ("load", &load)],
            );
            Ok(ExitStatus::NeedsApproval)
        }
        LoadDecision::Open(mut load) => {
            let staged = stage(ctx, args, &judged, &context, &here, &mut load).await;
            let remarks = match staged {
                Ok(remarks) => remarks,
                Err(failure) => {
                    // Return the first failure. What cannot be cleaned up now is cleaned up by the next import.
                    load.abort().await.ok();
                    return Err(failure);
                }
            };
            let id = load.finish().await?;
            summary(ctx, counts, &here);
            if counts.unreadable() > 0 {
                let n = ctx.locale.number(counts.unreadable());
                ctx.print_text("import-rows-wait", &[("n", &n), ("table", table.name())]);
            }
            print_line!("load: {id}");
            remarks.print(ctx);
            if table == Table::Registry {
                match store.retry_pending(&ctx.by).await {
                    Ok(0) => {}
                    Ok(answered) => ctx.print_text("import-pending-answered", &[("n", &ctx.locale.number(answered))]),
                    // The server retries by itself, and so does the next import of the registry.
                    Err(error) => ctx.warn("open-pending", &[("why", &error.to_string())]),
                }
            }
            ctx.seal(&store).await;
            Ok(ExitStatus::Yes)
        }
    }
}

impl CommandContext {
    fn tell_fault(&self, fault: &HealthFault) {
        match fault {
            HealthFault::FewerRows { before, now } => self.print_text(
                "health-fewer-rows",
                &[
                    ("before", &self.locale.number(*before)),
                    ("now", &self.locale.number(*now)),
                ],
            ),
            HealthFault::MoreUnreadable { before, now } => self.print_text(
                "health-more-unreadable",
                &[
                    ("before", &self.locale.percent(*before)),
                    ("now", &self.locale.percent(*now)),
                ],
            ),
            HealthFault::EarlierDay { last, now } => self.print_text(
                "health-earlier-day",
                &[("last", &self.locale.day(*last)), ("now", &self.locale.day(*now))],
            ),
            HealthFault::DayToCome(day) => self.print_text("health-day-to-come", &[("day", &self.locale.day(*day))]),
            HealthFault::UnitsMissing(units) => {
                self.print_text(
                    "health-units-missing",
                    &[("n", &self.locale.number(units.len() as u64))],
                );
                for unit in units {
                    print_line!("  {unit}");
                }
            }
        }
    }
}

/// Begins the load; waits while another import is running.
async fn begin(
    ctx: &CommandContext,
    store: &Store,
    incoming: LoadRequest,
    approve: Option<&str>,
) -> Result<LoadDecision> {
    let mut ticks = tokio::time::interval(Duration::from_millis(500));
    for waited in 0..PATIENCE {
        ticks.tick().await;
        match store.begin_load(incoming.clone(), approve).await {
            Err(StoreError::Refused(Refusal::ImportAtWork)) => {
                if waited == 0 {
                    ctx.warn("import-waits", &[]);
                }
            }
            begun => return Ok(begun?),
        }
    }
    Err(StoreError::from(Refusal::ImportAtWork).into())
}

/// The number of rows that belong to that unit or to one below it, for an extract that is complete for the unit.
fn rows_within(judged: &CheckedFile, context: &Context<'_>, top: &UnitCode) -> Result<u64> {
    let mut n = 0;
    for row in judged.rows(context)? {
        if let Some(Record::Profile(profile)) = row?.record
            && context.units.is_within(&profile.unit, top, context.as_of)
        {
            n += 1;
        }
    }
    Ok(n)
}

/// The codes in a file of units.
fn unit_codes(table: Table, judged: &CheckedFile, context: &Context<'_>) -> Result<BTreeSet<UnitCode>> {
    let mut codes = BTreeSet::new();
    if table != Table::Units {
        return Ok(codes);
    }
    for row in judged.rows(context)? {
        if let Some(Record::Unit(unit)) = row?.record {
            codes.insert(unit.code);
        }
    }
    Ok(codes)
}

/// Rows to be staged in the next transaction.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    waiting: Vec<QuarantinedRow>,
}

impl Batch {
    fn take(&mut self, row: Row) {
        match (row.result, row.record) {
            (RowResult::Read | RowResult::Repaired(_), Some(record)) => self.records.push(record),
            // A repeated row changes nothing.
            (RowResult::Quarantined(QuarantineReason::DuplicateRow), _) => {}
            (RowResult::Quarantined(reason), _) => self.waiting.push(QuarantinedRow {
                row: row.number.to_string(),
                reason,
                hints: UnreadableProfile {
                    employee_code: row.hints.employee_code,
                    national_id: row.hints.national_id,
                    person_key: row.hints.person_key,
                },
                cells: row.raw.into_iter().collect(),
            }),
            _ => {}
        }
    }

    fn is_full(&self) -> bool {
        self.records.len() + self.waiting.len() >= BATCH
    }

    async fn send(&mut self, load: &mut OpenLoad) -> Result<()> {
        let (mut units, mut registry, mut accounts) = (Vec::new(), Vec::new(), Vec::new());
        let (mut profiles, mut notices) = (Vec::new(), Vec::new());
        for record in self.records.drain(..) {
            match record {
                Record::Unit(unit) => units.push(unit),
                Record::Registry(record) => registry.push(*record),
                Record::Account(account) => accounts.push(*account),
                Record::Profile(profile) => profiles.push(*profile),
                Record::Notice(notice) => notices.push(notice),
            }
        }
        if !units.is_empty() {
            load.units(units).await?;
        }
        if !registry.is_empty() {
            load.registry(registry).await?;
        }
        if !accounts.is_empty() {
            load.accounts(accounts).await?;
        }
        if !profiles.is_empty() {
            load.profiles(profiles).await?;
        }
        if !notices.is_empty() {
            load.notices(notices).await?;
        }
        if !self.waiting.is_empty() {
            load.quarantined(std::mem::take(&mut self.waiting)).await?;
        }
        Ok(())
    }
}

/// Remarks on single rows for the operator who imports a file.
#[derive(Default)]
struct Remarks {
    /// Accounts whose password hash can match no password here: they are imported, but nobody can sign in with it.
    useless_hashes: RemarkedRows,
    /// Rows in quarantine because of an impossible year.
    far_years: RemarkedRows,
}

/// The number of rows with one remark, and the names of the first ones.
#[derive(Default)]
struct RemarkedRows {
    n: u64,
    first: Vec<String>,
}

impl RemarkedRows {
    fn add(&mut self, name: impl FnOnce() -> String) {
        /// How many rows are named.
        const MOST: usize = 20;
        self.n += 1;
        if self.first.len() < MOST {
            self.first.push(name());
        }
    }

    fn print(&self, ctx: &CommandContext, key: &str, names: &'static str, between: &str) {
        if self.n > 0 {
            let mut first = self.first.join(between);
            if self.n > self.first.len() as u64 {
                first += between;
                first += "…";
            }
            ctx.print_text(key, &[("n", &ctx.locale.number(self.n)), (names, &first)]);
        }
    }
}

impl Remarks {
    fn add(&mut self, row: &Row, locale: Locale) {
        let number = || row.number.to_string();
        if let Some(column) = row.impossible_year {
            let cell = || locale.text_with("import-cell", &[("row", &number()), ("column", column)]);
            self.far_years.add(cell);
        }
        let hash = match &row.record {
            Some(Record::Account(account)) => account.password_hash.as_deref(),
            _ => None,
        };
        if hash.is_some_and(is_useless) {
            self.useless_hashes.add(number);
        }
    }

    fn print(&self, ctx: &CommandContext) {
        self.far_years.print(ctx, "import-far-years", "cells", "; ");
        self.useless_hashes.print(ctx, "import-useless-hashes", "rows", ", ");
    }
}

/// Reads the file again, stages its rows and writes the report.
async fn stage(
    ctx: &CommandContext,
    args: &Import,
    judged: &CheckedFile,
    context: &Context<'_>,
    here: &HashSet<u64>,
    load: &mut OpenLoad,
) -> Result<Remarks> {
    let bar = Progress::rows(judged.judgement().counts.rows, ctx.locale.text("progress-take-in"));
    let (mut batch, mut remarks) = (Batch::default(), Remarks::default());
    for row in judged.rows(context)? {
        let row = row?;
        bar.set(row.number);
        remarks.add(&row, ctx.locale);
        batch.take(row);
        if batch.is_full() {
            batch.send(load).await?;
        }
    }
    batch.send(load).await?;
    report(args, judged, context, here)?;
    Ok(remarks)
}

/// The rows of accounts that exist already. Such an account is not changed, so its row does not count as repaired.
async fn already_here(store: &Store, judged: &CheckedFile, context: &Context<'_>) -> Result<HashSet<u64>> {
    let mut here = HashSet::new();
    let no_account = !store.has_accounts().await?;
    if judged.judgement().counts.repaired == 0 || no_account {
        return Ok(here);
    }
    let mut asked: Vec<(u64, AccountId)> = Vec::new();
    let mut rows = judged.rows(context)?;
    loop {
        let row = rows.next().transpose()?;
        let at_end = row.is_none();
        if let Some(Row {
            number,
            result: RowResult::Repaired(_),
            record: Some(Record::Account(account)),
            ..
        }) = row
        {
            asked.push((number, account.account));
        }
        if asked.len() >= BATCH || (at_end && !asked.is_empty()) {
            let ids: Vec<AccountId> = asked.iter().map(|(_, id)| id.clone()).collect();
            let known = store.known_accounts(&ids).await?;
            let found = asked.drain(..).filter(|(_, id)| known.contains(id));
            here.extend(found.map(|(row, _)| row));
        }
        if at_end {
            return Ok(here);
        }
    }
}

/// Writes the report: one line per row of the file.
fn report(args: &Import, judged: &CheckedFile, context: &Context<'_>, here: &HashSet<u64>) -> Result<()> {
    let Some(path) = &args.report else { return Ok(()) };
    let mut refused = None;
    let written = write_file(path, |to| {
        let mut lines = csv::Writer::from_writer(to);
        lines.write_record(["row", "result", "detail"])?;
        let rows = judged.rows(context).map_err(|error| {
            refused = Some(error);
            std::io::Error::other("refused")
        })?;
        for row in rows {
            let row = row.map_err(|error| {
                refused = Some(error);
                std::io::Error::other("refused")
            })?;
            let result = if here.contains(&row.number) {
                RowResult::Read
            } else {
                row.result
            };
            let (result, detail) = result.words();
            lines.write_record([&row.number.to_string(), result, &detail])?;
        }
        lines.flush()
    });
    match refused {
        Some(error) => Err(error.into()),
        None => written.map_err(writing(path)),
    }
}

/// Only the file's report lists the rows that were not imported; hints at it if no report was requested.
fn would_wait(ctx: &CommandContext, args: &Import, counts: &RowCounts) {
    if counts.unreadable() > 0 && args.report.is_none() {
        ctx.print_text(
            "import-rows-would-wait",
            &[("n", &ctx.locale.number(counts.unreadable()))],
        );
    }
}

fn summary(ctx: &CommandContext, counts: &RowCounts, here: &HashSet<u64>) {
    let left = here.len() as u64;
    let locale = ctx.locale;
    let mut table = Printed::new(&["result", "rows"]);
    for (key, n) in [
        ("row-read", counts.read + left),
        ("row-repaired", counts.repaired - left),
        ("row-superseded", counts.superseded),
    ] {
        table.push([locale.text(key), locale.number(n)]);
    }
    for (reason, n) in &counts.by_reason {
        let name = locale.text(&format!("quarantine-{}", reason.name()));
        table.push([
            locale.text_with("row-quarantined", &[("reason", &name)]),
            locale.number(*n),
        ]);
    }
    table.push([locale.text("row-all"), locale.number(counts.rows)]);
    ctx.print(&table, Format::Table);
}
