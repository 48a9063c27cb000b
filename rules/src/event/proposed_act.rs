//! The acts that take two operators.

use crate::citizens::Paper;
use crate::client::{Client, ClientId};
use crate::hold::{Cause, Hold};
use crate::records::AccountId;
use serde::{Deserialize, Serialize};

/// An act that two operators must agree on, as the first one proposes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum ProposedAct {
    /// An operator's account is held by order.
    HoldByOrder {
        /// The operator's account.
        account: AccountId,
        /// The hold.
        hold: Hold,
    },
    /// A hold by order on an operator's account is lifted.
    LiftOrder {
        /// The operator's account.
        account: AccountId,
        /// The order.
        cause: Cause,
    },
    /// All passkeys of an operator are removed.
    RemovePasskeys {
        /// The operator's account.
        account: AccountId,
    },
    /// The owner gets a code for setting a new password, although a counter changed the phone recently.
    NewPassword {
        /// The account.
        account: AccountId,
        /// The papers that the first operator saw.
        papers: Vec<Paper>,
    },
    /// A new phone is stored for an account whose password came from a counter recently, or that has no password. The phone is a personal
    /// value beside the entry.
    ChangePhone {
        /// The account.
        account: AccountId,
        /// The papers that the first operator saw.
        papers: Vec<Paper>,
    },
    /// The claim of an account is withdrawn although a counter changed the account's phone recently.
    WithdrawClaim {
        /// The account.
        account: AccountId,
    },
    /// A connected system is registered that gets personal data without consent.
    AddClient {
        /// The id that it gets.
        id: ClientId,
        /// Its settings.
        client: Box<Client>,
    },
    /// Such a system gets a new secret: its holder gets the same personal data.
    RotateClient {
        /// The system.
        id: ClientId,
    },
    /// All sessions and tokens of an operator's account end.
    EndSessions {
        /// The operator's account.
        account: AccountId,
    },
    /// A connected system that gets personal data without consent gets new settings.
    EditClient {
        /// The system.
        id: ClientId,
        /// Its settings at the time of the proposal.
        before: Box<Client>,
        /// The proposed settings.
        client: Box<Client>,
    },
    /// A connected system's own user ids become its subject identifiers.
    NameSubjects {
        /// The system.
        id: ClientId,
        /// Pairs of an account and the system's user id.
        subjects: Vec<(AccountId, String)>,
    },
}

impl ProposedAct {
    /// The word for the kind of act.
    pub fn name(&self) -> &'static str {
        match self {
            Self::HoldByOrder { .. } => "hold",
            Self::LiftOrder { .. } => "lift",
            Self::RemovePasskeys { .. } => "passkeys",
            Self::NewPassword { .. } => "password",
            Self::ChangePhone { .. } => "phone",
            Self::WithdrawClaim { .. } => "withdraw",
            Self::AddClient { .. } => "client",
            Self::RotateClient { .. } => "rotate",
            Self::EndSessions { .. } => "end-sessions",
            Self::EditClient { .. } => "edit-client",
            Self::NameSubjects { .. } => "subjects",
        }
    }

    /// The account that the act concerns.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::HoldByOrder { account, .. }
            | Self::LiftOrder { account, .. }
            | Self::RemovePasskeys { account }
            | Self::NewPassword { account, .. }
            | Self::ChangePhone { account, .. }
            | Self::WithdrawClaim { account }
            | Self::EndSessions { account } => Some(account),
            Self::AddClient { .. }
            | Self::RotateClient { .. }
            | Self::EditClient { .. }
            | Self::NameSubjects { .. } => None,
        }
    }

    /// Returns whether the other proposal is the same act. The id of a new system is ignored, because each proposal draws one.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::AddClient { client, .. }, Self::AddClient { client: other, .. }) => client == other,
            _ => self == other,
        }
    }
}
