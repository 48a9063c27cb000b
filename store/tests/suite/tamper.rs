//! Tests of the faults that `verify` finds, and of those that `rebuild` repairs.

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen, incoming};
use crate::rotation::lived_in;
use ngomon_store::{Check, StoreError};

both! {
    changed_journal_entry_reported_by_verify
    removed_entry_or_commit_reported_by_verify
    reordered_commits_reported_by_verify
    swapped_or_removed_value_reported_by_verify
    changed_projection_reported_and_rebuilt
    wrong_counter_reported_and_rebuilt
    rolled_back_database_reported_by_verify
    forged_commit_reported_by_verify
    journal_edits_reported_by_verify
    evidence_edits_reported_by_verify
    sealed_commit_assigned_to_forged_load_is_reported
    first_version_commit_of_forged_load_is_reported
    sealed_data_never_deleted_with_discarded_load
    reopened_load_reported_and_rebuilt
    commit_missing_from_tree_reported_by_verify
    tree_continues_only_from_signed_checkpoint
}

/// Four accounts, one of them standardised, another a duplicate; everything sealed.
async fn filled(on: On) -> Fixture {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    fixture
        .citizens(vec![
            citizen("HS1", 1),
            citizen("HS2", 1),
            citizen("HS3", 3),
            citizen("HS4", 4),
        ])
        .await;
    fixture.submit("HS1", 1).await;
    fixture.submit("HS3", 2).await;
    fixture.sound().await;
    fixture
}

async fn faults(fixture: &Fixture) -> Vec<Check> {
    let found = fixture.store.verify(&mut |_| {}).await.unwrap();
    let mut checks: Vec<Check> = found.faults.iter().map(|(check, _)| *check).collect();
    checks.dedup();
    checks
}

/// A changed journal entry is reported.
async fn changed_journal_entry_reported_by_verify(on: On) {
    for change in [
        "UPDATE journal SET by_whom = 'nobody' WHERE kind = 'claim-made'",
        "UPDATE journal SET effective = effective + 1 WHERE kind = 'claim-made'",
        "UPDATE journal SET body = REPLACE(body, 'form', 'vneid') WHERE kind = 'claim-made'",
        "UPDATE journal SET clause = '108/1' WHERE kind = 'claim-made'",
        "UPDATE journal SET subject = 'HS4' WHERE kind = 'claim-made'",
        "UPDATE journal SET run = 'x' WHERE kind = 'claim-made'",
    ] {
        let fixture = filled(on).await;
        fixture.sql(change).await;
        assert!(faults(&fixture).await.contains(&Check::Entries), "{change}");
    }
}

/// A removed entry or commit is reported.
async fn removed_entry_or_commit_reported_by_verify(on: On) {
    let fixture = filled(on).await;
    fixture.sql("DELETE FROM journal WHERE kind = 'hold-placed'").await;
    assert!(faults(&fixture).await.contains(&Check::Commits));
    let fixture = filled(on).await;
    fixture
        .sql("DELETE FROM journal WHERE commit_id = (SELECT MIN(commit_id) FROM journal WHERE kind = 'claim-made')")
        .await;
    fixture
        .sql("DELETE FROM journal_commit WHERE position = (SELECT MAX(position) - 1 FROM journal_commit)")
        .await;
    assert!(faults(&fixture).await.contains(&Check::Tree));
}

/// Commits in another order are reported.
async fn reordered_commits_reported_by_verify(on: On) {
    let fixture = filled(on).await;
    fixture
        .sql("UPDATE journal_commit SET position = -1 WHERE position = 1")
        .await;
    fixture
        .sql("UPDATE journal_commit SET position = 1 WHERE position = 2")
        .await;
    fixture
        .sql("UPDATE journal_commit SET position = 2 WHERE position = -1")
        .await;
    assert!(faults(&fixture).await.contains(&Check::Tree));
}

