//! "Đề nghị xem xét lại": the owner of a held account asks a counter to look at it again.

use super::submit::new_receipt;
use crate::access::Operator;
use crate::db::Tx;
use crate::error::Result;
use crate::journal::{Act, append};
use crate::store::Store;
use ngomon_rules::event::{Change, Event};
use ngomon_rules::record::AccountId;

/// A request, as the counter sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRequest {
    /// Told to the person.
    pub receipt: String,
    /// Of which account.
    pub account: AccountId,
    /// When, in microseconds UTC.
    pub at: i64,
}

/// Since the newest hold of that account.
async fn open_request(tx: &mut Tx, account: &AccountId) -> Result<Option<String>> {
    let sql = "SELECT r.receipt FROM review_request r WHERE r.account = $1 \
         AND r.at >= (SELECT COALESCE(MAX(h.since), 0) FROM hold h WHERE h.account = r.account AND h.until IS NULL) \
         ORDER BY r.at DESC LIMIT 1";
    let row = tx.row(sql, [account.as_str().into()]).await?;
    row.map(|row| row.get(0)).transpose()
}

impl Store {
    /// Asks for an account to be looked at again. Returns the receipt: that of the request that is open, if there is one.
    pub async fn request_review(&self, account: &AccountId) -> Result<String> {
        let (env, account) = (self.env.clone(), account.clone());
        self.db
            .write(move |tx| {
                let (env, account) = (env.clone(), account.clone());
                Box::pin(async move {
                    let sql = "SELECT id FROM account_row WHERE id = $1";
                    tx.rows_locked(sql, [account.as_str().into()]).await?;
                    if let Some(receipt) = open_request(tx, &account).await? {
                        return Ok(receipt);
                    }
                    let receipt = new_receipt(tx, &env).await?;
                    let change = Change::ReviewRequested {
                        receipt: receipt.clone(),
                    };
                    let act = Act::new(account.as_str(), env.ambient.now());
                    append(tx, &env, &act, vec![Event::of_account(&account, change)]).await?;
                    Ok(receipt)
                })
            })
            .await
    }

    /// The request of an account that is open.
    pub async fn open_review(&self, account: &AccountId) -> Result<Option<String>> {
        self.db.read(async |tx| open_request(tx, account).await).await
    }

    /// The requests of accounts that are still held, the oldest first.
    pub async fn review_requests(&self, _: &Operator) -> Result<Vec<ReviewRequest>> {
        let sql = "SELECT r.receipt, r.account, r.at FROM review_request r WHERE EXISTS \
             (SELECT 1 FROM hold h WHERE h.account = r.account AND h.until IS NULL AND h.since <= r.at) ORDER BY r.at, r.receipt";
        let rows = self.db.ask(async |tx| tx.rows(sql, []).await).await?;
        rows.iter()
            .map(|row| {
                Ok(ReviewRequest {
                    receipt: row.get(0)?,
                    account: AccountId(row.get(1)?),
                    at: row.get(2)?,
                })
            })
            .collect()
    }
}
