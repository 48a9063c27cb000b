//! Tests that an attacker who can write the database, but has no key, gains nothing: each row that grants access is edited and then used.

use crate::both;
use crate::fixture::{Fixture, On, citizen, official, phone};
use crate::openid::{allowed, hues, id, is_good, known, tokens};
use ngomon_rules::client::Scope;
use ngomon_store::{Check, CodeCheck, IssuedTokens, NewPasskey, Purpose, Requester, SessionToken, Store, StoreError};
use sha2::{Digest as _, Sha256};

both! {
    forged_session_opens_nothing
    forged_grant_or_client_row_gives_no_access
    used_code_and_token_stay_used_after_row_edit
    forged_link_consent_or_signing_key_is_refused
    forged_credential_opens_no_other_account
    forged_journal_entry_gives_no_access_after_rebuild
    forged_sandbox_setting_reveals_no_codes
    forged_one_time_code_row_is_refused
    database_recognises_its_own_keyring
    forged_security_event_is_not_delivered
}

/// Two citizens, two officials with passwords, an operator.
async fn lived_in(on: On) -> Fixture {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    let with_phone = |account: &str, n| {
        let mut row = citizen(account, n);
        row.stated.phone = Some(phone(n));
        row.password_hash = Some(format!("{{SSHA}}{account}"));
        row
    };
    fixture.citizens(vec![with_phone("C1", 1), with_phone("C2", 2)]).await;
    fixture.officials(vec![official(1, "A"), official(2, "A")]).await;
    fixture.submit("C1", 1).await;
    fixture
}

/// Each edit gives no access and is found by `verify`; then it is reverted.
async fn each(fixture: &Fixture, tables: &[&str], check: Check, edits: &[&str], granted: impl AsyncFn() -> bool) {
    fixture.keep(tables).await;
    assert!(granted().await, "before anything is edited");
    for edit in edits {
        fixture.script(edit).await;
        assert!(!granted().await, "{edit}");
        let found = fixture.store.verify(&mut |_| {}).await.unwrap().faults;
        assert!(found.iter().any(|(of, _)| *of == check), "{edit}: {found:?}");
        fixture.put_back(tables).await;
        assert!(granted().await, "after {edit}");
    }
    for table in tables {
        fixture.script(&format!("DROP TABLE kept_{table}")).await;
    }
}

async fn is_open(fixture: &Fixture, token: &SessionToken) -> bool {
    fixture.store.session(token.as_str()).await.unwrap().is_some()
}

/// A session that was edited or inserted in the database opens nothing.
async fn forged_session_opens_nothing(on: On) {
    let fixture = lived_in(on).await;
    fixture.operator("an").await;
    let token = fixture.store.begin_session(&id("C1")).await.unwrap();
    let edits = [
        "UPDATE session SET account = 'C2'",
        "UPDATE session SET account = 'operator:an'",
        "UPDATE session SET held = 1 - held",
        "UPDATE session SET began = began + 1",
        "UPDATE session SET sid = 'x'",
        "UPDATE session SET amr = 'mfa otp pwd'",
        "UPDATE session SET mac = NULL",
        "UPDATE session SET generation = 1; UPDATE account_row SET generation = 1",
        "UPDATE session SET mac = (SELECT s.mac FROM session s WHERE s.account = 'operator:an')",
    ];
    each(
        &fixture,
        &["session", "account_row"],
        Check::Grants,
        &edits,
        async || is_open(&fixture, &token).await,
    )
    .await;
    // A session that never began: for a cookie of the attacker's own.
    let client = known(&fixture.store, hues("Một")).await;
    let cookie = fixture.store.new_token();
    let digest = fixture.literal(&Sha256::digest(cookie.as_str()));
    for account in ["C2", "operator:an"] {
        fixture
            .script(&format!(
                "INSERT INTO session (id, account, held, generation, put_off, began, seen, sid, amr, mac) \
                 SELECT {digest}, '{account}', 0, 0, 0, began, seen, 'x', 'mfa', mac FROM session WHERE account = 'C1'"
            ))
            .await;
        assert!(!is_open(&fixture, &cookie).await, "{account}");
        assert!(
            fixture
                .store
                .issue_code(cookie.as_str(), allowed(&client))
                .await
                .unwrap()
                .is_none()
        );
        fixture
            .script(&format!("DELETE FROM session WHERE id = {digest}"))
            .await;
    }
    // The attacker's own account becomes neither an operator's nor another person's.
    let edits = [
        "UPDATE account_row SET kind = 'operator' WHERE id = 'C1'",
        "UPDATE account_row SET login = 'x' WHERE id = 'C1'",
    ];
    each(&fixture, &["account_row"], Check::Projections, &edits, async || {
        is_open(&fixture, &token).await
    })
    .await;
    fixture.sound().await;
}