/// A swapped or removed personal value is reported.
async fn swapped_or_removed_value_reported_by_verify(on: On) {
    let fixture = filled(on).await;
    fixture
        .sql("UPDATE personal_value SET sealed = (SELECT sealed FROM personal_value ORDER BY id LIMIT 1) WHERE id = (SELECT MAX(id) FROM personal_value)")
        .await;
    assert!(faults(&fixture).await.contains(&Check::Entries));
    let fixture = filled(on).await;
    fixture
        .sql("DELETE FROM personal_value WHERE id = (SELECT MAX(id) FROM personal_value)")
        .await;
    assert!(faults(&fixture).await.contains(&Check::Entries));
}

/// A changed projection is reported, and a rebuild repairs it.
async fn changed_projection_reported_and_rebuilt(on: On) {
    for change in [
        "UPDATE hold SET reason = 'by-order' WHERE account = 'HS2'",
        "DELETE FROM hold",
        "DELETE FROM claim",
        "UPDATE account_row SET generation = 0 WHERE id = 'HS2'",
        "UPDATE account_row SET unit = 'A' WHERE id = 'HS4'",
        "INSERT INTO operator (name) VALUES ('mallory')",
        "UPDATE submission SET outcome = 'taken'",
        "DELETE FROM person_number",
    ] {
        let fixture = filled(on).await;
        fixture.sql(change).await;
        assert!(faults(&fixture).await.contains(&Check::Projections), "{change}");
        fixture.store.rebuild(&mut |_| {}).await.unwrap();
        assert_eq!(faults(&fixture).await, [], "{change}");
        fixture.submit("HS4", 2).await;
        fixture.sound().await;
    }
}

/// A counter off by one is reported, and a rebuild repairs it.
async fn wrong_counter_reported_and_rebuilt(on: On) {
    for change in [
        "UPDATE report_counter SET n = n + 1 WHERE claimed = 1",
        "UPDATE hold_counter SET n = n + 1 WHERE reason = 'duplicate'",
        "DELETE FROM hold_counter",
        "UPDATE day_counter SET n = n - 1 WHERE what = 'claim'",
        "UPDATE day_counter SET n = n + 1 WHERE what = 'claim-anywhere'",
        "UPDATE day_counter SET day = day + 1 WHERE what = 'refusal'",
    ] {
        let fixture = filled(on).await;
        fixture.submit("HS4", 5).await;
        fixture.sound().await;
        fixture.sql(change).await;
        let found = faults(&fixture).await;
        assert!(
            found.contains(&Check::Counters) && found.contains(&Check::Projections),
            "{change}: {found:?}"
        );
        fixture.store.rebuild(&mut |_| {}).await.unwrap();
        fixture.sound().await;
    }
}

/// The whole database is rolled back, signatures included: only the checkpoints outside it reveal that.
async fn rolled_back_database_reported_by_verify(on: On) {
    let fixture = filled(on).await;
    let size = fixture.sql("SELECT MAX(size) FROM checkpoint").await[0];
    fixture.submit("HS4", 2).await;
    fixture.store.seal().await.unwrap();
    fixture
        .sql(&format!(
            "DELETE FROM journal WHERE commit_id IN (SELECT id FROM journal_commit WHERE position >= {size})"
        ))
        .await;
    fixture
        .sql(&format!("DELETE FROM journal_commit WHERE position >= {size}"))
        .await;
    fixture
        .sql(&format!("DELETE FROM checkpoint WHERE size > {size}"))
        .await;
    fixture
        .sql("DELETE FROM personal_value WHERE id NOT IN (SELECT value FROM journal WHERE value IS NOT NULL)")
        .await;
    fixture.store.rebuild(&mut |_| {}).await.unwrap();
    assert_eq!(faults(&fixture).await, [Check::RollBack]);
    let file = fixture.store.checkpoint_file().to_owned();
    std::fs::remove_file(file).unwrap();
    assert_eq!(faults(&fixture).await, [Check::RollBack], "the file must be there");
}

/// A forged commit is reported.
async fn forged_commit_reported_by_verify(on: On) {
    let fixture = filled(on).await;
    fixture
        .sql(
            "INSERT INTO journal_commit (id, at, entries, digest, mac, load, position) \
             SELECT 'forged', at, entries, digest, mac, NULL, NULL FROM journal_commit WHERE position = 0",
        )
        .await;
    assert!(faults(&fixture).await.contains(&Check::Commits));
}

