//! The figures of a unit as files: the same as the commands print.

use super::asked;
use super::board::Snapshot;
use crate::output::{Table, Words, report_table, report_xlsx, staff_table};
use crate::web::App;
use crate::web::asker::Asker;
use crate::web::page::{Fault, not_found};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use ngomon_rules::citizens::Outcome;
use ngomon_rules::hold::Reason;
use ngomon_rules::unit::UnitCode;
use ngomon_store::{Result, UnitFigures};

/// Their names.
pub const FILES: [&str; 6] = [
    "report.xlsx",
    "report.csv",
    "staff.csv",
    "days.csv",
    "holds.csv",
    "refusals.csv",
];

/// The kind of a CSV file.
pub const CSV: &str = "text/csv; charset=utf-8";
/// The kind of a spreadsheet.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// One of them.
pub async fn file(State(app): State<App>, asker: Asker, Path((unit, file)): Path<(String, String)>) -> Response {
    let (asker, snapshot, unit) = match asked(&app, asker, &unit).await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    let words = asker.words;
    if file == "report.xlsx" {
        return workbook(&snapshot, &unit, &file, words);
    }
    match table(&snapshot, &unit, &file).await {
        Ok(Some(table)) => {
            let mut bytes = Vec::new();
            match table.csv(&mut bytes) {
                Ok(()) => attachment(CSV, &file, bytes),
                Err(error) => failed(&file, error),
            }
        }
        Ok(None) => not_found(asker).await,
        Err(error) => Fault(words, error).into_response(),
    }
}

fn workbook(snapshot: &Snapshot, unit: &UnitCode, file: &str, words: Words) -> Response {
    let day = words.day(snapshot.figures.day);
    let title = words.say_with("xlsx-title", &[("day", &day)]);
    match report_xlsx(&snapshot.figures.report(unit), &title, words) {
        Ok(bytes) => attachment(XLSX, file, bytes),
        Err(error) => failed(file, error),
    }
}

async fn table(snapshot: &Snapshot, unit: &UnitCode, file: &str) -> Result<Option<Table>> {
    let figures = &snapshot.figures;
    Ok(Some(match file {
        "report.csv" => report_table(&figures.report(unit), false),
        "staff.csv" => {
            let within = |code: &str| figures.tree.is_within(&UnitCode(code.to_owned()), unit, figures.day);
            let lines = snapshot.staff().await?.iter().filter(|line| within(&line.unit));
            staff_table(&lines.cloned().collect::<Vec<_>>(), false)
        }
        "days.csv" => {
            let mut table = Table::new(&["day", "officials", "citizens", "refusals", "standardised"]);
            for day in snapshot.days(unit).await?.iter() {
                let counts = [day.officials, day.citizens, day.refusals, day.standardised];
                table.push(std::iter::once(day.day.to_string()).chain(counts.map(|n| n.to_string())));
            }
            table
        }
        "holds.csv" | "refusals.csv" => figures.of(unit.as_str()).map_or(reasons([]), |of| match file {
            "holds.csv" => holds(of),
            _ => refusals(of),
        }),
        _ => return Ok(None),
    }))
}

fn holds(of: &UnitFigures) -> Table {
    let n = |reason: Reason| of.held.get(&reason).copied().unwrap_or_default();
    reasons(Reason::ALL.map(|reason| (reason.name(), n(reason))))
}

fn refusals(of: &UnitFigures) -> Table {
    let n = |outcome: Outcome| of.refused.get(&outcome).copied().unwrap_or_default();
    reasons(Outcome::REFUSALS.map(|outcome| (outcome.name(), n(outcome))))
}

fn reasons<const N: usize>(counts: [(&str, u64); N]) -> Table {
    let mut table = Table::new(&["reason", "accounts"]);
    for (reason, n) in counts {
        table.push([reason.to_owned(), n.to_string()]);
    }
    table
}

/// A file to be kept.
pub fn attachment(kind: &'static str, file: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{file}\"");
    let head = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (head, bytes).into_response()
}

/// A file that could not be made.
pub fn failed(file: &str, error: impl std::fmt::Display) -> Response {
    eprintln!("ngomon: {file}: {error}");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
