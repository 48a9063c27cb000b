//! C8: the material with which a unit's head informs people: a notice to print, a text for the loudspeaker, a message to pass
//! on. It is in the first language, whatever the language of the page.

use super::asked;
use super::paper::Paper;
use crate::output::Words;
use crate::web::App;
use crate::web::asker::Asker;
use crate::web::page::{Fault, Shell, html};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ngomon_rules::citizens::Audience;
use ngomon_rules::counter::Counter;

/// The most counters on a notice; all of them are on the page of the counters.
const MOST_COUNTERS: usize = 3;

#[derive(Template)]
#[template(path = "notice.html")]
struct Page {
    shell: Shell,
    /// The language of the printed text.
    first: Words,
    code: String,
    name: String,
    paper: Paper,
    lines: Vec<String>,
    counters: Vec<Counter>,
}

/// Shows the notice of a unit.
pub async fn show(State(app): State<App>, asker: Asker, Path(unit): Path<String>) -> Response {
    let (asker, snapshot, unit) = match asked(&app, asker, &unit).await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    let (words, figures) = (Words::first(), &snapshot.figures);
    let mut counters = match app.store.counters().await {
        Ok(counters) => counters,
        Err(error) => return Fault(asker.words, error).into_response(),
    };
    counters.truncate(MOST_COUNTERS);
    let name = figures
        .of(unit.as_str())
        .map(|of| of.line.name.clone())
        .unwrap_or_default();
    let campaign = &figures.campaign;
    let deadlines = [
        ("notice-officials", Audience::Officials),
        ("notice-citizens", Audience::Citizens),
    ];
    let mut lines = vec![words.say_with("notice-what", &[("start", &words.day(campaign.start))])];
    lines.extend(deadlines.into_iter().filter_map(|(key, audience)| {
        let last = campaign.deadline(audience).filter(|last| figures.day <= *last)?;
        Some(words.say_with(key, &[("day", &words.day(last))]))
    }));
    lines.extend(["notice-own", "notice-help", "notice-safe"].map(|key| words.say(key)));
    let page = Page {
        shell: asker.shell(),
        first: words,
        code: unit.to_string(),
        paper: Paper::of(figures, &unit, "decree-notice-number"),
        name,
        lines,
        counters,
    };
    html(StatusCode::OK, &page)
}
