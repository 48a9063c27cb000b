//! Tests of the pages on which two operators must agree.

use crate::desk::tests::acts::{fields, free};
use crate::tests::Site;
use axum::http::StatusCode;
use ngomon_rules::records::AccountId;

/// An operator cannot hold another alone; the second one reads the account, the reason and the first operator's name.
#[tokio::test(flavor = "multi_thread")]
async fn hold_of_operator_needs_second_operator() {
    let site = Site::bare().await;
    let (an, binh, chi) = (
        site.operator("an").await,
        site.operator("binh").await,
        site.operator("chi").await,
    );
    let order = [
        ("ordered_by", "Sở"),
        ("document", "15/QĐ"),
        ("text", "nghi lộ mật khẩu"),
    ];
    let path = "/desk/account/operator%3Achi/hold";
    assert!(site.get(path, &an).await.says("desk-needs-two"));
    let sent = site.post(path, &an, &order).await;
    let place = sent.goes_to().split('?').next().unwrap().to_owned();
    assert!(place.starts_with("/desk/acts/DH-"), "{place}");
    let page = site.get(sent.goes_to(), &an).await;
    assert!(page.says("desk-done-act-proposed") && page.says("desk-take-back") && !page.text.contains("/approve"));
    assert!(!site.visit(&chi).await.unwrap().held, "nothing is done yet");
    assert!(
        site.get("/desk", &binh)
            .await
            .text
            .contains("/desk/take-overs\">Đề nghị chờ người thứ hai</a> · 1 đang chờ")
    );
    assert!(site.get("/desk/take-overs", &binh).await.text.contains(&place));
    let page = site.get(&place, &binh).await;
    for text in ["/approve", "15/QĐ", "nghi lộ mật khẩu", "operator:chi", "cán bộ an"] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    assert!(
        site.post(&format!("{place}/approve"), &an, &[])
            .await
            .says("error-same-operator")
    );
    assert!(
        site.post(&format!("{place}/approve"), &chi, &[])
            .await
            .says("error-own-account")
    );
    assert!(
        site.post(&format!("{place}/decline"), &binh, &[])
            .await
            .says("desk-no-reason")
    );
    let done = site.post(&format!("{place}/approve"), &binh, &[]).await;
    assert!(site.get(done.goes_to(), &binh).await.says("desk-done-act-approved"));
    assert!(site.visit(&chi).await.is_none(), "what was open is over");
    let again = site.post(&format!("{place}/approve"), &binh, &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let history = site.get("/desk/account/operator%3Achi", &an).await;
    assert!(history.says("event-act-approved") && history.text.contains("theo đề nghị của cán bộ an"));
    assert_eq!(
        site.get("/desk/acts/DH-0000-0000", &an).await.status,
        StatusCode::NOT_FOUND
    );
    site.sound().await;
}

/// Operators cannot decline a hold of their own account, and the others read who declined.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_declines_what_is_about_the_own_account() {
    let site = Site::bare().await;
    let (an, binh, chi) = (
        site.operator("an").await,
        site.operator("binh").await,
        site.operator("chi").await,
    );
    let order = [
        ("ordered_by", "Sở"),
        ("document", "15/QĐ"),
        ("text", "nghi lộ mật khẩu"),
    ];
    let sent = site.post("/desk/account/operator%3Achi/hold", &an, &order).await;
    let place = sent.goes_to().split('?').next().unwrap().to_owned();
    let (decline, why) = (format!("{place}/decline"), [("reason", "không")]);
    let page = site.get(&place, &chi).await;
    assert!(
        !page.text.contains("/decline") && !page.text.contains("/approve"),
        "{}",
        page.text
    );
    assert!(site.post(&decline, &chi, &why).await.says("error-own-account"));
    let page = site.get(&place, &binh).await;
    assert!(page.says("desk-act-state-waiting") && page.text.contains("/decline") && !page.says("desk-declined-by"));
    assert!(site.post(&decline, &binh, &why).await.status.is_redirection());
    let page = site.get(&place, &an).await;
    assert!(
        page.says("desk-declined-by") && page.text.contains("cán bộ binh"),
        "{}",
        page.text
    );
}

