//! The command `ngomon report`: the digital report.

use crate::cli::args::{Report, ReportFormat};
use crate::cli::error_text::{CommandError, Result, writing};
use crate::cli::stdout::Stdout;
use crate::commands::context::{CommandContext, ExitStatus};
use crate::export::{Format, report_table, report_xlsx, staff_table, write_file};
use ngomon_rules::unit::UnitCode;
use std::io::{IsTerminal as _, Write as _};

/// Prints the report.
pub async fn run(ctx: &CommandContext, args: &Report) -> Result<ExitStatus> {
    let store = ctx.open().await?;
    let day = args.as_of.unwrap_or_else(|| store.today());
    let unit = args.unit.clone().map(UnitCode);
    let format = match args.format {
        ReportFormat::Table => Format::Table,
        ReportFormat::Csv => Format::Csv,
        ReportFormat::Json => Format::Json,
        ReportFormat::Xlsx if args.staff => return Err(CommandError::error_text("report-staff-xlsx", &[])),
        ReportFormat::Xlsx => {
            let (figures, staff) = (store.figures(day).await?, store.staff_report(unit.as_ref(), day).await?);
            let title = ctx.locale.text_with("xlsx-title", &[("day", &ctx.locale.day(day))]);
            let bytes = report_xlsx(&figures.within(unit.as_ref()), &staff, &title, ctx.locale)
                .map_err(|e| CommandError::error_text("error-write", &[("path", "xlsx"), ("why", &e.to_string())]))?;
            return put(args, &bytes);
        }
    };
    let for_people = format == Format::Table;
    let no_unit = ctx.locale.text("report-no-unit");
    let table = if args.staff {
        let mut lines = store.staff_report(unit.as_ref(), day).await?;
        if for_people {
            lines.sort_by_cached_key(|line| place(&line.unit, unit.as_ref()));
            let rest = lines.iter_mut().filter(|line| line.unit.is_empty());
            rest.for_each(|line| line.name.clone_from(&no_unit));
        }
        staff_table(&lines, for_people)
    } else {
        let mut lines = store.report(unit.as_ref(), day).await?;
        if for_people {
            lines.sort_by_cached_key(|line| place(&line.unit, unit.as_ref()));
            let rest = lines.iter_mut().filter(|line| line.unit.is_empty());
            rest.for_each(|line| line.name.clone_from(&no_unit));
        }
        report_table(&lines, for_people)
    };
    match &args.output {
        Some(path) => write_file(path, |to| table.write(format, ctx.locale, to)).map_err(writing(path))?,
        None => ctx.print(&table, format),
    }
    Ok(ExitStatus::Yes)
}

/// The sort key of a unit: first the requested unit, then the others by code, last the accounts without a unit.
fn place(unit: &str, asked: Option<&UnitCode>) -> (bool, bool, String) {
    let is_asked = asked.is_some_and(|code| code.as_str() == unit);
    (unit.is_empty(), !is_asked, unit.to_owned())
}

fn put(args: &Report, bytes: &[u8]) -> Result<ExitStatus> {
    match &args.output {
        Some(path) => write_file(path, |to| to.write_all(bytes)).map_err(writing(path))?,
        None if std::io::stdout().is_terminal() => return Err(CommandError::error_text("report-xlsx-terminal", &[])),
        // An output error is reported at the end of the command.
        None => drop(Stdout.write_all(bytes)),
    }
    Ok(ExitStatus::Yes)
}
