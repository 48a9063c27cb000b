//! The report page of a unit.

use crate::app::App;
use crate::http::{ErrorPage, Layout, RequestContext, html, not_found};
use crate::i18n::Locale;
use crate::report::access::{authorize_viewer, requested_unit};
use crate::report::download::FILES;
use crate::report::paper::Paper;
use crate::report::snapshot::Snapshot;
use crate::report::view::ReportView;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::unit::UnitCode;
use ngomon_store::{LastRecount, Result};

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    layout: Layout,
    code: String,
    name: String,
    /// The head of the printed page.
    paper: Paper,
    above: Vec<(String, String)>,
    beside: Vec<(String, String)>,
    at: String,
    shown: ReportView,
    /// Whether the visitor may see the people behind a figure.
    people: bool,
    /// The data of the chart: JSON within the page.
    chart: String,
    staff: Vec<StaffRow>,
    unknown: Option<String>,
    recounted: String,
    agreed: bool,
    files: Vec<(&'static str, String)>,
}

/// The staff of a unit, by their HR profiles.
struct StaffRow {
    name: String,
    counts: [String; 3],
}

/// Redirects to the report of the top unit.
pub async fn first(State(app): State<App>, ctx: RequestContext) -> Response {
    if !authorize_viewer(&ctx) {
        return Redirect::to("/").into_response();
    }
    let current = match app.report_cache.current().await {
        Ok(current) => current,
        Err(error) => return ErrorPage(ctx.locale, error).into_response(),
    };
    let top = current.figures.top().next().map(|unit| unit.line.unit.clone());
    match top {
        Some(unit) => show(State(app), ctx, Path(unit)).await,
        None => not_found(ctx).await,
    }
}

/// Shows the report of a unit, including all units below it.
pub async fn show(State(app): State<App>, ctx: RequestContext, Path(unit): Path<String>) -> Response {
    let (ctx, snapshot, unit) = match requested_unit(&app, ctx, &unit).await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    match page(&app, &ctx, &snapshot, &unit).await {
        Ok(Some(page)) => html(StatusCode::OK, &page),
        Ok(None) => not_found(ctx).await,
        Err(error) => ErrorPage(ctx.locale, error).into_response(),
    }
}

async fn page(app: &App, ctx: &RequestContext, snapshot: &Snapshot, unit: &UnitCode) -> Result<Option<ReportPage>> {
    let (locale, figures) = (ctx.locale, &snapshot.figures);
    let (Some(of), Some(shown)) = (figures.of(unit.as_str()), ReportView::of(snapshot, unit, locale).await?) else {
        return Ok(None);
    };
    let named = |code: &UnitCode| {
        figures
            .of(code.as_str())
            .map(|of| (code.to_string(), of.line.name.clone()))
    };
    let lineage = figures.tree.lineage(unit, figures.day);
    let above: Vec<(String, String)> = lineage.into_iter().skip(1).rev().filter_map(named).collect();
    let beside = figures
        .top()
        .filter(|top| above.is_empty() && top.line.unit != unit.as_str());
    let recount = app.store.last_recount().await?;
    Ok(Some(ReportPage {
        code: unit.to_string(),
        name: of.line.name.clone(),
        paper: Paper::of(figures, unit, "decree-number"),
        beside: beside
            .map(|top| (top.line.unit.clone(), top.line.name.clone()))
            .collect(),
        at: locale.text_with("report-at", &[("clock", &locale.instant(snapshot.at))]),
        chart: chart(&shown, locale),
        people: ctx.session.as_ref().is_some_and(|session| session.operator().is_some()),
        staff: staff(snapshot, unit, locale).await?,
        unknown: figures.of("").filter(|_| above.is_empty()).map(|unknown| {
            let n = locale.number(unknown.line.accounts);
            locale.text_with("report-unknown", &[("n", &n)])
        }),
        agreed: recount.is_none_or(|recount| recount.differing == 0),
        recounted: recounted(recount, locale),
        files: FILES
            .map(|file| (file, locale.text(&format!("report-file-{}", file.replace('.', "-")))))
            .into(),
        layout: ctx.layout(),
        above,
        shown,
    }))
}

/// The data of the chart, escaped for use within a page.
fn chart(shown: &ReportView, locale: Locale) -> String {
    let chart = serde_json::json!({
        "officials": locale.text("report-audience-officials"),
        "citizens": locale.text("report-audience-citizens"),
        "sum": locale.text("report-sum"),
        "title": locale.text("report-chart"),
        "days": shown.days,
    });
    chart.to_string().replace('<', "\\u003c")
}

/// The unit itself, then the units below it that have staff.
async fn staff(snapshot: &Snapshot, unit: &UnitCode, locale: Locale) -> Result<Vec<StaffRow>> {
    let lines = snapshot.staff().await?;
    let below = snapshot.figures.below(unit).map(|below| below.line.unit.as_str());
    let rows = std::iter::once(unit.as_str()).chain(below).filter_map(|code| {
        let line = lines.iter().find(|line| line.unit == code && line.staff > 0)?;
        let counts = [line.staff, line.standardised, line.staff - line.standardised];
        Some(StaffRow {
            name: line.name.clone(),
            counts: counts.map(|n| locale.number(n)),
        })
    });
    Ok(rows.collect())
}

/// When the counters were last compared with the accounts, and the result.
fn recounted(recount: Option<LastRecount>, locale: Locale) -> String {
    let Some(LastRecount {
        at,
        differing,
        agreed_at,
    }) = recount
    else {
        return locale.text("report-recount-none");
    };
    let at = locale.instant(at);
    match agreed_at.map(|agreed| locale.instant(agreed)) {
        _ if differing == 0 => locale.text_with("report-recount-agreed", &[("at", &at)]),
        Some(agreed) => {
            let n = locale.number(differing);
            locale.text_with("report-recount-differs", &[("at", &at), ("n", &n), ("agreed", &agreed)])
        }
        None => {
            let n = locale.number(differing);
            locale.text_with("report-recount-never", &[("at", &at), ("n", &n)])
        }
    }
}
