//! The desk, asked as browsers ask it: by operators, and by everybody else.

use crate::authenticator::Authenticator;
use crate::web::tests::{Answered, Site, fixtures, rows, vietnamese};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use ngomon_rules::citizens::Proof;
use ngomon_rules::record::{AccountId, Form, Submission};
use ngomon_store::{Order, Visit};
use std::sync::atomic::Ordering;

const PASSWORD: &str = "mười hai ký tự";

impl Site {
    /// With nobody in it yet.
    async fn bare() -> Self {
        Self::of([("units", fixtures("sample").join("units.csv"))]).await
    }

    /// With the citizens of the sample.
    async fn citizens() -> Self {
        let tables = ["units", "registry", "citizens"];
        Self::of(tables.map(|table| (table, fixtures("sample").join(format!("{table}.csv"))))).await
    }

    /// A link for a new operator, and what the authenticator would be given.
    async fn link(&self, name: &str) -> (String, Authenticator) {
        let link = self.store.add_operator(name, "test").await.unwrap();
        let secret = self.store.enrolment(&link).await.unwrap().unwrap().totp_secret;
        (format!("/enrol/{link}"), Authenticator::new(name, &secret))
    }

    /// An operator who has enrolled, and their recovery codes.
    async fn enrolled(&self, name: &str) -> (Authenticator, Vec<String>) {
        let (link, authenticator) = self.link(name).await;
        let hash = crate::password::hashed(PASSWORD, &[1; 16]).unwrap();
        let now = self.store.now();
        let step = authenticator.step(&authenticator.code(now), now).unwrap();
        let codes = self.store.enrol(&link["/enrol/".len()..], &hash, step).await.unwrap();
        self.move_on(30);
        (authenticator, codes)
    }

    /// An operator who has enrolled and signed in.
    async fn operator(&self, name: &str) -> String {
        let (authenticator, _) = self.enrolled(name).await;
        let asked = self.password(name).await;
        let code = authenticator.code(self.store.now());
        let entered = self.code(&asked, &code).await;
        assert_eq!(entered.goes_to(), "/desk");
        entered.cookie()
    }

    async fn password(&self, name: &str) -> Answered {
        let typed = [("username", name), ("password", PASSWORD)];
        let asked = self.post("/sign-in", "", &typed).await;
        assert!(asked.says("code-title") && !asked.headers.contains_key(header::SET_COOKIE));
        asked
    }

    async fn code(&self, asked: &Answered, code: &str) -> Answered {
        let ticket = asked.text.split("name=\"ticket\" value=\"").nth(1).unwrap();
        let ticket = ticket.split('"').next().unwrap();
        self.post("/sign-in/code", "", &[("ticket", ticket), ("code", code)])
            .await
    }

    fn move_on(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    async fn sound(&self) {
        self.store.seal().await.unwrap();
        assert_eq!(self.store.verify(&mut |_| {}).await.unwrap().faults, []);
    }

    async fn visit(&self, cookie: &str) -> Option<Visit> {
        let token = cookie.split_once('=').unwrap().1;
        self.store.visit(token).await.unwrap()
    }
}

/// Registry rows whose person no account of the sample stands for yet, with an account that states the number.
fn free() -> Vec<(String, Form)> {
    let sent: Vec<String> = rows("submissions.csv")
        .iter()
        .map(|form| form["account_id"].clone())
        .collect();
    let citizens = rows("citizens.csv");
    let alone = |number: &str| citizens.iter().filter(|row| row["national_id"] == number).count() == 1;
    let registry = rows("registry.csv");
    let active = registry
        .iter()
        .filter(|row| row["status"] == "active" && !row["issued_on"].is_empty() && !row["phone"].is_empty());
    active
        .filter_map(|person| {
            let row = citizens.iter().find(|row| {
                row["national_id"] == person["national_id"] && row["display_name"] == person["full_name"]
            })?;
            (alone(&person["national_id"]) && !sent.contains(&row["account_id"])).then(|| {
                let form = Form {
                    full_name: person["full_name"].clone(),
                    national_id: person["national_id"].clone(),
                    issued_on: person["issued_on"].clone(),
                    phone: person["phone"].clone(),
                };
                (row["account_id"].clone(), form)
            })
        })
        .collect()
}

fn fields(form: &Form) -> [(&str, &str); 4] {
    [
        ("full_name", &form.full_name),
        ("national_id", &form.national_id),
        ("issued_on", &form.issued_on),
        ("phone", &form.phone),
    ]
}

/// Every address of the desk, from the source itself.
fn addresses(account: &str) -> Vec<String> {
    let source = include_str!("mod.rs");
    let found = source
        .split(".route(")
        .skip(1)
        .filter_map(|rest| rest.split('"').nth(1));
    found
        .map(|path| path.replace("{id}", account).replace("{receipt}", "DH-7K3M-42QX"))
        .collect()
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
        .code(&site.password("chi").await, &authenticator.code(site.store.now()))
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
    }
    site.sound().await;
}

