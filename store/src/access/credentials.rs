//! The accounts of a user name, with their password hashes. Several accounts may share one: the password decides.

use crate::error::{Result, StoreError};
use crate::journal::unseal;
use crate::keyring::FingerprintKind;
use crate::store::Store;
use crate::tables::fingerprint;
use ngomon_rules::event::Personal;
use ngomon_rules::record::{AccountId, AccountKind};

/// One account that a user name may mean.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Which.
    pub account: AccountId,
    /// What kind.
    pub kind: AccountKind,
    /// The password hash as it came; none: it begins by a one-time code.
    pub password_hash: Option<String>,
}

impl Store {
    /// All accounts of a user name, by id.
    pub async fn credentials(&self, username: &str) -> Result<Vec<Credential>> {
        let fp = fingerprint(&self.env.keys, FingerprintKind::Username, username);
        self.db
            .read(async |tx| {
                let sql = "SELECT a.id, a.kind, v.id, v.sealed FROM account a JOIN login l ON l.id = a.login \
                     JOIN personal_value v ON v.id = l.value WHERE a.username_fp = $1 ORDER BY a.id";
                let mut found = Vec::new();
                for row in tx.rows(sql, [fp.into()]).await? {
                    let [id, kind, value]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                    let Personal::Account { password_hash, .. } =
                        unseal(&self.env.keys, &value, &row.get::<Vec<u8>>(3)?)?
                    else {
                        return Err(StoreError::corrupt(
                            format!("personal_value {value}"),
                            "not an account's",
                        ));
                    };
                    found.push(Credential {
                        account: AccountId(id),
                        kind: AccountKind::parse(&kind)
                            .ok_or_else(|| StoreError::corrupt("account", "no such kind"))?,
                        password_hash: password_hash.filter(|hash| !hash.is_empty()),
                    });
                }
                Ok(found)
            })
            .await
    }
}
