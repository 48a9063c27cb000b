//! Tests that nobody gets the program to put its MAC on forged rows (a confused deputy): decisions use only rows whose MAC was verified.
//! Each row is edited between two steps, used, and restored.

use crate::both;
use crate::counter::order;
use crate::fixture::{DAY, Fixture, On, citizen, form, official, profile};
use crate::furnished::device;
use crate::openid::{hues, id, known, tokens};
use crate::operators::refused;
use ngomon_rules::citizens::{Outcome, RegistryAnswer};
use ngomon_rules::event::ProposedAct;
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_store::{Ceremony, Check, PasskeyStorage, Refusal, StoreError};

both! {
    forged_login_gets_no_password_or_passkey
    forged_login_not_inherited_by_new_account
    forged_pending_form_is_not_answered
    forged_subject_is_not_given_to_client
    forged_proposal_cannot_be_approved
    forged_setting_is_not_used_for_form
    recovery_code_used_once_despite_deleted_rows
    forged_sign_in_step_or_draft_is_refused
    commit_without_valid_mac_is_not_sealed
    delayed_seal_is_reported
    foreign_triggers_and_views_reported_by_verify
}

fn is_corrupt<T>(done: Result<T, StoreError>) -> bool {
    matches!(done, Err(StoreError::Corrupt { .. }))
}

async fn faults(fixture: &Fixture) -> Vec<Check> {
    let found = fixture.store.verify(&mut |_| {}).await.unwrap().faults;
    found.into_iter().map(|(check, _)| check).collect()
}

/// A password or a passkey is stored only for a login whose MAC verifies.
async fn forged_login_gets_no_password_or_passkey(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A"), official(2, "A")]).await;
    let store = &fixture.store;
    store
        .add_passkey(&id("CV002"), device("of the second"), "news")
        .await
        .unwrap();
    let edits = [
        "UPDATE account_row SET login = (SELECT b.login FROM account_row b WHERE b.id = 'CV001') WHERE id = 'CV002'",
        // With the MAC of the other account, too.
        "UPDATE account_row SET login = (SELECT b.login FROM account_row b WHERE b.id = 'CV001'), \
         mac = (SELECT b.mac FROM account_row b WHERE b.id = 'CV001') WHERE id = 'CV002'",
    ];
    let entries = fixture.sql("SELECT COUNT(*) FROM journal").await;
    let tables = ["account_row", "login", "passkey"];
    fixture.keep(&tables).await;
    for edit in edits {
        fixture.script(edit).await;
        assert!(is_corrupt(store.set_password(&id("CV002"), "hash", "news").await));
        assert!(is_corrupt(
            store.add_passkey(&id("CV002"), device("mine"), "news").await
        ));
        assert!(is_corrupt(store.passkey_owner(&id("CV002")).await));
        fixture.put_back(&tables).await;
    }
    assert_eq!(fixture.sql("SELECT COUNT(*) FROM journal").await, entries);
    // The passkey is verified again when it opens an account.
    let known = store
        .known_passkey(&device("of the second").credential)
        .await
        .unwrap()
        .unwrap();
    fixture
        .script("UPDATE passkey SET login = (SELECT b.login FROM account_row b WHERE b.id = 'CV001')")
        .await;
    assert!(
        store
            .use_passkey(&known.id, 1, PasskeyStorage::InDevice)
            .await
            .unwrap()
            .is_empty()
    );
    fixture.put_back(&tables).await;
    fixture.sound().await;
    store.set_password(&id("CV002"), "hash", "news").await.unwrap();
    fixture.sound().await;
}

/// A new account inherits the previous login only if its MAC verifies.
async fn forged_login_not_inherited_by_new_account(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials((0..3).map(|n| official(n, "A")).collect()).await;
    let at = |unit| (0..3).map(|n| profile(n, if n == 1 { unit } else { "A" })).collect();
    fixture.profiles(at("A")).await;
    fixture.store.reconcile(DAY, "hr").await.unwrap();
    fixture.profiles(at("B")).await;
    fixture.keep(&["account_row"]).await;
    fixture
        .script("UPDATE account_row SET login = (SELECT b.login FROM account_row b WHERE b.id = 'CV002') WHERE id = 'CV001'")
        .await;
    assert!(is_corrupt(fixture.store.reconcile(DAY, "hr").await));
    fixture.put_back(&["account_row"]).await;
    let run = fixture.store.reconcile(DAY, "hr").await.unwrap();
    assert!(run.stopped_by.is_empty());
    let same = "SELECT COUNT(*) FROM account_row a JOIN account_row b ON a.login = b.login AND a.id < b.id";
    assert_eq!(fixture.sql(same).await, [1]);
    fixture.sound().await;
}

