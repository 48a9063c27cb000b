//! What all pages have.

use super::{Answered, Site, two_accounts_of_one_number};
use axum::http::StatusCode;

/// The fields of a page, as they are written.
fn fields(page: &Answered) -> Vec<&str> {
    let inputs = page.text.split("<input ").skip(1);
    inputs.filter_map(|rest| rest.split('>').next()).collect()
}

/// ASVS 6.2.6, 6.2.7: what is typed is not seen, and a password manager may fill it in; no script of a page hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_hidden_and_may_be_filled_in() {
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

/// ASVS 7.4.4, for everybody but operators, whose pages desk `access` goes through.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_can_sign_out_on_every_page() {
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
