//! Tests of key rotation: everything is found as before, a process with the previous keys continues or reports it, and a rotation that was
//! killed is completed by the next one.

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen, form, name, number, official, phone, profile, record};
use ngomon_rules::citizens::{Outcome, Proof};
use ngomon_rules::officials::UnreadableProfile;
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::records::{AccountId, AccountKind, Notice};
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::NationalId;
use ngomon_store::checkpoint::Checkpoint;
use ngomon_store::keyring::{KeyError, Keyring};
use ngomon_store::{Check, LoadRequest, QuarantinedRow, Refusal, Store, StoreError, StorePaths};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

both! {
    key_rotation_keeps_every_lookup
    process_with_previous_keys_continues_after_rotation
    machine_without_new_keys_reports_it
    a_rotation_that_was_killed_is_completed
    reads_and_writes_continue_during_rotation
    backup_from_before_rotation_restored_with_new_keys
    rotation_refused_during_import
    previous_keys_validate_nothing_new
}

/// Every column with fingerprints.
const COLUMNS: [(&str, &str); 19] = [
    ("account_row", "number_fp"),
    ("account_row", "phone_fp"),
    ("account_row", "name_fp"),
    ("account_row", "code_fp"),
    ("account_row", "username_fp"),
    ("person_number", "fp"),
    ("claim", "number_fp"),
    ("claim", "phone_fp"),
    ("profile", "code_fp"),
    ("profile", "number_fp"),
    ("registry", "number_fp"),
    ("registry_former", "former_fp"),
    ("registry_former", "number_fp"),
    ("quarantine", "code_fp"),
    ("quarantine", "number_fp"),
    ("quarantine", "name_fp"),
    ("notice", "number_fp"),
    ("staff_key", "fp"),
    ("fingerprint_key", "mark"),
];

/// The number that person 3 held before.
fn former() -> NationalId {
    number(93)
}

/// Data in every such column, and a claim with a duplicate.
pub async fn lived_in(on: On) -> Fixture {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let mut load = fixture.open("registry", 4).await;
    let mut third = record(3);
    third.former_ids.push(former());
    load.registry(vec![record(1), record(2), third, record(8)])
        .await
        .unwrap();
    load.finish().await.unwrap();
    let mut first = citizen("C1", 1);
    first.stated.phone = Some(phone(1));
    first.stated.full_name = Some(name(1));
    fixture
        .citizens(vec![
            first,
            citizen("C2", 1),
            citizen("C3", 3),
            citizen("C4", 4),
            citizen("C5", 5),
            citizen("C8", 8),
        ])
        .await;
    fixture
        .officials(vec![official(1, "A"), official(2, "A"), official(7, "A")])
        .await;
    fixture.profiles(vec![profile(1, "A"), profile(2, "B")]).await;
    let mut load = fixture.open("notices", 1).await;
    let notice = Notice {
        notice_no: "1/TB".into(),
        national_id: number(2),
        from_unit: Some(UnitCode("A".into())),
        to_unit: UnitCode("B".into()),
        effective_on: DAY,
        withdrawn_on: None,
    };
    load.notices(vec![notice]).await.unwrap();
    load.finish().await.unwrap();
    let mut load = fixture.open("profiles", 2).await;
    let waiting = |row: &str, hints| QuarantinedRow {
        row: row.into(),
        reason: QuarantineReason::BadDate,
        hints,
        cells: [("birth_date".to_owned(), "?".to_owned())].into(),
    };
    let seventh = UnreadableProfile {
        employee_code: Some("TTH007".into()),
        national_id: Some(number(7)),
        ..UnreadableProfile::default()
    };
    let by_name = UnreadableProfile {
        person_key: Some(name(9).person_key()),
        ..UnreadableProfile::default()
    };
    load.quarantined(vec![waiting("2", seventh), waiting("3", by_name)])
        .await
        .unwrap();
    load.finish().await.unwrap();
    assert_eq!(fixture.submit("C1", 1).await.outcome, Outcome::Standardised);
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    fixture
}

