//! The choice among several accounts of one owner, after the proof.

use crate::app::App;
use crate::http::{ErrorPage, Layout, RequestContext, html};
use crate::sign_in::page::{expired_page, layout};
use crate::sign_in::second_factor;
use crate::sign_in::session::enter_with;
use crate::sign_in::step_ticket::{Step, Ticket};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use ngomon_rules::records::AccountId;
use ngomon_store::{Factor, Refusal, Result, StoreError};

/// The step in which the owner picks an account.
const CHOICE: &str = "sign-in-choice";

#[derive(Template)]
#[template(path = "choose.html")]
struct ChooseAccountPage {
    layout: Layout,
    lead: String,
    choices: Vec<(String, String, String)>,
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
        let kind = ctx.locale.text(&format!("kind-{}", kind.name()));
        choices.push((account.to_string(), kind, ticket));
    }
    let lead = if matches!(factor, Factor::Passkey(_)) {
        "choose-lead-passkey"
    } else {
        "choose-lead"
    };
    let (layout, lead) = (layout(ctx), ctx.locale.text(lead));
    Ok((
        cookie,
        html(StatusCode::OK, &ChooseAccountPage { layout, lead, choices }),
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
        .unwrap_or_else(|e: StoreError| ErrorPage(ctx.locale, e).into_response())
}
