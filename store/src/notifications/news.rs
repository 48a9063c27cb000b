//! What an owner is told about a change of the account.

use ngomon_rules::hold::Reason;
use std::sync::Arc;

/// What a message reports to owners: events of their account at which they may not have been present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The account was standardised, by the form of this receipt.
    Standardised(Option<String>),
    /// A counter withdrew its claim.
    ClaimWithdrawn,
    /// Another account has its claim now.
    ClaimLost,
    /// A counter issued a code that sets another password.
    PasswordCodeIssued,
    /// A counter recorded another phone for it.
    PhoneChanged,
    /// The request for a review with this receipt was answered.
    ReviewAnswered(String),
    /// The last hold ended.
    OpenAgain,
    /// A hold started.
    Held(Reason),
    /// The form of this receipt, which its owner did not just send, was answered.
    Answered(String),
}

/// The texts for each [`News`], given by the caller that opens the store.
pub type NewsWords = Arc<dyn Fn(&News) -> String + Send + Sync>;

impl News {
    /// The priority: an owner gets only the most important message of one commit.
    pub(crate) fn weight(&self) -> u8 {
        match self {
            Self::Answered(_) | Self::ReviewAnswered(_) => 0,
            Self::OpenAgain => 1,
            Self::Held(_) => 2,
            Self::Standardised(_) => 3,
            Self::ClaimLost => 4,
            Self::ClaimWithdrawn => 5,
            Self::PasswordCodeIssued | Self::PhoneChanged => 6,
        }
    }

    /// Whether it changes which phone counts: then the previous contact point is notified too, so that its owner can object.
    pub(crate) fn moves_the_phone(&self) -> bool {
        matches!(self, Self::Standardised(_) | Self::ClaimWithdrawn | Self::ClaimLost)
    }
}
