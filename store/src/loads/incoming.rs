//! What a file brings, before and in quarantine.

use ngomon_rules::officials::UnreadableProfile;
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::Date;
use std::collections::{BTreeMap, BTreeSet};

/// A checked file that is to be imported.
#[derive(Clone, Debug)]
pub struct LoadRequest {
    /// `units`, `registry`, `citizens`, `officials`, `profiles`, `notices`.
    pub table: &'static str,
    /// SHA-256 of its bytes, in hexadecimal.
    pub digest: String,
    /// The number of rows in the file; for the full extract of a unit, those of that unit and all below it.
    pub rows: u64,
    /// The number of rows in quarantine, without repeated ones.
    pub unreadable: u64,
    /// The day that it describes.
    pub as_of: Date,
    /// The actor.
    pub by: String,
    /// The file is the whole extract: of this unit and all below it, or of everything if the inner value is `None`.
    pub full: Option<Option<UnitCode>>,
    /// For a file of units, the codes in it.
    pub units: BTreeSet<UnitCode>,
}

impl LoadRequest {
    /// The scope as the tables store it: `None` if not full, empty for everything.
    pub(crate) fn scope(&self) -> Option<String> {
        self.full
            .as_ref()
            .map(|unit| unit.as_ref().map(ToString::to_string).unwrap_or_default())
    }

    /// Whether each load replaces the whole table.
    pub(crate) fn is_reference(&self) -> bool {
        matches!(self.table, "units" | "registry" | "notices")
    }

    /// Whether rows that the file lacks are gone from the table: from all of it, or from a unit and all below it.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_reference() || self.full.is_some()
    }
}

/// A row that stays in quarantine until it is corrected.
#[derive(Clone, Debug)]
pub struct QuarantinedRow {
    /// Its name in the report of the file.
    pub row: String,
    /// Why it could not be read.
    pub reason: QuarantineReason,
    /// The hints at its owner.
    pub hints: UnreadableProfile,
    /// Its cells by column.
    pub cells: BTreeMap<String, String>,
}

/// A row of the list of quarantined rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingRow {
    /// The load that brought it.
    pub load: String,
    /// Its name in the report of the file.
    pub row: String,
    /// The table.
    pub table: String,
    /// Why it could not be read.
    pub reason: String,
}
