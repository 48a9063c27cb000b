//! Sessions. A session is good while its account has the generation with which it began and nothing holds it; a hold raises the
//! generation in its own commit, so it ends every session at once, and lifting it revives none.
//!
//! ```text
//!   open account ── sign in ──▶ full visit ── a hold, 30 min idle (an operator's 15), 12 h, sign out ──▶ over
//!   held account ── sign in ──▶ held visit ── 15 min, another hold, sign out ──▶ over
//!                                   ├── its last hold is lifted ──▶ full visit, under a new token (an operator signs in anew)
//!                                   ├── it is joined to another account ──▶ full visit of that one
//!                                   └── it moved to the account at the new unit ──▶ visit of that one
//! ```

use super::operators::Operator;
use super::passkeys::Kept;
use super::second_factor::Proven;
use crate::bound::{ACCOUNT, SESSION, SESSION_GENERATION, SESSION_SID, binds};
use crate::db::{Row, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::explain::{MAY_BE_HELD, is_held};
use crate::journal::{Act, Env, append};
use crate::keyring::{Keyring, Place};
use crate::merkle::sha256;
use crate::officials::signed_in;
use crate::openid::{end_grants, move_grants, part_in, signed_out};
use crate::project::account_cells_bound;
use crate::store::Store;
use crate::tables::{day_of, places};
use crate::two_persons::alone;
use jiff::Timestamp;
use ngomon_rules::event::{Change, Event};
use ngomon_rules::record::{AccountId, AccountKind};
use ngomon_rules::values::local_day;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A full visit ends after so many microseconds without a click: TCVN 14423 says how long an operator's may stand idle.
fn idle(kind: AccountKind) -> i64 {
    let minutes = if kind == AccountKind::Operator { 15 } else { 30 };
    minutes * 60 * 1_000_000
}
/// A full visit ends after so many microseconds.
pub(crate) const LONGEST: i64 = 12 * 3600 * 1_000_000;
/// A held visit ends after so many microseconds.
const HELD: i64 = 15 * 60 * 1_000_000;
/// A click is written down once so many microseconds have passed since the last.
const GRAIN: i64 = 60 * 1_000_000;

/// What the browser keeps: 256 random bits in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// For the cookie.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an account's owner showed to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// The password.
    Password,
    /// A one-time code.
    Code,
    /// A passkey that opens several accounts, one of which its owner picked.
    Passkey(Kept),
}

impl Factor {
    /// RFC 8176, words with spaces.
    pub fn amr(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Code => "otp",
            Self::Passkey(kept) => kept.amr(),
        }
    }
}

/// Somebody who signed in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Visit {
    /// Which account.
    pub account: AccountId,
    /// What kind.
    pub kind: AccountKind,
    /// It may only read why it is held, and mend it.
    pub held: bool,
    /// The form was put off.
    pub put_off: bool,
    /// When its owner was proven: microseconds UTC.
    pub began: i64,
    /// How (RFC 8176), words with spaces.
    pub amr: String,
}

impl Visit {
    /// When a held visit is over, in microseconds UTC.
    pub fn held_until(&self) -> i64 {
        self.began + HELD
    }

    /// The operator's permission to act; nobody else has one, nor an operator who is held.
    pub fn operator(&self) -> Option<Operator> {
        let at_work = self.kind == AccountKind::Operator && !self.held;
        at_work.then(|| Operator(self.account.clone()))
    }
}

/// One of the sessions of an account, as its owner sees it.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// When it began, in microseconds UTC.
    pub began: i64,
    /// The last click, in microseconds UTC.
    pub seen: i64,
    /// Is it the one that asks?
    pub is_this: bool,
}

impl Store {
    /// A token that nobody can foretell.
    pub fn new_token(&self) -> Token {
        Token(self.env.ambient.hex::<32>())
    }

