//! The check of a whole file, and the rows that it yields.

use crate::conflicts::{ConflictFinder, Verdict};
use crate::error::FileError;
use crate::read::{Columns, ReadRow, read_row};
use crate::row::{Record, Row, RowResult};
use crate::source::Source;
use crate::table::Table;
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::unit::{TreeFault, Unit, UnitTree};
use ngomon_rules::values::Date;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The context for reading a file.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The units of all times. Empty while the file itself is the table of units.
    pub units: &'a UnitTree,
    /// The day that the file describes.
    pub as_of: Date,
}

/// Number of rows by result: `read + repaired + superseded + quarantined = rows`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// All rows of the file.
    pub rows: u64,
    /// Rows accepted without changes.
    pub read: u64,
    /// Rows accepted with repairs.
    pub repaired: u64,
    /// Rows that a newer row replaces.
    pub superseded: u64,
    /// Rows in quarantine.
    pub quarantined: u64,
    /// Rows in quarantine, by reason.
    pub by_reason: BTreeMap<QuarantineReason, u64>,
}

impl RowCounts {
    fn add(&mut self, result: &RowResult) {
        self.rows += 1;
        match result {
            RowResult::Read => self.read += 1,
            RowResult::Repaired(_) => self.repaired += 1,
            RowResult::Superseded => self.superseded += 1,
            RowResult::Quarantined(reason) => {
                self.quarantined += 1;
                *self.by_reason.entry(*reason).or_default() += 1;
            }
        }
    }

    /// Rows in quarantine without those that only repeat another row. This measures the health of a load.
    pub fn unreadable(&self) -> u64 {
        let repeated = self
            .by_reason
            .get(&QuarantineReason::DuplicateRow)
            .copied()
            .unwrap_or_default();
        self.quarantined - repeated
    }
}

/// The result of the first reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckSummary {
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// Number of rows by result.
    pub counts: RowCounts,
}

/// A file that was read once.
pub struct CheckedFile {
    table: Table,
    path: PathBuf,
    judgement: CheckSummary,
    /// The result of comparing rows, by the number of the row. A row without an entry counts.
    verdicts: HashMap<u32, Verdict>,
}

fn number(row: u64) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}

