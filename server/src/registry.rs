//! The registry is asked for one number before a form is answered. A registry that does not answer in time, or that cannot be
//! understood, has not said no.

use crate::web::App;
use ngomon_feeds::{Mood, read_reply};
use ngomon_rules::citizens::RegistryAnswer;
use ngomon_rules::values::NationalId;
use ngomon_store::Result;
use std::time::Duration;

/// How long somebody at a page waits for it.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// How long a form waits for it that is answered in the background.
pub const LONG_PATIENCE: Duration = Duration::from_secs(10);

/// What it says of that number. Whether it answered at all is noted: the report tells of a silent registry.
pub async fn ask(app: &App, number: NationalId, patience: Duration) -> Result<RegistryAnswer> {
    let answer = ask_one(app, number, patience).await?;
    app.store.registry_heard(answer != RegistryAnswer::Unavailable).await?;
    Ok(answer)
}

/// The same for one of many that are asked in a row: their caller notes what came of all.
pub async fn ask_one(app: &App, number: NationalId, patience: Duration) -> Result<RegistryAnswer> {
    let known = app.store.registry(number).await?;
    if !app.sandbox || known == RegistryAnswer::Unavailable {
        return Ok(known);
    }
    let mood = app.store.sandbox_mood(number).await?;
    let mood = mood.as_deref().and_then(Mood::parse).unwrap_or_default();
    let Ok(bytes) = tokio::time::timeout(patience, played(mood, &known)).await else {
        tracing::warn!("the registry did not answer in time");
        return Ok(RegistryAnswer::Unavailable);
    };
    Ok(read_reply(number, &bytes).unwrap_or_else(|fault| {
        tracing::warn!("{fault}");
        RegistryAnswer::Unavailable
    }))
}

/// What the sandbox's registry sends, when it does.
#[allow(clippy::disallowed_methods, reason = "the sandbox plays a slow registry")]
async fn played(mood: Mood, known: &RegistryAnswer) -> Vec<u8> {
    match mood.play(known) {
        Some((after, bytes)) => {
            tokio::time::sleep(after).await;
            bytes
        }
        None => std::future::pending().await,
    }
}
