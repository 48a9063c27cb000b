//! Tests of several servers on one PostgreSQL: a frozen, silent or slow one stops no other for long, and what the database refuses for a
//! while is done once it accepts it.

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen, form, number};
use crate::openid::{hues, known, tokens};
use crate::wire::Wire;
use futures_util::future::{join_all, select_all};
use ngomon_rules::citizens::Proof;
use ngomon_store::environment::Environment;
use ngomon_store::{Location, Refusal, Store, StoreError, StorePaths};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::time::Duration;
use tokio::net::TcpListener;

/// A test that hangs fails after this time. It measures nothing.
const HANGS: Duration = Duration::from_mins(2);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANGS, what).await.expect("it hangs")
}

both! {
    simultaneous_first_starts_all_succeed
}

impl Wire {
    /// The same database through this proxy.
    fn places(&self, places: &StorePaths) -> StorePaths {
        let Location::Url(url) = &places.data else {
            panic!("no address")
        };
        let (head, _) = url.split_once('?').unwrap();
        let (_, database) = head.rsplit_once('/').unwrap();
        StorePaths {
            data: Location::Url(format!(
                "postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable",
                self.port
            )),
            keys: places.keys.clone(),
        }
    }

    async fn one_is_stuck(&mut self) {
        soon(self.stuck.wait_for(|n| *n > 0)).await.unwrap();
        self.swallowed.send_replace(None);
    }
}

async fn citizens(fixture: &Fixture) {
    fixture.units().await;
    fixture.registry(&(0..40).collect::<Vec<_>>()).await;
    fixture
        .citizens((0..40).map(|n| citizen(&format!("HS{n}"), n)).collect())
        .await;
}

async fn execute(fixture: &Fixture, sql: &str) {
    let Location::Url(url) = &fixture.places.data else {
        panic!("no address")
    };
    let mut beside = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql("SET default_transaction_read_only = off")
        .execute(&mut beside)
        .await
        .unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut beside)
        .await
        .unwrap();
}

/// "One frozen server stops all others": its locks are released within seconds, and sealing waits for nobody.
#[tokio::test(flavor = "multi_thread")]
async fn frozen_server_does_not_block_others() {
    let fixture = Fixture::new(On::Postgres).await;
    citizens(&fixture).await;
    fixture.submit("HS1", 1).await;
    let others = fixture.store.for_requests().unwrap();
    let mut wire = Wire::new().await;
    let frozen = Store::open(&wire.places(&fixture.places), false, fixture.environment())
        .await
        .unwrap();
    let frozen = frozen.for_requests().unwrap();

    // It freezes while it seals.
    wire.swallow("COMMIT");
    let sealing = frozen.clone();
    let sealing = tokio::spawn(async move { sealing.seal().await });
    wire.one_is_stuck().await;
    assert_eq!(soon(others.seal()).await.unwrap(), 0, "another one seals");

    // It freezes in the middle of a form, while others submit forms of the same person.
    wire.swallow("COMMIT");
    let (sent, at) = (form("HS2", 2), fixture.store.now());
    let store = frozen.clone();
    let sent = tokio::spawn(async move { store.standardise(&sent, Proof::Form, "owner", at).await });
    soon(wire.stuck.wait_for(|n| *n > 1)).await.unwrap();
    wire.swallowed.send_replace(None);
    let asked = (3..6).map(|n| {
        let (store, form) = (others.clone(), form(&format!("HS{n}"), 2));
        let at = fixture.store.now();
        async move { store.standardise(&form, Proof::Form, "owner", at).await }
    });
    for answer in soon(join_all(asked)).await {
        answer.unwrap();
    }
    soon(others.seal()).await.unwrap();
    // The frozen server queries the outcome: PostgreSQL has ended its session, and nothing was committed.
    assert!(matches!(soon(sent).await.unwrap(), Err(StoreError::Silent)));
    assert!(matches!(soon(sealing).await.unwrap(), Err(StoreError::Silent)));
    fixture.sound().await;
}

