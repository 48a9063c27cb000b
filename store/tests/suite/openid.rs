//! Tests of codes, tokens and grants: they are used once, valid only while nothing holds the account, and never revived; over restarts and
//! races, too.

use crate::both;
use crate::counter::order;
use crate::fixture::{Fixture, On, citizen, official, profile};
use ngomon_rules::client::{Algorithm, Authentication, Client, Scope, SubjectKind};
use ngomon_rules::event::Change;
use ngomon_rules::hold::Cause;
use ngomon_rules::records::AccountId;
use ngomon_store::{
    AuthorizedRequest, Check, Delivery, GrantParameters, IssuedTokens, KeyLine, KeyState, Location, PendingDelivery,
    Refusal, RegisteredClient, Store, StoreError,
};
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;
use std::time::Duration;

both! {
    clients_and_subjects_rebuilt_from_journal
    code_and_refresh_token_used_once_across_servers
    subject_assigned_once_in_simultaneous_requests
    tokens_issued_during_hold_do_not_survive_it
    restart_neither_revives_nor_ends_tokens
    one_commit_notifies_all_clients_of_all_accounts
    reused_refresh_token_gets_successor_within_grace_period
    seed_of_successor_token_is_erased
    a_client_is_edited_and_its_subjects_stay
    edited_client_gains_and_releases_resources
    imported_subjects_are_used_for_client
    signing_keys_replaced_on_request
    expired_session_notifies_its_clients
    refresh_extends_session_except_for_operators
    event_delivered_by_one_server_at_a_time
    failed_event_does_not_delay_another
    waiting_events_become_due_after_successful_delivery
    event_refused_while_others_pass_is_retried_later
    hold_and_lift_events_delivered_in_order
    removed_client_gets_no_more_events
    resent_event_is_recorded_in_journal
    signing_keys_created_once_and_published_before_use
    sweep_deletes_expired_grants_and_tokens
    join_gives_client_the_former_subject
    revoked_consent_ends_grants_of_that_client
    resource_token_active_while_both_clients_enabled
    resource_claimed_by_one_of_simultaneous_clients
    data_from_before_resources_are_migrated
}

/// Runs all futures at the same time.
pub async fn at_once<T: Send + 'static>(
    all: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let all: Vec<_> = all.into_iter().map(tokio::spawn).collect();
    let mut done = Vec::new();
    for one in all {
        done.push(one.await.unwrap());
    }
    done
}

/// A test that hangs fails after it. Nothing is measured by it.
const HANGS: Duration = Duration::from_mins(2);

pub const URI: &str = "https://hues.example/cb";

pub fn id(id: &str) -> AccountId {
    AccountId(id.into())
}

pub fn hues(name: &str) -> Client {
    let mut client = Client::new(name, vec![URI.to_owned()]);
    client.without_pkce = true;
    client.backchannel_logout_uri = Some("https://hues.example/logout".to_owned());
    client
}

pub async fn known(store: &Store, client: Client) -> RegisteredClient {
    let new = store.add_client(client, "test").await.unwrap();
    store.client(new.id.as_str()).await.unwrap().unwrap()
}

pub fn allowed(known: &RegisteredClient) -> AuthorizedRequest {
    AuthorizedRequest {
        client: known.id.as_str().to_owned(),
        redirect_uri: URI.to_owned(),
        redirect_named: true,
        challenge: None,
        scope: vec![Scope::Openid, Scope::OfflineAccess],
        given: GrantParameters::default(),
        pushed: None,
    }
}

async fn code(store: &Store, known: &RegisteredClient, account: &str) -> String {
    let session = store.begin_session(&id(account)).await.unwrap();
    store
        .issue_code(session.as_str(), allowed(known))
        .await
        .unwrap()
        .unwrap()
}

async fn redeem(store: &Store, known: &RegisteredClient, code: &str) -> Option<IssuedTokens> {
    store.redeem_code(known, code, Some(URI), None, None).await.unwrap()
}

pub async fn tokens(store: &Store, known: &RegisteredClient, account: &str) -> IssuedTokens {
    redeem(store, known, &code(store, known, account).await).await.unwrap()
}

pub async fn is_good(store: &Store, token: &str) -> bool {
    store.token(token).await.unwrap().is_some()
}

impl Fixture {
    async fn two_citizens(&self) {
        self.units().await;
        self.registry(&[1, 2]).await;
        self.citizens(vec![citizen("C1", 1), citizen("C2", 2)]).await;
    }

    /// Another server on the same data.
    pub async fn second(&self) -> Store {
        Store::open(&self.places, false, self.environment()).await.unwrap()
    }
}

/// Clients and their subject identifiers are rebuilt from the journal.
async fn clients_and_subjects_rebuilt_from_journal(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let store = &fixture.store;
    let one = known(store, hues("Một")).await;
    let two = known(store, hues("Hai")).await;
    let given = tokens(store, &one, "C1").await;
    tokens(store, &two, "C1").await;
    store.rotate_client("Một", 60, "test").await.unwrap();
    store.disable_client("Hai", "test").await.unwrap();
    assert!(store.client("\0").await.unwrap().is_none());
    fixture.sound().await;
    store.rebuild(&mut |_| {}).await.unwrap();
    fixture.sound().await;
    assert_eq!(
        store.subject_of(&one.id, &id("C1")).await.unwrap(),
        Some(given.grant.subject.clone())
    );
    assert!(
        is_good(store, &given.access).await,
        "what is made anew from the journal ends nothing"
    );
    let there = store.clients().await.unwrap();
    let enabled: Vec<_> = there
        .iter()
        .map(|known| (known.client.name.as_str(), known.enabled))
        .collect();
    assert_eq!(enabled, [("Hai", false), ("Một", true)]);
    store.remove_client(one.id.as_str(), "test").await.unwrap();
    assert!(!is_good(store, &given.access).await);
    fixture.sound().await;
    assert!(store.add_client(hues("Hai"), "test").await.is_err(), "two of one name");
}