async fn all_under(fixture: &Fixture, version: i64) {
    for (table, column) in COLUMNS {
        let first = match fixture.on {
            On::Sqlite => format!("unicode(CAST(substr({column}, 1, 1) AS TEXT))"),
            On::Postgres => format!("CAST(get_byte({column}, 0) AS BIGINT)"),
        };
        let sql = format!("SELECT DISTINCT {first} FROM {table} WHERE length({column}) > 0");
        assert_eq!(fixture.sql(&sql).await, [version], "{table}.{column}");
    }
}

fn incoming() -> LoadRequest {
    LoadRequest {
        table: "citizens",
        digest: "d".into(),
        rows: 1,
        unreadable: 0,
        as_of: DAY,
        by: "test".into(),
        full: None,
        units: std::collections::BTreeSet::default(),
    }
}

fn file(keys: &Path) -> (u8, Option<u8>) {
    Keyring::open(keys).unwrap().fingerprint_versions()
}

/// Another process with the same data and keys.
async fn another(fixture: &Fixture) -> Store {
    Store::open(&fixture.places, false, fixture.environment())
        .await
        .unwrap()
}

async fn rotate(store: &Store) {
    store.rotate_keys(&mut |_| {}).await.unwrap();
}

async fn usernames(store: &Store, username: &str) -> Result<Vec<String>, StoreError> {
    let found = store.credentials(username).await?;
    Ok(found.into_iter().map(|c| c.account.as_str().to_owned()).collect())
}

/// Checks lookups: user names, claims, duplicates, the registry with former numbers, and HR's files.
async fn finds(fixture: &Fixture) {
    assert_eq!(usernames(&fixture.store, "user-C2").await.unwrap(), ["C2"]);
    assert_eq!(fixture.submit("C5", 1).await.outcome, Outcome::Taken);
    assert_eq!(fixture.submit("C3", 3).await.outcome, Outcome::Standardised);
    let mut came = citizen("C6", 9);
    came.stated.national_id = Some(former());
    fixture.citizens(vec![came]).await;
    let held = ["C2: duplicate", "C5: duplicate", "C6: duplicate"];
    assert_eq!(fixture.held(AccountKind::Citizen).await, held);
    let mut typed = form("C4", 3);
    typed.form.national_id = former().as_str().into();
    let sent = fixture
        .store
        .standardise(&typed, Proof::Form, "owner", fixture.store.now())
        .await;
    assert_eq!(sent.unwrap().outcome, Outcome::Revoked);
    // HR sends the same rows again, and the one that waited, at another unit: only that profile is new and has an effect.
    let mut load = fixture.open("profiles", 3).await;
    load.profiles(vec![profile(1, "A"), profile(2, "B"), profile(7, "B")])
        .await
        .unwrap();
    load.finish().await.unwrap();
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM profile").await, [3]);
    let waits = "SELECT COUNT(*) FROM quarantine WHERE ended_by IS NULL";
    assert_eq!(fixture.sql(waits).await, [1]);
    let run = fixture.store.reconcile_changed(DAY, "hr").await.unwrap();
    assert_eq!((run.widened, run.created.len()), (None, 1));
    assert!(!fixture.store.simulate(DAY).await.unwrap().plan.changes());
    fixture.sound().await;
}

/// After a key rotation, everything is found as before.
async fn key_rotation_keeps_every_lookup(on: On) {
    let fixture = lived_in(on).await;
    all_under(&fixture, 1).await;
    let province = fixture.province(DAY).await;
    rotate(&fixture.store).await;
    all_under(&fixture, 2).await;
    assert_eq!(file(&fixture.places.keys), (2, None));
    assert_eq!(fixture.province(DAY).await, province);
    fixture.sound().await;
    rotate(&fixture.store).await;
    all_under(&fixture, 3).await;
    finds(&fixture).await;
}

/// A process with the previous keys continues, and reads the file again.
async fn process_with_previous_keys_continues_after_rotation(on: On) {
    let fixture = lived_in(on).await;
    let other = another(&fixture).await;
    rotate(&other).await;
    // The other process writes under a key that this process does not have yet.
    let sent = other
        .standardise(&form("C8", 8), Proof::Form, "owner", other.now())
        .await;
    assert_eq!(sent.unwrap().outcome, Outcome::Standardised);
    let explained = fixture.store.explain("C8", DAY).await.unwrap();
    assert_eq!(explained.fact("claim"), Some("form"));
    rotate(&other).await;
    all_under(&fixture, 3).await;
    assert_eq!(fixture.submit("C8", 8).await.outcome, Outcome::AlreadyDone);
    finds(&fixture).await;
}

