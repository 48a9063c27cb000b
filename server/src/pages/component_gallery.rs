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
    layout: Layout,
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
    let locale = ctx.locale;
    let fields = vec![
        Input {
            hint: locale.text("form-hint-full-name"),
            ..Input::new("full_name", locale.text("form-full-name"))
        },
        Input {
            value: "191234567".into(),
            hint: locale.text("form-hint-national-id"),
            error: Some(locale.text("form-bad-national-id-9")),
            inputmode: "numeric",
            ..Input::new("national_id", locale.text("form-national-id"))
        },
    ];
    let row = |key: &str, value: &str| (locale.text(key), value.to_owned());
    let rows = vec![
        row("fact-full-name", "Hồ Thị Kăn Nga"),
        row("fact-national-id", "046*****6821"),
    ];
    let now = locale.instant(app.store.now().as_microsecond());
    let line = |key: &str| HistoryRow {
        at: now.clone(),
        what: locale.text(key),
    };
    let page = GalleryPage {
        errors: mistakes(&fields),
        fields,
        done: Some(locale.text("desk-done-lifted")),
        card: Card {
            title: "Hồ Thị Kăn Nga".into(),
            href: "/sandbox/parts",
            rows: rows.clone(),
        },
        hold: HoldView {
            name: locale.text("hold-review-overdue"),
            text: locale.text_with("hold-text-review-overdue", &[("reviewed", "25/4/2022")]),
            rows: vec![(locale.text("explain-mends"), locale.text("mends-review-overdue"))],
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
        layout: ctx.layout(),
    };
    html(StatusCode::OK, &page)
}
