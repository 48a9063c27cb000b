//! The pages, asked as a browser asks, over a store whose clock the test sets.

mod report;

use super::report::Board;
use super::{App, router};
use crate::cli;
use crate::output::Words;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use jiff::Timestamp;
use ngomon_rules::record::AccountId;
use ngomon_store::ambient::{Ambient, Clock};
use ngomon_store::{Location, Places, Store, Token};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tower::ServiceExt as _;
use tower_http::csrf::CsrfLayer;

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.fetch_add(1, Ordering::SeqCst)).unwrap()
    }
}

struct Site {
    dir: tempfile::TempDir,
    clock: Arc<TestClock>,
    store: Store,
    board: Board,
    router: Router,
}

struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answered {
    fn goes_to(&self) -> &str {
        self.headers[header::LOCATION].to_str().unwrap()
    }

    fn cookie(&self) -> String {
        let set = self.headers[header::SET_COOKIE].to_str().unwrap();
        set.split(';').next().unwrap().to_owned()
    }

    fn says(&self, key: &str) -> bool {
        // As far as the first gap.
        let gaps = ["at", "left", "name", "receipt"].map(|gap| (gap, "{"));
        let message = vietnamese().say_with(key, &gaps);
        self.text.contains(message.split('{').next().unwrap())
    }
}

fn vietnamese() -> Words {
    Words::of_tag("vi").unwrap()
}

fn fixtures(set: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(set)
}

impl Site {
    async fn sample() -> Self {
        let tables = ["units", "registry", "profiles", "notices", "citizens", "officials"];
        Self::of(tables.map(|table| (table, fixtures("sample").join(format!("{table}.csv"))))).await
    }

    /// Files taken in by the real commands.
    async fn of(files: impl IntoIterator<Item = (&'static str, PathBuf)>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        for (table, file) in files {
            let mut args = vec![
                "ngomon",
                "import",
                table,
                file.to_str().unwrap(),
                "--as-of",
                "2023-07-01",
            ];
            args.extend(["--data", data.to_str().unwrap()]);
            if table == "profiles" {
                args.push("--full");
            }
            let cli = cli::parse(vietnamese(), args.iter().map(Into::into)).unwrap();
            crate::commands::run(cli, vietnamese()).await.unwrap();
        }
        let start: Timestamp = "2023-07-15T02:00:00Z".parse().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(start.as_microsecond())));
        let ambient = Ambient {
            clock: clock.clone(),
            ..Ambient::system()
        };
        let places = Places {
            data: Location::Directory(data.clone()),
            keys: data.join("keys"),
        };
        let store = Store::open(&places, false, ambient).await.unwrap();
        let app = App::new(store.clone());
        Self {
            dir,
            clock,
            board: app.board.clone(),
            router: router(app, CsrfLayer::new()),
            store,
        }
    }

    async fn ask(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answered {
            status,
            headers,
            text: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    async fn get(&self, path: &str, cookie: &str) -> Answered {
        let request = Request::get(path).header(header::COOKIE, cookie).body(Body::empty());
        self.ask(request.unwrap()).await
    }

    async fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answered {
        let request = Request::post(path)
            .header(header::HOST, "localhost")
            .header("sec-fetch-site", "same-origin")
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(serde_urlencoded::to_string(fields).unwrap()));
        self.ask(request.unwrap()).await
    }

    async fn signed_in(&self, account: &str) -> String {
        let token: Token = self.store.open_session(&AccountId(account.into())).await.unwrap();
        format!("__Host-ngomon={}", token.as_str())
    }
}