/// A code and a refresh token are used once, also by two servers at the same moment.
async fn code_and_refresh_token_used_once_across_servers(on: On) {
    let fixture = Arc::new(Fixture::new(on).await);
    fixture.two_citizens().await;
    let client = known(&fixture.store, hues("Một")).await;
    let stores = [fixture.store.clone(), fixture.second().await];
    for _ in 0..3 {
        let code = code(&stores[0], &client, "C1").await;
        let won = at_once((0..8).map(|n| {
            let (store, client, code) = (stores[n % 2].clone(), client.clone(), code.clone());
            async move { redeem(&store, &client, &code).await }
        }))
        .await;
        let won: Vec<IssuedTokens> = won.into_iter().flatten().collect();
        assert_eq!(won.len(), 1);
        assert!(!is_good(&stores[0], &won[0].access).await, "a code in two hands");
    }
    for _ in 0..3 {
        let first = tokens(&stores[0], &client, "C1").await;
        let won = at_once((0..8).map(|n| {
            let (store, client, token) = (stores[n % 2].clone(), client.clone(), first.refresh.clone());
            async move { store.refresh(&client, &token, None, None).await.unwrap() }
        }))
        .await;
        let won: Vec<IssuedTokens> = won.into_iter().map(Option::unwrap).collect();
        assert!(won.iter().all(|one| one.refresh == won[0].refresh), "one line");
        let last = stores[0].refresh(&client, &won[0].refresh, None, None).await.unwrap();
        let last = last.unwrap();
        let late = stores[1].refresh(&client, &first.refresh, None, None).await.unwrap();
        assert!(late.is_none(), "a refresh token in two hands");
        for ended in won.iter().chain([&last]) {
            assert!(!is_good(&stores[1], &ended.access).await);
        }
    }
    fixture.sound().await;
}

/// An account gets one subject identifier, also from simultaneous requests.
async fn subject_assigned_once_in_simultaneous_requests(on: On) {
    let fixture = Arc::new(Fixture::new(on).await);
    fixture.two_citizens().await;
    for n in 0..10 {
        let known = known(&fixture.store, hues(&format!("Hue-S {n}"))).await;
        let given = at_once((0..8).map(|_| {
            let (fixture, known) = (fixture.clone(), known.clone());
            async move { tokens(&fixture.store, &known, "C1").await.grant.subject }
        }))
        .await;
        let one = fixture.store.subject_of(&known.id, &id("C1")).await.unwrap();
        assert!(given.into_iter().all(|subject| Some(subject) == one));
    }
    fixture.sound().await;
}

/// No session or token issued while a hold is placed survives it.
async fn tokens_issued_during_hold_do_not_survive_it(on: On) {
    let fixture = Arc::new(Fixture::new(on).await);
    fixture.two_citizens().await;
    let client = known(&fixture.store, hues("Một")).await;
    let operator = fixture.operator("an").await;
    for round in 0..12 {
        let cause = format!("{round}");
        let first = tokens(&fixture.store, &client, "C1").await;
        let waiting = code(&fixture.store, &client, "C1").await;
        let session = fixture.store.begin_session(&id("C1")).await.unwrap();
        let mut racing: Vec<std::pin::Pin<Box<dyn Future<Output = Vec<String>> + Send>>> = Vec::new();
        let (h, by, order) = (fixture.clone(), operator.clone(), order(&cause));
        racing.push(Box::pin(async move {
            h.store.hold_by_order(&by, &id("C1"), &order).await.unwrap();
            vec![]
        }));
        let (h, c, token) = (fixture.clone(), client.clone(), first.refresh.clone());
        racing.push(Box::pin(async move {
            let next = h.store.refresh(&c, &token, None, None).await.unwrap();
            next.map(|next| vec![next.access, next.refresh]).unwrap_or_default()
        }));
        let (h, c) = (fixture.clone(), client.clone());
        racing.push(Box::pin(async move {
            let next = redeem(&h.store, &c, &waiting).await;
            next.map(|next| vec![next.access, next.refresh]).unwrap_or_default()
        }));
        let (h, c, s) = (fixture.clone(), client.clone(), session.clone());
        racing.push(Box::pin(async move {
            let code = h.store.issue_code(s.as_str(), allowed(&c)).await.unwrap();
            let Some(code) = code else { return vec![] };
            let next = redeem(&h.store, &c, &code).await;
            next.map(|next| vec![next.access, next.refresh]).unwrap_or_default()
        }));
        let visitors = vec![fixture.clone(); 4];
        let signing_in = visitors
            .into_iter()
            .map(|h| async move { h.store.begin_session(&id("C1")).await.unwrap() });
        let signing_in = tokio::spawn(at_once(signing_in));
        let given: Vec<String> = at_once(racing)
            .await
            .into_iter()
            .flatten()
            .chain([first.access])
            .collect();
        let sessions = signing_in.await.unwrap();
        for lifted in [false, true] {
            for token in &given {
                assert!(!is_good(&fixture.store, token).await, "lifted: {lifted}");
                assert!(
                    fixture
                        .store
                        .refresh(&client, token, None, None)
                        .await
                        .unwrap()
                        .is_none()
                );
            }
            if !lifted {
                let cause = Cause::order(&cause);
                fixture
                    .store
                    .lift_order(&operator, &id("C1"), &cause, "over")
                    .await
                    .unwrap();
            }
        }
        for session in sessions {
            let visit = fixture.store.session(session.as_str()).await.unwrap();
            assert!(
                visit.is_none_or(|visit| visit.held),
                "lifting the hold opened a session"
            );
        }
    }
    fixture.sound().await;
}

/// CVE-2026-9802: "revoked refresh replayable after restart".
async fn restart_neither_revives_nor_ends_tokens(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let client = known(&fixture.store, hues("Một")).await;
    let ended = tokens(&fixture.store, &client, "C1").await;
    fixture.store.revoke(&client, &ended.refresh).await.unwrap();
    let first = tokens(&fixture.store, &client, "C1").await;
    let next = fixture
        .store
        .refresh(&client, &first.refresh, None, None)
        .await
        .unwrap()
        .unwrap();
    let other = tokens(&fixture.store, &client, "C2").await;
    let again = fixture.second().await;
    assert!(!is_good(&again, &ended.access).await && !is_good(&again, &ended.refresh).await);
    assert!(
        again
            .refresh(&client, &ended.refresh, None, None)
            .await
            .unwrap()
            .is_none()
    );
    assert!(is_good(&again, &next.access).await && is_good(&again, &other.access).await);
    fixture.clock.move_on(31);
    assert!(
        again
            .refresh(&client, &first.refresh, None, None)
            .await
            .unwrap()
            .is_none(),
        "used before the restart"
    );
    assert!(
        !is_good(&again, &next.access).await,
        "and its being shown again ends the family"
    );
    assert!(
        again
            .refresh(&client, &other.refresh, None, None)
            .await
            .unwrap()
            .is_some()
    );
}