impl Site {
    async fn method(&self, method: Method, path: &str, cookie: &str) -> Answered {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header("sec-fetch-site", "same-origin")
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::empty());
        self.ask(request.unwrap()).await
    }
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
    assert!(site.code(&asked, &right).await.says("code-wrong"));
    site.move_on(30);
    let next = code(&site);
    let entered = site.code(&asked, &next).await;
    assert_eq!(entered.goes_to(), "/desk");
    assert!(site.code(&asked, &next).await.says("code-wrong"));
    let cookie = entered.cookie();
    assert!(site.get("/desk", &cookie).await.says("desk-q"));
    assert!(site.get("/", &cookie).await.says("event-enrolled"), "their own history");
    site.move_on(16 * 60);
    assert_eq!(site.get("/desk", &cookie).await.status, StatusCode::NOT_FOUND, "idle");

    // A recovery code, however it is typed, once.
    let recovery = shown[0][..14].to_lowercase().replace('-', " ");
    let asked = site.password("an").await;
    assert_eq!(site.code(&asked, &recovery).await.goes_to(), "/desk");
    assert!(site.code(&asked, &recovery).await.says("code-wrong"));
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
        let page = site.code(&asked, wrong).await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.says("code-wrong"));
    }
    for guess in [wrong, &right] {
        let page = site.code(&asked, guess).await;
        assert!(page.status == StatusCode::TOO_MANY_REQUESTS && page.says("code-too-often"));
        assert!(!page.headers.contains_key(header::SET_COOKIE));
    }
    // Another address, another ticket: the account is what counts. It is open again after a quarter of an hour.
    assert!(
        site.code(&site.password("an").await, &right)
            .await
            .says("code-too-often")
    );
    site.move_on(900);
    let right = authenticator.code(site.store.now());
    assert!(
        site.code(&asked, &right).await.says("sign-in-again"),
        "the ticket is too old"
    );
    let account = AccountId::of_operator("an");
    let other = crate::web::ticket::issue(&site.store, "sign-in-choice", &account);
    let of_nobody = crate::web::ticket::issue(&site.store, "sign-in-code", &AccountId("HS001".into()));
    for (ticket, says) in [
        (other.as_str(), "sign-in-again"),
        ("", "sign-in-again"),
        (&of_nobody, "code-wrong"),
    ] {
        let page = site
            .post("/sign-in/code", "", &[("ticket", ticket), ("code", &right)])
            .await;
        assert!(
            page.says(says) && !page.headers.contains_key(header::SET_COOKIE),
            "{ticket}"
        );
    }
    // A ticket of the step before asks for the code, and opens nothing by itself.
    let chosen = site.post("/sign-in/account", "", &[("ticket", &other)]).await;
    assert!(chosen.says("code-title") && !chosen.headers.contains_key(header::SET_COOKIE));
    assert_eq!(site.code(&chosen, &right).await.goes_to(), "/desk");
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
            site.code(&asked, &code).await.says("code-wrong"),
            "removed between password and code"
        );
    }
    let page = site
        .post("/sign-in", "", &[("username", "an"), ("password", PASSWORD)])
        .await;
    assert!(page.says("sign-in-wrong"));
    site.sound().await;
}

