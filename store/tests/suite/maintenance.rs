//! Tests of opening, durability, backup and restore.

use crate::both;
use crate::fixture::{DAY, Empty, Fixture, On, citizen, number, official, profile};
use ngomon_rules::officials::UnreadableProfile;
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::records::{AccountKind, AccountRow, Notice};
use ngomon_rules::unit::UnitCode;
use ngomon_store::{Location, OpenLoad, QuarantinedRow, Refusal, Store, StoreError, StorePaths};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

both! {
    durable_commits_on_every_connection
    database_with_other_keys_is_refused
    data_of_a_later_version_are_refused
    projections_of_other_version_are_rebuilt
    projections_rebuilt_after_discarding_dead_import
    a_backup_is_restored_into_either_database
    a_backup_made_during_an_import_is_restored_without_it
    a_backup_of_an_earlier_version_is_restored
    altered_backup_is_refused
    unfinished_restore_is_recognised_and_repeated
    empty_database_refused_and_left_untouched
    operators_are_added_and_removed
    backup_contains_no_plain_personal_value
    a_nul_is_refused_by_both_databases
}

/// Commits are durable on every connection.
async fn durable_commits_on_every_connection(on: On) {
    let fixture = Fixture::new(on).await;
    let want: &[(&str, &str)] = match on {
        On::Sqlite => &[("journal_mode", "wal"), ("synchronous", "2")],
        // The tests' PostgreSQL runs without fsync, to be fast; that of the benchmarks and of users runs with it.
        On::Postgres => &[("synchronous_commit", "on")],
    };
    for (setting, value) in fixture.store.durability().await.unwrap() {
        assert!(want.contains(&(setting, &value)), "{setting} is {value}");
    }
}

/// A database is not opened with other keys.
async fn database_with_other_keys_is_refused(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let other = StorePaths {
        keys: fixture.path("other"),
        ..fixture.places.clone()
    };
    // No new keys are created for a database that was begun with other keys.
    assert!(matches!(
        Store::open(&other, true, fixture.environment()).await,
        Err(StoreError::Keys(_))
    ));
    let foreign = tempfile::tempdir().unwrap();
    let elsewhere = StorePaths {
        data: Location::Directory(foreign.path().join("data")),
        keys: other.keys.clone(),
    };
    Store::open(&elsewhere, true, fixture.environment()).await.unwrap();
    assert!(matches!(
        Store::open(&other, false, fixture.environment()).await,
        Err(StoreError::WrongKeys)
    ));
    fixture.sound().await;
}

/// Projections of another version are rebuilt when the database is opened.
async fn projections_of_other_version_are_rebuilt(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1]).await;
    fixture.citizens(vec![citizen("C1", 1), citizen("C2", 1)]).await;
    fixture.submit("C1", 1).await;
    let holds = fixture.store.holds(None, DAY).await.unwrap();
    let province = fixture.province(DAY).await;
    as_the_first_version_left_them(&fixture).await;
    let store = Store::open(&fixture.places, false, fixture.environment())
        .await
        .unwrap();
    assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
    let again = Store::open(&fixture.places, false, fixture.environment())
        .await
        .unwrap();
    assert!(again.report(None, DAY).await.unwrap().contains(&province));
    assert_eq!(again.holds(None, DAY).await.unwrap(), holds);
}

/// Removes tables, columns and the version number, as in the first version.
async fn as_the_first_version_left_them(fixture: &Fixture) {
    for sql in [
        "DROP TABLE hold_counter",
        "DROP TABLE day_counter",
        "DROP TABLE staff_key",
        "DROP TABLE staff_counter",
        "DROP VIEW account",
        "DROP TABLE account_row",
        "CREATE TABLE account_row (id TEXT PRIMARY KEY)",
        "DELETE FROM projection_version",
        "DELETE FROM report_counter",
    ] {
        fixture.sql(sql).await;
    }
}

