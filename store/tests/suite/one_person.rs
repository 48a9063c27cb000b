//! Tests that every rule reads a person's numbers and phone from one place, which has all that registry, HR and claims ever stated about
//! them.

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen, form, name, number, official, phone, profile, record};
use ngomon_rules::hold::Reason;
use ngomon_rules::officials::UnreadableProfile;
use ngomon_rules::plan::Brake;
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::records::{
    AccountAttributes, AccountId, AccountKind, AccountRow, Notice, Profile, RegistryRecord, RegistryStatus,
};
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::Date;
use ngomon_store::{Check, HealthFault, LoadDecision, LoadRequest, QuarantinedRow, RunLine};
use std::collections::BTreeMap;

both! {
    moved_person_gets_one_account_despite_bad_rows
    changed_number_and_code_make_no_second_account
    undecided_account_prevents_creating_another
    unreadable_row_with_number_leaves_account_undecided
    unreadable_row_with_former_number_leaves_undecided
    unreadable_row_with_new_code_and_number_is_matched
    former_numbers_kept_after_sources_drop_them
    corrected_former_number_separates_persons
    corrected_row_ends_its_quarantine
    evidence_of_continuing_hold_is_updated
    freeze_neither_places_nor_lifts_holds
    arriving_account_matched_by_all_numbers_and_phone
    arriving_account_matched_after_persons_were_linked
    deceased_claim_holder_listed_by_any_number
    notice_counts_under_any_number_of_person
    two_claims_of_one_person_listed_and_reported_by_verify
    file_of_earlier_or_future_day_needs_approval
    run_for_future_day_waits_for_approval
    small_file_ignored_in_comparison_of_unreadable_share
    unit_file_lacking_used_units_needs_approval
    past_report_counts_accounts_existing_on_that_day
}

impl Fixture {
    /// Imports an HR extract with unreadable rows; a partial file if `full` is false.
    async fn hr(&self, rows: Vec<Profile>, unread: Vec<UnreadableProfile>, full: bool) {
        let LoadDecision::Open(mut load) = self.begin("profiles", 100, full.then_some(None), None).await else {
            panic!("the extract is not healthy")
        };
        let unread = unread.into_iter().enumerate().map(|(n, hints)| QuarantinedRow {
            row: n.to_string(),
            reason: QuarantineReason::BadDate,
            hints,
            cells: BTreeMap::new(),
        });
        load.quarantined(unread.collect()).await.unwrap();
        load.profiles(rows).await.unwrap();
        load.finish().await.unwrap();
    }

    async fn records(&self, records: Vec<RegistryRecord>) {
        let mut load = self.open("registry", 10).await;
        load.registry(records).await.unwrap();
        load.finish().await.unwrap();
    }

    /// Applies a run; returns how many accounts it created.
    async fn run(&self) -> usize {
        self.store.reconcile(DAY, "hr").await.unwrap().created.len()
    }

    /// Why a run decides nothing about an account.
    async fn undecided(&self, account: &str) -> Option<String> {
        let plan = self.store.simulate(DAY).await.unwrap().plan;
        let line = plan.lines.iter().find(|line| line.account.as_str() == account);
        line.and_then(|line| line.undecided.clone())
    }

    async fn open_at(&self, unit: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM account_row WHERE unit = '{unit}' AND held_to = ''");
        self.sql(&sql).await[0]
    }

    async fn suspected(&self) -> Vec<String> {
        let lines = self.store.review().await.unwrap();
        lines
            .iter()
            .map(|line| format!("{} {}", line.account, line.because_of))
            .collect()
    }
}

/// Person 1 under another number, without a phone in the registry.
fn phoneless(n: u32) -> RegistryRecord {
    RegistryRecord {
        full_name: name(1),
        phone: None,
        ..record(n)
    }
}

fn without_code(n: u32, unit: &str) -> AccountRow {
    let row = official(n, unit);
    AccountRow {
        stated: AccountAttributes {
            employee_code: None,
            ..row.stated
        },
        ..row
    }
}

fn code(code: &str) -> UnreadableProfile {
    UnreadableProfile {
        employee_code: Some(code.into()),
        ..UnreadableProfile::default()
    }
}

