//! The test fixture: a temporary store, a clock that the test sets, and a few made-up people.

use jiff::Timestamp;
use ngomon_rules::citizens::Proof;
use ngomon_rules::event::ProposedAct;
use ngomon_rules::records::{
    AccountAttributes, AccountId, AccountKind, AccountRow, Form, Profile, RegistryRecord, RegistryStatus,
    ServiceStatus, Submission,
};
use ngomon_rules::unit::{Unit, UnitCode, UnitKind};
use ngomon_rules::values::{Date, FullName, NationalId, Phone};
use ngomon_store::environment::{Clock, Environment};
use ngomon_store::{
    LoadDecision, LoadRequest, Location, OpenLoad, Operator, Order, ReportLine, SessionToken, Store, StorePaths,
    SubmissionResult,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// The database of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Sqlite,
    Postgres,
}

/// Makes a test for each database from one function.
#[macro_export]
macro_rules! both {
    ($($name:ident)*) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                super::$name($crate::fixture::On::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                super::$name($crate::fixture::On::Postgres).await;
            }
        }
    )*};
}

/// A clock that gains a microsecond at each reading, and that a test can advance.
pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.fetch_add(1, Ordering::SeqCst)).unwrap()
    }
}

impl TestClock {
    pub fn move_on(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

pub struct Fixture {
    pub store: Store,
    pub places: StorePaths,
    pub clock: Arc<TestClock>,
    pub on: On,
    empty: Empty,
}

/// The URL of the tests' PostgreSQL.
pub fn postgres_url() -> String {
    std::env::var("NGOMON_TEST_POSTGRES").expect("no PostgreSQL: run the tests by `cargo xtask test`")
}

async fn admin(sql: String) {
    run(&postgres_url(), sql).await;
}

/// Runs statements directly on the database.
pub async fn run(url: &str, sql: String) {
    let mut c = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut c).await.unwrap();
}

pub const DAY: Date = Date::constant(2023, 7, 31);

/// The start time of most tests, on [`DAY`].
const START: &str = "2023-07-31T03:00:00Z";

fn clock_at(start: Timestamp) -> (Arc<TestClock>, Environment) {
    let clock = Arc::new(TestClock(AtomicI64::new(start.as_microsecond())));
    let environment = Environment {
        clock: clock.clone(),
        ..Environment::system()
    };
    (clock, environment)
}

/// A place for a new database.
pub struct Empty {
    pub dir: TempDir,
    database: Option<String>,
}

impl Empty {
    /// A new place; on PostgreSQL the database is a copy of `of`.
    async fn new(on: On, of: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = match on {
            On::Sqlite => None,
            On::Postgres => {
                let file = dir.path().file_name().unwrap().to_string_lossy().to_lowercase();
                let own: String = file.chars().filter(char::is_ascii_alphanumeric).collect();
                let name = format!("s{}{own}", std::process::id());
                admin(format!("CREATE DATABASE {name} TEMPLATE {of}")).await;
                Some(name)
            }
        };
        Self { dir, database }
    }

    /// A place with tables but without keys. On PostgreSQL the tables are created once, because that takes longer than most tests.
    async fn with_tables(on: On) -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        if on == On::Sqlite {
            return Self::new(on, "").await;
        }
        let template = TEMPLATE.get_or_init(async || {
            let mut place = Self::new(on, "template1").await;
            let (_, environment) = clock_at(START.parse().unwrap());
            drop(Store::open(&place.places(), true, environment).await.unwrap());
            place.sql("DELETE FROM installation RETURNING id").await;
            place.sql("DELETE FROM fingerprint_key RETURNING id").await;
            place.database.take().unwrap()
        });
        Self::new(on, template.await).await
    }

    pub fn places(&self) -> StorePaths {
        let data = match &self.database {
            None => Location::Directory(self.dir.path().join("data")),
            Some(name) => Location::Url(postgres_url().replace("/postgres?", &format!("/{name}?"))),
        };
        StorePaths {
            data,
            keys: self.dir.path().join("keys"),
        }
    }

