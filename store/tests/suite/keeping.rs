//! Opening, durability, backup and restore.

use crate::both;
use crate::house::{DAY, Empty, House, On, citizen, number, official, profile};
use ngomon_rules::record::{AccountKind, Notice};
use ngomon_rules::unit::UnitCode;
use ngomon_store::{Location, Places, Refusal, Store, StoreError};

both! {
    durability_is_on_at_every_connection
    other_keys_are_refused
    data_of_a_later_version_are_refused
    tables_of_another_version_are_made_anew
    a_backup_is_restored_into_either_database
    a_backup_of_an_earlier_version_is_restored
    operators_are_named_and_removed
    no_personal_value_stands_in_the_clear
}

async fn durability_is_on_at_every_connection(on: On) {
    let house = House::new(on).await;
    let want: &[(&str, &str)] = match on {
        On::Sqlite => &[("journal_mode", "wal"), ("synchronous", "2")],
        // The cluster of the tests runs without fsync, to be quick; that of the benchmarks and of users with it.
        On::Postgres => &[("synchronous_commit", "on")],
    };
    for (setting, value) in house.store.durability().await.unwrap() {
        assert!(want.contains(&(setting, &value)), "{setting} is {value}");
    }
}

async fn other_keys_are_refused(on: On) {
    let house = House::new(on).await;
    house.units().await;
    let other = Places {
        keys: house.path("other"),
        ..house.places.clone()
    };
    // New keys are not made for a database that was begun with others.
    assert!(matches!(
        Store::open(&other, true, house.ambient()).await,
        Err(StoreError::Keys(_))
    ));
    let foreign = tempfile::tempdir().unwrap();
    let elsewhere = Places {
        data: Location::Directory(foreign.path().join("data")),
        keys: other.keys.clone(),
    };
    Store::open(&elsewhere, true, house.ambient()).await.unwrap();
    assert!(matches!(
        Store::open(&other, false, house.ambient()).await,
        Err(StoreError::WrongKeys)
    ));
    house.sound().await;
}

async fn tables_of_another_version_are_made_anew(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.registry(&[1]).await;
    house.citizens(vec![citizen("C1", 1), citizen("C2", 1)]).await;
    house.submit("C1", 1).await;
    let holds = house.store.holds(None, DAY).await.unwrap();
    let province = house.province(DAY).await;
    // As the first version left them: fewer tables, other columns, and no word of which version.
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
        house.sql(sql).await;
    }
    let store = Store::open(&house.places, false, house.ambient()).await.unwrap();
    assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
    let again = Store::open(&house.places, false, house.ambient()).await.unwrap();
    assert!(again.report(None, DAY).await.unwrap().contains(&province));
    assert_eq!(again.holds(None, DAY).await.unwrap(), holds);
}

async fn data_of_a_later_version_are_refused(on: On) {
    let house = House::new(on).await;
    house
        .sql(
            "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
             SELECT 999, 'later', installed_on, success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
    assert!(matches!(
        Store::open(&house.places, false, house.ambient()).await,
        Err(StoreError::Newer)
    ));
}

/// The keys travel by themselves, and with them the checkpoints.
fn with_keys(empty: &Empty, of: &House) -> Places {
    let places = empty.places();
    std::fs::create_dir(&places.keys).unwrap();
    for file in ["keyring.json", "checkpoints.txt"] {
        std::fs::copy(of.places.keys.join(file), places.keys.join(file)).unwrap();
    }
    places
}

async fn a_backup_is_restored_into_either_database(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.registry(&[1, 2]).await;
    house.citizens(vec![citizen("HS1", 1), citizen("HS2", 1)]).await;
    house.officials(vec![official(1, "A")]).await;
    house.profiles(Vec::new()).await;
    house.submit("HS1", 1).await;
    house.store.reconcile(DAY, "hr").await.unwrap();
    let copy = house.path("copy");
    house.store.backup(&copy).await.unwrap();
    assert!(matches!(
        house.store.backup(&copy).await,
        Err(StoreError::Refused(Refusal::NotEmpty(_)))
    ));
    for into in [On::Sqlite, On::Postgres] {
        let fresh = House::new(into).await;
        let taken = Store::restore(&fresh.places, &copy, house.ambient()).await;
        assert!(
            matches!(taken, Err(StoreError::WrongKeys)),
            "the keys are another installation's"
        );
        let empty = House::empty(into).await;
        let places = with_keys(&empty, &house);
        let (store, _) = Store::restore(&places, &copy, house.ambient()).await.unwrap();
        for kind in [AccountKind::Citizen, AccountKind::Official] {
            assert_eq!(
                store.holds(Some(kind), DAY).await.unwrap(),
                house.store.holds(Some(kind), DAY).await.unwrap()
            );
        }
        assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
        // It goes on: the next entry finds its place behind the last.
        store.add_operator("lan", "test").await.unwrap();
        store.seal().await.unwrap();
        assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
        let again = Store::restore(&places, &copy, house.ambient()).await;
        assert!(matches!(again, Err(StoreError::Refused(Refusal::NotEmpty(_)))));
    }
}

/// Its rows lack the columns that came later.
async fn a_backup_of_an_earlier_version_is_restored(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.officials(vec![official(1, "A")]).await;
    house.profiles(vec![profile(1, "A")]).await;
    let mut load = house.open("notices", 1).await;
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
    let copy = house.path("copy");
    house.store.backup(&copy).await.unwrap();
    let file = copy.join("notice.jsonl");
    let line = std::fs::read_to_string(&file).unwrap();
    let (before, _) = line.rsplit_once(',').unwrap();
    std::fs::write(&file, format!("{before}]\n")).unwrap();
    let empty = House::empty(on).await;
    let places = with_keys(&empty, &house);
    let (store, _) = Store::restore(&places, &copy, house.ambient()).await.unwrap();
    let explained = store.explain("CV001", DAY).await.unwrap();
    assert_eq!(explained.fact("notice"), Some("12/QĐ"));
    assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
}

async fn operators_are_named_and_removed(on: On) {
    let house = House::new(on).await;
    let secret = house.store.add_operator("lan", "test").await.unwrap();
    assert_eq!(secret.len(), 64);
    assert!(house.store.add_operator("lan", "test").await.is_err());
    house.store.add_operator("minh", "test").await.unwrap();
    assert_eq!(house.store.operators().await.unwrap(), ["lan", "minh"]);
    house.store.remove_operator("lan", "minh").await.unwrap();
    assert!(house.store.remove_operator("lan", "minh").await.is_err());
    assert_eq!(house.store.operators().await.unwrap(), ["minh"]);
    house.sound().await;
}

/// A name and a number are looked for in everything that a backup holds.
async fn no_personal_value_stands_in_the_clear(on: On) {
    let house = House::new(on).await;
    house.units().await;
    house.registry(&[1]).await;
    house.citizens(vec![citizen("HS1", 1)]).await;
    house.officials(vec![official(1, "A")]).await;
    house.profiles(vec![profile(1, "B")]).await;
    house.submit("HS1", 1).await;
    house.store.reconcile(DAY, "hr").await.unwrap();
    let copy = house.path("copy");
    house.store.backup(&copy).await.unwrap();
    let secrets = [
        crate::house::number(1).as_str().to_owned(),
        crate::house::name(1).as_str().to_owned(),
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
            house.sql(&format!("SELECT COUNT(*) FROM {table}")).await[0] > 0,
            "{table} has something to look at"
        );
    }
}
