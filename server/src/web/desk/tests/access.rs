//! Who is let in: by two factors, once each, and nobody else.

use super::PASSWORD;
use crate::web::tests::{Answered, Site, rows, vietnamese};
use axum::http::{Method, StatusCode, header};
use ngomon_rules::record::AccountId;
use ngomon_store::Order;

/// Every address of the desk, from the source itself.
fn addresses(account: &str) -> Vec<String> {
    let source = include_str!("../mod.rs");
    let found = source
        .split(".route(")
        .skip(1)
        .filter_map(|rest| rest.split('"').nth(1));
    let filled = |path: &str| {
        let path = path.replace("{id}", account).replace("{receipt}", "DH-7K3M-42QX");
        path.replace("{unit}", "46")
            .replace("{state}", "held")
            .replace("{file}", "people.csv")
    };
    found.map(filled).collect()
}

/// "A citizen or official gets the not-found page on every route", and so do strangers, held accounts and held operators, whatever the
/// method: nothing tells that there is a desk.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_operator_finds_no_desk() {
    let site = Site::sample().await;
    let (citizen, official) = (
        &rows("citizens.csv")[0]["account_id"],
        &rows("officials.csv")[0]["account_id"],
    );
    let operator = site.operator("an").await;
    let binh = site.operator("binh").await;
    let permit = site.visit(&operator).await.unwrap().operator().unwrap();
    let order = Order {
        ordered_by: "Sở".into(),
        document: "1".into(),
        text: "x".into(),
        last_day: None,
    };
    let held = AccountId(rows("citizens.csv")[1]["account_id"].clone());
    for account in [&held, &AccountId::of_operator("binh")] {
        site.store.hold_by_order(&permit, account, &order).await.unwrap();
    }
    let (authenticator, _) = site.enrolled("chi").await;
    site.store
        .hold_by_order(&permit, &AccountId::of_operator("chi"), &order)
        .await
        .unwrap();
    let held_operator = site
        .second_factor(&site.password("chi").await, &authenticator.code(site.store.now()))
        .await;
    assert_eq!(held_operator.goes_to(), "/");
    assert_eq!(site.get("/", &held_operator.cookie()).await.goes_to(), "/held");

    let strangers = [
        String::new(),
        "__Host-ngomon=garbage".to_owned(),
        site.signed_in(citizen).await,
        site.signed_in(official).await,
        site.signed_in(held.as_str()).await,
        held_operator.cookie(),
        binh,
    ];
    let all = addresses(citizen);
    assert!(all.len() >= 12, "{all:?}");
    for path in &all {
        for cookie in &strangers {
            for method in [Method::GET, Method::POST, Method::PUT] {
                let nowhere = site.method(method.clone(), "/no-such-page", cookie).await;
                let page = site.method(method.clone(), path, cookie).await;
                assert_eq!(page.status, StatusCode::NOT_FOUND, "{method} {path}");
                let same = |page: &Answered, path: &str| page.text.replace(path, "");
                assert_eq!(same(&page, path), same(&nowhere, "/no-such-page"), "{method} {path}");
            }
        }
        // There is a page for an operator: without it this test would say nothing.
        let found = [
            site.method(Method::GET, path, &operator).await,
            site.method(Method::POST, path, &operator).await,
        ];
        assert!(found.iter().any(|page| !page.says("missing-title")), "{path}");
        // ASVS 7.4.4: wherever an operator is, there is the way out.
        let mut pages = found.iter().filter(|page| page.text.contains("<html"));
        assert!(pages.all(|page| page.text.contains("action=\"/sign-out\"")), "{path}");
    }
    site.sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_enrols_by_a_link_and_signs_in_by_two_factors() {
    let site = Site::bare().await;
    let (link, authenticator) = site.link("an").await;
    let page = site.get(&link, "").await;
    assert!(page.text.contains(&authenticator.secret()) && page.text.contains("data:image/svg+xml;base64,"));
    let code = |site: &Site| authenticator.code(site.store.now());
    let right = code(&site);
    for (typed, says) in [
        (
            [
                ("password", "quá ngắn"),
                ("again", "quá ngắn"),
                ("code", right.as_str()),
            ],
            "enrol-short",
        ),
        (
            [("password", PASSWORD), ("again", "khác hẳn đấy nhé"), ("code", &right)],
            "enrol-differs",
        ),
        (
            [("password", PASSWORD), ("again", PASSWORD), ("code", "000000")],
            "enrol-code-wrong",
        ),
        (
            [("password", PASSWORD), ("again", PASSWORD), ("code", "")],
            "enrol-code-wrong",
        ),
    ] {
        let page = site.post(&link, "", &typed).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        let said = vietnamese().say_with(says, &[("n", "12")]);
        assert!(page.text.contains(&said), "{says}");
        assert!(!page.text.contains(PASSWORD), "passwords are not sent back");
    }
    assert!(
        site.store.credentials("an").await.unwrap().is_empty(),
        "nothing is kept before"
    );
    let typed = [("password", PASSWORD), ("again", PASSWORD), ("code", &right)];
    let done = site.post(&link, "", &typed).await;
    let shown: Vec<&str> = done
        .text
        .split("<li>")
        .filter(|rest| rest.get(14..19) == Some("</li>"))
        .collect();
    assert_eq!(shown.len(), 10, "{}", done.text);
    for again in [
        site.get(&link, "").await,
        site.post(&link, "", &typed).await,
        site.get("/enrol/x", "").await,
    ] {
        assert!(again.status == StatusCode::NOT_FOUND && again.says("enrol-over-title"));
    }

    // The code that enrolled does not sign in; the next one does, once.
    let asked = site.password("an").await;
    assert!(site.second_factor(&asked, &right).await.says("second-factor-wrong"));
    site.move_on(30);
    let next = code(&site);
    let entered = site.second_factor(&asked, &next).await;
    assert_eq!(entered.goes_to(), "/desk");
    assert!(site.second_factor(&asked, &next).await.says("second-factor-wrong"));
    let cookie = entered.cookie();
    assert!(site.get("/desk", &cookie).await.says("desk-q"));
    assert!(site.get("/", &cookie).await.says("event-enrolled"), "their own history");
    site.move_on(16 * 60);
    assert_eq!(site.get("/desk", &cookie).await.status, StatusCode::NOT_FOUND, "idle");

    // A recovery code, however it is typed, once.
    let recovery = shown[0][..14].to_lowercase().replace('-', " ");
    let asked = site.password("an").await;
    assert_eq!(site.second_factor(&asked, &recovery).await.goes_to(), "/desk");
    assert!(site.second_factor(&asked, &recovery).await.says("second-factor-wrong"));
    site.sound().await;
}

