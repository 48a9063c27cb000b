//! A made-up year of 300 officials and 1,000 citizens, extract after extract, against a recount that was written independently of the
//! rules.
//!
//! The test command plays three years. `NGOMON_YEARS=1..100` plays a hundred.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "year/dice.rs"]
mod dice;
#[path = "suite/fixture.rs"]
#[allow(dead_code, reason = "shared with the suite")]
mod fixture;
#[path = "year/recount.rs"]
mod recount;
#[path = "year/world.rs"]
mod world;

use dice::Dice;
use fixture::{Fixture, On};
use jiff::civil::Date;
use ngomon_feeds::{Context, Record, RowResult, Table, check_file, submissions_of};
use ngomon_rules::hold::Hold;
use ngomon_rules::officials::UnreadableProfile;
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::records::AccountKind;
use ngomon_store::{HealthFault, LoadDecision, LoadRequest, OpenLoad, QuarantinedRow, RunLine, RunOutcome};
use recount::{Decided, Facts, Holds, Recount, Run};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use world::{File, World, month_end};

both! {
    simulated_year_equals_independent_recount
}

/// The seeds of the years to play.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let asked = std::env::var("NGOMON_YEARS").unwrap_or_else(|_| "1..3".to_owned());
    let (first, last) = asked.split_once("..").unwrap_or((&asked, &asked));
    first.parse().expect("a seed")..=last.parse().expect("a seed")
}

/// A simulated year gives what an independent recount gives.
async fn simulated_year_equals_independent_recount(on: On) {
    for seed in seeds() {
        let start = month_end(0).at(3, 0, 0, 0).in_tz("UTC").unwrap().timestamp();
        let empty = Fixture::empty(on).await;
        let mut year = Year {
            fixture: Fixture::at(on, empty, start).await,
            world: World::new(seed),
            recount: Recount::default(),
            dice: Dice::new(seed + 1_000_000),
            wrong: Vec::new(),
        };
        for month in 0..12 {
            if month > 0 {
                let days = (month_end(month) - month_end(month - 1)).get_days();
                year.fixture.clock.move_on(i64::from(days) * 86_400);
                year.world.advance();
            }
            year.play().await;
            assert!(
                year.wrong.is_empty(),
                "{on:?}, seed {seed}, {}: {:#?}",
                year.world.day,
                &year.wrong[..year.wrong.len().min(12)]
            );
        }
        year.fixture.sound().await;
    }
}

struct Year {
    fixture: Fixture,
    world: World,
    recount: Recount,
    dice: Dice,
    /// Differences between the program and the recount.
    wrong: Vec<String>,
}

/// Stages the rows of a file.
async fn stage(load: &mut OpenLoad, rows: Vec<ngomon_feeds::Row>) {
    let (mut units, mut registry, mut accounts) = (vec![], vec![], vec![]);
    let (mut profiles, mut notices, mut waiting) = (vec![], vec![], vec![]);
    for row in rows {
        match (row.result, row.record) {
            (_, Some(Record::Unit(unit))) => units.push(unit),
            (_, Some(Record::Registry(record))) => registry.push(*record),
            (_, Some(Record::Account(account))) => accounts.push(*account),
            (_, Some(Record::Profile(profile))) => profiles.push(*profile),
            (_, Some(Record::Notice(notice))) => notices.push(notice),
            (RowResult::Quarantined(QuarantineReason::DuplicateRow), _) => {}
            (RowResult::Quarantined(reason), None) => waiting.push(QuarantinedRow {
                row: row.number.to_string(),
                reason,
                hints: UnreadableProfile {
                    employee_code: row.hints.employee_code,
                    national_id: row.hints.national_id,
                    person_key: row.hints.person_key,
                },
                cells: row.raw.into_iter().collect(),
            }),
            _ => {}
        }
    }
    load.units(units).await.unwrap();
    load.registry(registry).await.unwrap();
    load.accounts(accounts).await.unwrap();
    load.profiles(profiles).await.unwrap();
    load.notices(notices).await.unwrap();
    load.quarantined(waiting).await.unwrap();
}

