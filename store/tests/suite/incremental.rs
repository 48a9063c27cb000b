//! Tests of incremental runs: "Applying changes one by one and recomputing everything give the same holds, whatever the order."

use crate::both;
use crate::fixture::{DAY, Fixture, On, name, number, official, profile, record};
use ngomon_rules::officials::UnreadableProfile;
use ngomon_rules::plan::Brake;
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::records::{
    AccountAttributes, AccountId, AccountKind, AccountRow, Notice, Profile, RegistryRecord, ServiceStatus,
};
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::Date;
use ngomon_store::{FullRunReason, LoadDecision, QuarantinedRow, Refusal, RunOutcome, StoreError};
use std::collections::BTreeMap;

both! {
    incremental_runs_equal_full_runs
    incremental_result_independent_of_order
    account_hinted_at_by_quarantined_row_is_rechecked
    former_national_id_links_changed_profile_to_account
    change_for_all_widens_to_full_run_with_reason
    guard_stops_incremental_run
    run_for_named_people_decides_only_them
    an_incremental_run_is_undone_as_a_whole
    rows_without_search_columns_widen_to_full_run
}

const LONG_AGO: Date = Date::constant(2021, 5, 1);

/// HR's data: its rows, the unreadable ones, and the movement notices.
#[derive(Clone, Default)]
struct Hr {
    profiles: BTreeMap<u32, Profile>,
    unread: BTreeMap<u32, UnreadableProfile>,
    /// The previous rows of the unreadable ones.
    before: BTreeMap<u32, Profile>,
    notices: Vec<Notice>,
}

/// An event at HR about one person.
#[derive(Clone, Copy, Debug)]
struct Happens(u32, What);

