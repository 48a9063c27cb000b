//! A session as the server sees it.

use crate::rights::Operator;
use ngomon_rules::records::{AccountId, AccountKind};

/// Lifetime of a held visit: 15 minutes in microseconds.
pub(crate) const HELD: i64 = 15 * 60 * 1_000_000;

/// A session's secret in the browser: 256 random bits in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(pub(crate) String);

impl SessionToken {
    /// The value of the cookie.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A valid session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Session {
    /// The account.
    pub account: AccountId,
    /// The kind of account.
    pub kind: AccountKind,
    /// `true` for a held visit: it may only display the holds and use their ways out.
    pub held: bool,
    /// `true` if the form was deferred in this session.
    pub put_off: bool,
    /// When the owner authenticated: microseconds UTC.
    pub began: i64,
    /// Authentication methods (RFC 8176), separated by spaces.
    pub amr: String,
}

impl Session {
    /// When a held visit ends: microseconds UTC.
    pub fn held_until(&self) -> i64 {
        self.began + HELD
    }

    /// The permission to act at the desk, for the full session of an operator only.
    pub fn operator(&self) -> Option<Operator> {
        let at_work = self.kind == AccountKind::Operator && !self.held;
        at_work.then(|| Operator(self.account.clone()))
    }
}

/// A session in its owner's list.
#[derive(Clone, Debug)]
pub struct SessionSummary {
    /// When it began: microseconds UTC.
    pub began: i64,
    /// The last click: microseconds UTC.
    pub seen: i64,
    /// The browser and its system, as [`crate::Store::note_device`] recorded them.
    pub device: Option<String>,
    /// `true` for the session that requests the list.
    pub is_this: bool,
}

/// Why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// It timed out.
    Time,
    /// A hold was placed on its account.
    Change,
    /// It was closed, or the token is unknown.
    Gone,
}
