//! The rate limits of signing in, and whom they stop: strangers by their address, each known browser and each session by
//! itself. The table in `docs/OPERATING.md` repeats these values.

use crate::app::App;
use crate::http::RequestContext;
use ngomon_rules::records::AccountId;
use ngomon_rules::values::{NationalId, username_key};
use ngomon_store::{BrowserMark, Credential, KeyedLimit, RateLimit, Requester, Result};

/// 15 minutes, in seconds.
const QUARTER: i64 = 900;
const HOUR: i64 = 3_600;

const fn limit(what: &'static str, times: i64, seconds: i64) -> RateLimit {
    RateLimit { what, times, seconds }
}

/// Wrong attempts at one user name, by one address or by one browser known for it.
const OF_NAME: RateLimit = limit("sign-in-name", 10, QUARTER);
/// Wrong attempts at one user name, by all browsers known for it.
const OF_KNOWN: RateLimit = limit("sign-in-known", 60, QUARTER);
/// Wrong attempts of strangers from one address, at any name, by password, passkey or code.
pub const OF_ADDRESS: RateLimit = limit("sign-in-address", 300, QUARTER);
/// The same for a /48 network of IPv6, which one customer may have.
const OF_NETWORK: RateLimit = limit("sign-in-network", 3_000, QUARTER);
/// Passkey challenges for one address. A right answer gives its challenge back.
pub const CHALLENGES: RateLimit = limit("passkey-challenge", 3_000, QUARTER);
/// Wrong answers of one passkey.
const OF_PASSKEY: RateLimit = limit("sign-in-passkey", 10, QUARTER);
/// Wrong codes of an operator's authenticator, by all strangers together or by one known browser.
const OF_OPERATOR: RateLimit = limit("sign-in-code", 5, QUARTER);
/// Wrong answers within a session: another factor, a new password after a code, the other account of a join.
const OF_OWN: RateLimit = limit("own", 10, QUARTER);
/// Receipt numbers looked up from one address.
const OF_RECEIPTS: RateLimit = limit("receipt-address", 300, QUARTER);
/// Codes requested for one user name, by one address or one browser known for it, or within a session.
const CODES: RateLimit = limit("code-for", 5, HOUR);

/// Who requests access to these accounts: a browser that is known for one of them, or a stranger.
pub fn who(app: &App, ctx: &RequestContext, marks: impl IntoIterator<Item = BrowserMark>) -> Requester {
    for mark in marks {
        for kept in &ctx.browsers {
            if let Some(name) = app.store.known_browser(&mark, kept) {
                return Requester::Browser(name.to_owned());
            }
        }
    }
    Requester::Stranger(ctx.address.clone())
}

/// The same, for accounts found by their user name.
pub fn who_of(app: &App, ctx: &RequestContext, found: &[Credential]) -> Requester {
    who(app, ctx, found.iter().map(Credential::browser_mark))
}

/// The limits of a stranger's address and network. Known browsers that share the address are not stopped by them.
fn of_address(ctx: &RequestContext, who: &Requester) -> Vec<KeyedLimit> {
    if !who.is_stranger() {
        return Vec::new();
    }
    let network = ctx.network.as_deref().map(|network| OF_NETWORK.of(&[network]));
    let address = OF_ADDRESS.of(&[&ctx.address]);
    network.into_iter().chain([address]).collect()
}

/// The limits for a password at this user name, in any spelling.
pub fn password(ctx: &RequestContext, who: &Requester, name: &str) -> Vec<KeyedLimit> {
    let name = &*username_key(name);
    let mut all = vec![match who {
        Requester::Stranger(address) => OF_NAME.of(&[name, address]),
        known => OF_NAME.by(known, &[name]),
    }];
    all.extend((!who.is_stranger()).then(|| OF_KNOWN.of(&[name])));
    all.extend(of_address(ctx, who));
    all
}

