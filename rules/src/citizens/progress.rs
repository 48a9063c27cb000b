//! C7, the digital report: "Kết quả chuẩn hóa tài khoản sẽ được hệ thống tự động kiểm tra, giám sát báo cáo số liệu trực tuyến".

use super::campaign::{Audience, Campaign};
use super::four_fields::Outcome;
use crate::unit::UnitCode;
use crate::values::Date;
use serde::{Deserialize, Serialize};

/// Where an account stands, as the report counts it: by the first that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It holds a claim.
    Standardised,
    /// It has a hold.
    Held,
    /// It is exempt.
    Exempt,
    /// Its form waits for the registry.
    Pending,
    /// Its last form was refused.
    Refused,
    /// It has sent no form.
    NotStarted,
}

impl Standing {
    /// Every standing, in the order of the report's columns.
    pub const ALL: [Self; 6] = [
        Self::Standardised,
        Self::Pending,
        Self::Refused,
        Self::Held,
        Self::NotStarted,
        Self::Exempt,
    ];

    /// The name of its column.
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

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.name() == name)
    }
}

/// What the report must know of an account to tell its standing on any day: accounts alike in this are counted together, so that a
/// day that passes (an exemption ends, a deadline comes, somebody retires) moves no counter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket {
    /// The unit that the account names, ended or not; `None`: unknown.
    pub unit: Option<UnitCode>,
    /// The last day on which the owner counts as an official; `None`: never did.
    pub official_to: Option<Date>,
    /// The last day of its exemption.
    pub exempt_to: Option<Date>,
    /// The last day of its longest written hold; [`Date::MAX`]: open end.
    pub held_to: Option<Date>,
    /// It holds a claim.
    pub claimed: bool,
    /// The last answer, as far as the report tells answers apart.
    pub last: Progress,
}

/// What came of the account's last form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// There was none.
    NotStarted,
    /// It waits.
    Pending,
    /// It was refused, with that answer.
    Refused(Outcome),
}

impl Progress {
    /// After that answer.
    pub fn after(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Pending => Self::Pending,
            refusal if refusal.is_refusal() => Self::Refused(refusal),
            // Counted by the claim; should that end, no refusal is left.
            _ => Self::NotStarted,
        }
    }

    /// The word in the table: of a refusal, the answer's.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "not-started",
            Self::Pending => "pending",
            Self::Refused(outcome) => outcome.name(),
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        if name == Self::NotStarted.name() {
            return Some(Self::NotStarted);
        }
        let progress = Self::after(Outcome::parse(name)?);
        (progress != Self::NotStarted).then_some(progress)
    }
}

impl Bucket {
    /// For whom deadlines are meant, on that day.
    pub fn audience(&self, day: Date) -> Audience {
        if self.official_to.is_some_and(|last| day <= last) {
            Audience::Officials
        } else {
            Audience::Citizens
        }
    }

    /// Does it count towards the goal on that day? Not while it is exempt or has a written hold: such an account is not its owner's to
    /// standardise. One that is only late still counts.
    pub fn is_due(&self, day: Date) -> bool {
        let runs = |to: Option<Date>| to.is_some_and(|last| day <= last);
        self.claimed || !(runs(self.held_to) || runs(self.exempt_to))
    }

    /// Has it the hold `not-standardised` on that day, whatever else holds it?
    pub fn is_late(&self, campaign: &Campaign, day: Date) -> bool {
        let exempt = self.exempt_to.is_some_and(|last| day <= last);
        !self.claimed && !exempt && campaign.holds_the_late(self.audience(day), day)
    }

    /// Standing on that day under the campaign's policy as it stands. A freeze suspends what is derived; written holds stay counted.
    pub fn standing(&self, campaign: &Campaign, day: Date) -> Standing {
        let runs = |to: Option<Date>| to.is_some_and(|last| day <= last);
        if self.claimed {
            Standing::Standardised
        } else if runs(self.held_to) {
            Standing::Held
        } else if runs(self.exempt_to) {
            Standing::Exempt
        } else if campaign.holds_the_late(self.audience(day), day) {
            Standing::Held
        } else {
            match self.last {
                Progress::Pending => Standing::Pending,
                Progress::Refused(_) => Standing::Refused,
                Progress::NotStarted => Standing::NotStarted,
            }
        }
    }
}
