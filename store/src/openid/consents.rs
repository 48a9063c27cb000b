//! What people allowed clients that are not the province's own.

use crate::error::Result;
use crate::store::Store;
use ngomon_rules::client::{ClientId, Scope};
use ngomon_rules::record::AccountId;

impl Store {
    /// Did the owner allow the client all of that before?
    pub async fn has_consent(&self, account: &AccountId, client: &ClientId, scopes: &[Scope]) -> Result<bool> {
        let sql = "SELECT scope FROM consent WHERE account = $1 AND client = $2";
        let args = || [account.as_str().into(), client.as_str().into()];
        let row = self.db.ask(async |tx| tx.row(sql, args()).await).await?;
        let Some(row) = row else { return Ok(false) };
        let allowed: String = row.get(0)?;
        Ok(scopes
            .iter()
            .all(|scope| allowed.split(' ').any(|word| word == scope.name())))
    }

    /// The owner allows the client that.
    pub async fn consent(&self, account: &AccountId, client: &ClientId, scopes: &[Scope]) -> Result<()> {
        let (account, client, scope, now) = (account.clone(), client.clone(), Scope::words(scopes), self.env.now());
        self.db
            .write(move |tx| {
                let (account, client, scope) = (account.clone(), client.clone(), scope.clone());
                Box::pin(async move {
                    let sql = "INSERT INTO consent (account, client, scope, at) VALUES ($1,$2,$3,$4) \
                         ON CONFLICT (account, client) DO UPDATE SET scope = excluded.scope, at = excluded.at";
                    let args = [
                        account.as_str().into(),
                        client.as_str().into(),
                        scope.into(),
                        now.into(),
                    ];
                    tx.execute(sql, args).await.map(drop)
                })
            })
            .await
    }
}