/// Person `n` under another number.
fn renumbered(n: u32, to: u32) -> Profile {
    Profile {
        national_id: Some(number(to)),
        former_ids: vec![number(n)],
        updated_on: Some(DAY),
        ..profile(n, "A")
    }
}

/// A moved person gets one account at the new unit, whatever rows become unreadable later.
async fn moved_person_gets_one_account_despite_bad_rows(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![without_code(1, "A")]).await;
    fixture.hr(vec![profile(1, "B")], vec![], true).await;
    assert_eq!(fixture.run().await, 1);
    let stated = fixture.store.explain("CV001", DAY).await.unwrap();
    assert_eq!(
        stated.fact("employee_code"),
        Some("TTH001"),
        "written back to the one that is closed, too"
    );
    // The number is mistyped, the code is readable.
    fixture.hr(vec![], vec![code("TTH001")], true).await;
    for _ in 0..3 {
        assert_eq!(fixture.run().await, 0);
    }
    assert_eq!(fixture.undecided("CV001").await.as_deref(), Some("row-of-its-code"));
    fixture.hr(vec![profile(1, "B")], vec![], true).await;
    assert_eq!(fixture.run().await, 0);
    assert_eq!((fixture.open_at("B").await, fixture.open_at("A").await), (1, 0));
    fixture.sound().await;
}

/// A person whose number and code both changed gets no second account.
async fn changed_number_and_code_make_no_second_account(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![without_code(1, "A")]).await;
    fixture.hr(vec![profile(1, "B")], vec![], true).await;
    assert_eq!(fixture.run().await, 1);
    let renewed = Profile {
        employee_code: Some(number(201).as_str().to_owned()),
        unit: UnitCode("B".into()),
        ..renumbered(1, 201)
    };
    fixture.hr(vec![renewed.clone()], vec![], true).await;
    assert_eq!(fixture.run().await, 0);
    let unread = UnreadableProfile {
        national_id: Some(number(201)),
        ..code(number(201).as_str())
    };
    fixture.hr(vec![], vec![unread], true).await;
    for _ in 0..3 {
        assert_eq!(fixture.run().await, 0);
    }
    let without = Profile {
        former_ids: Vec::new(),
        ..renewed
    };
    fixture.hr(vec![without], vec![], true).await;
    assert_eq!(fixture.run().await, 0);
    assert_eq!(fixture.held(AccountKind::Official).await, ["CV001: moved"]);
    assert_eq!((fixture.open_at("B").await, fixture.open_at("A").await), (1, 0));
    fixture.sound().await;
}

/// An undecided account at the new unit counts as existing.
async fn undecided_account_prevents_creating_another(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let at_b = AccountRow {
        account: AccountId("CV900".into()),
        stated: AccountAttributes {
            username: Some("o-b".into()),
            national_id: Some(number(201)),
            employee_code: Some("TTH777".into()),
            ..official(1, "B").stated
        },
        ..official(1, "B")
    };
    fixture.officials(vec![official(1, "A"), at_b]).await;
    // The row with the code of the account at B is unreadable, and so is the number in it.
    let other = code("TTH777");
    let row = Profile {
        unit: UnitCode("B".into()),
        ..renumbered(1, 201)
    };
    fixture.hr(vec![row], vec![other], true).await;
    assert_eq!(fixture.run().await, 0);
    assert_eq!(fixture.undecided("CV900").await.as_deref(), Some("row-of-its-code"));
    assert_eq!(fixture.held(AccountKind::Official).await, ["CV001: moved"]);
    fixture.sound().await;
}

/// A readable row of a person and an unreadable one with a number of the same person: two profiles for one person decide nothing.
async fn unreadable_row_with_number_leaves_account_undecided(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    fixture.hr(vec![profile(1, "A")], vec![], true).await;
    assert_eq!(fixture.run().await, 0);
    // HR gave the person another code, in an unreadable row.
    let unread = UnreadableProfile {
        national_id: Some(number(1)),
        ..code("MOI001")
    };
    fixture.hr(vec![], vec![unread], true).await;
    assert_eq!(fixture.undecided("CV001").await.as_deref(), Some("row-of-its-number"));
    let changed = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    assert_eq!(changed.plan.lines.len(), 1, "whom the row concerns is looked at");
    let renewed = Profile {
        employee_code: Some("MOI001".into()),
        ..profile(1, "B")
    };
    fixture.hr(vec![renewed], vec![], true).await;
    assert_eq!(fixture.run().await, 1);
    assert_eq!(fixture.held(AccountKind::Official).await, ["CV001: moved"]);
    fixture.sound().await;
}

