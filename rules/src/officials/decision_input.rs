//! The inputs of a decision about one account.

use super::directory::{Directory, OfficialAccount};
use super::policy::OfficialsPolicy;
use crate::records::Notice;
use crate::unit::UnitTree;
use crate::values::Date;

/// The inputs of a decision.
#[derive(Clone, Copy)]
pub struct DecisionInput<'a> {
    /// The account to decide about.
    pub account: &'a OfficialAccount,
    /// The profiles, and the rows that could not be read.
    pub directory: &'a Directory,
    /// The person's latest notice in effect, from [`super::latest_begun`].
    pub notice: Option<&'a Notice>,
    /// The units of all times.
    pub units: &'a UnitTree,
    /// The day for which to decide.
    pub day: Date,
    /// The operator's settings.
    pub policy: &'a OfficialsPolicy,
    /// Whether the freeze switch is on, which suspends clauses 1 to 4.
    pub freeze: bool,
}
