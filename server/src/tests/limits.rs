//! Tests of the rate limits: "Limits stop who is wrong, not who is right": whom they stop, and whom never.

use crate::net::{Proxies, network};
use crate::security::password::Lane;
use crate::sign_in::limits::OF_ADDRESS;
use crate::tests::{App, Site, TestResponse, fixtures, form_to, lent, right_form, router, rows};
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, StatusCode, header};
use ngomon_store::{RateLimit, Requester};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use tower_http::csrf::CsrfLayer;

const OFFICE: [u8; 4] = [192, 0, 2, 1];

/// A citizen of the sample with a password: user name and password.
fn owner() -> (String, String) {
    let mut all = rows("citizens.csv").into_iter();
    let row = all.find(|row| !row["password_hash"].is_empty()).unwrap();
    (row["username"].clone(), format!("Hue-{}", row["account_id"]))
}

impl TestResponse {
    /// All cookies that the answer sets, as the browser returns them.
    fn cookies(&self) -> String {
        let all = self.headers.get_all(header::SET_COOKIE).iter();
        let all = all.map(|set| set.to_str().unwrap().split(';').next().unwrap());
        all.collect::<Vec<_>>().join("; ")
    }
}

impl Site {
    async fn enter(&self, from: impl Into<IpAddr>, browser: &str, name: &str, password: &str) -> TestResponse {
        let typed = [("username", name), ("password", password)];
        self.post_from(from, "/sign-in", browser, &typed).await
    }

    /// Counts failed attempts of strangers from this address, up to `but` below the limit.
    async fn strangers_fail(&self, address: &str, but: i64) {
        for _ in but..OF_ADDRESS.times {
            self.store.take(&[OF_ADDRESS.of(&[address])]).await.unwrap();
        }
    }
}

/// "A whole office behind one NAT must get in": right sign-ins are not counted, not even many at once.
#[tokio::test(flavor = "multi_thread")]
async fn successful_sign_ins_do_not_count_against_limit() {
    let site = Site::sample().await;
    let (name, right) = owner();
    site.strangers_fail("192.0.2.1", 3).await;
    let at_once = (0..6).map(|_| site.enter(OFFICE, "", &name, &right));
    for entered in futures_util::future::join_all(at_once).await {
        assert!(entered.signs_in(), "{}", entered.text);
    }
    for _ in 0..3 {
        assert!(site.enter(OFFICE, "", "nobody-at-all", "x").await.says("sign-in-wrong"));
    }
    let refused = site.enter(OFFICE, "", &name, &right).await;
    assert!(refused.status == StatusCode::TOO_MANY_REQUESTS && refused.says("sign-in-too-often"));
    assert!(
        site.enter([192, 0, 2, 2], "", &name, &right).await.signs_in(),
        "from that address only"
    );
}

/// An attacker with a whole IPv6 network has many addresses, but one count for all of them.
#[tokio::test(flavor = "multi_thread")]
async fn ipv6_network_shares_one_sign_in_limit() {
    let site = Site::sample().await;
    let (name, right) = owner();
    let from = |text: &str| text.parse::<IpAddr>().unwrap();
    let of_network = RateLimit {
        what: "sign-in-network",
        times: 3_000,
        seconds: 900,
    };
    let fail = || async { site.store.attempt(of_network, &["2001:db8:1::/48"]).await.unwrap() };
    futures_util::future::join_all((1..of_network.times).map(|_| fail())).await;
    assert!(
        site.enter(from("2001:db8:1:2::3"), "", &name, &right).await.signs_in(),
        "one is left"
    );
    assert_eq!(fail().await, Some(0));
    let refused = site.enter(from("2001:db8:1:4::5"), "", &name, &right).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        site.enter(from("2001:db8:2::3"), "", &name, &right).await.signs_in(),
        "of that network only"
    );
}

/// Strangers who try the same name wait for one another, wherever they are: the time of all of them reveals nothing about what
/// is hashed.
#[tokio::test]
async fn strangers_at_one_name_wait_for_each_other() {
    let lane = |address: &str| {
        let who = Requester::Stranger(address.to_owned());
        async move { Lane::enter(&who, "a name that two try", false).await }
    };
    let first = lane("192.0.2.111").await;
    let mut second = std::pin::pin!(lane("192.0.2.112"));
    tokio::select! {
        biased;
        _ = &mut second => panic!("both at once"),
        () = std::future::ready(()) => {}
    }
    drop(first);
    second.await;
}