/// A load forged without a key.
const EVIL: &str = "INSERT INTO load (id, name, digest, at, as_of, by_whom, scope, row_count, unreadable, state, beat) \
     VALUES ('evil', 'notices', '00', 1, '2023-07-31', 'x', NULL, 0, 0, 'open', 9000000000000000000);";

/// The tables that the edits below change.
const TOUCHED: [&str; 6] = [
    "journal",
    "journal_commit",
    "personal_value",
    "checkpoint",
    "load",
    "installation",
];

/// Edits of the journal by an attacker who can write the database but has no key, each with the check that finds it.
const EDITS: [(&str, Check); 35] = [
    (
        "UPDATE journal_commit SET at = at + 1 WHERE position = 0",
        Check::Commits,
    ),
    (
        "UPDATE journal_commit SET entries = entries + 1 WHERE position = 0",
        Check::Commits,
    ),
    (
        "UPDATE journal_commit SET digest = mac WHERE position = 0",
        Check::Commits,
    ),
    (
        "UPDATE journal_commit SET mac = digest WHERE position = 0",
        Check::Commits,
    ),
    (
        "UPDATE journal_commit SET load = NULL WHERE load IS NOT NULL",
        Check::Commits,
    ),
    (
        "UPDATE journal_commit SET load = 'gone' WHERE position = 0",
        Check::Commits,
    ),
    (
        "UPDATE journal_commit SET load = (SELECT MAX(id) FROM load) WHERE load IS NULL",
        Check::Commits,
    ),
    ("UPDATE journal_commit SET id = 'x' WHERE position = 0", Check::Commits),
    ("UPDATE journal_commit SET position = NULL", Check::Tree),
    (
        "UPDATE journal_commit SET position = NULL WHERE position = 1",
        Check::Tree,
    ),
    (
        "UPDATE journal_commit SET position = NULL WHERE position = (SELECT MAX(position) FROM journal_commit)",
        Check::Tree,
    ),
    (
        "UPDATE journal_commit SET position = position + 1000 WHERE position = (SELECT MAX(position) FROM journal_commit)",
        Check::Tree,
    ),
    (
        "DELETE FROM journal_commit WHERE position = (SELECT MAX(position) FROM journal_commit)",
        Check::Tree,
    ),
    ("DELETE FROM journal_commit", Check::Tree),
    ("DELETE FROM journal", Check::Commits),
    (
        "INSERT INTO journal SELECT commit_id, 77, at, effective, kind, version, subject_kind, subject, by_whom, run, clause, body, \
      value, commitment, mac FROM journal WHERE kind = 'claim-made'",
        Check::Commits,
    ),
    (
        "UPDATE journal SET ord = ord + 100 WHERE kind = 'claim-made'",
        Check::Entries,
    ),
    (
        "UPDATE journal SET at = at + 1 WHERE kind = 'claim-made'",
        Check::Entries,
    ),
    (
        "UPDATE journal SET kind = 'claim-ended' WHERE kind = 'claim-made'",
        Check::Entries,
    ),
    (
        "UPDATE journal SET version = 2 WHERE kind = 'claim-made'",
        Check::Entries,
    ),
    (
        "UPDATE journal SET subject_kind = 'person' WHERE kind = 'claim-made'",
        Check::Entries,
    ),
    (
        "UPDATE journal SET value = NULL WHERE kind = 'claim-made'",
        Check::Entries,
    ),
    (
        "UPDATE journal SET commitment = mac WHERE kind = 'claim-made'",
        Check::Entries,
    ),
    (
        "UPDATE journal SET mac = commitment WHERE kind = 'claim-made'",
        Check::Entries,
    ),
    ("UPDATE personal_value SET salt = sealed", Check::Entries),
    ("DELETE FROM personal_value", Check::Entries),
    (
        "UPDATE checkpoint SET root = (SELECT digest FROM journal_commit WHERE position = 0)",
        Check::Tree,
    ),
    ("UPDATE checkpoint SET frontier = root", Check::Tree),
    ("UPDATE checkpoint SET note = ''", Check::Tree),
    ("UPDATE checkpoint SET size = size + 100", Check::Tree),
    ("DELETE FROM checkpoint", Check::RollBack),
    (
        "DELETE FROM checkpoint WHERE size = (SELECT MAX(size) FROM checkpoint)",
        Check::RollBack,
    ),
    // An import that nobody began.
    (
        "INSERT INTO load (id, name, digest, at, as_of, by_whom, scope, row_count, unreadable, state, beat, mac) \
         SELECT 'evil', name, digest, at, as_of, by_whom, scope, row_count, unreadable, 'open', 0, mac FROM load WHERE name = 'units'",
        Check::Grants,
    ),
    ("UPDATE installation SET keyring = 'others'", Check::Invariants),
    ("DELETE FROM installation", Check::Invariants),
];

