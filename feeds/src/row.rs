//! A row as it was read, and what came of it.

use ngomon_rules::quarantine::Quarantine;
use ngomon_rules::record::{AccountRow, Notice, Profile, RegistryRecord};
use ngomon_rules::unit::Unit;
use ngomon_rules::values::{NationalId, Repairs};

/// What a row says, once read.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// `units.csv`.
    Unit(Unit),
    /// `registry.csv`.
    Registry(Box<RegistryRecord>),
    /// `citizens.csv`, `officials.csv`.
    Account(Box<AccountRow>),
    /// `profiles.csv`.
    Profile(Box<Profile>),
    /// `notices.csv`.
    Notice(Notice),
}

/// What came of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowResult {
    /// Taken as it stands.
    Read,
    /// Taken, with repairs that have names.
    Repaired(Repairs),
    /// A newer row of the same person counts.
    Superseded,
    /// It waits until somebody mends it.
    Quarantined(Quarantine),
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

/// Of a row of a profile or an account that could not be read: what still tells whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// HR's code; of an account, its id.
    pub employee_code: Option<String>,
    /// A readable number.
    pub national_id: Option<NationalId>,
    /// The folded name, where neither code nor number can be read.
    pub person_key: Option<String>,
}

/// A row and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The number of its record, the heading being 1; blank lines are not counted.
    pub number: u64,
    /// What came of it.
    pub result: RowResult,
    /// What it says; `None` for a row that waits or is superseded.
    pub record: Option<Record>,
    /// Its cells by column, for whoever mends it.
    pub raw: Vec<(String, String)>,
    /// Whose it may be.
    pub hints: Hints,
}
