//! Tests of the held visit: it opens only the ways out of the reasons that hold the account now, and it survives its own
//! resolution; repeated requests of one owner change nothing.

use crate::tests::{Site, fixtures, lent, right_form, two_accounts_of_one_number};
use axum::http::StatusCode;
use ngomon_rules::records::AccountId;
use std::sync::atomic::Ordering;

const ORDER: [(&str, &str); 3] = [
    ("ordered_by", "Công an thành phố Huế"),
    ("document", "15/CQĐT"),
    ("text", "nghi bị lộ mật khẩu"),
];

/// Every path of a way out.
const WAYS: [&str; 15] = [
    "/held/move-on",
    "/form",
    "/form/code",
    "/form/fields",
    "/form/exempt",
    "/held/join",
    "/held/join/code",
    "/held/review",
    "/held/code",
    "/profile",
    "/profile/propose",
    "/form/code/again",
    "/form/fields/code",
    "/held/join/choose",
    "/held/code/send",
];

impl Site {
    pub async fn demo() -> Self {
        let files = ["units", "registry", "profiles", "notices", "citizens", "officials"];
        Self::of(files.map(|table| (table, fixtures("demo").join(format!("{table}.csv"))))).await
    }

    async fn entries(&self, account: &str) -> usize {
        let today = self.store.today();
        self.store.explain(account, today).await.unwrap().history.len()
    }

    pub async fn hold_by_order(&self, operator: &str, account: &str) {
        let path = format!("/desk/account/{account}/hold");
        assert!(self.post(&path, operator, &ORDER).await.status.is_redirection());
    }
}

/// "Under `by-order` alone nothing else."
#[tokio::test(flavor = "multi_thread")]
async fn hold_by_order_alone_opens_no_way_out() {
    let site = Site::demo().await;
    let operator = site.operator("an").await;
    for account in ["CV001", "HS001"] {
        site.hold_by_order(&operator, account).await;
        let held = site.signed_in(account).await;
        assert!(site.get("/held", &held).await.says("hold-by-order"));
        let before = site.entries(account).await;
        for path in WAYS
            .into_iter()
            .chain(["/profile/review", "/form/put-off", "/sessions/close-others"])
        {
            for answer in [site.get(path, &held).await, site.post(path, &held, &[]).await] {
                if answer.status == StatusCode::METHOD_NOT_ALLOWED {
                    continue;
                }
                assert!(answer.status.is_redirection(), "{account} {path}: {}", answer.text);
                assert!(["/held", "/"].contains(&answer.goes_to()), "{account} {path}");
            }
        }
        let exempt = [("why", "child"), ("last_day", "1/1/2025")];
        assert_eq!(
            site.post("/form/exempt", &held, &exempt).await.goes_to(),
            if account == "HS001" { "/held" } else { "/" }
        );
        let (_, fields) = right_form();
        site.post("/form", &held, &lent(&fields, &[("mine", "yes")])).await;
        assert!(site.store.draft(&AccountId(account.into())).await.unwrap().is_none());
        assert_eq!(site.entries(account).await, before, "{account}: nothing was done");
    }
    site.sound().await;
}

