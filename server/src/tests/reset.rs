//! Tests of the password reset: only for the owner of the phone on file; it reveals nothing and ends all sessions.

use crate::security::password::verify;
use crate::tests::{Site, TestResponse, fixtures};
use axum::http::StatusCode;
use ngomon_rules::records::AccountId;
use ngomon_store::Purpose;
use std::sync::atomic::Ordering;

const NEW: &str = "bốn từ ghép lại nhé";

async fn demo() -> Site {
    let tables = ["units", "registry", "citizens", "officials"];
    Site::of(tables.map(|table| (table, fixtures("demo").join(format!("{table}.csv"))))).await
}

impl Site {
    /// Requests a code for this name. Returns the cookie of the requesting browser.
    async fn forgot(&self, username: &str) -> String {
        let asked = self.post("/sign-in/reset", "", &[("username", username)]).await;
        assert_eq!(asked.goes_to(), "/sign-in/reset/sent");
        let cookie = asked.cookie();
        assert!(
            self.get("/sign-in/reset/sent", &cookie)
                .await
                .says("sign-in-reset-sent-lead")
        );
        cookie
    }

    /// Posts a new password from this page, in its own browser.
    async fn set(&self, page: &TestResponse, password: &str, again: &str) -> TestResponse {
        self.set_by(&page.cookie(), &page.ticket(), password, again).await
    }

    async fn set_by(&self, browser: &str, ticket: &str, password: &str, again: &str) -> TestResponse {
        let sent = [("ticket", ticket), ("password", password), ("again", again)];
        self.post("/sign-in/reset/password", browser, &sent).await
    }
}

/// The owner of the phone on file sets a new password, and all sessions end.
#[tokio::test(flavor = "multi_thread")]
async fn reset_by_phone_code_sets_password_and_ends_sessions() {
    let site = demo().await;
    let account = AccountId("CV001".into());
    let before = site.signed_in("CV001").await;
    let cookie = site.forgot("canbo001").await;
    let page = site
        .post("/sign-in/reset/sent", &cookie, &[("code", &site.code().await)])
        .await;
    assert!(page.says("reset-title") && !page.says("reset-devices"), "{}", page.text);
    let mut page = page;
    for (password, again, error) in [
        ("ngắn", "ngắn", "enrol-short"),
        ("Mật khẩu Hue-S 2023", "Mật khẩu Hue-S 2023", "password-ours"),
        ("THUA THIEN HUẾ !", "THUA THIEN HUẾ !", "password-ours"),
        ("!?,.;:()[]{}", "khác", "enrol-differs"),
        (NEW, "khác", "enrol-differs"),
    ] {
        let wrong = site.set(&page, password, again).await;
        assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.says(error));
        page = wrong;
    }
    assert!(
        site.store
            .session(before.split_once('=').unwrap().1)
            .await
            .unwrap()
            .is_some()
    );
    for (browser, ticket) in [("", page.ticket()), ("__Host-ngomon-code=another", page.ticket())] {
        let elsewhere = site.set_by(browser, &ticket, NEW, NEW).await;
        assert!(elsewhere.says("sign-in-again"), "a ticket is good in one browser");
    }
    let set = site.set(&page, NEW, NEW).await;
    assert_eq!(set.goes_to(), "/sign-in?why=reset");
    assert!(site.get(set.goes_to(), "").await.says("sign-in-why-reset"));
    assert!(
        site.store
            .session(before.split_once('=').unwrap().1)
            .await
            .unwrap()
            .is_none()
    );
    let kept = site.store.credentials("canbo001").await.unwrap();
    assert!(verify(NEW, kept[0].password_hash.as_deref().unwrap()));
    let old = [("username", "canbo001"), ("password", "Hue-CV001")];
    assert!(site.post("/sign-in", "", &old).await.says("sign-in-wrong"));
    let told = site.store.messages(1).await.unwrap();
    assert!(told[0].text.contains("vua duoc doi"), "the owner is told");
    let explanation = site
        .store
        .account_explanation(account.as_str(), site.store.today())
        .await
        .unwrap();
    assert!(explanation.history.iter().any(|entry| entry.by == "CV001"));

    let again = site.set(&page, "một mật khẩu khác", "một mật khẩu khác").await;
    assert!(again.says("sign-in-again"), "a ticket is good once");
    site.store.seal().await.unwrap();
    assert_eq!(site.store.verify(&mut |_| {}).await.unwrap().faults, []);
}

