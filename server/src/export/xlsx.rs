//! The digital report as a spreadsheet with a native chart.

use crate::i18n::Locale;
use ngomon_rules::citizens::CampaignGroup;
use ngomon_rules::hold::Reason;
use ngomon_store::{Goal, StaffLine, UnitFigures};
use rust_xlsxwriter::{Chart, ChartType, Format, Workbook, Worksheet, XlsxError};

const COLUMNS: [&str; 10] = [
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
];
/// The columns that the chart stacks.
const STACKED: [u16; 6] = [3, 5, 6, 7, 8, 9];
/// How many units the chart shows: the largest, without the whole province.
const CHARTED: usize = 12;

/// A cell of a sheet.
enum Cell {
    /// Written as text, so that a formula is harmless.
    Text(String),
    Number(u64),
    /// A part of a whole; a dash if the whole is zero.
    Share(Goal),
}

/// The report as the bytes of an `.xlsx`: the units, the units of each audience, the staff with HR profiles, and the reasons of locked
/// accounts.
pub fn report_xlsx(
    units: &[&UnitFigures],
    staff: &[StaffLine],
    title: &str,
    locale: Locale,
) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // The largest first, because the chart takes the first rows.
    let mut sorted = units.to_vec();
    sorted.sort_by(|a, b| {
        b.line
            .accounts
            .cmp(&a.line.accounts)
            .then(a.line.unit.cmp(&b.line.unit))
    });
    let rows: Vec<Vec<Cell>> = sorted.iter().map(|unit| counts(unit, locale)).collect();
    let heads = COLUMNS.map(|column| locale.text(&format!("column-{column}")));
    let main = locale.text("xlsx-sheet");
    write(book.add_worksheet(), &main, title, &heads, &rows)?;
    chart(&mut book, &main, title, rows.len(), locale)?;
    let by_audience: Vec<Vec<Cell>> = sorted.iter().flat_map(|unit| audiences(unit, locale)).collect();
    let heads = ["unit", "name", "audience", "due", "standardised", "share"];
    let heads = heads.map(|column| locale.text(&format!("column-{column}")));
    write(
        book.add_worksheet(),
        &locale.text("xlsx-audiences"),
        title,
        &heads,
        &by_audience,
    )?;
    let of_staff: Vec<Vec<Cell>> = staff.iter().map(|line| of_staff(line, locale)).collect();
    let heads = ["unit", "name", "staff", "standardised", "not_done", "share"];
    let heads = heads.map(|column| locale.text(&format!("column-{column}")));
    write(
        book.add_worksheet(),
        &locale.text("xlsx-staff"),
        title,
        &heads,
        &of_staff,
    )?;
    let held: Vec<Vec<Cell>> = sorted.iter().map(|unit| held(unit, locale)).collect();
    let heads: Vec<String> = ["column-unit", "column-name"].map(|key| locale.text(key)).into();
    let reasons = Reason::ALL.map(|reason| locale.text(&format!("hold-{reason}")));
    let heads: Vec<String> = heads.into_iter().chain(reasons).collect();
    write(book.add_worksheet(), &locale.text("xlsx-held"), title, &heads, &held)?;
    book.save_to_buffer()
}

/// The code and the name of a unit, or the text for an unknown unit.
fn named(code: &str, name: &str, locale: Locale) -> [Cell; 2] {
    let name = match code {
        "" => locale.text("unknown-unit"),
        _ => name.to_owned(),
    };
    [Cell::Text(code.to_owned()), Cell::Text(name)]
}

fn counts(unit: &UnitFigures, locale: Locale) -> Vec<Cell> {
    let line = &unit.line;
    let others = [line.pending, line.refused, line.held, line.not_started, line.exempt];
    let mut cells: Vec<Cell> = named(&line.unit, &line.name, locale).into();
    cells.extend([line.accounts, line.standardised].map(Cell::Number));
    cells.push(Cell::Share(unit.goal()));
    cells.extend(others.map(Cell::Number));
    cells
}

fn audiences(unit: &UnitFigures, locale: Locale) -> Vec<Vec<Cell>> {
    let of = unit.goals.iter().filter(|(_, goal)| goal.due > 0);
    let rows = of.map(|(audience, goal)| {
        let mut cells: Vec<Cell> = named(&unit.line.unit, &unit.line.name, locale).into();
        cells.push(Cell::Text(locale.text(match audience {
            CampaignGroup::Officials => "report-audience-officials",
            CampaignGroup::Citizens => "report-audience-citizens",
        })));
        cells.extend([goal.due, goal.standardised].map(Cell::Number));
        cells.push(Cell::Share(*goal));
        cells
    });
    rows.collect()
}

fn of_staff(line: &StaffLine, locale: Locale) -> Vec<Cell> {
    let mut cells: Vec<Cell> = named(&line.unit, &line.name, locale).into();
    cells.extend([line.staff, line.standardised, line.staff - line.standardised].map(Cell::Number));
    cells.push(Cell::Share(Goal {
        due: line.staff,
        standardised: line.standardised,
    }));
    cells
}

