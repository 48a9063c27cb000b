//! O5: what HR has to see to, and what holds nobody yet: "A day that passes with no HR event is a task for Sở Nội vụ, not a hold; so are a
//! movement out, 12 months without sign-in, and a death in the registry."

use super::directory::{KeptProfile, OfficialAccount};
use super::retirement::retirement;
use crate::hold::Reason;
use crate::values::Date;
use jiff::ToSpan as _;

/// A kind of task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// A profile in service has no account.
    Newcomer,
    /// What HR's facts, as they stand, will hold an account for within the days that people are warned ahead.
    Coming(Reason),
    /// The age of retirement is reached within 6 months, or was, and HR has recorded no retirement.
    Retirement,
    /// Nobody signed in for 12 months.
    NoSignIn,
    /// The registry has the person as deceased, HR as in service.
    Deceased,
}

impl Task {
    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Newcomer => "newcomer",
            Self::Coming(reason) => reason.name(),
            Self::Retirement => "retirement",
            Self::NoSignIn => "no-sign-in",
            Self::Deceased => "deceased",
        }
    }
}

/// The last day of the month in which the age of retirement is reached, from 6 months before on, for as long as HR has the person in
/// service.
pub fn retires(kept: &KeptProfile, day: Date) -> Option<Date> {
    let profile = &kept.profile;
    let (born, gender) = profile.birth_date.zip(profile.gender)?;
    let forecast = retirement(born, gender)?;
    let first = forecast.warning_days().into_iter().min()?;
    (profile.in_service_on(day) && first <= day).then_some(forecast.last_day)
}

/// The day on which 12 months without a sign-in were over; an account that was never used counts from the day on which it was made.
pub fn unused_since(account: &OfficialAccount, day: Date) -> Option<Date> {
    let last = account.last_sign_in_on.max(account.created_on)?;
    let over = last.checked_add(12.months()).ok()?;
    (over < day).then_some(over)
}