/// The same, where the row has the former number and the account the current one.
async fn unreadable_row_with_former_number_leaves_undecided(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let row = official(1, "A");
    let stated = AccountAttributes {
        national_id: Some(number(201)),
        ..row.stated.clone()
    };
    fixture.officials(vec![AccountRow { stated, ..row }]).await;
    fixture.hr(vec![renumbered(1, 201)], vec![], true).await;
    assert_eq!(fixture.run().await, 0);
    assert_eq!(fixture.held(AccountKind::Official).await, [""; 0]);
    let unread = UnreadableProfile {
        national_id: Some(number(1)),
        ..code("MOI001")
    };
    fixture.hr(vec![], vec![unread], true).await;
    assert_eq!(fixture.undecided("CV001").await.as_deref(), Some("row-of-its-number"));
    assert_eq!(fixture.run().await, 0);
    assert_eq!(fixture.held(AccountKind::Official).await, [""; 0]);
    fixture.sound().await;
}

/// The registry gave the person another number; HR's row has that number and another code, and is unreadable.
async fn unreadable_row_with_new_code_and_number_is_matched(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    fixture.hr(vec![profile(1, "A")], vec![], true).await;
    fixture.run().await;
    let renewed = RegistryRecord {
        national_id: number(201),
        former_ids: vec![number(1)],
        ..record(1)
    };
    fixture.records(vec![renewed]).await;
    let unread = UnreadableProfile {
        national_id: Some(number(201)),
        ..code("MOI001")
    };
    fixture.hr(vec![], vec![unread], true).await;
    assert_eq!(fixture.undecided("CV001").await.as_deref(), Some("row-of-its-number"));
    let staff = fixture.store.staff_report(None, DAY).await.unwrap();
    let in_service: Vec<u64> = staff
        .iter()
        .filter(|line| line.unit == "A")
        .map(|line| line.staff)
        .collect();
    assert_eq!(in_service, [1], "what could not be read takes nobody out of service");
    fixture.hr(vec![], vec![], true).await;
    fixture.run().await;
    assert_eq!(fixture.held(AccountKind::Official).await, ["CV001: no-profile"]);
    fixture.sound().await;
}

/// Former numbers are kept after registry and HR no longer state them.
async fn former_numbers_kept_after_sources_drop_them(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    // 1 has a code, 2 is found by the number alone, 3 changes its code too, and the numbers of 4 and 5 are linked by the registry only.
    let rows = vec![
        official(1, "A"),
        without_code(2, "A"),
        official(3, "A"),
        without_code(4, "A"),
        official(5, "A"),
    ];
    fixture.officials(rows).await;
    fixture
        .hr((1..6).map(|n| profile(n, "A")).collect(), vec![], true)
        .await;
    assert_eq!(fixture.run().await, 0);
    let renewed = |n: u32| RegistryRecord {
        national_id: number(n + 200),
        former_ids: vec![number(n)],
        ..record(n)
    };
    fixture.records(vec![renewed(4), renewed(5)]).await;
    let mut rows: Vec<Profile> = (1..6).map(|n| renumbered(n, n + 200)).collect();
    rows[2].employee_code = Some("MOI003".into());
    rows[3].former_ids.clear();
    rows[3].employee_code = Some("MOI004".into());
    rows[4].former_ids.clear();
    fixture.hr(rows.clone(), vec![], true).await;
    fixture.run().await;
    assert_eq!(fixture.held(AccountKind::Official).await, [""; 0]);
    for row in &mut rows {
        row.former_ids.clear();
    }
    fixture.records(vec![record(204), record(205)]).await;
    fixture.hr(rows.clone(), vec![], true).await;
    fixture.run().await;
    assert_eq!(fixture.held(AccountKind::Official).await, [""; 0]);
    // Once more, under a third number.
    rows[0].former_ids = vec![number(201)];
    rows[0].national_id = Some(number(401));
    fixture.hr(rows.clone(), vec![], true).await;
    rows[0].former_ids.clear();
    fixture.hr(rows, vec![], true).await;
    fixture.run().await;
    assert_eq!(fixture.held(AccountKind::Official).await, [""; 0]);
    fixture.sound().await;
}

