//! The unit tree, as last loaded.

use crate::db::Tx;
use crate::error::{Result, StoreError};
use ngomon_rules::unit::{Unit, UnitCode, UnitTree};
use ngomon_rules::values::Date;

/// The tree of the last load of units; empty before the first.
pub(crate) async fn tree(tx: &mut Tx) -> Result<UnitTree> {
    // In a single row, because the driver would spend most of the time on many rows.
    let sql = "SELECT '[' || string_agg(u.body, ',') || ']' FROM unit u JOIN reference r ON r.name = 'units' AND r.load = u.load";
    let row = tx.row(sql, []).await?;
    let bodies: Option<String> = row.map(|row| row.get(0)).transpose()?.flatten();
    let units: Vec<Unit> = bodies.map_or(Ok(Vec::new()), |bodies| {
        serde_json::from_str(&bodies).map_err(|e| StoreError::corrupt("unit", e))
    })?;
    UnitTree::build(units).map_err(|e| StoreError::corrupt("unit", e))
}

/// The unit that is valid for `code` on that day, as [`UnitTree::follow`] finds it, without reading the whole tree.
pub(crate) async fn followed(tx: &mut Tx, code: &UnitCode, day: Date) -> Result<Option<Unit>> {
    let sql = "SELECT u.body FROM unit u JOIN reference r ON r.name = 'units' AND r.load = u.load WHERE u.code = $1";
    let mut at = code.clone();
    while let Some(row) = tx.row(sql, [at.as_str().into()]).await? {
        let unit: Unit = serde_json::from_str(&row.get::<String>(0)?).map_err(|e| StoreError::corrupt("unit", e))?;
        match unit.successor.as_ref().or(unit.parent.as_ref()) {
            Some(next) if unit.has_ended_by(day) => at = next.clone(),
            _ => return Ok(Some(unit)),
        }
    }
    Ok(None)
}
