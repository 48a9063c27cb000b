//! The sign-in by user name and password, and the sign-out. Every wrong attempt gets the same message, in about the same time.

use crate::app::App;
use crate::sign_in::limits;
use crate::http::{ErrorPage, Input, Layout, Mistake, html, mistakes};
use crate::http::{RequestContext, clear_session_cookie, session_cookie};
use crate::sign_in::session::browser_cookie;
use crate::sign_in::second_factor;
use crate::sign_in::step_ticket::{Step, Ticket};
use crate::security::password::{Lane, on_hash_pool, with_minimum_delay};
use crate::security::password::verify::{NOBODY, fits_evenly, hashed, is_current, verify};
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use ngomon_rules::records::AccountId;
use ngomon_store::{
    Credential, Factor, Refusal, Requester, Result, SessionEnd, SessionToken, StoreError, TryResult, TwoFactorProof,
};
use serde::Deserialize;

/// The most accounts of one user name that are checked: each costs a password hash.
const MOST_ACCOUNTS: usize = 8;

/// The step in which the owner picks an account.
const CHOICE: &str = "sign-in-choice";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    shell: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    /// What happened before, e.g. a sign-out.
    notice: Option<String>,
    /// The connected system that requested the sign-in.
    system: Option<String>,
    /// The error after a device's wrong answer. The outer `None` means that there are no passkeys here, and no button.
    passkey: Option<Option<String>>,
}

#[derive(Template)]
#[template(path = "choose.html")]
struct ChooseAccountPage {
    shell: Layout,
    lead: String,
    choices: Vec<(String, String, String)>,
}

/// The submitted form.
#[derive(Deserialize)]
pub struct SignInForm {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

/// The state of the sign-in page.
#[derive(Default)]
pub struct SignInNotice {
    /// The typed user name.
    pub username: String,
    /// The error of the user name.
    pub error: Option<String>,
    /// The error after a device's wrong answer.
    pub passkey: Option<String>,
    /// What happened before, e.g. a sign-out.
    pub notice: Option<String>,
}

/// The layout. The link to the other language leads to a page that a GET can show.
fn shell(ctx: &RequestContext) -> Layout {
    let mut shell = ctx.shell();
    shell.here = format!("/sign-in{}", shell.going);
    shell
}

/// Renders the page.
pub fn page(ctx: &RequestContext, status: StatusCode, said: SignInNotice) -> Response {
    let words = ctx.words;
    let fields = vec![
        Input {
            value: said.username,
            error: said.error,
            autocomplete: "username webauthn",
            ..Input::new("username", words.text("sign-in-username"))
        },
        Input::password("password", words.text("sign-in-password"), words),
    ];
    let mut shell = shell(ctx);
    if status != StatusCode::OK {
        shell = shell.failing(&format!("S-{}", status.as_u16()));
    }
    let mut errors = mistakes(&fields);
    errors.extend(said.passkey.clone().map(|text| Mistake { field: "passkey", text }));
    html(
        status,
        &SignIn {
            notice: said.notice,
            system: ctx.system.clone(),
            errors,
            passkey: ctx.passkeys.then_some(said.passkey),
            shell,
            fields,
        },
    )
}

fn error_page(ctx: &RequestContext, status: StatusCode, username: &str, key: &str) -> Response {
    let said = SignInNotice {
        username: username.to_owned(),
        error: Some(ctx.words.text(key)),
        ..SignInNotice::default()
    };
    page(ctx, status, said)
}

/// The reason why the visitor has to sign in.
#[derive(Deserialize)]
pub struct SignInQuery {
    #[serde(default)]
    why: String,
}

/// Shows the form.
pub async fn show(
    State(app): State<App>,
    ctx: RequestContext,
    Query(SignInQuery { why }): Query<SignInQuery>,
) -> Response {
    // A connected system may require a new sign-in.
    if ctx.visit.is_some() && ctx.going.is_none() {
        return Redirect::to("/").into_response();
    }
    let notice = ["kept", "reset", "reset-devices", "out"].contains(&why.as_str());
    let notice = notice.then(|| format!("sign-in-why-{why}"));
    let notice = notice.or_else(|| ctx.insecure.then(|| "sign-in-insecure".to_owned()));
    let notice = match notice {
        None => match over(&app, &ctx).await {
            Ok(over) => over.map(ToOwned::to_owned),
            Err(error) => return ErrorPage(ctx.words, error).into_response(),
        },
        notice => notice,
    };
    let said = SignInNotice {
        username: ctx.going.as_deref().and_then(login_hint).unwrap_or_default(),
        notice: notice.map(|key| ctx.words.text(&key)),
        ..SignInNotice::default()
    };
    page(&ctx, StatusCode::OK, said)
}

/// The message key for why the browser's session has ended. The text names no hold: the cookie may be in other hands.
async fn over(app: &App, ctx: &RequestContext) -> Result<Option<&'static str>> {
    let Some(token) = ctx.token.as_deref().filter(|_| ctx.visit.is_none()) else {
        return Ok(None);
    };
    Ok(Some(match app.store.session_end(token).await? {
        SessionEnd::Time => "sign-in-over-time",
        SessionEnd::Change => "sign-in-over-change",
        SessionEnd::Gone => "sign-in-over-gone",
    }))
}

