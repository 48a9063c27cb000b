//! Outages of the registry. C7: "Alerts: [...] a silent registry". Every query of the registry reports whether it answered; only a change
//! is stored.

use crate::boxed;
use crate::db::Tx;
use crate::error::Result;
use crate::store::Store;

/// The start of the current outage, in microseconds UTC; `None` if the last query was answered.
async fn since(tx: &mut Tx) -> Result<Option<i64>> {
    let row = tx.row("SELECT since FROM registry_silence", []).await?;
    row.map(|row| row.get(0)).transpose()
}

impl Store {
    /// Reports whether the registry answered a query.
    #[boxed]
    pub async fn registry_heard(&self, answered: bool) -> Result<()> {
        let silent = self.registry_silent_since().await?.is_some();
        if silent != answered {
            return Ok(());
        }
        let now = self.ctx.now();
        self.db
            .transaction(move |tx| {
                Box::pin(async move {
                    if answered {
                        tx.execute("DELETE FROM registry_silence", []).await
                    } else {
                        let sql = "INSERT INTO registry_silence (id, since) VALUES (1,$1) ON CONFLICT (id) DO NOTHING";
                        tx.execute(sql, [now.into()]).await
                    }
                })
            })
            .await
            .map(drop)
    }

    /// The start of the current outage, in microseconds UTC; `None` if the registry answered the last query.
    #[boxed]
    pub async fn registry_silent_since(&self) -> Result<Option<i64>> {
        self.db.query(async |tx| since(tx).await).await
    }
}
