//! Check of the database's catalogue: its tables, views and indexes must be the program's, and nothing may be added. A trigger, a rule or a
//! view in the place of a table changes what the program reads and writes, and shows in no row.

use crate::db::{Dialect, TransactionEnd, Tx, schema};
use crate::error::{Result, StoreError};
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet};

/// Kind and name, with the definition.
type Catalogue = BTreeMap<(String, String), String>;

const SQLITE: &str = "SELECT type, name, COALESCE(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
     AND name <> '_sqlx_migrations' ORDER BY type, name";

impl Store {
    /// Checks the catalogue. Returns the number of items and the faults.
    pub(crate) async fn catalogue(&self) -> Result<(u64, Vec<String>)> {
        let ours = ours()?;
        let other = match self.dialect() {
            Dialect::Sqlite => {
                let mut there = Catalogue::new();
                self.db
                    .read(async |tx| {
                        for row in tx.rows(SQLITE, []).await? {
                            let sql: String = row.get(2)?;
                            there.insert((row.get(0)?, row.get(1)?), plain(&sql));
                        }
                        Ok(())
                    })
                    .await?;
                differences(&ours, &there)
            }
            Dialect::Postgres => {
                self.db
                    .isolated(TransactionEnd::Rollback, async |tx| postgres(tx, &ours).await)
                    .await?
            }
        };
        Ok((ours.len() as u64, other))
    }
}

/// Normalises a definition: comments, white space and quotes of names do not matter.
fn plain(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    let words: Vec<String> = lines
        .flat_map(str::split_whitespace)
        .map(|word| word.replace('"', ""))
        .collect();
    words.join(" ")
}

/// The catalogue of a new database of this version.
fn ours() -> Result<Catalogue> {
    let failed = |error: rusqlite::Error| StoreError::corrupt("the program's own tables", error);
    let new = rusqlite::Connection::open_in_memory().map_err(failed)?;
    for sql in schema::whole(Dialect::Sqlite) {
        new.execute_batch(&sql).map_err(failed)?;
    }
    let mut rows = new.prepare(SQLITE).map_err(failed)?;
    let rows = rows
        .query_map([], |row| {
            Ok(((row.get(0)?, row.get(1)?), plain(&row.get::<_, String>(2)?)))
        })
        .map_err(failed)?;
    rows.collect::<std::result::Result<_, _>>().map_err(failed)
}

fn differences(ours: &Catalogue, there: &Catalogue) -> Vec<String> {
    let mut other = Vec::new();
    for (key @ (sort, name), sql) in ours {
        match there.get(key) {
            None => other.push(format!("{sort} {name} is not there")),
            Some(defined) if defined != sql => other.push(format!("{sort} {name} is not as the program makes it")),
            Some(_) => {}
        }
    }
    // An additional table is harmless: the program does not read it.
    let beside = there.keys().filter(|key| key.0 != "table" && !ours.contains_key(key));
    other.extend(beside.map(|(sort, name)| format!("{sort} {name} is none of the program's")));
    other
}

/// PostgreSQL rewrites definitions. So this compares kinds and names, the view of accounts with a freshly created twin, and looks for
/// triggers, rules, policies and relations of the same name around our tables.
async fn postgres(tx: &mut Tx, ours: &Catalogue) -> Result<Vec<String>> {
    let mut other = Vec::new();
    let mut there: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    let sql = "SELECT c.relname::text, c.relkind::text, c.relnamespace = current_schema()::regnamespace::oid FROM pg_class c \
         WHERE c.relnamespace IN (SELECT n.oid FROM pg_namespace n WHERE n.nspname = ANY (current_schemas(FALSE))) \
         AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'i', 'I')";
    for row in tx.rows(sql, []).await? {
        let (name, kind): (String, String) = (row.get(0)?, row.get(1)?);
        there.entry(name).or_default().push((kind, row.get(2)?));
    }
    let mut names = BTreeSet::new();
    for (sort, name) in ours.keys() {
        names.insert(name.as_str());
        let kind = match sort.as_str() {
            "table" => "r",
            "view" => "v",
            _ => "i",
        };
        match there.get(name).map(Vec::as_slice) {
            Some([(there, true)]) if there == kind => {}
            None => other.push(format!("{sort} {name} is not there")),
            Some([_]) => other.push(format!("{sort} {name} is something else")),
            Some(_) => other.push(format!("{sort} {name} is there more than once")),
        }
    }
    let beside = "SELECT c.relname::text, 'trigger ' || t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal \
         UNION ALL SELECT r.tablename::text, 'rule ' || r.rulename FROM pg_rules r WHERE r.rulename <> '_RETURN' \
         UNION ALL SELECT p.tablename::text, 'policy ' || p.policyname FROM pg_policies p ORDER BY 1, 2";
    for row in tx.rows(beside, []).await? {
        let (table, what): (String, String) = (row.get(0)?, row.get(1)?);
        if names.contains(table.as_str()) {
            other.push(format!("{what} of {table} is none of the program's"));
        }
    }
    if other.is_empty() {
        let twin = schema::view().replace("CREATE VIEW account ", "CREATE TEMP VIEW account_twin ");
        tx.command(&twin).await?;
        let sql = "SELECT 1 WHERE pg_get_viewdef('account'::regclass) = pg_get_viewdef('account_twin'::regclass)";
        if tx.row(sql, []).await?.is_none() {
            other.push("view account is not as the program makes it".into());
        }
    }
    Ok(other)
}