/// Two persons linked by a mistaken former number are separated once it is corrected.
async fn corrected_former_number_separates_persons(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A"), official(2, "A")]).await;
    let right = vec![profile(1, "A"), profile(2, "A")];
    fixture.hr(right.clone(), vec![], true).await;
    let mistaken = Profile {
        former_ids: vec![number(2)],
        ..profile(1, "A")
    };
    fixture.hr(vec![mistaken, profile(2, "A")], vec![], true).await;
    assert_eq!(fixture.undecided("CV001").await.as_deref(), Some("two-profiles"));
    fixture.hr(right, vec![], true).await;
    assert_eq!(fixture.undecided("CV001").await, None);
    assert_eq!(fixture.undecided("CV002").await, None);
    fixture.sound().await;
}

/// A corrected row ends its quarantine, even if it equals the stored version.
async fn corrected_row_ends_its_quarantine(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    fixture.hr(vec![profile(1, "A")], vec![], true).await;
    let unread = UnreadableProfile {
        national_id: Some(number(1)),
        ..code("TTH001")
    };
    fixture.hr(vec![], vec![unread], true).await;
    assert_eq!(fixture.store.quarantine().await.unwrap().len(), 1);
    fixture.run().await;
    assert_eq!(fixture.undecided("CV001").await.as_deref(), Some("row-of-its-code"));
    fixture.hr(vec![profile(1, "A")], vec![], false).await;
    assert_eq!(fixture.undecided("CV001").await, None);
    assert_eq!(fixture.store.quarantine().await.unwrap(), []);
    let changed = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    assert_eq!(changed.plan.lines.len(), 1, "whom the row leaves is looked at");
    fixture.sound().await;
}

/// The evidence of a hold that continues is updated with the facts.
async fn evidence_of_continuing_hold_is_updated(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A"), official(2, "A")]).await;
    let overdue = |unit: &str, due: Date| Profile {
        next_due_on: Some(due),
        ..profile(2, unit)
    };
    fixture
        .hr(
            vec![profile(1, "B"), overdue("A", Date::constant(2023, 6, 1))],
            vec![],
            true,
        )
        .await;
    fixture.run().await;
    let evidence = async |account: &str, name: &str| {
        let held = fixture.store.explain(account, DAY).await.unwrap().holds;
        held[0].hold.evidence[name].clone()
    };
    assert_eq!(evidence("CV001", "to_unit").await, "B");
    assert_eq!(evidence("CV002", "due_on").await, "2023-06-01");
    let generations = (fixture.generation("CV001").await, fixture.generation("CV002").await);
    fixture
        .hr(
            vec![profile(1, "V"), overdue("A", Date::constant(2023, 7, 1))],
            vec![],
            true,
        )
        .await;
    let run = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    assert_eq!(
        (run.plan.impact.newly_held, run.created.len()),
        (0, 1),
        "the account at B closes, one at V is made"
    );
    assert_eq!(evidence("CV001", "to_unit").await, "V");
    assert_eq!(evidence("CV002", "due_on").await, "2023-07-01");
    assert_eq!(
        (fixture.generation("CV001").await, fixture.generation("CV002").await),
        generations,
        "what the hold ended stays ended, nothing more"
    );
    let full = fixture.store.simulate(DAY).await.unwrap();
    assert!(full.plan.lines.iter().all(|line| !line.changes()), "incremental = full");
    fixture.sound().await;
    let undone = fixture.store.undo_run(&run.run.unwrap(), "hr").await.unwrap();
    assert!(undone.changed_since.is_empty(), "{undone:?}");
    assert_eq!(evidence("CV001", "to_unit").await, "B");
    assert_eq!(evidence("CV002", "due_on").await, "2023-06-01");
    fixture.sound().await;
}

