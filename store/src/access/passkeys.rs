//! Passkeys of officials and operators (W3C Web Authentication): the second factor is in the device, which looks at its owner before it
//! signs. They hang on the login, as the password does, so that a transfer keeps them. Whether a device's answer is right, the server
//! says; here is kept what is known of them, and seen to it that no answer counts twice.

use super::operators::Operator;
use super::second_factor::Proven;
use super::sessions::end_all;
use crate::db::{Row, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::explain::is_held;
use crate::journal::{Act, append, unseal};
use crate::keyring::Keyring;
use crate::merkle::sha256;
use crate::messages::tell_owner;
use crate::store::Store;
use ngomon_rules::event::{Change, Event, PasskeyId, Personal};
use ngomon_rules::record::{AccountId, AccountKind};
use ngomon_rules::values::local_day;

/// So many of one login.
const MOST: i64 = 10;

/// Where its private half is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In one device, which does not give it away.
    InDevice,
    /// With a service that copies it to other devices of its owner's.
    Synced,
}

impl Kept {
    /// What showing it proves (RFC 8176): a key, that somebody is there, and, since the device looked at its owner, two factors.
    pub(super) fn amr(self) -> &'static str {
        match self {
            Self::InDevice => "hwk mfa user",
            Self::Synced => "mfa swk user",
        }
    }
}

/// One that a device has just made.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// What its owner calls it.
    pub name: String,
    /// The id by which the device knows it.
    pub credential: Vec<u8>,
    /// The public key and what belongs to it, as JSON.
    pub key: String,
}

/// One of an owner's, as the owner sees it.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// Which.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// The id by which the device knows it.
    pub credential: Vec<u8>,
    /// Since when, in microseconds UTC.
    pub added: i64,
    /// When it was used last, in microseconds UTC.
    pub used: Option<i64>,
}

/// One that a device has shown.
#[derive(Clone, Debug)]
pub struct KnownPasskey {
    /// Which.
    pub id: PasskeyId,
    /// What the device knows its owner by.
    pub owner: [u8; 16],
    /// The public key and what belongs to it, as JSON.
    pub key: String,
}

/// What devices know the owner of a login by. It tells nothing.
fn owner(login: &str) -> [u8; 16] {
    let mut owner = [0; 16];
    owner.copy_from_slice(&sha256(&[b"owner of passkeys ", login.as_bytes()])[..16]);
    owner
}

/// Name, credential and key, from the columns `id` and `sealed` of a personal value that begin at `at`.
fn opened(keys: &Keyring, row: &Row, at: usize) -> Result<(String, Vec<u8>, String)> {
    let (id, sealed): (String, Vec<u8>) = (row.get(at)?, row.get(at + 1)?);
    match unseal(keys, &id, &sealed)? {
        Personal::Passkey { name, credential, key } => Ok((name, credential, key)),
        _ => Err(StoreError::corrupt(format!("personal_value {id}"), "no passkey")),
    }
}

/// That passkey is removed, and how often it was used is not known any more.
async fn forgotten(tx: &mut Tx, account: &AccountId, passkey: PasskeyId) -> Result<Event> {
    tx.execute("DELETE FROM passkey_use WHERE passkey = $1", [(&passkey.0).into()])
        .await?;
    Ok(Event::of_account(account, Change::PasskeyRemoved { passkey }))
}

/// Locks the account and says which kind it is of and which login it has.
async fn locked(tx: &mut Tx, account: &AccountId) -> Result<(String, String)> {
    let sql = "SELECT kind, login FROM account_row WHERE id = $1";
    let rows = tx.rows_locked(sql, [account.as_str().into()]).await?;
    let row = rows.first().ok_or_else(|| Refusal::UnknownAccount(account.0.clone()))?;
    Ok((row.get(0)?, row.get(1)?))
}

impl Store {
    /// The passkeys of an account's owner, the oldest first.
    pub async fn passkeys(&self, account: &AccountId) -> Result<Vec<Passkey>> {
        self.db
            .ask(async |tx| {
                let sql = "SELECT p.id, p.added, u.at, v.id, v.sealed FROM account a JOIN passkey p ON p.login = a.login \
                     JOIN personal_value v ON v.id = p.value LEFT JOIN passkey_use u ON u.passkey = p.id \
                     WHERE a.id = $1 ORDER BY p.added, p.id";
                let rows = tx.rows(sql, [account.as_str().into()]).await?;
                let passkey = |row: &Row| {
                    let (name, credential, _) = opened(&self.env.keys, row, 3)?;
                    Ok(Passkey {
                        id: PasskeyId(row.get(0)?),
                        name,
                        credential,
                        added: row.get(1)?,
                        used: row.get(2)?,
                    })
                };
                rows.iter().map(passkey).collect()
            })
            .await
    }

