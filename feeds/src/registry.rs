//! The registry as a service that is asked for one number: what it says on the wire, and how it is read.
//!
//! No public specification fixes the form of the province's registry service, so this one is ours: a JSON object whose `found` is the
//! person's record or `null`. Whatever else comes back is no answer: a registry that cannot be understood has not said no.

use ngomon_rules::citizens::RegistryAnswer;
use ngomon_rules::record::RegistryRecord;
use ngomon_rules::values::NationalId;
use serde::{Deserialize, Serialize};

/// A reply is not longer, in bytes.
const LONGEST: usize = 64 * 1024;

/// Why a reply is no answer. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyFault {
    /// Longer than any answer.
    #[error("the registry's reply is too long")]
    TooLong,
    /// Not of the form agreed.
    #[error("the registry's reply cannot be read")]
    Unreadable,
    /// About another number than was asked for.
    #[error("the registry's reply is about another number")]
    AnotherNumber,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    found: Option<RegistryRecord>,
}

/// Reads what the registry replied when asked for `number`.
pub fn read_reply(number: NationalId, bytes: &[u8]) -> Result<RegistryAnswer, ReplyFault> {
    if bytes.len() > LONGEST {
        return Err(ReplyFault::TooLong);
    }
    let reply: Reply = serde_json::from_slice(bytes).map_err(|_| ReplyFault::Unreadable)?;
    match reply.found {
        None => Ok(RegistryAnswer::NotFound),
        Some(record) if record.national_id == number || record.former_ids.contains(&number) => {
            Ok(RegistryAnswer::Found(Box::new(record)))
        }
        Some(_) => Err(ReplyFault::AnotherNumber),
    }
}

/// The reply of a registry that is well.
pub(crate) fn reply(answer: &RegistryAnswer) -> Vec<u8> {
    let found = match answer {
        RegistryAnswer::Found(record) => Some((**record).clone()),
        RegistryAnswer::NotFound | RegistryAnswer::Unavailable => None,
    };
    // A record is text and days: it has no form that JSON lacks.
    serde_json::to_vec(&Reply { found }).unwrap_or_default()
}
