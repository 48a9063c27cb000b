//! Tests of HR's tasks: a newcomer gets an account by one click.

use crate::web::tests::{Site, fixtures};
use axum::http::StatusCode;
use ngomon_rules::officials::Task;

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_gets_an_account_by_one_click() {
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
