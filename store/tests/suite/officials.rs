//! Letter 108 over the tables: runs, the guard, approval, undo.

use crate::both;
use crate::house::{DAY, House, On, name, official, profile};
use jiff::ToSpan;
use ngomon_rules::plan::Brake;
use ngomon_rules::record::{AccountKind, ServiceStatus};
use ngomon_rules::values::{FullName, Phone};
use ngomon_store::{Refusal, StoreError};

both! {
    a_leaver_leaves_and_comes_back
    the_account_follows_the_file_there_and_back
    the_guard_stops_a_run_until_a_person_approves_it
    a_plan_whose_facts_changed_is_stale
    a_run_is_undone_as_a_whole
    what_changed_since_stays_as_it_is
    details_are_taken_over_from_hr
    an_order_stays_beside_hrs_holds
    newcomers_wait_on_the_desk_or_get_an_account
}

async fn a_leaver_leaves_and_comes_back(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.officials(vec![official(1, "A")]).await;
    let mut gone = profile(1, "A");
    gone.status = ServiceStatus::Resigned;
    gone.status_from = Some(DAY);
    house.profiles(vec![gone.clone()]).await;
    let before = DAY.yesterday().unwrap();
    assert!(
        house.store.reconcile(before, "hr").await.unwrap().plan.lines[0]
            .after
            .is_empty()
    );
    house.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(house.held(AccountKind::Official).await, ["CV001: left"]);
    assert_eq!(
        house
            .store
            .holds(Some(AccountKind::Official), before)
            .await
            .unwrap()
            .len(),
        0
    );
    let early = house.store.reconcile(before, "hr").await;
    assert!(matches!(early, Err(StoreError::Refused(Refusal::BeforeLastRun { .. }))));
    gone.status = ServiceStatus::Working;
    gone.updated_on = Some(DAY);
    house.profiles(vec![gone]).await;
    house.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(house.held(AccountKind::Official).await, [""; 0]);
    assert_eq!(house.generation("CV001").await, 1);
    house.sound().await;
}

async fn the_account_follows_the_file_there_and_back(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.officials(vec![official(1, "A")]).await;
    house.profiles(vec![profile(1, "B")]).await;
    let run = house.store.reconcile(DAY, "hr").await.unwrap();
    let [new] = &run.created[..] else {
        panic!("one account is made")
    };
    assert_eq!(house.held(AccountKind::Official).await, ["CV001: moved"]);
    // The same credentials, another user name, and it is known whom it succeeds.
    let same = format!("SELECT COUNT(DISTINCT login) FROM account_row WHERE id IN ('CV001', '{new}')");
    assert_eq!(house.sql(&same).await, [1]);
    assert_eq!(
        house.sql("SELECT COUNT(DISTINCT username_fp) FROM account_row").await,
        [2]
    );
    assert_eq!(
        house
            .sql(&format!(
                "SELECT COUNT(*) FROM succession WHERE account = '{new}' AND succeeds = 'CV001'"
            ))
            .await,
        [1]
    );
    let again = house.store.reconcile(DAY, "hr").await.unwrap();
    assert!(again.created.is_empty() && again.plan.lines.iter().all(|line| !line.changes()));
    let mut back = profile(1, "A");
    back.updated_on = Some(DAY);
    house.profiles(vec![back]).await;
    assert!(house.store.reconcile(DAY, "hr").await.unwrap().created.is_empty());
    assert_eq!(house.held(AccountKind::Official).await, [format!("{new}: moved")]);
    house.sound().await;
}

/// Thirty officials whom HR does not know any more.
async fn thirty(on: On) -> House {
    let house = House::new(on).await;
    house.units().await;
    house.officials((0..30).map(|n| official(n, "A")).collect()).await;
    house.profiles(Vec::new()).await;
    house
}

