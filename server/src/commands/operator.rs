//! The command `ngomon operator`: the people who operate this system.

use crate::cli::args::OperatorVerb;
use crate::cli::error_text::Result;
use crate::commands::context::{CommandContext, ExitStatus};
use crate::commands::serve::address;
use crate::export::Table;

/// Adds, lists, opens or removes operators.
pub async fn run(ctx: &CommandContext, verb: OperatorVerb) -> Result<ExitStatus> {
    match verb {
        OperatorVerb::Add { name, public_url } => {
            let public_url = public_url.map(|url| address(&url)).transpose()?;
            let store = ctx.open_or_create().await?;
            let secret = store.add_operator(&name, &ctx.by).await?;
            ctx.print_text("operator-added", &[("name", &name)]);
            match public_url {
                Some(url) => ctx.once(&[format!("{url}/enrol/{secret}")]),
                None => {
                    ctx.once(&[format!("/enrol/{secret}")]);
                    ctx.print_text("operator-link", &[]);
                }
            }
            ctx.seal(&store).await;
            if store.operators().await?.len() < 2 {
                ctx.print_text("operator-one", &[]);
            }
        }
        OperatorVerb::List(format) => {
            let mut table = Table::new(&["operator"]);
            for name in ctx.open().await?.operators().await? {
                table.push([name]);
            }
            ctx.print(&table, format.format);
        }
        OperatorVerb::Lift { name, reason } => {
            let store = ctx.open_to_change().await?;
            store.lift_orders_of_operator(&name, &reason, &ctx.by).await?;
            ctx.seal(&store).await;
            ctx.print_text("operator-lifted", &[("name", &name)]);
        }
        OperatorVerb::Remove { name } => {
            let store = ctx.open_to_change().await?;
            store.remove_operator(&name, &ctx.by).await?;
            ctx.seal(&store).await;
            ctx.print_text("operator-removed", &[("name", &name)]);
        }
    }
    Ok(ExitStatus::Yes)
}
