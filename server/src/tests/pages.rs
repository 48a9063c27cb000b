//! Tests of what all pages have in common.

use crate::tests::{Site, TestResponse, demo_rows, two_accounts_of_one_number};
use axum::http::StatusCode;

/// The attributes of each input of a page.
fn fields(page: &TestResponse) -> Vec<&str> {
    let inputs = page.text.split("<input ").skip(1);
    inputs.filter_map(|rest| rest.split('>').next()).collect()
}

/// Pages have an icon for browser tabs and a description for search engines.
#[tokio::test(flavor = "multi_thread")]
async fn pages_have_icon_and_description() {
    let site = Site::bare().await;
    let page = site.get("/sign-in", "").await;
    assert!(page.says("page-description"), "{}", page.text);
    let icon = page
        .text
        .split("rel=\"icon\" type=\"image/svg+xml\" href=\"")
        .nth(1)
        .unwrap();
    let icon = site.get(icon.split('"').next().unwrap(), "").await;
    assert!(icon.status == StatusCode::OK && icon.headers["content-type"] == "image/svg+xml");
    assert!(icon.text.contains("<svg"));
    // An expired link is no mistake of the visitor's.
    let over = site.get("/enrol/gone", "").await;
    assert!(over.says("enrol-over-title") && over.says("page-first") && !over.says("page-wrong"));
}

/// A button reveals a password. It exists only with scripts; without them the password stays hidden.
#[tokio::test(flavor = "multi_thread")]
async fn password_toggle_exists_only_with_scripts() {
    let (site, held) = two_accounts_of_one_number().await;
    for (path, cookie) in [("/sign-in", ""), ("/held/join", &*held), ("/sign-in/new-password", "")] {
        let page = site.get(path, cookie).await;
        let buttons = page.text.split("<button ").skip(1);
        let toggles: Vec<&str> = buttons.filter(|rest| rest.contains("password-input-toggle")).collect();
        assert!(!toggles.is_empty(), "{path}: {}", page.text);
        for toggle in toggles {
            let tag = toggle.split('>').next().unwrap();
            assert!(
                tag.ends_with(" hidden") && tag.contains("type=\"button\""),
                "{path}: {tag}"
            );
        }
        assert!(page.says("password-hide-label") && page.says("password-shown"));
    }
}

/// The user names go to the phone, and the page gives the same answer, no matter whose phone it is.
#[tokio::test(flavor = "multi_thread")]
async fn forgotten_user_name_sent_to_phone_on_file() {
    let site = Site::demo().await;
    let people = demo_rows("citizens.csv");
    let owner = people
        .iter()
        .find(|row| !row["phone"].is_empty() && !row["username"].is_empty())
        .unwrap();
    let sign_in = site.get("/sign-in", "").await;
    assert!(sign_in.text.contains("/sign-in/user-name"), "{}", sign_in.text);
    let ask = async |phone: &str| site.post("/sign-in/user-name", "", &[("phone", phone)]).await;
    assert!(ask("12").await.says("form-bad-phone"));
    let nobody = ask("0911 999 999").await;
    assert!(nobody.says("username-sent") && site.store.messages(9).await.unwrap().is_empty());
    let told = ask(&owner["phone"]).await;
    assert_eq!(told.text, nobody.text, "it tells nobody whether there is such a phone");
    let sent = site.store.messages(9).await.unwrap();
    assert!(sent.len() == 1 && sent[0].text.contains(&owner["username"]), "{sent:?}");
    assert!(sent[0].text.is_ascii() && sent[0].text.len() <= 160, "{sent:?}");
    for _ in 0..4 {
        assert!(ask(&owner["phone"]).await.says("username-sent"));
    }
    assert_eq!(site.store.messages(9).await.unwrap().len(), 3, "three a day");
}

