//! Tests of what ends open sessions and grants: a sign-out, a new password, a counter; in races, and for all accounts that a password
//! opens.

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen, official, profile};
use crate::openid::{URI, allowed, at_once, hues, id, is_good, known, tokens};
use ngomon_rules::client::Scope;
use ngomon_store::{Factor, Refusal, RegisteredClient, StoreError};
use std::sync::Arc;

both! {
    tokens_issued_during_session_end_are_revoked
    proof_before_new_password_opens_no_session
    new_password_ends_sessions_of_all_accounts_of_login
    sign_out_notifies_clients_with_offline_tokens
    ending_other_sessions_keeps_tokens_of_current_one
}

async fn citizens(on: On) -> (Arc<Fixture>, RegisteredClient) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1, 2]).await;
    fixture.citizens(vec![citizen("C1", 1), citizen("C2", 2)]).await;
    let mut client = hues("Một");
    client.events_uri = Some("https://hues.example/events".into());
    let client = known(&fixture.store, client).await;
    (Arc::new(fixture), client)
}

/// A client redeems the code at the moment when the owner ends the session.
async fn tokens_issued_during_session_end_are_revoked(on: On) {
    let (fixture, client) = citizens(on).await;
    for round in 0..24_u32 {
        let session = fixture.store.begin_session(&id("C1")).await.unwrap();
        let asking = {
            let (fixture, client, session) = (fixture.clone(), client.clone(), session.clone());
            let mut wanted = allowed(&client);
            // Grants that end with the session, and, where a new password is set, also those that would outlive it.
            wanted.scope = if round % 3 == 0 {
                wanted.scope
            } else {
                vec![Scope::Openid]
            };
            tokio::spawn(at_once((0..4).map(move |_| {
                let (fixture, client, session, wanted) =
                    (fixture.clone(), client.clone(), session.clone(), wanted.clone());
                async move {
                    let code = fixture.store.issue_code(session.as_str(), wanted).await.unwrap()?;
                    let redeemed = fixture.store.redeem_code(&client, &code, Some(URI), None, None);
                    redeemed.await.unwrap()
                }
            })))
        };
        let store = &fixture.store;
        match round % 3 {
            0 => store.set_password(&id("C1"), "$argon2id$", "mới").await.unwrap(),
            1 => store.close_session(session.as_str()).await.unwrap(),
            _ => {
                let another = store.begin_session(&id("C1")).await.unwrap();
                store
                    .close_other_sessions(&id("C1"), another.as_str())
                    .await
                    .map(drop)
                    .unwrap();
            }
        }
        for given in asking.await.unwrap().into_iter().flatten() {
            assert!(!is_good(store, &given.access).await, "round {round}");
            assert!(
                store
                    .refresh(&client, &given.refresh, None, None)
                    .await
                    .unwrap()
                    .is_none()
            );
        }
    }
    fixture.sound().await;
}

/// A proof from before a new password opens no session.
async fn proof_before_new_password_opens_no_session(on: On) {
    let (fixture, _) = citizens(on).await;
    let (store, account) = (&fixture.store, id("C1"));
    let before = store.now();
    store.set_password(&account, "$argon2id$", "mới").await.unwrap();
    for factor in [Factor::Password, Factor::Code] {
        match store.begin_session_by(&account, factor, before).await.map(drop) {
            Err(StoreError::Refused(refusal)) => assert_eq!(refusal, Refusal::NewPassword("C1".into())),
            other => panic!("{other:?}"),
        }
    }
    store
        .begin_session_by(&id("C2"), Factor::Password, before)
        .await
        .unwrap();
    let of_now = store
        .begin_session_by(&account, Factor::Password, store.now())
        .await
        .unwrap();
    let [credential] = &store.credentials("user-C1").await.unwrap()[..] else {
        panic!("one account")
    };
    let checked = store.now();
    store.rehash(credential, "$argon2id$again").await.unwrap();
    store
        .begin_session_by(&account, Factor::Password, checked)
        .await
        .expect("the same password, kept in another way");
    assert!(store.session(of_now.as_str()).await.unwrap().is_some());
    store.rebuild(&mut |_| {}).await.unwrap();
    assert!(
        store
            .begin_session_by(&account, Factor::Password, before)
            .await
            .is_err()
    );
    fixture.sound().await;
}

/// After a transfer the previous account and the new one have one login.
async fn new_password_ends_sessions_of_all_accounts_of_login(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials(vec![official(1, "A"), official(2, "A")]).await;
    fixture.profiles(vec![profile(1, "B"), profile(2, "A")]).await;
    let store = &fixture.store;
    let run = store.reconcile(DAY, "hr").await.unwrap();
    let [new] = &run.created[..] else {
        panic!("one account is made")
    };
    let client = known(store, hues("Một")).await;
    let (of_new, of_other) = (
        tokens(store, &client, new.as_str()).await,
        tokens(store, &client, "CV002").await,
    );
    let session = store.begin_session(new).await.unwrap();
    store.set_password(&id("CV001"), "$argon2id$", "mới").await.unwrap();
    assert!(store.session(session.as_str()).await.unwrap().is_none());
    assert!(!is_good(store, &of_new.access).await);
    assert!(
        store
            .refresh(&client, &of_new.refresh, None, None)
            .await
            .unwrap()
            .is_none()
    );
    assert!(is_good(store, &of_other.access).await);
    fixture.sound().await;
}

/// OpenID Connect Back-Channel Logout, 2.7: the refresh token lives on, the session does not.
async fn sign_out_notifies_clients_with_offline_tokens(on: On) {
    let (fixture, client) = citizens(on).await;
    let store = &fixture.store;
    let session = store.begin_session(&id("C1")).await.unwrap();
    let mut given = Vec::new();
    for scope in [vec![Scope::Openid], vec![Scope::Openid, Scope::OfflineAccess]] {
        let mut wanted = allowed(&client);
        wanted.scope = scope;
        let code = store.issue_code(session.as_str(), wanted).await.unwrap().unwrap();
        let redeemed = store.redeem_code(&client, &code, Some(URI), None, None).await.unwrap();
        given.push(redeemed.unwrap());
    }
    let signing_out = at_once((0..4).map(|_| {
        let (fixture, session) = (fixture.clone(), session.clone());
        async move { fixture.store.close_session(session.as_str()).await.unwrap() }
    }));
    signing_out.await;
    let told = store.notices(10).await.unwrap();
    let mut kinds: Vec<_> = told.iter().map(|one| one.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["logout", "session-revoked"], "once, of the one session");
    assert!(!is_good(store, &given[0].access).await);
    assert!(is_good(store, &given[1].access).await);
    let next = store.refresh(&client, &given[1].refresh, None, None).await.unwrap();
    assert!(next.is_some());
}

/// Ending the other sessions keeps the tokens of the current one.
async fn ending_other_sessions_keeps_tokens_of_current_one(on: On) {
    let (fixture, client) = citizens(on).await;
    let store = &fixture.store;
    let elsewhere = tokens(store, &client, "C1").await;
    let here = store.begin_session(&id("C1")).await.unwrap();
    let code = store
        .issue_code(here.as_str(), allowed(&client))
        .await
        .unwrap()
        .unwrap();
    let given = store
        .redeem_code(&client, &code, Some(URI), None, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(store.close_other_sessions(&id("C1"), here.as_str()).await.unwrap(), 1);
    assert!(!is_good(store, &elsewhere.access).await);
    assert!(is_good(store, &given.access).await);
    assert!(store.session(here.as_str()).await.unwrap().is_some());
}