impl Year {
    fn differs<T: PartialEq + Debug>(&mut self, what: &str, right: T, found: T) {
        if right != found {
            self.wrong.push(format!("{what}: {right:?}, found {found:?}"));
        }
    }

    /// Imports a file as an office does, and checks the result of each row. Returns the faults of its health.
    async fn take_in(&mut self, table: Table, file: &File, full: bool, day: Date, approve: bool) -> Vec<HealthFault> {
        let path = self.fixture.path("file.csv");
        std::fs::write(&path, &file.text).unwrap();
        let units = self.fixture.store.units().await.unwrap();
        let context = Context {
            units: &units,
            as_of: day,
        };
        let judged = check_file(table, &path, &context, &mut |_| {}).unwrap();
        let rows = judged.rows(&context).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        let results: Vec<&str> = rows.iter().map(|row| row.result.words().0).collect();
        for (n, (right, found)) in file.results.iter().zip(&results).enumerate() {
            self.differs(&format!("{} row {}", table.name(), n + 2), right, found);
        }
        self.differs(table.name(), file.results.len(), results.len());
        let codes = rows.iter().filter_map(|row| match &row.record {
            Some(Record::Unit(unit)) => Some(unit.code.clone()),
            _ => None,
        });
        let incoming = LoadRequest {
            table: table.name(),
            digest: judged.judgement().digest.clone(),
            rows: judged.judgement().counts.rows,
            unreadable: judged.judgement().counts.unreadable(),
            as_of: day,
            by: "test".into(),
            full: full.then_some(None),
            units: codes.collect(),
        };
        let store = &self.fixture.store;
        let (mut load, faults) = match store.begin_load(incoming.clone(), None).await.unwrap() {
            LoadDecision::Open(load) => (load, Vec::new()),
            LoadDecision::NeedsApproval { faults, .. } if !approve => return faults,
            LoadDecision::NeedsApproval { load, faults } => {
                match store.begin_load(incoming, Some(&load)).await.unwrap() {
                    LoadDecision::Open(load) => (load, faults),
                    LoadDecision::NeedsApproval { faults, .. } => panic!("{faults:?}"),
                }
            }
        };
        stage(&mut load, rows).await;
        load.finish().await.unwrap();
        faults
    }

    async fn play(&mut self) {
        let day = self.world.day;
        if self.world.units_changed {
            let units = self.world.units_csv();
            self.recount.units(&self.world.units);
            self.take_in(Table::Units, &units, false, day, false).await;
        }
        let registry = self.world.registry_csv();
        self.recount.registry(&self.world.humans);
        self.take_in(Table::Registry, &registry, false, day, true).await;
        let citizens = self.world.citizens_csv();
        self.recount.citizens(&self.world.new_citizens);
        self.take_in(Table::Citizens, &citizens, false, day, true).await;
        let officials = self.world.officials_csv();
        self.recount.officials(&self.world.new_officials);
        self.take_in(Table::Officials, &officials, false, day, true).await;
        let profiles = self.world.profiles_csv();
        self.recount.profiles(&self.world.staff);
        self.take_in(Table::Profiles, &profiles, true, day, true).await;
        let notices = self.world.notices_csv();
        self.recount.notices(&self.world.notices);
        self.take_in(Table::Notices, &notices, false, day, true).await;
        self.enter_forms().await;
        self.reconcile().await;
        if self.dice.often(300) {
            self.send_again(&profiles).await;
        }
        self.look().await;
    }

    async fn enter_forms(&mut self) {
        let path = self.fixture.path("forms.csv");
        std::fs::write(&path, self.world.forms_csv()).unwrap();
        let (forms, digest) = submissions_of(&path).unwrap();
        let file = self.fixture.store.begin_forms(&digest).await.unwrap();
        let facts = self.world.forms.clone();
        for (n, (form, fact)) in forms.iter().zip(&facts).enumerate() {
            let at = self.fixture.store.now();
            let found = self
                .fixture
                .store
                .enter_form_of(&file, n, form, "counter", at)
                .await
                .unwrap();
            let fields: Vec<&str> = found.fields.iter().map(|field| field.name()).collect();
            let right = self.recount.form(fact);
            self.differs(
                &format!("form {n} of {}", fact.account),
                right,
                (found.outcome.name(), fields),
            );
        }
        self.fixture
            .store
            .end_forms(&file, forms.len(), "counter")
            .await
            .unwrap();
    }

