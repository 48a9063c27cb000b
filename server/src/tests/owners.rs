//! Tests of what owners read about their own accounts: sentences that say whom, what, where and until when.

use crate::tests::{Site, lent, rows, vietnamese};
use axum::http::StatusCode;
use ngomon_rules::hold::Reason;
use ngomon_rules::records::AccountId;
use ngomon_rules::values::NationalId;

impl Site {
    /// The demo after an approved run.
    async fn reconciled() -> Self {
        let site = Self::demo().await;
        let run = site.store.reconcile(site.store.today(), "op").await.unwrap();
        site.store.approve_run(&run.run.unwrap(), "op").await.ok();
        site
    }

    /// An account that is held for this reason alone.
    async fn held_by(&self, reason: Reason) -> String {
        let lines = self.store.holds(None, self.store.today()).await.unwrap();
        let alone = |line: &ngomon_store::HeldLine| line.reasons.iter().copied().eq([reason]);
        let found = lines.iter().find(|(_, line)| alone(line));
        found.unwrap_or_else(|| panic!("{reason}: {lines:?}")).0.clone()
    }
}

/// O6: "no form is asked for". The closed account names the new one, and leads to it.
#[tokio::test(flavor = "multi_thread")]
async fn moved_account_shows_new_user_name_and_leads_there() {
    let site = Site::reconciled().await;
    let closed = site.held_by(Reason::Moved).await;
    let cookie = site.signed_in(&closed).await;
    let page = site.get("/held", &cookie).await;
    let explanation = site.store.explain(&closed, site.store.today()).await.unwrap();
    let new = explanation.moved_to.unwrap();
    let username = new.username.unwrap();
    let said = format!(": {username}, mật khẩu như cũ.");
    assert!(page.text.contains(&said) && page.says("held-move-on"), "{}", page.text);
    assert!(
        page.text.contains(explanation.username.as_deref().unwrap()),
        "which account it is"
    );
    assert!(page.says("held-until"), "until when the visit lasts");
    let on = site.post("/held/move-on", &cookie, &[]).await;
    assert_eq!(on.goes_to(), "/");
    let home = site.get("/", &on.cookie()).await;
    assert!(home.says("home-open") && home.text.contains(&username), "{}", home.text);
    assert_eq!(
        site.get("/held", &cookie).await.goes_to(),
        "/",
        "the held visit is over"
    );
    // The desk finds it by either name, and shows the user name.
    let an = site.operator("an").await;
    let desk = site.get(&format!("/desk/account/{}", new.account), &an).await;
    assert!(
        desk.text.contains(&username) && desk.says("fact-username"),
        "{}",
        desk.text
    );
    site.sound().await;
}

/// Every hold of the demo is described in whole sentences: no placeholder is left, and no unit appears as a code.
#[tokio::test(flavor = "multi_thread")]
async fn held_pages_describe_each_hold_in_full_sentences() {
    let site = Site::reconciled().await;
    for (reason, say) in [
        (Reason::TransferPending, "ông/bà chuyển đến "),
        (Reason::StaleInfo, " đến hạn ngày "),
        (Reason::ReviewOverdue, "(lần gần nhất "),
        (Reason::NoProfile, "Đề nghị báo bộ phận tổ chức cán bộ của "),
        (Reason::Left, "thôi làm việc từ ngày "),
        (
            Reason::Mismatch,
            "chỉnh hồ sơ; nếu tài khoản chưa đúng, mời vào Hồ sơ của tôi",
        ),
    ] {
        let lines = site.store.holds(None, site.store.today()).await.unwrap();
        let Some((account, _)) = lines.iter().find(|(_, line)| line.reasons.contains(&reason)) else {
            panic!("nobody of the demo is held for {reason}");
        };
        let page = site.get("/held", &site.signed_in(account).await).await;
        assert!(page.text.contains(say), "{reason}: {}", page.text);
        assert!(
            !page.text.contains("{$") && !page.text.contains("{ $"),
            "{reason}: {}",
            page.text
        );
        assert!(!page.text.contains("(HUE."), "units by their names: {}", page.text);
        assert!(page.says("explain-again") && page.says("explain-mends") && page.says("explain-since-day"));
        let law = ngomon_rules::law::law(reason.clause()).unwrap();
        assert!(page.text.contains(law.sentence), "the letter's own sentence");
        let told = format!("event-held-{reason}");
        assert!(page.says(&told), "the history tells it as a sentence: {}", page.text);
    }
}