/// A grant, a token or a client whose row was edited gives no access.
async fn forged_grant_or_client_row_gives_no_access(on: On) {
    let fixture = lived_in(on).await;
    let store = &fixture.store;
    let client = known(store, hues("Một")).await;
    let other = known(store, hues("Hai")).await;
    let mine = tokens(store, &client, "C1").await;
    tokens(store, &other, "C2").await;
    let edits = [
        "UPDATE client_grant SET account = 'C2' WHERE account = 'C1'",
        "UPDATE client_grant SET scope = 'openid offline_access profile'",
        "UPDATE client_grant SET session = NULL, good_until = good_until + 1",
        "UPDATE client_grant SET auth_time = auth_time + 1",
        "UPDATE client_grant SET amr = 'mfa'",
        "UPDATE client_grant SET sid = 'x'",
        "UPDATE client_grant SET mac = NULL",
        "UPDATE issued SET scope = 'openid profile'",
        "UPDATE issued SET good_until = good_until + 1",
        "UPDATE issued SET client = (SELECT MAX(i.client) FROM issued i), client_generation = 0, mac = NULL",
        "UPDATE issued SET client_grant = (SELECT g.id FROM client_grant g WHERE g.account = 'C2')",
        "UPDATE issued SET bound = 'x'",
        "UPDATE issued SET audience = (SELECT MAX(c.id) FROM client c), audience_generation = 0",
    ];
    let tables = ["client_grant", "issued"];
    each(&fixture, &tables, Check::Grants, &edits, async || {
        is_good(store, &mine.access).await
    })
    .await;
    // The journal's record of the client, and the client's name for the account.
    let edits = [
        "UPDATE client_subject SET subject = 'x' WHERE account = 'C1'",
        "UPDATE account_row SET kind = 'official' WHERE id = 'C1'",
    ];
    each(
        &fixture,
        &["client_subject", "account_row"],
        Check::Projections,
        &edits,
        async || is_good(store, &mine.access).await,
    )
    .await;
    let edits = [
        "UPDATE client SET secret = old_secret",
        "UPDATE client SET old_secret = secret, old_until = 9000000000000000",
        "UPDATE client SET enabled = 0",
        "UPDATE client SET generation = generation + 1",
        "UPDATE client SET body = REPLACE(body, 'hues.example', 'evil.example')",
    ];
    each(&fixture, &["client"], Check::Projections, &edits, async || {
        store
            .client(client.id.as_str())
            .await
            .is_ok_and(|known| known.is_some())
    })
    .await;
    // An access token is no refresh token.
    fixture
        .script("UPDATE issued SET kind = 'refresh' WHERE kind = 'access'")
        .await;
    assert!(
        store
            .refresh(&client, &mine.access, None, None)
            .await
            .unwrap()
            .is_none()
    );
    fixture
        .script("UPDATE issued SET kind = 'access' WHERE used IS NOT NULL AND kind = 'refresh'")
        .await;
}