/// Such edits of the loads.
const LOAD_EDITS: [&str; 8] = [
    EVIL,
    "INSERT INTO load SELECT 'evil', name, digest, at, as_of, by_whom, scope, row_count, unreadable, 'applied', beat, mac FROM load WHERE name = 'units'",
    "UPDATE load SET state = 'open' WHERE name = 'citizens'",
    "UPDATE load SET state = 'waiting' WHERE name = 'units'",
    "UPDATE load SET state = 'x' WHERE name = 'units'",
    "UPDATE load SET digest = '00' WHERE name = 'registry'",
    "UPDATE load SET name = 'notices' WHERE name = 'registry'",
    "DELETE FROM load WHERE name = 'registry'",
];

/// Each edit of the journal or of a load is reported.
async fn journal_edits_reported_by_verify(on: On) {
    let fixture = filled(on).await;
    fixture.keep(&TOUCHED).await;
    let loads = LOAD_EDITS.map(|edit| (edit, Check::Loads));
    for (edit, check) in EDITS.into_iter().chain(loads) {
        fixture.script(edit).await;
        let found = faults(&fixture).await;
        assert!(found.contains(&check), "{edit}: {found:?}");
        fixture.put_back(&TOUCHED).await;
    }
    fixture.sound().await;
}

/// The tables of imported evidence and of runs.
const EVIDENCE_TABLES: [&str; 9] = [
    "registry",
    "registry_former",
    "unit",
    "notice",
    "quarantine",
    "reference",
    "load",
    "run",
    "run_line",
];

/// Such edits of the evidence.
const EVIDENCE: [&str; 39] = [
    "DELETE FROM registry",
    "DELETE FROM registry WHERE number_fp IN (SELECT f.number_fp FROM registry_former f)",
    "UPDATE registry SET status = 'revoked'",
    "UPDATE registry SET number_fp = (SELECT f.former_fp FROM registry_former f) WHERE number_fp = (SELECT f.number_fp FROM registry_former f)",
    "DELETE FROM registry_former",
    "UPDATE registry_former SET former_fp = number_fp",
    "INSERT INTO registry_former SELECT load, number_fp, former_fp FROM registry_former",
    "DELETE FROM unit WHERE code = 'V'",
    "UPDATE unit SET body = REPLACE(body, 'Đơn vị', 'Xã')",
    "UPDATE unit SET body = REPLACE(body, '\"B\"', '\"A\"') WHERE code = 'V'",
    "INSERT INTO unit SELECT load, 'X', body FROM unit WHERE code = 'V'",
    "DELETE FROM notice",
    "UPDATE notice SET ord = ord + 1",
    "UPDATE notice SET number_fp = sealed",
    "UPDATE reference SET load = 'x' WHERE name = 'registry'",
    "DELETE FROM reference WHERE name = 'notices'",
    "DELETE FROM quarantine",
    "UPDATE quarantine SET reason = 'bad-value'",
    "UPDATE quarantine SET ended_by = 'x'",
    "UPDATE quarantine SET code_fp = NULL, number_fp = NULL, name_fp = sealed",
    "UPDATE quarantine SET row_no = row_no || '9'",
    "UPDATE load SET row_count = row_count + 1",
    "UPDATE load SET unreadable = unreadable + 1",
    "UPDATE load SET as_of = '2020-01-01'",
    "UPDATE load SET by_whom = 'x'",
    "UPDATE load SET at = at + 1",
    "UPDATE load SET scope = 'A'",
    "UPDATE run SET state = 'waiting'",
    "UPDATE run SET state = 'undone'",
    "UPDATE run SET as_of = '2020-01-01'",
    "UPDATE run SET by_whom = 'x'",
    "UPDATE run SET approved = 1",
    "UPDATE run SET newly_held = newly_held + 1",
    "UPDATE run SET guard = 'x'",
    "UPDATE run SET seen = NULL",
    "DELETE FROM run",
    "DELETE FROM run_line",
    "UPDATE run_line SET body = '{}'",
    "INSERT INTO run_line SELECT run, 'x', body, digest FROM run_line WHERE account = (SELECT MAX(l.account) FROM run_line l)",
];