/// One commit notifies every client of every account that it holds.
async fn one_commit_notifies_all_clients_of_all_accounts(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.officials((1..=5).map(|n| official(n, "A1")).collect()).await;
    fixture.profiles((1..=5).map(|n| profile(n, "A1")).collect()).await;
    let store = &fixture.store;
    let (one, mut with_events) = (known(store, hues("Một")).await, hues("Hai"));
    with_events.events_uri = Some("https://hues.example/events".into());
    let two = known(store, with_events).await;
    let accounts: Vec<String> = (1..=5).map(|n| official(n, "A1").account.0).collect();
    let mut given = Vec::new();
    for account in &accounts {
        for client in [&one, &two] {
            given.push(tokens(store, client, account).await.access);
        }
    }
    let mut left: Vec<_> = (1..=5).map(|n| profile(n, "A1")).collect();
    for profile in &mut left {
        profile.status = ngomon_rules::records::ServiceStatus::Resigned;
        profile.updated_on = Some(crate::fixture::DAY);
    }
    fixture.profiles(left).await;
    let done = store.reconcile(crate::fixture::DAY, "test").await.unwrap();
    let told = store.notices(100).await.unwrap();
    let count = |client: &str, kind: &str| told.iter().filter(|n| n.client == client && n.kind == kind).count();
    // One for the account and one for the session by `sid`.
    assert_eq!([count("Một", "logout"), count("Hai", "logout")], [10, 10], "{done:?}");
    assert_eq!(
        [count("Hai", "session-revoked"), count("Hai", "account-disabled")],
        [5, 5]
    );
    assert_eq!(told.len(), 30);
    for token in &given {
        assert!(!is_good(store, token).await);
    }
}

/// ASVS 10.7.3: revoking a consent ends everything that the client has of this account, and nothing else.
async fn revoked_consent_ends_grants_of_that_client(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let store = &fixture.store;
    let client = |name: &str| Client {
        backchannel_logout_uri: Some("https://bank.example/logout".into()),
        third_party: true,
        ..Client::new(name, vec![URI.to_owned()])
    };
    let (bank, shop) = (known(store, client("A")).await, known(store, client("B")).await);
    let scopes = [Scope::Openid, Scope::Profile];
    store.consent(&id("C1"), &shop.id, &scopes).await.unwrap();
    fixture.clock.move_on(60);
    store.consent(&id("C1"), &bank.id, &scopes).await.unwrap();
    let allowed = store.consents(&id("C1")).await.unwrap();
    let names: Vec<&str> = allowed.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        (names.as_slice(), &allowed[0].scopes[..]),
        (["A", "B"].as_slice(), scopes.as_slice())
    );
    assert!(store.consents(&id("C2")).await.unwrap().is_empty());

    let gone = tokens(store, &bank, "C1").await;
    let waiting = code(store, &bank, "C1").await;
    let kept = [tokens(store, &bank, "C2").await, tokens(store, &shop, "C1").await];
    let told = store.notices(9).await.unwrap().len();
    store.withdraw_consent(&id("C2"), &bank.id).await.unwrap();
    assert!(
        is_good(store, &kept[0].access).await,
        "what was not allowed changes nothing"
    );
    store.withdraw_consent(&id("C1"), &bank.id).await.unwrap();
    assert!(!is_good(store, &gone.access).await && redeem(store, &bank, &waiting).await.is_none());
    assert!(store.refresh(&bank, &gone.refresh, None, None).await.unwrap().is_none());
    for one in &kept {
        assert!(is_good(store, &one.access).await);
    }
    assert!(!store.has_consent(&id("C1"), &bank.id, &[Scope::Openid]).await.unwrap());
    assert_eq!(store.consents(&id("C1")).await.unwrap().len(), 1);
    assert_eq!(
        store.notices(9).await.unwrap().len(),
        told + 2,
        "one for each session of the client"
    );
    fixture.sound().await;
}

/// A security event is taken up by one server, and by another one if that server dies.
async fn event_delivered_by_one_server_at_a_time(on: On) {
    let fixture = Arc::new(Fixture::new(on).await);
    fixture.two_citizens().await;
    let client = known(&fixture.store, hues("Một")).await;
    for account in ["C1", "C2"] {
        let session = fixture.store.begin_session(&id(account)).await.unwrap();
        let mut online = allowed(&client);
        online.scope = vec![Scope::Openid];
        fixture
            .store
            .issue_code(session.as_str(), online)
            .await
            .unwrap()
            .unwrap();
        fixture.store.close_session(session.as_str()).await.unwrap();
    }
    let stores = [fixture.store.clone(), fixture.second().await];
    let taken = at_once((0..6).map(|n| {
        let (store, client) = (stores[n % 2].clone(), client.id.clone());
        async move { store.due_notices(&client, 10).await.unwrap() }
    }))
    .await;
    let taken: Vec<_> = taken.into_iter().flatten().collect();
    assert_eq!(taken.len(), 2);
    let first = vec![(taken[0].clone(), Delivery::Taken)];
    fixture.store.settle_notices(&client.id, first).await.unwrap();
    assert!(stores[1].due_notices(&client.id, 10).await.unwrap().is_empty());
    fixture.clock.move_on(31);
    let again = stores[1].due_notices(&client.id, 10).await.unwrap();
    assert_eq!(again.len(), 1, "whoever took it up died");
    assert_eq!(again[0].id, taken[1].id);
}

/// Signing keys are created once, and published before they sign.
async fn signing_keys_created_once_and_published_before_use(on: On) {
    let fixture = Arc::new(Fixture::new(on).await);
    let stores = [fixture.store.clone(), fixture.second().await];
    at_once((0..4).map(|n| {
        let store = stores[n % 2].clone();
        async move { store.tend_signing_keys().await.unwrap() }
    }))
    .await;
    let first = fixture.store.published_keys().await.unwrap();
    assert_eq!(first.len(), Algorithm::ALL.len());
    assert!(first.iter().all(|key| key.signs));
    fixture.clock.move_on(91 * 24 * 3600);
    fixture.store.tend_signing_keys().await.unwrap();
    let both = stores[1].published_keys().await.unwrap();
    assert_eq!(both.len(), 2 * first.len());
    assert!(
        first.iter().all(|old| both.contains(old)),
        "the old ones go on signing for a day"
    );
    fixture.clock.move_on(24 * 3600);
    let turned = stores[1].published_keys().await.unwrap();
    assert_eq!(turned.iter().filter(|key| key.signs).count(), first.len());
    assert!(
        turned
            .iter()
            .filter(|key| key.signs)
            .all(|key| first.iter().all(|old| old.id != key.id))
    );
    assert_eq!(turned.len(), both.len(), "the old ones are published for one day more");
    fixture.clock.move_on(24 * 3600);
    fixture.store.tend_signing_keys().await.unwrap();
    assert_eq!(fixture.store.published_keys().await.unwrap().len(), first.len());
    assert!(fixture.store.signing_key(&first[0].id).await.unwrap().is_none());
}

