//! The registry as last loaded, asked for one number.

use crate::db::Tx;
use crate::error::Result;
use crate::journal::Env;
use crate::keyring::FingerprintKind;
use crate::loads::record_of;
use crate::tables::fingerprint;
use ngomon_rules::citizens::RegistryAnswer;
use ngomon_rules::record::{RegistryRecord, RegistryStatus};
use ngomon_rules::values::NationalId;

/// What the registry says of a number. A number that the person held before was cancelled when the next was given.
pub(super) async fn ask(tx: &mut Tx, env: &Env, number: NationalId) -> Result<RegistryAnswer> {
    let Some(load) = tx.row("SELECT load FROM reference WHERE name = 'registry'", []).await? else {
        return Ok(RegistryAnswer::Unavailable);
    };
    let load: String = load.get(0)?;
    let fp = fingerprint(&*env.marker(tx).await?, FingerprintKind::NationalId, number.as_str());
    if let Some(record) = record(tx, env, &load, &fp).await? {
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
    let found = record(tx, env, &load, &now.get::<Vec<u8>>(0)?).await?;
    Ok(found.map_or(RegistryAnswer::NotFound, |record| {
        let status = match record.status {
            RegistryStatus::Deceased => RegistryStatus::Deceased,
            RegistryStatus::Active | RegistryStatus::Revoked => RegistryStatus::Revoked,
        };
        RegistryAnswer::Found(Box::new(RegistryRecord { status, ..record }))
    }))
}

async fn record(tx: &mut Tx, env: &Env, load: &str, fp: &[u8]) -> Result<Option<RegistryRecord>> {
    let row = tx
        .row(
            "SELECT sealed FROM registry WHERE load = $1 AND number_fp = $2",
            [load.into(), fp.into()],
        )
        .await?;
    row.map(|row| record_of(&env.keys, load, fp, &row.get::<Vec<u8>>(0)?))
        .transpose()
}
