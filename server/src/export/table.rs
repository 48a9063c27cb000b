//! Tables: aligned for people, CSV and JSON for scripts. Formulas are harmless in all of them.

use crate::i18n::{Locale, capital};
use clap::ValueEnum;
use jiff::Timestamp;
use ngomon_rules::values::Date;
use ngomon_store::private;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The output format of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned, with headings in words.
    Table,
    /// RFC 4180, with the column names for scripts.
    Csv,
    /// An array of objects.
    Json,
}

/// A table of text. The columns have names for scripts; people see the messages `column-…`.
pub struct Table {
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(columns: &'static [&'static str]) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, row: impl IntoIterator<Item = String>) {
        self.rows.push(row.into_iter().collect());
    }

    /// The column names for scripts.
    pub(crate) fn columns(&self) -> &[&str] {
        self.columns
    }

    /// The rows.
    pub(crate) fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// Writes the table in a format.
    pub fn write(&self, format: Format, locale: Locale, to: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Csv => self.csv(to),
            Format::Json => self.json(to),
            Format::Table => self.aligned(locale, to),
        }
    }

    /// Writes the table as CSV.
    pub fn csv(&self, to: &mut dyn Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(to);
        writer.write_record(self.columns)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| harmless(cell)))?;
        }
        writer.flush()
    }

    /// Writes CSV for people: headings and days in words, and a byte order mark, from which spreadsheets recognise UTF-8.
    pub fn csv_in_words(&self, locale: Locale, to: &mut dyn Write) -> io::Result<()> {
        to.write_all("\u{feff}".as_bytes())?;
        let mut writer = csv::Writer::from_writer(to);
        writer.write_record(self.headings(locale))?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| harmless(&for_people(cell, locale))))?;
        }
        writer.flush()
    }

    fn json(&self, to: &mut dyn Write) -> io::Result<()> {
        let object = |row: &Vec<String>| {
            let cells = self.columns.iter().zip(row);
            let cells = cells.map(|(column, cell)| ((*column).to_owned(), value(column, cell)));
            serde_json::Value::Object(cells.collect())
        };
        let rows: Vec<serde_json::Value> = self.rows.iter().map(object).collect();
        serde_json::to_writer_pretty(&mut *to, &rows)?;
        writeln!(to)
    }

    /// The headings for people. Some of these words also occur within sentences, where they begin with a small letter.
    fn headings(&self, locale: Locale) -> impl Iterator<Item = String> {
        self.columns
            .iter()
            .map(move |column| capital(&locale.text(&format!("column-{column}"))))
    }

    fn aligned(&self, locale: Locale, to: &mut dyn Write) -> io::Result<()> {
        let headings: Vec<String> = self.headings(locale).collect();
        let read = |row: &Vec<String>| row.iter().map(|cell| for_people(cell, locale)).collect();
        let rows: Vec<Vec<String>> = self.rows.iter().map(read).collect();
        let width = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at)).chain(headings.get(at));
            cells.map(|cell| shown(cell)).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let numeric = |at: usize| {
            let mut cells = rows
                .iter()
                .filter_map(|row| row.get(at))
                .filter(|cell| !cell.is_empty())
                .peekable();
            cells.peek().is_some() && cells.all(|cell| is_number(cell))
        };
        let numbers: Vec<bool> = (0..self.columns.len()).map(numeric).collect();
        let rule: Vec<String> = widths.iter().map(|w| "─".repeat(*w)).collect();
        for line in [&headings, &rule].into_iter().chain(&rows) {
            let mut text = String::new();
            for (at, cell) in line.iter().enumerate() {
                let pad = " ".repeat(widths[at].saturating_sub(shown(cell)));
                let cell: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                text += &if numbers[at] {
                    format!("{pad}{cell}  ")
                } else {
                    format!("{cell}{pad}  ")
                };
            }
            writeln!(to, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

/// Days and instants in words for people; scripts get the stored form.
fn for_people(cell: &str, locale: Locale) -> String {
    if let Ok(at) = cell.parse::<Timestamp>() {
        return locale.instant(at.as_microsecond());
    }
    match cell.parse::<Date>() {
        Ok(day) if cell.len() == 10 => locale.day(day),
        _ => cell.to_owned(),
    }
}

/// Whether the cell is digits with separators of thousands.
fn is_number(cell: &str) -> bool {
    let mut groups = cell.split(['.', ',']);
    let digits = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    groups.next().is_some_and(digits) && groups.all(|group| group.len() == 3 && digits(group))
}

/// Columns of counts are numbers in JSON.
fn value(column: &str, cell: &str) -> serde_json::Value {
    const COUNTS: [&str; 9] = [
        "accounts",
        "standardised",
        "pending",
        "refused",
        "held",
        "not_started",
        "exempt",
        "staff",
        "not_done",
    ];
    match cell.parse::<u64>() {
        Ok(n) if COUNTS.contains(&column) => n.into(),
        _ => cell.into(),
    }
}

/// The width of a text in terminal columns; combining marks have none.
fn shown(text: &str) -> usize {
    text.chars()
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}'))
        .count()
}

/// A cell that a spreadsheet would take for a formula is turned into plain text (OWASP, CSV injection).
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// Checks that a file of that name can be written, before anything is changed; leaves nothing behind.
pub fn try_file(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let (part, file) = part_of(path)?;
    drop(file);
    fs::remove_file(part)
}

fn part_of(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    private::create(&part).map(|file| (part, file))
}

/// Writes a file completely or not at all.
pub fn write_file(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (part, file) = part_of(path)?;
    let mut file = BufWriter::new(file);
    let written = fill(&mut file).and_then(|()| {
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&part, path)
    });
    if written.is_err() {
        fs::remove_file(&part).ok();
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: Format) -> String {
        let mut table = Table::new(&["account_id", "accounts"]);
        table.push(["=1+1".to_owned(), "12".to_owned()]);
        table.push(["Huế, \"cũ\"".to_owned(), "3".to_owned()]);
        let mut out = Vec::new();
        table.write(format, Locale::of_locale(|_| None), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// CSV is quoted as scripts expect it, and formulas are escaped.
    #[test]
    fn csv_output_quotes_cells_and_escapes_formulas() {
        assert_eq!(
            printed(Format::Csv),
            "account_id,accounts\n'=1+1,12\n\"Huế, \"\"cũ\"\"\",3\n"
        );
        for bad in ["+cmd", "-1", "@x", "\tx", "\rx"] {
            assert!(harmless(bad).starts_with('\''));
        }
        assert_eq!(harmless("2023-07-31"), "2023-07-31");
    }

    /// Counts are numbers in JSON.
    #[test]
    fn json_output_has_counts_as_numbers() {
        assert!(printed(Format::Json).contains("\"accounts\": 12"));
    }

    /// The columns of a table for people are aligned.
    #[test]
    fn table_output_aligns_columns() {
        let text = printed(Format::Table);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[2].ends_with("12") && lines[3].ends_with(" 3"));
        assert_eq!(shown(lines[2]), shown(lines[3]));
    }

    /// People read days in their language, scripts read them in ISO form.
    #[test]
    fn days_localised_in_tables_and_iso_in_csv_and_json() {
        let mut table = Table::new(&["account_id", "page"]);
        table.push(["HS1".to_owned(), "2023-07-19".to_owned()]);
        let of = |format, tag| {
            let mut out = Vec::new();
            table.write(format, Locale::of_tag(tag).unwrap(), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(of(Format::Table, "vi").contains("19/7/2023") && of(Format::Table, "en").contains("19 July 2023"));
        assert!(of(Format::Csv, "vi").contains("2023-07-19") && of(Format::Json, "en").contains("2023-07-19"));
        assert_eq!(
            for_people("2023-07-19T09:30:00Z", Locale::first()),
            "16:30 ngày 19/7/2023"
        );
        for text in ["20230719", "2023-07-19T08:00:00", "2023-13-01"] {
            assert_eq!(for_people(text, Locale::first()), text);
        }
    }

    /// Numbers with thousands separators are aligned to the right, too.
    #[test]
    fn grouped_numbers_are_recognised_as_numbers() {
        for number in ["7", "1096", "1.252", "86,244,748"] {
            assert!(is_number(number), "{number}");
        }
        for text in ["", "1.25", ".252", "31/07/2023", "V1", "1.252.", "046095001234x"] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let fails = write_file(&path, |to| {
            to.write_all(b"half")?;
            Err(io::Error::other("no"))
        });
        assert!(fails.is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        write_file(&path, |to| to.write_all(b"whole")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }
}