#[derive(Clone, Copy, Debug)]
enum What {
    Resigns,
    Works,
    ReviewIsOld,
    IsReviewed,
    MovesTo(&'static str),
    /// Another code; the number stays.
    Code,
    /// Another number; the old one is a former one.
    Number,
    /// Another code and another number; perhaps only the registry has the old number.
    CardIsNew,
    /// The codes of two people are swapped.
    CodesSwap(u32),
    /// A second profile of that person.
    Twice,
    /// The full extract no longer has the person.
    Gone,
    UnreadByCode,
    UnreadByNumber,
    UnreadByName,
    /// The row is again as it was before it became unreadable.
    Mended,
    /// No row names former numbers any longer.
    FormersDropped,
    IsToldToMoveTo(&'static str),
    /// An account that states no code, and the number of that person.
    Account,
}

impl Hr {
    fn change(&mut self, n: u32, change: impl FnOnce(&mut Profile)) {
        self.unread.remove(&n);
        let row = self.profiles.entry(n).or_insert_with(|| profile(n, "A"));
        row.updated_on = Some(DAY);
        change(row);
    }

    fn unreadable(&mut self, n: u32, hints: UnreadableProfile) {
        if let Some(row) = self.profiles.remove(&n) {
            self.before.insert(n, row);
        }
        self.unread.insert(n, hints);
    }

    /// Applies the event. Returns the rows of a partial file that reports it; `None` if only a full extract can.
    fn happens(&mut self, Happens(n, what): Happens) -> Option<Vec<u32>> {
        let mut rows = vec![n];
        match what {
            What::Resigns => self.change(n, |row| {
                row.status = ServiceStatus::Resigned;
                row.status_from = Some(DAY);
            }),
            What::Works => self.change(n, |row| row.status = ServiceStatus::Working),
            What::ReviewIsOld => self.change(n, |row| row.reviewed_on = Some(LONG_AGO)),
            What::IsReviewed => self.change(n, |row| row.reviewed_on = Some(DAY)),
            What::MovesTo(unit) => self.change(n, |row| row.unit = UnitCode(unit.into())),
            What::Code => self.change(n, |row| {
                let code = row.employee_code.take().unwrap_or_default();
                row.employee_code = Some(format!("{code}X"));
            }),
            What::Number => self.change(n, |row| {
                row.former_ids.extend(row.national_id);
                let later = u32::try_from(row.former_ids.len()).unwrap() * 100;
                row.national_id = Some(number(n + later));
            }),
            What::CardIsNew => self.change(n, |row| {
                row.employee_code = Some(format!("MOI{n:03}"));
                row.national_id = Some(number(n + 200));
            }),
            What::CodesSwap(other) => {
                let code = |n| self.profiles.get(&n).and_then(|row| row.employee_code.clone());
                let (first, second) = (code(n), code(other));
                self.change(n, |row| row.employee_code = second);
                self.change(other, |row| row.employee_code = first);
                rows.push(other);
            }
            What::Twice => {
                let number = self.profiles.get(&n).and_then(|row| row.national_id);
                self.change(n + 50, |row| {
                    row.national_id = number;
                    row.full_name = name(n);
                });
                rows = vec![n + 50];
            }
            What::Gone => {
                self.profiles.remove(&n);
                self.unread.remove(&n);
                return None;
            }
            What::UnreadByCode => self.unreadable(
                n,
                UnreadableProfile {
                    employee_code: Some(format!("TTH{n:03}")),
                    ..UnreadableProfile::default()
                },
            ),
            What::UnreadByNumber => self.unreadable(
                n,
                UnreadableProfile {
                    national_id: Some(number(n)),
                    ..UnreadableProfile::default()
                },
            ),
            What::UnreadByName => self.unreadable(
                n,
                UnreadableProfile {
                    person_key: Some(name(n).person_key()),
                    ..UnreadableProfile::default()
                },
            ),
            What::Mended => {
                if let Some(row) = self.before.remove(&n)
                    && self.unread.remove(&n).is_some()
                {
                    self.profiles.insert(n, row);
                }
            }
            What::FormersDropped => self.change(n, |row| row.former_ids.clear()),
            What::IsToldToMoveTo(unit) => self.notices.push(Notice {
                notice_no: self.notices.len().to_string(),
                national_id: number(n),
                from_unit: None,
                to_unit: UnitCode(unit.into()),
                effective_on: DAY,
                withdrawn_on: None,
            }),
            What::Account => {}
        }
        Some(rows)
    }
}

impl Fixture {
    /// Twelve officials of two units, one of them without a code, a mailbox, and HR's first extract, with two people who have no account.
    /// For every second official the registry knows the number that will follow.
    async fn officials_of(&self, hr: &mut Hr) {
        self.units().await;
        let mut load = self.open("registry", 7).await;
        let renewed = (0..14).step_by(2).map(|n| RegistryRecord {
            national_id: number(n + 200),
            former_ids: vec![number(n)],
            ..record(n)
        });
        load.registry(renewed.collect()).await.unwrap();
        load.finish().await.unwrap();
        let unit = |n: u32| if n.is_multiple_of(3) { "B" } else { "A" };
        let mut rows: Vec<AccountRow> = (0..12).map(|n| official(n, unit(n))).collect();
        rows[5].stated.employee_code = None;
        rows[6].held_reason = Some("Theo văn bản số 2".into());
        rows.push(AccountRow {
            account: AccountId("HOP-THU".into()),
            kind: AccountKind::Unit,
            stated: AccountAttributes {
                username: Some("hop-thu".into()),
                ..AccountAttributes::default()
            },
            ..official(99, "A")
        });
        self.officials(rows).await;
        hr.profiles = (0..14).map(|n| (n, profile(n, unit(n)))).collect();
        self.extract(hr, None).await;
    }

    /// Imports HR's full extract, or only some of its rows.
    async fn extract(&self, hr: &Hr, only: Option<&[u32]>) {
        let wanted = |n: &u32| only.is_none_or(|only| only.contains(n));
        let full = only.is_none().then_some(None);
        let LoadDecision::Open(mut load) = self.begin("profiles", 100, full, None).await else {
            panic!("the extract is not healthy")
        };
        let unread = hr
            .unread
            .iter()
            .filter(|(n, _)| wanted(n))
            .map(|(n, hints)| QuarantinedRow {
                row: n.to_string(),
                reason: QuarantineReason::BadDate,
                hints: hints.clone(),
                cells: BTreeMap::new(),
            });
        load.quarantined(unread.collect()).await.unwrap();
        let rows = hr.profiles.iter().filter(|(n, _)| wanted(n));
        load.profiles(rows.map(|(_, row)| row.clone()).collect()).await.unwrap();
        load.finish().await.unwrap();
    }

    /// Imports the event, in the full extract or in a file of those rows.
    async fn hears(&self, hr: &Hr, Happens(n, what): Happens, rows: Option<&[u32]>) {
        match what {
            What::IsToldToMoveTo(_) => {
                let mut load = self.open("notices", hr.notices.len()).await;
                load.notices(hr.notices.clone()).await.unwrap();
                load.finish().await.unwrap();
            }
            What::Account => {
                let mut row = official(n, "A");
                row.account = AccountId(format!("MOI{n}"));
                row.stated.employee_code = None;
                row.stated.username = Some(format!("moi-{n}"));
                self.officials(vec![row]).await;
            }
            _ => self.extract(hr, rows).await,
        }
    }

    /// Approves the run if it is over the guard's limit.
    async fn approved(&self, done: RunOutcome) -> RunOutcome {
        if done.stopped_by.is_empty() {
            return done;
        }
        let run = done.run.unwrap();
        self.store.approve_run(&run, "head").await.unwrap()
    }

    /// All accounts with their holds and with what a full run would change, without random ids.
    async fn picture(&self) -> Vec<String> {
        let plan = self.store.simulate(DAY).await.unwrap().plan;
        let mut lines = Vec::new();
        for line in &plan.lines {
            let id = line.account.as_str();
            let shown = if id.starts_with("CV-") {
                let mut facts = self.store.explain(id, DAY).await.unwrap().facts;
                facts.retain(|(name, _)| *name != "successor");
                format!("{facts:?}")
            } else {
                id.to_owned()
            };
            let creates = line.creates.as_ref().map(|new| (&new.unit, &new.holds));
            lines.push(format!(
                "{shown} {} {:?} {:?} {:?} {creates:?} {:?}",
                line.unit, line.before, line.after, line.undecided, line.writes_back
            ));
        }
        lines.sort();
        let mut newcomers: Vec<_> = plan
            .newcomers
            .iter()
            .map(|new| format!("{} {:?}", new.unit, new.holds))
            .collect();
        newcomers.sort();
        lines.extend(newcomers);
        lines.push(format!("{:?}", plan.impact));
        lines
    }
}

/// A pseudo-random generator with a fixed seed.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(sides)).unwrap()
    }