/// A browser in which the owner signed in before has its own count, at any address, until the password changes.
#[tokio::test(flavor = "multi_thread")]
async fn known_browser_has_own_sign_in_limit() {
    let site = Site::sample().await;
    let (name, right) = owner();
    let entered = site.enter(OFFICE, "", &name, &right).await;
    let set = entered.headers.get_all(header::SET_COOKIE).iter().nth(1).unwrap();
    let set = set.to_str().unwrap();
    for word in [
        "__Host-ngomon-browser=",
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
        "Path=/",
        "Max-Age=",
    ] {
        assert!(set.contains(word), "{set}");
    }
    let browser = set.split(';').next().unwrap();
    site.post("/sign-out", &entered.cookies(), &[]).await;
    // Use up the limit of the name and that of the address.
    for _ in 0..10 {
        assert!(site.enter(OFFICE, "", &name, "x").await.says("sign-in-wrong"));
    }
    site.strangers_fail("192.0.2.1", 0).await;
    assert!(site.enter(OFFICE, "", &name, &right).await.says("sign-in-too-often"));
    let known = site.enter(OFFICE, browser, &name, &right).await;
    assert!(known.signs_in(), "{}", known.text);
    assert!(known.cookies().contains(browser), "it stays the same");
    // The browser is not known for another owner's name.
    let other = rows("citizens.csv")
        .into_iter()
        .filter(|row| !row["password_hash"].is_empty())
        .nth(1)
        .unwrap();
    let (others_name, others) = (&other["username"], format!("Hue-{}", other["account_id"]));
    assert!(
        site.enter(OFFICE, browser, others_name, &others)
            .await
            .says("sign-in-too-often")
    );
    // The browser's own wrong attempts stop it, and nobody else.
    for _ in 0..10 {
        assert!(site.enter(OFFICE, browser, &name, "x").await.says("sign-in-wrong"));
    }
    assert!(
        site.enter(OFFICE, browser, &name, &right)
            .await
            .says("sign-in-too-often")
    );
    assert!(site.enter([192, 0, 2, 2], "", &name, &right).await.signs_in());
}

/// Two owners who share a browser are both known in it.
#[tokio::test(flavor = "multi_thread")]
async fn shared_browser_known_for_both_owners() {
    let site = Site::sample().await;
    let all: Vec<_> = rows("citizens.csv")
        .into_iter()
        .filter(|row| !row["password_hash"].is_empty())
        .take(2)
        .collect();
    let mut browser = String::new();
    for row in &all {
        let entered = site
            .enter(
                OFFICE,
                &browser,
                &row["username"],
                &format!("Hue-{}", row["account_id"]),
            )
            .await;
        browser = entered
            .cookies()
            .split("; ")
            .find(|one| one.contains("browser"))
            .unwrap()
            .to_owned();
    }
    site.strangers_fail("192.0.2.1", 0).await;
    for row in &all {
        let right = format!("Hue-{}", row["account_id"]);
        assert!(site.enter(OFFICE, &browser, &row["username"], &right).await.signs_in());
    }
}

/// An attacker with the operator's password uses up the five attempts of strangers; a browser in which the operator signed in
/// before is not stopped.
#[tokio::test(flavor = "multi_thread")]
async fn known_browser_of_operator_has_own_code_limit() {
    let site = Site::bare().await;
    let (authenticator, _) = site.enrolled("an").await;
    let asked = site.password("an").await;
    let code = authenticator.code(site.store.now());
    let entered = site.second_factor(&asked, &code).await;
    let browser = entered
        .cookies()
        .split("; ")
        .find(|one| one.contains("browser"))
        .unwrap()
        .to_owned();
    let mut asked = site.password("an").await;
    for _ in 0..5 {
        asked = site.second_factor(&asked, "no code").await;
    }
    site.move_on(60);
    let right = authenticator.code(site.store.now());
    assert!(site.second_factor(&asked, &right).await.says("second-factor-too-often"));
    let asked = site.password("an").await;
    let both = format!("{}; {browser}", asked.cookie());
    let typed = [("ticket", &*asked.ticket()), ("code", &right)];
    let entered = site.post("/sign-in/second-factor", &both, &typed).await;
    assert_eq!(entered.goes_to(), "/desk");
}

