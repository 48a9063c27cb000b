//! Tests of the alert for a silent registry (C7: "Alerts: [...] a silent registry"): in words, with since when and how many
//! forms wait.

use crate::tests::{App, Site, lent, right_form, rows};
use crate::workers::retry_pending_forms;
use ngomon_rules::values::NationalId;
use std::sync::atomic::Ordering;

/// The report shows an alert for a silent registry until it answers again.
#[tokio::test(flavor = "multi_thread")]
async fn report_alerts_about_silent_registry_until_it_answers() {
    let site = Site::sample().await;
    let (account, fields) = right_form();
    let number = NationalId::try_from(fields[1].1.clone()).unwrap();
    site.store.set_sandbox_mood(number, "garbage").await.unwrap();
    let office = site.signed_in("CV000001").await;
    let report = async || site.get("/report", &office).await.text;
    let alert = "chưa trả lời từ 09:00 ngày 15/7/2023. Ở đây có 1 phiếu khai đang chờ";
    assert!(!report().await.contains("chưa trả lời từ"));

    let cookie = site.signed_in(&account).await;
    let page = site.form(&cookie, &lent(&fields, &[("mine", "yes")])).await;
    assert!(page.says("answer-pending-title"));
    assert!(report().await.contains(alert), "{}", report().await);
    // A retry by the worker that gets no answer changes nothing.
    site.clock.0.fetch_add(600_000_000, Ordering::SeqCst);
    let app = App::new(site.store.clone(), true);
    retry_pending_forms(app.clone()).await.unwrap();
    assert!(report().await.contains(alert));

    // Another owner's form, which the registry answers.
    let key = rows("expected/outcomes.csv");
    let mismatch = key.iter().position(|row| row["outcome"] == "mismatch").unwrap();
    let form = &rows("submissions.csv")[mismatch];
    let fields = ["full_name", "national_id", "issued_on", "phone"].map(|name| (name, form[name].clone()));
    let other = site.signed_in(&form["account_id"]).await;
    let page = site.form(&other, &lent(&fields, &[("mine", "yes")])).await;
    assert!(page.says("form-differs"), "{}", page.text);
    assert!(!report().await.contains("chưa trả lời từ"), "it answers");

    retry_pending_forms(app.clone()).await.unwrap();
    assert!(report().await.contains("chưa trả lời từ 09:10"), "silent anew");
    site.store.set_sandbox_mood(number, "right").await.unwrap();
    retry_pending_forms(app).await.unwrap();
    assert!(!report().await.contains("chưa trả lời từ"));
    assert!(site.get("/", &cookie).await.says("home-standardised"));
}
