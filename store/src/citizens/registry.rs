//! Queries of the registry as last loaded, for one number.

use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::keyring::FingerprintKind;
use crate::db::Tx;
use crate::error::Result;
use crate::store::Store;
use crate::tables::accounts::{STATED, fingerprint, stated_of};
use crate::tables::references::record_of;
use ngomon_rules::citizens::RegistryAnswer;
use ngomon_rules::records::{AccountId, RegistryRecord, RegistryStatus};
use ngomon_rules::values::NationalId;

/// The registry's answer for a number. A number that the person held before was cancelled when the next one was given.
pub(crate) async fn ask(tx: &mut Tx, ctx: &StoreContext, number: NationalId) -> Result<RegistryAnswer> {
    let Some(load) = tx.row("SELECT load FROM reference WHERE name = 'registry'", []).await? else {
        return Ok(RegistryAnswer::Unavailable);
    };
    let load: String = load.get(0)?;
    let fp = fingerprint(&*ctx.marker(tx).await?, FingerprintKind::NationalId, number.as_str());
    if let Some(record) = record(tx, ctx, &load, &fp).await? {
        return Ok(RegistryAnswer::Found(Box::new(record)));
    }
    let now = tx
        .row(
            "SELECT number_fp FROM registry_former WHERE load = $1 AND former_fp = $2",
            [load.as_str().into(), fp.into()],
        )
        .await?;
    let Some(now) = now else {
        return Ok(RegistryAnswer::NotFound);
    };
    let found = record(tx, ctx, &load, &now.get::<Vec<u8>>(0)?).await?;
    Ok(found.map_or(RegistryAnswer::NotFound, |record| {
        let status = match record.status {
            RegistryStatus::Deceased => RegistryStatus::Deceased,
            RegistryStatus::Active | RegistryStatus::Revoked => RegistryStatus::Revoked,
        };
        RegistryAnswer::Found(Box::new(RegistryRecord { status, ..record }))
    }))
}

impl Store {
    /// Whether the account came with that number, or with the phone that the population registry has for it.
    #[boxed]
    pub async fn is_stated_by(&self, account: &AccountId, number: &NationalId) -> Result<bool> {
        self.db
            .read(async |tx| {
                let sql =
                    format!("SELECT {STATED} FROM account a JOIN personal_value v ON v.id = a.value WHERE a.id = $1");
                let Some(row) = tx.row(&sql, [account.as_str().into()]).await? else {
                    return Ok(false);
                };
                let stated = stated_of(&self.ctx.keys, &row, 0)?;
                if stated.national_id.as_ref() == Some(number) {
                    return Ok(true);
                }
                let Some(phone) = stated.phone else { return Ok(false) };
                let known = ask(tx, &self.ctx, *number).await?;
                Ok(matches!(known, RegistryAnswer::Found(record) if record.phone == Some(phone)))
            })
            .await
    }
}

async fn record(tx: &mut Tx, ctx: &StoreContext, load: &str, fp: &[u8]) -> Result<Option<RegistryRecord>> {
    let row = tx
        .row(
            "SELECT sealed FROM registry WHERE load = $1 AND number_fp = $2",
            [load.into(), fp.into()],
        )
        .await?;
    row.map(|row| record_of(&ctx.keys, load, fp, &row.get::<Vec<u8>>(0)?))
        .transpose()
}
