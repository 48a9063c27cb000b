//! C5: the take-over of a claim. A first operator proposes that an account take it over, a second one approves or declines.

use crate::app::App;
use crate::desk::act_proposal;
use crate::desk::confirm::{ConfirmAction, required, text_input, whom, whom_masked};
use crate::desk::form::papers_said;
use crate::desk::operator::{CheckedForm, Operator};
use crate::desk::url::address;
use crate::http::{Input, Layout, Mistake, html, mistakes, path_encode};
use crate::i18n::{Locale, actor_name, masked_name, to_owners};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::records::AccountId;
use ngomon_store::{EnteredForm, Refusal, Result, TakeOver, TakeOverState, WeakerClaim};
use serde::Deserialize;

/// The acts whose success this page can report.
const DONE: [&str; 3] = ["proposed", "approved", "declined"];

/// The list of pending proposals.
#[derive(Template)]
#[template(path = "desk/take_overs.html")]
struct List {
    layout: Layout,
    waiting: Vec<PendingTakeOver>,
}

struct PendingTakeOver {
    title: String,
    href: String,
    rows: Vec<(String, String)>,
}

/// One proposal.
#[derive(Template)]
#[template(path = "desk/take_over.html")]
struct TakeOverPage {
    layout: Layout,
    errors: Vec<Mistake>,
    done: Option<String>,
    state: String,
    rows: Vec<(String, String)>,
    accounts: Vec<TakeOverAccount>,
    happens: Vec<String>,
    decide: Decide,
    here: String,
    why: Vec<Input>,
}

/// What the reader may do with a proposal.
#[derive(PartialEq, Eq)]
enum Decide {
    /// Approve or decline it, as the second operator.
    Second,
    /// Withdraw it, as the first operator.
    First,
    /// Nothing, because it is already decided.
    Nothing,
}

/// One of the two accounts.
struct TakeOverAccount {
    title: String,
    href: String,
    rows: Vec<(String, String)>,
}

/// What was just done.
#[derive(Deserialize)]
pub struct NoticeQuery {
    #[serde(default)]
    done: String,
}

fn place(receipt: &str) -> String {
    format!("/desk/take-overs/{}", path_encode(receipt))
}

fn done(receipt: &str, what: &str) -> Response {
    Redirect::to(&format!("{}?done={what}", place(receipt))).into_response()
}

/// Lists the proposals that wait for a second operator, of take-overs and of other acts.
pub async fn list(State(app): State<App>, operator: Operator) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let mut waiting = Vec::new();
            for one in app.store.take_overs(&operator.permit).await? {
                let (explanation, _) = whom_masked(&app.store, locale, &one.account).await?;
                let name = explanation.fact("full_name").map(masked_name);
                waiting.push(PendingTakeOver {
                    title: name.unwrap_or(explanation.account),
                    href: place(&one.receipt),
                    rows: vec![
                        (locale.text("desk-take-over-to"), one.account.0),
                        (locale.text("desk-take-over-from"), one.holder.0),
                        (locale.text("desk-take-over-by"), actor_name(&one.proposed_by, locale)),
                        (locale.text("desk-take-over-at"), locale.instant(one.at)),
                    ],
                });
            }
            for one in app.store.act_proposals(&operator.permit).await? {
                let whom = one
                    .act
                    .account()
                    .map(|account| (locale.text("desk-account"), account.0.clone()));
                let mut rows: Vec<(String, String)> = whom.into_iter().collect();
                rows.extend([
                    (locale.text("desk-take-over-by"), actor_name(&one.proposed_by, locale)),
                    (locale.text("desk-take-over-at"), locale.instant(one.at)),
                ]);
                waiting.push(PendingTakeOver {
                    title: act_proposal::title(&one.act, locale),
                    href: act_proposal::place(&one.receipt),
                    rows,
                });
            }
            let layout = operator.layout("/desk/take-overs");
            Ok(html(StatusCode::OK, &List { layout, waiting }))
        })
        .await
}

/// Shows a proposal, or, if there is none yet, the form that makes one.
pub async fn show(
    State(app): State<App>,
    operator: Operator,
    Path(receipt): Path<String>,
    Query(just): Query<NoticeQuery>,
) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let form = app.store.entered_form(&operator.permit, &receipt).await?;
            let Some(found) = app.store.take_over(&operator.permit, &receipt).await? else {
                return Ok(proposal(&app, &operator, &form, None).await?.page());
            };
            let mut page = page(&app, &operator, &form, found, None).await?;
            let said = DONE.contains(&just.done.as_str());
            page.done = said.then(|| locale.text(&format!("desk-done-{}", just.done)));
            Ok(html(StatusCode::OK, &page))
        })
        .await
}

async fn proposal(app: &App, operator: &Operator, form: &EnteredForm, why: Option<Input>) -> Result<ConfirmAction> {
    let locale = operator.ctx.locale;
    let (_, mut about) = whom(&app.store, locale, &form.account).await?;
    let weaker = form.weaker.as_ref();
    let weaker = weaker.ok_or_else(|| Refusal::NoTakeOver(form.receipt.clone()))?;
    about.push((locale.text("desk-papers"), papers_said(&form.papers, locale)));
    about.push((locale.text("desk-take-over-from"), weaker.holder.0.clone()));
    about.extend(claim_rows(weaker, locale));
    let mut happens = happens(locale, &form.account, &weaker.holder, weaker.withdrawn.is_some());
    happens.push(locale.text("desk-take-over-two"));
    let act = ConfirmAction::about(operator, "", "take-over", &form.account, about);
    Ok(ConfirmAction {
        layout: operator.layout(&place(&form.receipt)),
        back: format!("/desk/forms/{}", form.receipt),
        happens,
        fields: vec![why.unwrap_or_else(|| text_input("reason", "", locale))],
        ..act
    })
}