/// During a freeze, no hold is placed or lifted.
async fn freeze_neither_places_nor_lifts_holds(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let rows = (1..4).map(|n| AccountRow {
        created_on: Some(Date::constant(2023, 1, 1)),
        ..official(n, "A")
    });
    fixture.officials(rows.collect()).await;
    let due = |n: u32| Profile {
        next_due_on: Some(Date::constant(2023, 6, 1)),
        ..profile(n, "A")
    };
    fixture
        .hr(vec![due(1), profile(2, "A"), profile(3, "A")], vec![], true)
        .await;
    fixture.run().await;
    let held = ["CV001: stale-info"];
    assert_eq!(fixture.held(AccountKind::Official).await, held);
    fixture.store.set_campaign("freeze", "on", true, "hr").await.unwrap();
    fixture.store.set_policy("idle-days", "45", "hr").await.unwrap();
    fixture.hr(vec![due(1), due(2), profile(3, "A")], vec![], true).await;
    for _ in 0..2 {
        let run = fixture.store.reconcile(DAY, "cron").await.unwrap();
        assert!(
            run.plan.lines.iter().all(|line| !line.changes()),
            "{:?}",
            run.plan.lines
        );
    }
    assert_eq!(fixture.held(AccountKind::Official).await, [""; 0], "suspended");
    fixture.store.set_campaign("freeze", "off", true, "hr").await.unwrap();
    assert_eq!(fixture.held(AccountKind::Official).await, held);
    fixture.run().await;
    let held = ["CV001: idle stale-info", "CV002: idle stale-info", "CV003: idle"];
    assert_eq!(fixture.held(AccountKind::Official).await, held);
    fixture.sound().await;
}

/// An arriving account is compared by every number of the person and today's phone.
async fn arriving_account_matched_by_all_numbers_and_phone(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    fixture.citizens(vec![citizen("HS1", 1)]).await;
    fixture.submit("HS1", 1).await;
    let renewed = RegistryRecord {
        national_id: number(201),
        former_ids: vec![number(1)],
        phone: Some(phone(77)),
        ..record(1)
    };
    fixture.records(vec![renewed, record(2)]).await;
    let by_phone = |id: &str, of: u32| AccountRow {
        stated: AccountAttributes {
            username: Some(id.into()),
            full_name: Some(name(1)),
            phone: Some(phone(of)),
            national_id: None,
            ..AccountAttributes::default()
        },
        ..citizen(id, 1)
    };
    fixture
        .citizens(vec![
            citizen("HS2", 201),
            by_phone("HS3", 77),
            by_phone("HS4", 1),
            citizen("HS5", 1),
            citizen("HS6", 2),
        ])
        .await;
    let held = ["HS2: duplicate", "HS3: duplicate", "HS5: duplicate"];
    assert_eq!(fixture.held(AccountKind::Citizen).await, held);
    // The column is missing: what was learned stays.
    fixture.records(vec![phoneless(201), record(2)]).await;
    fixture.citizens(vec![citizen("HS7", 201), by_phone("HS8", 77)]).await;
    assert_eq!(fixture.held(AccountKind::Citizen).await.len(), 5);
    // No fact is recorded twice.
    let entries = "SELECT COUNT(*) FROM journal WHERE kind IN ('numbers-proven', 'claim-details-changed')";
    let before = fixture.sql(entries).await;
    fixture.records(vec![phoneless(201), record(2)]).await;
    assert_eq!(fixture.sql(entries).await, before);
    fixture.sound().await;
}

/// HR had the newer number on a profile before the registry linked it to its person.
async fn arriving_account_matched_after_persons_were_linked(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let known = Profile {
        national_id: Some(number(201)),
        ..profile(9, "A")
    };
    fixture.hr(vec![known], vec![], true).await;
    fixture.registry(&[1]).await;
    fixture.citizens(vec![citizen("HS1", 1)]).await;
    fixture.submit("HS1", 1).await;
    let renewed = RegistryRecord {
        national_id: number(201),
        former_ids: vec![number(1)],
        ..record(1)
    };
    fixture.records(vec![renewed.clone()]).await;
    fixture.citizens(vec![citizen("HS2", 201)]).await;
    assert_eq!(fixture.held(AccountKind::Citizen).await, ["HS2: duplicate"]);
    let dead = RegistryRecord {
        status: RegistryStatus::Deceased,
        former_ids: Vec::new(),
        ..renewed
    };
    fixture.records(vec![dead]).await;
    assert_eq!(fixture.suspected().await, ["HS1 HS1"], "who died is listed, too");
    fixture.sound().await;
}