/// The user name that a connected system expects.
fn login_hint(going: &str) -> Option<String> {
    let (_, query) = going.split_once('?')?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, hint) = pairs.find(|(name, _)| name == "login_hint")?;
    Some(hint.chars().take(200).collect())
}

/// Checks name and password and begins a session.
pub async fn enter(
    State(app): State<App>,
    ctx: RequestContext,
    typed: std::result::Result<Form<SignInForm>, FormRejection>,
) -> Response {
    let words = ctx.words;
    let Ok(Form(SignInForm { username, password })) = typed else {
        return error_page(&ctx, StatusCode::UNPROCESSABLE_ENTITY, "", "sign-in-unreadable");
    };
    let username = username.trim().to_owned();
    if username.is_empty() || password.is_empty() {
        return error_page(&ctx, StatusCode::UNPROCESSABLE_ENTITY, &username, "sign-in-empty");
    }
    let not_before = with_minimum_delay();
    // Taken before the hash is read: a session by a password that is changed meanwhile is then refused.
    let at = app.store.now();
    let answer = async {
        let who = who_tries(&app, &ctx, &username).await?;
        let limits = limits::password(&ctx, &who, &username);
        let again = limits::tries_again(&app, &who, &limits).await?;
        let lane = Lane::enter(&who, &username, again).await;
        let tried = app.store.tried(&limits, async {
            let fitting = fitting(&app, &lane, &username, password.clone()).await?;
            Ok(if fitting.is_empty() { Err(()) } else { Ok(fitting) })
        });
        let fitting = match tried.await? {
            TryResult::Right(fitting) => fitting,
            TryResult::Wrong((), _) => {
                lane.wrong().await;
                not_before.await;
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return Ok(error_page(&ctx, status, &username, "sign-in-wrong"));
            }
            TryResult::TooOften => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                return Ok(error_page(&ctx, status, &username, "sign-in-too-often"));
            }
        };
        rehash(&app, &fitting, password).await?;
        let accounts: Vec<AccountId> = fitting.into_iter().map(|one| one.account).collect();
        enter_one_of(&app, &ctx, &accounts, Factor::Password, at).await
    };
    answer
        .await
        .unwrap_or_else(|e: StoreError| ErrorPage(words, e).into_response())
}

/// The accounts of this name whose password is right. They are read after the wait in the lane, so a password changed meanwhile
/// counts. Hashing occupies a processor for a while, so it runs on a hashing thread.
pub async fn fitting(app: &App, lane: &Lane, username: &str, password: String) -> Result<Vec<Credential>> {
    let found = app.store.credentials(username).await?;
    let work = lane.hash(move || {
        let mut tried = 0;
        let fitting: Vec<Credential> = found
            .into_iter()
            .filter(|one| one.password_hash.is_some())
            .take(MOST_ACCOUNTS)
            .filter(|one| {
                tried += 1;
                one.password_hash
                    .as_deref()
                    .is_some_and(|hash| fits_evenly(&password, hash))
            })
            .collect();
        if tried == 0 {
            verify(&password, NOBODY);
        }
        fitting
    });
    // A hash that makes its parser panic matches nothing.
    Ok(work.await.unwrap_or_default())
}

/// Who tries this name. Only a browser with a stored mark can be known for it.
pub async fn who_tries(app: &App, ctx: &RequestContext, username: &str) -> Result<Requester> {
    let found = if ctx.browsers.is_empty() {
        Vec::new()
    } else {
        app.store.credentials(username).await?
    };
    Ok(limits::who_of(app, ctx, &found))
}

/// Stores the password under the current hash scheme, whatever scheme it was imported with.
async fn rehash(app: &App, fitting: &[Credential], password: String) -> Result<()> {
    for one in fitting {
        if one.password_hash.as_deref().is_some_and(is_current) {
            continue;
        }
        let (password, salt) = (password.clone(), app.store.salt());
        let work = on_hash_pool(move || hashed(&password, &salt));
        if let Some(Some(hash)) = work.await {
            app.store.rehash(one, &hash).await?;
        }
    }
    Ok(())
}

/// Begins a session of the account whose owner authenticated at `at`. With several accounts, the owner picks one.
pub async fn enter_one_of(
    app: &App,
    ctx: &RequestContext,
    accounts: &[AccountId],
    factor: Factor,
    at: Timestamp,
) -> Result<Response> {
    if let [only] = accounts {
        return begin(app, ctx, only, factor, at).await;
    }
    choose_account_page(app, ctx, accounts, factor, at).await
}