/// A pending form whose row was forged is not answered.
async fn forged_pending_form_is_not_answered(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1]).await;
    fixture.citizens(vec![citizen("HS1", 1), citizen("HS2", 90)]).await;
    let sent = fixture
        .store
        .standardise_as_answered(&form("HS1", 1), "HS1", RegistryAnswer::Unavailable, true)
        .await
        .unwrap();
    assert_eq!(sent.outcome, Outcome::Pending);
    fixture.keep(&["submission"]).await;
    for edit in [
        "UPDATE submission SET account = 'HS2'",
        "UPDATE submission SET account = 'HS2', proof = 'counter', papers = 'id-card'",
        "UPDATE submission SET proof = 'counter', papers = 'id-card'",
        "UPDATE submission SET phone_proven = 0",
        "UPDATE submission SET effective = effective + 1",
    ] {
        fixture.script(edit).await;
        assert!(fixture.store.pending_forms().await.unwrap().is_empty(), "{edit}");
        assert_eq!(fixture.store.retry_pending("system").await.unwrap(), 0);
        assert!(faults(&fixture).await.contains(&Check::Projections), "{edit}");
        fixture.put_back(&["submission"]).await;
    }
    assert_eq!(fixture.store.retry_pending("system").await.unwrap(), 1);
    let lines = fixture.store.holds(Some(AccountKind::Citizen), DAY).await.unwrap();
    assert!(lines.iter().all(|(account, line)| line.claimed == (account == "HS1")));
    fixture.sound().await;
}

/// A client is given no subject identifier that was planted in the database.
async fn forged_subject_is_not_given_to_client(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    fixture.citizens(vec![citizen("C1", 1), citizen("C2", 2)]).await;
    let (one, two) = (
        known(&fixture.store, hues("one")).await,
        known(&fixture.store, hues("two")).await,
    );
    tokens(&fixture.store, &one, "C1").await;
    let victims = fixture.store.subject_of(&one.id, &id("C1")).await.unwrap().unwrap();
    let empty = fixture.literal(b"");
    fixture
        .script(&format!(
            "INSERT INTO client_subject (client, account, subject, mac, taken_over) VALUES ('{}', 'C2', '{victims}', {empty}, 0)",
            two.id
        ))
        .await;
    tokens(&fixture.store, &one, "C2").await;
    fixture
        .script(&format!(
            "DELETE FROM client_subject WHERE account = 'C2' AND client = '{}'",
            two.id
        ))
        .await;
    let own = fixture.store.subject_of(&one.id, &id("C2")).await.unwrap().unwrap();
    assert_ne!(own, victims);
    // A succession that is not in the journal does not count.
    fixture
        .script(&format!(
            "INSERT INTO succession (account, succeeds, mac) VALUES ('C2', 'C1', {empty})"
        ))
        .await;
    let former = fixture.store.former_subjects(&one.id, &id("C2")).await.unwrap();
    assert!(former.is_empty(), "{former:?}");
}

/// A proposal whose row was forged cannot be approved.
async fn forged_proposal_cannot_be_approved(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let (an, binh) = (fixture.operator("an").await, fixture.operator("binh").await);
    fixture.operator("chi").await;
    let act = ProposedAct::RemovePasskeys {
        account: AccountId::of_operator("chi"),
    };
    let receipt = fixture.store.propose_act(&an, act, "mất máy").await.unwrap();
    fixture.keep(&["proposed_act"]).await;
    for edit in [
        "UPDATE proposed_act SET proposed_by = 'operator:binh'",
        "UPDATE proposed_act SET body = REPLACE(body, 'chi', 'binh')",
        "UPDATE proposed_act SET at = at + 1",
    ] {
        fixture.script(edit).await;
        for operator in [&an, &binh] {
            let done = fixture.store.approve_act(operator, &receipt, "news").await;
            assert!(matches!(refused(done), Refusal::UnknownProposal(_)), "{edit}");
        }
        fixture.put_back(&["proposed_act"]).await;
    }
    fixture.store.approve_act(&binh, &receipt, "news").await.unwrap();
    // It is closed, and stays so.
    fixture.script("UPDATE proposed_act SET state = 'waiting'").await;
    let done = fixture.store.approve_act(&binh, &receipt, "news").await;
    assert!(matches!(refused(done), Refusal::UnknownProposal(_)));
}

