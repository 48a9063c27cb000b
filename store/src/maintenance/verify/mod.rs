//! The checks of `ngomon verify`: is the journal as it was written, do the tables follow from it, do the report's counters match?

mod catalogue;
pub(crate) mod findings;
mod integrity;
mod loads;
mod references;

use crate::boxed;
use crate::crypto::checkpoint::{Checkpoint, CheckpointError, read_file};
use crate::crypto::keyring::{Age, Keyring};
use crate::crypto::merkle::{Frontier, Hash, leaf_hash};
use crate::db::bound::BOUND;
use crate::db::schema::base_table;
use crate::db::{TransactionEnd, Tx, schema};
use crate::error::{Result, StoreError};
use crate::journal::commit::{HEAD, Walk, digest_of, head_of};
use crate::journal::entry::{ENTRY, read_entry};
use crate::maintenance::rebuild::replay;
use crate::maintenance::seal::unsealed_before;
use crate::maintenance::verify::findings::{Check, Verified};
use crate::maintenance::verify::loads::Loads;
use crate::maintenance::verify::references::references;
use crate::projections::compare::{count, counters, counting, first_column, is_slotted};
use crate::projections::counters::{COUNTERS, CounterTable};
use crate::reporting::lists::second_claims;
use crate::store::Store;
use std::collections::BTreeMap;

/// Age in microseconds at which an unsealed commit is a fault: one minute. Commits are sealed within a second, so that a commit that much
/// older than a later sealed one was kept from the tree.
const UNSEALED: i64 = 60_000_000;

impl Store {
    /// Runs all checks; those of the data share one snapshot. `progress` receives the number of entries read.
    #[boxed]
    pub async fn verify(&self, progress: &mut (dyn FnMut(u64) + Send)) -> Result<Verified> {
        let mut found = Verified::default();
        let (seen, damaged) = self.integrity().await?;
        found.saw(Check::Integrity, seen);
        let damage = !damaged.is_empty();
        damaged.into_iter().for_each(|at| found.fault(Check::Integrity, at));
        let (seen, other) = self.catalogue().await?;
        found.saw(Check::Integrity, seen);
        other.into_iter().for_each(|at| found.fault(Check::Integrity, at));
        match self.read_all(&mut found, progress).await {
            // A damaged file may be unreadable; that was reported already.
            Err(StoreError::Damaged(_)) if damage => {}
            done => done?,
        }
        Ok(found)
    }

    async fn read_all(&self, found: &mut Verified, progress: &mut (dyn FnMut(u64) + Send)) -> Result<()> {
        // Read before the snapshot begins: every checkpoint in the file was in the database earlier.
        let kept = read_file(&self.checkpoints, &self.ctx.keys);
        self.db
            .isolated(TransactionEnd::Rollback, async |tx| {
                let mut loads = Loads::default();
                let readable = self.journal(tx, found, &mut loads).await?;
                if unsealed_before(tx, &self.ctx, self.ctx.now() - UNSEALED).await? {
                    found.fault(Check::Tree, "something waits to be sealed for more than a minute");
                }
                let (seen, off) = self.outside(tx, kept).await?;
                found.saw(Check::RollBack, seen);
                off.into_iter().for_each(|at| found.fault(Check::RollBack, at));
                loads.check(tx, &self.ctx, found).await?;
                let (seen, off) = counters(tx).await?;
                found.saw(Check::Counters, seen);
                off.into_iter().for_each(|at| found.fault(Check::Counters, at));
                grants(tx, &self.ctx.keys, found).await?;
                invariants(tx, found).await?;
                installation(tx, &self.ctx.keys, found).await?;
                references(tx, found).await?;
                // An unreadable journal cannot be replayed, and was reported.
                if readable {
                    match replay(tx, &self.ctx, progress).await {
                        Ok(_) => projections(tx, found).await?,
                        // A read-only server creates no temporary table; this does not mean that the journal is wrong.
                        Err(error @ StoreError::ReadOnly) => return Err(error),
                        Err(error) => found.fault(Check::Projections, error.to_string()),
                    }
                }
                Ok(())
            })
            .await
    }