/// Lets the owner, authenticated at `at`, pick one of several accounts.
pub async fn choose_account_page(
    app: &App,
    ctx: &RequestContext,
    accounts: &[AccountId],
    factor: Factor,
    at: Timestamp,
) -> Result<Response> {
    let step = Step::new(accounts, factor, at);
    let (cookie, name) = step.issue(&app.store, ctx, CHOICE).await?;
    let mut choices = Vec::with_capacity(accounts.len());
    for (n, account) in accounts.iter().enumerate() {
        let ticket = format!("{name}.{n}");
        let kind = app
            .store
            .account_explanation(account.as_str(), app.store.today())
            .await?
            .kind;
        let kind = ctx.words.text(&format!("kind-{}", kind.name()));
        choices.push((account.to_string(), kind, ticket));
    }
    let lead = if matches!(factor, Factor::Passkey(_)) {
        "choose-lead-passkey"
    } else {
        "choose-lead"
    };
    let (shell, lead) = (shell(ctx), ctx.words.text(lead));
    Ok((
        cookie,
        html(StatusCode::OK, &ChooseAccountPage { shell, lead, choices }),
    )
        .into_response())
}

/// Begins a session. Operators are asked for the second factor first.
async fn begin(
    app: &App,
    ctx: &RequestContext,
    account: &AccountId,
    factor: Factor,
    at: Timestamp,
) -> Result<Response> {
    if account.operator().is_some() {
        return second_factor::ask(app, ctx, account, at).await;
    }
    match app.store.begin_session_by(account, factor, at).await {
        Ok(token) => enter_with(app, ctx, account, &token, "/").await,
        Err(StoreError::Refused(Refusal::NewPassword(_))) => Ok(expired_page(ctx)),
        Err(error) => Err(error),
    }
}

/// Begins a session after two factors. Operators go to the desk.
pub async fn enter_proven(app: &App, ctx: &RequestContext, proven: TwoFactorProof) -> Result<Response> {
    let account = proven.account().clone();
    let token = app.store.begin_proven_session(proven).await?;
    let visit = app.store.visit(token.as_str()).await?;
    let at_work = visit.is_some_and(|visit| visit.operator().is_some());
    let to = if at_work && ctx.going.is_none() { "/desk" } else { "/" };
    enter_with(app, ctx, &account, &token, to).await
}

/// Enters the new session, which replaces the one that the browser had (no session fixation). The browser is known for its
/// owner from now on.
pub async fn enter_with(
    app: &App,
    ctx: &RequestContext,
    account: &AccountId,
    token: &SessionToken,
    to: &str,
) -> Result<Response> {
    if let Some(before) = &ctx.token {
        app.store.replace_session(before, token).await?;
    }
    if let Some(device) = &ctx.device {
        app.store.note_device(token.as_str(), device).await?;
    }
    if let Some(next) = &ctx.going {
        app.store.set_next(token.as_str(), next).await?;
    }
    let mark = app.store.browser_mark(account).await?;
    let known = mark.map(|mark| browser_cookie(app, ctx, &mark));
    Ok((session_cookie(token), known.unwrap_or_default(), Redirect::to(to)).into_response())
}

/// The page for a ticket that is too old or not from this server.
pub fn expired_page(ctx: &RequestContext) -> Response {
    error_page(ctx, StatusCode::UNPROCESSABLE_ENTITY, "", "sign-in-again")
}

/// Begins a session of the account that the owner picked.
pub async fn choose(
    State(app): State<App>,
    ctx: RequestContext,
    typed: std::result::Result<Form<Ticket>, FormRejection>,
) -> Response {
    let Ticket { ticket } = typed.map(|Form(ticket)| ticket).unwrap_or_default();
    let answer = async {
        let (name, n) = ticket.split_once('.').unwrap_or_default();
        let Some(step) = Step::redeem(&app.store, &ctx, CHOICE, name).await? else {
            return Ok(expired_page(&ctx));
        };
        match n.parse().ok().and_then(|n: usize| step.accounts.get(n)) {
            Some(account) => begin(&app, &ctx, account, step.factor(), step.at()).await,
            None => Ok(expired_page(&ctx)),
        }
    };
    answer
        .await
        .unwrap_or_else(|e: StoreError| ErrorPage(ctx.words, e).into_response())
}

/// Signs out.
pub async fn sign_out(State(app): State<App>, ctx: RequestContext) -> Response {
    if let Some(token) = &ctx.token
        && let Err(error) = app.store.close_session(token).await
    {
        return ErrorPage(ctx.words, error).into_response();
    }
    (clear_session_cookie(), Redirect::to("/sign-in?why=out")).into_response()
}