    /// What devices are to know the owner of an account by.
    pub async fn passkey_owner(&self, account: &AccountId) -> Result<[u8; 16]> {
        let row = self
            .db
            .ask(async |tx| {
                let sql = "SELECT login FROM account WHERE id = $1";
                tx.row(sql, [account.as_str().into()]).await
            })
            .await?;
        let row = row.ok_or_else(|| Refusal::UnknownAccount(account.0.clone()))?;
        Ok(owner(&row.get::<String>(0)?))
    }

    /// The passkey that a device knows by that id.
    pub async fn known_passkey(&self, credential: &[u8]) -> Result<Option<KnownPasskey>> {
        let digest = sha256(&[credential]);
        self.db
            .ask(async |tx| {
                let sql = "SELECT p.id, p.login, v.id, v.sealed FROM passkey p JOIN personal_value v ON v.id = p.value \
                     WHERE p.credential = $1";
                let row = tx.row(sql, [digest.into()]).await?;
                row.map(|row| {
                    Ok(KnownPasskey {
                        id: PasskeyId(row.get(0)?),
                        owner: owner(&row.get::<String>(1)?),
                        key: opened(&self.env.keys, &row, 2)?.2,
                    })
                })
                .transpose()
            })
            .await
    }

    /// A device of the owner's opens the accounts of this login from now on. The owner is told `news`.
    pub async fn add_passkey(&self, account: &AccountId, new: NewPasskey, news: &str) -> Result<()> {
        let (env, account, news) = (self.env.clone(), account.clone(), news.to_owned());
        let (id, digest) = (PasskeyId(env.id()), sha256(&[&new.credential]));
        self.db
            .write(move |tx| {
                let (env, account, news) = (env.clone(), account.clone(), news.clone());
                let (id, new) = (id.clone(), new.clone());
                Box::pin(async move {
                    let (kind, login) = locked(tx, &account).await?;
                    if ![AccountKind::Official, AccountKind::Operator]
                        .map(AccountKind::name)
                        .contains(&kind.as_str())
                    {
                        return Err(Refusal::NoPasskeysFor(account.0).into());
                    }
                    let sql = "SELECT 1 FROM passkey WHERE credential = $1";
                    if tx.row(sql, [digest.into()]).await?.is_some() {
                        return Err(Refusal::PasskeyExists.into());
                    }
                    let has = tx
                        .row("SELECT COUNT(*) FROM passkey WHERE login = $1", [login.into()])
                        .await?;
                    if has.map_or(Ok(0), |row| row.get::<i64>(0))? >= MOST {
                        return Err(Refusal::PasskeysEnough(account.0).into());
                    }
                    let event =
                        Event::of_account(&account, Change::PasskeyAdded { passkey: id }).with(Personal::Passkey {
                            name: new.name,
                            credential: new.credential,
                            key: new.key,
                        });
                    append(tx, &env, &Act::new(account.as_str(), env.ambient.now()), vec![event]).await?;
                    tell_owner(tx, &env, &account, &news).await
                })
            })
            .await
    }

    /// A passkey of the account's owner opens nothing any more. The owner is told `news`. What is none of the owner's, or was removed
    /// before, changes nothing.
    pub async fn remove_passkey(&self, account: &AccountId, passkey: &PasskeyId, news: &str) -> Result<()> {
        let (env, account, news) = (self.env.clone(), account.clone(), news.to_owned());
        let passkey = passkey.clone();
        self.db
            .write(move |tx| {
                let (env, account, news) = (env.clone(), account.clone(), news.clone());
                let passkey = passkey.clone();
                Box::pin(async move {
                    let (_, login) = locked(tx, &account).await?;
                    let sql = "SELECT id FROM passkey WHERE id = $1 AND login = $2";
                    let known = tx.rows_locked(sql, [(&passkey.0).into(), login.into()]).await?;
                    if known.is_empty() {
                        return Ok(());
                    }
                    let event = forgotten(tx, &account, passkey).await?;
                    append(tx, &env, &Act::new(account.as_str(), env.ambient.now()), vec![event]).await?;
                    tell_owner(tx, &env, &account, &news).await
                })
            })
            .await
    }

