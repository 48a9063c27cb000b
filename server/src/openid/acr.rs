//! The authentication context (`acr`) of a sign-in, and what a client requests of it.

/// `acr` of a sign-in by one factor: a password, or a code to the phone or mailbox on file.
pub const ONE_FACTOR: &str = "urn:ngomon:acr:1";

/// `acr` of a sign-in by two factors.
pub const TWO_FACTORS: &str = "urn:ngomon:acr:2";

/// The `acr` value of a sign-in, from its `amr` (RFC 8176).
pub fn acr(amr: &str) -> &'static str {
    if amr.split(' ').any(|word| word == "mfa") {
        TWO_FACTORS
    } else {
        ONE_FACTOR
    }
}

/// The `acr` values that a client requests, the preferred one first. If there are none, any sign-in will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedAcr {
    /// The requested `acr` values.
    pub values: Vec<String>,
    /// No other value will do.
    pub essential: bool,
}

impl WantedAcr {
    /// From `acr_values`, which is a request for voluntary claims and never essential.
    pub fn hoped_for(acr_values: &str) -> Self {
        let locale = acr_values.split(' ').filter(|word| !word.is_empty());
        Self {
            values: locale.map(str::to_owned).collect(),
            essential: false,
        }
    }

    /// Whether a sign-in with this `acr` satisfies the client. A voluntary request is also satisfied if none of the values that come before
    /// is supported here.
    pub fn is_met_by(&self, acr: &str) -> bool {
        let known = |value: &&String| [ONE_FACTOR, TWO_FACTORS].contains(&value.as_str());
        if self.essential {
            self.values.iter().any(|value| value == acr)
        } else {
            self.values
                .iter()
                .find(known)
                .is_none_or(|best| best == acr || acr == TWO_FACTORS)
        }
    }

    /// Whether two factors would satisfy the request.
    pub fn takes_two_factors(&self) -> bool {
        self.values.iter().any(|value| value == TWO_FACTORS)
    }
}
