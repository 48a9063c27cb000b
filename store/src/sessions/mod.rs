//! Sessions. A session is valid while its account has the generation with which it began and nothing holds it. A hold raises the generation
//! in its own commit, so it ends every session at once, and lifting it revives none.
//!
//! ```text
//!   open account ── sign in ──▶ full session ── a hold, 30 min idle (an operator's 15), 12 h, sign out ──▶ over
//!   held account ── sign in ──▶ held visit ── 15 min, a hold that its own mending did not place, sign out ──▶ over
//!                                   ├── its last hold is lifted ──▶ full session, under a new token (an operator signs in again)
//!                                   ├── it is joined to another account ──▶ full session of that one
//!                                   └── it moved to the account at the new unit ──▶ session of that one
//! ```

pub(crate) mod end;
mod held;

pub(super) use end::end_all;
pub(crate) use end::end_sessions;

use crate::accounts::explain::{MAY_BE_HELD, is_held};
use crate::authentication::operators::Operator;
use crate::authentication::passkeys::PasskeyStorage;
use crate::authentication::second_factor::TwoFactorProof;
use crate::crypto::keyring::{AssociatedData, Keyring};
use crate::crypto::merkle::sha256;
use crate::db::bound::{ACCOUNT, SESSION, binds};
use crate::db::{Row, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::journal::entry::StoreContext;
use crate::officials::signed_in;
use crate::projections::account_cells_bound;
use crate::sessions::end::{OVER_BY_TIME, is_over_by_time, over_by_time};
use crate::store::Store;
use crate::tables::accounts::{day_of, placeholders};
use jiff::Timestamp;
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_rules::values::local_day;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Idle timeout of a full session in microseconds: 30 minutes, for operators 15 (TCVN 14423).
fn idle(kind: AccountKind) -> i64 {
    let minutes = if kind == AccountKind::Operator { 15 } else { 30 };
    minutes * 60 * 1_000_000
}
/// Absolute timeout of a full session: 12 hours in microseconds.
pub(crate) const LONGEST: i64 = 12 * 3600 * 1_000_000;
/// Lifetime of a held visit: 15 minutes in microseconds.
const HELD: i64 = 15 * 60 * 1_000_000;
/// A click is recorded if the last recorded one is older than this: one minute in microseconds.
const GRAIN: i64 = 60 * 1_000_000;

/// A session's secret in the browser: 256 random bits in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

impl SessionToken {
    /// The value of the cookie.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The factor by which an account's owner signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// The password.
    Password,
    /// A one-time code.
    Code,
    /// A passkey that opens several accounts, one of which its owner picked.
    Passkey(PasskeyStorage),
}

impl Factor {
    /// Authentication methods (RFC 8176), separated by spaces.
    pub fn amr(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Code => "otp",
            Self::Passkey(kept) => kept.amr(),
        }
    }
}

/// A valid session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Session {
    /// The account.
    pub account: AccountId,
    /// The kind of account.
    pub kind: AccountKind,
    /// `true` for a held visit: it may only display the holds and use their ways out.
    pub held: bool,
    /// `true` if the form was deferred in this session.
    pub put_off: bool,
    /// When the owner authenticated: microseconds UTC.
    pub began: i64,
    /// Authentication methods (RFC 8176), separated by spaces.
    pub amr: String,
}

impl Session {
    /// When a held visit ends: microseconds UTC.
    pub fn held_until(&self) -> i64 {
        self.began + HELD
    }

    /// The permission to act at the desk, for the full session of an operator only.
    pub fn operator(&self) -> Option<Operator> {
        let at_work = self.kind == AccountKind::Operator && !self.held;
        at_work.then(|| Operator(self.account.clone()))
    }
}

/// A session in its owner's list.
#[derive(Clone, Debug)]
pub struct SessionSummary {
    /// When it began: microseconds UTC.
    pub began: i64,
    /// The last click: microseconds UTC.
    pub seen: i64,
    /// The browser and its system, as [`Store::note_device`] recorded them.
    pub device: Option<String>,
    /// `true` for the session that requests the list.
    pub is_this: bool,
}

/// Why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// It timed out.
    Time,
    /// A hold was placed on its account.
    Change,
    /// It was closed, or the token is unknown.
    Gone,
}

impl Store {
    /// Generates an unpredictable token.
    pub fn new_token(&self) -> SessionToken {
        SessionToken(self.env.ambient.hex::<32>())
    }

    /// Begins a session after the right password: a full one, or a held visit if something holds the account.
    pub async fn begin_session(&self, account: &AccountId) -> Result<SessionToken> {
        self.begin_session_by(account, Factor::Password, self.now()).await
    }