/// The proposal form is filled in from the notice and the profile.
#[tokio::test(flavor = "multi_thread")]
async fn transfer_proposal_prefilled_from_notice() {
    let site = Site::reconciled().await;
    let account = site.held_by(Reason::TransferPending).await;
    let cookie = site.signed_in(&account).await;
    let page = site.get("/profile/propose", &cookie).await;
    let explanation = site.store.explain(&account, site.store.today()).await.unwrap();
    assert!(
        page.text
            .contains(&format!("Đang ghi: {}", explanation.fact("profile_full_name").unwrap())),
        "{}",
        page.text
    );
    let unit = page.text.split("id=\"unit\"").nth(1).unwrap();
    let unit = unit
        .split("value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    assert!(!unit.is_empty(), "{}", page.text);
    let sent = [("unit", &*unit), ("document", "12/QĐ-UBND")];
    assert_eq!(
        site.post("/profile/propose", &cookie, &sent).await.goes_to(),
        "/profile?done=proposed"
    );
    // The waiting owner reads the answer: the account at the new unit exists, and the page leads on to it.
    let an = site.operator("an").await;
    let list = site.get("/desk/proposals", &an).await;
    let receipt = list.text.split("action=\"/desk/proposals/").nth(1).unwrap();
    let place = format!("/desk/proposals/{}", receipt.split('"').next().unwrap());
    let accepted = [("decide", "accept"), ("reason", "đúng với quyết định")];
    assert!(site.post(&place, &an, &accepted).await.status.is_redirection());
    let page = site.get("/held", &cookie).await;
    let new = site.store.explain(&account, site.store.today()).await.unwrap();
    let new = new.moved_to.unwrap().username.unwrap();
    assert!(
        page.status == StatusCode::OK && page.text.contains(&format!(": {new}, mật khẩu như cũ.")),
        "{}",
        page.text
    );
    assert!(page.says("answer-accepted") && page.text.contains(accepted[1].1) && page.says("held-move-on"));
    let on = site.post("/held/move-on", &cookie, &[]).await;
    assert!(site.get("/", &on.cookie()).await.text.contains(&new));
    site.sound().await;
}

/// The next page says in a sentence what ended a session. It names no hold until the owner has signed in again.
#[tokio::test(flavor = "multi_thread")]
async fn ended_session_reason_shown_at_next_sign_in() {
    let site = Site::reconciled().await;
    let account = site.held_by(Reason::StaleInfo).await;
    let says = async |cookie: &str, key: &str| {
        assert_eq!(site.get("/held", cookie).await.goes_to(), "/");
        assert_eq!(site.get("/", cookie).await.goes_to(), "/sign-in");
        let page = site.get("/sign-in", cookie).await;
        assert!(page.says(key), "{key}: {}", page.text);
        assert!(!page.text.contains("khóa tài khoản") && !page.says("held-title"));
    };
    let held = site.signed_in(&account).await;
    site.move_on(15 * 60 + 1);
    says(&held, "sign-in-over-time").await;
    let an = site.operator("an").await;
    let held = site.signed_in(&account).await;
    site.hold_by_order(&an, &account).await;
    says(&held, "sign-in-over-change").await;
    let held = site.signed_in(&account).await;
    let everywhere = format!("/desk/account/{account}/end-sessions");
    assert!(site.post(&everywhere, &an, &[]).await.status.is_redirection());
    says(&held, "sign-in-over-gone").await;
    // Other visitors learn nothing.
    let page = site.get("/sign-in", "").await;
    assert!(!page.text.contains("govuk-inset-text"), "{}", page.text);
    site.sound().await;
}

/// The return address survives the end of a held visit.
#[tokio::test(flavor = "multi_thread")]
async fn return_address_survives_expired_held_visit() {
    let site = Site::reconciled().await;
    let account = site.held_by(Reason::StaleInfo).await;
    let whose = AccountId(account.clone());
    let before = site.store.begin_session(&whose).await.unwrap();
    site.store
        .set_next(before.as_str(), "/authorize?client_id=x")
        .await
        .unwrap();
    site.move_on(15 * 60 + 1);
    let after = site.store.begin_session(&whose).await.unwrap();
    site.store.replace_session(before.as_str(), &after).await.unwrap();
    let next = site.store.next(after.as_str()).await.unwrap();
    assert_eq!(next.as_deref(), Some("/authorize?client_id=x"));
    // It does not lead another owner at the same browser.
    let other = site.store.begin_session(&AccountId("HS001".into())).await.unwrap();
    site.store.replace_session(after.as_str(), &other).await.unwrap();
    assert_eq!(site.store.next(other.as_str()).await.unwrap(), None);
}

/// A mismatch shows both sides, on the owner's page.
#[tokio::test(flavor = "multi_thread")]
async fn mismatch_hold_shows_account_and_profile_values() {
    let site = Site::reconciled().await;
    let lines = site.store.holds(None, site.store.today()).await.unwrap();
    let mut seen = 0;
    for (account, line) in &lines {
        if !line.reasons.contains(&Reason::Mismatch) {
            continue;
        }
        let explanation = site.store.explain(account, site.store.today()).await.unwrap();
        let page = site.get("/held", &site.signed_in(account).await).await;
        let held = explanation
            .holds
            .iter()
            .find(|held| held.hold.reason == Reason::Mismatch)
            .unwrap();
        for field in held.hold.evidence.keys() {
            let side = |name: &str| {
                let value = explanation.fact(name).unwrap();
                value
                    .parse()
                    .map_or_else(|_| value.to_owned(), |day| vietnamese().day(day))
            };
            let (here, there) = (side(field), side(&format!("profile_{field}")));
            let both = format!("tài khoản ghi {here}, hồ sơ ghi {there}");
            assert!(page.text.contains(&both), "{both}: {}", page.text);
            seen += 1;
        }
    }
    assert!(seen > 0);
}

/// An owner submits another person's details and confirms that the account is their own.
#[tokio::test(flavor = "multi_thread")]
async fn claim_with_other_persons_details_shows_claimed_name() {
    let site = Site::citizens().await;
    let form = rows("registry.csv")
        .into_iter()
        .find(|row| row["status"] == "active" && ["phone", "issued_on"].iter().all(|name| !row[*name].is_empty()));
    let form = form.unwrap();
    let wrong = rows("citizens.csv").into_iter().find(|row| {
        !row["national_id"].is_empty()
            && row["national_id"] != form["national_id"]
            && !row["display_name"].is_empty()
            && row["display_name"] != form["full_name"]
            && !row["password_hash"].is_empty()
    });
    let wrong = wrong.unwrap()["account_id"].clone();
    let fields = ["full_name", "national_id", "issued_on", "phone"].map(|name| (name, form[name].clone()));
    let cookie = site.signed_in(&wrong).await;
    let done = site.form(&cookie, &lent(&fields, &[("mine", "yes")])).await;
    assert!(done.says("answer-standardised-title"), "{}", done.text);
    let number = NationalId::try_from(form["national_id"].clone()).unwrap().masked();
    let whose = format!("{} ({number})", form["full_name"]);
    let home = site.get("/", &cookie).await;
    assert!(
        home.text.contains(&whose) && home.says("home-claim-differs"),
        "{}",
        home.text
    );
    let an = site.operator("an").await;
    for path in ["", "/withdraw"] {
        let page = site.get(&format!("/desk/account/{wrong}{path}"), &an).await;
        assert!(
            page.status == StatusCode::OK && page.text.contains(&whose),
            "{path}: {}",
            page.text
        );
        assert!(page.says("claim-differs"), "{path}: {}", page.text);
    }
    // An account with its owner's own claim shows no such warning.
    let explanation = site
        .store
        .account_explanation(&wrong, site.store.today())
        .await
        .unwrap();
    assert!(explanation.claim_differs && explanation.fact("claim_name") == Some(form["full_name"].as_str()));
}

/// The owner sees what the next run will do, and what comes within the warning period.
#[tokio::test(flavor = "multi_thread")]
async fn home_page_announces_coming_holds() {
    let site = Site::reconciled().await;
    // Three weeks before the pay steps of January.
    site.move_on(148 * 86_400);
    let lines = site.store.holds(None, site.store.today()).await.unwrap();
    let mut told = 0;
    for row in super::demo_rows("officials.csv") {
        let account = &row["account_id"];
        if lines.contains_key(account) || row["password_hash"].is_empty() {
            continue;
        }
        let explanation = site.store.explain(account, site.store.today()).await.unwrap();
        let Some((day, hold)) = explanation.coming.first() else {
            continue;
        };
        assert!(*day > site.store.today() && *day <= site.store.today().checked_add(jiff::ToSpan::days(30)).unwrap());
        let home = site.get("/", &site.signed_in(account).await).await;
        let key = match hold.reason {
            Reason::ReviewOverdue => "Hồ sơ nhân sự cần được rà soát, hạn hết ngày ",
            Reason::StaleInfo => "Sau ngày đó, tài khoản bị khóa nếu hồ sơ chưa cập nhật",
            _ => ", tài khoản sẽ bị khóa nếu hồ sơ vẫn như hiện nay",
        };
        assert!(home.text.contains(key), "{:?}: {}", hold.reason, home.text);
        told += 1;
    }
    assert!(told > 0, "somebody of the demo is to be warned");
}

/// HR declines a proposal with a reason, which the owner reads; a due day in the past gets a remark.
#[tokio::test(flavor = "multi_thread")]
async fn proposal_declined_with_reason_shown_to_owner() {
    let site = Site::reconciled().await;
    let account = site.held_by(Reason::StaleInfo).await;
    let cookie = site.signed_in(&account).await;
    let proposed = [("next_due_on", "1/7/2020"), ("document", "12/QĐ-UBND")];
    assert_eq!(
        site.post("/profile/propose", &cookie, &proposed).await.goes_to(),
        "/profile?done=proposed"
    );
    let an = site.operator("an").await;
    let list = site.get("/desk/proposals", &an).await;
    assert!(list.says("desk-proposal-past"), "{}", list.text);
    let receipt = list.text.split("action=\"/desk/proposals/").nth(1).unwrap();
    let place = format!("/desk/proposals/{}", receipt.split('"').next().unwrap());
    let bare = site.post(&place, &an, &[("decide", "decline")]).await;
    assert!(
        bare.status == StatusCode::UNPROCESSABLE_ENTITY && bare.says("desk-no-reason"),
        "{}",
        bare.text
    );
    let why = [("decide", "decline"), ("reason", "ngày trong quyết định là 1/7/2026")];
    assert_eq!(
        site.post(&place, &an, &why).await.goes_to(),
        "/desk/proposals?done=declined"
    );
    for path in ["/held", "/profile"] {
        let page = site.get(path, &cookie).await;
        assert!(page.text.contains(why[1].1), "{path}: {}", page.text);
    }
    site.sound().await;
}

/// An owner who submitted another account's number reads what to do in either case, and when it was found.
#[tokio::test(flavor = "multi_thread")]
async fn duplicate_hold_page_explains_both_cases() {
    let (site, held) = super::two_accounts_of_one_number().await;
    let page = site.get("/held", &held).await;
    let both = "Nếu cả hai tài khoản là của ông/bà, chọn Gộp tài khoản. Nếu không phải, chọn Chuẩn hóa";
    assert!(page.text.contains(both), "{}", page.text);
    let ways = ["/held/join", "\"/form\"", "/held/review"].map(|way| page.text.find(way).unwrap());
    assert!(ways.is_sorted(), "joining comes first: {}", page.text);
}

/// After the deadline the form says so, and if nothing opens without the form then, it says that too.
#[tokio::test(flavor = "multi_thread")]
async fn form_states_that_deadline_has_passed() {
    let site = Site::sample().await;
    let (account, _) = super::right_form();
    let set = async |key: &str, value: &str| site.store.set_campaign(key, value, true, "op").await.unwrap();
    let form = async || site.get("/form", &site.signed_in(&account).await).await;
    set("deadline.citizens", "2023-07-15").await;
    assert!(form().await.says("form-deadline"));
    set("deadline.citizens", "2023-07-14").await;
    let late = form().await;
    assert!(
        late.says("form-deadline-past") && !late.text.contains("Hạn hoàn thành"),
        "{}",
        late.text
    );
    set("after-deadline", "require").await;
    let late = form().await;
    assert!(
        late.says("form-deadline-over") && late.text.contains("các hệ thống kết nối"),
        "{}",
        late.text
    );
}

/// Sessions are listed by device, in plain words, also after a held visit has become a full session.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_listed_by_device() {
    let site = Site::reconciled().await;
    let account = site.held_by(Reason::ReviewOverdue).await;
    let row = super::demo_rows("officials.csv");
    let row = row.into_iter().find(|row| row["account_id"] == account).unwrap();
    let enter = async |agent: &str| {
        let password = account.replace("CV", "Hue-CV");
        let typed = [("username", &*row["username"]), ("password", &*password)];
        let mut request = super::form_to("/sign-in", "", &typed);
        request.headers_mut().insert("user-agent", agent.parse().unwrap());
        site.ask(request).await.cookie()
    };
    let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
    let held = enter(windows).await;
    assert_eq!(site.post("/profile/review", &held, &[]).await.goes_to(), "/held");
    let opened = site.get("/held", &held).await;
    assert!(opened.says("held-opened"), "{}", opened.text);
    let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1";
    for agent in [iphone, "curl/8"] {
        enter(agent).await;
    }
    let home = site.get("/", &opened.cookie()).await;
    for device in [
        "Chrome trên Windows (thiết bị này)",
        "Safari trên iPhone",
        "Trình duyệt chưa xác định",
    ] {
        assert!(home.text.contains(&format!(">{device}<")), "{device}: {}", home.text);
    }
    site.sound().await;
}
