//! Tests of the way out of `idle`: the owner of an official's unused account opens it by a one-time code.

use crate::tests::{Site, fixtures};
use axum::http::{StatusCode, header};
use std::sync::atomic::Ordering;

/// An official of the demo who last used the account in May, and whose password is `Hue-CV017`.
const IDLE: &str = "CV017";

async fn site() -> Site {
    let files = ["units", "registry", "profiles", "notices", "officials"];
    let site = Site::of(files.map(|table| (table, fixtures("demo").join(format!("{table}.csv"))))).await;
    site.store.set_policy("idle-days", "45", "op").await.unwrap();
    let run = site.store.reconcile(site.store.today(), "op").await.unwrap();
    site.store.approve_run(&run.run.unwrap(), "op").await.ok();
    site
}

async fn signs_in(site: &Site, account: &str) -> String {
    let (username, password) = (account.replace("CV", "canbo"), format!("Hue-{account}"));
    let typed = [("username", &*username), ("password", &*password)];
    site.post("/sign-in", "", &typed).await.cookie()
}

/// A one-time code opens an account that was held as `idle`.
#[tokio::test(flavor = "multi_thread")]
async fn idle_hold_lifted_by_one_time_code() {
    let site = site().await;
    let cookie = signs_in(&site, IDLE).await;
    let page = site.get("/held", &cookie).await;
    assert!(
        page.says("hold-idle") && page.text.contains("/held/code/send"),
        "{}",
        page.text
    );
    assert_eq!(site.post("/held/code/send", &cookie, &[]).await.goes_to(), "/held/code");
    let asks = site.get("/held/code", &cookie).await;
    assert!(asks.says("form-code-title"));
    let message = &site.store.messages(1).await.unwrap()[0];
    assert!(!asks.text.contains(&message.to), "the number is masked");

    let wrong = if site.code().await == "000000" {
        "000001"
    } else {
        "000000"
    };
    let refused = site.post("/held/code", &cookie, &[("code", wrong)]).await;
    assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY && refused.says("code-wrong"));
    // The code is of no use in another owner's browser, nor for another purpose.
    let other = signs_in(&site, "CV018").await;
    let code = site.code().await;
    assert!(
        site.post("/held/code", &other, &[("code", &code)])
            .await
            .says("code-over")
    );
    assert!(
        site.post("/held/join/code", &cookie, &[("code", &code)])
            .await
            .status
            .is_redirection()
    );

    assert_eq!(
        site.post("/held/code", &cookie, &[("code", &code)]).await.goes_to(),
        "/held"
    );
    assert!(site.get("/held", &cookie).await.says("held-opened"));
    assert_eq!(
        site.post("/held/code", &cookie, &[("code", &code)]).await.goes_to(),
        "/held"
    );
    let again = signs_in(&site, IDLE).await;
    assert!(site.get("/", &again).await.says("home-open"));
    site.store.reconcile(site.store.today(), "op").await.unwrap();
    assert_eq!(
        site.get("/", &again).await.status,
        StatusCode::OK,
        "the next run leaves it open"
    );
    assert_eq!(site.store.verify(&mut |_| {}).await.unwrap().faults, []);
}

/// Codes are limited, and sent only for accounts held as `idle`.
#[tokio::test(flavor = "multi_thread")]
async fn idle_codes_are_limited_and_only_for_idle_accounts() {
    let site = site().await;
    let cookie = signs_in(&site, IDLE).await;
    let before = site.store.messages(99).await.unwrap().len();
    for _ in 0..9 {
        assert_eq!(site.post("/held/code/send", &cookie, &[]).await.goes_to(), "/held/code");
    }
    assert_eq!(
        site.store.messages(99).await.unwrap().len(),
        before + 1,
        "the same while it is live"
    );
    site.clock.0.fetch_add(300_000_001, Ordering::SeqCst);
    let late = site.post("/held/code", &cookie, &[("code", &site.code().await)]).await;
    assert!(late.says("code-over"));

    // New codes are limited to five per hour.
    let mut new = 1;
    loop {
        let again = signs_in(&site, IDLE).await;
        let asked = site.post("/held/code/send", &again, &[]).await;
        if asked.says("code-too-often") {
            break;
        }
        new += 1;
        assert!(new <= 6, "the sixth may be of the next hour");
        site.clock.0.fetch_add(301_000_000, Ordering::SeqCst);
    }
    assert!(new >= 5);
    let sent = site.store.messages(99).await.unwrap().len();
    let moved = signs_in(&site, "CV007").await;
    let open = signs_in(&site, "CV001").await;
    for cookie in [moved, open, String::new()] {
        for path in ["/held/code", "/held/code/send"] {
            let answer = site.post(path, &cookie, &[("code", "000000")]).await;
            assert_eq!(answer.headers[header::LOCATION], "/held");
        }
    }
    assert_eq!(site.store.messages(99).await.unwrap().len(), sent);
}
