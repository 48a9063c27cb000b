//! One HR change, and one page of people, cost the same whatever the number of accounts: the same statements, the same rows, and no
//! table walked through.
//! A test program of its own, because it listens to every statement of its process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "suite/house.rs"]
#[allow(dead_code, reason = "shared with the suite")]
mod house;

use house::{DAY, House, On, citizen, official, profile};
use ngomon_rules::citizens::Standing;
use ngomon_rules::record::{AccountId, AccountKind, Notice, Profile};
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::Date;
use ngomon_store::Intake;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};
use std::fmt::Debug;
use std::mem;
use std::sync::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A statement and how many rows it gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    sql: String,
    rows: u64,
}

static HEARD: Mutex<Vec<Statement>> = Mutex::new(Vec::new());

/// Takes down what the driver says of each statement.
struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, about: &Metadata<'_>) -> bool {
        ["sqlx::query", "ngomon_store::db::embedded"].contains(&about.target())
    }

    fn event(&self, event: &Event<'_>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        // How a connection is set up: on a busy machine there may be one more of them.
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
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.rows = value;
        }
    }

    /// The summary is a short statement itself, or else its beginning.
    fn record_str(&mut self, field: &Field, value: &str) {
        let whole = field.name() == "db.statement" && !value.is_empty();
        if whole || (field.name() == "summary" && self.sql.is_empty()) {
            self.sql = value.trim().to_owned();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// So many officials, all in order but two of them, and the last run over everybody. Then one change comes in a file of one row, the
/// page lets somebody in again, somebody asks why, and an operator reads the first page of those who did not begin.
async fn statements(on: On, officials: u32) -> Vec<Statement> {
    let house = House::new(on).await;
    house.units().await;
    house.registry(&[1, 2, 3]).await;
    house
        .officials((0..officials).map(|n| official(n, "A")).collect())
        .await;
    house
        .citizens(
            (0..officials)
                .map(|n| citizen(&format!("HS{n:03}"), 1_000 + n))
                .collect(),
        )
        .await;
    let operator = house.operator("an").await;
    let mut load = house.open("notices", 1).await;
    let notice = |n| Notice {
        notice_no: "1".into(),
        national_id: house::number(n),
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
    house.profiles(rows.collect()).await;
    house.store.reconcile(DAY, "hr").await.unwrap();
    house.store.reconcile(DAY, "hr").await.unwrap();
    house.store.durability().await.unwrap();
    HEARD.lock().unwrap().clear();

    let Intake::Open(mut load) = house.begin("profiles", 1, None, None).await else {
        panic!("one row is healthy")
    };
    load.profiles(vec![profile(0, "A")]).await.unwrap();
    load.finish().await.unwrap();
    let changed = house.store.reconcile_changed(DAY, "hr").await.unwrap();
    assert_eq!((changed.widened, changed.plan.lines.len()), (None, 1));
    let person = [AccountId("CV001".into())];
    house.store.reconcile_people(&person, &[], DAY, "page").await.unwrap();
    house.store.explain("CV001", DAY).await.unwrap();
    let (unit, standing) = (UnitCode("P".into()), Standing::NotStarted);
    let listing = house.store.people(&operator, &unit, standing, DAY, None, 5).await;
    assert_eq!(listing.unwrap().people.len(), 5);
    // Whoever listens hears of a statement once its connection takes the next.
    house.store.durability().await.unwrap();
    let heard = mem::take(&mut *HEARD.lock().unwrap());
    assert_eq!(house.held(AccountKind::Official).await, ["CV001: review-overdue"]);
    heard
}

/// Whatever the number of accounts, these are short, or only their last row is read: they may be walked through.
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

#[tokio::test(flavor = "multi_thread")]
async fn one_change_reads_the_same_rows_whatever_the_number_of_accounts() {
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
}

/// Of a load every row: as good as walked through.
const WHOLE_LOAD: [&str; 6] = ["n", "notice", "f", "registry_former", "g", "registry"];

/// SQLite's plan of each statement searches by an index.
async fn no_walk(mut statements: Vec<Statement>) {
    let house = House::new(On::Sqlite).await;
    statements.dedup_by(|a, b| a.sql == b.sql);
    // What begins and ends a transaction, whether a table has any row, and what a connection says of itself.
    statements.retain(|Statement { sql, .. }| {
        let ends = ["BEGIN", "RELEASE", "ROLLBACK", "COMMIT"]
            .iter()
            .any(|word| sql.starts_with(word));
        !ends && !sql.contains("SELECT 1 FROM profile LIMIT 1") && !sql.contains("pragma_")
    });
    let file = house.path("data").join("ngomon.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .unwrap();
    let mut walks = Vec::new();
    for Statement { sql, .. } in statements {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        for step in sqlx::query(explain).fetch_all(&mut connection).await.unwrap() {
            let step: String = step.get("detail");
            let table = step.split(' ').nth(1).unwrap_or_default();
            // `VALUES` is walked through too.
            let short = SHORT.contains(&table) || table.ends_with("-ROW") || table == "CONSTANT";
            let walked = step.starts_with("SCAN ") && !short;
            if walked || (WHOLE_LOAD.contains(&table) && step.ends_with("(load=?)")) {
                walks.push(format!("{step}: {sql}"));
            }
        }
    }
    assert_eq!(walks, [""; 0]);
}
