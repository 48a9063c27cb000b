//! The accounts of a user name, with their password hashes. Several accounts may share one user name: the password decides.

use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::crypto::merkle::sha256;
use crate::db::bound::{ACCOUNT, LOGIN, binds_under};
use crate::db::{Row, SqlValue, Tx};
use crate::environment::hex;
use crate::error::{Result, StoreError};
use crate::journal::personal::unseal_with;
use crate::notifications::messages::{ContactPoint, reach, tell_owner};
use crate::projections::{account_cells_bound, login_of};
use crate::sessions::end::end_all;
use crate::store::Store;
use crate::tables::accounts::username_fp;
use crate::unit_of_work::append;
use aws_lc_rs::constant_time;
use ngomon_rules::event::{Change, Event, Personal};
use ngomon_rules::records::{AccountId, AccountKind};

/// Time for which a browser stays known: 400 days in seconds, as long as browsers keep a cookie.
const BROWSER_KNOWN: i64 = 400 * 86_400;

/// The credentials of one account with that user name.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The account.
    pub account: AccountId,
    /// The kind of account.
    pub kind: AccountKind,
    /// The stored password hash; `None` if the account starts with a one-time code.
    pub password_hash: Option<String>,
    /// Id of the personal value that holds the hash.
    value: String,
    /// The login of the account, which it may share with others.
    login: String,
    /// When the owner last changed the password.
    changed: i64,
}

impl Credential {
    /// Whether the account starts with a one-time code.
    pub fn is_without_password(&self) -> bool {
        self.password_hash.is_none()
    }
}

/// What binds a known browser to its owner: the login and the time of the last password change.
#[derive(Clone, Debug)]
pub struct BrowserMark {
    login: String,
    changed: i64,
}

impl BrowserMark {
    fn mac_of(&self, ctx: &StoreContext, name: &str) -> [u8; 32] {
        let changed = self.changed.to_be_bytes();
        let parts: [&[u8]; 4] = [b"known browser", name.as_bytes(), self.login.as_bytes(), &changed];
        ctx.keys.ticket_mac(&parts)
    }
}

impl Credential {
    /// The mark for a browser in which this account's owner signed in.
    pub fn browser_mark(&self) -> BrowserMark {
        BrowserMark {
            login: self.login.clone(),
            changed: self.changed,
        }
    }
}

/// The columns of a credential, and their joins.
const CREDENTIAL: &str = "a.id, a.kind, v.id, v.sealed, l.id, a.mac, l.changed, l.mac, v.salt FROM account a JOIN login l ON l.id = a.login \
     JOIN personal_value v ON v.id = l.value";

/// The login of an account. An error if the MAC of its row does not verify: nothing may be written to another owner's login.
pub(crate) async fn own_login(tx: &mut Tx, ctx: &StoreContext, account: &AccountId) -> Result<String> {
    let login = login_of(tx, ctx, account.as_str()).await?;
    login.ok_or_else(|| StoreError::corrupt(format!("account {account}"), "its login is not as the journal has it"))
}

impl Store {
    /// All accounts of a user name, by id.
    #[boxed]
    pub async fn credentials(&self, username: &str) -> Result<Vec<Credential>> {
        self.db
            .read(async |tx| {
                let marker = self.ctx.marker(tx).await?;
                let fp = username_fp(&marker, username);
                let sql = format!("SELECT {CREDENTIAL} WHERE a.username_fp = $1 ORDER BY a.id");
                let rows = tx.rows(&sql, [fp.into()]).await?;
                // The version of this snapshot: a rotation may have ended since.
                self.bound_credentials(marker.key_id().version(), &rows)
            })
            .await
    }

