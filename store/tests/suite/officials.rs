//! Tests of letter 108 on the tables: runs, the guard, approval, undo.

use crate::both;
use crate::fixture::{DAY, Fixture, On, name, number, official, profile, record};
use jiff::ToSpan;
use ngomon_rules::officials::Task;
use ngomon_rules::plan::Brake;
use ngomon_rules::records::{
    AccountId, AccountKind, AccountRow, Profile, RegistryRecord, RegistryStatus, ServiceStatus,
};
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::{Date, FullName, Gender, PartialDate, Phone};
use ngomon_store::{HrTask, Refusal, RunLine, StoreError};

both! {
    leaver_is_held_and_released_after_return
    account_follows_profile_to_new_unit_and_back
    held_visit_of_moved_account_continues_at_new_unit
    guard_stops_run_until_approved
    waiting_run_with_changed_facts_is_stale
    a_run_is_undone_as_a_whole
    undo_keeps_accounts_changed_since_run
    account_details_corrected_from_hr_profile
    hold_by_order_independent_of_hr_holds
    newcomers_listed_or_created_by_policy
    newcomer_account_created_on_request_once
    hr_tasks_list_coming_holds
}

/// A leaver is held from the day of leaving, and released after coming back.
async fn leaver_is_held_and_released_after_return(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    let mut gone = profile(1, "A");
    gone.status = ServiceStatus::Resigned;
    gone.status_from = Some(DAY);
    fixture.profiles(vec![gone.clone()]).await;
    let before = DAY.yesterday().unwrap();
    assert!(
        fixture.store.reconcile(before, "hr").await.unwrap().plan.lines[0]
            .after
            .is_empty()
    );
    // A future status is shown with its own day, not as today's.
    let told = fixture.store.explain("CV001", before).await.unwrap();
    let day = DAY.to_string();
    for (fact, is) in [
        ("profile_status", Some("working")),
        ("profile_status_from", None),
        ("profile_next_status", Some("resigned")),
        ("profile_next_status_from", Some(&*day)),
    ] {
        assert_eq!(told.fact(fact), is, "{fact}");
    }
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(fixture.held(AccountKind::Official).await, ["CV001: left"]);
    assert_eq!(
        fixture
            .store
            .holds(Some(AccountKind::Official), before)
            .await
            .unwrap()
            .len(),
        0
    );
    let early = fixture.store.reconcile(before, "hr").await;
    assert!(matches!(early, Err(StoreError::Refused(Refusal::BeforeLastRun { .. }))));
    gone.status = ServiceStatus::Working;
    gone.updated_on = Some(DAY);
    fixture.profiles(vec![gone]).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(fixture.held(AccountKind::Official).await, [""; 0]);
    assert_eq!(fixture.generation("CV001").await, 1);
    fixture.sound().await;
}

/// The account follows the profile to another unit, and back to the first account.
async fn account_follows_profile_to_new_unit_and_back(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    fixture.profiles(vec![profile(1, "B")]).await;
    let run = fixture.store.reconcile(DAY, "hr").await.unwrap();
    let [new] = &run.created[..] else {
        panic!("one account is made")
    };
    assert_eq!(fixture.held(AccountKind::Official).await, ["CV001: moved"]);
    // The new account has the same credentials and another user name, and is recorded as the successor.
    let same = format!("SELECT COUNT(DISTINCT login) FROM account_row WHERE id IN ('CV001', '{new}')");
    assert_eq!(fixture.sql(&same).await, [1]);
    assert_eq!(
        fixture.sql("SELECT COUNT(DISTINCT username_fp) FROM account_row").await,
        [2]
    );
    assert_eq!(
        fixture
            .sql(&format!(
                "SELECT COUNT(*) FROM succession WHERE account = '{new}' AND succeeds = 'CV001'"
            ))
            .await,
        [1]
    );
    let again = fixture.store.reconcile(DAY, "hr").await.unwrap();
    assert!(again.created.is_empty() && again.plan.lines.iter().all(|line| !line.changes()));
    let mut back = profile(1, "A");
    back.updated_on = Some(DAY);
    fixture.profiles(vec![back]).await;
    assert!(fixture.store.reconcile(DAY, "hr").await.unwrap().created.is_empty());
    assert_eq!(fixture.held(AccountKind::Official).await, [format!("{new}: moved")]);
    fixture.sound().await;
}

