//! Committed entries become leaves of a Merkle tree (RFC 6962), in batches, with a signed checkpoint after each (C2SP checkpoint).
//!
//! What is guaranteed: any edit of an entry shows (its MAC); removal or reordering of sealed entries shows (the tree); a roll-back
//! behind a checkpoint kept outside the database shows (the file). What is committed and not yet sealed, at most a second of a running
//! server, is the honest limit.

use crate::checkpoint::{Checkpoint, append_line_file};
use crate::db::{Arg, Row, Tx};
use crate::error::{Result, StoreError};
use crate::journal::{CommitHead, Env};
use crate::merkle::{Frontier, leaf_hash};
use crate::store::Store;

/// Leaves in one transaction.
const BATCH: usize = 5_000;

/// The first line of each checkpoint.
pub(crate) const ORIGIN: &str = "ngomon/journal";

/// A commit from five columns: id, at, entries, digest, mac.
pub(crate) fn head_of(row: &Row) -> Result<(CommitHead, Vec<u8>)> {
    let head = CommitHead {
        id: row.get(0)?,
        at: row.get(1)?,
        entries: row.get(2)?,
        digest: row.get(3)?,
    };
    Ok((head, row.get(4)?))
}

impl Store {
    /// Seals what is committed and not sealed yet; returns how many commits that were.
    pub async fn seal(&self) -> Result<u64> {
        let mut sealed = 0;
        loop {
            let env = self.env.clone();
            let batch = self
                .db
                .write(move |tx| {
                    let env = env.clone();
                    Box::pin(async move { seal_batch(tx, &env).await })
                })
                .await?;
            let Some((n, note)) = batch else { return Ok(sealed) };
            // After the commit: a file that is ahead of the database would look like a roll-back.
            append_line_file(&self.checkpoints, &note)?;
            sealed += n;
        }
    }
}

async fn seal_batch(tx: &mut Tx, env: &Env) -> Result<Option<(u64, String)>> {
    // One sealer at a time.
    tx.rows_locked("SELECT id FROM installation", []).await?;
    let sql = format!(
        "SELECT c.id, c.at, c.entries, c.digest, c.mac FROM journal_commit c WHERE c.position IS NULL \
         AND NOT EXISTS (SELECT 1 FROM load l WHERE l.id = c.load AND l.state = 'open') ORDER BY c.seq LIMIT {BATCH}"
    );
    let waiting = tx.rows(&sql, []).await?;
    if waiting.is_empty() {
        return Ok(None);
    }
    let last = tx
        .row("SELECT frontier FROM checkpoint ORDER BY size DESC LIMIT 1", [])
        .await?;
    let mut tree = match last {
        Some(row) => Frontier::from_bytes(&row.get::<Vec<u8>>(0)?).map_err(|e| StoreError::corrupt("checkpoint", e))?,
        None => Frontier::default(),
    };
    for row in &waiting {
        let (head, _) = head_of(row)?;
        let position = i64::try_from(tree.size()).unwrap_or(i64::MAX);
        tx.execute(
            "UPDATE journal_commit SET position = $2 WHERE id = $1",
            [head.id.as_str().into(), position.into()],
        )
        .await?;
        tree.append(leaf_hash(&head.leaf()));
    }
    let checkpoint = Checkpoint {
        origin: ORIGIN.into(),
        size: tree.size(),
        root: tree.root(),
    };
    let note = checkpoint.sign(&env.keys);
    let row: [Arg; 4] = [
        i64::try_from(tree.size()).unwrap_or(i64::MAX).into(),
        checkpoint.root.into(),
        tree.to_bytes().into(),
        note.as_str().into(),
    ];
    tx.execute(
        "INSERT INTO checkpoint (size, root, frontier, note) VALUES ($1,$2,$3,$4)",
        row,
    )
    .await?;
    Ok(Some((waiting.len() as u64, note)))
}
