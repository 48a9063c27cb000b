//! Tests of the form's page: typing slips, what the owner sees while a form waits, and the public state of a receipt number.

use crate::tests::{Site, lent, right_form, two_accounts_of_one_number, vietnamese};
use axum::http::StatusCode;
use ngomon_rules::values::NationalId;

/// A missing digit costs no attempt, and the page says how many digits there are.
#[tokio::test(flavor = "multi_thread")]
async fn typing_errors_reported_at_their_field() {
    let site = Site::sample().await;
    let (account, fields) = right_form();
    let cookie = site.signed_in(&account).await;
    for at in [4, 11] {
        let mut slipped = fields.clone();
        slipped[1].1.remove(at);
        let page = site.post("/form", &cookie, &lent(&slipped, &[("mine", "yes")])).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains("Số vừa nhập có 11 số."), "{}", page.text);
        assert!(page.text.contains(&slipped[1].1), "what was typed is kept");
    }
    let explanation = site
        .store
        .account_explanation(&account, site.store.today())
        .await
        .unwrap();
    assert!(
        !["not-found", "mismatch", "pending"].contains(&explanation.fact("last_form").unwrap_or_default()),
        "no try"
    );
    for (name, typed, said) in [
        ("issued_on", "31/02/2021", "(31/02/2021) không có trong lịch."),
        ("issued_on", "14/11/2027", "(14/11/2027) là ngày sau hôm nay."),
        ("issued_on", "15/8/2564", "Năm của ngày vừa nhập (15/8/2564) chưa đúng"),
        ("issued_on", "15/8/21", "Mời nhập năm đủ 4 số"),
        ("issued_on", "hôm qua", "Chưa đọc được ngày vừa nhập (hôm qua)."),
        ("phone", "0234 3822 222", "Đây là số máy bàn"),
    ] {
        let mut slipped = fields.clone();
        slipped.iter_mut().find(|(of, _)| *of == name).unwrap().1 = typed.into();
        let page = site.post("/form", &cookie, &lent(&slipped, &[("mine", "yes")])).await;
        assert!(page.text.contains(said), "{typed}: {}", page.text);
    }
    // The day as it is typed on a phone. The answer has the name in the registry's spelling.
    let day = fields[2].1.clone();
    let parts: Vec<&str> = day.split('-').collect();
    let mut plain = fields.clone();
    plain[2].1 = match parts[..] {
        [year, month, day] => format!("{day}{month}{year}"),
        _ => day.replace('/', " "),
    };
    plain[0].1 = plain[0].1.to_uppercase();
    let done = site.form(&cookie, &lent(&plain, &[("mine", "yes")])).await;
    assert!(done.says("answer-standardised-title"), "{}", done.text);
    let explanation = site
        .store
        .account_explanation(&account, site.store.today())
        .await
        .unwrap();
    let spelled = explanation.fact("claim_name").unwrap();
    assert!(done.text.contains(&format!("cho {spelled}.")), "{}", done.text);
    assert!(done.says("answer-next-vneid"));
}

/// C1: "a `pending` account sees its receipt, not the form"; C2: "without signing in it says received, waiting, or answered, and the same
/// for a number that does not exist".
#[tokio::test(flavor = "multi_thread")]
async fn pending_form_shows_receipt_with_public_state() {
    let site = Site::sample().await;
    let (account, fields) = right_form();
    let number = NationalId::try_from(fields[1].1.clone()).unwrap();
    site.store.set_sandbox_mood(number, "garbage").await.unwrap();
    let cookie = site.signed_in(&account).await;
    let mine = [("mine", "yes")];
    assert!(
        site.form(&cookie, &lent(&fields, &mine))
            .await
            .says("answer-pending-title")
    );
    let explanation = site
        .store
        .account_explanation(&account, site.store.today())
        .await
        .unwrap();
    let receipt = explanation.fact("last_form_receipt").unwrap().to_owned();
    for page in [
        site.get("/form", &cookie).await,
        site.post("/form", &cookie, &lent(&fields, &mine)).await,
    ] {
        assert!(
            page.says("answer-pending-title") && page.text.contains(&receipt),
            "{}",
            page.text
        );
    }
    let again = site
        .store
        .account_explanation(&account, site.store.today())
        .await
        .unwrap();
    assert_eq!(again.history.len(), explanation.history.len(), "no second receipt");

    let look = async |receipt: &str| site.post("/receipt", "", &[("receipt", receipt)]).await;
    assert!(site.get("/receipt", "").await.says("receipt-title"));
    assert!(look(&receipt.to_lowercase()).await.says("receipt-waiting"));
    assert!(look("").await.says("receipt-empty"));
    site.store.set_sandbox_mood(number, "right").await.unwrap();
    crate::workers::retry_pending_forms(crate::app::App::new(site.store.clone(), true))
        .await
        .unwrap();
    let (answered, nobodys) = (look(&receipt).await, look("DH-2222-2222").await);
    assert!(answered.says("receipt-answered"), "{}", answered.text);
    let blank = |page: &super::TestResponse, typed: &str| page.text.replace(typed, "");
    assert_eq!(blank(&answered, &receipt), blank(&nobodys, "DH-2222-2222"));
    for name in [&fields[0].1, &fields[1].1, &account] {
        assert!(!answered.text.contains(name.as_str()), "{name}");
    }
}