    fn happens(&mut self) -> Happens {
        let (n, other) = (self.throw(14), self.throw(14));
        let unit = ["A", "B", "V"][self.throw(3) as usize];
        let what = match self.throw(38) {
            0..2 => What::Resigns,
            2..5 => What::Works,
            5..7 => What::ReviewIsOld,
            7..9 => What::IsReviewed,
            9..13 => What::MovesTo(unit),
            13..16 => What::Code,
            16..18 => What::Number,
            18 => [What::CodesSwap(other), What::CardIsNew][self.throw(2) as usize],
            19..21 => What::Twice,
            21 => return Happens(n + 50, What::Gone),
            22..24 => What::Gone,
            24 => What::UnreadByCode,
            25 => What::UnreadByNumber,
            26..29 => What::UnreadByName,
            29..31 => What::IsToldToMoveTo(unit),
            31..34 => What::Mended,
            34..37 => What::FormersDropped,
            _ => What::Account,
        };
        Happens(n, what)
    }
}

/// Incremental runs give the same as full runs, change by change.
async fn incremental_runs_equal_full_runs(on: On) {
    let mut incremental = 0;
    for seed in 0..3 {
        let mut dice = Dice(seed);
        let (one_by_one, anew) = (Fixture::new(on).await, Fixture::new(on).await);
        let mut hr = Hr::default();
        for fixture in [&one_by_one, &anew] {
            fixture.officials_of(&mut hr).await;
            fixture.store.set_policy("newcomers", "create", "hr").await.unwrap();
            fixture.store.reconcile(DAY, "hr").await.unwrap();
        }
        for step in 0..25 {
            let what = dice.happens();
            let rows = hr.happens(what);
            let rows = rows.filter(|_| dice.throw(2) == 0);
            for fixture in [&one_by_one, &anew] {
                fixture.hears(&hr, what, rows.as_deref()).await;
            }
            // A second change may come before the next run.
            if dice.throw(4) == 0 {
                continue;
            }
            let some = one_by_one.store.reconcile_changed(DAY, "hr").await.unwrap();
            let all = anew.store.reconcile(DAY, "hr").await.unwrap();
            incremental += u32::from(some.widened.is_none());
            let at = format!("{on:?}, {seed}/{step}: {what:?} by {rows:?}, {:?}", some.widened);
            assert_eq!(some.plan.impact, all.plan.impact, "{at}");
            assert_eq!(some.stopped_by, all.stopped_by, "{at}");
            one_by_one.approved(some).await;
            anew.approved(all).await;
            assert_eq!(one_by_one.picture().await, anew.picture().await, "{at}");
            for fixture in [&one_by_one, &anew] {
                let twice = "SELECT COUNT(*) FROM (SELECT login FROM account_row WHERE kind = 'official' AND held_to = '' \
                     GROUP BY login, unit HAVING COUNT(*) > 1) t";
                assert_eq!(
                    fixture.sql(twice).await,
                    [0],
                    "{at}: two open accounts of one person at a unit"
                );
            }
        }
        one_by_one.sound().await;
    }
    assert!(incremental > 40, "{incremental} runs were over some people only");
}

