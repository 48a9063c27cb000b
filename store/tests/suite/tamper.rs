//! What `verify` finds, and what `rebuild` mends.

use crate::both;
use crate::house::{House, On, citizen};
use ngomon_store::Check;

both! {
    an_entry_that_was_changed_shows
    an_entry_or_a_commit_that_was_removed_shows
    commits_in_another_order_show
    a_value_that_was_swapped_shows
    a_table_that_was_changed_shows_and_is_mended
    a_counter_off_by_one_shows_and_is_mended
    a_roll_back_shows
    a_forged_commit_shows
}

/// Four accounts, one of them standardised, another a duplicate; everything sealed.
async fn filled(on: On) -> House {
    let house = House::new(on).await;
    house.units().await;
    house.registry(&[1, 2]).await;
    house
        .citizens(vec![
            citizen("HS1", 1),
            citizen("HS2", 1),
            citizen("HS3", 3),
            citizen("HS4", 4),
        ])
        .await;
    house.submit("HS1", 1).await;
    house.submit("HS3", 2).await;
    house.sound().await;
    house
}

async fn faults(house: &House) -> Vec<Check> {
    let found = house.store.verify(&mut |_| {}).await.unwrap();
    let mut checks: Vec<Check> = found.faults.iter().map(|(check, _)| *check).collect();
    checks.dedup();
    checks
}

async fn an_entry_that_was_changed_shows(on: On) {
    for change in [
        "UPDATE journal SET by_whom = 'nobody' WHERE kind = 'claim-made'",
        "UPDATE journal SET effective = effective + 1 WHERE kind = 'claim-made'",
        "UPDATE journal SET body = REPLACE(body, 'form', 'vneid') WHERE kind = 'claim-made'",
        "UPDATE journal SET clause = '108/1' WHERE kind = 'claim-made'",
        "UPDATE journal SET subject = 'HS4' WHERE kind = 'claim-made'",
        "UPDATE journal SET run = 'x' WHERE kind = 'claim-made'",
    ] {
        let house = filled(on).await;
        house.sql(change).await;
        assert!(faults(&house).await.contains(&Check::Entries), "{change}");
    }
}

async fn an_entry_or_a_commit_that_was_removed_shows(on: On) {
    let house = filled(on).await;
    house.sql("DELETE FROM journal WHERE kind = 'hold-placed'").await;
    assert!(faults(&house).await.contains(&Check::Commits));
    let house = filled(on).await;
    house
        .sql("DELETE FROM journal WHERE commit_id = (SELECT MIN(commit_id) FROM journal WHERE kind = 'claim-made')")
        .await;
    house
        .sql("DELETE FROM journal_commit WHERE position = (SELECT MAX(position) - 1 FROM journal_commit)")
        .await;
    assert!(faults(&house).await.contains(&Check::Tree));
}

async fn commits_in_another_order_show(on: On) {
    let house = filled(on).await;
    house
        .sql("UPDATE journal_commit SET position = -1 WHERE position = 1")
        .await;
    house
        .sql("UPDATE journal_commit SET position = 1 WHERE position = 2")
        .await;
    house
        .sql("UPDATE journal_commit SET position = 2 WHERE position = -1")
        .await;
    assert!(faults(&house).await.contains(&Check::Tree));
}

async fn a_value_that_was_swapped_shows(on: On) {
    let house = filled(on).await;
    house
        .sql("UPDATE personal_value SET sealed = (SELECT sealed FROM personal_value ORDER BY id LIMIT 1) WHERE id = (SELECT MAX(id) FROM personal_value)")
        .await;
    assert!(faults(&house).await.contains(&Check::Entries));
    let house = filled(on).await;
    house
        .sql("DELETE FROM personal_value WHERE id = (SELECT MAX(id) FROM personal_value)")
        .await;
    assert!(faults(&house).await.contains(&Check::Entries));
}

async fn a_table_that_was_changed_shows_and_is_mended(on: On) {
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
        let house = filled(on).await;
        house.sql(change).await;
        assert!(faults(&house).await.contains(&Check::Projections), "{change}");
        house.store.rebuild(&mut |_| {}).await.unwrap();
        assert_eq!(faults(&house).await, [], "{change}");
        house.submit("HS4", 2).await;
        house.sound().await;
    }
}

async fn a_counter_off_by_one_shows_and_is_mended(on: On) {
    for change in [
        "UPDATE report_counter SET n = n + 1 WHERE claimed = 1",
        "UPDATE hold_counter SET n = n + 1 WHERE reason = 'duplicate'",
        "DELETE FROM hold_counter",
        "UPDATE day_counter SET n = n - 1 WHERE what = 'claim'",
        "UPDATE day_counter SET n = n + 1 WHERE what = 'claim-anywhere'",
        "UPDATE day_counter SET day = day + 1 WHERE what = 'refusal'",
    ] {
        let house = filled(on).await;
        house.submit("HS4", 5).await;
        house.sound().await;
        house.sql(change).await;
        let found = faults(&house).await;
        assert!(
            found.contains(&Check::Counters) && found.contains(&Check::Projections),
            "{change}: {found:?}"
        );
        house.store.rebuild(&mut |_| {}).await.unwrap();
        house.sound().await;
    }
}

/// Everything in the database goes back together, signatures and all: only what is kept outside tells.
async fn a_roll_back_shows(on: On) {
    let house = filled(on).await;
    let size = house.sql("SELECT MAX(size) FROM checkpoint").await[0];
    house.submit("HS4", 2).await;
    house.store.seal().await.unwrap();
    house
        .sql(&format!(
            "DELETE FROM journal WHERE commit_id IN (SELECT id FROM journal_commit WHERE position >= {size})"
        ))
        .await;
    house
        .sql(&format!("DELETE FROM journal_commit WHERE position >= {size}"))
        .await;
    house.sql(&format!("DELETE FROM checkpoint WHERE size > {size}")).await;
    house.store.rebuild(&mut |_| {}).await.unwrap();
    assert_eq!(faults(&house).await, [Check::RollBack]);
    let file = house.store.checkpoint_file().to_owned();
    std::fs::remove_file(file).unwrap();
    assert_eq!(faults(&house).await, [Check::RollBack], "the file must be there");
}

async fn a_forged_commit_shows(on: On) {
    let house = filled(on).await;
    house
        .sql(
            "INSERT INTO journal_commit (id, at, entries, digest, mac, load, position) \
             SELECT 'forged', at, entries, digest, mac, NULL, NULL FROM journal_commit WHERE position = 0",
        )
        .await;
    assert!(faults(&house).await.contains(&Check::Commits));
}
