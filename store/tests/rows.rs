//! One HR change, and one page of the list of people, cost the same whatever the number of accounts: the same statements, the same rows,
//! and no full table scan. This is a test program of its own, because it subscribes to every statement of its process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "suite/fixture.rs"]
#[allow(dead_code, reason = "shared with the suite")]
mod fixture;

use fixture::{DAY, Fixture, On, citizen, official, profile};
use ngomon_rules::citizens::{Exemption, ReportStatus};
use ngomon_rules::hold::Cause;
use ngomon_rules::records::{AccountId, AccountKind, Notice, Profile};
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::Date;
use ngomon_store::{ExemptionRequester, LoadDecision, Order};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};
use std::fmt::Debug;
use std::mem;
use std::sync::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A statement and the number of rows it returned.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    sql: String,
    rows: u64,
    /// Steps of SQLite's virtual machine. Their number per row depends on where the rows lie.
    steps: u64,
}

static HEARD: Mutex<Vec<Statement>> = Mutex::new(Vec::new());

/// Records the driver's events about each statement.
struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, about: &Metadata<'_>) -> bool {
        ["sqlx::query", "ngomon_store::db::embedded"].contains(&about.target())
    }

    fn event(&self, event: &Event<'_>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        // Skip the setup of a connection: on a busy machine there may be one more of them.
        if !statement.sql.starts_with("PRAGMA ") {
            HEARD.lock().unwrap().push(statement);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Statement {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record_u64(field, u64::try_from(value).unwrap_or_default());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "rows_returned" => self.rows = value,
            "steps" => self.steps = value,
            _ => {}
        }
    }

    /// The summary is the whole statement if it is short, otherwise its beginning.
    fn record_str(&mut self, field: &Field, value: &str) {
        let whole = field.name() == "db.statement" && !value.is_empty();
        if whole || (field.name() == "summary" && self.sql.is_empty()) {
            self.sql = value.trim().to_owned();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// The statements for that many officials, two of whom are held, after a full run. Then a file of one row brings a change, the page lets
/// somebody in again, somebody requests an explanation, and an operator reads the first page of the list of people who did not begin.
async fn statements(on: On, officials: u32) -> Vec<Statement> {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2, 3]).await;
    fixture
        .officials((0..officials).map(|n| official(n, "A")).collect())
        .await;
    fixture
        .citizens(
            (0..officials)
                .map(|n| citizen(&format!("HS{n:03}"), 1_000 + n))
                .collect(),
        )
        .await;
    let operator = fixture.operator("an").await;
    let mut load = fixture.open("notices", 1).await;
    let notice = |n| Notice {
        notice_no: "1".into(),
        national_id: fixture::number(n),
        from_unit: None,
        to_unit: UnitCode("A".into()),
        effective_on: DAY,
        withdrawn_on: None,
    };
    load.notices((0..officials).map(notice).collect()).await.unwrap();
    load.finish().await.unwrap();
    let overdue = |n| Profile {
        reviewed_on: Some(Date::constant(2021, 5, 1)),
        ..profile(n, "A")
    };
    let rows = (0..officials).map(|n| if n < 2 { overdue(n) } else { profile(n, "A") });
    fixture.profiles(rows.collect()).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    fixture.store.durability().await.unwrap();
    HEARD.lock().unwrap().clear();

    let LoadDecision::Open(mut load) = fixture.begin("profiles", 1, None, None).await else {
        panic!("one row is healthy")
    };
    load.profiles(vec![profile(0, "A")]).await.unwrap();
    load.finish().await.unwrap();
    let changed = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    assert_eq!((changed.widened, changed.plan.lines.len()), (None, 1));
    let person = [AccountId("CV001".into())];
    fixture.store.reconcile_people(&person, &[], DAY, "page").await.unwrap();
    fixture.store.explain("CV001", DAY).await.unwrap();
    let (unit, standing) = (UnitCode("P".into()), ReportStatus::NotStarted);
    let listing = fixture.store.people(&operator, &unit, standing, DAY, None, 5).await;
    assert_eq!(listing.unwrap().people.len(), 5);
    // The event of a statement is emitted when its connection takes the next one.
    fixture.store.durability().await.unwrap();
    let mut heard = mem::take(&mut *HEARD.lock().unwrap());
    heard.iter_mut().for_each(|statement| statement.steps = 0);
    assert_eq!(fixture.held(AccountKind::Official).await, ["CV001: review-overdue"]);
    heard
}

/// Tables that may be scanned: they are short whatever the number of accounts, or only their last row is read.
const SHORT: [&str; 11] = [
    "unit",
    "u",
    "setting",
    "coverage",
    "staff_counter",
    "report_counter",
    "installation",
    "arrival",
    "load",
    "checkpoint",
    "fingerprint_key",
];

/// One change runs the same statements and reads the same rows whatever the number of accounts.
#[tokio::test(flavor = "multi_thread")]
async fn cost_of_one_change_independent_of_account_count() {
    tracing::subscriber::set_global_default(Listener).unwrap();
    for on in [On::Sqlite, On::Postgres] {
        let (mut few, mut many) = (statements(on, 40).await, statements(on, 400).await);
        few.sort();
        many.sort();
        assert!(few.len() > 50, "{} statements were heard", few.len());
        assert_eq!(few, many, "{on:?}");
        if on == On::Sqlite {
            no_walk(few).await;
        }
    }
    whatever_one_account_did_work_grows_with_its_entries().await;
    verify_grows_with_what_there_is().await;
}

/// The steps of SQLite's virtual machine since the last call.
async fn steps(fixture: &Fixture) -> u64 {
    fixture.store.durability().await.unwrap();
    let heard = mem::take(&mut *HEARD.lock().unwrap());
    heard.iter().map(|s| s.steps).sum()
}

/// One account is made exempt again and again, and another is held and opened again. The cost of a change stays the same after many; the
/// cost of `verify` and `rebuild` grows linearly with the entries.
async fn whatever_one_account_did_work_grows_with_its_entries() {
    const TURNS: i64 = 150;
    let fixture = Fixture::new(On::Sqlite).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 2)]).await;
    let operator = fixture.operator("an").await;
    let [account, other] = ["HS1", "HS2"].map(|id| AccountId(id.into()));
    let order = Order {
        ordered_by: "x".into(),
        document: "y".into(),
        text: "z".into(),
        last_day: None,
    };
    let mut grown = Vec::new();
    for _ in 0..3 {
        let mut change = 0;
        for n in 0..TURNS {
            let last_day = DAY.checked_add(jiff::Span::new().days(1 + n % 2)).unwrap();
            steps(&fixture).await;
            let says = ExemptionRequester::Operator(&operator, &account);
            fixture.store.exempt(says, Exemption::Child, last_day).await.unwrap();
            change = steps(&fixture).await;
            fixture.store.hold_by_order(&operator, &other, &order).await.unwrap();
            let cause = Cause::order("y");
            fixture.store.lift_order(&operator, &other, &cause, "w").await.unwrap();
        }
        fixture.store.seal().await.unwrap();
        steps(&fixture).await;
        assert_eq!(fixture.store.verify(&mut |_| {}).await.unwrap().faults, []);
        let verify = steps(&fixture).await;
        fixture.store.rebuild(&mut |_| {}).await.unwrap();
        grown.push([change, verify, steps(&fixture).await]);
    }
    let [first, second, third] = grown.try_into().unwrap();
    assert!(third[0] < first[0] + first[0] / 10, "grows: {first:?} {third:?}");
    for at in [1, 2] {
        let (earlier, later) = (second[at] - first[at], third[at] - second[at]);
        assert!(
            later < earlier + earlier / 10,
            "faster than its entries: {earlier} {later}"
        );
    }
}

