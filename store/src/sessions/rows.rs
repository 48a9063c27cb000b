//! The rows of sessions: which are valid, and their locks.

use crate::context::StoreContext;
use crate::crypto::keyring::{AssociatedData, Keyring};
use crate::db::bound::{ACCOUNT, SESSION, binds};
use crate::db::columns::placeholders;
use crate::db::{Row, Tx};
use crate::error::{Result, StoreError};
use crate::projections::account_cells_bound;
use crate::sessions::session::{HELD, Session};
use crate::tables::holds::{MAY_BE_HELD, is_held};
use jiff::Timestamp;
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_rules::values::local_day;
use std::sync::LazyLock;

/// Condition for a session `s` of an account `a` that has timed out: `$1` is the earliest valid beginning, `$2` the earliest valid last
/// click, `$3` the same for an operator.
pub(crate) const OVER_BY_TIME: &str = "(s.began < $1 OR s.seen < CASE WHEN a.kind = 'operator' THEN $3 ELSE $2 END)";

/// Idle timeout of a full session in microseconds: 30 minutes, for operators 15 (TCVN 14423).
pub(crate) fn idle(kind: AccountKind) -> i64 {
    let minutes = if kind == AccountKind::Operator { 15 } else { 30 };
    minutes * 60 * 1_000_000
}

/// Absolute timeout of a full session: 12 hours in microseconds.
pub(crate) const LONGEST: i64 = 12 * 3600 * 1_000_000;

/// A click is recorded if the last recorded one is older than this: one minute in microseconds.
pub(crate) const GRAIN: i64 = 60 * 1_000_000;

pub(crate) fn place(id: &[u8; 32]) -> AssociatedData<'_> {
    AssociatedData {
        table: "session",
        column: "next",
        row: id,
    }
}

pub(crate) async fn keep_next(tx: &mut Tx, ctx: &StoreContext, id: [u8; 32], next: &[u8]) -> Result<()> {
    let sealed = ctx.keys.encrypt(place(&id), next, &ctx.environment);
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
        .filter(|found| !found.session.held);
    Ok(found.map(|found| OpenRow {
        account: found.session.account,
        generation: found.generation,
        sid: found.sid,
        began: found.session.began,
        amr: found.session.amr,
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

pub(crate) fn kind_of(word: &str) -> Result<AccountKind> {
    AccountKind::parse(word).ok_or_else(|| StoreError::corrupt("account", "no such kind"))
}

/// A valid session, with its internal fields.
pub(crate) struct ValidSession {
    pub(crate) session: Session,
    pub(crate) seen: i64,
    generation: i64,
    sid: String,
}

/// The session, if it is valid. A held visit survives the end of its hold, and becomes a full session with the next click.
pub(crate) async fn find_valid_session(
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
    let session = Session {
        account: AccountId(account),
        kind,
        held,
        put_off: put_off != 0,
        began,
        amr: row.get(6)?,
    };
    Ok(Some(ValidSession {
        session,
        seen,
        generation: row.get(8)?,
        sid: row.get(9)?,
    }))
}

pub(crate) fn over_by_time(now: i64) -> [i64; 3] {
    [
        now - LONGEST,
        now - idle(AccountKind::Citizen),
        now - idle(AccountKind::Operator),
    ]
}

/// Whether a session has timed out.
pub(crate) fn is_over_by_time(now: i64, kind: AccountKind, held: bool, began: i64, seen: i64) -> bool {
    if held {
        now - began > HELD
    } else {
        now - began > LONGEST || now - seen > idle(kind)
    }
}

/// Copies the return address of one session to another.
pub(crate) async fn copy_return_url(tx: &mut Tx, ctx: &StoreContext, before: [u8; 32], id: [u8; 32]) -> Result<()> {
    let sql = "SELECT next FROM session WHERE id = $1 AND next IS NOT NULL";
    let Some(row) = tx.row(sql, [before.into()]).await? else {
        return Ok(());
    };
    let next = ctx.keys.decrypt(place(&before), &row.get::<Vec<u8>>(0)?)?;
    keep_next(tx, ctx, id, &next).await
}