async fn the_guard_stops_a_run_until_a_person_approves_it(on: On) {
    let house = thirty(on).await;
    let stopped = house.store.reconcile(DAY, "cron").await.unwrap();
    assert_eq!(stopped.stopped_by, [Brake::MassHold { limit: 20 }]);
    assert_eq!(house.held(AccountKind::Official).await, [""; 0]);
    house.sound().await;
    let run = stopped.run.unwrap();
    house.store.approve_run(&run, "head").await.unwrap();
    assert_eq!(house.held(AccountKind::Official).await.len(), 30);
    let again = house.store.approve_run(&run, "head").await;
    assert!(matches!(again, Err(StoreError::Refused(Refusal::RunState { .. }))));
    let none = house.store.approve_run("no such run", "head").await;
    assert!(matches!(none, Err(StoreError::Refused(Refusal::UnknownRun(_)))));
    let explained = house.store.explain("CV001", DAY).await.unwrap();
    assert_eq!(explained.holds.len(), 1);
    assert_eq!(explained.history.last().unwrap().by, "head");
    house.sound().await;
}

async fn a_plan_whose_facts_changed_is_stale(on: On) {
    let house = thirty(on).await;
    let run = house.store.reconcile(DAY, "cron").await.unwrap().run.unwrap();
    let mut load = house.open("profiles", 1).await;
    load.profiles(vec![profile(7, "A")]).await.unwrap();
    load.finish().await.unwrap();
    match house.store.approve_run(&run, "head").await {
        Err(StoreError::Refused(Refusal::Stale(accounts))) => assert_eq!(accounts, ["CV007"]),
        other => panic!("{other:?}"),
    }
    assert_eq!(house.held(AccountKind::Official).await, [""; 0]);
    house.sound().await;
}

async fn a_run_is_undone_as_a_whole(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.officials((0..6).map(|n| official(n, "A")).collect()).await;
    let all = || (0..6).map(|n| profile(n, "A"));
    let mut first: Vec<_> = all().collect();
    first[0].reviewed_on = Some(DAY.checked_sub(2.years()).unwrap());
    house.profiles(first.clone()).await;
    house.store.reconcile(DAY, "hr").await.unwrap();
    let before = house.held(AccountKind::Official).await;
    assert_eq!(before, ["CV000: review-overdue"]);
    // The next run lifts one, places one, moves one and writes a phone back.
    let mut second: Vec<_> = all().collect();
    second.iter_mut().for_each(|p| p.updated_on = Some(DAY));
    second[1].status = ServiceStatus::Retired;
    second[2].unit = ngomon_rules::unit::UnitCode("B".into());
    second[3].phone = Some(Phone::parse("0912 345 678").unwrap().0);
    house.profiles(second).await;
    let accounts = || house.sql("SELECT COUNT(*) FROM account_row");
    let day = DAY.tomorrow().unwrap();
    let run = house.store.reconcile(day, "hr").await.unwrap().run.unwrap();
    assert_eq!(accounts().await, [7]);
    let generation = house.generation("CV001").await;
    let undone = house.store.undo_run(&run, "hr").await.unwrap();
    assert!(undone.changed_since.is_empty(), "{undone:?}");
    assert_eq!(house.held(AccountKind::Official).await, before);
    assert_eq!(accounts().await, [6]);
    assert_eq!(
        house.generation("CV001").await,
        generation,
        "an undo revives no session"
    );
    let facts = house.store.explain("CV003", DAY).await.unwrap().facts;
    assert!(!facts.iter().any(|(key, _)| *key == "phone"), "{facts:?}");
    // Further automatic runs wait for a person.
    let next = house.store.reconcile(day, "hr").await.unwrap();
    assert_eq!(next.stopped_by, [Brake::AfterUndo]);
    house.store.approve_run(&next.run.unwrap(), "head").await.unwrap();
    assert_eq!(house.store.reconcile(day, "hr").await.unwrap().stopped_by, []);
    house.sound().await;
}

