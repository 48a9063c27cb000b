//! Tests of the desk's access control: two factors, each usable once, and only for operators.

use crate::desk::tests::PASSWORD;
use crate::tests::{Site, TestResponse, rows, vietnamese};
use axum::http::{Method, StatusCode};
use ngomon_rules::client::Client;
use ngomon_rules::event::ProposedAct;
use ngomon_rules::records::AccountId;
use ngomon_store::Order;

/// Every address of the desk, read from the source.
fn addresses(account: &str, system: &str) -> Vec<String> {
    let sources = [include_str!("../mod.rs"), include_str!("../systems/mod.rs")];
    let found = sources
        .into_iter()
        .flat_map(|source| source.split(".route(").skip(1))
        .filter_map(|rest| rest.split('"').nth(1));
    let filled = |path: &str| {
        let id = if path.starts_with("/desk/systems/") {
            system
        } else {
            account
        };
        let path = path.replace("{id}", id).replace("{receipt}", "DH-7K3M-42QX");
        path.replace("{unit}", "46")
            .replace("{state}", "held")
            .replace("{file}", "people.csv")
            .replace("{notice}", "none")
            .replace("{verb}", "disable")
    };
    found.map(filled).collect()
}

/// "A citizen or official gets the not-found page on every route", and so do strangers, held accounts and held operators, with
/// every method: nothing reveals that there is a desk.
#[tokio::test(flavor = "multi_thread")]
async fn desk_answers_not_found_to_non_operators() {
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
    site.store.hold_by_order(&permit, &held, &order).await.unwrap();
    let (authenticator, _) = site.enrolled("chi").await;
    let second = site.operator("dung").await;
    let second = site.visit(&second).await.unwrap().operator().unwrap();
    for name in ["binh", "chi"] {
        let (account, hold) = (AccountId::of_operator(name), site.store.hold_of(&order).unwrap());
        let act = ProposedAct::HoldByOrder { account, hold };
        let receipt = site.store.propose_act(&permit, act, "x").await.unwrap();
        site.store.approve_act(&second, &receipt, "news").await.unwrap();
    }
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
    let system = Client::new("Hue-S", vec!["https://hues.example/cb".to_owned()]);
    let system = site.store.add_client(system, "test").await.unwrap().id;
    let all = addresses(citizen, system.as_str());
    assert!(all.len() >= 38, "{all:?}");
    for path in &all {
        for cookie in &strangers {
            for method in [Method::GET, Method::POST, Method::PUT] {
                let nowhere = site.method(method.clone(), "/no-such-page", cookie).await;
                let page = site.method(method.clone(), path, cookie).await;
                assert_eq!(page.status, StatusCode::NOT_FOUND, "{method} {path}");
                let same = |page: &TestResponse, path: &str| page.text.replace(path, "");
                assert_eq!(same(&page, path), same(&nowhere, "/no-such-page"), "{method} {path}");
            }
        }
        // An operator gets a page: otherwise this test would prove nothing.
        let found = [
            site.method(Method::GET, path, &operator).await,
            site.method(Method::POST, path, &operator).await,
        ];
        assert!(found.iter().any(|page| !page.says("missing-title")), "{path}");
        // ASVS 7.4.4: every page of an operator has a sign-out button.
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
        let said = vietnamese().text_with(says, &[("n", "12")]);
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

    // The code used for the enrolment does not sign in; the next one does, once.
    let asked = site.password("an").await;
    let asked = site.second_factor(&asked, &right).await;
    assert!(asked.says("second-factor-wrong"));
    site.move_on(30);
    let next = code(&site);
    let entered = site.second_factor(&asked, &next).await;
    assert_eq!(entered.goes_to(), "/desk");
    let asked = site.password("an").await;
    assert!(site.second_factor(&asked, &next).await.says("second-factor-wrong"));
    let cookie = entered.cookie();
    assert!(site.get("/desk", &cookie).await.says("desk-q"));
    assert!(site.get("/", &cookie).await.says("event-enrolled"), "their own history");
    site.move_on(16 * 60);
    assert_eq!(site.get("/desk", &cookie).await.status, StatusCode::NOT_FOUND, "idle");

    // A recovery code works in any spelling, once.
    let recovery = shown[0][..14].to_lowercase().replace('-', " ");
    let asked = site.password("an").await;
    assert_eq!(site.second_factor(&asked, &recovery).await.goes_to(), "/desk");
    let asked = site.password("an").await;
    assert!(
        site.second_factor(&asked, &recovery).await.says("second-factor-wrong"),
        "once"
    );
    site.sound().await;
}

/// ASVS 6.3.1, 6.5: codes cannot be guessed; tickets must be issued here, for this step, and live briefly.
#[tokio::test(flavor = "multi_thread")]
async fn second_factor_codes_and_tickets_resist_guessing() {
    let site = Site::bare().await;
    let (authenticator, _) = site.enrolled("an").await;
    let mut asked = site.password("an").await;
    let right = authenticator.code(site.store.now());
    let wrong = if right == "123456" { "123457" } else { "123456" };
    for _ in 0..5 {
        let page = site.second_factor(&asked, wrong).await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.says("second-factor-wrong"));
        assert!(
            site.second_factor(&asked, wrong).await.says("sign-in-again"),
            "a ticket is good once"
        );
        asked = page;
    }
    for guess in [wrong, &right] {
        let page = site.second_factor(&asked, guess).await;
        assert!(page.status == StatusCode::TOO_MANY_REQUESTS && page.says("second-factor-too-often"));
        assert!(!page.signs_in());
        asked = page;
    }
    // Another address or ticket does not help, because the account is counted. It is open again after 15 minutes.
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
    // A ticket is valid only in its own browser and for its own step, and its content is secret.
    let asked = site.password("an").await;
    let (browser, ticket) = (asked.cookie(), asked.ticket());
    let second = async |browser: &str, ticket: &str| {
        let typed = [("ticket", ticket), ("code", right.as_str())];
        site.post("/sign-in/second-factor", browser, &typed).await
    };
    for (browser, ticket) in [
        ("", &*ticket),
        ("__Host-ngomon-code=another", &ticket),
        (&browser, ""),
        (&browser, "operator:an.9999999999.AAAA"),
    ] {
        let page = second(browser, ticket).await;
        assert!(page.says("sign-in-again") && !page.signs_in(), "{ticket}");
    }
    let chosen = [("ticket", &*format!("{ticket}.0"))];
    let page = site.post("/sign-in/account", &browser, &chosen).await;
    assert!(page.says("sign-in-again") && !page.signs_in(), "of another step");
    assert_eq!(second(&browser, &ticket).await.goes_to(), "/desk");
}

