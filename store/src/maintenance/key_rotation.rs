//! The command `ngomon keys rotate`: new keys for fingerprints, for newly encrypted values, and for all that authenticates: the journal's
//! MACs, rows that grant something, values that browsers send back, and the signatures of checkpoints.
//!
//! ```text
//!   keyring.json  {1} ── prepare ──▶ {1, beside: 2} ────────────────────────▶ {2}
//!   database       1  ──────────────────────────────▶ 2 (one transaction)
//! ```
//!
//! Each transaction computes fingerprints under the key that the database names in that transaction (`StoreContext::marker`), so the system works
//! at every step of this, and a rotation that was killed is completed by the next one.

use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::keyring::Fingerprinter;
use crate::db::bound::take_bound_to;
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::store::Store;
use crate::tables::quarantine::QuarantinedCells;
use crate::tables::references::{RegistryRows, notice_of, number_of, record_of};

/// Rows of the registry per statement.
const BATCH: usize = 2_000;

impl Store {
    /// Adds the keys of the next rotation to the file, where they are not used yet: other machines get them before they are needed.
    #[boxed]
    pub async fn prepare_keys(&self) -> Result<()> {
        let keys = &self.ctx.keys;
        keys.read_again()?;
        // A keyring that is behind others must not start a rotation of its own.
        self.db.read(async |tx| self.ctx.marker(tx).await).await?;
        keys.prepared(&self.ctx.environment)?.save()?;
        Ok(keys.read_again()?)
    }

    /// Rotates the keys, or completes a rotation that was prepared or killed. Calls `progress` with the number of journal entries done.
    #[boxed]
    pub async fn rotate_keys(&self, progress: &mut (dyn FnMut(u64) + Send)) -> Result<()> {
        self.prepare_keys().await?;
        let ctx = StoreContext {
            keys: self.ctx.keys.rotated()?,
            environment: self.ctx.environment.clone(),
            news: None,
        };
        let (version, _) = ctx.keys.fingerprint_versions();
        let marker = ctx.keys.marker(ctx.keys.mark_of(version))?;
        self.rebuild_projections(&ctx, &marker, progress).await?;
        ctx.keys.save()?;
        self.ctx.keys.read_again()?;
        // From here on this process uses the new keys too.
        self.db.read(async |tx| self.ctx.marker(tx).await).await?;
        Ok(())
    }
}

/// Computes under the new key the fingerprints that do not follow from the journal: those of references and of rows in quarantine, whose
/// encrypted values are in the same row. From here on the transaction uses that key.
pub(crate) async fn take_references_to(tx: &mut Tx, ctx: &StoreContext, marker: &Fingerprinter) -> Result<()> {
    let (now, mark) = (tx.fingerprint_key().await?, marker.key_id());
    if now == mark {
        return Ok(());
    }
    if now.version() >= mark.version() {
        return Err(ctx.keys.behind().into());
    }
    registry(tx, ctx, marker).await?;
    notices(tx, ctx, marker).await?;
    quarantine(tx, ctx, marker).await?;
    take_bound_to(tx, &ctx.keys, now.version()).await?;
    tx.set_fingerprint_key(mark).await
}

/// A fingerprint starts with its version, so those of older versions sort first.
async fn registry(tx: &mut Tx, ctx: &StoreContext, marker: &Fingerprinter) -> Result<()> {
    let version = marker.key_id().version();
    let Some(load) = tx.row("SELECT load FROM reference WHERE name = 'registry'", []).await? else {
        return Ok(());
    };
    let load: String = load.get(0)?;
    let sql = format!(
        "SELECT number_fp, sealed FROM registry WHERE load = $1 AND number_fp > $2 AND number_fp < $3 \
         ORDER BY number_fp LIMIT {BATCH}"
    );
    let mut last: Vec<u8> = Vec::new();
    loop {
        let found = tx.rows(&sql, [(&load).into(), last.into(), [version].into()]).await?;
        let Some(end) = found.last() else { break };
        last = end.get(0)?;
        let mut records = Vec::with_capacity(found.len());
        for row in &found {
            records.push(record_of(
                &ctx.keys,
                &load,
                &row.get::<Vec<u8>>(0)?,
                &row.get::<Vec<u8>>(1)?,
            )?);
        }
        let rows = RegistryRows::of(ctx, marker, &load, &records)?;
        tx.insert(RegistryRows::RECORDS, rows.records, "").await?;
        tx.insert(RegistryRows::FORMER, rows.former, "").await?;
    }
    for sql in [
        "DELETE FROM registry WHERE number_fp < $1",
        "DELETE FROM registry_former WHERE former_fp < $1",
    ] {
        tx.execute(sql, [[version].into()]).await?;
    }
    Ok(())
}

async fn notices(tx: &mut Tx, ctx: &StoreContext, marker: &Fingerprinter) -> Result<()> {
    let mut all: Vec<[SqlValue; 3]> = Vec::new();
    tx.for_each_row("SELECT load, ord, sealed FROM notice", [], |row| {
        let (load, ord): (String, i64) = (row.get(0)?, row.get(1)?);
        let notice = notice_of(&ctx.keys, &load, ord, &row.get::<Vec<u8>>(2)?)?;
        all.push([load.into(), ord.into(), number_of(marker, &notice).into()]);
        Ok(())
    })
    .await?;
    let sql = "UPDATE notice SET number_fp = $3 WHERE load = $1 AND ord = $2";
    for row in all {
        tx.execute(sql, row).await?;
    }
    Ok(())
}

async fn quarantine(tx: &mut Tx, ctx: &StoreContext, marker: &Fingerprinter) -> Result<()> {
    let mut waiting = Vec::new();
    tx.for_each_row("SELECT load, row_no, sealed FROM quarantine", [], |row| {
        let (load, row_no): (String, String) = (row.get(0)?, row.get(1)?);
        let cells = QuarantinedCells::open(&ctx.keys, &load, &row_no, &row.get::<Vec<u8>>(2)?)?;
        let [code, number, name] = cells.fingerprints(marker);
        waiting.push([load.into(), row_no.into(), code, number, name]);
        Ok(())
    })
    .await?;
    let sql = "UPDATE quarantine SET code_fp = $3, number_fp = $4, name_fp = $5 WHERE load = $1 AND row_no = $2";
    for row in waiting {
        tx.execute(sql, row).await?;
    }
    Ok(())
}