/// Found by what the person knows; what was typed stands in no address; numbers are masked.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_found_and_nothing_is_told_by_the_address() {
    let site = Site::citizens().await;
    let cookie = site.operator("an").await;
    let (account, form) = free().swap_remove(0);
    let empty = site.post("/desk", &cookie, &[("q", " ")]).await;
    assert!(empty.says("desk-no-q"));
    for typed in [&form.national_id, &account] {
        let sent = site.post("/desk", &cookie, &[("q", typed)]).await;
        let to = sent.goes_to().to_owned();
        assert!(to.starts_with("/desk?q=") && !to.contains(typed.as_str()));
        let page = site.get(&to, &cookie).await;
        assert!(page.text.contains(&format!("/desk/account/{account}")), "{}", page.text);
        let list = page.text.split("</form>").last().unwrap();
        assert!(!list.contains(&form.national_id), "masked");
        let other = site.operator(&format!("other{}", to.len())).await;
        assert!(
            !site.get(&to, &other).await.text.contains(&account),
            "sealed for one operator"
        );
    }
    let nobody = site.post("/desk", &cookie, &[("q", "khong-co-ai")]).await;
    assert!(site.get(nobody.goes_to(), &cookie).await.says("desk-found-none"));
    let page = site.get(&format!("/desk/account/{account}"), &cookie).await;
    assert!(page.text.contains(&form.full_name) && page.says("event-taken-over"));
    assert!(!page.text.contains(&form.national_id));
    let unknown = site.get("/desk/account/khong-co", &cookie).await;
    assert!(unknown.status == StatusCode::NOT_FOUND && unknown.says("desk-refused-title"));
}

/// "Assisted standardisation at a counter is not" limited, and the operator is told what differs.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_entered_with_papers_seen() {
    let site = Site::citizens().await;
    let cookie = site.operator("an").await;
    let (account, form) = free().swap_remove(0);
    let path = format!("/desk/account/{account}/form");
    let papers = [("papers", "id-card"), ("papers", "residence")];
    let send =
        async |form: &Form, more: &[(&str, &str)]| site.post(&path, &cookie, &[&fields(form), more].concat()).await;
    assert!(send(&form, &[]).await.says("desk-no-papers"));
    let empty = Form {
        full_name: String::new(),
        ..form.clone()
    };
    assert!(send(&empty, &papers).await.says("form-no-full-name"));
    let stranger = Form {
        full_name: "Trần Văn Khác".into(),
        ..form.clone()
    };
    let page = send(&stranger, &papers).await;
    assert!(
        page.status == StatusCode::OK && page.says("desk-form-theirs"),
        "asked whose it is"
    );
    let near = Form {
        full_name: format!("{}h", form.full_name),
        issued_on: "1/1/2001".into(),
        ..form.clone()
    };
    for _ in 0..8 {
        let page = send(&near, &[&papers[..], &[("mine", "yes")]].concat()).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        let both = vietnamese().say_with("desk-differs-2", &[("fields", "họ và tên, ngày cấp")]);
        let known = vietnamese().say_with("desk-near", &[("name", &form.full_name)]);
        assert!(page.text.contains(&both) && page.text.contains(&known), "{}", page.text);
        assert!(
            page.text.contains("value=\"id-card\" checked"),
            "what was ticked is kept"
        );
    }
    let nobody = Form {
        national_id: "046090999999".into(),
        ..form.clone()
    };
    assert!(send(&nobody, &papers).await.says("desk-not-found"));
    let done = send(&form, &papers).await;
    let to = done.goes_to().to_owned();
    assert!(to.starts_with("/desk/forms/DH-"));
    let answer = site.get(&to, &cookie).await;
    assert!(answer.says("desk-answer-standardised") && answer.says("paper-residence"));
    let page = site.get(&format!("/desk/account/{account}"), &cookie).await;
    assert!(page.text.contains("cán bộ an") && page.says("desk-withdraw-title"));
    assert_eq!(send(&form, &papers).await.status, StatusCode::SEE_OTHER);
    site.sound().await;
}

