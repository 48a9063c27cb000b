//! Tests of "Every figure can be downloaded and drilled down to the people behind it, by whoever may see them."

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen, form};
use ngomon_feeds::{Context, Record, Table, check_file};
use ngomon_rules::citizens::{Exemption, ReportStatus};
use ngomon_rules::records::AccountId;
use ngomon_rules::unit::{UnitCode, UnitTree};
use ngomon_rules::values::Date;
use ngomon_store::{ExemptionRequester, Operator, PersonPage, ReportLine};
use std::collections::BTreeMap;
use std::path::Path;

both! {
    people_list_length_equals_report_figure
    people_list_pages_have_no_gap_or_repeat
    unit_today_equals_successor_in_tree
}

/// The valid rows of a file of the sample.
fn sample(table: Table, units: &UnitTree) -> Vec<Record> {
    let file = format!("../fixtures/sample/{}.csv", table.name());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let context = Context { units, as_of: DAY };
    let judged = check_file(table, &path, &context, &mut |_| {}).unwrap();
    let rows = judged.rows(&context).unwrap();
    rows.filter_map(|row| row.unwrap().record).collect()
}

impl Fixture {
    /// Imports the sample's units, registry and citizens and submits its forms; some citizens are exempt, some are held by order.
    async fn sample(&self, an: &Operator) {
        let none = UnitTree::default();
        let units = sample(Table::Units, &none).into_iter();
        let units: Vec<_> = units
            .filter_map(|row| if let Record::Unit(unit) = row { Some(unit) } else { None })
            .collect();
        let mut load = self.open("units", units.len()).await;
        load.units(units).await.unwrap();
        load.finish().await.unwrap();
        let tree = self.store.units().await.unwrap();
        let registry = sample(Table::Registry, &tree).into_iter();
        let registry: Vec<_> = registry
            .filter_map(|row| {
                if let Record::Registry(row) = row {
                    Some(*row)
                } else {
                    None
                }
            })
            .collect();
        let mut load = self.open("registry", registry.len()).await;
        load.registry(registry).await.unwrap();
        load.finish().await.unwrap();
        let citizens = sample(Table::Citizens, &tree).into_iter();
        let citizens: Vec<_> = citizens
            .filter_map(|row| {
                if let Record::Account(row) = row {
                    Some(*row)
                } else {
                    None
                }
            })
            .collect();
        let ids: Vec<AccountId> = citizens.iter().map(|row| row.account.clone()).collect();
        self.citizens(citizens).await;
        let forms = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/sample/submissions.csv");
        for form in ngomon_feeds::submissions(&forms).unwrap() {
            let proof = ngomon_rules::citizens::Proof::Form;
            self.store
                .standardise(&form, proof, "owner", self.store.now())
                .await
                .unwrap();
        }
        for (n, id) in ids.iter().enumerate() {
            let last = Date::constant(2023, 12, 31);
            if n % 40 == 7 {
                // A standardised account is no longer exempt.
                self.store
                    .exempt(ExemptionRequester::Operator(an, id), Exemption::Child, last)
                    .await
                    .ok();
            } else if n % 40 == 8 {
                let order = ngomon_store::Order {
                    ordered_by: "CA".into(),
                    document: format!("{n}/QĐ"),
                    text: "x".into(),
                    last_day: Some(last),
                };
                self.store.hold_by_order(an, id, &order).await.unwrap();
            }
        }
    }

    async fn list(
        &self,
        an: &Operator,
        unit: &str,
        standing: ReportStatus,
        after: Option<&str>,
        most: u32,
    ) -> PersonPage {
        let unit = UnitCode(unit.into());
        self.store
            .people(an, &unit, standing, self.store.today(), after, most)
            .await
            .unwrap()
    }
}

fn cell(line: &ReportLine, standing: ReportStatus) -> u64 {
    match standing {
        ReportStatus::Standardised => line.standardised,
        ReportStatus::Held => line.held,
        ReportStatus::Exempt => line.exempt,
        ReportStatus::Pending => line.pending,
        ReportStatus::Refused => line.refused,
        ReportStatus::NotStarted => line.not_started,
    }
}

