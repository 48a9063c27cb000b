//! The authorization endpoint: it authenticates the user, clears what is in the way, and issues a code.
//!
//! ```text
//!   request ── client or redirect URI wrong ──▶ an error page, no redirect
//!     ├──── request wrong ──▶ error to the client
//!     ├──── no session, or authenticated too long ago ──▶ sign-in, and back here
//!     ├──── held ──▶ the held visit: the client is not notified
//!     ├──── not for this kind of account or unit ──▶ error to the client
//!     ├──── two factors requested, one shown ──▶ a passkey, and back here
//!     ├──── the gate asks (C1) ──▶ the form, and back here
//!     ├──── a third party, no consent yet ──▶ consent
//!     └──▶ code
//! ```

use crate::app::App;
use crate::http::{ErrorPage, MessagePage, RequestContext, html, query_encode};
use crate::openid::acr::acr;
use crate::openid::authorization_request::{Address, Request, address, read};
use crate::openid::authorization_response::{After, answer};
use crate::openid::consent_page;
use crate::openid::error::OAuthError;
use crate::openid::params::Params;
use crate::openid::requested_claims::RequestedClaims;
use crate::sign_in::passkeys::ceremony::passkeys_allowed;
use crate::sign_in::passkeys::step_up::STEP_UP_SKIPPED;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_rules::citizens::Gate;
use ngomon_store::{AuthorizedRequest, GrantParameters, RegisteredClient, Session, StoreError};

/// The parameter that marks a request whose client asked for a new sign-in: the earliest time at which that sign-in may have begun.
const SINCE: &str = "ngomon_since";
/// The prefix of a pushed request's `request_uri` (RFC 9126, 2.2).
pub const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";

/// A request by POST. It is redirected to the same request by GET, because the browser sends the session cookie only when it navigates
/// itself.
pub async fn posted(headers: HeaderMap, body: Bytes) -> Response {
    match Params::of_body(&headers, &body) {
        Ok(params) => Redirect::to(&format!("/authorize?{}", params.query())).into_response(),
        Err(fault) => fault.into_response(),
    }
}

/// A request by GET.
pub async fn show(State(app): State<App>, ctx: RequestContext, RawQuery(query): RawQuery) -> Response {
    let params = Params::read(query.unwrap_or_default().as_bytes());
    authorize(&app, &ctx, params, After::Request).await
}

/// Decides an authorization request and returns its response.
pub async fn authorize(app: &App, ctx: &RequestContext, params: Params, after: After) -> Response {
    let here = format!("/authorize?{}", params.query());
    let opened = match resolve_client(app, params).await {
        Ok(opened) => opened,
        Err(problem) => return error_without_redirect(ctx, here, problem),
    };
    let said = match read(&opened.params, &opened.known) {
        Ok(request) => match next_step(app, ctx, &opened, &request, after).await {
            Ok(Step::Show(page)) => return page,
            Ok(Step::Code(code)) => Ok(code),
            Err(RequestProblem::Told(fault)) => Err(fault),
            Err(RequestProblem::Store(error)) => return ErrorPage(ctx.locale, error).into_response(),
        },
        Err(fault) => Err(fault),
    };
    opened.answered(app, ctx, after, said).await
}

/// A request whose client and redirect URI are valid.
pub struct ResolvedRequest {
    /// The parameters of the request.
    pub params: Params,
    /// The parameters in the browser's URL: for a pushed request, its `request_uri` only.
    pub shown: Params,
    /// The `request_uri` of a pushed request, without the prefix.
    pushed: Option<String>,
    /// The client that sent it.
    pub known: RegisteredClient,
    /// The redirect URI that receives the response.
    pub to: Address,
}

impl ResolvedRequest {
    /// Returns the response. An error response spends a pushed request here (a code spends it in its own commit).
    pub async fn answered(
        self,
        app: &App,
        ctx: &RequestContext,
        after: After,
        said: Result<String, OAuthError>,
    ) -> Response {
        if let (Err(_), Some(handle)) = (&said, &self.pushed)
            && let Err(error) = app.store.drop_request(&self.known.id, handle).await
        {
            return ErrorPage(ctx.locale, error).into_response();
        }
        answer(ctx.layout(), app.issuer(), &self.to, after, said)
    }
}

/// Resolves the client, the redirect URI, and the parameters of a pushed request.
pub async fn resolve_client(app: &App, shown: Params) -> Result<ResolvedRequest, RequestProblem> {
    let unknown = || OAuthError::new("invalid_client", "the client is unknown or disabled");
    let known = app.store.client(shown.get("client_id").unwrap_or_default()).await?;
    let known = known.filter(|known| known.enabled).ok_or_else(unknown)?;
    let pushed = shown.get("request_uri").and_then(|uri| uri.strip_prefix(PUSHED));
    let pushed = pushed.map(str::to_owned);
    let params = match &pushed {
        Some(handle) => {
            let over = || OAuthError::request("the pushed request is unknown, answered or too old");
            let query = app.store.open_request(&known.id, handle).await?.ok_or_else(over)?;
            // Parameters added on the way through the sign-in are in the browser's URL, beside the `request_uri`.
            let ours = [SINCE, STEP_UP_SKIPPED]
                .into_iter()
                .filter_map(|name| Some((name, shown.get(name)?)));
            ours.fold(Params::read(query.as_bytes()), |params, (name, value)| {
                params.with(name, value)
            })
        }
        None => shown.clone(),
    };
    let to = address(&params, &known)?;
    Ok(ResolvedRequest {
        params,
        shown,
        pushed,
        known,
        to,
    })
}