async fn what_changed_since_stays_as_it_is(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.officials(vec![official(1, "A"), official(2, "A")]).await;
    house.profiles(Vec::new()).await;
    let run = house.store.reconcile(DAY, "hr").await.unwrap().run.unwrap();
    let mut load = house.open("profiles", 1).await;
    load.profiles(vec![profile(1, "A")]).await.unwrap();
    load.finish().await.unwrap();
    house.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(house.held(AccountKind::Official).await, ["CV002: no-profile"]);
    let undone = house.store.undo_run(&run, "hr").await.unwrap();
    assert_eq!(undone.changed_since.into_iter().collect::<Vec<_>>(), ["CV001"]);
    assert_eq!(house.held(AccountKind::Official).await, [""; 0]);
    let twice = house.store.undo_run(&run, "hr").await;
    assert!(matches!(twice, Err(StoreError::Refused(Refusal::RunState { .. }))));
    house.sound().await;
}

async fn details_are_taken_over_from_hr(on: On) {
    let house = House::new(on).await;
    house.units().await;
    let mut account = official(1, "A");
    let upper = name(1).as_str().to_uppercase();
    account.stated.full_name = FullName::parse(&upper).map(|(name, _)| name);
    account.stated.employee_code = None;
    house.officials(vec![account]).await;
    house.profiles(vec![profile(1, "A")]).await;
    let run = house.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(run.plan.lines[0].writes_back, ["employee_code", "full_name"]);
    let facts = house.store.explain("CV001", DAY).await.unwrap().facts;
    assert!(facts.contains(&("full_name", name(1).as_str().to_owned())));
    assert!(facts.contains(&("employee_code", "TTH001".to_owned())));
    house.sound().await;
}

async fn an_order_stays_beside_hrs_holds(on: On) {
    let house = House::new(on).await;
    house.units().await;
    let mut account = official(1, "A");
    account.held_reason = Some("Theo văn bản số 2".into());
    house.officials(vec![account]).await;
    house.profiles(Vec::new()).await;
    house.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(house.held(AccountKind::Official).await, ["CV001: by-order no-profile"]);
    house.profiles(vec![profile(1, "A")]).await;
    house.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(house.held(AccountKind::Official).await, ["CV001: by-order"]);
    house.sound().await;
}

async fn newcomers_wait_on_the_desk_or_get_an_account(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.officials(vec![official(1, "A")]).await;
    let mut gone = profile(3, "A");
    gone.status = ServiceStatus::Retired;
    gone.status_from = Some(DAY);
    let mut due = profile(4, "B");
    due.reviewed_on = Some(DAY.checked_sub(2.years()).unwrap());
    house
        .profiles(vec![profile(1, "A"), profile(2, "B"), gone.clone(), due])
        .await;

    let desk = house.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(
        (desk.plan.newcomers.len(), desk.created.len()),
        (2, 0),
        "who has an account or has left is none"
    );

    house.store.set_policy("newcomers", "create", "hr").await.unwrap();
    let made = house.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(made.created.len(), 2);
    let mut held = Vec::new();
    for id in &made.created {
        let found = house.store.explain(id.as_str(), DAY).await.unwrap();
        assert_eq!(found.unit, "B");
        held.extend(found.holds.iter().map(|held| held.hold.reason.name()));
    }
    assert_eq!(
        held,
        ["review-overdue"],
        "an account that is made is judged like any other"
    );
    house.sound().await;

    let again = house.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!((again.plan.newcomers.len(), again.created.len()), (0, 0));
    house.store.undo_run(&made.run.unwrap(), "hr").await.unwrap();
    for id in &made.created {
        assert!(house.store.explain(id.as_str(), DAY).await.is_err());
    }
    house.sound().await;

    let stopped = house.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(stopped.stopped_by, [Brake::AfterUndo]);
    let run = stopped.run.unwrap();
    let mut elsewhere = profile(2, "A");
    elsewhere.updated_on = Some(DAY);
    house
        .profiles(vec![profile(1, "A"), elsewhere, gone, profile(4, "B")])
        .await;
    let stale = house.store.approve_run(&run, "hr").await;
    assert!(matches!(stale, Err(StoreError::Refused(Refusal::Stale(lines))) if !lines.is_empty()));
}
