//! Passkeys of officials and operators (W3C Web Authentication): the device verifies its owner before it signs, which is the second factor.
//! A passkey belongs to the login, as the password does, so that a transfer keeps it. The server verifies a device's response; this module
//! stores the passkeys and rejects a response that was used before.

use crate::authentication::at_counter::phone_changed_lately;
use crate::authentication::passwords::own_login;
use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::crypto::keyring::Keyring;
use crate::crypto::merkle::sha256;
use crate::db::bound::{PASSKEY, binds};
use crate::db::{Row, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::journal::personal::{decrypt, unseal_with};
use crate::notifications::messages::tell_owner;
use crate::rights::{Operator, alone};
use crate::sessions::end::end_all;
use crate::sessions::factor::{PasskeyStorage, TwoFactorProof};
use crate::sessions::rows::is_account;
use crate::store::Store;
use crate::tables::holds::is_held;
use crate::unit_of_work::append;
use ngomon_rules::event::{Change, Event, PasskeyId, Personal};
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_rules::values::local_day;

/// Maximum number of passkeys of one login.
const MOST: i64 = 10;

/// A passkey that a device has just created.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// The owner's name for it.
    pub name: String,
    /// The credential id.
    pub credential: Vec<u8>,
    /// The public key and its data, as JSON.
    pub key: String,
}

/// A passkey in its owner's list.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// Passkey id.
    pub id: PasskeyId,
    /// The owner's name for it.
    pub name: String,
    /// The credential id.
    pub credential: Vec<u8>,
    /// When it was added: microseconds UTC.
    pub added: i64,
    /// When it was last used: microseconds UTC.
    pub used: Option<i64>,
}

/// The passkey of a device's response.
#[derive(Clone, Debug)]
pub struct KnownPasskey {
    /// Passkey id.
    pub id: PasskeyId,
    /// The WebAuthn user handle of its owner.
    pub owner: [u8; 16],
    /// The public key and its data, as JSON.
    pub key: String,
}

/// The WebAuthn user handle of a login's owner. It reveals nothing.
fn owner(login: &str) -> [u8; 16] {
    let mut owner = [0; 16];
    owner.copy_from_slice(&sha256(&[b"owner of passkeys ", login.as_bytes()])[..16]);
    owner
}

/// Name, credential and key, from the columns `id` and `sealed` of a personal value at `at`.
fn opened(keys: &Keyring, row: &Row, at: usize) -> Result<(String, Vec<u8>, String)> {
    let (id, sealed): (String, Vec<u8>) = (row.get(at)?, row.get(at + 1)?);
    match decrypt(keys, &id, &sealed)? {
        Personal::Passkey { name, credential, key } => Ok((name, credential, key)),
        _ => Err(StoreError::corrupt(format!("personal_value {id}"), "no passkey")),
    }
}

/// Deletes the passkey's counter and returns the event of its removal.
async fn forgotten(tx: &mut Tx, account: &AccountId, passkey: PasskeyId) -> Result<Event> {
    tx.execute("DELETE FROM passkey_use WHERE passkey = $1", [(&passkey.0).into()])
        .await?;
    Ok(Event::of_account(account, Change::PasskeyRemoved { passkey }))
}

/// Locks the account and returns its kind and login.
async fn locked(tx: &mut Tx, ctx: &StoreContext, account: &AccountId) -> Result<(String, String)> {
    let sql = "SELECT kind FROM account_row WHERE id = $1";
    let rows = tx.rows_for_update(sql, [account.as_str().into()]).await?;
    let row = rows.first().ok_or_else(|| Refusal::UnknownAccount(account.0.clone()))?;
    Ok((row.get(0)?, own_login(tx, ctx, account).await?))
}

/// The columns that [`bound_passkey`] reads.
const BOUND_PASSKEY: &str = "SELECT p.id, p.login, p.credential, v.id, v.sealed, v.salt, p.added, p.mac FROM passkey p \
     JOIN personal_value v ON v.id = p.value";

/// Parses id, login and key (JSON) of a passkey. `None` if its MAC does not verify.
fn bound_passkey(keys: &Keyring, row: &Row) -> Result<Option<(PasskeyId, String, String)>> {
    let [id, login, value]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(3)?];
    let (personal, commitment) = unseal_with(keys, &value, row, [4, 5])?;
    let Personal::Passkey { key, .. } = personal else {
        return Err(StoreError::corrupt(format!("personal_value {value}"), "no passkey"));
    };
    let cells = [
        (&id).into(),
        (&login).into(),
        row.get::<Vec<u8>>(2)?.into(),
        (&value).into(),
        row.get::<i64>(6)?.into(),
        commitment,
    ];
    let is_bound = binds(keys, PASSKEY, &cells, Some(&row.get::<Vec<u8>>(7)?));
    Ok(is_bound.then_some((PasskeyId(id), login, key)))
}

