//! Ways out of a hold. A full visit goes where its kind of account may go; a held visit only where a reason that holds the account now
//! leads. Who is held by order alone reads why, and does nothing.

use super::App;
use super::asker::Asker;
use super::page::{Fault, message};
use axum::RequestPartsExt as _;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::hold::WayOut;
use ngomon_rules::record::AccountKind;
use ngomon_store::{Limit, Result, Visit};
use std::marker::PhantomData;

/// A way out, as the pages have it.
pub trait Way {
    /// Which.
    const WAY: WayOut;
    /// Whose accounts have it.
    const KIND: AccountKind;
    /// Where whoever nothing holds is led, since there is nothing to do; `None`: it is open to them.
    const UNHELD: Option<&'static str>;
}

macro_rules! ways {
    ($($(#[$doc:meta])* $name:ident: $way:ident, $kind:ident, $unheld:expr;)+) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Way for $name {
            const WAY: WayOut = WayOut::$way;
            const KIND: AccountKind = AccountKind::$kind;
            const UNHELD: Option<&'static str> = $unheld;
        }
    )+};
}

ways! {
    /// The form of four fields.
    ByForm: Form, Citizen, None;
    /// Saying that one is exempt from it.
    ByExemption: Exemption, Citizen, None;
    /// Joining two accounts.
    ByJoin: Join, Citizen, Some("/");
    /// Asking a counter to look again.
    ByReview: Review, Citizen, Some("/");
    /// Going on with the account at the new unit.
    ByMove: NewAccount, Official, Some("/");
    /// The own HR profile.
    ByProfile: Profile, Official, None;
    /// A one-time code.
    ByCode: Code, Official, Some("/held");
}

/// An owner whom a way is open to. Every page of a way out takes one.
pub struct Through<W> {
    /// Who asks.
    pub asker: Asker,
    /// The visit.
    pub visit: Visit,
    way: PhantomData<W>,
}

/// Who asks for a way that is not open.
pub struct Closed {
    /// Who asks; `None`: that could not be found out.
    pub asker: Option<Asker>,
    answer: Response,
}

impl IntoResponse for Closed {
    fn into_response(self) -> Response {
        self.answer
    }
}

impl<W: Way> FromRequestParts<App> for Through<W> {
    type Rejection = Closed;

    #[allow(clippy::result_large_err, reason = "made once a request that goes elsewhere")]
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Closed> {
        let asker: Asker = match parts.extract_with_state(app).await {
            Ok(asker) => asker,
            Err(answer) => return Err(Closed { asker: None, answer }),
        };
        let closed = |asker, to| {
            Err(Closed {
                asker: Some(asker),
                answer: Redirect::to(to).into_response(),
            })
        };
        let Some(visit) = asker.visit.clone().filter(|visit| visit.kind == W::KIND) else {
            return closed(asker, W::UNHELD.unwrap_or("/"));
        };
        if visit.held {
            match app.store.ways_out(&visit.account).await {
                Ok(ways) if ways.contains(&W::WAY) => {}
                Ok(_) => return closed(asker, "/held"),
                Err(error) => {
                    return Err(Closed {
                        answer: Fault(asker.words, error).into_response(),
                        asker: Some(asker),
                    });
                }
            }
        } else if let Some(elsewhere) = W::UNHELD {
            return closed(asker, elsewhere);
        }
        Ok(Self {
            asker,
            visit,
            way: PhantomData,
        })
    }
}

impl<W> Through<W> {
    /// What the owner of a held account did is recorded. The visit goes on: it opens, or tells what still holds the account.
    pub async fn recorded(&self, app: &App) -> Result<Response> {
        app.store
            .stay_held(self.asker.token.as_deref().unwrap_or_default())
            .await?;
        let story = app.store.story(self.visit.account.as_str(), app.store.today()).await?;
        let is_held = story.holds.iter().any(|held| !held.suspended);
        let to = if is_held { "/held?done=recorded" } else { "/held" };
        Ok(Redirect::to(to).into_response())
    }

    /// Counts one more of what the owner may do so often a day; with a page, it is one too many.
    pub async fn once_more(&self, app: &App, what: &'static str) -> Result<Option<Response>> {
        once_more(app, &self.asker, &self.visit, what).await
    }
}

/// So often a day does one account the same thing: more often than anybody needs.
const A_DAY: i64 = 20;

/// Counts one more of what an account's owner may do so often a day; with a page, it is one too many.
pub async fn once_more(app: &App, asker: &Asker, visit: &Visit, what: &'static str) -> Result<Option<Response>> {
    let limit = Limit {
        what,
        times: A_DAY,
        seconds: 86_400,
    };
    if app.store.attempt(limit, &[visit.account.as_str()]).await?.is_some() {
        return Ok(None);
    }
    let (title, text) = (asker.words.say("too-often-title"), asker.words.say("too-often-text"));
    Ok(Some(message(
        asker,
        StatusCode::TOO_MANY_REQUESTS,
        title,
        text,
        "S-429",
    )))
}
