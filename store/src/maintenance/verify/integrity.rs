//! Check of the database itself: its pages are intact, and its indexes match their tables.

use crate::db::{Dialect, Tx};
use crate::error::{Result, StoreError};
use crate::store::Store;

impl Store {
    /// Checks the database. Returns the number of items and the damage.
    pub(crate) async fn integrity(&self) -> Result<(u64, Vec<String>)> {
        match self.dialect() {
            Dialect::Sqlite => match self.db.read_long(async |tx| sqlite(tx).await).await {
                Err(StoreError::Damaged(why)) => Ok((1, vec![why])),
                done => done,
            },
            Dialect::Postgres => self.indexes().await,
        }
    }

    /// Uses PostgreSQL's own check of an index if `amcheck` is installed; otherwise each index must have as many rows as its table.
    async fn indexes(&self) -> Result<(u64, Vec<String>)> {
        let sql = "SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text, \
             (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = i.indexrelid), \
             COALESCE(pg_get_expr(i.indpred, i.indrelid), 'TRUE') \
             FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam \
             WHERE c.relnamespace = current_schema()::regnamespace AND m.amname = 'btree' AND i.indexprs IS NULL ORDER BY 1";
        let installed = "SELECT 1 FROM pg_extension WHERE extname = 'amcheck'";
        let (indexes, amcheck) = self
            .db
            .read(async |tx| Ok((tx.rows(sql, []).await?, tx.row(installed, []).await?.is_some())))
            .await?;
        let mut damaged = Vec::new();
        for row in &indexes {
            let [index, table, columns, which]: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            let looked = self
                .db
                .read_long(async |tx| {
                    if amcheck {
                        amchecked(tx, &index).await
                    } else {
                        counted(tx, &index, &table, &columns, &which).await
                    }
                })
                .await?;
            damaged.extend(looked);
        }
        Ok((indexes.len() as u64, damaged))
    }
}

async fn sqlite(tx: &mut Tx) -> Result<(u64, Vec<String>)> {
    let mut said = Vec::new();
    // Contains only ids and names of indexes: SQLite quotes no values.
    tx.for_each_row("PRAGMA integrity_check", [], |row| {
        said.push(row.get::<String>(0)?);
        Ok(())
    })
    .await?;
    said.retain(|line| line != "ok");
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE rootpage > 0";
    let row = tx.row(tables, []).await?;
    let seen: i64 = row.map(|row| row.get(0)).transpose()?.unwrap_or_default();
    Ok((u64::try_from(seen).unwrap_or_default(), said))
}

async fn amchecked(tx: &mut Tx, index: &str) -> Result<Option<String>> {
    // This role may lack the right to call it: then it is left to a role that has it.
    match tx
        .row("SELECT bt_index_check(to_regclass($1), TRUE)::text", [index.into()])
        .await
    {
        Ok(_) => Ok(None),
        Err(StoreError::Database(error)) => match error.as_database_error().map(|e| e.code()) {
            Some(Some(code)) if code == "XX001" || code == "XX002" => Ok(Some(format!("{index}: {error}"))),
            Some(Some(code)) if code == "42501" => Ok(None),
            _ => Err(error.into()),
        },
        Err(error) => Err(error),
    }
}

/// Counts the rows by a scan of the table and by the index.
async fn counted(tx: &mut Tx, index: &str, table: &str, columns: &str, which: &str) -> Result<Option<String>> {
    let mut count = async |plan: &str, order: &str| {
        tx.command(plan).await?;
        let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {table} WHERE {which} {order} OFFSET 0) q");
        let row = tx.row(&sql, []).await?;
        row.map_or(Ok(0), |row| row.get::<i64>(0))
    };
    let by_table = count(
        "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off",
        "",
    )
    .await?;
    let by_index = count(
        "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_indexscan = on; SET LOCAL enable_indexonlyscan = on",
        &format!("ORDER BY {columns}"),
    )
    .await?;
    Ok((by_table != by_index).then(|| format!("{index} finds {by_index} rows, {table} has {by_table}")))
}