    /// The same after authentication by `factor` at that time; refused if the password was changed since then.
    pub async fn begin_session_by(&self, account: &AccountId, factor: Factor, at: Timestamp) -> Result<SessionToken> {
        if account.operator().is_some() {
            return Err(Refusal::NeedsSecondFactor.into());
        }
        self.insert_session(account, factor.amr(), at).await
    }

    /// The same after two factors, the only way for an operator.
    pub async fn begin_proven_session(&self, proven: TwoFactorProof) -> Result<SessionToken> {
        self.insert_session(&proven.account, proven.amr, self.now()).await
    }

    /// The same for a visitor with a session: its authentication methods and a deferred form carry over.
    pub async fn step_up(&self, proven: TwoFactorProof, before: &Session) -> Result<SessionToken> {
        let shown: BTreeSet<&str> = before.amr.split(' ').chain(proven.amr.split(' ')).collect();
        let amr: Vec<&str> = shown.into_iter().collect();
        let token = self.insert_session(&proven.account, &amr.join(" "), self.now()).await?;
        if before.put_off {
            self.put_off(token.as_str()).await?;
        }
        Ok(token)
    }

    async fn insert_session(&self, account: &AccountId, amr: &str, at: Timestamp) -> Result<SessionToken> {
        let token = self.new_token();
        let amr = amr.to_owned();
        let id = sha256(&[token.0.as_bytes()]);
        let (env, account) = (self.env.clone(), account.clone());
        self.db
            .transaction(move |tx| {
                let (env, account, amr) = (env.clone(), account.clone(), amr.clone());
                Box::pin(async move { begin(tx, &env, id, &account, at.as_microsecond(), &amr).await })
            })
            .await?;
        Ok(token)
    }

    /// The session with that token, if it is valid. Counts as a click.
    pub async fn visit(&self, token: &str) -> Result<Option<Session>> {
        let (id, now) = (sha256(&[token.as_bytes()]), self.now());
        let found = self
            .db
            .query(async |tx| find_valid_session(tx, &self.env.keys, &id, now).await)
            .await?;
        let Some(ValidSession { visit, seen, .. }) = found else {
            return Ok(None);
        };
        if now.as_microsecond() - seen > GRAIN {
            self.db
                .transaction(move |tx| {
                    Box::pin(async move {
                        let sql = "UPDATE session SET seen = $2 WHERE id = $1";
                        tx.execute(sql, [id.into(), now.as_microsecond().into()]).await
                    })
                })
                .await?;
        }
        Ok(Some(visit))
    }

    /// Whether that session is still valid. Does not count as a click.
    pub async fn is_open(&self, token: &str) -> Result<bool> {
        let (id, now) = (sha256(&[token.as_bytes()]), self.now());
        let found = self
            .db
            .query(async |tx| find_valid_session(tx, &self.env.keys, &id, now).await)
            .await?;
        Ok(found.is_some())
    }

    /// Defers the form for the rest of this session.
    pub async fn put_off(&self, token: &str) -> Result<()> {
        self.on_session("UPDATE session SET put_off = 1 WHERE id = $1", token)
            .await
    }

    async fn on_session(&self, sql: &'static str, token: &str) -> Result<()> {
        let id = sha256(&[token.as_bytes()]);
        self.db
            .transaction(move |tx| Box::pin(async move { tx.execute(sql, [id.into()]).await.map(drop) }))
            .await
    }

    /// The open sessions of an account, the newest first. `token` is that of the requesting session.
    pub async fn sessions(&self, account: &AccountId, token: &str) -> Result<Vec<SessionSummary>> {
        let this = sha256(&[token.as_bytes()]);
        let now = self.now().as_microsecond();
        self.db
            .read(async |tx| {
                let sql = "SELECT s.began, s.seen, a.kind, s.id, s.device FROM session s JOIN account a ON a.id = s.account AND a.generation = s.generation \
                     WHERE s.account = $1 AND s.began > $2 ORDER BY s.began DESC";
                let mut open = Vec::new();
                for row in tx.rows(sql, [account.as_str().into(), (now - LONGEST).into()]).await? {
                    let (began, seen) = (row.get(0)?, row.get(1)?);
                    if now - seen < idle(kind_of(&row.get::<String>(2)?)?) {
                        let is_this = row.get::<Vec<u8>>(3)? == this;
                        open.push(SessionSummary {
                            began,
                            seen,
                            device: row.get(4)?,
                            is_this,
                        });
                    }
                }
                Ok(open)
            })
            .await
    }