/// A redeemed code or token stays redeemed, even if its row is reset.
async fn used_code_and_token_stay_used_after_row_edit(on: On) {
    let fixture = lived_in(on).await;
    let store = &fixture.store;
    let client = known(store, hues("Một")).await;
    let session = store.begin_session(&id("C1")).await.unwrap();
    let code = store
        .issue_code(session.as_str(), allowed(&client))
        .await
        .unwrap()
        .unwrap();
    let redeem = async || -> Option<IssuedTokens> {
        store
            .redeem_code(&client, &code, Some(crate::openid::URI), None, None)
            .await
            .unwrap()
    };
    let first = redeem().await.unwrap();
    let next = store
        .refresh(&client, &first.refresh, None, None)
        .await
        .unwrap()
        .unwrap();
    fixture.sound().await;
    fixture.script("UPDATE issued SET used = NULL").await;
    assert!(redeem().await.is_none());
    assert!(
        store
            .refresh(&client, &first.refresh, None, None)
            .await
            .unwrap()
            .is_none()
    );
    assert!(is_good(store, &next.access).await);
}

/// An enrolment link, a consent or a signing key whose row was edited is refused.
async fn forged_link_consent_or_signing_key_is_refused(on: On) {
    let fixture = lived_in(on).await;
    let store = &fixture.store;
    let link = store.add_operator("an", "test").await.unwrap();
    store.add_operator("binh", "test").await.unwrap();
    let edits = [
        "UPDATE enrolment SET operator = 'chi'",
        "UPDATE enrolment SET good_until = good_until + 1",
        "UPDATE enrolment SET mac = (SELECT e.mac FROM enrolment e WHERE e.operator = 'binh')",
    ];
    each(&fixture, &["enrolment"], Check::Grants, &edits, async || {
        let good = store.enrolment(&link).await.unwrap();
        good.is_some_and(|good| good.operator == "an")
    })
    .await;
    fixture.script("UPDATE enrolment SET operator = 'binh'").await;
    assert!(store.enrol(&link, "{SSHA}x", 1).await.is_err());

    let client = known(store, hues("Một")).await;
    store.consent(&id("C1"), &client.id, &[Scope::Openid]).await.unwrap();
    let edits = [
        "UPDATE consent SET scope = 'openid profile'",
        "UPDATE consent SET account = 'C2'",
        "UPDATE consent SET at = at + 1",
        "UPDATE consent SET mac = NULL",
    ];
    each(&fixture, &["consent"], Check::Grants, &edits, async || {
        store
            .has_consent(&id("C1"), &client.id, &[Scope::Openid])
            .await
            .unwrap()
    })
    .await;
    fixture
        .script("INSERT INTO consent SELECT 'C2', client, scope, at, mac FROM consent")
        .await;
    assert!(
        !store
            .has_consent(&id("C2"), &client.id, &[Scope::Openid])
            .await
            .unwrap()
    );
    fixture.script("DELETE FROM consent WHERE account = 'C2'").await;

    store.tend_signing_keys().await.unwrap();
    let published = store.published_keys().await.unwrap();
    let edits = [
        "UPDATE signing_key SET good_until = 1",
        "UPDATE signing_key SET signs_from = signs_from - 1",
        "UPDATE signing_key SET began = began - 1",
        "UPDATE signing_key SET algorithm = 'ES256'",
        "UPDATE signing_key SET mac = NULL",
    ];
    each(&fixture, &["signing_key"], Check::Grants, &edits, async || {
        let same = store.published_keys().await.unwrap() == published;
        same && store.signing_key(&published[0].id).await.unwrap().is_some()
    })
    .await;
}

/// The accounts of a user name, with the hash that the password must match.
async fn means(fixture: &Fixture, username: &str) -> Vec<(String, Option<String>)> {
    let found = fixture.store.credentials(username).await.unwrap();
    found
        .into_iter()
        .map(|one| (one.account.0, one.password_hash))
        .collect()
}