/// An operator edits the list of counters, and every page links to it.
#[tokio::test(flavor = "multi_thread")]
async fn operator_edits_public_counter_list() {
    let site = Site::bare().await;
    let an = site.operator("an").await;
    let empty = site.get("/counters", "").await;
    assert!(
        empty.says("counters-none") && !empty.text.contains("<dl"),
        "{}",
        empty.text
    );
    assert!(site.get("/desk", &an).await.text.contains("\"/desk/counters\""));
    let list = "Trung tâm A; 1 Lê Lợi, phường B; 7:30 đến 17:00; 0234 3 123 456\nXã C; thôn <b>D; sáng thứ Bảy";
    let wrong = site.post("/desk/counters", &an, &[("counters", "A; B; C\nD")]).await;
    assert!(
        wrong.text.contains("Dòng 2 chưa đúng") && wrong.text.contains("A; B; C"),
        "{}",
        wrong.text
    );
    let saved = site.post("/desk/counters", &an, &[("counters", list)]).await;
    assert!(site.get(saved.goes_to(), &an).await.says("counters-saved"));
    let page = site.get("/counters", "").await;
    assert!(
        page.text.contains("href=\"tel:02343123456\"") && page.text.contains("1 Lê Lợi, phường B"),
        "{}",
        page.text
    );
    assert!(
        page.text.contains("sáng thứ Bảy") && !page.text.contains("<b>D"),
        "{}",
        page.text
    );
    for path in ["/sign-in", "/receipt", "/privacy", "/no-such-page"] {
        let page = site.get(path, "").await;
        for link in ["tel:19001075", "/counters", "/receipt", "/privacy"] {
            assert!(page.text.contains(&format!("href=\"{link}\"")), "{path}: {link}");
        }
    }
    assert!(site.get("/privacy", "").await.says("privacy-text"));
    assert!(
        site.post("/desk/counters", "", &[("counters", "")])
            .await
            .says("missing-title")
    );
    site.sound().await;
}

/// ASVS 6.2.6, 6.2.7: passwords are hidden, password managers may fill them in, and no script of a page intercepts them.
#[tokio::test(flavor = "multi_thread")]
async fn password_fields_hidden_and_filled_by_managers() {
    let (site, held) = two_accounts_of_one_number().await;
    let (enrol, _) = site.link("lan").await;
    let asked = site.post("/sign-in/reset", "", &[("username", "hues006")]).await;
    let code = [("code", &*site.code().await)];
    let reset = site.post(asked.goes_to(), &asked.cookie(), &code).await;
    for (page, which, how_many) in [
        (site.get("/sign-in", "").await, "current-password", 1),
        (site.get("/held/join", &held).await, "current-password", 1),
        (reset, "new-password", 2),
        (site.get(&enrol, "").await, "new-password", 2),
    ] {
        let secret = |field: &&&str| field.contains("name=\"password\"") || field.contains("name=\"again\"");
        let all = fields(&page);
        let secrets: Vec<_> = all.iter().filter(secret).collect();
        assert_eq!(secrets.len(), how_many, "{}", page.text);
        for field in secrets {
            assert!(field.contains("type=\"password\""), "{field}");
            assert!(field.contains(&format!("autocomplete=\"{which}\"")), "{field}");
        }
        assert!(!page.text.contains("onpaste"));
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("script-src 'self'") && !policy.contains("unsafe"),
            "{policy}"
        );
    }
}

/// ASVS 7.4.4, for all but operators: their pages are covered by `access` in the desk's tests.
#[tokio::test(flavor = "multi_thread")]
async fn sign_out_button_on_every_page_of_session() {
    let (site, held) = two_accounts_of_one_number().await;
    let demo = Site::sample().await;
    let citizen = site.signed_in("HS006").await;
    let official = demo.signed_in(&super::rows("officials.csv")[0]["account_id"]).await;
    for (site, cookie, paths) in [
        (
            &site,
            &held,
            ["/held", "/held/join", "/held/join/code", "/form"].as_slice(),
        ),
        (
            &site,
            &citizen,
            &["/form", "/form/exempt", "/no-such-page", "/end-session"],
        ),
        (&demo, &official, &["/", "/profile", "/passkeys", "/report", "/sandbox"]),
    ] {
        for path in paths {
            let page = site.get(path, cookie).await;
            assert!(
                [StatusCode::OK, StatusCode::NOT_FOUND].contains(&page.status),
                "{path}: {}",
                page.status
            );
            assert!(page.text.contains("action=\"/sign-out\""), "{path}");
        }
    }
    assert!(!site.get("/sign-in", "").await.text.contains("action=\"/sign-out\""));
}
