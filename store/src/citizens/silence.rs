//! C7: "Alerts: [...] a silent registry". Whoever asks the registry says whether it answered; written down is only where that changes.

use crate::db::Tx;
use crate::error::Result;
use crate::store::Store;

/// Since when it has not answered, in microseconds UTC; `None`: it answered last.
async fn since(tx: &mut Tx) -> Result<Option<i64>> {
    let row = tx.row("SELECT since FROM registry_silence", []).await?;
    row.map(|row| row.get(0)).transpose()
}

impl Store {
    /// The registry was asked, and answered or not.
    pub async fn registry_heard(&self, answered: bool) -> Result<()> {
        let silent = self.registry_silent_since().await?.is_some();
        if silent != answered {
            return Ok(());
        }
        let now = self.env.now();
        self.db
            .write(move |tx| {
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

    /// Since when the registry has not answered, in microseconds UTC; `None`: it answered when it was asked last.
    pub async fn registry_silent_since(&self) -> Result<Option<i64>> {
        self.db.ask(async |tx| since(tx).await).await
    }
}