/// The owner's own form first, on the wrong account; then the papers, and a second operator.
#[tokio::test(flavor = "multi_thread")]
async fn two_operators_take_a_claim_over() {
    let site = Site::citizens().await;
    let (an, binh) = (site.operator("an").await, site.operator("binh").await);
    let mut free = free();
    let (account, form) = free.swap_remove(0);
    let (wrong, _) = free.swap_remove(1);
    let submission = Submission {
        seq: String::new(),
        account: AccountId(wrong.clone()),
        form: form.clone(),
        submitted_at: None,
    };
    site.store
        .standardise(&submission, Proof::Form, &wrong, site.store.now())
        .await
        .unwrap();
    let loser = site.signed_in(&wrong).await;

    let path = format!("/desk/account/{account}/form");
    let sent = site
        .post(&path, &an, &[&fields(&form)[..], &[("papers", "id-card")]].concat())
        .await;
    let answer = site.get(sent.goes_to(), &an).await;
    assert!(answer.says("desk-answer-taken") && answer.text.contains(&wrong));
    let receipt = sent.goes_to().rsplit('/').next().unwrap().to_owned();
    let place = format!("/desk/take-overs/{receipt}");
    assert!(answer.text.contains(&place));
    assert!(site.get(&place, &an).await.says("desk-take-over-two"));
    assert!(
        site.post(&format!("{place}/approve"), &binh, &[])
            .await
            .says("desk-refused-title")
    );
    let proposed = site.post(&place, &an, &[]).await;
    assert_eq!(
        proposed.goes_to(),
        format!(
            "{}?done=proposed",
            place.replace('-', "%2D").replacen("take%2Dovers", "take-overs", 1)
        )
    );
    let page = site.get(proposed.goes_to(), &an).await;
    assert!(page.says("desk-done-proposed") && page.says("desk-take-back"));
    assert!(!page.text.contains("/approve"), "not by who proposed it");
    assert!(
        site.post(&format!("{place}/approve"), &an, &[])
            .await
            .says("error-same-operator")
    );

    assert!(site.get("/desk", &binh).await.says("desk-waiting"));
    assert!(site.get("/desk/take-overs", &binh).await.text.contains(&account));
    assert!(site.get(&place, &binh).await.text.contains("/approve"));
    assert!(
        site.post(&format!("{place}/decline"), &binh, &[("reason", "")])
            .await
            .says("desk-no-reason")
    );
    let approved = site.post(&format!("{place}/approve"), &binh, &[]).await;
    assert!(site.get(approved.goes_to(), &binh).await.says("desk-done-approved"));
    let again = site.post(&format!("{place}/approve"), &binh, &[]).await;
    assert!(again.status == StatusCode::CONFLICT && again.says("desk-refused-title"));
    assert_eq!(site.get("/", &loser).await.goes_to(), "/sign-in");
    let history = site.get(&format!("/desk/account/{account}"), &an).await;
    assert!(history.text.contains("theo đề nghị của cán bộ an") && history.text.contains("cán bộ binh"));
    site.sound().await;
}

