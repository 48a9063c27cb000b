//! The ways out of a hold. A full session may use the ways of its kind of account; a held visit only those of the reasons that
//! hold the account now. An account held by order alone has none: its owner can only read why.

use crate::app::App;
use crate::http::{ErrorPage, RequestContext, once_more};
use axum::RequestPartsExt as _;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::hold::WayOut;
use ngomon_rules::records::AccountKind;
use ngomon_store::{Result, Session};
use std::marker::PhantomData;

/// A way out, as the pages implement it.
pub trait Way {
    /// The way out.
    const WAY: WayOut;
    /// The kind of account that has it.
    const KIND: AccountKind;
    /// The address for an account that is not held, if it has nothing to do here. `None` if the way is open to it.
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

/// An owner to whom a way is open. Every page of a way out extracts one.
pub struct WayOutOwner<W> {
    /// The context of the request.
    pub ctx: RequestContext,
    /// The session.
    pub session: Session,
    way: PhantomData<W>,
}

/// The rejection of a request for a way that is not open.
pub struct ClosedWayOut {
    /// The context of the request. `None` if it could not be read.
    pub ctx: Option<RequestContext>,
    answer: Response,
}

impl IntoResponse for ClosedWayOut {
    fn into_response(self) -> Response {
        self.answer
    }
}

impl<W: Way> FromRequestParts<App> for WayOutOwner<W> {
    type Rejection = ClosedWayOut;

    #[allow(clippy::result_large_err, reason = "made once a request that goes elsewhere")]
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ClosedWayOut> {
        let ctx: RequestContext = match parts.extract_with_state(app).await {
            Ok(ctx) => ctx,
            Err(answer) => return Err(ClosedWayOut { ctx: None, answer }),
        };
        let closed = |ctx, to| {
            Err(ClosedWayOut {
                ctx: Some(ctx),
                answer: Redirect::to(to).into_response(),
            })
        };
        let Some(session) = ctx.session.clone().filter(|session| session.kind == W::KIND) else {
            return closed(ctx, W::UNHELD.unwrap_or("/"));
        };
        if session.held {
            match app.store.ways_out(&session.account).await {
                Ok(ways) if ways.contains(&W::WAY) => {}
                Ok(_) => return closed(ctx, "/held"),
                Err(error) => {
                    return Err(ClosedWayOut {
                        answer: ErrorPage(ctx.locale, error).into_response(),
                        ctx: Some(ctx),
                    });
                }
            }
        } else if let Some(elsewhere) = W::UNHELD {
            return closed(ctx, elsewhere);
        }
        Ok(Self {
            ctx,
            session,
            way: PhantomData,
        })
    }
}

impl<W> WayOutOwner<W> {
    /// Records what the owner of a held account did. The held visit continues: it opens the account, or shows what still holds
    /// it.
    pub async fn recorded(&self, app: &App) -> Result<Response> {
        app.store
            .renew_held_session(self.ctx.token.as_deref().unwrap_or_default())
            .await?;
        let explanation = app
            .store
            .account_explanation(self.session.account.as_str(), app.store.today())
            .await?;
        let is_held = explanation.holds.iter().any(|held| !held.suspended);
        let to = if is_held { "/held?done=recorded" } else { "/held" };
        Ok(Redirect::to(to).into_response())
    }

    /// Counts one more use of a daily limit. Returns the page to show if it was one too many.
    pub async fn once_more(&self, app: &App, what: &'static str) -> Result<Option<Response>> {
        once_more(app, &self.ctx, &self.session, what).await
    }
}