/// A form is checked by settings of the journal only.
async fn forged_setting_is_not_used_for_form(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1]).await;
    fixture.citizens(vec![citizen("HS1", 1)]).await;
    let empty = fixture.literal(b"");
    for (name, value) in [("campaign.form-code", "off"), ("campaign.issue-date-required", "off")] {
        fixture
            .script(&format!(
                "INSERT INTO setting (name, value, mac) VALUES ('{name}', '{value}', {empty})"
            ))
            .await;
        assert!(is_corrupt(fixture.store.campaign().await), "{name}");
        let form = form("HS1", 1);
        let sent = fixture
            .store
            .standardise_as_answered(&form, "HS1", RegistryAnswer::NotFound, true)
            .await;
        assert!(is_corrupt(sent), "{name}");
        fixture
            .script(&format!("DELETE FROM setting WHERE name = '{name}'"))
            .await;
    }
    fixture
        .script(&format!(
            "INSERT INTO setting (name, value, mac) VALUES ('installation.sandbox', 'on', {empty})"
        ))
        .await;
    assert!(!fixture.store.is_sandbox().await.unwrap());
    fixture
        .script("DELETE FROM setting WHERE name = 'installation.sandbox'")
        .await;
    fixture.sound().await;
}

/// A recovery code is used once, even if the row of its use is deleted.
async fn recovery_code_used_once_despite_deleted_rows(on: On) {
    let fixture = Fixture::new(on).await;
    let link = fixture.store.add_operator("an", "root").await.unwrap();
    let codes = fixture.store.enrol(&link, "hash", 1).await.unwrap();
    let account = AccountId::of_operator("an");
    let store = &fixture.store;
    assert!(store.use_recovery_code(&account, &codes[0]).await.unwrap().is_some());
    fixture.script("DELETE FROM recovery_used").await;
    assert!(store.use_recovery_code(&account, &codes[0]).await.unwrap().is_none());
    assert!(faults(&fixture).await.contains(&Check::Projections));
    store.rebuild(&mut |_| {}).await.unwrap();
    fixture.sound().await;
    assert!(store.use_recovery_code(&account, &codes[1]).await.unwrap().is_some());
}

/// A step of a sign-in and a draft are valid only for their owner, and until their expiry.
async fn forged_sign_in_step_or_draft_is_refused(on: On) {
    let fixture = Fixture::new(on).await;
    let store = &fixture.store;
    let in_browser = |browser| Ceremony::Step { step: "reset", browser };
    let name = store.begin_ceremony(in_browser("mine"), "state").await.unwrap();
    let elsewhere = store.end_ceremony(in_browser("another"), &name).await.unwrap();
    assert_eq!(elsewhere, None);
    let state = store.end_ceremony(in_browser("mine"), &name).await.unwrap();
    assert_eq!(state.as_deref(), Some("state"));
    assert_eq!(store.end_ceremony(in_browser("mine"), &name).await.unwrap(), None);
    let name = store.begin_ceremony(in_browser("mine"), "state").await.unwrap();
    fixture
        .script("UPDATE ceremony SET good_until = good_until + 3600000000")
        .await;
    fixture.clock.move_on(600);
    let late = store.end_ceremony(in_browser("mine"), &name).await;
    assert!(!matches!(late, Ok(Some(_))), "{late:?}");

    store.keep_draft(&id("C1"), &form("C1", 1).form).await.unwrap();
    for (edit, of) in [
        ("UPDATE draft SET account = 'C2'", "C2"),
        (
            "UPDATE draft SET account = 'C1', good_until = good_until + 3600000000",
            "C1",
        ),
    ] {
        fixture.script(edit).await;
        assert!(store.draft(&id(of)).await.is_err(), "{edit}");
    }
    fixture
        .script("UPDATE draft SET good_until = good_until - 3600000000")
        .await;
    assert!(store.draft(&id("C1")).await.unwrap().is_some());
}

