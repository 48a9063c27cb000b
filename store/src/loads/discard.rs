//! What a load leaves when its process dies is taken away before the next one begins. Nobody ever saw it. What is sealed is never taken
//! away, nor anything of a load that the journal has as applied.

use super::{OpenLoad, SILENCE};
use crate::db::Tx;
use crate::error::{Result, StoreError};
use crate::store::Store;

/// What a load has staged in the references.
const STAGED: [(&str, &str); 5] = [
    ("registry", "number_fp"),
    ("registry_former", "former_fp"),
    ("unit", "code"),
    ("notice", "ord"),
    ("quarantine", "row_no"),
];

/// No process is heard of so much later than now, whatever its clock: microseconds.
pub(crate) const AHEAD: i64 = 300_000_000;

/// Which loads `l` the journal has as applied.
pub(crate) const APPLIED: &str =
    "EXISTS (SELECT 1 FROM journal j WHERE j.subject_kind = 'load' AND j.subject = l.id AND j.kind = 'load-applied')";

impl OpenLoad {
    /// Gives the load up: everything is as it was before it.
    pub async fn abort(self) -> Result<()> {
        self.store.discard(&self.id).await
    }
}

impl Store {
    /// Gives up the loads whose process was not heard of for a while.
    pub(crate) async fn give_up_silent_loads(&self) -> Result<()> {
        let now = self.env.now();
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
            .ask(async |tx| {
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
                let sql = "SELECT id FROM journal_commit WHERE load = $1 AND position IS NULL";
                tx.rows(sql, [load.into()]).await
            })
            .await?;
        for commit in commits {
            let id: String = commit.get(0)?;
            self.db
                .write(move |tx| {
                    let id = id.clone();
                    Box::pin(async move {
                        let sql = "SELECT id FROM journal_commit WHERE id = $1 AND position IS NULL";
                        if tx.rows_locked(sql, [id.as_str().into()]).await?.is_empty() {
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

/// A load that the journal has as applied is so, whatever its row says.
pub(crate) async fn close_applied_loads(tx: &mut Tx) -> Result<()> {
    let sql = format!(
        "UPDATE load SET state = 'applied' WHERE state = 'open' AND id IN (SELECT l.id FROM load l WHERE {APPLIED})"
    );
    tx.execute(&sql, []).await.map(drop)
}

/// The same where the projections are about to be made anew from the journal: they may be another version's, or not there yet, and
/// are not looked at. In one transaction, which ends with projections that know nothing of these loads.
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
