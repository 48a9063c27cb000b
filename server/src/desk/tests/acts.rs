//! Tests of an operator's acts for a person at the counter.

use crate::i18n::actor_name;
use crate::tests::{Site, TestResponse, rows, vietnamese};
use axum::http::StatusCode;
use ngomon_rules::citizens::Proof;
use ngomon_rules::records::{AccountId, Form, Submission};

/// Persons of the registry without a standardised account in the sample, each with an account that states the number.
pub fn free() -> Vec<(String, Form)> {
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

pub fn fields(form: &Form) -> [(&str, &str); 4] {
    [
        ("full_name", &form.full_name),
        ("national_id", &form.national_id),
        ("issued_on", &form.issued_on),
        ("phone", &form.phone),
    ]
}

/// A person is found by what the person knows; the query is in no address; numbers are masked.
#[tokio::test(flavor = "multi_thread")]
async fn desk_search_finds_person_without_query_in_url() {
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

/// "Assisted standardisation at a counter is not" limited, and the operator learns which fields differ.
#[tokio::test(flavor = "multi_thread")]
async fn counter_form_requires_papers_and_names_differing_fields() {
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
        let both = vietnamese().text_with("desk-differs-2", &[("fields", "họ và tên, ngày cấp")]);
        let known = vietnamese().text_with("desk-near", &[("name", &form.full_name)]);
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

/// The owner standardises the wrong account first; then come the papers and a second operator.
#[tokio::test(flavor = "multi_thread")]
async fn claim_take_over_needs_second_operator() {
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
        notice: None,
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
    assert!(site.post(&place, &an, &[]).await.says("desk-no-reason"));
    let proposed = site.post(&place, &an, &[("reason", "chủ tài khoản có thẻ")]).await;
    assert_eq!(proposed.goes_to(), format!("{place}?done=proposed"));
    let page = site.get(proposed.goes_to(), &an).await;
    assert!(page.says("desk-done-proposed") && page.says("desk-take-back"));
    assert!(!page.text.contains("/approve"), "not by who proposed it");
    assert!(
        site.post(&format!("{place}/approve"), &an, &[])
            .await
            .says("error-same-operator")
    );

    assert!(
        site.get("/desk", &binh)
            .await
            .text
            .contains("/desk/take-overs\">Đề nghị chờ người thứ hai</a> · 1 đang chờ")
    );
    assert!(site.get("/desk/take-overs", &binh).await.text.contains(&account));
    let page = site.get(&place, &binh).await;
    assert!(page.text.contains("/approve") && page.text.contains("chủ tài khoản có thẻ"));
    let masked = ngomon_rules::values::NationalId::try_from(form.national_id.clone())
        .unwrap()
        .masked();
    assert!(
        page.text.matches(&masked).count() >= 2,
        "both numbers, masked alike: {}",
        page.text
    );
    assert!(!page.text.contains(&form.national_id) && page.says("desk-claim-number") && page.says("word-form"));
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

/// Errors are named at their field, and the page after the redirect confirms the act.
#[tokio::test(flavor = "multi_thread")]
async fn exemption_and_claim_withdrawal_at_desk() {
    let site = Site::citizens().await;
    let cookie = site.operator("an").await;
    let (account, form) = free().swap_remove(0);
    let path = |verb: &str| format!("/desk/account/{account}/{verb}");
    let done = async |answer, key| site.done(answer, key, &cookie).await;
    // Acts that the account's state does not allow are refused, by GET and by POST.
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
    for verb in ["form", "exempt"] {
        let page = site.get(&format!("/desk/account/operator%3Aan/{verb}"), &cookie).await;
        assert!(page.status == StatusCode::CONFLICT && page.text.contains("không phải tài khoản Hue-S"));
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
    let late = vietnamese().text_with("desk-late-last-day", &[("day", "15/1/2024")]);
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

    site.sound().await;
}

/// The hold ends all sessions, the owner reads who ordered it, and it is lifted with a reason.
#[tokio::test(flavor = "multi_thread")]
async fn hold_by_order_placed_and_lifted_at_desk() {
    let site = Site::citizens().await;
    let cookie = site.operator("an").await;
    let (account, _) = free().swap_remove(0);
    let path = |verb: &str| format!("/desk/account/{account}/{verb}");
    let done = async |answer, key| site.done(answer, key, &cookie).await;
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

/// ASVS 7.4.5: all sessions end at the owner's request, without a hold.
#[tokio::test(flavor = "multi_thread")]
async fn desk_ends_all_sessions_of_account() {
    let site = Site::citizens().await;
    let cookie = site.operator("an").await;
    let all = rows("citizens.csv");
    let [account, other] = [&all[0], &all[1]].map(|row| row["account_id"].as_str());
    let (here, there, elsewhere) = (
        site.signed_in(account).await,
        site.signed_in(account).await,
        site.signed_in(other).await,
    );
    let path = format!("/desk/account/{account}/end-sessions");
    assert!(site.get(&path, &cookie).await.says("desk-end-sessions-ends"));
    assert!(site.visit(&here).await.is_some(), "looking changes nothing");
    let answer = site.post(&path, &cookie, &[]).await;
    let page = site.done(answer, "desk-done-sessions-ended", &cookie).await;
    assert!(page.says("event-sessions-ended"));
    assert!(site.visit(&here).await.is_none() && site.visit(&there).await.is_none());
    assert!(site.visit(&elsewhere).await.is_some());
    assert!(!site.visit(&site.signed_in(account).await).await.unwrap().held);
    let unknown = site.post("/desk/account/none/end-sessions", &cookie, &[]).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    site.sound().await;
}

/// The owner of a lost device comes to the counter, and the device no longer opens anything.
#[tokio::test(flavor = "multi_thread")]
async fn desk_removes_lost_passkeys_and_ends_sessions() {
    let site = Site::sample().await;
    let cookie = site.operator("an").await;
    let account = &rows("officials.csv")[0]["account_id"];
    let path = format!("/desk/account/{account}/passkeys");
    let of_account = format!("/desk/account/{account}");
    let link = format!("href=\"{path}\"");
    assert!(
        !site.get(&of_account, &cookie).await.text.contains(&link),
        "there is none"
    );
    assert_eq!(site.get(&path, &cookie).await.goes_to(), of_account);
    assert_eq!(
        site.post(&path, &cookie, &[("reason", "x")]).await.goes_to(),
        of_account,
        "nothing to remove, nothing done"
    );

    let mut device = site.device(account).await;
    let owner = site.shows(&mut device).await.cookie();
    assert!(site.get(&of_account, &cookie).await.text.contains(&link));
    let page = site.get(&path, &cookie).await;
    assert!(page.text.contains("Máy ở cơ quan") && page.says("desk-passkeys-opens"));
    assert!(site.post(&path, &cookie, &[]).await.says("desk-no-reason"));
    assert_eq!(site.shows(&mut device).await.goes_to(), "/", "nothing was changed");
    let done = site
        .done(
            site.post(&path, &cookie, &[("reason", "mất <máy>")]).await,
            "desk-done-passkeys-removed",
            &cookie,
        )
        .await;
    assert!(done.text.contains("mất &#60;máy&#62;") && done.says("event-passkey-removed"));
    assert!(!done.text.contains(&link), "no device is left");
    assert_eq!(site.get("/", &owner).await.goes_to(), "/sign-in");
    assert!(site.shows(&mut device).await.says("passkey-wrong"));
    let told = site.store.messages(1).await.unwrap().remove(0);
    assert!(told.text.contains("tai quay da go cac may") && told.text.is_ascii() && told.text.len() <= 160);
    site.sound().await;
}

impl Site {
    /// The page after an act, which confirms it.
    async fn done(&self, answer: TestResponse, key: &str, cookie: &str) -> TestResponse {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{key}: {}", answer.text);
        let page = self.get(answer.goes_to(), cookie).await;
        assert!(page.says(key), "{key}");
        page
    }
}

/// Each message of the desk exists, and actors are named in words.
#[test]
fn desk_message_keys_exist_and_actor_names_resolve() {
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
        "end-sessions",
        "passkeys",
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
        "sessions-ended",
        "passkeys-removed",
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
    for (by, name) in [
        ("operator:an", "an"),
        ("cli:root", "root"),
        ("client:1", ""),
        ("system", ""),
    ] {
        let said = actor_name(by, vietnamese());
        assert!(
            said.contains(name) && !said.contains(by) && !said.contains("acted"),
            "{said}"
        );
    }
}
