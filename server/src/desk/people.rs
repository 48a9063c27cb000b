//! The people behind a figure of the report: the accounts of a unit in one state, each with a link to its page.

use crate::app::App;
use crate::desk::operator::Operator;
use crate::desk::url::address;
use crate::export::Table;
use crate::http::{Layout, html, path_encode};
use crate::i18n::Locale;
use crate::report::download::{CSV, XLSX, attachment, failed, named};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ngomon_rules::citizens::ReportStatus;
use ngomon_rules::unit::UnitCode;
use ngomon_store::{PersonRow, Refusal, Result};
use serde::Deserialize;

/// Accounts on one page.
const PAGE: u32 = 50;
/// The most accounts in one file. For more, take the units below.
const MOST: u32 = 20_000;
/// The file names that can be downloaded.
const FILES: [&str; 2] = ["people.xlsx", "people.csv"];

#[derive(Template)]
#[template(path = "desk/people.html")]
struct PeoplePage {
    layout: Layout,
    title: String,
    all: String,
    /// The address of the unit's report.
    report: String,
    people: Vec<PersonLine>,
    states: Vec<(String, String, bool)>,
    next: Option<String>,
    first: Option<String>,
    files: Vec<(String, String)>,
}

struct PersonLine {
    href: String,
    account: String,
    name: String,
    unit: String,
    phone: String,
}

/// The account after which the page begins.
#[derive(Deserialize)]
pub struct CursorQuery {
    after: Option<String>,
}

/// The address of the list of a unit's people in this state.
fn here(unit: &UnitCode, standing: ReportStatus) -> String {
    format!("/desk/people/{}/{}", path_encode(unit.as_str()), standing.name())
}

/// The unit in force today that succeeds the requested one, its name, and the state.
async fn asked(app: &App, unit: String, state: &str) -> Result<(UnitCode, String, ReportStatus)> {
    let tree = app.store.units().await?;
    let unit = tree.follow(&UnitCode(unit), app.store.today()).clone();
    let name = tree.get(&unit).map(|unit| unit.name.clone());
    let (name, standing) = name
        .zip(ReportStatus::parse(state))
        .ok_or_else(|| Refusal::UnknownUnit(unit.to_string()))?;
    Ok((unit, name, standing))
}

/// Shows one page of the list.
pub async fn show(
    State(app): State<App>,
    operator: Operator,
    Path((unit, state)): Path<(String, String)>,
    Query(CursorQuery { after }): Query<CursorQuery>,
) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let (unit, name, standing) = asked(&app, unit, &state).await?;
            let (here, today) = (here(&unit, standing), app.store.today());
            let listing = app
                .store
                .people(&operator.permit, &unit, standing, today, after.as_deref(), PAGE)
                .await?;
            let states = ReportStatus::ALL.map(|one| (self::here(&unit, one), state_of(one, locale), one == standing));
            let files = FILES.map(|file| {
                let label = locale.text(&format!("desk-{}", file.replace('.', "-")));
                (format!("{here}/{file}"), label)
            });
            let page = PeoplePage {
                title: format!("{}: {name}", state_of(standing, locale)),
                all: locale.text_with("desk-people-all", &[("n", &locale.number(listing.all))]),
                report: format!("/report/{}", path_encode(unit.as_str())),
                people: listing.people.iter().map(|one| line(one, locale)).collect(),
                states: states.into(),
                next: listing.next.map(|next| format!("{here}?after={next}")),
                first: after.map(|_| here.clone()),
                files: if listing.all <= u64::from(MOST) {
                    files.into()
                } else {
                    Vec::new()
                },
                layout: operator.layout(&here),
            };
            Ok(html(StatusCode::OK, &page))
        })
        .await
}

fn state_of(standing: ReportStatus, locale: Locale) -> String {
    locale.text(&format!("column-{}", standing.name()))
}

fn name_of(one: &PersonRow) -> &str {
    one.full_name.as_ref().map_or("", |name| name.as_str())
}

fn line(one: &PersonRow, locale: Locale) -> PersonLine {
    let unknown = || locale.text("join-unknown");
    PersonLine {
        href: address(&one.account),
        account: one.account.to_string(),
        name: Some(name_of(one))
            .filter(|name| !name.is_empty())
            .map_or_else(unknown, str::to_owned),
        unit: one.unit_name.clone(),
        phone: one.phone.clone().unwrap_or_else(unknown),
    }
}

/// Downloads the whole list as a file.
pub async fn file(
    State(app): State<App>,
    operator: Operator,
    Path((unit, state, file)): Path<(String, String, String)>,
) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let (unit, name, standing) = asked(&app, unit, &state).await?;
            let today = app.store.today();
            let listing = app
                .store
                .people(&operator.permit, &unit, standing, today, None, MOST)
                .await?;
            if listing.next.is_some() || !FILES.contains(&&*file) {
                return Ok(StatusCode::NOT_FOUND.into_response());
            }
            let mut table = Table::new(&["account_id", "owner", "unit", "name", "owner_phone"]);
            for one in &listing.people {
                let phone = one.phone.clone().unwrap_or_default();
                let cells = [
                    one.account.as_str(),
                    name_of(one),
                    one.unit.as_str(),
                    &one.unit_name,
                    &phone,
                ];
                table.push(cells.map(str::to_owned));
            }
            let kept_as = named(&file.replace('.', &format!("-{}.", standing.name())), &unit, today);
            Ok(written(
                &table,
                &kept_as,
                &format!("{}: {name}", state_of(standing, locale)),
                locale,
            ))
        })
        .await
}

fn written(table: &Table, file: &str, title: &str, locale: Locale) -> Response {
    let kind = std::path::Path::new(file).extension();
    if kind.is_some_and(|kind| kind == "xlsx") {
        return match table.xlsx(title, locale) {
            Ok(bytes) => attachment(XLSX, file, bytes),
            Err(error) => failed(file, error),
        };
    }
    let mut bytes = Vec::new();
    match table.csv_in_words(locale, &mut bytes) {
        Ok(()) => attachment(CSV, file, bytes),
        Err(error) => failed(file, error),
    }
}