/// After a lost answer to a commit the store queries its outcome: what was committed is answered as done, and no code or token is spent in
/// vain.
#[tokio::test(flavor = "multi_thread")]
async fn lost_commit_answer_is_resolved_by_query() {
    let fixture = Fixture::new(On::Postgres).await;
    citizens(&fixture).await;
    let client = known(&fixture.store, hues("Một")).await;
    let given = tokens(&fixture.store, &client, "HS1").await;
    let wire = Wire::new().await;
    let store = Store::open(&wire.places(&fixture.places), false, fixture.environment())
        .await
        .unwrap();
    let store = store.for_requests().unwrap();
    let cut = async || {
        soon(wire.unanswered.subscribe().wait_for(Option::is_none))
            .await
            .map(drop)
    };
    // In a group of its own: with every retry switched off, only the query of the outcome can recover it.
    let strict = store.clone().with_refresh_again(std::time::Duration::ZERO);
    wire.lose_answer(&["COMMIT"]);
    let next = soon(strict.refresh(&client, &given.refresh, None, None)).await.unwrap();
    cut().await.unwrap();
    let next = next.unwrap();
    assert!(
        store
            .refresh(&client, &next.refresh, None, None)
            .await
            .unwrap()
            .is_some()
    );
    wire.lose_answer(&["COMMIT"]);
    let own = form("HS2", 2);
    let sent = store.standardise(&own, Proof::Form, "owner", fixture.store.now());
    soon(sent).await.unwrap();
    cut().await.unwrap();
    fixture.sound().await;
}

/// Old connections fall silent and new ones work, as after a power failure of the network.
#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_are_discarded() {
    let fixture = Fixture::new(On::Postgres).await;
    citizens(&fixture).await;
    let wire = Wire::new().await;
    let store = Store::open(&wire.places(&fixture.places), false, fixture.environment())
        .await
        .unwrap();
    let store = store.for_requests().unwrap();
    let asked = || join_all((0..40).map(|_| store.registry(number(1))));
    asked().await.into_iter().for_each(|answer| drop(answer.unwrap()));
    wire.cut();
    // Connections used a moment ago are not tested first, so they turn out silent: their callers get an error, and they are discarded.
    let mut waiting: Vec<_> = (0..40).map(|_| Box::pin(store.registry(number(1)))).collect();
    let mut silent = 0;
    while !waiting.is_empty() {
        let (answer, _, rest) = soon(select_all(waiting)).await;
        match answer {
            Ok(_) => {}
            Err(StoreError::Silent | StoreError::Busy) => silent += 1,
            Err(error) => panic!("{error}"),
        }
        waiting = rest;
    }
    soon(asked()).await.into_iter().for_each(|answer| drop(answer.unwrap()));
    // At most the callers that had a connection, and those queued behind them.
    assert!(silent <= 40);
    let own = form("HS3", 3);
    let sent = store.standardise(&own, Proof::Form, "owner", fixture.store.now());
    soon(sent).await.unwrap();
    // A connection falls silent during a query.
    wire.swallow("BEGIN");
    let answer = soon(store.registry(number(1))).await;
    assert!(matches!(answer, Err(StoreError::Silent)), "{answer:?}");
    wire.swallowed.send_replace(None);
    soon(store.registry(number(1))).await.unwrap();
}

/// A read-only server, such as a standby, answers reads and refuses writes as such; once it accepts writes, writes work again.
#[tokio::test(flavor = "multi_thread")]
async fn read_only_server_answers_reads_and_refuses_writes() {
    let fixture = Fixture::new(On::Postgres).await;
    citizens(&fixture).await;
    fixture.submit("HS1", 1).await;
    fixture.sound().await;
    let name = fixture.places.data.clone();
    let Location::Url(url) = name else { panic!("no address") };
    let database = url.split_once('?').unwrap().0.rsplit_once('/').unwrap().1.to_owned();
    execute(
        &fixture,
        &format!("ALTER DATABASE {database} SET default_transaction_read_only = on"),
    )
    .await;
    let standby = Store::open(&fixture.places, false, fixture.environment())
        .await
        .unwrap();
    let again = standby.for_requests().unwrap();
    standby.report(None, DAY).await.unwrap();
    standby.holds(None, DAY).await.unwrap();
    standby.review().await.unwrap();
    standby.figures(DAY).await.unwrap();
    standby.explain("HS1", DAY).await.unwrap();
    let own = form("HS2", 2);
    for store in [&standby, &again] {
        let sent = store.standardise(&own, Proof::Form, "owner", fixture.store.now());
        assert!(matches!(soon(sent).await, Err(StoreError::ReadOnly)));
    }
    assert!(matches!(standby.verify(&mut |_| {}).await, Err(StoreError::ReadOnly)));
    // Pooled sessions opened by now would stay read-only for another half hour.
    join_all((0..20).map(|_| again.figures(DAY))).await;
    execute(
        &fixture,
        &format!("ALTER DATABASE {database} RESET default_transaction_read_only"),
    )
    .await;
    for store in [&standby, &again] {
        let sent = store.standardise(&own, Proof::Form, "owner", fixture.store.now());
        soon(sent).await.unwrap();
    }
    fixture.sound().await;
}

