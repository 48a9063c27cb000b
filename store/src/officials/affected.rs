//! The people whom a change affects: the closure of all accounts and profiles that share a code or a number, directly or through others.
//! Decisions within the closure read no facts outside it, and decisions outside it read none within.

use crate::boxed;
use crate::db::columns::for_each_in;
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::tables::numbers::EVER_LINKED;
use ngomon_rules::event::ProfileId;
use ngomon_rules::records::AccountId;
use std::collections::BTreeSet;
use std::mem;

/// What changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct AffectedKeys {
    pub accounts: BTreeSet<AccountId>,
    pub profiles: BTreeSet<ProfileId>,
    /// Fingerprints of codes and numbers.
    pub keys: BTreeSet<Vec<u8>>,
}

/// The closure of the people affected.
#[derive(Default)]
pub(crate) struct AffectedSet {
    accounts: BTreeSet<String>,
    profiles: BTreeSet<String>,
    keys: BTreeSet<Vec<u8>>,
}

/// The accounts and profiles that ever stated one of these codes or numbers, with all that they ever stated.
const HOLDERS: &str = "SELECT k.kind, k.holder, k.fp FROM staff_key s \
     JOIN staff_key k ON k.holder = s.holder AND k.kind = s.kind WHERE s.fp IN ({})";

impl AffectedSet {
    /// Computes the closure of what changed.
    #[boxed]
    pub async fn closure_of(tx: &mut Tx, concerned: &AffectedKeys) -> Result<Self> {
        let mut people = Self {
            accounts: concerned.accounts.iter().map(|id| id.0.clone()).collect(),
            profiles: concerned.profiles.iter().map(|id| id.0.clone()).collect(),
            keys: BTreeSet::new(),
        };
        let mut fresh = concerned.keys.clone();
        for (kind, holders) in [("account", people.accounts()), ("profile", people.profiles())] {
            let sql = format!("SELECT fp FROM staff_key WHERE kind = '{kind}' AND holder IN ({{}})");
            for_each_in(tx, &sql, &holders, |row| {
                fresh.insert(row.get(0)?);
                Ok(())
            })
            .await?;
        }
        while !fresh.is_empty() {
            let wanted = args(&fresh);
            people.keys.extend(mem::take(&mut fresh));
            for_each_in(tx, HOLDERS, &wanted, |row| {
                let holders = match row.get::<String>(0)?.as_str() {
                    "account" => &mut people.accounts,
                    _ => &mut people.profiles,
                };
                holders.insert(row.get(1)?);
                fresh.insert(row.get(2)?);
                Ok(())
            })
            .await?;
            for_each_in(tx, EVER_LINKED, &wanted, |row| {
                fresh.insert(row.get(0)?);
                Ok(())
            })
            .await?;
            fresh.retain(|key| !people.keys.contains(key));
        }
        Ok(people)
    }

    /// The ids of the accounts.
    pub fn accounts(&self) -> Vec<SqlValue> {
        args(&self.accounts)
    }

    /// The ids of the profiles.
    pub fn profiles(&self) -> Vec<SqlValue> {
        args(&self.profiles)
    }

    /// The fingerprints of all their codes and numbers.
    pub fn keys(&self) -> Vec<SqlValue> {
        args(&self.keys)
    }
}

fn args<T: Clone + Into<SqlValue>>(values: &BTreeSet<T>) -> Vec<SqlValue> {
    values.iter().cloned().map(Into::into).collect()
}