/// Each reason opens only its own ways.
#[tokio::test(flavor = "multi_thread")]
async fn duplicate_hold_opens_only_its_ways_out() {
    let (site, held) = two_accounts_of_one_number().await;
    for path in ["/form", "/held/join"] {
        assert_eq!(site.get(path, &held).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(site.post("/held/review", &held, &[]).await.goes_to(), "/held/review");
    let exempt = [("why", "child"), ("last_day", "1/1/2025")];
    assert_eq!(site.post("/form/exempt", &held, &exempt).await.goes_to(), "/held");
    assert_eq!(site.get("/profile", &held).await.goes_to(), "/");
    // After the join the page no longer offers it, but the owner may still change the choice.
    let proof = [("username", "hues004"), ("password", "Hue-HS004")];
    let choose = site.post("/held/join", &held, &proof).await;
    let ticket = choose.text.split("name=\"ticket\" value=\"").nth(1).unwrap();
    let chosen = [("ticket", ticket.split('"').next().unwrap()), ("stays", "holder")];
    assert!(
        site.post("/held/join/choose", &held, &chosen)
            .await
            .says("join-done-title")
    );
    let again = site.signed_in("HS005").await;
    let page = site.get("/held", &again).await;
    assert!(page.says("hold-joined") && page.text.contains("hues004") && !page.text.contains("\"/held/join\""));
    assert!(site.get("/held/join", &again).await.says("join-title"));
    site.sound().await;
}

/// "What mends one reason keeps the visit, also where another is found."
#[tokio::test(flavor = "multi_thread")]
async fn held_visit_survives_resolving_one_of_its_holds() {
    let site = Site::demo().await;
    let run = site.store.reconcile(site.store.today(), "op").await.unwrap();
    site.store.approve_run(&run.run.unwrap(), "op").await.ok();
    let lines = site.store.holds(None, site.store.today()).await.unwrap();
    let overdue = lines
        .iter()
        .find(|(_, line)| line.reasons.iter().map(|r| r.name()).eq(["review-overdue"]));
    let account = overdue.unwrap().0.clone();
    // Two months later the account is also idle, which no run has found yet.
    site.store.set_policy("idle-days", "45", "op").await.unwrap();
    site.move_on(60 * 86_400);
    let held = site.signed_in(&account).await;
    let done = site.post("/profile/review", &held, &[]).await;
    assert_eq!(done.goes_to(), "/held?done=recorded");
    let page = site.get("/held?done=recorded", &held).await;
    assert!(
        page.says("hold-idle") && !page.text.contains("href=\"/profile\""),
        "{}",
        page.text
    );
    let left = site
        .store
        .account_explanation(&account, site.store.today())
        .await
        .unwrap()
        .holds
        .len();
    let said = format!("Đã ghi nhận. Tài khoản còn {left} lý do khóa, nêu dưới đây.");
    assert!(page.text.contains(&said), "{}", page.text);
    // A hold by order is not found by a run: it ends the visit.
    let operator = site.operator("an").await;
    site.hold_by_order(&operator, &account).await;
    assert_eq!(site.get("/held", &held).await.goes_to(), "/");
    site.store
        .renew_held_session(held.split_once('=').unwrap().1)
        .await
        .unwrap();
    assert_eq!(site.get("/held", &held).await.goes_to(), "/");
    site.sound().await;
}

/// A form that is `taken` within a held visit leads to the reasons that hold the account now.
#[tokio::test(flavor = "multi_thread")]
async fn taken_form_keeps_held_visit() {
    let (site, _) = two_accounts_of_one_number().await;
    for (key, value) in [
        ("deadline.citizens", "2023-07-10"),
        ("start", "2023-07-01"),
        ("after-deadline", "hold"),
    ] {
        site.store.set_campaign(key, value, true, "op").await.unwrap();
    }
    let held = site.signed_in("HS001").await;
    assert!(site.get("/held", &held).await.says("hold-not-standardised"));
    let person = ngomon_rules::values::NationalId::try_from("046090100148".to_owned()).unwrap();
    let ngomon_rules::citizens::RegistryAnswer::Found(person) = site.store.registry(person).await.unwrap() else {
        panic!("in the registry");
    };
    let fields = [
        ("full_name", person.full_name.as_str().to_owned()),
        ("national_id", person.national_id.as_str().to_owned()),
        ("issued_on", person.issued_on.unwrap().to_string()),
        ("phone", person.phone.unwrap().as_str().to_owned()),
    ];
    let answer = site.form(&held, &lent(&fields, &[("mine", "yes")])).await;
    assert!(answer.says("answer-taken-text-held"), "{}", answer.text);
    let page = site.get("/held", &held).await;
    assert!(page.says("hold-duplicate") && page.says("held-join"), "{}", page.text);
}

/// A session that a hold has ended stores no draft: its cookie may be in an attacker's hands.
#[tokio::test(flavor = "multi_thread")]
async fn session_ended_by_hold_stores_no_draft() {
    let site = Site::sample().await;
    let (account, fields) = right_form();
    let (cookie, operator) = (site.signed_in(&account).await, site.operator("an").await);
    site.hold_by_order(&operator, &account).await;
    let sent = site.post("/form", &cookie, &lent(&fields, &[])).await;
    assert_eq!(sent.goes_to(), "/");
    let whose = AccountId(account.clone());
    assert!(site.store.draft(&whose).await.unwrap().is_none());
    // It stores none after the hold is lifted either, and neither does a session that expired long ago.
    let lift = [("cause", "order:15/CQĐT"), ("reason", "hết lý do")];
    assert!(
        site.post(&format!("/desk/account/{account}/lift"), &operator, &lift)
            .await
            .status
            .is_redirection()
    );
    assert_eq!(site.post("/form", &cookie, &lent(&fields, &[])).await.goes_to(), "/");
    let old = site.signed_in(&account).await;
    site.clock.0.fetch_add(13 * 3_600_000_000, Ordering::SeqCst);
    assert_eq!(site.post("/form", &old, &lent(&fields, &[])).await.goes_to(), "/");
    assert!(site.store.draft(&whose).await.unwrap().is_none());
}

/// A repeated request changes nothing, and different requests are limited per day.
#[tokio::test(flavor = "multi_thread")]
async fn repeated_owner_request_recorded_once_and_limited() {
    let site = Site::demo().await;
    let citizen = site.signed_in("HS001").await;
    let exempt = async |day: &str| {
        site.post("/form/exempt", &citizen, &[("why", "child"), ("last_day", day)])
            .await
    };
    let before = site.entries("HS001").await;
    for _ in 0..3 {
        assert_eq!(exempt("1/1/2025").await.goes_to(), "/");
    }
    assert_eq!(site.entries("HS001").await, before + 1);
    let mut refused = 0;
    for day in 2..28 {
        refused += u32::from(exempt(&format!("{day}/1/2025")).await.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(refused, 26 - 17, "twenty a day");

    let official = site.signed_in("CV001").await;
    let reviewed = async || site.post("/profile/review", &official, &[]).await;
    assert_eq!(reviewed().await.goes_to(), "/profile?done=reviewed");
    site.store.seal().await.unwrap();
    let (runs, size) = (site.store.runs().await.unwrap().len(), site.store.seal().await.unwrap());
    for _ in 0..3 {
        assert_eq!(reviewed().await.goes_to(), "/profile?done=reviewed");
    }
    assert_eq!(
        (site.store.runs().await.unwrap().len(), site.store.seal().await.unwrap()),
        (runs, size)
    );

    let proposal = [("position", "Chuyên viên chính"), ("document", "12/QĐ")];
    let before = site.entries("CV001").await;
    for _ in 0..3 {
        assert_eq!(
            site.post("/profile/propose", &official, &proposal).await.goes_to(),
            "/profile?done=proposed"
        );
    }
    assert_eq!(site.entries("CV001").await, before + 1);
    assert_eq!(
        site.store
            .own_proposals(&AccountId("CV001".into()))
            .await
            .unwrap()
            .len(),
        1
    );
    site.sound().await;
}

/// A history shows the last fifty entries, and a link to earlier ones.
#[tokio::test(flavor = "multi_thread")]
async fn long_history_shown_in_pages() {
    let site = Site::demo().await;
    let operator = site.operator("an").await;
    let cookie = site.signed_in("HS001").await;
    for day in 0..40 {
        site.clock.0.fetch_add(1_000_000, Ordering::SeqCst);
        let exempt = [
            ("why", "child"),
            ("last_day", &*format!("{}/{}/2025", 1 + day % 28, 1 + day / 28)),
        ];
        let page = site.post("/desk/account/HS001/exempt", &operator, &exempt).await;
        assert!(page.status.is_redirection(), "{}", page.text);
    }
    let all = site.entries("HS001").await;
    assert_eq!(all, 1 + 1 + 39 * 2);
    let count = |page: &str| {
        page.split("<ol class=\"timeline\">")
            .nth(1)
            .unwrap()
            .split("</ol>")
            .next()
            .unwrap()
            .matches("<li")
            .count()
    };
    let earlier = |page: &str| {
        let link = page
            .split("href=\"")
            .filter_map(|rest| rest.split('"').next())
            .find(|href| href.contains("before="));
        link.map(|href| href.split('#').next().unwrap().to_owned())
    };
    for (path, cookie) in [("/", &cookie), ("/desk/account/HS001", &operator)] {
        let (mut seen, mut pages, mut next) = (0, 0, Some(path.to_owned()));
        while let Some(at) = next {
            let page = site.get(&at, cookie).await;
            assert_eq!(page.status, StatusCode::OK, "{at}");
            (seen, pages) = (seen + count(&page.text), pages + 1);
            assert!(count(&page.text) <= 50);
            next = earlier(&page.text);
        }
        assert_eq!((seen, pages), (all, 2), "{path}");
    }
    assert_eq!(count(&site.get("/?before=garbage", &cookie).await.text), 50);
}
