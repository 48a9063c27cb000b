//! `ngomon verify`: is the journal as it was written, do the tables follow from it, does the report count what is there?

use crate::checkpoint::{Checkpoint, CheckpointError, read_file};
use crate::counts::{COUNTERS, CounterTable};
use crate::db::{Dialect, Ends, Tx};
use crate::error::Result;
use crate::journal::{ENTRY, digest_of, read_entry};
use crate::keyring::Keyring;
use crate::merkle::{Frontier, Hash, leaf_hash};
use crate::replay::{real, replay};
use crate::schema;
use crate::seal::head_of;
use crate::store::Store;
use std::collections::BTreeMap;

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Each entry's MAC and its value's commitment.
    Entries,
    /// Each commit's entries, digest and MAC.
    Commits,
    /// The Merkle tree against every checkpoint kept in the database.
    Tree,
    /// The journal against the file of checkpoints outside the database.
    RollBack,
    /// Every projection against a replay of the journal.
    Projections,
    /// The report's counters against a recount of the accounts.
    Counters,
    /// What must always hold.
    Invariants,
}

impl Check {
    /// Every check, in the order in which they are made.
    pub const ALL: [Self; 7] = [
        Self::Entries,
        Self::Commits,
        Self::Tree,
        Self::RollBack,
        Self::Projections,
        Self::Counters,
        Self::Invariants,
    ];
}

/// What was looked at and what is wrong.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// How many things each check looked at.
    pub looked_at: BTreeMap<Check, u64>,
    /// What is wrong: which check, where. Ids only, never a personal value.
    pub faults: Vec<(Check, String)>,
}

impl Verified {
    fn saw(&mut self, check: Check, n: u64) {
        *self.looked_at.entry(check).or_default() += n;
    }

    fn fault(&mut self, check: Check, at: impl Into<String>) {
        self.faults.push((check, at.into()));
    }
}