    /// Records the browser and the system with which a session was started.
    pub async fn note_device(&self, token: &str, device: &str) -> Result<()> {
        let (id, device) = (sha256(&[token.as_bytes()]), device.to_owned());
        self.db
            .transaction(move |tx| {
                let device = device.clone();
                Box::pin(async move {
                    let sql = "UPDATE session SET device = $2 WHERE id = $1";
                    tx.execute(sql, [id.into(), device.into()]).await.map(drop)
                })
            })
            .await
    }

    /// Stores the address to which the session's owner returns after signing in.
    pub async fn set_next(&self, token: &str, next: &str) -> Result<()> {
        let (env, id, next) = (self.env.clone(), sha256(&[token.as_bytes()]), next.to_owned());
        self.db
            .transaction(move |tx| {
                let (env, next) = (env.clone(), next.clone());
                Box::pin(async move { keep_next(tx, &env, id, next.as_bytes()).await })
            })
            .await
    }

    /// The address to which the session's owner returns.
    pub async fn next(&self, token: &str) -> Result<Option<String>> {
        let id = sha256(&[token.as_bytes()]);
        let sql = "SELECT next FROM session WHERE id = $1 AND next IS NOT NULL";
        let row = self.db.query(async |tx| tx.row(sql, [id.into()]).await).await?;
        let Some(row) = row else { return Ok(None) };
        let next = self.env.keys.decrypt(place(&id), &row.get::<Vec<u8>>(0)?)?;
        Ok(Some(String::from_utf8_lossy(&next).into_owned()))
    }

    /// The same, and clears it.
    pub async fn take_next(&self, token: &str) -> Result<Option<String>> {
        let Some(next) = self.next(token).await? else {
            return Ok(None);
        };
        self.on_session("UPDATE session SET next = NULL WHERE id = $1", token)
            .await?;
        Ok(Some(next))
    }
}

fn place(id: &[u8; 32]) -> AssociatedData<'_> {
    AssociatedData {
        table: "session",
        column: "next",
        row: id,
    }
}

async fn keep_next(tx: &mut Tx, env: &StoreContext, id: [u8; 32], next: &[u8]) -> Result<()> {
    let sealed = env.keys.encrypt(place(&id), next, &env.ambient);
    let sql = "UPDATE session SET next = $2 WHERE id = $1";
    tx.execute(sql, [id.into(), sealed.into()]).await.map(drop)
}

/// Locks the accounts of sessions before any other query on them. A hold, a new password, the end of a session and the issue of a code wait
/// for each other here, and each sees the effects of the one before.
pub(crate) async fn lock_accounts_of<const N: usize>(tx: &mut Tx, sessions: [[u8; 32]; N]) -> Result<()> {
    let sql = format!(
        "SELECT id FROM account_row WHERE id IN (SELECT account FROM session WHERE id IN ({})) ORDER BY id",
        placeholders(N)
    );
    tx.rows_for_update(&sql, sessions.map(Into::into)).await.map(drop)
}

/// Begins a session whose owner authenticated at `began`: a full one, or a held visit if something holds the account.
async fn begin(
    tx: &mut Tx,
    env: &StoreContext,
    id: [u8; 32],
    account: &AccountId,
    began: i64,
    amr: &str,
) -> Result<()> {
    let now = env.ambient.now();
    let sql = "SELECT generation, kind, last_sign_in_on FROM account_row WHERE id = $1";
    let row = tx.rows_for_update(sql, [account.as_str().into()]).await?;
    let row = row
        .first()
        .ok_or_else(|| StoreError::corrupt("account", "it is gone"))?;
    let sql = "SELECT l.changed FROM account_row a JOIN login l ON l.id = a.login WHERE a.id = $1";
    let changed = tx
        .row(sql, [account.as_str().into()])
        .await?
        .map(|row| row.get::<i64>(0));
    if changed.transpose()?.is_some_and(|changed| changed > began) {
        return Err(Refusal::NewPassword(account.0.clone()).into());
    }
    let held = is_held(tx, account.as_str(), local_day(now)).await?;
    if !held && row.get::<String>(1)? == AccountKind::Official.name() {
        let last = row.get::<Option<String>>(2)?.unwrap_or_default();
        signed_in(tx, env, account, day_of(&last)?).await?;
    }
    let sid = env.ambient.uuid().to_string();
    let cells = vec![
        id.into(),
        account.as_str().into(),
        held.into(),
        row.get::<i64>(0)?.into(),
        began.into(),
        sid.into(),
        amr.into(),
    ];
    let mut row = SESSION.row(&env.keys, cells);
    row.push(now.as_microsecond().into());
    tx.execute(
        "INSERT INTO session (id, account, held, generation, began, sid, amr, mac, seen, put_off) \
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,0)",
        row,
    )
    .await
    .map(drop)
}

