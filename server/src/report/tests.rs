//! Tests of C7, the digital report: its figures, its permissions and its live updates.

use crate::app::App;
use crate::tests::{Site, TestResponse, fixtures, rows, vietnamese, whole_number};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use ngomon_rules::citizens::Proof;
use ngomon_rules::hold::Reason;
use ngomon_rules::records::{AccountId, Form, Submission};
use ngomon_rules::values::Date;
use ngomon_store::Location;
use ngomon_store::db::Db;
use serde_json::Value;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::Ordering;

const OFFICIAL: &str = "CV000001";

/// The event stream, and the part that was received but not read yet.
struct Stream {
    body: Pin<Box<dyn futures_util::Stream<Item = Result<axum::body::Bytes, axum::Error>> + Send>>,
    rest: String,
}

impl Stream {
    /// The next event. `None` if the stream has ended.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let data = event
                    .strip_prefix("data: ")
                    .map(|data| serde_json::from_str(data).unwrap());
                self.rest = rest.to_owned();
                if data.is_some() {
                    return data;
                }
            } else {
                let more = self.body.next().await?.unwrap();
                self.rest += std::str::from_utf8(&more).unwrap();
            }
        }
    }
}

impl Site {
    fn at(&self, instant: &str) {
        let instant: Timestamp = instant.parse().unwrap();
        self.clock.0.store(instant.as_microsecond(), Ordering::SeqCst);
    }

    async fn stream(&self, unit: &str, cookie: &str) -> Result<Stream, StatusCode> {
        let path = format!("/report/live/{unit}");
        let request = Request::get(path).header(header::COOKIE, cookie).body(Body::empty());
        let response = tower::ServiceExt::oneshot(self.router.clone(), request.unwrap())
            .await
            .unwrap();
        if response.status() != StatusCode::OK {
            return Err(response.status());
        }
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Ok(Stream {
            body: Box::pin(response.into_body().into_data_stream()),
            rest: String::new(),
        })
    }

    /// Submits one of the sample's forms, and returns the outcome.
    async fn submit(&self, form: &std::collections::HashMap<String, String>) -> String {
        let submission = Submission {
            seq: form["seq"].clone(),
            account: AccountId(form["account_id"].clone()),
            form: Form {
                full_name: form["full_name"].clone(),
                national_id: whole_number(&form["national_id"])
                    .map_or_else(|| form["national_id"].clone(), |(_, whole)| whole),
                issued_on: form["issued_on"].clone(),
                phone: form["phone"].clone(),
            },
            submitted_at: Some(form["submitted_at"].parse().unwrap()),
            notice: None,
        };
        let done = self
            .store
            .standardise(&submission, Proof::Form, "owner", self.store.now());
        done.await.unwrap().outcome.name().to_owned()
    }
}

fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// Parses a downloaded file and maps its translated headings to the column names of the commands' output. It also has the
/// units' names and the shares, which the commands do not print.
fn file(page: &TestResponse) -> Vec<BTreeMap<String, String>> {
    let text = page
        .text
        .strip_prefix('\u{feff}')
        .expect("a mark that spreadsheets know");
    let known = [
        "unit",
        "accounts",
        "standardised",
        "pending",
        "refused",
        "held",
        "not_started",
        "exempt",
        "staff",
        "not_done",
    ]
    .into_iter()
    .chain(["reason", "day", "officials", "citizens", "refusals"]);
    let known: BTreeMap<String, &str> = known
        .map(|column| (vietnamese().text(&format!("column-{column}")), column))
        .collect();
    let rows = table(text).into_iter();
    rows.map(|row| {
        assert!(!row.keys().any(|head| head.is_ascii()), "headings in words: {row:?}");
        let cells = row.into_iter();
        cells
            .filter_map(|(head, cell)| Some(((*known.get(&head)?).to_owned(), cell)))
            .collect()
    })
    .collect()
}

/// The text of the element with this key.
fn cell<'a>(page: &'a TestResponse, key: &str) -> &'a str {
    let (_, rest) = page.text.split_once(&format!("data-live=\"{key}\">")).expect(key);
    rest.split('<').next().unwrap()
}

