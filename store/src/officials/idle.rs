//! The last sign-in of officials, which decides the hold `idle`, and that hold's way out.

use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::error::Result;
use crate::store::Store;
use crate::tables::holds::recorded_holds;
use crate::tables::settings::policy;
use crate::unit_of_work::append;
use ngomon_rules::event::Event;
use ngomon_rules::hold::Reason;
use ngomon_rules::officials::{is_written_down, on_sign_in};
use ngomon_rules::records::AccountId;
use ngomon_rules::values::{Date, local_day};

/// Records the start of an official's full session in the journal if it changes anything. The caller has locked the account's row.
pub(crate) async fn signed_in(tx: &mut Tx, env: &StoreContext, account: &AccountId, last: Option<Date>) -> Result<()> {
    let day = local_day(env.ambient.now());
    // A second sign-in on a day changes nothing, whatever the policy is.
    if last == Some(day) {
        return Ok(());
    }
    if is_written_down(last, day, &policy(tx).await?) {
        write_down(tx, env, account, day).await?;
    }
    Ok(())
}

async fn write_down(tx: &mut Tx, env: &StoreContext, account: &AccountId, day: Date) -> Result<()> {
    let changes = on_sign_in(&recorded_holds(tx, account.as_str()).await?, day);
    let events = changes.into_iter().map(|change| Event::of_account(account, change));
    let act = Attribution::new(account.as_str(), env.ambient.now());
    append(tx, env, &act, events.collect()).await
}

impl Store {
    /// Lifts `idle` after the owner has proven password and one-time code; idle time counts from today again. Other holds stay.
    pub async fn end_idle(&self, account: &AccountId) -> Result<()> {
        let (env, account) = (self.env.clone(), account.clone());
        self.db
            .transaction(move |tx| {
                let (env, account) = (env.clone(), account.clone());
                Box::pin(async move {
                    let sql = "SELECT id FROM account_row WHERE id = $1";
                    tx.rows_for_update(sql, [account.as_str().into()]).await?;
                    let holds = recorded_holds(tx, account.as_str()).await?;
                    if holds.iter().any(|hold| hold.reason == Reason::Idle) {
                        write_down(tx, &env, &account, local_day(env.ambient.now())).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}
