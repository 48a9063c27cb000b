//! `ngomon report`: the digital report.

use super::{Desk, Done};
use crate::cli::{Report, ReportFormat};
use crate::failure::{Failure, Result, writing};
use crate::output::{Format, report_table, report_xlsx, staff_table, write_file};
use ngomon_rules::unit::UnitCode;
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
        staff_table(&store.staff_report(unit.as_ref(), day).await?, for_people)
    } else {
        report_table(&store.report(unit.as_ref(), day).await?, for_people)
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
