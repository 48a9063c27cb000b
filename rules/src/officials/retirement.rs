//! O5, early warning: the age of retirement by Article 169 of the Labour Code and Decree 135/2020. It is only a forecast. The lock waits
//! for HR to record the retirement, as the letter says.

use crate::values::{Date, Gender, PartialDate};
use jiff::ToSpan;

/// A forecast of a retirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// The last day of the month in which the person reaches the age.
    pub last_day: Date,
    /// The years of the age.
    pub years: i16,
    /// The months of the age, beyond the years.
    pub months: i16,
}

/// Forecasts the retirement of a person with that birth date. If only the year is known, 1 January counts; if only the month, its first day
/// (Article 3).
///
/// The age rises each year: for men from 60 years 3 months in 2021 by 3 months to 62 years in 2028, for women from 55 years 4 months by 4
/// months to 60 years in 2035. A person's age of retirement is that of the first year by whose end the person has reached it. `None` if the
/// age was reached before 2021.
pub fn retirement(born: PartialDate, gender: Gender) -> Option<Retirement> {
    let month = i16::from(born.month().unwrap_or(1));
    let (first, step, last) = match gender {
        Gender::M => (60 * 12 + 3, 3, 62 * 12),
        Gender::F => (55 * 12 + 4, 4, 60 * 12),
    };
    let born_month = born.year().checked_mul(12)?.checked_add(month - 1)?;
    let age_in = |year: i16| (first + step * (year - 2021)).min(last);
    let final_year = 2021 + (last - first).div_euclid(step) + i16::from((last - first) % step != 0);
    let year = (2021..=final_year)
        .find(|year| (born_month + age_in(*year)) / 12 <= *year)
        .unwrap_or(final_year);
    let age = age_in(year);
    let reached = born_month + age;
    if reached / 12 < 2021 {
        return None;
    }
    let day = Date::new(reached / 12, i8::try_from(reached % 12 + 1).ok()?, 1).ok()?;
    Some(Retirement {
        last_day: day.last_of_month(),
        years: age / 12,
        months: age % 12,
    })
}

impl Retirement {
    /// The days on which the warning appears: 6 and 3 months before.
    pub fn warning_days(&self) -> [Date; 2] {
        [6, 3].map(|months: i64| self.last_day.checked_sub(months.months()).unwrap_or(self.last_day))
    }
}