impl Store {
    /// The passkeys of an account's owner, the oldest first.
    #[boxed]
    pub async fn passkeys(&self, account: &AccountId) -> Result<Vec<Passkey>> {
        self.db
            .query(async |tx| {
                let sql = "SELECT p.id, p.added, u.at, v.id, v.sealed FROM account a JOIN passkey p ON p.login = a.login \
                     JOIN personal_value v ON v.id = p.value LEFT JOIN passkey_use u ON u.passkey = p.id \
                     WHERE a.id = $1 ORDER BY p.added, p.id";
                let rows = tx.rows(sql, [account.as_str().into()]).await?;
                let passkey = |row: &Row| {
                    let (name, credential, _) = opened(&self.ctx.keys, row, 3)?;
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

    /// The WebAuthn user handle of an account's owner.
    #[boxed]
    pub async fn passkey_owner(&self, account: &AccountId) -> Result<[u8; 16]> {
        let login = self
            .db
            .query(async |tx| own_login(tx, &self.ctx, account).await)
            .await?;
        Ok(owner(&login))
    }

    /// The passkey with that credential id.
    #[boxed]
    pub async fn known_passkey(&self, credential: &[u8]) -> Result<Option<KnownPasskey>> {
        let digest = sha256(&[credential]);
        self.db
            .query(async |tx| {
                let sql = format!("{BOUND_PASSKEY} WHERE p.credential = $1");
                let Some(row) = tx.row(&sql, [digest.into()]).await? else {
                    return Ok(None);
                };
                let bound = bound_passkey(&self.ctx.keys, &row)?;
                Ok(bound.map(|(id, login, key)| KnownPasskey {
                    id,
                    owner: owner(&login),
                    key,
                }))
            })
            .await
    }

    /// Adds a passkey to the account's login. The owner is notified with `news`.
    #[boxed]
    pub async fn add_passkey(&self, account: &AccountId, new: NewPasskey, news: &str) -> Result<()> {
        let (ctx, account, news) = (self.ctx.clone(), account.clone(), news.to_owned());
        let (id, digest) = (PasskeyId(ctx.id()), sha256(&[&new.credential]));
        self.db
            .transaction(move |tx| {
                let (ctx, account, news) = (ctx.clone(), account.clone(), news.clone());
                let (id, new) = (id.clone(), new.clone());
                Box::pin(async move {
                    let (kind, login) = locked(tx, &ctx, &account).await?;
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
                    append(
                        tx,
                        &ctx,
                        &Attribution::new(account.as_str(), ctx.environment.now()),
                        vec![event],
                    )
                    .await?;
                    tell_owner(tx, &ctx, &account, &news).await
                })
            })
            .await
    }

    /// Removes a passkey of the account's owner, who is notified with `news`. If it is another owner's, or was removed before, nothing
    /// changes.
    #[boxed]
    pub async fn remove_passkey(&self, account: &AccountId, passkey: &PasskeyId, news: &str) -> Result<()> {
        let (ctx, account, news) = (self.ctx.clone(), account.clone(), news.to_owned());
        let passkey = passkey.clone();
        self.db
            .transaction(move |tx| {
                let (ctx, account, news) = (ctx.clone(), account.clone(), news.clone());
                let passkey = passkey.clone();
                Box::pin(async move {
                    let (_, login) = locked(tx, &ctx, &account).await?;
                    let sql = "SELECT id FROM passkey WHERE id = $1 AND login = $2";
                    let known = tx.rows_for_update(sql, [(&passkey.0).into(), login.into()]).await?;
                    if known.is_empty() {
                        return Ok(());
                    }
                    let event = forgotten(tx, &account, passkey).await?;
                    append(
                        tx,
                        &ctx,
                        &Attribution::new(account.as_str(), ctx.environment.now()),
                        vec![event],
                    )
                    .await?;
                    tell_owner(tx, &ctx, &account, &news).await
                })
            })
            .await
    }

    /// Removes all passkeys of the account's owner, whose device is lost, and ends all sessions and grants of the owner's accounts in the
    /// same commit. An operator does it and gives a reason; for another operator it takes two. The owner is notified with `news`. Returns
    /// the number of passkeys: without any, nothing changes.
    #[boxed]
    pub async fn remove_passkeys(
        &self,
        operator: &Operator,
        account: &AccountId,
        why: &str,
        news: &str,
    ) -> Result<usize> {
        alone(account)?;
        let (ctx, by, account) = (self.ctx.clone(), operator.by().to_owned(), account.clone());
        let (why, news) = (why.to_owned(), news.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, by, account) = (ctx.clone(), by.clone(), account.clone());
                let (why, news) = (why.clone(), news.clone());
                Box::pin(async move {
                    let act = Attribution::new(&by, ctx.environment.now());
                    if phone_changed_lately(tx, &ctx, &account).await? {
                        return Err(Refusal::NeedsTwo.into());
                    }
                    let removed = remove_all_passkeys(tx, &ctx, &act, &account, &why).await?;
                    if removed > 0 {
                        tell_owner(tx, &ctx, &account, &news).await?;
                    }
                    Ok(removed)
                })
            })
            .await
    }

    /// Records a verified response with that `counter`. Returns the accounts that it opens: those that are not held, and only if there are
    /// none, the held ones. Empty if the passkey was removed, or if the counter did not rise, which means that the device may have been
    /// cloned.
    #[boxed]
    pub async fn use_passkey(
        &self,
        passkey: &PasskeyId,
        counter: u32,
        kept: PasskeyStorage,
    ) -> Result<Vec<TwoFactorProof>> {
        let (ctx, passkey, now) = (self.ctx.clone(), passkey.clone(), self.now());
        self.db
            .transaction(move |tx| {
                let (ctx, passkey) = (ctx.clone(), passkey.clone());
                Box::pin(async move {
                    let sql = "SELECT id FROM passkey WHERE id = $1";
                    if tx.rows_for_update(sql, [(&passkey.0).into()]).await?.is_empty() {
                        return Ok(Vec::new());
                    }
                    // Reads the row again: it must be genuine in this transaction.
                    let sql = format!("{BOUND_PASSKEY} WHERE p.id = $1");
                    let Some(row) = tx.row(&sql, [(&passkey.0).into()]).await? else {
                        return Ok(Vec::new());
                    };
                    let Some((_, login, _)) = bound_passkey(&ctx.keys, &row)? else {
                        return Ok(Vec::new());
                    };
                    // A device without a counter always reports 0.
                    let sql = "INSERT INTO passkey_use (passkey, counter, at) VALUES ($1,$2,$3) \
                         ON CONFLICT (passkey) DO UPDATE SET counter = excluded.counter, at = excluded.at \
                         WHERE excluded.counter > passkey_use.counter OR (excluded.counter = 0 AND passkey_use.counter = 0)";
                    let args = [(&passkey.0).into(), counter.into(), now.as_microsecond().into()];
                    if tx.execute(sql, args).await? == 0 {
                        return Ok(Vec::new());
                    }
                    let (mut open, mut held) = (Vec::new(), Vec::new());
                    let sql = "SELECT id, kind, login, mac FROM account WHERE login = $1 ORDER BY id";
                    for row in tx.rows(sql, [login.into()]).await? {
                        let [id, kind]: [String; 2] = [row.get(0)?, row.get(1)?];
                        if !is_account(&ctx.keys, &row, [&id, &kind], 2)? {
                            continue;
                        }
                        let account = AccountId(id);
                        let is_held = is_held(tx, account.as_str(), local_day(now)).await?;
                        let among = if is_held { &mut held } else { &mut open };
                        among.push(TwoFactorProof { account, amr: kept.amr() });
                    }
                    Ok(if open.is_empty() { held } else { open })
                })
            })
            .await
    }
}

/// Removes all passkeys of an account's owner and ends all sessions and grants of the owner's accounts. Returns the number of passkeys.
pub(crate) async fn remove_all_passkeys(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    account: &AccountId,
    why: &str,
) -> Result<usize> {
    let sql = "SELECT 1 FROM account WHERE id = $1";
    if tx.row(sql, [account.as_str().into()]).await?.is_none() {
        return Err(Refusal::UnknownAccount(account.0.clone()).into());
    }
    let login = own_login(tx, ctx, account).await?;
    // Locks all accounts first, so that a concurrent sign-in comes entirely before or after.
    let sql = "SELECT id FROM account_row WHERE login = $1 ORDER BY id";
    let accounts = tx.rows_for_update(sql, [(&login).into()]).await?;
    let sql = "SELECT id FROM passkey WHERE login = $1 ORDER BY added, id";
    let known = tx.rows_for_update(sql, [login.into()]).await?;
    let mut events = Vec::new();
    for row in &known {
        events.push(forgotten(tx, account, PasskeyId(row.get(0)?)).await?);
    }
    let Some(first) = events.first_mut() else { return Ok(0) };
    let text = why.to_owned();
    first.personal = Some(Personal::Note { text });
    append(tx, ctx, act, events).await?;
    for row in &accounts {
        end_all(tx, ctx, &AccountId(row.get(0)?), None).await?;
    }
    Ok(known.len())
}
