//! Is it well? For whoever watches the server, and for what stands before it.

use super::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// The database has so long to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Nobody signs in for these.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
}

/// The process answers.
async fn live() -> Response {
    Json(json!({"status": "live"})).into_response()
}

/// Can it answer people? A worker that is late is told of, but takes no server away from them: whatever kept it is likely to keep those of
/// the other servers, too, and pages go on without it.
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
