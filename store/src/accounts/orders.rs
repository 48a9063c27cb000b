//! Holds by order. They apply to any kind of account, for an office that has the right to ask for one.

use crate::authentication::others_stay;
use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::error::{Refusal, Result};
use crate::rights::{Operator, alone};
use crate::store::Store;
use crate::tables::holds::recorded_holds;
use crate::unit_of_work::append;
use ngomon_rules::event::{Change, Event, Personal};
use ngomon_rules::hold::{Cause, Hold, Reason, evidence};
use ngomon_rules::records::AccountId;
use ngomon_rules::values::{Date, local_day};

/// An order: the office, the document, its text, and its last day if it names one. The journal records all of it as evidence.
#[derive(Clone, Debug)]
pub struct Order {
    /// The office.
    pub ordered_by: String,
    /// The number of its document.
    pub document: String,
    /// Its text.
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
    /// Places a hold by order. The account's sessions and tokens end with the commit. An operator's account needs two operators.
    #[boxed]
    pub async fn hold_by_order(&self, operator: &Operator, account: &AccountId, order: &Order) -> Result<()> {
        let hold = self.hold_of(order)?;
        alone(account)?;
        let (ctx, by, account) = (self.ctx.clone(), operator.by().to_owned(), account.clone());
        self.db
            .transaction(move |tx| {
                let (ctx, by, account, hold) = (ctx.clone(), by.clone(), account.clone(), hold.clone());
                Box::pin(async move {
                    let act = Attribution::new(&by, ctx.environment.now());
                    place(tx, &ctx, &act, &account, hold).await
                })
            })
            .await
    }

    /// The hold that follows from an order, unless its last day is over.
    pub fn hold_of(&self, order: &Order) -> Result<Hold> {
        if order.last_day.is_some_and(|last| last < self.today()) {
            return Err(Refusal::EndDay.into());
        }
        Ok(order.hold())
    }

    /// Lifts one hold by order, for a reason. Other holds of the account stay. An operator's account needs two operators.
    #[boxed]
    pub async fn lift_order(&self, operator: &Operator, account: &AccountId, cause: &Cause, why: &str) -> Result<()> {
        alone(account)?;
        let (ctx, by) = (self.ctx.clone(), operator.by().to_owned());
        let (account, cause, why) = (account.clone(), cause.clone(), why.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, by, account) = (ctx.clone(), by.clone(), account.clone());
                let (cause, why) = (cause.clone(), why.clone());
                Box::pin(async move {
                    let act = Attribution::new(&by, ctx.environment.now());
                    lift(tx, &ctx, &act, &account, &cause, &why).await
                })
            })
            .await
    }
}

/// Places a hold by order.
pub(crate) async fn place(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    account: &AccountId,
    hold: Hold,
) -> Result<()> {
    if account.operator().is_some() {
        others_stay(tx, &act.by, account, local_day(ctx.environment.now())).await?;
    }
    let there = held(tx, account).await?;
    if there.iter().any(|other| other.key() == hold.key()) {
        return Err(Refusal::HeldAlready(account.0.clone()).into());
    }
    let event = Event::of_account(account, Change::HoldPlaced { hold });
    append(tx, ctx, act, vec![event]).await
}

/// Lifts a hold by order, for a reason.
pub(crate) async fn lift(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    account: &AccountId,
    cause: &Cause,
    why: &str,
) -> Result<()> {
    let (reason, cause, text) = (Reason::ByOrder, cause.clone(), why.to_owned());
    let there = held(tx, account).await?;
    if !there.iter().any(|hold| hold.key() == (reason, cause.clone())) {
        return Err(Refusal::NotByOrder(account.0.clone()).into());
    }
    let event = Event::of_account(account, Change::HoldLifted { reason, cause });
    append(tx, ctx, act, vec![event.with(Personal::Note { text })]).await
}

impl Store {
    /// Lifts every hold by order of an operator's account, for a reason. This is the way out if there is no other operator to ask: access
    /// to the machine is access to the installation.
    #[boxed]
    pub async fn lift_orders_of_operator(&self, name: &str, why: &str, by: &str) -> Result<usize> {
        let (ctx, act, name) = (self.ctx.clone(), Attribution::new(by, self.now()), name.to_owned());
        let why = why.to_owned();
        self.db
            .transaction(move |tx| {
                let (ctx, act, name, why) = (ctx.clone(), act.clone(), name.clone(), why.clone());
                Box::pin(async move {
                    let known = "SELECT 1 FROM operator WHERE name = $1";
                    if tx.row(known, [(&name).into()]).await?.is_none() {
                        return Err(Refusal::UnknownOperator(name).into());
                    }
                    let account = AccountId::of_operator(&name);
                    let orders = held(tx, &account).await?.into_iter();
                    let lifted = orders.filter(|hold| hold.reason == Reason::ByOrder).map(|hold| {
                        let (reason, cause) = (hold.reason, hold.cause);
                        let event = Event::of_account(&account, Change::HoldLifted { reason, cause });
                        event.with(Personal::Note { text: why.clone() })
                    });
                    let lifted: Vec<Event> = lifted.collect();
                    let count = lifted.len();
                    if count == 0 {
                        return Err(Refusal::NotByOrder(account.0).into());
                    }
                    append(tx, &ctx, &act, lifted).await?;
                    Ok(count)
                })
            })
            .await
    }
}

/// The holds of an account, locked until the end of this transaction.
async fn held(tx: &mut Tx, account: &AccountId) -> Result<Vec<Hold>> {
    tx.rows_for_update("SELECT id FROM account_row WHERE id = $1", [account.as_str().into()])
        .await?;
    if tx
        .row("SELECT 1 FROM account WHERE id = $1", [account.as_str().into()])
        .await?
        .is_none()
    {
        return Err(Refusal::UnknownAccount(account.0.clone()).into());
    }
    recorded_holds(tx, account.as_str()).await
}
