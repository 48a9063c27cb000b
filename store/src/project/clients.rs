//! Connected systems, and what they call accounts.

use super::unexpected;
use crate::db::Tx;
use crate::error::{Result, StoreError};
use crate::journal::Entry;
use ngomon_rules::client::ClientId;
use ngomon_rules::event::Change;

pub(super) async fn changed(tx: &mut Tx, entry: &Entry, id: &ClientId) -> Result<()> {
    let key = id.as_str();
    match &entry.event.change {
        Change::ClientAdded { client, secret } => {
            let body = serde_json::to_string(client).map_err(|e| StoreError::corrupt("a client", e))?;
            tx.execute(
                "INSERT INTO client (id, name, body, secret, old_secret, old_until, enabled, generation) VALUES ($1,$2,$3,$4,NULL,0,1,0)",
                [key.into(), (&client.name).into(), body.into(), secret.clone().into()],
            )
            .await?;
            for resource in &client.resources {
                let sql = "INSERT INTO client_resource (resource, client) VALUES ($1,$2)";
                tx.execute(sql, [resource.into(), key.into()]).await?;
            }
        }
        Change::ClientSecretRotated { secret, old_until } => {
            let sql = "UPDATE client SET old_secret = secret, old_until = $2, secret = $3 WHERE id = $1";
            tx.execute(sql, [key.into(), (*old_until).into(), secret.into()])
                .await?;
        }
        Change::ClientDisabled => {
            let sql = "UPDATE client SET enabled = 0, generation = generation + 1 WHERE id = $1";
            tx.execute(sql, [key.into()]).await?;
        }
        Change::ClientEnabled => {
            let sql = "UPDATE client SET enabled = 1 WHERE id = $1";
            tx.execute(sql, [key.into()]).await?;
        }
        Change::ClientRemoved => {
            for sql in [
                "DELETE FROM client WHERE id = $1",
                "DELETE FROM client_subject WHERE client = $1",
                "DELETE FROM client_resource WHERE client = $1",
            ] {
                tx.execute(sql, [key.into()]).await?;
            }
        }
        _ => return Err(unexpected(entry)),
    }
    Ok(())
}

pub(super) async fn subject_named(tx: &mut Tx, account: &str, client: &ClientId, subject: &str) -> Result<()> {
    let sql = "INSERT INTO client_subject (client, account, subject) VALUES ($1,$2,$3)";
    tx.execute(sql, [client.as_str().into(), account.into(), subject.into()])
        .await
        .map(drop)
}