    /// Begins a session after the right password: a full one, or a held visit where something holds the account.
    pub async fn open_session(&self, account: &AccountId) -> Result<Token> {
        self.open_session_by(account, Factor::Password, self.now()).await
    }

    /// The same of an owner who was proven in some way, at some time; refused where a new password was set since then.
    pub async fn open_session_by(&self, account: &AccountId, factor: Factor, at: Timestamp) -> Result<Token> {
        if account.operator().is_some() {
            return Err(Refusal::NeedsSecondFactor.into());
        }
        self.begin_session(account, factor.amr(), at).await
    }

    /// The same after two factors, the only way for an operator.
    pub async fn open_proven_session(&self, proven: Proven) -> Result<Token> {
        self.begin_session(&proven.account, proven.amr, self.now()).await
    }

    /// The same for somebody who was there already: what was shown before counts on, and so does a form that was put off.
    pub async fn step_up(&self, proven: Proven, before: &Visit) -> Result<Token> {
        let shown: BTreeSet<&str> = before.amr.split(' ').chain(proven.amr.split(' ')).collect();
        let amr: Vec<&str> = shown.into_iter().collect();
        let token = self.begin_session(&proven.account, &amr.join(" "), self.now()).await?;
        if before.put_off {
            self.put_off(token.as_str()).await?;
        }
        Ok(token)
    }

    async fn begin_session(&self, account: &AccountId, amr: &str, at: Timestamp) -> Result<Token> {
        let token = self.new_token();
        let amr = amr.to_owned();
        let id = sha256(&[token.0.as_bytes()]);
        let (env, account) = (self.env.clone(), account.clone());
        self.db
            .write(move |tx| {
                let (env, account, amr) = (env.clone(), account.clone(), amr.clone());
                Box::pin(async move { begin(tx, &env, id, &account, at.as_microsecond(), &amr).await })
            })
            .await?;
        Ok(token)
    }

