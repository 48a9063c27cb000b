//! The digital report as a spreadsheet with a native chart.

use super::language::Words;
use ngomon_store::ReportLine;
use rust_xlsxwriter::{Chart, ChartType, Format, Workbook, XlsxError};

const COLUMNS: [&str; 9] = [
    "unit",
    "name",
    "accounts",
    "standardised",
    "pending",
    "refused",
    "held",
    "not_started",
    "exempt",
];
/// Of the columns: those that the chart stacks, from `standardised` to `exempt`.
const STACKED: std::ops::RangeInclusive<u16> = 3..=8;
/// Units that the chart shows: the largest, the whole province left aside.
const CHARTED: usize = 12;

/// The report as the bytes of an `.xlsx`. Texts are written as texts, so that formulas are harmless.
pub fn report_xlsx(lines: &[ReportLine], title: &str, words: Words) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let bold = Format::new().set_bold();
    let heading = Format::new()
        .set_bold()
        .set_background_color(0x00E7_EDF3)
        .set_text_wrap();
    let sheet = book.add_worksheet();
    sheet.set_name(words.say("xlsx-sheet"))?;
    sheet.write_string_with_format(0, 0, title, &bold)?;
    for (at, column) in (0..).zip(COLUMNS) {
        sheet.write_string_with_format(2, at, words.say(&format!("column-{column}")), &heading)?;
    }
    // The largest first, so that the chart takes the first rows.
    let mut sorted: Vec<&ReportLine> = lines.iter().collect();
    sorted.sort_by(|a, b| b.accounts.cmp(&a.accounts).then(a.unit.cmp(&b.unit)));
    for (row, line) in (3..).zip(&sorted) {
        sheet.write_string(row, 0, &line.unit)?;
        let name = if line.unit.is_empty() {
            words.say("unknown-unit")
        } else {
            line.name.clone()
        };
        sheet.write_string(row, 1, name)?;
        let counts = [
            line.accounts,
            line.standardised,
            line.pending,
            line.refused,
            line.held,
            line.not_started,
            line.exempt,
        ];
        for (column, n) in (2..).zip(counts) {
            // Exact up to 2^53.
            #[allow(clippy::cast_precision_loss, reason = "a spreadsheet has no other numbers")]
            sheet.write_number(row, column, n as f64)?;
        }
    }
    let last = 2 + u32::try_from(sorted.len()).unwrap_or(u32::MAX - 2);
    sheet.set_column_width(0, 14)?.set_column_width(1, 36)?;
    sheet.set_freeze_panes(3, 2)?;
    sheet.autofilter(2, 0, last.max(3), 8)?;

    let first = if sorted.len() > 1 { 4 } else { 3 };
    let end = (first + u32::try_from(CHARTED).unwrap_or(12) - 1).min(last.max(first));
    let mut chart = Chart::new(ChartType::BarStacked);
    chart.title().set_name(title);
    let name = words.say("xlsx-sheet");
    for column in STACKED {
        chart
            .add_series()
            .set_categories((name.as_str(), first, 1, end, 1))
            .set_values((name.as_str(), first, column, end, column))
            .set_name((name.as_str(), 2, column));
    }
    chart.set_width(760).set_height(480);
    let charts = book.add_worksheet();
    charts.set_name(words.say("xlsx-chart"))?;
    charts.insert_chart(0, 0, &chart)?;
    book.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    /// Python's own zip reader looks into the file.
    const LOOK: &str = "import sys, io, zipfile\n\
        z = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))\n\
        print('\\n'.join(z.namelist()))\n\
        print(z.read('xl/sharedStrings.xml').decode())\n\
        print(z.read('xl/worksheets/sheet1.xml').decode())";

    #[test]
    fn the_report_has_a_native_chart_and_harmless_names() {
        let lines =
            [("P", "Tỉnh", 30), ("A", "=HYPERLINK(1)", 20), ("", "", 10)].map(|(unit, name, accounts)| ReportLine {
                unit: unit.into(),
                name: name.into(),
                accounts,
                standardised: accounts / 2,
                not_started: accounts / 2,
                ..ReportLine::default()
            });
        let bytes = report_xlsx(&lines, "Báo cáo số", Words::of_locale(|_| None)).unwrap();
        let mut python = Command::new("python3")
            .args(["-c", LOOK])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        python.stdin.take().unwrap().write_all(&bytes).unwrap();
        let out = python.wait_with_output().unwrap();
        let seen = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.success());
        assert!(seen.contains("xl/charts/chart1.xml"), "{seen}");
        assert!(seen.contains("=HYPERLINK(1)") && !seen.contains("<f>"), "{seen}");
    }
}
