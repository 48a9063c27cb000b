//! What a client may be told about an account, as it is in this moment: nothing of it is copied into a grant.

use super::subjects::former;
use crate::error::{Result, StoreError};
use crate::explain::bucket;
use crate::settings::campaign;
use crate::store::Store;
use crate::tables::{CLAIMED, STATED, claimed_of, stated_of};
use crate::units::followed;
use ngomon_rules::citizens::Gate;
use ngomon_rules::client::{Client, ClientId};
use ngomon_rules::record::{AccountId, AccountKind, Stated};
use ngomon_rules::unit::{Unit, UnitCode};

/// An account as clients may be told of it.
#[derive(Clone, Debug)]
pub struct About {
    /// What kind.
    pub kind: AccountKind,
    /// What it says of its owner; for a claim's holder, the registry's word in place of its own.
    pub stated: Stated,
    /// The phone is the registry's.
    pub phone_verified: bool,
    /// The unit that it names, ended or not.
    pub unit: UnitCode,
    /// What the gate asks; `None`: it is no citizen's.
    pub gate: Option<Gate>,
    /// How a claim was proven.
    pub proof: Option<String>,
}

impl Store {
    /// What clients may be told about the account; `None`: there is no such account.
    pub async fn about(&self, account: &AccountId) -> Result<Option<About>> {
        let today = self.today();
        self.db
            .ask(async |tx| {
                let sql = format!(
                    "SELECT a.kind, a.unit, {STATED}, a.official_to, a.exempt_to, a.claimed, a.last, c.proof, {CLAIMED} FROM account a \
                     JOIN personal_value v ON v.id = a.value LEFT JOIN claim c ON c.account = a.id AND c.until IS NULL \
                     LEFT JOIN personal_value w ON w.id = c.value WHERE a.id = $1"
                );
                let Some(row) = tx.row(&sql, [account.as_str().into()]).await? else {
                    return Ok(None);
                };
                let kind: String = row.get(0)?;
                let kind = AccountKind::parse(&kind).ok_or_else(|| StoreError::corrupt("account", "no such kind"))?;
                let gate = match kind {
                    AccountKind::Citizen => Some(bucket(&row, 4)?.gate(&campaign(tx).await?, today)),
                    _ => None,
                };
                let (proof, stated): (Option<String>, _) = (row.get(8)?, stated_of(&self.env.keys, &row, 2)?);
                let claim = proof.as_ref().map(|_| claimed_of(&self.env.keys, &row, 9)).transpose()?;
                Ok(Some(About {
                    kind,
                    phone_verified: claim.as_ref().is_some_and(|claim| claim.phone.is_some()),
                    stated: match claim {
                        Some(claim) => claim.over(stated),
                        None => stated,
                    },
                    unit: UnitCode(row.get(1)?),
                    gate,
                    proof,
                }))
            })
            .await
    }

    /// May accounts of that kind and unit sign in through the client?
    pub async fn admits(&self, client: &Client, about: &About) -> Result<bool> {
        if !client.kinds.contains(&about.kind) {
            return Ok(false);
        }
        if client.units.is_empty() {
            return Ok(true);
        }
        let (tree, today) = (self.units().await?, self.today());
        let unit = tree.follow(&about.unit, today);
        Ok(client.units.iter().any(|top| tree.is_within(unit, top, today)))
    }

    /// The unit that counts today for one that may have ended.
    pub async fn unit_today(&self, unit: &UnitCode) -> Result<Option<Unit>> {
        let today = self.today();
        self.db.ask(async |tx| followed(tx, unit, today).await).await
    }

    /// What the client called the accounts that this one succeeds.
    pub async fn former_subjects(&self, client: &ClientId, account: &AccountId) -> Result<Vec<String>> {
        self.db.ask(async |tx| former(tx, client, account).await).await
    }
}
