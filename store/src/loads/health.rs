//! The health check of a file before any rule runs. A file needs a person's approval if it shrank, has many more unreadable rows,
//! describes an earlier day or a future one, or leaves out units in use.

use crate::context::StoreContext;
use crate::db::Tx;
use crate::db::columns::{day_of, number};
use crate::error::Result;
use crate::loads::incoming::LoadRequest;
use crate::tables::references::notice_of;
use crate::tables::units;
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::{Date, local_day};
use std::collections::BTreeSet;

/// Fewer unreadable rows than this are no fault of a file that is not the whole extract, however small the file is.
const FEW: u64 = 10;

/// A fault of a load, compared with the last good one of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthFault {
    /// Fewer than 90 % of the rows.
    FewerRows {
        /// Rows of the last one.
        before: u64,
        /// Rows of this one.
        now: u64,
    },
    /// Over 5 percentage points more unreadable rows; the values are thousandths of all rows.
    MoreUnreadable {
        /// The share in the last one.
        before: u64,
        /// The share in this one.
        now: u64,
    },
    /// It describes an earlier day than the last one: all later changes would be lost.
    EarlierDay {
        /// The day of the last one.
        last: Date,
        /// The day of this one.
        now: Date,
    },
    /// It describes a future day: each real one after it would be of an earlier day.
    DayToCome(Date),
    /// Units are missing that accounts, profiles or notices in force name.
    UnitsMissing(Vec<UnitCode>),
}

pub(crate) async fn judge(tx: &mut Tx, ctx: &StoreContext, incoming: &LoadRequest) -> Result<Vec<HealthFault>> {
    let mut faults = Vec::new();
    if let Some(before) = rows_before(tx, incoming).await?
        && incoming.rows * 10 < before * 9
    {
        faults.push(HealthFault::FewerRows {
            before,
            now: incoming.rows,
        });
    }
    faults.extend(more_unreadable(tx, incoming).await?);
    faults.extend(another_day(tx, ctx, incoming).await?);
    if incoming.table == "units" {
        faults.extend(units_missing(tx, ctx, incoming).await?);
    }
    Ok(faults)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

fn thousandths(part: u64, whole: u64) -> u64 {
    part * 1000 / whole.max(1)
}

/// Compares with the last load, of the same scope if there is one. A file with less than half the rows of this one is a measure only if
/// there is no larger one.
async fn more_unreadable(tx: &mut Tx, incoming: &LoadRequest) -> Result<Option<HealthFault>> {
    let sql = "SELECT unreadable, row_count FROM load WHERE name = $1 AND state = 'applied' \
         ORDER BY CASE WHEN row_count * 2 >= $3 THEN 0 ELSE 1 END, CASE WHEN COALESCE(scope, ' ') = $2 THEN 0 ELSE 1 END, at DESC LIMIT 1";
    let scope = incoming.scope().unwrap_or_else(|| " ".to_owned());
    let args = [incoming.table.into(), scope.into(), number(incoming.rows).into()];
    let Some(row) = tx.row(sql, args).await? else {
        return Ok(None);
    };
    let before = thousandths(unsigned(row.get(0)?), unsigned(row.get(1)?));
    let now = thousandths(incoming.unreadable, incoming.rows);
    let tells = incoming.is_whole() || incoming.unreadable >= FEW;
    Ok((tells && now > before + 50).then_some(HealthFault::MoreUnreadable { before, now }))
}

/// Checks the day of the file; only a file that replaces everything must not be of an earlier day than the last one.
async fn another_day(tx: &mut Tx, ctx: &StoreContext, incoming: &LoadRequest) -> Result<Option<HealthFault>> {
    let now = incoming.as_of;
    if now > local_day(ctx.environment.now()) {
        return Ok(Some(HealthFault::DayToCome(now)));
    }
    if !incoming.is_whole() {
        return Ok(None);
    }
    let sql = "SELECT MAX(as_of) FROM load WHERE name = $1 AND state = 'applied'";
    let row = tx.row(sql, [incoming.table.into()]).await?;
    let last: Option<String> = row.map(|row| row.get(0)).transpose()?.flatten();
    let last = day_of(&last.unwrap_or_default())?;
    Ok(last
        .filter(|last| now < *last)
        .map(|last| HealthFault::EarlierDay { last, now }))
}

/// Units in use that the file lacks: public lists leave out units that have ended.
async fn units_missing(tx: &mut Tx, ctx: &StoreContext, incoming: &LoadRequest) -> Result<Option<HealthFault>> {
    let mut used = BTreeSet::new();
    let sql =
        "SELECT DISTINCT unit FROM account WHERE unit <> '' UNION SELECT DISTINCT unit FROM profile WHERE gone = 0";
    tx.for_each_row(sql, [], |row| {
        used.insert(UnitCode(row.get(0)?));
        Ok(())
    })
    .await?;
    let sql =
        "SELECT n.load, n.ord, n.sealed FROM reference r JOIN notice n ON n.load = r.load WHERE r.name = 'notices'";
    tx.for_each_row(sql, [], |row| {
        let notice = notice_of(&ctx.keys, &row.get::<String>(0)?, row.get(1)?, &row.get::<Vec<u8>>(2)?)?;
        if notice.withdrawn_on.is_none_or(|day| day > incoming.as_of) {
            used.insert(notice.to_unit);
            used.extend(notice.from_unit);
        }
        Ok(())
    })
    .await?;
    used.retain(|unit| !incoming.units.contains(unit));
    Ok((!used.is_empty()).then(|| HealthFault::UnitsMissing(used.into_iter().collect())))
}

/// The number of rows to compare with: those of the last good file for a full extract; the unit's profiles for the extract of a unit.
async fn rows_before(tx: &mut Tx, incoming: &LoadRequest) -> Result<Option<u64>> {
    if let Some(Some(unit)) = &incoming.full {
        let tree = units::tree(tx).await?;
        let mut n = 0;
        for row in tx
            .rows("SELECT unit, COUNT(*) FROM profile WHERE gone = 0 GROUP BY unit", [])
            .await?
        {
            if tree.is_within(&UnitCode(row.get(0)?), unit, incoming.as_of) {
                n += unsigned(row.get(1)?);
            }
        }
        return Ok(Some(n));
    }
    if !incoming.is_whole() {
        return Ok(None);
    }
    let full = if incoming.is_reference() { "" } else { "AND scope = ''" };
    let sql =
        format!("SELECT row_count FROM load WHERE name = $1 AND state = 'applied' {full} ORDER BY at DESC LIMIT 1");
    let row = tx.row(&sql, [incoming.table.into()]).await?;
    row.map(|row| row.get(0).map(unsigned)).transpose()
}
