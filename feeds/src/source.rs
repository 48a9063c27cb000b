//! The reader of CSV files: records of cells in UTF-8, with commas, RFC 4180 quotes and a heading row.

use crate::error::FileError;
use crate::format::FileFormat;
use aws_lc_rs::digest;
use csv::{ByteRecord, ReaderBuilder};
use ngomon_rules::values::strip_invisible;
use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Passes a file through and records what the CSV reader does not report: the digest and the number of the bytes, and whether the file ends
/// within quotes.
struct DigestingReader {
    inner: BufReader<File>,
    digest: digest::Context,
    bytes: u64,
    quotes: Quotes,
    /// Whether the last byte ends a line.
    line_ends: bool,
    /// Bytes of the record that is being read.
    record: usize,
}

/// No record has more bytes: one that does is a cell into which something else was pasted, or lacks its closing quote.
pub(crate) const LONGEST: usize = 64 * 1024;

/// A record has more than [`LONGEST`] bytes.
#[derive(Debug, thiserror::Error)]
#[error("a record of more than {LONGEST} bytes")]
struct LongRecord;

/// The position of the last byte (RFC 4180, section 2, rules 5 to 7).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// At the start of a field.
    Start,
    /// In a field without quotes.
    Outside,
    /// In a field with quotes.
    Inside,
    /// After a quote within quotes: either the end of the field, or an escaped quote.
    Closing,
}

impl Quotes {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Inside, b'"') => Self::Closing,
            (Self::Inside, _) | (Self::Closing | Self::Start, b'"') => Self::Inside,
            (_, b',' | b'\n' | b'\r') => Self::Start,
            _ => Self::Outside,
        }
    }
}

impl Read for DigestingReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let read = &buffer[..n];
        self.digest.update(read);
        self.bytes += n as u64;
        if let Some(last) = read.last() {
            self.line_ends = matches!(last, b'\n' | b'\r');
        }
        for byte in read {
            self.quotes = self.quotes.after(*byte);
            let ends = self.quotes == Quotes::Start && matches!(byte, b'\n' | b'\r');
            self.record = if ends { 0 } else { self.record + 1 };
            if self.record > LONGEST {
                return Err(std::io::Error::other(LongRecord));
            }
        }
        Ok(n)
    }
}

/// The records of a file after the heading.
pub(crate) struct Source {
    path: PathBuf,
    reader: csv::Reader<DigestingReader>,
    heading: Vec<String>,
    record: ByteRecord,
    row: u64,
    width: usize,
    /// Number of cells in the last record.
    last: usize,
}

/// A column with its position in the file, if the file has it.
pub(crate) type ColumnPosition<'c> = (&'c str, Option<usize>);

/// One record: its cells in the order of the heading.
pub(crate) struct Cells<'a> {
    /// The number of the record; the heading is 1.
    pub row: u64,
    cells: &'a ByteRecord,
    path: &'a Path,
    /// Whether it has more cells than the heading.
    pub overfull: bool,
}

impl<'a> Cells<'a> {
    /// A cell without surrounding white space. Empty if the record has no such cell.
    pub fn get(&self, at: usize) -> Result<&'a str, FileError> {
        let cell = self.cells.get(at).unwrap_or_default();
        std::str::from_utf8(cell)
            .map(str::trim)
            .map_err(|_| FileError::NotUtf8 {
                path: self.path.to_owned(),
                row: self.row,
            })
    }
}

/// Returns whether the cell has no visible character.
fn is_empty(cell: &[u8]) -> bool {
    cell.is_empty() || std::str::from_utf8(cell).is_ok_and(|cell| strip_invisible(cell).trim().is_empty())
}