    /// Compares the file of checkpoints with the database; returns the differences.
    pub(crate) async fn verify_outside(&self) -> Result<Vec<String>> {
        let kept = read_file(&self.checkpoints, &self.ctx.keys);
        let (_, off) = self.db.read_long(async |tx| self.outside(tx, kept).await).await?;
        Ok(off)
    }

    /// Checks MACs, commits and the tree. Returns whether every entry could be read.
    async fn journal(&self, tx: &mut Tx, found: &mut Verified, loads: &mut Loads) -> Result<bool> {
        let keys = &self.ctx.keys;
        let mut readable = true;
        let mut kept = kept_roots(tx, keys, found).await?;
        // The tree to which the next commits are added.
        let last = match tx
            .row("SELECT size, frontier FROM checkpoint ORDER BY size DESC LIMIT 1", [])
            .await?
        {
            Some(row) => (row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?),
            None => (0, Vec::new()),
        };
        let mut tree = Frontier::default();
        let (mut newest, mut walk) = (NewestCommit::default(), Walk::default());
        let marker = self.ctx.marker(tx).await?;
        let sql = format!(
            "SELECT {HEAD}, c.position, c.seq FROM journal_commit c ORDER BY COALESCE(c.position, 9000000000000000000), c.seq"
        );
        let commits = tx.rows(&sql, []).await?;
        for commit in &commits {
            let (head, mac) = head_of(commit)?;
            let (position, seq): (Option<i64>, i64) = (commit.get(6)?, commit.get(7)?);
            let vouched = walk.age_of(keys, &head, &mac);
            let age = vouched.unwrap_or(walk.age());
            let mut macs: Vec<Vec<u8>> = Vec::new();
            let sql = format!("{ENTRY} WHERE j.commit_id = $1 ORDER BY j.ord");
            for row in tx.rows(&sql, [head.id.as_str().into()]).await? {
                found.saw(Check::Entries, 1);
                let at = format!("{}/{}", head.id, row.get::<i64>(1)?);
                match read_entry(keys, Some(age), &row) {
                    Ok(read) => {
                        loads.hear(&read.entry);
                        if !read.entry.genuine {
                            found.fault(Check::Entries, at);
                        }
                    }
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
                && vouched.is_some();
            if !whole {
                found.fault(Check::Commits, head.id.clone());
            }
            loads.name(&head, position.is_some());
            let Some(position) = position else {
                if head.load.is_none() && newest.is_long_after(head.at, seq) {
                    found.fault(Check::Tree, format!("{} is not sealed, and later ones are", head.id));
                }
                continue;
            };
            newest.see(head.at, seq);
            if u64::try_from(position).ok() != Some(tree.size()) {
                found.fault(
                    Check::Tree,
                    format!("{} at {position}, expected {}", head.id, tree.size()),
                );
            }
            tree.append(leaf_hash(&head.leaf()));
            found.saw(Check::Tree, 1);
            let size = tree.size();
            let is_last = i64::try_from(size).ok() == Some(last.0);
            if kept.remove(&size).is_some_and(|root| root != tree.root()) || (is_last && tree.to_bytes() != last.1) {
                found.fault(Check::Tree, format!("checkpoint {size}"));
            }
        }
        if walk.age() < keys.age_of(marker.key_id().version()) {
            found.fault(Check::Commits, "nothing says that the keys of before were replaced");
        }
        for size in kept.keys() {
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

    /// Checks the checkpoints outside the database: the journal must reach as far as each, with its root, and the file must be complete.
    /// Returns the number of checkpoints and the faults.
    async fn outside(&self, tx: &mut Tx, kept: Result<Vec<Checkpoint>, CheckpointError>) -> Result<(u64, Vec<String>)> {
        let mut off: Vec<String> = self.file_lacks(tx).await?.into_iter().collect();
        let kept = match kept {
            Ok(kept) => kept,
            Err(CheckpointError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                if tx.row("SELECT 1 FROM checkpoint LIMIT 1", []).await?.is_some() {
                    off.push("the file of checkpoints is not there".into());
                }
                return Ok((0, off));
            }
            Err(error) => {
                off.push(error.to_string());
                return Ok((0, off));
            }
        };
        for checkpoint in &kept {
            let size = i64::try_from(checkpoint.size).unwrap_or(i64::MAX);
            let row = tx
                .row("SELECT root FROM checkpoint WHERE size = $1", [size.into()])
                .await?;
            let root = row.map(|row| row.get::<Vec<u8>>(0)).transpose()?;
            if root.as_deref() != Some(&checkpoint.root[..]) {
                off.push(format!("checkpoint {size} is not in the database"));
            }
        }
        Ok((kept.len() as u64, off))
    }
}

/// The latest sealed commit.
#[derive(Default)]
struct NewestCommit {
    at: i64,
    seq: i64,
}

impl NewestCommit {
    fn see(&mut self, at: i64, seq: i64) {
        self.at = self.at.max(at);
        self.seq = self.seq.max(seq);
    }

    fn is_long_after(&self, at: i64, seq: i64) -> bool {
        seq < self.seq && at.saturating_add(UNSEALED) < self.at
    }
}

/// The root of each checkpoint whose signature verifies, by size.
async fn kept_roots(tx: &mut Tx, keys: &Keyring, found: &mut Verified) -> Result<BTreeMap<u64, Hash>> {
    let mut kept = BTreeMap::new();
    let sql = "SELECT size, root, note FROM checkpoint ORDER BY size";
    let mut newest = Age::default();
    for row in tx.rows(sql, []).await? {
        let (size, root, note): (i64, Vec<u8>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match Checkpoint::signed(&note, keys) {
            // Once a newer key has signed, an older one is no longer accepted.
            Ok((signed, age))
                if i64::try_from(signed.size) == Ok(size) && signed.root[..] == root[..] && age >= newest =>
            {
                newest = age;
                kept.insert(signed.size, signed.root);
            }
            _ => found.fault(Check::Tree, format!("checkpoint {size} is not as it was signed")),
        }
    }
    Ok(kept)
}

/// Compares every row of every projection with the replay, in both directions.
async fn projections(tx: &mut Tx, found: &mut Verified) -> Result<()> {
    let dialect = tx.dialect();
    for table in schema::projections().filter(|table| !is_slotted(table)) {
        let real = base_table(dialect, table);
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
        let [kept, replayed] = [&base_table(dialect, table), table].map(|table| sum.replace("{T}", table));
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

/// The invariants, each as a query that must find nothing.
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

/// Checks the working rows that grant something.
async fn grants(tx: &mut Tx, keys: &Keyring, found: &mut Verified) -> Result<()> {
    for bound in BOUND {
        let (seen, forged) = bound.forged(tx, keys).await?;
        found.saw(Check::Grants, seen);
        for row in forged {
            found.fault(Check::Grants, format!("{row}: no key of ours binds it"));
        }
    }
    Ok(())
}

/// Checks that the database belongs to these keys.
async fn installation(tx: &mut Tx, keys: &Keyring, found: &mut Verified) -> Result<()> {
    let rows = tx.rows("SELECT keyring, key_check FROM installation", []).await?;
    let named = match &rows[..] {
        [row] => row.get::<String>(0)? == keys.id() && row.get::<Vec<u8>>(1)? == keys.check(),
        _ => false,
    };
    found.saw(Check::Invariants, 1);
    if !named {
        found.fault(Check::Invariants, "installation: it names other keys, or none");
    }
    Ok(())
}

async fn invariants(tx: &mut Tx, found: &mut Verified) -> Result<()> {
    let second = second_claims();
    let of_one_person = ("a second claim in force of one person (see `review`)", second.as_str());
    for (what, sql) in INVARIANTS.into_iter().chain([of_one_person]) {
        found.saw(Check::Invariants, 1);
        for row in tx.rows(&format!("{sql} ORDER BY 1 LIMIT 20"), []).await? {
            found.fault(Check::Invariants, format!("{what}: {}", row.get::<String>(0)?));
        }
    }
    Ok(())
}
