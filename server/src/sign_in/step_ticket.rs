//! The ticket between two pages of a sign-in: it stands for the step that succeeded, and its time. The page returns a random
//! name, which works once and only in the browser that has the page's cookie; the content of the ticket never leaves the
//! database.

use crate::http::{RequestContext, ticket_cookie};
use axum_extra::extract::cookie::CookieJar;
use jiff::Timestamp;
use ngomon_rules::records::AccountId;
use ngomon_store::{Ceremony, Factor, PasskeyStorage, Result, Store};
use serde::{Deserialize, Serialize};

/// The lifetime of a ticket, in seconds.
const THINKING: i64 = 300;

/// The submitted form.
#[derive(Default, Deserialize)]
pub struct Ticket {
    /// The name of the ticket.
    #[serde(default)]
    pub ticket: String,
}

/// A step of a sign-in that succeeded.
#[derive(Clone, Serialize, Deserialize)]
pub struct Step {
    /// The accounts that it succeeded for.
    pub accounts: Vec<AccountId>,
    /// The authentication method (RFC 8176).
    factor: String,
    /// When it succeeded, in microseconds UTC.
    at: i64,
}

impl Step {
    /// A step that succeeded at `at`.
    pub fn new(accounts: &[AccountId], factor: Factor, at: Timestamp) -> Self {
        Self {
            accounts: accounts.to_vec(),
            factor: factor.amr().to_owned(),
            at: at.as_microsecond(),
        }
    }

    /// The authentication method.
    pub fn factor(&self) -> Factor {
        let all = [
            Factor::Code,
            Factor::Passkey(PasskeyStorage::InDevice),
            Factor::Passkey(PasskeyStorage::Synced),
        ];
        let found = all.into_iter().find(|factor| factor.amr() == self.factor);
        found.unwrap_or(Factor::Password)
    }

    /// When the step succeeded.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.at).unwrap_or_default()
    }

    /// Stores the step for the next page in this browser. Returns the cookie and the ticket's name; without the cookie the name
    /// is worthless.
    pub async fn issue(&self, store: &Store, ctx: &RequestContext, step: &'static str) -> Result<(CookieJar, String)> {
        let secret = ctx.ticket.clone();
        let browser = secret.unwrap_or_else(|| store.new_token().as_str().to_owned());
        let name = self.issue_in(store, &browser, step).await?;
        Ok((ticket_cookie(&browser), name))
    }

    /// The same, bound to a given secret, such as a session's token.
    pub async fn issue_in(&self, store: &Store, browser: &str, step: &'static str) -> Result<String> {
        let state = serde_json::to_string(self).unwrap_or_default();
        store.begin_ceremony(Ceremony::Step { step, browser }, &state).await
    }

    /// Takes the stored step, once. `None` if the name is unknown, belongs to another step or browser, was used before, or is
    /// too old.
    pub async fn redeem(store: &Store, ctx: &RequestContext, step: &'static str, name: &str) -> Result<Option<Self>> {
        match &ctx.ticket {
            Some(browser) => Self::redeem_in(store, browser, step, name).await,
            None => Ok(None),
        }
    }

    /// The same, for a given secret.
    pub async fn redeem_in(store: &Store, browser: &str, step: &'static str, name: &str) -> Result<Option<Self>> {
        let ended = store.end_ceremony(Ceremony::Step { step, browser }, name).await?;
        let found = ended.and_then(|state| serde_json::from_str::<Self>(&state).ok());
        let young = |step: &Self| store.now().as_second() - step.at().as_second() <= THINKING;
        Ok(found.filter(young))
    }
}
