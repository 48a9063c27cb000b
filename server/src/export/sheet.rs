//! The conversion of a table to a spreadsheet.

use crate::export::table::Table;
use crate::i18n::Locale;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

impl Table {
    /// The bytes of an `.xlsx`, with headings in words. All cells are written as text, so that formulas are harmless.
    pub fn xlsx(&self, title: &str, locale: Locale) -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        let bold = Format::new().set_bold();
        let sheet = book.add_worksheet();
        sheet.write_string_with_format(0, 0, title, &bold)?;
        for (at, column) in (0..).zip(self.columns()) {
            sheet.write_string_with_format(2, at, locale.text(&format!("column-{column}")), &bold)?;
            sheet.set_column_width(at, 24)?;
        }
        for (row, cells) in (3..).zip(self.rows()) {
            for (at, cell) in (0..).zip(cells) {
                sheet.write_string(row, at, cell)?;
            }
        }
        sheet.set_freeze_panes(3, 0)?;
        book.save_to_buffer()
    }
}