/// The result of incremental runs does not depend on the order of the changes.
async fn incremental_result_independent_of_order(on: On) {
    // Each event is about another person, so the result does not depend on the order.
    let changes = [
        Happens(0, What::Resigns),
        Happens(1, What::ReviewIsOld),
        Happens(2, What::MovesTo("B")),
        Happens(3, What::Code),
        Happens(4, What::Number),
        Happens(7, What::Gone),
        Happens(8, What::UnreadByCode),
        Happens(9, What::UnreadByName),
        Happens(10, What::Twice),
        Happens(6, What::CardIsNew),
        Happens(11, What::CardIsNew),
        Happens(12, What::MovesTo("V")),
    ];
    let begin = async || {
        let (fixture, mut hr) = (Fixture::new(on).await, Hr::default());
        fixture.officials_of(&mut hr).await;
        fixture.store.set_policy("newcomers", "create", "hr").await.unwrap();
        fixture.store.reconcile(DAY, "hr").await.unwrap();
        (fixture, hr)
    };
    let (anew, mut hr) = begin().await;
    for change in changes {
        hr.happens(change);
    }
    anew.extract(&hr, None).await;
    let held = anew.store.reconcile(DAY, "hr").await.unwrap().plan.impact.newly_held;
    assert!(held > 2);
    let wanted = anew.picture().await;
    for turn in [0, 3, 7] {
        let (fixture, mut hr) = begin().await;
        let mut order = changes;
        order.rotate_left(turn);
        if turn == 3 {
            order.reverse();
        }
        for change in order {
            // Only a full extract shows that a row replaces another one with which it shares neither code nor number.
            let rows = hr.happens(change);
            let rows = rows.filter(|_| !matches!(change.1, What::UnreadByName | What::CardIsNew));
            fixture.hears(&hr, change, rows.as_deref()).await;
            let done = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
            assert_eq!((done.widened, done.stopped_by), (None, vec![]), "{change:?}");
            assert!(done.plan.lines.len() < 6, "{change:?}: {:?}", done.plan.lines);
        }
        assert_eq!(fixture.picture().await, wanted, "{on:?}, {order:?}");
        fixture.sound().await;
    }
}

