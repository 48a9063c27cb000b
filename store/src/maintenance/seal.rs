//! The sealing of commits. They become leaves of a Merkle tree (RFC 6962) in batches, with a signed checkpoint after each batch (C2SP
//! checkpoint).
//!
//! The guarantees: any edit of an entry is detected (its MAC); removal or reordering of sealed entries is detected (the tree); a
//! roll-back behind a checkpoint kept outside the database is detected (the file). The limit: commits that are not sealed yet, at most
//! one second of a running server, have no such protection against removal.

use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::checkpoint::Checkpoint;
use crate::crypto::merkle::{Frontier, leaf_hash};
use crate::db::bound::LOAD;
use crate::db::{Row, SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::journal::commit::{COUNTS, HEAD, head_of};
use crate::store::Store;
use std::sync::atomic::Ordering;

/// The delay after which an unsealed commit is late: 15 seconds, in microseconds. A running server seals every second.
const LATE: i64 = 15_000_000;

/// Leaves in one transaction.
const BATCH: usize = 5_000;

/// The first line of each checkpoint.
pub(crate) const ORIGIN: &str = "ngomon/journal";

impl Store {
    /// Seals all commits that are not sealed yet, and brings the file of checkpoints up to them; returns their number.
    #[boxed]
    pub async fn seal(&self) -> Result<u64> {
        let mut sealed = 0;
        loop {
            let ctx = self.ctx.clone();
            let batch = self
                .db
                .transaction(move |tx| {
                    let ctx = ctx.clone();
                    Box::pin(async move { seal_batch(tx, &ctx).await })
                })
                .await?;
            let Some(n) = batch else { break };
            sealed += n;
        }
        if sealed > 0 || !self.written.load(Ordering::Relaxed) {
            self.write_checkpoints().await?;
        }
        Ok(sealed)
    }

    /// Whether a commit has been unsealed for too long: somebody blocks the sealer, or wrote a row that is never sealed. A server checks
    /// this after each round, because unsealed commits can be removed without a trace.
    #[boxed]
    pub async fn is_seal_late(&self) -> Result<bool> {
        let before = self.ctx.now() - LATE;
        self.db
            .read(async |tx| unsealed_before(tx, &self.ctx, before).await)
            .await
    }
}

/// The tree of the last checkpoint. Fails if it is not the tree that was signed, so that nothing is built on it.
fn frontier_of(row: &Row, ctx: &StoreContext) -> Result<Frontier> {
    let corrupt = |why: String| StoreError::corrupt("checkpoint", why);
    let tree = Frontier::from_bytes(&row.get::<Vec<u8>>(0)?).map_err(|error| corrupt(error.to_string()))?;
    let signed = Checkpoint::parse_and_verify(&row.get::<String>(1)?, &ctx.keys)?;
    if (signed.size, signed.root) == (tree.size(), tree.root()) {
        Ok(tree)
    } else {
        Err(corrupt("its tree is not the one that was signed".into()))
    }
}

/// Whether any commit from before this instant is unsealed, apart from those that a running import has staged. A forged row of `load`
/// excuses nothing.
pub(crate) async fn unsealed_before(tx: &mut Tx, ctx: &StoreContext, before: i64) -> Result<bool> {
    let mut at_work = String::new();
    let sql = format!("SELECT {} FROM load WHERE state = 'open'", LOAD.columns(""));
    for row in tx.rows(&sql, []).await? {
        if LOAD.is_genuine(&ctx.keys, &row, 0)? {
            at_work = row.get(0)?;
        }
    }
    let sql =
        "SELECT 1 FROM journal_commit WHERE position IS NULL AND at < $1 AND (load IS NULL OR load <> $2) LIMIT 1";
    Ok(tx.row(sql, [before.into(), at_work.into()]).await?.is_some())
}

pub(crate) async fn seal_batch(tx: &mut Tx, ctx: &StoreContext) -> Result<Option<u64>> {
    // Load the current key: it signs the checkpoint.
    ctx.marker(tx).await?;
    // One sealer at a time. Others do not wait: the next seal takes their commits.
    if tx.rows_free("SELECT id FROM installation").await?.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT {HEAD} FROM journal_commit c WHERE c.position IS NULL AND {COUNTS} ORDER BY c.seq LIMIT {BATCH}"
    );
    let mut waiting = Vec::new();
    for row in tx.rows(&sql, []).await? {
        let (head, mac) = head_of(&row)?;
        // A commit without a valid MAC of ours is not sealed, because a sealed one can never be removed. `verify` reports it.
        if head.is_ours(&ctx.keys, &mac) {
            waiting.push(head);
        }
    }
    if waiting.is_empty() {
        return Ok(None);
    }
    let last = tx
        .row("SELECT frontier, note FROM checkpoint ORDER BY size DESC LIMIT 1", [])
        .await?;
    let mut tree = match last {
        Some(row) => frontier_of(&row, ctx)?,
        None => Frontier::default(),
    };
    for head in &waiting {
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
    let note = checkpoint.sign(&ctx.keys);
    let row: [SqlValue; 4] = [
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
    Ok(Some(waiting.len() as u64))
}
