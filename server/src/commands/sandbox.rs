//! The command `ngomon sandbox`: turns an empty installation into a sandbox for made-up people.

use crate::cli::error_text::Result;
use crate::commands::context::{CommandContext, ExitStatus};

/// Begins the sandbox.
pub async fn run(ctx: &CommandContext) -> Result<ExitStatus> {
    let store = ctx.open_or_create().await?;
    store.begin_sandbox(&ctx.by).await?;
    ctx.seal(&store).await;
    ctx.print_text("sandbox-begun", &[]);
    Ok(ExitStatus::Yes)
}
