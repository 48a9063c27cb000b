//! The gallery of all page components, with made-up content, for developers of pages: `/sandbox/parts`.

use crate::app::App;
use crate::http::{
    History, HistoryLinks, HistoryRow, Input, Layout, Mistake, RequestContext, html, mistakes, not_found,
};
use crate::pages::held::HoldView;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ngomon_rules::hold::Reason;
use ngomon_rules::law::law;

#[derive(Template)]
#[template(path = "parts_page.html")]
struct GalleryPage {
    shell: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    done: Option<String>,
    rows: Vec<(String, String)>,
    card: Card,
    hold: HoldView,
    history: History,
}

struct Card {
    title: String,
    href: &'static str,
    rows: Vec<(String, String)>,
}

/// Shows the components one below the other.
pub async fn show(State(app): State<App>, ctx: RequestContext) -> Response {
    if !app.sandbox {
        return not_found(ctx).await;
    }
    let words = ctx.words;
    let fields = vec![
        Input {
            hint: words.text("form-hint-full-name"),
            ..Input::new("full_name", words.text("form-full-name"))
        },
        Input {
            value: "191234567".into(),
            hint: words.text("form-hint-national-id"),
            error: Some(words.text("form-bad-national-id-9")),
            inputmode: "numeric",
            ..Input::new("national_id", words.text("form-national-id"))
        },
    ];
    let row = |key: &str, value: &str| (words.text(key), value.to_owned());
    let rows = vec![
        row("fact-full-name", "Hồ Thị Kăn Nga"),
        row("fact-national-id", "046*****6821"),
    ];
    let now = words.instant(app.store.now().as_microsecond());
    let line = |key: &str| HistoryRow {
        at: now.clone(),
        what: words.text(key),
    };
    let page = GalleryPage {
        errors: mistakes(&fields),
        fields,
        done: Some(words.text("desk-done-lifted")),
        card: Card {
            title: "Hồ Thị Kăn Nga".into(),
            href: "/sandbox/parts",
            rows: rows.clone(),
        },
        hold: HoldView {
            name: words.text("hold-review-overdue"),
            text: words.text_with("hold-text-review-overdue", &[("reviewed", "25/4/2022")]),
            rows: vec![(words.text("explain-mends"), words.text("mends-review-overdue"))],
            sentence: law(Reason::ReviewOverdue.clause()).map(|law| law.sentence),
            ways: Vec::new(),
        },
        rows,
        history: History {
            lines: vec![line("event-rehashed"), line("event-taken-over")],
            turn: HistoryLinks {
                earlier: Some("/sandbox/parts".into()),
                newest: None,
            },
        },
        shell: ctx.shell(),
    };
    html(StatusCode::OK, &page)
}
