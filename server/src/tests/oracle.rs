//! Tests that a form reveals nothing about a number: until the code is typed, all forms get the same answer.

use crate::tests::{Site, TestResponse, fixtures, lent, right_form, rows};
use axum::http::StatusCode;

/// The status, the redirect, and the page there, without what was typed.
async fn seen(site: &Site, account: &str, fields: &[(&'static str, String); 4]) -> (StatusCode, String, String) {
    let cookie = site.signed_in(account).await;
    let sent: TestResponse = site.post("/form", &cookie, &lent(fields, &[("mine", "yes")])).await;
    let to = sent.goes_to().to_owned();
    let page = site.get(&to, &cookie).await.text;
    let phone = ngomon_rules::values::Phone::parse(&fields[3].1).unwrap().0.masked();
    (sent.status, to, page.replace(&phone, ""))
}

/// Right and wrong forms get the same response until the phone is proven.
#[tokio::test(flavor = "multi_thread")]
async fn right_and_wrong_forms_indistinguishable_before_code() {
    let site = Site::sample().await;
    let (account, right) = right_form();
    let registry = rows("registry.csv");
    let of = |row: &std::collections::HashMap<String, String>| {
        ["full_name", "national_id", "issued_on", "phone"].map(|name| (name, row[name].clone()))
    };
    let whole =
        |row: &&std::collections::HashMap<String, String>| !row["issued_on"].is_empty() && !row["phone"].is_empty();
    let dead = registry
        .iter()
        .filter(whole)
        .find(|row| row["status"] == "deceased")
        .map(of);
    let mut wrong = right.clone();
    wrong[2].1 = "1/1/2001".into();
    let mut nobody = right.clone();
    nobody[1].1 = "046090000001".into();
    let first = seen(&site, &account, &right).await;
    assert_eq!((first.0, first.1.as_str()), (StatusCode::SEE_OTHER, "/form/code"));
    for (n, form) in [Some(wrong), Some(nobody), dead].into_iter().flatten().enumerate() {
        let citizens = rows("citizens.csv");
        let other = &citizens[citizens.len() - 1 - n]["account_id"];
        assert_eq!(seen(&site, other, &form).await, first, "{form:?}");
        let journal = site.store.explain(other, site.store.today()).await.unwrap().history;
        assert!(
            !format!("{journal:?}").contains("FormAnswered"),
            "nothing is answered yet"
        );
    }
    // The account's own owner reads that it is already standardised.
    let cookie = site.signed_in(&account).await;
    assert!(
        site.form(&cookie, &lent(&right, &[("mine", "yes")]))
            .await
            .says("answer-standardised-title")
    );
    let done = site.post("/form", &cookie, &lent(&right, &[("mine", "yes")])).await;
    assert!(done.says("answer-done-title"));
}

/// The receipt says that the form waits for the counter, not for the registry.
#[tokio::test(flavor = "multi_thread")]
async fn form_without_registered_issue_date_waits_for_papers() {
    let (account, fields) = right_form();
    let text = std::fs::read_to_string(fixtures("sample").join("registry.csv")).unwrap();
    let day = rows("registry.csv")
        .into_iter()
        .find(|row| row["national_id"] == fields[1].1);
    let day = format!(",{},", day.unwrap()["issued_on"]);
    let without = |line: &str| {
        let own = line.starts_with(&fields[1].1);
        if own {
            line.replacen(&day, ",,", 1)
        } else {
            line.to_owned()
        }
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("registry.csv");
    std::fs::write(&file, text.lines().map(without).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let site = Site::of([
        ("units", fixtures("sample").join("units.csv")),
        ("registry", file),
        ("citizens", fixtures("sample").join("citizens.csv")),
    ])
    .await;
    let cookie = site.signed_in(&account).await;
    let page = site.form(&cookie, &lent(&fields, &[("mine", "yes")])).await;
    assert!(page.says("answer-papers-title") && page.text.contains("ngày cấp") && page.text.contains("DH-"));
    assert!(site.get("/", &cookie).await.says("home-papers"));
    let app = super::App::new(site.store.clone(), true);
    crate::workers::retry_pending_forms(app.clone()).await.unwrap();
    crate::workers::answer_held_back(app).await.unwrap();
    assert!(site.get("/", &cookie).await.says("home-papers"));
    site.sound().await;
}

/// Twenty wrong attempts end a code, even one that was never sent: otherwise an attacker learns whether the account exists.
#[tokio::test(flavor = "multi_thread")]
async fn exhausted_code_reveals_no_account_existence() {
    let site = Site::sample().await;
    let citizens = rows("citizens.csv");
    for (path, without_password) in [("/sign-in/reset", false), ("/sign-in/code", true)] {
        let is_asked = |row: &&std::collections::HashMap<String, String>| {
            row["password_hash"].is_empty() == without_password && !row["phone"].is_empty()
        };
        let somebody = citizens.iter().find(is_asked).unwrap()["username"].as_str();
        let mut seen = Vec::new();
        for name in [somebody, "nobody-at-all"] {
            // The code is the same in every spelling of the name.
            let capitals = name.to_uppercase();
            let typed = [[("username", name)], [("username", &capitals)]];
            let browsers = (1..=5).map(|n| site.post_from([192, 0, 2, n], path, "", &typed[usize::from(n) % 2]));
            let mut browsers = futures_util::future::join_all(browsers).await;
            let last = browsers.pop().unwrap().cookie();
            let sent = format!("{path}/sent");
            let mut pages = Vec::new();
            for browser in browsers {
                for _ in 0..5 {
                    pages.push(site.post(&sent, &browser.cookie(), &[("code", "")]).await);
                }
            }
            pages.push(site.post(&sent, &last, &[("code", "")]).await);
            assert!(pages[20].says("code-over"), "{}", pages[20].text);
            seen.push(
                pages
                    .into_iter()
                    .map(|page| (page.status, page.text))
                    .collect::<Vec<_>>(),
            );
        }
        assert_eq!(seen[0], seen[1], "{path}");
    }
}

/// Requests for the differing fields are counted alike, whether or not the registry has a phone for the number.
#[tokio::test(flavor = "multi_thread")]
async fn request_for_differing_fields_reveals_no_number() {
    let site = Site::sample().await;
    let (account, mut known) = right_form();
    known[2].1 = "1/1/2001".into();
    known[3].1 = "0912345678".into();
    let mut absent = known.clone();
    absent[1].1 = "046090000001".into();
    let citizens = rows("citizens.csv");
    let others = citizens
        .iter()
        .filter(|row| row["national_id"].is_empty() && row["account_id"] != account);
    let mut seen = Vec::new();
    for (form, row) in [known, absent].into_iter().zip(others) {
        let cookie = site.signed_in(&row["account_id"]).await;
        assert!(
            site.form(&cookie, &lent(&form, &[("mine", "yes")]))
                .await
                .says("form-differs")
        );
        let mut answers = Vec::new();
        for n in 0..12 {
            if n % 3 == 2 {
                site.clock.0.fetch_add(301_000_000, std::sync::atomic::Ordering::SeqCst);
            }
            let asked = site.post("/form/fields", &cookie, &[]).await;
            answers.push((asked.status, asked.says("code-too-often")));
            for _ in 0..3 {
                let typed = site.post("/form/fields/code", &cookie, &[("code", "")]).await;
                answers.push((typed.status, typed.says("code-over")));
            }
        }
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
}
