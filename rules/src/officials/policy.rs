//! The settings of the officials' rules. The default is the letter.

use crate::hold::Reason;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The settings of the officials' rules and of the brakes on a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfficialsPolicy {
    /// Days from a notice's effective day to `transfer-pending`.
    pub grace_transfer: u16,
    /// Days from a due day to `stale-info`.
    pub grace_stale_info: u16,
    /// Months for which a yearly review is valid: 12, or 6 by TCVN 14423.
    pub review_months: u8,
    /// Days without a sign-in before `idle`. `None` if the hold is off.
    pub idle_days: Option<u16>,
    /// Whether to create an account for a profile in service that has none.
    pub create_newcomers: bool,
    /// The most accounts of one unit that a run may newly hold without approval. `None` if there is no such brake.
    pub brake_unit: Option<u32>,
    /// The same limit for each reason.
    pub brake_reason: BTreeMap<Reason, u32>,
}

impl Default for OfficialsPolicy {
    fn default() -> Self {
        Self {
            grace_transfer: 0,
            grace_stale_info: 0,
            review_months: 12,
            idle_days: None,
            create_newcomers: false,
            brake_unit: None,
            brake_reason: BTreeMap::new(),
        }
    }
}

/// The keys of `ngomon policy set`. `brake.REASON` stands for one key per reason.
pub const POLICY_KEYS: [&str; 7] = [
    "grace.transfer",
    "grace.stale-info",
    "review-months",
    "idle-days",
    "newcomers",
    "brake.unit",
    "brake.REASON",
];

impl OfficialsPolicy {
    /// The value of a key. Empty if not set.
    pub fn get(&self, key: &str) -> Option<String> {
        let optional = |n: Option<String>| n.unwrap_or_default();
        Some(match key {
            "grace.transfer" => self.grace_transfer.to_string(),
            "grace.stale-info" => self.grace_stale_info.to_string(),
            "review-months" => self.review_months.to_string(),
            "idle-days" => optional(self.idle_days.map(|n| n.to_string())),
            "newcomers" => if self.create_newcomers { "create" } else { "desk" }.into(),
            "brake.unit" => optional(self.brake_unit.map(|n| n.to_string())),
            _ => {
                let reason = key
                    .strip_prefix("brake.")
                    .and_then(Reason::parse)
                    .filter(|reason| reason.is_hr())?;
                optional(self.brake_reason.get(&reason).map(ToString::to_string))
            }
        })
    }

    /// The policy with one key changed. `None` if the key does not exist or the value is not valid for it.
    #[must_use]
    pub fn with(&self, key: &str, value: &str) -> Option<Self> {
        let mut to = self.clone();
        let optional = |value: &str| {
            if value.is_empty() {
                Some(None)
            } else {
                value.parse().ok().map(Some)
            }
        };
        match key {
            "grace.transfer" => to.grace_transfer = value.parse().ok()?,
            "grace.stale-info" => to.grace_stale_info = value.parse().ok()?,
            "review-months" => to.review_months = value.parse().ok().filter(|n| matches!(n, 6 | 12))?,
            "idle-days" => to.idle_days = optional(value)?.map(u16::try_from).transpose().ok()?,
            "newcomers" => {
                to.create_newcomers = match value {
                    "create" => true,
                    "desk" => false,
                    _ => return None,
                }
            }
            "brake.unit" => to.brake_unit = optional(value)?,
            _ => {
                let reason = key
                    .strip_prefix("brake.")
                    .and_then(Reason::parse)
                    .filter(|reason| reason.is_hr())?;
                match optional(value)? {
                    Some(most) => to.brake_reason.insert(reason, most),
                    None => to.brake_reason.remove(&reason),
                };
            }
        }
        Some(to)
    }
}