/// Everything that an import stages: accounts with their holds, and unreadable rows.
async fn unfinished_import(fixture: &Fixture) -> Box<OpenLoad> {
    let held = AccountRow {
        held_reason: Some("Theo văn bản".into()),
        ..citizen("HS8", 8)
    };
    let mut load = fixture.open("citizens", 3).await;
    load.accounts(vec![citizen("HS7", 7), held]).await.unwrap();
    let row = QuarantinedRow {
        row: "4".into(),
        reason: QuarantineReason::BadNationalId,
        hints: UnreadableProfile::default(),
        cells: BTreeMap::new(),
    };
    load.quarantined(vec![row]).await.unwrap();
    load
}

/// An unfinished import leaves nothing, whatever is in the database.
async fn no_trace_of_the_import(store: &Store, fixture: &Fixture) {
    store.seal().await.unwrap();
    assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
    assert_eq!(
        store.holds(None, DAY).await.unwrap(),
        fixture.store.holds(None, DAY).await.unwrap()
    );
    assert!(store.explain("HS7", DAY).await.is_err());
    // Nothing waits for it either.
    store.rebuild(&mut |_| {}).await.unwrap();
}

/// Projections of another version are rebuilt after a dead import was discarded.
async fn projections_rebuilt_after_discarding_dead_import(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("HS1", 1)]).await;
    fixture.officials(vec![official(1, "A")]).await;
    let mut load = unfinished_import(&fixture).await;
    as_the_first_version_left_them(&fixture).await;
    let busy = Store::open(&fixture.places, false, fixture.environment()).await;
    assert!(
        matches!(busy, Err(StoreError::Refused(Refusal::ImportAtWork))),
        "it may be at work yet"
    );
    fixture.clock.move_on(60);
    let store = Store::open(&fixture.places, false, fixture.environment())
        .await
        .unwrap();
    no_trace_of_the_import(&store, &fixture).await;
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM load WHERE state = 'open'").await, [0]);
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM quarantine").await, [0]);
    assert!(
        load.accounts(vec![citizen("HS9", 9)]).await.is_err(),
        "it wakes too late"
    );
}

async fn data_of_a_later_version_are_refused(on: On) {
    let fixture = Fixture::new(on).await;
    fixture
        .sql(
            "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
             SELECT 999, 'later', installed_on, success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
    assert!(matches!(
        Store::open(&fixture.places, false, fixture.environment()).await,
        Err(StoreError::Newer)
    ));
}

/// The keys are copied separately, and the checkpoints with them.
pub fn with_keys(empty: &Empty, of: &Fixture) -> StorePaths {
    let places = empty.places();
    std::fs::create_dir(&places.keys).unwrap();
    for file in ["keyring.json", "checkpoints.txt"] {
        if !of.places.keys.join(file).exists() {
            continue;
        }
        std::fs::copy(of.places.keys.join(file), places.keys.join(file)).unwrap();
    }
    places
}

async fn a_backup_is_restored_into_either_database(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 1)]).await;
    fixture.officials(vec![official(1, "A")]).await;
    fixture.profiles(Vec::new()).await;
    fixture.submit("HS1", 1).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    let copy = fixture.path("copy");
    fixture.store.backup(&copy).await.unwrap();
    assert!(matches!(
        fixture.store.backup(&copy).await,
        Err(StoreError::Refused(Refusal::NotEmpty(_)))
    ));
    for into in [On::Sqlite, On::Postgres] {
        let fresh = Fixture::new(into).await;
        let taken = Store::restore(&fresh.places, &copy, fixture.environment()).await;
        assert!(
            matches!(taken, Err(StoreError::WrongKeys)),
            "the keys are another installation's"
        );
        let empty = Fixture::empty(into).await;
        let places = with_keys(&empty, &fixture);
        let store = restored(&places, &copy, &fixture).await;
        for kind in [AccountKind::Citizen, AccountKind::Official] {
            assert_eq!(
                store.holds(Some(kind), DAY).await.unwrap(),
                fixture.store.holds(Some(kind), DAY).await.unwrap()
            );
        }
        assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
        // Work goes on: the next entry gets the position after the last one.
        store.add_operator("lan", "test").await.unwrap();
        store.seal().await.unwrap();
        assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
        let again = Store::restore(&places, &copy, fixture.environment()).await;
        assert!(matches!(again, Err(StoreError::Refused(Refusal::NotEmpty(_)))));
    }
}