    /// Up to `most` credentials of the accounts after `account`, by id.
    #[boxed]
    pub async fn credentials_after(&self, account: &str, most: u32) -> Result<Vec<Credential>> {
        let sql = format!("SELECT {CREDENTIAL} WHERE a.id > $1 ORDER BY a.id LIMIT $2");
        self.db
            .read(async |tx| {
                let version = self.ctx.marker(tx).await?.key_id().version();
                let rows = tx.rows(&sql, [account.into(), most.into()]).await?;
                self.bound_credentials(version, &rows)
            })
            .await
    }

    fn bound_credentials(&self, version: u8, rows: &[Row]) -> Result<Vec<Credential>> {
        let all = rows.iter().map(|row| self.credential(version, row));
        all.filter_map(Result::transpose).collect()
    }

    /// Parses a credential. `None` if its MAC does not verify: a swapped credential opens nothing.
    fn credential(&self, version: u8, row: &Row) -> Result<Option<Credential>> {
        let [id, kind, value]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        let keys = &self.ctx.keys;
        let (personal, commitment) = unseal_with(keys, &value, row, [3, 8])?;
        let (login, changed): (String, i64) = (row.get(4)?, row.get(6)?);
        let cells = [(&login).into(), (&value).into(), changed.into(), commitment];
        let account = account_cells_bound(&id, &kind, &login);
        if !binds_under(keys, version, ACCOUNT, &account, &row.get::<Vec<u8>>(5)?)
            || !binds_under(keys, version, LOGIN, &cells, &row.get::<Vec<u8>>(7)?)
        {
            return Ok(None);
        }
        let password_hash = match personal {
            Personal::Account { password_hash, .. } => password_hash,
            Personal::Operator { password_hash, .. } => Some(password_hash),
            Personal::Password { hash } => Some(hash),
            _ => return Err(StoreError::corrupt(format!("personal_value {value}"), "no credentials")),
        };
        Ok(Some(Credential {
            account: AccountId(id),
            kind: AccountKind::parse(&kind).ok_or_else(|| StoreError::corrupt("account", "no such kind"))?,
            password_hash: password_hash.filter(|hash| !hash.is_empty()),
            value,
            login,
            changed,
        }))
    }

    /// The mark for a browser in which the account's owner was signed in. It grants nothing, but lets limits recognise the owner. A change
    /// of password ends it. `None` if the account no longer exists.
    #[boxed]
    pub async fn browser_mark(&self, account: &AccountId) -> Result<Option<BrowserMark>> {
        let sql = "SELECT l.id, l.changed FROM account_row a JOIN login l ON l.id = a.login WHERE a.id = $1";
        self.mark_by(sql, account.as_str().into()).await
    }

    /// The same for the owner of a passkey.
    #[boxed]
    pub async fn browser_mark_of_passkey(&self, credential: &[u8]) -> Result<Option<BrowserMark>> {
        let sql = "SELECT l.id, l.changed FROM passkey p JOIN login l ON l.id = p.login WHERE p.credential = $1";
        self.mark_by(sql, sha256(&[credential]).into()).await
    }

    async fn mark_by(&self, sql: &str, key: SqlValue) -> Result<Option<BrowserMark>> {
        let row = self.db.query(async |tx| tx.row(sql, [key]).await).await?;
        let Some(row) = row else { return Ok(None) };
        let (login, changed): (String, i64) = (row.get(0)?, row.get(1)?);
        Ok(Some(BrowserMark { login, changed }))
    }

    /// The cookie for one more browser in which that owner was signed in: a name for the browser, with its MAC.
    pub fn mark_browser(&self, of: &BrowserMark) -> String {
        let name = format!("{:x}-{}", self.now().as_second(), self.ctx.environment.hex::<8>());
        let mac = hex(&of.mac_of(&self.ctx, &name));
        format!("{name}-{mac}")
    }