/// Records that a client used its grant on this session. It counts as a click, except for operators. `false` if the session has timed out.
pub(crate) async fn used_by_client(tx: &mut Tx, session: &[u8], now: i64) -> Result<bool> {
    let [began, seen, of_operator] = over_by_time(now);
    let sql = format!(
        "SELECT s.seen, a.kind FROM session s JOIN account_row a ON a.id = s.account WHERE s.id = $4 AND NOT {OVER_BY_TIME}"
    );
    let args = [began.into(), seen.into(), of_operator.into(), session.into()];
    let Some(row) = tx.row(&sql, args).await? else {
        return Ok(false);
    };
    let of_operator = kind_of(&row.get::<String>(1)?)? == AccountKind::Operator;
    if !of_operator && now - row.get::<i64>(0)? > GRAIN {
        let sql = "UPDATE session SET seen = $2 WHERE id = $1";
        tx.execute(sql, [session.into(), now.into()]).await?;
    }
    Ok(true)
}

/// The fields of an open session that an authorization code needs.
pub(crate) struct OpenRow {
    pub account: AccountId,
    pub generation: i64,
    pub sid: String,
    pub began: i64,
    pub amr: String,
}

/// The session, if it is full and valid.
pub(crate) async fn open_session_row(
    tx: &mut Tx,
    keys: &Keyring,
    id: &[u8; 32],
    now: Timestamp,
) -> Result<Option<OpenRow>> {
    let found = find_valid_session(tx, keys, id, now)
        .await?
        .filter(|found| !found.visit.held);
    Ok(found.map(|found| OpenRow {
        account: found.visit.account,
        generation: found.generation,
        sid: found.sid,
        began: found.visit.began,
        amr: found.visit.amr,
    }))
}

/// Whether this is an account of this kind, by the login and the MAC at `at`.
pub(crate) fn is_account(keys: &Keyring, row: &Row, [account, kind]: [&str; 2], at: usize) -> Result<bool> {
    let (login, mac): (String, Vec<u8>) = (row.get(at)?, row.get(at + 1)?);
    Ok(binds(
        keys,
        ACCOUNT,
        &account_cells_bound(account, kind, &login),
        Some(&mac),
    ))
}

fn kind_of(word: &str) -> Result<AccountKind> {
    AccountKind::parse(word).ok_or_else(|| StoreError::corrupt("account", "no such kind"))
}

/// A valid session, with its internal fields.
struct ValidSession {
    visit: Session,
    seen: i64,
    generation: i64,
    sid: String,
}

/// The session, if it is valid. A held visit survives the end of its hold, and becomes a full session with the next click.
async fn find_valid_session(
    tx: &mut Tx,
    keys: &Keyring,
    id: &[u8; 32],
    now: Timestamp,
) -> Result<Option<ValidSession>> {
    // Built once: it runs for each page.
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT s.account, a.kind, s.held, s.put_off, s.began, s.seen, s.amr, {MAY_BE_HELD}, s.generation, s.sid, a.login, a.mac, {} \
             FROM session s JOIN account a ON a.id = s.account AND a.generation = s.generation WHERE s.id = $1",
            SESSION.columns("s")
        )
    });
    let Some(row) = tx.row(&SQL, [(*id).into()]).await? else {
        return Ok(None);
    };
    let [account, kind]: [String; 2] = [row.get(0)?, row.get(1)?];
    if !SESSION.is_genuine(keys, &row, 12)? || !is_account(keys, &row, [&account, &kind], 10)? {
        return Ok(None);
    }
    let [held, put_off, began, seen]: [i64; 4] = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
    let (kind, held, micros) = (kind_of(&kind)?, held != 0, now.as_microsecond());
    // A derived hold begins with a day and raises no generation.
    let over = is_over_by_time(micros, kind, held, began, seen)
        || (!held && row.get::<i64>(7)? > 0 && is_held(tx, &account, local_day(now)).await?);
    if over {
        return Ok(None);
    }
    let visit = Session {
        account: AccountId(account),
        kind,
        held,
        put_off: put_off != 0,
        began,
        amr: row.get(6)?,
    };
    Ok(Some(ValidSession {
        visit,
        seen,
        generation: row.get(8)?,
        sid: row.get(9)?,
    }))
}