async fn restored(places: &StorePaths, copy: &Path, fixture: &Fixture) -> Store {
    let restored = Store::restore(places, copy, fixture.environment()).await.unwrap();
    assert!(!restored.behind, "no checkpoint came after the backup");
    restored.store
}

/// A manifest without the list of files, only with the total number of rows.
fn manifest_of_an_earlier_version(copy: &Path) {
    let path = copy.join("backup.json");
    let mut manifest: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    manifest.as_object_mut().unwrap().remove("tables").unwrap();
    manifest["format"] = 2.into();
    std::fs::write(path, manifest.to_string()).unwrap();
}

/// Every file of a backup that has rows.
fn filled_files(copy: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(copy).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|end| end == "jsonl") && std::fs::metadata(file).unwrap().len() > 0)
        .collect()
}

/// Data in every table that a backup contains.
async fn lived_in(on: On) -> Fixture {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2, 3]).await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 1)]).await;
    fixture.officials(vec![official(1, "A")]).await;
    fixture.profiles(vec![profile(1, "B")]).await;
    fixture.submit("HS1", 1).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    fixture.store.seal().await.unwrap();
    fixture
}

/// A backup that was altered after it was written is refused.
async fn altered_backup_is_refused(on: On) {
    let fixture = lived_in(on).await;
    let copy = fixture.path("copy");
    fixture.store.backup(&copy).await.unwrap();
    let empty = Fixture::empty(on).await;
    let places = with_keys(&empty, &fixture);
    let refused = async |what: &str, file: &Path| {
        let refused = Store::restore(&places, &copy, fixture.environment()).await;
        assert!(
            matches!(refused, Err(StoreError::BackupDiffers { .. })),
            "{what} {}",
            file.display()
        );
    };
    let files = filled_files(&copy);
    assert!(files.len() >= 10, "{files:?}");
    for earlier in [false, true] {
        if earlier {
            manifest_of_an_earlier_version(&copy);
        }
        for file in &files {
            let good = std::fs::read(file).unwrap();
            let (begin, _) = good.split_at(good.iter().position(|byte| *byte == b'\n').unwrap() + 1);
            let mut doubled = good.clone();
            doubled.extend(begin);
            let mut others = vec![
                ("cut at a line", good[begin.len()..].to_vec()),
                ("a row twice", doubled),
            ];
            if !earlier {
                let mut flipped = good.clone();
                let letter = flipped.iter().rposition(u8::is_ascii_alphanumeric).unwrap();
                flipped[letter] ^= 1;
                others.push(("one bit", flipped));
            }
            for (what, bytes) in others {
                std::fs::write(file, bytes).unwrap();
                refused(what, file).await;
            }
            std::fs::remove_file(file).unwrap();
            refused("without", file).await;
            std::fs::write(file, good).unwrap();
        }
    }
    let manifest = copy.join("backup.json");
    let text = std::fs::read(&manifest).unwrap();
    std::fs::remove_file(&manifest).unwrap();
    let refused = Store::restore(&places, &copy, fixture.environment()).await;
    assert!(matches!(refused, Err(StoreError::NoBackup(_))));
    // The refused restores left nothing behind.
    let there = Store::open(&places, false, fixture.environment()).await;
    assert!(matches!(there, Err(StoreError::Behind { .. })));
    std::fs::write(manifest, text).unwrap();
    let store = restored(&places, &copy, &fixture).await;
    assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
}

