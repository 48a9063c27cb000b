//! "Đề nghị xem xét lại": the owners of held accounts who requested a review, the oldest first. Whatever helps them is done on
//! the account's page.

use crate::app::App;
use crate::desk::confirm::{required, text_input, whom};
use crate::desk::operator::{CheckedForm, Operator};
use crate::desk::url::address;
use crate::http::{Input, Layout, Mistake, html, mistakes};
use crate::i18n::Locale;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_store::Result;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "desk/reviews.html")]
struct List {
    layout: Layout,
    done: Option<String>,
    waiting: Vec<PendingReview>,
    errors: Vec<Mistake>,
}

struct PendingReview {
    receipt: String,
    why: Input,
    title: String,
    href: String,
    rows: Vec<(String, String)>,
}

/// What was just done.
#[derive(Deserialize)]
pub struct Notice {
    #[serde(default)]
    done: String,
}

/// Lists the pending requests.
pub async fn list(State(app): State<App>, operator: Operator, Query(notice): Query<Notice>) -> Response {
    operator
        .answer(async { page(&app, &operator, notice.done == "answered", None).await })
        .await
}

/// Renders the list. `wrong`: the request whose reason must be corrected, with the field as it was sent.
async fn page(app: &App, operator: &Operator, done: bool, wrong: Option<(&str, Input)>) -> Result<Response> {
    let locale = operator.ctx.locale;
    let errors: Vec<Mistake> = wrong
        .iter()
        .flat_map(|(_, why)| mistakes(std::slice::from_ref(why)))
        .collect();
    let mut wrong = wrong;
    let mut waiting = Vec::new();
    for one in app.store.review_requests(&operator.permit).await? {
        let (explanation, _) = whom(&app.store, locale, &one.account).await?;
        let holds = explanation
            .holds
            .iter()
            .map(|held| locale.text(&format!("hold-{}", held.hold.reason)));
        waiting.push(PendingReview {
            title: explanation.fact("full_name").unwrap_or(&explanation.account).to_owned(),
            href: address(&one.account),
            rows: vec![
                (locale.text("answer-receipt"), one.receipt.clone()),
                (locale.text("column-account_id"), one.account.0),
                (locale.text("desk-state"), holds.collect::<Vec<_>>().join("; ")),
                (locale.text("desk-asked-at"), locale.instant(one.at)),
            ],
            why: match wrong.take_if(|(receipt, _)| *receipt == one.receipt) {
                Some((_, why)) => why,
                None => reason(locale, None),
            },
            receipt: one.receipt,
        });
    }
    let mut layout = operator.layout("/desk/reviews");
    layout.wrong = !errors.is_empty();
    let status = if layout.wrong {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let list = List {
        layout,
        done: done.then(|| locale.text("desk-review-answered")),
        waiting,
        errors,
    };
    Ok(html(status, &list))
}

/// The field for the reason, which the owner reads.
pub fn reason(locale: Locale, typed: Option<&str>) -> Input {
    let field = match typed {
        Some(typed) => required("reason", typed, locale),
        None => text_input("reason", "", locale),
    };
    Input {
        hint: locale.text("desk-hint-answer"),
        ..field
    }
}

/// Answers a request, with a reason.
pub async fn answer(
    State(app): State<App>,
    operator: Operator,
    Path(receipt): Path<String>,
    sent: CheckedForm,
) -> Response {
    let why = reason(operator.ctx.locale, Some(sent.field("reason")));
    operator
        .answer(async {
            if why.error.is_some() {
                return page(&app, &operator, false, Some((&receipt, why))).await;
            }
            let accepted = sent.field("decide") == "accept";
            app.store
                .answer_review(&operator.permit, &receipt, accepted, &why.value)
                .await?;
            Ok(Redirect::to("/desk/reviews?done=answered").into_response())
        })
        .await
}
