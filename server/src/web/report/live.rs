//! The page's figures as server-sent events. A stream ends with its session: a hold, a sign-out, an hour.

use super::asked;
use super::board::Watching;
use super::shown::{Live, Shown};
use crate::output::Words;
use crate::web::App;
use crate::web::asker::Asker;
use crate::web::page::Fault;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use ngomon_rules::unit::UnitCode;
use ngomon_store::{Result, StoreError};
use std::time::Duration;
use tokio::time::{Interval, interval};

/// So often a quiet stream shows that it lives, and asks whether its session still does.
const BEAT: Duration = Duration::from_secs(15);

/// Proxies are asked not to gather what is meant to be seen at once.
const UNBUFFERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// What becomes of a unit's figures.
pub async fn stream(State(app): State<App>, asker: Asker, Path(unit): Path<String>) -> Response {
    let (asker, _, unit) = match asked(&app, asker, &unit).await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    let token = asker.token.unwrap_or_default();
    let watching = match app.board.watch(&token).await {
        Ok(Some(watching)) => watching,
        Ok(None) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(error) => return Fault(asker.words, error).into_response(),
    };
    let stream = Stream {
        app,
        token,
        unit,
        words: asker.words,
        watching,
        told: Live::default(),
        beat: interval(BEAT),
    };
    let events = unfold(stream, async |mut stream| match stream.next().await {
        Ok(news) => {
            let event = serde_json::to_string(&news?).map(|json| Event::default().data(json));
            Some((event, stream))
        }
        Err(error) => {
            eprintln!("ngomon: the report: {error}");
            None
        }
    });
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(BEAT));
    ([UNBUFFERED], sse).into_response()
}

struct Stream {
    app: App,
    token: String,
    unit: UnitCode,
    words: Words,
    watching: Watching,
    told: Live,
    beat: Interval,
}

impl Stream {
    /// The next news; `None`: the session is over, or the server stops.
    async fn next(&mut self) -> Result<Option<Live>, StoreError> {
        loop {
            if !self.app.store.is_open(&self.token).await? {
                return Ok(None);
            }
            let snapshot = self.watching.news.borrow_and_update().clone();
            let Some(shown) = Shown::of(&snapshot, &self.unit, self.words).await? else {
                return Ok(None);
            };
            let now = shown.live();
            if let Some(news) = now.since(&self.told) {
                self.told = now;
                return Ok(Some(news));
            }
            tokio::select! {
                changed = self.watching.news.changed() => if changed.is_err() { return Ok(None) },
                _ = self.beat.tick() => {}
            }
        }
    }
}
