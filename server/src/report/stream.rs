//! The live figures of the page, as server-sent events. A stream ends with its session: by a hold, a sign-out, or after an
//! hour.

use crate::app::App;
use crate::http::{ErrorPage, RequestContext};
use crate::i18n::Locale;
use crate::report::access::requested_unit;
use crate::report::cache::ViewerPermit;
use crate::report::delta::ReportDelta;
use crate::report::snapshot::Snapshot;
use crate::report::view::ReportView;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use ngomon_rules::unit::UnitCode;
use ngomon_store::{Result, StoreError};
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
    let Some(session) = &ctx.session else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let token = ctx.token.unwrap_or_default();
    let watching = match app.report_cache.watch(&session.account, &token).await {
        Ok(Some(watching)) => watching,
        Ok(None) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(error) => return ErrorPage(ctx.locale, error).into_response(),
    };
    let stream = Stream {
        app,
        token,
        unit,
        locale: ctx.locale,
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

impl Snapshot {
    /// The streamed values of a unit, computed once for all its viewers. `None` if there is no such unit.
    pub async fn live(&self, unit: &UnitCode, locale: Locale) -> Result<Option<Arc<ReportDelta>>> {
        let key = (unit.clone(), locale.tag());
        let mut known = self.lives.lock().await;
        if let Some(live) = known.get(&key) {
            return Ok(Some(Arc::clone(live)));
        }
        let Some(shown) = ReportView::of(self, unit, locale).await? else {
            return Ok(None);
        };
        let live = Arc::new(ReportDelta::of(shown, self.at, locale));
        known.insert(key, Arc::clone(&live));
        Ok(Some(live))
    }
}

struct Stream {
    app: App,
    token: String,
    unit: UnitCode,
    locale: Locale,
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
            let Some(now) = snapshot.live(&self.unit, self.locale).await? else {
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