/// The held visit of an account that `moved` closed leads to the account with the same login, and to no other.
async fn held_visit_of_moved_account_continues_at_new_unit(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let mut there = official(2, "B");
    there.account = AccountId("CV902".into());
    there.stated.username = Some("da-co".into());
    fixture
        .officials(vec![official(1, "A"), official(2, "A"), there, official(3, "A")])
        .await;
    fixture
        .profiles(vec![profile(1, "B"), profile(2, "B"), profile(3, "A")])
        .await;
    let run = fixture.store.reconcile(DAY, "hr").await.unwrap();
    let [new] = &run.created[..] else {
        panic!("one account is made")
    };
    let store = &fixture.store;
    let moved_to = async |account: &str| store.explain(account, DAY).await.unwrap().moved_to;
    let to = moved_to("CV001").await.unwrap();
    assert_eq!(
        (&to.account, to.username.as_deref(), to.same_login),
        (new, Some("can-bo-1.2"), true)
    );
    let to = moved_to("CV002").await.unwrap();
    assert_eq!(
        (to.account.as_str(), to.username.as_deref(), to.same_login),
        ("CV902", Some("da-co"), false)
    );
    assert_eq!(moved_to("CV003").await, None);
    let lines = store.run_lines(run.run.as_deref().unwrap()).await.unwrap();
    let named = |line: &RunLine| matches!(line, RunLine::Made { username: Some(name), .. } if name == "can-bo-1.2");
    assert!(lines.iter().any(named), "{lines:?}");

    let session = async |account: &str| store.begin_session(&AccountId(account.into())).await.unwrap();
    let (first, second, third) = (session("CV001").await, session("CV002").await, session("CV003").await);
    for (token, to) in [
        (&second, AccountId("CV902".into())),
        (&first, AccountId("CV003".into())),
        (&third, new.clone()),
    ] {
        assert!(
            store.resume_after_move(token.as_str(), &to).await.unwrap().is_none(),
            "{to}"
        );
    }
    store.set_next(first.as_str(), "/profile").await.unwrap();
    let on = store.resume_after_move(first.as_str(), new).await.unwrap().unwrap();
    let visit = store.session(on.as_str()).await.unwrap().unwrap();
    assert!(visit.account == *new && !visit.held && visit.amr == "pwd");
    assert_eq!(store.take_next(on.as_str()).await.unwrap().as_deref(), Some("/profile"));
    assert!(store.session(first.as_str()).await.unwrap().is_none());
    fixture.sound().await;
}

/// Thirty officials who are no longer in HR's extract.
async fn thirty(on: On) -> Fixture {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials((0..30).map(|n| official(n, "A")).collect()).await;
    fixture.profiles(Vec::new()).await;
    fixture
}

/// The guard stops a run until an operator approves it.
async fn guard_stops_run_until_approved(on: On) {
    let fixture = thirty(on).await;
    let stopped = fixture.store.reconcile(DAY, "cron").await.unwrap();
    assert_eq!(stopped.stopped_by, [Brake::MassHold { limit: 20 }]);
    assert_eq!(fixture.held(AccountKind::Official).await, [""; 0]);
    fixture.sound().await;
    let run = stopped.run.unwrap();
    fixture.store.approve_run(&run, "head").await.unwrap();
    assert_eq!(fixture.held(AccountKind::Official).await.len(), 30);
    let again = fixture.store.approve_run(&run, "head").await;
    assert!(matches!(again, Err(StoreError::Refused(Refusal::RunState { .. }))));
    let none = fixture.store.approve_run("no such run", "head").await;
    assert!(matches!(none, Err(StoreError::Refused(Refusal::UnknownRun(_)))));
    let explained = fixture.store.explain("CV001", DAY).await.unwrap();
    assert_eq!(explained.holds.len(), 1);
    assert_eq!(explained.history.last().unwrap().by, "head");
    fixture.sound().await;
}

