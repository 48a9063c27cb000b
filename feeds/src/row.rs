//! A row after reading, and its result.

use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::records::{AccountRow, Notice, Profile, RegistryRecord};
use ngomon_rules::unit::Unit;
use ngomon_rules::values::{NationalId, Repairs};

/// The content of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A row of `units.csv`.
    Unit(Unit),
    /// A row of `registry.csv`.
    Registry(Box<RegistryRecord>),
    /// A row of `citizens.csv` or `officials.csv`.
    Account(Box<AccountRow>),
    /// A row of `profiles.csv`.
    Profile(Box<Profile>),
    /// A row of `notices.csv`.
    Notice(Notice),
}

/// The result of reading a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowResult {
    /// Accepted without changes.
    Read,
    /// Accepted with named repairs.
    Repaired(Repairs),
    /// A newer row of the same person counts instead.
    Superseded,
    /// In quarantine until somebody corrects it.
    Quarantined(QuarantineReason),
}

impl RowResult {
    /// The words `result` and `detail` of an import report.
    pub fn words(&self) -> (&'static str, String) {
        match self {
            Self::Read => ("read", String::new()),
            Self::Repaired(repairs) => ("repaired", repairs.to_string()),
            Self::Superseded => ("superseded", String::new()),
            Self::Quarantined(reason) => (reason.name(), String::new()),
        }
    }
}

/// What still identifies the person if a row of a profile or an account cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerHints {
    /// HR's file code. For the row of an account, the account id.
    pub employee_code: Option<String>,
    /// A readable national id.
    pub national_id: Option<NationalId>,
    /// The folded name, if neither code nor number can be read.
    pub person_key: Option<String>,
}

/// A row with its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The number of its record; the heading is 1, and blank lines are not counted.
    pub number: u64,
    /// The result of reading it.
    pub result: RowResult,
    /// The content. `None` for a row in quarantine or superseded.
    pub record: Option<Record>,
    /// Its cells by column, for the person who corrects it.
    pub raw: Vec<(String, String)>,
    /// The clues to the person.
    pub hints: OwnerHints,
    /// A column whose day has an impossible year, so that the row waits.
    pub impossible_year: Option<&'static str>,
}
