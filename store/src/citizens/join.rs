//! The join of two accounts. C5: the owner of both proves both, joins them and chooses which one stays.

use crate::boxed;
use crate::citizens::person::duplicate_candidates;
use crate::citizens::take_over::dependent_holds;
use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::error::{Refusal, Result, StoreError};
use crate::notifications::messages::tell_owner;
use crate::store::Store;
use crate::tables::accounts::{citizen, claim_of};
use crate::tables::numbers::ever_held;
use crate::unit_of_work::append;
use ngomon_rules::citizens::{Proof, on_join};
use ngomon_rules::hold::Reason;
use ngomon_rules::records::AccountId;

/// Two accounts of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// The account that is held as a duplicate.
    pub held: AccountId,
    /// The account that holds the claim.
    pub holder: AccountId,
    /// Whether the held account is the one to stay.
    pub held_stays: bool,
}

impl Store {
    /// Joins two accounts, with their owner as actor. Both get the message `news`.
    #[boxed]
    pub async fn join(&self, join: &Join, news: &str) -> Result<()> {
        let (ctx, join, news) = (self.ctx.clone(), join.clone(), news.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, join, news) = (ctx.clone(), join.clone(), news.clone());
                Box::pin(async move { joined(tx, &ctx, &join, &news).await })
            })
            .await
    }
}

/// Takes the locks in the order of `standardise.rs`: the person's before the accounts'.
async fn joined(tx: &mut Tx, ctx: &StoreContext, join: &Join, news: &str) -> Result<()> {
    let refused = || Refusal::CannotJoin(join.held.to_string(), join.holder.to_string());
    let sql = "SELECT person, proof FROM claim WHERE account = $1 AND until IS NULL";
    let claim = tx.row(sql, [join.holder.as_str().into()]).await?.ok_or_else(refused)?;
    let (person, proof): (String, String) = (claim.get(0)?, claim.get(1)?);
    let proof = Proof::parse(&proof).ok_or_else(|| StoreError::corrupt("claim", "no such proof"))?;
    let sql = "SELECT fp FROM person_number WHERE person = $1 ORDER BY fp";
    let numbers = tx.rows_for_update(sql, [(&person).into()]).await?;
    let numbers = numbers.iter().map(|row| row.get(0)).collect::<Result<Vec<Vec<u8>>>>()?;
    let numbers = ever_held(tx, numbers).await?.into_iter().collect();
    let mut both = [join.held.as_str(), join.holder.as_str()];
    both.sort_unstable();
    for id in both {
        let sql = "SELECT id FROM account_row WHERE id = $1";
        tx.rows_for_update(sql, [id.into()]).await?;
    }
    // Read again under the lock.
    let held = citizen(tx, ctx, join.held.as_str()).await?.ok_or_else(refused)?;
    let holder = citizen(tx, ctx, join.holder.as_str()).await?.ok_or_else(refused)?;
    let mut claim = claim_of(tx, ctx, &person).await?.ok_or_else(refused)?;
    let ordered = |account: &ngomon_rules::citizens::CitizenAccount| {
        account.holds.iter().any(|hold| hold.reason == Reason::ByOrder)
    };
    if ordered(&held) || ordered(&holder) {
        return Err(refused().into());
    }
    let caused = dependent_holds(tx, &join.holder).await?;
    let others = duplicate_candidates(tx, ctx, &mut claim, numbers).await?;
    let events = on_join(&held, &holder, &claim, proof, join.held_stays, &caused, &others).ok_or_else(refused)?;
    append(
        tx,
        ctx,
        &Attribution::new(join.held.as_str(), ctx.environment.now()),
        events,
    )
    .await?;
    for account in [&join.held, &join.holder] {
        tell_owner(tx, ctx, account, news).await?;
    }
    Ok(())
}
