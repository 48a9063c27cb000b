//! Tests of HR's tasks: a newcomer gets an account by one click.

use crate::tests::{Site, fixtures};
use axum::http::StatusCode;
use ngomon_rules::officials::Task;

/// One click creates the account of a newcomer, once.
#[tokio::test(flavor = "multi_thread")]
async fn newcomer_task_creates_account_once() {
    let tables = ["units", "officials", "profiles"];
    let site = Site::of(tables.map(|table| (table, fixtures("sample").join(format!("{table}.csv"))))).await;
    let cookie = site.operator("an").await;
    let newcomers = async || {
        let tasks = site.store.hr_tasks(None, site.store.today()).await.unwrap();
        tasks
            .into_iter()
            .filter(|task| task.task == Task::Newcomer)
            .collect::<Vec<_>>()
    };
    let before = newcomers().await;
    let profile = before[0].profile.clone().unwrap().0;
    let button = format!("action=\"/desk/hr/{profile}\"");
    let page = site.get("/desk/hr", &cookie).await;
    assert!(
        page.status == StatusCode::OK && page.text.contains(&button),
        "{}",
        page.text
    );
    assert!(site.get("/desk", &cookie).await.text.contains("href=\"/desk/hr\""));

    let made = site.post(&format!("/desk/hr/{profile}"), &cookie, &[]).await;
    assert_eq!(made.goes_to(), "/desk/hr?done=made");
    let page = site.get(made.goes_to(), &cookie).await;
    assert!(page.says("desk-hr-made") && !page.text.contains(&button));
    assert_eq!(newcomers().await, before[1..]);

    let again = site.post(&format!("/desk/hr/{profile}"), &cookie, &[]).await;
    assert_eq!(again.goes_to(), "/desk/hr?done=none");
    let english = site.get(again.goes_to(), &format!("{cookie}; language=en")).await;
    assert!(english.text.contains("No account was made") && !english.text.contains(">desk-hr"));
    site.sound().await;
}

/// People are named by what they sign in with, and a long list is read page by page.
#[tokio::test(flavor = "multi_thread")]
async fn hr_tasks_list_user_names_page_by_page() {
    let tables = ["units", "officials", "profiles"];
    let site = Site::of(tables.map(|table| (table, fixtures("sample").join(format!("{table}.csv"))))).await;
    // A year in which nobody signs in: every account is a task.
    site.move_on(400 * 86_400);
    let cookie = site.operator("an").await;
    let tasks = site.store.hr_tasks(None, site.store.today()).await.unwrap();
    let unused: Vec<_> = tasks.into_iter().filter(|task| task.task == Task::NoSignIn).collect();
    assert!(unused.len() > 50, "{}", unused.len());
    let (mut place, mut seen) = ("/desk/hr?kind=no-sign-in".to_owned(), Vec::new());
    loop {
        let page = site.get(&place, &cookie).await;
        assert!(page.status == StatusCode::OK && page.says("desk-hr-all"));
        assert_eq!(page.says("desk-hr-before"), !seen.is_empty());
        let links = page.text.split("href=\"/desk/account/").skip(1);
        seen.extend(links.map(|rest| rest.split(['>', '<']).nth(1).unwrap().to_owned()));
        let next = page
            .text
            .split("href=\"")
            .find(|rest| rest.contains("rel=\"next\"") && rest.starts_with("/desk/hr?"));
        let Some(next) = next else { break };
        place = next.split('"').next().unwrap().replace("&#38;", "&");
    }
    let names: Vec<String> = unused.iter().map(|task| task.username.clone().unwrap()).collect();
    assert_eq!(seen, names, "each once, by user name");
    let all = site.get("/desk/hr", &cookie).await;
    assert!(all.text.contains("rel=\"next\"") && all.text.contains(&names[0]));
}
