//! The live figures of the page, as server-sent events. A stream ends with its session: by a hold, a sign-out, or after an
//! hour.

use crate::report::cache::ViewerPermit;
use crate::report::access::requested_unit;
use crate::report::view::{Bar, DayLine, LiveValue, ReportView};
use crate::i18n::Locale;
use crate::app::App;
use crate::http::ErrorPage;
use crate::http::RequestContext;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use ngomon_rules::unit::UnitCode;
use ngomon_store::{Result, StoreError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, interval};

/// The interval in which an idle stream sends a keep-alive and checks its session.
const BEAT: Duration = Duration::from_secs(15);

/// Proxies must not buffer the events.
const UNBUFFERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// Streams the changes of a unit's figures.
pub async fn stream(State(app): State<App>, ctx: RequestContext, Path(unit): Path<String>) -> Response {
    let (ctx, _, unit) = match requested_unit(&app, ctx, &unit).await {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    let Some(visit) = &ctx.visit else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let token = ctx.token.unwrap_or_default();
    let watching = match app.board.watch(&visit.account, &token).await {
        Ok(Some(watching)) => watching,
        Ok(None) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(error) => return ErrorPage(ctx.words, error).into_response(),
    };
    let stream = Stream {
        app,
        token,
        unit,
        words: ctx.words,
        watching,
        told: Arc::default(),
        beat: interval(BEAT),
    };
    let events = unfold(stream, async |mut stream| match stream.next().await {
        Ok(news) => {
            let event = serde_json::to_string(&news?).map(|json| Event::default().data(json));
            Some((event, stream))
        }
        Err(error) => {
            tracing::error!("the report: {error}");
            None
        }
    });
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(BEAT));
    ([UNBUFFERED], sse).into_response()
}

/// The changes of the page since the last event.
#[derive(Default, Serialize)]
pub struct ReportDelta {
    at: String,
    /// The tiles that changed, for screen readers.
    said: BTreeMap<String, String>,
    texts: BTreeMap<String, String>,
    bars: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alerts: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<Vec<DayLine>>,
    #[serde(skip)]
    tiles: Vec<(String, String)>,
}

impl ReportDelta {
    /// All values of a page, at an instant in microseconds UTC.
    pub fn of(shown: ReportView, at: i64, words: Locale) -> Self {
        let tiles = shown.tiles.iter().map(|tile| (tile.label.clone(), tile.n.text.clone()));
        let tiles = tiles.collect();
        let mut cells: Vec<LiveValue> = Vec::new();
        let mut bars: Vec<Bar> = Vec::new();
        for tile in shown.tiles {
            cells.extend(std::iter::once(tile.n).chain(tile.note));
        }
        for one in shown.progress {
            cells.extend(std::iter::once(one.reached).chain(one.lines));
            bars.push(one.bar);
        }
        for unit in shown.units {
            cells.extend(
                [unit.behind, unit.share]
                    .into_iter()
                    .chain(unit.done)
                    .chain(unit.others),
            );
            bars.push(unit.bar);
        }
        cells.extend(shown.refused.into_iter().chain(shown.held).map(|line| line.n));
        Self {
            at: words.text_with("report-at", &[("clock", &words.instant(at))]),
            said: BTreeMap::new(),
            texts: cells.into_iter().map(|cell| (cell.key, cell.text)).collect(),
            bars: bars.into_iter().map(|bar| (bar.key, bar.share)).collect(),
            alerts: Some(shown.alerts),
            days: Some(shown.days),
            tiles,
        }
    }

    /// The values that differ from `before`. `None` if there are none.
    fn since(&self, before: &Self) -> Option<Self> {
        let texts = self
            .texts
            .iter()
            .filter(|(key, text)| before.texts.get(*key) != Some(*text));
        let bars = self
            .bars
            .iter()
            .filter(|(key, share)| before.bars.get(*key) != Some(*share));
        // On the first event `before` is empty, and nothing is read aloud: the visitor has just read the page.
        let tiles = self.tiles.iter().zip(&before.tiles);
        let said = tiles.filter(|(now, before)| now != before).map(|(now, _)| now.clone());
        let news = Self {
            at: self.at.clone(),
            said: said.collect(),
            texts: texts.map(|(key, text)| (key.clone(), text.clone())).collect(),
            bars: bars.map(|(key, share)| (key.clone(), *share)).collect(),
            alerts: self.alerts.clone().filter(|_| self.alerts != before.alerts),
            days: self.days.clone().filter(|_| self.days != before.days),
            tiles: Vec::new(),
        };
        let same = news.texts.is_empty() && news.bars.is_empty() && news.alerts.is_none() && news.days.is_none();
        (!same).then_some(news)
    }
}

struct Stream {
    app: App,
    token: String,
    unit: UnitCode,
    words: Locale,
    watching: ViewerPermit,
    told: Arc<ReportDelta>,
    beat: Interval,
}

impl Stream {
    /// The next event. `None` if the session has ended or the server stops.
    async fn next(&mut self) -> Result<Option<ReportDelta>, StoreError> {
        loop {
            if !self.app.store.is_open(&self.token).await? {
                return Ok(None);
            }
            let snapshot = self.watching.news.borrow_and_update().clone();
            let Some(now) = snapshot.live(&self.unit, self.words).await? else {
                return Ok(None);
            };
            drop(snapshot);
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