/// The sweep deletes expired grants, tokens and pushed requests.
async fn sweep_deletes_expired_grants_and_tokens(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let client = known(&fixture.store, hues("Một")).await;
    tokens(&fixture.store, &client, "C1").await;
    fixture.store.push_request(&client.id, "a=b").await.unwrap();
    fixture.clock.move_on(200 * 24 * 3600);
    fixture.store.sweep().await.unwrap();
    for table in ["issued", "client_grant", "pushed_request", "session"] {
        assert_eq!(
            fixture.sql(&format!("SELECT COUNT(*) FROM {table}")).await,
            [0],
            "{table}"
        );
    }
}

/// After a join, the client gets the former subject identifier.
async fn join_gives_client_the_former_subject(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&[1]).await;
    fixture.citizens(vec![citizen("C1", 1), citizen("C2", 90)]).await;
    let client = known(&fixture.store, hues("Một")).await;
    let before = tokens(&fixture.store, &client, "C2").await;
    fixture.submit("C1", 1).await;
    fixture.submit("C2", 1).await;
    assert!(
        !is_good(&fixture.store, &before.access).await,
        "a duplicate from now on"
    );
    let join = ngomon_store::Join {
        held: id("C2"),
        holder: id("C1"),
        held_stays: false,
    };
    fixture.store.join(&join, "news").await.unwrap();
    tokens(&fixture.store, &client, "C1").await;
    let former = fixture.store.former_subjects(&client.id, &id("C1")).await.unwrap();
    assert_eq!(former, [before.grant.subject]);
    fixture.sound().await;
}

/// Resending a security event is recorded in the journal.
async fn resent_event_is_recorded_in_journal(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let store = &fixture.store;
    let client = known(store, hues("Một")).await;
    tokens(store, &client, "C1").await;
    let an = fixture.operator("an").await;
    store.hold_by_order(&an, &id("C1"), &order("1")).await.unwrap();
    let notice = store.notices(1).await.unwrap().remove(0).id;
    let due = store.due_notices(&client.id, 10).await.unwrap();
    let taken = due.into_iter().map(|one| (one, Delivery::Taken)).collect();
    store.settle_notices(&client.id, taken).await.unwrap();
    assert!(!store.resend_notice("none", an.by()).await.unwrap());
    assert!(store.resend_notice(&notice, an.by()).await.unwrap());
    assert!(store.notices(1).await.unwrap()[0].waits);
    for rebuilt in [false, true] {
        if rebuilt {
            store.rebuild(&mut |_| {}).await.unwrap();
        }
        let last = store
            .account_explanation("C1", crate::fixture::DAY)
            .await
            .unwrap()
            .history
            .pop()
            .unwrap();
        assert_eq!(last.by, "operator:an");
        let said = Change::NoticeResent {
            client: client.id.clone(),
            name: "Một".into(),
            notice: notice.clone(),
        };
        assert_eq!(last.change, said);
        fixture.sound().await;
    }
}

const API: &str = "https://kho.example/api";

fn service(name: &str) -> Client {
    let mut client = Client::new(name, Vec::new());
    client.resources = vec![API.to_owned()];
    client
}

/// Tokens for the service as resource server.
async fn for_api(store: &Store, known: &RegisteredClient, account: &str) -> IssuedTokens {
    let session = store.begin_session(&id(account)).await.unwrap();
    let mut allowed = allowed(known);
    allowed.given.resource = Some(API.to_owned());
    let code = store.issue_code(session.as_str(), allowed).await.unwrap().unwrap();
    redeem(store, known, &code).await.unwrap()
}

/// A token for a resource is active while both clients are enabled.
async fn resource_token_active_while_both_clients_enabled(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let (store, other) = (&fixture.store, fixture.second().await);
    let (client, api) = (known(store, hues("Một")).await, known(store, service("Kho")).await);
    assert!(store.has_resource(API).await.unwrap() && !store.has_resource("Kho").await.unwrap());
    for disabled in [&client, &api] {
        let client = store.client(client.id.as_str()).await.unwrap().unwrap();
        let given = for_api(store, &client, "C1").await;
        let live = other.token(&given.access).await.unwrap().unwrap();
        let audience = live.audience.unwrap();
        assert_eq!((&audience.client, audience.resource.as_str()), (&api.id, API));
        assert_eq!(live.client.id, client.id);
        assert!(other.token(&given.refresh).await.unwrap().unwrap().audience.is_none());
        store.disable_client(disabled.id.as_str(), "test").await.unwrap();
        assert!(!is_good(&other, &given.access).await);
        store.enable_client(disabled.id.as_str(), "test").await.unwrap();
        assert!(!is_good(&other, &given.access).await);
    }
    let client = store.client(client.id.as_str()).await.unwrap().unwrap();
    let given = for_api(store, &client, "C2").await;
    // The refresh is refused, and nothing is spent, while no enabled client has the resource.
    store.disable_client("Kho", "test").await.unwrap();
    for resource in [None, Some(API), Some(URI)] {
        assert!(store.refresh(&client, &given.refresh, None, resource).await.is_err());
        assert!(store.token_for_client(&client, "", Some(API)).await.is_err());
    }
    store.enable_client("Kho", "test").await.unwrap();
    let next = store
        .refresh(&client, &given.refresh, None, Some(API))
        .await
        .unwrap()
        .unwrap();
    assert!(is_good(&other, &next.access).await);
    store.rebuild(&mut |_| {}).await.unwrap();
    assert!(is_good(store, &next.access).await, "the tables anew say the same");
    store.remove_client("Kho", "test").await.unwrap();
    assert!(!is_good(&other, &next.access).await);
    fixture.sound().await;
}

/// Of clients added at once with the same resource, one gets it.
async fn resource_claimed_by_one_of_simultaneous_clients(on: On) {
    let fixture = Fixture::new(on).await;
    let stores = [fixture.store.clone(), fixture.second().await];
    let added = at_once((0..6).map(|n| {
        let store = stores[n % 2].clone();
        async move { store.add_client(service(&format!("Kho {n}")), "test").await.is_ok() }
    }))
    .await;
    assert_eq!(added.into_iter().filter(|added| *added).count(), 1);
    assert_eq!(fixture.store.clients().await.unwrap().len(), 1);
    fixture.sound().await;
}

/// Data from before resources existed are migrated.
async fn data_from_before_resources_are_migrated(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let client = known(&fixture.store, hues("Một")).await;
    let before = tokens(&fixture.store, &client, "C1").await;
    for sql in [
        "ALTER TABLE issued DROP COLUMN audience",
        "ALTER TABLE issued DROP COLUMN audience_generation",
        "DELETE FROM _sqlx_migrations WHERE version = 14",
        "DROP TABLE client_resource",
        "UPDATE projection_version SET digest = 'before'",
    ] {
        fixture.sql(sql).await;
    }
    let store = fixture.second().await;
    assert!(is_good(&store, &before.access).await);
    assert!(
        store
            .refresh(&client, &before.refresh, None, None)
            .await
            .unwrap()
            .is_some()
    );
    known(&store, service("Kho")).await;
    let given = for_api(&store, &client, "C1").await;
    assert!(store.token(&given.access).await.unwrap().unwrap().audience.is_some());
    // Dropped and added again, the columns have another order, which the catalogue of SQLite shows.
    let faults = fixture.store.verify(&mut |_| {}).await.unwrap().faults;
    assert!(faults.iter().all(|(check, _)| *check == Check::Integrity), "{faults:?}");
}

