//! O5: the tasks of HR, which hold nobody yet: "A day that passes with no HR event is a task for Sở Nội vụ, not a hold; so are a movement
//! out, 12 months without sign-in, and a death in the registry."

use super::directory::{OfficialAccount, StoredProfile};
use super::retirement::retirement;
use crate::hold::Reason;
use crate::values::Date;
use jiff::ToSpan as _;

/// A kind of task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// A profile in service has no account.
    Newcomer,
    /// HR's current data will cause this hold within the warning period.
    Coming(Reason),
    /// The age of retirement is reached within 6 months, or has passed, and HR has recorded no retirement.
    Retirement,
    /// Nobody signed in for 12 months.
    NoSignIn,
    /// The registry records the person as deceased, HR as in service.
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

/// The last day of the month in which the person reaches the age of retirement, from 6 months before, as long as HR has the person in
/// service.
pub fn retires(kept: &StoredProfile, day: Date) -> Option<Date> {
    let profile = &kept.profile;
    let (born, gender) = profile.birth_date.zip(profile.gender)?;
    let forecast = retirement(born, gender)?;
    let first = forecast.warning_days().into_iter().min()?;
    (profile.in_service_on(day) && first <= day).then_some(forecast.last_day)
}

/// The day on which 12 months without a sign-in ended. An account that was never used counts from the day it was created.
pub fn unused_since(account: &OfficialAccount, day: Date) -> Option<Date> {
    let last = account.last_sign_in_on.max(account.created_on)?;
    let over = last.checked_add(12.months()).ok()?;
    (over < day).then_some(over)
}
