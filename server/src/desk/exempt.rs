//! C1: a child, a foreigner or a card in the making is exempt up to a day; an exemption can also be ended.

use crate::app::App;
use crate::desk::confirm::{Choice, Choices, ConfirmAction, citizen, done, last_day, whom};
use crate::desk::operator::{CheckedForm, Operator};
use axum::extract::{Path, State};
use axum::response::Response;
use ngomon_rules::citizens::Exemption;
use ngomon_rules::records::AccountId;
use ngomon_rules::values::Date;
use ngomon_store::{ExemptionRequester, Refusal, Result};

/// The page as it was sent, and the exemption if the form is valid.
async fn act(
    app: &App,
    operator: &Operator,
    account: &AccountId,
    sent: Option<&CheckedForm>,
) -> Result<(ConfirmAction, Option<(Exemption, Date)>)> {
    let locale = operator.ctx.locale;
    let (explanation, about) = citizen(&app.store, locale, account).await?;
    if explanation.fact("claim").is_some() {
        return Err(Refusal::HasClaim(explanation.account).into());
    }
    let why = sent.and_then(|sent| Exemption::parse(sent.field("why")));
    let (day, mut field) = last_day(sent.map(|sent| sent.field("last_day")).unwrap_or_default(), locale);
    let today = app.store.today();
    if sent.is_some() && field.error.is_none() {
        field.error = match (day, why) {
            (None, _) => Some(locale.text("desk-no-last-day")),
            (Some(day), _) if day < today => Some(locale.text("desk-past-last-day")),
            (Some(day), Some(why)) if !why.may_end_on(day, today) => {
                let latest = locale.day(why.latest(today));
                Some(locale.text_with("desk-late-last-day", &[("day", &latest)]))
            }
            _ => None,
        };
    }
    let options = Exemption::ALL.map(|one| Choice {
        value: one.name(),
        label: locale.text(&format!("exemption-{}", one.name())),
        ticked: why == Some(one),
    });
    let act = ConfirmAction {
        happens: ["kept", "ends"]
            .map(|what| locale.text(&format!("desk-exempt-{what}")))
            .into(),
        choices: Some(Choices {
            name: "why",
            legend: locale.text("desk-exempt-why"),
            error: (sent.is_some() && why.is_none()).then(|| locale.text("desk-no-why")),
            kind: "radios",
            options: options.into(),
        }),
        fields: vec![field],
        ..ConfirmAction::about(operator, "exempt", "exempt", account, about)
    };
    let right = why.zip(day).filter(|_| act.is_right());
    Ok((act, right))
}

/// Shows the form of an exemption.
pub async fn show(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let account = AccountId(id);
    operator
        .answer(async { Ok(act(&app, &operator, &account, None).await?.0.page()) })
        .await
}

/// Exempts the account.
pub async fn send(State(app): State<App>, operator: Operator, Path(id): Path<String>, sent: CheckedForm) -> Response {
    let account = AccountId(id);
    operator
        .answer(async {
            let (act, right) = act(&app, &operator, &account, Some(&sent)).await?;
            let Some((why, last_day)) = right else {
                return Ok(act.page());
            };
            let says = ExemptionRequester::Operator(&operator.permit, &account);
            app.store.exempt(says, why, last_day).await?;
            Ok(done(&account, "exempt"))
        })
        .await
}

/// Shows the page that confirms the end of an exemption.
pub async fn show_end(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let locale = operator.ctx.locale;
    let account = AccountId(id);
    operator
        .answer(async {
            let (explanation, about) = whom(&app.store, locale, &account).await?;
            let last = explanation.exempt_to.ok_or(Refusal::NotExempt(explanation.account))?;
            let act = ConfirmAction {
                happens: vec![locale.text_with("desk-end-exemption-happens", &[("day", &locale.day(last))])],
                ..ConfirmAction::about(&operator, "end-exemption", "end-exemption", &account, about)
            };
            Ok(act.page())
        })
        .await
}

/// Ends the exemption.
pub async fn end(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let account = AccountId(id);
    operator
        .answer(async {
            app.store
                .end_exemption(ExemptionRequester::Operator(&operator.permit, &account))
                .await?;
            Ok(done(&account, "exempt-ended"))
        })
        .await
}