    /// A device is lost: no passkey of the account's owner opens anything any more, and all that is open of the owner's accounts ends in the
    /// same commit. An operator does it, for a reason; the owner is told `news`. Returns how many there were: without any, nothing changes.
    pub async fn remove_passkeys(
        &self,
        operator: &Operator,
        account: &AccountId,
        why: &str,
        news: &str,
    ) -> Result<usize> {
        let (env, by, account) = (self.env.clone(), operator.by().to_owned(), account.clone());
        let (why, news) = (why.to_owned(), news.to_owned());
        self.db
            .write(move |tx| {
                let (env, by, account) = (env.clone(), by.clone(), account.clone());
                let (text, news) = (why.clone(), news.clone());
                Box::pin(async move {
                    let sql = "SELECT login FROM account WHERE id = $1";
                    let row = tx.row(sql, [account.as_str().into()]).await?;
                    let row = row.ok_or_else(|| Refusal::UnknownAccount(account.0.clone()))?;
                    let login: String = row.get(0)?;
                    // All of them before anything of theirs, so that a sign-in at the same moment comes before or after.
                    let sql = "SELECT id FROM account_row WHERE login = $1 ORDER BY id";
                    let accounts = tx.rows_locked(sql, [(&login).into()]).await?;
                    let sql = "SELECT id FROM passkey WHERE login = $1 ORDER BY added, id";
                    let known = tx.rows_locked(sql, [login.into()]).await?;
                    let mut events = Vec::new();
                    for row in &known {
                        events.push(forgotten(tx, &account, PasskeyId(row.get(0)?)).await?);
                    }
                    let Some(first) = events.first_mut() else { return Ok(0) };
                    first.personal = Some(Personal::Note { text });
                    append(tx, &env, &Act::new(&by, env.ambient.now()), events).await?;
                    for row in &accounts {
                        end_all(tx, &env, &AccountId(row.get(0)?), None).await?;
                    }
                    tell_owner(tx, &env, &account, &news).await?;
                    Ok(known.len())
                })
            })
            .await
    }

    /// The device's answer was right, its `counter`-th. The accounts that it opens: those that nothing holds, and only where there is none,
    /// those that are held. None at all: the passkey was removed, or the answer is no newer than one before, so that there may be two of
    /// that device.
    pub async fn use_passkey(&self, passkey: &PasskeyId, counter: u32, kept: Kept) -> Result<Vec<Proven>> {
        let (passkey, now) = (passkey.clone(), self.now());
        self.db
            .write(move |tx| {
                let passkey = passkey.clone();
                Box::pin(async move {
                    let sql = "SELECT login FROM passkey WHERE id = $1";
                    let rows = tx.rows_locked(sql, [(&passkey.0).into()]).await?;
                    let Some(row) = rows.first() else { return Ok(Vec::new()) };
                    let login: String = row.get(0)?;
                    // A device that does not count says 0, always.
                    let sql = "INSERT INTO passkey_use (passkey, counter, at) VALUES ($1,$2,$3) \
                         ON CONFLICT (passkey) DO UPDATE SET counter = excluded.counter, at = excluded.at \
                         WHERE excluded.counter > passkey_use.counter OR (excluded.counter = 0 AND passkey_use.counter = 0)";
                    let args = [(&passkey.0).into(), counter.into(), now.as_microsecond().into()];
                    if tx.execute(sql, args).await? == 0 {
                        return Ok(Vec::new());
                    }
                    let (mut open, mut held) = (Vec::new(), Vec::new());
                    for row in tx.rows("SELECT id FROM account WHERE login = $1 ORDER BY id", [login.into()]).await? {
                        let account = AccountId(row.get(0)?);
                        let is_held = is_held(tx, account.as_str(), local_day(now)).await?;
                        let among = if is_held { &mut held } else { &mut open };
                        among.push(Proven { account, amr: kept.amr() });
                    }
                    Ok(if open.is_empty() { held } else { open })
                })
            })
            .await
    }
}