/// A refresh token used again within half a minute gets the same successor, until that one is used.
async fn reused_refresh_token_gets_successor_within_grace_period(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let store = &fixture.store;
    let (client, other) = (known(store, hues("Một")).await, known(store, hues("Hai")).await);
    let next = async |token: &str| store.refresh(&client, token, None, None).await.unwrap();

    // Within half a minute, and by its own client.
    let first = tokens(store, &client, "C1").await;
    let given = next(&first.refresh).await.unwrap();
    fixture.clock.move_on(29);
    let stranger = store.refresh(&other, &first.refresh, None, None).await.unwrap();
    assert!(stranger.is_none());
    let again = next(&first.refresh).await.unwrap();
    assert_eq!(again.refresh, given.refresh);
    assert!(is_good(store, &given.access).await && is_good(store, &again.access).await);
    assert_eq!(
        fixture.sql("SELECT COUNT(*) FROM issued WHERE kind = 'refresh'").await,
        [2],
        "one line"
    );
    // Its successor was used.
    let last = next(&again.refresh).await.unwrap();
    assert!(next(&first.refresh).await.is_none());
    assert!(!is_good(store, &last.access).await && next(&last.refresh).await.is_none());

    // Half a minute is over.
    let first = tokens(store, &client, "C1").await;
    let given = next(&first.refresh).await.unwrap();
    fixture.clock.move_on(31);
    assert!(next(&first.refresh).await.is_none());
    assert!(!is_good(store, &given.access).await && next(&given.refresh).await.is_none());

    // The setting is off.
    let strict = store.clone().with_refresh_again(Duration::ZERO);
    let first = tokens(store, &client, "C1").await;
    let given = strict
        .refresh(&client, &first.refresh, None, None)
        .await
        .unwrap()
        .unwrap();
    assert!(
        strict
            .refresh(&client, &first.refresh, None, None)
            .await
            .unwrap()
            .is_none()
    );
    assert!(!is_good(store, &given.access).await);
    // The setting was on when the token was used. A server with the setting off may have a clock that is behind.
    let first = tokens(store, &client, "C1").await;
    let given = next(&first.refresh).await.unwrap();
    fixture.clock.move_on(-1);
    let again = strict.refresh(&client, &first.refresh, None, None).await.unwrap();
    assert!(again.is_none() && !is_good(store, &given.access).await);

    // The account is held meanwhile.
    let first = tokens(store, &client, "C1").await;
    next(&first.refresh).await.unwrap();
    let an = fixture.operator("an").await;
    store.hold_by_order(&an, &id("C1"), &order("1")).await.unwrap();
    assert!(next(&first.refresh).await.is_none());
    fixture.sound().await;
}

/// What a successor token is derived from is erased after its time.
async fn seed_of_successor_token_is_erased(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let store = &fixture.store;
    let client = known(store, hues("Một")).await;
    let kept = "SELECT COUNT(*) FROM issued WHERE again IS NOT NULL";
    let first = tokens(store, &client, "C1").await;
    let next = store.refresh(&client, &first.refresh, None, None).await.unwrap();
    assert_eq!(fixture.sql(kept).await, [1]);
    // Its successor is used: only the successor's own row remains.
    store
        .refresh(&client, &next.unwrap().refresh, None, None)
        .await
        .unwrap();
    assert_eq!(fixture.sql(kept).await, [1]);
    store.forget_successors().await.unwrap();
    assert_eq!(fixture.sql(kept).await, [1], "not before its time");
    fixture.clock.move_on(31);
    store.forget_successors().await.unwrap();
    assert_eq!(fixture.sql(kept).await, [0]);
    // With the setting off, nothing is stored.
    let strict = store.clone().with_refresh_again(Duration::ZERO);
    let first = tokens(store, &client, "C2").await;
    let next = strict.refresh(&client, &first.refresh, None, None).await.unwrap();
    assert!(next.is_some());
    assert_eq!(fixture.sql(kept).await, [0]);
    fixture.sound().await;
}