/// The claim: its person, its date, its proof, and whether a counter withdrew it.
fn claim_rows(claim: &WeakerClaim, locale: Locale) -> Vec<(String, String)> {
    let proof = locale.text(&format!("word-{}", claim.proof.name()));
    let mut rows = vec![
        (locale.text("desk-claim-name"), masked_name(claim.full_name.as_str())),
        (locale.text("desk-claim-number"), claim.national_id.masked()),
        (locale.text("fact-claim"), proof),
        (locale.text("desk-take-over-since"), locale.instant(claim.since)),
    ];
    rows.extend(
        claim
            .withdrawn
            .map(|at| (locale.text("desk-claim-withdrawn"), locale.instant(at))),
    );
    rows
}

fn happens(locale: Locale, account: &AccountId, holder: &AccountId, withdrawn: bool) -> Vec<String> {
    let args = [("account", account.as_str()), ("holder", holder.as_str())];
    if withdrawn {
        return vec![
            locale.text_with("desk-take-over-given", &args),
            locale.text("desk-take-over-given-holds"),
        ];
    }
    vec![
        locale.text_with("desk-take-over-moves", &args),
        locale.text_with("desk-take-over-holds", &args),
        locale.text("desk-take-over-lifts"),
    ]
}

async fn page(
    app: &App,
    operator: &Operator,
    form: &EnteredForm,
    found: TakeOver,
    why: Option<Input>,
) -> Result<TakeOverPage> {
    let locale = operator.ctx.locale;
    let mut accounts = Vec::new();
    for (account, key) in [
        (&found.account, "desk-take-over-to"),
        (&found.holder, "desk-take-over-from"),
    ] {
        let (_, mut rows) = whom_masked(&app.store, locale, account).await?;
        match &form.weaker {
            Some(claim) if *account == claim.holder => rows.extend(claim_rows(claim, locale)),
            _ if *account == found.account => {
                let number = form.national_id.map(|number| number.masked());
                rows.extend(number.map(|number| (locale.text("desk-form-number"), number)));
            }
            _ => {}
        }
        accounts.push(TakeOverAccount {
            title: locale.text(key),
            href: address(account),
            rows,
        });
    }
    let decide = match found.state {
        TakeOverState::Waiting if found.proposed_by == operator.permit.by() => Decide::First,
        TakeOverState::Waiting => Decide::Second,
        _ => Decide::Nothing,
    };
    let withdrawn = form.weaker.as_ref().is_some_and(|claim| claim.withdrawn.is_some());
    let why = vec![why.unwrap_or_else(|| text_input("reason", "", locale))];
    let errors = mistakes(&why);
    let mut layout = operator.layout(&place(&found.receipt));
    layout.wrong = !errors.is_empty();
    Ok(TakeOverPage {
        layout,
        errors,
        done: None,
        state: locale.text(&format!("desk-take-over-{}", found.state.name())),
        rows: vec![
            (locale.text("desk-take-over-by"), actor_name(&found.proposed_by, locale)),
            (locale.text("desk-take-over-at"), locale.instant(found.at)),
            (locale.text("desk-reason"), found.reason.clone().unwrap_or_default()),
            (locale.text("desk-papers"), papers_said(&form.papers, locale)),
            (locale.text("answer-receipt"), found.receipt.clone()),
        ],
        happens: happens(locale, &found.account, &found.holder, withdrawn),
        accounts,
        decide,
        here: place(&found.receipt),
        why,
    })
}

/// Proposes the take-over. The first operator gives a reason, which the second one reads.
pub async fn propose(
    State(app): State<App>,
    operator: Operator,
    Path(receipt): Path<String>,
    sent: CheckedForm,
) -> Response {
    let why = required("reason", sent.field("reason"), operator.ctx.locale);
    operator
        .answer(async {
            if why.error.is_some() && app.store.take_over(&operator.permit, &receipt).await?.is_none() {
                let form = app.store.entered_form(&operator.permit, &receipt).await?;
                return Ok(proposal(&app, &operator, &form, Some(why)).await?.page());
            }
            app.store
                .propose_take_over(&operator.permit, &receipt, &why.value)
                .await?;
            Ok(done(&receipt, "proposed"))
        })
        .await
}

/// Approves the take-over, as the second operator.
pub async fn approve(State(app): State<App>, operator: Operator, Path(receipt): Path<String>) -> Response {
    operator
        .answer(async {
            let news = to_owners().text("sms-taken-over");
            app.store.approve_take_over(&operator.permit, &receipt, &news).await?;
            Ok(done(&receipt, "approved"))
        })
        .await
}

/// Declines the take-over, as the second operator, or withdraws it, as the first.
pub async fn decline(
    State(app): State<App>,
    operator: Operator,
    Path(receipt): Path<String>,
    sent: CheckedForm,
) -> Response {
    let why = required("reason", sent.field("reason"), operator.ctx.locale);
    operator
        .answer(async {
            if why.error.is_some()
                && let Some(found) = app.store.take_over(&operator.permit, &receipt).await?
            {
                let form = app.store.entered_form(&operator.permit, &receipt).await?;
                let page = page(&app, &operator, &form, found, Some(why)).await?;
                return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, &page));
            }
            app.store
                .decline_take_over(&operator.permit, &receipt, &why.value)
                .await?;
            Ok(done(&receipt, "declined"))
        })
        .await
}
