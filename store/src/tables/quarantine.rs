//! The cells of a row in quarantine, encrypted.

use crate::context::StoreContext;
use crate::crypto::keyring::{AssociatedData, FingerprintKind, Fingerprinter, Keyring};
use crate::db::SqlValue;
use crate::error::{Result, StoreError};
use crate::tables::accounts::{fingerprint, folded_fp};
use ngomon_rules::officials::UnreadableProfile;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The encrypted part of a row in quarantine.
#[derive(Serialize, Deserialize)]
pub(crate) struct QuarantinedCells {
    pub hints: UnreadableProfile,
    pub cells: BTreeMap<String, String>,
}

impl QuarantinedCells {
    fn place(place: &[u8]) -> AssociatedData<'_> {
        AssociatedData {
            table: "quarantine",
            column: "sealed",
            row: place,
        }
    }

    /// Encrypts it for the table.
    pub(crate) fn seal(&self, ctx: &StoreContext, load: &str, row_no: &str) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map_err(|e| StoreError::corrupt("a row", e))?;
        let place = [load.as_bytes(), row_no.as_bytes()].concat();
        Ok(ctx.keys.encrypt(Self::place(&place), &plain, &ctx.environment))
    }

    /// Decrypts it.
    pub fn open(keys: &Keyring, load: &str, row_no: &str, sealed: &[u8]) -> Result<Self> {
        let place = [load.as_bytes(), row_no.as_bytes()].concat();
        let plain = keys.decrypt(Self::place(&place), sealed)?;
        serde_json::from_slice(&plain).map_err(|e| StoreError::corrupt(format!("quarantine {load}/{row_no}"), e))
    }

    /// The fingerprints that identify the owner of the row, for the columns of the table.
    pub fn fingerprints(&self, marker: &Fingerprinter) -> [SqlValue; 3] {
        self.keys(marker).map(SqlValue::Bytes)
    }

    /// The fingerprints of file code and number; if it has neither, that of the name.
    pub fn keys(&self, marker: &Fingerprinter) -> [Option<Vec<u8>>; 3] {
        let fp = |kind, value: Option<&str>| value.map(|value| fingerprint(marker, kind, value));
        let number = self.hints.national_id.as_ref().map(|n| n.as_str());
        let code_fp = fp(FingerprintKind::EmployeeCode, self.hints.employee_code.as_deref());
        let number_fp = fp(FingerprintKind::NationalId, number);
        let name = self.hints.person_key.as_ref();
        let name = name.filter(|_| code_fp.is_none() && number_fp.is_none());
        let name_fp = name.map(|name| folded_fp(marker, name)).unwrap_or_default();
        [code_fp, number_fp, Some(name_fp)]
    }
}