/// Repeats a row in a file and adjusts the manifest, so that the restore stops in the middle.
fn with_a_row_twice(copy: &Path) {
    let file = copy.join("run_line.jsonl");
    let mut rows = std::fs::read_to_string(&file).unwrap();
    let first = rows.lines().next().unwrap().to_owned();
    rows += &format!("{first}\n");
    std::fs::write(&file, rows).unwrap();
    manifest_of_an_earlier_version(copy);
    let path = copy.join("backup.json");
    let mut manifest: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    manifest["rows"] = (manifest["rows"].as_u64().unwrap() + 1).into();
    std::fs::write(path, manifest.to_string()).unwrap();
}

/// An unfinished restore is recognised, and the same command completes it.
async fn unfinished_restore_is_recognised_and_repeated(on: On) {
    let fixture = lived_in(on).await;
    let (copy, bad) = (fixture.path("copy"), fixture.path("bad"));
    fixture.store.backup(&copy).await.unwrap();
    fixture.store.backup(&bad).await.unwrap();
    with_a_row_twice(&bad);
    let empty = Fixture::empty(on).await;
    let places = with_keys(&empty, &fixture);
    let stopped = Store::restore(&places, &bad, fixture.environment()).await;
    assert!(matches!(stopped, Err(StoreError::BackupDiffers { .. })));
    for create in [false, true] {
        let opened = Store::open(&places, create, fixture.environment()).await;
        assert!(matches!(opened, Err(StoreError::Restoring)));
    }
    let opened = Store::open_older(&places, fixture.environment()).await;
    assert!(matches!(opened, Err(StoreError::Restoring)));
    // The same command succeeds, and nothing is left of the first attempt.
    let store = restored(&places, &copy, &fixture).await;
    assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
    assert_eq!(
        store.holds(None, DAY).await.unwrap(),
        fixture.store.holds(None, DAY).await.unwrap()
    );
    Store::open(&places, false, fixture.environment()).await.unwrap();
}

/// An empty database is refused and left untouched, unless it is to be created.
async fn empty_database_refused_and_left_untouched(on: On) {
    let fixture = lived_in(on).await;
    let empty = Fixture::empty(on).await;
    let places = with_keys(&empty, &fixture);
    let file = empty.dir.path().join("data/ngomon.db");
    if on == On::Sqlite {
        std::fs::create_dir(file.parent().unwrap()).unwrap();
        std::fs::write(&file, b"").unwrap();
    }
    let untouched = async || match on {
        On::Sqlite => assert_eq!(std::fs::metadata(&file).unwrap().len(), 0),
        On::Postgres => {
            let sql = "SELECT COUNT(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
            assert_eq!(empty.sql(sql).await, [0]);
        }
    };
    for create in [false, true] {
        let opened = Store::open(&places, create, fixture.environment()).await;
        assert!(
            matches!(opened, Err(StoreError::Behind { .. })),
            "checkpoints lie beside"
        );
        untouched().await;
    }
    std::fs::remove_file(places.keys.join("checkpoints.txt")).unwrap();
    let opened = Store::open(&places, false, fixture.environment()).await;
    assert!(matches!(opened, Err(StoreError::NoData(_))));
    untouched().await;
    Store::open(&places, true, fixture.environment()).await.unwrap();
}

/// During the import, and after it died: the backup contains what was staged so far.
async fn a_backup_made_during_an_import_is_restored_without_it(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("HS1", 1)]).await;
    let _load = unfinished_import(&fixture).await;
    for (copy, later) in [("at-work", 0), ("dead", 60)] {
        fixture.clock.move_on(later);
        let copy = fixture.path(copy);
        fixture.store.backup(&copy).await.unwrap();
        for into in [On::Sqlite, On::Postgres] {
            let empty = Fixture::empty(into).await;
            let store = restored(&with_keys(&empty, &fixture), &copy, &fixture).await;
            no_trace_of_the_import(&store, &fixture).await;
        }
    }
}

