//! Days of the calendar, and birth dates known in part.

use super::exact_key;
use super::text::{all_digits, digits};
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A civil day, in `Asia/Ho_Chi_Minh`.
pub type Date = jiff::civil::Date;

/// The day in Huế at an instant. Vietnam is at UTC+7 all year, so this needs no time zone data.
pub fn local_day(at: jiff::Timestamp) -> Date {
    at.to_zoned(TimeZone::fixed(Offset::constant(7))).date()
}

/// Why a cell is not a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateFault {
    /// Not a day of the calendar.
    Bad,
    /// A two-digit year.
    Ambiguous,
    /// An impossible year: of the Buddhist calendar, or mistyped.
    ImpossibleYear,
}

/// The years that records of people and offices can contain.
const YEARS: std::ops::RangeInclusive<i16> = 1800..=2199;

/// The day by which files say that something has no end.
const NO_END: Date = Date::constant(9999, 12, 31);

/// Parses `yyyy-mm-dd`, `yyyymmdd`, or the day first: `d/m/yyyy`, `d-m-yyyy`, `d.m.yyyy`, `ngày d tháng m năm yyyy`. A time after it is
/// dropped. An instant with an offset becomes its day in Huế. A year out of [`YEARS`] is a fault.
pub fn parse_day(raw: &str) -> Result<Date, DateFault> {
    let day = any_day(raw)?;
    if YEARS.contains(&day.year()) || day == NO_END {
        Ok(day)
    } else {
        Err(DateFault::ImpossibleYear)
    }
}

/// Parses a day of any year.
fn any_day(raw: &str) -> Result<Date, DateFault> {
    // As values are stored: most days that are read have this form.
    if let &[b'1' | b'2', _, _, _, b'-', _, _, b'-', _, _] = raw.as_bytes()
        && let Ok(day) = raw.parse()
    {
        return Ok(day);
    }
    let text = digits(raw);
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Ok(local_day(instant));
    }
    if let Some(day) = in_words(&text) {
        return day;
    }
    let text = without_time(&text);
    if text.len() == 8 && all_digits(text) {
        return day(&text[..4], &text[4..6], &text[6..]);
    }
    let separator = text
        .chars()
        .find(|c| matches!(c, '-' | '/' | '.'))
        .ok_or(DateFault::Bad)?;
    let parts: Vec<&str> = text.split(separator).map(str::trim).collect();
    let [a, b, c] = parts[..] else {
        return Err(DateFault::Bad);
    };
    if ![a, b, c].into_iter().all(all_digits) {
        return Err(DateFault::Bad);
    }
    match (a.len(), b.len(), c.len()) {
        (4, 2, 2) if separator == '-' => day(a, b, c),
        (1..=2, 1..=2, 4) => day(c, b, a),
        (1..=2, 1..=2, 2) => Err(DateFault::Ambiguous),
        _ => Err(DateFault::Bad),
    }
}

/// Parses `ngày 5 tháng 7 năm 2023`, the form in which decisions are dated. `None` if it is written in another way.
fn in_words(text: &str) -> Option<Result<Date, DateFault>> {
    let text = exact_key(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    let ["ngày", d, "tháng", m, "năm", y] = words[..] else {
        return None;
    };
    let lengths = (1..=2).contains(&d.len()) && (1..=2).contains(&m.len()) && y.len() == 4;
    Some(if lengths && [d, m, y].into_iter().all(all_digits) {
        day(y, m, d)
    } else {
        Err(DateFault::Bad)
    })
}

/// Strips the time of day: `2023-07-05T00:00:00`, `5/7/2023 0:00`, `5/7/2023 12:00:00 AM`.
fn without_time(text: &str) -> &str {
    match text.split_once([' ', 'T']) {
        Some((day, time)) if is_time(time.trim()) => day,
        _ => text,
    }
}

fn is_time(text: &str) -> bool {
    let halves = ["AM", "PM", "am", "pm", "SA", "CH"];
    let clock = halves.iter().find_map(|half| text.strip_suffix(half)).unwrap_or(text);
    let below =
        |part: &str, bound: u8| part.len() <= 2 && all_digits(part) && part.parse::<u8>().is_ok_and(|n| n < bound);
    match clock.trim_end().split(':').collect::<Vec<_>>()[..] {
        [hour, minute] => below(hour, 24) && below(minute, 60),
        [hour, minute, second] => {
            let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
            below(hour, 24) && below(minute, 60) && below(second, 61) && all_digits(fraction)
        }
        _ => false,
    }
}

/// A two-digit year that was padded with zeros is ambiguous too: the century is unknown.
fn day(year: &str, month: &str, day: &str) -> Result<Date, DateFault> {
    if year.starts_with("00") {
        return Err(DateFault::Ambiguous);
    }
    let number = |s: &str| s.parse::<i16>().map_err(|_| DateFault::Bad);
    let small = |s: &str| s.parse::<i8>().map_err(|_| DateFault::Bad);
    Date::new(number(year)?, small(month)?, small(day)?).map_err(|_| DateFault::Bad)
}

/// A birth date known to the year, the month or the day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PartialDate {
    /// `1957`.
    Year(i16),
    /// `1957-08`.
    Month(i16, i8),
    /// `1957-08-15`.
    Day(Date),
}