/// "The address is the client's, as proxies that are trusted by setting tell it."
#[tokio::test(flavor = "multi_thread")]
async fn clients_behind_trusted_proxy_counted_separately() {
    let site = Site::sample().await;
    let mut app = App::new(site.store.clone(), true);
    app.proxies = Proxies::new(&[network("10.1.0.0/16").unwrap()]);
    let site = Site {
        router: router(app, CsrfLayer::new()),
        ..site
    };
    let (name, right) = owner();
    let through = async |proxy: [u8; 4], told: &str, password: &str| {
        let typed = [("username", name.as_str()), ("password", password)];
        let mut request = form_to("/sign-in", "", &typed);
        let address = SocketAddr::new(proxy.into(), 1);
        request.extensions_mut().insert(ConnectInfo(address));
        let told = HeaderValue::from_str(told).unwrap();
        request.headers_mut().insert("x-forwarded-for", told);
        site.ask(request).await
    };
    let proxy = [10, 1, 0, 1];
    site.strangers_fail("192.0.2.9", 0).await;
    assert!(through(proxy, "192.0.2.9", &right).await.says("sign-in-too-often"));
    assert!(
        through(proxy, "192.0.2.1, 192.0.2.9", &right)
            .await
            .says("sign-in-too-often"),
        "what the client wrote itself is not believed"
    );
    assert!(
        through(proxy, "192.0.2.1", &right).await.signs_in(),
        "the whole province is not one"
    );
    assert!(
        through([192, 0, 2, 9], "192.0.2.1", &right)
            .await
            .says("sign-in-too-often"),
        "nor does whoever is no proxy say where it is"
    );
}

/// Four accounts that submit wrong forms with another person's number do not stop that person's own account.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_forms_of_others_do_not_block_stated_number() {
    let site = Site::sample().await;
    let (account, fields) = right_form();
    // Each account proves a phone of its own, which is not the person's.
    let wrong: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| match *name {
            "issued_on" => (*name, "1/2/2001"),
            "phone" => (*name, "0912345678"),
            _ => (*name, value.as_str()),
        })
        .chain([("mine", "yes")])
        .collect();
    let others: Vec<_> = rows("citizens.csv")
        .into_iter()
        .filter(|row| row["account_id"] != account)
        .collect();
    let mut guessers = 0;
    for row in others.iter().filter(|row| row["national_id"].is_empty()) {
        let cookie = site.signed_in(&row["account_id"]).await;
        let page = site.form(&cookie, &wrong).await;
        if page.says("form-too-often") {
            break;
        }
        guessers += u32::from(page.says("form-differs"));
        assert!(guessers <= 20);
    }
    assert_eq!(guessers, 20, "all of them together");
    let cookie = site.signed_in(&account).await;
    let stated = rows("citizens.csv")
        .into_iter()
        .find(|row| row["account_id"] == account)
        .unwrap();
    assert_eq!(stated["national_id"], fields[1].1, "the account came with the number");
    let page = site.form(&cookie, &lent(&fields, &[("mine", "yes")])).await;
    assert!(page.says("answer-standardised-title"), "{}", page.text);
}

/// An account imported without a number is not stopped by others' wrong forms, once its owner proves the phone that the
/// registry has for the number.
#[tokio::test(flavor = "multi_thread")]
async fn proven_registry_phone_bypasses_limit_of_strangers() {
    let site = Site::sample().await;
    let (of_person, right) = right_form();
    let mut nameless = rows("citizens.csv")
        .into_iter()
        .filter(|row| row["account_id"] != of_person && row["national_id"].is_empty() && row["phone"] != right[3].1);
    let owner = nameless.next().unwrap()["account_id"].clone();
    let mut wrong = right.clone();
    wrong[2].1 = "1/2/2001".into();
    wrong[3].1 = "0912345678".into();
    let mut stopped = false;
    for row in nameless.take(21) {
        let cookie = site.signed_in(&row["account_id"]).await;
        stopped = site
            .form(&cookie, &lent(&wrong, &[("mine", "yes")]))
            .await
            .says("form-too-often");
    }
    assert!(stopped, "twenty tries of all strangers together");
    let cookie = site.signed_in(&owner).await;
    // A wrong day of issue gets the usual answer, and the others' attempts do not count.
    let mut almost = right.clone();
    almost[2].1 = "1/2/2001".into();
    let page = site.form(&cookie, &lent(&almost, &[("mine", "yes")])).await;
    assert!(page.says("form-differs"), "{}", page.text);
    for _ in 0..6 {
        assert_eq!(site.post("/form/fields", &cookie, &[]).await.goes_to(), "/form/fields");
    }
    let page = site.form(&cookie, &lent(&right, &[("mine", "yes")])).await;
    assert!(page.says("answer-standardised-title"), "{}", page.text);
}

