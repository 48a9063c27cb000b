//! C1, the gate: which owners get the form when they open Hue-S, and who cannot defer it.

use super::campaign::{AfterDeadline, Campaign};
use super::progress::{Bucket, LastFormState};
use crate::values::Date;

/// What the gate shows to an account's owner at an opening. The scope `standardisation` uses the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nothing, because the account is standardised.
    Standardised,
    /// A banner only, because the account is exempt.
    Exempt,
    /// The receipt only, because the registry has not replied yet.
    Pending,
    /// Nothing, because the campaign has not begun or a freeze suspends it.
    Rests,
    /// The form, which the owner may defer until the next opening.
    Asked,
    /// The form, which cannot be deferred: connected applications get no token.
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

    /// Returns whether the form comes first.
    pub fn asks(self) -> bool {
        matches!(self, Self::Asked | Self::Required)
    }
}

impl Bucket {
    /// What the gate shows on that day.
    pub fn gate(&self, campaign: &Campaign, day: Date) -> Gate {
        let is_late = campaign.deadline(self.audience(day)).is_some_and(|last| day > last);
        if self.claimed {
            Gate::Standardised
        } else if self.exempt_to.is_some_and(|last| day <= last) {
            Gate::Exempt
        } else if self.last == LastFormState::Pending {
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
