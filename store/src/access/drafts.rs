//! Forms that were typed and are not answered yet: nothing that somebody typed is lost over a sign-in or a one-time code.

use crate::error::{Result, StoreError};
use crate::keyring::Place;
use crate::merkle::sha256;
use crate::store::Store;
use ngomon_rules::record::{AccountId, Form};

/// How long a draft is kept: microseconds.
const KEPT: i64 = 30 * 60 * 1_000_000;

fn place(account: &str) -> Place<'_> {
    Place {
        table: "draft",
        column: "sealed",
        row: account.as_bytes(),
    }
}

impl Store {
    /// Keeps what was typed for an account, in place of what was kept before.
    pub async fn keep_draft(&self, account: &AccountId, form: &Form) -> Result<()> {
        let plain = serde_json::to_vec(form).map_err(|e| StoreError::corrupt("a form", e))?;
        let sealed = self.env.keys.seal(place(account.as_str()), &plain, &self.env.ambient);
        let (account, until) = (account.clone(), self.env.now() + KEPT);
        self.db
            .write(move |tx| {
                let (account, sealed) = (account.clone(), sealed.clone());
                Box::pin(async move {
                    tx.execute(
                        "INSERT INTO draft (account, sealed, good_until) VALUES ($1,$2,$3) \
                         ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed, good_until = excluded.good_until",
                        [account.as_str().into(), sealed.into(), until.into()],
                    )
                    .await
                    .map(drop)
                })
            })
            .await
    }

    /// What was typed for an account and is not answered yet.
    pub async fn draft(&self, account: &AccountId) -> Result<Option<Form>> {
        let now = self.env.now();
        let row = self
            .db
            .read(async |tx| {
                let sql = "SELECT sealed FROM draft WHERE account = $1 AND good_until > $2";
                tx.row(sql, [account.as_str().into(), now.into()]).await
            })
            .await?;
        row.map(|row| {
            let plain = self.env.keys.unseal(place(account.as_str()), &row.get::<Vec<u8>>(0)?)?;
            serde_json::from_slice(&plain).map_err(|e| StoreError::corrupt("draft", e))
        })
        .transpose()
    }

    /// It was answered, or is not wanted.
    pub async fn drop_draft(&self, account: &AccountId) -> Result<()> {
        let account = account.clone();
        self.db
            .write(move |tx| {
                let account = account.clone();
                Box::pin(async move {
                    let sql = "DELETE FROM draft WHERE account = $1";
                    tx.execute(sql, [account.as_str().into()]).await.map(drop)
                })
            })
            .await
    }

    /// Whose session that was, good or over, as long as it is not forgotten.
    pub async fn was_session_of(&self, token: &str) -> Result<Option<AccountId>> {
        let id = sha256(&[token.as_bytes()]);
        let row = self
            .db
            .read(async |tx| {
                let sql = "SELECT s.account FROM session s JOIN account a ON a.id = s.account WHERE s.id = $1";
                tx.row(sql, [id.into()]).await
            })
            .await?;
        row.map(|row| row.get(0).map(AccountId)).transpose()
    }
}
