//! The replacement of a lost password or phone, papers in hand: a code with which the owner sets another password, or another
//! phone. A second one of the two within 30 days takes a second operator.

use crate::app::App;
use crate::desk::act_proposal::{place, propose};
use crate::desk::confirm::{Choice, Choices, ConfirmAction, done, happens, required, text_input, whom};
use crate::desk::form::papers_said;
use crate::desk::operator::{CheckedForm, Operator};
use crate::desk::url::address;
use crate::http::{Layout, html};
use crate::i18n::Locale;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::citizens::Paper;
use ngomon_rules::event::ProposedAct;
use ngomon_rules::records::AccountId;
use ngomon_rules::values::Phone;
use ngomon_store::{PapersSeen, Refusal, Result, StoreError};

/// The code, shown once. The page is made to be printed and handed over.
#[derive(Template)]
#[template(path = "desk/password_code.html")]
struct CodePage {
    layout: Layout,
    code: String,
    /// The address at which the code is typed.
    address: &'static str,
    account: String,
    rows: Vec<(String, String)>,
}

/// Shows a code that was just issued.
pub async fn with_code(app: &App, operator: &Operator, account: &AccountId, code: String) -> Result<Response> {
    let locale = operator.ctx.locale;
    let (explanation, _) = whom(&app.store, locale, account).await?;
    let username = explanation
        .username
        .clone()
        .unwrap_or_else(|| locale.text("join-unknown"));
    let page = CodePage {
        layout: operator.layout(&address(account)),
        code,
        address: "/sign-in/new-password",
        account: address(account),
        rows: vec![(locale.text("fact-username"), username)],
    };
    Ok(html(StatusCode::OK, &page))
}

/// The page with its fields: the papers, the new phone if the phone is replaced, and the reason.
async fn act(
    app: &App,
    operator: &Operator,
    account: &AccountId,
    key: &'static str,
    sent: Option<&CheckedForm>,
) -> Result<ConfirmAction> {
    let locale = operator.ctx.locale;
    let (_, about) = whom(&app.store, locale, account).await?;
    let typed = |name: &str| sent.map(|sent| sent.field(name)).unwrap_or_default();
    let papers = papers(sent);
    let options = Paper::ALL.map(|paper| Choice {
        value: paper.name(),
        label: locale.text(&format!("paper-{}", paper.name())),
        ticked: papers.contains(&paper),
    });
    let mut fields = Vec::new();
    if key == "phone" {
        let mut phone = text_input("phone", typed("phone"), locale);
        phone.inputmode = "tel";
        let wrong = sent.is_some() && Phone::parse(typed("phone")).is_err();
        phone.error = wrong.then(|| locale.text("propose-bad-phone"));
        fields.push(phone);
    }
    fields.push(match sent {
        Some(_) => required("reason", typed("reason"), locale),
        None => text_input("reason", "", locale),
    });
    let keys = ["does", "told", "two"].map(|what| format!("desk-{key}-{what}"));
    Ok(ConfirmAction {
        happens: happens(locale, account, &keys.each_ref().map(String::as_str)),
        choices: Some(Choices {
            name: "papers",
            legend: locale.text("desk-papers"),
            error: (sent.is_some() && papers.is_empty()).then(|| locale.text("desk-no-papers")),
            kind: "checkboxes",
            options: options.into(),
        }),
        fields,
        ..ConfirmAction::about(operator, key, key, account, about)
    })
}

fn papers(sent: Option<&CheckedForm>) -> Vec<Paper> {
    sent.map(|sent| sent.all("papers").filter_map(Paper::parse).collect())
        .unwrap_or_default()
}

/// Shows the page that confirms a code for another password.
pub async fn show_password(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let account = AccountId(id);
    operator
        .answer(async { Ok(act(&app, &operator, &account, "password", None).await?.page()) })
        .await
}

/// Issues the code, or proposes it to a second operator.
pub async fn send_password(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    sent: CheckedForm,
) -> Response {
    let account = AccountId(id);
    operator
        .answer(async {
            let act = act(&app, &operator, &account, "password", Some(&sent)).await?;
            if !act.is_right() {
                return Ok(act.page());
            }
            let seen = PapersSeen {
                papers: papers(Some(&sent)),
                why: sent.field("reason").to_owned(),
            };
            match app.store.issue_password_code(&operator.permit, &account, &seen).await {
                Err(StoreError::Refused(Refusal::NeedsTwo)) if account.operator().is_none() => {
                    let papers = seen.papers;
                    propose(&app, &operator, ProposedAct::NewPassword { account, papers }, &seen.why).await
                }
                code => with_code(&app, &operator, &account, code?).await,
            }
        })
        .await
}

/// Shows the form for another phone.
pub async fn show_phone(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let account = AccountId(id);
    operator
        .answer(async { Ok(act(&app, &operator, &account, "phone", None).await?.page()) })
        .await
}

/// Replaces the phone, or proposes it to a second operator.
pub async fn send_phone(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    sent: CheckedForm,
) -> Response {
    let account = AccountId(id);
    operator
        .answer(async {
            let act = act(&app, &operator, &account, "phone", Some(&sent)).await?;
            let phone = Phone::parse(sent.field("phone"));
            let (true, Ok((phone, _))) = (act.is_right(), phone) else {
                return Ok(act.page());
            };
            let (papers, why) = (papers(Some(&sent)), sent.field("reason").to_owned());
            let seen = PapersSeen {
                papers: papers.clone(),
                why: why.clone(),
            };
            match app.store.change_phone(&operator.permit, &account, &phone, &seen).await {
                Err(StoreError::Refused(Refusal::NeedsTwo)) if account.operator().is_none() => {
                    let act = ProposedAct::ChangePhone { account, papers };
                    let receipt = app.store.propose_phone(&operator.permit, act, &phone, &why).await?;
                    Ok(Redirect::to(&format!("{}?done=proposed", place(&receipt))).into_response())
                }
                changed => {
                    changed?;
                    Ok(done(&account, "phone"))
                }
            }
        })
        .await
}

/// The rows that describe such a proposal to the second operator.
pub fn proposed(papers: &[Paper], phone: Option<&Phone>, locale: Locale) -> Vec<(String, String)> {
    let mut rows = vec![(locale.text("desk-papers"), papers_said(papers, locale))];
    rows.extend(phone.map(|phone| (locale.text("desk-phone"), phone.masked())));
    rows
}