/// A machine without the new keys reports it until it has them.
async fn machine_without_new_keys_reports_it(on: On) {
    let fixture = lived_in(on).await;
    let (there, keyring) = (TempDir::new().unwrap(), fixture.places.keys.join("keyring.json"));
    let bring = || std::fs::copy(&keyring, there.path().join("keyring.json")).unwrap();
    bring();
    let places = StorePaths {
        keys: there.path().into(),
        ..fixture.places.clone()
    };
    let open = async || Store::open(&places, false, fixture.environment()).await;
    let behind = |error| matches!(error, StoreError::Keys(KeyError::Behind { dir }) if dir == there.path());
    let server = open().await.unwrap();
    rotate(&fixture.store).await;
    assert!(behind(usernames(&server, "user-C2").await.unwrap_err()));
    let sent = server
        .standardise(&form("C3", 3), Proof::Form, "owner", server.now())
        .await;
    assert!(behind(sent.unwrap_err()));
    assert!(behind(server.begin_load(incoming(), None).await.err().unwrap()));
    assert!(behind(server.rotate_keys(&mut |_| {}).await.unwrap_err()));
    assert!(behind(open().await.err().unwrap()));
    std::fs::remove_file(there.path().join("keyring.json")).unwrap();
    bring();
    assert_eq!(usernames(&server, "user-C2").await.unwrap(), ["C2"]);

    // With keys prepared first, no process stops.
    fixture.store.prepare_keys().await.unwrap();
    all_under(&fixture, 2).await;
    fixture.store.prepare_keys().await.unwrap();
    assert_eq!(file(&fixture.places.keys), (2, Some(3)));
    bring();
    rotate(&fixture.store).await;
    all_under(&fixture, 3).await;
    assert_eq!(file(there.path()), (2, Some(3)));
    assert_eq!(usernames(&server, "user-C2").await.unwrap(), ["C2"]);
    assert_eq!(usernames(&open().await.unwrap(), "user-C2").await.unwrap(), ["C2"]);
    finds(&fixture).await;
}

async fn a_rotation_that_was_killed_is_completed(on: On) {
    let mut fixture = lived_in(on).await;
    let (keys, aside) = (fixture.places.keys.clone(), fixture.path("aside"));
    // Killed after the keys were saved.
    fixture.store.prepare_keys().await.unwrap();
    std::fs::copy(keys.join("keyring.json"), &aside).unwrap();
    fixture.store = another(&fixture).await;
    assert_eq!(usernames(&fixture.store, "user-C2").await.unwrap(), ["C2"]);
    fixture.sound().await;
    // Killed after the database was committed.
    rotate(&fixture.store).await;
    std::fs::copy(&aside, keys.join("keyring.json")).unwrap();
    fixture.store = another(&fixture).await;
    assert_eq!(file(&keys), (1, Some(2)));
    assert_eq!(usernames(&fixture.store, "user-C2").await.unwrap(), ["C2"]);
    fixture.sound().await;
    rotate(&fixture.store).await;
    assert_eq!(file(&keys), (2, None));
    all_under(&fixture, 2).await;
    finds(&fixture).await;
}

/// Reads and writes continue during a rotation.
async fn reads_and_writes_continue_during_rotation(on: On) {
    let fixture = lived_in(on).await;
    let rows = (20..60).map(|n| citizen(&format!("N{n}"), n)).collect();
    fixture.citizens(rows).await;
    let mut load = fixture.open("registry", 59).await;
    let mut records: Vec<_> = (1..60).map(record).collect();
    records[2].former_ids.push(former());
    load.registry(records).await.unwrap();
    load.finish().await.unwrap();
    let (server, done) = (another(&fixture).await, Arc::new(AtomicBool::new(false)));
    let reader = tokio::spawn({
        let (server, done) = (server.clone(), Arc::clone(&done));
        async move {
            while !done.load(Ordering::SeqCst) {
                assert_eq!(usernames(&server, "user-C2").await.unwrap(), ["C2"]);
            }
        }
    });
    let mut writers = Vec::new();
    for n in 20..60 {
        let (server, form) = (server.clone(), form(&format!("N{n}"), n));
        writers.push(tokio::spawn(async move {
            let sent = server.standardise(&form, Proof::Form, "owner", server.now()).await;
            assert_eq!(sent.unwrap().outcome, Outcome::Standardised);
        }));
    }
    for _ in 0..3 {
        rotate(&fixture.store).await;
    }
    done.store(true, Ordering::SeqCst);
    reader.await.unwrap();
    for writer in writers {
        writer.await.unwrap();
    }
    all_under(&fixture, 4).await;
    fixture.sound().await;
}

