//! Tests of C7: what the report page shows always equals a recount of the accounts.

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen, form, official, profile};
use ngomon_rules::citizens::{CampaignGroup, Outcome, Proof};
use ngomon_rules::event::{Change, ClaimEnd, Event};
use ngomon_rules::hold::{Cause, Hold, Reason};
use ngomon_rules::records::{AccountId, AccountRow, ServiceStatus};
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::Date;
use ngomon_store::append;
use ngomon_store::db::Db;
use ngomon_store::journal::{Attribution, StoreContext};
use ngomon_store::{Goal, UnitFigures};
use std::collections::BTreeMap;

both! {
    refused_and_held_accounts_counted_separately
    daily_figures_add_up_for_each_unit
    citizen_account_of_new_official_counted_with_officials
    ended_hold_exemption_or_claim_is_not_counted
    undone_run_leaves_no_counts
    position_changes_with_every_counted_change
    recount_result_is_recorded
}

impl Fixture {
    /// The figures of the whole province.
    async fn figures(&self, day: Date) -> UnitFigures {
        let figures = self.store.figures(day).await.unwrap();
        figures.of("P").unwrap().clone()
    }

    /// `(day, officials, citizens, refusals, sum)` of a unit.
    async fn days(&self, unit: &str) -> Vec<(String, u64, u64, u64, u64)> {
        let figures = self.store.figures(DAY).await.unwrap();
        let days = self.store.days(&figures, &UnitCode(unit.into())).await.unwrap();
        let told = days
            .iter()
            .map(|d| (d.day.to_string(), d.officials, d.citizens, d.refusals, d.standardised));
        told.collect()
    }

    /// Submits a form that counts on another day.
    async fn submit_on(&self, account: &str, person: u32, at: &str) -> Outcome {
        let mut form = form(account, person);
        form.submitted_at = Some(at.parse().unwrap());
        let done = self.store.standardise(&form, Proof::Form, "owner", self.store.now());
        done.await.unwrap().outcome
    }

    /// Appends events for which there is no command yet.
    async fn append(&self, account: &str, changes: Vec<Change>) {
        let db = Db::open(&self.places.data, false).await.unwrap();
        let ctx = StoreContext {
            keys: self.store.keys().clone(),
            environment: self.environment(),
            news: None,
        };
        let (act, id) = (Attribution::new("test", self.store.now()), AccountId(account.into()));
        db.transaction(move |tx| {
            let (ctx, act, id, changes) = (ctx.clone(), act.clone(), id.clone(), changes.clone());
            Box::pin(async move {
                let events = changes.into_iter().map(|change| Event::of_account(&id, change));
                append(tx, &ctx, &act, events.collect()).await
            })
        })
        .await
        .unwrap();
    }
}

fn at(account: &str, person: u32, unit: &str) -> AccountRow {
    AccountRow {
        unit: Some(UnitCode(unit.into())),
        ..citizen(account, person)
    }
}

fn order(last_day: Option<Date>) -> Hold {
    Hold {
        reason: Reason::ByOrder,
        cause: Cause::order("12/CV"),
        evidence: [].into(),
        last_day,
    }
}