/// "`max_connections` used up": the error says so, and it passes.
#[tokio::test(flavor = "multi_thread")]
async fn exhausted_connections_reported_and_recovered() {
    let fixture = Fixture::new(On::Postgres).await;
    let Location::Url(url) = &fixture.places.data else {
        panic!("no address")
    };
    let database = url.split_once('?').unwrap().0.rsplit_once('/').unwrap().1;
    let role = format!("few_{database}");
    execute(
        &fixture,
        &format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 2; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"),
    )
    .await;
    let url = url.replace("postgres@", &format!("{role}@"));
    let places = StorePaths {
        data: Location::Url(url.clone()),
        keys: fixture.places.keys.clone(),
    };
    let taken = [
        PgConnection::connect(&url).await.unwrap(),
        PgConnection::connect(&url).await.unwrap(),
    ];
    match Store::open(&places, false, fixture.environment()).await.map(drop) {
        Err(StoreError::Unreachable(why)) => assert!(why.contains("too many connections"), "{why}"),
        other => panic!("{other:?}"),
    }
    for connection in taken {
        connection.close().await.unwrap();
    }
    // PostgreSQL counts a session until it has ended.
    let store = soon(async {
        loop {
            match Store::open(&places, false, fixture.environment()).await {
                Ok(store) => return store,
                Err(StoreError::Unreachable(_)) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    })
    .await;
    store.figures(DAY).await.unwrap();
    drop(store);
    execute(&fixture, &format!("DROP OWNED BY {role}")).await;
    soon(async {
        loop {
            let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'");
            if fixture.sql(&sql).await == [0] {
                break;
            }
        }
    })
    .await;
    execute(&fixture, &format!("DROP ROLE {role}")).await;
}

/// Several hosts: the first that accepts the connection and is of the requested kind.
#[tokio::test(flavor = "multi_thread")]
async fn database_hosts_tried_in_order() {
    let fixture = Fixture::new(On::Postgres).await;
    let Location::Url(url) = &fixture.places.data else {
        panic!("no address")
    };
    let database = url.split_once('?').unwrap().0.rsplit_once('/').unwrap().1;
    // Nothing listens on the first one.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let wire = Wire::new().await;
    let open = async |attributes: &str| {
        let data = format!(
            "postgres://postgres@127.0.0.1:{port},127.0.0.1:{}/{database}?sslmode=disable{attributes}",
            wire.port
        );
        let places = StorePaths {
            data: Location::Url(data),
            keys: fixture.places.keys.clone(),
        };
        soon(Store::open(&places, false, fixture.environment())).await.map(drop)
    };
    for attributes in [
        "",
        "&target_session_attrs=read-write",
        "&target_session_attrs=primary",
        "&target_session_attrs=prefer-standby",
    ] {
        open(attributes).await.unwrap();
    }
    for attributes in ["&target_session_attrs=standby", "&target_session_attrs=read-only"] {
        match open(attributes).await {
            Err(StoreError::Unreachable(why)) => assert!(why.contains("target_session_attrs"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        open("&target_session_attrs=best").await,
        Err(StoreError::Address(_))
    ));
}

/// Three machines start at the same moment on an empty database, with the same keys.
async fn simultaneous_first_starts_all_succeed(on: On) {
    let empty = Fixture::empty(on).await;
    let places = empty.places();
    let starts = (0..4).map(|_| {
        let places = places.clone();
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || runtime.block_on(Store::open(&places, true, Environment::system())))
    });
    let mut stores = Vec::new();
    for start in soon(join_all(starts)).await {
        stores.push(start.unwrap().unwrap());
    }
    let link = stores[0].add_operator("lan", "test").await.unwrap();
    assert!(stores[3].enrol(&link, "{SSHA}x", 1).await.is_ok());
    assert!(matches!(
        stores[2].add_operator("lan", "test").await,
        Err(StoreError::Refused(Refusal::OperatorExists(_)))
    ));
}
