//! Tests of the checkpoint file outside the database. What it lost is reported until an operator accepts it, and a database that is behind
//! the file is refused until an operator accepts it.

use crate::both;
use crate::fixture::{Fixture, On, citizen};
use crate::maintenance::with_keys;
use ngomon_store::{Check, Refusal, Store, StoreError};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

both! {
    lost_checkpoints_reported_until_accepted
    database_behind_checkpoints_refused_until_accepted
    verify_during_writes_reports_no_roll_back
    concurrent_seals_leave_complete_checkpoint_file
    unwritable_checkpoint_file_is_completed_later
    dangling_reference_reported_by_verify
    damaged_index_reported_by_verify
}

/// Some changes, each sealed with its own checkpoint.
async fn changed(store: &Store, names: std::ops::Range<u32>) {
    for n in names {
        store.add_operator(&format!("name{n}"), "test").await.unwrap();
        store.seal().await.unwrap();
    }
}

async fn fixture(on: On) -> (Fixture, PathBuf) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    changed(&fixture.store, 0..5).await;
    fixture.sound().await;
    let file = fixture.store.checkpoint_file().to_owned();
    (fixture, file)
}

async fn checks(store: &Store) -> Vec<Check> {
    let found = store.verify(&mut |_| {}).await.unwrap();
    let mut checks: Vec<Check> = found.faults.iter().map(|(check, _)| *check).collect();
    checks.dedup();
    checks
}

/// The end of each note in the file.
fn ends(text: &str) -> Vec<usize> {
    let signed = text.match_indices("\n— ").map(|(at, _)| at);
    signed.map(|at| at + text[at..].find("\n\n").unwrap() + 2).collect()
}

fn without(file: &Path, notes: std::ops::Range<usize>) {
    let text = fs::read_to_string(file).unwrap();
    let ends = ends(&text);
    let start = |note: usize| if note == 0 { 0 } else { ends[note - 1] };
    let kept = format!("{}{}", &text[..start(notes.start)], &text[start(notes.end)..]);
    fs::write(file, kept).unwrap();
}

/// Checkpoints lost from the file are reported until an operator accepts that.
async fn lost_checkpoints_reported_until_accepted(on: On) {
    type Loss = fn(&Path);
    let losses: [(&str, Loss); 6] = [
        ("removed", |file| fs::remove_file(file).unwrap()),
        ("emptied", |file| fs::write(file, "").unwrap()),
        ("the first half", |file| {
            let notes = ends(&fs::read_to_string(file).unwrap()).len();
            without(file, notes / 2..notes);
        }),
        ("cut within a note", |file| {
            let text = fs::read(file).unwrap();
            fs::write(file, &text[..text.len() - 40]).unwrap();
        }),
        ("one from the middle", |file| without(file, 2..3)),
        ("the last", |file| {
            let notes = ends(&fs::read_to_string(file).unwrap()).len();
            without(file, notes - 1..notes);
        }),
    ];
    for (what, loss) in losses {
        let (fixture, file) = fixture(on).await;
        loss(&file);
        assert_eq!(checks(&fixture.store).await, [Check::RollBack], "{what}");
        // Neither time nor other processes repair it.
        changed(&fixture.store, 10..12).await;
        assert_eq!(
            checks(&fixture.store).await,
            [Check::RollBack],
            "{what}, and then a change"
        );
        let again = Store::open(&fixture.places, false, fixture.environment())
            .await
            .unwrap();
        changed(&again, 20..22).await;
        assert_eq!(checks(&again).await, [Check::RollBack], "{what}, and another process");
        let accepted = again.accept_checkpoints("lan").await.unwrap();
        assert!(accepted.notes > 5 && accepted.aside.is_some_and(|aside| aside.is_file()));
        fixture.sound().await;
        changed(&again, 30..32).await;
        fixture.sound().await;
        let entries = "SELECT COUNT(*) FROM journal WHERE kind = 'checkpoints-accepted' AND by_whom = 'lan'";
        assert_eq!(fixture.sql(entries).await, [1]);
        let nothing = again.accept_checkpoints("lan").await;
        assert!(matches!(nothing, Err(StoreError::Refused(Refusal::NothingToAccept))));
    }
}

