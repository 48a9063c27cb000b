//! The tasks of HR: newcomers, whose accounts are made by one click, holds that are coming, retirements, accounts that nobody
//! uses, and deaths.

use super::{Operator, address};
use crate::output::Locale;
use crate::web::App;
use crate::web::page::{Layout, html};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::event::ProfileId;
use ngomon_rules::officials::Task;
use ngomon_rules::unit::UnitTree;
use ngomon_store::HrTask;
use serde::Deserialize;

/// The most tasks of one kind on the page; the command `ngomon tasks` lists all.
const MOST: usize = 200;
/// The results that this page can report.
const DONE: [&str; 2] = ["made", "none"];

#[derive(Template)]
#[template(path = "desk/hr.html")]
struct HrPage {
    shell: Layout,
    done: Option<String>,
    kinds: Vec<Kind>,
}

/// The tasks of one kind.
struct Kind {
    title: String,
    id: &'static str,
    /// The note that there are more tasks than the page shows.
    more: Option<String>,
    lines: Vec<TaskRow>,
}

struct TaskRow {
    name: String,
    code: String,
    unit: String,
    on: String,
    /// The account's id and the address of its page.
    account: Option<(String, String)>,
    /// The address that makes a newcomer's account.
    make: Option<String>,
}

/// What was just done.
#[derive(Deserialize)]
pub struct NoticeQuery {
    #[serde(default)]
    done: String,
}

/// Lists all tasks, by kind.
pub async fn list(State(app): State<App>, operator: Operator, Query(just): Query<NoticeQuery>) -> Response {
    let words = operator.ctx.words;
    operator
        .answer(async {
            let units = app.store.units().await?;
            let tasks = app.store.hr_tasks(None, app.store.today()).await?;
            let kinds = tasks.chunk_by(|a, b| a.task == b.task);
            let done = DONE.contains(&&*just.done);
            let page = HrPage {
                done: done.then(|| words.text(&format!("desk-hr-{}", just.done))),
                kinds: kinds.map(|tasks| kind(tasks, &units, words)).collect(),
                shell: operator.shell("/desk/hr"),
            };
            Ok(html(StatusCode::OK, &page))
        })
        .await
}

fn kind(tasks: &[HrTask], units: &UnitTree, words: Locale) -> Kind {
    let n = words.number(tasks.len() as u64);
    let task = tasks.first().map_or(Task::Newcomer, |first| first.task);
    let title = match task {
        Task::Coming(reason) => {
            let hold = words.text(&format!("hold-{reason}"));
            words.text_with("task-coming", &[("hold", &hold), ("n", &n)])
        }
        _ => words.text_with(&format!("task-{}", task.name()), &[("n", &n)]),
    };
    let most = words.number(MOST as u64);
    Kind {
        title,
        id: task.name(),
        more: (tasks.len() > MOST).then(|| words.text_with("desk-hr-more", &[("n", &most)])),
        lines: tasks.iter().take(MOST).map(|task| line(task, units, words)).collect(),
    }
}

fn line(task: &HrTask, units: &UnitTree, words: Locale) -> TaskRow {
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
        on: task.on.map(|day| words.day(day)).unwrap_or_default(),
        account: task
            .account
            .as_ref()
            .map(|account| (address(account), account.to_string())),
        make: profile.map(|profile| format!("/desk/hr/{}", super::path_encode(&profile.0))),
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