/// A waiting run whose facts changed is stale.
async fn waiting_run_with_changed_facts_is_stale(on: On) {
    let fixture = thirty(on).await;
    let run = fixture.store.reconcile(DAY, "cron").await.unwrap().run.unwrap();
    let mut load = fixture.open("profiles", 1).await;
    load.profiles(vec![profile(7, "A")]).await.unwrap();
    load.finish().await.unwrap();
    match fixture.store.approve_run(&run, "head").await {
        Err(StoreError::Refused(Refusal::Stale(accounts))) => assert_eq!(accounts, ["CV007"]),
        other => panic!("{other:?}"),
    }
    assert_eq!(fixture.held(AccountKind::Official).await, [""; 0]);
    fixture.sound().await;
}

async fn a_run_is_undone_as_a_whole(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials((0..6).map(|n| official(n, "A")).collect()).await;
    let all = || (0..6).map(|n| profile(n, "A"));
    let mut first: Vec<_> = all().collect();
    first[0].reviewed_on = Some(DAY.checked_sub(2.years()).unwrap());
    fixture.profiles(first.clone()).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    let before = fixture.held(AccountKind::Official).await;
    assert_eq!(before, ["CV000: review-overdue"]);
    // The next run lifts one hold, places one, moves one account and writes a phone back.
    let mut second: Vec<_> = all().collect();
    second.iter_mut().for_each(|p| p.updated_on = Some(DAY));
    second[1].status = ServiceStatus::Retired;
    second[2].unit = ngomon_rules::unit::UnitCode("B".into());
    second[3].phone = Some(Phone::parse("0912 345 678").unwrap().0);
    fixture.profiles(second).await;
    let accounts = || fixture.sql("SELECT COUNT(*) FROM account_row");
    fixture.clock.move_on(86_400);
    let day = DAY.tomorrow().unwrap();
    let run = fixture.store.reconcile(day, "hr").await.unwrap().run.unwrap();
    assert_eq!(accounts().await, [7]);
    let generation = fixture.generation("CV001").await;
    let undone = fixture.store.undo_run(&run, "hr").await.unwrap();
    assert!(undone.changed_since.is_empty(), "{undone:?}");
    assert_eq!(fixture.held(AccountKind::Official).await, before);
    assert_eq!(accounts().await, [6]);
    assert_eq!(
        fixture.generation("CV001").await,
        generation,
        "an undo revives no session"
    );
    let facts = fixture.store.explain("CV003", DAY).await.unwrap().facts;
    assert!(!facts.iter().any(|(key, _)| *key == "phone"), "{facts:?}");
    // Further automatic runs wait for an approval.
    let next = fixture.store.reconcile(day, "hr").await.unwrap();
    assert_eq!(next.stopped_by, [Brake::AfterUndo]);
    fixture.store.approve_run(&next.run.unwrap(), "head").await.unwrap();
    assert_eq!(fixture.store.reconcile(day, "hr").await.unwrap().stopped_by, []);
    fixture.sound().await;
}

/// An undo keeps accounts that changed since the run, and names them.
async fn undo_keeps_accounts_changed_since_run(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A"), official(2, "A")]).await;
    fixture.profiles(Vec::new()).await;
    let run = fixture.store.reconcile(DAY, "hr").await.unwrap().run.unwrap();
    let mut load = fixture.open("profiles", 1).await;
    load.profiles(vec![profile(1, "A")]).await.unwrap();
    load.finish().await.unwrap();
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(fixture.held(AccountKind::Official).await, ["CV002: no-profile"]);
    let undone = fixture.store.undo_run(&run, "hr").await.unwrap();
    assert_eq!(undone.changed_since.into_iter().collect::<Vec<_>>(), ["CV001"]);
    assert_eq!(fixture.held(AccountKind::Official).await, [""; 0]);
    let twice = fixture.store.undo_run(&run, "hr").await;
    assert!(matches!(twice, Err(StoreError::Refused(Refusal::RunState { .. }))));
    fixture.sound().await;
}

