//! The 12-digit number of a person (số định danh cá nhân; Circular 59/2021/TT-BCA). It has no check digit.

use super::text::{all_digits, digits};
use super::{PartialDate, Repair, Repairs};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The 63 place codes of Circular 07/2016/TT-BCA, where a birth can be registered. Numbers keep them through the mergers of 2025. An
/// unknown code is a warning, not a refusal: births abroad have others.
const PLACES: [u16; 63] = [
    1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33, 34, 35, 36, 37, 38, 40, 42, 44, 45,
    46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67, 68, 70, 72, 74, 75, 77, 79, 80, 82, 83, 84, 86, 87, 89, 91, 92,
    93, 94, 95, 96,
];

/// The gender as a registry or an HR profile states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Gender {
    /// Male.
    M,
    /// Female.
    F,
}

impl Gender {
    /// Parses `M` or `F`.
    pub fn parse(raw: &str) -> Option<Self> {
        match raw {
            "M" => Some(Self::M),
            "F" => Some(Self::F),
            _ => None,
        }
    }
}

/// Why a cell is not a national id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NationalIdFault {
    /// Not 12 digits, and no repair fits.
    Bad,
    /// 9 digits: a CMND number from before 2016, which no longer identifies anybody.
    OldCmnd,
    /// Scientific notation that lost digits.
    LostDigits,
}

/// A national id: twelve digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NationalId([u8; 12]);

impl NationalId {
    /// Parses a cell. `born` and `gender` come from the same row and only decide whether lost zeros may be restored.
    pub fn parse(
        raw: &str,
        born: Option<PartialDate>,
        gender: Option<Gender>,
    ) -> Result<(Self, Repairs), NationalIdFault> {
        use NationalIdFault::{Bad, LostDigits, OldCmnd};
        let mut repairs = Repairs::default();
        let text = digits(raw);
        let text = text.strip_prefix('\'').unwrap_or(&text);
        let number = if let Some(scientific) = Scientific::split(text) {
            repairs.add(Repair::FloatId);
            scientific
                .whole()
                .ok_or(if scientific.lost_digits() { LostDigits } else { Bad })?
        } else if let Some(whole) = text.strip_suffix(".0").filter(|w| all_digits(w)) {
            repairs.add(Repair::FloatId);
            whole.to_owned()
        } else {
            text.chars().filter(|c| !matches!(c, ' ' | '.' | '\u{3000}')).collect()
        };
        if !all_digits(&number) {
            return Err(Bad);
        }
        match number.len() {
            12 => Self::from_digits(&number).map(|id| (id, repairs)).ok_or(Bad),
            9 => Err(OldCmnd),
            10 | 11 => {
                repairs.add(Repair::LeadingZero);
                let id = Self::from_digits(&format!("{number:0>12}")).ok_or(Bad)?;
                (id.place_is_known() && id.fits(born, gender))
                    .then_some((id, repairs))
                    .ok_or(Bad)
            }
            _ => Err(Bad),
        }
    }

    /// Parses what was typed on a page. No zero is restored: the person is there to correct a missing digit, and most numbers with one
    /// digit missing would pass for somebody else's with a zero in front.
    pub fn typed(raw: &str) -> Result<(Self, Repairs), NationalIdFault> {
        let (id, repairs) = Self::parse(raw, None, None)?;
        if repairs.iter().any(|repair| repair == Repair::LeadingZero) {
            return Err(NationalIdFault::Bad);
        }
        Ok((id, repairs))
    }

    fn from_digits(digits: &str) -> Option<Self> {
        all_digits(digits).then(|| digits.as_bytes().try_into().ok().map(Self))?
    }

    /// The 12 digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Returns whether the first three digits are one of the 63 place codes.
    pub fn place_is_known(&self) -> bool {
        let place = self.0[..3].iter().fold(0u16, |n, d| n * 10 + u16::from(d - b'0'));
        PLACES.contains(&place)
    }

    /// Returns whether the number agrees with birth year and gender: the 4th digit encodes century and gender, the 5th and 6th the year.
    /// What is unknown agrees.
    pub fn fits(&self, born: Option<PartialDate>, gender: Option<Gender>) -> bool {
        let [_, _, _, g, y1, y2, ..] = self.0.map(|d| i16::from(d - b'0'));
        let says = if g % 2 == 0 { Gender::M } else { Gender::F };
        gender.is_none_or(|known| known == says) && born.is_none_or(|b| b.year() == 1900 + g / 2 * 100 + y1 * 10 + y2)
    }

    /// `046*****6821`: enough for the owner to recognise it, too little for anybody else.
    pub fn masked(&self) -> String {
        format!("{}*****{}", &self.as_str()[..3], &self.as_str()[8..])
    }
}

struct Scientific<'a> {
    first: &'a str,
    fraction: &'a str,
    exponent: usize,
}

impl<'a> Scientific<'a> {
    /// Splits `4.6095E+10`.
    fn split(text: &'a str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['E', 'e'])?;
        let (first, fraction) = mantissa.split_once('.')?;
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
        if first.len() != 1 || !all_digits(first) || !all_digits(fraction) || !all_digits(exponent) {
            return None;
        }
        Some(Self {
            first,
            fraction,
            exponent: exponent.parse().ok()?,
        })
    }

    fn lost_digits(&self) -> bool {
        self.fraction.len() < self.exponent
    }

    fn whole(&self) -> Option<String> {
        let (kept, rest) = self.fraction.split_at_checked(self.exponent)?;
        rest.bytes().all(|d| d == b'0').then(|| format!("{}{kept}", self.first))
    }
}

impl fmt::Debug for NationalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NationalId(…)") // personal: never in a log
    }
}

impl TryFrom<String> for NationalId {
    type Error = &'static str;
    fn try_from(raw: String) -> Result<Self, Self::Error> {
        Self::from_digits(&raw).ok_or("a national id has 12 digits")
    }
}

impl From<NationalId> for String {
    fn from(id: NationalId) -> Self {
        id.as_str().to_owned()
    }
}
