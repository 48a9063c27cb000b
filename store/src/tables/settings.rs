//! The settings, read from their table.

use crate::crypto::keyring::Keyring;
use crate::db::Tx;
use crate::db::bound::{SETTING, binds};
use crate::error::{Result, StoreError};
use ngomon_rules::citizens::{Campaign, KEYS};
use ngomon_rules::officials::OfficialsPolicy;
use std::collections::BTreeMap;

/// The settings of a family. With `keys`, each must have the MAC that it got from the journal, or the call fails.
pub(crate) async fn settings(tx: &mut Tx, family: &str, keys: Option<&Keyring>) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    tx.for_each_row("SELECT name, value, mac FROM setting", [], |row| {
        let (name, value): (String, String) = (row.get(0)?, row.get(1)?);
        if let Some(key) = name.strip_prefix(family) {
            let cells = [(&name).into(), (&value).into()];
            if let Some(keys) = keys
                && !binds(keys, SETTING, &cells, Some(&row.get::<Vec<u8>>(2)?))
            {
                return Err(StoreError::corrupt(
                    format!("setting {name}"),
                    "it is not as the journal has it",
                ));
            }
            found.insert(key.to_owned(), value);
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// One setting as the journal has it; `None` if it was never set, or if its row is forged.
pub(crate) async fn vouched(tx: &mut Tx, keys: &Keyring, name: &str) -> Result<Option<String>> {
    let sql = "SELECT value, mac FROM setting WHERE name = $1";
    let Some(row) = tx.row(sql, [name.into()]).await? else {
        return Ok(None);
    };
    let value: String = row.get(0)?;
    let is_bound = binds(
        keys,
        SETTING,
        &[name.into(), (&value).into()],
        Some(&row.get::<Vec<u8>>(1)?),
    );
    Ok(is_bound.then_some(value))
}

/// The current campaign, for what follows from it: holds and figures.
pub(crate) async fn campaign(tx: &mut Tx) -> Result<Campaign> {
    campaign_of(settings(tx, "campaign.", None).await?)
}

/// The campaign as the journal has it, for the requirements of a form: an attacker who writes to the database cannot lower them.
pub(crate) async fn vouched_campaign(tx: &mut Tx, keys: &Keyring) -> Result<Campaign> {
    campaign_of(settings(tx, "campaign.", Some(keys)).await?)
}

pub(crate) fn campaign_of(set: BTreeMap<String, String>) -> Result<Campaign> {
    let mut campaign = Campaign::default();
    // In the order of the keys: an activation day must be set before a cut-over day.
    for key in KEYS {
        if let Some(value) = set.get(key) {
            campaign = campaign
                .with(key, value)
                .map_err(|e| StoreError::corrupt(format!("setting {key}"), e))?;
        }
    }
    Ok(campaign)
}

/// The current policy for officials.
pub(crate) async fn policy(tx: &mut Tx) -> Result<OfficialsPolicy> {
    let mut policy = OfficialsPolicy::default();
    for (key, value) in settings(tx, "policy.", None).await? {
        policy = policy
            .with(&key, &value)
            .ok_or_else(|| StoreError::corrupt(format!("setting {key}"), "not a value"))?;
    }
    Ok(policy)
}
