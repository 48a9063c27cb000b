//! `ngomon report`: the digital report.

use super::{Desk, Done};
use crate::cli::{Report, ReportFormat};
use crate::failure::{Failure, Result, writing};
use crate::output::{Format, Table, report_xlsx, write_file};
use ngomon_rules::unit::UnitCode;
use ngomon_store::{ReportLine, StaffLine};
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

/// Prints the report.
pub async fn run(desk: &Desk, args: &Report) -> Result<Done> {
    let store = desk.open().await?;
    let day = args.as_of.unwrap_or_else(|| store.today());
    let unit = args.unit.clone().map(UnitCode);
    let format = match args.format {
        ReportFormat::Table => Format::Table,
        ReportFormat::Csv => Format::Csv,
        ReportFormat::Json => Format::Json,
        ReportFormat::Xlsx if args.staff => return Err(Failure::said("report-staff-xlsx", &[])),
        ReportFormat::Xlsx => {
            let lines = store.report(unit.as_ref(), day).await?;
            let title = desk.words.say_with("xlsx-title", &[("day", &desk.words.day(day))]);
            let bytes = report_xlsx(&lines, &title, desk.words)
                .map_err(|e| Failure::said("error-write", &[("path", "xlsx"), ("why", &e.to_string())]))?;
            return put(args, &bytes);
        }
    };
    let for_people = format == Format::Table;
    let table = if args.staff {
        staff(&store.staff_report(unit.as_ref(), day).await?, for_people)
    } else {
        citizens(&store.report(unit.as_ref(), day).await?, for_people)
    };
    match &args.output {
        Some(path) => write_file(path, |to| table.write(format, desk.words, to)).map_err(writing(path))?,
        None => desk.print(&table, format)?,
    }
    Ok(Done::Yes)
}

fn put(args: &Report, bytes: &[u8]) -> Result<Done> {
    match &args.output {
        Some(path) => write_file(path, |to| to.write_all(bytes)).map_err(writing(path))?,
        None if std::io::stdout().is_terminal() => return Err(Failure::said("report-xlsx-terminal", &[])),
        None => {
            let mut stdout = std::io::stdout().lock();
            let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
            written.map_err(|error| Failure::Write(PathBuf::from("-"), error))?;
        }
    }
    Ok(Done::Yes)
}

/// People see the names of the units, and only units that have accounts.
fn citizens(lines: &[ReportLine], for_people: bool) -> Table {
    let mut table = if for_people {
        Table::new(&[
            "unit",
            "name",
            "accounts",
            "standardised",
            "pending",
            "refused",
            "held",
            "not_started",
            "exempt",
        ])
    } else {
        Table::new(&[
            "unit",
            "accounts",
            "standardised",
            "pending",
            "refused",
            "held",
            "not_started",
            "exempt",
        ])
    };
    for line in lines.iter().filter(|line| !for_people || line.accounts > 0) {
        let names = [Some(line.unit.clone()), for_people.then(|| line.name.clone())];
        let counts = [
            line.accounts,
            line.standardised,
            line.pending,
            line.refused,
            line.held,
            line.not_started,
            line.exempt,
        ];
        table.push(names.into_iter().flatten().chain(counts.map(|n| n.to_string())));
    }
    table
}

fn staff(lines: &[StaffLine], for_people: bool) -> Table {
    let mut table = if for_people {
        Table::new(&["unit", "name", "staff", "standardised", "not_done"])
    } else {
        Table::new(&["unit", "staff", "standardised", "not_done"])
    };
    for line in lines.iter().filter(|line| !for_people || line.staff > 0) {
        let names = [Some(line.unit.clone()), for_people.then(|| line.name.clone())];
        let counts = [line.staff, line.standardised, line.staff - line.standardised];
        table.push(names.into_iter().flatten().chain(counts.map(|n| n.to_string())));
    }
    table
}
