//! Tests of loads: no row is visible before the whole load is active, and the rows of a dead process are removed.

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen, number, official, profile};
use ngomon_rules::officials::UnreadableProfile;
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::records::{AccountKind, AccountRow};
use ngomon_rules::values::Date;
use ngomon_store::{HealthFault, LoadDecision, QuarantinedRow, Refusal, StoreError};

both! {
    load_rows_invisible_until_load_is_active
    load_of_dead_process_is_discarded
    shrunken_or_less_readable_file_needs_approval
    imported_locked_account_is_held_by_order
    newest_version_of_profile_counts
    unreadable_row_leaves_account_undecided
    missing_profile_counts_in_full_extract_only
}

/// No row of a load is visible before the whole load is active.
async fn load_rows_invisible_until_load_is_active(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1]).await;
    let mut load = fixture.open("citizens", 3).await;
    load.accounts(vec![citizen("HS1", 1), citizen("HS2", 2)]).await.unwrap();
    assert_eq!(fixture.province(DAY).await.accounts, 0);
    assert!(fixture.store.explain("HS1", DAY).await.is_err());
    assert_eq!(fixture.submit("HS1", 1).await.receipt, None);
    fixture.sound().await;
    load.accounts(vec![citizen("HS3", 1)]).await.unwrap();
    load.finish().await.unwrap();
    assert_eq!(fixture.province(DAY).await.accounts, 3);
    fixture.sound().await;
}

/// The load of a dead process is discarded.
async fn load_of_dead_process_is_discarded(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let held = AccountRow {
        held_reason: Some("Theo văn bản".into()),
        ..citizen("HS2", 2)
    };
    let mut dead = fixture.open("citizens", 2).await;
    dead.accounts(vec![citizen("HS1", 1), held]).await.unwrap();
    let busy = fixture.store.begin_load(incoming("citizens"), None).await;
    assert!(matches!(busy, Err(StoreError::Refused(Refusal::ImportAtWork))));
    fixture.clock.move_on(60);
    // `verify` reports it, but not as a fault: an operator would search for an attacker in vain.
    fixture.store.seal().await.unwrap();
    let found = fixture.store.verify(&mut |_| {}).await.unwrap();
    assert_eq!(found.faults, []);
    let tables: Vec<&str> = found.unfinished.iter().map(|load| load.table.as_str()).collect();
    assert_eq!(tables, ["citizens"]);
    fixture.citizens(vec![citizen("HS1", 9), citizen("HS4", 4)]).await;
    assert_eq!(fixture.province(DAY).await.accounts, 2);
    // If the process continues after all, it is refused and changes nothing.
    assert!(dead.accounts(vec![citizen("HS5", 5)]).await.is_err());
    assert!(dead.finish().await.is_err());
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM load WHERE state = 'open'").await, [0]);
    fixture.sound().await;
}

fn incoming(table: &'static str) -> ngomon_store::LoadRequest {
    ngomon_store::LoadRequest {
        table,
        digest: "d".into(),
        rows: 1,
        unreadable: 0,
        as_of: DAY,
        by: "test".into(),
        full: None,
        units: std::collections::BTreeSet::default(),
    }
}

/// A file that shrank, or has more unreadable rows, needs approval.
async fn shrunken_or_less_readable_file_needs_approval(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&(0..20).collect::<Vec<_>>()).await;
    let LoadDecision::NeedsApproval { load, faults } = fixture.begin("registry", 17, None, None).await else {
        panic!("17 of 20 rows are too few")
    };
    assert_eq!(faults, [HealthFault::FewerRows { before: 20, now: 17 }]);
    let LoadDecision::Open(open) = fixture.begin("registry", 18, None, None).await else {
        panic!("18 of 20 are enough")
    };
    open.abort().await.unwrap();
    let other = fixture.store.begin_load(incoming("registry"), Some(&load)).await;
    assert!(
        matches!(other, Err(StoreError::Refused(Refusal::UnknownLoad(_)))),
        "the approval is of another file"
    );
    let LoadDecision::Open(mut open) = fixture.begin("registry", 17, None, Some(&load)).await else {
        panic!("approved")
    };
    open.registry((0..17).map(crate::fixture::record).collect())
        .await
        .unwrap();
    open.finish().await.unwrap();
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM registry").await, [17]);
    let bad = ngomon_store::LoadRequest {
        rows: 100,
        unreadable: 6,
        ..incoming("registry")
    };
    let LoadDecision::NeedsApproval { faults, .. } = fixture.store.begin_load(bad, None).await.unwrap() else {
        panic!("6 % more")
    };
    assert_eq!(faults, [HealthFault::MoreUnreadable { before: 0, now: 60 }]);
    fixture.sound().await;
}