fn held(unit: &UnitFigures, locale: Locale) -> Vec<Cell> {
    let mut cells: Vec<Cell> = named(&unit.line.unit, &unit.line.name, locale).into();
    let n = |reason: Reason| unit.held.get(&reason).copied().unwrap_or_default();
    cells.extend(Reason::ALL.map(|reason| Cell::Number(n(reason))));
    cells
}

/// Writes a title, headings and rows.
fn write(
    sheet: &mut Worksheet,
    name: &str,
    title: &str,
    heads: &[String],
    rows: &[Vec<Cell>],
) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let heading = Format::new()
        .set_bold()
        .set_background_color(0x00E7_EDF3)
        .set_text_wrap();
    let percent = Format::new().set_num_format("0.0%");
    sheet.set_name(name)?;
    sheet.write_string_with_format(0, 0, title, &bold)?;
    for (at, head) in (0..).zip(heads) {
        sheet.write_string_with_format(2, at, head, &heading)?;
    }
    // Exact up to 2^53.
    #[allow(clippy::cast_precision_loss, reason = "a spreadsheet has no other numbers")]
    for (row, cells) in (3..).zip(rows) {
        for (at, cell) in (0..).zip(cells) {
            match cell {
                Cell::Text(text) => sheet.write_string(row, at, text)?,
                Cell::Number(n) => sheet.write_number(row, at, *n as f64)?,
                Cell::Share(goal) if goal.due == 0 => sheet.write_string(row, at, "–")?,
                Cell::Share(goal) => {
                    let share = goal.standardised as f64 / goal.due as f64;
                    sheet.write_number_with_format(row, at, share, &percent)?
                }
            };
        }
    }
    sheet.set_column_width(0, 14)?.set_column_width(1, 36)?;
    sheet.set_freeze_panes(3, 2)?;
    let last = 2 + u32::try_from(rows.len()).unwrap_or(u32::MAX - 2);
    let width = u16::try_from(heads.len()).unwrap_or(u16::MAX);
    sheet.autofilter(2, 0, last.max(3), width.saturating_sub(1))?;
    Ok(())
}

/// The chart of the largest units: a bar for each, stacked by the state of its accounts.
fn chart(book: &mut Workbook, sheet: &str, title: &str, rows: usize, locale: Locale) -> Result<(), XlsxError> {
    let last = 2 + u32::try_from(rows).unwrap_or(u32::MAX - 2);
    let first = if rows > 1 { 4 } else { 3 };
    let end = (first + u32::try_from(CHARTED).unwrap_or(12) - 1).min(last.max(first));
    let mut chart = Chart::new(ChartType::BarStacked);
    chart.title().set_name(title);
    for column in STACKED {
        chart
            .add_series()
            .set_categories((sheet, first, 1, end, 1))
            .set_values((sheet, first, column, end, column))
            .set_name((sheet, 2, column));
    }
    chart.set_width(760).set_height(480);
    let charts = book.add_worksheet();
    charts.set_name(locale.text("xlsx-chart"))?;
    charts.insert_chart(0, 0, &chart)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngomon_store::ReportLine;
    use std::io::{Cursor, Read as _};
    use zip::ZipArchive;

    /// The spreadsheet has a native chart, and unit names in it are no formulas.
    #[test]
    fn xlsx_report_has_native_chart_and_no_formulas() {
        let units = [("P", "Tỉnh", 30), ("A", "=HYPERLINK(1)", 20), ("", "", 10)].map(|(unit, name, accounts)| {
            let goal = Goal {
                due: accounts,
                standardised: accounts / 2,
            };
            UnitFigures {
                line: ReportLine {
                    unit: unit.into(),
                    name: name.into(),
                    accounts,
                    standardised: accounts / 2,
                    not_started: accounts / 2,
                    ..ReportLine::default()
                },
                goals: [(CampaignGroup::Officials, goal)].into(),
                held: [(Reason::Left, 7)].into(),
                ..UnitFigures::default()
            }
        });
        let staff = [StaffLine {
            unit: "P".into(),
            name: "Tỉnh".into(),
            staff: 8,
            standardised: 2,
        }];
        let bytes = report_xlsx(&units.each_ref(), &staff, "Báo cáo số", Locale::first()).unwrap();
        let mut file = ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert!(file.index_for_name("xl/charts/chart1.xml").is_some());
        let mut read = |part: &str| {
            let mut text = String::new();
            file.by_name(part).unwrap().read_to_string(&mut text).unwrap();
            text
        };
        let (texts, first) = (read("xl/sharedStrings.xml"), read("xl/worksheets/sheet1.xml"));
        assert!(texts.contains("=HYPERLINK(1)") && !first.contains("<f>"), "{first}");
        for said in [
            "Tỷ lệ",
            "Cán bộ, công chức, viên chức",
            "Đang công tác",
            "Đã thôi làm việc",
        ] {
            assert!(texts.contains(said), "{said}: {texts}");
        }
        assert!(first.contains("<v>0.5</v>"), "half of them: {first}");
        let (staff, held) = (read("xl/worksheets/sheet4.xml"), read("xl/worksheets/sheet5.xml"));
        assert!(
            staff.contains("<v>0.25</v>") && held.contains("<v>7</v>"),
            "{staff}\n{held}"
        );
    }
}