/// A claim of a deceased person is listed, by whichever number the death is stated.
async fn deceased_claim_holder_listed_by_any_number(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2, 3]).await;
    fixture
        .citizens((1..4).map(|n| citizen(&format!("HS{n}"), n)).collect())
        .await;
    for n in 1..4 {
        fixture.submit(&format!("HS{n}"), n).await;
    }
    let dead = |n: u32, former: Option<u32>| RegistryRecord {
        status: RegistryStatus::Deceased,
        former_ids: former.into_iter().map(number).collect(),
        ..record(n)
    };
    fixture
        .records(vec![dead(201, Some(1)), dead(2, None), record(3)])
        .await;
    assert_eq!(fixture.suspected().await, ["HS1 HS1", "HS2 HS2"]);
    fixture.records(vec![dead(201, None), record(2), record(3)]).await;
    assert_eq!(fixture.suspected().await, ["HS1 HS1"]);
    fixture.sound().await;
}

/// A notice counts under any number of the person.
async fn notice_counts_under_any_number_of_person(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let row = official(1, "A");
    let stated = AccountAttributes {
        national_id: Some(number(201)),
        ..row.stated.clone()
    };
    fixture.officials(vec![AccountRow { stated, ..row }]).await;
    let renewed = RegistryRecord {
        former_ids: vec![number(1)],
        ..record(201)
    };
    fixture.records(vec![renewed]).await;
    fixture
        .hr(
            vec![Profile {
                national_id: Some(number(201)),
                ..profile(1, "A")
            }],
            vec![],
            true,
        )
        .await;
    let mut load = fixture.open("notices", 1).await;
    let notice = Notice {
        notice_no: "1/TB".into(),
        national_id: number(1),
        from_unit: None,
        to_unit: UnitCode("B".into()),
        effective_on: DAY,
        withdrawn_on: None,
    };
    load.notices(vec![notice]).await.unwrap();
    load.finish().await.unwrap();
    fixture.run().await;
    assert_eq!(fixture.held(AccountKind::Official).await, ["CV001: transfer-pending"]);
    fixture.sound().await;
}

/// The registry has N1, then N2 without a link between them, then "N2 was N1".
async fn two_claims_of_one_person_listed_and_reported_by_verify(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1]).await;
    fixture
        .citizens(vec![citizen("HS1", 1), citizen("HS2", 201), citizen("HS3", 7)])
        .await;
    fixture.submit("HS1", 1).await;
    let other = |former: &[u32]| RegistryRecord {
        national_id: number(201),
        phone: Some(phone(201)),
        former_ids: former.iter().copied().map(number).collect(),
        ..record(1)
    };
    fixture.records(vec![other(&[])]).await;
    let mut again = form("HS2", 1);
    again.form.national_id = number(201).as_str().into();
    again.form.phone = phone(201).as_str().into();
    let answered = fixture
        .store
        .standardise(&again, ngomon_rules::citizens::Proof::Form, "o", fixture.store.now());
    assert_eq!(answered.await.unwrap().outcome.name(), "standardised");
    fixture.sound().await;
    assert_eq!(fixture.suspected().await, [""; 0]);
    fixture.records(vec![other(&[1])]).await;
    assert_eq!(fixture.suspected().await, ["HS2 HS1"]);
    assert_eq!(
        fixture.held(AccountKind::Citizen).await,
        [""; 0],
        "nobody is held silently"
    );
    fixture.records(vec![other(&[])]).await;
    assert_eq!(
        fixture.suspected().await,
        ["HS2 HS1"],
        "also when nobody says so any more"
    );
    let found = fixture.store.verify(&mut |_| {}).await.unwrap();
    assert_eq!(found.faults.len(), 1);
    assert!(
        matches!(&found.faults[0], (Check::Invariants, at) if at.ends_with("HS2")),
        "{:?}",
        found.faults
    );
    // A third account gets the answer that the number is taken, whichever of the two it states.
    again.account = AccountId("HS3".into());
    let third = fixture
        .store
        .standardise(&again, ngomon_rules::citizens::Proof::Form, "o", fixture.store.now());
    assert_eq!(third.await.unwrap().outcome.name(), "taken");
    let operator = fixture.operator("lan").await;
    fixture
        .store
        .withdraw_claim(&operator, &AccountId("HS2".into()), "one person")
        .await
        .unwrap();
    assert_eq!(fixture.suspected().await, [""; 0]);
    fixture.sound().await;
}

