//! The import of the subject identifiers by which a connected system knows accounts, before its first sign-in.

use crate::app::App;
use crate::cli::error_text::refused;
use crate::desk::act_proposal::propose;
use crate::desk::confirm::{required, text_input};
use crate::desk::operator::{CheckedForm, Operator};
use crate::desk::systems::subjects_file::subjects;
use crate::desk::url::system_address;
use crate::http::{Input, Layout, Mistake, html, mistakes};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use ngomon_rules::event::ProposedAct;
use ngomon_store::{Refusal, RegisteredClient, StoreError};

/// The reason, if a second operator must approve.
const REASON: &str = "reason";
const LIST: &str = "subjects";

#[derive(Template)]
#[template(path = "desk/system_subjects.html")]
struct SubjectsPage {
    layout: Layout,
    errors: Vec<Mistake>,
    system: String,
    back: String,
    list: String,
    error: Option<String>,
    why: Vec<Input>,
}

fn page(
    operator: &Operator,
    known: &RegisteredClient,
    list: &str,
    error: Option<String>,
    why: Option<Input>,
) -> Response {
    let back = system_address(known.id.as_str());
    let mut layout = operator.layout(&format!("{back}/subjects"));
    let why: Vec<Input> = why.into_iter().collect();
    let mut errors = mistakes(&why);
    errors.extend(error.clone().map(|text| Mistake { field: LIST, text }));
    layout.wrong = !errors.is_empty();
    let status = if layout.wrong {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let page = SubjectsPage {
        layout,
        errors,
        system: known.client.name.clone(),
        back,
        list: list.to_owned(),
        error,
        why,
    };
    html(status, &page)
}

async fn known(app: &App, id: String) -> ngomon_store::Result<RegisteredClient> {
    Ok(app.store.client(&id).await?.ok_or(Refusal::UnknownClient(id))?)
}

/// Shows the form.
pub async fn show(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let known = known(&app, id).await?;
            let why = known.client.needs_two().then(|| text_input(REASON, "", locale));
            Ok(page(&operator, &known, "account_id,subject\n", None, why))
        })
        .await
}

/// Imports the list, or proposes it to a second operator.
pub async fn send(State(app): State<App>, operator: Operator, Path(id): Path<String>, sent: CheckedForm) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let known = known(&app, id).await?;
            let (list, two) = (sent.field(LIST), known.client.needs_two());
            let why = required(REASON, sent.field(REASON), locale);
            let again = |error| Ok(page(&operator, &known, list, error, two.then(|| why.clone())));
            let rows = match subjects(list) {
                Ok(rows) => rows,
                Err(row) => return again(Some(locale.text_with("subjects-row", &[("row", &row.to_string())]))),
            };
            if two {
                if why.error.is_some() {
                    return again(None);
                }
                let act = ProposedAct::NameSubjects {
                    id: known.id.clone(),
                    subjects: rows,
                };
                return propose(&app, &operator, act, &why.value).await;
            }
            match app.store.name_subjects_alone(&operator.permit, &known, rows).await {
                Ok(_) => {
                    Ok(Redirect::to(&format!("{}?done=subjects", system_address(known.id.as_str()))).into_response())
                }
                Err(StoreError::Refused(refusal)) => again(Some(refused(&refusal, locale))),
                Err(error) => Err(error),
            }
        })
        .await
}