/// Accounts that were imported while their rows were unreadable are held once the extract lacks those rows: at that point no journal entry
/// is about them.
async fn account_hinted_at_by_quarantined_row_is_rechecked(on: On) {
    let (fixture, mut hr) = (Fixture::new(on).await, Hr::default());
    fixture.officials_of(&mut hr).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    let whole = hr.clone();
    for (n, how) in [
        (20, What::UnreadByCode),
        (21, What::UnreadByNumber),
        (22, What::UnreadByName),
    ] {
        hr.happens(Happens(n, how));
    }
    fixture.officials((20..23).map(|n| official(n, "A")).collect()).await;
    fixture.extract(&hr, None).await;
    let waiting = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    let undecided: Vec<_> = waiting
        .plan
        .lines
        .iter()
        .filter_map(|line| line.undecided.as_deref())
        .collect();
    assert_eq!(undecided, ["row-of-its-code", "row-of-its-number", "row-of-its-name"]);
    fixture.extract(&whole, None).await;
    // A run for other people in between must not change that.
    fixture
        .store
        .reconcile_people(&[account(1)], &[], DAY, "page")
        .await
        .unwrap();
    let done = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    assert_eq!((done.widened, done.plan.impact.newly_held), (None, 3));
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM quarantine").await, [0]);
    fixture.sound().await;
}

/// A changed profile concerns an account that has only a former national id of the person.
async fn former_national_id_links_changed_profile_to_account(on: On) {
    let (fixture, mut hr) = (Fixture::new(on).await, Hr::default());
    fixture.officials_of(&mut hr).await;
    let mut row = official(31, "A");
    row.stated.employee_code = None;
    fixture.officials(vec![row]).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    let held = async || fixture.held(AccountKind::Official).await;
    assert_eq!(held().await, ["CV006: by-order", "CV031: no-profile"]);
    let renewed = Profile {
        full_name: name(31),
        former_ids: vec![number(31)],
        ..profile(30, "A")
    };
    hr.profiles.insert(30, renewed);
    fixture.extract(&hr, Some(&[30])).await;
    let done = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    assert_eq!((done.widened, held().await), (None, vec!["CV006: by-order".to_owned()]));
    fixture.sound().await;
}

/// A change that concerns everybody widens the run to a full one, and the reason is reported.
async fn change_for_all_widens_to_full_run_with_reason(on: On) {
    let (fixture, mut hr) = (Fixture::new(on).await, Hr::default());
    fixture.officials_of(&mut hr).await;
    let run = async |day| fixture.store.reconcile_changed(day, "hr").await.unwrap();
    let widened = async || run(DAY).await.widened;
    assert_eq!(widened().await, Some(FullRunReason::FirstRun));
    assert_eq!(widened().await, None);
    fixture.extract(&hr, None).await;
    assert_eq!(widened().await, None, "an extract covers what the one before covered");
    let policy = async |key, value| fixture.store.set_policy(key, value, "hr").await.unwrap();
    policy("brake.unit", "5").await;
    assert_eq!(widened().await, None, "the guard alone reads it");
    policy("grace.transfer", "5").await;
    assert_eq!(
        widened().await,
        Some(FullRunReason::Setting("policy.grace.transfer".into()))
    );
    fixture.store.set_campaign("freeze", "on", true, "hr").await.unwrap();
    assert_eq!(widened().await, Some(FullRunReason::Setting("campaign.freeze".into())));
    fixture.units().await;
    assert_eq!(widened().await, Some(FullRunReason::Load("units".into())));
    fixture.registry(&(0..7).collect::<Vec<_>>()).await;
    assert_eq!(widened().await, Some(FullRunReason::Load("registry".into())));
    let told = Happens(1, What::IsToldToMoveTo("B"));
    hr.happens(told);
    fixture.hears(&hr, told, None).await;
    assert_eq!(widened().await, Some(FullRunReason::Load("notices".into())));
    let unit = Some(Some(UnitCode("B".into())));
    let LoadDecision::Open(mut load) = fixture.begin("profiles", 100, unit, None).await else {
        panic!()
    };
    load.profiles(hr.profiles.values().cloned().collect()).await.unwrap();
    load.finish().await.unwrap();
    assert_eq!(widened().await, Some(FullRunReason::Coverage));
    assert_eq!(widened().await, None);
    fixture.clock.move_on(2 * 86_400);
    let done = run(DAY.tomorrow().unwrap()).await;
    assert_eq!(
        (done.widened, done.plan.lines.len()),
        (Some(FullRunReason::OtherDay), 13)
    );
    // A run for some people is not the reference point of the next incremental run.
    let later = DAY.tomorrow().unwrap().tomorrow().unwrap();
    fixture
        .store
        .reconcile_people(&[AccountId("CV001".into())], &[], later, "hr")
        .await
        .unwrap();
    assert_eq!(run(later).await.widened, Some(FullRunReason::OtherDay));
    let simulated = fixture.store.simulate_changed(later).await.unwrap();
    assert_eq!(
        (simulated.run, simulated.widened, simulated.plan.lines.len()),
        (None, None, 0)
    );
    fixture.sound().await;
}

