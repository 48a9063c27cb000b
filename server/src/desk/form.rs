//! The form of four fields, entered by an operator who sees the papers. Attempts are not counted, and the operator learns which
//! fields differ.

use crate::app::App;
use crate::desk::confirm::{Choice, Choices, ConfirmAction, citizen, whom};
use crate::desk::operator::{CheckedForm, Operator};
use crate::desk::url::address;
use crate::http::{Layout, html};
use crate::i18n::Locale;
use crate::pages::standardise::typed_form::{StandardiseForm, another, malformed};
use crate::registry_client::{PATIENCE, ask};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::citizens::{Field, Outcome, Paper, parse};
use ngomon_rules::records::AccountId;
use ngomon_store::{EnteredForm, Result};

/// Shows the empty form.
pub async fn show(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let account = AccountId(id);
    operator
        .answer(async {
            let act = act(&app, &operator, &account, &StandardiseForm::default(), &[], &[]).await?;
            Ok(act.page())
        })
        .await
}

async fn act(
    app: &App,
    operator: &Operator,
    account: &AccountId,
    typed: &StandardiseForm,
    papers: &[Paper],
    errors: &[(Field, String)],
) -> Result<ConfirmAction> {
    let locale = operator.ctx.locale;
    let (_, about) = citizen(&app.store, locale, account).await?;
    let options = Paper::ALL.map(|paper| Choice {
        value: paper.name(),
        label: locale.text(&format!("paper-{}", paper.name())),
        ticked: papers.contains(&paper),
    });
    Ok(ConfirmAction {
        happens: vec![locale.text("desk-form-happens"), locale.text("desk-form-happens-kept")],
        fields: typed.inputs(errors, locale),
        choices: Some(Choices {
            name: "papers",
            legend: locale.text("desk-papers"),
            error: None,
            kind: "checkboxes",
            options: options.into(),
        }),
        ..ConfirmAction::about(operator, "form", "form", account, about)
    })
}

/// Submits the four fields and the papers.
pub async fn send(State(app): State<App>, operator: Operator, Path(id): Path<String>, sent: CheckedForm) -> Response {
    let account = AccountId(id);
    let typed = StandardiseForm {
        full_name: sent.field("full_name").to_owned(),
        national_id: sent.field("national_id").to_owned(),
        issued_on: sent.field("issued_on").to_owned(),
        phone: sent.field("phone").to_owned(),
        mine: sent.field("mine").to_owned(),
    };
    let papers: Vec<Paper> = sent.all("papers").filter_map(Paper::parse).collect();
    operator
        .answer(entered(&app, &operator, &account, &typed, &papers))
        .await
}

async fn entered(
    app: &App,
    operator: &Operator,
    account: &AccountId,
    typed: &StandardiseForm,
    papers: &[Paper],
) -> Result<Response> {
    let locale = operator.ctx.locale;
    let again = async |errors: &[(Field, String)]| act(app, operator, account, typed, papers, errors).await;
    let form = typed.form();
    let parsed = parse(&form, app.store.today());
    if papers.is_empty() {
        let errors = parsed.as_ref().err().map(|fields| malformed(typed, fields, locale));
        let mut act = again(&errors.unwrap_or_default()).await?;
        if let Some(choices) = &mut act.choices {
            choices.error = Some(locale.text("desk-no-papers"));
        }
        return Ok(act.page());
    }
    if typed.is_short() {
        return Ok(again(&malformed(typed, &[Field::NationalId].into(), locale))
            .await?
            .page());
    }
    let (explanation, _) = citizen(&app.store, locale, account).await?;
    let whose = parsed
        .as_ref()
        .ok()
        .and_then(|parsed| another(&explanation, &parsed.full_name));
    if let Some((stated, typed_name)) = whose.filter(|_| typed.mine != "yes") {
        let mut act = again(&[]).await?;
        let args = [("stated", stated.as_str()), ("typed", typed_name.as_str())];
        act.notice = Some(locale.text_with("desk-form-whose", &args));
        act.hidden = vec![("mine", "yes".to_owned())];
        act.button = locale.text("desk-form-theirs");
        return Ok(act.page());
    }
    let registry = match &parsed {
        Ok(parsed) => Some(ask(app, parsed.national_id, PATIENCE).await?),
        Err(_) => None,
    };
    let done = app
        .store
        .enter_form(&operator.permit, account, &form, papers, registry)
        .await?;
    let receipt = done.receipt.unwrap_or_default();
    let answer = app.store.entered_form(&operator.permit, &receipt).await?;
    let errors = match answer.outcome {
        Outcome::Malformed => malformed(typed, &answer.fields.iter().copied().collect(), locale),
        Outcome::NotFound => vec![(Field::NationalId, locale.text("desk-not-found"))],
        Outcome::Mismatch => differing(&answer, locale),
        _ => return Ok(Redirect::to(&format!("/desk/forms/{receipt}")).into_response()),
    };
    Ok(again(&errors).await?.page())
}