/// Shows the error to the user instead of redirecting, because the redirect URI is not trusted (RFC 6749, 4.1.2.1). `here` is the request,
/// for the link to the other language.
pub fn error_without_redirect(ctx: &RequestContext, here: String, problem: RequestProblem) -> Response {
    let locale = ctx.locale;
    let fault = match problem {
        RequestProblem::Told(fault) => fault,
        RequestProblem::Store(error) => return ErrorPage(locale, error).into_response(),
    };
    let mut layout = ctx.layout();
    layout.here = here;
    let title = locale.text("authorize-wrong-title");
    let text = locale.text_with("authorize-wrong-text", &[("why", &fault.description)]);
    html(
        StatusCode::BAD_REQUEST,
        &MessagePage::new(layout.failing("O-400"), title, text),
    )
}

enum Step {
    Show(Response),
    Code(String),
}

/// Why a browser's request failed.
pub enum RequestProblem {
    /// The request is wrong.
    Told(OAuthError),
    /// The store failed: the visitor has nothing to correct.
    Store(StoreError),
}

impl From<StoreError> for RequestProblem {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<OAuthError> for RequestProblem {
    fn from(fault: OAuthError) -> Self {
        Self::Told(fault)
    }
}

fn oauth_error(error: &'static str, why: &str) -> RequestProblem {
    RequestProblem::Told(OAuthError::new(error, why))
}

async fn next_step(
    app: &App,
    ctx: &RequestContext,
    opened: &ResolvedRequest,
    request: &Request,
    after: After,
) -> Result<Step, RequestProblem> {
    let ResolvedRequest {
        params,
        shown,
        pushed,
        known,
        to,
    } = opened;
    request
        .validate_resource(&app.store)
        .await
        .map_err(RequestProblem::Told)?;
    let silent = request.prompt.none;
    let signed_in = ctx.session.as_ref().filter(|session| !session.held);
    let Some(session) = signed_in else {
        return match &ctx.session {
            _ if silent => Err(oauth_error("login_required", "nobody is signed in")),
            Some(_) => {
                save_return_url(app, ctx, shown).await?;
                Ok(Step::Show(Redirect::to("/held").into_response()))
            }
            None => Ok(sign_in(app, ctx, opened)),
        };
    };
    if is_too_old(app, params, request, session) || !is_expected(app, known, request, session).await? {
        return if silent {
            Err(oauth_error("login_required", "another sign-in is needed"))
        } else {
            Ok(sign_in(app, ctx, opened))
        };
    }
    let about = app.store.about(&session.account).await?;
    let about = about.ok_or_else(|| oauth_error("access_denied", "the account is gone"))?;
    if !app.store.admits(&known.client, &about).await? {
        return Err(oauth_error("access_denied", "the client is not for this account"));
    }
    if let Some(page) = step_up(app, opened, request, session).await? {
        return Ok(Step::Show(page));
    }
    let Some(token) = &ctx.token else {
        return Ok(sign_in(app, ctx, opened));
    };
    // "yêu cầu người dùng thực hiện chuẩn hóa": once a session, or, under `require`, until it is done.
    if about.gate.is_some_and(Gate::asks) && (about.gate == Some(Gate::Required) || !session.put_off) {
        if silent {
            return Err(oauth_error("interaction_required", "the account is not standardised"));
        }
        save_return_url(app, ctx, shown).await?;
        return Ok(Step::Show(Redirect::to("/form").into_response()));
    }
    if known.client.third_party {
        let told_of = request.requested_scopes(&known.client);
        let has = app.store.has_consent(&session.account, &known.id, &told_of).await?;
        if !has || (request.prompt.consent && after == After::Request) {
            return if silent {
                Err(oauth_error("consent_required", "the owner was not asked yet"))
            } else {
                Ok(Step::Show(consent_page::page(ctx, known, to, request, shown)))
            };
        }
    }
    let allowed = AuthorizedRequest {
        pushed: pushed.clone(),
        ..allowed(known, to, request)
    };
    let code = app.store.issue_code(token, allowed).await?;
    code.map(Step::Code)
        .ok_or_else(|| oauth_error("login_required", "the session is over"))
}

/// Saves this request as the return address of the session, for when nothing is in the way any longer.
async fn save_return_url(app: &App, ctx: &RequestContext, params: &Params) -> Result<(), RequestProblem> {
    if let Some(token) = &ctx.token {
        let here = format!("/authorize?{}", params.query());
        app.store.set_next(token, &here).await?;
    }
    Ok(())
}

/// The parameters under which the client gets a code.
pub fn allowed(known: &RegisteredClient, to: &Address, request: &Request) -> AuthorizedRequest {
    AuthorizedRequest {
        client: known.id.as_str().to_owned(),
        redirect_uri: to.uri.clone(),
        redirect_named: to.named,
        challenge: request.challenge.clone(),
        scope: request.scope.clone(),
        given: GrantParameters {
            nonce: request.nonce.clone(),
            claims: request.claims.clone(),
            resource: request.resource.clone(),
        },
        pushed: None,
    }
}

/// Leads to the sign-in and back here. The request then carries a marker that requires a sign-in later than now, whatever session existed
/// before.
fn sign_in(app: &App, ctx: &RequestContext, opened: &ResolvedRequest) -> Step {
    let (params, now) = (&opened.params, app.store.now().as_microsecond());
    let rest = opened.shown.without(&[SINCE]);
    let to = format!(
        "/authorize?{}",
        rest.with(SINCE, &reauthentication_marker(app, params, now)).query()
    );
    let page = Redirect::to(&format!("/sign-in?to={}", query_encode(&to))).into_response();
    Step::Show(ctx.in_asked_language(params.get("ui_locales"), page))
}

/// Leads to a second factor where the client asks for one and the owner can show or add one. An owner who cannot, or who skipped it, goes
/// on with one factor; a client that insists on two gets an error.
async fn step_up(
    app: &App,
    opened: &ResolvedRequest,
    request: &Request,
    session: &Session,
) -> Result<Option<Response>, RequestProblem> {
    let (params, wanted) = (&opened.params, &request.acr);
    if wanted.is_met_by(acr(&session.amr)) {
        return Ok(None);
    }
    let may = wanted.takes_two_factors() && app.has_passkeys() && passkeys_allowed(session);
    let has = may && !app.store.passkeys(&session.account).await?.is_empty();
    let skipped = params.get(STEP_UP_SKIPPED).is_some();
    if !skipped && !request.prompt.none && (has || (may && wanted.essential)) {
        let to = query_encode(&format!("/authorize?{}", opened.shown.query()));
        return Ok(Some(Redirect::to(&format!("/sign-in/step-up?to={to}")).into_response()));
    }
    match wanted.essential {
        false => Ok(None),
        true if has && !skipped => Err(oauth_error("login_required", "another factor is to be shown")),
        true => Err(oauth_error(
            "unmet_authentication_requirements",
            "this account cannot show that acr",
        )),
    }
}

/// The value of [`SINCE`], with a MAC over the request as the client made it. `STEP_UP_SKIPPED` is left out, because the owner may skip the second
/// factor on the way.
fn reauthentication_marker(app: &App, params: &Params, at: i64) -> String {
    let asked = params.without(&[SINCE, STEP_UP_SKIPPED]).query();
    let mac = app
        .store
        .keys()
        .ticket_mac(&[b"signed in since", asked.as_bytes(), &at.to_be_bytes()]);
    format!("{at}.{}", URL_SAFE_NO_PAD.encode(mac))
}

/// The earliest time at which the sign-in requested by this very request may have begun. `None` if the MAC does not fit.
fn reauthenticated_since(app: &App, params: &Params) -> Option<i64> {
    let given = params.get(SINCE)?;
    let at: i64 = given.split_once('.')?.0.parse().ok()?;
    (reauthentication_marker(app, params, at) == given).then_some(at)
}

fn is_too_old(app: &App, params: &Params, request: &Request, session: &Session) -> bool {
    let asked_anew = reauthenticated_since(app, params).is_some_and(|at| session.began >= at);
    let age = app.store.now().as_microsecond() - session.began;
    let is_old = request.max_age.is_some_and(|most| age > most * 1_000_000);
    (request.prompt.login || is_old) && !asked_anew
}

/// Whether the session's account is the one that the client expects.
async fn is_expected(
    app: &App,
    known: &RegisteredClient,
    request: &Request,
    session: &Session,
) -> Result<bool, RequestProblem> {
    let wanted = RequestedClaims::read(request.claims.as_deref()).unwrap_or_default().sub;
    let hinted = match &request.hint {
        Some(hint) => {
            let claims = app.signer.verify(&app.store, hint, "JWT").await?;
            let claims = claims.ok_or_else(|| oauth_error("invalid_request", "id_token_hint is not ours"))?;
            claims["sub"].as_str().map(str::to_owned)
        }
        None => None,
    };
    if wanted.is_none() && hinted.is_none() {
        return Ok(true);
    }
    let subject = app.store.subject_of(&known.id, &session.account).await?;
    Ok([wanted, hinted]
        .into_iter()
        .flatten()
        .all(|one| subject.as_ref() == Some(&one)))
}
