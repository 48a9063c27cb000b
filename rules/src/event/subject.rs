//! What an event is about.

use super::{PersonId, ProfileId};
use crate::client::ClientId;
use crate::records::AccountId;

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An account.
    Account(AccountId),
    /// A person.
    Person(PersonId),
    /// An HR profile.
    Profile(ProfileId),
    /// A load of a file.
    Load(String),
    /// A run of reconciliation.
    Run(String),
    /// A setting.
    Setting(String),
    /// An operator.
    Operator(String),
    /// A connected system.
    Client(ClientId),
}

impl Subject {
    /// Kind and id, as the journal stores them.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Account(id) => ("account", id.as_str()),
            Self::Person(id) => ("person", &id.0),
            Self::Profile(id) => ("profile", &id.0),
            Self::Load(id) => ("load", id),
            Self::Run(id) => ("run", id),
            Self::Setting(key) => ("setting", key),
            Self::Operator(name) => ("operator", name),
            Self::Client(id) => ("client", id.as_str()),
        }
    }

    /// Reads kind and id back from the journal.
    pub fn from_parts(kind: &str, id: &str) -> Option<Self> {
        let id = id.to_owned();
        Some(match kind {
            "account" => Self::Account(AccountId(id)),
            "person" => Self::Person(PersonId(id)),
            "profile" => Self::Profile(ProfileId(id)),
            "load" => Self::Load(id),
            "run" => Self::Run(id),
            "setting" => Self::Setting(id),
            "operator" => Self::Operator(id),
            "client" => Self::Client(ClientId(id)),
            _ => return None,
        })
    }
}
