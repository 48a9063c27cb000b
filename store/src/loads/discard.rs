//! What a load leaves when its process dies is taken away before the next one begins. Nobody ever saw it.

use super::{OpenLoad, SILENCE};
use crate::error::Result;
use crate::store::Store;

impl OpenLoad {
    /// Gives the load up: everything is as it was before it.
    pub async fn abort(self) -> Result<()> {
        self.store.discard(&self.id).await
    }
}

impl Store {
    /// Gives up the loads whose process was not heard of for a while.
    pub(crate) async fn give_up_silent_loads(&self) -> Result<()> {
        let silent_since = self.env.now() - SILENCE;
        let silent = self
            .db
            .read(async |tx| {
                tx.rows(
                    "SELECT id FROM load WHERE state = 'open' AND beat < $1",
                    [silent_since.into()],
                )
                .await
            })
            .await?;
        for row in silent {
            self.discard(&row.get::<String>(0)?).await?;
        }
        Ok(())
    }

    async fn discard(&self, load: &str) -> Result<()> {
        // From here on its process, should it wake, is refused.
        let id = load.to_owned();
        self.db
            .write(move |tx| {
                let id = id.clone();
                Box::pin(async move {
                    tx.execute("UPDATE load SET beat = 0 WHERE id = $1 AND state = 'open'", [id.into()])
                        .await
                })
            })
            .await?;
        let commits = self
            .db
            .scan(async |tx| {
                tx.rows("SELECT id FROM journal_commit WHERE load = $1", [load.into()])
                    .await
            })
            .await?;
        for commit in commits {
            let id: String = commit.get(0)?;
            self.db
                .write(move |tx| {
                    let id = id.clone();
                    Box::pin(async move {
                        let staged =
                            "(SELECT subject FROM journal WHERE commit_id = $1 AND kind = 'account-taken-over')";
                        for sql in [
                            format!(
                                "DELETE FROM login WHERE id IN (SELECT login FROM account_row WHERE id IN {staged})"
                            ),
                            format!("DELETE FROM hold WHERE account IN {staged}"),
                            format!("DELETE FROM staff_key WHERE holder IN {staged}"),
                            format!("DELETE FROM account_row WHERE id IN {staged}"),
                            "DELETE FROM personal_value WHERE id IN (SELECT value FROM journal WHERE commit_id = $1)"
                                .into(),
                            "DELETE FROM journal WHERE commit_id = $1".into(),
                            "DELETE FROM journal_commit WHERE id = $1".into(),
                        ] {
                            tx.execute(&sql, [id.as_str().into()]).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
        }
        for (table, key) in [
            ("registry", "number_fp"),
            ("registry_former", "former_fp"),
            ("unit", "code"),
            ("notice", "ord"),
            ("quarantine", "row_no"),
        ] {
            // Ids of loads are ours, made of digits and letters.
            self.repeat(format!(
                "DELETE FROM {table} WHERE load = '{load}' AND {key} IN (SELECT {key} FROM {table} WHERE load = '{load}' LIMIT 2000)"
            ))
            .await?;
        }
        let id = load.to_owned();
        self.db
            .write(move |tx| {
                let id = id.clone();
                Box::pin(async move {
                    tx.execute("DELETE FROM load WHERE id = $1 AND state = 'open'", [id.into()])
                        .await
                })
            })
            .await?;
        Ok(())
    }
}
