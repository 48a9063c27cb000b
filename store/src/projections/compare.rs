//! Do the counters and the rows of projections match what they count?

use crate::db::schema::base_table;
use crate::db::{Dialect, Tx};
use crate::error::Result;
use crate::journal::commit::APPLIED;
use crate::projections::counters::{COUNTERS, CounterTable};

/// Whether the table holds counters or the horizon. Their slots are picked at random, so that only sums can be compared.
pub(crate) fn is_slotted(table: &str) -> bool {
    table == "horizon" || COUNTERS.iter().any(|counters| counters.name == table)
}

/// The rows of a projection that count. Rows of a file that is still being imported do not: no replay has them.
pub(crate) fn counting(rows: &str, table: &str, dialect: Dialect) -> String {
    let staged = |column: &str| {
        let accounts = base_table(dialect, "account_row");
        format!(
            "SELECT s.{column} FROM {accounts} s JOIN load l ON l.id = s.load WHERE l.state = 'open' AND NOT {APPLIED}"
        )
    };
    let column = match table {
        "account_row" => format!("id NOT IN ({})", staged("id")),
        "login" => format!("id NOT IN ({})", staged("login")),
        "hold" => format!("account NOT IN ({})", staged("id")),
        "staff_key" => format!("holder NOT IN ({})", staged("id")),
        _ => return rows.to_owned(),
    };
    format!("(SELECT * FROM {rows} WHERE {column}) counting")
}

pub(crate) async fn first_column(dialect: Dialect, tx: &mut Tx, table: &str) -> Result<String> {
    let sql = match dialect {
        Dialect::Sqlite => "SELECT name FROM pragma_table_info($1) WHERE cid = 0",
        Dialect::Postgres => {
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = $1 AND ordinal_position = 1 LIMIT 1"
        }
    };
    let row = tx.row(sql, [table.into()]).await?;
    let column: String = row.map(|row| row.get(0)).transpose()?.unwrap_or_default();
    // A fingerprint is not printed.
    Ok(if column == "fp" { "''".into() } else { column })
}

pub(crate) async fn count(tx: &mut Tx, table: &str) -> Result<u64> {
    let row = tx.row(&format!("SELECT COUNT(*) FROM {table}"), []).await?;
    let n: i64 = row.map(|row| row.get(0)).transpose()?.unwrap_or_default();
    Ok(u64::try_from(n).unwrap_or_default())
}

/// Compares the counters with the accounts. Returns the number of counters and the faulty ones.
pub(crate) async fn counters(tx: &mut Tx) -> Result<(u64, Vec<String>)> {
    let (mut seen, mut off) = (0, Vec::new());
    for CounterTable { name, columns, there } in COUNTERS {
        let sql = format!(
            "SELECT unit, CAST(SUM(counted) AS BIGINT), CAST(SUM(there) AS BIGINT) FROM ( \
               SELECT {columns}, n AS counted, 0 AS there FROM {name} \
               UNION ALL SELECT {columns}, 0, 1 FROM ({there}) t) b \
             GROUP BY {columns}"
        );
        tx.for_each_row(&sql, [], |row| {
            seen += 1;
            let (unit, counted, there): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if counted != there {
                off.push(format!("{name} {unit:?}: counted {counted}, there are {there}"));
            }
            Ok(())
        })
        .await?;
    }
    Ok((seen, off))
}