/// "The sample's `report.csv` gives the page's figures", for every unit that has accounts.
#[tokio::test(flavor = "multi_thread")]
async fn report_page_shows_expected_sample_figures() {
    let site = Site::sample().await;
    for form in rows("submissions.csv") {
        site.submit(&form).await;
    }
    site.at("2023-07-31T05:00:00Z");
    let cookie = site.signed_in(OFFICIAL).await;
    let mine = site.get("/report/46/report.csv", &cookie).await;
    let disposition = mine.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert_eq!(disposition, "attachment; filename=\"report-46-2023-07-31.csv\"");
    let lines = |table: Vec<BTreeMap<String, String>>| -> BTreeMap<String, BTreeMap<String, String>> {
        let lines = table.into_iter().filter(|line| !line["unit"].is_empty());
        lines.map(|line| (line["unit"].clone(), line)).collect()
    };
    let key = |name: &str| std::fs::read_to_string(fixtures("sample").join("expected").join(name)).unwrap();
    let expected = lines(table(&key("report.csv")));
    assert_eq!(lines(file(&mine)), expected);
    assert!(
        mine.text.contains("Phường Phú Bài") && mine.text.contains(" %"),
        "{}",
        mine.text
    );
    let staff = site.get("/report/46/staff.csv", &cookie).await;
    assert_eq!(lines(file(&staff)), lines(table(&key("report-staff.csv"))));

    let tree = site.store.units().await.unwrap();
    let mut seen = 0;
    for (unit, line) in expected.iter().filter(|(_, line)| line["accounts"].len() > 1) {
        let page = site.get(&format!("/report/{unit}"), &cookie).await;
        for (column, n) in line.iter().filter(|(column, _)| *column != "unit") {
            let n = vietnamese().number(n.parse().unwrap());
            assert_eq!(cell(&page, column), n, "{unit}: {column}");
            seen += 1;
        }
        // The table shows each unit directly below with the same figures as its own page.
        let is_below = |code: &&String| {
            let code = ngomon_rules::unit::UnitCode((*code).clone());
            tree.get(&code)
                .and_then(|below| below.parent.as_ref())
                .is_some_and(|parent| parent.as_str() == unit)
        };
        for below in expected.keys().filter(is_below) {
            let n = vietnamese().number(expected[below]["not_started"].parse().unwrap());
            assert_eq!(cell(&page, &format!("not_started {below}")), n, "{unit}: {below}");
        }
    }
    assert!(seen > 200, "{seen}");

    let province = site.get("/report", &cookie).await;
    assert!(
        province
            .text
            .contains(&tree.get(&ngomon_rules::unit::UnitCode("46".into())).unwrap().name)
    );
    assert!(
        province.text.contains("Ngoài ra có 21 tài khoản chưa rõ đơn vị"),
        "{}",
        province.text
    );
    let mut answers = BTreeMap::<String, u64>::new();
    let mut last = BTreeMap::new();
    for form in rows("expected/outcomes.csv").iter().zip(rows("submissions.csv")) {
        last.insert(form.1["account_id"].clone(), form.0["outcome"].clone());
    }
    for outcome in last.into_values() {
        *answers.entry(outcome).or_default() += 1;
    }
    // Accounts of an unknown unit and held accounts are counted elsewhere.
    let shown: u64 = cell(&province, "refused mismatch").replace('.', "").parse().unwrap();
    assert!(shown > 0 && shown <= answers["mismatch"], "{shown} {answers:?}");

    // The reasons add up to the tile, the days to the claims.
    let sum = |page: &TestResponse, column: &str| -> u64 {
        file(page).iter().map(|row| row[column].parse::<u64>().unwrap()).sum()
    };
    let refusals = site.get("/report/46/refusals.csv", &cookie).await;
    assert_eq!(sum(&refusals, "accounts").to_string(), expected["46"]["refused"]);
    let days = site.get("/report/46/days.csv", &cookie).await;
    let made = sum(&days, "officials") + sum(&days, "citizens");
    assert_eq!(made.to_string(), expected["46"]["standardised"]);
    assert_eq!(file(&days).last().unwrap()["standardised"], made.to_string());
    let xlsx = site.get("/report/474/report.xlsx", &cookie).await;
    assert_eq!(xlsx.status, StatusCode::OK);
    assert_eq!(
        site.get("/report/46/passwords.csv", &cookie).await.status,
        StatusCode::NOT_FOUND
    );
}

