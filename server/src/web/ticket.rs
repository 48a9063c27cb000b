//! What the browser brings back between two steps of signing in: whose step before was right, and until when. A MAC says that it is
//! ours; nothing is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ngomon_rules::record::AccountId;
use ngomon_store::Store;
use serde::Deserialize;

/// How long one may think, in seconds.
const THINKING: i64 = 300;

/// As it is sent.
#[derive(Default, Deserialize)]
pub struct Ticket {
    /// Account, end, MAC.
    #[serde(default)]
    pub ticket: String,
}

fn parts<'a>(step: &'a str, account: &'a str, until: &'a [u8; 8]) -> [&'a [u8]; 3] {
    [step.as_bytes(), account.as_bytes(), until]
}

/// For the account, good for one step.
pub fn issue(store: &Store, step: &str, account: &AccountId) -> String {
    let until = store.now().as_second() + THINKING;
    let mac = store.keys().mac(&parts(step, account.as_str(), &until.to_be_bytes()));
    format!("{account}.{until}.{}", URL_SAFE_NO_PAD.encode(mac))
}

/// Whose it is, and when the step before was right; `None`: it is not ours, of another step, or too old.
pub fn account(store: &Store, step: &str, ticket: &str) -> Option<(AccountId, Timestamp)> {
    let mut from_the_end = ticket.rsplitn(3, '.');
    let mac = URL_SAFE_NO_PAD.decode(from_the_end.next()?).ok()?;
    let until: i64 = from_the_end.next()?.parse().ok()?;
    let account = from_the_end.next()?;
    let genuine = store
        .keys()
        .mac_matches(&parts(step, account, &until.to_be_bytes()), &mac);
    let good = genuine && store.now().as_second() <= until;
    let right = Timestamp::from_second(until.checked_sub(THINKING)?).ok()?;
    good.then(|| (AccountId(account.to_owned()), right))
}
