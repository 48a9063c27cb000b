//! Tests of "Every figure can be drilled down to the people behind it, by whoever may see them": from the report to a person.

use crate::tests::{Site, rows};
use axum::http::{StatusCode, header};
use std::collections::BTreeSet;

/// Every link of a page with this prefix.
fn links(text: &str, begin: &str) -> Vec<String> {
    let begin = format!("href=\"{begin}");
    let all = text.split(&begin).skip(1).filter_map(|rest| rest.split('"').next());
    all.map(|rest| format!("{}{rest}", &begin["href=\"".len()..])).collect()
}

/// An operator goes from a figure of the report to the accounts behind it.
#[tokio::test(flavor = "multi_thread")]
async fn report_figure_links_operator_to_its_people() {
    let site = Site::citizens().await;
    let an = site.operator("an").await;
    let report = site.get("/report/46", &an).await;
    let link = "/desk/people/46/not_started";
    assert!(
        report
            .text
            .contains(&format!("href=\"{link}\" data-live=\"not_started\">")),
        "{}",
        report.text
    );
    let figure = site
        .store
        .figures(site.store.today())
        .await
        .unwrap()
        .of("46")
        .unwrap()
        .line
        .not_started;

    let (mut page, mut seen, mut pages) = (link.to_owned(), BTreeSet::new(), 0_u64);
    let of_sample: BTreeSet<String> = rows("citizens.csv")
        .into_iter()
        .map(|row| row["account_id"].clone())
        .collect();
    loop {
        let shown = site.get(&page, &an).await;
        assert_eq!(shown.status, StatusCode::OK);
        pages += 1;
        let people = links(&shown.text, "/desk/account/");
        assert!(people.len() == 50 || pages * 50 > figure, "{page}: {}", people.len());
        for one in people {
            assert!(of_sample.contains(&one["/desk/account/".len()..]), "{one}");
            assert!(seen.insert(one), "once");
        }
        assert_eq!(shown.says("desk-people-first"), pages > 1);
        let Some(next) = links(&shown.text, &format!("{link}?after=")).pop() else {
            break;
        };
        page = next;
        // A few of the many pages, then the rest at once.
        if pages == 4 {
            break;
        }
    }
    assert_eq!(seen.len(), 200);
    assert!(site.get(seen.first().unwrap(), &an).await.says("desk-acts"));

    let csv = site.get(&format!("{link}/people.csv"), &an).await;
    assert_eq!(
        csv.headers[header::CONTENT_DISPOSITION],
        "attachment; filename=\"people-not_started-46-2023-07-15.csv\""
    );
    let text = csv.text.strip_prefix('\u{feff}').unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heads = ["Tài khoản", "Họ và tên", "Đơn vị", "Tên đơn vị", "Số điện thoại"];
    assert_eq!(reader.headers().unwrap(), heads.to_vec());
    let lines: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(lines.len() as u64, figure);
    let numbers: BTreeSet<String> = rows("citizens.csv")
        .into_iter()
        .map(|row| row["phone"].clone())
        .collect();
    let whole = |line: &csv::StringRecord| line.iter().any(|cell| cell.len() > 8 && numbers.contains(cell));
    assert!(!lines.iter().any(whole), "phones are masked");
    let xlsx = site.get(&format!("{link}/people.xlsx"), &an).await;
    assert!(xlsx.status == StatusCode::OK && xlsx.text.starts_with("PK"));
    assert_eq!(
        site.get(&format!("{link}/people.pdf"), &an).await.status,
        StatusCode::NOT_FOUND
    );

    for nowhere in ["/desk/people/46/asleep", "/desk/people/no-such-unit/held"] {
        assert_eq!(site.get(nowhere, &an).await.status, StatusCode::NOT_FOUND, "{nowhere}");
    }
    let nobody = site.get("/desk/people/46/exempt", &an).await;
    assert!(nobody.says("desk-people-none") && nobody.status == StatusCode::OK);
    let english = site.get(link, &format!("{an}; language=en")).await;
    assert!(english.text.contains("Next page") && !english.text.contains(">desk-"));
}

/// Only operators see the links to the accounts behind a figure.
#[tokio::test(flavor = "multi_thread")]
async fn report_links_to_people_only_for_operators() {
    let site = Site::sample().await;
    let official = site.signed_in("CV000001").await;
    let report = site.get("/report/46", &official).await;
    assert!(report.status == StatusCode::OK && !report.text.contains("/desk/people"));
}
