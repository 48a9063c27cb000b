//! The downloads of a unit's figures: the same tables as the commands print, with names of units and translated headings.

use crate::app::App;
use crate::export::{Table, report_xlsx};
use crate::http::{ErrorPage, RequestContext, not_found};
use crate::i18n::Locale;
use crate::report::access::requested_unit;
use crate::report::figures_text::in_words;
use crate::report::snapshot::Snapshot;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use ngomon_rules::citizens::Outcome;
use ngomon_rules::hold::Reason;
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::Date;
use ngomon_store::{Goal, Result, StaffLine, UnitFigures};
use rust_xlsxwriter::XlsxError;

/// The file names.
pub const FILES: [&str; 6] = [
    "report.xlsx",
    "report.csv",
    "staff.csv",
    "days.csv",
    "holds.csv",
    "refusals.csv",
];

/// The media type of CSV.
pub const CSV: &str = "text/csv; charset=utf-8";
/// The media type of a spreadsheet.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Downloads one file.
pub async fn file(State(app): State<App>, ctx: RequestContext, Path((unit, file)): Path<(String, String)>) -> Response {
    let (ctx, snapshot, unit) = match requested_unit(&app, ctx, &unit).await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    let locale = ctx.locale;
    let name = named(&file, &unit, snapshot.figures.day);
    if file == "report.xlsx" {
        return match workbook(&snapshot, &unit, locale).await {
            Ok(Ok(bytes)) => attachment(XLSX, &name, bytes),
            Ok(Err(error)) => failed(&file, error),
            Err(error) => ErrorPage(locale, error).into_response(),
        };
    }
    match table(&snapshot, &unit, &file, locale).await {
        Ok(Some(table)) => {
            let mut bytes = Vec::new();
            match table.csv_in_words(locale, &mut bytes) {
                Ok(()) => attachment(CSV, &name, bytes),
                Err(error) => failed(&file, error),
            }
        }
        Ok(None) => not_found(ctx).await,
        Err(error) => ErrorPage(locale, error).into_response(),
    }
}

/// The name of the download, e.g. `report-HUE.X2-2023-07-15.csv`, so that several fit into one folder.
pub fn named(file: &str, unit: &UnitCode, day: Date) -> String {
    let (stem, kind) = file.split_once('.').unwrap_or((file, "csv"));
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || ".-_".contains(c) {
            c
        } else {
            '_'
        }
    };
    let unit: String = unit.as_str().chars().map(plain).collect();
    format!("{stem}-{unit}-{day}.{kind}")
}

async fn workbook(
    snapshot: &Snapshot,
    unit: &UnitCode,
    locale: Locale,
) -> Result<std::result::Result<Vec<u8>, XlsxError>> {
    let day = locale.day(snapshot.figures.day);
    let title = locale.text_with("xlsx-title", &[("day", &day)]);
    let staff = staff(snapshot, unit).await?;
    Ok(report_xlsx(
        &snapshot.figures.within(Some(unit)),
        &staff,
        &title,
        locale,
    ))
}

/// The staff of a unit and of all units below it.
async fn staff(snapshot: &Snapshot, unit: &UnitCode) -> Result<Vec<StaffLine>> {
    let figures = &snapshot.figures;
    let within = |code: &str| figures.tree.is_within(&UnitCode(code.to_owned()), unit, figures.day);
    let lines = snapshot.staff().await?.iter().filter(|line| within(&line.unit));
    Ok(lines.cloned().collect())
}

async fn table(snapshot: &Snapshot, unit: &UnitCode, file: &str, locale: Locale) -> Result<Option<Table>> {
    let figures = &snapshot.figures;
    Ok(Some(match file {
        "report.csv" => {
            let mut table = Table::new(&[
                "unit",
                "name",
                "accounts",
                "standardised",
                "share",
                "pending",
                "refused",
                "held",
                "not_started",
                "exempt",
            ]);
            for of in figures.within(Some(unit)) {
                let line = &of.line;
                let done = [line.accounts, line.standardised].map(|n| n.to_string());
                let others = [line.pending, line.refused, line.held, line.not_started, line.exempt];
                let row = [line.unit.clone(), line.name.clone()].into_iter().chain(done);
                let row = row.chain([in_words(of.goal(), locale)]);
                table.push(row.chain(others.map(|n| n.to_string())));
            }
            table
        }
        "staff.csv" => {
            let mut table = Table::new(&["unit", "name", "staff", "standardised", "not_done", "share"]);
            for line in staff(snapshot, unit).await? {
                let counts = [line.staff, line.standardised, line.staff - line.standardised];
                let goal = Goal {
                    due: line.staff,
                    standardised: line.standardised,
                };
                let row = [line.unit, line.name].into_iter().chain(counts.map(|n| n.to_string()));
                table.push(row.chain([in_words(goal, locale)]));
            }
            table
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
            "holds.csv" => holds(of, locale),
            _ => refusals(of, locale),
        }),
        _ => return Ok(None),
    }))
}

fn holds(of: &UnitFigures, locale: Locale) -> Table {
    let n = |reason: Reason| of.held.get(&reason).copied().unwrap_or_default();
    reasons(Reason::ALL.map(|reason| (locale.text(&format!("hold-{reason}")), n(reason))))
}

fn refusals(of: &UnitFigures, locale: Locale) -> Table {
    let n = |outcome: Outcome| of.refused.get(&outcome).copied().unwrap_or_default();
    reasons(Outcome::REFUSALS.map(|outcome| (locale.text(&format!("outcome-{}", outcome.name())), n(outcome))))
}

fn reasons<const N: usize>(counts: [(String, u64); N]) -> Table {
    let mut table = Table::new(&["reason", "accounts"]);
    for (reason, n) in counts {
        table.push([reason, n.to_string()]);
    }
    table
}

/// A file that the browser saves.
pub fn attachment(kind: &'static str, file: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{file}\"");
    let head = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (head, bytes).into_response()
}

/// The answer for a file that could not be made.
pub fn failed(file: &str, error: impl std::fmt::Display) -> Response {
    tracing::error!("{file}: {error}");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
