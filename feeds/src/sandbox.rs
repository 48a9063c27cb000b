//! The sandbox plays the registry for its own made-up people, well or badly, as somebody who tries the product tells it.

use crate::registry::reply;
use ngomon_rules::citizens::RegistryAnswer;
use std::time::Duration;

/// How the registry behaves when it is asked for one of the made-up people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// It answers at once.
    #[default]
    Right,
    /// It answers after four seconds.
    Slow,
    /// It does not answer.
    Down,
    /// It answers something that nobody can read.
    Garbage,
}

impl Mood {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Right, Self::Slow, Self::Down, Self::Garbage];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Slow => "slow",
            Self::Down => "down",
            Self::Garbage => "garbage",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mood| mood.name() == name)
    }

    /// What comes back over the wire, and after how long; `None`: nothing ever does.
    pub fn play(self, answer: &RegistryAnswer) -> Option<(Duration, Vec<u8>)> {
        match self {
            Self::Right => Some((Duration::ZERO, reply(answer))),
            Self::Slow => Some((Duration::from_secs(4), reply(answer))),
            Self::Down => None,
            Self::Garbage => Some((Duration::ZERO, b"<html>502 Bad Gateway</html>".to_vec())),
        }
    }
}
