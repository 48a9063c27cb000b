//! Tests of the pages, requested as a browser does, over a store whose clock the test sets.

mod forms;
mod health;
mod idle;
mod limits;
mod oracle;
mod owners;
mod pages;
mod reset;
mod silence;
mod ways;

pub use crate::sign_in::passkeys::tests::Device;

use crate::app::App;
use crate::i18n::Locale;
use crate::report::cache::ReportCache;
use crate::router::router;
use crate::security::password::with_minimum_delay;
use crate::sign_in::limits::OF_ADDRESS;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use futures_util::future::join_all;
use jiff::Timestamp;
use ngomon_rules::records::AccountId;
use ngomon_rules::values::NationalId;
use ngomon_store::environment::{Clock, Environment};
use ngomon_store::{Location, SessionToken, Store, StorePaths};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tower::ServiceExt as _;
use tower_http::csrf::CsrfLayer;

pub struct TestClock(pub AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.fetch_add(1, Ordering::SeqCst)).unwrap()
    }
}

pub struct Site {
    pub dir: tempfile::TempDir,
    pub clock: Arc<TestClock>,
    pub store: Store,
    pub report_cache: ReportCache,
    pub router: Router,
}

pub struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl TestResponse {
    pub fn goes_to(&self) -> &str {
        self.headers[header::LOCATION].to_str().unwrap()
    }

    pub fn cookie(&self) -> String {
        let set = self.headers[header::SET_COOKIE].to_str().unwrap();
        set.split(';').next().unwrap().to_owned()
    }

    /// Whether the answer begins a session.
    pub fn signs_in(&self) -> bool {
        let mut set = self.headers.get_all(header::SET_COOKIE).iter();
        set.any(|cookie| cookie.to_str().unwrap().starts_with("__Host-ngomon="))
    }

    /// The ticket in the page.
    pub fn ticket(&self) -> String {
        let ticket = self.text.split("name=\"ticket\" value=\"").nth(1).unwrap();
        ticket.split('"').next().unwrap().to_owned()
    }

    pub fn says(&self, key: &str) -> bool {
        // Compares the text up to the first placeholder.
        let args = ["at", "day", "left", "n", "name", "receipt"].map(|gap| (gap, "{"));
        let message = vietnamese().text_with(key, &args);
        self.text.contains(message.split('{').next().unwrap())
    }
}

pub fn vietnamese() -> Locale {
    Locale::of_tag("vi").unwrap()
}

pub fn fixtures(set: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(set)
}

impl Site {
    pub async fn sample() -> Self {
        let tables = ["units", "registry", "profiles", "notices", "citizens", "officials"];
        Self::of(tables.map(|table| (table, fixtures("sample").join(format!("{table}.csv"))))).await
    }