fn incoming(table: &'static str, as_of: Date) -> LoadRequest {
    LoadRequest {
        table,
        digest: format!("{table}{as_of}"),
        rows: 100,
        unreadable: 0,
        as_of,
        by: "test".into(),
        full: (table == "profiles").then_some(None),
        units: std::collections::BTreeSet::default(),
    }
}

/// A full file of an earlier or a future day needs approval.
async fn file_of_earlier_or_future_day_needs_approval(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    let faults = async |incoming: LoadRequest| match fixture.store.begin_load(incoming, None).await.unwrap() {
        LoadDecision::Open(load) => {
            load.finish().await.unwrap();
            Vec::new()
        }
        LoadDecision::NeedsApproval { faults, .. } => faults,
    };
    let (yesterday, tomorrow) = (DAY.yesterday().unwrap(), DAY.tomorrow().unwrap());
    for table in ["profiles", "registry", "notices"] {
        assert_eq!(faults(incoming(table, DAY)).await, []);
        assert_eq!(faults(incoming(table, DAY)).await, [], "the same day again");
        let earlier = HealthFault::EarlierDay {
            last: DAY,
            now: yesterday,
        };
        assert_eq!(faults(incoming(table, yesterday)).await, [earlier], "{table}");
        assert_eq!(
            faults(incoming(table, tomorrow)).await,
            [HealthFault::DayToCome(tomorrow)],
            "{table}"
        );
    }
    // A partial file replaces nothing: the versions of its rows are compared by their own days.
    let some = LoadRequest {
        full: None,
        ..incoming("profiles", yesterday)
    };
    assert_eq!(faults(some).await, []);
    // An approval imports it.
    let asked = incoming("registry", yesterday);
    let LoadDecision::NeedsApproval { load, .. } = fixture.store.begin_load(asked.clone(), None).await.unwrap() else {
        panic!("asked about")
    };
    let LoadDecision::Open(open) = fixture.store.begin_load(asked, Some(&load)).await.unwrap() else {
        panic!("approved")
    };
    open.finish().await.unwrap();
    fixture.sound().await;
}

/// A run for a future day waits for approval.
async fn run_for_future_day_waits_for_approval(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    fixture.hr(vec![profile(1, "B")], vec![], true).await;
    let later = Date::constant(2024, 7, 31);
    assert_eq!(fixture.store.simulate(later).await.unwrap().stopped_by, []);
    let waits = fixture.store.reconcile(later, "cron").await.unwrap();
    assert_eq!((waits.stopped_by, waits.created.len()), (vec![Brake::DayToCome], 0));
    assert_eq!(fixture.run().await, 1, "today's run is not in its way");
    let runs = fixture.store.runs().await.unwrap();
    let shown: Vec<_> = runs
        .iter()
        .map(|run| (run.as_of.as_str(), run.state.as_str(), run.newly_held))
        .collect();
    assert_eq!(shown, [("2023-07-31", "applied", 0), ("2024-07-31", "waiting", 1)]);
    let lines = fixture.store.run_lines(&runs[0].id).await.unwrap();
    let [RunLine::Account(line), RunLine::Made { unit, succeeds, .. }] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!((line.reasons().contains(&Reason::Moved), unit.as_str()), (true, "B"));
    assert_eq!(succeeds, &[AccountId("CV001".into())]);
    assert!(fixture.store.run_lines("no such run").await.is_err());
    fixture.clock.move_on(400 * 86_400);
    fixture.store.reconcile(later, "cron").await.unwrap();
    fixture.sound().await;
}

/// A small file neither needs approval for one bad row, nor is a large file compared with it.
async fn small_file_ignored_in_comparison_of_unreadable_share(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let file = async |rows, unreadable, full: bool| {
        let incoming = LoadRequest {
            digest: format!("{rows}/{unreadable}"),
            rows,
            unreadable,
            full: full.then_some(None),
            ..incoming("profiles", DAY)
        };
        match fixture.store.begin_load(incoming, None).await.unwrap() {
            LoadDecision::Open(load) => load.finish().await.map(|_| Vec::new()).unwrap(),
            LoadDecision::NeedsApproval { faults, .. } => faults,
        }
    };
    assert_eq!(file(1000, 90, true).await, []);
    assert_eq!(file(5, 1, false).await, [], "one bad row of five");
    assert_eq!(file(5, 0, false).await, []);
    assert_eq!(
        file(1000, 90, true).await,
        [],
        "as ever, whatever the small clean one said"
    );
    let more = |before, now| [HealthFault::MoreUnreadable { before, now }];
    assert_eq!(file(1000, 150, true).await, more(90, 150));
    assert_eq!(
        file(300, 60, false).await,
        more(90, 200),
        "a small file says nothing of a large one"
    );
    fixture.sound().await;
}

