//! The unit tree, as last loaded.

use crate::db::Tx;
use crate::error::{Result, StoreError};
use crate::store::Store;
use ngomon_rules::unit::{Unit, UnitTree};

/// The tree as the last load of units has it; empty before the first.
pub(crate) async fn tree(tx: &mut Tx) -> Result<UnitTree> {
    let mut units: Vec<Unit> = Vec::new();
    tx.each(
        "SELECT u.body FROM unit u JOIN reference r ON r.name = 'units' AND r.load = u.load",
        [],
        |row| {
            let body: String = row.get(0)?;
            units.push(serde_json::from_str(&body).map_err(|e| StoreError::corrupt("unit", e))?);
            Ok(())
        },
    )
    .await?;
    UnitTree::build(units).map_err(|e| StoreError::corrupt("unit", e))
}

impl Store {
    /// The tree as the last load of units has it; empty before the first.
    pub async fn units(&self) -> Result<UnitTree> {
        self.db.read(async |tx| tree(tx).await).await
    }
}
