//! Drafts: forms that were typed and are not answered yet, so that nothing is lost over a sign-in or a one-time code.

use crate::boxed;
use crate::crypto::keyring::AssociatedData;
use crate::crypto::merkle::sha256;
use crate::db::bound::SESSION;
use crate::error::{Result, StoreError};
use crate::sessions::rows::LONGEST;
use crate::store::Store;
use crate::tables::holds::{is_held, ways_out};
use ngomon_rules::hold::WayOut;
use ngomon_rules::records::{AccountId, Form};

/// Lifetime of a draft: 30 minutes in microseconds.
const KEPT: i64 = 30 * 60 * 1_000_000;

/// Associated data of the encryption: the draft decrypts only for its account and with its own expiry.
fn place(row: &[u8]) -> AssociatedData<'_> {
    AssociatedData {
        table: "draft",
        column: "sealed",
        row,
    }
}

fn row_of(account: &AccountId, good_until: i64) -> Vec<u8> {
    [&good_until.to_be_bytes(), account.as_str().as_bytes()].concat()
}

impl Store {
    /// Stores the draft of an account, in place of an earlier one.
    #[boxed]
    pub async fn keep_draft(&self, account: &AccountId, form: &Form) -> Result<()> {
        let plain = serde_json::to_vec(form).map_err(|e| StoreError::corrupt("a form", e))?;
        let (account, until) = (account.clone(), self.ctx.now() + KEPT);
        let row = row_of(&account, until);
        let sealed = self.ctx.keys.encrypt(place(&row), &plain, &self.ctx.environment);
        self.db
            .transaction(move |tx| {
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

    /// The draft of an account.
    #[boxed]
    pub async fn draft(&self, account: &AccountId) -> Result<Option<Form>> {
        let now = self.ctx.now();
        let row = self
            .db
            .read(async |tx| {
                let sql = "SELECT sealed, good_until FROM draft WHERE account = $1 AND good_until > $2";
                tx.row(sql, [account.as_str().into(), now.into()]).await
            })
            .await?;
        row.map(|row| {
            let place_of = row_of(account, row.get(1)?);
            let plain = self.ctx.keys.decrypt(place(&place_of), &row.get::<Vec<u8>>(0)?)?;
            serde_json::from_slice(&plain).map_err(|e| StoreError::corrupt("draft", e))
        })
        .transpose()
    }

    /// Deletes the draft: it was answered, or is not wanted.
    #[boxed]
    pub async fn drop_draft(&self, account: &AccountId) -> Result<()> {
        let account = account.clone();
        self.db
            .transaction(move |tx| {
                let account = account.clone();
                Box::pin(async move {
                    let sql = "DELETE FROM draft WHERE account = $1";
                    tx.execute(sql, [account.as_str().into()]).await.map(drop)
                })
            })
            .await
    }

    /// The account of a session that ended by time alone, if it may send the form. A session that ended by a hold or a new password returns
    /// `None`: its cookie may be in other hands.
    #[boxed]
    pub async fn was_session_of(&self, token: &str) -> Result<Option<AccountId>> {
        let (id, now, today) = (sha256(&[token.as_bytes()]), self.ctx.now(), self.today());
        self.db
            .read(async |tx| {
                let sql = format!(
                    "SELECT {}, s.account, s.held FROM session s JOIN account a ON a.id = s.account AND a.generation = s.generation \
                     JOIN login l ON l.id = a.login WHERE s.id = $1 AND s.seen > $2 AND l.changed <= s.began",
                    SESSION.columns("s")
                );
                let Some(row) = tx.row(&sql, [id.into(), (now - LONGEST).into()]).await? else {
                    return Ok(None);
                };
                if !SESSION.is_genuine(&self.ctx.keys, &row, 0)? {
                    return Ok(None);
                }
                let at = SESSION.width();
                let (account, held): (String, i64) = (row.get(at)?, row.get(at + 1)?);
                // A hold that begins by date raises no generation.
                let may_send = match (held != 0, is_held(tx, &account, today).await?) {
                    (false, held) => !held,
                    (true, false) => true,
                    (true, true) => ways_out(tx, &account, today).await?.contains(&WayOut::Form),
                };
                Ok(may_send.then_some(AccountId(account)))
            })
            .await
    }
}