/// Refusals and holds are counted separately, and by reason.
async fn refused_and_held_accounts_counted_separately(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2, 3]).await;
    fixture
        .citizens((0..8).map(|n| citizen(&format!("HS{n}"), n)).collect())
        .await;
    fixture.officials(vec![official(60, "A"), official(61, "V")]).await;
    fixture.profiles(Vec::new()).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    fixture.submit("HS1", 1).await;
    fixture.submit("HS2", 1).await;
    fixture.submit("HS3", 44).await;
    fixture.submit("HS4", 45).await;
    let mut wrong = form("HS5", 2);
    wrong.form.phone = "12".into();
    fixture
        .store
        .standardise(&wrong, Proof::Form, "owner", fixture.store.now())
        .await
        .unwrap();
    // Two orders count as one reason, until the longer one ends.
    for document in ["1/QĐ", "2/QĐ"] {
        let last_day = Some(if document == "1/QĐ" {
            DAY
        } else {
            DAY.tomorrow().unwrap()
        });
        let hold = Hold {
            cause: Cause::order(document),
            ..order(last_day)
        };
        fixture.append("HS6", vec![Change::HoldPlaced { hold }]).await;
    }

    let figures = fixture.figures(DAY).await;
    assert_eq!(
        figures.refused,
        BTreeMap::from([(Outcome::NotFound, 2), (Outcome::Malformed, 1)]),
        "who is held is not counted as refused"
    );
    assert_eq!(figures.line.refused, 3);
    let held = |figures: UnitFigures| figures.held.into_iter().collect::<Vec<_>>();
    let all = [(Reason::ByOrder, 1), (Reason::Duplicate, 1), (Reason::NoProfile, 2)];
    assert_eq!(held(figures.clone()), all);
    assert_eq!(figures.line.held, 2, "citizens");
    let goal = Goal {
        due: 6,
        standardised: 1,
    };
    assert_eq!(figures.goal(), goal, "neither the duplicate nor the one held by order");
    let village = fixture.store.figures(DAY).await.unwrap();
    assert_eq!(village.of("V").unwrap().held[&Reason::NoProfile], 1);
    assert_eq!(village.below(&UnitCode("P".into())).count(), 2);
    assert_eq!(
        village.top().map(|unit| unit.line.unit.as_str()).collect::<Vec<_>>(),
        ["P"]
    );
    assert_eq!(village.within(Some(&UnitCode("B".into()))).len(), 2);

    // The orders end with their days; the policy holds late accounts, whatever else holds them.
    let later = DAY.tomorrow().unwrap().tomorrow().unwrap();
    assert_eq!(held(fixture.figures(later).await), &all[1..]);
    fixture
        .store
        .set_campaign("deadline.citizens", "2023-07-25", true, "op")
        .await
        .unwrap();
    fixture
        .store
        .set_campaign("after-deadline", "hold", true, "op")
        .await
        .unwrap();
    let late = fixture.figures(DAY).await;
    assert_eq!(late.held[&Reason::NotStandardised], 7);
    assert_eq!((late.line.held, late.line.refused, late.refused.len()), (7, 0, 0));
    assert_eq!(late.goal(), goal, "late is still to do");
    fixture.sound().await;
}

/// The figures of the days add up for each unit.
async fn daily_figures_add_up_for_each_unit(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&(0..9).collect::<Vec<_>>()).await;
    let units = ["A", "B", "V"];
    fixture
        .citizens(
            (0..9)
                .map(|n| at(&format!("HS{n}"), n, units[n as usize % 3]))
                .collect(),
        )
        .await;
    assert_eq!(fixture.days("P").await, []);
    // The first minute of a day in Huế, and the last minute of the previous day.
    for (n, at) in [
        (0, "2023-07-15T17:00:00Z"),
        (1, "2023-07-15T16:59:59Z"),
        (2, "2023-07-16T01:00:00Z"),
        (3, "2023-07-31T01:00:00Z"),
    ] {
        fixture.submit_on(&format!("HS{n}"), n, at).await;
    }
    fixture.submit_on("HS5", 77, "2023-07-16T02:00:00Z").await;
    fixture.submit_on("HS5", 78, "2023-07-16T03:00:00Z").await;
    let day = |day: &str, claims, refusals, sum| (day.to_owned(), 0, claims, refusals, sum);
    assert_eq!(
        fixture.days("P").await,
        [
            day("2023-07-15", 1, 0, 1),
            day("2023-07-16", 2, 2, 3),
            day("2023-07-31", 1, 0, 4)
        ]
    );
    assert_eq!(
        fixture.days("A").await,
        [
            day("2023-07-15", 0, 0, 0),
            day("2023-07-16", 1, 0, 1),
            day("2023-07-31", 1, 0, 2)
        ]
    );
    assert_eq!(
        fixture.days("B").await,
        [
            day("2023-07-15", 1, 0, 1),
            day("2023-07-16", 1, 2, 2),
            day("2023-07-31", 0, 0, 2)
        ]
    );
    // A pending form counts on the day on which it was sent.
    let pending = Fixture::new(on).await;
    pending.units().await;
    pending.citizens(vec![citizen("HS1", 1), citizen("HS2", 2)]).await;
    pending.submit_on("HS1", 1, "2023-07-20T01:00:00Z").await;
    pending.submit_on("HS2", 8, "2023-07-20T01:00:00Z").await;
    assert_eq!(pending.days("P").await, []);
    pending.registry(&[1]).await;
    pending.store.retry_pending("registry").await.unwrap();
    assert_eq!(pending.days("V").await, [day("2023-07-20", 1, 1, 1)]);
    pending.sound().await;
    fixture.sound().await;
}