/// Thirty officials without holds, and the run that found them so.
async fn thirty(on: On) -> (Fixture, Hr) {
    let (fixture, mut hr) = (Fixture::new(on).await, Hr::default());
    fixture.units().await;
    fixture.officials((0..30).map(|n| official(n, "A")).collect()).await;
    hr.profiles = (0..30).map(|n| (n, profile(n, "A"))).collect();
    fixture.extract(&hr, None).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    (fixture, hr)
}

fn account(n: u32) -> AccountId {
    official(n, "A").account
}

/// The guard stops an incremental run, too.
async fn guard_stops_incremental_run(on: On) {
    let (fixture, mut hr) = thirty(on).await;
    let held = async || fixture.held(AccountKind::Official).await.len();
    // Fifteen are below the limit, and count against those of the same week.
    for n in 0..15 {
        hr.happens(Happens(n, What::Resigns));
    }
    fixture.extract(&hr, None).await;
    let first = fixture.store.reconcile_changed(DAY, "cron").await.unwrap();
    assert_eq!(
        (first.stopped_by, first.plan.lines.len(), held().await),
        (vec![], 15, 15)
    );
    for n in 15..21 {
        hr.happens(Happens(n, What::Resigns));
    }
    fixture.extract(&hr, None).await;
    let limit = [Brake::MassHold { limit: 20 }];
    let people: Vec<AccountId> = (15..21).map(account).collect();
    let stopped = fixture.store.reconcile_people(&people, &[], DAY, "page").await.unwrap();
    assert_eq!((&stopped.stopped_by[..], stopped.plan.impact.open), (&limit[..], 15));
    let changed = fixture.store.reconcile_changed(DAY, "cron").await.unwrap();
    assert_eq!((&changed.stopped_by[..], held().await), (&limit[..], 15));

    // A change of other people's facts does not make the run stale; a change of its own people's facts does.
    hr.happens(Happens(29, What::Resigns));
    fixture.extract(&hr, None).await;
    let run = stopped.run.unwrap();
    hr.happens(Happens(16, What::Works));
    fixture.extract(&hr, None).await;
    match fixture.store.approve_run(&run, "head").await {
        Err(StoreError::Refused(Refusal::Stale(accounts))) => assert_eq!(accounts, ["CV016"]),
        other => panic!("{other:?}"),
    }
    hr.happens(Happens(16, What::Resigns));
    fixture.extract(&hr, None).await;
    let approved = fixture.store.approve_run(&run, "head").await.unwrap();
    assert_eq!((approved.plan.lines.len(), held().await), (6, 21));
    match fixture.store.approve_run(&changed.run.unwrap(), "head").await {
        Err(StoreError::Refused(Refusal::Stale(_))) => {}
        other => panic!("{other:?}"),
    }
    // The one left over is still found, now in addition to the holds of the other runs.
    let rest = fixture.store.reconcile_changed(DAY, "cron").await.unwrap();
    assert_eq!((rest.widened, rest.plan.impact.newly_held), (None, 1));
    fixture.sound().await;
}

