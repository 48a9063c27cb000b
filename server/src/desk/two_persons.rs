//! The proposals that a second operator must approve: an act on another operator's account, or a system that gets people's data
//! without their consent.

use crate::app::App;
use crate::desk::act_proposal::{place, title};
use crate::desk::confirm::{required, text_input, whom_masked};
use crate::desk::operator::{CheckedForm, Operator};
use crate::desk::renewal;
use crate::desk::systems::show::with_secret;
use crate::http::{Input, Layout, Mistake, html, mistakes};
use crate::i18n::{Locale, actor_name, to_owners};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::client::{Client, Scope};
use ngomon_rules::event::ProposedAct;
use ngomon_rules::hold::{Cause, Evidence};
use ngomon_store::{ActProposal, Approved, Refusal, Result, TakeOverState};
use serde::Deserialize;

/// The acts whose success this page can report.
const DONE: [&str; 3] = ["proposed", "approved", "declined"];

#[derive(Template)]
#[template(path = "desk/two_persons.html")]
struct ProposalPage {
    layout: Layout,
    errors: Vec<Mistake>,
    done: Option<String>,
    title: String,
    state: String,
    rows: Vec<(String, String)>,
    about: Vec<(String, String)>,
    may_approve: bool,
    /// The text of the button that declines or withdraws it. `None` if it is already decided or if the reader may not decide.
    decline: Option<String>,
    here: String,
    why: Vec<Input>,
}

/// What was just done.
#[derive(Deserialize)]
pub struct NoticeQuery {
    #[serde(default)]
    done: String,
}

fn order(evidence: &Evidence, locale: Locale) -> Vec<(String, String)> {
    let of = |name: &str| {
        let label = locale.text(&format!("desk-{}", name.replace('_', "-")));
        evidence.get(name).map(|value| (label, value.clone()))
    };
    ["ordered_by", "document", "text"].into_iter().filter_map(of).collect()
}

/// The account and the details that the act concerns.
async fn about(app: &App, found: &ActProposal, locale: Locale) -> Result<Vec<(String, String)>> {
    let act = &found.act;
    let mut rows = match act.account() {
        Some(account) => whom_masked(&app.store, locale, account).await?.1,
        None => Vec::new(),
    };
    match act {
        ProposedAct::HoldByOrder { hold, .. } => {
            rows.extend(order(&hold.evidence, locale));
            rows.extend(hold.last_day.map(|day| (locale.text("explain-until"), locale.day(day))));
        }
        ProposedAct::LiftOrder { account, cause } => {
            let explanation = app
                .store
                .account_explanation(account.as_str(), app.store.today())
                .await?;
            let held = explanation.holds.iter().find(|held| held.hold.cause == *cause);
            match held {
                Some(held) => rows.extend(order(&held.hold.evidence, locale)),
                None => rows.push((locale.text("desk-document"), document(cause).to_owned())),
            }
        }
        ProposedAct::RemovePasskeys { .. } | ProposedAct::WithdrawClaim { .. } | ProposedAct::EndSessions { .. } => {}
        ProposedAct::RotateClient { id } => {
            let known = app.store.client(id.as_str()).await?;
            rows.extend(known.map(|known| (locale.text("column-client"), known.client.name)));
            rows.push((locale.text("column-client_id"), id.to_string()));
        }
        ProposedAct::NewPassword { papers, .. } | ProposedAct::ChangePhone { papers, .. } => {
            rows.extend(renewal::proposed(papers, found.phone.as_ref(), locale));
        }
        ProposedAct::NameSubjects { id, subjects } => {
            let known = app.store.client(id.as_str()).await?;
            rows.extend(known.map(|known| (locale.text("column-client"), known.client.name)));
            let all = subjects
                .iter()
                .map(|(account, subject)| format!("{account}: {subject}"));
            rows.push((locale.text("subjects-list"), all.collect::<Vec<_>>().join("; ")));
        }
        ProposedAct::EditClient { before, client, .. } => {
            for (key, before, after) in differing(before, client, locale) {
                let text = locale.text_with("systems-changes", &[("before", &before), ("after", &after)]);
                rows.push((key, text));
            }
            rows.insert(0, (locale.text("column-client"), before.name.clone()));
        }
        ProposedAct::AddClient { client, .. } => {
            let told = client.scopes.iter().filter(|scope| **scope != Scope::Openid);
            let told: Vec<String> = told
                .map(|scope| locale.text(&format!("scope-{}", scope.name().replace('_', "-"))))
                .collect();
            rows.extend([
                (locale.text("column-client"), client.name.clone()),
                (locale.text("column-redirect_uris"), client.redirect_uris.join(" ")),
                (locale.text("column-scopes"), told.join("; ")),
            ]);
        }
    }
    Ok(rows)
}

