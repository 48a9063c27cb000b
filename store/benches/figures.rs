//! The benchmarks of docs/PERFORMANCE.md, each with a baseline of the same run. `cargo bench` measures; `cargo test` runs them with few
//! rows, to check that they work, and asserts no time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops at the first fault"
)]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

use ngomon_feeds::{Context, Table, check_file};
use ngomon_rules::citizens::{Outcome, Proof};
use ngomon_rules::event::ProfileId;
use ngomon_rules::officials::{
    Coverage, DecisionInput, Directory, OfficialAccount, OfficialsPolicy, StoredProfile, decide,
};
use ngomon_rules::records::{
    AccountAttributes, AccountId, AccountKind, AccountRow, Form, Profile, RegistryRecord, RegistryStatus,
    ServiceStatus, Submission,
};
use ngomon_rules::unit::{Unit, UnitCode, UnitKind, UnitTree};
use ngomon_rules::values::{Date, FullName, NationalId, Phone};
use ngomon_store::db::{Db, Dialect, Row, SqlValue};
use ngomon_store::environment::Environment;
use ngomon_store::keyring::AssociatedData;
use ngomon_store::{LoadDecision, LoadRequest, Location, OpenLoad, Store, StorePaths};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::fmt::Write as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

const DAY: Date = Date::constant(2023, 7, 31);
/// Rows staged in one transaction, as in `ngomon import`.
const BATCH: usize = 500;
const WRITERS: usize = 16;
const VILLAGES: usize = 1_200;

/// The amounts of data.
struct Sizes {
    registry: usize,
    citizens: usize,
    officials: usize,
    claims: usize,
}