/// A right form is no attempt, and neither is one while the registry is unreachable.
#[tokio::test(flavor = "multi_thread")]
async fn registry_outage_uses_no_form_attempt() {
    let site = Site::sample().await;
    let (account, fields) = right_form();
    let number = ngomon_rules::values::NationalId::try_from(fields[1].1.clone()).unwrap();
    let cookie = site.signed_in(&account).await;
    site.store.set_sandbox_mood(number, "down").await.unwrap();
    for _ in 0..8 {
        let page = site.post("/form", &cookie, &lent(&fields, &[("mine", "yes")])).await;
        assert_eq!(page.goes_to(), "/form/code");
    }
    let wrong: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert!(!site.post("/form", &cookie, &wrong).await.says("form-too-often"));
}

/// S4: hourly requests from two other addresses do not keep the owner from a code.
#[tokio::test(flavor = "multi_thread")]
async fn code_requests_of_strangers_do_not_block_owner() {
    let site = Site::sample().await;
    let row = rows("citizens.csv");
    let row = row
        .iter()
        .find(|row| row["password_hash"].is_empty() && !row["phone"].is_empty())
        .unwrap();
    let name = [("username", row["username"].as_str())];
    for hour in 0..3 {
        for address in [1, 2, 3, 4] {
            for _ in 0..10 {
                site.post_from([127, 0, 1, address], "/sign-in/code", "", &name).await;
            }
        }
        let sent = site.store.messages(999).await.unwrap().len();
        assert!(sent <= 2 * (hour + 1), "{sent} messages");
        let mine = site.post_from([192, 0, 2, 9], "/sign-in/code", "", &name).await;
        let typed = [("code", &*site.code().await)];
        let entered = site
            .post_from([192, 0, 2, 9], "/sign-in/code/sent", &mine.cookie(), &typed)
            .await;
        assert!(entered.signs_in() || entered.says("choose-title"), "{}", entered.text);
        site.clock.0.fetch_add(3_600_000_000, Ordering::SeqCst);
    }
}

/// "A page that cannot keep one signed in": over plain http, under another name than this machine's, the page says so.
#[tokio::test(flavor = "multi_thread")]
async fn sign_in_page_warns_over_plain_http() {
    let site = Site::sample().await;
    let page = async |host: &str, told: Option<&str>| {
        let mut request = axum::http::Request::get("/sign-in").header(header::HOST, host);
        if let Some(told) = told {
            request = request.header("x-forwarded-proto", told);
        }
        let page = site.ask(request.body(axum::body::Body::empty()).unwrap()).await;
        page.says("sign-in-insecure")
    };
    for host in ["localhost:8080", "127.0.0.1", "[::1]:8080"] {
        assert!(!page(host, None).await, "{host}");
    }
    assert!(page("hue.lan:18022", None).await && page("192.168.1.5", None).await);
    assert!(!page("hue.lan", Some("https")).await);
    let site = site.at_address("https://id.hue.example");
    let page = site.get("/sign-in", "").await;
    assert!(!page.says("sign-in-insecure"));
    assert!(
        page.headers[header::STRICT_TRANSPORT_SECURITY]
            .to_str()
            .unwrap()
            .starts_with("max-age=")
    );
}

