//! The reasons why a row waits in quarantine until somebody corrects it. A row is never guessed at, and never dropped silently.

use serde::{Deserialize, Serialize};

/// A quarantine reason (files.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuarantineReason {
    /// A year of two digits.
    AmbiguousDate,
    /// Several numbers in one cell.
    AmbiguousPhone,
    /// Not a day of the calendar.
    BadDate,
    /// Not 12 digits, and no repair fits.
    BadNationalId,
    /// Not a Vietnamese mobile number.
    BadPhone,
    /// A word that is not in the list, or a NUL.
    BadValue,
    /// Two rows of one key, or of one person, that disagree.
    ConflictingRow,
    /// An exact repetition of a row. Counted, harmless.
    DuplicateRow,
    /// Birth date or gender contradict the id.
    IdDoesNotFit,
    /// A spreadsheet cut off digits.
    LostDigits,
    /// A required cell is empty.
    MissingField,
    /// A 9-digit CMND number.
    OldCmnd,
    /// Neither a unit's code nor the name of exactly one unit.
    UnknownUnit,
}

impl QuarantineReason {
    /// Every reason, ordered by name.
    pub const ALL: [Self; 13] = [
        Self::AmbiguousDate,
        Self::AmbiguousPhone,
        Self::BadDate,
        Self::BadNationalId,
        Self::BadPhone,
        Self::BadValue,
        Self::ConflictingRow,
        Self::DuplicateRow,
        Self::IdDoesNotFit,
        Self::LostDigits,
        Self::MissingField,
        Self::OldCmnd,
        Self::UnknownUnit,
    ];

    /// The name that scripts outside rely on.
    pub fn name(self) -> &'static str {
        match self {
            Self::AmbiguousDate => "ambiguous-date",
            Self::AmbiguousPhone => "ambiguous-phone",
            Self::BadDate => "bad-date",
            Self::BadNationalId => "bad-national-id",
            Self::BadPhone => "bad-phone",
            Self::BadValue => "bad-value",
            Self::ConflictingRow => "conflicting-row",
            Self::DuplicateRow => "duplicate-row",
            Self::IdDoesNotFit => "id-does-not-fit",
            Self::LostDigits => "lost-digits",
            Self::MissingField => "missing-field",
            Self::OldCmnd => "old-cmnd",
            Self::UnknownUnit => "unknown-unit",
        }
    }
}
