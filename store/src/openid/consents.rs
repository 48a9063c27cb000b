//! What people allowed clients that are not the province's own.

use super::grants::end_grants;
use crate::bound::CONSENT;
use crate::db::Row;
use crate::error::Result;
use crate::store::Store;
use ngomon_rules::client::{ClientId, Scope};
use ngomon_rules::record::AccountId;

/// What an owner allowed a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Which client.
    pub client: ClientId,
    /// As people read it.
    pub name: String,
    /// What it may be told.
    pub scopes: Vec<Scope>,
    /// Since when, in microseconds UTC.
    pub at: i64,
}

impl Store {
    /// What an owner allowed, the newest first.
    pub async fn consents(&self, account: &AccountId) -> Result<Vec<Consent>> {
        self.db
            .ask(async |tx| {
                let sql = "SELECT s.client, c.name, s.scope, s.at FROM consent s JOIN client c ON c.id = s.client \
                     WHERE s.account = $1 ORDER BY s.at DESC, s.client";
                let rows = tx.rows(sql, [account.as_str().into()]).await?;
                let consent = |row: &Row| {
                    Ok(Consent {
                        client: ClientId(row.get(0)?),
                        name: row.get(1)?,
                        scopes: row.get::<String>(2)?.split(' ').filter_map(Scope::parse).collect(),
                        at: row.get(3)?,
                    })
                };
                rows.iter().map(consent).collect()
            })
            .await
    }

    /// The owner takes it back: what the client has of the account ends in the same commit, and the client is told. What was not allowed
    /// changes nothing.
    pub async fn withdraw_consent(&self, account: &AccountId, client: &ClientId) -> Result<()> {
        let (env, account, client) = (self.env.clone(), account.clone(), client.clone());
        self.db
            .write(move |tx| {
                let (env, account, client) = (env.clone(), account.clone(), client.clone());
                Box::pin(async move {
                    tx.rows_locked("SELECT id FROM account_row WHERE id = $1", [account.as_str().into()])
                        .await?;
                    let (which, both) = (
                        "account = $1 AND client = $2",
                        [account.as_str().into(), client.as_str().into()],
                    );
                    let sql = format!("DELETE FROM consent WHERE {which}");
                    if tx.execute(&sql, both.clone()).await? > 0 {
                        end_grants(tx, &env, which, &both).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Did the owner allow the client all of that before?
    pub async fn has_consent(&self, account: &AccountId, client: &ClientId, scopes: &[Scope]) -> Result<bool> {
        let sql = format!(
            "SELECT {} FROM consent WHERE account = $1 AND client = $2",
            CONSENT.columns("")
        );
        let args = || [account.as_str().into(), client.as_str().into()];
        let row = self.db.ask(async |tx| tx.row(&sql, args()).await).await?;
        let Some(row) = row else { return Ok(false) };
        if !CONSENT.is_genuine(&self.env.keys, &row, 0)? {
            return Ok(false);
        }
        let allowed: String = row.get(2)?;
        Ok(scopes
            .iter()
            .all(|scope| allowed.split(' ').any(|word| word == scope.name())))
    }

    /// The owner allows the client that.
    pub async fn consent(&self, account: &AccountId, client: &ClientId, scopes: &[Scope]) -> Result<()> {
        let cells = vec![
            account.as_str().into(),
            client.as_str().into(),
            Scope::words(scopes).into(),
            self.env.now().into(),
        ];
        let row = CONSENT.row(&self.env.keys, cells);
        self.db
            .write(move |tx| {
                let row = row.clone();
                Box::pin(async move {
                    let sql = "INSERT INTO consent (account, client, scope, at, mac) VALUES ($1,$2,$3,$4,$5) \
                         ON CONFLICT (account, client) DO UPDATE SET scope = excluded.scope, at = excluded.at, mac = excluded.mac";
                    tx.execute(sql, row).await.map(drop)
                })
            })
            .await
    }
}