    /// Runs SQL directly on the database; returns the numbers of the first column.
    pub async fn sql(&self, sql: &str) -> Vec<i64> {
        let text = AssertSqlSafe(sql.to_owned());
        match &self.places().data {
            Location::Directory(dir) => {
                let url = format!("sqlite://{}", dir.join("ngomon.db").display());
                let mut c = SqliteConnection::connect(&url).await.unwrap();
                sqlx::query_scalar(text).fetch_all(&mut c).await.unwrap()
            }
            Location::Url(url) => {
                let mut c = PgConnection::connect(url).await.unwrap();
                sqlx::query_scalar(text).fetch_all(&mut c).await.unwrap()
            }
        }
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        if let Some(name) = self.database.take() {
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            // A runtime of its own, because the current one may be shutting down.
            let ended = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(admin(drop));
            });
            ended.join().unwrap();
        }
    }
}

impl Fixture {
    pub async fn empty(on: On) -> Empty {
        Empty::new(on, "template1").await
    }

    pub async fn new(on: On) -> Self {
        Self::at(on, Empty::with_tables(on).await, START.parse().unwrap()).await
    }

    /// A store in a place that may contain data, at that time.
    pub async fn at(on: On, empty: Empty, start: Timestamp) -> Self {
        let places = empty.places();
        let (clock, environment) = clock_at(start);
        let store = Store::open(&places, true, environment).await.unwrap();
        Self {
            store,
            places,
            clock,
            on,
            empty,
        }
    }

