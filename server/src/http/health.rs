//! The health checks, for monitoring and for load balancers.

use crate::app::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// These routes need no session.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
}

/// Liveness: the process answers.
async fn live() -> Response {
    Json(json!({"status": "live"})).into_response()
}

/// Readiness: the database answers. A late worker is reported, but does not make the server unready: its cause is likely to
/// affect the other servers too, and pages work without it.
async fn ready(State(app): State<App>) -> Response {
    let answers = matches!(timeout(PATIENCE, app.store.answers()).await, Ok(Ok(())));
    let now = app.store.now();
    let workers = app.workers.all();
    let late = workers.iter().any(|worker| worker.is_late(now));
    let lines: Vec<_> = workers
        .iter()
        .map(|worker| {
            json!({
                "name": worker.name,
                "every_seconds": worker.pause.as_secs_f64(),
                "last_round": worker.last_round().map(|at| at.to_string()),
                "late": worker.is_late(now),
            })
        })
        .collect();
    let (status, word) = match (answers, late) {
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "not-ready"),
        (true, true) => (StatusCode::OK, "late"),
        (true, false) => (StatusCode::OK, "ready"),
    };
    let database = if answers { "answers" } else { "silent" };
    let body = json!({"status": word, "database": database, "workers": lines});
    (status, Json(body)).into_response()
}