/// A removed operator has no access from the next request on.
#[tokio::test(flavor = "multi_thread")]
async fn removed_operator_loses_access_at_next_request() {
    let site = Site::bare().await;
    let cookie = site.operator("an").await;
    let (authenticator, codes) = site.enrolled("binh").await;
    let asked = [site.password("binh").await, site.password("binh").await];
    assert_eq!(site.get("/desk", &cookie).await.status, StatusCode::OK);
    for other in ["chi", "dung"] {
        site.operator(other).await;
    }
    for name in ["an", "binh"] {
        site.store.remove_operator(name, "test").await.unwrap();
    }
    assert_eq!(site.get("/desk", &cookie).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/", &cookie).await.goes_to(), "/sign-in");
    for (asked, code) in asked
        .iter()
        .zip([authenticator.code(site.store.now()), codes[0].clone()])
    {
        assert!(
            site.second_factor(asked, &code).await.says("second-factor-wrong"),
            "removed between password and code"
        );
    }
    let page = site
        .post("/sign-in", "", &[("username", "an"), ("password", PASSWORD)])
        .await;
    assert!(page.says("sign-in-wrong"));
    site.sound().await;
}

/// A NUL is refused everywhere before any handler: in a path segment, in a query, in a form.
#[tokio::test(flavor = "multi_thread")]
async fn nul_in_request_is_refused_at_every_route() {
    let site = Site::bare().await;
    let cookie = site.operator("an").await;
    let entries = site.store.position().await.unwrap();
    for path in addresses("%00", "%00").into_iter().chain(
        [
            "/consents/withdraw",
            "/passkeys/remove",
            "/sign-in",
            "/%00",
            "/report/%00",
            "/enrol/%00",
            "/authorize",
        ]
        .map(str::to_owned),
    ) {
        for cookie in [cookie.as_str(), ""] {
            let with_nul = if path.contains("%00") {
                path.clone()
            } else {
                format!("{path}?to=a%00b")
            };
            let asked = site.get(&with_nul, cookie).await;
            assert_eq!(asked.status, StatusCode::BAD_REQUEST, "{with_nul}");
            assert!(asked.says("nul-title"), "{with_nul}");
            let sent = site.post(&path, cookie, &[("account", "a\0b"), ("id", "x")]).await;
            assert_eq!(sent.status, StatusCode::BAD_REQUEST, "{path}");
            let sent = site.post_bytes(&path, cookie, b"account=a\0b&id=x").await;
            assert_eq!(sent.status, StatusCode::BAD_REQUEST, "{path}, as it is");
        }
    }
    for path in ["/token", "/introspect", "/revoke", "/par", "/userinfo"] {
        for sent in [
            site.post(path, "", &[("client_id", "a\0"), ("token", "x")]).await,
            site.post_bytes(path, "", b"client_id=a\0&token=x").await,
        ] {
            assert_eq!(sent.status, StatusCode::BAD_REQUEST, "{path}");
            assert!(sent.text.contains("\"invalid_request\""), "{}", sent.text);
        }
    }
    assert_eq!(site.store.position().await.unwrap(), entries);
    // A percent sign followed by zeros is text.
    let text = site
        .post("/sign-in", "", &[("username", "50%00 x"), ("password", "x")])
        .await;
    assert!(text.says("sign-in-wrong"), "{}", text.text);
}
