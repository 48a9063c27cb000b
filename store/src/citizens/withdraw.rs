//! The withdrawal of a claim. C3: "a counter can withdraw a claim made on the wrong account, with no hold and all it caused lifted".

use crate::authentication::phone_changed_lately;
use crate::boxed;
use crate::citizens::take_over::dependent_holds;
use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::error::{Refusal, Result};
use crate::rights::Operator;
use crate::store::Store;
use crate::tables::accounts::claim_of;
use crate::unit_of_work::append;
use ngomon_rules::citizens::on_withdrawal;
use ngomon_rules::event::Personal;
use ngomon_rules::records::AccountId;

impl Store {
    /// Withdraws the claim of an account, for a reason. The account stays open and must send the form again. Refused with
    /// [`Refusal::NeedsTwo`] if a counter changed the phone in the last thirty days.
    #[boxed]
    pub async fn withdraw_claim(&self, operator: &Operator, account: &AccountId, why: &str) -> Result<()> {
        let (ctx, by) = (self.ctx.clone(), operator.by().to_owned());
        let (account, why) = (account.clone(), why.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, by, account, why) = (ctx.clone(), by.clone(), account.clone(), why.clone());
                Box::pin(async move {
                    if phone_changed_lately(tx, &ctx, &account).await? {
                        return Err(Refusal::NeedsTwo.into());
                    }
                    withdraw(tx, &ctx, &Attribution::new(&by, ctx.environment.now()), &account, &why).await
                })
            })
            .await
    }
}

/// Withdraws it in the caller's transaction; the caller has checked who agreed to it.
pub(crate) async fn withdraw(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    account: &AccountId,
    why: &str,
) -> Result<()> {
    let none = || Refusal::NoClaim(account.0.clone());
    let sql = "SELECT person FROM claim WHERE account = $1 AND until IS NULL";
    let row = tx.row(sql, [account.as_str().into()]).await?;
    let person: String = row.ok_or_else(none)?.get(0)?;
    // The person's row before the account's, in the lock order of all transactions.
    let numbers = "SELECT fp FROM person_number WHERE person = $1 ORDER BY fp";
    tx.rows_for_update(numbers, [(&person).into()]).await?;
    tx.rows_for_update("SELECT id FROM account_row WHERE id = $1", [account.as_str().into()])
        .await?;
    let claim = claim_of(tx, ctx, &person).await?;
    let claim = claim.filter(|claim| claim.holder == *account).ok_or_else(none)?;
    let caused = dependent_holds(tx, account).await?;
    let mut events = on_withdrawal(&claim, &caused);
    if let Some(ended) = events.first_mut() {
        ended.personal = Some(Personal::Note { text: why.to_owned() });
    }
    append(tx, ctx, act, events).await
}
