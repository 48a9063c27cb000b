//! C1, the gate: who is asked for the form when Hue-S is opened, and who cannot put it off.

use super::campaign::{AfterDeadline, Campaign};
use super::progress::{Bucket, Progress};
use crate::values::Date;

/// What the gate asks of an account's owner at an opening. The words are those of the scope `standardisation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nothing: it is done.
    Standardised,
    /// Nothing for now: a banner.
    Exempt,
    /// Nothing for now: the registry has not answered yet, and the receipt is shown.
    Pending,
    /// Nothing: the campaign has not begun, or a freeze suspends it.
    Rests,
    /// The form, until the next opening.
    Asked,
    /// The form, and there is no putting off: connected applications get no token.
    Required,
}

impl Gate {
    /// The word that connected systems read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standardised => "standardised",
            Self::Exempt => "exempt",
            Self::Pending => "pending",
            Self::Rests => "rests",
            Self::Asked => "asked",
            Self::Required => "required",
        }
    }

    /// Does the form come first?
    pub fn asks(self) -> bool {
        matches!(self, Self::Asked | Self::Required)
    }
}

impl Bucket {
    /// What the gate asks on that day.
    pub fn gate(&self, campaign: &Campaign, day: Date) -> Gate {
        let is_late = campaign.deadline(self.audience(day)).is_some_and(|last| day > last);
        if self.claimed {
            Gate::Standardised
        } else if self.exempt_to.is_some_and(|last| day <= last) {
            Gate::Exempt
        } else if self.last == Progress::Pending {
            Gate::Pending
        } else if campaign.freeze || day < campaign.start {
            Gate::Rests
        } else if is_late && campaign.after_deadline == AfterDeadline::Require {
            Gate::Required
        } else {
            Gate::Asked
        }
    }
}