/// A code to a phone removes no passkey from its owner, and the message mentions a passkey that may be a stranger's.
#[tokio::test(flavor = "multi_thread")]
async fn passkeys_survive_reset_and_owner_is_notified() {
    let site = demo().await;
    let mut device = site.device("CV001").await;
    let cookie = site.forgot("canbo001").await;
    let page = site
        .post("/sign-in/reset/sent", &cookie, &[("code", &site.code().await)])
        .await;
    assert!(page.says("reset-devices"), "{}", page.text);
    let wrong = site.set(&page, "ngắn", "ngắn").await;
    assert!(wrong.says("enrol-short") && wrong.says("reset-devices"));
    let set = site.set(&wrong, NEW, NEW).await;
    let sign_in = set.goes_to();
    assert_eq!(sign_in, "/sign-in?why=reset-devices&to=%2Fpasskeys");
    assert!(site.get(sign_in, "").await.says("sign-in-why-reset-devices"));
    let told = site.store.messages(1).await.unwrap().remove(0).text;
    assert!(told.contains("May da them van dang nhap duoc"), "{told}");
    assert!(told.is_ascii() && told.len() <= 160);

    // The new password is a recent authentication: a stranger's passkey can be removed at once.
    assert_eq!(site.shows(&mut device).await.goes_to(), "/");
    let typed = [("username", "canbo001"), ("password", NEW)];
    let owner = site.post(sign_in, "", &typed).await.cookie();
    assert!(
        site.get("/", &owner).await.text.contains("0;url=/passkeys"),
        "led there"
    );
    let page = site.get("/passkeys", &owner).await;
    let id = page.text.split("name=\"passkey\" value=\"").nth(1).unwrap();
    let id = id.split('"').next().unwrap();
    let removed = site.post("/passkeys/remove", &owner, &[("passkey", id)]).await;
    assert_eq!(removed.goes_to(), "/passkeys?done=removed");
    assert!(site.shows(&mut device).await.says("passkey-wrong"));
    let told = site.store.messages(1).await.unwrap().remove(0).text;
    assert!(told.contains("vua go mot may") && told.is_ascii() && told.len() <= 160);
}

/// ASVS 6.2.5, 6.2.8 to 6.2.10: any characters, 64 and more of them, exactly as typed, without expiry.
#[tokio::test(flavor = "multi_thread")]
async fn password_kept_exactly_as_typed_without_expiry() {
    let site = demo().await;
    let cookie = site.forgot("canbo001").await;
    let page = site
        .post("/sign-in/reset/sent", &cookie, &[("code", &site.code().await)])
        .await;
    let typed = format!(" Sông Hương «chảy» 🐘 {} ", "qua".repeat(50));
    assert_eq!(site.set(&page, &typed, &typed).await.goes_to(), "/sign-in?why=reset");
    site.move_on(5 * 365 * 86_400);
    let enter = async |password: &str| {
        let sent = [("username", "canbo001"), ("password", password)];
        site.post("/sign-in", "", &sent).await
    };
    let cut: String = typed.chars().take(72).collect();
    for near in [typed.trim(), &typed.to_lowercase(), &typed.replace('ô', "o"), &cut] {
        assert!(enter(near).await.says("sign-in-wrong"), "{near}");
    }
    assert_eq!(enter(&typed).await.goes_to(), "/");
}

/// CVE-2026-18963: "reset flow without clicking the mail link". Every step needs the result of the previous one.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2026_18963_reset_step_cannot_be_skipped() {
    let site = demo().await;
    assert_eq!(site.get("/sign-in/reset/sent", "").await.goes_to(), "/sign-in/reset");
    let cookie = site.forgot("canbo001").await;
    for code in ["", "000000", "abc"] {
        let page = site.post("/sign-in/reset/sent", &cookie, &[("code", code)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    // A code for a reset cannot sign in, a code to sign in cannot set a password, and neither works in another browser.
    let code = site.code().await;
    let elsewhere = site.post("/sign-in/code/sent", &cookie, &[("code", &code)]).await;
    assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY);
    let other = site.forgot("canbo003").await;
    let page = site.post("/sign-in/reset/sent", &other, &[("code", &code)]).await;
    assert!(!page.says("reset-title"));
    assert!(site.store.try_code("none", Purpose::Reset, &code).await.is_ok());
    let page = site.post("/sign-in/reset/sent", &cookie, &[("code", &code)]).await;
    for bad in ["", "CV001.1.x"] {
        let set = site.set_by(&page.cookie(), bad, NEW, NEW).await;
        assert!(set.says("sign-in-again"), "{bad}");
    }
    site.clock.0.fetch_add(301 * 1_000_000, Ordering::SeqCst);
    assert!(site.set(&page, NEW, NEW).await.says("sign-in-again"), "too late");
}

/// A reset request reveals nothing about accounts, and operators cannot reset in this way.
#[tokio::test(flavor = "multi_thread")]
async fn reset_request_reveals_no_account_and_skips_operators() {
    let site = demo().await;
    let mut said = Vec::new();
    for name in ["canbo001", "nobody-at-all", "hues100"] {
        let asked = site.post("/sign-in/reset", "", &[("username", name)]).await;
        let page = site.get(asked.goes_to(), &asked.cookie()).await;
        said.push((asked.status, asked.goes_to().to_owned(), page.text));
    }
    assert!(
        said.iter().all(|one| *one == said[0]),
        "the same for a name with, without and of no account"
    );
    assert_eq!(site.store.messages(10).await.unwrap().len(), 1);
    site.store.add_operator("lan", "test").await.unwrap();
    site.forgot("lan").await;
    assert_eq!(site.store.messages(10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_password_is_refused() {
    let site = demo().await;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, NEW.as_bytes());
    let line: String = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    let file = site.dir.path().join("leaked.txt");
    std::fs::write(&file, format!("{line}:5\n")).unwrap();
    let site = site.knowing(&file);
    let cookie = site.forgot("canbo001").await;
    let page = site
        .post("/sign-in/reset/sent", &cookie, &[("code", &site.code().await)])
        .await;
    let page = site.set(&page, NEW, NEW).await;
    assert!(page.says("password-leaked"));
    assert_eq!(
        site.set(&page, "không nằm trong danh sách", "không nằm trong danh sách")
            .await
            .goes_to(),
        "/sign-in?why=reset"
    );
}