    /// A path in the directory of this store.
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.empty.dir.path().join(name)
    }

    pub fn environment(&self) -> Environment {
        Environment {
            clock: self.clock.clone(),
            ..Environment::system()
        }
    }

    /// Runs SQL directly on the database; returns the numbers of the first column.
    pub async fn sql(&self, sql: &str) -> Vec<i64> {
        self.empty.sql(sql).await
    }

    /// Runs SQL directly on the database; returns one text.
    pub async fn text(&self, sql: &str) -> String {
        let text = AssertSqlSafe(sql.to_owned());
        match &self.places.data {
            Location::Directory(dir) => {
                let url = format!("sqlite://{}", dir.join("ngomon.db").display());
                let mut c = SqliteConnection::connect(&url).await.unwrap();
                sqlx::query_scalar(text).fetch_one(&mut c).await.unwrap()
            }
            Location::Url(url) => {
                let mut c = PgConnection::connect(url).await.unwrap();
                sqlx::query_scalar(text).fetch_one(&mut c).await.unwrap()
            }
        }
    }

    /// An SQL expression for the hexadecimal digits of a binary column.
    pub fn hex_of(&self, column: &str) -> String {
        match self.on {
            On::Sqlite => format!("LOWER(HEX({column}))"),
            On::Postgres => format!("ENCODE({column}, 'hex')"),
        }
    }

    /// Bytes as an SQL literal.
    pub fn literal(&self, bytes: &[u8]) -> String {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self.on {
            On::Sqlite => format!("x'{digits}'"),
            On::Postgres => format!("'\\x{digits}'::bytea"),
        }
    }

    /// Runs several statements directly on the database.
    pub async fn script(&self, sql: &str) {
        let text = AssertSqlSafe(sql.to_owned());
        match &self.places.data {
            Location::Directory(dir) => {
                let url = format!("sqlite://{}", dir.join("ngomon.db").display());
                let mut c = SqliteConnection::connect(&url).await.unwrap();
                sqlx::raw_sql(text).execute(&mut c).await.unwrap();
            }
            Location::Url(url) => {
                let mut c = PgConnection::connect(url).await.unwrap();
                sqlx::raw_sql(text).execute(&mut c).await.unwrap();
            }
        }
    }

    /// Saves a copy of these tables.
    pub async fn keep(&self, tables: &[&str]) {
        for table in tables {
            self.script(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"))
                .await;
        }
    }

    /// Restores these tables from the copy.
    pub async fn put_back(&self, tables: &[&str]) {
        let script = tables
            .iter()
            .map(|table| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table};"));
        self.script(&script.collect::<String>()).await;
    }

    /// Begins a load with all properties of its file.
    pub async fn begin(
        &self,
        table: &'static str,
        rows: u64,
        full: Option<Option<UnitCode>>,
        approve: Option<&str>,
    ) -> LoadDecision {
        self.store
            .begin_load(incoming(table, rows, full), approve)
            .await
            .unwrap()
    }

    pub async fn open(&self, table: &'static str, rows: usize) -> Box<OpenLoad> {
        match self.begin(table, rows as u64, None, None).await {
            LoadDecision::Open(load) => load,
            LoadDecision::NeedsApproval { faults, .. } => panic!("{faults:?}"),
        }
    }

    pub async fn units(&self) {
        let mut load = self.open("units", 4).await;
        let unit = |code: &str, parent: Option<&str>, kind| Unit {
            code: UnitCode(code.into()),
            parent: parent.map(|p| UnitCode(p.into())),
            name: format!("Đơn vị {code}"),
            kind,
            valid_from: None,
            valid_to: None,
            successor: None,
        };
        load.units(vec![
            unit("P", None, UnitKind::Province),
            unit("A", Some("P"), UnitKind::Department),
            unit("B", Some("P"), UnitKind::Department),
            unit("V", Some("B"), UnitKind::Village),
        ])
        .await
        .unwrap();
        load.finish().await.unwrap();
    }

    pub async fn registry(&self, people: &[u32]) {
        let mut load = self.open("registry", people.len()).await;
        load.registry(people.iter().map(|n| record(*n)).collect())
            .await
            .unwrap();
        load.finish().await.unwrap();
    }

    pub async fn citizens(&self, rows: Vec<AccountRow>) {
        let mut load = self.open("citizens", rows.len()).await;
        load.accounts(rows).await.unwrap();
        load.finish().await.unwrap();
    }

    pub async fn officials(&self, rows: Vec<AccountRow>) {
        let mut load = self.open("officials", rows.len()).await;
        load.accounts(rows).await.unwrap();
        load.finish().await.unwrap();
    }

    /// Imports a full HR extract.
    pub async fn profiles(&self, rows: Vec<Profile>) {
        let LoadDecision::Open(mut load) = self.begin("profiles", rows.len() as u64, Some(None), None).await else {
            panic!("the extract is not healthy")
        };
        load.profiles(rows).await.unwrap();
        load.finish().await.unwrap();
    }

    /// The account's owner submits the details of a person.
    pub async fn submit(&self, account: &str, person: u32) -> SubmissionResult {
        self.store
            .standardise(&form(account, person), Proof::Form, "owner", self.store.now())
            .await
            .unwrap()
    }

    /// An operator who has just enrolled and signed in.
    pub async fn operator(&self, name: &str) -> Operator {
        let link = self.store.add_operator(name, "test").await.unwrap();
        self.store.enrol(&link, "{SSHA}x", 1).await.unwrap();
        let token = self.sign_in(name, 2).await.unwrap();
        self.store
            .session(token.as_str())
            .await
            .unwrap()
            .unwrap()
            .operator()
            .unwrap()
    }

    /// The operator signs in with the code of a step.
    pub async fn sign_in(&self, name: &str, step: u64) -> Option<SessionToken> {
        let account = AccountId::of_operator(name);
        let proven = self.store.use_code(&account, step).await.unwrap()?;
        Some(self.store.begin_proven_session(proven).await.unwrap())
    }

    /// Two operators hold an operator's account.
    pub async fn two_hold(&self, first: &Operator, account: &AccountId, order: &Order) {
        let hold = self.store.hold_of(order).unwrap();
        let account = account.clone();
        let act = ProposedAct::HoldByOrder { account, hold };
        let receipt = self.store.propose_act(first, act, "theo văn bản").await.unwrap();
        let second = self.operator("nguoi-thu-hai").await;
        self.store.approve_act(&second, &receipt, "news").await.unwrap();
    }

    /// The line of the whole province.
    pub async fn province(&self, day: Date) -> ReportLine {
        let lines = self.store.report(None, day).await.unwrap();
        lines.into_iter().find(|line| line.unit == "P").unwrap()
    }

    /// Asserts that every check of `verify` passes.
    pub async fn sound(&self) {
        self.store.seal().await.unwrap();
        let found = self.store.verify(&mut |_| {}).await.unwrap();
        assert_eq!(found.faults, [], "{:?}", self.on);
    }

    /// `account: reasons` of every held account.
    pub async fn held(&self, kind: AccountKind) -> Vec<String> {
        let lines = self.store.holds(Some(kind), DAY).await.unwrap();
        let held = lines.into_iter().filter(|(_, line)| !line.reasons.is_empty());
        held.map(|(id, line)| {
            let names: Vec<&str> = line.reasons.iter().map(|r| r.name()).collect();
            format!("{id}: {}", names.join(" "))
        })
        .collect()
    }

    pub async fn generation(&self, account: &str) -> i64 {
        self.sql(&format!("SELECT generation FROM account_row WHERE id = '{account}'"))
            .await[0]
    }
}