/// An account that is locked in the imported system is held by order.
async fn imported_locked_account_is_held_by_order(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture
        .citizens(vec![AccountRow {
            held_reason: Some("Theo văn bản số 1".into()),
            ..citizen("HS1", 1)
        }])
        .await;
    assert_eq!(fixture.held(AccountKind::Citizen).await, ["HS1: by-order"]);
    let report = fixture.province(DAY).await;
    assert_eq!((report.held, report.accounts), (1, 1));
    fixture.sound().await;
}

/// The newest version of a profile counts, and an older one goes into the history.
async fn newest_version_of_profile_counts(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    fixture.profiles(vec![profile(1, "A")]).await;
    let entries = || fixture.sql("SELECT COUNT(*) FROM journal WHERE kind = 'profile-taken'");
    assert_eq!(entries().await, [1]);
    fixture.profiles(vec![profile(1, "A")]).await;
    assert_eq!(entries().await, [1], "the same version changes nothing");
    let mut older = profile(1, "B");
    older.updated_on = Some(Date::constant(2023, 4, 1));
    fixture.profiles(vec![older]).await;
    assert_eq!(entries().await, [2], "an older one goes into the history");
    let plan = fixture.store.simulate(DAY).await.unwrap().plan;
    assert!(plan.lines[0].after.is_empty(), "and decides nothing");
    let mut newer = profile(1, "B");
    newer.updated_on = Some(Date::constant(2023, 6, 1));
    // Its code changed: it is found by its number.
    newer.employee_code = Some("046".into());
    fixture.profiles(vec![newer]).await;
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM profile").await, [1]);
    let plan = fixture.store.simulate(DAY).await.unwrap().plan;
    assert_eq!(plan.lines[0].creates.as_ref().unwrap().unit.as_str(), "B");
    fixture.sound().await;
}

/// A row that could not be read leaves its account undecided.
async fn unreadable_row_leaves_account_undecided(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture
        .officials(vec![official(1, "A"), official(2, "A"), official(3, "A")])
        .await;
    let hints = [
        UnreadableProfile {
            employee_code: Some("TTH001".into()),
            ..UnreadableProfile::default()
        },
        UnreadableProfile {
            national_id: Some(number(2)),
            ..UnreadableProfile::default()
        },
    ];
    let rows = hints.into_iter().enumerate().map(|(i, hints)| QuarantinedRow {
        row: i.to_string(),
        reason: QuarantineReason::BadDate,
        hints,
        cells: [("full_name".to_owned(), "Lê".to_owned())].into(),
    });
    let LoadDecision::Open(mut load) = fixture.begin("profiles", 2, Some(None), None).await else {
        panic!()
    };
    load.quarantined(rows.collect()).await.unwrap();
    load.finish().await.unwrap();
    let plan = fixture.store.simulate(DAY).await.unwrap().plan;
    let undecided: Vec<_> = plan
        .lines
        .iter()
        .map(|line| line.undecided.as_deref().unwrap_or("decided"))
        .collect();
    assert_eq!(undecided, ["row-of-its-code", "row-of-its-number", "decided"]);
    // A full extract ends the quarantine of rows that it no longer has.
    fixture
        .profiles(vec![profile(1, "A"), profile(2, "A"), profile(3, "A")])
        .await;
    let plan = fixture.store.simulate(DAY).await.unwrap().plan;
    assert!(
        plan.lines
            .iter()
            .all(|line| line.undecided.is_none() && line.after.is_empty())
    );
    fixture.sound().await;
}

/// A missing profile counts only in a full extract.
async fn missing_profile_counts_in_full_extract_only(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A"), official(2, "B")]).await;
    let reasons = async || {
        let plan = fixture.store.simulate(DAY).await.unwrap().plan;
        plan.lines
            .iter()
            .map(|line| line.reasons().iter().map(|r| r.name()).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    // Before the first full extract nobody gets `no-profile`.
    let mut load = fixture.open("profiles", 1).await;
    load.profiles(vec![profile(1, "A")]).await.unwrap();
    load.finish().await.unwrap();
    assert_eq!(reasons().await, ["", ""]);
    // A unit's extract covers that unit and the units below it.
    let unit = ngomon_rules::unit::UnitCode("B".into());
    let LoadDecision::Open(load) = fixture.begin("profiles", 0, Some(Some(unit)), None).await else {
        panic!()
    };
    load.finish().await.unwrap();
    assert_eq!(reasons().await, ["", "no-profile"]);
    fixture.profiles(vec![profile(2, "B")]).await;
    assert_eq!(reasons().await, ["no-profile", ""]);
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM profile WHERE gone = 1").await, [1]);
    fixture.sound().await;
}