fn main() {
    let measures = std::env::args().any(|arg| arg == "--bench");
    let only_one_change = std::env::args().any(|arg| arg == "one-change");
    let sizes = if measures {
        Sizes {
            registry: 200_000,
            citizens: 1_200_000,
            officials: 60_000,
            claims: 8_000,
        }
    } else {
        Sizes {
            registry: 200,
            citizens: 600,
            officials: 60,
            claims: 64,
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if !only_one_change {
        rules_alone(sizes.officials);
        reading(sizes.registry);
    }
    for on in [Dialect::Sqlite, Dialect::Postgres] {
        for n in [sizes.officials / 10, sizes.officials] {
            runtime.block_on(one_change(on, n));
        }
        if !only_one_change {
            runtime.block_on(database(on, &sizes));
        }
    }
}

/// Prints a line: what, rows per second, and the ratio to the baseline.
fn figure(on: &str, what: &str, rows: usize, seconds: f64, baseline: Option<f64>) {
    let rate = rows as f64 / seconds;
    let ratio = baseline
        .map(|b| format!("{:.0} % of the baseline's rate ({:.2} s)", 100.0 * b / seconds, b))
        .unwrap_or_default();
    println!("{on:<11} {what:<44} {rows:>9} in {seconds:>8.3} s  {rate:>10.0} /s  {ratio}");
}

fn timed<T>(action: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let result = action();
    (result, begun.elapsed().as_secs_f64())
}

async fn timed_async<T>(action: impl Future<Output = T>) -> (T, f64) {
    let begun = Instant::now();
    let result = action.await;
    (result, begun.elapsed().as_secs_f64())
}

fn number(n: usize) -> NationalId {
    NationalId::parse(&format!("046{n:09}"), None, None).unwrap().0
}

fn phone(n: usize) -> Phone {
    Phone::parse(&format!("09{n:08}")).unwrap().0
}

fn name(n: usize) -> FullName {
    let mut text = String::from("Nguyễn Thị");
    for part in [n / 17 % 23, n % 17] {
        write!(
            text,
            " {}",
            ["Hòa", "Thủy", "Lan", "Sơn", "Bình", "Kăn", "Hương"][part % 7]
        )
        .unwrap();
    }
    FullName::parse(&text).unwrap().0
}

fn village(n: usize) -> UnitCode {
    UnitCode(format!("V{:04}", n % VILLAGES))
}

fn units() -> Vec<Unit> {
    let unit = |code: String, parent: Option<String>, kind| Unit {
        name: format!("Đơn vị {code}"),
        code: UnitCode(code),
        parent: parent.map(UnitCode),
        kind,
        valid_from: None,
        valid_to: None,
        successor: None,
    };
    let mut all = vec![unit("P".into(), None, UnitKind::Province)];
    all.extend((0..40).map(|c| unit(format!("X{c:02}"), Some("P".into()), UnitKind::Commune)));
    all.extend((0..VILLAGES).map(|v| unit(village(v).0, Some(format!("X{:02}", v % 40)), UnitKind::Village)));
    all
}

fn record(n: usize) -> RegistryRecord {
    RegistryRecord {
        national_id: number(n),
        full_name: name(n),
        birth_date: None,
        gender: None,
        issued_on: Some(Date::constant(2021, 5, 1)),
        phone: Some(phone(n)),
        residence_unit: Some(village(n)),
        status: RegistryStatus::Active,
        former_ids: Vec::new(),
    }
}

fn citizen(n: usize) -> AccountRow {
    AccountRow {
        account: AccountId(format!("HS{n:08}")),
        kind: AccountKind::Citizen,
        stated: AccountAttributes {
            username: Some(format!("hues{n}")),
            full_name: Some(name(n)),
            national_id: Some(number(n)),
            phone: Some(phone(n)),
            ..AccountAttributes::default()
        },
        unit: Some(village(n)),
        created_on: Some(Date::constant(2022, 1, 1)),
        last_sign_in_on: Some(Date::constant(2023, 7, 1)),
        password_hash: Some("{SSHA}oGv/ZayF6aF2eJAKSD/TvcpOqoNTMDAwMTM2OQ==".into()),
        held_reason: None,
    }
}

fn official(n: usize) -> AccountRow {
    let stated = AccountAttributes {
        employee_code: Some(format!("TTH{n:06}")),
        ..citizen(n).stated
    };
    AccountRow {
        account: AccountId(format!("CV{n:08}")),
        kind: AccountKind::Official,
        stated,
        ..citizen(n)
    }
}

fn profile(n: usize) -> Profile {
    Profile {
        employee_code: Some(format!("TTH{n:06}")),
        full_name: name(n),
        birth_date: None,
        gender: None,
        national_id: Some(number(n)),
        unit: village(n),
        position: Some("Chuyên viên".into()),
        kind: None,
        status: ServiceStatus::Working,
        status_from: None,
        phone: Some(phone(n)),
        email: None,
        created_on: Some(Date::constant(2015, 1, 1)),
        updated_on: Some(Date::constant(2023, 5, 1)),
        reviewed_on: Some(Date::constant(2023, 5, 1)),
        next_due_on: None,
        next_due_item: None,
        former_ids: Vec::new(),
    }
}

fn rules_alone(n: usize) {
    let tree = UnitTree::build(units()).unwrap();
    let kept = (0..n).map(|i| StoredProfile {
        id: ProfileId(i.to_string()),
        profile: profile(i),
        first_taken_on: DAY,
    });
    let directory = Directory::build(
        kept.collect(),
        [],
        [],
        Coverage {
            whole: true,
            ..Coverage::default()
        },
    );
    let policy = OfficialsPolicy::default();
    let accounts: Vec<OfficialAccount> = (0..n)
        .map(|i| OfficialAccount {
            id: official(i).account,
            kind: AccountKind::Official,
            stated: official(i).stated,
            unit: village(i),
            last_sign_in_on: None,
            created_on: None,
        })
        .collect();
    let ((), seconds) = timed(|| {
        for account in &accounts {
            let case = DecisionInput {
                account,
                directory: &directory,
                notice: None,
                units: &tree,
                day: DAY,
                policy: &policy,
                freeze: false,
            };
            std::hint::black_box(decide(&case));
        }
    });
    figure("", "rules alone: official decisions", n, seconds, None);
}

fn reading(n: usize) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("registry.csv");
    let mut text = String::from("national_id,full_name,birth_date,gender,issued_on,phone,residence_unit,status\n");
    for i in 0..n {
        let r = record(i);
        writeln!(
            text,
            "{},{},,,2021-05-01,{},{},active",
            r.national_id.as_str(),
            r.full_name.as_str(),
            phone(i).as_str(),
            village(i)
        )
        .unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let tree = UnitTree::build(units()).unwrap();
    let context = Context {
        units: &tree,
        as_of: DAY,
    };
    let (judged, seconds) = timed(|| check_file(Table::Registry, &path, &context, &mut |_| {}).unwrap());
    assert_eq!(judged.judgement().counts.read, n as u64);
    figure("", "a registry file judged", n, seconds, None);
    let (rows, seconds) = timed(|| judged.rows(&context).unwrap().count());
    assert_eq!(rows, n);
    figure("", "its rows read again", n, seconds, None);
}

/// A fresh installation.
struct Fresh {
    store: Store,
    db: Db,
    _dir: tempfile::TempDir,
}

impl Fresh {
    async fn new(on: Dialect) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = match on {
            Dialect::Sqlite => Location::Directory(dir.path().join("data")),
            Dialect::Postgres => {
                let server = std::env::var("NGOMON_TEST_POSTGRES").expect("no PostgreSQL: run `cargo xtask bench`");
                let own: String = dir
                    .path()
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .to_lowercase()
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .collect();
                let name = format!("b{}{own}", std::process::id());
                let mut admin = PgConnection::connect(&server).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
                    .execute(&mut admin)
                    .await
                    .unwrap();
                Location::Url(server.replace("/postgres?", &format!("/{name}?")))
            }
        };
        let places = StorePaths {
            data,
            keys: dir.path().join("keys"),
        };
        let store = Store::open(&places, true, Environment::system()).await.unwrap();
        let db = Db::open(&places.data, false).await.unwrap();
        let fresh = Self { store, db, _dir: dir };
        let mut load = fresh.open("units", VILLAGES).await;
        load.units(units()).await.unwrap();
        load.finish().await.unwrap();
        fresh
    }

    async fn open(&self, table: &'static str, rows: usize) -> Box<OpenLoad> {
        let full = (table == "profiles").then_some(None);
        self.file(table, rows, full).await
    }

    async fn file(&self, table: &'static str, rows: usize, full: Option<Option<UnitCode>>) -> Box<OpenLoad> {
        let incoming = LoadRequest {
            table,
            digest: format!("{table}{rows}"),
            rows: rows as u64,
            unreadable: 0,
            as_of: DAY,
            by: "bench".into(),
            full,
            units: std::collections::BTreeSet::default(),
        };
        match self.store.begin_load(incoming, None).await.unwrap() {
            LoadDecision::Open(load) => load,
            LoadDecision::NeedsApproval { faults, .. } => panic!("{faults:?}"),
        }
    }

    async fn import(&self, table: &'static str, n: usize) -> f64 {
        let ((), seconds) = timed_async(async {
            let mut load = self.open(table, n).await;
            for from in (0..n).step_by(BATCH) {
                let some = from..n.min(from + BATCH);
                match table {
                    "registry" => load.registry(some.map(record).collect()).await.unwrap(),
                    "citizens" => load.accounts(some.map(citizen).collect()).await.unwrap(),
                    "officials" => load.accounts(some.map(official).collect()).await.unwrap(),
                    _ => load.profiles(some.map(profile).collect()).await.unwrap(),
                }
            }
            load.finish().await.unwrap();
        })
        .await;
        seconds
    }

    /// All rows of a table; `kinds` gives the types of the columns.
    async fn rows(&self, table: &str, columns: &str, kinds: &str, tail: &str) -> Vec<Vec<SqlValue>> {
        let sql = format!("SELECT {columns} FROM {table} {tail}");
        let cells = |row: &Row| {
            let cell = |(at, kind): (usize, char)| match kind {
                'i' => row.get::<Option<i64>>(at).unwrap().into(),
                't' => row.get::<Option<String>>(at).unwrap().into(),
                _ => row.get::<Option<Vec<u8>>>(at).unwrap().into(),
            };
            kinds.chars().enumerate().map(cell).collect::<Vec<SqlValue>>()
        };
        let rows = self.db.read(async |tx| tx.rows(&sql, []).await).await.unwrap();
        rows.iter().map(cells).collect()
    }
}

/// Table, columns, and the type of each column.
type Shape = (&'static str, &'static str, &'static str);

const JOURNAL: Shape = (
    "journal",
    "commit_id, ord, at, effective, kind, version, subject_kind, subject, by_whom, run, clause, body, value, commitment, mac",
    "tiiititttttttbb",
);
const VALUES: Shape = ("personal_value", "id, salt, sealed", "tbb");
const LOGIN: Shape = ("login", "id, value, changed, mac", "ttib");
const ACCOUNT: Shape = (
    "account_row",
    "id, kind, login, unit, created_on, last_sign_in_on, value, number_fp, phone_fp, name_fp, code_fp, username_fp, generation, \
     official_to, exempt_to, held_to, claimed, last, run, load, mac, stated_mac",
    "tttttttbbbbbitttitttbb",
);
const PROFILE: Shape = (
    "profile",
    "id, person, code_fp, number_fp, unit, value, row_digest, updated_on, service_to, first_taken_on, gone, reviewed_on",
    "ttbbttbtttit",
);
const NUMBERS: Shape = ("person_number", "fp, person", "bt");
const KEYS: Shape = ("staff_key", "fp, kind, holder", "btt");
const REGISTRY: Shape = ("registry", "load, number_fp, status, sealed", "tbtb");
const CLAIM: Shape = (
    "claim",
    "account, since, until, person, proof, value, number_fp, phone_fp, ord, name_fp, mac",
    "tiitttbbibb",
);
const FORMS: Shape = (
    "submission",
    "receipt, account, effective, at, outcome, proof, fields, papers, value, phone_proven, mac",
    "ttiitttttib",
);

/// The baseline: inserts the same rows and bytes into the same tables of another fresh database, in transactions of the same size, without
/// anything else. Returns the seconds.
async fn plain_insert(on: Dialect, from: &Fresh, shapes: &[(Shape, String)]) -> f64 {
    let other = Fresh::new(on).await;
    let mut seconds = 0.0;
    for ((table, columns, kinds), tail) in shapes {
        let rows = from.rows(table, columns, kinds, tail).await;
        let into = format!("{table} ({columns})");
        for chunk in rows.chunks(BATCH) {
            let (into, chunk) = (into.clone(), Arc::new(chunk.to_vec()));
            let (_, took) = timed_async(other.db.transaction(move |tx| {
                let (into, chunk) = (into.clone(), Arc::clone(&chunk));
                Box::pin(async move { tx.insert(&into, chunk.to_vec(), "ON CONFLICT DO NOTHING").await })
            }))
            .await;
            seconds += took;
        }
    }
    seconds
}

fn label(on: Dialect) -> &'static str {
    match on {
        Dialect::Sqlite => "SQLite",
        Dialect::Postgres => "PostgreSQL",
    }
}

async fn database(on: Dialect, sizes: &Sizes) {
    let label = label(on);
    let fresh = Fresh::new(on).await;
    let of = |shape: Shape, tail: &str| (shape, tail.to_owned());

    let seconds = fresh.import("registry", sizes.registry).await;
    let plain = plain_insert(on, &fresh, &[of(REGISTRY, "")]).await;
    figure(label, "import: registry", sizes.registry, seconds, Some(plain));

    let seconds = fresh.import("officials", sizes.officials).await;
    let officials = [
        of(JOURNAL, ""),
        of(VALUES, ""),
        of(LOGIN, ""),
        of(ACCOUNT, ""),
        of(KEYS, ""),
    ];
    let plain = plain_insert(on, &fresh, &officials).await;
    figure(
        label,
        "import: officials' accounts",
        sizes.officials,
        seconds,
        Some(plain),
    );

    let before = fresh
        .rows("journal_commit", "seq", "i", "ORDER BY seq DESC LIMIT 1")
        .await;
    let Some(SqlValue::Int(Some(last))) = before[0].first().cloned() else {
        panic!("no commit")
    };
    let seconds = fresh.import("profiles", sizes.officials).await;
    let later = format!("WHERE commit_id IN (SELECT id FROM journal_commit WHERE seq > {last})");
    let values = format!("WHERE id IN (SELECT value FROM journal {later})");
    let profiles = [
        of(JOURNAL, &later),
        of(VALUES, &values),
        of(PROFILE, ""),
        of(NUMBERS, ""),
        of(KEYS, "WHERE kind = 'profile'"),
    ];
    let plain = plain_insert(on, &fresh, &profiles).await;
    figure(label, "import: HR profiles", sizes.officials, seconds, Some(plain));

    let (staff, seconds) = timed_async(fresh.store.staff_report(None, DAY)).await;
    assert_eq!(staff.unwrap()[0].staff, sizes.officials as u64);
    figure(label, "the report by HR profiles", sizes.officials, seconds, None);

    reconcile(label, &fresh, sizes.officials).await;
    claims(on, label, sizes).await;

    let big = Fresh::new(on).await;
    let seconds = big.import("citizens", sizes.citizens).await;
    figure(label, "import: Hue-S accounts", sizes.citizens, seconds, None);
    the_report(label, &big, sizes).await;
}

/// The report of the command, and everything that the page of the whole province shows, with the counters of a finished campaign.
async fn the_report(label: &str, big: &Fresh, sizes: &Sizes) {
    a_campaign_passes(big, sizes).await;
    let province = UnitCode("P".into());
    let lines = big.store.report(None, DAY).await.unwrap();
    assert_eq!(
        lines.iter().map(|line| line.accounts).max(),
        Some(sizes.citizens as u64)
    );
    let (mut command, mut page) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        command.push(timed_async(big.store.report(None, DAY)).await.1);
        let (days, seconds) = timed_async(async {
            let figures = big.store.figures(DAY).await.unwrap();
            big.store.days(&figures, &province).await.unwrap()
        })
        .await;
        assert_eq!(days.len(), 30);
        page.push(seconds);
    }
    for (what, seconds) in [("by the command", command), ("for the page", page)] {
        println!(
            "{label:<11} the report of {} accounts, {what}: first {:.1} ms, best {:.1} ms",
            sizes.citizens,
            seconds[0] * 1e3,
            seconds.iter().copied().fold(f64::INFINITY, f64::min) * 1e3
        );
    }
    let ((), seconds) = timed_async(async {
        for _ in 0..100 {
            std::hint::black_box(big.store.position().await.unwrap());
        }
    })
    .await;
    println!("{label:<11} has anything changed: {:.2} ms", seconds * 10.0);
}

