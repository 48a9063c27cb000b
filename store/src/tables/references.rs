//! The rows of the registry and of notices, whose values are encrypted.

use crate::context::StoreContext;
use crate::crypto::keyring::{AssociatedData, FingerprintKind, Fingerprinter, Keyring};
use crate::db::SqlValue;
use crate::error::{Result, StoreError};
use crate::tables::accounts::fingerprint;
use crate::tables::row_digests::RowDigests;
use ngomon_rules::records::{Notice, RegistryRecord};

pub(crate) fn registry_place(row: &[u8]) -> AssociatedData<'_> {
    AssociatedData {
        table: "registry",
        column: "sealed",
        row,
    }
}

pub(crate) fn notice_place(row: &[u8]) -> AssociatedData<'_> {
    AssociatedData {
        table: "notice",
        column: "sealed",
        row,
    }
}

pub(crate) fn json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| StoreError::corrupt("a row", e))
}

/// Rows of the registry as its tables store them.
#[derive(Default)]
pub(crate) struct RegistryRows {
    pub records: Vec<Vec<SqlValue>>,
    pub former: Vec<Vec<SqlValue>>,
    pub digests: RowDigests,
    /// The fingerprints of each record's numbers, the one in force first.
    pub numbers: Vec<Vec<Vec<u8>>>,
}

impl RegistryRows {
    /// The table and the columns of the records.
    pub const RECORDS: &str = "registry (load, number_fp, status, sealed)";
    /// The table and the columns of the former numbers.
    pub const FORMER: &str = "registry_former (load, former_fp, number_fp)";

    pub fn of(ctx: &StoreContext, marker: &Fingerprinter, load: &str, records: &[RegistryRecord]) -> Result<Self> {
        let mut rows = Self::default();
        for record in records {
            let fp = fingerprint(marker, FingerprintKind::NationalId, record.national_id.as_str());
            let place = [load.as_bytes(), &fp].concat();
            let plain = json(record)?;
            let sealed = ctx.keys.encrypt(registry_place(&place), &plain, &ctx.environment);
            rows.digests
                .add(&ctx.keys, "registry", &[record.status.name().as_bytes(), &plain]);
            let mut numbers = vec![fp.clone()];
            for old in &record.former_ids {
                let old = fingerprint(marker, FingerprintKind::NationalId, old.as_str());
                rows.former
                    .push(vec![load.into(), old.clone().into(), fp.clone().into()]);
                numbers.push(old);
            }
            rows.numbers.push(numbers);
            let status = record.status.name();
            rows.records
                .push(vec![load.into(), fp.into(), status.into(), sealed.into()]);
        }
        Ok(rows)
    }
}

/// Decrypts a record.
pub(crate) fn record_of(keys: &Keyring, load: &str, fp: &[u8], sealed: &[u8]) -> Result<RegistryRecord> {
    let place = [load.as_bytes(), fp].concat();
    let plain = keys.decrypt(registry_place(&place), sealed)?;
    serde_json::from_slice(&plain).map_err(|e| StoreError::corrupt("registry", e))
}

/// Decrypts a notice.
pub(crate) fn notice_of(keys: &Keyring, load: &str, ord: i64, sealed: &[u8]) -> Result<Notice> {
    let place = [load.as_bytes(), &ord.to_be_bytes()].concat();
    let plain = keys.decrypt(notice_place(&place), sealed)?;
    serde_json::from_slice(&plain).map_err(|e| StoreError::corrupt("notice", e))
}

/// The fingerprint of the person's number in a notice.
pub(crate) fn number_of(marker: &Fingerprinter, notice: &Notice) -> Vec<u8> {
    fingerprint(marker, FingerprintKind::NationalId, notice.national_id.as_str())
}