    async fn reconcile(&mut self) {
        let day = self.world.day;
        let right = self.recount.run(day);
        let found = self.fixture.store.reconcile(day, "hr").await.unwrap();
        self.compare(&right, &found);
        let run = found.run.clone().unwrap();
        if !found.stopped_by.is_empty() {
            self.fixture.store.approve_run(&run, "hr").await.unwrap();
        }
        let mut made = BTreeMap::new();
        for line in self.fixture.store.run_lines(&run).await.unwrap() {
            if let RunLine::Made {
                account,
                unit,
                succeeds,
                ..
            } = line
            {
                let succeeds: BTreeSet<String> = succeeds.iter().map(ToString::to_string).collect();
                let of = right
                    .creates
                    .iter()
                    .find(|(_, (at, old))| *at == unit.as_str() && *old == succeeds);
                match of {
                    Some((from, _)) => {
                        made.insert(from.clone(), account.to_string());
                    }
                    None => self
                        .wrong
                        .push(format!("{account} was made at {unit} for {succeeds:?}")),
                }
            }
        }
        self.differs("accounts made", right.creates.len(), made.len());
        if self.wrong.is_empty() {
            self.recount.apply(right, &made, day);
        }
    }

    fn compare(&mut self, right: &Run, found: &RunOutcome) {
        self.differs("accounts decided", right.decided.len(), found.plan.lines.len());
        let newcomers = found.plan.newcomers.iter();
        let mut newcomers: Vec<String> = newcomers.map(|new| new.unit.to_string()).collect();
        newcomers.sort();
        self.differs("newcomers", &right.newcomers, &newcomers);
        self.differs("the guard stops it", right.needs_approval, !found.stopped_by.is_empty());
        for line in &found.plan.lines {
            let id = line.account.as_str();
            let creates = right.creates.get(id).map(|(unit, _)| unit.as_str());
            self.differs(
                &format!("{id} creates"),
                creates,
                line.creates.as_ref().map(|new| new.unit.as_str()),
            );
            match (&right.decided[id], &line.undecided) {
                (Decided::Nothing, Some(_)) => {}
                (Decided::Holds(holds), None) => self.differs(id, holds, &by_reason(&line.after)),
                (decided, undecided) => self
                    .wrong
                    .push(format!("{id}: {decided:?}, found {undecided:?} {:?}", line.after)),
            }
        }
    }

    /// The same file again, and an older one, change nothing.
    async fn send_again(&mut self, profiles: &File) {
        let day = self.world.day;
        self.take_in(Table::Profiles, profiles, true, day, true).await;
        let faults = self
            .take_in(Table::Profiles, profiles, true, day.yesterday().unwrap(), false)
            .await;
        let is_late = faults
            .iter()
            .any(|fault| matches!(fault, HealthFault::EarlierDay { .. }));
        self.differs("a late file is asked about", true, is_late);
        let again = self.fixture.store.simulate(day).await.unwrap();
        let changes: Vec<String> = again
            .plan
            .lines
            .iter()
            .filter(|line| line.changes())
            .map(|line| line.account.to_string())
            .collect();
        self.differs("what the same file changes", vec![], changes);
    }