impl Source {
    /// Opens a file and reads its heading.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let io = |source: std::io::Error| match source.kind() {
            ErrorKind::NotFound => FileError::NotFound(path.to_owned()),
            _ => FileError::Io {
                path: path.to_owned(),
                source,
            },
        };
        let file = File::open(path).map_err(io)?;
        let about = file.metadata().map_err(io)?;
        if about.is_dir() {
            return Err(FileError::IsDirectory(path.to_owned()));
        }
        if !about.is_file() {
            return Err(FileError::ComesOnce(path.to_owned()));
        }
        let mut inner = BufReader::with_capacity(1 << 16, file);
        if let Some(format) = FileFormat::of(inner.fill_buf().map_err(io)?) {
            let path = path.to_owned();
            return Err(FileError::NotCsv { path, format });
        }
        let tap = DigestingReader {
            inner,
            digest: digest::Context::new(&digest::SHA256),
            bytes: 0,
            quotes: Quotes::Start,
            line_ends: false,
            record: 0,
        };
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(tap);
        let mut source = Self {
            path: path.to_owned(),
            reader,
            heading: Vec::new(),
            record: ByteRecord::new(),
            row: 0,
            width: 0,
            last: 0,
        };
        let mut heading = Vec::new();
        let Some(cells) = source.next()? else {
            return Err(FileError::Empty(path.to_owned()));
        };
        for at in 0..cells.cells.len() {
            heading.push(cells.get(at)?.trim_start_matches('\u{feff}').trim().to_owned());
        }
        if heading.iter().all(String::is_empty) {
            return Err(FileError::Empty(path.to_owned()));
        }
        source.width = heading.len();
        source.heading = heading;
        Ok(source)
    }

    /// The position of each column. Every required column must be present, no unknown column, and none twice.
    pub fn places<'c>(
        &self,
        table: &'static str,
        required: &[&'c str],
        optional: &[&'c str],
    ) -> Result<Vec<ColumnPosition<'c>>, FileError> {
        let place = |name: &str| self.heading.iter().position(|h| h == name);
        let places: Vec<ColumnPosition<'c>> = required
            .iter()
            .chain(optional)
            .map(|name| (*name, place(name)))
            .collect();
        let missing = required.iter().filter(|name| place(name).is_none());
        let unknown = self
            .heading
            .iter()
            .filter(|h| !places.iter().any(|(name, _)| name == h));
        let twice = self.heading.iter().enumerate().filter(|(at, h)| place(h) != Some(*at));
        let missing: Vec<String> = missing.map(ToString::to_string).collect();
        let unknown: Vec<String> = unknown.cloned().collect();
        let twice: Vec<String> = twice.map(|(_, h)| h.clone()).collect();
        if missing.is_empty() && unknown.is_empty() && twice.is_empty() {
            return Ok(places);
        }
        Err(FileError::Columns {
            path: self.path.clone(),
            table,
            missing,
            unknown,
            twice,
        })
    }

    /// Number of bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.reader.get_ref().bytes
    }

    /// The next record. A record whose cells are all empty is a blank line and skipped.
    pub fn next(&mut self) -> Result<Option<Cells<'_>>, FileError> {
        loop {
            let more = self.reader.read_byte_record(&mut self.record).map_err(|error| {
                let path = self.path.clone();
                let source = match error.into_kind() {
                    csv::ErrorKind::Io(source) => source,
                    kind => std::io::Error::other(format!("{kind:?}")),
                };
                if source.get_ref().is_some_and(|error| error.is::<LongRecord>()) {
                    let row = self.row + 1;
                    return FileError::LongRecord { path, row };
                }
                FileError::Io { path, source }
            })?;
            if !more {
                return Ok(None);
            }
            if !self.record.iter().all(is_empty) {
                break;
            }
        }
        self.row += 1;
        self.last = self.record.len();
        Ok(Some(Cells {
            row: self.row,
            overfull: self.width > 0 && self.record.len() > self.width,
            cells: &self.record,
            path: &self.path,
        }))
    }

    /// Call after the last record. Returns the digest of the whole file in hexadecimal, or an error if the file ends within a record.
    pub fn finish(self) -> Result<String, FileError> {
        let tap = self.reader.into_inner();
        // A spreadsheet omits empty cells at the end of a record, but ends every line.
        let cut = self.last < self.width && !tap.line_ends;
        if cut || tap.quotes == Quotes::Inside {
            return Err(FileError::EndsInsideRecord {
                path: self.path,
                row: self.row,
            });
        }
        let digest = tap.digest.finish();
        Ok(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
