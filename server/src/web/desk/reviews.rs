//! "Đề nghị xem xét lại": the owners of held accounts who asked for it, the oldest first. What helps is done on the account's page.

use super::act::whom;
use super::{Operator, address};
use crate::web::App;
use crate::web::page::{Shell, html};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

#[derive(Template)]
#[template(path = "desk/reviews.html")]
struct List {
    shell: Shell,
    waiting: Vec<Waiting>,
}

struct Waiting {
    title: String,
    href: String,
    rows: Vec<(String, String)>,
}

/// Who waits.
pub async fn list(State(app): State<App>, operator: Operator) -> Response {
    let words = operator.asker.words;
    operator
        .answer(async {
            let mut waiting = Vec::new();
            for one in app.store.review_requests(&operator.permit).await? {
                let (story, _) = whom(&app.store, words, &one.account).await?;
                let holds = story
                    .holds
                    .iter()
                    .map(|held| words.say(&format!("hold-{}", held.hold.reason)));
                waiting.push(Waiting {
                    title: story.fact("full_name").unwrap_or(&story.account).to_owned(),
                    href: address(&one.account),
                    rows: vec![
                        (words.say("answer-receipt"), one.receipt),
                        (words.say("column-account_id"), one.account.0),
                        (words.say("desk-state"), holds.collect::<Vec<_>>().join("; ")),
                        (words.say("desk-asked-at"), words.instant(one.at)),
                    ],
                });
            }
            let shell = operator.shell("/desk/reviews");
            Ok(html(StatusCode::OK, &List { shell, waiting }))
        })
        .await
}
