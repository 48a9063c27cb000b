//! The tasks of HR: newcomers, whose accounts are made by one click, holds that are coming, retirements, accounts that nobody
//! uses, and deaths.

use crate::app::App;
use crate::desk::operator::Operator;
use crate::desk::url::address;
use crate::http::{Layout, html, path_encode};
use crate::i18n::Locale;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::event::ProfileId;
use ngomon_rules::officials::Task;
use ngomon_rules::unit::UnitTree;
use ngomon_store::HrTask;
use serde::Deserialize;

/// The number of tasks of one kind on a page.
const PAGE: usize = 50;
/// The results that this page can report.
const DONE: [&str; 2] = ["made", "none"];

#[derive(Template)]
#[template(path = "desk/hr.html")]
struct HrPage {
    layout: Layout,
    done: Option<String>,
    kinds: Vec<Kind>,
    /// Whether only one kind is shown.
    alone: bool,
}

/// The tasks of one kind.
struct Kind {
    title: String,
    id: &'static str,
    lines: Vec<TaskRow>,
    /// The addresses of the previous page and the next one.
    before: Option<String>,
    after: Option<String>,
}

struct TaskRow {
    name: String,
    code: String,
    unit: String,
    on: String,
    /// The address of the account's page, and its user name.
    account: Option<(String, String)>,
    /// The address that makes a newcomer's account.
    make: Option<String>,
}

/// What was just done, or a page of one kind.
#[derive(Deserialize)]
pub struct HrQuery {
    #[serde(default)]
    done: String,
    kind: Option<String>,
    #[serde(default)]
    page: String,
}

/// Lists all tasks by kind: the first ones of each, or a page of one kind.
pub async fn list(State(app): State<App>, operator: Operator, Query(asked): Query<HrQuery>) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let units = app.store.units().await?;
            let current = app.report_cache.current().await?;
            let tasks = current.hr_tasks().await?;
            let kinds = tasks.chunk_by(|a, b| a.task == b.task);
            // A kind without tasks shows all of them.
            let wanted = asked
                .kind
                .as_deref()
                .filter(|name| tasks.iter().any(|one| one.task.name() == *name));
            let kinds = kinds.filter(|tasks| wanted.is_none_or(|name| tasks.iter().any(|one| one.task.name() == name)));
            let at = wanted.map_or(0, |_| asked.page.parse().unwrap_or_default());
            let done = DONE.contains(&&*asked.done);
            let page = HrPage {
                done: done.then(|| locale.text(&format!("desk-hr-{}", asked.done))),
                kinds: kinds.map(|tasks| kind(tasks, at, &units, locale)).collect(),
                alone: wanted.is_some(),
                layout: operator.layout("/desk/hr"),
            };
            Ok(html(StatusCode::OK, &page))
        })
        .await
}

/// Page `at`, from 0, of the tasks of one kind.
fn kind(tasks: &[HrTask], at: usize, units: &UnitTree, locale: Locale) -> Kind {
    let n = locale.number(tasks.len() as u64);
    let task = tasks.first().map_or(Task::Newcomer, |first| first.task);
    let title = match task {
        Task::Coming(reason) => {
            let hold = locale.text(&format!("hold-{reason}"));
            locale.text_with("task-coming", &[("hold", &hold), ("n", &n)])
        }
        _ => locale.text_with(&format!("task-{}", task.name()), &[("n", &n)]),
    };
    let at = at.min(tasks.len().saturating_sub(1) / PAGE);
    let place = |at: usize| format!("/desk/hr?kind={}&page={at}", task.name());
    let shown = tasks.iter().skip(at * PAGE).take(PAGE);
    Kind {
        title,
        id: task.name(),
        lines: shown.map(|task| line(task, units, locale)).collect(),
        before: at.checked_sub(1).map(place),
        after: (tasks.len() > (at + 1) * PAGE).then(|| place(at + 1)),
    }
}

fn line(task: &HrTask, units: &UnitTree, locale: Locale) -> TaskRow {
    let unit = units.get(&task.unit).map(|unit| unit.name.clone());
    let profile = task.profile.as_ref().filter(|_| task.task == Task::Newcomer);
    TaskRow {
        name: task
            .full_name
            .as_ref()
            .map(|name| name.as_str().to_owned())
            .unwrap_or_default(),
        code: task.employee_code.clone().unwrap_or_default(),
        unit: unit.unwrap_or_else(|| task.unit.to_string()),
        on: task.on.map(|day| locale.day(day)).unwrap_or_default(),
        account: task.account.as_ref().map(|account| {
            let name = task.username.clone().unwrap_or_else(|| account.to_string());
            (address(account), name)
        }),
        make: profile.map(|profile| format!("/desk/hr/{}", path_encode(&profile.0))),
    }
}

/// Makes the newcomer's account.
pub async fn make(State(app): State<App>, operator: Operator, Path(profile): Path<String>) -> Response {
    operator
        .answer(async {
            let made = app.store.make_newcomer(&operator.permit, &ProfileId(profile)).await?;
            let done = if made.is_some() { "made" } else { "none" };
            Ok(Redirect::to(&format!("/desk/hr?done={done}")).into_response())
        })
        .await
}
