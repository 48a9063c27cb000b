//! The discard of a load whose process died, before the next load starts. Nobody ever saw its rows. Commits that are sealed are never
//! deleted, nor anything of a load that is applied according to the journal.

use crate::boxed;
use crate::db::Tx;
use crate::error::{Result, StoreError};
use crate::journal::commit::APPLIED;
use crate::loads::SILENCE;
use crate::loads::open_load::OpenLoad;
use crate::store::Store;

/// The tables of references in which a load stages rows.
const STAGED: [(&str, &str); 5] = [
    ("registry", "number_fp"),
    ("registry_former", "former_fp"),
    ("unit", "code"),
    ("notice", "ord"),
    ("quarantine", "row_no"),
];

/// The largest plausible heartbeat ahead of this clock: 5 minutes, in microseconds. A later one counts as that of a dead process.
pub(crate) const AHEAD: i64 = 300_000_000;

impl OpenLoad {
    /// Discards the load: everything is as it was before it.
    #[boxed]
    pub async fn abort(self) -> Result<()> {
        self.store.discard(&self.id).await
    }
}

impl Store {
    /// Discards the loads whose process has sent no heartbeat for [`SILENCE`].
    pub(crate) async fn discard_stale_loads(&self) -> Result<()> {
        let now = self.ctx.now();
        let silent = self
            .db
            .read(async |tx| {
                let sql = "SELECT id FROM load WHERE state = 'open' AND (beat < $1 OR beat > $2)";
                tx.rows(sql, [(now - SILENCE).into(), (now + AHEAD).into()]).await
            })
            .await?;
        for row in silent {
            self.discard(&row.get::<String>(0)?).await?;
        }
        Ok(())
    }

    async fn discard(&self, load: &str) -> Result<()> {
        let applied = self
            .db
            .query(async |tx| {
                let sql = format!("SELECT 1 FROM load l WHERE l.id = $1 AND {APPLIED}");
                tx.row(&sql, [load.into()]).await
            })
            .await?;
        if applied.is_some() {
            return Err(StoreError::corrupt(
                format!("load {load}"),
                "it is open, and the journal has it as applied",
            ));
        }
        // From here on its process is refused, should it wake up.
        let id = load.to_owned();
        self.db
            .transaction(move |tx| {
                let id = id.clone();
                Box::pin(async move {
                    tx.execute("UPDATE load SET beat = 0 WHERE id = $1 AND state = 'open'", [id.into()])
                        .await
                })
            })
            .await?;
        let commits = self
            .db
            .read_long(async |tx| {
                let sql = "SELECT id FROM journal_commit WHERE load = $1 AND position IS NULL";
                tx.rows(sql, [load.into()]).await
            })
            .await?;
        for commit in commits {
            let id: String = commit.get(0)?;
            self.db
                .transaction(move |tx| {
                    let id = id.clone();
                    Box::pin(async move {
                        let sql = "SELECT id FROM journal_commit WHERE id = $1 AND position IS NULL";
                        if tx.rows_for_update(sql, [id.as_str().into()]).await?.is_empty() {
                            return Ok(());
                        }
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
        for (table, key) in STAGED {
            // Ids of loads are our own, made of digits and letters, so they need no escaping.
            self.repeat(format!(
                "DELETE FROM {table} WHERE load = '{load}' AND {key} IN (SELECT {key} FROM {table} WHERE load = '{load}' LIMIT 2000)"
            ))
            .await?;
        }
        let id = load.to_owned();
        self.db
            .transaction(move |tx| {
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

/// Marks a load as applied if it is so according to the journal, whatever its row says.
pub(crate) async fn close_applied_loads(tx: &mut Tx) -> Result<()> {
    let sql = format!(
        "UPDATE load SET state = 'applied' WHERE state = 'open' AND id IN (SELECT l.id FROM load l WHERE {APPLIED})"
    );
    tx.execute(&sql, []).await.map(drop)
}

/// Discards stale loads before the projections are rebuilt from the journal. Does not read the projections, which may be another
/// version's or missing. Runs in one transaction, at whose end the projections contain nothing of these loads.
pub(crate) async fn forget_silent_loads(tx: &mut Tx, now: i64) -> Result<()> {
    close_applied_loads(tx).await?;
    let silent = "SELECT id FROM load WHERE state = 'open' AND (beat < $1 OR beat > $2)";
    let commits = format!("SELECT id FROM journal_commit WHERE load IN ({silent}) AND position IS NULL");
    let values = format!("SELECT value FROM journal WHERE commit_id IN ({commits})");
    let mut all = vec![
        format!("DELETE FROM personal_value WHERE id IN ({values})"),
        format!("DELETE FROM journal WHERE commit_id IN ({commits})"),
        format!("DELETE FROM journal_commit WHERE load IN ({silent}) AND position IS NULL"),
    ];
    all.extend(STAGED.map(|(table, _)| format!("DELETE FROM {table} WHERE load IN ({silent})")));
    all.push("DELETE FROM load WHERE state = 'open' AND (beat < $1 OR beat > $2)".into());
    for sql in all {
        tx.execute(&sql, [(now - SILENCE).into(), (now + AHEAD).into()]).await?;
    }
    Ok(())
}
