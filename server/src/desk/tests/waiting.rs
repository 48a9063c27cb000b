//! Tests that a form entered at the desk queries the registry as a citizen's does: it gets an answer in time, or it waits, with
//! the papers that were seen.

use crate::app::App;
use crate::desk::tests::acts::{fields, free};
use crate::tests::Site;
use crate::workers::retry_pending_forms;
use ngomon_rules::values::NationalId;

#[tokio::test(flavor = "multi_thread")]
async fn a_form_at_the_desk_waits_for_a_silent_registry() {
    let site = Site::citizens().await;
    let cookie = site.operator("an").await;
    let (account, form) = free().swap_remove(0);
    let number = NationalId::try_from(form.national_id.clone()).unwrap();
    site.store.set_sandbox_mood(number, "garbage").await.unwrap();
    let sent = [&fields(&form)[..], &[("papers", "id-card")]].concat();
    let done = site
        .post(&format!("/desk/account/{account}/form"), &cookie, &sent)
        .await;
    let to = done.goes_to().to_owned();
    assert!(site.get(&to, &cookie).await.says("desk-answer-pending"));
    assert!(site.store.registry_silent_since().await.unwrap().is_some());

    site.store.set_sandbox_mood(number, "right").await.unwrap();
    retry_pending_forms(App::new(site.store.clone(), true)).await.unwrap();
    let answer = site.get(&to, &cookie).await;
    assert!(answer.says("desk-answer-standardised") && answer.says("paper-id-card"));
    let explanation = site
        .store
        .account_explanation(&account, site.store.today())
        .await
        .unwrap();
    assert_eq!(explanation.fact("claim"), Some("counter"), "the papers were seen");
    site.sound().await;
}
