//! The references: registry, units and notices. They are evidence from others, and each load replaces the whole reference.

use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::keyring::FingerprintKind;
use crate::db::Tx;
use crate::error::{Result, StoreError};
use crate::loads::open_load::OpenLoad;
use crate::store::Store;
use crate::tables::accounts::fingerprint;
use crate::tables::references::{RegistryRows, json, notice_place, number_of, registry_place};
use crate::tables::row_digests::RowDigests;
use ngomon_rules::records::{Notice, RegistryRecord};
use ngomon_rules::unit::Unit;

/// The digests of the rows of the current reference, for comparison with its entry. Also returns a fault if a fingerprint does not fit
/// the contents of its row.
pub(crate) async fn rows_of(
    tx: &mut Tx,
    ctx: &StoreContext,
    table: &str,
    load: &str,
) -> Result<(RowDigests, Option<&'static str>)> {
    let (mut digests, mut fault) = (RowDigests::default(), None);
    let (keys, marker) = (&ctx.keys, ctx.marker(tx).await?);
    match table {
        "registry" => {
            let (mut named, mut kept) = (RowDigests::default(), RowDigests::default());
            let sql = "SELECT number_fp, status, sealed FROM registry WHERE load = $1";
            tx.for_each_row(sql, [load.into()], |row| {
                let (fp, status): (Vec<u8>, String) = (row.get(0)?, row.get(1)?);
                let place = [load.as_bytes(), &fp].concat();
                let plain = keys.decrypt(registry_place(&place), &row.get::<Vec<u8>>(2)?)?;
                let record: RegistryRecord =
                    serde_json::from_slice(&plain).map_err(|e| StoreError::corrupt("registry", e))?;
                for old in &record.former_ids {
                    let old = fingerprint(&marker, FingerprintKind::NationalId, old.as_str());
                    named.add(keys, "former", &[&old, &fp]);
                }
                digests.add(keys, "registry", &[status.as_bytes(), &plain]);
                Ok(())
            })
            .await?;
            let sql = "SELECT former_fp, number_fp FROM registry_former WHERE load = $1";
            tx.for_each_row(sql, [load.into()], |row| {
                kept.add(keys, "former", &[&row.get::<Vec<u8>>(0)?, &row.get::<Vec<u8>>(1)?]);
                Ok(())
            })
            .await?;
            if named.digest() != kept.digest() {
                fault = Some("former numbers that no record names, or the other way round");
            }
        }
        "units" => {
            let sql = "SELECT code, body FROM unit WHERE load = $1";
            tx.for_each_row(sql, [load.into()], |row| {
                let (code, body): (String, String) = (row.get(0)?, row.get(1)?);
                digests.add(keys, "unit", &[code.as_bytes(), body.as_bytes()]);
                Ok(())
            })
            .await?;
        }
        _ => {
            let sql = "SELECT ord, sealed, number_fp FROM notice WHERE load = $1";
            tx.for_each_row(sql, [load.into()], |row| {
                let ord: i64 = row.get(0)?;
                let place = [load.as_bytes(), &ord.to_be_bytes()].concat();
                let plain = keys.decrypt(notice_place(&place), &row.get::<Vec<u8>>(1)?)?;
                let notice = serde_json::from_slice(&plain).map_err(|e| StoreError::corrupt("notice", e))?;
                if row
                    .get::<Option<Vec<u8>>>(2)?
                    .is_some_and(|fp| fp != number_of(&marker, &notice))
                {
                    fault = Some("a notice that is found by another number");
                }
                digests.add(keys, "notice", &[&ord.to_be_bytes(), &plain]);
                Ok(())
            })
            .await?;
        }
    }
    Ok((digests, fault))
}

impl OpenLoad {
    /// Stages rows of the registry.
    #[boxed]
    pub async fn registry(&mut self, records: Vec<RegistryRecord>) -> Result<()> {
        let rows = RegistryRows::of(&self.store.ctx, &self.marker, &self.id, &records)?;
        self.rows.merge(rows.digests);
        self.stage(RegistryRows::RECORDS, rows.records).await?;
        self.stage(RegistryRows::FORMER, rows.former).await?;
        self.learn(&records, &rows.numbers).await
    }

    /// Stages units.
    #[boxed]
    pub async fn units(&mut self, units: Vec<Unit>) -> Result<()> {
        let mut rows = Vec::with_capacity(units.len());
        for unit in units {
            let body = serde_json::to_string(&unit).map_err(|e| StoreError::corrupt("a unit", e))?;
            let parts = [unit.code.as_str().as_bytes(), body.as_bytes()];
            self.rows.add(&self.store.ctx.keys, "unit", &parts);
            rows.push(vec![self.id.as_str().into(), unit.code.as_str().into(), body.into()]);
        }
        self.stage("unit (load, code, body)", rows).await
    }

    /// Stages movement notices, in the order of their rows.
    #[boxed]
    pub async fn notices(&mut self, notices: Vec<Notice>) -> Result<()> {
        let ctx = self.store.ctx.clone();
        let mut rows = Vec::with_capacity(notices.len());
        for notice in notices {
            self.ord += 1;
            let place = [self.id.as_bytes(), &self.ord.to_be_bytes()].concat();
            let plain = json(&notice)?;
            let sealed = ctx.keys.encrypt(notice_place(&place), &plain, &ctx.environment);
            self.rows.add(&ctx.keys, "notice", &[&self.ord.to_be_bytes(), &plain]);
            let fp = number_of(&self.marker, &notice);
            rows.push(vec![self.id.as_str().into(), self.ord.into(), sealed.into(), fp.into()]);
        }
        self.stage("notice (load, ord, sealed, number_fp)", rows).await
    }
}

/// Makes this load the current reference.
pub(crate) async fn activate(tx: &mut Tx, table: &str, load: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO reference (name, load) VALUES ($1,$2) ON CONFLICT (name) DO UPDATE SET load = excluded.load",
        [table.into(), load.into()],
    )
    .await?;
    if table != "registry" {
        let small = if table == "units" { "unit" } else { "notice" };
        tx.execute(&format!("DELETE FROM {small} WHERE load <> $1"), [load.into()])
            .await?;
    }
    Ok(())
}

impl Store {
    /// Deletes the rows of replaced registry loads, a few at a time.
    pub(crate) async fn forget_old_registry(&self) -> Result<()> {
        for (table, key) in [("registry", "number_fp"), ("registry_former", "former_fp")] {
            let old = format!(
                "SELECT load, {key} FROM {table} WHERE load <> (SELECT load FROM reference WHERE name = 'registry') LIMIT 2000"
            );
            let sql = format!("DELETE FROM {table} WHERE (load, {key}) IN ({old})");
            self.repeat(sql).await?;
        }
        Ok(())
    }

    /// Runs a statement until it changes no row, each time in its own transaction.
    pub(crate) async fn repeat(&self, sql: String) -> Result<()> {
        loop {
            let sql = sql.clone();
            let touched = self
                .db
                .transaction(move |tx| {
                    let sql = sql.clone();
                    Box::pin(async move { tx.execute(&sql, []).await })
                })
                .await?;
            if touched == 0 {
                return Ok(());
            }
        }
    }
}
