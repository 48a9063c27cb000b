//! C7, the digital report: "Kết quả chuẩn hóa tài khoản sẽ được hệ thống tự động kiểm tra, giám sát báo cáo số liệu trực tuyến".

use super::campaign::{Campaign, CampaignGroup};
use super::form_check::Outcome;
use crate::unit::UnitCode;
use crate::values::Date;
use serde::{Deserialize, Serialize};

/// The status of an account in the report. The first that applies counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportStatus {
    /// The account holds a claim.
    Standardised,
    /// The account has a hold.
    Held,
    /// The account is exempt.
    Exempt,
    /// The form waits for the registry.
    Pending,
    /// The last form was refused.
    Refused,
    /// No form was submitted.
    NotStarted,
}

impl ReportStatus {
    /// Every status, in the order of the report's columns.
    pub const ALL: [Self; 6] = [
        Self::Standardised,
        Self::Pending,
        Self::Refused,
        Self::Held,
        Self::NotStarted,
        Self::Exempt,
    ];

    /// The name of the column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standardised => "standardised",
            Self::Held => "held",
            Self::Exempt => "exempt",
            Self::Pending => "pending",
            Self::Refused => "refused",
            Self::NotStarted => "not_started",
        }
    }

    /// Parses the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.name() == name)
    }
}

/// The attributes of an account that determine its status on any day. Accounts with equal attributes are counted together, so no counter
/// changes when a day passes (an exemption ends, a deadline comes, somebody retires).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket {
    /// The unit that the account names, even if it has ended. `None` if unknown.
    pub unit: Option<UnitCode>,
    /// The last day on which the owner counts as an official. `None` if never.
    pub official_to: Option<Date>,
    /// The last day of its exemption.
    pub exempt_to: Option<Date>,
    /// The last day of its longest recorded hold. [`Date::MAX`] if the hold has no end.
    pub held_to: Option<Date>,
    /// Whether it holds a claim.
    pub claimed: bool,
    /// The state after the last form, as far as the report distinguishes it.
    pub last: LastFormState,
}

/// The state of an account after its last form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastFormState {
    /// There was no form.
    NotStarted,
    /// The form waits.
    Pending,
    /// The form was refused with this answer.
    Refused(Outcome),
}

impl LastFormState {
    /// The state after that answer.
    pub fn after(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Pending => Self::Pending,
            refusal if refusal.is_refusal() => Self::Refused(refusal),
            // A success counts by its claim. If the claim ends, no refusal is left.
            _ => Self::NotStarted,
        }
    }

    /// The word in the table. For a refusal, the word of the answer.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "not-started",
            Self::Pending => "pending",
            Self::Refused(outcome) => outcome.name(),
        }
    }

    /// Parses the word.
    pub fn parse(name: &str) -> Option<Self> {
        if name == Self::NotStarted.name() {
            return Some(Self::NotStarted);
        }
        let progress = Self::after(Outcome::parse(name)?);
        (progress != Self::NotStarted).then_some(progress)
    }
}

impl Bucket {
    /// The group whose deadline applies to the owner on that day.
    pub fn audience(&self, day: Date) -> CampaignGroup {
        if self.official_to.is_some_and(|last| day <= last) {
            CampaignGroup::Officials
        } else {
            CampaignGroup::Citizens
        }
    }

    /// Returns whether the account counts towards the goal on that day. It does not while it is exempt or has a recorded hold, because its
    /// owner cannot standardise it then. An account that is only late still counts.
    pub fn is_due(&self, day: Date) -> bool {
        let runs = |to: Option<Date>| to.is_some_and(|last| day <= last);
        self.claimed || !(runs(self.held_to) || runs(self.exempt_to))
    }

    /// Returns whether the account has the hold `not-standardised` on that day, regardless of other holds.
    pub fn is_late(&self, campaign: &Campaign, day: Date) -> bool {
        let exempt = self.exempt_to.is_some_and(|last| day <= last);
        !self.claimed && !exempt && campaign.holds_the_late(self.audience(day), day)
    }

    /// The status on that day under the campaign's current policy. A freeze suspends derived holds; recorded holds still count.
    pub fn standing(&self, campaign: &Campaign, day: Date) -> ReportStatus {
        let runs = |to: Option<Date>| to.is_some_and(|last| day <= last);
        if self.claimed {
            ReportStatus::Standardised
        } else if runs(self.held_to) {
            ReportStatus::Held
        } else if runs(self.exempt_to) {
            ReportStatus::Exempt
        } else if campaign.holds_the_late(self.audience(day), day) {
            ReportStatus::Held
        } else {
            match self.last {
                LastFormState::Pending => ReportStatus::Pending,
                LastFormState::Refused(_) => ReportStatus::Refused,
                LastFormState::NotStarted => ReportStatus::NotStarted,
            }
        }
    }
}