/// Citizens, strangers and held accounts do not see the report.
#[tokio::test(flavor = "multi_thread")]
async fn report_hidden_from_citizens_strangers_and_held_accounts() {
    let site = Site::sample().await;
    let paths = ["/report", "/report/46", "/report/46/report.csv", "/report/live/46"];
    let citizen = site.signed_in(&rows("citizens.csv")[0]["account_id"]).await;
    let official = site.signed_in(OFFICIAL).await;
    for path in paths {
        for cookie in ["", "__Host-ngomon=garbage", &citizen] {
            assert_eq!(site.get(path, cookie).await.goes_to(), "/", "{path} {cookie}");
        }
    }
    let home = site.get("/", &official).await;
    assert!(home.says("report-link"));
    for path in &paths[..3] {
        assert_eq!(site.get(path, &official).await.status, StatusCode::OK, "{path}");
    }
    for path in [
        "/report/NOWHERE",
        "/report/%20",
        "/report/NOWHERE/report.csv",
        "/report/live/NOWHERE",
    ] {
        assert_eq!(site.get(path, &official).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    // A hold ends the session. The held visit sees the reason, not the report.
    let day: Date = "2023-07-31".parse().unwrap();
    site.at("2023-07-31T05:00:00Z");
    let run = site.store.reconcile(day, "hr").await.unwrap().run.unwrap();
    let held = rows("expected/holds-official.csv")[0]["account_id"].clone();
    let before = site.signed_in(&held).await;
    site.store.approve_run(&run, "head").await.unwrap();
    let visit = site.signed_in(&held).await;
    for path in paths {
        for cookie in [&before, &visit] {
            assert_eq!(site.get(path, cookie).await.goes_to(), "/", "{path}");
        }
    }
}

/// A new claim arrives on the streams of all units above the account.
#[tokio::test(flavor = "multi_thread")]
async fn claim_updates_streams_of_all_units_above() {
    let site = Site::sample().await;
    let cookie = site.signed_in(OFFICIAL).await;
    let outcomes = rows("expected/outcomes.csv");
    let good = rows("submissions.csv").into_iter().zip(outcomes);
    let (form, _) = good
        .into_iter()
        .find(|(_, key)| key["outcome"] == "standardised")
        .unwrap();
    let explanation = site
        .store
        .account_explanation(&form["account_id"], site.store.today())
        .await
        .unwrap();

    let mut village = site.stream(&explanation.unit, &cookie).await.unwrap();
    let mut province = site.stream("46", &cookie).await.unwrap();
    let first = province.next().await.unwrap();
    assert_eq!(first["texts"]["standardised"], "0");
    assert_eq!(first["said"], serde_json::json!({}), "what the page says already");
    assert_eq!(village.next().await.unwrap()["texts"]["standardised"], "0");
    assert_eq!(site.submit(&form).await, "standardised");
    for stream in [&mut village, &mut province] {
        let news = stream.next().await.unwrap();
        assert_eq!(news["texts"]["standardised"], "1", "{news}");
        assert_eq!(news["said"][vietnamese().text("column-standardised")], "1");
        assert_eq!(news["days"][0]["figures"][3], 1);
        assert!(news["texts"].get("exempt").is_none(), "only what changed: {news}");
    }
    // The page shows the same figures.
    let page = site.get("/report/46", &cookie).await;
    assert_eq!(cell(&page, "standardised"), "1");
    let chart = page
        .text
        .split_once("id=\"chart\">")
        .unwrap()
        .1
        .split('<')
        .next()
        .unwrap();
    let chart: Value = serde_json::from_str(chart).unwrap();
    assert_eq!(chart["days"][0]["figures"][3], 1);

    // A browser needs connections for the rest of the site.
    let _third = site.stream("46", &cookie).await.unwrap();
    let _fourth = site.stream("46", &cookie).await.unwrap();
    assert_eq!(
        site.stream("46", &cookie).await.err(),
        Some(StatusCode::SERVICE_UNAVAILABLE)
    );
    drop(village);
    site.stream("46", &cookie).await.unwrap();
    let other = site.signed_in("CV000002").await;
    let mut other = site.stream("474", &other).await.unwrap();
    other.next().await.unwrap();

    // A sign-out ends the streams of its session at the next event, and no others.
    site.post("/sign-out", &cookie, &[]).await;
    site.store
        .set_campaign("deadline.citizens", "2023-08-31", true, "op")
        .await
        .unwrap();
    assert_eq!(province.next().await, None);
    let news = other.next().await.unwrap();
    assert!(
        news["texts"]["citizens-deadline"]
            .as_str()
            .unwrap()
            .contains("31/8/2023"),
        "{news}"
    );
    // The server shuts down.
    site.report_cache.close();
    assert_eq!(other.next().await, None);
}

/// "A new hold ends what is open … at every endpoint here."
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_ends_a_stream() {
    let site = Site::sample().await;
    site.at("2023-07-31T05:00:00Z");
    let held = rows("expected/holds-official.csv")[0]["account_id"].clone();
    let cookie = site.signed_in(&held).await;
    let mut stream = site.stream("46", &cookie).await.unwrap();
    stream.next().await.unwrap();
    let run = site.store.reconcile("2023-07-31".parse().unwrap(), "hr").await.unwrap();
    site.store.approve_run(&run.run.unwrap(), "head").await.unwrap();
    assert_eq!(stream.next().await, None);
    assert_eq!(site.stream("46", &cookie).await.err(), Some(StatusCode::SEE_OTHER));
}

/// A person can have many sessions, so streams are also counted per person.
#[tokio::test(flavor = "multi_thread")]
async fn report_streams_limited_per_person() {
    let site = Site::sample().await;
    site.at("2023-07-31T05:00:00Z");
    let mut open = Vec::new();
    for _ in 0..2 {
        let cookie = site.signed_in(OFFICIAL).await;
        for _ in 0..4 {
            open.push(site.stream("46", &cookie).await.unwrap());
        }
        assert_eq!(
            site.stream("46", &cookie).await.err(),
            Some(StatusCode::SERVICE_UNAVAILABLE)
        );
    }
    let another_session = site.signed_in(OFFICIAL).await;
    assert_eq!(
        site.stream("46", &another_session).await.err(),
        Some(StatusCode::SERVICE_UNAVAILABLE)
    );
    let all = rows("officials.csv");
    let other = all.iter().find(|row| row["account_id"] != OFFICIAL).unwrap();
    let other = site.signed_in(&other["account_id"]).await;
    assert!(site.stream("46", &other).await.is_ok());
    open.pop();
    assert!(site.stream("46", &another_session).await.is_ok());
}

/// Streams are limited over all viewers.
#[tokio::test(flavor = "multi_thread")]
async fn report_streams_limited_in_total() {
    let site = Site::sample().await;
    let report_cache = App::new(site.store.clone(), true).report_cache.clone();
    let mut open = Vec::new();
    for n in 0..1_000 {
        let person = AccountId(format!("CV{n}"));
        open.push(report_cache.watch(&person, "session").await.unwrap().unwrap());
    }
    let one_more = AccountId("CV-one-more".into());
    assert!(report_cache.watch(&one_more, "session").await.unwrap().is_none());
    open.pop();
    assert!(report_cache.watch(&one_more, "session").await.unwrap().is_some());
}

/// The report shows the holds by reason, with the clause of the letter.
#[tokio::test(flavor = "multi_thread")]
async fn report_shows_holds_by_clause() {
    let site = Site::sample().await;
    site.at("2023-07-31T05:00:00Z");
    let run = site.store.reconcile("2023-07-31".parse().unwrap(), "hr").await.unwrap();
    site.store.approve_run(&run.run.unwrap(), "head").await.unwrap();
    let mut expected = BTreeMap::<String, u64>::new();
    let held = site.store.holds(None, site.store.today()).await.unwrap();
    for reason in held.values().flat_map(|line| &line.reasons) {
        *expected.entry(reason.to_string()).or_default() += 1;
    }
    let all = rows("officials.csv");
    let open = all.iter().find(|row| !held.contains_key(&row["account_id"])).unwrap();
    let cookie = site.signed_in(&open["account_id"]).await;
    let page = site.get("/report/46", &cookie).await;
    for (reason, n) in &expected {
        assert_eq!(cell(&page, &format!("held {reason}")), n.to_string(), "{reason}");
    }
    assert!(expected.len() > 4, "{expected:?}");
    let csv = file(&site.get("/report/46/holds.csv", &cookie).await);
    let named: BTreeMap<String, String> = Reason::ALL
        .map(|reason| (vietnamese().text(&format!("hold-{reason}")), reason.to_string()))
        .into();
    let shown = csv.iter().filter(|row| row["accounts"] != "0");
    let shown: BTreeMap<_, u64> = shown
        .map(|row| (named[&row["reason"]].clone(), row["accounts"].parse().unwrap()))
        .collect();
    assert_eq!(shown, expected);
    for place in [
        "108/STTTT-CNTT ngày 20/01/2021, gạch đầu dòng thứ 4",
        "125/UBND ngày 14/7/2023, phần lưu ý",
    ] {
        assert!(page.text.contains(place), "{place}");
    }
}

/// The report shows when the recount last agreed, and what needs attention.
#[tokio::test(flavor = "multi_thread")]
async fn report_shows_last_recount_pace_and_deadline() {
    let site = Site::sample().await;
    let cookie = site.signed_in(OFFICIAL).await;
    assert!(site.get("/report", &cookie).await.says("report-recount-none"));
    site.store.recount().await.unwrap();
    let good = site.get("/report", &cookie).await;
    let agreed = "Số liệu khớp với từng tài khoản, kiểm đếm lại lúc 09:00 ngày 15/7/2023.";
    assert!(good.text.contains(agreed) && !good.text.contains("report-recount-differs"));

    // The first day of the campaign: there are no claims yet, and the officials have five days left.
    let late = "Cán bộ, công chức, viên chức: 7 ngày qua chưa có tài khoản nào chuẩn hóa; để kịp hạn cần mỗi ngày";
    assert!(good.text.contains(late), "{}", good.text);
    assert!(good.says("report-pace-none") && !good.text.contains("0,0 tài khoản"));
    assert!(good.text.contains("Số liệu lúc 09:00 ngày 15/7/2023.") && good.says("report-tile-accounts"));
    assert!(
        good.text
            .contains("Hạn: hết ngày 19/7/2023. Còn 5 ngày, kể cả hôm nay.")
    );
    site.at("2023-07-20T01:00:00Z");
    let cookie = site.signed_in(OFFICIAL).await;
    let over = site.get("/report", &cookie).await;
    assert!(over.text.contains("Hạn: hết ngày 19/7/2023, đã qua.") && !over.text.contains(late));

    let location = Location::Directory(site.dir.path().join("data"));
    let db = Db::open(&location, false).await.unwrap();
    db.transaction(|tx| {
        Box::pin(async move {
            tx.execute("UPDATE report_counter SET n = n + 1 WHERE unit = ''", [])
                .await
        })
    })
    .await
    .unwrap();
    site.store.recount().await.unwrap();
    let bad = site.get("/report", &cookie).await;
    let differs = "1 số liệu chưa khớp. Lần khớp gần nhất: 09:00 ngày 15/7/2023.";
    assert!(bad.text.contains(differs), "{}", bad.text);
    let english = site.get("/report", &format!("{cookie}; language=en")).await;
    assert!(
        english.text.contains("1 figures differ") && !english.text.contains("report-"),
        "every word is there"
    );
    assert!(!bad.text.contains(">report-"));
}

/// Names of units are untrusted text: they are escaped in the page and in the chart's data.
#[tokio::test(flavor = "multi_thread")]
async fn report_escapes_unit_names_and_resolves_ended_units() {
    let dir = tempfile::tempdir().unwrap();
    let units = dir.path().join("units.csv");
    let head = "code,parent,name,kind,valid_from,valid_to,successor";
    let rows = [
        "P,,Tỉnh </script><script>alert(1)</script>,province,,,",
        "X/1 ?#,P,<b>Xã</b>,commune,,,",
        "OLD,P,Xã cũ,commune,,2021-06-30,X/1 ?#",
        "NEXT,P,Xã mai,commune,2031-01-01,,",
    ];
    std::fs::write(&units, [&[head], rows.as_slice(), &[""]].concat().join("\n")).unwrap();
    let officials = dir.path().join("officials.csv");
    let head = "account_id,username,employee_code,full_name,birth_date,national_id,unit,email,phone,created_on,last_sign_in_on,password_hash";
    std::fs::write(&officials, format!("{head}\n{OFFICIAL},an,,Lê An,,,P,,,,,\n")).unwrap();
    let site = Site::of([("units", units), ("officials", officials)]).await;
    let cookie = site.signed_in(OFFICIAL).await;
    let page = site.get("/report", &cookie).await;
    assert!(
        page.text.contains("&lt;b&gt;Xã") || page.text.contains("&#60;b&#62;Xã"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("<b>") && !page.text.contains("<script>alert"));
    let link = "/report/X%2F1%20%3F%23";
    assert!(page.text.contains(&format!("href=\"{link}\"")), "{}", page.text);
    let below = site.get(link, &cookie).await;
    assert!(below.status == StatusCode::OK && below.text.contains("href=\"/report/P\""));
    let old = site.get("/report/OLD", &cookie).await;
    assert!(old.status == StatusCode::OK && old.text.contains(&format!("/report/live{}", &link[7..])));
    assert_eq!(site.get("/report/NEXT", &cookie).await.status, StatusCode::NOT_FOUND);
    assert!(site.stream("X%2F1%20%3F%23", &cookie).await.is_ok());
    let other = below
        .text
        .split_once("/language/en?to=")
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap();
    let back = site.get(&format!("/language/en?to={other}"), "").await;
    assert_eq!(back.goes_to(), link, "the other language of this very page");
}

/// Villages of the same name below a merged commune can be distinguished on the page, in files and in the list of people.
#[tokio::test(flavor = "multi_thread")]
async fn report_distinguishes_namesakes_below_merged_commune() {
    let site = Site::of([("units", fixtures("sample-leap").join("units.csv"))]).await;
    site.at("2025-08-01T05:00:00Z");
    let an = site.operator("an").await;
    for path in ["", "/report.csv"] {
        let page = site.get(&format!("/report/19960-202507{path}"), &an).await;
        for name in ["Thôn Đông (Xã Thủy Phù)", "Thôn Đông (Xã Phú Sơn)"] {
            assert!(page.text.contains(name), "{path} {name}: {}", page.text);
        }
    }
}

/// The printed page has the head of Decree 30. A unit's head can print a notice, and gets a text for the loudspeaker and a
/// message to pass on.
#[tokio::test(flavor = "multi_thread")]
async fn report_has_decree_head_and_printable_notice() {
    let site = Site::sample().await;
    let cookie = site.signed_in(OFFICIAL).await;
    let report = site.get("/report/474", &cookie).await;
    let name = &site.store.units().await.unwrap();
    let name = &name.get(&ngomon_rules::unit::UnitCode("474".into())).unwrap().name;
    for said in [
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        &name.to_uppercase(),
    ] {
        assert!(report.text.contains(said), "{said}: {}", report.text);
    }
    assert!(report.text.contains("Huế, ngày 15 tháng 7 năm 2023"), "{}", report.text);
    assert!(report.text.contains("href=\"/report/474/notice\""));
    let english = site.get("/report/474/notice", &format!("{cookie}; language=en")).await;
    for key in [
        "notice-own",
        "notice-help",
        "notice-safe",
        "decree-motto",
        "notice-message-text",
    ] {
        assert!(
            english.says(key),
            "{key}: people read it in Vietnamese: {}",
            english.text
        );
    }
    assert!(english.text.contains(&format!("Kính mời bà con {name}:")) && english.text.contains("19/7/2023"));
    assert!(
        english.text.contains("Loudspeaker text") && !english.text.contains("http"),
        "{}",
        english.text
    );
    let citizen = &rows("citizens.csv")[0]["account_id"];
    assert_eq!(
        site.get("/report/474/notice", &site.signed_in(citizen).await)
            .await
            .goes_to(),
        "/"
    );
}
