//! The journal's record of officials' sign-ins, which decides the hold `idle`.

use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::error::Result;
use crate::tables::holds::recorded_holds;
use crate::tables::settings::policy;
use crate::unit_of_work::append;
use ngomon_rules::event::Event;
use ngomon_rules::officials::{is_written_down, on_sign_in};
use ngomon_rules::records::AccountId;
use ngomon_rules::values::{Date, local_day};

/// Records the start of an official's full session in the journal if it changes anything. The caller has locked the account's row.
pub(crate) async fn signed_in(tx: &mut Tx, ctx: &StoreContext, account: &AccountId, last: Option<Date>) -> Result<()> {
    let day = local_day(ctx.environment.now());
    // A second sign-in on a day changes nothing, whatever the policy is.
    if last == Some(day) {
        return Ok(());
    }
    if is_written_down(last, day, &policy(tx).await?) {
        write_down(tx, ctx, account, day).await?;
    }
    Ok(())
}

pub(crate) async fn write_down(tx: &mut Tx, ctx: &StoreContext, account: &AccountId, day: Date) -> Result<()> {
    let changes = on_sign_in(&recorded_holds(tx, account.as_str()).await?, day);
    let events = changes.into_iter().map(|change| Event::of_account(account, change));
    let act = Attribution::new(account.as_str(), ctx.environment.now());
    append(tx, ctx, &act, events.collect()).await
}