    /// The name of the browser with this cookie; `None` if it does not prove a sign-in of that owner, or is too old.
    pub fn known_browser<'k>(&self, of: &BrowserMark, kept: &'k str) -> Option<&'k str> {
        let (name, mac) = kept.rsplit_once('-')?;
        let since = i64::from_str_radix(name.split_once('-')?.0, 16).ok()?;
        let young = self.now().as_second() - since < BROWSER_KNOWN;
        let genuine =
            constant_time::verify_slices_are_equal(hex(&of.mac_of(&self.ctx, name)).as_bytes(), mac.as_bytes()).is_ok();
        (young && genuine).then_some(name)
    }

    /// The owner's contact point: the phone on file, or else the mailbox.
    #[boxed]
    pub async fn reach(&self, account: &AccountId) -> Result<Option<ContactPoint>> {
        self.db.read(async |tx| reach(tx, &self.ctx, account).await).await
    }

    /// Stores a new hash of the same password, unless it was changed meanwhile.
    #[boxed]
    pub async fn rehash(&self, of: &Credential, hash: &str) -> Result<()> {
        let (ctx, account, hash, old) = (self.ctx.clone(), of.account.clone(), hash.to_owned(), of.value.clone());
        self.db
            .transaction(move |tx| {
                let (ctx, account, hash, old) = (ctx.clone(), account.clone(), hash.clone(), old.clone());
                Box::pin(async move {
                    tx.rows_for_update("SELECT id FROM account_row WHERE id = $1", [account.as_str().into()])
                        .await?;
                    let Some(login) = login_of(tx, &ctx, account.as_str()).await? else {
                        return Ok(());
                    };
                    let sql = "SELECT 1 FROM login WHERE id = $1 AND value = $2";
                    if tx.row(sql, [login.into(), old.into()]).await?.is_none() {
                        return Ok(());
                    }
                    let event = Event::of_account(&account, Change::PasswordRehashed).with(Personal::Password { hash });
                    let act = Attribution::new("system", ctx.environment.now());
                    append(tx, &ctx, &act, vec![event]).await.map(drop)
                })
            })
            .await
    }

    /// Changes the password for its owner. All sessions and grants of every account with that login end in the same commit. The owner is
    /// notified with `news`.
    #[boxed]
    pub async fn set_password(&self, account: &AccountId, hash: &str, news: &str) -> Result<()> {
        let (ctx, account, hash, news) = (self.ctx.clone(), account.clone(), hash.to_owned(), news.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, account, hash, news) = (ctx.clone(), account.clone(), hash.clone(), news.clone());
                Box::pin(async move { change_password(tx, &ctx, &account, hash, &news).await })
            })
            .await
    }

    /// Whether the account's owner signs in by a password.
    pub(crate) async fn has_password(&self, account: &AccountId) -> Result<bool> {
        let sql = format!("SELECT {CREDENTIAL} WHERE a.id = $1");
        let found = self.db.read(async |tx| {
            let version = self.ctx.marker(tx).await?.key_id().version();
            let rows = tx.rows(&sql, [account.as_str().into()]).await?;
            self.bound_credentials(version, &rows)
        });
        Ok(found.await?.iter().any(|one| !one.is_without_password()))
    }
}

/// Changes the password in the caller's transaction.
pub(crate) async fn change_password(
    tx: &mut Tx,
    ctx: &StoreContext,
    account: &AccountId,
    hash: String,
    news: &str,
) -> Result<()> {
    let login = own_login(tx, ctx, account).await?;
    let sql = "SELECT id FROM account_row WHERE login = $1 ORDER BY id";
    let alike = tx.rows_for_update(sql, [login.as_str().into()]).await?;
    // The login may have changed before it was locked.
    if own_login(tx, ctx, account).await? != login {
        return Err(StoreError::corrupt(format!("account {account}"), "its login changed"));
    }
    let event = Event::of_account(account, Change::PasswordChanged).with(Personal::Password { hash });
    append(
        tx,
        ctx,
        &Attribution::new(account.as_str(), ctx.environment.now()),
        vec![event],
    )
    .await?;
    for row in alike {
        end_all(tx, ctx, &AccountId(row.get(0)?), None).await?;
    }
    tell_owner(tx, ctx, account, news).await
}
