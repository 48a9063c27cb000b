//! The query to the registry for one number, made before a form is answered. A timeout or an unreadable reply does not count as a negative
//! answer.

use crate::app::App;
use ngomon_feeds::{RegistryBehaviour, read_reply};
use ngomon_rules::citizens::RegistryAnswer;
use ngomon_rules::values::NationalId;
use ngomon_store::Result;
use std::time::Duration;

/// The timeout of a query while a visitor waits.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// The timeout of a query for a form that is answered in the background.
pub const LONG_PATIENCE: Duration = Duration::from_secs(10);

/// Queries the registry for that number and records whether it responded, because the report shows when the registry is silent.
pub async fn ask(app: &App, number: NationalId, patience: Duration) -> Result<RegistryAnswer> {
    let answer = ask_one(app, number, patience).await?;
    app.store.registry_heard(answer != RegistryAnswer::Unavailable).await?;
    Ok(answer)
}

/// Queries the registry for one number of a series; the caller records whether it responded.
pub async fn ask_one(app: &App, number: NationalId, patience: Duration) -> Result<RegistryAnswer> {
    let known = app.store.registry(number).await?;
    if !app.sandbox || known == RegistryAnswer::Unavailable {
        return Ok(known);
    }
    let mood = app.store.sandbox_registry_behaviour(number).await?;
    let mood = mood.as_deref().and_then(RegistryBehaviour::parse).unwrap_or_default();
    let Ok(bytes) = tokio::time::timeout(patience, played(mood, &known)).await else {
        tracing::warn!("the registry did not answer in time");
        return Ok(RegistryAnswer::Unavailable);
    };
    Ok(read_reply(number, &bytes).unwrap_or_else(|fault| {
        tracing::warn!("{fault}");
        RegistryAnswer::Unavailable
    }))
}

/// The reply of the sandbox's registry, after the delay that it plays.
#[allow(clippy::disallowed_methods, reason = "the sandbox plays a slow registry")]
async fn played(mood: RegistryBehaviour, known: &RegistryAnswer) -> Vec<u8> {
    match mood.play(known) {
        Some((after, bytes)) => {
            tokio::time::sleep(after).await;
            bytes
        }
        None => std::future::pending().await,
    }
}
