//! The background workers of a server: they retry forms that waited for the registry, seal the journal, deliver security events, detect
//! holds that begin or end by date, and sweep expired rows. A worker goes on after an error or a panic, with a delay that grows with
//! repeated failures, and counts as late if it makes no progress.

pub mod hash_wrapping;
pub mod notice_delivery;
pub mod worker;

use crate::app::App;
use crate::cli;
use crate::cli::error_text::CommandError;
use crate::registry_client::{LONG_PATIENCE, ask_one};
use crate::workers::hash_wrapping::Wrapping;
use crate::workers::notice_delivery::Deliveries;
use crate::workers::worker::Worker;
use futures_util::FutureExt as _;
use ngomon_rules::citizens::RegistryAnswer;
use ngomon_store::{Result, StoreError};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tracing::Instrument as _;

/// The delay after the first failure of a worker; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_millis(250);
/// The longest such delay, for a worker with short rounds and for one with long rounds.
const LONGEST_RETRY: [Duration; 2] = [Duration::from_secs(5), Duration::from_mins(10)];

/// Starts the workers. They end with the process: each change they make is atomic.
pub fn start(app: &App) -> cli::error_text::Result<()> {
    spawn_periodic(app, "seal", Duration::from_secs(1), |app| async move {
        app.store.seal().await?;
        // An attacker who blocks the sealing could delete unsealed entries without a trace, so a late seal is logged as an error.
        if app.store.is_seal_late().await? {
            return Err(StoreError::corrupt(
                "journal",
                "something waits to be sealed for too long",
            ));
        }
        Ok(())
    });
    spawn_periodic(app, "tell-held", Duration::from_secs(1), |app| async move {
        app.store.propagate_time_based_holds().await.map(drop)
    });
    spawn_periodic(app, "answer-forms", Duration::from_secs(5), retry_pending_forms);
    spawn_periodic(app, "answer-held-back", Duration::from_hours(1), answer_held_back);
    spawn_periodic(app, "sweep", Duration::from_hours(1), |app| async move {
        app.store.sweep().await.map(drop)
    });
    spawn_periodic(app, "end-over", Duration::from_secs(30), |app| async move {
        app.store.end_over_sessions().await.map(drop)
    });
    spawn_periodic(app, "forget-successors", Duration::from_secs(5), |app| async move {
        app.store.forget_successors().await
    });
    let wrapping = Arc::new(Wrapping::default());
    spawn_periodic(app, "wrap-hashes", Duration::from_secs(1), move |app| {
        let wrapping = wrapping.clone();
        async move { wrapping.step(&app).await }
    });
    spawn_periodic(app, "recount", Duration::from_hours(24), recount);
    spawn_periodic(app, "signing-keys", Duration::from_hours(24), |app| async move {
        app.store.tend_signing_keys().await
    });
    let deliveries = Deliveries::new(app.tells_inner)
        .map_err(|e| CommandError::error_text("error-sender", &[("why", &e.to_string())]))?;
    spawn_periodic(app, "tell-systems", Duration::from_millis(250), move |app| {
        let deliveries = deliveries.clone();
        async move { deliveries.begin(&app).await }
    });
    Ok(())
}

/// Starts a worker that repeats the job.
pub fn spawn_periodic<F>(app: &App, name: &'static str, pause: Duration, job: impl Fn(App) -> F + Send + Sync + 'static)
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let worker = app.workers.add(name, pause, app.store.now());
    tokio::spawn(supervise(app.clone(), worker, job));
}

async fn supervise<F>(app: App, worker: Arc<Worker>, job: impl Fn(App) -> F + Send + Sync + 'static)
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mut failures = 0_u32;
    loop {
        let span = tracing::info_span!("worker", name = worker.name);
        let round = AssertUnwindSafe(async { job(app.clone()).await }).catch_unwind();
        match round.instrument(span.clone()).await {
            Ok(Ok(())) => {
                worker.last.store(app.store.now().as_microsecond(), Ordering::Relaxed);
                if failures > 0 {
                    span.in_scope(|| tracing::info!(failures, "works again"));
                }
                failures = 0;
            }
            failed => {
                failures = failures.saturating_add(1);
                // Logged at the first, second, fourth, … failure: a lasting error is not logged each time.
                if failures.is_power_of_two() {
                    // The panic hook has logged the place of a panic already.
                    let why = failed.map_or_else(|_| "begun again".to_owned(), |error| said(&error));
                    span.in_scope(|| tracing::error!(failures, "{why}"));
                }
            }
        }
        rest(pause(&worker, failures)).await;
    }
}

fn said(round: &Result<()>) -> String {
    round.as_ref().err().map(ToString::to_string).unwrap_or_default()
}

fn pause(worker: &Worker, failures: u32) -> Duration {
    if failures == 0 {
        return worker.pause;
    }
    let [often, seldom] = LONGEST_RETRY;
    let longest = worker.pause.clamp(often, seldom);
    FIRST_RETRY
        .saturating_mul(2_u32.saturating_pow(failures - 1))
        .min(longest)
}

#[allow(clippy::disallowed_methods, reason = "work that is done by the time")]
async fn rest(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// Retries the forms that wait for the registry, in order. While it is away they go on waiting; it is recorded as silent if it responded
/// for none of them.
pub async fn retry_pending_forms(app: App) -> Result<()> {
    answer_waiting(app, false).await
}

/// Retries the forms of people whose data the registry had only in part, in case it has them now.
pub async fn answer_held_back(app: App) -> Result<()> {
    answer_waiting(app, true).await
}

async fn answer_waiting(app: App, for_papers: bool) -> Result<()> {
    let mut heard = None;
    let waiting = app.store.pending_forms().await?.into_iter();
    for form in waiting.filter(|form| form.waits_for_papers == for_papers) {
        let registry = match form.number {
            Some(number) => Some(ask_one(&app, number, LONG_PATIENCE).await?),
            None => None,
        };
        if let Some(answer) = &registry {
            heard = Some(heard == Some(true) || *answer != RegistryAnswer::Unavailable);
        }
        app.store.retry_pending_forms(form, "registry", registry).await?;
    }
    match heard {
        Some(answered) => app.store.registry_heard(answered).await,
        None => Ok(()),
    }
}

/// C7: "the recount runs by itself daily", and at the start.
async fn recount(app: App) -> Result<()> {
    let done = app.store.recount().await?;
    done.differing
        .iter()
        .for_each(|at| tracing::error!("the figures are not what the accounts give: {at}"));
    Ok(())
}