fn rows(file: &str) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(fixtures("sample").join(file)).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// "The sample's `submissions.csv` gives the answer key through the web form as well as through the command."
#[tokio::test(flavor = "multi_thread")]
async fn the_forms_of_the_sample_get_the_answers_of_the_key() {
    let site = Site::sample().await;
    let key: std::collections::HashMap<String, _> = rows("expected/outcomes.csv")
        .into_iter()
        .map(|row| (row["seq"].clone(), row))
        .collect();
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for form in rows("submissions.csv") {
        let (expected, account) = (&key[&form["seq"]], form["account_id"].as_str());
        let outcome = expected["outcome"].as_str();
        *seen.entry(outcome.to_owned()).or_default() += 1;
        let at: Timestamp = form["submitted_at"].parse().unwrap();
        site.clock.0.store(at.as_microsecond(), Ordering::SeqCst);
        if outcome == "unknown-account" {
            assert!(site.store.open_session(&AccountId(account.into())).await.is_err());
            continue;
        }
        let cookie = site.signed_in(account).await;
        let fields = ["full_name", "national_id", "issued_on", "phone"].map(|name| (name, form[name].as_str()));
        let all: Vec<_> = fields.into_iter().chain([("mine", "yes")]).collect();
        let page = site.post("/form", &cookie, &all).await;
        let said = match outcome {
            "not-found" | "mismatch" => page.says("form-differs"),
            "malformed" => {
                let wrong: Vec<&str> = expected["fields"].split(' ').collect();
                let marked = |name: &str| page.text.contains(&format!("id=\"{name}-error\""));
                fields.iter().all(|(name, _)| wrong.contains(name) == marked(name))
            }
            "already-done" => page.says("answer-done-title"),
            other => page.says(&format!("answer-{other}-title")),
        };
        assert!(said, "{form:?}: {outcome}\n{}", page.text);
    }
    assert!(seen.len() >= 8, "{seen:?}");
    assert_eq!(site.store.verify(&mut |_| {}).await.unwrap().faults, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_citizen_signs_in_puts_off_and_signs_out() {
    let site = Site::sample().await;
    assert_eq!(site.get("/", "").await.goes_to(), "/sign-in");
    let citizens = rows("citizens.csv");
    let row = citizens.iter().find(|row| !row["password_hash"].is_empty()).unwrap();
    let (name, right) = (row["username"].as_str(), format!("Hue-{}", row["account_id"]));

    // The same words and status for a wrong password, for nobody, and for an account without a password.
    let none = citizens.iter().find(|row| row["password_hash"].is_empty()).unwrap();
    let mut wrong = Vec::new();
    for (name, password) in [(name, "x"), ("nobody-at-all", "x"), (none["username"].as_str(), "x")] {
        let page = site
            .post("/sign-in", "", &[("username", name), ("password", password)])
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.says("sign-in-wrong") && !page.headers.contains_key(header::SET_COOKIE));
        wrong.push(page.text.replace(name, ""));
    }
    assert!(wrong.iter().all(|text| *text == wrong[0]));

    let entered = site
        .post("/sign-in", "", &[("username", name), ("password", &right)])
        .await;
    let set = entered.headers[header::SET_COOKIE].to_str().unwrap();
    for word in ["__Host-ngomon=", "HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(set.contains(word), "{set}");
    }
    let cookie = entered.cookie();
    let kept = site.store.credentials(name).await.unwrap();
    let kept = kept
        .iter()
        .find(|one| one.account.as_str() == row["account_id"])
        .unwrap();
    let hash = kept.password_hash.as_deref().unwrap();
    assert!(
        crate::password::is_current(hash) && crate::password::fits(&right, hash),
        "hashed anew"
    );
    let again = site
        .post("/sign-in", "", &[("username", name), ("password", &right)])
        .await;
    assert_eq!(again.goes_to(), "/");
    assert_eq!(site.get("/", &cookie).await.goes_to(), "/form");
    let form = site.get("/form", &cookie).await;
    assert!(form.says("form-put-off") && form.headers[header::CACHE_CONTROL] == "no-store");
    assert_eq!(site.post("/form/put-off", &cookie, &[]).await.goes_to(), "/");
    let home = site.get("/", &cookie).await;
    assert!(home.says("home-put-off") && home.says("event-taken-over"));
    assert!(site.get("/no-such-page", &cookie).await.says("missing-title"));
    site.post("/sign-out", &cookie, &[]).await;
    assert_eq!(site.get("/", &cookie).await.goes_to(), "/sign-in");
    site.store.seal().await.unwrap();
    assert_eq!(site.store.verify(&mut |_| {}).await.unwrap().faults, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_is_kept_and_tries_are_bounded() {
    let site = Site::sample().await;
    let account = &rows("citizens.csv")[0]["account_id"];
    let cookie = site.signed_in(account).await;
    let name = "\"><script>alert(1)</script>";
    let page = site
        .post("/form", &cookie, &[("full_name", name), ("national_id", "191234567")])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.says("form-bad-national-id-9") && !page.text.contains("<script>alert"));
    assert!(page.text.contains("191234567"), "what was typed is kept");
    assert!(page.says("form-no-phone"));

    let wrong = [
        ("full_name", "Lê An"),
        ("national_id", "046090000001"),
        ("issued_on", "1/2/2021"),
        ("phone", "0912345678"),
        ("mine", "yes"),
    ];
    for _ in 0..5 {
        assert!(site.post("/form", &cookie, &wrong).await.says("form-differs"));
    }
    assert!(site.post("/form", &cookie, &wrong).await.says("form-too-often"));
    let twice = [("phone", "1"), ("phone", "2")];
    assert_eq!(
        site.post("/form", &cookie, &twice).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let huge = "x".repeat(20_000);
    assert!(
        site.post("/form", &cookie, &[("full_name", &huge)])
            .await
            .says("form-unreadable")
    );
    for path in ["/form", "/", "/held"] {
        assert!(site.get(path, "__Host-ngomon=garbage").await.status.is_redirection());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_account_reads_why_and_a_session_dies_with_its_hold() {
    let site = Site::sample().await;
    let row = rows("submissions.csv").into_iter().zip(rows("expected/outcomes.csv"));
    let (form, _) = row.into_iter().find(|(_, key)| key["outcome"] == "taken").unwrap();
    let cookie = site.signed_in(&form["account_id"]).await;
    // The person standardises another account first, as in the sample.
    for earlier in rows("submissions.csv")
        .iter()
        .filter(|other| other["national_id"] == form["national_id"])
    {
        let cookie = site.signed_in(&earlier["account_id"]).await;
        let all = ["full_name", "national_id", "issued_on", "phone"].map(|name| (name, earlier[name].as_str()));
        site.post("/form", &cookie, &[all.as_slice(), &[("mine", "yes")]].concat())
            .await;
    }
    assert_eq!(
        site.get("/", &cookie).await.goes_to(),
        "/sign-in",
        "the hold ended the session"
    );
    let held = site.signed_in(&form["account_id"]).await;
    assert_eq!(site.get("/", &held).await.goes_to(), "/held");
    let why = site.get("/held", &held).await;
    assert!(why.says("held-title") && why.says("hold-duplicate") && why.says("way-out-duplicate"));
    assert!(!why.text.contains(&form["national_id"]), "numbers are masked");
    let holder = site.store.story(&form["account_id"], site.store.today()).await.unwrap();
    let holder = holder
        .holds
        .iter()
        .find_map(|held| held.hold.evidence.get("claim_of"))
        .unwrap();
    assert!(!why.text.contains(holder), "the other account may be a stranger's");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_cannot_send_forms_and_nothing_leads_away() {
    let site = Site::sample().await;
    for path in ["/sign-in", "/form", "/sign-out", "/form/put-off"] {
        let foreign = Request::post(path)
            .header(header::HOST, "localhost")
            .header("sec-fetch-site", "cross-site")
            .header(header::ORIGIN, "https://evil.example")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("username=a&password=b"));
        assert_eq!(site.ask(foreign.unwrap()).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for (to, ends) in [
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/%5Cevil.example", "/"),
        ("/form", "/form"),
    ] {
        assert_eq!(site.get(&format!("/language/en?to={to}"), "").await.goes_to(), ends);
    }
    let english = site.get("/sign-in", "language=en").await;
    assert!(english.text.contains("lang=\"en\"") && english.text.contains("Sign in"));
    for (name, _) in super::HEADERS {
        assert!(english.headers.contains_key(&name), "{name}");
    }
}

/// One user name and one password for two accounts, and no registry to ask.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_picks_an_account_and_a_form_waits_for_the_registry() {
    let dir = tempfile::tempdir().unwrap();
    let citizens = dir.path().join("citizens.csv");
    let hash = crate::password::hashed("one password", &[1; 16]).unwrap();
    let head = "account_id,username,display_name,national_id,phone,email,unit,created_on,last_sign_in_on,password_hash";
    let row = |id: &str| format!("{id},shared,,,,,,,,\"{hash}\"");
    std::fs::write(&citizens, [head, &row("C1"), &row("C2"), ""].join("\n")).unwrap();
    let site = Site::of([("units", fixtures("sample").join("units.csv")), ("citizens", citizens)]).await;

    let shared = [("username", "shared"), ("password", "one password")];
    let page = site.post("/sign-in", "", &shared).await;
    assert!(page.says("choose-title") && !page.headers.contains_key(header::SET_COOKIE));
    let tickets: Vec<&str> = page
        .text
        .split("value=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(tickets.len(), 2);
    let (_, second) = tickets[1].split_once('.').unwrap();
    for forged in [
        "",
        "C1",
        "C1.9999999999.",
        "C1.9999999999.AAAA",
        &format!("C1.{second}"),
    ] {
        let refused = site.post("/sign-in/account", "", &[("ticket", forged)]).await;
        assert!(
            refused.says("sign-in-again") && !refused.headers.contains_key(header::SET_COOKIE),
            "{forged}"
        );
    }
    let cookie = site
        .post("/sign-in/account", "", &[("ticket", tickets[1])])
        .await
        .cookie();
    site.clock.0.fetch_add(301_000_000, Ordering::SeqCst);
    assert!(
        site.post("/sign-in/account", "", &[("ticket", tickets[0])])
            .await
            .says("sign-in-again"),
        "late"
    );

    let form = [
        ("full_name", "Lê An"),
        ("national_id", "046090000001"),
        ("issued_on", "1/2/2021"),
        ("phone", "0912345678"),
    ];
    let page = site.post("/form", &cookie, &form).await;
    assert!(
        page.says("answer-pending-title") && page.text.contains("DH-"),
        "{}",
        page.text
    );
    assert!(
        site.get("/", &cookie).await.says("home-pending"),
        "who waits is not asked again"
    );
    assert_eq!(
        site.store
            .story("C1", site.store.today())
            .await
            .unwrap()
            .fact("last_form"),
        None
    );
}
