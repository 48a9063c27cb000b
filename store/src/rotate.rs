//! `ngomon keys rotate`: a new key for fingerprints, a new one for what is sealed from now on, and new ones for all that vouches: the
//! journal's MACs, rows that grant something, what browsers bring back, and the signatures of checkpoints.
//!
//! ```text
//!   keyring.json  {1} ── prepare ──▶ {1, beside: 2} ────────────────────────▶ {2}
//!   database       1  ──────────────────────────────▶ 2 (one transaction)
//! ```
//!
//! Everybody takes fingerprints under the key that the database names in the same transaction (`Env::marker`), so it works at every
//! step of this, and a rotation that was killed is completed by the next.

use crate::bound::take_bound_to;
use crate::db::{Arg, Tx};
use crate::error::Result;
use crate::journal::Env;
use crate::keyring::Marker;
use crate::loads::{QuarantinedCells, RegistryRows, notice_of, number_of, record_of};
use crate::store::Store;

/// Rows of the registry taken at a time.
const BATCH: usize = 2_000;

impl Store {
    /// Puts the keys of the next rotation into the file, where nobody uses them yet: other machines get them before they are
    /// needed.
    pub async fn prepare_keys(&self) -> Result<()> {
        let keys = &self.env.keys;
        keys.read_again()?;
        // Keys that are behind others must not go their own way.
        self.db.read(async |tx| self.env.marker(tx).await).await?;
        keys.prepared(&self.env.ambient)?.save()?;
        Ok(keys.read_again()?)
    }

    /// Rotates the keys, or completes a rotation that was prepared or killed. `progress` hears how many entries of the journal
    /// are done.
    pub async fn rotate_keys(&self, progress: &mut dyn FnMut(u64)) -> Result<()> {
        self.prepare_keys().await?;
        let env = Env {
            keys: self.env.keys.rotated()?,
            ambient: self.env.ambient.clone(),
            news: None,
        };
        let (version, _) = env.keys.fingerprint_versions();
        let marker = env.keys.marker(env.keys.mark_of(version))?;
        self.make_anew(&env, &marker, progress).await?;
        env.keys.save()?;
        self.env.keys.read_again()?;
        // From here on this process is under them, too.
        self.db.read(async |tx| self.env.marker(tx).await).await?;
        Ok(())
    }
}

/// Takes the fingerprints of what follows from no journal under that key: references and rows in quarantine, whose values are sealed
/// beside them. From here on the transaction is under it.
pub(crate) async fn take_references_to(tx: &mut Tx, env: &Env, marker: &Marker) -> Result<()> {
    let (now, mark) = (tx.fingerprint_key().await?, marker.mark());
    if now == mark {
        return Ok(());
    }
    if now.version() >= mark.version() {
        return Err(env.keys.behind().into());
    }
    registry(tx, env, marker).await?;
    notices(tx, env, marker).await?;
    quarantine(tx, env, marker).await?;
    take_bound_to(tx, &env.keys, now.version()).await?;
    tx.set_fingerprint_key(mark).await
}

/// A fingerprint begins with its version, so those of older ones sort before it.
async fn registry(tx: &mut Tx, env: &Env, marker: &Marker) -> Result<()> {
    let version = marker.mark().version();
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
                &env.keys,
                &load,
                &row.get::<Vec<u8>>(0)?,
                &row.get::<Vec<u8>>(1)?,
            )?);
        }
        let rows = RegistryRows::of(env, marker, &load, &records)?;
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

async fn notices(tx: &mut Tx, env: &Env, marker: &Marker) -> Result<()> {
    let mut all: Vec<[Arg; 3]> = Vec::new();
    tx.each("SELECT load, ord, sealed FROM notice", [], |row| {
        let (load, ord): (String, i64) = (row.get(0)?, row.get(1)?);
        let notice = notice_of(&env.keys, &load, ord, &row.get::<Vec<u8>>(2)?)?;
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

async fn quarantine(tx: &mut Tx, env: &Env, marker: &Marker) -> Result<()> {
    let mut waiting = Vec::new();
    tx.each("SELECT load, row_no, sealed FROM quarantine", [], |row| {
        let (load, row_no): (String, String) = (row.get(0)?, row.get(1)?);
        let cells = QuarantinedCells::open(&env.keys, &load, &row_no, &row.get::<Vec<u8>>(2)?)?;
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