/// The account of a person who becomes an official is counted with the officials from then on.
async fn citizen_account_of_new_official_counted_with_officials(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 2)]).await;
    fixture.submit("HS1", 1).await;
    let of = |figures: &UnitFigures, audience| figures.goals.get(&audience).copied();
    let goal = |due, standardised| Some(Goal { due, standardised });
    let before = fixture.figures(DAY).await;
    assert_eq!(of(&before, CampaignGroup::Officials), None);
    assert_eq!(of(&before, CampaignGroup::Citizens), goal(2, 1));
    assert_eq!(fixture.days("P").await, [("2023-07-31".to_owned(), 0, 1, 0, 1)]);
    fixture.profiles(vec![profile(1, "A")]).await;
    let after = fixture.figures(DAY).await;
    assert_eq!(of(&after, CampaignGroup::Officials), goal(1, 1));
    assert_eq!(of(&after, CampaignGroup::Citizens), goal(1, 0));
    assert_eq!(fixture.days("P").await, [("2023-07-31".to_owned(), 1, 0, 0, 1)]);
    // A person who retires tomorrow is an official today.
    let mut retired = profile(1, "A");
    retired.status = ServiceStatus::Retired;
    retired.status_from = Some(DAY.tomorrow().unwrap());
    retired.updated_on = Some(DAY);
    fixture.profiles(vec![retired]).await;
    assert_eq!(fixture.figures(DAY).await.goals, after.goals);
    let tomorrow = fixture.figures(DAY.tomorrow().unwrap()).await;
    assert_eq!(of(&tomorrow, CampaignGroup::Citizens), goal(2, 1));
    fixture.sound().await;
    // The next extract no longer has that profile.
    fixture.profiles(vec![profile(3, "A")]).await;
    assert_eq!(fixture.figures(DAY).await.goals, before.goals);
    fixture.sound().await;
}

/// A hold, an exemption or a claim is not counted after its end.
async fn ended_hold_exemption_or_claim_is_not_counted(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1]).await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 2)]).await;
    fixture.submit_on("HS1", 1, "2023-07-20T01:00:00Z").await;
    let until = DAY.tomorrow().unwrap();
    let hold = order(Some(until));
    let lifted = Change::HoldLifted {
        reason: hold.reason,
        cause: hold.cause.clone(),
    };
    let exempt = Change::ExemptionGranted {
        why: ngomon_rules::citizens::Exemption::Child,
        last_day: until,
    };
    fixture.append("HS2", vec![Change::HoldPlaced { hold }, exempt]).await;
    let held = fixture.figures(DAY).await;
    assert_eq!((held.line.held, held.goal().due), (1, 1));
    fixture.append("HS2", vec![lifted]).await;
    let exempt = fixture.figures(DAY).await;
    assert_eq!((exempt.held.len(), exempt.line.exempt, exempt.goal().due), (0, 1, 1));
    fixture.append("HS2", vec![Change::ExemptionEnded]).await;
    assert_eq!(fixture.figures(DAY).await.goal().due, 2);

    let claim = fixture.store.explain("HS1", DAY).await.unwrap().history;
    let person = claim.iter().find_map(|happened| match &happened.change {
        Change::ClaimMade { person, .. } => Some(person.clone()),
        _ => None,
    });
    let ended = Change::ClaimEnded {
        person: person.unwrap(),
        how: ClaimEnd::Withdrawn,
    };
    assert_eq!(fixture.days("P").await, [("2023-07-20".to_owned(), 0, 1, 0, 1)]);
    fixture.append("HS1", vec![ended]).await;
    assert_eq!(fixture.days("P").await, []);
    assert_eq!(fixture.figures(DAY).await.line.standardised, 0);
    fixture.sound().await;
}