    /// A site whose files were imported by the real commands.
    pub async fn of(files: impl IntoIterator<Item = (&'static str, PathBuf)>) -> Self {
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
            let cli = crate::cli::args::parse(vietnamese(), args.iter().map(Into::into)).unwrap();
            crate::commands::run(cli, vietnamese()).await.unwrap();
        }
        let start: Timestamp = "2023-07-15T02:00:00Z".parse().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(start.as_microsecond())));
        let environment = Environment {
            clock: clock.clone(),
            ..Environment::system()
        };
        let places = StorePaths {
            data: Location::Directory(data.clone()),
            keys: data.join("keys"),
        };
        let store = Store::open(&places, false, environment).await.unwrap();
        let app = App::new(store.clone(), true);
        Self {
            dir,
            clock,
            report_cache: app.report_cache.clone(),
            router: router(app, CsrfLayer::new()),
            store,
        }
    }

    /// The same with a list of leaked passwords.
    pub fn knowing(self, leaked: &std::path::Path) -> Self {
        let mut app = App::new(self.store.clone(), true);
        app.leaked = Some(Arc::new(
            crate::security::password::LeakedPasswords::open(leaked).unwrap(),
        ));
        let router = router(app, CsrfLayer::new());
        Self { router, ..self }
    }

    /// The same under another address.
    pub fn at_address(self, address: &str) -> Self {
        let app = App::new(self.store.clone(), true).at(address);
        let router = router(app, CsrfLayer::new());
        Self { router, ..self }
    }

    pub async fn ask(&self, request: Request<Body>) -> TestResponse {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        TestResponse {
            status,
            headers,
            text: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Statements that bypass the store.
    pub fn sql(&self, statements: &str) {
        let file = self.dir.path().join("data/ngomon.db");
        let beside = rusqlite::Connection::open(file).unwrap();
        beside.execute_batch(statements).unwrap();
    }

    pub async fn get(&self, path: &str, cookie: &str) -> TestResponse {
        let request = Request::get(path).header(header::COOKIE, cookie).body(Body::empty());
        self.ask(request.unwrap()).await
    }

    pub async fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> TestResponse {
        self.ask(form_to(path, cookie, fields)).await
    }

    /// The same from a given client address.
    pub async fn post_from(
        &self,
        from: impl Into<IpAddr>,
        path: &str,
        cookie: &str,
        fields: &[(&str, &str)],
    ) -> TestResponse {
        let mut request = form_to(path, cookie, fields);
        let address = SocketAddr::new(from.into(), 1);
        request.extensions_mut().insert(ConnectInfo(address));
        self.ask(request).await
    }

    /// Posts a body that no browser would encode like this.
    pub async fn post_bytes(&self, path: &str, cookie: &str, bytes: &'static [u8]) -> TestResponse {
        self.ask(bytes_to(path, cookie, bytes)).await
    }

    /// The digits of the newest message.
    pub async fn code(&self) -> String {
        let newest = self.store.messages(1).await.unwrap();
        let mut digits = newest[0].text.split(|c: char| !c.is_ascii_digit());
        digits.find(|run| !run.is_empty()).unwrap().to_owned()
    }

    /// Submits a form, and types the code if one is required.
    pub async fn form(&self, cookie: &str, fields: &[(&str, &str)]) -> TestResponse {
        let page = self.post("/form", cookie, fields).await;
        if !page.status.is_redirection() {
            return page;
        }
        assert_eq!(page.goes_to(), "/form/code");
        assert!(self.get("/form/code", cookie).await.says("form-code-title"));
        let phone = fields.iter().find(|(name, _)| *name == "phone").unwrap().1;
        let code = self.code_to(phone).await;
        self.post("/form/code", cookie, &[("code", &code)]).await
    }

    /// The code of the newest message to this phone.
    async fn code_to(&self, phone: &str) -> String {
        let phone = ngomon_rules::values::Phone::parse(phone).unwrap().0;
        let sent = self.store.messages(200).await.unwrap();
        let newest = sent.iter().find(|message| message.to == phone.as_str()).unwrap();
        let mut digits = newest.text.split(|c: char| !c.is_ascii_digit());
        digits.find(|run| !run.is_empty()).unwrap().to_owned()
    }

    pub async fn signed_in(&self, account: &str) -> String {
        let token: SessionToken = self.store.begin_session(&AccountId(account.into())).await.unwrap();
        format!("__Host-ngomon={}", token.as_str())
    }
}

fn form_to(path: &str, cookie: &str, fields: &[(&str, &str)]) -> Request<Body> {
    bytes_to(path, cookie, serde_urlencoded::to_string(fields).unwrap())
}

fn bytes_to(path: &str, cookie: &str, bytes: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header(header::HOST, "localhost")
        .header("sec-fetch-site", "same-origin")
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(bytes.into())
        .unwrap()
}

/// Awaits an answer, and panics if it comes before the common minimum time.
async fn unhurried(answer: impl Future<Output = TestResponse>) -> TestResponse {
    let (mut time, mut answer) = (std::pin::pin!(with_minimum_delay()), std::pin::pin!(answer));
    tokio::select! {
        biased;
        () = &mut time => answer.await,
        _ = &mut answer => panic!("sooner"),
    }
}

pub fn rows(file: &str) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(fixtures("sample").join(file)).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// For a number that lost its leading zeros: its count of digits, and the whole number.
pub fn whole_number(typed: &str) -> Option<(String, String)> {
    let (whole, _) = NationalId::parse(typed, None, None).ok()?;
    let digits = typed.chars().filter(char::is_ascii_digit).count();
    NationalId::typed(typed)
        .is_err()
        .then(|| (digits.to_string(), whole.as_str().to_owned()))
}

/// The rows of a file of the demo.
pub fn demo_rows(file: &str) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(fixtures("demo").join(file)).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// "The sample's `submissions.csv` gives the answer key through the web form as well as through the command."
#[tokio::test(flavor = "multi_thread")]
async fn sample_forms_get_expected_outcomes_on_page() {
    let mut short_ones = 0;
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
        site.clock.0.fetch_max(at.as_microsecond(), Ordering::SeqCst);
        if outcome == "unknown-account" {
            assert!(site.store.begin_session(&AccountId(account.into())).await.is_err());
            continue;
        }
        let cookie = site.signed_in(account).await;
        let fields = ["full_name", "national_id", "issued_on", "phone"].map(|name| (name, form[name].as_str()));
        let mut all: Vec<_> = fields.into_iter().chain([("mine", "yes")]).collect();
        let whole = whole_number(&form["national_id"]);
        if let Some((short, whole)) = &whole
            && outcome != "already-done"
        {
            // In a file, lost zeros are restored; on a page, the owner reads how many digits there are.
            let page = site.form(&cookie, &all).await;
            let told = vietnamese().text_with("form-bad-national-id", &[("n", short)]);
            assert!(page.text.contains(&told), "{form:?}\n{}", page.text);
            all[1].1 = whole;
            short_ones += 1;
        }
        let page = site.form(&cookie, &all).await;
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
    assert!(seen.len() >= 8 && short_ones > 0, "{seen:?}");
    site.store.seal().await.unwrap();
    assert_eq!(site.store.verify(&mut |_| {}).await.unwrap().faults, []);
}

/// "A whole error page in Vietnamese": what happened, what to do, and a code for the helpdesk; and nothing of it is done.
#[tokio::test(flavor = "multi_thread")]
async fn cross_site_post_refused_with_explaining_page() {
    let site = Site::bare().await;
    let cookie = site.operator("an").await;
    for (language, says) in [("", vietnamese()), ("; language=en", Locale::of_tag("en").unwrap())] {
        for headers in [
            [("origin", "null"), ("accept", "*/*")],
            [("origin", "https://evil.example"), ("accept", "*/*")],
            [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
            [("origin", "null"), ("sec-fetch-site", "same-site")],
        ] {
            let mut request = Request::post("/sign-out")
                .header(header::HOST, "localhost")
                .header(header::COOKIE, format!("{cookie}{language}"));
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let page = site.ask(request.body(Body::empty()).unwrap()).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{headers:?}");
            for told in ["foreign-title", "foreign-text", "page-first"] {
                assert!(page.text.contains(&says.text(told)), "{told}: {}", page.text);
            }
            assert!(page.text.contains("S-403") && page.headers.contains_key(header::CONTENT_SECURITY_POLICY));
        }
    }
    assert!(site.visit(&cookie).await.is_some(), "nothing was done");
}

/// A failure after the commit, here of the checkpoint, does not turn the answer into an error.
#[tokio::test(flavor = "multi_thread")]
async fn form_answered_although_checkpoint_cannot_be_written() {
    let site = Site::sample().await;
    let key = rows("expected/outcomes.csv");
    let right = key.iter().find(|row| row["outcome"] == "standardised").unwrap();
    let forms = rows("submissions.csv");
    let form = forms.iter().find(|form| form["seq"] == right["seq"]).unwrap();
    let file = site.store.checkpoint_file();
    std::fs::remove_file(file).unwrap();
    std::fs::create_dir(file).unwrap();
    site.store.try_checkpoints().unwrap_err();
    let cookie = site.signed_in(&form["account_id"]).await;
    let fields = ["full_name", "national_id", "issued_on", "phone"].map(|name| (name, form[name].as_str()));
    let all: Vec<_> = fields.into_iter().chain([("mine", "yes")]).collect();
    let page = site.form(&cookie, &all).await;
    assert!(page.says("answer-standardised-title"), "{}", page.text);
}

/// A citizen signs in, defers the form and signs out.
#[tokio::test(flavor = "multi_thread")]
async fn citizen_signs_in_defers_form_and_signs_out() {
    let site = Site::sample().await;
    assert_eq!(site.get("/", "").await.goes_to(), "/sign-in");
    let citizens = rows("citizens.csv");
    let row = citizens.iter().find(|row| !row["password_hash"].is_empty()).unwrap();
    let (name, right) = (row["username"].as_str(), format!("Hue-{}", row["account_id"]));

    // A wrong password, an unknown name and an account without a password get the same words and status.
    let none = citizens.iter().find(|row| row["password_hash"].is_empty()).unwrap();
    let mut wrong = Vec::new();
    for (name, password) in [(name, "x"), ("nobody-at-all", "x"), (none["username"].as_str(), "x")] {
        let typed = [("username", name), ("password", password)];
        let page = unhurried(site.post("/sign-in", "", &typed)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.says("sign-in-wrong") && !page.headers.contains_key(header::SET_COOKIE));
        assert!(page.text.contains("Mã: S-422"), "{}", page.text);
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
        crate::security::password::is_current(hash) && crate::security::password::verify(&right, hash),
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
    assert!(home.text.contains("***") && !home.text.contains("+84"), "{}", home.text);
    let this = home.text.matches("(thiết bị này)").count();
    assert!(
        this == 1 && home.text.matches("<td").count() == 4,
        "one of two sessions: {}",
        home.text
    );
    let missing = site.get("/no-such-page", &cookie).await;
    assert!(missing.says("missing-title") && missing.says("page-first") && missing.text.contains("Mã: S-404"));
    assert!(!missing.says("page-wrong"), "nothing to mend: {}", missing.text);
    let out = site.post("/sign-out", &cookie, &[]).await;
    assert!(site.get(out.goes_to(), "").await.says("sign-in-why-out"));
    assert_eq!(site.get("/", &cookie).await.goes_to(), "/sign-in");
    site.store.seal().await.unwrap();
    assert_eq!(site.store.verify(&mut |_| {}).await.unwrap().faults, []);
}

/// "Throttling that cannot lock out somebody else": attempts are counted per name and address.
#[tokio::test(flavor = "multi_thread")]
async fn failed_sign_ins_block_only_their_address() {
    let site = Site::sample().await;
    let row = rows("citizens.csv")
        .into_iter()
        .find(|row| !row["password_hash"].is_empty())
        .unwrap();
    let right = format!("Hue-{}", row["account_id"]);
    let enter = async |from: [u8; 4], password: &str| {
        let typed = [("username", row["username"].as_str()), ("password", password)];
        site.post_from(from, "/sign-in", "", &typed).await
    };
    for _ in 0..10 {
        assert!(enter([192, 0, 2, 1], "x").await.says("sign-in-wrong"));
    }
    let refused = enter([192, 0, 2, 1], &right).await;
    assert!(refused.status == StatusCode::TOO_MANY_REQUESTS && refused.says("sign-in-too-often"));
    assert_eq!(enter([192, 0, 2, 2], &right).await.goes_to(), "/");
    site.clock.0.fetch_add(900 * 1_000_000, Ordering::SeqCst);
    assert_eq!(enter([192, 0, 2, 1], &right).await.goes_to(), "/");
}

/// The form keeps what was typed, and limits the attempts.
#[tokio::test(flavor = "multi_thread")]
async fn form_keeps_typed_values_and_limits_attempts() {
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
    assert!(page.says("form-no-phone") && page.text.contains("Mã: C2-M1"));

    let wrong = [
        ("full_name", "Lê An"),
        ("national_id", "046090000001"),
        ("issued_on", "1/2/2021"),
        ("phone", "0912345678"),
        ("mine", "yes"),
    ];
    for _ in 0..5 {
        assert!(!site.get("/form", &cookie).await.says("form-too-often"));
        let page = site.form(&cookie, &wrong).await;
        assert!(page.says("form-differs") && page.text.contains("Mã: C2-M3"));
    }
    for page in [
        site.post("/form", &cookie, &wrong).await,
        site.get("/form", &cookie).await,
    ] {
        assert!(page.status == StatusCode::TOO_MANY_REQUESTS && page.says("form-too-often"));
        assert!(page.text.contains("Mã: S-429"), "{}", page.text);
    }
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

/// A hold ends the session, and the owner of the held account reads the reason.
#[tokio::test(flavor = "multi_thread")]
async fn hold_ends_session_and_held_page_shows_reason() {
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
        site.form(&cookie, &[all.as_slice(), &[("mine", "yes")]].concat()).await;
    }
    assert_eq!(
        site.get("/", &cookie).await.goes_to(),
        "/sign-in",
        "the hold ended the session"
    );
    let held = site.signed_in(&form["account_id"]).await;
    assert_eq!(site.get("/", &held).await.goes_to(), "/held");
    let why = site.get("/held", &held).await;
    assert!(why.says("held-title") && why.says("hold-duplicate") && why.says("again-duplicate"));
    assert!(!why.text.contains(&form["national_id"]), "numbers are masked");
    let holder = site
        .store
        .account_explanation(&form["account_id"], site.store.today())
        .await
        .unwrap();
    let holder = holder
        .holds
        .iter()
        .find_map(|held| held.hold.evidence.get("claim_of"))
        .unwrap();
    assert!(!why.text.contains(holder), "the other account may be a stranger's");
}

/// Forms from other sites are refused, and no link leads to another site.
#[tokio::test(flavor = "multi_thread")]
async fn cross_site_forms_and_open_redirects_are_refused() {
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
    for (name, _) in crate::middleware::headers::FOR_BROWSERS {
        assert!(english.headers.contains_key(&name), "{name}");
    }
}

/// Two accounts share one user name and one password, and there is no registry.
#[tokio::test(flavor = "multi_thread")]
async fn account_picked_after_sign_in_and_form_stays_pending() {
    let dir = tempfile::tempdir().unwrap();
    let citizens = dir.path().join("citizens.csv");
    let hash = crate::security::password::hashed("one password", &[1; 16]).unwrap();
    let head = "account_id,username,display_name,national_id,phone,email,unit,created_on,last_sign_in_on,password_hash";
    let row = |id: &str| format!("{id},shared,,,,,,,,\"{hash}\"");
    std::fs::write(&citizens, [head, &row("C1"), &row("C2"), ""].join("\n")).unwrap();
    let site = Site::of([("units", fixtures("sample").join("units.csv")), ("citizens", citizens)]).await;

    let shared = [("username", "shared"), ("password", "one password")];
    let page = site.post("/sign-in", "", &shared).await;
    assert!(page.says("choose-title") && !page.signs_in());
    let browser = page.cookie();
    let tickets: Vec<&str> = page
        .text
        .split("value=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(tickets.len(), 2);
    let pick = async |browser: &str, ticket: &str| site.post("/sign-in/account", browser, &[("ticket", ticket)]).await;
    for (browser, forged) in [
        (&*browser, ""),
        (&browser, "C1"),
        (&browser, "C1.1"),
        (&browser, tickets[1].split_once('.').unwrap().1),
        ("", tickets[1]),
        ("__Host-ngomon-code=another", tickets[1]),
    ] {
        let refused = pick(browser, forged).await;
        assert!(refused.says("sign-in-again") && !refused.signs_in(), "{forged}");
    }
    let entered = pick(&browser, tickets[1]).await;
    assert!(entered.signs_in());
    let cookie = entered.cookie();
    for used in &tickets {
        assert!(pick(&browser, used).await.says("sign-in-again"), "used");
    }
    let late = site.post("/sign-in", "", &shared).await;
    site.clock.0.fetch_add(301_000_000, Ordering::SeqCst);
    let text = late.text.split("value=\"").nth(1).unwrap();
    let ticket = text.split('"').next().unwrap();
    assert!(pick(&late.cookie(), ticket).await.says("sign-in-again"), "late");
    let cookie = match site.get("/", &cookie).await.goes_to() {
        "/form" => cookie,
        elsewhere => panic!("{elsewhere}"),
    };

    let form = [
        ("full_name", "Lê An"),
        ("national_id", "046090000001"),
        ("issued_on", "1/2/2021"),
        ("phone", "0912345678"),
    ];
    let page = site.form(&cookie, &form).await;
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
            .account_explanation("C1", site.store.today())
            .await
            .unwrap()
            .fact("last_form"),
        None
    );
}

/// A right form: the first one of the sample whose answer is `standardised`.
pub fn right_form() -> (String, [(&'static str, String); 4]) {
    let keys = rows("expected/outcomes.csv").into_iter();
    let (form, _) = rows("submissions.csv")
        .into_iter()
        .zip(keys)
        .find(|(_, key)| key["outcome"] == "standardised")
        .unwrap();
    let fields = ["full_name", "national_id", "issued_on", "phone"].map(|name| (name, form[name].clone()));
    (form["account_id"].clone(), fields)
}

pub fn lent<'a>(fields: &'a [(&'static str, String); 4], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
    fields.chain(more.iter().copied()).collect()
}

/// The code is the last step of the form, and valid for this form only.
#[tokio::test(flavor = "multi_thread")]
async fn form_code_valid_for_its_form_and_browser_only() {
    let site = Site::sample().await;
    let (account, fields) = right_form();
    let cookie = site.signed_in(&account).await;
    let sent = site.post("/form", &cookie, &lent(&fields, &[("mine", "yes")])).await;
    assert_eq!(sent.goes_to(), "/form/code");
    let message = &site.store.messages(9).await.unwrap()[0];
    assert!(message.text.is_ascii() && message.text.len() <= 160 && message.channel == "sms");
    let asks = site.get("/form/code", &cookie).await;
    assert!(!asks.text.contains(&message.to), "the number is masked");

    let code = site.code().await;
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let page = site.post("/form/code", &cookie, &[("code", wrong)]).await;
    assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.text.contains("code-error"));
    // The code is not valid in another browser of the same owner.
    let elsewhere = site.signed_in(&account).await;
    assert!(
        site.post("/form/code", &elsewhere, &[("code", &code)])
            .await
            .says("code-over")
    );
    // A draft that was replaced meanwhile is not proven by the previous draft's code.
    let other = ngomon_rules::records::Form {
        full_name: "Lê An".into(),
        national_id: "046090000001".into(),
        issued_on: "1/2/2021".into(),
        phone: "0912345678".into(),
    };
    site.store
        .keep_draft(&AccountId(account.clone()), &other)
        .await
        .unwrap();
    let page = site.post("/form/code", &cookie, &[("code", &code)]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);

    // Too late, and too often.
    site.post("/form", &cookie, &lent(&fields, &[("mine", "yes")])).await;
    let late = site.code().await;
    site.clock.0.fetch_add(301_000_000, Ordering::SeqCst);
    assert!(
        site.post("/form/code", &cookie, &[("code", &late)])
            .await
            .says("code-over")
    );
    site.post("/form/code/again", &cookie, &[]).await;
    let good = site.code().await;
    for _ in 0..5 {
        site.post("/form/code", &cookie, &[("code", "12")]).await;
    }
    assert!(
        site.post("/form/code", &cookie, &[("code", &good)])
            .await
            .says("code-over")
    );
    assert!(
        site.get("/", &cookie).await.goes_to() == "/form",
        "nothing was answered yet"
    );

    site.post("/form/code/again", &cookie, &[]).await;
    let done = site.post("/form/code", &cookie, &[("code", &site.code().await)]).await;
    assert!(done.says("answer-standardised-title"), "{}", done.text);
    let explanation = site
        .store
        .account_explanation(&account, site.store.today())
        .await
        .unwrap();
    let notices: Vec<_> = explanation
        .history
        .iter()
        .filter_map(|entry| match entry.change {
            ngomon_rules::event::Change::FormAnswered { notice, .. } => Some(notice),
            _ => None,
        })
        .collect();
    assert_eq!(notices, [Some(1)], "the privacy notice that was shown is recorded");
    assert_eq!(site.get("/form/code", &cookie).await.goes_to(), "/form");
    site.store.seal().await.unwrap();
    assert_eq!(site.store.verify(&mut |_| {}).await.unwrap().faults, []);
}

/// Which fields differ is revealed only to the owner of the phone in the registry.
#[tokio::test(flavor = "multi_thread")]
async fn differing_fields_named_only_to_registry_phone() {
    let site = Site::sample().await;
    let (account, mut fields) = right_form();
    let cookie = site.signed_in(&account).await;
    let right = fields.clone();
    fields[2].1 = "1/1/2001".into();
    let differs = site.form(&cookie, &lent(&fields, &[("mine", "yes")])).await;
    assert!(differs.says("form-differs") && differs.says("form-fields-ask"));
    assert!(!differs.text.contains("issued_on-error"), "which one is not said");
    let sent = async || site.store.messages(99).await.unwrap().len();
    let before = sent().await;
    assert_eq!(site.post("/form/fields", &cookie, &[]).await.goes_to(), "/form/fields");
    let asks = site.get("/form/fields", &cookie).await;
    assert_eq!(sent().await, before + 1);
    let page = site
        .post("/form/fields/code", &cookie, &[("code", &site.code().await)])
        .await;
    assert!(page.text.contains("issued_on-error") && !page.text.contains("phone-error"));
    assert!(page.text.contains("1/1/2001"), "what was typed is kept");

    // A number that the registry does not have gets the same answer, and no message is sent.
    fields[1].1 = "046090000001".into();
    let nobody = site.form(&cookie, &lent(&fields, &[("mine", "yes")])).await;
    assert!(nobody.says("form-differs") && nobody.says("form-fields-ask"));
    let before = sent().await;
    site.post("/form/fields", &cookie, &[]).await;
    assert_eq!(site.get("/form/fields", &cookie).await.text, asks.text);
    assert_eq!(sent().await, before, "nothing more was sent");
    let page = site.post("/form/fields/code", &cookie, &[("code", "123456")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        site.form(&cookie, &lent(&right, &[("mine", "yes")]))
            .await
            .says("answer-standardised-title")
    );
}

/// What was typed survives the expiry of the session for half an hour.
#[tokio::test(flavor = "multi_thread")]
async fn form_draft_survives_session_expiry() {
    let site = Site::sample().await;
    let (account, fields) = right_form();
    let cookie = site.signed_in(&account).await;
    site.clock.0.fetch_add(31 * 60_000_000, Ordering::SeqCst);
    let sent = site.post("/form", &cookie, &lent(&fields, &[])).await;
    assert_eq!(sent.goes_to(), "/sign-in?why=kept");
    assert!(site.get("/sign-in?why=kept", "").await.says("sign-in-why-kept"));
    let stranger = site.signed_in(&rows("citizens.csv")[7]["account_id"]).await;
    let number = &fields[1].1;
    assert!(!site.get("/form", &stranger).await.text.contains(number.as_str()));
    let again = site.signed_in(&account).await;
    assert!(site.get("/form", &again).await.text.contains(number.as_str()));
    site.clock.0.fetch_add(31 * 60_000_000, Ordering::SeqCst);
    let later = site.signed_in(&account).await;
    assert!(
        !site.get("/form", &later).await.text.contains(number.as_str()),
        "half an hour is the longest"
    );
    // Nothing is stored for an unknown session.
    let nobody = site.post("/form", "__Host-ngomon=garbage", &lent(&fields, &[])).await;
    assert_eq!(nobody.goes_to(), "/");
}

/// An account without a password is opened by a one-time code.
#[tokio::test(flavor = "multi_thread")]
async fn account_without_password_signs_in_by_code() {
    let site = Site::sample().await;
    let citizens = rows("citizens.csv");
    let none = citizens
        .iter()
        .find(|row| row["password_hash"].is_empty() && !row["phone"].is_empty() && !row["username"].is_empty())
        .unwrap();
    let with = citizens.iter().find(|row| !row["password_hash"].is_empty()).unwrap();
    let mut pages = Vec::new();
    for name in [none["username"].as_str(), with["username"].as_str(), "nobody-at-all"] {
        let sent = unhurried(site.post("/sign-in/code", "", &[("username", name)])).await;
        assert_eq!(sent.goes_to(), "/sign-in/code/sent");
        let cookie = sent.cookie();
        pages.push(site.get("/sign-in/code/sent", &cookie).await.text);
        let guess = site.post("/sign-in/code/sent", &cookie, &[("code", "1")]).await;
        assert_eq!(guess.status, StatusCode::UNPROCESSABLE_ENTITY);
        pages.push(guess.text);
    }
    assert!(pages[0] == pages[2] && pages[2] == pages[4] && pages[1] == pages[3] && pages[3] == pages[5]);
    assert_eq!(
        site.store.messages(9).await.unwrap().len(),
        1,
        "one account was reached"
    );

    let sent = site.post("/sign-in/code", "", &[("username", &none["username"])]).await;
    let (cookie, code) = (sent.cookie(), site.code().await);
    let foreign = site
        .post("/sign-in/code/sent", "__Host-ngomon-code=other", &[("code", &code)])
        .await;
    assert!(foreign.says("code-over"), "a code is good where it was asked for");
    let entered = site.post("/sign-in/code/sent", &cookie, &[("code", &code)]).await;
    assert_eq!(entered.goes_to(), "/");
    let again = site.post("/sign-in/code/sent", &cookie, &[("code", &code)]).await;
    assert!(again.says("code-over"), "once");
    assert!(site.get("/", &entered.cookie()).await.status.is_redirection());
    for _ in 0..9 {
        site.post("/sign-in/code", "", &[("username", &none["username"])]).await;
    }
    assert!(
        site.store.messages(99).await.unwrap().len() <= 6,
        "codes are not sent without end"
    );
}

/// One address can try neither every name nor every code, and does not use up the codes of one phone.
#[tokio::test(flavor = "multi_thread")]
async fn code_requests_and_entries_limited_per_address() {
    let site = Site::sample().await;
    // Three names with one phone, and without passwords.
    let phone = "+84816877798";
    let family: Vec<_> = rows("citizens.csv")
        .into_iter()
        .filter(|row| row["phone"] == phone)
        .collect();
    let [first, second, third] = [0, 1, 2].map(|n| family[n]["username"].as_str());
    let [here, beside, elsewhere] =
        ["2001:db8:1:2::3", "2001:db8:1:2:4::5", "2001:db8:1:3::3"].map(|at| at.parse::<IpAddr>().unwrap());
    let ask = async |from: IpAddr, name: &str| site.post_from(from, "/sign-in/code", "", &[("username", name)]).await;
    let sent = async || site.store.messages(99).await.unwrap().len();
    for name in [first, second] {
        let asked = join_all([name; 8].map(|name| ask(here, name))).await;
        assert!(asked.iter().all(|page| page.goes_to() == "/sign-in/code/sent"));
    }
    assert_eq!(sent().await, 1, "by whatever name, while it is live");
    for _ in 0..4 {
        site.clock.0.fetch_add(301_000_000, Ordering::SeqCst);
        assert_eq!(ask(here, first).await.goes_to(), "/sign-in/code/sent");
    }
    site.clock.0.fetch_add(301_000_000, Ordering::SeqCst);
    assert_eq!(sent().await, 5);
    assert!(
        ask(beside, first).await.says("code-too-often"),
        "a network is one address"
    );
    assert_eq!(sent().await, 5);
    let mine = ask(elsewhere, first).await.cookie();
    assert_eq!(sent().await, 6, "the owner's own");

    let of_mine = site.code().await;
    let others = ask(here, third).await.cookie();
    let tries = async |counts_as: &str| {
        let times = usize::try_from(OF_ADDRESS.times).unwrap();
        for _ in 0..times {
            site.store.take(&[OF_ADDRESS.of(&[counts_as])]).await.unwrap();
        }
    };
    tries("2001:db8:1:2::").await;
    assert!(ask(here, "nobody-at-all").await.says("code-too-often"));
    let types = async |from: IpAddr, cookie: &str| {
        let typed = [("code", of_mine.as_str())];
        site.post_from(from, "/sign-in/code/sent", cookie, &typed).await
    };
    assert!(types(here, &others).await.says("sign-in-too-often"));
    assert_eq!(types(elsewhere, &mine).await.goes_to(), "/", "nobody else is kept out");
    for (from, counts_as) in [("::ffff:192.0.2.7", "192.0.2.7"), ("192.0.2.8", "192.0.2.8")] {
        tries(counts_as).await;
        assert!(
            ask(from.parse().unwrap(), second).await.says("code-too-often"),
            "{from}"
        );
    }
}

/// "A registry outage never reads as: you are wrong."
#[tokio::test(flavor = "multi_thread")]
async fn unavailable_or_garbled_registry_keeps_form_pending() {
    for mood in ["down", "garbage", "slow"] {
        let site = Site::sample().await;
        let (account, fields) = right_form();
        let number = ngomon_rules::values::NationalId::try_from(fields[1].1.clone()).unwrap();
        site.store.set_sandbox_mood(number, mood).await.unwrap();
        let cookie = site.signed_in(&account).await;
        let page = site.form(&cookie, &lent(&fields, &[("mine", "yes")])).await;
        assert!(page.says("answer-pending-title"), "{mood}: {}", page.text);
        assert!(site.get("/", &cookie).await.says("home-pending"));
        let app = App::new(site.store.clone(), true);
        if mood != "slow" {
            crate::workers::retry_pending_forms(app.clone()).await.unwrap();
            assert!(site.get("/", &cookie).await.says("home-pending"), "still away");
            site.store.set_sandbox_mood(number, "right").await.unwrap();
        }
        crate::workers::retry_pending_forms(app).await.unwrap();
        assert!(site.get("/", &cookie).await.says("home-standardised"), "{mood}");
    }
}

/// The demo's citizens: `HS004` is standardised, and `HS005` states the same number.
pub async fn two_accounts_of_one_number() -> (Site, String) {
    let files = ["units", "registry", "citizens"];
    let site = Site::of(files.map(|table| (table, fixtures("demo").join(format!("{table}.csv"))))).await;
    let first = site.signed_in("HS004").await;
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
    assert!(
        site.form(&first, &lent(&fields, &[]))
            .await
            .says("answer-standardised-title")
    );
    let held = site.signed_in("HS005").await;
    (site, held)
}

/// An owner joins two accounts, and requests a review for the one that stays held.
#[tokio::test(flavor = "multi_thread")]
async fn owner_joins_two_accounts_and_requests_review() {
    let (site, held) = two_accounts_of_one_number().await;
    let page = site.get("/held", &held).await;
    assert!(page.says("held-join") && page.says("held-review"));
    let prove = |username, password| [("username", username), ("password", password)];
    let wrong = site.post("/held/join", &held, &prove("hues004", "x")).await;
    assert!(wrong.says("sign-in-wrong") && wrong.status == StatusCode::UNPROCESSABLE_ENTITY);
    let another = site.post("/held/join", &held, &prove("hues006", "Hue-HS006")).await;
    assert!(another.says("join-another"));
    let choose = site.post("/held/join", &held, &prove("hues004", "Hue-HS004")).await;
    assert!(choose.says("join-choose-title"), "{}", choose.text);
    let ticket = &*choose.ticket();
    for (cookie, ticket, stays) in [(&held, "HS004.password.1.AAAA", "held"), (&held, "", "held")] {
        let page = site
            .post("/held/join/choose", cookie, &[("ticket", ticket), ("stays", stays)])
            .await;
        assert!(page.says("join-late"));
    }
    let elsewhere = site.signed_in("HS005").await;
    let page = site
        .post(
            "/held/join/choose",
            &elsewhere,
            &[("ticket", ticket), ("stays", "held")],
        )
        .await;
    assert!(page.says("join-late"), "good in one browser");
    let nothing = site.post("/held/join/choose", &held, &[("ticket", ticket)]).await;
    assert!(nothing.says("join-choose-empty"));
    let used = [("ticket", ticket), ("stays", "held")];
    assert!(site.post("/held/join/choose", &held, &used).await.says("join-late"));
    let ticket = &*nothing.ticket();
    let done = site
        .post("/held/join/choose", &held, &[("ticket", ticket), ("stays", "held")])
        .await;
    assert!(done.says("join-done-title"), "{}", done.text);
    assert!(site.get("/held", &held).await.says("held-opened"));
    let told = site.store.messages(9).await.unwrap();
    let told: Vec<_> = told
        .iter()
        .filter(|message| message.text.contains("gop tai khoan"))
        .collect();
    assert!(told.len() == 2 && told.iter().all(|m| m.text.is_ascii() && m.text.len() <= 160));

    // The other account is the duplicate now, and its page names the account that stayed.
    let gone = site.signed_in("HS004").await;
    let page = site.get("/held", &gone).await;
    assert!(page.says("hold-joined") && page.text.contains("hues005"));
    assert_eq!(site.post("/held/review", &gone, &[]).await.goes_to(), "/held/review");
    let receipt = site.get("/held/review", &gone).await;
    assert!(receipt.says("review-title") && receipt.text.contains("DH-"));
    site.post("/held/review", &gone, &[]).await;
    let an = site.operator("an").await;
    let list = site.get("/desk/reviews", &an).await;
    assert!(list.text.matches("/desk/account/HS004").count() == 1, "{}", list.text);
    // An account that is not held has none of these pages.
    let open = site.signed_in("HS005").await;
    for path in ["/held", "/held/join", "/held/review", "/held/join/code"] {
        assert_eq!(site.get(path, &open).await.goes_to(), "/", "{path}");
    }
    site.store.seal().await.unwrap();
    assert_eq!(site.store.verify(&mut |_| {}).await.unwrap().faults, []);
}

/// A held official resolves the holds by reviewing the profile or proposing changes to it.
#[tokio::test(flavor = "multi_thread")]
async fn held_official_reviews_and_proposes_own_profile() {
    let files = ["units", "registry", "profiles", "notices", "officials"];
    let site = Site::of(files.map(|table| (table, fixtures("demo").join(format!("{table}.csv"))))).await;
    let run = site.store.reconcile(site.store.today(), "op").await.unwrap();
    site.store.approve_run(&run.run.unwrap(), "op").await.ok();
    let lines = site.store.holds(None, site.store.today()).await.unwrap();
    let only = |reason: &str| {
        let alone = |line: &ngomon_store::HeldLine| line.reasons.iter().map(|r| r.name()).eq([reason]);
        let found = lines.iter().find(|(_, line)| alone(line));
        found.unwrap_or_else(|| panic!("{reason}: {lines:?}")).0.clone()
    };
    let overdue = site.signed_in(&only("review-overdue")).await;
    let page = site.get("/held", &overdue).await;
    assert!(page.says("hold-review-overdue") && page.text.contains("href=\"/profile\""));
    let profile = site.get("/profile", &overdue).await;
    assert!(profile.says("profile-review") && profile.says("own-profile-unit"));
    assert_eq!(site.post("/profile/review", &overdue, &[]).await.goes_to(), "/held");
    assert!(site.get("/held", &overdue).await.says("held-opened"));

    let pending = only("transfer-pending");
    let cookie = site.signed_in(&pending).await;
    let explanation = site.store.explain(&pending, site.store.today()).await.unwrap();
    let unit = explanation.fact("notice_to_unit").unwrap().to_owned();
    let unit = site
        .store
        .units()
        .await
        .unwrap()
        .get(&ngomon_rules::unit::UnitCode(unit))
        .unwrap()
        .name
        .clone();
    assert!(
        site.post("/profile/propose", &cookie, &[])
            .await
            .says("propose-nothing")
    );
    let wrong = [
        ("unit", "Xã Không Có"),
        ("birth_date", "31/2/1980"),
        ("email", "x"),
        ("phone", "113"),
    ];
    let page = site.post("/profile/propose", &cookie, &wrong).await;
    for field in ["unit", "birth_date", "email", "phone"] {
        assert!(page.text.contains(&format!("id=\"{field}-error\"")), "{field}");
    }
    assert!(page.text.contains("Xã Không Có"), "what was typed is kept");
    let sent = site
        .post(
            "/profile/propose",
            &cookie,
            &[("unit", &unit), ("document", "12/QĐ-UBND")],
        )
        .await;
    assert_eq!(sent.goes_to(), "/profile?done=proposed", "{}", sent.text);
    let page = site.get("/profile?done=proposed", &cookie).await;
    assert!(page.says("profile-proposed") && page.says("profile-waiting"));
    let an = site.operator("an").await;
    let list = site.get("/desk/proposals", &an).await;
    assert!(
        list.says("desk-proposal-accept") && list.text.contains(&unit),
        "{}",
        list.text
    );
    let receipt = list.text.split("/desk/proposals/").nth(1).unwrap();
    let decide = format!("/desk/proposals/{}", receipt.split('"').next().unwrap());
    let accepted = site.post(&decide, &an, &[("decide", "accept")]).await;
    assert_eq!(accepted.goes_to(), "/desk/proposals?done=accepted");
    let list = site.get("/desk/proposals?done=accepted", &an).await;
    assert!(list.says("desk-nothing-waits") && list.says("desk-proposal-accepted"));
    let again = site.post(&decide, &an, &[("decide", "accept")]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    let now = site.store.holds(None, site.store.today()).await.unwrap();
    assert!(
        now[&pending].reasons.iter().map(|r| r.name()).eq(["moved"]),
        "{:?}",
        now[&pending]
    );

    // A citizen has no such page, and neither has a visitor without a session.
    let citizens = Site::of([
        ("units", fixtures("demo").join("units.csv")),
        ("citizens", fixtures("demo").join("citizens.csv")),
    ])
    .await;
    let citizen = citizens.signed_in("HS001").await;
    for path in ["/profile", "/profile/propose"] {
        assert_eq!(citizens.get(path, &citizen).await.goes_to(), "/");
        assert_eq!(citizens.get(path, "").await.goes_to(), "/");
    }
    assert_eq!(citizens.post("/profile/review", &citizen, &[]).await.goes_to(), "/");
    site.store.seal().await.unwrap();
    assert_eq!(site.store.verify(&mut |_| {}).await.unwrap().faults, []);
}

/// An owner without a card declares an exemption, and the form is no longer requested.
#[tokio::test(flavor = "multi_thread")]
async fn owner_without_card_declares_exemption() {
    let site = Site::sample().await;
    let (account, fields) = right_form();
    let cookie = site.signed_in(&account).await;
    assert_eq!(site.get("/", &cookie).await.goes_to(), "/form");
    assert!(site.get("/form", &cookie).await.says("exempt-link"));
    let send = async |why: &str, day: &str| {
        site.post("/form/exempt", &cookie, &[("why", why), ("last_day", day)])
            .await
    };
    assert!(send("", "").await.says("exempt-no-why") && send("child", "31/2/2024").await.says("exempt-no-day"));
    let late = send("card-in-the-making", "1/1/2030").await;
    assert!(
        late.says("exempt-bad-day") && late.text.contains("1/1/2030"),
        "what was typed is kept"
    );
    assert!(
        send("card-in-the-making", "15/8/2570").await.says("exempt-bad-day"),
        "a year of the Buddhist calendar gets the range, too"
    );
    assert!(
        send("card-in-the-making", "14/7/2023").await.says("exempt-bad-day"),
        "a day that has passed"
    );
    assert_eq!(send("card-in-the-making", "30/9/2023").await.goes_to(), "/");
    assert!(site.get("/", &cookie).await.says("home-exempt"), "asked no more");
    // A card that arrives before that day is accepted at once.
    assert!(
        site.form(&cookie, &lent(&fields, &[("mine", "yes")]))
            .await
            .says("answer-standardised-title")
    );
    assert!(site.get("/", &cookie).await.says("home-standardised"));
    assert_eq!(
        send("child", "30/9/2023").await.goes_to(),
        "/",
        "whoever has a claim is not exempt"
    );
    site.store.seal().await.unwrap();
    assert_eq!(site.store.verify(&mut |_| {}).await.unwrap().faults, []);
}
