//! Tests of C2 to C5 on the tables: forms, claims, duplicates.

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen, form, name, number, phone, record};
use ngomon_rules::citizens::{Field, Outcome, Proof};
use ngomon_rules::records::{AccountAttributes, AccountKind, RegistryRecord, RegistryStatus};
use ngomon_rules::values::Date;
use ngomon_store::CampaignChange;
use std::sync::Arc;

both! {
    sixteen_simultaneous_forms_make_one_claim
    pending_form_answered_when_registry_returns
    later_accounts_compared_with_existing_claims
    account_held_by_mistake_can_still_be_standardised
    replaced_national_id_covered_by_claim
    leading_zero_restored_in_files_only
    the_report_equals_a_recount
    campaign_change_that_holds_accounts_needs_approval
}

/// A lost leading zero is restored in a file, and not in a form typed on a page.
async fn leading_zero_restored_in_files_only(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1]).await;
    fixture.citizens(vec![citizen("HS1", 90)]).await;
    let mut typed = form("HS1", 1);
    typed.form.national_id.remove(0);
    let now = fixture.store.now();
    let told = fixture
        .store
        .standardise(&typed, Proof::Form, "owner", now)
        .await
        .unwrap();
    assert_eq!(
        (told.outcome, told.fields),
        (Outcome::Malformed, vec![Field::NationalId])
    );
    let file = fixture.store.begin_forms("a digest").await.unwrap();
    let entered = fixture
        .store
        .enter_form_of(&file, 1, &typed, "counter", now)
        .await
        .unwrap();
    assert_eq!(entered.outcome, Outcome::Standardised);
    fixture.sound().await;
}

/// "Two simultaneous attempts can never both succeed."
async fn sixteen_simultaneous_forms_make_one_claim(on: On) {
    let fixture = Arc::new(Fixture::new(on).await);
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    let ids: Vec<String> = (0..16).map(|i| format!("HS{i:02}")).collect();
    // Half of them state the number already.
    let row = |(i, id): (usize, &String)| citizen(id, if i % 2 == 0 { 1 } else { 90 });
    fixture.citizens(ids.iter().enumerate().map(row).collect()).await;
    let tasks: Vec<_> = ids
        .iter()
        .map(|id| {
            let (fixture, id) = (Arc::clone(&fixture), id.clone());
            tokio::spawn(async move { fixture.submit(&id, 1).await.outcome })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    let count = |outcome| outcomes.iter().filter(|o| **o == outcome).count();
    assert_eq!((count(Outcome::Standardised), count(Outcome::Taken)), (1, 15));
    let lines = fixture.store.holds(Some(AccountKind::Citizen), DAY).await.unwrap();
    assert_eq!(lines.values().filter(|line| line.claimed).count(), 1);
    assert!(lines.values().all(|line| line.claimed == line.reasons.is_empty()));
    assert_eq!(lines.len(), 16);
    fixture.sound().await;
}

/// "Kept, retried until answered, never counted as a failed attempt, nothing the user typed is lost."
async fn pending_form_answered_when_registry_returns(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 2)]).await;
    let first = fixture.submit("HS1", 1).await;
    assert_eq!(first.outcome, Outcome::Pending);
    fixture.submit("HS2", 9).await;
    assert_eq!(fixture.province(DAY).await.pending, 2);
    fixture.registry(&[1, 2]).await;
    assert_eq!(fixture.store.retry_pending("registry").await.unwrap(), 2);
    assert_eq!(fixture.store.retry_pending("registry").await.unwrap(), 0);
    let report = fixture.province(DAY).await;
    assert_eq!((report.standardised, report.refused, report.pending), (1, 1, 0));
    // The receipt is the one that the owner got.
    let receipt = first.receipt.unwrap();
    let explained = fixture.store.explain("HS1", DAY).await.unwrap();
    assert!(explained.facts.contains(&("last_form_receipt", receipt)));
    fixture.sound().await;
}

/// "This is judged at each claim and again whenever an account comes in."
async fn later_accounts_compared_with_existing_claims(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    fixture.citizens(vec![citizen("HS1", 1)]).await;
    assert_eq!(fixture.submit("HS1", 1).await.outcome, Outcome::Standardised);
    let bare = |id, who| AccountAttributes {
        full_name: Some(name(who)),
        phone: Some(phone(1)),
        national_id: None,
        ..citizen(id, 1).stated
    };
    let with = |id, stated| ngomon_rules::records::AccountRow {
        stated,
        ..citizen(id, 1)
    };
    fixture
        .citizens(vec![
            citizen("HS2", 1),
            with("HS3", bare("HS3", 1)),
            with("HS4", bare("HS4", 2)),
            citizen("HS5", 2),
        ])
        .await;
    assert_eq!(
        fixture.held(AccountKind::Citizen).await,
        ["HS2: duplicate", "HS3: duplicate"]
    );
    let review = fixture.store.review().await.unwrap();
    assert_eq!(review.len(), 1);
    assert_eq!(
        (review[0].account.as_str(), review[0].because_of.as_str()),
        ("HS4", "HS1")
    );
    // Accounts are taken over once: an existing one is left as it is.
    fixture.citizens(vec![citizen("HS5", 1)]).await;
    assert_eq!(fixture.held(AccountKind::Citizen).await.len(), 2);
    fixture.sound().await;
}

