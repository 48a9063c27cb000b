//! The sandbox registry. It plays the registry for its own made-up people and behaves well or badly, as the person who tries the product
//! chooses.

use crate::registry::reply;
use ngomon_rules::citizens::RegistryAnswer;
use std::time::Duration;

/// How the sandbox registry behaves when it is queried for one of the made-up people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RegistryBehaviour {
    /// It replies at once.
    #[default]
    Right,
    /// It replies after four seconds.
    Slow,
    /// It does not reply.
    Down,
    /// It replies with something unreadable.
    Garbage,
}

impl RegistryBehaviour {
    /// All behaviours.
    pub const ALL: [Self; 4] = [Self::Right, Self::Slow, Self::Down, Self::Garbage];

    /// The word for the behaviour.
    pub fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Slow => "slow",
            Self::Down => "down",
            Self::Garbage => "garbage",
        }
    }

    /// Parses the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mood| mood.name() == name)
    }

    /// The bytes of the reply and the delay. `None` if no reply ever comes.
    pub fn play(self, answer: &RegistryAnswer) -> Option<(Duration, Vec<u8>)> {
        match self {
            Self::Right => Some((Duration::ZERO, reply(answer))),
            Self::Slow => Some((Duration::from_secs(4), reply(answer))),
            Self::Down => None,
            Self::Garbage => Some((Duration::ZERO, b"<html>502 Bad Gateway</html>".to_vec())),
        }
    }
}
