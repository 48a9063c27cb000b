//! The limits of signing in, and whom they stop: strangers by their address, a known browser and an own session each by itself. The table of
//! `docs/OPERATING.md` is this one.

use super::App;
use super::asker::Asker;
use ngomon_rules::record::AccountId;
use ngomon_rules::values::{NationalId, username_key};
use ngomon_store::{BrowserMark, Counted, Credential, Limit, Result, Who};

/// A quarter of an hour.
const QUARTER: i64 = 900;
const HOUR: i64 = 3_600;

const fn limit(what: &'static str, times: i64, seconds: i64) -> Limit {
    Limit { what, times, seconds }
}

/// Wrong tries at one user name, of one address or of one browser that is known for it.
const OF_NAME: Limit = limit("sign-in-name", 10, QUARTER);
/// Wrong tries at one user name of all browsers that are known for it.
const OF_KNOWN: Limit = limit("sign-in-known", 60, QUARTER);
/// Wrong tries of strangers from one address, at whatever name, by a password, a passkey or a code.
pub const OF_ADDRESS: Limit = limit("sign-in-address", 300, QUARTER);
/// The same of a network of IPv6 as one customer has it.
const OF_NETWORK: Limit = limit("sign-in-network", 3_000, QUARTER);
/// Challenges for passkeys from one address: a right answer gives its own back.
pub const CHALLENGES: Limit = limit("passkey-challenge", 3_000, QUARTER);
/// Wrong answers of one passkey.
const OF_PASSKEY: Limit = limit("sign-in-passkey", 10, QUARTER);
/// Wrong codes of an operator's authenticator, of all strangers together or of one known browser.
const OF_OPERATOR: Limit = limit("sign-in-code", 5, QUARTER);
/// Wrong answers in one's own session: another factor, a new password after a code, the other account of a join.
const OF_OWN: Limit = limit("own", 10, QUARTER);
/// Receipt numbers looked up from one address.
const OF_RECEIPTS: Limit = limit("receipt-address", 300, QUARTER);
/// New codes asked for, for one user name from one address or one browser that is known for it, or in one's own session.
const CODES: Limit = limit("code-for", 5, HOUR);

/// Who asks for the account of these credentials.
pub fn who(app: &App, asker: &Asker, marks: impl IntoIterator<Item = BrowserMark>) -> Who {
    for mark in marks {
        for kept in &asker.browsers {
            if let Some(name) = app.store.known_browser(&mark, kept) {
                return Who::Browser(name.to_owned());
            }
        }
    }
    Who::Stranger(asker.address.clone())
}

/// The same, of accounts found by their user name.
pub fn who_of(app: &App, asker: &Asker, found: &[Credential]) -> Who {
    who(app, asker, found.iter().map(Credential::browser_mark))
}

/// Of a stranger: the address and its network. Nobody else has to answer for those who share it.
fn of_address(asker: &Asker, who: &Who) -> Vec<Counted> {
    if !who.is_stranger() {
        return Vec::new();
    }
    let network = asker.network.as_deref().map(|network| OF_NETWORK.of(&[network]));
    let address = OF_ADDRESS.of(&[&asker.address]);
    network.into_iter().chain([address]).collect()
}

/// A password for that user name, however it is written.
pub fn password(asker: &Asker, who: &Who, name: &str) -> Vec<Counted> {
    let name = &*username_key(name);
    let mut all = vec![match who {
        Who::Stranger(address) => OF_NAME.of(&[name, address]),
        known => OF_NAME.by(known, &[name]),
    }];
    all.extend((!who.is_stranger()).then(|| OF_KNOWN.of(&[name])));
    all.extend(of_address(asker, who));
    all
}

/// Is it a stranger whom the first of these limits has counted already? Whoever stands before a name for the first time goes first.
pub async fn tries_again(app: &App, who: &Who, limits: &[Counted]) -> Result<bool> {
    match limits.first() {
        Some(own) if who.is_stranger() => app.store.was_tried(own).await,
        _ => Ok(false),
    }
}

/// A passkey's answer.
pub fn passkey(asker: &Asker, who: &Who, passkey: &str) -> Vec<Counted> {
    let mut all = vec![OF_PASSKEY.by(who, &[passkey])];
    all.extend(of_address(asker, who));
    all
}

/// A challenge for a passkey.
pub fn challenge(asker: &Asker) -> Counted {
    CHALLENGES.of(&[&asker.address])
}

/// A code of the authenticator of that operator, whose password was right.
pub fn second_factor(who: &Who, operator: &str) -> Counted {
    match who {
        Who::Stranger(_) => OF_OPERATOR.of(&[operator]),
        known => OF_OPERATOR.by(known, &[operator]),
    }
}

/// Something that the owner of that account does not get right.
pub fn own(what: &str, account: &str) -> Counted {
    OF_OWN.of(&[what, account])
}

/// A new code for that user name.
pub fn code(asker: &Asker, who: &Who, way: &str, name: &str) -> Vec<Counted> {
    let mut all = vec![CODES.by(who, &[way, &username_key(name)])];
    all.extend(of_address(asker, who));
    all
}

/// A new code in the session of that account.
pub fn own_code(what: &str, account: &str) -> Counted {
    CODES.of(&[what, account])
}

/// User names asked for from one address.
const OF_NAMES: Limit = limit("names-address", 30, HOUR);
/// Messages with user names of the whole installation.
const NAMES: Limit = limit("names-messages", 300, 60);
/// Messages with user names to one phone a day.
const TO_PHONE: Limit = limit("names-phone", 3, 24 * HOUR);

/// User names asked for by somebody who is not signed in.
pub fn names(asker: &Asker) -> Vec<Counted> {
    vec![OF_NAMES.of(&[&asker.address]), NAMES.of(&[])]
}

/// User names told to that phone.
pub fn names_of(phone: &str) -> Counted {
    TO_PHONE.of(&[phone])
}

/// A receipt number that is looked up by somebody who is not signed in.
pub fn looked_up(asker: &Asker) -> Vec<Counted> {
    vec![OF_RECEIPTS.of(&[&asker.address])]
}

/// A code that is typed by somebody who is not signed in.
pub fn typed_code(asker: &Asker) -> Vec<Counted> {
    of_address(asker, &Who::Stranger(asker.address.clone()))
}

/// Is that person the account's own, as far as anybody can tell: the account came with this number, or with the phone that the population
/// registry has for it, or its owner showed today to hold that phone? Then what others tried does not count.
pub async fn is_own_person(app: &App, account: &AccountId, number: &NationalId) -> Result<bool> {
    let key = [account.as_str(), number.as_str()];
    if app.store.is_noted(PROVEN_PHONE, &key).await? {
        return Ok(true);
    }
    app.store.is_stated_by(account, number).await
}

/// The owner of the account typed a code that went to the phone that the registry has for that number. A code to a phone of one's own
/// choosing proves nothing of whose number it is.
pub async fn proven_phone(app: &App, account: &AccountId, number: &NationalId) -> Result<()> {
    let until = app.store.now().as_microsecond() + 86_400 * 1_000_000;
    app.store
        .once(PROVEN_PHONE, &[account.as_str(), number.as_str()], until)
        .await
        .map(drop)
}

const PROVEN_PHONE: &str = "proven-phone";
