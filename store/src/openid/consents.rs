//! The consents of people to third-party clients, which are not the province's own.

use crate::boxed;
use crate::db::Row;
use crate::db::bound::CONSENT;
use crate::error::Result;
use crate::sessions::grants::revoke_grants;
use crate::store::Store;
use ngomon_rules::client::{ClientId, Scope};
use ngomon_rules::records::AccountId;

/// An owner's consent to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Client id.
    pub client: ClientId,
    /// Name of the client, as displayed to people.
    pub name: String,
    /// Scopes that the owner allowed.
    pub scopes: Vec<Scope>,
    /// Time of the consent: microseconds UTC.
    pub at: i64,
}

impl Store {
    /// An owner's consents, the newest first.
    #[boxed]
    pub async fn consents(&self, account: &AccountId) -> Result<Vec<Consent>> {
        self.db
            .query(async |tx| {
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

    /// Withdraws a consent. The client's grants for the account end in the same commit, and the client is notified. Without a consent
    /// nothing changes.
    #[boxed]
    pub async fn withdraw_consent(&self, account: &AccountId, client: &ClientId) -> Result<()> {
        let (ctx, account, client) = (self.ctx.clone(), account.clone(), client.clone());
        self.db
            .transaction(move |tx| {
                let (ctx, account, client) = (ctx.clone(), account.clone(), client.clone());
                Box::pin(async move {
                    tx.rows_for_update("SELECT id FROM account_row WHERE id = $1", [account.as_str().into()])
                        .await?;
                    let (which, both) = (
                        "account = $1 AND client = $2",
                        [account.as_str().into(), client.as_str().into()],
                    );
                    let sql = format!("DELETE FROM consent WHERE {which}");
                    if tx.execute(&sql, both.clone()).await? > 0 {
                        revoke_grants(tx, &ctx, which, &both).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Whether the owner already consented to all of these scopes.
    #[boxed]
    pub async fn has_consent(&self, account: &AccountId, client: &ClientId, scopes: &[Scope]) -> Result<bool> {
        let sql = format!(
            "SELECT {} FROM consent WHERE account = $1 AND client = $2",
            CONSENT.columns("")
        );
        let args = || [account.as_str().into(), client.as_str().into()];
        let row = self.db.query(async |tx| tx.row(&sql, args()).await).await?;
        let Some(row) = row else { return Ok(false) };
        if !CONSENT.is_genuine(&self.ctx.keys, &row, 0)? {
            return Ok(false);
        }
        let allowed: String = row.get(2)?;
        Ok(scopes
            .iter()
            .all(|scope| allowed.split(' ').any(|word| word == scope.name())))
    }

    /// Records the owner's consent to these scopes; it replaces an earlier one.
    #[boxed]
    pub async fn consent(&self, account: &AccountId, client: &ClientId, scopes: &[Scope]) -> Result<()> {
        let cells = vec![
            account.as_str().into(),
            client.as_str().into(),
            Scope::words(scopes).into(),
            self.ctx.now().into(),
        ];
        let row = CONSENT.row(&self.ctx.keys, cells);
        self.db
            .transaction(move |tx| {
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