/// "A held account can still be standardised (as somebody else's it was held by mistake); success lifts `duplicate`."
async fn account_held_by_mistake_can_still_be_standardised(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 1)]).await;
    fixture.submit("HS1", 1).await;
    let generation = fixture.generation("HS2").await;
    assert_eq!((fixture.held(AccountKind::Citizen).await.len(), generation), (1, 1));
    assert_eq!(fixture.submit("HS2", 2).await.outcome, Outcome::Standardised);
    assert_eq!(fixture.held(AccountKind::Citizen).await, [""; 0]);
    // Lifting revives nothing.
    assert_eq!(fixture.generation("HS2").await, generation);
    assert_eq!(fixture.submit("HS2", 1).await.outcome, Outcome::AlreadyDone);
    fixture.sound().await;
}

/// "All numbers a person ever held are kept": the claim of the new number covers accounts that state the old one.
async fn replaced_national_id_covered_by_claim(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let renumbered = RegistryRecord {
        former_ids: vec![number(7)],
        ..record(1)
    };
    let dead = RegistryRecord {
        status: RegistryStatus::Deceased,
        ..record(3)
    };
    let mut load = fixture.open("registry", 2).await;
    load.registry(vec![renumbered, dead]).await.unwrap();
    load.finish().await.unwrap();
    fixture
        .citizens(vec![citizen("HS1", 1), citizen("HS2", 7), citizen("HS3", 3)])
        .await;
    // The old number with the correct details: it was replaced by another.
    let mut old = crate::fixture::form("HS2", 1);
    old.form.national_id = number(7).as_str().into();
    let answer = fixture
        .store
        .standardise(&old, ngomon_rules::citizens::Proof::Form, "owner", fixture.store.now())
        .await
        .unwrap();
    assert_eq!(answer.outcome, Outcome::Revoked);
    assert_eq!(fixture.submit("HS3", 3).await.outcome, Outcome::Deceased);
    assert_eq!(fixture.submit("HS1", 1).await.outcome, Outcome::Standardised);
    assert_eq!(fixture.held(AccountKind::Citizen).await, ["HS2: duplicate"]);
    fixture.sound().await;
}

/// "What the page shows equals what a recount of the accounts gives, always."
async fn the_report_equals_a_recount(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&(0..20).collect::<Vec<_>>()).await;
    fixture
        .citizens((0..30).map(|i| citizen(&format!("HS{i:02}"), i % 20)).collect())
        .await;
    for i in 0..25 {
        fixture.submit(&format!("HS{i:02}"), i % 7).await;
    }
    let counted = fixture.store.report(None, DAY).await.unwrap();
    // A change that takes effect on a later day turns the report of this day into a recount.
    let mut later = crate::fixture::form("HS29", 19);
    later.submitted_at = Some("2023-08-02T01:00:00Z".parse().unwrap());
    fixture
        .store
        .standardise(
            &later,
            ngomon_rules::citizens::Proof::Form,
            "owner",
            fixture.store.now(),
        )
        .await
        .unwrap();
    assert_eq!(fixture.store.report(None, DAY).await.unwrap(), counted);
    let after = fixture.province(Date::constant(2023, 8, 2)).await;
    let before = fixture.province(DAY).await;
    assert_eq!(after.standardised, before.standardised + 1);
    assert_eq!(before.accounts, 30);
    fixture.sound().await;
}

/// "A change that would hold or shut out anybody prints how many and exits 3 unless `--approve` is given."
async fn campaign_change_that_holds_accounts_needs_approval(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 2)]).await;
    fixture.submit("HS1", 1).await;
    let set =
        async |key: &str, value: &str, approved| fixture.store.set_campaign(key, value, approved, "op").await.unwrap();
    assert_eq!(
        set("deadline.citizens", "2023-07-25", false).await,
        CampaignChange::Done
    );
    let CampaignChange::NeedsApproval(units) = set("after-deadline", "hold", false).await else {
        panic!("it holds HS2")
    };
    assert_eq!(units.into_iter().collect::<Vec<_>>(), [("V".to_owned(), 1)]);
    assert_eq!(fixture.held(AccountKind::Citizen).await, [""; 0]);
    assert_eq!(set("after-deadline", "hold", true).await, CampaignChange::Done);
    assert_eq!(fixture.held(AccountKind::Citizen).await, ["HS2: not-standardised"]);
    assert_eq!(set("freeze", "on", false).await, CampaignChange::Done);
    assert_eq!(fixture.held(AccountKind::Citizen).await, [""; 0]);
    assert!(matches!(
        set("freeze", "off", false).await,
        CampaignChange::NeedsApproval(_)
    ));
    assert!(
        fixture
            .store
            .set_campaign("vneid-cut-over", "2024-01-01", true, "op")
            .await
            .is_err()
    );
    fixture.sound().await;
}