/// A backup from before a rotation is restored with today's keys.
async fn backup_from_before_rotation_restored_with_new_keys(on: On) {
    let mut fixture = lived_in(on).await;
    fixture.store.seal().await.unwrap();
    fixture.store.backup(&fixture.path("before")).await.unwrap();
    let old_keys = std::fs::read(fixture.places.keys.join("keyring.json")).unwrap();
    let checkpoints = fixture.places.keys.join("checkpoints.txt");
    let old_checkpoints = std::fs::read(&checkpoints).unwrap();
    rotate(&fixture.store).await;
    fixture.store.backup(&fixture.path("after")).await.unwrap();
    let holds = fixture.store.holds(None, DAY).await.unwrap();
    for into in [On::Sqlite, On::Postgres] {
        for copy in ["before", "after"] {
            let empty = Fixture::empty(into).await;
            let places = empty.places();
            std::fs::create_dir(&places.keys).unwrap();
            std::fs::write(places.keys.join("keyring.json"), &old_keys).unwrap();
            let restore = async || Store::restore(&places, &fixture.path(copy), fixture.environment()).await;
            if copy == "after" {
                let error = restore().await.err().unwrap();
                assert!(matches!(error, StoreError::Keys(KeyError::Behind { .. })), "{error}");
            }
            std::fs::copy(
                fixture.places.keys.join("keyring.json"),
                places.keys.join("keyring.json"),
            )
            .unwrap();
            // The rotation is a journal entry, so an earlier backup needs the checkpoints from before it.
            match copy {
                "before" => std::fs::write(places.keys.join("checkpoints.txt"), &old_checkpoints).unwrap(),
                _ => drop(std::fs::copy(&checkpoints, places.keys.join("checkpoints.txt")).unwrap()),
            }
            let store = restore().await.unwrap().store;
            assert_eq!(store.holds(None, DAY).await.unwrap(), holds);
            assert_eq!(store.verify(&mut |_| {}).await.unwrap().faults, []);
            let sent = store
                .standardise(&form("C3", 3), Proof::Form, "owner", store.now())
                .await;
            assert_eq!(sent.unwrap().outcome, Outcome::Standardised, "{into:?} {copy}");
        }
    }
    fixture.store = another(&fixture).await;
    finds(&fixture).await;
}

/// A rotation is refused during an import.
async fn rotation_refused_during_import(on: On) {
    let fixture = lived_in(on).await;
    let mut load = fixture.open("citizens", 1).await;
    let refused = fixture.store.rotate_keys(&mut |_| {}).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::ImportAtWork))));
    load.accounts(vec![citizen("C7", 1)]).await.unwrap();
    load.finish().await.unwrap();
    rotate(&fixture.store).await;
    all_under(&fixture, 2).await;
    assert_eq!(
        fixture.held(AccountKind::Citizen).await,
        ["C2: duplicate", "C7: duplicate"]
    );
    fixture.sound().await;
}

/// A commit forged by an attacker who has the previous keys and can write the database.
async fn forged_commit(fixture: &Fixture, keys: &Keyring) {
    let (at, digest) = (fixture.store.now().as_microsecond(), Sha256::digest([]));
    let mut leaf = b"forged".to_vec();
    leaf.extend(at.to_be_bytes());
    leaf.extend(0_i64.to_be_bytes());
    leaf.extend(digest);
    let mac = keys.mac(&[b"commit 2", &leaf, &[0], b""]);
    let (digest, mac) = (fixture.literal(&digest), fixture.literal(&mac));
    fixture
        .script(&format!(
            "INSERT INTO journal_commit (id, at, entries, digest, mac) VALUES ('forged', {at}, 0, {digest}, {mac})"
        ))
        .await;
}

