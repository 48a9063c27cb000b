//! Tests of the health checks for monitoring, and of what an operator reads when a background worker is late.

use crate::app::App;
use crate::router::router;
use crate::tests::{Site, vietnamese};
use crate::workers::{spawn_periodic, start};
use axum::http::{StatusCode, header};
use ngomon_store::StoreError;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tower_http::csrf::CsrfLayer;

/// A test that hangs fails after this time. It measures nothing.
const HANGS: Duration = Duration::from_mins(2);

impl Site {
    /// The same site with the workers of this application.
    fn with(self, app: App) -> Self {
        let router = router(app, CsrfLayer::new());
        Self { router, ..self }
    }

    async fn ready(&self) -> (StatusCode, Value) {
        let answer = self.get("/health/ready", "").await;
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        (answer.status, serde_json::from_str(&answer.text).unwrap())
    }
}

/// Waits for the given number of rounds of a worker. `round` gets the number of its round.
async fn rounds(app: &App, least: u32, round: impl Fn(u32) -> Result<(), StoreError> + Clone + Send + Sync + 'static) {
    let count = Arc::new(AtomicU32::new(0));
    let (tell, mut told) = watch::channel(0);
    spawn_periodic(app, "seal", Duration::from_millis(1), move |_| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        let (tell, round) = (tell.clone(), round.clone());
        async move {
            tell.send(n + 1).ok();
            round(n)
        }
    });
    let enough = told.wait_for(|n| *n >= least);
    tokio::time::timeout(HANGS, enough).await.expect("it ended").unwrap();
}

/// "Workers supervised": neither an error nor a panic ends a worker, nor does a panic before its first step.
#[tokio::test(flavor = "multi_thread")]
async fn worker_continues_after_error_or_panic() {
    let site = Site::bare().await;
    let app = App::new(site.store.clone(), true);
    rounds(&app, 5, |n| match n {
        0 => panic!("a fault of the program"),
        1 => Err(StoreError::Busy),
        _ => Ok(()),
    })
    .await;
    let count = AtomicU32::new(0);
    let (tell, mut told) = watch::channel(0);
    spawn_periodic(&app, "sweep", Duration::from_millis(1), move |_| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        assert!(n > 0, "a fault of the program");
        tell.send(n).ok();
        async { Ok(()) }
    });
    tokio::time::timeout(HANGS, told.wait_for(|n| *n > 2))
        .await
        .expect("it ended")
        .unwrap();
    assert!(app.workers.all().iter().all(|worker| worker.last_round().is_some()));
}

/// The health check and the desk report a late worker; pages still work.
#[tokio::test(flavor = "multi_thread")]
async fn failing_worker_reported_as_late() {
    let site = Site::bare().await;
    let app = App::new(site.store.clone(), true);
    rounds(&app, 2, |_| Err(StoreError::Busy)).await;
    let site = site.with(app);
    let (status, said) = site.ready().await;
    assert_eq!(
        (status, &said["status"]),
        (StatusCode::OK, &Value::from("ready")),
        "{said}"
    );
    let operator = site.operator("lan").await;
    let line = vietnamese().text("work-seal");
    assert!(!site.get("/desk", &operator).await.text.contains(&line));
    site.move_on(300);
    let (status, said) = site.ready().await;
    assert_eq!(
        (status, &said["status"]),
        (StatusCode::OK, &Value::from("late")),
        "{said}"
    );
    let worker = &said["workers"][0];
    assert_eq!(
        (&worker["name"], &worker["late"]),
        (&"seal".into(), &true.into()),
        "{said}"
    );
    let desk = site.get("/desk", &operator).await;
    assert!(desk.text.contains(&line), "{}", desk.text);
    assert_eq!(site.get("/health/live", "").await.status, StatusCode::OK);
    assert_eq!(site.get("/sign-in", "").await.status, StatusCode::OK);
}

/// Every worker has a name for the desk, and works on a healthy installation.
#[tokio::test(flavor = "multi_thread")]
async fn workers_have_names_and_complete_a_round() {
    let site = Site::bare().await;
    let app = App::new(site.store.clone(), true);
    // Workers that send need a TLS provider; the program chooses this one.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    start(&app).unwrap();
    let workers = app.workers.all();
    for worker in &workers {
        let key = format!("work-{}", worker.name);
        assert_ne!(vietnamese().text(&key), key);
    }
    let all = async {
        while workers.iter().any(|worker| worker.last_round().is_none()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(HANGS, all).await.expect("one never ended a round");
    let site = site.with(app);
    let (status, said) = site.ready().await;
    assert_eq!(
        (status, &said["status"]),
        (StatusCode::OK, &Value::from("ready")),
        "{said}"
    );
    assert_eq!(said["workers"].as_array().unwrap().len(), workers.len());
}
