//! Tests of cancelled requests and lost connections: a browser that closes leaves nothing on a pooled connection. A database server may go
//! away and come back.

use crate::both;
use crate::fixture::{DAY, Fixture, On, citizen, form};
use ngomon_rules::citizens::Proof;
use ngomon_store::Location;
use sqlx::{Connection as _, PgConnection, Row as _};
use std::time::Duration;

both! {
    cancelled_request_leaves_clean_connection
}

/// A request cancelled at any step leaves nothing on its connection.
async fn cancelled_request_leaves_clean_connection(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    fixture.registry(&(0..100).collect::<Vec<_>>()).await;
    fixture
        .citizens((0..100).map(|n| citizen(&format!("HS{n}"), n)).collect())
        .await;
    // The request is cancelled at every step of its work.
    for n in 0..100_u32 {
        let patience = Duration::from_micros(u64::from(n) * 40);
        tokio::time::timeout(patience, fixture.store.figures(DAY)).await.ok();
        let form = form(&format!("HS{n}"), n);
        let sent = fixture
            .store
            .standardise(&form, Proof::Form, "owner", fixture.store.now());
        tokio::time::timeout(patience, sent).await.ok();
    }
    // Each connection of the pool is queried, and sees the current data.
    for _ in 0..3 {
        let asked = (0..20).map(|_| fixture.store.figures(DAY));
        for figures in futures_util::future::join_all(asked).await {
            figures.unwrap();
        }
    }
    // A queued form is answered, even if nobody reads the response; a repeated one gets the known outcome.
    for n in 0..100 {
        fixture.submit(&format!("HS{n}"), n).await;
    }
    assert_eq!(fixture.province(DAY).await.standardised, 100);
    fixture.sound().await;
}

/// PostgreSQL closes all idle connections, as at a restart: no caller notices.
#[tokio::test(flavor = "multi_thread")]
async fn connections_closed_by_server_are_reopened() {
    let fixture = Fixture::new(On::Postgres).await;
    let asked = || async {
        for campaign in futures_util::future::join_all((0..20).map(|_| fixture.store.campaign())).await {
            campaign.unwrap();
        }
        for figures in futures_util::future::join_all((0..20).map(|_| fixture.store.figures(DAY))).await {
            figures.unwrap();
        }
    };
    asked().await;
    let Location::Url(url) = &fixture.places.data else {
        panic!("no address")
    };
    let mut beside = PgConnection::connect(url).await.unwrap();
    let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    // A connection used a moment ago is not tested first.
    let rest = format!("SELECT count(*), count(*) FILTER (WHERE now() - state_change < interval '1500 ms') {others}");
    loop {
        let row = sqlx::query(sqlx::AssertSqlSafe(rest.clone()))
            .fetch_one(&mut beside)
            .await;
        let row = row.unwrap();
        assert!(row.get::<i64, _>(0) > 1);
        if row.get::<i64, _>(1) == 0 {
            break;
        }
    }
    let close = format!("SELECT pg_terminate_backend(pid) {others}");
    sqlx::query(sqlx::AssertSqlSafe(close))
        .fetch_all(&mut beside)
        .await
        .unwrap();
    asked().await;
    fixture.units().await;
}