/// A run for certain people decides them at once, and nobody else.
async fn run_for_named_people_decides_only_them(on: On) {
    let (fixture, mut hr) = thirty(on).await;
    for n in 0..3 {
        hr.happens(Happens(n, What::ReviewIsOld));
    }
    fixture.extract(&hr, None).await;
    fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    let held = async || fixture.held(AccountKind::Official).await;
    assert_eq!(held().await.len(), 3);
    for n in 0..3 {
        hr.happens(Happens(n, What::IsReviewed));
    }
    fixture.extract(&hr, None).await;
    let people = async |accounts: &[AccountId]| {
        fixture
            .store
            .reconcile_people(accounts, &[], DAY, "page")
            .await
            .unwrap()
    };
    let done = people(&[account(1)]).await;
    assert_eq!((done.plan.lines.len(), done.stopped_by), (1, vec![]));
    assert_eq!(held().await, ["CV000: review-overdue", "CV002: review-overdue"]);
    // No such account, so nothing to do.
    assert!(people(&[AccountId("CV999".into())]).await.plan.lines.is_empty());
    // The incremental run covers all three.
    let rest = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    assert_eq!((rest.widened, rest.plan.lines.len()), (None, 3));
    assert_eq!(held().await, [""; 0]);
    fixture.sound().await;
}

async fn an_incremental_run_is_undone_as_a_whole(on: On) {
    let (fixture, mut hr) = thirty(on).await;
    let before = fixture.picture().await;
    for change in [
        Happens(0, What::Resigns),
        Happens(1, What::MovesTo("B")),
        Happens(2, What::Code),
        Happens(3, What::UnreadByName),
    ] {
        hr.happens(change);
    }
    fixture.extract(&hr, None).await;
    let run = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    assert_eq!((run.widened, run.created.len()), (None, 1));
    assert_eq!(
        fixture.held(AccountKind::Official).await,
        ["CV000: left", "CV001: moved"]
    );
    let undone = fixture.store.undo_run(&run.run.unwrap(), "hr").await.unwrap();
    assert!(undone.changed_since.is_empty(), "{undone:?}");
    assert_eq!(fixture.held(AccountKind::Official).await, [""; 0]);
    // The rows return unchanged, and so does everything else.
    let first = Hr {
        profiles: (0..30).map(|n| (n, profile(n, "A"))).collect(),
        ..Hr::default()
    };
    let mut again = first.clone();
    again.profiles.values_mut().for_each(|row| row.updated_on = Some(DAY));
    fixture.extract(&again, None).await;
    let next = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    assert_eq!(next.widened, Some(FullRunReason::Undone));
    assert_eq!(fixture.picture().await, before);
    fixture.sound().await;
}

/// A notice and a quarantined row that were imported before the columns to find them by existed.
async fn rows_without_search_columns_widen_to_full_run(on: On) {
    let (fixture, mut hr) = (Fixture::new(on).await, Hr::default());
    fixture.officials_of(&mut hr).await;
    let told = Happens(1, What::IsToldToMoveTo("B"));
    hr.happens(told);
    fixture.hears(&hr, told, None).await;
    hr.happens(Happens(2, What::UnreadByName));
    fixture.extract(&hr, None).await;
    for sql in [
        "UPDATE notice SET number_fp = NULL",
        "UPDATE quarantine SET name_fp = NULL",
    ] {
        fixture.sql(sql).await;
    }
    let both = [account(1), account(2)];
    let done = fixture.store.reconcile_people(&both, &[], DAY, "hr").await.unwrap();
    assert_eq!(done.plan.lines[1].undecided.as_deref(), Some("row-of-its-name"));
    assert_eq!(
        fixture.held(AccountKind::Official).await,
        ["CV001: transfer-pending", "CV006: by-order"]
    );
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    hr.unread.clear();
    fixture.extract(&hr, None).await;
    let next = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    assert_eq!(next.widened, Some(FullRunReason::Load("profiles".into())));
}
