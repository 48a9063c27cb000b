//! The command `ngomon sandbox`: turns an empty installation into a sandbox for made-up people.

use crate::cli::error_text::Result;
use crate::commands::context::{CommandContext, ExitStatus};

/// Begins the sandbox.
pub async fn run(desk: &CommandContext) -> Result<ExitStatus> {
    let store = desk.open_or_create().await?;
    store.begin_sandbox(&desk.by).await?;
    desk.seal(&store).await;
    desk.print_text("sandbox-begun", &[]);
    Ok(ExitStatus::Yes)
}