/// With the previous keys, nothing new can be forged.
async fn previous_keys_validate_nothing_new(on: On) {
    let fixture = lived_in(on).await;
    let session = fixture.store.begin_session(&AccountId("C3".into())).await.unwrap();
    let kept = fixture.path("stolen");
    std::fs::create_dir(&kept).unwrap();
    std::fs::copy(fixture.places.keys.join("keyring.json"), kept.join("keyring.json")).unwrap();
    let stolen = Keyring::open(&kept).unwrap();
    // While they are the current keys, they are accepted.
    forged_commit(&fixture, &stolen).await;
    assert_eq!(fixture.store.verify(&mut |_| {}).await.unwrap().faults, []);
    fixture.script("DELETE FROM journal_commit WHERE id = 'forged'").await;
    fixture.sound().await;
    fixture
        .script("CREATE TABLE stolen_session AS SELECT * FROM session")
        .await;

    for round in 1..3 {
        rotate(&fixture.store).await;
        fixture.sound().await;
        let found = async || fixture.store.verify(&mut |_| {}).await.unwrap().faults;
        assert!(
            fixture.store.session(session.as_str()).await.unwrap().is_some(),
            "round {round}"
        );
        forged_commit(&fixture, &stolen).await;
        assert!(
            found().await.contains(&(Check::Commits, "forged".into())),
            "round {round}"
        );
        fixture.script("DELETE FROM journal_commit WHERE id = 'forged'").await;
        let note = Checkpoint {
            origin: "ngomon/journal".into(),
            size: 5000,
            root: [7; 32],
        };
        let (root, note) = (fixture.literal(&[7; 32]), note.sign(&stolen));
        fixture
            .script(&format!(
                "INSERT INTO checkpoint (size, root, frontier, note) VALUES (5000, {root}, {root}, '{note}')"
            ))
            .await;
        let faults = found().await;
        let signed = "checkpoint 5000 is not as it was signed".to_owned();
        assert!(faults.contains(&(Check::Tree, signed)), "round {round}: {faults:?}");
        fixture.script("DELETE FROM checkpoint WHERE size = 5000").await;
        fixture.sound().await;
    }
    let today = fixture.store.keys();
    assert_ne!(today.ticket_mac(&[b"x"]), stolen.ticket_mac(&[b"x"]));
    assert_ne!(today.verifying_key(), stolen.verifying_key());
    assert_eq!(today.mac(&[b"x"]), stolen.mac(&[b"x"]), "what is kept stays comparable");
    fixture
        .script("DELETE FROM session; INSERT INTO session SELECT * FROM stolen_session")
        .await;
    assert!(fixture.store.session(session.as_str()).await.unwrap().is_none());
    finds_after(&fixture).await;
}

/// Another process finds everything; a database whose journal lacks the rotation is reported.
async fn finds_after(fixture: &Fixture) {
    // No entry was written since: otherwise the previous keys would still be accepted.
    fixture.keep(&["journal", "journal_commit"]).await;
    fixture
        .script(
            "DELETE FROM journal_commit WHERE id IN (SELECT commit_id FROM journal WHERE subject = 'installation.keys'); \
             DELETE FROM journal WHERE subject = 'installation.keys'",
        )
        .await;
    let found = fixture.store.verify(&mut |_| {}).await.unwrap().faults;
    let unsaid = "nothing says that the keys of before were replaced".to_owned();
    assert!(found.contains(&(Check::Commits, unsaid)), "{found:?}");
    fixture.put_back(&["journal", "journal_commit"]).await;
    let other = another(fixture).await;
    other.set_campaign("freeze", "on", true, "op").await.unwrap();
    other.seal().await.unwrap();
    fixture.script("DELETE FROM session").await;
    fixture.sound().await;
    fixture
        .script("UPDATE journal_commit SET position = NULL WHERE id IN (SELECT commit_id FROM journal WHERE subject = 'installation.keys')")
        .await;
    fixture
        .script("DELETE FROM journal WHERE subject = 'installation.keys'")
        .await;
    let found = fixture.store.verify(&mut |_| {}).await.unwrap().faults;
    assert!(found.iter().any(|(check, _)| *check == Check::Tree), "{found:?}");
}
