//! The projection of connected systems and of their subjects.

use crate::context::StoreContext;
use crate::db::bound::{CLIENT, SUBJECT};
use crate::db::{Row, SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::journal::entry::Entry;
use crate::projections::shared::unexpected;
use ngomon_rules::client::{Authentication, ClientId};
use ngomon_rules::event::Change;

pub(crate) async fn changed(tx: &mut Tx, ctx: &StoreContext, entry: &Entry, id: &ClientId) -> Result<()> {
    let key = id.as_str();
    match &entry.event.change {
        Change::ClientAdded { client, secret } => {
            let body = serde_json::to_string(client).map_err(|e| StoreError::corrupt("a client", e))?;
            tx.execute(
                "INSERT INTO client (id, name, body, secret, old_secret, old_until, enabled, generation, mac) VALUES ($1,$2,$3,$4,NULL,0,1,0,$5)",
                [key.into(), (&client.name).into(), body.into(), secret.clone().into(), Vec::new().into()],
            )
            .await?;
            bear(tx, key, &client.resources).await?;
        }
        Change::ClientEdited {
            client,
            secret,
            narrowed,
        } => {
            let body = serde_json::to_string(client).map_err(|e| StoreError::corrupt("a client", e))?;
            let sql = "UPDATE client SET name = $2, body = $3, generation = generation + $4 WHERE id = $1";
            let args = [
                key.into(),
                (&client.name).into(),
                body.into(),
                i64::from(*narrowed).into(),
            ];
            tx.execute(sql, args).await?;
            let by_secret = client.authentication == Authentication::Secret;
            if secret.is_some() || !by_secret {
                let sql = "UPDATE client SET old_secret = NULL, old_until = 0, secret = $2 WHERE id = $1";
                tx.execute(sql, [key.into(), secret.clone().filter(|_| by_secret).into()])
                    .await?;
            }
            tx.execute("DELETE FROM client_resource WHERE client = $1", [key.into()])
                .await?;
            bear(tx, key, &client.resources).await?;
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
    let added = matches!(entry.event.change, Change::ClientAdded { .. });
    bind(tx, ctx, entry, key, added).await
}

async fn bear(tx: &mut Tx, client: &str, resources: &[String]) -> Result<()> {
    for resource in resources {
        let sql = "INSERT INTO client_resource (resource, client) VALUES ($1,$2)";
        tx.execute(sql, [resource.into(), client.into()]).await?;
    }
    Ok(())
}

/// Renews the MAC of the client's row, unless an earlier entry was not genuine.
async fn bind(tx: &mut Tx, ctx: &StoreContext, entry: &Entry, id: &str, added: bool) -> Result<()> {
    let sql = "SELECT id, body, secret, old_secret, old_until, enabled, generation, mac FROM client WHERE id = $1";
    if let Some(row) = tx.row(sql, [id.into()]).await? {
        let mac = if added || !row.get::<Vec<u8>>(7)?.is_empty() {
            entry.bind(&ctx.keys, CLIENT, &client_cells(&row, 0)?)
        } else {
            Vec::new().into()
        };
        tx.execute("UPDATE client SET mac = $2 WHERE id = $1", [id.into(), mac])
            .await?;
    }
    Ok(())
}

/// The cells that bind a client, from the columns id, body, secret, old secret and its expiry, enabled, generation, beginning at `at`.
pub(crate) fn client_cells(row: &Row, at: usize) -> Result<[SqlValue; 7]> {
    Ok([
        row.get::<String>(at)?.into(),
        row.get::<String>(at + 1)?.into(),
        row.get::<Option<String>>(at + 2)?.into(),
        row.get::<Option<String>>(at + 3)?.into(),
        row.get::<i64>(at + 4)?.into(),
        row.get::<i64>(at + 5)?.into(),
        row.get::<i64>(at + 6)?.into(),
    ])
}

pub(crate) async fn subject_named(
    tx: &mut Tx,
    ctx: &StoreContext,
    entry: &Entry,
    account: &str,
    client: &ClientId,
    subject: &str,
    taken_over: bool,
) -> Result<()> {
    let mut cells = vec![client.as_str().into(), account.into(), subject.into()];
    cells.push(entry.bind(&ctx.keys, SUBJECT, &cells));
    cells.push(i64::from(taken_over).into());
    tx.insert(
        "client_subject (client, account, subject, mac, taken_over)",
        vec![cells],
        "",
    )
    .await
    .map(drop)
}