/// A run that is undone leaves nothing in the figures.
async fn undone_run_leaves_no_counts(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A"), official(2, "A")]).await;
    fixture.profiles(vec![profile(1, "B")]).await;
    let run = fixture.store.reconcile(DAY, "hr").await.unwrap();
    let held = |figures: UnitFigures| figures.held.into_iter().collect::<Vec<_>>();
    assert_eq!(
        held(fixture.figures(DAY).await),
        [(Reason::Moved, 1), (Reason::NoProfile, 1)]
    );
    fixture.store.undo_run(&run.run.unwrap(), "hr").await.unwrap();
    assert_eq!(held(fixture.figures(DAY).await), []);
    fixture.sound().await;
}

/// The position changes with everything that the figures count.
async fn position_changes_with_every_counted_change(on: On) {
    let fixture = Fixture::new(on).await;
    let mut last = fixture.store.position().await.unwrap();
    let mut moved = async |fixture: &Fixture| {
        let now = fixture.store.position().await.unwrap();
        std::mem::replace(&mut last, now) != now
    };
    fixture.units().await;
    assert!(moved(&fixture).await);
    let mut load = fixture.open("citizens", 2).await;
    load.accounts(vec![citizen("HS1", 1), citizen("HS2", 2)]).await.unwrap();
    assert!(!moved(&fixture).await, "rows that are staged count for nobody");
    load.finish().await.unwrap();
    assert!(moved(&fixture).await);
    fixture.store.set_campaign("freeze", "on", true, "op").await.unwrap();
    assert!(moved(&fixture).await);
    assert!(!moved(&fixture).await);
    fixture.store.seal().await.unwrap();
    assert!(!moved(&fixture).await, "the seal changes nothing");
    fixture.registry(&[1]).await;
    assert!(moved(&fixture).await);
    fixture.submit("HS1", 1).await;
    assert!(moved(&fixture).await);
    fixture.store.rebuild(&mut |_| {}).await.unwrap();
    assert!(moved(&fixture).await, "whoever shows figures reads them anew");
    assert_eq!(fixture.store.figures(DAY).await.unwrap().position, last);
}

/// "The recount runs by itself daily, and the page says when it agreed."
async fn recount_result_is_recorded(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1]).await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 1)]).await;
    fixture.submit("HS1", 1).await;
    assert_eq!(fixture.store.last_recount().await.unwrap(), None);
    let good = fixture.store.recount().await.unwrap();
    // Two accounts that differ, each with its previous state; a hold; a claim in the village's counter and in the total.
    assert_eq!((good.counters, good.differing.len()), (6, 0));
    let agreed = fixture.store.last_recount().await.unwrap().unwrap();
    assert_eq!((agreed.differing, agreed.agreed_at), (0, Some(agreed.at)));
    fixture.clock.move_on(86_400);
    fixture.sql("UPDATE day_counter SET n = 7 WHERE what = 'claim'").await;
    assert_eq!(
        fixture.store.recount().await.unwrap().differing,
        ["day_counter \"V\": counted 7, there are 1"]
    );
    let bad = fixture.store.last_recount().await.unwrap().unwrap();
    assert!(bad.at > agreed.at);
    assert_eq!((bad.differing, bad.agreed_at), (1, Some(agreed.at)));
    fixture.store.rebuild(&mut |_| {}).await.unwrap();
    let mended = fixture.store.last_recount().await.unwrap().unwrap();
    assert_eq!((mended.differing, mended.agreed_at), (0, Some(mended.at)));
}
