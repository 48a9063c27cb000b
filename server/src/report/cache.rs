//! The cache of the report and of HR's tasks, shared by all their viewers: each is computed once for each position of the journal.
//!
//! While a stream is open, one task checks twice a second whether the position has moved; then it computes the figures again
//! and notifies every stream. Without viewers nothing runs.

use crate::report::snapshot::Snapshot;
use futures_util::FutureExt as _;
use ngomon_rules::records::AccountId;
use ngomon_store::{Result, Store};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// The interval of the checks. Together with the work that follows, a stream ends within a second of a hold.
const LOOK: Duration = Duration::from_millis(500);
/// Streams of one session: a browser has six connections to a host, and needs some of them for other requests.
const OF_SESSION: usize = 4;
/// Streams of one person, over all sessions.
const OF_PERSON: usize = 8;
/// Streams of the whole server.
const OF_ALL: usize = 1_000;

/// The current figures and their viewers. Cheap to clone.
#[derive(Clone)]
pub struct ReportCache(Arc<SharedCache>);

struct SharedCache {
    store: Store,
    latest: tokio::sync::Mutex<Option<Arc<Snapshot>>>,
    watchers: Mutex<Watchers>,
}

#[derive(Default)]
struct Watchers {
    /// The session of each open stream, by person.
    by_person: HashMap<AccountId, Vec<String>>,
    all: usize,
    look: Option<ChangeWatcher>,
    closed: bool,
}

/// The task that checks for changes. It ends when this value is dropped.
struct ChangeWatcher {
    news: watch::Receiver<Arc<Snapshot>>,
    task: AbortHandle,
}

impl Drop for ChangeWatcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ReportCache {
    /// A cache without viewers.
    pub fn new(store: Store) -> Self {
        Self(Arc::new(SharedCache {
            store,
            latest: tokio::sync::Mutex::default(),
            watchers: Mutex::default(),
        }))
    }

    /// The current figures: the cached ones, if nothing has moved.
    pub async fn current(&self) -> Result<Arc<Snapshot>> {
        let store = &self.0.store;
        // Concurrent requests wait here while the figures are computed.
        let mut latest = self.0.latest.lock().await;
        let (day, position) = (store.today(), store.position().await?);
        let same = |last: &&Arc<Snapshot>| last.figures.day == day && last.figures.position == position;
        if let Some(last) = latest.as_ref().filter(same) {
            return Ok(Arc::clone(last));
        }
        let snapshot = Arc::new(Snapshot {
            store: store.clone(),
            figures: store.figures(day).await?,
            at: store.now().as_microsecond(),
            days: tokio::sync::Mutex::default(),
            lives: tokio::sync::Mutex::default(),
            staff: tokio::sync::OnceCell::new(),
            hr_tasks: tokio::sync::OnceCell::new(),
        });
        *latest = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// Opens a place for a stream. `None` if the session, the person or the server has no place left.
    pub async fn watch(&self, person: &AccountId, session: &str) -> Result<Option<ViewerPermit>> {
        let current = self.current().await?;
        let mut watchers = self.watchers();
        let own = watchers.by_person.get(person).map_or(&[][..], Vec::as_slice);
        let of_session = own.iter().filter(|one| *one == session).count();
        if watchers.closed || watchers.all >= OF_ALL || own.len() >= OF_PERSON || of_session >= OF_SESSION {
            return Ok(None);
        }
        watchers
            .by_person
            .entry(person.clone())
            .or_default()
            .push(session.to_owned());
        watchers.all += 1;
        let look = watchers.look.get_or_insert_with(|| {
            let (tell, news) = watch::channel(current);
            let task = tokio::spawn(look(self.clone(), tell)).abort_handle();
            ChangeWatcher { news, task }
        });
        Ok(Some(ViewerPermit {
            news: look.news.clone(),
            report_cache: self.clone(),
            person: person.clone(),
            session: session.to_owned(),
        }))
    }

    /// Ends every stream and refuses new ones, because the server shuts down.
    pub fn close(&self) {
        let mut watchers = self.watchers();
        watchers.closed = true;
        watchers.look = None;
    }

    fn watchers(&self) -> std::sync::MutexGuard<'_, Watchers> {
        // Nothing panics while holding this lock.
        self.0.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn look(report_cache: ReportCache, tell: watch::Sender<Arc<Snapshot>>) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut well = true;
    loop {
        ticks.tick().await;
        // A panic must not end the task: the viewers would wait for ever.
        match AssertUnwindSafe(report_cache.current()).catch_unwind().await {
            Ok(Ok(current)) => {
                well = true;
                tell.send_if_modified(|last| {
                    let moved = !Arc::ptr_eq(last, &current);
                    *last = current;
                    moved
                });
            }
            // The next check may reach the database again. Logged once.
            Ok(Err(error)) if well => {
                well = false;
                tracing::error!("the report: {error}");
            }
            _ => {}
        }
    }
}

/// The place of one stream.
pub struct ViewerPermit {
    /// The newest figures; an error once the server stops.
    pub news: watch::Receiver<Arc<Snapshot>>,
    report_cache: ReportCache,
    person: AccountId,
    session: String,
}

impl Drop for ViewerPermit {
    fn drop(&mut self) {
        let mut watchers = self.report_cache.watchers();
        watchers.all -= 1;
        if let Some(own) = watchers.by_person.get_mut(&self.person) {
            if let Some(at) = own.iter().position(|one| *one == self.session) {
                own.swap_remove(at);
            }
            if own.is_empty() {
                watchers.by_person.remove(&self.person);
            }
        }
        if watchers.all == 0 {
            watchers.look = None;
        }
    }
}
