//! Between two pages of a sign-in: whose step before was right, and when. The page brings back a name drawn at random, good once, in the
//! browser that has the cookie of the page only; what it stands for never leaves the database.

use super::asker::{Asker, ticket_cookie};
use axum_extra::extract::cookie::CookieJar;
use jiff::Timestamp;
use ngomon_rules::record::AccountId;
use ngomon_store::{Ceremony, Factor, Kept, Result, Store};
use serde::{Deserialize, Serialize};

/// How long one may think, in seconds.
const THINKING: i64 = 300;

/// As it is sent.
#[derive(Default, Deserialize)]
pub struct Ticket {
    /// The name.
    #[serde(default)]
    pub ticket: String,
}

/// Whose step before was right.
#[derive(Clone, Serialize, Deserialize)]
pub struct Step {
    /// The accounts that it was right for.
    pub accounts: Vec<AccountId>,
    /// How its owner was proven (RFC 8176).
    factor: String,
    /// When: microseconds UTC.
    at: i64,
}

impl Step {
    /// The step before was right just then.
    pub fn new(accounts: &[AccountId], factor: Factor, at: Timestamp) -> Self {
        Self {
            accounts: accounts.to_vec(),
            factor: factor.amr().to_owned(),
            at: at.as_microsecond(),
        }
    }

    /// How its owner was proven.
    pub fn factor(&self) -> Factor {
        let all = [
            Factor::Code,
            Factor::Passkey(Kept::InDevice),
            Factor::Passkey(Kept::Synced),
        ];
        let found = all.into_iter().find(|factor| factor.amr() == self.factor);
        found.unwrap_or(Factor::Password)
    }

    /// When the step before was right.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.at).unwrap_or_default()
    }

    /// Remembers it for the next page in this browser: its name, and the cookie without which the name is worth nothing.
    pub async fn issue(&self, store: &Store, asker: &Asker, step: &'static str) -> Result<(CookieJar, String)> {
        let secret = asker.ticket.clone();
        let browser = secret.unwrap_or_else(|| store.new_token().as_str().to_owned());
        let name = self.issue_in(store, &browser, step).await?;
        Ok((ticket_cookie(&browser), name))
    }

    /// The same for who has that secret, a session's token.
    pub async fn issue_in(&self, store: &Store, browser: &str, step: &'static str) -> Result<String> {
        let state = serde_json::to_string(self).unwrap_or_default();
        store.begin_ceremony(Ceremony::Step { step, browser }, &state).await
    }

    /// What was remembered, once; `None`: it is not ours, of another step or browser, was used, or is too old.
    pub async fn redeem(store: &Store, asker: &Asker, step: &'static str, name: &str) -> Result<Option<Self>> {
        match &asker.ticket {
            Some(browser) => Self::redeem_in(store, browser, step, name).await,
            None => Ok(None),
        }
    }

    /// The same from who has that secret.
    pub async fn redeem_in(store: &Store, browser: &str, step: &'static str, name: &str) -> Result<Option<Self>> {
        let ended = store.end_ceremony(Ceremony::Step { step, browser }, name).await?;
        let found = ended.and_then(|state| serde_json::from_str::<Self>(&state).ok());
        let young = |step: &Self| store.now().as_second() - step.at().as_second() <= THINKING;
        Ok(found.filter(young))
    }
}