/// A file of that many rows.
pub fn incoming(table: &'static str, rows: u64, full: Option<Option<UnitCode>>) -> LoadRequest {
    LoadRequest {
        table,
        digest: format!("{table}{rows}"),
        rows,
        unreadable: 0,
        as_of: DAY,
        by: "test".into(),
        full,
        units: match table {
            "units" => ["P", "A", "B", "V"].map(|code| UnitCode(code.into())).into(),
            _ => std::collections::BTreeSet::default(),
        },
    }
}

pub fn number(n: u32) -> NationalId {
    NationalId::parse(&format!("0460900{n:05}"), None, None).unwrap().0
}

pub fn name(n: u32) -> FullName {
    let given = ["An", "Bình", "Chi", "Dũng", "Hà"][n as usize % 5];
    let letter = char::from(b'A' + u8::try_from(n / 5 % 26).unwrap());
    FullName::parse(&format!("Lê {letter} {given}")).unwrap().0
}

pub fn phone(n: u32) -> Phone {
    Phone::parse(&format!("0912{n:06}")).unwrap().0
}

pub fn record(n: u32) -> RegistryRecord {
    RegistryRecord {
        national_id: number(n),
        full_name: name(n),
        birth_date: None,
        gender: None,
        issued_on: Some(Date::constant(2021, 5, 1)),
        phone: Some(phone(n)),
        residence_unit: None,
        status: RegistryStatus::Active,
        former_ids: Vec::new(),
    }
}

/// An account that states the number of a person, and nothing else of that person.
pub fn citizen(id: &str, person: u32) -> AccountRow {
    AccountRow {
        account: AccountId(id.into()),
        kind: AccountKind::Citizen,
        stated: AccountAttributes {
            username: Some(format!("user-{id}")),
            full_name: None,
            national_id: Some(number(person)),
            ..AccountAttributes::default()
        },
        unit: Some(UnitCode("V".into())),
        created_on: None,
        last_sign_in_on: None,
        password_hash: None,
        held_reason: None,
    }
}

pub fn form(account: &str, n: u32) -> Submission {
    Submission {
        seq: "1".into(),
        account: AccountId(account.into()),
        form: Form {
            full_name: name(n).as_str().into(),
            national_id: number(n).as_str().into(),
            issued_on: "2021-05-01".into(),
            phone: phone(n).as_str().into(),
        },
        submitted_at: None,
        notice: None,
    }
}

pub fn official(n: u32, unit: &str) -> AccountRow {
    AccountRow {
        account: AccountId(format!("CV{n:03}")),
        kind: AccountKind::Official,
        stated: AccountAttributes {
            username: Some(format!("can-bo-{n}")),
            full_name: Some(name(n)),
            national_id: Some(number(n)),
            employee_code: Some(format!("TTH{n:03}")),
            ..AccountAttributes::default()
        },
        unit: Some(UnitCode(unit.into())),
        created_on: None,
        last_sign_in_on: None,
        password_hash: Some("{SSHA}x".into()),
        held_reason: None,
    }
}

pub fn profile(n: u32, unit: &str) -> Profile {
    Profile {
        employee_code: Some(format!("TTH{n:03}")),
        full_name: name(n),
        birth_date: None,
        gender: None,
        national_id: Some(number(n)),
        unit: UnitCode(unit.into()),
        position: None,
        kind: None,
        status: ServiceStatus::Working,
        status_from: None,
        phone: None,
        email: None,
        created_on: None,
        updated_on: Some(Date::constant(2023, 5, 1)),
        reviewed_on: Some(Date::constant(2023, 5, 1)),
        next_due_on: None,
        next_due_item: None,
        former_ids: Vec::new(),
    }
}
