//! The journal read again: into temporary tables that stand before the real ones, so that both can be compared, or the real ones
//! mended.

use crate::counts::Counts;
use crate::db::{Dialect, Ends, Tx};
use crate::error::{Refusal, Result};
use crate::journal::{ENTRY, Entry, Env, read_entry};
use crate::project::project;
use crate::schema;
use crate::store::Store;

/// Commits read at a time.
const BATCH: usize = 200;

/// The name of a real table where a temporary one of its name stands before it.
pub(crate) fn real(dialect: Dialect, table: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("main.{table}"),
        Dialect::Postgres => format!("public.{table}"),
    }
}

/// Replays the whole journal into temporary tables. `progress` hears how many entries are done. Returns how many there were.
pub(crate) async fn replay(tx: &mut Tx, env: &Env, progress: &mut dyn FnMut(u64)) -> Result<u64> {
    tx.command(&schema::temporary_projections(tx.dialect())).await?;
    let commits = tx
        .rows(
            "SELECT c.id FROM journal_commit c WHERE NOT EXISTS (SELECT 1 FROM load l WHERE l.id = c.load AND l.state = 'open') \
             ORDER BY COALESCE(c.position, 9000000000000000000), c.seq",
            [],
        )
        .await?;
    let mut done = 0;
    let mut counts = Counts::default();
    for batch in commits.chunks(BATCH) {
        let mut entries: Vec<Entry> = Vec::new();
        for commit in batch {
            let sql = format!("{ENTRY} WHERE j.commit_id = $1 ORDER BY j.ord");
            let id: String = commit.get(0)?;
            tx.each(&sql, [id.into()], |row| {
                entries.push(read_entry(&env.keys, &row)?.entry);
                Ok(())
            })
            .await?;
        }
        project(tx, env, &entries, &mut counts).await?;
        done += entries.len() as u64;
        progress(done);
    }
    counts.flush(tx, 0).await?;
    Ok(done)
}

impl Store {
    /// Makes every projection anew from the journal. Readers see the old tables until the new ones are whole; writers wait.
    pub async fn rebuild(&self, progress: &mut dyn FnMut(u64)) -> Result<u64> {
        self.give_up_silent_loads().await?;
        let entries = self
            .db
            .scratch(Ends::Commit, async |tx| {
                let dialect = tx.dialect();
                // Before the first look: what is committed later is not missed.
                if dialect == Dialect::Postgres {
                    tx.command("LOCK TABLE journal_commit IN EXCLUSIVE MODE").await?;
                }
                if tx.row("SELECT 1 FROM load WHERE state = 'open'", []).await?.is_some() {
                    return Err(Refusal::ImportAtWork.into());
                }
                self.refill(tx, progress).await
            })
            .await?;
        // Whoever shows the figures reads them anew.
        self.recount().await?;
        Ok(entries)
    }

    /// Fills the projections from a replay.
    async fn refill(&self, tx: &mut Tx, progress: &mut dyn FnMut(u64)) -> Result<u64> {
        let entries = replay(tx, &self.env, progress).await?;
        for table in schema::projections() {
            let real = real(tx.dialect(), table);
            tx.command(&format!("DELETE FROM {real}")).await?;
            tx.command(&format!("INSERT INTO {real} SELECT * FROM {table}")).await?;
        }
        Ok(entries)
    }

    /// A database whose projections are another version's gets today's, made anew from the journal.
    pub(crate) async fn renew_projections(&self) -> Result<()> {
        const KNOWN: &str = "SELECT digest, tables FROM projection_version";
        let today = schema::projections_digest();
        let known = self.db.read(async |tx| tx.row(KNOWN, []).await).await?;
        if known.map(|row| row.get::<String>(0)).transpose()? == Some(today.clone()) {
            return Ok(());
        }
        self.give_up_silent_loads().await?;
        self.db
            .scratch(Ends::Commit, async |tx| {
                // One process at a time; whoever comes second finds it done.
                tx.rows_locked("SELECT id FROM installation", []).await?;
                let before = match tx.row(KNOWN, []).await? {
                    Some(row) if row.get::<String>(0)? == today => return Ok(()),
                    Some(row) => Some(row.get::<String>(1)?),
                    None => None,
                };
                if tx.row("SELECT 1 FROM load WHERE state = 'open'", []).await?.is_some() {
                    return Err(Refusal::ImportAtWork.into());
                }
                tx.command(&schema::renew_projections(tx.dialect(), before.as_deref()))
                    .await?;
                self.refill(tx, &mut |_| {}).await?;
                let tables: Vec<&str> = schema::projections().collect();
                tx.execute(
                    "INSERT INTO projection_version (id, digest, tables) VALUES (1,$1,$2) \
                     ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, tables = excluded.tables",
                    [today.into(), tables.join(" ").into()],
                )
                .await?;
                Ok(())
            })
            .await
    }
}
