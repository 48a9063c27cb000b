//! Tests of the replacement of a lost password or phone at the counter; replacing both takes two operators.

use crate::tests::{Site, fixtures};
use axum::http::StatusCode;

const NEW: &str = "bốn từ ghép lại nhé";

/// A counter issues a code for a new password and changes a phone; both for one owner take two operators.
#[tokio::test(flavor = "multi_thread")]
async fn counter_issues_password_code_and_changes_phone() {
    let tables = ["units", "registry", "citizens", "officials"];
    let site = Site::of(tables.map(|table| (table, fixtures("demo").join(format!("{table}.csv"))))).await;
    let (an, binh) = (site.operator("an").await, site.operator("binh").await);
    let desk = "/desk/account/HS001";
    let page = site.get(desk, &an).await;
    assert!(
        page.text.contains("/HS001/password") && page.text.contains("/HS001/phone"),
        "{}",
        page.text
    );
    assert!(
        !site
            .get("/desk/account/operator:binh", &an)
            .await
            .text
            .contains("/password\"")
    );
    let without = site.post(&format!("{desk}/password"), &an, &[("reason", "quên")]).await;
    assert!(without.status == StatusCode::UNPROCESSABLE_ENTITY && without.says("desk-no-papers"));
    let seen = [("papers", "id-card"), ("reason", "quên mật khẩu")];
    let told = site.post(&format!("{desk}/password"), &an, &seen).await;
    assert!(
        told.says("desk-password-code-title") && told.text.contains("hues001"),
        "{}",
        told.text
    );
    let code = told.text.split("receipt__code\">").nth(1).unwrap();
    let code = code.split('<').next().unwrap().to_owned();

    let page = "/sign-in/new-password";
    assert!(site.get("/sign-in/reset", "").await.text.contains(page));
    let set = async |code: &str, password: &str| {
        site.post(page, "", &[("code", code), ("password", password), ("again", password)])
            .await
    };
    let wrong = set("ABCD-EFGH-JKMN", NEW).await;
    assert!(wrong.says("new-password-code-over") && wrong.status == StatusCode::UNPROCESSABLE_ENTITY);
    assert!(set(&code, "ngắn").await.says("enrol-short"));
    assert_eq!(set(&code.to_lowercase(), NEW).await.goes_to(), "/sign-in?why=reset");
    assert!(set(&code, NEW).await.says("new-password-code-over"), "good once");
    let entered = site
        .post("/sign-in", "", &[("username", "hues001"), ("password", NEW)])
        .await;
    assert!(entered.signs_in());

    // The phone, within 30 days of the code: a second operator must approve.
    let phone = [("papers", "id-card"), ("reason", "mất sim"), ("phone", "0912 000 111")];
    let phones = format!("{desk}/phone");
    let bad = site.post(
        &phones,
        &an,
        &[("phone", "113"), ("reason", "x"), ("papers", "id-card")],
    );
    assert!(bad.await.says("propose-bad-phone"));
    let asked = site.post(&format!("{desk}/phone"), &an, &phone).await;
    let place = asked.goes_to().split('?').next().unwrap().to_owned();
    let read = site.get(&place, &binh).await;
    assert!(read.says("desk-act-phone") && read.says("paper-id-card") && !read.text.contains("0912000111"));
    let name = "Hồ Đình Cường";
    assert!(
        !read.text.contains(name),
        "the second operator reads no whole name: {}",
        read.text
    );
    let done = site.post(&format!("{place}/approve"), &binh, &[]).await;
    assert!(site.get(done.goes_to(), &binh).await.says("desk-done-act-approved"));
    assert!(site.get(desk, &an).await.says("event-phone-changed"));

    // Only the phone, for another owner: one operator is enough, and for 30 days a code to it cannot reset the password.
    let done = site.post("/desk/account/HS002/phone", &an, &phone).await;
    assert!(site.get(done.goes_to(), &an).await.says("desk-done-phone"));
    let sent = async || site.store.messages(99).await.unwrap().len();
    let before = sent().await;
    let ask = async || site.post("/sign-in/reset", "", &[("username", "hues002")]).await;
    assert_eq!(ask().await.goes_to(), "/sign-in/reset/sent");
    assert_eq!(sent().await, before, "no code");
    site.move_on(30 * 86_400 + 3_600);
    assert_eq!(ask().await.goes_to(), "/sign-in/reset/sent");
    assert_eq!(sent().await, before + 1);
    assert_eq!(site.store.messages(1).await.unwrap()[0].to, "+84912000111");
    site.sound().await;
}