/// A database that is behind its checkpoints is refused until an operator accepts that.
async fn database_behind_checkpoints_refused_until_accepted(on: On) {
    let (fixture, _) = fixture(on).await;
    let copy = fixture.path("copy");
    fixture.store.backup(&copy).await.unwrap();
    changed(&fixture.store, 10..12).await;
    let empty = Fixture::empty(on).await;
    let places = with_keys(&empty, &fixture);
    assert!(
        Store::restore(&places, &copy, fixture.environment())
            .await
            .unwrap()
            .behind
    );
    for create in [false, true] {
        let refused = Store::open(&places, create, fixture.environment()).await;
        assert!(matches!(refused, Err(StoreError::Behind { .. })));
    }
    let older = Store::open_older(&places, fixture.environment()).await.unwrap();
    assert_eq!(checks(&older).await, [Check::RollBack]);
    older.accept_checkpoints("lan").await.unwrap();
    assert_eq!(checks(&older).await, []);
    let open = Store::open(&places, false, fixture.environment()).await.unwrap();
    changed(&open, 10..12).await;
    assert_eq!(checks(&open).await, []);
}

/// A verification during writes does not report a roll-back.
async fn verify_during_writes_reports_no_roll_back(on: On) {
    let (fixture, _) = fixture(on).await;
    // A check takes long enough for a checkpoint to be written during it.
    for n in 100..200 {
        fixture.store.add_operator(&format!("name{n}"), "test").await.unwrap();
    }
    let busy = fixture.store.clone();
    let written = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&written);
    let writer = tokio::spawn(async move {
        for n in 1_000.. {
            changed(&busy, n..n + 1).await;
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut looked = 0;
    while looked < 6 || written.load(Ordering::SeqCst) < 20 {
        assert_eq!(checks(&fixture.store).await, []);
        looked += 1;
    }
    writer.abort();
    assert!(writer.await.is_err(), "it was busy all the time");
    fixture.sound().await;
}

/// Two processes that seal at once leave a complete file.
async fn concurrent_seals_leave_complete_checkpoint_file(on: On) {
    let (fixture, file) = fixture(on).await;
    let other = Store::open(&fixture.places, false, fixture.environment())
        .await
        .unwrap();
    let (first, second) = (fixture.store.clone(), other.clone());
    let first = tokio::spawn(async move { changed(&first, 100..115).await });
    let second = tokio::spawn(async move { changed(&second, 200..215).await });
    first.await.unwrap();
    second.await.unwrap();
    fixture.sound().await;
    let notes = ends(&fs::read_to_string(file).unwrap()).len();
    assert_eq!(
        fixture.sql("SELECT COUNT(*) FROM checkpoint").await,
        [i64::try_from(notes).unwrap()]
    );
}

/// The changes stay committed; the checkpoint is written later, and the file loses nothing.
async fn unwritable_checkpoint_file_is_completed_later(on: On) {
    let (fixture, file) = fixture(on).await;
    let kept = file.with_extension("kept");
    fs::rename(&file, &kept).unwrap();
    fs::create_dir(&file).unwrap();
    fixture.store.try_checkpoints().unwrap_err();
    fixture.store.add_operator("minh", "test").await.unwrap();
    assert!(matches!(fixture.store.seal().await, Err(StoreError::Checkpoint(_))));
    assert!(fixture.store.operators().await.unwrap().contains(&"minh".to_owned()));
    fs::remove_dir(&file).unwrap();
    fs::rename(&kept, &file).unwrap();
    fixture.store.try_checkpoints().unwrap();
    fixture.sound().await;
    let notes = ends(&fs::read_to_string(file).unwrap()).len();
    assert_eq!(
        fixture.sql("SELECT COUNT(*) FROM checkpoint").await,
        [i64::try_from(notes).unwrap()]
    );
}

/// A row that refers to a missing row is reported.
async fn dangling_reference_reported_by_verify(on: On) {
    for change in [
        "DELETE FROM reference WHERE name = 'registry'",
        "UPDATE reference SET load = 'none' WHERE name = 'registry'",
        "UPDATE reference SET load = (SELECT id FROM load WHERE name = 'units') WHERE name = 'registry'",
        "UPDATE unit SET code = 'Z' WHERE code = 'V'",
        "UPDATE unit SET body = REPLACE(body, '\"V\"', '\"Z\"') WHERE code = 'V'",
        "DELETE FROM unit WHERE code = 'P'",
        "UPDATE registry SET load = 'none'",
        "UPDATE personal_value SET id = 'none' WHERE id = (SELECT MAX(id) FROM personal_value)",
        "INSERT INTO personal_value (id, salt, sealed) SELECT 'more', salt, sealed FROM personal_value LIMIT 1",
        "DELETE FROM run",
        "UPDATE run SET state = 'waiting'",
        "UPDATE run SET state = 'undone'",
        "UPDATE run_line SET run = 'none'",
        "UPDATE run_line SET account = 'none'",
    ] {
        let fixture = Fixture::new(on).await;
        fixture.units().await;
        fixture.registry(&[1, 2]).await;
        fixture.registry(&[1, 2, 3]).await;
        fixture.citizens(vec![citizen("HS1", 1)]).await;
        fixture.officials(vec![crate::fixture::official(1, "A")]).await;
        fixture.profiles(vec![crate::fixture::profile(1, "B")]).await;
        fixture.store.reconcile(crate::fixture::DAY, "hr").await.unwrap();
        assert!(fixture.sql("SELECT COUNT(*) FROM run_line").await[0] > 0);
        fixture.sound().await;
        fixture.sql(change).await;
        assert!(checks(&fixture.store).await.contains(&Check::References), "{change}");
    }
}

/// A damaged index is reported.
async fn damaged_index_reported_by_verify(on: On) {
    let (fixture, _) = fixture(on).await;
    fixture.registry(&[1, 2, 3, 4]).await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 2)]).await;
    fixture.sound().await;
    match on {
        On::Sqlite => {
            let indexes = "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND (tbl_name = 'registry' \
                 OR tbl_name = 'personal_value' OR tbl_name = 'account_row' OR tbl_name = 'journal') AND name <> 'account_row_run'";
            fixture.sql("PRAGMA wal_checkpoint(TRUNCATE)").await;
            let file = fixture.path("data/ngomon.db");
            let good = fs::read(&file).unwrap();
            let pages = fixture.sql(indexes).await;
            assert!(pages.len() >= 6);
            for page in pages {
                let mut bad = good.clone();
                // The end of a page is the end of the first cell in it: the row that an index entry points to.
                bad[usize::try_from(page).unwrap() * 4096 - 1] ^= 1;
                fs::write(&file, bad).unwrap();
                let store = Store::open(&fixture.places, false, fixture.environment()).await;
                let Ok(store) = store else { continue };
                assert!(checks(&store).await.contains(&Check::Integrity), "page {page}");
            }
            fs::write(&file, good).unwrap();
        }
        On::Postgres => {
            // An index that is disabled while a row is inserted does not contain it.
            let set = async |ready: bool| {
                let sql = format!(
                    "UPDATE pg_index SET indisready = {ready}, indisvalid = {ready} WHERE indexrelid = 'journal_run'::regclass"
                );
                fixture.sql(&sql).await;
            };
            set(false).await;
            fixture.store.add_operator("minh", "test").await.unwrap();
            set(true).await;
            assert!(checks(&fixture.store).await.contains(&Check::Integrity));
            fixture.sql("REINDEX INDEX journal_run").await;
        }
    }
    fixture.sound().await;
}
