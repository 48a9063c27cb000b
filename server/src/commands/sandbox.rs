//! The command `ngomon sandbox`: turns an empty installation into a sandbox for made-up people.

use super::{Desk, Done};
use crate::failure::Result;

/// Begins the sandbox.
pub async fn run(desk: &Desk) -> Result<Done> {
    let store = desk.open_or_create().await?;
    store.begin_sandbox(&desk.by).await?;
    desk.seal(&store).await;
    desk.tell("sandbox-begun", &[]);
    Ok(Done::Yes)
}
