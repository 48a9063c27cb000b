//! Values that are parsed once, when they enter: a [`NationalId`] is well-formed or does not exist.

mod date;
mod name;
mod national_id;
mod phone;
mod text;
mod username;

pub use date::{Date, DateFault, PartialDate, local_day, parse_day};
pub use name::{FullName, Grade, exact_key, folded, lost_in_transcoding};
pub use national_id::{Gender, NationalId, NationalIdFault};
pub use phone::{Phone, PhoneFault};
pub use text::{has_nul, strip_invisible};
pub use username::username_key;

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A correction that the parser made to a cell, by a rule that has a name (files.md, "Repairs").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repair {
    /// `Ð ð Ɖ ɖ` became `Đ đ`.
    DStroke,
    /// A citizen account's name that was lost in transcoding was emptied.
    EmptiedName,
    /// An unreadable national id of a citizen account was emptied, so that a bad cell does not cost the owner the login.
    EmptiedNationalId,
    /// An unreadable phone of a citizen account was emptied, for the same reason.
    EmptiedPhone,
    /// An unknown unit of a citizen account was emptied, for the same reason.
    EmptiedUnit,
    /// A spreadsheet's day number became a day.
    ExcelSerial,
    /// `46095001234.0` or a whole `4.6095001234E+10` became digits.
    FloatId,
    /// One or two zeros were put back in front of a national id.
    LeadingZero,
    /// Unicode was composed.
    Nfc,
    /// An 11-digit number from before 2018 was converted.
    #[serde(rename = "phone-prefix-2018")]
    PhonePrefix2018,
    /// Text in the old TCVN3 font was converted.
    Tcvn3,
    /// A unit's name was replaced by its code.
    UnitByName,
    /// Text in the old VNI font was converted.
    Vni,
    /// Zero-width characters were removed.
    ZeroWidth,
}

impl Repair {
    /// The name that scripts outside rely on.
    pub fn name(self) -> &'static str {
        match self {
            Self::DStroke => "d-stroke",
            Self::EmptiedName => "emptied-name",
            Self::EmptiedNationalId => "emptied-national-id",
            Self::EmptiedPhone => "emptied-phone",
            Self::EmptiedUnit => "emptied-unit",
            Self::ExcelSerial => "excel-serial",
            Self::FloatId => "float-id",
            Self::LeadingZero => "leading-zero",
            Self::Nfc => "nfc",
            Self::PhonePrefix2018 => "phone-prefix-2018",
            Self::Tcvn3 => "tcvn3",
            Self::UnitByName => "unit-by-name",
            Self::Vni => "vni",
            Self::ZeroWidth => "zero-width",
        }
    }
}

/// The repairs of one row, sorted, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs(BTreeSet<Repair>);

impl Repairs {
    /// Adds one repair.
    pub fn add(&mut self, repair: Repair) {
        self.0.insert(repair);
    }

    /// Adds all repairs of `other`.
    pub fn extend(&mut self, other: &Repairs) {
        self.0.extend(&other.0);
    }

    /// Returns whether nothing was repaired.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The repairs, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = Repair> + '_ {
        self.0.iter().copied()
    }
}

/// Names joined by a space, as in the column `detail` of an import report.
impl fmt::Display for Repairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, repair) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(repair.name())?;
        }
        Ok(())
    }
}

impl FromIterator<Repair> for Repairs {
    fn from_iter<T: IntoIterator<Item = Repair>>(repairs: T) -> Self {
        Self(repairs.into_iter().collect())
    }
}