/// Each edit of evidence is reported.
async fn evidence_edits_reported_by_verify(on: On) {
    let fixture = lived_in(on).await;
    fixture.sound().await;
    fixture.keep(&EVIDENCE_TABLES).await;
    for edit in EVIDENCE {
        fixture.script(edit).await;
        let found = faults(&fixture).await;
        assert!(found.contains(&Check::Loads), "{edit}: {found:?}");
        fixture.put_back(&EVIDENCE_TABLES).await;
    }
    fixture.sound().await;
    // A key rotation changes nothing about imported data.
    fixture.store.rotate_keys(&mut |_| {}).await.unwrap();
    fixture.sound().await;
    fixture.store.rebuild(&mut |_| {}).await.unwrap();
    fixture.sound().await;
}

/// Removes the hold of HS2, and everything that follows from it.
const FREED: &str =
    "DELETE FROM hold WHERE account = 'HS2'; UPDATE account_row SET generation = 0, held_to = '' WHERE id = 'HS2';";
/// Assigns the commit of that hold to a load that never ends.
const SILENCED: &str = "UPDATE journal_commit SET load = 'evil' WHERE id = (SELECT MAX(commit_id) FROM journal WHERE kind = 'hold-placed');";

/// A sealed commit cannot be hidden by assigning it to a load.
async fn sealed_commit_assigned_to_forged_load_is_reported(on: On) {
    let fixture = filled(on).await;
    fixture.script(&format!("{EVIL}{SILENCED}{FREED}")).await;
    let found = faults(&fixture).await;
    for check in [Check::Commits, Check::Loads] {
        assert!(found.contains(&check), "{check:?}: {found:?}");
    }
    the_hold_is_missed(&fixture).await;
    fixture.script("DELETE FROM load WHERE id = 'evil'").await;
    fixture.store.rebuild(&mut |_| {}).await.unwrap();
    let holds = fixture.store.holds(None, DAY).await.unwrap();
    assert!(!holds["HS2"].reasons.is_empty(), "it is held again");
}

/// The MAC of such a commit does not cover the load.
async fn first_version_commit_of_forged_load_is_reported(on: On) {
    let fixture = filled(on).await;
    first_version_of_all(&fixture).await;
    fixture.sound().await;
    fixture.script(&format!("{EVIL}{SILENCED}{FREED}")).await;
    let found = faults(&fixture).await;
    assert!(found.contains(&Check::Loads), "{found:?}");
    assert!(!found.contains(&Check::Commits));
    the_hold_is_missed(&fixture).await;
    fixture.script("DELETE FROM load WHERE id = 'evil'").await;
    let found = faults(&fixture).await;
    assert!(found.contains(&Check::Loads), "a load that is not there: {found:?}");
}

/// The hold is in the journal, whatever the load's state.
async fn the_hold_is_missed(fixture: &Fixture) {
    let found = fixture.store.verify(&mut |_| {}).await.unwrap().faults;
    for (check, fault) in [
        (Check::Projections, "hold HS2: is missing"),
        (Check::Loads, "load evil is open, and commits of it are sealed"),
    ] {
        assert!(found.contains(&(check, fault.to_owned())), "{found:?}");
    }
}

