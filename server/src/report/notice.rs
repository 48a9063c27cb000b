//! C8: the material with which a unit's head informs people: a notice to print, a text for the loudspeaker, a message to pass
//! on. It is in the first language, whatever the language of the page.

use crate::app::App;
use crate::http::{ErrorPage, Layout, RequestContext, html};
use crate::i18n::Locale;
use crate::report::access::requested_unit;
use crate::report::paper::Paper;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ngomon_rules::citizens::CampaignGroup;
use ngomon_rules::counter::Counter;

/// The most counters on a notice; all of them are on the page of the counters.
const MOST_COUNTERS: usize = 3;

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage {
    layout: Layout,
    /// The language of the printed text.
    first: Locale,
    code: String,
    name: String,
    paper: Paper,
    lines: Vec<String>,
    counters: Vec<Counter>,
}

/// Shows the notice of a unit.
pub async fn show(State(app): State<App>, ctx: RequestContext, Path(unit): Path<String>) -> Response {
    let (ctx, snapshot, unit) = match requested_unit(&app, ctx, &unit).await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    let (locale, figures) = (Locale::first(), &snapshot.figures);
    let mut counters = match app.store.counters().await {
        Ok(counters) => counters,
        Err(error) => return ErrorPage(ctx.locale, error).into_response(),
    };
    counters.truncate(MOST_COUNTERS);
    let name = figures
        .of(unit.as_str())
        .map(|of| of.line.name.clone())
        .unwrap_or_default();
    let campaign = &figures.campaign;
    let deadlines = [
        ("notice-officials", CampaignGroup::Officials),
        ("notice-citizens", CampaignGroup::Citizens),
    ];
    let mut lines = vec![locale.text_with("notice-what", &[("start", &locale.day(campaign.start))])];
    lines.extend(deadlines.into_iter().filter_map(|(key, audience)| {
        let last = campaign.deadline(audience).filter(|last| figures.day <= *last)?;
        Some(locale.text_with(key, &[("day", &locale.day(last))]))
    }));
    lines.extend(["notice-own", "notice-help", "notice-safe"].map(|key| locale.text(key)));
    let page = NoticePage {
        layout: ctx.layout(),
        first: locale,
        code: unit.to_string(),
        paper: Paper::of(figures, &unit, "decree-notice-number"),
        name,
        lines,
        counters,
    };
    html(StatusCode::OK, &page)
}
