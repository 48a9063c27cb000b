//! The accounts of a user name, with their password hashes. Several accounts may share one: the password decides.

use super::sessions::end_all;
use crate::error::{Result, StoreError};
use crate::journal::{Act, append, unseal};
use crate::keyring::FingerprintKind;
use crate::messages::{Reach, reach, tell_owner};
use crate::store::Store;
use crate::tables::fingerprint;
use ngomon_rules::event::{Change, Event, Personal};
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
    /// Under which id the hash is kept.
    value: String,
}

impl Credential {
    /// Does it begin by a one-time code?
    pub fn is_without_password(&self) -> bool {
        self.password_hash.is_none()
    }
}

impl Store {
    /// All accounts of a user name, by id.
    pub async fn credentials(&self, username: &str) -> Result<Vec<Credential>> {
        self.db
            .read(async |tx| {
                let fp = fingerprint(&*self.env.marker(tx).await?, FingerprintKind::Username, username);
                let sql = "SELECT a.id, a.kind, v.id, v.sealed FROM account a JOIN login l ON l.id = a.login \
                     JOIN personal_value v ON v.id = l.value WHERE a.username_fp = $1 ORDER BY a.id";
                let mut found = Vec::new();
                for row in tx.rows(sql, [fp.into()]).await? {
                    let [id, kind, value]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                    let password_hash = match unseal(&self.env.keys, &value, &row.get::<Vec<u8>>(3)?)? {
                        Personal::Account { password_hash, .. } => password_hash,
                        Personal::Operator { password_hash, .. } => Some(password_hash),
                        Personal::Password { hash } => Some(hash),
                        _ => return Err(StoreError::corrupt(format!("personal_value {value}"), "no credentials")),
                    };
                    found.push(Credential {
                        account: AccountId(id),
                        kind: AccountKind::parse(&kind)
                            .ok_or_else(|| StoreError::corrupt("account", "no such kind"))?,
                        password_hash: password_hash.filter(|hash| !hash.is_empty()),
                        value,
                    });
                }
                Ok(found)
            })
            .await
    }

    /// Where the owner of an account is reached: the phone on file, or else the mailbox.
    pub async fn reach(&self, account: &AccountId) -> Result<Option<Reach>> {
        self.db.read(async |tx| reach(tx, &self.env, account).await).await
    }

    /// Keeps the password hashed anew, unless it was changed meanwhile.
    pub async fn rehash(&self, of: &Credential, hash: &str) -> Result<()> {
        let (env, account, hash, old) = (self.env.clone(), of.account.clone(), hash.to_owned(), of.value.clone());
        self.db
            .write(move |tx| {
                let (env, account, hash, old) = (env.clone(), account.clone(), hash.clone(), old.clone());
                Box::pin(async move {
                    let sql = "SELECT l.value FROM account_row a JOIN login l ON l.id = a.login WHERE a.id = $1";
                    tx.rows_locked("SELECT id FROM account_row WHERE id = $1", [account.as_str().into()])
                        .await?;
                    let row = tx.row(sql, [account.as_str().into()]).await?;
                    let now: Option<String> = row.map(|row| row.get(0)).transpose()?;
                    if now.as_deref() != Some(old.as_str()) {
                        return Ok(());
                    }
                    let event = Event::of_account(&account, Change::PasswordRehashed).with(Personal::Password { hash });
                    let act = Act::new("system", env.ambient.now());
                    append(tx, &env, &act, vec![event]).await.map(drop)
                })
            })
            .await
    }

    /// Another password, at the owner's wish: all that was open under the one before ends in the same commit, of every account that it
    /// opens. The owner is told `news`.
    pub async fn set_password(&self, account: &AccountId, hash: &str, news: &str) -> Result<()> {
        let (env, account, hash, news) = (self.env.clone(), account.clone(), hash.to_owned(), news.to_owned());
        self.db
            .write(move |tx| {
                let (env, account, hash, news) = (env.clone(), account.clone(), hash.clone(), news.clone());
                Box::pin(async move {
                    let sql = "SELECT id FROM account_row WHERE login = (SELECT b.login FROM account_row b WHERE b.id = $1) ORDER BY id";
                    let alike = tx.rows_locked(sql, [account.as_str().into()]).await?;
                    let event = Event::of_account(&account, Change::PasswordChanged).with(Personal::Password { hash });
                    append(tx, &env, &Act::new(account.as_str(), env.ambient.now()), vec![event]).await?;
                    for row in alike {
                        end_all(tx, &env, &AccountId(row.get(0)?), None).await?;
                    }
                    tell_owner(tx, &env, &account, &news).await
                })
            })
            .await
    }
}