/// Credentials whose row was edited open no other account.
async fn forged_credential_opens_no_other_account(on: On) {
    let fixture = lived_in(on).await;
    let store = &fixture.store;
    fixture.operator("an").await;
    fixture.operator("binh").await;
    let passkey = NewPasskey {
        name: "máy".into(),
        credential: b"credential".to_vec(),
        key: "key".into(),
    };
    store.add_passkey(&id("CV001"), passkey, "news").await.unwrap();
    let edits = [
        "UPDATE login SET value = (SELECT l.value FROM login l JOIN account_row a ON a.login = l.id WHERE a.id = 'C2') \
         WHERE id = (SELECT login FROM account_row WHERE id = 'C1')",
        "UPDATE account_row SET login = (SELECT a.login FROM account_row a WHERE a.id = 'C2') WHERE id = 'C1'",
        "UPDATE account_row SET kind = 'operator' WHERE id = 'C1'",
        "UPDATE login SET changed = changed + 1",
    ];
    each(
        &fixture,
        &["login", "account_row"],
        Check::Projections,
        &edits,
        // Then no user name and no password opens C1.
        async || {
            let mut opened = means(&fixture, "user-C1").await;
            opened.extend(means(&fixture, "user-C2").await);
            opened.iter().any(|(account, hash)| account == "C1" && hash.is_some())
        },
    )
    .await;
    let edits =
        ["UPDATE operator SET value = (SELECT o.value FROM operator o WHERE o.name = 'binh') WHERE name = 'an'"];
    each(&fixture, &["operator"], Check::Projections, &edits, async || {
        store.totp_secret(&id("operator:an")).await.is_ok()
    })
    .await;
    let edits = [
        "UPDATE passkey SET login = (SELECT login FROM account_row WHERE id = 'CV002')",
        "UPDATE passkey SET added = added + 1",
    ];
    each(&fixture, &["passkey"], Check::Projections, &edits, async || {
        store.known_passkey(b"credential").await.unwrap().is_some()
    })
    .await;
    // Where a code goes, and which claims clients get.
    let edits = [
        "UPDATE account_row SET value = (SELECT a.value FROM account_row a WHERE a.id = 'C1') WHERE id = 'C2'",
        "INSERT INTO claim SELECT 'C2', since, until, 'x', proof, value, number_fp, phone_fp, name_fp, ord, mac FROM claim",
    ];
    each(
        &fixture,
        &["account_row", "claim"],
        Check::Projections,
        &edits,
        async || {
            // Nobody else's phone is returned in place of the account's own.
            store.reach(&id("C2")).await.is_ok() && store.about(&id("C2")).await.is_ok()
        },
    )
    .await;
    fixture.sound().await;
}

/// A forged journal entry gives no access, even after a rebuild.
async fn forged_journal_entry_gives_no_access_after_rebuild(on: On) {
    let fixture = lived_in(on).await;
    fixture
        .script(
            "UPDATE journal SET value = (SELECT j.value FROM journal j WHERE j.subject = 'C1' AND j.kind = 'account-taken-over'), \
             commitment = (SELECT j.commitment FROM journal j WHERE j.subject = 'C1' AND j.kind = 'account-taken-over') \
             WHERE subject = 'C2' AND kind = 'account-taken-over'",
        )
        .await;
    fixture.store.rebuild(&mut |_| {}).await.unwrap();
    assert_eq!(
        means(&fixture, "user-C1").await.len(),
        1,
        "C2 is not opened by the password of C1"
    );
    assert!(matches!(
        fixture.store.reach(&id("C2")).await,
        Err(StoreError::Corrupt { .. })
    ));
}

/// A setting that is not in the journal does not turn the sandbox on, which would reveal codes.
async fn forged_sandbox_setting_reveals_no_codes(on: On) {
    let fixture = lived_in(on).await;
    fixture
        .script(&format!(
            "INSERT INTO setting VALUES ('installation.sandbox', 'on', {})",
            fixture.literal(b"mac")
        ))
        .await;
    assert!(!fixture.store.is_sandbox().await.unwrap());
    fixture
        .script(
            "INSERT INTO journal SELECT commit_id, 99, at, effective, 'setting-changed', version, 'setting', 'installation.sandbox', \
             by_whom, run, clause, '{\"kind\":\"setting-changed\",\"from\":\"off\",\"to\":\"on\"}', NULL, NULL, mac \
             FROM journal WHERE kind = 'claim-made'",
        )
        .await;
    assert!(!fixture.store.is_sandbox().await.unwrap());
    let empty = Fixture::new(on).await;
    empty.store.begin_sandbox("test").await.unwrap();
    assert!(empty.store.is_sandbox().await.unwrap());
}