/// Turns every commit into one of the first version of the program.
async fn first_version_of_all(fixture: &Fixture) {
    for position in 0..fixture.sql("SELECT MAX(position) + 1 FROM journal_commit").await[0] {
        let of = format!("FROM journal_commit WHERE position = {position}");
        let mut leaf = fixture.text(&format!("SELECT id {of}")).await.into_bytes();
        leaf.extend(fixture.sql(&format!("SELECT at {of}")).await[0].to_be_bytes());
        leaf.extend(fixture.sql(&format!("SELECT entries {of}")).await[0].to_be_bytes());
        let digest = fixture.text(&format!("SELECT {} {of}", fixture.hex_of("digest"))).await;
        leaf.extend(
            (0..digest.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&digest[at..at + 2], 16).unwrap()),
        );
        let mac = fixture.literal(&fixture.store.keys().mac(&[b"commit", &leaf]));
        fixture
            .script(&format!(
                "UPDATE journal_commit SET mac = {mac} WHERE position = {position}"
            ))
            .await;
    }
}

/// Sealed data are never deleted, even if their load appears dead.
async fn sealed_data_never_deleted_with_discarded_load(on: On) {
    let fixture = filled(on).await;
    let there = [
        "SELECT COUNT(*) FROM journal",
        "SELECT COUNT(*) FROM journal_commit",
        "SELECT COUNT(*) FROM personal_value",
    ];
    let mut before = Vec::new();
    for sql in there {
        before.extend(fixture.sql(sql).await);
    }
    fixture.script(EVIL).await;
    fixture
        .script("UPDATE load SET beat = 0 WHERE id = 'evil'; UPDATE journal_commit SET load = 'evil'")
        .await;
    fixture.units().await;
    let mut after = Vec::new();
    for sql in there {
        after.extend(fixture.sql(sql).await);
    }
    // The units added one entry.
    assert_eq!(after, [before[0] + 1, before[1] + 1, before[2]]);
    assert!(faults(&fixture).await.contains(&Check::Loads));
}

/// An applied load that was reopened is reported, and a rebuild repairs it.
async fn reopened_load_reported_and_rebuilt(on: On) {
    let fixture = filled(on).await;
    fixture
        .script("UPDATE load SET state = 'open', beat = 0 WHERE name IN ('registry', 'citizens')")
        .await;
    assert!(faults(&fixture).await.contains(&Check::Loads));
    // Its accounts still exist, and nothing of it is deleted.
    fixture.store.explain("HS4", DAY).await.unwrap();
    let refused = fixture.store.begin_load(incoming("units", 4, None), None).await.err();
    assert!(matches!(refused, Some(StoreError::Corrupt { .. })), "{refused:?}");
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM registry").await, [2]);
    fixture.store.rebuild(&mut |_| {}).await.unwrap();
    fixture.sound().await;
    fixture.units().await;
}

/// A commit that is kept from the tree is reported.
async fn commit_missing_from_tree_reported_by_verify(on: On) {
    let fixture = filled(on).await;
    fixture.submit("HS4", 2).await;
    fixture
        .script("UPDATE journal_commit SET position = -1 WHERE position IS NULL")
        .await;
    fixture.clock.move_on(120);
    fixture.submit("HS4", 1).await;
    fixture.store.seal().await.unwrap();
    fixture
        .script("UPDATE journal_commit SET position = NULL WHERE position = -1")
        .await;
    let found = fixture.store.verify(&mut |_| {}).await.unwrap().faults;
    assert!(found.iter().any(|(_, at)| at.contains("is not sealed")), "{found:?}");
    fixture.store.seal().await.unwrap();
    assert_ne!(faults(&fixture).await, [Check::Tree], "sealed late, in its place");
}

/// The tree is continued only from a signed checkpoint.
async fn tree_continues_only_from_signed_checkpoint(on: On) {
    let fixture = filled(on).await;
    fixture.submit("HS4", 5).await;
    fixture.sound().await;
    fixture
        .script("UPDATE checkpoint SET frontier = (SELECT c.frontier FROM checkpoint c ORDER BY size LIMIT 1)")
        .await;
    fixture.submit("HS4", 2).await;
    let refused = fixture.store.seal().await.err();
    assert!(matches!(refused, Some(StoreError::Corrupt { .. })), "{refused:?}");
}