impl PartialDate {
    /// Parses `1957` (a spreadsheet's `1957.0`), `1957-08`, `08/1957`, `08-1957`, `00/00/1957`, `--/08/1957`, or a whole day.
    pub fn parse(raw: &str) -> Result<Self, DateFault> {
        let date = Self::any(raw)?;
        if YEARS.contains(&date.year()) {
            Ok(date)
        } else {
            Err(DateFault::ImpossibleYear)
        }
    }

    /// Parses a day of any year, because values that were imported earlier must be read back.
    fn any(raw: &str) -> Result<Self, DateFault> {
        let text = digits(raw);
        let text = text.strip_suffix(".0").filter(|year| year.len() == 4).unwrap_or(&text);
        if let Ok(day) = any_day(text) {
            return Ok(Self::Day(day));
        }
        let unknown = |s: &str| s.is_empty() || s.bytes().all(|b| b == b'0' || b == b'-');
        let year = |s: &str| {
            (s.len() == 4 && all_digits(s))
                .then(|| s.parse::<i16>().ok())
                .flatten()
                .filter(|y| *y > 0)
        };
        let month = |s: &str| s.parse::<i8>().ok().filter(|m| s.len() <= 2 && (1..=12).contains(m));
        let slashed: Vec<&str> = text.split('/').map(str::trim).collect();
        let found = match slashed[..] {
            [y] => match y.split_once('-') {
                Some((y, m)) if m.len() == 2 => year(y).zip(month(m)).map(|(y, m)| Self::Month(y, m)),
                Some((m, y)) if y.len() == 4 => year(y).zip(month(m)).map(|(y, m)| Self::Month(y, m)),
                _ => year(y).map(Self::Year),
            },
            [m, y] if unknown(m) => year(y).map(Self::Year),
            [m, y] => year(y).zip(month(m)).map(|(y, m)| Self::Month(y, m)),
            [d, m, y] if unknown(d) && unknown(m) => year(y).map(Self::Year),
            [d, m, y] if unknown(d) => year(y).zip(month(m)).map(|(y, m)| Self::Month(y, m)),
            _ => None,
        };
        found.ok_or_else(|| any_day(text).err().unwrap_or(DateFault::Bad))
    }

    /// The year, which is always known.
    pub fn year(self) -> i16 {
        match self {
            Self::Year(y) | Self::Month(y, _) => y,
            Self::Day(d) => d.year(),
        }
    }

    /// The month, if it is known.
    pub fn month(self) -> Option<i8> {
        match self {
            Self::Year(_) => None,
            Self::Month(_, m) => Some(m),
            Self::Day(d) => Some(d.month()),
        }
    }

    /// Returns whether the parts that both sides know agree.
    pub fn agrees(self, other: Self) -> bool {
        self.year() == other.year()
            && self.month().zip(other.month()).is_none_or(|(a, b)| a == b)
            && match (self, other) {
                (Self::Day(a), Self::Day(b)) => a == b,
                _ => true,
            }
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(y) => write!(f, "{y:04}"),
            Self::Month(y, m) => write!(f, "{y:04}-{m:02}"),
            Self::Day(d) => write!(f, "{d}"),
        }
    }
}

impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartialDate(…)") // personal: never in a log
    }
}

impl TryFrom<String> for PartialDate {
    type Error = &'static str;
    fn try_from(raw: String) -> Result<Self, Self::Error> {
        Self::any(&raw).map_err(|_| "not a date")
    }
}

impl From<PartialDate> for String {
    fn from(date: PartialDate) -> Self {
        date.to_string()
    }
}