/// Whether this is a stranger whom the first limit has already counted. First attempts at a name are served before repeated
/// ones.
pub async fn tries_again(app: &App, who: &Requester, limits: &[KeyedLimit]) -> Result<bool> {
    match limits.first() {
        Some(own) if who.is_stranger() => app.store.was_tried(own).await,
        _ => Ok(false),
    }
}

/// The limits for a passkey's answer.
pub fn passkey(ctx: &RequestContext, who: &Requester, passkey: &str) -> Vec<KeyedLimit> {
    let mut all = vec![OF_PASSKEY.by(who, &[passkey])];
    all.extend(of_address(ctx, who));
    all
}

/// The limit for a passkey challenge.
pub fn challenge(ctx: &RequestContext) -> KeyedLimit {
    CHALLENGES.of(&[&ctx.address])
}

/// The limit for a code of this operator's authenticator, after the right password.
pub fn second_factor(who: &Requester, operator: &str) -> KeyedLimit {
    match who {
        Requester::Stranger(_) => OF_OPERATOR.of(&[operator]),
        known => OF_OPERATOR.by(known, &[operator]),
    }
}

/// The limit for a wrong answer by this account's owner.
pub fn own(what: &str, account: &str) -> KeyedLimit {
    OF_OWN.of(&[what, account])
}

/// The limits for a new code for this user name.
pub fn code(ctx: &RequestContext, who: &Requester, way: &str, name: &str) -> Vec<KeyedLimit> {
    let mut all = vec![CODES.by(who, &[way, &username_key(name)])];
    all.extend(of_address(ctx, who));
    all
}

/// The limit for a new code within this account's session.
pub fn own_code(what: &str, account: &str) -> KeyedLimit {
    CODES.of(&[what, account])
}

/// Requests for user names from one address.
const OF_NAMES: RateLimit = limit("names-address", 30, HOUR);
/// Messages with user names from the whole installation.
const NAMES: RateLimit = limit("names-messages", 300, 60);
/// Messages with user names to one phone per day.
const TO_PHONE: RateLimit = limit("names-phone", 3, 24 * HOUR);

/// The limits for a request for user names without a session.
pub fn names(ctx: &RequestContext) -> Vec<KeyedLimit> {
    vec![OF_NAMES.of(&[&ctx.address]), NAMES.of(&[])]
}

/// The limit for messages with user names to this phone.
pub fn names_of(phone: &str) -> KeyedLimit {
    TO_PHONE.of(&[phone])
}

/// The limit for a receipt lookup without a session.
pub fn looked_up(ctx: &RequestContext) -> Vec<KeyedLimit> {
    vec![OF_RECEIPTS.of(&[&ctx.address])]
}

/// The limits for a code that is typed without a session.
pub fn typed_code(ctx: &RequestContext) -> Vec<KeyedLimit> {
    of_address(ctx, &Requester::Stranger(ctx.address.clone()))
}

/// Whether the person is the account's own, as far as can be known: the account was imported with this number, or with the
/// phone that the population registry has for it, or its owner proved today to hold that phone. Then other people's attempts do
/// not count.
pub async fn is_own_person(app: &App, account: &AccountId, number: &NationalId) -> Result<bool> {
    let key = [account.as_str(), number.as_str()];
    if app.store.is_noted(PROVEN_PHONE, &key).await? {
        return Ok(true);
    }
    app.store.is_stated_by(account, number).await
}

/// Records that the owner of the account typed a code sent to the phone that the registry has for this number. A code to a
/// phone of one's own choosing proves nothing about whose number it is.
pub async fn proven_phone(app: &App, account: &AccountId, number: &NationalId) -> Result<()> {
    let until = app.store.now().as_microsecond() + 86_400 * 1_000_000;
    app.store
        .consume_nonce(PROVEN_PHONE, &[account.as_str(), number.as_str()], until)
        .await
        .map(drop)
}

const PROVEN_PHONE: &str = "proven-phone";
