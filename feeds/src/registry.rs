//! The protocol of the registry service, which is queried for one number at a time, and the reader of its replies.
//!
//! No public specification fixes the format of the province's registry service, so this one is ours: a JSON object whose `found` is the
//! person's record or `null`. Anything else counts as no reply: a registry that cannot be understood has not said no.

use ngomon_rules::citizens::RegistryAnswer;
use ngomon_rules::records::RegistryRecord;
use ngomon_rules::values::NationalId;
use serde::{Deserialize, Serialize};

/// The maximum size of a reply in bytes.
const LONGEST: usize = 64 * 1024;

/// Why a reply is unusable. The error never quotes the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyFault {
    /// Longer than the maximum.
    #[error("the registry's reply is too long")]
    TooLong,
    /// Not in the agreed format.
    #[error("the registry's reply cannot be read")]
    Unreadable,
    /// About a number other than the queried one.
    #[error("the registry's reply is about another number")]
    AnotherNumber,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    found: Option<RegistryRecord>,
}

/// Reads the registry's reply to a query for `number`.
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

/// The reply of a registry that works.
pub(crate) fn reply(answer: &RegistryAnswer) -> Vec<u8> {
    let found = match answer {
        RegistryAnswer::Found(record) => Some((**record).clone()),
        RegistryAnswer::NotFound | RegistryAnswer::Unavailable => None,
    };
    // A record has only texts and days, so serialising it cannot fail.
    serde_json::to_vec(&Reply { found }).unwrap_or_default()
}