/// Fills the counters as after sixty days: in each village accounts of ten sorts, some held, and claims and refusals on each day.
async fn a_campaign_passes(big: &Fresh, sizes: &Sizes) {
    // A slot that no writer uses.
    const SLOT: i64 = 16;
    const SORTS: [(&str, &str, i64, &str); 10] = [
        ("", "", 1, "not-started"),
        ("", "", 0, "mismatch"),
        ("", "", 0, "not-found"),
        ("", "", 0, "malformed"),
        ("", "", 0, "pending"),
        ("", "9999-12-31", 0, "not-started"),
        ("", "9999-12-31", 0, "taken"),
        ("9999-12-31", "", 1, "not-started"),
        ("9999-12-31", "", 0, "not-started"),
        ("9999-12-31", "", 0, "mismatch"),
    ];
    let each = i64::try_from(sizes.citizens / VILLAGES / 20).unwrap();
    let sorts = SORTS.map(|(official, held, claimed, last)| (official, held, claimed, last, each));
    // Accounts that are now of another sort have left this one.
    let begun = ("", "", 0, "not-started", -10 * each);
    let (mut accounts, mut holds, mut days) = (Vec::new(), Vec::new(), Vec::new());
    for v in 0..VILLAGES {
        let unit = village(v).0;
        for (official, held, claimed, last, n) in sorts.into_iter().chain([begun]) {
            accounts.push(vec![
                (&unit).into(),
                official.into(),
                "".into(),
                held.into(),
                claimed.into(),
                last.into(),
                SLOT.into(),
                n.into(),
            ]);
        }
        for reason in ["duplicate", "no-profile", "review-overdue"] {
            holds.push(vec![
                (&unit).into(),
                reason.into(),
                "9999-12-31".into(),
                SLOT.into(),
                5_i64.into(),
            ]);
        }
    }
    for day in 19_500_i64..19_560 {
        for (what, official) in [("claim", ""), ("claim", "9999-12-31"), ("refusal", "")] {
            for v in 0..VILLAGES {
                let unit = village(v).0;
                days.push(vec![
                    unit.into(),
                    what.into(),
                    day.into(),
                    official.into(),
                    SLOT.into(),
                    1_i64.into(),
                ]);
            }
            for slot in 0_i64..16 {
                days.push(vec![
                    "".into(),
                    format!("{what}-anywhere").into(),
                    day.into(),
                    official.into(),
                    slot.into(),
                    75_i64.into(),
                ]);
            }
        }
    }
    let tables = Arc::new([
        (
            "report_counter (unit, official_to, exempt_to, held_to, claimed, last, slot, n)",
            accounts,
        ),
        ("hold_counter (unit, reason, held_to, slot, n)", holds),
        ("day_counter (unit, what, day, official_to, slot, n)", days),
    ]);
    big.db
        .transaction(move |tx| {
            let tables = Arc::clone(&tables);
            Box::pin(async move {
                for (into, rows) in tables.iter() {
                    tx.insert(into, rows.clone(), "").await?;
                    if tx.dialect() == Dialect::Postgres {
                        // The database would do this by itself within a minute.
                        let table = into.split(' ').next().unwrap_or_default();
                        tx.execute(&format!("ANALYZE {table}"), []).await?;
                    }
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

/// A run in which nothing changed, compared with fetching and decrypting the columns that the rules use.
async fn reconcile(label: &str, fresh: &Fresh, n: usize) {
    // The first run writes HR's codes and phones back.
    let first = fresh.store.reconcile(DAY, "bench").await.unwrap();
    assert!(first.stopped_by.is_empty());
    let (_, fetch) = timed_async(fresh.db.read(async |tx| {
        for table in ["account_row", "profile"] {
            let sql = format!("SELECT v.id, v.sealed FROM {table} t JOIN personal_value v ON v.id = t.value");
            tx.for_each_row(&sql, [], |row| {
                let (id, sealed): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
                let place = AssociatedData {
                    table: "personal_value",
                    column: "sealed",
                    row: id.as_bytes(),
                };
                std::hint::black_box(fresh.store.keys().decrypt(place, &sealed)?);
                Ok(())
            })
            .await?;
        }
        Ok(())
    }))
    .await;
    let (again, seconds) = timed_async(fresh.store.reconcile(DAY, "bench")).await;
    assert!(again.unwrap().plan.lines.iter().all(|line| !line.changes()));
    figure(label, "reconcile: full, nothing changed", n, seconds, Some(fetch));
}

/// Imports the profile of one person, in a file of one row, and reconciles the affected accounts; or only reconciles, as a page does.
async fn one_change(on: Dialect, n: usize) {
    const PEOPLE: usize = 10;
    let (label, fresh) = (label(on), Fresh::new(on).await);
    fresh.import("officials", n).await;
    fresh.import("profiles", n).await;
    // A second run also processes the changes made by the first full run.
    for _ in 0..2 {
        fresh.store.reconcile(DAY, "bench").await.unwrap();
    }
    let (mut files, mut pages) = (0.0, 0.0);
    for i in 0..2 * PEOPLE {
        let status = if i % 2 == 0 {
            ServiceStatus::Resigned
        } else {
            ServiceStatus::Working
        };
        let row = Profile {
            status,
            updated_on: Some(DAY),
            ..profile(i / 2 % n)
        };
        let (done, seconds) = timed_async(async {
            let mut load = fresh.file("profiles", 1, None).await;
            load.profiles(vec![row]).await.unwrap();
            load.finish().await.unwrap();
            fresh.store.reconcile_changed(DAY, "bench").await.unwrap()
        })
        .await;
        assert!(done.widened.is_none() && done.plan.lines.len() <= 2 && done.plan.changes());
        files += seconds;
        let person = [official(i / 2 % n).account];
        let people = fresh.store.reconcile_people(&person, &[], DAY, "bench");
        pages += timed_async(people).await.1;
    }
    for (what, seconds) in [("its file and the run", files), ("the run alone", pages)] {
        let each = seconds * 1e3 / (2 * PEOPLE) as f64;
        println!("{label:<11} one HR change among {n} accounts, {what}: {each:.1} ms");
    }
}

/// Sixteen writers at once, each with forms of different people.
async fn claims(on: Dialect, label: &str, sizes: &Sizes) {
    let fresh = Fresh::new(on).await;
    let n = sizes.claims;
    fresh.import("registry", n).await;
    fresh.import("citizens", n).await;
    let store = Arc::new(fresh.store.clone());
    let ((), seconds) = timed_async(writers(n, move |i| {
        let store = Arc::clone(&store);
        async move {
            let form = Submission {
                seq: String::new(),
                account: citizen(i).account,
                form: Form {
                    full_name: name(i).as_str().to_owned(),
                    national_id: number(i).as_str().to_owned(),
                    issued_on: "2021-05-01".into(),
                    phone: phone(i).as_str().to_owned(),
                },
                submitted_at: None,
                notice: None,
            };
            let done = store
                .standardise(&form, Proof::Form, "bench", store.now())
                .await
                .unwrap();
            assert_eq!(done.outcome, Outcome::Standardised);
        }
    }))
    .await;

    // The rows that each claim wrote.
    let accounts =
        "WHERE commit_id IN (SELECT commit_id FROM journal WHERE kind = 'claim-made') ORDER BY commit_id, ord";
    let mut sets: Vec<Vec<(String, Vec<SqlValue>)>> = (0..n).map(|_| Vec::new()).collect();
    for ((table, columns, kinds), tail) in [
        of(JOURNAL, accounts),
        of(
            VALUES,
            "WHERE id IN (SELECT value FROM claim) OR id IN (SELECT value FROM submission) ORDER BY id",
        ),
        of(CLAIM, ""),
        of(FORMS, ""),
        of(NUMBERS, ""),
    ] {
        let rows = fresh.rows(table, columns, kinds, &tail).await;
        let each = rows.len().div_ceil(n);
        for (at, row) in rows.into_iter().enumerate() {
            sets[(at / each).min(n - 1)].push((format!("{table} ({columns})"), row));
        }
    }
    let other = Fresh::new(on).await;
    let (sets, db) = (Arc::new(sets), other.db.clone());
    let ((), plain) = timed_async(writers(n, move |i| {
        let (sets, db) = (Arc::clone(&sets), db.clone());
        async move {
            let set = sets[i].clone();
            db.transaction(move |tx| {
                let set = set.clone();
                Box::pin(async move {
                    for (into, row) in set {
                        tx.insert(&into, vec![row], "").await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
        }
    }))
    .await;
    figure(label, "claims under 16 writers", n, seconds, Some(plain));
}

fn of(shape: Shape, tail: &str) -> (Shape, String) {
    (shape, tail.to_owned())
}

/// Runs `n` actions in sixteen tasks.
async fn writers<F: Future<Output = ()> + Send + 'static>(
    n: usize,
    action: impl Fn(usize) -> F + Send + Sync + 'static,
) {
    let action = Arc::new(action);
    let tasks: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let action = Arc::clone(&action);
            tokio::spawn(async move {
                for i in (writer..n).step_by(WRITERS) {
                    action(i).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