/// A commit without a valid MAC is not sealed, and is reported.
async fn commit_without_valid_mac_is_not_sealed(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.store.seal().await.unwrap();
    let some = fixture.literal(&[7; 32]);
    fixture
        .script(&format!(
            "INSERT INTO journal_commit (id, at, entries, digest, mac) VALUES ('garbage', 1, 0, {some}, {some})"
        ))
        .await;
    fixture.registry(&[1]).await;
    fixture.store.seal().await.unwrap();
    let open = "SELECT COUNT(*) FROM journal_commit WHERE position IS NULL";
    assert_eq!(fixture.sql(open).await, [1]);
    assert!(fixture.store.is_seal_late().await.unwrap());
    let found = faults(&fixture).await;
    assert!(
        found.contains(&Check::Commits) && found.contains(&Check::Tree),
        "{found:?}"
    );
    // After its removal, nothing is left of it.
    fixture.script("DELETE FROM journal_commit WHERE id = 'garbage'").await;
    fixture.sound().await;
}

/// An attacker who delays the sealing could delete committed entries before they are in the tree.
async fn delayed_seal_is_reported(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("HS1", 1)]).await;
    let an = fixture.operator("an").await;
    fixture.store.seal().await.unwrap();
    fixture.store.hold_by_order(&an, &id("HS1"), &order("1")).await.unwrap();
    fixture
        .script(
            "INSERT INTO load (id, name, digest, at, as_of, by_whom, scope, row_count, unreadable, state, beat) \
             VALUES ('zz', 'notices', '00', 1, '2023-07-31', 'x', NULL, 0, 0, 'open', 9000000000000000); \
             UPDATE journal_commit SET load = 'zz' WHERE position IS NULL",
        )
        .await;
    fixture.store.seal().await.unwrap();
    assert!(!fixture.store.is_seal_late().await.unwrap());
    fixture.clock.move_on(20);
    assert!(fixture.store.is_seal_late().await.unwrap());
    fixture.clock.move_on(60);
    assert!(faults(&fixture).await.contains(&Check::Tree));
    // An import in progress delays nobody.
    fixture
        .script("UPDATE journal_commit SET load = NULL WHERE load = 'zz'; DELETE FROM load WHERE id = 'zz'")
        .await;
    fixture.store.seal().await.unwrap();
    let mut load = fixture.open("citizens", 1).await;
    load.accounts(vec![citizen("HS2", 2)]).await.unwrap();
    fixture.clock.move_on(20);
    assert!(!fixture.store.is_seal_late().await.unwrap());
    load.finish().await.unwrap();
    fixture.sound().await;
}

/// Triggers, views and other objects that are not of the schema are reported.
async fn foreign_triggers_and_views_reported_by_verify(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.citizens(vec![citizen("HS1", 1)]).await;
    fixture.sound().await;
    let (trigger, no_trigger) = match on {
        On::Sqlite => (
            "CREATE TRIGGER t AFTER DELETE ON ceremony BEGIN DELETE FROM hold; END",
            "DROP TRIGGER t",
        ),
        On::Postgres => (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
             CREATE TRIGGER t AFTER DELETE ON ceremony FOR EACH ROW EXECUTE FUNCTION f()",
            "DROP TRIGGER t ON ceremony; DROP FUNCTION f()",
        ),
    };
    let view = "ALTER TABLE hold RENAME TO hold_; CREATE VIEW hold AS SELECT * FROM hold_ WHERE account <> 'HS1'";
    for (edit, back) in [
        (trigger, no_trigger),
        (view, "DROP VIEW hold; ALTER TABLE hold_ RENAME TO hold"),
        (
            "DROP VIEW account; CREATE VIEW account AS SELECT a.* FROM account_row a WHERE a.id <> 'HS1'",
            "",
        ),
        (
            "DROP INDEX claim_in_force",
            "CREATE UNIQUE INDEX claim_in_force ON claim (person) WHERE until IS NULL",
        ),
    ] {
        fixture.script(edit).await;
        assert!(faults(&fixture).await.contains(&Check::Integrity), "{edit}");
        if back.is_empty() {
            fixture.store.rebuild(&mut |_| {}).await.unwrap();
        } else {
            fixture.script(back).await;
        }
    }
}