/// The cost of `verify` for officials, their profiles, newcomers for whom a run created accounts, and the lines of that run.
async fn verify_grows_with_what_there_is() {
    let mut steps_of = Vec::new();
    for officials in [100, 200, 300] {
        let fixture = Fixture::new(On::Sqlite).await;
        fixture.units().await;
        fixture.operator("an").await;
        fixture.store.set_policy("newcomers", "create", "an").await.unwrap();
        fixture
            .officials((0..officials).map(|n| official(n, "A")).collect())
            .await;
        fixture
            .profiles((0..2 * officials).map(|n| profile(n, "A")).collect())
            .await;
        let run = fixture.store.reconcile(DAY, "hr").await.unwrap();
        assert!(run.stopped_by.is_empty());
        fixture.store.seal().await.unwrap();
        steps(&fixture).await;
        assert_eq!(fixture.store.verify(&mut |_| {}).await.unwrap().faults, []);
        steps_of.push(steps(&fixture).await);
    }
    let (earlier, later) = (steps_of[1] - steps_of[0], steps_of[2] - steps_of[1]);
    assert!(
        later < earlier + earlier / 10,
        "faster than what there is: {steps_of:?}"
    );
}

/// Tables where reading every row of a load counts as a full scan.
const WHOLE_LOAD: [&str; 6] = ["n", "notice", "f", "registry_former", "g", "registry"];

/// SQLite's plan of each statement searches by an index.
async fn no_walk(mut statements: Vec<Statement>) {
    let fixture = Fixture::new(On::Sqlite).await;
    statements.dedup_by(|a, b| a.sql == b.sql);
    // Skip transaction control, checks whether a table has any row, and queries about the connection.
    statements.retain(|Statement { sql, .. }| {
        let ends = ["BEGIN", "RELEASE", "ROLLBACK", "COMMIT"]
            .iter()
            .any(|word| sql.starts_with(word));
        !ends
            && !sql.contains("SELECT 1 FROM profile LIMIT 1")
            && !sql.contains("SELECT 1 FROM person_link LIMIT 1")
            && !sql.contains("pragma_")
    });
    let file = fixture.path("data").join("ngomon.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .unwrap();
    let mut walks = Vec::new();
    for Statement { sql, .. } in statements {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        for step in sqlx::query(explain).fetch_all(&mut connection).await.unwrap() {
            let step: String = step.get("detail");
            let table = step.split(' ').nth(1).unwrap_or_default();
            // `VALUES` counts as a scan, too.
            let short = SHORT.contains(&table) || table.ends_with("-ROW") || table == "CONSTANT";
            let walked = step.starts_with("SCAN ") && !short;
            if walked || (WHOLE_LOAD.contains(&table) && step.ends_with("(load=?)")) {
                walks.push(format!("{step}: {sql}"));
            }
        }
    }
    assert_eq!(walks, [""; 0]);
}
