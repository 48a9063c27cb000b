//! What an operator records at a counter: which papers were seen (C5), and why an account is exempt (C1).

use crate::values::Date;
use jiff::Span;
use serde::{Deserialize, Serialize};

/// A paper that an operator saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Paper {
    /// Thẻ căn cước, thẻ căn cước công dân.
    IdCard,
    /// Căn cước điện tử on the person's own phone.
    VneidApp,
    /// Giấy xác nhận thông tin về cư trú (CT07).
    Residence,
    /// Giấy khai sinh.
    BirthCertificate,
    /// Hộ chiếu.
    Passport,
}

impl Paper {
    /// All papers, the most common first.
    pub const ALL: [Self; 5] = [
        Self::IdCard,
        Self::VneidApp,
        Self::Residence,
        Self::BirthCertificate,
        Self::Passport,
    ];

    /// The word in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::IdCard => "id-card",
            Self::VneidApp => "vneid-app",
            Self::Residence => "residence",
            Self::BirthCertificate => "birth-certificate",
            Self::Passport => "passport",
        }
    }

    /// Parses the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|paper| paper.name() == name)
    }
}

/// Why an account is exempt: "child, foreigner, card in the making".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exemption {
    /// A child without a card.
    Child,
    /// Somebody of another nationality.
    Foreigner,
    /// The card was applied for and has not come yet.
    CardInTheMaking,
}

impl Exemption {
    /// All exemptions.
    pub const ALL: [Self; 3] = [Self::Child, Self::Foreigner, Self::CardInTheMaking];

    /// The word in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Foreigner => "foreigner",
            Self::CardInTheMaking => "card-in-the-making",
        }
    }

    /// Parses the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.name() == name)
    }

    /// The latest possible end day of an exemption granted on `today`: in five years, or in half a year while a card is being made. It can
    /// be granted again.
    pub fn latest(self, today: Date) -> Date {
        let longest = match self {
            Self::Child | Self::Foreigner => Span::new().years(5),
            Self::CardInTheMaking => Span::new().months(6),
        };
        today.checked_add(longest).unwrap_or(Date::MAX)
    }

    /// Returns whether an exemption granted on `today` may end on `last_day`.
    pub fn may_end_on(self, last_day: Date, today: Date) -> bool {
        today <= last_day && last_day <= self.latest(today)
    }
}