/// Withdraw, exempt, hold and lift: what is wrong is named, what is done is said after a redirect.
#[tokio::test(flavor = "multi_thread")]
async fn acts_say_what_happens_and_what_happened() {
    let site = Site::citizens().await;
    let cookie = site.operator("an").await;
    let (account, form) = free().swap_remove(0);
    let path = |verb: &str| format!("/desk/account/{account}/{verb}");
    let done = async |answer: Answered, key: &str| {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{key}: {}", answer.text);
        let page = site.get(answer.goes_to(), &cookie).await;
        assert!(page.says(key), "{key}");
        page
    };
    // What the account does not allow is refused, by GET and by POST.
    for verb in ["withdraw", "end-exemption"] {
        for page in [
            site.get(&path(verb), &cookie).await,
            site.post(&path(verb), &cookie, &[("reason", "x")]).await,
        ] {
            assert!(
                page.status == StatusCode::CONFLICT && page.says("desk-refused-title"),
                "{verb}"
            );
        }
    }
    let exempt = async |why: &str, last: &str| {
        site.post(&path("exempt"), &cookie, &[("why", why), ("last_day", last)])
            .await
    };
    for (why, last, says) in [
        ("", "31/12/2023", "desk-no-why"),
        ("child", "", "desk-no-last-day"),
        ("child", "31/2/2023", "desk-bad-last-day"),
        ("child", "14/7/2023", "desk-past-last-day"),
    ] {
        assert!(exempt(why, last).await.says(says), "{says}");
    }
    let late = vietnamese().say_with("desk-late-last-day", &[("day", "15/1/2024")]);
    assert!(exempt("card-in-the-making", "16/1/2024").await.text.contains(&late));
    done(exempt("card-in-the-making", "15/1/2024").await, "desk-done-exempt").await;
    assert!(
        site.get(&path("end-exemption"), &cookie)
            .await
            .text
            .contains("15/1/2024")
    );
    done(
        site.post(&path("end-exemption"), &cookie, &[]).await,
        "desk-done-exempt-ended",
    )
    .await;

    let sent = site
        .post(
            &path("form"),
            &cookie,
            &[&fields(&form)[..], &[("papers", "id-card")]].concat(),
        )
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert!(site.get(&path("exempt"), &cookie).await.says("desk-refused-title"));
    assert!(site.post(&path("withdraw"), &cookie, &[]).await.says("desk-no-reason"));
    let page = done(
        site.post(&path("withdraw"), &cookie, &[("reason", "khai nhầm <máy>")])
            .await,
        "desk-done-withdrawn",
    )
    .await;
    assert!(page.text.contains("khai nhầm &#60;máy&#62;"), "{}", page.text);

    let order = [
        ("ordered_by", "Công an thành phố Huế"),
        ("document", "15/CQĐT"),
        ("text", "để xác minh"),
    ];
    let owner = site.signed_in(&account).await;
    let empty = site.post(&path("hold"), &cookie, &[]).await;
    for key in ["desk-no-ordered-by", "desk-no-document", "desk-no-text"] {
        assert!(empty.says(key), "{key}");
    }
    let held = done(site.post(&path("hold"), &cookie, &order).await, "desk-done-held").await;
    assert_eq!(site.get("/", &owner).await.goes_to(), "/sign-in");
    let visit = site.signed_in(&account).await;
    let why = site.get("/held", &visit).await;
    assert!(
        why.text.contains("Công an thành phố Huế") && why.text.contains("15/CQĐT"),
        "with who asked"
    );
    let again = site.post(&path("hold"), &cookie, &order).await;
    assert!(again.status == StatusCode::CONFLICT && again.text.contains("theo chính văn bản này"));
    let lift = held
        .text
        .split("href=\"")
        .find_map(|rest| rest.split('"').next().filter(|href| href.contains("/lift?")));
    let page = site.get(lift.unwrap(), &cookie).await;
    assert!(page.says("desk-lift-only") && page.text.contains("15/CQĐT"));
    let cause = ("cause", "order:15/CQĐT");
    assert!(site.post(&path("lift"), &cookie, &[cause]).await.says("desk-no-reason"));
    let other = [("cause", "hr"), ("reason", "x")];
    assert_eq!(
        site.post(&path("lift"), &cookie, &other).await.status,
        StatusCode::CONFLICT
    );
    done(
        site.post(&path("lift"), &cookie, &[cause, ("reason", "hết lý do")])
            .await,
        "desk-done-lifted",
    )
    .await;
    assert!(site.get("/held", &visit).await.says("held-opened"));
    site.sound().await;
}

#[test]
fn every_word_of_the_desk_is_there() {
    use ngomon_rules::citizens::{Exemption, Field, Paper};
    let papers = Paper::ALL.map(|paper| format!("paper-{}", paper.name()));
    let exemptions = Exemption::ALL.map(|why| format!("exemption-{}", why.name()));
    let states = ["waiting", "approved", "declined", "lapsed"];
    let states = states.map(|state| [format!("take-over-{state}"), format!("desk-take-over-{state}")]);
    let fields = [Field::FullName, Field::IssuedOn, Field::NationalId, Field::Phone];
    let fields = fields.map(|field| format!("desk-differs-{}", field.name().replace('_', "-")));
    let acts = [
        "form",
        "take-over",
        "withdraw",
        "exempt",
        "end-exemption",
        "hold",
        "lift",
    ];
    let acts = acts.map(|act| ["title", "button"].map(|part| format!("desk-{act}-{part}")));
    let done = [
        "withdrawn",
        "exempt",
        "exempt-ended",
        "held",
        "lifted",
        "proposed",
        "approved",
        "declined",
    ];
    let done = done.map(|what| format!("desk-done-{what}"));
    let all = papers.into_iter().chain(exemptions).chain(fields).chain(done);
    for key in all
        .chain(states.into_iter().flatten())
        .chain(acts.into_iter().flatten())
    {
        assert!(vietnamese().find(&key, &[]).is_some(), "no message {key}");
    }
}
