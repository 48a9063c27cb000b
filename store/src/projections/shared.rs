//! What several projections need.

use crate::context::StoreContext;
use crate::db::SqlValue;
use crate::db::bound::SUCCESSION;
use crate::db::columns::instant_day;
use crate::error::{Result, StoreError};
use crate::journal::entry::Entry;
use ngomon_rules::values::Date;

pub(crate) fn unexpected(entry: &Entry) -> StoreError {
    StoreError::corrupt(
        format!("journal {}/{}", entry.commit, entry.ord),
        "this change does not belong to this subject, or its value is missing",
    )
}

pub(crate) const SUCCESSION_ROW: &str = "succession (account, succeeds, mac)";

/// The row that records which account succeeds which.
pub(crate) fn succession(ctx: &StoreContext, entry: &Entry, account: &str, succeeds: &str) -> Vec<SqlValue> {
    let mut row: Vec<SqlValue> = vec![account.into(), succeeds.into()];
    row.push(entry.bind(&ctx.keys, SUCCESSION, &row));
    row
}

/// The day from which an account or a profile counts: its source's day of creation, but at the latest the day of its arrival.
pub(crate) fn there_from(made: Option<Date>, came: i64) -> Result<Date> {
    let came = instant_day(came)?;
    Ok(made.map_or(came, |made| made.min(came)))
}