/// Reads a file once. `progress` is called with the number of bytes read so far.
pub fn check_file(
    table: Table,
    path: &Path,
    context: &Context<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<CheckedFile, FileError> {
    let mut source = Source::open(path)?;
    let columns = Columns::of(table, &source)?;
    let (mut sort_out, mut units) = (ConflictFinder::default(), Vec::new());
    let mut alone: Vec<(u32, Option<QuarantineReason>, bool)> = Vec::new();
    let mut done = 0;
    while let Some(cells) = source.next()? {
        let row = number(cells.row);
        let read = read_row(&columns, &cells, context.units, context.as_of)?;
        if let Some(record) = &read.record {
            sort_out.add(row, record, context.as_of);
        }
        if let Some(Record::Unit(unit)) = read.record {
            units.push((row, unit));
        }
        alone.push((row, read.fault, !read.repairs.is_empty()));
        if source.bytes() - done > 1 << 20 {
            done = source.bytes();
            progress(done);
        }
    }
    progress(source.bytes());
    let digest = source.finish()?;
    let mut verdicts: HashMap<u32, Verdict> = sort_out.verdicts(table == Table::Registry).into_iter().collect();
    if table == Table::Units {
        // Everything else depends on the tree.
        if alone.is_empty() {
            return Err(FileError::Empty(path.to_owned()));
        }
        units.retain(|(row, _)| !verdicts.contains_key(row));
        for row in without_relatives(&mut units) {
            verdicts.insert(row, Verdict::Waits(QuarantineReason::UnknownUnit));
        }
        if let Err(TreeFault::Loop(unit)) = UnitTree::build(units.into_iter().map(|(_, unit)| unit)) {
            return Err(FileError::UnitLoop {
                path: path.to_owned(),
                unit: unit.to_string(),
            });
        }
    }
    let mut counts = RowCounts::default();
    for (row, fault, repaired) in alone {
        let verdict = verdicts.get(&row).copied().unwrap_or(Verdict::Stands);
        match (fault, verdict) {
            (Some(reason), _) | (None, Verdict::Waits(reason)) => counts.add(&RowResult::Quarantined(reason)),
            (None, Verdict::Superseded) => counts.add(&RowResult::Superseded),
            (None, Verdict::Stands) => {
                counts.rows += 1;
                *if repaired {
                    &mut counts.repaired
                } else {
                    &mut counts.read
                } += 1;
            }
        }
    }
    Ok(CheckedFile {
        table,
        path: path.to_owned(),
        judgement: CheckSummary { digest, counts },
        verdicts,
    })
}

/// Removes the units whose parent or successor is missing, then those that depend on a removed unit. Returns their rows.
fn without_relatives(units: &mut Vec<(u32, Unit)>) -> Vec<u32> {
    let mut out = Vec::new();
    loop {
        let codes: HashSet<_> = units.iter().map(|(_, unit)| unit.code.clone()).collect();
        let before = out.len();
        units.retain(|(row, unit)| {
            let stands = unit
                .parent
                .iter()
                .chain(&unit.successor)
                .all(|code| codes.contains(code));
            if !stands {
                out.push(*row);
            }
            stands
        });
        if out.len() == before {
            return out;
        }
    }
}

impl CheckedFile {
    /// The result of the first reading.
    pub fn judgement(&self) -> &CheckSummary {
        &self.judgement
    }

    /// Reads the file again, one row after another. Ends with [`FileError::Changed`] if the file is no longer the same.
    pub fn rows<'a>(
        &'a self,
        context: &'a Context<'a>,
    ) -> Result<impl Iterator<Item = Result<Row, FileError>> + 'a, FileError> {
        let source = Source::open(&self.path)?;
        let columns = Columns::of(self.table, &source)?;
        Ok(Rows {
            judged: self,
            columns,
            source: Some(source),
            context,
        })
    }

    fn row(&self, number_: u64, read: ReadRow) -> Row {
        let verdict = self.verdicts.get(&number(number_)).copied().unwrap_or(Verdict::Stands);
        let result = match (read.fault, verdict) {
            (Some(reason), _) | (None, Verdict::Waits(reason)) => RowResult::Quarantined(reason),
            (None, Verdict::Superseded) => RowResult::Superseded,
            (None, Verdict::Stands) if read.repairs.is_empty() => RowResult::Read,
            (None, Verdict::Stands) => RowResult::Repaired(read.repairs),
        };
        let counts = matches!(result, RowResult::Read | RowResult::Repaired(_));
        Row {
            number: number_,
            result,
            record: read.record.filter(|_| counts),
            raw: Vec::new(),
            hints: read.hints,
            impossible_year: read.impossible_year,
        }
    }
}

struct Rows<'a> {
    judged: &'a CheckedFile,
    columns: Columns,
    source: Option<Source>,
    context: &'a Context<'a>,
}

impl Rows<'_> {
    fn advance(&mut self) -> Result<Option<Row>, FileError> {
        let Some(source) = &mut self.source else {
            return Ok(None);
        };
        if let Some(cells) = source.next()? {
            let read = read_row(&self.columns, &cells, self.context.units, self.context.as_of)?;
            let mut row = self.judged.row(cells.row, read);
            if matches!(row.result, RowResult::Quarantined(_)) {
                row.raw = self.columns.raw(&cells)?;
            }
            return Ok(Some(row));
        }
        let same = self.source.take().map(Source::finish).transpose()?;
        if same.as_ref() == Some(&self.judged.judgement.digest) {
            Ok(None)
        } else {
            Err(FileError::Changed(self.judged.path.clone()))
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.advance();
        if row.is_err() {
            self.source = None;
        }
        row.transpose()
    }
}
