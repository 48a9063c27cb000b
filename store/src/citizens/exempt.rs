//! Exemptions from the form. C1: "an `exempt` account (child, foreigner, card in the making; with reason and end day, said by oneself or
//! at a counter)".

use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::error::{Refusal, Result};
use crate::rights::Operator;
use crate::sessions::session::Session;
use crate::store::Store;
use crate::tables::accounts::citizen;
use crate::unit_of_work::append;
use ngomon_rules::citizens::Exemption;
use ngomon_rules::event::{Change, Event};
use ngomon_rules::records::AccountId;
use ngomon_rules::values::Date;

/// The person who requests an exemption.
#[derive(Clone, Copy, Debug)]
pub enum ExemptionRequester<'a> {
    /// The owner, who signed in. A held visit is enough: the exemption may be the way out.
    Owner(&'a Session),
    /// An operator, for somebody's account.
    Operator(&'a Operator, &'a AccountId),
}

impl ExemptionRequester<'_> {
    fn whose(self) -> AccountId {
        match self {
            Self::Owner(session) => session.account.clone(),
            Self::Operator(_, account) => account.clone(),
        }
    }

    fn by(self) -> String {
        match self {
            Self::Owner(session) => session.account.0.clone(),
            Self::Operator(operator, _) => operator.by().to_owned(),
        }
    }
}

impl Store {
    /// Exempts an account up to and including a day. A new exemption replaces the previous one; the same exemption again changes nothing.
    pub async fn exempt(&self, says: ExemptionRequester<'_>, why: Exemption, last_day: Date) -> Result<()> {
        if !why.may_end_on(last_day, self.today()) {
            return Err(Refusal::EndDay.into());
        }
        let (ctx, account, by) = (self.ctx.clone(), says.whose(), says.by());
        self.db
            .transaction(move |tx| {
                let (ctx, account, by) = (ctx.clone(), account.clone(), by.clone());
                Box::pin(async move {
                    let exempt = unclaimed(tx, &ctx, &account).await?;
                    if exempt == Some((why.name().to_owned(), last_day.to_string())) {
                        return Ok(());
                    }
                    let granted = Change::ExemptionGranted { why, last_day };
                    let ended = exempt.is_some().then_some(Change::ExemptionEnded);
                    let changes = ended.into_iter().chain([granted]);
                    let events = changes.map(|change| Event::of_account(&account, change)).collect();
                    append(tx, &ctx, &Attribution::new(&by, ctx.environment.now()), events).await
                })
            })
            .await
    }

    /// Ends an exemption: from now on the account must send the form like all others.
    pub async fn end_exemption(&self, says: ExemptionRequester<'_>) -> Result<()> {
        let (ctx, account, by) = (self.ctx.clone(), says.whose(), says.by());
        self.db
            .transaction(move |tx| {
                let (ctx, account, by) = (ctx.clone(), account.clone(), by.clone());
                Box::pin(async move {
                    if unclaimed(tx, &ctx, &account).await?.is_none() {
                        return Err(Refusal::NotExempt(account.0).into());
                    }
                    let event = Event::of_account(&account, Change::ExemptionEnded);
                    append(tx, &ctx, &Attribution::new(&by, ctx.environment.now()), vec![event]).await
                })
            })
            .await
    }
}

/// The reason and the last day of the exemption of a citizen's account without a claim; locks the account until the end of this
/// transaction.
async fn unclaimed(tx: &mut Tx, ctx: &StoreContext, account: &AccountId) -> Result<Option<(String, String)>> {
    tx.rows_for_update("SELECT id FROM account_row WHERE id = $1", [account.as_str().into()])
        .await?;
    let found = citizen(tx, ctx, account.as_str()).await?;
    let found = found.ok_or_else(|| Refusal::UnknownAccount(account.0.clone()))?;
    if found.claim.is_some() {
        return Err(Refusal::HasClaim(account.0.clone()).into());
    }
    let sql = "SELECT why, last_day FROM exemption WHERE account = $1 AND until IS NULL";
    let row = tx.row(sql, [account.as_str().into()]).await?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}
