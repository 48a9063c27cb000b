//! Held visits: how one goes on after its own mending, and how it becomes a full session.

use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::merkle::sha256;
use crate::db::bound::{ACCOUNT, SESSION, SESSION_GENERATION, binds};
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::projections::account_cells_bound;
use crate::sessions::end::end;
use crate::sessions::factor::Factor;
use crate::sessions::open::begin;
use crate::sessions::rows::{copy_return_url, find_valid_session, lock_accounts_of};
use crate::sessions::session::{HELD, SessionToken};
use crate::store::Store;
use crate::tables::holds::is_held;
use jiff::Timestamp;
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_rules::values::local_day;

impl Store {
    /// Replaces a held visit by a full session once the last hold is gone; authentication time and return address are kept. `None` if the
    /// session is not held, if a hold remains, or for operators, who must sign in again.
    #[boxed]
    pub async fn resume_after_hold(&self, held: &str) -> Result<Option<SessionToken>> {
        let token = self.new_token();
        let (before, id) = (sha256(&[held.as_bytes()]), sha256(&[token.0.as_bytes()]));
        let (ctx, now) = (self.ctx.clone(), self.now());
        let opened = self
            .db
            .transaction(move |tx| {
                let ctx = ctx.clone();
                Box::pin(async move {
                    lock_accounts_of(tx, [before]).await?;
                    let session = find_valid_session(tx, &ctx.keys, &before, now)
                        .await?
                        .map(|found| found.session);
                    let Some(session) = session.filter(|session| session.held && session.kind != AccountKind::Operator)
                    else {
                        return Ok(false);
                    };
                    if is_held(tx, session.account.as_str(), local_day(now)).await? {
                        return Ok(false);
                    }
                    begin(tx, &ctx, id, &session.account, session.began, &session.amr).await?;
                    replace_held(tx, &ctx, before, id).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(opened.then_some(token))
    }

    /// Replaces the held visit of an account that was joined to another by a session of the remaining one, whose owner authenticated at
    /// that time. The return address is kept.
    #[boxed]
    pub async fn resume_after_join(
        &self,
        held: &str,
        stays: &AccountId,
        factor: Factor,
        at: Timestamp,
    ) -> Result<SessionToken> {
        let token = self.new_token();
        let (before, id) = (sha256(&[held.as_bytes()]), sha256(&[token.0.as_bytes()]));
        let (ctx, stays) = (self.ctx.clone(), stays.clone());
        self.db
            .transaction(move |tx| {
                let (ctx, stays) = (ctx.clone(), stays.clone());
                Box::pin(async move {
                    lock_accounts_of(tx, [before]).await?;
                    begin(tx, &ctx, id, &stays, at.as_microsecond(), factor.amr()).await?;
                    replace_held(tx, &ctx, before, id).await
                })
            })
            .await?;
        Ok(token)
    }

    /// Replaces the held visit of an account that `moved` closed by a session of the account at the new unit. Both share a login, so the
    /// authentication counts for both. The return address is kept. `None` if `moved` does not hold the account, or if the logins differ.
    #[boxed]
    pub async fn resume_after_move(&self, held: &str, new: &AccountId) -> Result<Option<SessionToken>> {
        let token = self.new_token();
        let (before, id) = (sha256(&[held.as_bytes()]), sha256(&[token.0.as_bytes()]));
        let (ctx, new, now) = (self.ctx.clone(), new.clone(), self.now());
        let opened = self
            .db
            .transaction(move |tx| {
                let (ctx, new) = (ctx.clone(), new.clone());
                Box::pin(async move {
                    lock_accounts_of(tx, [before]).await?;
                    let session = find_valid_session(tx, &ctx.keys, &before, now).await?.map(|found| found.session);
                    let Some(session) = session.filter(|session| session.held) else {
                        return Ok(false);
                    };
                    let sql = "SELECT a.login, a.kind, a.mac, b.login, b.kind, b.mac FROM account_row a JOIN account_row b ON b.login = a.login \
                         WHERE a.id = $1 AND b.id = $2 AND EXISTS (SELECT 1 FROM hold h WHERE h.account = a.id AND h.reason = 'moved' AND h.until IS NULL)";
                    let row = tx.row(sql, [session.account.as_str().into(), new.as_str().into()]).await?;
                    let Some(row) = row else { return Ok(false) };
                    let official = AccountKind::Official.name();
                    for (account, at) in [(&session.account, 0), (&new, 3)] {
                        let [login, kind]: [String; 2] = [row.get(at)?, row.get(at + 1)?];
                        let bound = account_cells_bound(account.as_str(), &kind, &login);
                        if kind != official || !binds(&ctx.keys, ACCOUNT, &bound, Some(&row.get::<Vec<u8>>(at + 2)?)) {
                            return Ok(false);
                        }
                    }
                    begin(tx, &ctx, id, &new, session.began, &session.amr).await?;
                    replace_held(tx, &ctx, before, id).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(opened.then_some(token))
    }

    /// Continues a held visit after its owner resolved one reason and got others, which it then displays. A new hold by order ends the
    /// visit.
    #[boxed]
    pub async fn renew_held_session(&self, token: &str) -> Result<()> {
        let (ctx, id) = (self.ctx.clone(), sha256(&[token.as_bytes()]));
        self.db
            .transaction(move |tx| {
                let ctx = ctx.clone();
                Box::pin(async move {
                    lock_accounts_of(tx, [id]).await?;
                    renew_held_sessions(tx, &ctx, "s.id = $1", vec![id.into()]).await
                })
            })
            .await
    }

    /// Keeps the held visits of an account that were valid at that generation, as [`Store::renew_held_session`] does: its owner's proposal was
    /// answered meanwhile. A visit that another hold had ended before stays ended.
    pub(crate) async fn renew_held_sessions_of(&self, account: &AccountId, generation: i64) -> Result<()> {
        let (ctx, account) = (self.ctx.clone(), account.clone());
        let earliest = self.now().as_microsecond() - HELD;
        self.db
            .transaction(move |tx| {
                let (ctx, account) = (ctx.clone(), account.clone());
                Box::pin(async move {
                    let sql = "SELECT id FROM account_row WHERE id = $1";
                    tx.rows_for_update(sql, [account.as_str().into()]).await?;
                    let which = "s.account = $1 AND s.generation = $2 AND s.began > $3";
                    let args = vec![account.as_str().into(), generation.into(), earliest.into()];
                    renew_held_sessions(tx, &ctx, which, args).await
                })
            })
            .await
    }
}

/// Ends the held visit that the session `id` replaces, and keeps its return address and its device.
async fn replace_held(tx: &mut Tx, ctx: &StoreContext, held: [u8; 32], id: [u8; 32]) -> Result<()> {
    copy_return_url(tx, ctx, held, id).await?;
    let sql = "UPDATE session SET device = (SELECT h.device FROM session h WHERE h.id = $1) WHERE id = $2";
    tx.execute(sql, [held.into(), id.into()]).await?;
    end(tx, ctx, held).await
}

/// Moves the held visits, `s`, that match `which` to the current generation of their accounts. A hold by order ends its visits all the same.
/// The accounts must be locked.
async fn renew_held_sessions(tx: &mut Tx, ctx: &StoreContext, which: &str, args: Vec<SqlValue>) -> Result<()> {
    let sql = format!(
        "SELECT {}, a.generation FROM session s JOIN account_row a ON a.id = s.account \
         WHERE {which} AND s.held = 1 AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.account = s.account \
         AND h.generation > s.generation AND h.reason = 'by-order')",
        SESSION.columns("s")
    );
    for row in tx.rows(&sql, args).await? {
        if !SESSION.is_genuine(&ctx.keys, &row, 0)? {
            continue;
        }
        let generation: i64 = row.get(SESSION.width())?;
        let mut cells = SESSION.cells(&row, 0)?;
        cells[SESSION_GENERATION] = generation.into();
        let mac = SESSION.mac(&ctx.keys, &cells);
        let id: Vec<u8> = row.get(0)?;
        let sql = "UPDATE session SET generation = $2, mac = $3 WHERE id = $1";
        tx.execute(sql, [id.into(), generation.into(), mac]).await?;
    }
    Ok(())
}
