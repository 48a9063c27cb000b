//! The replay of the journal into temporary tables that shadow the real ones. It serves to compare both, or to rebuild the real ones.

use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::crypto::keyring::Fingerprinter;
use crate::db::schema::base_table;
use crate::db::{TransactionEnd, Tx, schema};
use crate::error::{Refusal, Result};
use crate::journal::commit::{COUNTS, HEAD, Walk, head_of};
use crate::journal::entry::{ENTRY, Entry, read_entry, write};
use crate::loads::{close_applied_loads, forget_silent_loads};
use crate::maintenance::key_rotation::take_references_to;
use crate::maintenance::seal::seal_batch;
use crate::projections::counters::CounterDeltas;
use crate::projections::project;
use crate::settings::setting;
use crate::store::Store;
use std::sync::atomic::Ordering;

/// Commits per query.
const BATCH: usize = 200;
/// The version of the projections in the database.
const KNOWN: &str = "SELECT digest, tables FROM projection_version";

/// Replays the whole journal into temporary tables. Calls `progress` with the number of entries done. Returns the number of entries.
pub(crate) async fn replay(tx: &mut Tx, ctx: &StoreContext, progress: &mut (dyn FnMut(u64) + Send)) -> Result<u64> {
    tx.command(&schema::temporary_projections(tx.dialect())).await?;
    let sql = format!(
        "SELECT {HEAD} FROM journal_commit c WHERE {COUNTS} ORDER BY COALESCE(c.position, 9000000000000000000), c.seq"
    );
    let commits = tx.rows(&sql, []).await?;
    let mut done = 0;
    let mut counts = CounterDeltas::default();
    let mut walk = Walk::default();
    for batch in commits.chunks(BATCH) {
        let mut entries: Vec<Entry> = Vec::new();
        for commit in batch {
            let sql = format!("{ENTRY} WHERE j.commit_id = $1 ORDER BY j.ord");
            let (head, mac) = head_of(commit)?;
            let age = walk.age_of(&ctx.keys, &head, &mac);
            tx.for_each_row(&sql, [head.id.into()], |row| {
                entries.push(read_entry(&ctx.keys, age, &row)?.entry);
                Ok(())
            })
            .await?;
        }
        project(tx, ctx, &entries, &mut counts).await?;
        done += entries.len() as u64;
        progress(done);
    }
    counts.flush(tx, 0).await?;
    Ok(done)
}

/// Fails while a load is open: the rows that it stages do not follow from the journal yet.
async fn no_load_is_open(tx: &mut Tx) -> Result<()> {
    match tx.row("SELECT 1 FROM load WHERE state = 'open'", []).await? {
        Some(_) => Err(Refusal::ImportAtWork.into()),
        None => Ok(()),
    }
}

/// Replaces the contents of the projections by a replay. Returns the number of entries.
async fn refill(tx: &mut Tx, ctx: &StoreContext, progress: &mut (dyn FnMut(u64) + Send)) -> Result<u64> {
    let entries = replay(tx, ctx, progress).await?;
    for table in schema::projections() {
        let real = base_table(tx.dialect(), table);
        tx.command(&format!("DELETE FROM {real}")).await?;
        tx.command(&format!("INSERT INTO {real} SELECT * FROM {table}")).await?;
    }
    Ok(entries)
}

/// If the keys of this transaction are newer than version `before`, records that in an entry and seals everything up to it, so that the
/// previous keys are not valid for anything that comes later.
async fn keys_changed(tx: &mut Tx, ctx: &StoreContext, before: u8) -> Result<()> {
    let now = tx.fingerprint_key().await?.version();
    if now != before {
        let changed = setting("installation.", "keys", before.to_string(), now.to_string());
        write(
            tx,
            ctx,
            &Attribution::new("system", ctx.environment.now()),
            vec![changed],
            None,
        )
        .await?;
        while seal_batch(tx, ctx).await?.is_some() {}
    }
    Ok(())
}

impl Store {
    /// Rebuilds every projection from the journal. Readers see the old tables until the new ones are complete; writers wait.
    #[boxed]
    pub async fn rebuild(&self, progress: &mut (dyn FnMut(u64) + Send)) -> Result<u64> {
        self.db.transaction(|tx| Box::pin(close_applied_loads(tx))).await?;
        self.discard_stale_loads().await?;
        let entries = self
            .db
            .isolated(TransactionEnd::Commit, async |tx| {
                no_load_is_open(tx).await?;
                refill(tx, &self.ctx, progress).await
            })
            .await?;
        // A new recount changes the position of the figures, so that caches read them again.
        self.recount().await?;
        Ok(entries)
    }

    /// Upgrades a database whose projections are of another program version, or whose keys are older than the keyring. Refuses a database
    /// whose keys are newer.
    pub(crate) async fn upgrade_projections(&self) -> Result<()> {
        let (known, mark) = self
            .db
            .read(async |tx| Ok((tx.row(KNOWN, []).await?, tx.fingerprint_key().await?)))
            .await?;
        let known: Option<String> = known.map(|row| row.get(0)).transpose()?;
        let marker = self.ctx.keys.successor_key(mark)?;
        if known == Some(schema::projections_digest()) && marker.key_id() == mark {
            return Ok(());
        }
        self.rebuild_projections(&self.ctx, &marker, &mut |_| {}).await
    }

    /// Rebuilds the projections in their present form, with all fingerprints under this key, unless they are so already. One transaction;
    /// readers are not blocked.
    pub(crate) async fn rebuild_projections(
        &self,
        ctx: &StoreContext,
        marker: &Fingerprinter,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<()> {
        let today = schema::projections_digest();
        self.db
            .isolated(TransactionEnd::Commit, async |tx| {
                // A second process finds it done.
                let known = match tx.row(KNOWN, []).await? {
                    Some(row) => Some((row.get::<String>(0)?, row.get::<String>(1)?)),
                    None => None,
                };
                let same = known.as_ref().is_some_and(|(digest, _)| *digest == today);
                if same && tx.fingerprint_key().await? == marker.key_id() {
                    return Ok(());
                }
                forget_silent_loads(tx, ctx.now()).await?;
                no_load_is_open(tx).await?;
                let before = tx.fingerprint_key().await?.version();
                take_references_to(tx, ctx, marker).await?;
                keys_changed(tx, ctx, before).await?;
                if !same {
                    let tables = known.as_ref().map(|(_, tables)| tables.as_str());
                    tx.command(&schema::renew_projections(tx.dialect(), tables)).await?;
                }
                refill(tx, ctx, progress).await?;
                let tables: Vec<&str> = schema::projections().collect();
                tx.execute(
                    "INSERT INTO projection_version (id, digest, tables) VALUES (1,$1,$2) \
                     ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, tables = excluded.tables",
                    [today.into(), tables.join(" ").into()],
                )
                .await?;
                Ok(())
            })
            .await?;
        // The next seal brings the file of checkpoints up to the database.
        self.written.store(false, Ordering::Relaxed);
        Ok(())
    }
}
