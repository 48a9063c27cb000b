//! A hold by order, for any kind of account, and its lifting.

use crate::app::App;
use crate::desk::act_proposal::propose;
use crate::desk::confirm::{ConfirmAction, done, happens, last_day, required, text_input, whom};
use crate::desk::operator::{CheckedForm, Operator};
use crate::http::path_encode;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use ngomon_rules::event::ProposedAct;
use ngomon_rules::hold::{Cause, Reason};
use ngomon_rules::records::AccountId;
use ngomon_store::{Order, Refusal, Result, StoreError};
use serde::Deserialize;

/// The page as it was sent, and the order if the form is valid.
async fn act(
    app: &App,
    operator: &Operator,
    account: &AccountId,
    sent: Option<&CheckedForm>,
) -> Result<(ConfirmAction, Option<Order>)> {
    let locale = operator.ctx.locale;
    let (_, about) = whom(&app.store, locale, account).await?;
    let of = |name| match sent {
        Some(sent) => required(name, sent.field(name), locale),
        None => text_input(name, "", locale),
    };
    let [ordered_by, document, about_it] = ["ordered_by", "document", "text"].map(of);
    let (day, mut last) = last_day(sent.map(|sent| sent.field("last_day")).unwrap_or_default(), locale);
    if day.is_some_and(|day| day < app.store.today()) {
        last.error = Some(locale.text("desk-past-last-day"));
    }
    last.label = locale.text("desk-last-day-if-any");
    let order = Order {
        ordered_by: ordered_by.value.clone(),
        document: document.value.clone(),
        text: about_it.value.clone(),
        last_day: day,
    };
    let act = ConfirmAction {
        happens: happens(
            locale,
            account,
            &["desk-hold-ends", "desk-hold-reads", "desk-hold-opens"],
        ),
        fields: vec![ordered_by, document, about_it, last],
        ..ConfirmAction::about(operator, "hold", "hold", account, about)
    };
    let right = sent.is_some() && act.is_right();
    Ok((act, right.then_some(order)))
}

/// Shows the form of an order.
pub async fn show(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let account = AccountId(id);
    operator
        .answer(async { Ok(act(&app, &operator, &account, None).await?.0.page()) })
        .await
}

/// Holds the account, or proposes it to a second operator.
pub async fn send(State(app): State<App>, operator: Operator, Path(id): Path<String>, sent: CheckedForm) -> Response {
    let account = AccountId(id);
    operator
        .answer(async {
            let (act, order) = act(&app, &operator, &account, Some(&sent)).await?;
            let Some(order) = order else {
                return Ok(act.page());
            };
            match app.store.hold_by_order(&operator.permit, &account, &order).await {
                Err(StoreError::Refused(Refusal::NeedsTwo)) => {
                    let hold = app.store.hold_of(&order)?;
                    let act = ProposedAct::HoldByOrder { account, hold };
                    return propose(&app, &operator, act, &order.text).await;
                }
                done => done?,
            }
            Ok(done(&account, "held"))
        })
        .await
}

/// The cause that identifies one of the account's holds.
#[derive(Deserialize)]
pub struct HoldQuery {
    #[serde(default)]
    cause: String,
}

/// The page that lifts a hold, with the reason `why` as it was sent.
async fn lifting(
    app: &App,
    operator: &Operator,
    account: &AccountId,
    cause: &str,
    why: Option<&str>,
) -> Result<ConfirmAction> {
    let locale = operator.ctx.locale;
    let (explanation, mut about) = whom(&app.store, locale, account).await?;
    let mut by_order = explanation
        .holds
        .iter()
        .filter(|held| held.hold.reason == Reason::ByOrder);
    let held = by_order.find(|held| held.hold.cause.0 == cause);
    let held = held.ok_or_else(|| Refusal::NotByOrder(account.0.clone()))?;
    for name in ["ordered_by", "document", "text"] {
        if let Some(value) = held.hold.evidence.get(name) {
            about.push((locale.text(&format!("desk-{}", name.replace('_', "-"))), value.clone()));
        }
    }
    Ok(ConfirmAction {
        happens: happens(locale, account, &["desk-lift-only", "desk-lift-anew"]),
        fields: vec![match why {
            Some(typed) => required("reason", typed, locale),
            None => text_input("reason", "", locale),
        }],
        hidden: vec![("cause", cause.to_owned())],
        ..ConfirmAction::about(
            operator,
            &format!("lift?cause={}", path_encode(cause)),
            "lift",
            account,
            about,
        )
    })
}

/// Shows the page that confirms the lifting.
pub async fn show_lift(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Query(which): Query<HoldQuery>,
) -> Response {
    let account = AccountId(id);
    operator
        .answer(async { Ok(lifting(&app, &operator, &account, &which.cause, None).await?.page()) })
        .await
}

/// Lifts the hold, or proposes it to a second operator.
pub async fn lift(State(app): State<App>, operator: Operator, Path(id): Path<String>, sent: CheckedForm) -> Response {
    let account = AccountId(id);
    let (cause, why) = (sent.field("cause"), sent.field("reason"));
    operator
        .answer(async {
            let act = lifting(&app, &operator, &account, cause, Some(why)).await?;
            if !act.is_right() {
                return Ok(act.page());
            }
            let cause = Cause(cause.to_owned());
            match app.store.lift_order(&operator.permit, &account, &cause, why).await {
                Err(StoreError::Refused(Refusal::NeedsTwo)) => {
                    let act = ProposedAct::LiftOrder { account, cause };
                    return propose(&app, &operator, act, why).await;
                }
                done => done?,
            }
            Ok(done(&account, "lifted"))
        })
        .await
}
