//! What importers ask before they load.

use crate::boxed;
use crate::db::SqlValue;
use crate::db::columns::for_each_in;
use crate::error::Result;
use crate::loads::incoming::WaitingRow;
use crate::store::Store;
use ngomon_rules::records::AccountId;
use std::collections::BTreeSet;

impl Store {
    /// The rows in quarantine that are not corrected yet.
    #[boxed]
    pub async fn quarantine(&self) -> Result<Vec<WaitingRow>> {
        self.db
            .read(async |tx| {
                let sql = "SELECT q.load, q.row_no, q.name, q.reason FROM quarantine q JOIN load l ON l.id = q.load \
                     WHERE q.ended_by IS NULL AND l.state = 'applied' ORDER BY q.name, l.at, q.load, LENGTH(q.row_no), q.row_no";
                let rows = tx.rows(sql, []).await?;
                let line = |row: &crate::db::Row| {
                    Ok(WaitingRow {
                        load: row.get(0)?,
                        row: row.get(1)?,
                        table: row.get(2)?,
                        reason: row.get(3)?,
                    })
                };
                rows.iter().map(line).collect()
            })
            .await
    }

    /// Whether there is any account.
    #[boxed]
    pub async fn has_accounts(&self) -> Result<bool> {
        self.db
            .read(async |tx| Ok(tx.row("SELECT 1 FROM account LIMIT 1", []).await?.is_some()))
            .await
    }

    /// The accounts among `ids` that exist.
    #[boxed]
    pub async fn known_accounts(&self, ids: &[AccountId]) -> Result<BTreeSet<AccountId>> {
        let wanted: Vec<SqlValue> = ids.iter().map(|id| id.as_str().into()).collect();
        self.db
            .read(async |tx| {
                let mut there = BTreeSet::new();
                for_each_in(tx, "SELECT id FROM account WHERE id IN ({})", &wanted, |row| {
                    there.insert(AccountId(row.get(0)?));
                    Ok(())
                })
                .await?;
                Ok(there)
            })
            .await
    }
}