async fn run_beside(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

impl Fixture {
    /// Delivers everything due to a client, with that result.
    async fn tell(&self, client: &RegisteredClient, delivery: &Delivery) -> Vec<PendingDelivery> {
        let due = self.store.due_notices(&client.id, 100).await.unwrap();
        let told = due.iter().map(|one| (one.clone(), delivery.clone())).collect();
        self.store.settle_notices(&client.id, told).await.unwrap();
        due
    }

    /// Another connection to the same PostgreSQL, in a transaction that has run the statement.
    async fn beside(&self, sql: &'static str) -> PgConnection {
        let Location::Url(url) = &self.places.data else {
            panic!("no address")
        };
        let mut beside = PgConnection::connect(url).await.unwrap();
        run_beside(&mut beside, "BEGIN").await;
        run_beside(&mut beside, sql).await;
        beside
    }

    /// Waits until `n` sessions of PostgreSQL wait for a lock.
    async fn are_waiting(&self, n: i64) {
        let sql =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        let waiting = async {
            while self.sql(sql).await != [n] {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(HANGS, waiting).await.expect("nobody waits");
    }

    async fn signs_in_and_out(&self, client: &RegisteredClient, account: &str) {
        let session = self.store.begin_session(&id(account)).await.unwrap();
        let mut online = allowed(client);
        online.scope = vec![Scope::Openid];
        self.store.issue_code(session.as_str(), online).await.unwrap().unwrap();
        self.store.close_session(session.as_str()).await.unwrap();
    }
}

/// A security event that fails does not delay another.
async fn failed_event_does_not_delay_another(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let client = known(&fixture.store, hues("Một")).await;
    tokens(&fixture.store, &client, "C1").await;
    let an = fixture.operator("an").await;
    fixture.store.hold_by_order(&an, &id("C1"), &order("1")).await.unwrap();
    let due = fixture.store.due_notices(&client.id, 10).await.unwrap();
    assert_eq!(due.len(), 2, "of the account, and of its session by name");
    assert!(due[0].sid.is_none() && due[1].sid.is_some());
    let [of_account, of_session] = <[PendingDelivery; 2]>::try_from(due).unwrap();
    let told = vec![
        (of_account, Delivery::Refused("answered 400".into())),
        (of_session, Delivery::Failed("answered 503".into())),
    ];
    fixture.store.settle_notices(&client.id, told).await.unwrap();
    let lines = fixture.store.notices(10).await.unwrap();
    assert!(lines[0].waits && lines[0].fault == "answered 503");
    assert!(!lines[1].waits && lines[1].taken.is_none() && lines[1].fault == "answered 400");
    fixture.clock.move_on(3);
    assert_eq!(
        fixture.tell(&client, &Delivery::Untried).await.len(),
        1,
        "the other is final"
    );
    assert_eq!(
        fixture.tell(&client, &Delivery::Taken).await.len(),
        1,
        "given back, it is due"
    );
    let untaken = fixture.store.untaken_notices().await.unwrap();
    assert!(
        untaken.len() == 1 && untaken[0].fault == "answered 400",
        "it is found however much was taken since"
    );
    fixture.sound().await;
}

/// Waiting events become due once the client accepts another one.
async fn waiting_events_become_due_after_successful_delivery(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let client = known(&fixture.store, hues("Một")).await;
    fixture.signs_in_and_out(&client, "C1").await;
    let failed = Delivery::Failed("answered 503".into());
    for tries in 1..=8 {
        assert_eq!(fixture.tell(&client, &failed).await.len(), 1);
        fixture.clock.move_on(1 << tries);
    }
    fixture.tell(&client, &failed).await;
    fixture.clock.move_on(2);
    assert!(
        fixture.tell(&client, &failed).await.is_empty(),
        "its turn is in minutes"
    );
    fixture.signs_in_and_out(&client, "C2").await;
    assert_eq!(fixture.tell(&client, &Delivery::Taken).await.len(), 1);
    let due = fixture.tell(&client, &failed).await;
    assert_eq!(due.len(), 1, "the client is there again");
    assert_eq!(
        fixture.store.notices(2).await.unwrap()[1].tries,
        9,
        "which is no try more"
    );
    // Waiting events of the same account become due when a new one is queued.
    fixture.clock.move_on(2);
    fixture.signs_in_and_out(&client, "C1").await;
    assert_eq!(fixture.tell(&client, &Delivery::Taken).await.len(), 2);
    fixture.sound().await;
}

/// An event that fails while others are accepted is retried later.
async fn event_refused_while_others_pass_is_retried_later(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let store = &fixture.store;
    let client = known(store, hues("Một")).await;
    for account in ["C1", "C2"] {
        fixture.signs_in_and_out(&client, account).await;
    }
    let failed = || Delivery::Failed("answered 503".into());
    let ids = |due: &[PendingDelivery]| due.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    let due = store.due_notices(&client.id, 10).await.unwrap();
    let [first, second] = <[String; 2]>::try_from(ids(&due)).unwrap();
    let told = due.into_iter().zip([failed(), Delivery::Untried]).collect();
    store.settle_notices(&client.id, told).await.unwrap();
    fixture.clock.move_on(3);
    let due = store.due_notices(&client.id, 10).await.unwrap();
    assert_eq!(ids(&due), [second, first], "what was tried least comes first");
    let told = due.into_iter().zip([Delivery::Taken, failed()]).collect();
    store.settle_notices(&client.id, told).await.unwrap();
    assert!(
        fixture.tell(&client, &failed()).await.is_empty(),
        "it was there, and did not take this one"
    );
    fixture.clock.move_on(4);
    assert_eq!(fixture.tell(&client, &Delivery::Taken).await.len(), 1);
    fixture.sound().await;
}

/// The events of a hold and of its end are delivered in their order.
async fn hold_and_lift_events_delivered_in_order(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let mut client = hues("Một");
    (client.backchannel_logout_uri, client.events_uri) = (None, Some("https://hues.example/events".into()));
    let client = known(&fixture.store, client).await;
    tokens(&fixture.store, &client, "C1").await;
    let an = fixture.operator("an").await;
    fixture.store.hold_by_order(&an, &id("C1"), &order("1")).await.unwrap();
    let failed = Delivery::Failed("answered 503".into());
    assert_eq!(fixture.tell(&client, &failed).await.len(), 2);
    fixture.clock.move_on(1);
    let an = fixture.operator("second").await;
    fixture
        .store
        .lift_order(&an, &id("C1"), &Cause::order("1"), "hết")
        .await
        .unwrap();
    let kinds = |due: Vec<PendingDelivery>| due.into_iter().map(|one| one.kind.name()).collect::<Vec<_>>();
    assert_eq!(
        kinds(fixture.tell(&client, &Delivery::Taken).await),
        ["session-revoked", "account-disabled"]
    );
    assert_eq!(
        kinds(fixture.tell(&client, &Delivery::Taken).await),
        ["account-enabled"]
    );
    fixture.sound().await;
}

/// A removed client gets no more events.
async fn removed_client_gets_no_more_events(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let client = known(&fixture.store, hues("Một")).await;
    fixture.signs_in_and_out(&client, "C1").await;
    assert_eq!(fixture.tell(&client, &Delivery::Taken).await.len(), 1);
    fixture.signs_in_and_out(&client, "C2").await;
    fixture.store.remove_client("Một", "test").await.unwrap();
    assert!(fixture.store.clients_to_tell().await.unwrap().is_empty());
    let lines = fixture.store.notices(10).await.unwrap();
    assert!(
        lines.len() == 1 && lines[0].taken.is_some(),
        "what it was told is still to be seen"
    );
    fixture.sound().await;
}

async fn a_client_is_edited_and_its_subjects_stay(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let store = &fixture.store;
    let mut client = hues("Một");
    client.subjects = SubjectKind::Pairwise;
    let before = known(store, client).await;
    known(store, hues("Hai")).await;
    let given = tokens(store, &before, "C1").await;
    let mut moved = before.client.clone();
    moved.redirect_uris = vec!["https://moi.example/cb".into()];
    moved.backchannel_logout_uri = None;
    let edited = store
        .edit_client(&before.id, &before.client, moved.clone(), "test")
        .await
        .unwrap();
    assert!(edited.secret.is_none() && edited.id == before.id);
    assert!(is_good(store, &given.access).await, "what it was given lives on");
    let stale = store.edit_client(&before.id, &before.client, before.client.clone(), "test");
    assert!(matches!(
        stale.await,
        Err(StoreError::Refused(Refusal::ClientChanged(_)))
    ));
    for (wrong, change) in [
        (
            "subjects",
            Client {
                subjects: SubjectKind::Public,
                ..moved.clone()
            },
        ),
        (
            "name",
            Client {
                name: "Hai".into(),
                ..moved.clone()
            },
        ),
        (
            "address",
            Client {
                redirect_uris: vec!["http://moi.example/".into()],
                ..moved.clone()
            },
        ),
    ] {
        let refused = store.edit_client(&before.id, &moved, change, "test").await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{wrong}");
    }
    let narrower = Client {
        scopes: vec![Scope::Openid],
        ..moved.clone()
    };
    store
        .edit_client(&before.id, &moved, narrower.clone(), "test")
        .await
        .unwrap();
    assert!(!is_good(store, &given.access).await, "it may less than before");
    let public = Client {
        authentication: Authentication::None,
        without_pkce: false,
        ..narrower.clone()
    };
    let rotated = store.rotate_client(before.id.as_str(), 3_600, "test").await.unwrap();
    store
        .edit_client(&before.id, &narrower, public.clone(), "test")
        .await
        .unwrap();
    let bare = store.client(before.id.as_str()).await.unwrap().unwrap();
    assert!(
        !bare.secret_fits(&rotated.secret.unwrap(), store.now()),
        "it has none any more"
    );
    let again = store.edit_client(&before.id, &public, narrower, "test").await.unwrap();
    let secret = again.secret.expect("a new one");
    let now = store.client(before.id.as_str()).await.unwrap().unwrap();
    assert!(now.secret_fits(&secret, store.now()));
    let next = tokens(store, &now, "C1").await;
    assert_eq!(next.grant.subject, given.grant.subject);
    store.rebuild(&mut |_| {}).await.unwrap();
    let rebuilt = store.client(before.id.as_str()).await.unwrap().unwrap();
    assert!(rebuilt.client == now.client && rebuilt.secret_fits(&secret, store.now()));
    fixture.sound().await;
}

/// An edited client gets the resources it states, and releases the others.
async fn edited_client_gains_and_releases_resources(on: On) {
    let fixture = Fixture::new(on).await;
    let store = &fixture.store;
    let (one, other) = (known(store, hues("Một")).await, known(store, hues("Hai")).await);
    let bearing = |client: &RegisteredClient| Client {
        resources: vec![API.into()],
        ..client.client.clone()
    };
    let edit = async |of: &RegisteredClient, before: Client, after: Client| {
        store.edit_client(&of.id, &before, after, "test").await
    };
    edit(&one, one.client.clone(), bearing(&one)).await.unwrap();
    assert!(store.has_resource(API).await.unwrap());
    let refused = edit(&other, other.client.clone(), bearing(&other)).await;
    assert!(matches!(
        refused,
        Err(StoreError::Refused(Refusal::ResourceExists(borne))) if borne == API
    ));
    // The resource stays with its client when something else is edited, and is free once the client gives it up.
    let renamed = Client {
        name: "Ba".into(),
        ..bearing(&one)
    };
    edit(&one, bearing(&one), renamed.clone()).await.unwrap();
    assert!(store.has_resource(API).await.unwrap());
    edit(&one, renamed, one.client.clone()).await.unwrap();
    assert!(!store.has_resource(API).await.unwrap());
    edit(&other, other.client.clone(), bearing(&other)).await.unwrap();
    assert!(store.has_resource(API).await.unwrap());
    fixture.sound().await;
}

/// The subject identifiers of an existing system are imported, all or none.
async fn imported_subjects_are_used_for_client(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let store = &fixture.store;
    let (client, other) = (known(store, hues("Một")).await, known(store, hues("Hai")).await);
    let ids = |all: &[(&str, &str)]| {
        all.iter()
            .map(|(account, name)| (id(account), (*name).to_owned()))
            .collect()
    };
    let name = async |all: &[(&str, &str)]| store.name_subjects("Một", ids(all), "test").await;
    assert_eq!(name(&[("C1", "u-17")]).await.unwrap(), 1);
    assert_eq!(name(&[("C1", "u-17")]).await.unwrap(), 0, "known already");
    for wrong in [
        [("C2", "u-18"), ("C1", "u-19")].as_slice(),
        &[("C2", "u-17")],
        &[("C2", "")],
        &[("C2", "Huế")],
        &[("C2", "u-18"), ("nobody", "u-19")],
    ] {
        assert!(matches!(name(wrong).await, Err(StoreError::Refused(_))), "{wrong:?}");
    }
    assert!(
        store.subject_of(&client.id, &id("C2")).await.unwrap().is_none(),
        "all of them, or none"
    );
    assert_eq!(tokens(store, &client, "C1").await.grant.subject, "u-17");
    assert_ne!(
        tokens(store, &other, "C1").await.grant.subject,
        "u-17",
        "nobody else's user id"
    );
    store.rebuild(&mut |_| {}).await.unwrap();
    assert_eq!(tokens(store, &client, "C1").await.grant.subject, "u-17");
    fixture.sound().await;
}

/// An operator replaces the signing keys, or revokes one that leaked.
async fn signing_keys_replaced_on_request(on: On) {
    let fixture = Fixture::new(on).await;
    let store = &fixture.store;
    store.tend_signing_keys().await.unwrap();
    let first = store.published_keys().await.unwrap();
    store.replace_signing_keys(None, "test").await.unwrap();
    let now = store.published_keys().await.unwrap();
    assert_eq!(now.len(), 2 * first.len(), "what was signed is good for its time");
    let signs: Vec<_> = now.iter().filter(|key| key.signs).collect();
    assert!(signs.len() == first.len() && first.iter().all(|old| signs.iter().all(|key| key.id != old.id)));
    fixture.clock.move_on(11 * 60);
    assert_eq!(store.published_keys().await.unwrap().len(), first.len());
    assert!(store.signing_key(&first[0].id).await.unwrap().is_none());
    store.tend_signing_keys().await.unwrap();
    assert_eq!(
        fixture
            .sql("SELECT COUNT(*) FROM signing_key WHERE LENGTH(sealed) = 0")
            .await,
        [3],
        "erased"
    );

    // One of the keys leaked.
    let leaked = store.published_keys().await.unwrap().remove(0);
    store.replace_signing_keys(Some(&leaked.id), "test").await.unwrap();
    let now = store.published_keys().await.unwrap();
    assert!(now.iter().all(|key| key.id != leaked.id && key.signs), "{now:?}");
    assert_eq!(now.len(), first.len(), "the others stay");
    let state = |lines: &[KeyLine], id: &str| lines.iter().find(|line| line.id == id).unwrap().state;
    let lines = store.key_lines().await.unwrap();
    assert_eq!(state(&lines, &leaked.id), KeyState::Revoked);
    assert_eq!(state(&lines, &first[0].id), KeyState::Gone);
    let entries = "SELECT COUNT(*) FROM journal WHERE subject LIKE 'signing-keys%' AND by_whom = 'test'";
    assert_eq!(
        fixture.sql(entries).await,
        [3],
        "who did it: twice new keys, and the one that leaked"
    );
    let unknown = store.replace_signing_keys(Some(&leaked.id), "test").await;
    assert!(matches!(unknown, Err(StoreError::Refused(Refusal::UnknownKey(_)))));

    // A key that waited to sign never signs once its turn was taken by another.
    fixture.clock.move_on(91 * 24 * 3600);
    store.tend_signing_keys().await.unwrap();
    let waiting = store.published_keys().await.unwrap();
    store.replace_signing_keys(None, "test").await.unwrap();
    let lines = store.key_lines().await.unwrap();
    for key in waiting {
        let wanted = if key.signs { KeyState::Retired } else { KeyState::Gone };
        assert_eq!(state(&lines, &key.id), wanted);
    }
    fixture.sound().await;
}

/// A session with a grant that ends with it, and one that outlives it.
async fn online_and_offline(
    fixture: &Fixture,
    client: &RegisteredClient,
    account: &str,
) -> (String, [IssuedTokens; 2]) {
    let session = fixture.store.begin_session(&id(account)).await.unwrap();
    let mut given = Vec::new();
    for scope in [vec![Scope::Openid], vec![Scope::Openid, Scope::OfflineAccess]] {
        let allowed = AuthorizedRequest {
            scope,
            ..allowed(client)
        };
        let code = fixture
            .store
            .issue_code(session.as_str(), allowed)
            .await
            .unwrap()
            .unwrap();
        given.push(redeem(&fixture.store, client, &code).await.unwrap());
    }
    (
        session.as_str().to_owned(),
        <[IssuedTokens; 2]>::try_from(given).unwrap(),
    )
}

/// A session that expires notifies its clients once.
async fn expired_session_notifies_its_clients(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let store = &fixture.store;
    let client = known(store, hues("Một")).await;
    let (session, [online, offline]) = online_and_offline(&fixture, &client, "C1").await;
    fixture.clock.move_on(29 * 60);
    assert_eq!(store.end_over_sessions().await.unwrap(), 0);
    store.session(&session).await.unwrap().expect("it is clicked at");
    fixture.clock.move_on(29 * 60);
    assert_eq!(store.end_over_sessions().await.unwrap(), 0, "a click keeps it");
    fixture.clock.move_on(2 * 60);
    // Nothing revives it.
    assert!(
        store
            .refresh(&client, &online.refresh, None, None)
            .await
            .unwrap()
            .is_none()
    );
    assert!(store.session(&session).await.unwrap().is_none());
    assert_eq!(store.end_over_sessions().await.unwrap(), 1);
    let due = fixture.tell(&client, &Delivery::Taken).await;
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].sid.as_deref(), Some(online.grant.sid.as_str()));
    assert!(
        store
            .refresh(&client, &offline.refresh, None, None)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(store.end_over_sessions().await.unwrap(), 0, "once");

    // The same for a session that was swept meanwhile.
    online_and_offline(&fixture, &client, "C2").await;
    fixture.clock.move_on(13 * 3600);
    store.sweep().await.unwrap();
    assert_eq!(fixture.tell(&client, &Delivery::Taken).await.len(), 1);
    fixture.sound().await;
}

/// Two servers see the same session end, while both are kept from ending it: its client is told once.
#[tokio::test(flavor = "multi_thread")]
async fn session_expiry_seen_by_two_servers_notified_once() {
    let fixture = Fixture::new(On::Postgres).await;
    fixture.two_citizens().await;
    let servers = [fixture.store.clone(), fixture.second().await];
    let client = known(&fixture.store, hues("Một")).await;
    online_and_offline(&fixture, &client, "C1").await;
    fixture.clock.move_on(31 * 60);
    let mut beside = fixture.beside("SELECT id FROM client_grant FOR UPDATE").await;
    let ending = servers.map(|store| tokio::spawn(async move { store.end_over_sessions().await }));
    fixture.are_waiting(2).await;
    run_beside(&mut beside, "COMMIT").await;
    for ended in ending {
        ended.await.unwrap().unwrap();
    }
    assert_eq!(fixture.tell(&client, &Delivery::Taken).await.len(), 1);
    fixture.sound().await;
}

/// A request in the last moment keeps the session, even if another server has already begun to end it.
#[tokio::test(flavor = "multi_thread")]
async fn session_used_during_expiry_is_kept() {
    let fixture = Fixture::new(On::Postgres).await;
    fixture.two_citizens().await;
    let store = &fixture.store;
    let client = known(store, hues("Một")).await;
    let (session, [online, _]) = online_and_offline(&fixture, &client, "C1").await;
    fixture.clock.move_on(29 * 60);
    let mut beside = fixture.beside("SELECT id FROM session FOR UPDATE").await;
    let (asks, with) = (store.clone(), client.clone());
    let using = tokio::spawn(async move { asks.refresh(&with, &online.refresh, None, None).await });
    fixture.are_waiting(1).await;
    fixture.clock.move_on(2 * 60);
    let other = fixture.second().await;
    let ending = tokio::spawn(async move { other.end_over_sessions().await });
    fixture.are_waiting(2).await;
    run_beside(&mut beside, "COMMIT").await;
    let used = using.await.unwrap().unwrap().expect("it was in time");
    ending.await.unwrap().unwrap();
    assert!(is_good(store, &used.access).await && store.session(&session).await.unwrap().is_some());
    assert!(fixture.tell(&client, &Delivery::Taken).await.is_empty());
    fixture.sound().await;
}

/// A refresh extends the session like a request, except for operators.
async fn refresh_extends_session_except_for_operators(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.two_citizens().await;
    let store = &fixture.store;
    let client = known(store, hues("Một")).await;
    let (session, [online, _]) = online_and_offline(&fixture, &client, "C1").await;
    let mut refresh = online.refresh;
    for _ in 0..3 {
        fixture.clock.move_on(29 * 60);
        let next = store.refresh(&client, &refresh, None, None).await.unwrap();
        refresh = next.expect("it is in use").refresh;
    }
    assert!(store.session(&session).await.unwrap().is_some());

    fixture.operator("an").await;
    let desk = fixture.sign_in("an", 3).await.unwrap();
    let online = AuthorizedRequest {
        scope: vec![Scope::Openid],
        ..allowed(&client)
    };
    let code = store.issue_code(desk.as_str(), online).await.unwrap().unwrap();
    let given = redeem(store, &client, &code).await.unwrap();
    fixture.clock.move_on(10 * 60);
    let next = store
        .refresh(&client, &given.refresh, None, None)
        .await
        .unwrap()
        .unwrap();
    fixture.clock.move_on(10 * 60);
    assert!(
        store.session(desk.as_str()).await.unwrap().is_none(),
        "an operator clicks"
    );
    assert!(
        store
            .refresh(&client, &next.refresh, None, None)
            .await
            .unwrap()
            .is_none()
    );
    fixture.sound().await;
}