/// A unit file that lacks units in use needs approval.
async fn unit_file_lacking_used_units_needs_approval(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    fixture.citizens(vec![citizen("HS1", 1)]).await;
    fixture.hr(vec![profile(1, "A")], vec![], true).await;
    let mut load = fixture.open("notices", 2).await;
    let notice = |no: &str, to: &str, withdrawn_on| Notice {
        notice_no: no.into(),
        national_id: number(1),
        from_unit: None,
        to_unit: UnitCode(to.into()),
        effective_on: Date::constant(2023, 12, 1),
        withdrawn_on,
    };
    load.notices(vec![notice("1", "B", None), notice("2", "P", Some(DAY))])
        .await
        .unwrap();
    load.finish().await.unwrap();
    let of = |codes: &[&str]| LoadRequest {
        units: codes.iter().map(|code| UnitCode((*code).into())).collect(),
        rows: 4,
        ..incoming("units", DAY)
    };
    let LoadDecision::NeedsApproval { faults, .. } = fixture.store.begin_load(of(&["P", "X"]), None).await.unwrap()
    else {
        panic!("asked about")
    };
    let missing = ["A", "B", "V"].map(|code| UnitCode(code.into())).to_vec();
    assert_eq!(faults, [HealthFault::UnitsMissing(missing)]);
    let LoadDecision::Open(open) = fixture.store.begin_load(of(&["A", "B", "V"]), None).await.unwrap() else {
        panic!("P is not in use")
    };
    open.abort().await.unwrap();
    fixture.sound().await;
}

/// Accounts and profiles imported on one day: some created before, some later, some with no date of creation.
async fn past_report_counts_accounts_existing_on_that_day(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let made = |id: &str, n: u32, created_on: Option<Date>| AccountRow {
        created_on,
        ..citizen(id, n)
    };
    let (june, july) = (Date::constant(2023, 6, 15), Date::constant(2023, 7, 15));
    let rows = vec![
        made("HS1", 1, Some(june)),
        made("HS2", 2, Some(july)),
        made("HS3", 3, None),
    ];
    fixture.citizens(rows).await;
    let accounts = async |day: Date| fixture.province(day).await.accounts;
    assert_eq!(accounts(DAY).await, 3);
    assert_eq!(accounts(DAY.yesterday().unwrap()).await, 2, "HS3 came in the day after");
    assert_eq!(accounts(july.yesterday().unwrap()).await, 1);
    assert_eq!(accounts(june).await, 1);
    assert_eq!(accounts(june.yesterday().unwrap()).await, 0);
    let staff = async |day: Date| {
        let lines = fixture.store.staff_report(None, day).await.unwrap();
        lines.into_iter().find(|line| line.unit == "P").unwrap().staff
    };
    let hired = |n: u32, created_on: Option<Date>| Profile {
        created_on,
        ..profile(n, "A")
    };
    let rows = vec![hired(1, Some(june)), hired(2, Some(july)), hired(3, None)];
    fixture.hr(rows.clone(), vec![], true).await;
    assert_eq!((staff(DAY).await, staff(july).await, staff(june).await), (3, 2, 1));
    assert_eq!(staff(june.yesterday().unwrap()).await, 0);
    // A later extract no longer has the first one: it still counts on the days before.
    fixture.clock.move_on(86_400);
    let later = LoadRequest {
        as_of: DAY.tomorrow().unwrap(),
        ..crate::fixture::incoming("profiles", 100, Some(None))
    };
    let LoadDecision::Open(mut load) = fixture.store.begin_load(later, None).await.unwrap() else {
        panic!("the extract is not healthy")
    };
    load.profiles(rows[1..].to_vec()).await.unwrap();
    load.finish().await.unwrap();
    assert_eq!((staff(DAY.tomorrow().unwrap()).await, staff(DAY).await), (2, 3));
    fixture.sound().await;
}