/// A system that gets personal data without people's consent.
#[tokio::test(flavor = "multi_thread")]
async fn client_with_personal_data_needs_second_operator() {
    let site = Site::bare().await;
    let (an, binh) = (site.operator("an").await, site.operator("binh").await);
    let usual = [
        ("name", "Kho dữ liệu"),
        ("redirect_uris", "https://kho.hue.gov.vn/back"),
        ("scopes", "profile"),
        ("scopes", "national_id"),
        ("kinds", "citizen"),
    ];
    let asked = site.post("/desk/systems/new", &an, &usual).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(asked.says("systems-needs-two") && asked.text.contains("id=\"reason-error\""));
    let sent = site
        .post(
            "/desk/systems/new",
            &an,
            &[&usual[..], &[("reason", "cổng của tỉnh")]].concat(),
        )
        .await;
    let place = sent.goes_to().split('?').next().unwrap().to_owned();
    assert!(!site.get("/desk/systems", &an).await.text.contains("Kho dữ liệu"));
    let page = site.get(&place, &binh).await;
    assert!(page.text.contains("https://kho.hue.gov.vn/back") && page.says("scope-national-id"));
    let done = site.post(&format!("{place}/approve"), &binh, &[]).await;
    assert!(done.says("systems-done-add"), "{}", done.text);
    assert!(site.get("/desk/systems", &an).await.text.contains("Kho dữ liệu"));

    // The system moves to a new address, where personal data will be sent: this takes two operators again.
    let id = site.store.clients().await.unwrap().pop().unwrap().id;
    let edit = format!("/desk/systems/{id}/edit");
    let mut moved = usual.to_vec();
    moved[1] = ("redirect_uris", "https://nha-moi.example/back");
    assert!(site.post(&edit, &an, &moved).await.says("systems-needs-two"));
    moved.push(("reason", "đổi tên miền"));
    let place = site.post(&edit, &an, &moved).await;
    let place = place.goes_to().split('?').next().unwrap().to_owned();
    let at = async || {
        site.store
            .client(id.as_str())
            .await
            .unwrap()
            .unwrap()
            .client
            .redirect_uris
    };
    assert_eq!(at().await, ["https://kho.hue.gov.vn/back"]);
    let page = site.get(&place, &binh).await;
    assert!(page.text.contains("https://kho.hue.gov.vn/back") && page.text.contains("https://nha-moi.example/back"));
    site.post(&format!("{place}/approve"), &binh, &[]).await;
    assert_eq!(at().await, ["https://nha-moi.example/back"]);

    // The import of its subject identifiers takes two as well.
    let ids = format!("/desk/systems/{id}/subjects");
    let list = ("subjects", "account_id,subject\noperator:an,u1");
    assert_eq!(
        site.post(&ids, &an, &[list]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let place = site.post(&ids, &an, &[list, ("reason", "chuyển người dùng cũ")]).await;
    let place = place.goes_to().split('?').next().unwrap().to_owned();
    assert!(site.get(&place, &binh).await.text.contains("operator:an: u1"));
    site.post(&format!("{place}/approve"), &binh, &[]).await;
    let named = site
        .store
        .subject_of(&id, &AccountId("operator:an".into()))
        .await
        .unwrap();
    assert_eq!(named.as_deref(), Some("u1"));
    site.sound().await;
}

/// Withdrawing a claim and entering the form for another account has the effect of a take-over, so it takes two operators as
/// well.
#[tokio::test(flavor = "multi_thread")]
async fn claim_moved_by_withdrawal_needs_second_operator() {
    let site = Site::citizens().await;
    let (an, binh) = (site.operator("an").await, site.operator("binh").await);
    let mut free = free();
    let (account, form) = free.swap_remove(0);
    let (other, _) = free.swap_remove(1);
    let papers = ("papers", "id-card");
    let enter = async |account: &str| {
        let path = format!("/desk/account/{account}/form");
        site.post(&path, &an, &[&fields(&form)[..], &[papers, ("mine", "yes")]].concat())
            .await
    };
    assert!(
        site.get(enter(&account).await.goes_to(), &an)
            .await
            .says("desk-answer-standardised")
    );
    let told = async || site.store.messages(99).await.unwrap().len();
    let before = told().await;
    let path = format!("/desk/account/{account}/withdraw");
    assert!(
        site.post(&path, &an, &[("reason", "nhầm")])
            .await
            .status
            .is_redirection()
    );
    assert!(told().await > before, "the owner is told");
    let sent = enter(&other).await;
    let answer = site.get(sent.goes_to(), &an).await;
    assert!(
        answer.text.contains("cần hai cán bộ") && answer.text.contains(&account),
        "{}",
        answer.text
    );
    let place = sent.goes_to().replace("/desk/forms/", "/desk/take-overs/");
    assert!(site.get(&place, &an).await.says("desk-claim-withdrawn"));
    let proposed = site.post(&place, &an, &[("reason", "đúng chủ")]).await;
    assert!(site.get(proposed.goes_to(), &an).await.says("desk-done-proposed"));
    let page = site.get(&place, &binh).await;
    assert!(page.says("desk-claim-withdrawn") && page.text.contains("đúng chủ"));
    let done = site.post(&format!("{place}/approve"), &binh, &[]).await;
    assert!(site.get(done.goes_to(), &binh).await.says("desk-done-approved"));
    site.sound().await;
}
