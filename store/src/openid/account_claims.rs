//! The claims of an account for clients, read at the moment of the request: a grant stores no copy of them.

use crate::boxed;
use crate::error::{Result, StoreError};
use crate::openid::subjects::previous_subjects;
use crate::store::Store;
use crate::tables::accounts::{OWNER, owner_of};
use crate::tables::holds::bucket;
use crate::tables::settings::campaign;
use crate::tables::units::followed;
use ngomon_rules::citizens::Gate;
use ngomon_rules::client::{Client, ClientId};
use ngomon_rules::records::{AccountAttributes, AccountId, AccountKind};
use ngomon_rules::unit::{Unit, UnitCode};
use ngomon_rules::values::Date;
use std::sync::LazyLock;

/// The attributes of an account that a client may read.
#[derive(Clone, Debug)]
pub struct AccountClaims {
    /// The kind of account.
    pub kind: AccountKind,
    /// Attributes of the owner. For the holder of a claim, the registry's values replace the account's own, except for a phone number that a
    /// counter recorded after the claim.
    pub stated: AccountAttributes,
    /// `true` if the phone number comes from the registry.
    pub phone_verified: bool,
    /// The unit that the account names, even if that unit has ended.
    pub unit: UnitCode,
    /// The standardisation gate of a citizen's account; `None` for every other kind.
    pub gate: Option<Gate>,
    /// The last day on which the account can be standardised in time.
    pub deadline: Option<Date>,
    /// The last day of its exemption.
    pub exempt_to: Option<Date>,
    /// `true` while a freeze suspends the campaign.
    pub frozen: bool,
    /// The proof on which the claim rests.
    pub proof: Option<String>,
}

/// Built once: each request for userinfo runs it.
static ABOUT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT a.kind, a.unit, a.official_to, a.exempt_to, a.claimed, a.last, c.proof, c.since, {OWNER} FROM account a \
         JOIN personal_value v ON v.id = a.value LEFT JOIN claim c ON c.account = a.id AND c.until IS NULL \
         LEFT JOIN personal_value w ON w.id = c.value WHERE a.id = $1"
    )
});

impl Store {
    /// Reads what clients may learn about the account. `None` if it does not exist.
    #[boxed]
    pub async fn about(&self, account: &AccountId) -> Result<Option<AccountClaims>> {
        let today = self.today();
        self.db
            .query(async |tx| {
                let Some(row) = tx.row(&ABOUT, [account.as_str().into()]).await? else {
                    return Ok(None);
                };
                let kind: String = row.get(0)?;
                let kind = AccountKind::parse(&kind).ok_or_else(|| StoreError::corrupt("account", "no such kind"))?;
                let (mut gate, mut deadline, mut exempt_to, mut frozen) = (None, None, None, false);
                if kind == AccountKind::Citizen {
                    let (campaign, bucket) = (campaign(tx).await?, bucket(&row, 2)?);
                    gate = Some(bucket.gate(&campaign, today));
                    (deadline, exempt_to) = (campaign.deadline(bucket.audience(today)), bucket.exempt_to);
                    frozen = campaign.freeze;
                }
                let proof: Option<String> = row.get(6)?;
                let since: Option<i64> = row.get(7)?;
                let (stated, claim) = owner_of(&self.ctx.keys, &row, 8)?;
                let registry_phone = claim.as_ref().and_then(|claim| claim.phone_over(&stated, since));
                let phone_verified = registry_phone.is_some();
                let stated = match &claim {
                    Some(claim) => claim.over(stated, since),
                    None => stated,
                };
                Ok(Some(AccountClaims {
                    kind,
                    phone_verified,
                    stated,
                    unit: UnitCode(row.get(1)?),
                    gate,
                    deadline,
                    exempt_to,
                    frozen,
                    proof,
                }))
            })
            .await
    }

    /// Whether accounts of this kind and unit may sign in through the client.
    #[boxed]
    pub async fn admits(&self, client: &Client, about: &AccountClaims) -> Result<bool> {
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

    /// Follows a unit that may have ended to the successor or parent that is valid today.
    #[boxed]
    pub async fn unit_today(&self, unit: &UnitCode) -> Result<Option<Unit>> {
        let today = self.today();
        self.db.query(async |tx| followed(tx, unit, today).await).await
    }

    /// The client's subjects for the accounts that this account succeeds.
    #[boxed]
    pub async fn former_subjects(&self, client: &ClientId, account: &AccountId) -> Result<Vec<String>> {
        self.db
            .query(async |tx| previous_subjects(tx, &self.ctx.keys, client, account).await)
            .await
    }
}
