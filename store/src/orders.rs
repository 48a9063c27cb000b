//! Holds by order: of any kind of account, for whoever has the right to ask for it.

use crate::access::Operator;
use crate::db::Tx;
use crate::error::{Refusal, Result};
use crate::journal::{Act, append};
use crate::store::Store;
use crate::tables::holds_in_force;
use ngomon_rules::event::{Change, Event, Personal};
use ngomon_rules::hold::{Cause, Hold, Reason, evidence};
use ngomon_rules::record::AccountId;
use ngomon_rules::values::Date;

/// Who ordered it, by which document, what it says, and its last day, if it names one. All of it stands in the journal as evidence.
#[derive(Clone, Debug)]
pub struct Order {
    /// An office.
    pub ordered_by: String,
    /// The number of its document.
    pub document: String,
    /// What it says.
    pub text: String,
    /// The last day on which it counts.
    pub last_day: Option<Date>,
}

impl Order {
    fn hold(&self) -> Hold {
        Hold {
            reason: Reason::ByOrder,
            cause: Cause::order(&self.document),
            evidence: evidence([
                ("ordered_by", self.ordered_by.clone()),
                ("document", self.document.clone()),
                ("text", self.text.clone()),
            ]),
            last_day: self.last_day,
        }
    }
}

impl Store {
    /// Holds an account. All that is open ends with the commit.
    pub async fn hold_by_order(&self, operator: &Operator, account: &AccountId, order: &Order) -> Result<()> {
        if order.last_day.is_some_and(|last| last < self.today()) {
            return Err(Refusal::EndDay.into());
        }
        let (env, by, account, hold) = (
            self.env.clone(),
            operator.by().to_owned(),
            account.clone(),
            order.hold(),
        );
        self.db
            .write(move |tx| {
                let (env, by, account, hold) = (env.clone(), by.clone(), account.clone(), hold.clone());
                Box::pin(async move {
                    let there = held(tx, &account).await?;
                    if there.iter().any(|other| other.key() == hold.key()) {
                        return Err(Refusal::HeldAlready(account.0).into());
                    }
                    let event = Event::of_account(&account, Change::HoldPlaced { hold });
                    append(tx, &env, &Act::new(&by, env.ambient.now()), vec![event]).await
                })
            })
            .await
    }

    /// Lifts a hold by order, and no other, for a reason. Other holds of the account stay.
    pub async fn lift_order(&self, operator: &Operator, account: &AccountId, cause: &Cause, why: &str) -> Result<()> {
        let (env, by) = (self.env.clone(), operator.by().to_owned());
        let (account, cause, why) = (account.clone(), cause.clone(), why.to_owned());
        self.db
            .write(move |tx| {
                let (env, by, account) = (env.clone(), by.clone(), account.clone());
                let (cause, text) = (cause.clone(), why.clone());
                Box::pin(async move {
                    let there = held(tx, &account).await?;
                    if !there.iter().any(|hold| hold.key() == (Reason::ByOrder, cause.clone())) {
                        return Err(Refusal::NotByOrder(account.0).into());
                    }
                    let reason = Reason::ByOrder;
                    let event = Event::of_account(&account, Change::HoldLifted { reason, cause });
                    let event = event.with(Personal::Note { text });
                    append(tx, &env, &Act::new(&by, env.ambient.now()), vec![event]).await
                })
            })
            .await
    }
}

/// The holds of an account, which nobody else changes until this transaction ends.
async fn held(tx: &mut Tx, account: &AccountId) -> Result<Vec<Hold>> {
    tx.rows_locked("SELECT id FROM account_row WHERE id = $1", [account.as_str().into()])
        .await?;
    if tx
        .row("SELECT 1 FROM account WHERE id = $1", [account.as_str().into()])
        .await?
        .is_none()
    {
        return Err(Refusal::UnknownAccount(account.0.clone()).into());
    }
    holds_in_force(tx, account.as_str()).await
}