/// "Gửi lại mã" works wherever it is offered, without typing the name again.
#[tokio::test(flavor = "multi_thread")]
async fn code_resent_from_page_that_offers_it() {
    let site = Site::demo().await;
    let sent = async || site.store.messages(99).await.unwrap().len();
    for username in ["canbo001", "khong-co-ai"] {
        let asked = site.post("/sign-in/reset", "", &[("username", username)]).await;
        let cookie = asked.cookie();
        let page = site.get("/sign-in/reset/sent", &cookie).await;
        assert!(
            page.says("code-again") && page.text.contains("action=\"/sign-in/reset\""),
            "{}",
            page.text
        );
        let before = sent().await;
        site.move_on(301);
        let again = site.post("/sign-in/reset", &cookie, &[("again", "yes")]).await;
        assert_eq!(again.goes_to(), "/sign-in/reset/sent");
        let known = username == "canbo001";
        assert_eq!(sent().await, before + usize::from(known));
        assert!(
            site.get("/sign-in/reset/sent", &again.cookie())
                .await
                .says("code-again")
        );
        if known {
            let code = site.code().await;
            let set = site
                .post("/sign-in/reset/sent", &again.cookie(), &[("code", &code)])
                .await;
            assert!(set.says("reset-title"), "{}", set.text);
        }
    }
    let nobody = site.post("/sign-in/reset", "", &[("again", "yes")]).await;
    assert_eq!(nobody.goes_to(), "/sign-in/reset");
}

/// M7 and M8: pages show a freeze, and the form stays open to owners who may standardise.
#[tokio::test(flavor = "multi_thread")]
async fn freeze_banner_shown_and_form_stays_open() {
    let site = Site::sample().await;
    let (account, _) = right_form();
    let cookie = site.signed_in(&account).await;
    assert!(!site.get("/sign-in", "").await.says("freeze-banner"));
    site.store.set_campaign("freeze", "on", true, "op").await.unwrap();
    // Pages read the setting once a second.
    site.clock.0.fetch_add(1_000_000, std::sync::atomic::Ordering::SeqCst);
    let home = site.get("/", &cookie).await;
    assert!(
        home.says("freeze-banner") && home.text.contains("href=\"/form\""),
        "{}",
        home.text
    );
    assert!(site.get("/form", &cookie).await.says("form-send"));
    for path in [
        "/sign-in",
        "/form",
        "/receipt",
        "/sign-in/reset",
        "/form/exempt",
        "/no-such-page",
    ] {
        let page = site.get(path, &cookie).await;
        let page = if page.status.is_redirection() {
            site.get(path, "").await
        } else {
            page
        };
        assert_eq!(
            page.text.matches(&vietnamese().text("freeze-banner")).count(),
            1,
            "{path}: {}",
            page.text
        );
    }
    site.store.set_campaign("freeze", "off", true, "op").await.unwrap();
    let exempt = [("why", "card-in-the-making"), ("last_day", "30 9 2023")];
    assert_eq!(site.post("/form/exempt", &cookie, &exempt).await.goes_to(), "/");
    let home = site.get("/", &cookie).await;
    assert!(
        home.says("home-exempt") && home.text.contains("href=\"/form\""),
        "{}",
        home.text
    );
}

/// "Giải quyết: chấp nhận / không chấp nhận, nêu lý do", and the owner reads the reason.
#[tokio::test(flavor = "multi_thread")]
async fn review_declined_with_reason_shown_to_owner() {
    let (site, held) = two_accounts_of_one_number().await;
    site.post("/held/review", &held, &[]).await;
    let an = site.operator("an").await;
    let list = site.get("/desk/reviews", &an).await;
    let receipt = list.text.split("action=\"/desk/reviews/").nth(1).unwrap();
    let receipt = receipt.split('"').next().unwrap().to_owned();
    let state = async || site.post("/receipt", "", &[("receipt", &receipt)]).await;
    assert!(state().await.says("receipt-received"));
    let place = format!("/desk/reviews/{receipt}");
    let bare = site.post(&place, &an, &[("decide", "decline")]).await;
    assert!(
        bare.status == StatusCode::UNPROCESSABLE_ENTITY && bare.says("desk-no-reason"),
        "{}",
        bare.text
    );
    let why = [("decide", "decline"), ("reason", "giấy tờ là của tài khoản kia")];
    assert_eq!(
        site.post(&place, &an, &why).await.goes_to(),
        "/desk/reviews?done=answered"
    );
    let list = site.get("/desk/reviews?done=answered", &an).await;
    assert!(
        list.says("desk-review-answered") && list.says("desk-nothing-waits"),
        "{}",
        list.text
    );
    assert_eq!(site.post(&place, &an, &why).await.status, StatusCode::NOT_FOUND);
    let page = site.get("/held", &held).await;
    assert!(
        page.text.contains(why[1].1) && page.text.contains(&receipt),
        "{}",
        page.text
    );
    assert!(page.says("held-review"), "it can be asked for again");
    assert!(state().await.says("receipt-answered"));
    let told = &site.store.messages(1).await.unwrap()[0].text;
    assert!(told.contains(&receipt) && told.is_ascii(), "{told}");
    site.sound().await;
}