/// A one-time code whose subject or expiry was edited is refused.
async fn forged_one_time_code_row_is_refused(on: On) {
    let fixture = lived_in(on).await;
    let store = &fixture.store;
    let reach = store.reach(&id("C1")).await.unwrap();
    let to = ngomon_store::CodeRecipient {
        subject: "C1".into(),
        reach,
    };
    let (who, text) = (Requester::Stranger("192.0.2.1".into()), |digits: &str| {
        digits.to_owned()
    });
    let to = [to];
    let sent = store.send_codes("holder", Purpose::Reset, &who, &[], &to, text);
    sent.await.unwrap();
    let digits = store.messages(1).await.unwrap().remove(0).text;
    fixture.script("UPDATE one_time_code SET subject = 'C2'").await;
    assert!(matches!(
        store.try_code("holder", Purpose::Reset, &digits).await.unwrap(),
        CodeCheck::Wrong(_)
    ));
    fixture
        .script("UPDATE one_time_code SET subject = 'C1', good_until = good_until + 600000000")
        .await;
    assert!(matches!(
        store.try_code("holder", Purpose::Reset, &digits).await.unwrap(),
        CodeCheck::Wrong(_)
    ));
    fixture
        .script("UPDATE one_time_code SET good_until = good_until - 600000000")
        .await;
    assert_eq!(
        store.try_code("holder", Purpose::Reset, &digits).await.unwrap(),
        CodeCheck::Right(vec!["C1".into()])
    );
}

/// A database recognises the keyring it was created with.
async fn database_recognises_its_own_keyring(on: On) {
    let (fixture, other) = (Fixture::new(on).await, Fixture::new(on).await);
    assert!(Store::is_of_keys(&fixture.places.data, &fixture.places.keys).await);
    assert!(!Store::is_of_keys(&fixture.places.data, &other.places.keys).await);
    let empty = Fixture::empty(on).await.places();
    assert!(!Store::is_of_keys(&empty.data, &fixture.places.keys).await);
    assert!(!Store::is_of_keys(&fixture.places.data, &empty.keys).await);
}

/// A security event whose row was edited is not delivered.
async fn forged_security_event_is_not_delivered(on: On) {
    let fixture = lived_in(on).await;
    let store = &fixture.store;
    let client = known(store, hues("Một")).await;
    let session = store.begin_session(&id("C1")).await.unwrap();
    store
        .issue_code(session.as_str(), allowed(&client))
        .await
        .unwrap()
        .unwrap();
    store.close_session(session.as_str()).await.unwrap();
    fixture.keep(&["client_notice", "client", "client_subject"]).await;
    let put_back = async || fixture.put_back(&["client_notice", "client", "client_subject"]).await;
    for edit in [
        "UPDATE client_notice SET kind = 'account-enabled'",
        "UPDATE client_notice SET subject = 'x'",
        "UPDATE client_notice SET sid = 'x'",
        "UPDATE client_notice SET account = 'C2'",
        "UPDATE client SET body = REPLACE(body, 'hues.example', 'evil.example')",
    ] {
        fixture.script(edit).await;
        assert!(store.due_notices(&client.id, 9).await.unwrap().is_empty(), "{edit}");
        assert!(!store.verify(&mut |_| {}).await.unwrap().faults.is_empty(), "{edit}");
        put_back().await;
    }
    assert_eq!(store.due_notices(&client.id, 9).await.unwrap().len(), 1);
    put_back().await;
    fixture.sound().await;
}
