//! The end of sessions: by their owner, by an operator, by a newer session, by time.

use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::crypto::merkle::sha256;
use crate::db::Tx;
use crate::db::bound::{SESSION, SESSION_GENERATION, SESSION_SID};
use crate::error::{Refusal, Result};
use crate::notifications::client_outbox::enqueue_logout;
use crate::notifications::held_state::ENDED;
use crate::rights::{Operator, alone};
use crate::sessions::grants::{grants_of_sessions, revoke_grants, transfer_grants};
use crate::sessions::rows::{OVER_BY_TIME, copy_return_url, is_over_by_time, kind_of, lock_accounts_of, over_by_time};
use crate::sessions::session::{SessionEnd, SessionToken};
use crate::store::Store;
use crate::unit_of_work::append;
use ngomon_rules::event::{Change, Event};
use ngomon_rules::records::AccountId;

/// Timed-out sessions in one transaction.
const OVER: u32 = 200;

impl Store {
    /// Why the session with that token, which is not valid, has ended.
    #[boxed]
    pub async fn session_end(&self, token: &str) -> Result<SessionEnd> {
        let (id, now) = (sha256(&[token.as_bytes()]), self.now().as_microsecond());
        let sql = format!(
            "SELECT a.kind, s.held, s.began, s.seen, {} FROM session s JOIN account_row a ON a.id = s.account WHERE s.id = $1",
            SESSION.columns("s")
        );
        let row = self.db.query(async |tx| tx.row(&sql, [id.into()]).await).await?;
        let Some(row) = row else { return Ok(SessionEnd::Gone) };
        // A hold that began with its day ends a session without a new MAC.
        if row.get::<i64>(4 + SESSION_GENERATION)? == ENDED {
            return Ok(SessionEnd::Change);
        }
        if !SESSION.is_genuine(&self.ctx.keys, &row, 4)? {
            return Ok(SessionEnd::Gone);
        }
        let kind = kind_of(&row.get::<String>(0)?)?;
        let [held, began, seen]: [i64; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
        let by_time = is_over_by_time(now, kind, held != 0, began, seen);
        Ok(if by_time { SessionEnd::Time } else { SessionEnd::Change })
    }

    /// Ends a session and, in the same commit, the clients' grants on it; the clients are notified.
    #[boxed]
    pub async fn close_session(&self, token: &str) -> Result<()> {
        let (ctx, id) = (self.ctx.clone(), sha256(&[token.as_bytes()]));
        self.db
            .transaction(move |tx| {
                let ctx = ctx.clone();
                Box::pin(async move {
                    lock_accounts_of(tx, [id]).await?;
                    end(tx, &ctx, id).await
                })
            })
            .await
    }

    /// Replaces the browser's previous session. A held visit of the same account passes on its return address. A full session of the same
    /// account takes over its grants; otherwise they end with it.
    #[boxed]
    pub async fn replace_session(&self, before: &str, token: &SessionToken) -> Result<()> {
        let (ctx, before, id) = (
            self.ctx.clone(),
            sha256(&[before.as_bytes()]),
            sha256(&[token.0.as_bytes()]),
        );
        self.db
            .transaction(move |tx| {
                let ctx = ctx.clone();
                Box::pin(async move {
                    lock_accounts_of(tx, [before, id]).await?;
                    if takes_over(tx, &ctx, before, id).await? {
                        transfer_grants(tx, &ctx, before, id).await?;
                    }
                    let same =
                        "SELECT 1 FROM session s JOIN session b ON b.account = s.account WHERE s.id = $2 AND b.id = $1 AND b.held = 1";
                    if tx.row(same, [before.into(), id.into()]).await?.is_some() {
                        copy_return_url(tx, &ctx, before, id).await?;
                    }
                    end(tx, &ctx, before).await
                })
            })
            .await
    }

    /// Ends all other sessions of an account, with their grants and those that outlive a session. Returns the number of sessions.
    #[boxed]
    pub async fn close_other_sessions(&self, account: &AccountId, token: &str) -> Result<u64> {
        let (ctx, id, account) = (self.ctx.clone(), sha256(&[token.as_bytes()]), account.clone());
        self.db
            .transaction(move |tx| {
                let (ctx, account) = (ctx.clone(), account.clone());
                Box::pin(async move {
                    lock_accounts_of(tx, [id]).await?;
                    end_all(tx, &ctx, &account, Some(id)).await
                })
            })
            .await
    }

    /// Ends all sessions and grants of an account, for an owner at a counter or on the telephone. For an operator's account it takes two
    /// operators.
    #[boxed]
    pub async fn end_sessions(&self, operator: &Operator, account: &AccountId) -> Result<()> {
        alone(account)?;
        let (ctx, by, account) = (self.ctx.clone(), operator.by().to_owned(), account.clone());
        self.db
            .transaction(move |tx| {
                let (ctx, by, account) = (ctx.clone(), by.clone(), account.clone());
                Box::pin(async move {
                    end_sessions(tx, &ctx, &Attribution::new(&by, ctx.environment.now()), &account).await
                })
            })
            .await
    }

    /// Ends the grants on sessions that timed out and notifies the clients; grants that outlive their session stay. Returns the number of
    /// sessions.
    #[boxed]
    pub async fn end_over_sessions(&self) -> Result<u64> {
        let [began, seen, of_operator] = over_by_time(self.ctx.now());
        let sql = format!(
            "SELECT DISTINCT g.session FROM client_grant g LEFT JOIN session s ON s.id = g.session \
             LEFT JOIN account_row a ON a.id = s.account WHERE g.session IS NOT NULL AND (s.id IS NULL OR {OVER_BY_TIME}) LIMIT {OVER}"
        );
        let args = || [began.into(), seen.into(), of_operator.into()];
        let mut ended = 0;
        loop {
            let rows = self.db.query(async |tx| tx.rows(&sql, args()).await).await?;
            let over: Vec<Vec<u8>> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
            if over.is_empty() {
                return Ok(ended);
            }
            let ctx = self.ctx.clone();
            ended += over.len() as u64;
            self.db
                .transaction(move |tx| {
                    let (ctx, over) = (ctx.clone(), over.clone());
                    Box::pin(async move {
                        for session in over {
                            // Checked again under the lock: the session may have been used meanwhile.
                            for sql in [
                                "SELECT id FROM account_row WHERE id IN (SELECT account FROM client_grant WHERE session = $1)",
                                "SELECT id FROM session WHERE id = $1",
                            ] {
                                tx.rows_for_update(sql, [session.clone().into()]).await?;
                            }
                            let sql = format!(
                                "SELECT 1 FROM session s JOIN account_row a ON a.id = s.account WHERE s.id = $4 AND NOT {OVER_BY_TIME}"
                            );
                            let args = [began.into(), seen.into(), of_operator.into(), session.clone().into()];
                            if tx.row(&sql, args).await?.is_none() {
                                revoke_grants(tx, &ctx, "session = $1", &[session.into()]).await?;
                            }
                        }
                        Ok(())
                    })
                })
                .await?;
        }
    }
}

/// Ends all sessions and grants of an account, and journals it.
pub(crate) async fn end_sessions(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    account: &AccountId,
) -> Result<()> {
    let sql = "SELECT id FROM account_row WHERE id = $1";
    if tx.rows_for_update(sql, [account.as_str().into()]).await?.is_empty() {
        return Err(Refusal::UnknownAccount(account.0.clone()).into());
    }
    end_all(tx, ctx, account, None).await?;
    let event = Event::of_account(account, Change::SessionsEnded);
    append(tx, ctx, act, vec![event]).await
}

/// Gives a full session the `sid` of the previous one of the same account, so that clients recognise it. `false` if it does not continue
/// that one.
async fn takes_over(tx: &mut Tx, ctx: &StoreContext, before: [u8; 32], id: [u8; 32]) -> Result<bool> {
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
    if !SESSION.is_genuine(&ctx.keys, &row, 0)? || !SESSION.is_genuine(&ctx.keys, &row, at)? {
        return Ok(false);
    }
    let mut cells = SESSION.cells(&row, 0)?;
    cells[SESSION_SID] = (&sid).into();
    let mac = SESSION.mac(&ctx.keys, &cells);
    let sql = "UPDATE session SET sid = $2, mac = $3 WHERE id = $1";
    tx.execute(sql, [id.into(), sid.into(), mac]).await.map(|_| true)
}

/// Ends all sessions of an account but one, with all grants except those on that one. The account must be locked. Returns the number of
/// sessions.
pub(crate) async fn end_all(
    tx: &mut Tx,
    ctx: &StoreContext,
    account: &AccountId,
    but: Option<[u8; 32]>,
) -> Result<u64> {
    let but = but.map(|id| id.to_vec()).unwrap_or_default();
    let kept = "(SELECT s.sid FROM session s WHERE s.id = $2)";
    let which = format!("account = $1 AND sid <> COALESCE({kept}, '')");
    let args = [account.as_str().into(), but.into()];
    revoke_grants(tx, ctx, &which, &args).await?;
    let sql = "DELETE FROM session WHERE account = $1 AND id <> $2";
    tx.execute(sql, args).await
}

/// Ends a session and its grants; a grant that outlives it stays, but its client is notified, too. The account must be locked.
pub(crate) async fn end(tx: &mut Tx, ctx: &StoreContext, id: [u8; 32]) -> Result<()> {
    let which = "sid = (SELECT s.sid FROM session s WHERE s.id = $1) AND account = (SELECT s.account FROM session s WHERE s.id = $1)";
    let had = grants_of_sessions(tx, which, [id.into()]).await?;
    tx.execute("DELETE FROM client_grant WHERE session = $1", [id.into()])
        .await?;
    enqueue_logout(tx, ctx, had).await?;
    tx.execute("DELETE FROM session WHERE id = $1", [id.into()])
        .await
        .map(drop)
}