/// Its rows lack the columns that were added later.
async fn a_backup_of_an_earlier_version_is_restored(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    fixture.profiles(vec![profile(1, "A")]).await;
    let mut load = fixture.open("notices", 1).await;
    let notice = Notice {
        notice_no: "12/QĐ".into(),
        national_id: number(1),
        from_unit: None,
        to_unit: UnitCode("B".into()),
        effective_on: DAY,
        withdrawn_on: None,
    };
    load.notices(vec![notice]).await.unwrap();
    load.finish().await.unwrap();
    let copy = fixture.path("copy");
    fixture.store.backup(&copy).await.unwrap();
    let file = copy.join("notice.jsonl");
    let line = std::fs::read_to_string(&file).unwrap();
    let (before, _) = line.rsplit_once(',').unwrap();
    std::fs::write(&file, format!("{before}]\n")).unwrap();
    manifest_of_an_earlier_version(&copy);
    let empty = Fixture::empty(on).await;
    let places = with_keys(&empty, &fixture);
    let store = restored(&places, &copy, &fixture).await;
    let explained = store.explain("CV001", DAY).await.unwrap();
    assert_eq!(explained.fact("notice"), Some("12/QĐ"));
    assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
}

/// Operators are added and removed, each name once.
async fn operators_are_added_and_removed(on: On) {
    let fixture = Fixture::new(on).await;
    let secret = fixture.store.add_operator("lan", "test").await.unwrap();
    assert_eq!(secret.len(), 64);
    assert!(fixture.store.add_operator("lan", "test").await.is_err());
    fixture.store.add_operator("minh", "test").await.unwrap();
    fixture.store.add_operator("chi", "test").await.unwrap();
    assert_eq!(fixture.store.operators().await.unwrap(), ["chi", "lan", "minh"]);
    fixture.store.remove_operator("lan", "minh").await.unwrap();
    assert!(fixture.store.remove_operator("lan", "minh").await.is_err());
    assert_eq!(fixture.store.operators().await.unwrap(), ["chi", "minh"]);
    fixture.sound().await;
}

/// No file of a backup contains a number, name, phone, user name or employee code in plain text.
async fn backup_contains_no_plain_personal_value(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1]).await;
    fixture.citizens(vec![citizen("HS1", 1)]).await;
    fixture.officials(vec![official(1, "A")]).await;
    fixture.profiles(vec![profile(1, "B")]).await;
    fixture.submit("HS1", 1).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    let copy = fixture.path("copy");
    fixture.store.backup(&copy).await.unwrap();
    let secrets = [
        crate::fixture::number(1).as_str().to_owned(),
        crate::fixture::name(1).as_str().to_owned(),
        "+84912000001".into(),
        "user-HS1".into(),
        "TTH001".into(),
    ];
    let mut read = 0;
    for file in std::fs::read_dir(copy).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        read += text.len();
        for secret in &secrets {
            assert!(!text.contains(secret), "{secret}");
        }
    }
    assert!(read > 1_000);
    for table in ["account_row", "claim", "hold", "profile", "submission"] {
        assert!(
            fixture.sql(&format!("SELECT COUNT(*) FROM {table}")).await[0] > 0,
            "{table} has something to look at"
        );
    }
}

/// PostgreSQL could not store it.
async fn a_nul_is_refused_by_both_databases(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A")]).await;
    let store = &fixture.store;
    let nul =
        |done: Result<(), StoreError>| assert!(matches!(done, Err(StoreError::Refused(Refusal::Nul))), "{done:?}");
    nul(store.account_explanation("a\0b", DAY).await.map(drop));
    nul(store.undo_run("\0", "test").await.map(drop));
    nul(store.add_operator("lan", "te\0st").await.map(drop));
    nul(store.resend_notice("\0", "test").await.map(drop));
    let mut load = fixture.open("citizens", 1).await;
    let mut row = citizen("HS\0", 1);
    row.unit = None;
    nul(load.accounts(vec![row]).await);
    load.abort().await.unwrap();
    assert!(store.operators().await.unwrap().is_empty());
    fixture.sound().await;
}