/// Details of an account are corrected from the HR profile.
async fn account_details_corrected_from_hr_profile(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let mut account = official(1, "A");
    let upper = name(1).as_str().to_uppercase();
    account.stated.full_name = FullName::parse(&upper).map(|(name, _)| name);
    account.stated.employee_code = None;
    fixture.officials(vec![account]).await;
    fixture.profiles(vec![profile(1, "A")]).await;
    let run = fixture.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(run.plan.lines[0].writes_back, ["employee_code", "full_name"]);
    let facts = fixture.store.explain("CV001", DAY).await.unwrap().facts;
    assert!(facts.contains(&("full_name", name(1).as_str().to_owned())));
    assert!(facts.contains(&("employee_code", "TTH001".to_owned())));
    fixture.sound().await;
}

/// A hold by order stays whatever HR's holds do.
async fn hold_by_order_independent_of_hr_holds(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let mut account = official(1, "A");
    account.held_reason = Some("Theo văn bản số 2".into());
    fixture.officials(vec![account]).await;
    fixture.profiles(Vec::new()).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(
        fixture.held(AccountKind::Official).await,
        ["CV001: by-order no-profile"]
    );
    fixture.profiles(vec![profile(1, "A")]).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(fixture.held(AccountKind::Official).await, ["CV001: by-order"]);
    fixture.sound().await;
}

/// Newcomers are listed for the desk, or get an account if the policy says so.
async fn newcomers_listed_or_created_by_policy(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    let mut gone = profile(3, "A");
    gone.status = ServiceStatus::Retired;
    gone.status_from = Some(DAY);
    let mut due = profile(4, "B");
    due.reviewed_on = Some(DAY.checked_sub(2.years()).unwrap());
    fixture
        .profiles(vec![profile(1, "A"), profile(2, "B"), gone.clone(), due])
        .await;

    let desk = fixture.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(
        (desk.plan.newcomers.len(), desk.created.len()),
        (2, 0),
        "who has an account or has left is none"
    );

    fixture.store.set_policy("newcomers", "create", "hr").await.unwrap();
    let made = fixture.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(made.created.len(), 2);
    let mut held = Vec::new();
    for id in &made.created {
        let found = fixture.store.explain(id.as_str(), DAY).await.unwrap();
        assert_eq!(found.unit, "B");
        held.extend(found.holds.iter().map(|held| held.hold.reason.name()));
    }
    assert_eq!(
        held,
        ["review-overdue"],
        "an account that is made is judged like any other"
    );
    fixture.sound().await;

    let again = fixture.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!((again.plan.newcomers.len(), again.created.len()), (0, 0));
    fixture.store.undo_run(&made.run.unwrap(), "hr").await.unwrap();
    for id in &made.created {
        assert!(fixture.store.explain(id.as_str(), DAY).await.is_err());
    }
    fixture.sound().await;

    let stopped = fixture.store.reconcile(DAY, "hr").await.unwrap();
    assert_eq!(stopped.stopped_by, [Brake::AfterUndo]);
    let run = stopped.run.unwrap();
    let mut elsewhere = profile(2, "A");
    elsewhere.updated_on = Some(DAY);
    fixture
        .profiles(vec![profile(1, "A"), elsewhere, gone, profile(4, "B")])
        .await;
    let stale = fixture.store.approve_run(&run, "hr").await;
    assert!(matches!(stale, Err(StoreError::Refused(Refusal::Stale(lines))) if !lines.is_empty()));
}