/// "Ba thông tin đã khớp. Chưa khớp: ngày cấp." at the first field that differs, and the registry's spelling at a name that is
/// close.
fn differing(answer: &EnteredForm, locale: Locale) -> Vec<(Field, String)> {
    let names: Vec<String> = answer
        .fields
        .iter()
        .map(|field| locale.text(&format!("word-{}", field.name())))
        .collect();
    let matching = 4_usize.saturating_sub(names.len());
    let all = locale.text_with(&format!("desk-differs-{matching}"), &[("fields", &names.join(", "))]);
    let mut errors: Vec<(Field, String)> = answer
        .fields
        .iter()
        .map(|field| {
            (
                *field,
                locale.text(&format!("desk-differs-{}", field.name().replace('_', "-"))),
            )
        })
        .collect();
    if let Some((_, first)) = errors.first_mut() {
        *first = format!("{all} {first}");
    }
    if let Some(near) = &answer.near
        && let Some((_, text)) = errors.iter_mut().find(|(field, _)| *field == Field::FullName)
    {
        *text += &format!(" {}", locale.text_with("desk-near", &[("name", near.as_str())]));
    }
    errors
}

/// The result of a form.
#[derive(Template)]
#[template(path = "desk/answer.html")]
struct CounterFormResult {
    layout: Layout,
    title: String,
    text: String,
    receipt: String,
    rows: Vec<(String, String)>,
    account: String,
    /// The address at which a take-over of the claim is proposed.
    take_over: Option<String>,
}

/// Shows the result of the form with this receipt.
pub async fn answer(State(app): State<App>, operator: Operator, Path(receipt): Path<String>) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let form = app.store.entered_form(&operator.permit, &receipt).await?;
            let (explanation, mut rows) = whom(&app.store, locale, &form.account).await?;
            rows.push((locale.text("desk-answered-at"), locale.instant(form.at)));
            if !form.papers.is_empty() {
                rows.push((locale.text("desk-papers"), papers_said(&form.papers, locale)));
            }
            let key = match form.outcome {
                Outcome::Standardised => "standardised",
                Outcome::AlreadyDone => "done",
                Outcome::Pending if !form.fields.is_empty() => "papers",
                Outcome::Pending => "pending",
                Outcome::Taken => "taken",
                Outcome::Revoked => "revoked",
                Outcome::Deceased => "deceased",
                Outcome::NotFound | Outcome::Mismatch | Outcome::Malformed | Outcome::UnknownAccount => "refused",
            };
            let mut text = locale.text(&format!("desk-answer-{key}"));
            match &form.weaker {
                Some(claim) if claim.withdrawn.is_some() => {
                    text = locale.text_with("desk-answer-withdrawn", &[("account", claim.holder.as_str())]);
                }
                Some(weaker) => {
                    let proof = locale.text(&format!("word-{}", weaker.proof.name()));
                    let args = [("account", weaker.holder.as_str()), ("proof", &proof)];
                    text += &format!(" {}", locale.text_with("desk-answer-weaker", &args));
                }
                None => {}
            }
            if key == "refused" && !form.fields.is_empty() {
                let names = form
                    .fields
                    .iter()
                    .map(|field| locale.text(&format!("word-{}", field.name())));
                rows.push((
                    locale.text("fact-last-form-fields"),
                    names.collect::<Vec<_>>().join(", "),
                ));
            }
            let page = CounterFormResult {
                layout: operator.layout(&format!("/desk/forms/{receipt}")),
                title: explanation.fact("full_name").unwrap_or(&explanation.account).to_owned(),
                text,
                rows,
                account: address(&form.account),
                take_over: form.weaker.map(|_| format!("/desk/take-overs/{receipt}")),
                receipt: form.receipt,
            };
            Ok(html(StatusCode::OK, &page))
        })
        .await
}

/// The names of the papers, as one text.
pub fn papers_said(papers: &[Paper], locale: Locale) -> String {
    let names = papers
        .iter()
        .map(|paper| locale.text(&format!("paper-{}", paper.name())));
    names.collect::<Vec<_>>().join("; ")
}
