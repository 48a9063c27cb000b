//! The proof of a claim.

use serde::{Deserialize, Serialize};

/// The proof of a claim, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The four fields, typed by the signed-in owner.
    Form,
    /// Papers seen by an operator.
    Counter,
    /// VNeID level 2.
    Vneid,
}

impl Proof {
    /// The word in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Counter => "counter",
            Self::Vneid => "vneid",
        }
    }

    /// Parses the word.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Form, Self::Counter, Self::Vneid]
            .into_iter()
            .find(|proof| proof.name() == name)
    }

    /// Returns whether this proof is stronger, so that it takes over a claim.
    pub fn takes_over(self, held: Self) -> bool {
        self > held
    }
}