    async fn look(&mut self) {
        let day = self.world.day;
        let mut right: BTreeMap<String, (BTreeSet<String>, bool)> = BTreeMap::new();
        for (id, account) in &self.recount.officials {
            let reasons = account
                .holds
                .keys()
                .cloned()
                .chain(account.ordered.then(|| "by-order".to_owned()));
            right.insert(id.clone(), (reasons.collect(), false));
        }
        for (id, bearer) in &self.recount.citizens {
            let duplicate = (!bearer.duplicates.is_empty()).then(|| "duplicate".to_owned());
            let reasons = duplicate
                .into_iter()
                .chain(bearer.ordered.then(|| "by-order".to_owned()));
            right.insert(id.clone(), (reasons.collect(), bearer.claimed));
        }
        right.retain(|_, (reasons, claimed)| !reasons.is_empty() || *claimed);
        let found = self.fixture.store.holds(None, day).await.unwrap().into_iter();
        let found: BTreeMap<_, _> = found
            .map(|(id, line)| {
                (
                    id,
                    (
                        line.reasons.iter().map(|reason| reason.name().to_owned()).collect(),
                        line.claimed,
                    ),
                )
            })
            .collect();
        self.same("holds", &right, &found);
        let review = self.fixture.store.review().await.unwrap();
        let review = review.into_iter().map(|line| (line.account, line.because_of)).collect();
        let right = self.recount.review();
        self.same("review", &right, &review);
        let lines = self.fixture.store.report(None, day).await.unwrap();
        let lines = lines
            .into_iter()
            .map(|l| {
                (
                    l.unit,
                    [l.accounts, l.standardised, l.held, l.pending, l.refused, l.not_started],
                )
            })
            .collect();
        let right = self.recount.report(day);
        self.same("report", &right, &lines);
        let before = day.first_of_month().yesterday().unwrap();
        let lines = self.fixture.store.report(None, before).await.unwrap();
        let lines = lines.into_iter().map(|line| (line.unit, line.accounts)).collect();
        let right = self.recount.accounts_on(before);
        self.same("report of the month before", &right, &lines);
        let staff = self.fixture.store.staff_report(None, day).await.unwrap();
        let staff = staff
            .into_iter()
            .map(|l| (l.unit, [l.staff, l.standardised, 0, 0, 0, l.staff - l.standardised]))
            .collect();
        let right = self.recount.staff_report(day);
        self.same("staff", &right, &staff);
        self.explain(day).await;
    }

    fn same<T: PartialEq + Debug>(&mut self, what: &str, right: &BTreeMap<String, T>, found: &BTreeMap<String, T>) {
        for id in right.keys().chain(found.keys().filter(|id| !right.contains_key(*id))) {
            self.differs(&format!("{what} of {id}"), right.get(id), found.get(id));
        }
    }

    /// Checks the explanation of some held accounts.
    async fn explain(&mut self, day: Date) {
        let held = self
            .recount
            .officials
            .iter()
            .filter(|(_, account)| !account.holds.is_empty());
        let held: Vec<String> = held.map(|(id, _)| id.clone()).collect();
        for _ in 0..15 {
            let id = self.dice.pick(&held).clone();
            let explained = self.fixture.store.explain(&id, day).await.unwrap();
            let holds: Vec<Hold> = explained.holds.into_iter().map(|held| held.hold).collect();
            let right = self.recount.officials[&id].holds.clone();
            self.differs(&format!("explain {id}"), right, by_reason(&holds));
            let unit = self.recount.officials[&id].unit.clone();
            self.differs(&format!("unit of {id}"), unit, explained.unit);
        }
        let held = self
            .recount
            .citizens
            .iter()
            .filter(|(_, bearer)| !bearer.duplicates.is_empty());
        let held: Vec<String> = held.map(|(id, _)| id.clone()).collect();
        for _ in 0..held.len().min(10) {
            let id = self.dice.pick(&held).clone();
            let explained = self.fixture.store.explain(&id, day).await.unwrap();
            self.differs(&format!("kind of {id}"), AccountKind::Citizen, explained.kind);
            let found = explained
                .holds
                .iter()
                .filter(|held| held.hold.reason.name() == "duplicate");
            let found: BTreeMap<String, String> = found
                .map(|held| {
                    (
                        held.hold.evidence["claim_of"].clone(),
                        held.hold.evidence["same"].clone(),
                    )
                })
                .collect();
            let right = self.recount.citizens[&id].duplicates.clone();
            self.differs(&format!("explain {id}"), right, found);
        }
    }
}

/// HR's holds with their evidence. The similarity of two names is tested elsewhere.
fn by_reason(holds: &[Hold]) -> Holds {
    let facts = |hold: &Hold| -> Facts {
        let mut facts = hold.evidence.clone();
        if let Some(grade) = facts.get_mut("full_name") {
            "*".clone_into(grade);
        }
        facts
    };
    let of_hr = holds.iter().filter(|hold| hold.reason.name() != "by-order");
    of_hr.map(|hold| (hold.reason.name().to_owned(), facts(hold))).collect()
}
