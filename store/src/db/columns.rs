//! Values as columns hold them: days, numbers, lists.

use crate::db::Tx;
use crate::db::value::{Row, SqlValue};
use crate::error::{Result, StoreError};
use jiff::ToSpan as _;
use jiff::civil::Time;
use jiff::tz::Offset;
use ngomon_rules::values::{Date, local_day};

/// The placeholders `$1,$2,…`.
pub(crate) fn placeholders(n: usize) -> String {
    (1..=n).map(|i| format!("${i}")).collect::<Vec<_>>().join(",")
}

/// Runs `sql` for the values `wanted`, in chunks, and passes each row on. The placeholders replace `{}` in it.
pub(crate) async fn for_each_in(
    tx: &mut Tx,
    sql: &str,
    wanted: &[SqlValue],
    mut take: impl FnMut(Row) -> Result<()>,
) -> Result<()> {
    for some in wanted.chunks(400) {
        let sql = sql.replace("{}", &placeholders(some.len()));
        tx.for_each_row(&sql, some.iter().cloned(), &mut take).await?;
    }
    Ok(())
}

/// A day as the tables store it; empty if `None`.
pub(crate) fn day_text(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// Parses a day from the tables.
pub(crate) fn day_of(text: &str) -> Result<Option<Date>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|e| StoreError::corrupt("a day", e))
}

/// The first instant of a day in Huế, in microseconds UTC.
pub fn start_of(day: Date) -> i64 {
    let at = Offset::constant(7).to_timestamp(day.to_datetime(Time::midnight()));
    at.unwrap_or(jiff::Timestamp::MAX).as_microsecond()
}

/// The first instant after a day in Huế, in microseconds UTC.
pub fn end_of(day: Date) -> i64 {
    day.tomorrow().map_or(i64::MAX, start_of)
}

/// The day in Huế of an instant in microseconds UTC, counted from 1 January 1970. `projections/counters.rs` has the same in SQL.
pub(crate) fn day_number(micros: i64) -> i64 {
    (micros + 25_200_000_000) / 86_400_000_000
}

/// The day with this number.
pub(crate) fn day_of_number(number: i64) -> Result<Date> {
    let days = i32::try_from(number).map_err(|e| StoreError::corrupt("a day", e))?;
    let day = Date::constant(1970, 1, 1).checked_add(days.days());
    day.map_err(|e| StoreError::corrupt("a day", e))
}

/// The day in Huế of an instant in microseconds.
pub(crate) fn instant_day(micros: i64) -> Result<Date> {
    let at = jiff::Timestamp::from_microsecond(micros).map_err(|e| StoreError::corrupt("an instant", e))?;
    Ok(local_day(at))
}

pub(crate) fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
