//! What a server does by itself, beside answering: forms that waited for the registry are asked for again, the journal is sealed, clients
//! are told what happened, also by the day alone, and what is over is swept away. Each goes on after a fault, which the operator reads.

use crate::failure::Failure;
use crate::openid::Deliveries;
use crate::registry::{LONG_PATIENCE, ask_one};
use crate::web::App;
use ngomon_rules::citizens::RegistryAnswer;
use ngomon_store::Result;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// Starts them. They end with the process: whatever they do is whole or not done.
pub fn start(app: &App) -> crate::failure::Result<()> {
    every(app, Duration::from_secs(1), |app| async move {
        app.store.seal().await.map(drop)
    });
    every(app, Duration::from_secs(1), |app| async move {
        app.store.tell_who_is_held().await.map(drop)
    });
    every(app, Duration::from_secs(5), answer_pending);
    every(app, Duration::from_hours(1), |app| async move {
        app.store.sweep().await.map(drop)
    });
    every(app, Duration::from_hours(24), recount);
    every(app, Duration::from_hours(24), |app| async move {
        app.store.tend_signing_keys().await
    });
    let deliveries = Deliveries::new().map_err(|e| Failure::said("error-sender", &[("why", &e.to_string())]))?;
    every(app, Duration::from_millis(250), move |app| {
        let deliveries = deliveries.clone();
        async move { deliveries.begin(&app).await }
    });
    Ok(())
}

fn every<F>(app: &App, pause: Duration, job: impl Fn(App) -> F + Send + 'static)
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let app = app.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = job(app.clone()).await {
                eprintln!("ngomon: {error}");
            }
        }
    });
}

/// Forms that wait, in their order. While the registry is away they go on waiting; it is silent if it answered for none of them.
pub async fn answer_pending(app: App) -> Result<()> {
    let mut heard = None;
    for form in app.store.pending_forms().await? {
        let registry = match form.number {
            Some(number) => Some(ask_one(&app, number, LONG_PATIENCE).await?),
            None => None,
        };
        if let Some(answer) = &registry {
            heard = Some(heard == Some(true) || *answer != RegistryAnswer::Unavailable);
        }
        app.store.answer_pending(form, "registry", registry).await?;
    }
    match heard {
        Some(answered) => app.store.registry_heard(answered).await,
        None => Ok(()),
    }
}

/// C7: "the recount runs by itself daily", and at the start.
async fn recount(app: App) -> Result<()> {
    let done = app.store.recount().await?;
    done.differing.iter().for_each(|at| eprintln!("ngomon: recount: {at}"));
    Ok(())
}
