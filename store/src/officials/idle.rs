//! The last sign-in of officials, which decides the hold `idle`, and that hold's way out.

use crate::boxed;
use crate::error::Result;
use crate::sessions::sign_in_record::write_down;
use crate::store::Store;
use crate::tables::holds::recorded_holds;
use ngomon_rules::hold::Reason;
use ngomon_rules::records::AccountId;
use ngomon_rules::values::local_day;

impl Store {
    /// Lifts `idle` after the owner has proven password and one-time code; idle time counts from today again. Other holds stay.
    #[boxed]
    pub async fn end_idle(&self, account: &AccountId) -> Result<()> {
        let (ctx, account) = (self.ctx.clone(), account.clone());
        self.db
            .transaction(move |tx| {
                let (ctx, account) = (ctx.clone(), account.clone());
                Box::pin(async move {
                    let sql = "SELECT id FROM account_row WHERE id = $1";
                    tx.rows_for_update(sql, [account.as_str().into()]).await?;
                    let holds = recorded_holds(tx, account.as_str()).await?;
                    if holds.iter().any(|hold| hold.reason == Reason::Idle) {
                        write_down(tx, &ctx, &account, local_day(ctx.environment.now())).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}
