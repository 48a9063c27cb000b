//! A feed is judged for health before any rule runs: a file that shrank or turned unreadable needs a person's approval.

use super::Incoming;
use crate::db::Tx;
use crate::error::Result;
use crate::units;

/// What is bad about a load, against the last good one of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthFault {
    /// Fewer than 90 % of its rows.
    FewerRows {
        /// Rows then.
        before: u64,
        /// Rows now.
        now: u64,
    },
    /// More than 5 points more unreadable rows, in a thousandth of all rows.
    MoreUnreadable {
        /// Then.
        before: u64,
        /// Now.
        now: u64,
    },
}

pub(super) async fn judge(tx: &mut Tx, incoming: &Incoming) -> Result<Vec<HealthFault>> {
    let mut faults = Vec::new();
    if let Some(before) = rows_before(tx, incoming).await?
        && incoming.rows * 10 < before * 9
    {
        faults.push(HealthFault::FewerRows {
            before,
            now: incoming.rows,
        });
    }
    let last = tx
        .row(
            "SELECT unreadable, row_count FROM load WHERE name = $1 AND state = 'applied' ORDER BY at DESC LIMIT 1",
            [incoming.table.into()],
        )
        .await?;
    if let Some(row) = last {
        let before = thousandths(unsigned(row.get(0)?), unsigned(row.get(1)?));
        let now = thousandths(incoming.unreadable, incoming.rows);
        if now > before + 50 {
            faults.push(HealthFault::MoreUnreadable { before, now });
        }
    }
    Ok(faults)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

fn thousandths(part: u64, whole: u64) -> u64 {
    part * 1000 / whole.max(1)
}

/// What the rows are compared with: of a full extract, the last good one; of a unit's, that unit's profiles.
async fn rows_before(tx: &mut Tx, incoming: &Incoming) -> Result<Option<u64>> {
    if let Some(Some(unit)) = &incoming.full {
        let tree = units::tree(tx).await?;
        let mut n = 0;
        for row in tx
            .rows("SELECT unit, COUNT(*) FROM profile WHERE gone = 0 GROUP BY unit", [])
            .await?
        {
            if tree.is_within(&ngomon_rules::unit::UnitCode(row.get(0)?), unit, incoming.as_of) {
                n += unsigned(row.get(1)?);
            }
        }
        return Ok(Some(n));
    }
    if !incoming.is_reference() && incoming.full.is_none() {
        return Ok(None);
    }
    let full = if incoming.is_reference() { "" } else { "AND scope = ''" };
    let sql =
        format!("SELECT row_count FROM load WHERE name = $1 AND state = 'applied' {full} ORDER BY at DESC LIMIT 1");
    let row = tx.row(&sql, [incoming.table.into()]).await?;
    row.map(|row| row.get(0).map(unsigned)).transpose()
}