    /// A full visit in place of a held one whose account nothing holds any more: its owner was proven when it began. Where its owner
    /// was going stays known. `None`: it is no held visit, something holds the account, or it is an operator's.
    pub async fn open_after_hold(&self, held: &str) -> Result<Option<Token>> {
        let token = self.new_token();
        let (before, id) = (sha256(&[held.as_bytes()]), sha256(&[token.0.as_bytes()]));
        let (env, now) = (self.env.clone(), self.now());
        let opened = self
            .db
            .write(move |tx| {
                let env = env.clone();
                Box::pin(async move {
                    lock_accounts_of(tx, [before]).await?;
                    let visit = good(tx, &env.keys, &before, now).await?.map(|found| found.visit);
                    let Some(visit) = visit.filter(|visit| visit.held && visit.kind != AccountKind::Operator) else {
                        return Ok(false);
                    };
                    if is_held(tx, visit.account.as_str(), local_day(now)).await? {
                        return Ok(false);
                    }
                    begin(tx, &env, id, &visit.account, visit.began, &visit.amr).await?;
                    replace_held(tx, &env, before, id).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(opened.then_some(token))
    }

    /// A visit of the account that stays, in place of the held one of the account that was joined to it. Its owner was proven at that time.
    /// Where its owner was going stays known.
    pub async fn open_after_join(&self, held: &str, stays: &AccountId, factor: Factor, at: Timestamp) -> Result<Token> {
        let token = self.new_token();
        let (before, id) = (sha256(&[held.as_bytes()]), sha256(&[token.0.as_bytes()]));
        let (env, stays) = (self.env.clone(), stays.clone());
        self.db
            .write(move |tx| {
                let (env, stays) = (env.clone(), stays.clone());
                Box::pin(async move {
                    lock_accounts_of(tx, [before]).await?;
                    begin(tx, &env, id, &stays, at.as_microsecond(), factor.amr()).await?;
                    replace_held(tx, &env, before, id).await
                })
            })
            .await?;
        Ok(token)
    }

    /// A visit of the account at the new unit, in place of the held one of the account that `moved` closed. Both sign in by the same login, so
    /// its owner is proven for that one too. Where its owner was going stays known. `None`: `moved` does not hold the account, or the other
    /// one has a login of its own.
    pub async fn open_after_move(&self, held: &str, new: &AccountId) -> Result<Option<Token>> {
        let token = self.new_token();
        let (before, id) = (sha256(&[held.as_bytes()]), sha256(&[token.0.as_bytes()]));
        let (env, new, now) = (self.env.clone(), new.clone(), self.now());
        let opened = self
            .db
            .write(move |tx| {
                let (env, new) = (env.clone(), new.clone());
                Box::pin(async move {
                    lock_accounts_of(tx, [before]).await?;
                    let visit = good(tx, &env.keys, &before, now).await?.map(|found| found.visit);
                    let Some(visit) = visit.filter(|visit| visit.held) else {
                        return Ok(false);
                    };
                    let sql = "SELECT a.login, a.kind, a.mac, b.login, b.kind, b.mac FROM account_row a JOIN account_row b ON b.login = a.login \
                         WHERE a.id = $1 AND b.id = $2 AND EXISTS (SELECT 1 FROM hold h WHERE h.account = a.id AND h.reason = 'moved' AND h.until IS NULL)";
                    let row = tx.row(sql, [visit.account.as_str().into(), new.as_str().into()]).await?;
                    let Some(row) = row else { return Ok(false) };
                    let official = AccountKind::Official.name();
                    for (account, at) in [(&visit.account, 0), (&new, 3)] {
                        let [login, kind]: [String; 2] = [row.get(at)?, row.get(at + 1)?];
                        let bound = account_cells_bound(account.as_str(), &kind, &login);
                        if kind != official || !binds(&env.keys, ACCOUNT, &bound, Some(&row.get::<Vec<u8>>(at + 2)?)) {
                            return Ok(false);
                        }
                    }
                    begin(tx, &env, id, &new, visit.began, &visit.amr).await?;
                    replace_held(tx, &env, before, id).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(opened.then_some(token))
    }

    /// What its owner did within a held visit mended one reason and found others: the visit goes on, and tells of them. A hold by order is
    /// nobody's finding, and ends it.
    pub async fn stay_held(&self, token: &str) -> Result<()> {
        let (env, id) = (self.env.clone(), sha256(&[token.as_bytes()]));
        self.db
            .write(move |tx| {
                let env = env.clone();
                Box::pin(async move {
                    lock_accounts_of(tx, [id]).await?;
                    let sql = format!(
                        "SELECT {}, a.generation FROM session s JOIN account_row a ON a.id = s.account \
                         WHERE s.id = $1 AND s.held = 1 AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.account = s.account \
                         AND h.generation > s.generation AND h.reason = 'by-order')",
                        SESSION.columns("s")
                    );
                    let Some(row) = tx.row(&sql, [id.into()]).await? else { return Ok(()) };
                    if !SESSION.is_genuine(&env.keys, &row, 0)? {
                        return Ok(());
                    }
                    let generation: i64 = row.get(SESSION.width())?;
                    let mut cells = SESSION.cells(&row, 0)?;
                    cells[SESSION_GENERATION] = generation.into();
                    let mac = SESSION.mac(&env.keys, &cells);
                    let sql = "UPDATE session SET generation = $2, mac = $3 WHERE id = $1";
                    tx.execute(sql, [id.into(), generation.into(), mac]).await.map(drop)
                })
            })
            .await
    }

    /// Whose session that is, if it is still good.
    pub async fn visit(&self, token: &str) -> Result<Option<Visit>> {
        let (id, now) = (sha256(&[token.as_bytes()]), self.now());
        let found = self.db.ask(async |tx| good(tx, &self.env.keys, &id, now).await).await?;
        let Some(Good { visit, seen, .. }) = found else {
            return Ok(None);
        };
        if now.as_microsecond() - seen > GRAIN {
            self.db
                .write(move |tx| {
                    Box::pin(async move {
                        let sql = "UPDATE session SET seen = $2 WHERE id = $1";
                        tx.execute(sql, [id.into(), now.as_microsecond().into()]).await
                    })
                })
                .await?;
        }
        Ok(Some(visit))
    }

    /// Is that session still good? Asking is no click.
    pub async fn is_open(&self, token: &str) -> Result<bool> {
        let (id, now) = (sha256(&[token.as_bytes()]), self.now());
        let found = self.db.ask(async |tx| good(tx, &self.env.keys, &id, now).await).await?;
        Ok(found.is_some())
    }

    /// The form is not asked for again in this session.
    pub async fn put_off(&self, token: &str) -> Result<()> {
        self.on_session("UPDATE session SET put_off = 1 WHERE id = $1", token)
            .await
    }

    /// Ends a session, and in the same commit all that clients got from it. They are told.
    pub async fn close_session(&self, token: &str) -> Result<()> {
        let (env, id) = (self.env.clone(), sha256(&[token.as_bytes()]));
        self.db
            .write(move |tx| {
                let env = env.clone();
                Box::pin(async move {
                    lock_accounts_of(tx, [id]).await?;
                    end(tx, &env, id).await
                })
            })
            .await
    }

    /// A session in place of the one that the browser had before. Of the same account, it takes over what clients got from that one;
    /// otherwise the one before is ended.
    pub async fn replace_session(&self, before: &str, token: &Token) -> Result<()> {
        let (env, before, id) = (
            self.env.clone(),
            sha256(&[before.as_bytes()]),
            sha256(&[token.0.as_bytes()]),
        );
        self.db
            .write(move |tx| {
                let env = env.clone();
                Box::pin(async move {
                    lock_accounts_of(tx, [before, id]).await?;
                    if takes_over(tx, &env, before, id).await? {
                        move_grants(tx, &env, before, id).await?;
                    }
                    end(tx, &env, before).await
                })
            })
            .await
    }

    async fn on_session(&self, sql: &'static str, token: &str) -> Result<()> {
        let id = sha256(&[token.as_bytes()]);
        self.db
            .write(move |tx| Box::pin(async move { tx.execute(sql, [id.into()]).await.map(drop) }))
            .await
    }

    /// The open sessions of an account, the newest first. `token`: of the one that asks.
    pub async fn sessions(&self, account: &AccountId, token: &str) -> Result<Vec<OpenSession>> {
        let this = sha256(&[token.as_bytes()]);
        let now = self.now().as_microsecond();
        self.db
            .read(async |tx| {
                let sql = "SELECT s.began, s.seen, a.kind, s.id FROM session s JOIN account a ON a.id = s.account AND a.generation = s.generation \
                     WHERE s.account = $1 AND s.began > $2 ORDER BY s.began DESC";
                let mut open = Vec::new();
                for row in tx.rows(sql, [account.as_str().into(), (now - LONGEST).into()]).await? {
                    let (began, seen) = (row.get(0)?, row.get(1)?);
                    if now - seen < idle(kind_of(&row.get::<String>(2)?)?) {
                        let is_this = row.get::<Vec<u8>>(3)? == this;
                        open.push(OpenSession { began, seen, is_this });
                    }
                }
                Ok(open)
            })
            .await
    }

    /// Ends all sessions of an account but this one, with all that clients got from them or for longer than them. Returns how many.
    pub async fn close_other_sessions(&self, account: &AccountId, token: &str) -> Result<u64> {
        let (env, id, account) = (self.env.clone(), sha256(&[token.as_bytes()]), account.clone());
        self.db
            .write(move |tx| {
                let (env, account) = (env.clone(), account.clone());
                Box::pin(async move {
                    lock_accounts_of(tx, [id]).await?;
                    end_all(tx, &env, &account, Some(id)).await
                })
            })
            .await
    }

    /// Ends all that is open of an account, for an owner who asks for it at a counter or by telephone. Of an operator's, two do.
    pub async fn end_sessions(&self, operator: &Operator, account: &AccountId) -> Result<()> {
        alone(account)?;
        let (env, by, account) = (self.env.clone(), operator.by().to_owned(), account.clone());
        self.db
            .write(move |tx| {
                let (env, by, account) = (env.clone(), by.clone(), account.clone());
                Box::pin(async move { end_sessions(tx, &env, &Act::new(&by, env.ambient.now()), &account).await })
            })
            .await
    }

    /// Where the owner of a session was going when asked to sign in, once it is there.
    pub async fn set_next(&self, token: &str, next: &str) -> Result<()> {
        let (env, id, next) = (self.env.clone(), sha256(&[token.as_bytes()]), next.to_owned());
        self.db
            .write(move |tx| {
                let (env, next) = (env.clone(), next.clone());
                Box::pin(async move { keep_next(tx, &env, id, next.as_bytes()).await })
            })
            .await
    }

    /// Where the session's owner is going.
    pub async fn next(&self, token: &str) -> Result<Option<String>> {
        let id = sha256(&[token.as_bytes()]);
        let sql = "SELECT next FROM session WHERE id = $1 AND next IS NOT NULL";
        let row = self.db.ask(async |tx| tx.row(sql, [id.into()]).await).await?;
        let Some(row) = row else { return Ok(None) };
        let next = self.env.keys.unseal(place(&id), &row.get::<Vec<u8>>(0)?)?;
        Ok(Some(String::from_utf8_lossy(&next).into_owned()))
    }

    /// The same, told once.
    pub async fn take_next(&self, token: &str) -> Result<Option<String>> {
        let Some(next) = self.next(token).await? else {
            return Ok(None);
        };
        self.on_session("UPDATE session SET next = NULL WHERE id = $1", token)
            .await?;
        Ok(Some(next))
    }
}

/// Ends all that is open of an account, by whoever may.
pub(crate) async fn end_sessions(tx: &mut Tx, env: &Env, act: &Act, account: &AccountId) -> Result<()> {
    let sql = "SELECT id FROM account_row WHERE id = $1";
    if tx.rows_locked(sql, [account.as_str().into()]).await?.is_empty() {
        return Err(Refusal::UnknownAccount(account.0.clone()).into());
    }
    end_all(tx, env, account, None).await?;
    let event = Event::of_account(account, Change::SessionsEnded);
    append(tx, env, act, vec![event]).await
}

fn place(id: &[u8; 32]) -> Place<'_> {
    Place {
        table: "session",
        column: "next",
        row: id,
    }
}

async fn keep_next(tx: &mut Tx, env: &Env, id: [u8; 32], next: &[u8]) -> Result<()> {
    let sealed = env.keys.seal(place(&id), next, &env.ambient);
    let sql = "UPDATE session SET next = $2 WHERE id = $1";
    tx.execute(sql, [id.into(), sealed.into()]).await.map(drop)
}

/// Takes hold of the accounts of sessions, before anything else is asked of them: a hold, a new password, who ends a session and who
/// gives something on it wait for each other here, and each sees what the one before did.
pub(crate) async fn lock_accounts_of<const N: usize>(tx: &mut Tx, sessions: [[u8; 32]; N]) -> Result<()> {
    let sql = format!(
        "SELECT id FROM account_row WHERE id IN (SELECT account FROM session WHERE id IN ({})) ORDER BY id",
        places(N)
    );
    tx.rows_locked(&sql, sessions.map(Into::into)).await.map(drop)
}

/// Begins a session of an account whose owner was proven at `began`: a full one, or a held visit where something holds the account.
async fn begin(tx: &mut Tx, env: &Env, id: [u8; 32], account: &AccountId, began: i64, amr: &str) -> Result<()> {
    let now = env.ambient.now();
    let sql = "SELECT generation, kind, last_sign_in_on FROM account_row WHERE id = $1";
    let row = tx.rows_locked(sql, [account.as_str().into()]).await?;
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

/// A full visit goes on as the one before of the same account, under the name by which clients know that. `false`: it does not.
async fn takes_over(tx: &mut Tx, env: &Env, before: [u8; 32], id: [u8; 32]) -> Result<bool> {
    let sql = format!(
        "SELECT {}, {}, b.sid FROM session s JOIN session b ON b.account = s.account AND b.generation = s.generation \
         WHERE s.id = $2 AND s.held = 0 AND b.id = $1",
        SESSION.columns("s"),
        SESSION.columns("b")
    );
    let Some(row) = tx.row(&sql, [before.into(), id.into()]).await? else {
        return Ok(false);
    };
    let (at, sid): (usize, String) = (SESSION.width(), row.get(2 * SESSION.width())?);
    if !SESSION.is_genuine(&env.keys, &row, 0)? || !SESSION.is_genuine(&env.keys, &row, at)? {
        return Ok(false);
    }
    let mut cells = SESSION.cells(&row, 0)?;
    cells[SESSION_SID] = (&sid).into();
    let mac = SESSION.mac(&env.keys, &cells);
    let sql = "UPDATE session SET sid = $2, mac = $3 WHERE id = $1";
    tx.execute(sql, [id.into(), sid.into(), mac]).await.map(|_| true)
}

/// Ends all sessions of an account but one, with all that clients got but what they got on that one. The account must be locked. Returns
/// how many.
pub(super) async fn end_all(tx: &mut Tx, env: &Env, account: &AccountId, but: Option<[u8; 32]>) -> Result<u64> {
    let but = but.map(|id| id.to_vec()).unwrap_or_default();
    let kept = "(SELECT s.sid FROM session s WHERE s.id = $2)";
    let which = format!("account = $1 AND sid <> COALESCE({kept}, '')");
    let args = [account.as_str().into(), but.into()];
    end_grants(tx, env, &which, &args).await?;
    let sql = "DELETE FROM session WHERE account = $1 AND id <> $2";
    tx.execute(sql, args).await
}

/// The visit `id` stands in place of a held one, which ends; where its owner was going stays known.
async fn replace_held(tx: &mut Tx, env: &Env, held: [u8; 32], id: [u8; 32]) -> Result<()> {
    let sql = "SELECT next FROM session WHERE id = $1 AND next IS NOT NULL";
    if let Some(row) = tx.row(sql, [held.into()]).await? {
        let next = env.keys.unseal(place(&held), &row.get::<Vec<u8>>(0)?)?;
        keep_next(tx, env, id, &next).await?;
    }
    end(tx, env, held).await
}

/// Ends a session, and what clients got on it; what outlives it lives on, but they are told, too. The account must be locked.
async fn end(tx: &mut Tx, env: &Env, id: [u8; 32]) -> Result<()> {
    let which = "sid = (SELECT s.sid FROM session s WHERE s.id = $1) AND account = (SELECT s.account FROM session s WHERE s.id = $1)";
    let had = part_in(tx, which, [id.into()]).await?;
    tx.execute("DELETE FROM client_grant WHERE session = $1", [id.into()])
        .await?;
    signed_out(tx, env, had).await?;
    tx.execute("DELETE FROM session WHERE id = $1", [id.into()])
        .await
        .map(drop)
}

/// How many sessions that ended by time are ended in one transaction.
const OVER: u32 = 200;

/// A session, `s`, of an account, `a`, that time has ended: `$1` and `$2` are when it must have begun, and been seen, at least; `$3` the
/// latter for an operator.
const OVER_BY_TIME: &str = "(s.began < $1 OR s.seen < CASE WHEN a.kind = 'operator' THEN $3 ELSE $2 END)";

fn over_by_time(now: i64) -> [i64; 3] {
    [
        now - LONGEST,
        now - idle(AccountKind::Citizen),
        now - idle(AccountKind::Operator),
    ]
}

impl Store {
    /// Ends what clients got on sessions that time has ended, and tells them; what outlives its session lives on. Returns how many sessions
    /// that were.
    pub async fn end_over_sessions(&self) -> Result<u64> {
        let [began, seen, of_operator] = over_by_time(self.env.now());
        let sql = format!(
            "SELECT DISTINCT g.session FROM client_grant g LEFT JOIN session s ON s.id = g.session \
             LEFT JOIN account_row a ON a.id = s.account WHERE g.session IS NOT NULL AND (s.id IS NULL OR {OVER_BY_TIME}) LIMIT {OVER}"
        );
        let args = || [began.into(), seen.into(), of_operator.into()];
        let mut ended = 0;
        loop {
            let rows = self.db.ask(async |tx| tx.rows(&sql, args()).await).await?;
            let over: Vec<Vec<u8>> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
            if over.is_empty() {
                return Ok(ended);
            }
            let env = self.env.clone();
            ended += over.len() as u64;
            self.db
                .write(move |tx| {
                    let (env, over) = (env.clone(), over.clone());
                    Box::pin(async move {
                        for session in over {
                            // Asked again where nobody else can change it: it may have been used meanwhile.
                            let sql = "SELECT id FROM account_row WHERE id IN (SELECT account FROM client_grant WHERE session = $1)";
                            tx.rows_locked(sql, [session.clone().into()]).await?;
                            let sql = format!(
                                "SELECT 1 FROM session s JOIN account_row a ON a.id = s.account WHERE s.id = $4 AND NOT {OVER_BY_TIME}"
                            );
                            let args = [began.into(), seen.into(), of_operator.into(), session.clone().into()];
                            if tx.row(&sql, args).await?.is_none() {
                                end_grants(tx, &env, "session = $1", &[session.into()]).await?;
                            }
                        }
                        Ok(())
                    })
                })
                .await?;
        }
    }
}

/// A client used what it has on this session: that is as good as a click, but an operator's. `false`: time has ended it.
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

/// An open session, as codes for clients need it.
pub(crate) struct OpenRow {
    pub account: AccountId,
    pub generation: i64,
    pub sid: String,
    pub began: i64,
    pub amr: String,
}

/// The session, if it is a full one that nothing ended.
pub(crate) async fn open_session_row(
    tx: &mut Tx,
    keys: &Keyring,
    id: &[u8; 32],
    now: Timestamp,
) -> Result<Option<OpenRow>> {
    let found = good(tx, keys, id, now).await?.filter(|found| !found.visit.held);
    Ok(found.map(|found| OpenRow {
        account: found.visit.account,
        generation: found.generation,
        sid: found.sid,
        began: found.visit.began,
        amr: found.visit.amr,
    }))
}

/// Is that an account of this kind, with the login and the MAC that stand at `at`?
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

/// A session that is good.
struct Good {
    visit: Visit,
    seen: i64,
    generation: i64,
    sid: String,
}

/// The session, if nothing ended it. A held visit lives on when the hold is lifted, and becomes a full one with the next click.
async fn good(tx: &mut Tx, keys: &Keyring, id: &[u8; 32], now: Timestamp) -> Result<Option<Good>> {
    // Made once: it is asked for each page.
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
    let over = if held {
        micros - began > HELD
    } else {
        // A derived hold begins with a day and raises no generation.
        micros - began > LONGEST
            || micros - seen > idle(kind)
            || (row.get::<i64>(7)? > 0 && is_held(tx, &account, local_day(now)).await?)
    };
    if over {
        return Ok(None);
    }
    let visit = Visit {
        account: AccountId(account),
        kind,
        held,
        put_off: put_off != 0,
        began,
        amr: row.get(6)?,
    };
    Ok(Some(Good {
        visit,
        seen,
        generation: row.get(8)?,
        sid: row.get(9)?,
    }))
}
