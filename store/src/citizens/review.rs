//! Requests for review ("Đề nghị xem xét lại"): the owner of a held account asks a counter to check it again.

use crate::boxed;
use crate::context::Attribution;
use crate::db::Tx;
use crate::error::{Refusal, Result};
use crate::journal::personal::decrypt;
use crate::rights::Operator;
use crate::store::Store;
use crate::tables::receipts::new_receipt;
use crate::unit_of_work::append;
use ngomon_rules::event::{Change, Event, Personal};
use ngomon_rules::records::AccountId;

/// A request, as the counter sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRequest {
    /// The receipt that the person has.
    pub receipt: String,
    /// The account.
    pub account: AccountId,
    /// When, in microseconds UTC.
    pub at: i64,
}

/// The answer to a request of an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenAnswer {
    /// The receipt of the request.
    pub receipt: String,
    /// Whether it was accepted.
    pub accepted: bool,
    /// When, in microseconds UTC.
    pub at: i64,
    /// The reason, as it was written for the owner.
    pub reason: Option<String>,
}

/// The state that a receipt number shows without signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptState {
    /// An operator has to decide.
    Received,
    /// The registry has to answer.
    Waiting,
    /// There is an answer, or no such number.
    Answered,
}

/// The open request of an account, if it was made since the newest hold.
async fn open_request(tx: &mut Tx, account: &AccountId) -> Result<Option<String>> {
    let sql = "SELECT r.receipt FROM review_request r WHERE r.account = $1 AND r.accepted IS NULL \
         AND r.at >= (SELECT COALESCE(MAX(h.since), 0) FROM hold h WHERE h.account = r.account AND h.until IS NULL) \
         ORDER BY r.at DESC LIMIT 1";
    let row = tx.row(sql, [account.as_str().into()]).await?;
    row.map(|row| row.get(0)).transpose()
}

impl Store {
    /// Requests a review of an account. Returns the receipt; if a request is open already, that one's.
    #[boxed]
    pub async fn request_review(&self, account: &AccountId) -> Result<String> {
        let (ctx, account) = (self.ctx.clone(), account.clone());
        self.db
            .transaction(move |tx| {
                let (ctx, account) = (ctx.clone(), account.clone());
                Box::pin(async move {
                    let sql = "SELECT id FROM account_row WHERE id = $1";
                    tx.rows_for_update(sql, [account.as_str().into()]).await?;
                    if let Some(receipt) = open_request(tx, &account).await? {
                        return Ok(receipt);
                    }
                    let receipt = new_receipt(tx, &ctx).await?;
                    let change = Change::ReviewRequested {
                        receipt: receipt.clone(),
                    };
                    let act = Attribution::new(account.as_str(), ctx.environment.now());
                    append(tx, &ctx, &act, vec![Event::of_account(&account, change)]).await?;
                    Ok(receipt)
                })
            })
            .await
    }

    /// The open request of an account.
    #[boxed]
    pub async fn open_review(&self, account: &AccountId) -> Result<Option<String>> {
        self.db.read(async |tx| open_request(tx, account).await).await
    }

    /// Answers a request as a counter, with a reason that the owner reads.
    #[boxed]
    pub async fn answer_review(&self, operator: &Operator, receipt: &str, accepted: bool, why: &str) -> Result<()> {
        let (ctx, by) = (self.ctx.clone(), operator.by().to_owned());
        let (receipt, why) = (receipt.to_owned(), why.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, by, receipt, text) = (ctx.clone(), by.clone(), receipt.clone(), why.clone());
                Box::pin(async move {
                    let sql = "SELECT account FROM review_request WHERE receipt = $1 AND accepted IS NULL";
                    let rows = tx.rows_for_update(sql, [(&receipt).into()]).await?;
                    let row = rows.first().ok_or_else(|| Refusal::UnknownProposal(receipt.clone()))?;
                    let account = AccountId(row.get(0)?);
                    let change = Change::ReviewAnswered { receipt, accepted };
                    let event = Event::of_account(&account, change).with(Personal::Note { text });
                    append(tx, &ctx, &Attribution::new(&by, ctx.environment.now()), vec![event]).await
                })
            })
            .await
    }

    /// The latest answers to the requests of an account's owner, newest first: reviews, and changes of the own profile.
    #[boxed]
    pub async fn given_answers(&self, account: &AccountId) -> Result<Vec<GivenAnswer>> {
        let sql = "SELECT x.receipt, x.accepted, x.answered_at, x.answer, v.sealed FROM \
             (SELECT receipt, account, accepted, answered_at, answer FROM review_request UNION ALL \
              SELECT receipt, account, accepted, answered_at, answer FROM amendment) x \
             LEFT JOIN personal_value v ON v.id = x.answer WHERE x.account = $1 AND x.accepted IS NOT NULL \
             ORDER BY x.answered_at DESC, x.receipt LIMIT 3";
        let rows = self
            .db
            .query(async |tx| tx.rows(sql, [account.as_str().into()]).await)
            .await?;
        rows.iter()
            .map(|row| {
                let reason = match (row.get::<Option<String>>(3)?, row.get::<Option<Vec<u8>>>(4)?) {
                    (Some(id), Some(sealed)) => match decrypt(&self.ctx.keys, &id, &sealed)? {
                        Personal::Note { text } => Some(text),
                        _ => None,
                    },
                    _ => None,
                };
                Ok(GivenAnswer {
                    receipt: row.get(0)?,
                    accepted: row.get::<i64>(1)? != 0,
                    at: row.get::<Option<i64>>(2)?.unwrap_or_default(),
                    reason,
                })
            })
            .collect()
    }

    /// The state of a receipt for a visitor who is not signed in. An unknown number looks like an answered one, so that a guess reveals
    /// nothing.
    #[boxed]
    pub async fn receipt_state(&self, receipt: &str) -> Result<ReceiptState> {
        let sql = "SELECT CASE WHEN outcome = 'pending' THEN 'waiting' ELSE 'answered' END FROM submission WHERE receipt = $1 \
             UNION ALL SELECT CASE WHEN accepted IS NULL THEN 'received' ELSE 'answered' END FROM review_request WHERE receipt = $1 \
             UNION ALL SELECT CASE WHEN accepted IS NULL THEN 'received' ELSE 'answered' END FROM amendment WHERE receipt = $1";
        let row = self.db.query(async |tx| tx.row(sql, [receipt.into()]).await).await?;
        let state: Option<String> = row.map(|row| row.get(0)).transpose()?;
        Ok(match state.as_deref() {
            Some("received") => ReceiptState::Received,
            Some("waiting") => ReceiptState::Waiting,
            _ => ReceiptState::Answered,
        })
    }

    /// The requests of accounts that are still held, oldest first.
    #[boxed]
    pub async fn review_requests(&self, _: &Operator) -> Result<Vec<ReviewRequest>> {
        let sql = "SELECT r.receipt, r.account, r.at FROM review_request r WHERE r.accepted IS NULL AND EXISTS \
             (SELECT 1 FROM hold h WHERE h.account = r.account AND h.until IS NULL AND h.since <= r.at) ORDER BY r.at, r.receipt";
        let rows = self.db.query(async |tx| tx.rows(sql, []).await).await?;
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