/// Imported hashes are wrapped by our scheme in the background. The same passwords stay right, and the next sign-in replaces
/// the wrapped hash by our own.
#[tokio::test(flavor = "multi_thread")]
async fn old_hashes_are_wrapped_in_the_background() {
    // Few hashes, but of every scheme: other tests of this process sign in meanwhile, and then only one step in ten hashes
    // anything.
    let dir = tempfile::tempdir().unwrap();
    let citizens = dir.path().join("citizens.csv");
    let whole = std::fs::read_to_string(fixtures("sample").join("citizens.csv")).unwrap();
    let cheap = whole.lines().skip(40).filter(|line| line.contains("{SSHA")).take(10);
    let few: Vec<&str> = whole.lines().take(40).chain(cheap).collect();
    std::fs::write(&citizens, few.join("\n")).unwrap();
    let site = Site::of([("units", fixtures("sample").join("units.csv")), ("citizens", citizens)]).await;
    let app = App::new(site.store.clone(), true);
    let old = async || {
        let mut old = Vec::new();
        let mut at = String::new();
        loop {
            let next = site.store.credentials_after(&at, 500).await.unwrap();
            let Some(last) = next.last() else { break };
            at = last.account.to_string();
            old.extend(next.into_iter().filter_map(|one| one.password_hash));
        }
        old
    };
    let before = old().await;
    assert!(
        before.iter().any(|hash| hash.starts_with("{SSHA")),
        "there are cheap ones"
    );
    let wrapping = crate::workers::hash_wrapping::Wrapping::default();
    while old()
        .await
        .iter()
        .any(|hash| !hash.contains("$argon2id$v=19$m=19456,t=2,p=1$"))
    {
        wrapping.step(&app).await.unwrap();
    }
    let after = old().await;
    assert_eq!(after.len(), before.len());
    for hash in before.iter().filter(|hash| hash.starts_with("{SSHA")) {
        assert!(
            !after.iter().any(|new| new.contains(&hash[..20])),
            "nothing of it is kept"
        );
    }
    let (name, right) = owner();
    assert!(site.enter(OFFICE, "", &name, "x").await.says("sign-in-wrong"));
    assert!(site.enter(OFFICE, "", &name, &right).await.signs_in());
    let kept = site.store.credentials(&name).await.unwrap();
    let account = right.trim_start_matches("Hue-");
    let own = kept.iter().find(|one| one.account.as_str() == account).unwrap();
    assert!(crate::security::password::is_current(
        own.password_hash.as_deref().unwrap()
    ));
    site.store.seal().await.unwrap();
    assert_eq!(site.store.verify(&mut |_| {}).await.unwrap().faults, []);
}

/// S8: the other account of a join is checked like a sign-in, in the same minimum time for any name.
#[tokio::test(flavor = "multi_thread")]
async fn join_check_takes_same_time_for_any_name() {
    let (site, held) = super::two_accounts_of_one_number().await;
    for (name, password) in [("hues004", "x"), ("nobody-at-all", "x"), ("hues006", "Hue-HS006")] {
        let typed = [("username", name), ("password", password)];
        let page = super::unhurried(site.post("/held/join", &held, &typed)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

/// S9: an attacker with the keys, but without the database, cannot forge a step of a sign-in, because a step is a row.
#[tokio::test(flavor = "multi_thread")]
async fn sign_in_ticket_forged_with_keys_alone_is_refused() {
    let site = Site::sample().await;
    let (_, right) = owner();
    let account = right.trim_start_matches("Hue-");
    let until = site.store.now().as_second() + 299;
    let browser = "__Host-ngomon-code=mine";
    for step in ["sign-in-choice", "sign-in-choice-by-device", "sign-in-code", "reset"] {
        let parts: [&[u8]; 3] = [step.as_bytes(), account.as_bytes(), &until.to_be_bytes()];
        let mac = site.store.keys().mac(&parts);
        let mac: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        for ticket in [format!("{account}.{until}.{mac}"), format!("{mac}.0"), mac.clone()] {
            for path in ["/sign-in/account", "/sign-in/second-factor", "/sign-in/reset/password"] {
                let new = "một mật khẩu mới khác";
                let sent = [("ticket", &*ticket), ("code", "1"), ("password", new), ("again", new)];
                let page = site.post(path, browser, &sent).await;
                assert!(page.says("sign-in-again") && !page.signs_in(), "{step} {path}");
            }
        }
    }
}
