//! `ngomon operator`: who runs this system.

use super::{Desk, Done};
use crate::cli::OperatorVerb;
use crate::failure::Result;
use crate::output::Table;

/// Adds, lists, removes.
pub async fn run(desk: &Desk, verb: OperatorVerb) -> Result<Done> {
    match verb {
        OperatorVerb::Add { name, public_url } => {
            let store = desk.open_or_create().await?;
            let secret = store.add_operator(&name, &desk.by).await?;
            store.seal().await?;
            desk.tell("operator-added", &[("name", &name)]);
            match public_url {
                Some(url) => println!("{}/enrol/{secret}", url.trim_end_matches('/')),
                None => {
                    println!("/enrol/{secret}");
                    desk.tell("operator-link", &[]);
                }
            }
            if store.operators().await?.len() < 2 {
                desk.tell("operator-one", &[]);
            }
        }
        OperatorVerb::List(format) => {
            let mut table = Table::new(&["operator"]);
            for name in desk.open().await?.operators().await? {
                table.push([name]);
            }
            desk.print(&table, format.format)?;
        }
        OperatorVerb::Remove { name } => {
            let store = desk.open().await?;
            store.remove_operator(&name, &desk.by).await?;
            store.seal().await?;
            desk.tell("operator-removed", &[("name", &name)]);
        }
    }
    Ok(Done::Yes)
}