/// The settings that a proposal changes: label, before, after.
fn differing(before: &Client, after: &Client, locale: Locale) -> Vec<(String, String, String)> {
    let one = |text: &Option<String>| text.clone().unwrap_or_else(|| locale.text("systems-none"));
    let several = |all: &[String]| match all {
        [] => locale.text("systems-none"),
        all => all.join(" "),
    };
    let kinds = |client: &Client| {
        let kinds = client
            .kinds
            .iter()
            .map(|kind| locale.text(&format!("kind-{}", kind.name())));
        kinds.collect::<Vec<_>>().join("; ")
    };
    let is = |is: bool| locale.text(if is { "systems-yes" } else { "systems-none" });
    let proof = |client: &Client| {
        locale.text(&format!(
            "systems-proof-{}",
            client.authentication.name().replace('_', "-")
        ))
    };
    let units = |client: &Client| several(&client.units.iter().map(|unit| unit.0.clone()).collect::<Vec<_>>());
    let all = [
        ("systems-field-name", before.name.clone(), after.name.clone()),
        (
            "column-redirect_uris",
            several(&before.redirect_uris),
            several(&after.redirect_uris),
        ),
        (
            "systems-field-post-logout-uris",
            several(&before.post_logout_redirect_uris),
            several(&after.post_logout_redirect_uris),
        ),
        (
            "systems-backchannel",
            one(&before.backchannel_logout_uri),
            one(&after.backchannel_logout_uri),
        ),
        ("systems-events", one(&before.events_uri), one(&after.events_uri)),
        (
            "column-resources",
            several(&before.resources),
            several(&after.resources),
        ),
        (
            "column-scopes",
            Scope::words(&before.scopes),
            Scope::words(&after.scopes),
        ),
        ("systems-kinds", kinds(before), kinds(after)),
        ("desk-unit", units(before), units(after)),
        ("systems-proof", proof(before), proof(after)),
        ("systems-third-party", is(before.third_party), is(after.third_party)),
        (
            "systems-client-credentials",
            is(before.client_credentials),
            is(after.client_credentials),
        ),
    ];
    let differ = all.into_iter().filter(|(_, before, after)| before != after);
    differ
        .map(|(key, before, after)| (locale.text(key), before, after))
        .collect()
}

fn document(cause: &Cause) -> &str {
    cause.0.strip_prefix("order:").unwrap_or(&cause.0)
}

async fn page(app: &App, operator: &Operator, found: ActProposal, why: Option<Input>) -> Result<ProposalPage> {
    let locale = operator.ctx.locale;
    let waits = found.state == TakeOverState::Waiting;
    let is_first = found.proposed_by == operator.permit.by();
    // Nobody decides about their own account.
    let decides = waits
        && found
            .act
            .account()
            .is_none_or(|account| account.as_str() != operator.permit.by());
    let declined_by = match found.state {
        TakeOverState::Declined => app.store.declined_by(&operator.permit, &found).await?,
        _ => None,
    };
    let declined_by = declined_by.map(|by| (locale.text("desk-declined-by"), actor_name(&by, locale)));
    let why = vec![why.unwrap_or_else(|| text_input("reason", "", locale))];
    let errors = mistakes(&why);
    let mut layout = operator.layout(&place(&found.receipt));
    layout.wrong = !errors.is_empty();
    Ok(ProposalPage {
        layout,
        errors,
        done: None,
        title: title(&found.act, locale),
        state: locale.text(&format!("desk-act-state-{}", found.state.name())),
        rows: [
            (locale.text("desk-take-over-by"), actor_name(&found.proposed_by, locale)),
            (locale.text("desk-take-over-at"), locale.instant(found.at)),
            (locale.text("desk-reason"), found.reason.clone()),
            (locale.text("answer-receipt"), found.receipt.clone()),
        ]
        .into_iter()
        .chain(declined_by)
        .collect(),
        about: about(app, &found, locale).await?,
        may_approve: decides && !is_first,
        decline: decides.then(|| locale.text(if is_first { "desk-take-back" } else { "desk-decline" })),
        here: place(&found.receipt),
        why,
    })
}

/// Shows a proposal.
pub async fn show(
    State(app): State<App>,
    operator: Operator,
    Path(receipt): Path<String>,
    Query(notice): Query<NoticeQuery>,
) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let found = app.store.act_proposal(&operator.permit, &receipt).await?;
            let mut page = page(&app, &operator, found, None).await?;
            let said = DONE.contains(&notice.done.as_str());
            page.done = said.then(|| locale.text(&format!("desk-done-act-{}", notice.done)));
            Ok(html(StatusCode::OK, &page))
        })
        .await
}

/// Approves the act, as the second operator.
pub async fn approve(State(app): State<App>, operator: Operator, Path(receipt): Path<String>) -> Response {
    operator
        .answer(async {
            let news = to_owners().text("sms-passkeys-removed");
            let act = app.store.act_proposal(&operator.permit, &receipt).await?.act;
            let new = match app.store.approve_act(&operator.permit, &receipt, &news).await? {
                Approved::Done => {
                    return Ok(Redirect::to(&format!("{}?done=approved", place(&receipt))).into_response());
                }
                Approved::PasswordCode(code) => {
                    let account = act.account().ok_or_else(|| Refusal::UnknownProposal(receipt.clone()))?;
                    return renewal::with_code(&app, &operator, account, code).await;
                }
                Approved::Client(new) => new,
            };
            let known = app.store.client(new.id.as_str()).await?;
            let known = known.ok_or_else(|| Refusal::UnknownClient(new.id.to_string()))?;
            Ok(with_secret(&app, &operator, known, new, "add"))
        })
        .await
}

/// Declines the act, as the second operator, or withdraws it, as the first.
pub async fn decline(
    State(app): State<App>,
    operator: Operator,
    Path(receipt): Path<String>,
    sent: CheckedForm,
) -> Response {
    let why = required("reason", sent.field("reason"), operator.ctx.locale);
    operator
        .answer(async {
            if why.error.is_some() {
                let found = app.store.act_proposal(&operator.permit, &receipt).await?;
                let page = page(&app, &operator, found, Some(why)).await?;
                return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, &page));
            }
            app.store.decline_act(&operator.permit, &receipt, &why.value).await?;
            Ok(Redirect::to(&format!("{}?done=declined", place(&receipt))).into_response())
        })
        .await
}
