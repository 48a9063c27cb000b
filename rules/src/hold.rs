//! Holds. An account is open exactly while it has none. Every hold names its clause, its evidence and its way out.

use crate::values::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Why an account is held. Ordered by name, as lists print the reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Ordered by an office. The evidence has who signed, the document number and the end day.
    ByOrder,
    /// A stronger proof took the claim over.
    ClaimLost,
    /// Another account holds the claim of the person whose details this account states.
    Duplicate,
    /// No sign-in for longer than policy allows (TCVN 14423; off by default).
    Idle,
    /// HR records that the person left the service.
    Left,
    /// Name, birth date or national id differ from HR's profile.
    Mismatch,
    /// The person's profile is at another unit, where an account exists.
    Moved,
    /// HR has no profile of the person.
    NoProfile,
    /// The deadline passed under the policy `hold`. Derived from the date, never stored.
    NotStandardised,
    /// HR records that the person retired.
    Retired,
    /// The yearly review was missed.
    ReviewOverdue,
    /// A periodic item fell due and the profile was not updated.
    StaleInfo,
    /// A movement notice has taken effect, and the HR file has not followed.
    TransferPending,
}

impl Reason {
    /// Every reason, ordered by name.
    pub const ALL: [Self; 13] = [
        Self::ByOrder,
        Self::ClaimLost,
        Self::Duplicate,
        Self::Idle,
        Self::Left,
        Self::Mismatch,
        Self::Moved,
        Self::NoProfile,
        Self::NotStandardised,
        Self::Retired,
        Self::ReviewOverdue,
        Self::StaleInfo,
        Self::TransferPending,
    ];

    /// The name that scripts outside rely on.
    pub fn name(self) -> &'static str {
        match self {
            Self::ByOrder => "by-order",
            Self::ClaimLost => "claim-lost",
            Self::Duplicate => "duplicate",
            Self::Idle => "idle",
            Self::Left => "left",
            Self::Mismatch => "mismatch",
            Self::Moved => "moved",
            Self::NoProfile => "no-profile",
            Self::NotStandardised => "not-standardised",
            Self::Retired => "retired",
            Self::ReviewOverdue => "review-overdue",
            Self::StaleInfo => "stale-info",
            Self::TransferPending => "transfer-pending",
        }
    }

    /// Parses the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// The clause that the reason comes from.
    pub fn clause(self) -> Clause {
        match self {
            Self::Mismatch => Clause::Officials(1),
            Self::TransferPending => Clause::Officials(2),
            Self::StaleInfo => Clause::Officials(3),
            Self::ReviewOverdue => Clause::Officials(4),
            Self::Left | Self::Retired => Clause::Officials(5),
            Self::Moved => Clause::Officials(6),
            Self::NoProfile => Clause::Officials(7),
            Self::NotStandardised => Clause::Citizens("C1"),
            Self::Duplicate => Clause::Citizens("C4"),
            Self::ClaimLost => Clause::Citizens("C5"),
            Self::ByOrder => Clause::Order,
            Self::Idle => Clause::Policy,
        }
    }

    /// The ways out that the owner has within a held visit. Empty if only somebody else can resolve the hold.
    pub fn ways_out(self) -> &'static [WayOut] {
        match self {
            Self::Duplicate => &[WayOut::Join, WayOut::Form, WayOut::Review],
            Self::ClaimLost => &[WayOut::Form, WayOut::Review],
            Self::NotStandardised => &[WayOut::Form, WayOut::Exemption],
            Self::Mismatch | Self::TransferPending | Self::StaleInfo | Self::ReviewOverdue => &[WayOut::Profile],
            Self::Idle => &[WayOut::Code],
            Self::Moved => &[WayOut::NewAccount],
            Self::ByOrder | Self::Left | Self::NoProfile | Self::Retired => &[],
        }
    }

    /// Returns whether HR's data decide the reason.
    pub fn is_hr(self) -> bool {
        matches!(self.clause(), Clause::Officials(_)) || self == Self::Idle
    }

    /// Returns whether the reason excludes the other HR holds: `no-profile`, `left`, `retired` and `moved` make them moot.
    pub fn stands_alone(self) -> bool {
        matches!(self, Self::NoProfile | Self::Left | Self::Retired | Self::Moved)
    }

    /// Returns whether the freeze switch suspends the reason. It suspends citizens' holds and officials' clauses 1 to 4; clauses 5 to 7 and
    /// holds by order go on.
    pub fn rests_in_a_freeze(self) -> bool {
        !matches!(
            self,
            Self::ByOrder | Self::Left | Self::Retired | Self::Moved | Self::NoProfile
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A way out of a hold that the owner can take alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WayOut {
    /// A one-time code to the phone or mailbox on file.
    Code,
    /// A statement that the owner is exempt for now: a child, a foreigner, a card being made.
    Exemption,
    /// The form of four fields, with the owner's own details.
    Form,
    /// Joining the account to the one that holds the claim.
    Join,
    /// Continuing with the account at the new unit.
    NewAccount,
    /// The owner's HR profile: reviewing it, or proposing changes.
    Profile,
    /// Requesting a review by a counter.
    Review,
}

/// The source of a hold. [`crate::law`] has its text, its letter and the day from which it is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clause {
    /// A dash of letter 108/STTTT-CNTT, counted from 1.
    Officials(u8),
    /// A rule drawn from letter 125/UBND.
    Citizens(&'static str),
    /// An order. Whoever signed it is in the evidence.
    Order,
    /// A policy that the operator switched on.
    Policy,
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Officials(n) => write!(f, "108/{n}"),
            Self::Citizens(rule) => write!(f, "125/{rule}"),
            Self::Order => f.write_str("order"),
            Self::Policy => f.write_str("policy"),
        }
    }
}

/// The facts compared: grades, days, unit codes, document numbers. Never a personal value.
pub type Evidence = BTreeMap<String, String>;

/// What distinguishes two holds of one account with the same reason: a claim, a notice, an order, HR.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cause(pub String);

impl Cause {
    /// The HR system.
    pub fn hr() -> Self {
        Self("hr".into())
    }

    /// The claim of the account `holder`.
    pub fn claim(holder: &crate::records::AccountId) -> Self {
        Self(format!("claim:{holder}"))
    }

    /// The account that holds the claim, if the cause is a claim.
    pub fn claim_of(&self) -> Option<&str> {
        self.0.strip_prefix("claim:")
    }

    /// A movement notice.
    pub fn notice(number: &str) -> Self {
        Self(format!("notice:{number}"))
    }

    /// A document that orders the hold.
    pub fn order(document: &str) -> Self {
        Self(format!("order:{document}"))
    }
}

/// One reason and cause that keep an account from signing in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hold {
    /// The reason.
    pub reason: Reason,
    /// The cause, which distinguishes holds with the same reason.
    pub cause: Cause,
    /// The facts compared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: Evidence,
    /// The last day of the hold, if it is known in advance (`by-order`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<Date>,
}

impl Hold {
    /// A hold from HR's data. Its cause is HR itself.
    pub fn of_hr(reason: Reason, evidence: Evidence) -> Self {
        Self {
            reason,
            cause: Cause::hr(),
            evidence,
            last_day: None,
        }
    }

    /// The pair that identifies a hold within its account.
    pub fn key(&self) -> (Reason, Cause) {
        (self.reason, self.cause.clone())
    }
}

/// Builds evidence from pairs.
pub fn evidence<const N: usize>(pairs: [(&str, String); N]) -> Evidence {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
