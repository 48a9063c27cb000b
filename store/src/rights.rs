//! Who may act at the desk.

use crate::error::{Refusal, Result};
use ngomon_rules::records::AccountId;

/// The permission to act at the desk, in the name of an operator. It comes only from a full session
/// ([`crate::Session::operator`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator(pub(crate) AccountId);

impl Operator {
    /// The actor in the journal: `operator:NAME`.
    pub fn by(&self) -> &str {
        self.0.as_str()
    }
}

/// Fails if the account is an operator's, on which one operator must not act alone.
pub(crate) fn alone(account: &AccountId) -> Result<()> {
    match account.operator() {
        Some(_) => Err(Refusal::NeedsTwo.into()),
        None => Ok(()),
    }
}