/// Each list of people of the sample is as long as its figure in the report.
async fn people_list_length_equals_report_figure(on: On) {
    let fixture = Fixture::new(on).await;
    let an = fixture.operator("an").await;
    fixture.sample(&an).await;
    let mut listed: BTreeMap<ReportStatus, u64> = BTreeMap::new();
    for deadline in ["", "2023-07-30"] {
        fixture
            .store
            .set_campaign("after-deadline", "hold", true, "op")
            .await
            .unwrap();
        fixture
            .store
            .set_campaign("deadline.citizens", deadline, true, "op")
            .await
            .unwrap();
        let figures = fixture.store.figures(fixture.store.today()).await.unwrap();
        let mut people: BTreeMap<AccountId, ReportStatus> = BTreeMap::new();
        for standing in ReportStatus::ALL {
            // The list of the whole province, and how many of it belong to each unit including all units below it.
            let all = fixture.list(&an, "46", standing, None, 10_000).await;
            let mut counts: BTreeMap<UnitCode, u64> = BTreeMap::new();
            for one in &all.people {
                for unit in figures.tree.lineage(&one.unit, figures.day) {
                    *counts.entry(unit.clone()).or_default() += 1;
                }
                assert_eq!(
                    people.insert(one.account.clone(), standing),
                    None,
                    "{}: in one state",
                    one.account
                );
            }
            assert!(all.next.is_none() && all.all == all.people.len() as u64);
            let mut of_units = 0;
            for unit in figures.tree.iter() {
                let Some(of) = figures.of(unit.code.as_str()) else {
                    continue;
                };
                let (there, figure) = (
                    counts.get(&unit.code).copied().unwrap_or_default(),
                    cell(&of.line, standing),
                );
                assert_eq!(there, figure, "{} {standing:?}", unit.code);
                // The list of some units, each requested by itself, agrees.
                of_units += u64::from(figure > 0);
                if figure > 0 && of_units % 40 == 1 {
                    let listing = fixture.list(&an, unit.code.as_str(), standing, None, 10_000).await;
                    assert_eq!(
                        (listing.all, listing.people.len() as u64, listing.next),
                        (figure, figure, None)
                    );
                }
            }
            *listed.entry(standing).or_default() += all.all;
        }
        assert_eq!(people.len() as u64, figures.of("46").unwrap().line.accounts);
    }
    assert!(
        listed.len() == 6 && listed.values().filter(|n| **n > 0).count() >= 5,
        "{listed:?}"
    );
}

/// The pages of a list have neither a gap nor a repetition.
async fn people_list_pages_have_no_gap_or_repeat(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&(0..30).collect::<Vec<_>>()).await;
    let unit = |n: u32| ["A", "B", "V"][n as usize % 3];
    let row = |n| {
        let mut row = citizen(&format!("HS{n:02}"), n);
        row.unit = Some(UnitCode(unit(n).into()));
        row
    };
    fixture.citizens((0..30).map(row).collect()).await;
    let an = fixture.operator("an").await;
    for n in (0..30).step_by(5) {
        fixture.submit(&format!("HS{n:02}"), n).await;
    }
    let whole = fixture.list(&an, "P", ReportStatus::NotStarted, None, 99).await;
    assert_eq!((whole.all, whole.people.len()), (24, 24));
    for most in [1, 2, 3, 4, 6, 8, 23, 24, 25] {
        let (mut people, mut after) = (Vec::new(), None);
        loop {
            let page = fixture
                .list(&an, "P", ReportStatus::NotStarted, after.as_deref(), most)
                .await;
            assert!(page.people.len() <= most as usize && !page.people.is_empty());
            people.extend(page.people);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(people, whole.people, "{most} a page");
    }
    let done = fixture.list(&an, "B", ReportStatus::Standardised, None, 99).await;
    let ids: Vec<&str> = done.people.iter().map(|one| one.account.as_str()).collect();
    assert_eq!(
        ids,
        ["HS10", "HS25", "HS05", "HS20"],
        "the unit, then the village below it"
    );
    assert_eq!(done.people[0].unit_name, "Đơn vị B");
    // An invalid cursor starts at the beginning.
    for nonsense in ["", "x", "W10", "!!"] {
        let page = fixture
            .list(&an, "P", ReportStatus::NotStarted, Some(nonsense), 99)
            .await;
        assert_eq!(page.people, whole.people);
    }
    // An account that leaves the list between two pages does not make others disappear from it.
    let first = fixture.list(&an, "P", ReportStatus::NotStarted, None, 10).await;
    let gone = first.people.last().unwrap().account.clone();
    let mut wrong = form(gone.as_str(), 1);
    wrong.form.phone = "12".into();
    let proof = ngomon_rules::citizens::Proof::Form;
    fixture
        .store
        .standardise(&wrong, proof, "owner", fixture.store.now())
        .await
        .unwrap();
    let rest = fixture
        .list(&an, "P", ReportStatus::NotStarted, first.next.as_deref(), 99)
        .await;
    assert_eq!(rest.people, whole.people[10..]);
    fixture.sound().await;
}

/// The query for today's unit gives the same successor as the whole tree.
async fn unit_today_equals_successor_in_tree(on: On) {
    let fixture = Fixture::new(on).await;
    let an = fixture.operator("an").await;
    fixture.sample(&an).await;
    // After the mergers of 2025.
    fixture.clock.move_on(750 * 24 * 3_600);
    let (tree, today) = (fixture.store.units().await.unwrap(), fixture.store.today());
    let mut moved = 0;
    for unit in tree.iter() {
        let to = tree.follow(&unit.code, today);
        moved += usize::from(*to != unit.code);
        let found = fixture.store.unit_today(&unit.code).await.unwrap();
        assert_eq!(found.map(|unit| unit.code).as_ref(), Some(to));
    }
    assert!(moved > 0);
    let nowhere = fixture.store.unit_today(&UnitCode("không có".into())).await;
    assert!(nowhere.unwrap().is_none());
}