/// ASVS 6.3.1, 6.5: codes are not guessed, tickets are ours, of this step, and short.
#[tokio::test(flavor = "multi_thread")]
async fn codes_are_not_guessed() {
    let site = Site::bare().await;
    let (authenticator, _) = site.enrolled("an").await;
    let asked = site.password("an").await;
    let right = authenticator.code(site.store.now());
    let wrong = if right == "123456" { "123457" } else { "123456" };
    for _ in 0..5 {
        let page = site.second_factor(&asked, wrong).await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.says("second-factor-wrong"));
    }
    for guess in [wrong, &right] {
        let page = site.second_factor(&asked, guess).await;
        assert!(page.status == StatusCode::TOO_MANY_REQUESTS && page.says("second-factor-too-often"));
        assert!(!page.headers.contains_key(header::SET_COOKIE));
    }
    // Another address, another ticket: the account is what counts. It is open again after a quarter of an hour.
    assert!(
        site.second_factor(&site.password("an").await, &right)
            .await
            .says("second-factor-too-often")
    );
    site.move_on(900);
    let right = authenticator.code(site.store.now());
    assert!(
        site.second_factor(&asked, &right).await.says("sign-in-again"),
        "the ticket is too old"
    );
    let account = AccountId::of_operator("an");
    let other = crate::web::ticket::issue(&site.store, "sign-in-choice", &account);
    let of_nobody = crate::web::ticket::issue(&site.store, "sign-in-code", &AccountId("HS001".into()));
    for (ticket, says) in [
        (other.as_str(), "sign-in-again"),
        ("", "sign-in-again"),
        (&of_nobody, "second-factor-wrong"),
    ] {
        let page = site
            .post("/sign-in/second-factor", "", &[("ticket", ticket), ("code", &right)])
            .await;
        assert!(
            page.says(says) && !page.headers.contains_key(header::SET_COOKIE),
            "{ticket}"
        );
    }
    // A ticket of the step before asks for the code, and opens nothing by itself.
    let chosen = site.post("/sign-in/account", "", &[("ticket", &other)]).await;
    assert!(chosen.says("second-factor-title") && !chosen.headers.contains_key(header::SET_COOKIE));
    assert_eq!(site.second_factor(&chosen, &right).await.goes_to(), "/desk");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_operator_is_out_at_the_next_click() {
    let site = Site::bare().await;
    let cookie = site.operator("an").await;
    let (authenticator, codes) = site.enrolled("binh").await;
    let asked = site.password("binh").await;
    assert_eq!(site.get("/desk", &cookie).await.status, StatusCode::OK);
    for name in ["an", "binh"] {
        site.store.remove_operator(name, "test").await.unwrap();
    }
    assert_eq!(site.get("/desk", &cookie).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/", &cookie).await.goes_to(), "/sign-in");
    for code in [authenticator.code(site.store.now()), codes[0].clone()] {
        assert!(
            site.second_factor(&asked, &code).await.says("second-factor-wrong"),
            "removed between password and code"
        );
    }
    let page = site
        .post("/sign-in", "", &[("username", "an"), ("password", PASSWORD)])
        .await;
    assert!(page.says("sign-in-wrong"));
    site.sound().await;
}