impl Store {
    /// Checks everything, in one snapshot. `progress` hears how many entries were read.
    pub async fn verify(&self, progress: &mut dyn FnMut(u64)) -> Result<Verified> {
        let mut found = Verified::default();
        self.db
            .scratch(Ends::Rollback, async |tx| {
                let readable = self.journal(tx, &mut found).await?;
                self.outside(tx, &mut found).await?;
                let (seen, off) = counters(tx).await?;
                found.saw(Check::Counters, seen);
                off.into_iter().for_each(|at| found.fault(Check::Counters, at));
                invariants(tx, &mut found).await?;
                // A journal that cannot be read cannot be replayed, and has said so.
                if readable {
                    match replay(tx, &self.env, progress).await {
                        Ok(_) => projections(tx, &mut found).await?,
                        Err(error) => found.fault(Check::Projections, error.to_string()),
                    }
                }
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// MACs, commits and the tree. Says whether every entry could be read.
    async fn journal(&self, tx: &mut Tx, found: &mut Verified) -> Result<bool> {
        let keys = &self.env.keys;
        let mut readable = true;
        let mut roots = kept_roots(tx, keys, found).await?;
        let mut tree = Frontier::default();
        let commits = tx
            .rows(
                "SELECT c.id, c.at, c.entries, c.digest, c.mac, c.position FROM journal_commit c \
                 ORDER BY COALESCE(c.position, 9000000000000000000), c.seq",
                [],
            )
            .await?;
        for commit in &commits {
            let (head, mac) = head_of(commit)?;
            let mut macs: Vec<Vec<u8>> = Vec::new();
            let sql = format!("{ENTRY} WHERE j.commit_id = $1 ORDER BY j.ord");
            for row in tx.rows(&sql, [head.id.as_str().into()]).await? {
                found.saw(Check::Entries, 1);
                let at = format!("{}/{}", head.id, row.get::<i64>(1)?);
                match read_entry(keys, &row) {
                    Ok(read) if read.genuine => {}
                    Ok(_) => found.fault(Check::Entries, at),
                    Err(error) => {
                        readable = false;
                        found.fault(Check::Entries, format!("{at}: {error}"));
                    }
                }
                macs.push(row.get(14)?);
            }
            found.saw(Check::Commits, 1);
            let whole = i64::try_from(macs.len()).ok() == Some(head.entries)
                && digest_of(&macs)[..] == head.digest[..]
                && head.is_genuine(keys, &mac);
            if !whole {
                found.fault(Check::Commits, head.id.clone());
            }
            let Some(position) = commit.get::<Option<i64>>(5)? else {
                continue;
            };
            if u64::try_from(position).ok() != Some(tree.size()) {
                found.fault(
                    Check::Tree,
                    format!("{} at {position}, expected {}", head.id, tree.size()),
                );
            }
            tree.append(leaf_hash(&head.leaf()));
            found.saw(Check::Tree, 1);
            if let Some(root) = roots.remove(&tree.size())
                && root != tree.root()
            {
                found.fault(Check::Tree, format!("checkpoint {}", tree.size()));
            }
        }
        for size in roots.keys() {
            found.fault(Check::Tree, format!("checkpoint {size}, the tree has {}", tree.size()));
        }
        let orphans = tx
            .row(
                "SELECT COUNT(*) FROM journal j WHERE NOT EXISTS (SELECT 1 FROM journal_commit c WHERE c.id = j.commit_id)",
                [],
            )
            .await?;
        if let Some(n) = orphans.map(|row| row.get::<i64>(0)).transpose()?.filter(|n| *n > 0) {
            found.fault(Check::Commits, format!("{n} entries without a commit"));
        }
        Ok(readable)
    }

    /// The checkpoints outside the database: the journal must reach as far as each, with its root.
    async fn outside(&self, tx: &mut Tx, found: &mut Verified) -> Result<()> {
        let kept = match read_file(&self.checkpoints, &self.env.keys) {
            Ok(kept) => kept,
            Err(CheckpointError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                if tx.row("SELECT 1 FROM checkpoint LIMIT 1", []).await?.is_some() {
                    found.fault(Check::RollBack, "the file of checkpoints is not there");
                }
                return Ok(());
            }
            Err(error) => {
                found.fault(Check::RollBack, error.to_string());
                return Ok(());
            }
        };
        for checkpoint in kept {
            found.saw(Check::RollBack, 1);
            let size = i64::try_from(checkpoint.size).unwrap_or(i64::MAX);
            let row = tx
                .row("SELECT root FROM checkpoint WHERE size = $1", [size.into()])
                .await?;
            let root = row.map(|row| row.get::<Vec<u8>>(0)).transpose()?;
            if root.as_deref() != Some(&checkpoint.root[..]) {
                found.fault(Check::RollBack, format!("checkpoint {size} is not in the database"));
            }
        }
        Ok(())
    }
}

async fn kept_roots(tx: &mut Tx, keys: &Keyring, found: &mut Verified) -> Result<BTreeMap<u64, Hash>> {
    let mut roots = BTreeMap::new();
    for row in tx
        .rows("SELECT size, root, note FROM checkpoint ORDER BY size", [])
        .await?
    {
        let (size, root, note): (i64, Vec<u8>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match Checkpoint::parse_and_verify(&note, keys) {
            Ok(signed) if i64::try_from(signed.size) == Ok(size) && signed.root[..] == root[..] => {
                roots.insert(signed.size, signed.root);
            }
            _ => found.fault(Check::Tree, format!("checkpoint {size} is not as it was signed")),
        }
    }
    Ok(roots)
}

/// Counters, and the horizon: written in slots that chance picks, so that only their sums can be compared.
fn is_slotted(table: &str) -> bool {
    table == "horizon" || COUNTERS.iter().any(|counters| counters.name == table)
}

/// Every row of every projection stands in the replay, and the other way round.
async fn projections(tx: &mut Tx, found: &mut Verified) -> Result<()> {
    let dialect = tx.dialect();
    for table in schema::projections().filter(|table| !is_slotted(table)) {
        let real = real(dialect, table);
        let key = first_column(dialect, tx, table).await?;
        let real = counting(&real, table, dialect);
        found.saw(Check::Projections, count(tx, &real).await?);
        for (here, there, what) in [
            (&real, table, "is in no replay"),
            (&table.to_owned(), &*real, "is missing"),
        ] {
            let sql = format!(
                "SELECT CAST({key} AS TEXT) FROM (SELECT * FROM {here} EXCEPT SELECT * FROM {there}) d ORDER BY 1 LIMIT 20"
            );
            for row in tx.rows(&sql, []).await? {
                let at: Option<String> = row.get(0).ok();
                found.fault(
                    Check::Projections,
                    format!("{table} {}: {what}", at.unwrap_or_default()),
                );
            }
        }
    }
    let mut sums = vec![("horizon", "SELECT MAX(effective) FROM {T}".to_owned())];
    for CounterTable { name, columns, .. } in COUNTERS {
        let sql = format!("SELECT {columns}, SUM(n) FROM {{T}} GROUP BY {columns} HAVING SUM(n) <> 0");
        sums.push((name, sql));
    }
    for (table, sum) in sums {
        let [kept, replayed] = [&real(dialect, table), table].map(|table| sum.replace("{T}", table));
        for (here, there) in [(&kept, &replayed), (&replayed, &kept)] {
            let sql = format!("SELECT 1 FROM (SELECT * FROM ({here}) h EXCEPT SELECT * FROM ({there}) t) d LIMIT 1");
            if tx.row(&sql, []).await?.is_some() {
                let at = format!("{table}: its sums are not those of a replay");
                found.fault(Check::Projections, at);
            }
        }
    }
    Ok(())
}

/// The rows of a projection that count: not those of a file that is still being taken in, which no replay has.
fn counting(rows: &str, table: &str, dialect: Dialect) -> String {
    let staged = |column: &str| {
        let accounts = real(dialect, "account_row");
        format!("SELECT s.{column} FROM {accounts} s JOIN load l ON l.id = s.load WHERE l.state = 'open'")
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

async fn first_column(dialect: Dialect, tx: &mut Tx, table: &str) -> Result<String> {
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

async fn count(tx: &mut Tx, table: &str) -> Result<u64> {
    let row = tx.row(&format!("SELECT COUNT(*) FROM {table}"), []).await?;
    let n: i64 = row.map(|row| row.get(0)).transpose()?.unwrap_or_default();
    Ok(u64::try_from(n).unwrap_or_default())
}

/// The counters against the accounts themselves: how many there are, and those that are off.
pub(crate) async fn counters(tx: &mut Tx) -> Result<(u64, Vec<String>)> {
    let (mut seen, mut off) = (0, Vec::new());
    for CounterTable { name, columns, there } in COUNTERS {
        let sql = format!(
            "SELECT unit, CAST(SUM(counted) AS BIGINT), CAST(SUM(there) AS BIGINT) FROM ( \
               SELECT {columns}, n AS counted, 0 AS there FROM {name} \
               UNION ALL SELECT {columns}, 0, 1 FROM ({there}) t) b \
             GROUP BY {columns}"
        );
        tx.each(&sql, [], |row| {
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

/// What must always hold, each as a query that finds nothing.
const INVARIANTS: [(&str, &str); 8] = [
    (
        "two claims in force for one person",
        "SELECT person FROM claim WHERE until IS NULL GROUP BY person HAVING COUNT(*) > 1",
    ),
    (
        "a duplicate account with a claim of its own",
        "SELECT h.account FROM hold h JOIN claim c ON c.account = h.account AND c.until IS NULL \
         WHERE h.until IS NULL AND h.reason = 'duplicate'",
    ),
    (
        "a citizen's hold on another kind of account",
        "SELECT h.account FROM hold h JOIN account_row a ON a.id = h.account WHERE h.until IS NULL AND a.kind <> 'citizen' \
         AND h.reason IN ('duplicate', 'claim-lost', 'not-standardised')",
    ),
    (
        "an official's hold on another kind of account",
        "SELECT h.account FROM hold h JOIN account_row a ON a.id = h.account WHERE h.until IS NULL AND a.kind <> 'official' \
         AND h.reason NOT IN ('duplicate', 'claim-lost', 'not-standardised', 'by-order')",
    ),
    (
        "a hold for a claim that is not in force",
        "SELECT h.account FROM hold h WHERE h.until IS NULL AND h.reason IN ('duplicate', 'claim-lost') \
         AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.account = SUBSTR(h.cause, 7) AND c.until IS NULL)",
    ),
    (
        "a hold of no account",
        "SELECT h.account FROM hold h WHERE NOT EXISTS (SELECT 1 FROM account_row a WHERE a.id = h.account)",
    ),
    (
        "a claim of no account",
        "SELECT c.account FROM claim c WHERE NOT EXISTS (SELECT 1 FROM account_row a WHERE a.id = c.account)",
    ),
    (
        "an account of no login",
        "SELECT a.id FROM account_row a WHERE NOT EXISTS (SELECT 1 FROM login l WHERE l.id = a.login)",
    ),
];

async fn invariants(tx: &mut Tx, found: &mut Verified) -> Result<()> {
    for (what, sql) in INVARIANTS {
        found.saw(Check::Invariants, 1);
        for row in tx.rows(&format!("{sql} ORDER BY 1 LIMIT 20"), []).await? {
            found.fault(Check::Invariants, format!("{what}: {}", row.get::<String>(0)?));
        }
    }
    Ok(())
}