/// An operator creates the account of one newcomer, once.
async fn newcomer_account_created_on_request_once(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    fixture
        .profiles(vec![profile(1, "A"), profile(2, "B"), profile(3, "B")])
        .await;
    let newcomers = async |unit: Option<&str>| {
        let unit = unit.map(|unit| UnitCode(unit.into()));
        let tasks = fixture.store.hr_tasks(unit.as_ref(), DAY).await.unwrap();
        let new = tasks.into_iter().filter(|task| task.task == Task::Newcomer);
        new.collect::<Vec<_>>()
    };
    assert_eq!(newcomers(Some("A")).await, []);
    let waiting = newcomers(Some("B")).await;
    let codes: Vec<_> = waiting.iter().map(|task| task.employee_code.as_deref()).collect();
    assert_eq!(codes, [Some("TTH002"), Some("TTH003")]);
    let profile = waiting[0].profile.clone().unwrap();
    let operator = fixture.operator("lan").await;
    let made = fixture.store.make_newcomer(&operator, &profile).await.unwrap().unwrap();
    let explanation = fixture.store.explain(made.as_str(), DAY).await.unwrap();
    assert_eq!(
        (explanation.unit.as_str(), explanation.fact("employee_code")),
        ("B", Some("TTH002"))
    );
    assert_eq!(explanation.history[0].by, operator.by());
    assert_eq!(newcomers(None).await, waiting[1..], "the other one still waits");
    let again = fixture.store.make_newcomer(&operator, &profile).await.unwrap();
    assert_eq!(again, None, "it has one");
    fixture.sound().await;
    // After an undo, the next run that changes something needs an approval, even one like this.
    let runs = fixture.store.runs().await.unwrap();
    fixture.store.undo_run(&runs.last().unwrap().id, "hr").await.unwrap();
    assert_eq!(newcomers(None).await, waiting);
    assert_eq!(fixture.store.make_newcomer(&operator, &profile).await.unwrap(), None);
    let waits = fixture.store.runs().await.unwrap().swap_remove(0);
    assert_eq!(waits.state, "waiting");
    let approved = fixture.store.approve_run(&waits.id, "hr").await.unwrap();
    assert_eq!(approved.created.len(), 1);
    assert_eq!(newcomers(None).await, waiting[1..]);
    fixture.sound().await;
}

/// HR's tasks list the holds to come, retirements, unused accounts and deaths.
async fn hr_tasks_list_coming_holds(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let used = |n: u32, day: Date| AccountRow {
        last_sign_in_on: Some(day),
        ..official(n, "A")
    };
    let long_ago = Date::constant(2022, 7, 1);
    let rows = (1..6)
        .map(|n| used(n, DAY))
        .chain([used(6, long_ago), used(7, long_ago)]);
    fixture.officials(rows.collect()).await;
    let mut rows: Vec<Profile> = (1..8).map(|n| profile(n, "A")).collect();
    // Due in 10 days; due in 40; held already; reaches the age of retirement next month; deceased under a former number; unused; unused and
    // held.
    (rows[0].next_due_on, rows[1].next_due_on) = (Some(DAY + 10.days()), Some(DAY + 40.days()));
    rows[2].next_due_on = Some(DAY - 10.days());
    (rows[3].birth_date, rows[3].gender) = (PartialDate::parse("1962-11-20").ok(), Some(Gender::M));
    rows[6].next_due_on = Some(DAY - 10.days());
    fixture.profiles(rows).await;
    let mut load = fixture.open("registry", 1).await;
    let died = RegistryRecord {
        national_id: number(205),
        former_ids: vec![number(5)],
        status: RegistryStatus::Deceased,
        ..record(5)
    };
    load.registry(vec![died]).await.unwrap();
    load.finish().await.unwrap();
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    let told = async |day: Date| {
        let tasks = fixture.store.hr_tasks(None, day).await.unwrap();
        let line = |task: &HrTask| {
            let on = task.on.map(|on| format!(" {on}")).unwrap_or_default();
            format!("{} {}{on}", task.task.name(), task.account.clone().unwrap())
        };
        tasks.iter().map(line).collect::<Vec<_>>()
    };
    let coming = [
        "stale-info CV001 2023-08-11",
        "retirement CV004 2023-08-31",
        "no-sign-in CV006 2023-07-01",
        "deceased CV005",
    ];
    assert_eq!(told(DAY).await, coming);
    let later = told(DAY + 15.days()).await;
    assert!(later.contains(&"stale-info CV002 2023-09-10".to_owned()), "{later:?}");
    fixture.sound().await;
}
