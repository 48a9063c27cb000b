//! Receipts.

use crate::context::StoreContext;
use crate::db::Tx;
use crate::error::Result;

/// A new receipt, such as `DH-7K3M-42QX`, that was never drawn before.
pub(crate) async fn new_receipt(tx: &mut Tx, ctx: &StoreContext) -> Result<String> {
    loop {
        let drawn = ctx.environment.letters::<8>();
        let receipt = format!("DH-{}-{}", &drawn[..4], &drawn[4..]);
        if tx
            .row(
                "SELECT 1 FROM submission WHERE receipt = $1 UNION ALL SELECT 1 FROM review_request WHERE receipt = $1 \
                 UNION ALL SELECT 1 FROM amendment WHERE receipt = $1 UNION ALL SELECT 1 FROM proposed_act WHERE receipt = $1",
                [(&receipt).into()],
            )
            .await?
            .is_none()
        {
            return Ok(receipt);
        }
    }
}
